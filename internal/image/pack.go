package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

// recipe is all that the image consists of. FROM scratch asks no registry.
func (p plan) recipe() string {
	return fmt.Sprintf(`FROM scratch
ADD root.tar /
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/lib/postgresql/%[1]d/bin
ENV LANG=en_US.utf8 PG_MAJOR=%[1]d PGDATA=%[2]s
VOLUME %[3]s
LABEL org.opencontainers.image.title=postgres
LABEL org.opencontainers.image.description="PostgreSQL %[1]d from the packages of Debian %[4]s"
# Fast shutdown: the default, SIGTERM, waits for every client to leave.
STOPSIGNAL SIGINT
`, p.major, pgdata(p.major), volume(p.major), p.suite.name)
}

// pack makes the image of the tree below root, in a new folder. Devices and
// kernel file systems stay out: the engine mounts its own, and a rootless one
// could not even make them.
func (p plan) pack(ctx context.Context, root, folder string) error {
	err := errors.Join(os.Mkdir(folder, 0o755),
		os.WriteFile(filepath.Join(folder, "Dockerfile"), []byte(p.recipe()), 0o644))
	if err != nil {
		return err
	}
	tar := []string{"--create", "--file", filepath.Join(folder, "root.tar"), "--directory", root, "--sort=name",
		"--numeric-owner",
		"--exclude=./dev/*", "--exclude=./proc/*", "--exclude=./sys/*", "--exclude=./run/lock/*", "."}
	if err := run(ctx, "tar", tar...); err != nil {
		return err
	}
	return run(ctx, "docker", "build", "--quiet", "--force-rm", "--network=none", "--tag="+p.tag, folder)
}

// run runs a program, however long it takes, and says what it said last if it
// fails.
func run(ctx context.Context, name string, args ...string) error {
	var said tail
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdout, cmd.Stderr = io.Discard, &said
	if err := cmd.Run(); err != nil {
		return commandError(ctx, name, err, said.String())
	}
	return nil
}

// pgdata is the directory of the data, as the official image of major has it.
func pgdata(major int) string {
	if major >= 18 {
		return fmt.Sprintf("/var/lib/postgresql/%d/docker", major)
	}
	return "/var/lib/postgresql/data"
}

// volume is the directory that outlives a container: above PGDATA since 18, so
// that pg_upgrade --link finds both clusters on one file system.
func volume(major int) string {
	if major >= 18 {
		return "/var/lib/postgresql"
	}
	return pgdata(major)
}
