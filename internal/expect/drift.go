package expect

import (
	"context"
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

// Drift judges how a number changed since past drills that passed, or since a
// change of it that was accepted. Where there is too little to compare with
// the check is skipped.
func Drift(c *verdict.Check, d spec.Drift, past history.Past, m Measured) {
	c.Expected = allowedDrift(d, m)
	c.Change = &verdict.Change{To: strconv.FormatInt(m.Value, 10)}
	points := past.Series(c.ID, max(d.Median, d.MinHistory, 1), m.Of)
	if tooLittle(c, past, points, d.MinHistory, m.Show(m.Value)) {
		return
	}
	points = points[:min(len(points), max(d.Median, 1))]
	noteAccepted(c, past, points)
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
	outcome := driftOutcome(d, percent)
	if outcome == verdict.Pass {
		c.Pass(observed)
		return
	}
	hint := m.Dropped
	if percent > 0 {
		hint = m.Risen
	}
	c.Say(outcome, observed, hint+"; "+acceptHint, "%s %s: %s, %s", m.Subject, m.Show(m.Value),
		m.changed(percent, base), comparedWith(points))
}

const acceptHint = `if it was meant, accept it: drill accept -name=DRILL -check=ID -why="…"`

// tooLittle skips a check that has nothing, or not enough, to be compared with.
func tooLittle(c *verdict.Check, past history.Past, points []history.Point, least int, observed string) bool {
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

// noteAccepted shows a change that was accepted, where it is compared with.
func noteAccepted(c *verdict.Check, past history.Past, points []history.Point) {
	if a := past.AcceptedFor(c.ID); a != nil && points[len(points)-1].Accepted {
		c.Accepted = a.Note()
	}
}

func driftOutcome(d spec.Drift, percent float64) verdict.Outcome {
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

// allowedDrift is what the drill file says: at most 5 % (warn), 10 % fewer
// than the median of 7 drills that passed.
func allowedDrift(d spec.Drift, m Measured) string {
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

// rowCountChange compares a table's rows with those of past drills.
func rowCountChange(t spec.Table, o Options) pendingCheck {
	id := "row_count_change:" + t.Table.String()
	return pendingCheck{
		Check: verdict.Check{ID: id, Code: verdict.CodeRowCountChange},
		plain: true,
		judge: ofTable(t, o, func(ctx context.Context, q *query, r relation, c *verdict.Check) error {
			n, alike, err := rowsOf(ctx, q, t, r, o.Held)
			if err != nil {
				return err
			}
			Drift(c, *t.RowCountChange, o.Past, Measured{
				Value: n, Subject: t.Table.String() + " holds", Show: rowsInWords, Less: "fewer", More: "more",
				Dropped: "find out who deleted them in production, or why the backup lacks them, " +
					"before this backup is trusted",
				Risen: "rows may have been loaded twice, or something writes many more than it did",
				Of:    func(r *verdict.Report) (int64, bool) { return pastRows(o.memory.of(r), id, t.Table, alike) },
			})
			return nil
		}),
	}
}

func rowsInWords(n int64) string {
	if n == 1 {
		return "1 row"
	}
	return fmt.Sprintf("%d rows", n)
}

// pastRows is how many rows a table had in a past drill: what this check saw
// then, else what row_count did, else what the restore counted, where it
// counted alike.
func pastRows(r *recalled, id string, table spec.Name, alike bool) (int64, bool) {
	if c := r.checks[id]; c != nil && c.Change != nil {
		return history.Number(c.Change.To)
	}
	if c := r.checks["row_count:"+table.String()]; c != nil && c.Observed != "" {
		return history.Number(c.Observed)
	}
	if t := r.tables[table.Schema+"."+table.Table]; alike && t != nil && !t.Excluded {
		return t.RowsHeld, true
	}
	return 0, false
}
