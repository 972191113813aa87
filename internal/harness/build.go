package harness

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"daybefore/internal/image"
)

// Image builds postgres:<major> from Debian's packages.
func (h *Home) Image(ctx context.Context, major int) error {
	ctx, stop := h.interruptible(ctx)
	defer stop()
	say := func(line string) { fmt.Fprintln(h.Stderr, line) }
	if err := image.Setup(ctx); err != nil {
		return cannot("image: %v", err)
	}
	if err := image.Build(ctx, image.Options{Major: major, Progress: say}); err != nil {
		return cannot("image: %v", err)
	}
	fmt.Fprintf(h.Stdout, "postgres:%d is built\n", major)
	return nil
}

// binarySources is where Mage finds the targets of bin/drill, and no others.
const binarySources = "cmd/drill"

// Build compiles the targets into one binary, bin/drill.
func (h *Home) Build(ctx context.Context) error {
	out, err := filepath.Abs(filepath.Join(h.Dir, "bin", "drill"))
	if err != nil {
		return cannot("build: %v", err)
	}
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return cannot("build: %v", err)
	}
	digest, err := sourcesOf(h.Dir)
	if err != nil {
		return cannot("build: read the sources: %v; run this where the harness's go.mod lies", err)
	}
	stamp := "-X daybefore/internal/harness.sources=" + digest
	// An absolute path, since Mage takes a relative one from where its targets lie.
	cmd := exec.CommandContext(ctx, "go", "tool", "mage", "-d", binarySources, "-ldflags", stamp, "-compile", out)
	cmd.Dir, cmd.Stdout, cmd.Stderr = h.Dir, h.Stdout, h.Stderr
	if err := cmd.Run(); err != nil {
		return cannot("build: %v", err)
	}
	fmt.Fprintln(h.Stdout, "built", filepath.Join("bin", "drill"))
	return nil
}
