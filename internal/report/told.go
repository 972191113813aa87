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

// muted says until when nobody is told of a check, who wanted that and why.
func muted(m verdict.Muted) string {
	return clean("until " + instant(m.Until) + ", by " + m.Who + ": " + m.Why)
}

// mutes are all of them, a line each.
func mutes(r *verdict.Report) (says []string) {
	for _, m := range r.Muted {
		says = append(says, clean(m.Check)+" "+muted(m))
	}
	return says
}
