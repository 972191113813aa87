package harness

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"daybefore/internal/history"
	"daybefore/internal/report"
	"daybefore/internal/spec"
	"daybefore/internal/spec/amount"
)

// dueTime is how long a target waits, in all, to learn which other drills are due.
const dueTime = 10 * time.Second

// DueDrill is a drill that has not passed as lately as its file promises.
type DueDrill struct {
	Drill    string    `json:"drill"`
	LastPass time.Time `json:"last_pass,omitzero"` // absent: never, as far as is kept
	Within   string    `json:"within"`
	Note     string    `json:"note"` // in words; why it is not known, where that is so
}

// tellDue says on standard error which other drills than these should have passed
// since. It changes nothing about what the target came to.
func (h *Home) tellDue(ctx context.Context, told []string) {
	ctx, cancel := context.WithTimeout(ctx, dueTime)
	defer cancel()
	files, err := spec.Loader{WithoutSecrets: true}.LoadAll(h.drillsDir())
	if err != nil || ctx.Err() != nil { // who drills has told of it
		return
	}
	var mu sync.Mutex
	var looks errgroup.Group
	looks.SetLimit(mostStores)
	for _, f := range files {
		looks.Go(func() error {
			for _, one := range h.knownDrills(ctx, f) {
				if one.Drill == nil || one.Drill.ProvenWithin == 0 || slices.Contains(told, one.Name) {
					continue
				}
				due, is := h.due(ctx, one.Drill)
				mu.Lock()
				if is {
					h.Document.Due = append(h.Document.Due, due)
				}
				mu.Unlock()
			}
			return nil
		})
	}
	_ = looks.Wait() // what went wrong is told
	slices.SortFunc(h.Document.Due, func(a, b DueDrill) int { return cmp.Compare(a.Drill, b.Drill) })
	for _, d := range h.Document.Due {
		fmt.Fprintf(h.Stderr, "due: %s\n", d.Note)
	}
}

// knownDrills are those of a file; of databases that the store tells, those that
// were drilled before.
func (h *Home) knownDrills(ctx context.Context, f spec.Loaded) []spec.Loaded {
	if f.Several == nil {
		return []spec.Loaded{f}
	}
	databases, _ := h.drilledBefore(ctx, f) // of those that cannot be read nothing is said
	databases = slices.DeleteFunc(databases, func(name string) bool { return slices.Contains(f.Several.Except, name) })
	if len(databases) == 0 {
		return nil
	}
	return f.Several.Each(databases)
}

// due reports whether a drill is due, and says so.
func (h *Home) due(ctx context.Context, d *spec.Drill) (due DueDrill, is bool) {
	rec := h.record(ctx, d)
	defer rec.close()
	due = DueDrill{Drill: d.Name, Within: amount.Span(d.ProvenWithin)}
	err := rec.err
	if unsigned := rec.keyless(); err == nil && unsigned != nil {
		err = unsigned // anybody may have written that it passed
	}
	if err == nil {
		due.LastPass, err = history.LastPass(ctx, rec.dir, rec.store, rec.drill, rec.keys...)
	}
	since := h.Now().Sub(due.LastPass)
	switch {
	case err != nil:
		due.Note = fmt.Sprintf("it is not known when %s last passed: its past reports cannot be read: %v", d.Name, err)
	case due.LastPass.IsZero():
		due.Note = d.Name + " has never passed, as far as is kept"
	case since <= d.ProvenWithin:
		return due, false
	default:
		due.Note = d.Name + " has not passed for " + report.Age(since)
	}
	due.Note += " (proven_within: " + report.Age(d.ProvenWithin) + ")"
	return due, true
}

// namesIn are the names of drills.
func namesIn(files []spec.Loaded) (names []string) {
	for _, f := range files {
		names = append(names, f.Name)
	}
	return names
}
