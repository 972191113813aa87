package harness

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

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
// that is young enough, and the store is healthy now; or by drilling it now.
// What kept it from opening at once, and what keeps it shut, is in the report
// of that drill.
func (h *Home) Gate(ctx context.Context, o GateOptions) error {
	if o.Name == "" {
		return cannot("the gate wants -name=DRILL: it stands before one database")
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
	why := h.notProven(ctx, rec, f.Drill, within, o.Strict)
	if why == "" {
		fmt.Fprintf(h.Stdout, "gate %s is open: its newest backup has been restored\n", f.Name)
		return nil
	}
	fmt.Fprintf(h.Stderr, "gate %s: %s: drilling now\n", f.Name, why)
	h.sweep(ctx)
	r := h.drillOne(ctx, f, h.Stderr, func(r *verdict.Report) {
		r.Gate = &verdict.Gate{Drilled: why, Within: spec.Span(within), Strict: o.Strict, Shut: shut(r, o.Strict)}
	})
	if why := shut(r, o.Strict); why != "" {
		return &Exit{Code: cmp.Or(verdict.ExitCode(r), verdict.ExitFail), Reason: fmt.Sprintf("gate %s stays shut: %s", f.Name, why)}
	}
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

// notProven says why the last report does not open the gate; empty if it does.
func (h *Home) notProven(ctx context.Context, rec *record, d *spec.Drill, within time.Duration, strict bool) string {
	last, err := rec.newest(ctx)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "there is no report yet"
	case err != nil:
		return "the last report cannot be read"
	case last.Drill != d.Name || last.DrillSHA256 != d.SHA256:
		return "the drill file has changed since the last report"
	case last.HarnessVersion != version():
		return "the last report is another harness's"
	case last.Outcome != verdict.Pass && last.Outcome != verdict.Warn:
		return "the last drill did not pass"
	case strict && last.Outcome == verdict.Warn:
		return "the last drill had warnings"
	case h.Now().Sub(last.FinishedAt) > within || last.FinishedAt.After(h.Now().Add(time.Minute)):
		return fmt.Sprintf("the last report is not from the last %s", spec.Span(within))
	}
	now := h.inventoryOf(ctx, rec, d)
	switch {
	case now.Backup.Name != "" && !sameObject(now.Backup, last.Backup):
		return "the store's newest backup is not the one that was drilled"
	case shut(now, strict) != "":
		return "the store of backups is not as declared: " + shut(now, strict)
	}
	return ""
}

// sameObject tells whether two reports speak of the same version of the same
// object in the same store.
func sameObject(a, b verdict.Backup) bool {
	return a.Store == b.Store && a.Name == b.Name && a.ETag == b.ETag && a.Version == b.Version && a.SizeBytes == b.SizeBytes && a.TakenAt.Equal(b.TakenAt)
}

// reason is the worst thing a report says, in one line.
func reason(r *verdict.Report) string {
	if s := worstStage(r); s != nil {
		// What a server or an engine said may have several lines.
		return strings.Join(strings.Fields(fmt.Sprintf("%s: %s", where(r), s.Message)), " ")
	}
	return where(r)
}
