// Package develop is what contributors need: the code's form, and the tests
// with what they run against. No drill uses it, and bin/drill must never
// contain it.
package develop

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"daybefore/internal/image"
	"daybefore/internal/machine"
	"daybefore/internal/spec"
)

// testMajors are the servers that the tests run against in containers.
var testMajors = []int{15, 17, 18}

// toolsMod holds the tools whose modules have no place in go.mod.
const toolsMod = "-modfile=tools/go.mod"

// Checkout is a copy of the sources, and the streams to talk to.
type Checkout struct {
	Dir    string // that holds go.mod
	Stdout io.Writer
	Stderr io.Writer
}

// Check looks at the code without running it: format, vet, staticcheck and
// go.mod, with the mage tag, which no file is left out by. Who may import whom
// is a test, and Test runs it.
func (c Checkout) Check(ctx context.Context) error {
	var unformatted bytes.Buffer
	format := exec.CommandContext(ctx, "gofmt", "-l", "cmd", "internal", "magefiles", "scenarios", "targets")
	format.Dir, format.Stdout, format.Stderr = c.Dir, &unformatted, c.Stderr
	if err := format.Run(); err != nil {
		return fmt.Errorf("check: gofmt: %w", err)
	}
	var failed []string
	if unformatted.Len() > 0 {
		fmt.Fprint(c.Stderr, unformatted.String())
		failed = append(failed, "gofmt")
	}
	for _, step := range []struct {
		name string
		argv []string
	}{
		{"go vet", []string{"go", "vet", "-tags", "mage", "./..."}},
		{"staticcheck", []string{"go", "tool", toolsMod, "staticcheck", "-tags", "mage", "./..."}},
		{"go mod tidy", []string{"go", "mod", "tidy", "-diff"}},
	} {
		fmt.Fprintln(c.Stderr, "check:", step.name)
		if err := c.run(ctx, nil, step.argv[0], step.argv[1:]...); err != nil {
			failed = append(failed, step.name)
		}
	}
	if len(failed) > 0 {
		return fmt.Errorf("check: %s", strings.Join(failed, ", "))
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

// Test runs the tests of all packages against real servers, or those of one
// room, after setting up what they need; within a limit, whatever hangs. With
// DRILL_TEST_ALL set, a test that lacks a part fails instead of skipping.
func (c Checkout) Test(ctx context.Context, room string) error {
	packages, err := c.packages(room)
	if err != nil {
		return err
	}
	ctx, stop := machine.Interruptible(ctx)
	defer stop()
	if err := c.prepareTests(ctx); err != nil {
		return err
	}
	env := []string{"DRILL_TEST_ALL=1", "AWS_EC2_METADATA_DISABLED=true"}
	test := append([]string{"test", "-count=1", "-timeout=" + onePackage}, packages...)
	if err := c.within(ctx, allTests, env, "go", test...); err != nil {
		return fmt.Errorf("test: %w", err)
	}
	return nil
}

// longest are the packages whose tests take longest, the longest first. What
// takes long and begins last is waited for by all other processors.
var longest = []string{"./internal/harness", "./scenarios", "./internal/sandbox", "./internal/bench",
	"./internal/image"}

// packages is go's patterns for a room, a folder below internal or one beside
// it, with what is below it; for none they mean all packages.
func (c Checkout) packages(room string) ([]string, error) {
	if room == "" {
		return append(slices.Clone(longest), "./..."), nil
	}
	for _, dir := range []string{"internal/" + room, room} {
		info, err := os.Stat(filepath.Join(c.Dir, dir))
		if filepath.IsLocal(room) && err == nil && info.IsDir() {
			return []string{"./" + dir + "/..."}, nil
		}
	}
	return nil, fmt.Errorf("test: no room is called %q: name a folder below internal, or scenarios", room)
}

// need is a part that tests run against, and the Debian package that has it.
type need struct {
	there    func(context.Context) bool
	what     string
	packages []string
}

func (c Checkout) needs() []need {
	return []need{
		{docker, "a Docker engine that answers", nil},
		{program("initdb", "/usr/lib/postgresql/*/bin/initdb"), "PostgreSQL server binaries", []string{"postgresql"}},
		{
			c.images, "the images postgres:15, postgres:17 and postgres:18, or debootstrap to build them",
			[]string{"debootstrap"},
		},
	}
}

// prepareTests installs what is missing where that is possible: as root on
// Debian. Anywhere else it names all of it in one line.
func (c Checkout) prepareTests(ctx context.Context) error {
	var missing, packages []string
	for _, n := range c.needs() {
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
		if err := c.apt(ctx, packages); err != nil {
			return fmt.Errorf("test: install %s: %w", strings.Join(packages, " "), err)
		}
	}
	return image.Ensure(ctx, func(line string) { fmt.Fprintln(c.Stderr, line) }, testMajors...)
}

func (c Checkout) apt(ctx context.Context, packages []string) error {
	env := []string{"DEBIAN_FRONTEND=noninteractive"}
	return errors.Join(
		c.run(ctx, env, "apt-get", "update", "-q"),
		c.run(ctx, env, "apt-get", append([]string{"install", "-q", "-y", "--no-install-recommends"}, packages...)...),
	)
}

func (c Checkout) images(ctx context.Context) bool {
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
func (c Checkout) run(ctx context.Context, env []string, name string, args ...string) error {
	return c.command(ctx, env, name, args...).Run()
}

func (c Checkout) command(ctx context.Context, env []string, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = c.Dir, c.Stdout, c.Stderr
	cmd.Env = append(os.Environ(), env...)
	return cmd
}

// within is run with a limit. At its end, or the context's, the tool ends
// together with all that it started: go test leaves its tests running.
func (c Checkout) within(ctx context.Context, limit time.Duration, env []string, name string, args ...string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("not done within %s, and ended", spec.Span(limit)))
	defer cancel()
	cmd := c.command(ctx, env, name, args...)
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
