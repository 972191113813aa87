package harness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/term"

	"daybefore/internal/drill"
	"daybefore/internal/history"
	"daybefore/internal/machine"
	"daybefore/internal/report"
	"daybefore/internal/sandbox"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// DrillOptions say what to drill, and how much at once.
type DrillOptions struct {
	Name     string // of drills: names and globs, with commas between; empty: all
	Parallel int    // drills at once; 0: as many as the machine's cores and memory carry
	Backup   string // a backup's name in the store, or with ./ or / before it a file of this machine
	Before   string // the newest that was taken before a time
	Pick     string // random | unproven
	Copy     int    // the newest of which of inventory.copies, from 1 on
}

// Drill runs every drill, or those that are named; one that fails does not
// stop the others. It prints each report as it comes, and keeps it.
func (h *Home) Drill(ctx context.Context, o DrillOptions) error {
	if o.Parallel < 0 {
		return cannot("drill -parallel=%d: give 1 or more, or leave it out", o.Parallel)
	}
	ctx, stop := h.interruptible(ctx)
	defer stop()
	defer h.tellPage()
	files, err := h.load(ctx, o.Name, spec.Loader{})
	if err != nil {
		return err
	}
	c, err := o.choice(files)
	if err != nil {
		return err
	}
	onlyOnce(files)
	h.sweep(ctx)
	reports := h.drillAll(ctx, files, o.Parallel, c)
	h.tellDue(ctx, namesIn(files))
	return h.conclude(reports)
}

// drillOne runs one drill file, keeps its report, once it is finished, and
// prints it. A file with mistakes makes a report too.
func (h *Home) drillOne(ctx context.Context, f spec.Loaded, screen *report.Screen,
	finish func(*verdict.Report)) *verdict.Report {
	return h.drillFor(ctx, f, screen, finish, request{})
}

// request is what is asked of one drill beside its file.
type request struct {
	choice
	structure func(*spec.Structure) // may be nil

	run string    // the run's id
	now time.Time // when it begins
}

// drillFor is drillOne of the backup that is asked for, which also tells what the
// database consists of, if the drill file wants to know and no baseline was read.
func (h *Home) drillFor(ctx context.Context, f spec.Loaded, screen *report.Screen,
	finish func(*verdict.Report), q request) *verdict.Report {
	rec := &record{dir: h.reportsDir(), drill: f.Name}
	if f.Err == nil {
		rec = h.record(ctx, f.Drill)
	}
	defer rec.close()
	q.now = h.Now()
	q.run = history.NewRunID(q.now)
	people := h.herald(ctx, f, rec, screen, q)
	r := h.runFile(ctx, f, rec, screen, q)
	finish(r)
	later, cancel := machine.Lingering(ctx, afterTime)
	defer cancel()
	metricsTold := func() {}
	if q.choice == (choice{}) { // what is known of the newest stands
		metricsTold = h.tellMetrics(later, f, r, rec)
	}
	people.tell(ctx, r)
	// First: whoever reads what is printed may have gone.
	inStore, unkept := h.keep(later, f, r, rec)
	if unkept == nil {
		h.kept.Store(true)
		h.prune(f, rec.keys)
		h.renewRunbook(later, f.Drill, r)
	}
	metricsTold()
	screen.Aside(func() {
		printed := h.print(r, unkept)
		if inStore != nil {
			fmt.Fprintf(h.Stderr, "%s: %v\n", f.Name, notKept(f.Name, inStore, unkept == nil))
		}
		if inStore != nil || unkept != nil && printed != nil && rec.store == nil {
			r.Outcome = verdict.Worst(r.Outcome, verdict.Error) // the report is not where it was to be, or nowhere at all
		}
		h.noteUntold(r)
	})
	people.correct(ctx, r)
	return r
}

// print prints a report, and whole one that could not be kept. The error says
// that it is not all there.
func (h *Home) print(r *verdict.Report, unkept error) error {
	o := h.terminal()
	if unkept == nil {
		o.Kept = filepath.Join(h.reportsDir(), r.Drill, r.Run, "report.md")
	}
	err := report.Terminal(h.Stdout, r, o)
	if err != nil {
		h.Log.Warn("print the report", "drill", r.Drill, "err", err)
	}
	if unkept != nil {
		return h.printWhole(r, unkept)
	}
	return err
}

// printWhole writes a report that could not be kept to stdout, as report.json
// would have been. What the drill came to stands.
func (h *Home) printWhole(r *verdict.Report, unkept error) error {
	text, err := r.JSON()
	if err == nil && !asDocument { // which holds it
		_, err = fmt.Fprintf(h.Stdout, "\n%s\n", bytes.TrimSpace(text))
	}
	where := "its report stands whole on standard output instead"
	if err != nil {
		where = fmt.Sprintf("nor could it be printed: %v", err)
	}
	fmt.Fprintf(h.Stderr, "warning: %v; %s\n", unkept, where)
	return err
}

func (h *Home) runFile(ctx context.Context, f spec.Loaded, rec *record, screen *report.Screen,
	q request) *verdict.Report {
	if f.Err != nil {
		return h.mistaken(f, q.run, q.now)
	}
	progress := screen.Progress(f.Name)
	defer progress.Close()
	wanted, err := q.forDrill(ctx, f.Drill, rec, q.now)
	req := drill.Request{
		Choice: wanted, Copy: q.copy, Local: q.local,
		Drill: f.Drill, Run: q.run, Now: q.now, Version: version(), Log: h.Log, Tunnel: h.Tunnel,
		Clusters: h.Clusters, Progress: progress.Update, Structure: q.structure,
	}
	if err != nil {
		r := h.unusable(f, q.run, q.now, verdict.AsProblem(err))
		r.Backup.Chosen = req.Chosen()
		return r
	}
	req.Past = rec.past(ctx)
	return drill.Run(ctx, req)
}

// mistaken is the report of a drill file that cannot be run, or whose databases
// are not known.
func (h *Home) mistaken(f spec.Loaded, id string, now time.Time) *verdict.Report {
	if p, ok := errors.AsType[*verdict.Problem](f.Err); ok {
		return h.unusable(f, id, now, p)
	}
	return h.unusable(f, id, now, &verdict.Problem{Outcome: verdict.Error, Code: verdict.CodeSpec, Err: f.Err,
		Hint: "fix what is named; nothing was fetched"})
}

// unusable is the report of a drill that cannot begin.
func (h *Home) unusable(f spec.Loaded, id string, now time.Time, p *verdict.Problem) *verdict.Report {
	r := &verdict.Report{
		Schema: verdict.Schema, Drill: f.Name, Run: id, Controls: controls(f.Drill), Outcome: verdict.Error,
		HarnessVersion: version(), StartedAt: now.UTC(), FinishedAt: now.UTC(),
		Stages: []verdict.Stage{{
			Name: verdict.StageChoose, Outcome: verdict.Error, Code: p.Code, Message: p.Error(), Hint: p.Hint,
		}},
	}
	for _, name := range []string{
		verdict.StageFetch, verdict.StageSandbox, verdict.StageRestore, verdict.StageScrub, verdict.StageExpect,
	} {
		r.Stages = append(r.Stages, verdict.Stage{Name: name, Outcome: verdict.Skipped})
	}
	return r
}

// sweep removes what an earlier process that was killed left behind. What
// cannot be removed now must not keep a drill from running.
func (h *Home) sweep(ctx context.Context) {
	if _, err := sandbox.Sweep(ctx, h.Log); err != nil {
		h.Log.Warn("sweep what an earlier drill left", "err", err)
	}
}

// conclude turns the reports into how the process ends.
func (h *Home) conclude(reports []*verdict.Report) error {
	h.Document.Reports = reports
	code := verdict.ExitCode(reports...)
	if code == verdict.ExitOK {
		return nil
	}
	var reasons []string
	for _, r := range reports {
		if r.Outcome != verdict.Pass && r.Outcome != verdict.Warn {
			reasons = append(reasons, r.Drill+": "+whereReport(r))
		}
	}
	return &verdict.Exit{Code: code, Reason: strings.Join(reasons, ", ")}
}

// whereReport says in a few words what a report came to, and at which stage. One
// that is worse than all of its stages is that because it was not kept.
func whereReport(r *verdict.Report) string {
	s := worstStage(r)
	if s == nil {
		return string(r.Outcome) + ": the report could not be kept"
	}
	return fmt.Sprintf("%s at %s (%s)", r.Outcome, s.Name, s.Code)
}

// worstStage is the first stage that the report has its outcome from; nil if
// there is none. What is about the backup itself comes before what is about
// its store.
func worstStage(r *verdict.Report) *verdict.Stage {
	var about *verdict.Stage
	for i := range r.Stages {
		s := &r.Stages[i]
		switch {
		case s.Outcome != r.Outcome:
		case !s.Code.AboutStore():
			return s
		case about == nil:
			about = s
		}
	}
	return about
}

// terminal says how wide and colorful stdout is, and what is wanted on it.
func (h *Home) terminal() report.Options {
	here, _ := os.Getwd() // where there is none, nothing lies below it
	o := report.Options{Width: 80, Verbose: h.Verbose, Folder: here}
	f, ok := h.Stdout.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return o
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err == nil {
		o.Width = width
	}
	o.Color = os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	return o
}
