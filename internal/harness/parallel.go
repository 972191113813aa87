package harness

import (
	"context"
	"runtime"
	"sync"

	"golang.org/x/sync/semaphore"

	"daybefore/internal/report"
	"daybefore/internal/sandbox"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// leastMemory is what a sandbox should have when several share a machine.
const leastMemory = 1 << 30

// drillAll runs drills, at most parallel of them at once, and no more than
// half of the machine's memory holds: a drill that declares its memory counts
// as that, any other gets an even share. The reports are in the files' order;
// an interrupt lets none begin that has not begun.
func (h *Home) drillAll(ctx context.Context, files []spec.Loaded, parallel int, c choice) []*verdict.Report {
	budget := sandbox.DefaultMemory()
	if parallel == 0 {
		parallel = max(1, min(len(files), runtime.NumCPU(), int(budget/leastMemory)))
	}
	places := make(chan struct{}, parallel)
	memory := semaphore.NewWeighted(budget)
	reports := make([]*verdict.Report, len(files))
	screen := report.NewScreen(h.Stderr)
	var drills sync.WaitGroup
	for i, f := range files {
		weight := share(f, budget, min(parallel, len(files)))
		places <- struct{}{}
		_ = memory.Acquire(context.WithoutCancel(ctx), weight) // an interrupt ends those that hold it
		if i > 0 && ctx.Err() != nil {
			break // the first tells of the interrupt
		}
		drills.Go(func() {
			defer func() { memory.Release(weight); <-places }()
			reports[i] = h.drillFor(ctx, f, screen, func(*verdict.Report) {}, request{choice: c})
		})
	}
	drills.Wait()
	begun := reports[:0]
	for _, r := range reports {
		if r != nil {
			begun = append(begun, r)
		}
	}
	return begun
}

// share is how much of the budget a drill takes, and writes it into a drill
// that has to share and declares nothing.
func share(f spec.Loaded, budget int64, parallel int) int64 {
	switch {
	case f.Drill == nil:
		return 0
	case f.Drill.Sandbox.Memory == 0 && parallel > 1:
		f.Drill.Sandbox.Memory = budget / int64(parallel)
	case f.Drill.Sandbox.Memory == 0:
		return budget
	}
	return min(f.Drill.Sandbox.Memory, budget)
}
