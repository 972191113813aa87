package harness

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"daybefore/internal/report"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// GateOptions say what opens a gate.
type GateOptions struct {
	Name   string
	Within string // a passing report may be so old, e.g. 90m or 7d; empty: 24h
	Strict bool   // a warning keeps it shut
}

// Gate opens (returns nil) only if the newest backup in the store has been
// proven to restore, by a report of this very object, drill file and harness
// that is young enough, that somebody vouches for and that no failure of the
// same object speaks against, and the store is healthy now; or by drilling it
// now. What kept it from opening at once, and what keeps it shut, is in the
// report of that drill.
func (h *Home) Gate(ctx context.Context, o GateOptions) error {
	if o.Name == "" {
		return cannot("gate: -name is required: it guards one database")
	}
	within, err := spec.ParseDuration(cmp.Or(o.Within, "24h"))
	if err != nil {
		return cannot("the gate's -within: %v", err)
	}
	f, err := h.loadOne("gate", o.Name, spec.Loader{})
	if err != nil {
		return err
	}
	if f.Err != nil {
		fmt.Fprintln(h.Stderr, f.Err)
		return cannot("gate %s stays shut: its drill file has mistakes", f.Name)
	}
	ctx, stop := h.interruptible(ctx)
	defer stop()
	rec := h.record(ctx, f.Drill)
	defer rec.close()
	if rec.url != "" && rec.keyEnv == "" {
		fmt.Fprintf(h.Stderr,
			"gate %s: without history.key_env only the reports of this machine are trusted, not those in %s\n",
			f.Name, rec.url)
	}
	why := h.notProven(ctx, rec, f.Drill, within, o.Strict)
	h.Document.Gate = &GateAnswer{Drill: f.Name, Open: why == "", Drilled: why}
	if why == "" {
		fmt.Fprintf(h.Stdout, "gate %s is open: its newest backup has been restored\n", f.Name)
		return nil
	}
	fmt.Fprintf(h.Stderr, "gate %s: %s: drilling now\n", f.Name, why)
	h.sweep(ctx)
	r := h.drillOne(ctx, f, report.NewScreen(h.Stderr), func(r *verdict.Report) {
		r.Gate = &verdict.Gate{Drilled: why, Within: spec.Span(within), Strict: o.Strict, Shut: shut(r, o.Strict)}
	})
	h.Document.Reports = []*verdict.Report{r}
	h.Document.Gate.Shut = shut(r, o.Strict)
	if h.Document.Gate.Shut != "" {
		return &verdict.Exit{Code: cmp.Or(verdict.ExitCode(r), verdict.ExitFail),
			Reason: fmt.Sprintf("gate %s stays shut: %s", f.Name, h.Document.Gate.Shut)}
	}
	h.Document.Gate.Open = true
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
	now := h.inventoryOf(ctx, past, d)
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
