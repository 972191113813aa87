// Package drill knows the order of the stages: one drill file in, one report
// out, whatever happens on the way. It must never read or write a report itself,
// and never leave anything behind: no sandbox, no spool, no process.
package drill

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"daybefore/internal/archive"
	"daybefore/internal/catalog"
	"daybefore/internal/crypt"
	"daybefore/internal/history"
	"daybefore/internal/program"
	"daybefore/internal/restore"
	"daybefore/internal/sandbox"
	"daybefore/internal/scrub"
	"daybefore/internal/spec"
	"daybefore/internal/spec/amount"
	"daybefore/internal/told"
	"daybefore/internal/verdict"
)

// Request is one drill to run.
type Request struct {
	Drill   *spec.Drill
	Run     string    // the run's id
	Now     time.Time // when the drill begins; ages are judged against it
	Version string    // the harness's
	Log     *slog.Logger
	Past    history.Past   // what drift is judged against; the zero value: a first run
	Choice  catalog.Choice // which backup; the zero value: the newest
	Copy    int            // which of inventory.copies it is taken from, from 1 on; 0: from the store itself
	Local   string         // a file or folder of this machine that is drilled instead; empty: none
	// Structure is told what the restored database consists of, where the drill
	// file wants to compare it and there is no baseline yet. Nil: nobody is.
	Structure func(*spec.Structure)
	// Tunnel reaches a container's server through the engine, as is done by
	// itself where the engine is not on this machine.
	Tunnel bool
	// Clusters is where clusters are kept that were made once; see
	// sandbox.Options.
	Clusters string
	Progress func(stage string, done, total int64, unit string) // may be nil; the unit is empty where a stage begins
	// Inspect, if not nil, is handed the sandbox after the last stage that
	// could run, before it is removed.
	Inspect func(ctx context.Context, box sandbox.Box)
	// Proven also judges when a drill of the newest backup last passed, for who
	// runs none now.
	Proven bool
}

// ErrInterrupted is the cause with which a caller cancels a drill's context
// when a person or the system asked it to stop.
var ErrInterrupted = errors.New("interrupted")

var errTimeout = errors.New("the drill's time ran out")

// errUndecided ends a drill whose scrub could not be decided; the checks say
// about which columns.
var errUndecided = errors.New("the scrub is not decided")

// errLost ends a drill whose restore lost tables that hold rows, as its errors
// tell.
var errLost = errors.New("the restore's errors took tables with them")

// errUnloaded is why what is expected was not judged where the scrub refused to
// begin; that tables are missing is told all the same.
var errUnloaded = errors.New("no rows were loaded, so no more was judged than which tables are there")

// errLeaked ends a drill whose sandbox holds what it may not; the checks say
// where.
var errLeaked = errors.New("the sandbox holds what it may not")

// errMerged ends a drill whose scrub did not keep different values apart; the
// checks say where.
var errMerged = errors.New("the scrub made different values equal")

// errUnbuilt ends a drill whose rules may be why post-data could not be built,
// or what it left out or its sandbox lacks; the checks say which.
var errUnbuilt = errors.New("the drill itself may have broken what the restore builds")

// errBadBackup ends what would have been done with a backup that is bad.
var errBadBackup = errors.New("not needed: the backup could not be used")

const (
	// cleanUpTime is how long removing everything may take once a drill was
	// told to stop: Mage, or whoever told it, waits no longer.
	cleanUpTime = 4 * time.Second
	// cleanUpLate is how long it may take after the drill's own timeout.
	cleanUpLate = 6 * time.Second
	// cleanUpMost is how long it may take otherwise. The files of ten thousand
	// tables are not removed in seconds.
	cleanUpMost = 2 * time.Minute
)

// Run runs one drill and always returns its report.
func Run(ctx context.Context, req Request) *verdict.Report {
	return perform(ctx, req, (*run).drill)
}

// Newest runs the first stage only: which backup would be drilled now, and
// whether the store of backups is as declared. Nothing is fetched but the
// backup's header.
func Newest(ctx context.Context, req Request) *verdict.Report {
	return perform(ctx, req, (*run).choose)
}

func perform(ctx context.Context, req Request, steps func(*run, context.Context) error) *verdict.Report {
	r := newRun(req)
	told := ctx
	ctx, cancel := context.WithTimeoutCause(ctx, req.Drill.Timeout, errTimeout)
	defer cancel()
	func() {
		defer r.cleanUp(told, ctx)
		defer r.recovered()
		// What steps return is in the report already, under its stage.
		_ = steps(r, ctx)
		if req.Inspect != nil && r.box.Box != nil {
			req.Inspect(ctx, r.box)
		}
	}()
	return r.finish()
}

// run is a drill under way.
type run struct {
	Request
	mu     sync.Mutex // guards report: stages overlap
	report verdict.Report
	begun  time.Time

	store  catalog.Store
	backup catalog.Backup
	keys   *crypt.Keys    // may be nil
	header archive.Header // as the store's first bytes tell
	asOf   time.Time      // what freshness is judged against
	// asOfUntil is later than asOf where the backup's time is only known to lie
	// between the two.
	asOfUntil time.Time
	box       boxState
	archive   *archive.Archive
	session   *restore.Session
	plan      *scrub.Plan
	names     *told.Names // that the report may tell; nil: the archive is not read yet
	withheld  []string    // names that it may not
	ownCode   string      // what of the backup's own code may run; empty: nothing
	lost      lost
	judged    []verdict.Check // what was expected, and found
}

func newRun(req Request) *run {
	req.Choice.Now = req.Now
	if req.older() { // of what newer ones are like says nothing about it
		req.Past = history.Past{}
	}
	if req.Log == nil {
		req.Log = slog.New(slog.DiscardHandler)
	}
	if req.Progress == nil {
		req.Progress = func(string, int64, int64, string) {}
	}
	return &run{Request: req, begun: time.Now(), report: verdict.Report{
		Schema: verdict.Schema, Drill: req.Drill.Name, Run: req.Run,
		HarnessVersion: req.Version, DrillSHA256: req.Drill.SHA256,
		StartedAt: req.Now.UTC(), Trend: trend(req.Past), LastGood: lastGood(req),
		Controls: req.Drill.Sign.Controls, ProvenWithin: promised(req.Drill), Muted: req.Past.MutedAt(req.Now),
		Backup: verdict.Backup{Chosen: req.Chosen()}, // from the first: what ends early is of no newest either
	}}
}

// promised is proven_within, as a drill file writes it; empty where it is not declared.
func promised(d *spec.Drill) string {
	if d.ProvenWithin == 0 {
		return ""
	}
	return amount.Span(d.ProvenWithin)
}

// stageNames are all stages, so that a report shows those that never began.
var stageNames = []string{
	verdict.StageChoose, verdict.StageFetch, verdict.StageSandbox,
	verdict.StageRestore, verdict.StageScrub, verdict.StageExpect,
}

// stage runs one step under a name and keeps what it came to. An error ends
// the step, and is returned so that the caller can stop.
func (r *run) stage(ctx context.Context, name string, step func(context.Context) error) error {
	start := time.Now()
	if name != verdict.StageSandbox { // which runs while the backup is fetched, and that is what takes long
		r.Progress(name, 0, 0, "")
	}
	err := r.why(ctx, name, step(ctx))
	r.keep(name, time.Since(start), r.inKnownWords(r.judge(ctx, err)))
	return err
}

// judge turns an error into what the report says of it. The reason for which
// a context ended hides what broke because of it.
func (r *run) judge(ctx context.Context, err error) *verdict.Problem {
	if err == nil || isFinding(err) {
		return nil
	}
	for _, before := range []error{errLost, errUnloaded} {
		if errors.Is(err, before) {
			return &verdict.Problem{Outcome: verdict.Skipped, Err: before}
		}
	}
	var found *verdict.Problem
	if errors.As(err, &found) && found.Outcome == verdict.Fail {
		return verdict.AsProblem(err) // known to be bad, whatever else happened
	}
	cause := context.Cause(ctx)
	switch {
	case errors.Is(cause, errBadBackup):
		return &verdict.Problem{Outcome: verdict.Skipped, Err: cause}
	case errors.Is(cause, ErrInterrupted), errors.Is(cause, context.Canceled):
		return verdict.Errorf(verdict.CodeInterrupted, "run the drill again", "the drill was interrupted")
	case errors.Is(cause, errTimeout):
		return r.timedOut(err)
	}
	return ofMachine(err)
}

// timedOut is the Problem of a drill whose time ran out. Where it waited for a
// foreign program, that is what somebody must look at.
func (r *run) timedOut(err error) *verdict.Problem {
	waited, ok := errors.AsType[*program.Failure](err)
	if !ok || waited.Kind != program.Stopped {
		return verdict.Errorf(verdict.CodeTimeout, "raise timeout in the drill file, or find out what became slow",
			"the drill did not end within %s", r.Drill.Timeout)
	}
	return verdict.Errorf(verdict.CodeTimeout, "run "+waited.Program+" by hand: does it wait for an answer, or for a "+
		"server that is not there? if it is only slow, raise timeout in the drill file",
		"the drill did not end within %s: %w", r.Drill.Timeout, err)
}

// why asks the sandbox, from the stage in which there is one, whether an error
// is owed to its end.
func (r *run) why(ctx context.Context, stage string, err error) error {
	ours := isFinding(err) || errors.Is(err, errUnloaded)
	if stage == verdict.StageChoose || stage == verdict.StageFetch || ours || r.box.Box == nil {
		return err
	}
	return r.box.Why(ctx, err)
}

// isFinding reports whether an error only ends a drill whose checks say why.
func isFinding(err error) bool {
	return errors.Is(err, errUndecided) || errors.Is(err, errLeaked) || errors.Is(err, errMerged) ||
		errors.Is(err, errUnbuilt)
}

// keep adds time and outcome to a stage; a stage may run in several parts.
func (r *run) keep(name string, took time.Duration, p *verdict.Problem) {
	r.mu.Lock()
	defer r.mu.Unlock()
	i := slices.IndexFunc(r.report.Stages, func(s verdict.Stage) bool { return s.Name == name })
	if i < 0 {
		i = len(r.report.Stages)
		r.report.Stages = append(r.report.Stages, verdict.Stage{Name: name, Outcome: verdict.Pass})
	}
	s := &r.report.Stages[i]
	s.DurationMS += took.Milliseconds()
	if p != nil && p.Outcome == verdict.Skipped {
		s.Outcome = p.Outcome
		s.Message = p.Error()
	} else if p != nil && verdict.Worst(s.Outcome, p.Outcome) != s.Outcome {
		s.Outcome = p.Outcome
		s.Code = p.Code
		s.Message = p.Error()
		s.Hint = p.Hint
	}
	r.Log.Debug("stage", "drill", r.Drill.Name, "stage", name, "outcome", s.Outcome, "ms", s.DurationMS)
}

// checks keeps what was found. The rooms below do not know how the drill is
// called: their hints say DRILL and ID, and the report a line to be copied.
func (r *run) checks(found ...verdict.Check) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range found {
		c.Hint = strings.NewReplacer("-name=DRILL", "-name="+r.Drill.Name, "-check=ID",
			"-check="+program.ShellWord(c.ID)).Replace(c.Hint)
		r.report.Checks = append(r.report.Checks, c)
	}
}

// recovered turns a panic of ours into a stage's error. The panic's value may
// hold anything, so only a runtime error's text is kept.
func (r *run) recovered() {
	p := recover()
	if p == nil {
		return
	}
	text := fmt.Sprintf("a panic of type %T", p)
	var runtimeError interface{ RuntimeError() }
	if err, ok := p.(error); ok && errors.As(err, &runtimeError) {
		text = "a panic: " + err.Error()
	}
	r.Log.Error("panic", "drill", r.Drill.Name, "stack", string(debug.Stack()))
	r.keep(r.lastStage(), 0, verdict.Errorf(verdict.CodeInternal,
		"this is a bug of the harness, not a finding about the backup: please report it with the stack in the log",
		"%s", text))
}

func (r *run) lastStage() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(r.report.Stages); n > 0 {
		return r.report.Stages[n-1].Name
	}
	return verdict.StageChoose
}

// cleaning is the context to remove everything with: that of the drill may have
// ended. It ends soon after told does, or did, and a little later where it was
// the drill's own time that ran out.
func cleaning(told, drill context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(told), cleanUpMost)
	soon := func(grace time.Duration) func() {
		return func() {
			select {
			case <-time.After(grace):
				cancel()
			case <-ctx.Done():
			}
		}
	}
	interrupted := context.AfterFunc(told, soon(cleanUpTime))
	late := context.AfterFunc(drill, soon(cleanUpLate))
	return ctx, func() { interrupted(); late(); cancel() }
}

// cleanUp removes everything.
func (r *run) cleanUp(told, drill context.Context) {
	ctx, cancel := cleaning(told, drill)
	defer cancel()
	if err := r.box.close(ctx); err != nil {
		r.keep(verdict.StageSandbox, 0, verdict.Errorf(verdict.CodeSandbox,
			"run the clean target; as root where files of another account are left", "remove the sandbox: %w", err))
	}
	if r.store != nil {
		r.store.Close()
	}
}

// finish judges the whole.
func (r *run) finish() *verdict.Report {
	rep := &r.report
	r.vouch(rep)
	slices.SortFunc(rep.Marks, func(a, b verdict.Mark) int {
		return cmp.Or(cmp.Compare(a.Table, b.Table), cmp.Compare(a.Column, b.Column))
	})
	slices.SortFunc(rep.Witnesses, func(a, b verdict.Witness) int { return cmp.Compare(a.Name, b.Name) })
	for _, name := range stageNames {
		if !slices.ContainsFunc(rep.Stages, func(s verdict.Stage) bool { return s.Name == name }) {
			rep.Stages = append(rep.Stages, verdict.Stage{Name: name, Outcome: verdict.Skipped})
		}
	}
	slices.SortStableFunc(rep.Stages, func(a, b verdict.Stage) int {
		return slices.Index(stageNames, a.Name) - slices.Index(stageNames, b.Name)
	})
	var outcomes []verdict.Outcome
	for i := range rep.Stages {
		s := &rep.Stages[i]
		takeWorst(s, rep.Checks)
		outcomes = append(outcomes, s.Outcome)
	}
	rep.Outcome = verdict.Worst(outcomes...)
	took := time.Since(r.begun)
	rep.FinishedAt = rep.StartedAt.Add(took)
	rep.DurationMS = took.Milliseconds()
	return rep
}

// takeWorst makes a stage's outcome that of its worst check, and says which. A
// check that passed is no stage that did: what was skipped stays so.
func takeWorst(s *verdict.Stage, checks []verdict.Check) {
	for _, c := range checks {
		bad := c.Outcome != verdict.Skipped && c.Outcome != verdict.Pass
		if c.Stage != s.Name || !bad || verdict.Worst(s.Outcome, c.Outcome) == s.Outcome {
			continue
		}
		s.Outcome, s.Code, s.Message, s.Hint = c.Outcome, c.Code, c.Message, c.Hint
	}
}
