package scenarios

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"daybefore/internal/sandbox"
	"daybefore/internal/testneed"
	"daybefore/internal/verdict"
)

const repository = ".."

// needServer wants what a sandbox is made of, and returns the kind that costs
// least: PostgreSQL's server programs on this machine, or an engine with the
// image.
func needServer(t *testing.T) (kind string) {
	t.Helper()
	if found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres"); len(found) > 0 {
		return sandbox.Local
	}
	testneed.Image(t, demoImage)
	return sandbox.Container
}

var demoImage = fmt.Sprintf("postgres:%d", demoMajor)

// TestEveryBreakIsCaught is what `mage scenarios` shows, in the kind of sandbox
// that costs least.
func TestEveryBreakIsCaught(t *testing.T) {
	catches(t, needServer(t), All())
}

// TestBreaksAreCaughtInContainers tries a scenario of each kind of finding where
// most drills run; under dev:matrix all of them.
func TestBreaksAreCaughtInContainers(t *testing.T) {
	testneed.Image(t, demoImage)
	if testneed.Matrix() {
		catches(t, sandbox.Container, All())
		return
	}
	catches(t, sandbox.Container, covering(All()))
}

// catches wants each scenario caught by its own finding, in sandboxes of a kind.
func catches(t *testing.T, kind string, scenarios []Scenario) {
	t.Helper()
	var out bytes.Buffer
	result, err := Run(t.Context(), &out, Options{Home: repository, Kind: kind, Scenarios: scenarios})
	t.Log("\n" + out.String())
	if err != nil {
		t.Errorf("ended with %v", err)
	}
	if len(result) != len(scenarios) {
		t.Errorf("%d of %d scenarios have a finding", len(result), len(scenarios))
	}
	for _, f := range result {
		if r := f.Report; r != nil && r.Sandbox.Kind != "" && r.Sandbox.Kind != kind {
			t.Errorf("%s: drilled in a sandbox of the kind %s, not %s", f.Scenario.Name, r.Sandbox.Kind, kind)
		}
	}
}

// covering returns the first scenario of each outcome that a stage can come to,
// by the stage itself and by a check of it.
func covering(scenarios []Scenario) (some []Scenario) {
	type kindOfFinding struct {
		outcome verdict.Outcome
		stage   string
		check   bool
	}
	seen := map[kindOfFinding]bool{}
	for _, sc := range scenarios {
		k := kindOfFinding{sc.Want.Outcome, sc.Want.Stage, sc.Want.Check != ""}
		if !seen[k] {
			seen[k] = true
			some = append(some, sc)
		}
	}
	return some
}

// TestCoveringCovers holds the selection to each stage that a break can end at,
// and to each outcome.
func TestCoveringCovers(t *testing.T) {
	t.Parallel()
	type cell struct {
		outcome verdict.Outcome
		stage   string
	}
	chosen := map[cell]bool{}
	some := covering(All())
	for _, sc := range some {
		chosen[cell{sc.Want.Outcome, sc.Want.Stage}] = true
	}
	for _, sc := range All() {
		if !chosen[cell{sc.Want.Outcome, sc.Want.Stage}] {
			t.Errorf("nothing stands for %q", sc.Name)
		}
	}
	if len(some) > len(All())/4 {
		t.Errorf("%d of %d scenarios are no selection", len(some), len(All()))
	}
}

// TestDetectorDetects shows that a run does not call everything caught: a
// break that another finding meets, one that nothing meets since nothing is
// broken, and one that cannot be set up are each told as what they are.
func TestDetectorDetects(t *testing.T) {
	kind := needServer(t)
	var out bytes.Buffer
	result, err := Run(t.Context(), &out, Options{Home: repository, Kind: kind, Scenarios: []Scenario{
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
