package harness

import (
	"context"
	"runtime/debug"
	"sync"

	"daybefore/internal/drill"
	"daybefore/internal/history"
	"daybefore/internal/report"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// mostStores are looked into at once.
const mostStores = 8

// Inventory judges the stores of all drills, or of those that are named, and
// prints what it found. Nothing is fetched or restored, and no report is kept:
// it is no drill, and proves nothing about a backup.
func (h *Home) Inventory(ctx context.Context, name string) error {
	// A long list is mostly garbage, unlike what a drill makes: collected as
	// early as there, it would be a third of the work.
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	ctx, stop := h.interruptible(ctx)
	defer stop()
	files, err := h.load(ctx, name, spec.Loader{WithoutSecrets: true})
	if err != nil {
		return err
	}
	onlyOnce(files)
	reports := make([]*verdict.Report, len(files))
	places := make(chan struct{}, mostStores)
	var looks sync.WaitGroup
	for i, f := range files {
		places <- struct{}{}
		looks.Go(func() {
			defer func() { <-places }()
			reports[i] = h.inventoryOfFile(ctx, f)
			h.printing.Lock()
			defer h.printing.Unlock()
			if err := report.Inventory(h.Stdout, reports[i], h.terminal()); err != nil {
				h.Log.Warn("print the inventory", "drill", f.Name, "err", err)
			}
		})
	}
	looks.Wait()
	h.tellDue(ctx, namesIn(files))
	return h.conclude(reports)
}

func (h *Home) inventoryOfFile(ctx context.Context, f spec.Loaded) *verdict.Report {
	if f.Err != nil {
		now := h.Now()
		return h.mistaken(f, history.NewRunID(now), now)
	}
	rec := h.record(ctx, f.Drill)
	defer rec.close()
	req := h.inventoryRequest(rec.past(ctx), f.Drill)
	req.Proven = true
	return drill.Newest(ctx, req)
}

// inventoryRequest asks which backup would be drilled now, and how the store is.
func (h *Home) inventoryRequest(past history.Past, d *spec.Drill) drill.Request {
	now := h.Now()
	return drill.Request{
		Drill: d, Run: history.NewRunID(now), Now: now, Version: version(), Log: h.Log, Past: past,
	}
}
