package harness

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"time"

	"daybefore/internal/evidence"
	"daybefore/internal/history"
	"daybefore/internal/report"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// afterTime is how long everything that follows a drill may take once it was
// interrupted: whoever interrupts kills what is not gone soon. turnTime is what of
// that it may wait for others.
const (
	afterTime = 2 * time.Second
	turnTime  = time.Second
)

// keep keeps a report in the store of past reports, where there is one, and below
// reports/, with its envelope where the drill file asks for one. The errors say
// which of the two it is not in.
func (h *Home) keep(ctx context.Context, f spec.Loaded, r *verdict.Report, rec *record) (inStore, unkept error) {
	if f.Drill == nil || f.Drill.Sign.Key == nil {
		return h.keepWith(ctx, r, rec, nil)
	}
	turn, cancel := turnOf(ctx, r)
	defer cancel()
	alone := history.Chained(turn, h.reportsDir(), f.Name, func() {
		envelope, err := h.seal(ctx, r, rec, ed25519.PrivateKey(f.Drill.Sign.Key))
		if err != nil {
			h.warn(f.Name, err)
		}
		inStore, unkept = h.keepWith(ctx, r, rec, envelope)
	})
	if alone != nil && unkept == nil {
		h.warn(f.Name, fmt.Errorf("another process may have signed at the same time: %w", alone))
	}
	return inStore, unkept
}

// turnOf is the context in which a report's envelope waits for its turn.
func turnOf(ctx context.Context, r *verdict.Report) (context.Context, context.CancelFunc) {
	if r.Interrupted() {
		return context.WithTimeout(ctx, turnTime)
	}
	return context.WithCancel(ctx)
}

// warn tells of what changes no verdict.
func (h *Home) warn(drill string, err error) {
	fmt.Fprintf(h.Stderr, "warning: %s: %v; the verdict stands\n", drill, err)
}

// keepWith keeps the report with what stands beside it everywhere.
func (h *Home) keepWith(ctx context.Context, r *verdict.Report, rec *record, beside map[string][]byte) (
	inStore, unkept error) {
	inStore = rec.put(ctx, func(ctx context.Context, s history.Store) error {
		return history.SaveTo(ctx, s, r, beside, rec.keys...)
	})
	return inStore, h.keepHere(r, rec.keys, beside)
}

// keepHere writes the report in all its forms, of which report.json is signed.
func (h *Home) keepHere(r *verdict.Report, keys []spec.Key, beside map[string][]byte) error {
	files := map[string][]byte{}
	for name, b := range beside {
		files[name] = b
	}
	junit := func(w io.Writer, r *verdict.Report) error { return report.JUnit(w, r, h.source(r.Drill)) }
	for name, render := range map[string]func(io.Writer, *verdict.Report) error{
		"junit.xml": junit, "report.md": report.Markdown,
	} {
		var b bytes.Buffer
		if err := render(&b, r); err != nil {
			return fmt.Errorf("render %s: %w", name, err)
		}
		files[name] = b.Bytes()
	}
	h.addPage(files, r)
	return history.Save(h.reportsDir(), r, files, keys...)
}

// seal makes the envelope of a report, which follows the last one of this
// machine. Where that cannot be read, a chain begins anew, and the error says so.
func (h *Home) seal(ctx context.Context, r *verdict.Report, rec *record, key ed25519.PrivateKey) (
	map[string][]byte, error) {
	file, err := history.File(r, rec.keys...)
	if err != nil {
		return nil, err
	}
	name, err := h.machine()
	if err != nil {
		return nil, fmt.Errorf("sign the report: %w", err)
	}
	reading, cancel := context.WithTimeout(ctx, keepPastTime)
	defer cancel()
	last, unread := evidence.Last(name, rec.envelopes(reading, rec.store))
	if unread != nil && last == nil { // those of this machine are here too, unless its disk is a new one
		last, _ = evidence.Last(name, rec.envelopes(ctx, nil))
	}
	envelope, err := evidence.Seal(r, file, key, name, last)
	if err != nil {
		return nil, err
	}
	if unread != nil && last == nil {
		err = fmt.Errorf("its evidence may begin a chain anew: %w", unread)
	}
	return map[string][]byte{evidence.File: envelope}, err
}

// machine is whose chain an envelope belongs to. Drills of two homes on one host
// do not wait for one another, so that each has a chain of its own.
func (h *Home) machine() (string, error) {
	host, err := os.Hostname()
	if err != nil {
		return "", err
	}
	folder, err := filepath.Abs(h.reportsDir())
	if err != nil {
		return "", err
	}
	led, err := filepath.EvalSymlinks(folder)
	if err == nil { // else nothing can be kept there either
		folder = led
	}
	sum := sha256.Sum256([]byte(folder))
	return host + "/" + hex.EncodeToString(sum[:4]), nil
}

// envelopes are those that are kept here and in a store, which may be nil, the
// newest run's first; and then why others could not be read.
func (rec *record) envelopes(ctx context.Context, s history.Store) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for c, err := range history.Copies(ctx, rec.dir, s, rec.drill, evidence.File) {
			if c.Err == nil && !yield(c.Bytes, err) {
				return
			}
		}
		if rec.err != nil {
			yield(nil, rec.err)
		}
	}
}

// controls are what a drill is evidence of; d may be nil.
func controls(d *spec.Drill) []string {
	if d == nil {
		return nil
	}
	return d.Sign.Controls
}
