package harness

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"daybefore/internal/history"
	"daybefore/internal/report"
	"daybefore/internal/sandbox"
	"daybefore/internal/spec"
)

// Drills lists the drill files with the outcome of their last run. It
// restores nothing.
func (h *Home) Drills() error {
	files, err := h.load("", spec.Loader{WithoutSecrets: true})
	if err != nil {
		return err
	}
	var listing []report.Listing
	for _, f := range files {
		l := report.Listing{Name: f.Name}
		last, err := history.Latest(h.reportsDir(), f.Name)
		switch {
		case f.Err != nil:
			l.Note = f.Err.Error()
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			l.Note = err.Error()
		default:
			l.Last = last
		}
		listing = append(listing, l)
	}
	return report.Drills(h.Stdout, listing, h.Now(), h.terminal())
}

// Clean removes what drills that were killed left behind: containers,
// volumes, clusters, spools. It touches nothing that a running drill owns.
func (h *Home) Clean(ctx context.Context) error {
	ctx, stop := h.interruptible(ctx)
	defer stop()
	removed, err := sandbox.Sweep(ctx, h.Log)
	for _, what := range removed {
		fmt.Fprintln(h.Stdout, "removed", what)
	}
	if err != nil {
		return cannot("clean: %v", err)
	}
	if len(removed) == 0 {
		fmt.Fprintln(h.Stdout, "nothing was left behind")
	}
	return nil
}
