package harness

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"daybefore/internal/image"
)

// ImageOptions say which image to build.
type ImageOptions struct {
	Major    int
	Packages string // Debian packages beside the server, separated by commas or blanks
	Tag      string // empty: postgres:MAJOR
}

// Image builds an image from Debian's packages, and installs what that needs
// where it may.
func (h *Home) Image(ctx context.Context, o ImageOptions) error {
	ctx, stop := h.interruptible(ctx)
	defer stop()
	packages := strings.FieldsFunc(o.Packages, func(r rune) bool { return r == ',' || r == ' ' })
	tag := cmp.Or(o.Tag, image.Tag(o.Major))
	if len(packages) > 0 && o.Tag == "" {
		return cannot("image: name the image that has more than the server with -tag, such as -tag=shop-postgres:%d: "+
			"%s is what drills take that name none", o.Major, tag)
	}
	say := func(line string) { fmt.Fprintln(h.Stderr, line) }
	if err := image.Setup(ctx); err != nil {
		return cannot("image: %v", err)
	}
	err := image.Build(ctx, image.Options{Major: o.Major, Tag: tag, Packages: packages, Progress: say})
	if err != nil {
		return cannot("image: %v", err)
	}
	h.Document.Built = tag
	fmt.Fprintln(h.Stdout, tag, "is built")
	return nil
}

// binarySources is where Mage finds the targets of bin/drill, and no others.
const binarySources = "cmd/drill"

// Build compiles the targets into one binary, bin/drill.
func (h *Home) Build(ctx context.Context) error {
	path := filepath.Join("bin", "drill")
	if err := h.Compile(ctx, filepath.Join(h.Dir, path)); err != nil {
		return cannot("build: %v", err)
	}
	h.Document.Built = path
	fmt.Fprintln(h.Stdout, "built", path)
	return nil
}

// Compile compiles the targets into a file, for this machine.
func (h *Home) Compile(ctx context.Context, out string) error { return h.compile(ctx, out, "", nil) }

// released is how a binary is compiled for machines that nobody knows yet: for
// the oldest processors, without a library of the system's, and without a word
// of where it was compiled.
var released = []string{"CGO_ENABLED=0", "GOAMD64=v1", "GOARM64=v8.0", "GOFLAGS=-trimpath -buildvcs=false"}

// CompileFor is Compile for an operating system and a processor, as Go names
// them. The same sources become the same bytes with the same Go, wherever they
// lie.
func (h *Home) CompileFor(ctx context.Context, out, system, processor string) error {
	return h.compile(ctx, out, "-s -w", released, "-goos", system, "-goarch", processor)
}

// BuildName is what version says in a binary that is compiled from the sources
// as they are now.
func (h *Home) BuildName() (string, error) {
	digest, err := sourcesOf(h.Dir)
	return nameOf(digest), err
}

// compile has Mage compile the targets, with the name of their sources.
func (h *Home) compile(ctx context.Context, out, ldflags string, env []string, more ...string) error {
	out, err := filepath.Abs(out) // since Mage takes a relative one from where its targets lie
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return err
	}
	digest, err := sourcesOf(h.Dir)
	if err != nil {
		return fmt.Errorf("read the sources: %w; run this where the harness's go.mod lies", err)
	}
	ldflags += " -X daybefore/internal/harness.sourceSum=" + digest
	args := append([]string{"tool", "mage", "-d", binarySources, "-ldflags", ldflags}, more...)
	cmd := exec.CommandContext(ctx, "go", append(args, "-compile", out)...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = h.Dir, h.Stdout, h.Stderr
	cmd.Env = append(os.Environ(), env...)
	return cmd.Run()
}
