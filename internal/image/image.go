// Package image makes a postgres image out of Debian's own packages, for
// machines where none can be pulled. The image has the variables, the paths and
// the account of the official one, and no entrypoint: whoever runs it, a drill
// too, makes the cluster and starts the server. It must never hold a cluster, a
// password or a mirror's credentials.
package image

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// suite is a release of Debian.
type suite struct {
	name   string
	beside string // the suite that has the server, where name lacks it; else ""
}

// suites says which Debian carries which major. None ever carried 14 or 16.
var suites = map[int]suite{
	13: {name: "bullseye"},
	15: {name: "bookworm"},
	17: {name: "trixie"},
	18: {name: "forky"},
	19: {name: "sid", beside: "experimental"}, // until a suite that can be bootstrapped has it
}

// Majors lists the majors of PostgreSQL that can be built, ascending.
func Majors() []int { return slices.Sorted(maps.Keys(suites)) }

// Tag is the reference that an image of major gets unless another is asked
// for: the official image's own, "postgres:17".
func Tag(major int) string { return fmt.Sprintf("postgres:%d", major) }

// Options say what to build; only Major is required.
type Options struct {
	Major    int          // one of Majors
	Tag      string       // reference of the result; empty: Tag(Major)
	Mirror   string       // http(s) URL of a Debian archive; empty: the one apt uses
	Packages []string     // more Debian packages, such as postgresql-17-pgvector
	Progress func(string) // told each step as it begins, one line; may be nil
}

var packageName = regexp.MustCompile(`^[a-z0-9][a-z0-9+.-]+$`)

// plan is a checked Options with nothing left to be found out.
type plan struct {
	major    int
	suite    suite
	tag      string
	mirror   string
	packages []string
	progress func(string)
}

func (o Options) plan(ctx context.Context) (plan, error) {
	p := plan{major: o.Major, tag: o.Tag, packages: o.Packages, progress: o.Progress}
	var ok bool
	p.suite, ok = suites[o.Major]
	if !ok {
		return plan{}, fmt.Errorf("no Debian suite carries PostgreSQL %d: choose one of %s", o.Major, majorsText())
	}
	if p.tag == "" {
		p.tag = Tag(o.Major)
	}
	for _, name := range o.Packages {
		if !packageName.MatchString(name) {
			return plan{}, fmt.Errorf("%q is no name of a Debian package", name)
		}
	}
	if p.progress == nil {
		p.progress = func(string) {}
	}
	var err error
	if o.Mirror == "" {
		p.mirror, err = findMirror(ctx)
	} else {
		p.mirror, err = checkMirror(o.Mirror)
	}
	return p, err
}

// Build makes the image that o describes and gives it its tag, or leaves the
// engine as it was. It takes about a minute and 1 GB below os.TempDir, and
// wants root, debootstrap and the docker client: see Setup.
func Build(ctx context.Context, o Options) error {
	if err := checkTools(); err != nil {
		return err
	}
	p, err := o.plan(ctx)
	if err != nil {
		return fmt.Errorf("build a postgres image: %w", err)
	}
	if err := p.build(ctx); err != nil {
		return fmt.Errorf("build %s from Debian %s: %w", p.tag, p.suite.name, err)
	}
	return nil
}

func (p plan) build(ctx context.Context) (err error) {
	if err := engineAnswers(ctx); err != nil { // before a minute's work, not after
		return err
	}
	dir, err := os.MkdirTemp("", "daybefore-image-")
	if err != nil {
		return err
	}
	// Nothing is mounted below it: the script has a mount namespace of its own.
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()

	root := filepath.Join(dir, "root")
	if err := os.Mkdir(root, 0o755); err != nil {
		return err
	}
	if err := p.fill(ctx, root); err != nil {
		return err
	}
	p.progress("packing the files into " + p.tag)
	return p.pack(ctx, root, filepath.Join(dir, "context"))
}

// Exists reports whether the engine has a local image of that reference.
func Exists(ctx context.Context, ref string) (bool, error) {
	out, err := docker(ctx, "image", "ls", "--quiet", ref)
	return len(out) > 0, err
}

func engineAnswers(ctx context.Context) error {
	_, err := docker(ctx, "version", "--format", "{{.Server.Version}}")
	return err
}

// answerTime is how long the engine may take for what it knows at once.
const answerTime = 30 * time.Second

// docker runs the client and gives its trimmed stdout. An engine may take a
// request and never answer it, and the client would wait for good.
func docker(ctx context.Context, args ...string) (string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, answerTime,
		fmt.Errorf("the container engine did not answer within %v", answerTime))
	defer cancel()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, "docker", args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", commandError(ctx, "docker "+args[0], err, stderr.String())
	}
	return strings.TrimSpace(stdout.String()), nil
}

// commandError says what a program that failed said last; a canceled one
// failed because of that, whatever it said.
func commandError(ctx context.Context, name string, err error, said string) error {
	if cause := context.Cause(ctx); cause != nil {
		return fmt.Errorf("%s: %w", name, cause)
	}
	said = strings.TrimSpace(said)
	if said != "" {
		return fmt.Errorf("%s: %w: %s", name, err, said)
	}
	return fmt.Errorf("%s: %w", name, err)
}

func majorsText() string {
	var s []string
	for _, major := range Majors() {
		s = append(s, fmt.Sprint(major))
	}
	return strings.Join(s, ", ")
}
