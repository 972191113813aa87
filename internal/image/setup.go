package image

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// tools are the programs that a build runs, and the Debian packages that have
// them.
var tools = []struct {
	program  string
	packages []string
	ours     bool // whether Setup may install it: docker is a service, so it may not
}{
	{"debootstrap", []string{"debootstrap", "debian-archive-keyring"}, true},
	{"unshare", []string{"util-linux"}, true},
	{"tar", []string{"tar"}, true},
	{"docker", []string{"docker.io"}, false},
}

// Setup installs what Build needs and this machine lacks, where it may: as
// root, on Debian. Its error names in one line everything that a person must
// do instead.
func Setup(ctx context.Context) error {
	missing, byHand := missingPackages()
	_, err := exec.LookPath("apt-get")
	if os.Geteuid() != 0 || len(byHand) > 0 || len(missing) > 0 && err != nil {
		return checkTools()
	}
	if len(missing) == 0 {
		return nil
	}
	if err := apt(ctx, "update", "-qq"); err != nil {
		return err
	}
	return apt(ctx, append([]string{"install", "-y", "-qq", "--no-install-recommends"}, missing...)...)
}

func apt(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, "apt-get", args...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	var said tail
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		return commandError(ctx, "apt-get "+args[0], err, said.String())
	}
	return nil
}

// missingPackages lists what Setup may install, and what only a person should.
func missingPackages() (ours, byHand []string) {
	for _, tool := range tools {
		if _, err := exec.LookPath(tool.program); err == nil {
			continue
		}
		if tool.ours {
			ours = append(ours, tool.packages...)
		} else {
			byHand = append(byHand, tool.packages...)
		}
	}
	return ours, byHand
}

// checkTools gives nil, or one line with everything that is in the way.
func checkTools() error {
	ours, byHand := missingPackages()
	return obstacles(os.Geteuid(), append(ours, byHand...))
}

func obstacles(euid int, missing []string) error {
	var todo []string
	if len(missing) > 0 {
		todo = append(todo, "install "+strings.Join(missing, " ")+" (Debian's names)")
	}
	if euid != 0 {
		todo = append(todo, "run as root")
	}
	if len(todo) == 0 {
		return nil
	}
	return fmt.Errorf("building a postgres image from Debian's packages: %w", errors.New(strings.Join(todo, ", ")))
}
