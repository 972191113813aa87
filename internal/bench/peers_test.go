package bench

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// peerSays measures a peer that is these lines of shell, in a process of its
// own, so that no other test's children count as its. It is given the path of
// an archive, where the script writes what the test is to know.
func peerSays(ctx context.Context, t *testing.T, archive, script string) (*Sample, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), peerPrefix+"test")
	if err := os.WriteFile(path, []byte("#!/bin/sh\nset -eu\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
	return runWorker(ctx, job{Way: peerPrefix + "test", Peer: path, Archive: archive, Jobs: 2}, io.Discard)
}

// burn takes CPU time, and writes into the archive's place how much the shell
// has taken by then, as `times` tells it.
const burn = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; times >\"$1\"\n"

// heard waits until what was said before was read: no pipe holds this much.
const heard = "head -c 2000000 /dev/zero | tr '\\0' '\\n'\n"

// burnt reads what burn wrote.
func burnt(t *testing.T, path string) (seconds float64) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var minutes int
	if _, err := fmt.Sscanf(string(text), "%dm%fs", &minutes, &seconds); err != nil || minutes > 0 || seconds < 0.05 {
		t.Fatalf("%v: %d min %v s in %q", err, minutes, seconds, text)
	}
	return seconds
}

// A peer counts from its begin to its end, in time and in CPU time, with what
// it says was used elsewhere.
func TestPeerBeginsAndEnds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		script      string
		steps       string
		least, most float64 // CPU seconds
		ofBurnt     bool    // both are shares of what was burnt
	}{
		"all of it":       {script: burn, steps: "all", least: 0.9, most: 10, ofBurnt: true},
		"begin":           {script: "echo step fill\n" + burn + "echo begin; echo step dump\n", steps: "dump", most: 0.9, ofBurnt: true},
		"end":             {script: "echo step dump; echo end\necho step remove\n" + heard + burn, steps: "dump", most: 0.9, ofBurnt: true},
		"between":         {script: "echo begin\n" + heard + burn + "echo end\n", steps: "all", least: 0.9, most: 10, ofBurnt: true},
		"elsewhere":       {script: "echo begin; echo end 1000.5\n", steps: "all", least: 1000.5, most: 1010},
		"other words":     {script: "echo beginning; echo the end; echo step; printf end\n", steps: "all", most: 10},
		"begin in pieces": {script: "echo step fill; printf be; printf 'gin\\nstep dump\\n'\n", steps: "dump", most: 10},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			archive := filepath.Join(t.TempDir(), "archive")
			s, err := peerSays(t.Context(), t, archive, c.script)
			if err != nil {
				t.Fatal(err)
			}
			if steps := slices.Collect(maps.Keys(s.Steps)); !slices.Equal(steps, []string{c.steps}) {
				t.Errorf("steps %v, want %s", steps, c.steps)
			}
			if c.ofBurnt {
				all := burnt(t, archive)
				c.least, c.most = c.least*all, c.most*all
			}
			if s.ServerCPU < c.least || s.ServerCPU > c.most {
				t.Errorf("%v CPU seconds, want %v to %v", s.ServerCPU, c.least, c.most)
			}
			if s.Wall <= 0 {
				t.Errorf("%v s", s.Wall)
			}
		})
	}
}

// What a peer says wrongly, or fails in, before or after its end, is no figure.
func TestPeerRefused(t *testing.T) {
	t.Parallel()
	for script, want := range map[string]string{
		"echo begin; echo end soon\n":    `it said "end soon", which is no CPU time`,
		"echo begin; echo end -1\n":      `it said "end -1"`,
		"echo begin; echo end NaN\n":     `it said "end NaN"`,
		"echo begin; echo end; exit 3\n": "exit status 3",
		"echo begin; exit 4\n":           "exit status 4",
	} {
		s, err := peerSays(t.Context(), t, filepath.Join(t.TempDir(), "archive"), script)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %+v, %v", script, s, err)
		}
	}
}

// A peer that is interrupted is told, with what it waits for, and has the time
// to clean up.
func TestPeerInterrupted(t *testing.T) {
	t.Parallel()
	archive := filepath.Join(t.TempDir(), "archive")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		defer cancel()
		for ctx.Err() == nil { // which it is at the test's end
			if _, err := os.Stat(archive + ".begun"); err == nil {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	}()
	_, err := peerSays(ctx, t, archive, `trap 'echo cleaned >"$1"' EXIT
trap 'exit 143' TERM
echo begin; echo >"$1.begun"
sleep 600
`)
	if err == nil {
		t.Error("it worked on")
	}
	if text, err := os.ReadFile(archive); string(text) != "cleaned\n" {
		t.Errorf("it did not clean up: %q, %v", text, err)
	}
}
