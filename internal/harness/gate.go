package harness

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"daybefore/internal/drill"
	"daybefore/internal/history"
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
// proven to restore: by a report of this very drill file and object that is
// young enough, or by drilling it now. The backup's age is judged again.
func (h *Home) Gate(ctx context.Context, o GateOptions) error {
	if o.Name == "" {
		return cannot("the gate wants -name=DRILL: it stands before one database")
	}
	within, err := spec.ParseDuration(cmp.Or(o.Within, "24h"))
	if err != nil {
		return cannot("the gate's -within: %v", err)
	}
	files, err := h.load(o.Name, spec.Loader{})
	if err != nil {
		return err
	}
	f := files[0]
	if f.Err != nil {
		fmt.Fprintln(h.Stderr, f.Err)
		return cannot("gate %s stays shut: its drill file has mistakes", f.Name)
	}
	ctx, stop := h.interruptible(ctx)
	defer stop()
	why := h.notProven(ctx, f.Drill, within, o.Strict)
	if why == "" {
		fmt.Fprintf(h.Stdout, "gate %s is open: its newest backup has been restored\n", f.Name)
		return nil
	}
	fmt.Fprintf(h.Stderr, "gate %s: %s: drilling now\n", f.Name, why)
	h.sweep(ctx)
	r := h.drillOne(ctx, f, h.Stderr)
	switch {
	case verdict.ExitCode(r) != verdict.ExitOK:
		return &Exit{Code: verdict.ExitCode(r), Reason: fmt.Sprintf("gate %s stays shut: %s", f.Name, reason(r))}
	case o.Strict && r.Outcome == verdict.Warn:
		return &Exit{Code: verdict.ExitFail, Reason: fmt.Sprintf("gate %s stays shut under -strict: %s", f.Name, reason(r))}
	}
	fmt.Fprintf(h.Stdout, "gate %s is open\n", f.Name)
	return nil
}

// notProven says why the last report does not open the gate; empty if it does.
func (h *Home) notProven(ctx context.Context, d *spec.Drill, within time.Duration, strict bool) string {
	last, err := history.Latest(h.reportsDir(), d.Name)
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
		return fmt.Sprintf("the last report is not from the last %s", within)
	}
	newest := drill.Newest(ctx, drill.Request{Drill: d, Now: h.Now(), Version: version(), Log: h.Log})
	switch {
	case verdict.ExitCode(newest) != verdict.ExitOK, strict && newest.Outcome == verdict.Warn:
		return "the newest backup is not as declared"
	case !sameObject(newest.Backup, last.Backup):
		return "the store's newest backup is not the one that was drilled"
	}
	return ""
}

// sameObject tells whether two reports speak of the same version of the same
// object in the same store.
func sameObject(a, b verdict.Backup) bool {
	return a.Store == b.Store && a.Name == b.Name && a.ETag == b.ETag && a.SizeBytes == b.SizeBytes && a.TakenAt.Equal(b.TakenAt)
}

// reason is the worst thing a report says, in one line.
func reason(r *verdict.Report) string {
	for _, s := range r.Stages {
		if s.Outcome == r.Outcome {
			// What a server or an engine said may have several lines.
			return strings.Join(strings.Fields(fmt.Sprintf("%s: %s", where(r), s.Message)), " ")
		}
	}
	return where(r)
}
