package develop

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"daybefore/internal/debian"
	"daybefore/internal/image"
	"daybefore/internal/testneed"
)

// What runs out of time, or is stopped, ends with all that it started, also
// with what does not heed: as long as anything runs, it holds the pipe open.
func TestNothingOutlivesItsLimit(t *testing.T) {
	t.Parallel()
	const hang = `sleep 600 & (trap '' TERM; echo up; while :; do sleep 600; done) & wait`
	stopped := errors.New("stopped")
	for name, end := range map[string]struct {
		limit time.Duration
		stop  bool
		says  string
	}{
		"limit":   {2 * time.Second, false, "not done within 2s"},
		"stopped": {time.Hour, true, "stopped"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			up := make([]byte, len("up\n"))
			if end.stop {
				go func() {
					_, _ = io.ReadFull(r, up)
					cancel(stopped)
				}()
			}
			c := Checkout{Dir: t.TempDir(), Stdout: w, Stderr: w}
			err = c.within(ctx, end.limit, nil, "sh", "-c", hang)
			w.Close()
			if err == nil || !strings.Contains(err.Error(), end.says) {
				t.Errorf("%v, want %q", err, end.says)
			}
			if _, err := io.Copy(io.Discard, r); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestPackagesOfARoom(t *testing.T) {
	t.Parallel()
	c := Checkout{Dir: "../.."}
	for room, want := range map[string]string{
		"": strings.Join(longest, " ") + " ./...", "scrub": "./internal/scrub/...", "scrub/schema": "./internal/scrub/schema/...",
		"scenarios": "./scenarios/...", "internal": "./internal/...",
		"nosuch": `no room is called "nosuch"`, "../..": `no room is called "../.."`, "go.mod": `no room is called "go.mod"`,
	} {
		packages, err := c.packages(room)
		got := strings.Join(packages, " ")
		if err != nil {
			got = err.Error()
		}
		if got != want && (err == nil || !strings.Contains(got, want)) {
			t.Errorf("-room=%s: %s, want %s", room, got, want)
		}
	}
}

// What is tested first is tested once, and a room with the rooms in it.
func TestPackagesAreTestedOnce(t *testing.T) {
	t.Parallel()
	c := Checkout{Dir: "../.."}
	for room, want := range map[string][]string{"": longest, "scrub": {"./internal/scrub", "./internal/scrub/distinct"}} {
		patterns, err := c.packages(room)
		if err != nil {
			t.Fatal(err)
		}
		list := exec.CommandContext(t.Context(), "go", append([]string{"list", "-f", "{{.ImportPath}}"}, patterns...)...)
		list.Dir = c.Dir
		out, err := list.Output()
		if err != nil {
			t.Fatal(err)
		}
		got := strings.Fields(string(out))
		for i, name := range want {
			if len(got) <= i || got[i] != strings.Replace(name, ".", "daybefore", 1) {
				t.Errorf("-room=%s: %d is not %s of %v", room, i, name, got)
			}
		}
		slices.Sort(got)
		if len(slices.Compact(slices.Clone(got))) != len(got) {
			t.Errorf("-room=%s: tested twice: %v", room, got)
		}
	}
}

// What is missing is unpacked if all of it can be; else one line names it.
func TestLacking(t *testing.T) {
	t.Parallel()
	here := func(context.Context) bool { return true }
	gone := func(context.Context) bool { return false }
	engine := need{gone, "an engine", nil}
	server := need{gone, "a server", []string{"server", "client"}}
	for _, c := range []struct {
		name      string
		needs     []need
		mayUnpack bool
		want      string
	}{
		{"nothing", []need{{here, "a server", []string{"server"}}}, false, ""},
		{"a package", []need{server, {here, "an engine", nil}}, true, "server client"},
		{"no root", []need{server}, false, "test: install first: a server"},
		{"an engine besides", []need{engine, server}, true, "test: install first: an engine; a server"},
	} {
		packages, err := lacking(t.Context(), c.needs, c.mayUnpack)
		got := strings.Join(packages, " ")
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// What is unpacked is there for what the tests run, and for nobody else.
func TestWhatIsUnpackedIsFound(t *testing.T) {
	t.Parallel()
	testneed.Root(t)
	root := t.TempDir()
	path := filepath.Join(root, "usr", "bin", "daybefore-unpacked")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("#!/bin/sh\necho found\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	c := Checkout{Dir: t.TempDir(), Stdout: &out, Stderr: &out, over: []debian.Package{{Root: root}}}
	if err := c.within(t.Context(), time.Hour, nil, "daybefore-unpacked"); err != nil || out.String() != "found\n" {
		t.Errorf("%v: %q", err, &out)
	}
	if program("daybefore-unpacked")(t.Context()) {
		t.Error("it is there for everybody")
	}
}

// Images that are there are not built again.
func TestImagesThatAreThere(t *testing.T) {
	t.Parallel()
	for _, major := range testMajors {
		testneed.Image(t, image.Tag(major))
	}
	var said strings.Builder
	c := Checkout{Dir: t.TempDir(), Stdout: &said, Stderr: &said} // no go.mod is there
	if err := c.buildImages(t.Context(), testMajors); err != nil || said.Len() > 0 {
		t.Errorf("%v: %q", err, &said)
	}
}

// The tests that dev:matrix names are there.
func TestMatricesAreThere(t *testing.T) {
	t.Parallel()
	pattern, _ := strings.CutPrefix(matrices[0], "-run=")
	c := Checkout{Dir: "../.."}
	for name, file := range map[string]string{
		"TestBreaksAreCaughtInContainers": "scenarios/run_test.go", "TestHostile": "internal/harness/hostile_test.go",
		"TestDrillsInARow": "internal/harness/inarow_test.go", "TestDumpsOfEveryMajorPass": "internal/drill/majors_test.go",
		"TestTimescaleDBPasses":               "internal/drill/timescale_test.go",
		"TestExtensionsOfDebianPass":          "internal/drill/timescale_test.go",
		"TestWhatNineteenRefusesOfOlderDumps": "internal/drill/nineteen_test.go",
		"TestFormatsPackedEncryptedAnywhere":  "internal/drill/matrix_test.go",
		"TestTruncatedAnywhere":               "internal/archive/archive_test.go",
		"TestScriptTruncatedAnywhere":         "internal/archive/plain_test.go",
		"TestTruncatedDirectory":              "internal/archive/directory_test.go",
		"TestTruncatedTar":                    "internal/archive/tar_test.go",
		"TestEncryptedAndDamaged":             "internal/archive/cipher_test.go",
		"TestBrokenChains":                    "internal/archive/chain_test.go",
		"TestFlippedBytes":                    "internal/archive/proven_test.go",
		"TestCutAndChanged":                   "internal/crypt/crypt_test.go",
		"TestAnyRulesThroughServer":           "internal/scrub/any_test.go",
		"TestRelease":                         "internal/develop/release_test.go",
		"TestOtherSystems":                    "internal/develop/systems_test.go",
	} {
		text, err := os.ReadFile(filepath.Join(c.Dir, file))
		if err != nil || !strings.Contains(string(text), "func "+name+"(t *testing.T)") || !regexp.MustCompile(pattern).MatchString(name) {
			t.Errorf("%s is not in %s, or not in %s: %v", name, file, pattern, err)
		}
	}
	if got := strings.Join(onlyPackages(matrices), " "); got != "./internal/harness ./scenarios ./internal/drill ./internal/archive ./internal/crypt ./internal/scrub ./internal/develop" {
		t.Errorf("packages: %s", got)
	}
}
