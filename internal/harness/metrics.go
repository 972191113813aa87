package harness

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"daybefore/internal/history"
	"daybefore/internal/machine"
	"daybefore/internal/metrics"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// metricsTime is how long a drill waits, at most, for its metrics to be where they
// belong, from when it ends.
const metricsTime = 10 * time.Second

// moment is how long what was told to end may take to do so.
const moment = time.Second / 2

// tellMetrics begins to write the metrics of a drill of the newest backup to where
// its file says; whoever called it goes on meanwhile, and then waits for the end.
// What cannot be written changes no verdict. A drill that was interrupted pushes
// nothing, as it tells nobody.
func (h *Home) tellMetrics(ctx context.Context, f spec.Loaded, r *verdict.Report, rec *record) (wait func()) {
	if f.Drill == nil {
		return func() {}
	}
	to := f.Drill.Metrics
	if r.Interrupted() {
		to.Pushgateway = nil
	}
	if to.Textfile == "" && to.Pushgateway == nil {
		return func() {}
	}
	text, err := metrics.Text(r, lastPass(rec.known)) // now: others write into the report meanwhile
	if err != nil {
		return func() { h.warn(f.Name, err) }
	}
	ctx, cancel := context.WithTimeout(ctx, metricsTime-moment)
	done := make(chan error, 1)
	go func() { done <- placeMetrics(ctx, to, f.Name, text) }()
	return func() {
		defer cancel()
		err := machine.Ended(ctx, done, moment, errors.New("metrics: their folder does not answer"))
		if err != nil {
			h.warn(f.Name, err)
		}
	}
}

// lastPass is what metrics say of the past.
func lastPass(past *history.Past) metrics.Past {
	switch {
	case past == nil || past.Problem != nil:
		return metrics.Past{Unknown: true}
	case len(past.Passing) == 0:
		return metrics.Past{}
	}
	return metrics.Past{LastPass: past.Passing[0].FinishedAt}
}

// placeMetrics writes the file and pushes the same.
func placeMetrics(ctx context.Context, to spec.Metrics, drill string, text []byte) error {
	var unwritten, unpushed error
	if to.Textfile != "" {
		unwritten = writeWhole(filepath.Join(to.Textfile, metrics.FileName(drill)), text)
	}
	if unwritten != nil {
		unwritten = fmt.Errorf("metrics.textfile: %w; make the folder, and let this user write there", unwritten)
	}
	if len(to.Pushgateway) > 0 {
		unpushed = metrics.Push(ctx, string(to.Pushgateway), drill, text)
	}
	if unpushed != nil {
		unpushed = fmt.Errorf("metrics.pushgateway_env: %w", unpushed)
	}
	return errors.Join(unwritten, unpushed)
}
