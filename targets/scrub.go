package targets

import (
	"context"

	"github.com/magefile/mage/mg"

	"daybefore/internal/harness"
)

// Scrub helps to write the rules of a drill's scrub.
type Scrub mg.Namespace

// Draft writes the scrub section for -name's newest backup to stdout, for review: a rule for each
// column that looks sensitive and has none.
func (Scrub) Draft(ctx context.Context, name *string) error {
	return harness.Tell("scrub:draft", func(h *harness.Home) error { return h.ScrubDraft(ctx, value(name)) })
}

// Show prints what the values of each column under a rule are like, in -name's newest backup,
// before and after the scrub: lengths and counts, never a value.
func (Scrub) Show(ctx context.Context, name *string) error {
	return harness.Tell("scrub:show", func(h *harness.Home) error { return h.ScrubShow(ctx, value(name)) })
}
