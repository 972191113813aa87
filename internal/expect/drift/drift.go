// Package drift judges what became of a number since past drills that passed: of
// a table's rows, of a backup's size. It asks no store and no server, and never
// decides which number is compared.
package drift

import (
	"fmt"
	"math"
	"strconv"

	"daybefore/internal/history"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// Measured is a number that drifts, and the words for it.
type Measured struct {
	Value      int64
	Subject    string             // "public.orders holds"
	Show       func(int64) string // "400 rows"
	Less, More string             // "fewer", "more"
	Dropped    string             // the hint where it became less …
	Risen      string             // … or more
	// Of gives the number in a past report, false where it has none.
	Of func(*verdict.Report) (int64, bool)
}

// Judge says how a number changed since past drills that passed, or since a
// change of it that was accepted. Where there is too little to compare with
// the check is skipped.
func Judge(c *verdict.Check, d spec.Drift, past history.Past, m Measured) {
	c.Expected = allowed(d, m)
	c.Change = &verdict.Change{To: strconv.FormatInt(m.Value, 10)}
	points := past.Series(c.ID, max(d.Median, d.MinHistory, 1), m.Of)
	if TooLittle(c, past, points, d.MinHistory, m.Show(m.Value)) {
		return
	}
	points = points[:min(len(points), max(d.Median, 1))]
	NoteAccepted(c, past, points)
	base := history.Median(points)
	c.Change.Baseline = points[0].Run
	c.Change.From = strconv.FormatInt(base, 10)
	percent := (float64(m.Value) - float64(base)) * 100 / float64(base)
	switch {
	case m.Value == base:
		percent = 0
	case base == 0:
		percent = math.Inf(1)
	}
	observed := fmt.Sprintf("%s (%s)", m.Show(m.Value), m.changed(percent, base))
	outcome := outcomeOf(d, percent)
	if outcome == verdict.Pass {
		c.Pass(observed)
		return
	}
	hint := m.Dropped
	if percent > 0 {
		hint = m.Risen
	}
	c.Say(outcome, observed, hint+"; "+AcceptHint, "%s %s: %s, %s", m.Subject, m.Show(m.Value),
		m.changed(percent, base), comparedWith(points))
}

// AcceptHint is how a change that was meant is accepted, with a line to be copied.
const AcceptHint = "if it was meant, accept it:\n" + `bin/drill accept -name=DRILL -check=ID -why="…"`

// TooLittle skips a check that has nothing, or not enough, to be compared with.
func TooLittle(c *verdict.Check, past history.Past, points []history.Point, least int, observed string) bool {
	const next = "nothing is wrong; later drills are compared with this one, if it passes"
	accepted := len(points) > 0 && points[len(points)-1].Accepted
	switch {
	case past.Problem != nil:
		c.Say(verdict.Skipped, observed, "see the check history", "not compared, since the past could not be read")
	case len(points) == 0:
		c.Say(verdict.Skipped, observed, next,
			"no history yet: no earlier drill that passed says anything to compare with")
	case len(points) < least && !accepted: // what a person accepted is history enough
		c.Say(verdict.Skipped, observed, next,
			"no history yet: of the %d drills that must have passed (min_history) there are %d", least, len(points))
	default:
		return false
	}
	return true
}

// NoteAccepted shows a change that was accepted, where it is compared with.
func NoteAccepted(c *verdict.Check, past history.Past, points []history.Point) {
	if a := past.AcceptedFor(c.ID); a != nil && points[len(points)-1].Accepted {
		c.Accepted = a.Note()
	}
}

func outcomeOf(d spec.Drift, percent float64) verdict.Outcome {
	if percent < 0 && d.Direction == spec.DirectionRise || percent > 0 && d.Direction == spec.DirectionDrop {
		return verdict.Pass
	}
	by := math.Abs(percent)
	switch {
	case d.FailPercent != nil && by > *d.FailPercent:
		return verdict.Fail
	case d.WarnPercent != nil && by > *d.WarnPercent:
		return verdict.Warn
	}
	return verdict.Pass
}

// changed says how much the number differs from what it is compared with.
func (m Measured) changed(percent float64, base int64) string {
	switch {
	case percent == 0:
		return "unchanged"
	case math.IsInf(percent, 0):
		return m.More + " than " + m.Show(base)
	case percent < 0:
		return fmt.Sprintf("%s %% %s than %s", digits(-percent), m.Less, m.Show(base))
	}
	return fmt.Sprintf("%s %% %s than %s", digits(percent), m.More, m.Show(base))
}

// digits writes a percentage to the tenth, and never one that is none as 0.
func digits(percent float64) string {
	if percent < 0.1 {
		return "less than 0.1"
	}
	return strconv.FormatFloat(math.Round(percent*10)/10, 'f', -1, 64)
}

func comparedWith(points []history.Point) string {
	last := points[0]
	switch {
	case len(points) > 1:
		return fmt.Sprintf("the median of the last %d drills that passed", len(points))
	case last.Accepted:
		return "which was accepted after the run " + last.Run
	default:
		return "as in the last drill that passed (" + last.Run + ")"
	}
}

// allowed is what the drill file says: at most 5 % (warn), 10 % fewer
// than the median of 7 drills that passed.
func allowed(d spec.Drift, m Measured) string {
	limits := ""
	switch {
	case d.FailPercent == nil:
		limits = fmt.Sprintf("%v %% (warn)", *d.WarnPercent)
	case d.WarnPercent == nil:
		limits = fmt.Sprintf("%v %%", *d.FailPercent)
	default:
		limits = fmt.Sprintf("%v %% (warn), %v %% (fail)", *d.WarnPercent, *d.FailPercent)
	}
	way := map[string]string{spec.DirectionDrop: m.Less, spec.DirectionRise: m.More}[d.Direction]
	if way == "" {
		way = m.Less + " or " + m.More
	}
	than := "the last drill that passed"
	if d.Median > 0 {
		than = fmt.Sprintf("the median of %d drills that passed", d.Median)
	}
	return fmt.Sprintf("at most %s %s than in %s", limits, way, than)
}
