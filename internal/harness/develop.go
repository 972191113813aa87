package harness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"daybefore/internal/image"
	"daybefore/internal/spec"
)

// testMajors are the servers that the tests run against in containers.
var testMajors = []int{15, 17, 18}

// toolsMod holds the tools whose modules have no place in go.mod.
const toolsMod = "-modfile=tools/go.mod"

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
	// An absolute path, since Mage takes a relative one from magefiles/.
	if err := h.run(ctx, nil, "go", "tool", "mage", "-ldflags", stamp, "-compile", out); err != nil {
		return cannot("build: %v", err)
	}
	fmt.Fprintln(h.Stdout, "built", filepath.Join("bin", "drill"))
	return nil
}

// Check looks at the code without running it: format, vet with and without
// the mage tag, staticcheck, and who may import whom.
func (h *Home) Check(ctx context.Context) error {
	var unformatted bytes.Buffer
	format := exec.CommandContext(ctx, "gofmt", "-l", "internal", "magefiles", "scenarios")
	format.Dir, format.Stdout, format.Stderr = h.Dir, &unformatted, h.Stderr
	if err := format.Run(); err != nil {
		return &Exit{Code: 1, Reason: fmt.Sprintf("check: gofmt: %v", err)}
	}
	var failed []string
	if unformatted.Len() > 0 {
		fmt.Fprint(h.Stderr, unformatted.String())
		failed = append(failed, "gofmt")
	}
	for _, step := range []struct {
		name string
		argv []string
	}{
		{"go vet", []string{"go", "vet", "./..."}},
		{"go vet -tags mage", []string{"go", "vet", "-tags", "mage", "./..."}},
		{"staticcheck", []string{"go", "tool", toolsMod, "staticcheck", "-tags", "mage", "./..."}},
		{"the import rule", []string{"go", "test", "-count=1", "./internal"}},
		{"go mod tidy", []string{"go", "mod", "tidy", "-diff"}},
	} {
		fmt.Fprintln(h.Stderr, "check:", step.name)
		if err := h.run(ctx, nil, step.argv[0], step.argv[1:]...); err != nil {
			failed = append(failed, step.name)
		}
	}
	if len(failed) > 0 {
		return &Exit{Code: 1, Reason: "check: " + strings.Join(failed, ", ")}
	}
	return nil
}

const (
	// allTests is how long the tests of all packages may take together.
	allTests = 80 * time.Minute
	// onePackage is how long those of one may; go test knows no other limit.
	onePackage = "45m"
	// goodbye is how long a program that was told to end may take to do so.
	goodbye = 10 * time.Second
)

// Test runs all tests against real servers, after setting up what they need;
// within an hour, whatever hangs. With DRILL_TEST_ALL set, a test that lacks a
// part fails instead of skipping.
func (h *Home) Test(ctx context.Context) error {
	ctx, stop := h.interruptible(ctx)
	defer stop()
	if err := h.prepareTests(ctx); err != nil {
		return &Exit{Code: 1, Reason: err.Error()}
	}
	env := []string{"DRILL_TEST_ALL=1", "AWS_EC2_METADATA_DISABLED=true"}
	if err := h.within(ctx, allTests, env, "go", "test", "-count=1", "-timeout="+onePackage, "./..."); err != nil {
		return &Exit{Code: 1, Reason: fmt.Sprintf("test: %v", err)}
	}
	return nil
}

// need is a part that tests run against, and the Debian package that has it.
type need struct {
	there    func(context.Context) bool
	what     string
	packages []string
}

func (h *Home) needs() []need {
	return []need{
		{docker, "a Docker engine that answers", nil},
		{program("initdb", "/usr/lib/postgresql/*/bin/initdb"), "PostgreSQL server binaries", []string{"postgresql"}},
		{program("docker-registry"), "docker-registry", []string{"docker-registry"}},
		{h.images, "the images postgres:15, postgres:17 and postgres:18, or debootstrap to build them", []string{"debootstrap"}},
	}
}

// prepareTests installs what is missing where that is possible: as root on
// Debian. Anywhere else it names all of it in one line.
func (h *Home) prepareTests(ctx context.Context) error {
	var missing, packages []string
	for _, n := range h.needs() {
		if n.there(ctx) {
			continue
		}
		missing = append(missing, n.what)
		if n.packages == nil {
			packages = append(packages, "")
		}
		packages = append(packages, n.packages...)
	}
	if len(missing) > 0 {
		if !aptRoot() || slices.Contains(packages, "") {
			return fmt.Errorf("test: install first: %s", strings.Join(missing, "; "))
		}
		if err := h.apt(ctx, packages); err != nil {
			return fmt.Errorf("test: install %s: %w", strings.Join(packages, " "), err)
		}
	}
	return image.Ensure(ctx, func(line string) { fmt.Fprintln(h.Stderr, line) }, testMajors...)
}

func (h *Home) apt(ctx context.Context, packages []string) error {
	env := []string{"DEBIAN_FRONTEND=noninteractive"}
	return errors.Join(
		h.run(ctx, env, "apt-get", "update", "-q"),
		h.run(ctx, env, "apt-get", append([]string{"install", "-q", "-y", "--no-install-recommends"}, packages...)...),
	)
}

func (h *Home) images(ctx context.Context) bool {
	for _, major := range testMajors {
		if exec.CommandContext(ctx, "docker", "image", "inspect", fmt.Sprintf("postgres:%d", major)).Run() != nil {
			return program("debootstrap")(ctx)
		}
	}
	return true
}

func docker(ctx context.Context) bool {
	return exec.CommandContext(ctx, "docker", "version").Run() == nil
}

// program looks for a name in PATH, or for a file by any of the patterns.
func program(name string, patterns ...string) func(context.Context) bool {
	return func(context.Context) bool {
		if _, err := exec.LookPath(name); err == nil {
			return true
		}
		for _, p := range patterns {
			if found, _ := filepath.Glob(p); len(found) > 0 {
				return true
			}
		}
		return false
	}
}

func aptRoot() bool {
	_, err := exec.LookPath("apt-get")
	return err == nil && os.Geteuid() == 0
}

// run runs a tool in the harness's folder with its output on ours.
func (h *Home) run(ctx context.Context, env []string, name string, args ...string) error {
	return h.command(ctx, env, name, args...).Run()
}

func (h *Home) command(ctx context.Context, env []string, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = h.Dir, h.Stdout, h.Stderr
	cmd.Env = append(os.Environ(), env...)
	return cmd
}

// within is run with a limit. At its end, or the context's, the tool ends
// together with all that it started: go test leaves its tests running.
func (h *Home) within(ctx context.Context, limit time.Duration, env []string, name string, args ...string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("not done within %s, and ended", spec.Span(limit)))
	defer cancel()
	cmd := h.command(ctx, env, name, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = goodbye
	err := cmd.Run()
	if err == nil || ctx.Err() == nil {
		return err
	}
	if cmd.Process != nil {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // who did not heed; mostly there is nobody left
	}
	return context.Cause(ctx)
}
