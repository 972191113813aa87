package harness

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"daybefore/internal/drill"
	"daybefore/internal/report"
	"daybefore/internal/spec"
	"daybefore/internal/spec/amount"
	"daybefore/internal/verdict"
)

// GateOptions say what opens a gate.
type GateOptions struct {
	Name   string
	Within string // a passing report may be so old, e.g. 90m or 7d; empty: proven_within, else 24h
	Strict bool   // a warning keeps it shut
}

// Gate opens (returns nil) only if the newest backup in the store has been
// proven to restore, by a report of this very object, drill file and harness
// that is young enough, that somebody vouches for and that no failure of the
// same object speaks against, and the store is healthy now; or by drilling it
// now. What kept it from opening at once, and what keeps it shut, is in the
// report of that drill. The gate of a file of several databases opens if each of
// theirs does.
func (h *Home) Gate(ctx context.Context, o GateOptions) error {
	if o.Name == "" {
		return cannot("gate: -name is required: it guards one drill, or all databases of one")
	}
	if o.Within != "" {
		_, err := spec.ParseDuration(o.Within)
		if err != nil {
			return cannot("the gate's -within: %v", err)
		}
	}
	ctx, stop := h.interruptible(ctx)
	defer stop()
	defer h.tellPage()
	drills, err := h.loadOf(ctx, "gate", o.Name, spec.Loader{})
	if err != nil {
		return err
	}
	var stay []*verdict.Exit
	for _, f := range drills {
		e := h.gateOf(ctx, f, o.within(f), o.Strict)
		if e == nil {
			continue
		}
		stay = append(stay, e)
		if ctx.Err() != nil {
			break
		}
	}
	return allShut(stay)
}

// within is how old a passing report may be: as asked, else as the drill file
// promises, else a day.
func (o GateOptions) within(f spec.Loaded) time.Duration {
	asked, err := spec.ParseDuration(o.Within)
	switch {
	case err == nil:
		return asked
	case f.Drill != nil && f.Drill.ProvenWithin > 0:
		return f.Drill.ProvenWithin
	}
	return 24 * time.Hour
}

// allShut is how a gate of several databases ends: open if each of them is.
func allShut(stay []*verdict.Exit) error {
	if len(stay) == 0 {
		return nil
	}
	worst := []int{verdict.ExitInterrupted, verdict.ExitFail, verdict.ExitError} // as of several drills
	all := &verdict.Exit{Code: verdict.ExitError}
	var reasons []string
	for _, e := range stay {
		if slices.Index(worst, e.Code) < slices.Index(worst, all.Code) {
			all.Code = e.Code
		}
		reasons = append(reasons, e.Reason)
	}
	all.Reason = strings.Join(reasons, ", ")
	return all
}

// gateOf is the gate of one database; nil opens it.
func (h *Home) gateOf(ctx context.Context, f spec.Loaded, within time.Duration, strict bool) *verdict.Exit {
	if f.Err != nil {
		fmt.Fprintln(h.Stderr, f.Err)
		return cannot("gate %s stays shut: %s", f.Name, notLoaded(f))
	}
	rec := h.record(ctx, f.Drill)
	defer rec.close()
	if rec.url != "" && rec.keyEnv == "" {
		fmt.Fprintf(h.Stderr,
			"gate %s: without history.key_env only the reports of this machine are trusted, not those in %s\n",
			f.Name, rec.url)
	}
	why := h.notProven(ctx, rec, f.Drill, within, strict)
	answer := GateAnswer{Drill: f.Name, Open: why == "", Drilled: why}
	defer func() { h.Document.Gates = append(h.Document.Gates, answer) }()
	if why == "" {
		fmt.Fprintf(h.Stdout, "gate %s is open: its newest backup has been restored\n", f.Name)
		return nil
	}
	fmt.Fprintf(h.Stderr, "gate %s: %s: drilling now\n", f.Name, why)
	h.sweep(ctx)
	r := h.drillOne(ctx, f, report.NewScreen(h.Stderr), func(r *verdict.Report) {
		r.Gate = &verdict.Gate{Drilled: why, Within: amount.Span(within), Strict: strict, Shut: shut(r, strict)}
	})
	h.Document.Reports = append(h.Document.Reports, r)
	answer.Shut = shut(r, strict)
	if answer.Shut != "" {
		return &verdict.Exit{Code: cmp.Or(verdict.ExitCode(r), verdict.ExitFail),
			Reason: fmt.Sprintf("gate %s stays shut: %s", f.Name, answer.Shut)}
	}
	answer.Open = true
	fmt.Fprintf(h.Stdout, "gate %s is open\n", f.Name)
	return nil
}

// shut says in one line why a drill does not open the gate; empty if it does.
func shut(r *verdict.Report, strict bool) string {
	switch {
	case verdict.ExitCode(r) != verdict.ExitOK:
		return reason(r)
	case strict && r.Outcome == verdict.Warn:
		return "under -strict a warning is enough: " + reason(r)
	}
	return ""
}

// notProven says why past reports do not open the gate; empty if they do.
func (h *Home) notProven(ctx context.Context, rec *record, d *spec.Drill, within time.Duration, strict bool) string {
	past := rec.past(ctx)
	now := drill.Newest(ctx, h.inventoryRequest(past, d))
	if now.AsOf == "" { // no backup was taken, be there the name of one that cannot be
		return "the store of backups is not as declared: " + shut(now, strict)
	}
	q := question{
		drill: d, harness: version(), backup: now.Backup, at: h.Now(), within: within, strict: strict,
		accepted: past.Accepted,
	}
	kept, err := rec.since(ctx, q.from())
	if err != nil {
		return "past reports cannot be read"
	}
	if why := q.refuse(kept); why != "" {
		return why
	}
	if why := shut(now, strict); why != "" {
		return "the store of backups is not as declared: " + why
	}
	return ""
}

// reason is the worst thing a report says, in one line.
func reason(r *verdict.Report) string {
	if s := worstStage(r); s != nil {
		// What a server or an engine said may have several lines.
		return strings.Join(strings.Fields(fmt.Sprintf("%s: %s", whereReport(r), s.Message)), " ")
	}
	return whereReport(r)
}
