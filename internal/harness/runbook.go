package harness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path"
	"path/filepath"

	"daybefore/internal/catalog"
	"daybefore/internal/catalog/place"
	"daybefore/internal/drill"
	"daybefore/internal/history"
	"daybefore/internal/runbook"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// Runbook writes how a drill's newest backup is restored by hand, from the last
// drill of it that passed.
func (h *Home) Runbook(ctx context.Context, name string) error {
	if name == "" {
		return cannot("runbook: -name is required: it is written for one database")
	}
	ctx, stop := h.interruptible(ctx)
	defer stop()
	f, err := h.loadOne(ctx, "runbook", name, spec.Loader{})
	if err != nil {
		return err
	}
	if f.Err != nil {
		fmt.Fprintln(h.Stderr, f.Err)
		return cannot("no runbook of %s: %s", f.Name, notLoaded(f))
	}
	r, err := h.lastPass(ctx, f.Drill)
	if err == nil {
		err = h.writeRunbook(ctx, f.Drill, r)
	}
	switch {
	case errors.Is(context.Cause(ctx), drill.ErrInterrupted):
		return &verdict.Exit{Code: verdict.ExitInterrupted, Reason: "runbook: interrupted"}
	case err != nil:
		return cannot("no runbook of %s: %s", f.Name, advised(err))
	}
	h.Document.Written = h.runbookPath(f.Name)
	says := "written: " + h.Document.Written
	if to := f.Drill.Runbook.CopyTo.URL; to != "" {
		says += ", and " + path.Join(f.Name, runbook.Name) + " in " + to
	}
	_, err = fmt.Fprintln(h.Stdout, says)
	return err
}

// lastPass is the report of the last drill of a newest backup that passed.
func (h *Home) lastPass(ctx context.Context, d *spec.Drill) (*verdict.Report, error) {
	rec := h.record(ctx, d)
	defer rec.close()
	past := rec.past(ctx)
	if past.Problem != nil {
		return nil, past.Problem
	}
	if len(past.Passing) == 0 {
		return nil, fmt.Errorf("no drill of its newest backup has passed: run %s", command("drill -name="+d.Name))
	}
	return past.Passing[0], nil
}

// renewRunbook writes the page anew after a drill of the newest backup that
// passed. A page that cannot be written changes nothing of what the drill came to.
func (h *Home) renewRunbook(ctx context.Context, d *spec.Drill, r *verdict.Report) {
	if d == nil || !history.Passed(r) {
		return
	}
	err := h.writeRunbook(ctx, d, r)
	if err != nil {
		fmt.Fprintf(h.Stderr, "warning: %s: %s: %s; the verdict stands\n", d.Name, runbook.Name, advised(err))
	}
}

// writeRunbook writes the page beside the reports, and where runbook.copy_to says.
func (h *Home) writeRunbook(ctx context.Context, d *spec.Drill, r *verdict.Report) error {
	in := runbook.Input{Report: r, Drill: d}
	if e := d.Source.Exec; e != nil {
		in.Fetch = func(name string) ([]string, error) { return place.FetchWords(*e, name) }
	}
	var b bytes.Buffer
	err := runbook.Write(&b, in)
	if err != nil {
		return err
	}
	text := b.Bytes()
	here := history.Renew(filepath.Dir(h.runbookPath(d.Name)), runbook.Name, func() ([]byte, error) { return text, nil })
	copied := copyRunbook(ctx, d, text) // where one of them fails, the other is all there is
	switch {
	case here == nil:
		return copied
	case copied == nil:
		return here
	}
	return fmt.Errorf("%w; and %w", here, copied)
}

func (h *Home) runbookPath(name string) string {
	return filepath.Join(h.reportsDir(), name, runbook.Name)
}

// copyRunbook puts the page into the folder that the drill file names.
func copyRunbook(ctx context.Context, d *spec.Drill, text []byte) error {
	if d.Runbook.CopyTo.URL == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, keepPastTime)
	defer cancel()
	folder, err := catalog.OpenFolder(ctx, d.Runbook.CopyTo, "runbook.copy_to")
	if err != nil {
		return err
	}
	defer folder.Close()
	return folder.Replace(ctx, path.Join(d.Name, runbook.Name), text)
}
