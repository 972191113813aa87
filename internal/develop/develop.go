// Package develop is what contributors need: the code's form, and the tests
// with what they run against. No drill uses it, and bin/drill must never
// contain it.
package develop

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"daybefore/internal/debian"
	"daybefore/internal/image"
	"daybefore/internal/machine"
	"daybefore/internal/spec/amount"
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

	over []debian.Package // that lie over the machine's own files for what is run
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
	return c.test(ctx, nil, packages, testMajors)
}

// CI is Check and then Test. While the code is looked at, what tests need is set
// up: an image that is built waits for its mirror and its disk half of the time.
func (c Checkout) CI(ctx context.Context) error {
	packages, err := c.packages("")
	if err != nil {
		return err
	}
	ctx, stop := machine.Interruptible(ctx)
	defer stop()
	checked := c // c gets what is unpacked meanwhile
	group, both := errgroup.WithContext(ctx)
	group.Go(func() error {
		if err := checked.Check(both); err != nil {
			return err
		}
		checked.compile(both, packages)
		return nil
	})
	group.Go(func() error { return c.setUp(both, testMajors) })
	if err := group.Wait(); err != nil {
		return err
	}
	return c.runTests(ctx, nil, packages)
}

// Matrix runs the tests of wide matrices with all their cells, of which Test
// tries a selection.
func (c Checkout) Matrix(ctx context.Context) error {
	ctx, stop := machine.Interruptible(ctx)
	defer stop()
	return c.test(ctx, []string{"DRILL_TEST_MATRIX=1", "HOSTILE=all"}, matrices, image.Majors())
}

// matrices are the arguments by which go test runs nothing but wide matrices.
var matrices = []string{
	"-run=^(TestBreaksAreCaughtInContainers|TestDrillsInARow|TestHostile|TestDumpsOfEveryMajorPass|" +
		"TestTimescaleDB.*|TestExtensionsOfDebianPass|TestWhatNineteenRefusesOfOlderDumps|" +
		"TestFormatsPackedEncryptedAnywhere|TestTruncatedAnywhere|TestScriptTruncatedAnywhere|" +
		"TestTruncatedDirectory|TestTruncatedTar|TestEncryptedAndDamaged|TestBrokenChains|TestFlippedBytes|" +
		"TestCutAndChanged|TestAnyRulesThroughServer|TestRelease|TestOtherSystems)$",
	"./internal/harness", "./scenarios", "./internal/drill", "./internal/archive", "./internal/crypt",
	"./internal/scrub", "./internal/develop",
}

// test runs go test with these arguments, and compiles for it while what tests
// need is set up, with images of these majors.
func (c Checkout) test(ctx context.Context, env, args []string, majors []int) error {
	group, both := errgroup.WithContext(ctx)
	compiling := c // c gets what is unpacked meanwhile
	group.Go(func() error {
		compiling.compile(both, onlyPackages(args))
		return nil
	})
	group.Go(func() error { return c.setUp(both, majors) })
	if err := group.Wait(); err != nil {
		return err
	}
	return c.runTests(ctx, env, args)
}

// setUp unpacks what is missing, and builds the images of the majors that are.
func (c *Checkout) setUp(ctx context.Context, majors []int) error {
	if err := c.unpackNeeds(ctx); err != nil {
		return err
	}
	return c.buildImages(ctx, majors)
}

// compile compiles what go test will want of the packages. What does not compile
// is told by the tests.
func (c Checkout) compile(ctx context.Context, packages []string) {
	cmd := c.command(ctx, nil, "go", append([]string{"list", "-export", "-test"}, packages...)...)
	cmd.Stdout, cmd.Stderr = io.Discard, io.Discard
	_ = cmd.Run()
}

// fewerCollections has tests collect garbage a fourth as often: what they hold is
// little, and what they throw away is much.
const fewerCollections = "GOGC=400"

// runTests runs go test with these arguments, what they write for a moment in
// memory. What go vet finds, Check tells, and nobody debugs binaries that are
// gone a minute later.
func (c Checkout) runTests(ctx context.Context, env, args []string) error {
	env = append(env, fewerCollections, "DRILL_TEST_ALL=1", "AWS_EC2_METADATA_DISABLED=true")
	if dir := tempInMemory(); dir != "" {
		defer os.RemoveAll(dir)
		// What a test names after itself has long paths, and a socket's path is short.
		env = append(env, "TMPDIR="+dir, "GOTMPDIR="+os.TempDir())
	}
	args = append([]string{"test", "-count=1", "-vet=off", "-ldflags=-w", "-timeout=" + onePackage}, args...)
	if err := c.within(ctx, allTests, env, "go", args...); err != nil {
		return fmt.Errorf("test: %w", err)
	}
	return nil
}

// onlyPackages leaves the flags of go test out.
func onlyPackages(args []string) []string {
	return slices.DeleteFunc(slices.Clone(args), func(a string) bool { return strings.HasPrefix(a, "-") })
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

// need is a part that tests run against, and the Debian packages that have it.
type need struct {
	there    func(context.Context) bool
	what     string
	packages []string // nil: a person must install it
}

func needs() []need {
	return []need{
		{docker, "a Docker engine that answers", nil},
		{program("initdb", "/usr/lib/postgresql/*/bin/initdb"), "PostgreSQL server binaries", []string{"postgresql"}},
		{
			imagesOrTheirBuilder, "the images postgres:15, postgres:17 and postgres:18, or debootstrap to build them",
			[]string{"debootstrap", "debian-archive-keyring"},
		},
	}
}

// lacking are the packages that have what is missing. What a person must
// install is an error, which names all that is missing in one line.
func lacking(ctx context.Context, all []need, mayUnpack bool) (packages []string, err error) {
	var missing []string
	for _, n := range all {
		if n.there(ctx) {
			continue
		}
		missing = append(missing, n.what)
		mayUnpack = mayUnpack && n.packages != nil
		packages = append(packages, n.packages...)
	}
	if len(missing) > 0 && !mayUnpack {
		return nil, fmt.Errorf("test: install first: %s", strings.Join(missing, "; "))
	}
	return packages, nil
}

// unpackNeeds unpacks what is missing where that is possible: as root on Debian.
// Nothing is installed: what c runs from now on finds it, and nobody else.
func (c *Checkout) unpackNeeds(ctx context.Context) error {
	packages, err := lacking(ctx, needs(), aptRoot())
	if err != nil {
		return err
	}
	for _, name := range packages {
		fmt.Fprintln(c.Stderr, "test: unpacking", name)
		p, err := debian.Unpack(ctx, name)
		if err != nil {
			return fmt.Errorf("test: unpack %s: %w", name, err)
		}
		c.over = append(c.over, p)
	}
	return nil
}

// buildImages builds the images that are missing.
func (c Checkout) buildImages(ctx context.Context, majors []int) error {
	absent, err := absentImages(ctx, majors)
	if err != nil || len(absent) == 0 {
		return err
	}
	targets, err := os.Executable() // Mage compiles no other beside it
	if err != nil {
		return err
	}
	for _, major := range absent {
		if err := c.within(ctx, allTests, nil, targets, "image", strconv.Itoa(major)); err != nil {
			return fmt.Errorf("test: build the image postgres:%d: %w", major, err)
		}
	}
	return nil
}

// absentImages are those of the majors that the engine has no image of.
func absentImages(ctx context.Context, majors []int) (absent []int, err error) {
	for _, major := range majors {
		there, err := image.Exists(ctx, image.Tag(major))
		if err != nil {
			return nil, err
		}
		if !there {
			absent = append(absent, major)
		}
	}
	return absent, nil
}

// imagesOrTheirBuilder reports whether what wants the images finds them, or can
// build them. Where they can be built, a test does so.
func imagesOrTheirBuilder(ctx context.Context) bool {
	if program("debootstrap")(ctx) {
		return true
	}
	absent, err := absentImages(ctx, testMajors)
	return err == nil && len(absent) == 0 && !aptRoot()
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
	argv := debian.Over(c.over, append([]string{name}, args...)...)
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = c.Dir, c.Stdout, c.Stderr
	cmd.Env = append(os.Environ(), env...)
	return cmd
}

// within is run with a limit. At its end, or the context's, the tool ends
// together with all that it started: go test leaves its tests running.
func (c Checkout) within(ctx context.Context, limit time.Duration, env []string, name string, args ...string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("not done within %s, and ended", amount.Span(limit)))
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
