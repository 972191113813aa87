// Package scenarios breaks the demo's good backup in the ways real backups
// broke, and shows that the drill says so, with the very finding that each
// break calls for. It looks at a drill as its user does: a drill file and a
// store go in, a report comes out. It must never know how a drill is done.
package scenarios

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"daybefore/internal/harness"
	"daybefore/internal/machine"
	"daybefore/internal/sandbox"
	"daybefore/internal/verdict"
)

// Scenario is one way in which a backup, a drill file or a surrounding is
// broken, and what the drill must say of it.
type Scenario struct {
	Name string
	// Break spoils the scenario's own copy of the demo. Nil spoils nothing.
	Break Break
	Want  Want
}

// Break spoils a store. The maker turns SQL into dumps.
type Break func(ctx context.Context, b *Maker, s *Store) error

// Want names the one finding that must be in the report.
type Want struct {
	Outcome verdict.Outcome // the whole drill's, and the finding's
	Stage   string          // empty, with Pass: every stage passes
	Code    verdict.Code
	Check   string // the check's id; empty: it is the stage itself that says so
	Alone   bool   // no other check may say anything
}

func (w Want) String() string {
	if w.Stage == "" {
		return string(w.Outcome)
	}
	finding := string(w.Code)
	if w.Check != "" {
		finding = w.Check
	}
	return fmt.Sprintf("%s %s %s", w.Outcome, w.Stage, finding)
}

// Catch is how a break was met.
type Catch string

// What can become of a scenario.
const (
	ByOwn      Catch = "caught"            // by the finding that it must be caught by
	ByAnother  Catch = "caught by another" // noticed, but by something else
	Missed     Catch = "MISSED"            // the drill would have let it through
	FalseAlarm Catch = "FALSE ALARM"       // nothing was broken, and the drill did not pass
	NotRun     Catch = "not run"           // it could not be set up or drilled
)

// Finding is one scenario's result.
type Finding struct {
	Scenario Scenario
	Catch    Catch
	Report   *verdict.Report // nil where NotRun
	Err      error           // with NotRun
	Took     time.Duration
}

// Options say what to run and where. The zero value runs all scenarios on the
// repository in the working directory.
type Options struct {
	Home      string     // the folder that holds drills/; default "."
	Scenarios []Scenario // default: All()
	Parallel  int        // drills at once; default: one for each two cores, at least 2
	Kind      string     // of all sandboxes, as a drill file names it; default: the demo's own
	Log       *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.Home == "" {
		o.Home = "."
	}
	if o.Scenarios == nil {
		o.Scenarios = All()
	}
	if o.Parallel == 0 {
		o.Parallel = max(2, runtime.NumCPU()/2)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// Result holds a finding for each scenario, in their order.
type Result []Finding

// Count tells how many scenarios were met in this way.
func (r Result) Count(c Catch) int {
	n := 0
	for _, f := range r {
		if f.Catch == c {
			n++
		}
	}
	return n
}

// Err is nil if every break was caught by its own finding. Otherwise it is a
// *verdict.Exit: 10 if one was missed, caught by another or nothing but a
// false alarm; 11 if some could not be run and there is nothing worse.
func (r Result) Err() error {
	wrong := r.Count(Missed) + r.Count(ByAnother) + r.Count(FalseAlarm)
	notRun := r.Count(NotRun)
	switch {
	case wrong > 0:
		return &verdict.Exit{Code: verdict.ExitFail, Reason: fmt.Sprintf(
			"%d of %d scenarios were not caught by their own finding", wrong, len(r))}
	case notRun > 0:
		return &verdict.Exit{Code: verdict.ExitError,
			Reason: fmt.Sprintf("%d of %d scenarios could not be run", notRun, len(r))}
	}
	return nil
}

// Run runs the scenarios, several at once, and writes the table of how each
// break was met to w. The error is nil only if each was caught by its own
// finding (see Result.Err), and the table could be written. SIGINT and SIGTERM
// end it with exit code 12, after everything it started has been removed.
func Run(ctx context.Context, w io.Writer, o Options) (Result, error) {
	o = o.withDefaults()
	ctx, stop := machine.Interruptible(ctx)
	defer stop()
	// A work directory, so that what a kill -9 leaves is swept like a drill's.
	work, err := sandbox.NewWorkdir()
	if err != nil {
		return nil, err
	}
	defer work.Close()
	restore, err := withDummyCredentials()
	if err != nil {
		return nil, err
	}
	defer restore()
	maker := newMaker(o, work.Spool())
	defer maker.close()

	result := make(Result, len(o.Scenarios))
	var group errgroup.Group
	group.SetLimit(o.Parallel)
	for i, sc := range o.Scenarios {
		group.Go(func() error {
			start := time.Now()
			result[i] = play(ctx, maker, sc, filepath.Join(work.Spool(), fmt.Sprint(i)))
			result[i].Took = time.Since(start)
			return nil
		})
	}
	group.Wait()
	if ctx.Err() != nil {
		return result, &verdict.Exit{Code: verdict.ExitInterrupted, Reason: "the scenarios were interrupted"}
	}
	return result, cmp.Or(result.print(w), result.Err())
}

// play sets one scenario up in dir, drills it and judges the report.
func play(ctx context.Context, b *Maker, sc Scenario, dir string) Finding {
	notRun := func(err error) Finding {
		return Finding{Scenario: sc, Catch: NotRun, Err: fmt.Errorf("%s: %w", sc.Name, err)}
	}
	if ctx.Err() != nil {
		return notRun(context.Cause(ctx))
	}
	s, err := newStore(filepath.Join(b.home, drillsDir), dir, b.kind)
	if err != nil {
		return notRun(err)
	}
	defer s.close()
	if sc.Break != nil {
		if err := sc.Break(ctx, b, s); err != nil {
			return notRun(fmt.Errorf("break the backup: %w", err))
		}
	}
	r, err := drill(ctx, dir, b.log)
	if err != nil {
		return notRun(err)
	}
	return Finding{Scenario: sc, Catch: judge(sc.Want, r), Report: r}
}

// drill runs the demo's drill in home just as `mage drill -name=demo` does,
// and reads the report that it leaves.
func drill(ctx context.Context, home string, log *slog.Logger) (*verdict.Report, error) {
	ended := quiet(home, log).Drill(ctx, harness.DrillOptions{Name: demoName})
	text, err := os.ReadFile(filepath.Join(home, "reports", demoName, "latest.json"))
	if err != nil {
		return nil, fmt.Errorf("the drill left no report: %w", cmp.Or(ended, err))
	}
	var r verdict.Report
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, fmt.Errorf("read the drill's report: %w", err)
	}
	if got, want := exitCode(ended), verdict.ExitCode(&r); got != want {
		return nil, fmt.Errorf("the drill ended with %d and its report says %d", got, want)
	}
	return &r, nil
}

// quiet is a home as the targets have it, that prints nothing.
func quiet(dir string, log *slog.Logger) *harness.Home {
	return &harness.Home{
		Dir: dir, Stdout: io.Discard, Stderr: io.Discard, Now: time.Now, Log: log, Clusters: harness.Clusters(),
	}
}

func exitCode(err error) int {
	var exit *verdict.Exit
	switch {
	case err == nil:
		return verdict.ExitOK
	case errors.As(err, &exit):
		return exit.Code
	}
	return verdict.ExitError
}

// judge compares what the report says with what it must say.
func judge(want Want, r *verdict.Report) Catch {
	switch {
	case r.Outcome == want.Outcome && says(want, r) && (!want.Alone || len(findings(r)) == 1):
		return ByOwn
	case verdict.ExitCode(r) == verdict.ExitOK && r.Outcome != verdict.Worst(r.Outcome, want.Outcome):
		return Missed
	case want.Outcome == verdict.Pass:
		return FalseAlarm
	}
	return ByAnother
}

// says reports whether the report holds the wanted finding.
func says(want Want, r *verdict.Report) bool {
	if want.Stage == "" {
		return !slices.ContainsFunc(r.Stages, func(s verdict.Stage) bool { return s.Outcome != want.Outcome })
	}
	if want.Check == "" {
		return slices.ContainsFunc(r.Stages, func(s verdict.Stage) bool {
			return s.Name == want.Stage && s.Code == want.Code && s.Outcome == want.Outcome
		})
	}
	return slices.ContainsFunc(r.Checks, func(c verdict.Check) bool {
		return c.ID == want.Check && c.Stage == want.Stage && c.Code == want.Code && c.Outcome == want.Outcome
	})
}
