package harness

import (
	"context"

	"daybefore/internal/drill"
	"daybefore/internal/report"
	"daybefore/internal/verdict"
)

// Witness says what would be lost if a drill's newest backup were restored
// now, as far as outside records know. No report is kept: it is no drill.
func (h *Home) Witness(ctx context.Context, name string) error {
	r, err := h.look(ctx, "witness", name, drill.Witness)
	if err != nil {
		return err
	}
	if err := report.Witness(h.Stdout, r, h.terminal()); err != nil {
		h.Log.Warn("print what witnesses said", "drill", r.Drill, "err", err)
	}
	return h.conclude([]*verdict.Report{r})
}
