package develop

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
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
	for room, want := range map[string][]string{"": longest, "scrub": {"./internal/scrub", "./internal/scrub/document"}} {
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
