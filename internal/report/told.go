package report

import (
	"strings"

	"daybefore/internal/verdict"
)

// whoWasTold says who was told of the drill, and what.
func whoWasTold(r *verdict.Report) (says []string) {
	for _, n := range r.Notified {
		if len(n.Told) > 0 {
			says = append(says, n.By+": "+strings.Join(n.Told, ", "))
		}
	}
	return says
}

// whoWasNot says who was not told, and why.
func whoWasNot(r *verdict.Report) (says []string) {
	for _, n := range r.Notified {
		if n.Failed != "" {
			says = append(says, strings.TrimSuffix(n.By+": "+n.Failed+"; "+n.Hint, "; "))
		}
	}
	return says
}
