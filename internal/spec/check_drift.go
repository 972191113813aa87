package spec

import (
	"regexp"
	"strconv"

	"daybefore/internal/spec/amount"
)

var medianOf = regexp.MustCompile(`^median\((\d+)\)$`)

// drift reads how much a number may change since past drills, and refuses
// limits that could never be seen.
func (c checker) drift(raw *rawDrift, key string) *Drift {
	if raw == nil {
		return nil
	}
	d := &Drift{
		Median:      c.against(raw.Against, key+".against"),
		Direction:   raw.Direction.or(DirectionAny),
		WarnPercent: c.percent(raw.WarnPercent, raw.Direction, key+".warn_percent"),
		FailPercent: c.percent(raw.FailPercent, raw.Direction, key+".fail_percent"),
		MinHistory:  int(raw.MinHistory.or(1)),
	}
	switch {
	case d.WarnPercent == nil && d.FailPercent == nil:
		c.refuse(raw.at, "write fail_percent: 10, warn_percent or both", "%s sets no limit", key)
	case d.WarnPercent != nil && d.FailPercent != nil && *d.WarnPercent >= *d.FailPercent:
		c.refuse(raw.WarnPercent.at, "let warn_percent be the smaller",
			"%s: warn_percent %v can never be seen beside fail_percent %v", key, *d.WarnPercent, *d.FailPercent)
	}
	if n := raw.MinHistory; n.given() && (n.Value < 1 || n.Value > MostPast) {
		c.refuse(n.at, "write 1 to "+strconv.Itoa(MostPast),
			"%s.min_history: %d is out of range: so many past drills are never looked at", key, n.Value)
	}
	return d
}

// against gives of how many drills the median is taken; 0 for the last alone.
func (c checker) against(t text, key string) int {
	if !t.given() || t.Value == "last" {
		return 0
	}
	m := medianOf.FindStringSubmatch(t.Value)
	if m == nil {
		c.refuse(t.at, "write last, or median(7)", "%s: %s is nothing to compare with", key, shown(t.Value))
		return 0
	}
	n, err := strconv.Atoi(m[1])
	if err != nil || n < 1 || n > MostPast {
		c.refuse(t.at, "write median(1) to median("+strconv.Itoa(MostPast)+")", "%s: %s is out of range", key, t.Value)
		return 0
	}
	return n
}

// percent refuses what no change can exceed: nothing loses more than all.
func (c checker) percent(n number, direction text, key string) *float64 {
	if !n.given() {
		return nil
	}
	switch {
	case n.Value < 0:
		c.refuse(n.at, "write 0 or more; direction says which way", "%s: no change is less than nothing", key)
	case n.Value >= 100 && direction.Value == DirectionDrop:
		c.refuse(n.at, "write less than 100", "%s: %v can never fail: no drop is of more than 100 %%", key, n.Value)
	}
	return n.pointer()
}

func (c checker) regression(raw *rawRegression) *Regression {
	if raw == nil {
		return nil
	}
	const key = "expectations.tables.max_regression"
	r := &Regression{Column: c.column(raw.Column, key+".column"), Pos: raw.at}
	if !raw.Tolerance.given() {
		return r
	}
	var isID, isTime bool
	if ids, err := strconv.ParseInt(raw.Tolerance.Value, 10, 64); err == nil && ids >= 0 {
		r.IDs, isID = ids, true
	} else {
		r.Time, isTime = amount.Duration(raw.Tolerance.Value)
	}
	if !isID && !isTime {
		c.refuse(raw.Tolerance.at, "write 0s, 90s or 6h for a time, 100 for an integer",
			"%s.tolerance: %s is neither a duration nor a whole number", key, shown(raw.Tolerance.Value))
	}
	return r
}
