package develop

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"daybefore/internal/machine"
)

// Platform is an operating system and a processor, as Go names them.
type Platform struct{ System, Processor string }

// Platforms are those that a release has a binary for.
var Platforms = []Platform{{"linux", "amd64"}, {"linux", "arm64"}, {"darwin", "amd64"}, {"darwin", "arm64"}}

// sums is the file that sha256sum -c reads.
const sums = "SHA256SUMS"

// Compiler compiles the targets of bin/drill.
type Compiler interface {
	// BuildName names the version and the sources: 0.1.0+src.1f3870be274f.
	BuildName() (string, error)

	// CompileFor compiles into a file, for a platform.
	CompileFor(ctx context.Context, out, system, processor string) error
}

// Release compiles a binary for each platform into dist/, with their sums.
func (c Checkout) Release(ctx context.Context, compiler Compiler, platforms []Platform) error {
	ctx, stop := machine.Interruptible(ctx)
	defer stop()
	if err := c.release(ctx, compiler, platforms); err != nil {
		return fmt.Errorf("release: %w", err)
	}
	return nil
}

func (c Checkout) release(ctx context.Context, compiler Compiler, platforms []Platform) error {
	build, err := compiler.BuildName()
	if err != nil {
		return err
	}
	dist := filepath.Join(c.Dir, "dist")
	if err := os.RemoveAll(dist); err != nil { // what an older release left would pass for this one's
		return err
	}
	version, _, _ := strings.Cut(build, "+")
	var all strings.Builder
	for _, p := range platforms {
		name := strings.Join([]string{"drill", version, p.System, p.Processor}, "_")
		fmt.Fprintln(c.Stderr, "release:", name)
		path := filepath.Join(dist, name)
		if err := compiler.CompileFor(ctx, path, p.System, p.Processor); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		sum, err := sumOf(path)
		if err != nil {
			return err
		}
		fmt.Fprintf(&all, "%s  %s\n", sum, name)
	}
	if now, err := compiler.BuildName(); err != nil || now != build {
		return errors.Join(fmt.Errorf("the sources changed from %s to %s meanwhile: run it again", build, now), err)
	}
	fmt.Fprintf(c.Stdout, "%s is built in dist:\n%s", build, &all)
	return os.WriteFile(filepath.Join(dist, sums), []byte(all.String()), 0o644)
}

func sumOf(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	digest := sha256.New()
	if _, err := io.Copy(digest, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(digest.Sum(nil)), nil
}
