package image

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// layer is an image's only one: a tar file.
type layer struct {
	path   string
	digest digest.Digest
}

// pack writes the tree below root to a tar file at path. Devices and kernel
// file systems stay out: the engine mounts its own, and a rootless one could
// not even make them.
func pack(ctx context.Context, root, path string) (layer, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return layer{}, err
	}
	defer f.Close()
	hash := sha256.New()
	var said tail
	cmd := exec.CommandContext(ctx, "tar", "--create", "--directory", root, "--sort=name", "--numeric-owner",
		"--exclude=./dev/*", "--exclude=./proc/*", "--exclude=./sys/*", "--exclude=./run/lock/*", ".")
	cmd.Stdout, cmd.Stderr = io.MultiWriter(f, hash), &said
	if err := cmd.Run(); err != nil {
		return layer{}, commandError(ctx, "tar the root directory", err, said.String())
	}
	return layer{path: path, digest: digest.NewDigest(digest.SHA256, hash)}, f.Close()
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

func (p plan) config(diffID digest.Digest, now time.Time) ocispec.Image {
	now = now.UTC()
	return ocispec.Image{
		Created:  &now,
		Platform: ocispec.Platform{Architecture: runtime.GOARCH, OS: "linux"},
		Config: ocispec.ImageConfig{
			Env: []string{
				"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/lib/postgresql/" + strconv.Itoa(p.major) + "/bin",
				"LANG=en_US.utf8",
				"PG_MAJOR=" + strconv.Itoa(p.major),
				"PGDATA=" + pgdata(p.major),
			},
			Entrypoint:   []string{"docker-entrypoint.sh"},
			Cmd:          []string{"postgres"},
			ExposedPorts: map[string]struct{}{"5432/tcp": {}},
			Volumes:      map[string]struct{}{volume(p.major): {}},
			// Fast shutdown: the default, SIGTERM, waits for every client to leave.
			StopSignal: "SIGINT",
			Labels: map[string]string{
				ocispec.AnnotationTitle:       "postgres",
				ocispec.AnnotationDescription: fmt.Sprintf("PostgreSQL %d from the packages of Debian %s", p.major, p.suite),
			},
		},
		RootFS:  ocispec.RootFS{Type: "layers", DiffIDs: []digest.Digest{diffID}},
		History: []ocispec.History{{Created: &now, CreatedBy: "debootstrap " + p.suite}},
	}
}

// load hands the engine an archive as `docker save` writes it. Not `docker
// import`: that has no way to set a stop signal.
func (p plan) load(ctx context.Context, l layer) error {
	var said tail
	cmd := exec.CommandContext(ctx, "docker", "load", "--quiet")
	cmd.Stdout, cmd.Stderr = io.Discard, &said
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	written := p.save(stdin, l, time.Now())
	stdin.Close()
	if errors.Is(written, syscall.EPIPE) {
		written = nil // docker read no further, and says why
	}
	if err := cmd.Wait(); err != nil {
		return errors.Join(written, commandError(ctx, "docker load", err, said.String()))
	}
	if written != nil {
		return fmt.Errorf("docker load: %w", written)
	}
	return nil
}

// save writes the image to w in the format of `docker save`.
func (p plan) save(w io.Writer, l layer, now time.Time) error {
	f, err := os.Open(l.path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	config, err := json.Marshal(p.config(l.digest, now))
	if err != nil {
		return err
	}
	configName := digest.FromBytes(config).Encoded() + ".json"
	manifest, err := json.Marshal([]struct {
		Config   string
		RepoTags []string
		Layers   []string
	}{{configName, []string{p.tag}, []string{"layer.tar"}}})
	if err != nil {
		return err
	}
	tw := tar.NewWriter(w)
	return errors.Join(
		add(tw, "manifest.json", int64(len(manifest)), bytes.NewReader(manifest)),
		add(tw, configName, int64(len(config)), bytes.NewReader(config)),
		add(tw, "layer.tar", info.Size(), f),
		tw.Close())
}

func add(tw *tar.Writer, name string, size int64, content io.Reader) error {
	if err := tw.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: size}); err != nil {
		return err
	}
	_, err := io.CopyN(tw, content, size)
	return err
}
