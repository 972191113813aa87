package harness

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"daybefore/internal/drill"
	"daybefore/internal/report"
	"daybefore/internal/sandbox"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// Drills lists the drills, all or those that are named, with the outcome of
// their last run, here or in the store of past reports. It restores nothing. A
// drill of which the list cannot tell the truth, for its file or its reports,
// ends it with an error.
func (h *Home) Drills(ctx context.Context, names string) error {
	ctx, stop := h.interruptible(ctx)
	defer stop()
	files, err := h.load(ctx, names, spec.Loader{WithoutSecrets: true})
	if err != nil {
		return err
	}
	onlyOnce(files)
	listing := make([]report.Listing, len(files))
	faults := make([]string, len(files))
	var looks errgroup.Group
	looks.SetLimit(mostStores)
	for i, f := range files {
		looks.Go(func() error {
			listing[i], faults[i] = h.listed(ctx, f)
			return nil
		})
	}
	_ = looks.Wait() // what went wrong is listed
	h.Document.Drills = states(files, listing)
	if err := report.Drills(h.Stdout, listing, h.Now(), h.terminal()); err != nil {
		return err
	}
	h.tellDue(ctx, nil)
	faults = slices.DeleteFunc(faults, func(s string) bool { return s == "" })
	switch {
	case errors.Is(context.Cause(ctx), drill.ErrInterrupted):
		return &verdict.Exit{Code: verdict.ExitInterrupted, Reason: "drills: interrupted"}
	case len(faults) > 0:
		return cannot("%s", strings.Join(faults, ", "))
	}
	return nil
}

// states are the lines of the list, for a program.
func states(files []spec.Loaded, listing []report.Listing) []DrillState {
	all := make([]DrillState, len(files))
	for i, l := range listing {
		all[i] = DrillState{Drill: l.Name, File: files[i].Path, Last: l.Last, Note: l.Note}
	}
	return all
}

// listed is a drill's line, and what is wrong with it in a few words; empty if
// nothing is.
func (h *Home) listed(ctx context.Context, f spec.Loaded) (l report.Listing, fault string) {
	l.Name = f.Name
	if f.Err != nil {
		l.Note = f.Err.Error()
		return l, f.Name + ": " + notLoaded(f)
	}
	rec := h.record(ctx, f.Drill)
	defer rec.close()
	last, err := rec.newest(ctx)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		l.Note = err.Error()
		return l, f.Name + ": its last report cannot be read"
	default:
		l.Last = last
	}
	return l, ""
}

// Validate checks the drill files, all or those that are named, and nothing
// else: no store, no engine, no secret. All their mistakes are told, those of
// the defaults once.
func (h *Home) Validate(wanted string) error {
	all, err := h.loadFiles(spec.Loader{WithoutSecrets: true})
	if err != nil {
		return err
	}
	drills, err := choose(all, wanted)
	if err != nil {
		return err
	}
	files := map[string]bool{} // whether they are broken
	seen := map[spec.Mistake]bool{}
	for _, f := range drills {
		h.Document.Files = append(h.Document.Files, FileState{Drill: f.Name, File: f.Path, Mistakes: mistakes(f.Err)})
		files[f.Path] = files[f.Path] || f.Err != nil
		found, _ := errors.AsType[spec.Mistakes](f.Err)
		for _, m := range found {
			if !seen[m] {
				fmt.Fprintln(h.Stderr, m)
			}
			seen[m] = true
		}
	}
	broken := 0
	for _, is := range files {
		if is {
			broken++
		}
	}
	return h.sayValid(broken, len(files))
}

func (h *Home) sayValid(broken, all int) error {
	if broken > 0 {
		have := "have"
		if broken == 1 {
			have = "has"
		}
		return cannot("%s %s mistakes, of %d", verdict.Count(broken, "drill file"), have, all)
	}
	are := "are"
	if all == 1 {
		are = "is"
	}
	_, err := fmt.Fprintln(h.Stdout, verdict.Count(all, "drill file"), are, "valid")
	return err
}

// mistakes are those of a drill file, for a program.
func mistakes(err error) []FileMistake {
	all := []FileMistake{}
	var found spec.Mistakes
	if errors.As(err, &found) {
		for _, m := range found {
			all = append(all, FileMistake(m))
		}
	}
	return all
}

// Clean removes what drills that were killed left behind: containers,
// volumes, clusters, spools. It touches nothing that a running drill owns.
func (h *Home) Clean(ctx context.Context) error {
	ctx, stop := h.interruptible(ctx)
	defer stop()
	removed, err := sandbox.Sweep(ctx, h.Log)
	h.Document.Removed = append([]string{}, removed...)
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
