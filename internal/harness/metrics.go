package harness

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"daybefore/internal/history"
	"daybefore/internal/metrics"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// metricsTime is how long a drill waits for its metrics to be where they belong.
const metricsTime = 10 * time.Second

// tellMetrics writes the metrics of a drill of the newest backup to where its file
// says. What cannot be written changes no verdict.
func (h *Home) tellMetrics(ctx context.Context, f spec.Loaded, r *verdict.Report, rec *record) {
	if f.Drill == nil || f.Drill.Metrics.Textfile == "" && f.Drill.Metrics.Pushgateway == nil {
		return
	}
	text, err := metrics.Text(r, lastPass(rec.known))
	if err != nil {
		h.warn(f.Name, err)
		return
	}
	// Also of a drill that was interrupted.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), metricsTime-time.Second)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- placeMetrics(ctx, f, text) }()
	select {
	case err = <-done:
	case <-time.After(metricsTime): // a folder that does not answer
		err = fmt.Errorf("metrics: they are not written after %v", metricsTime)
	}
	if err != nil {
		h.warn(f.Name, err)
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
func placeMetrics(ctx context.Context, f spec.Loaded, text []byte) error {
	var unwritten, unpushed error
	m := f.Drill.Metrics
	if m.Textfile != "" {
		unwritten = writeWhole(filepath.Join(m.Textfile, metrics.FileName(f.Name)), text)
	}
	if unwritten != nil {
		unwritten = fmt.Errorf("metrics.textfile: %w; make the folder, and let this user write there", unwritten)
	}
	if len(m.Pushgateway) > 0 {
		unpushed = metrics.Push(ctx, string(m.Pushgateway), f.Name, text)
	}
	if unpushed != nil {
		unpushed = fmt.Errorf("metrics.pushgateway_env: %w", unpushed)
	}
	return errors.Join(unwritten, unpushed)
}
