package harness

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"daybefore/internal/catalog"
	"daybefore/internal/history"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// A store of past reports that does not answer must not keep a drill waiting,
// nor a process that was told to end.
const (
	readPastTime = 2 * time.Minute
	keepPastTime = 30 * time.Second
)

// record is what is kept of a drill's runs: below reports/, and in the store
// that its drill file names.
type record struct {
	dir    string
	drill  string
	url    string         // of the store; empty: there is none
	keyEnv string         // the variable with the keys; empty: reports are not signed
	keys   []spec.Key     // nil with a keyEnv: the variable is not set
	store  history.Store  // nil: there is none
	shelf  *catalog.Shelf // the same, to be closed
	err    error          // why the store cannot be used
	known  *history.Past  // what past gave; nil: it was not asked
}

// record opens what is kept of a drill. The caller closes it.
func (h *Home) record(ctx context.Context, d *spec.Drill) *record {
	rec := &record{dir: h.reportsDir(), drill: d.Name, url: d.History.URL, keyEnv: d.History.KeyEnv,
		keys: d.History.Keys}
	if d.History.URL == "" {
		return rec
	}
	ctx, cancel := context.WithTimeout(ctx, readPastTime)
	defer cancel()
	rec.shelf, rec.err = catalog.OpenShelf(ctx, d.History.Source)
	if rec.err == nil {
		rec.store = rec.shelf
	}
	return rec
}

func (rec *record) close() {
	if rec.shelf != nil {
		_ = rec.shelf.Close() // nothing is left to be lost
	}
}

// keyless is why nothing may be said of the past, or written into it, where
// reports are signed and the key is not here; nil where it is.
func (rec *record) keyless() *verdict.Problem {
	if rec.keyEnv == "" || len(rec.keys) > 0 {
		return nil
	}
	return verdict.Errorf(verdict.CodeHistory, "set it to the key that the drills have",
		"the environment variable %s of history.key_env is not set, so nothing tells who wrote past reports",
		rec.keyEnv)
}

// past is what a drill is compared with.
func (rec *record) past(ctx context.Context) history.Past {
	p := rec.readPast(ctx)
	rec.known = &p
	return p
}

func (rec *record) readPast(ctx context.Context) history.Past {
	if p := rec.keyless(); p != nil {
		return history.Past{Problem: p}
	}
	if rec.err != nil {
		p := verdict.AsProblem(rec.err)
		return history.Past{Problem: verdict.Errorf(verdict.CodeHistory, p.Hint, "open the store of past reports: %w",
			rec.err)}
	}
	ctx, cancel := context.WithTimeout(ctx, readPastTime)
	defer cancel()
	return history.Read(ctx, rec.dir, rec.store, rec.drill, rec.keys...)
}

// since are the reports of runs that began at that time or later.
func (rec *record) since(ctx context.Context, at time.Time) ([]history.Kept, error) {
	if rec.err != nil {
		return nil, rec.err
	}
	ctx, cancel := context.WithTimeout(ctx, readPastTime)
	defer cancel()
	return history.Since(ctx, rec.dir, rec.store, rec.drill, at, rec.keys...)
}

// newest is the last report, whatever it came to. Where the keys are not here,
// it may be anybody's.
func (rec *record) newest(ctx context.Context) (*verdict.Report, error) {
	if rec.err != nil {
		return nil, rec.err
	}
	ctx, cancel := context.WithTimeout(ctx, readPastTime)
	defer cancel()
	return history.Newest(ctx, rec.dir, rec.store, rec.drill, rec.keys...)
}

// keep puts something into the store, even if the process was interrupted.
func (rec *record) keep(ctx context.Context, put func(context.Context, history.Store) error) error {
	return rec.put(context.WithoutCancel(ctx), put)
}

// put puts something into the store, unless the context ends.
func (rec *record) put(ctx context.Context, put func(context.Context, history.Store) error) error {
	if rec.err != nil {
		return rec.err
	}
	if rec.store == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, keepPastTime)
	defer cancel()
	return put(ctx, rec.store)
}

// notKept says what to do about a store that did not take something, which may
// be here.
func notKept(drill string, err error, here bool) error {
	var hints []string
	var p *verdict.Problem
	if errors.As(err, &p) {
		hints = append(hints, p.Hint)
	}
	if here {
		hints = append(hints, "the local copy under reports/ is complete")
	}
	return fmt.Errorf("keep what is known of %s in the history: %w; %s", drill, err, strings.Join(hints, "; "))
}
