package harness

import (
	"strings"
	"testing"
	"time"

	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// Where the key is not here, a report that says that a drill passed may be anybody's.
func TestDueBelievesNoReportThatNobodySigned(t *testing.T) {
	t.Parallel()
	h, _ := pageHome(t)
	err := h.keepHere(ran("shop", verdict.Pass, 0), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	d := &spec.Drill{Name: "shop", ProvenWithin: time.Hour}
	if due, is := h.due(t.Context(), d); is {
		t.Errorf("%+v", due)
	}
	d.History.KeyEnv = "REPORT_KEY"
	if due, is := h.due(t.Context(), d); !is || !strings.Contains(due.Note, "it is not known when shop last passed") {
		t.Errorf("%v, %+v", is, due)
	}
}
