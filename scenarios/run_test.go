package scenarios

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"daybefore/internal/testneed"
	"daybefore/internal/verdict"
)

const repository = ".."

// needServer wants what a sandbox is made of: PostgreSQL's server programs on
// this machine, or an engine with the image.
func needServer(t *testing.T) {
	t.Helper()
	if found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres"); len(found) == 0 {
		testneed.Image(t, "postgres:15")
	}
}

// TestEveryBreakIsCaught is what `mage scenarios` shows.
func TestEveryBreakIsCaught(t *testing.T) {
	needServer(t)
	var out bytes.Buffer
	result, err := Run(t.Context(), &out, Options{Home: repository})
	t.Log("\n" + out.String())
	if err != nil {
		t.Errorf("ended with %v", err)
	}
	if len(result) != len(All()) {
		t.Errorf("%d of %d scenarios have a finding", len(result), len(All()))
	}
}

// TestDetectorDetects shows that a run does not call everything caught: a
// break that another finding meets, one that nothing meets since nothing is
// broken, and one that cannot be set up are each told as what they are.
func TestDetectorDetects(t *testing.T) {
	needServer(t)
	var out bytes.Buffer
	result, err := Run(t.Context(), &out, Options{Home: repository, Scenarios: []Scenario{
		{"truncated, and expected to be of another database", newest(func(dump []byte) []byte { return dump[:len(dump)/2] }),
			fail(verdict.StageFetch, verdict.CodeDatabase)},
		{"unbroken, and declared broken", nil, failedCheck(verdict.CodeRowCount, "row_count:bot.messages")},
		{"broken, and declared unbroken", withoutNewest(4), pass},
		{"cannot be set up", edited("no such line", ""), pass},
	}})
	t.Log("\n" + out.String())
	var exit *verdict.Exit
	if !errors.As(err, &exit) || exit.Code != verdict.ExitFail {
		t.Errorf("ended with %v, want exit code %d", err, verdict.ExitFail)
	}
	for i, want := range []Catch{ByAnother, Missed, FalseAlarm, NotRun} {
		if got := result[i].Catch; got != want {
			t.Errorf("%s: %s, want %s", result[i].Scenario.Name, got, want)
		}
	}
}

// TestRebuildDemo makes the demo anew: the same names, the same rows.
func TestRebuildDemo(t *testing.T) {
	needServer(t)
	dir := filepath.Join(t.TempDir(), demoName)
	for _, name := range []string{"schema.sql", "fill.sql"} {
		text, err := os.ReadFile(filepath.Join(demoDrills, demoName, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, name), text, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	if err := RebuildDemo(t.Context(), dir, nil); err != nil {
		t.Fatal(err)
	}
	rebuilt := &Store{dir: filepath.Dir(dir)}
	kept := &Store{dir: demoDrills}
	names, err := rebuilt.backups()
	if err != nil {
		t.Fatal(err)
	}
	want, err := kept.backups()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Join(names, " ") != strings.Join(want, " ") {
		t.Fatalf("rebuilt %v, the repository holds %v", names, want)
	}
	for _, name := range names {
		if got, want := rowsOf(t, rebuilt.path(name)), rowsOf(t, kept.path(name)); !slices.Equal(got, want) {
			t.Errorf("%s: the rebuilt rows are not those of the repository's dump: rebuild it", name)
		}
	}
}

// TestInterruptedRun ends with its own code, and begins nothing more.
func TestInterruptedRun(t *testing.T) {
	t.Parallel()
	ctx, interrupt := context.WithCancel(t.Context())
	begun := 0
	stop := func(context.Context, *Maker, *Store) error { begun++; interrupt(); return nil }
	_, err := Run(ctx, io.Discard, Options{Home: repository, Parallel: 1, Scenarios: []Scenario{
		{"interrupted", stop, pass}, {"never begun", stop, pass}}})
	if exitCode(err) != verdict.ExitInterrupted || begun != 1 {
		t.Errorf("ended with %v after %d scenarios had begun, want exit code %d after 1", err, begun, verdict.ExitInterrupted)
	}
}
