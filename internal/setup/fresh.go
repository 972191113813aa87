package setup

import (
	"regexp"
	"time"

	"daybefore/internal/setup/figures"
	"daybefore/internal/spec"
	"daybefore/internal/spec/amount"
	"daybefore/internal/spec/calendar"
)

const (
	leastTimes = 20 // rows of a table in which a newest one tells something
	ahead      = 5 * time.Minute
)

// clock is a column that tells when rows were written.
type clock struct {
	*figures.Column
	unit string // of a number; empty for times
}

// newest is the column that tells best when a table was last written to, and how far that
// lies behind the backup; nil and -1 where none does.
func (t *tables) newest(one *figures.Table) (best *clock, lag time.Duration) {
	lag = -1
	if one.Rows < leastTimes {
		return nil, lag
	}
	for _, c := range one.Columns {
		k, behind := t.behind(c)
		if k != nil && (best == nil || behind < lag) {
			best, lag = k, behind
		}
	}
	return best, lag
}

// behind is how far a column's newest value lies behind the backup; nil where it
// tells no time at which rows are written: what lies ahead of the backup is a plan.
func (t *tables) behind(c *figures.Column) (*clock, time.Duration) {
	if c.Values < leastTimes || c.Endless || t.Plan.Rule(c.Column) != nil {
		return nil, 0
	}
	k := &clock{Column: c}
	at := c.Newest
	switch {
	case c.IsInteger():
		at, k.unit = epoch(c.Name, c.Largest, t.Backup.TakenAt)
		if k.unit == "" {
			return nil, 0
		}
	case !c.IsTime():
		return nil, 0
	case !c.Zoned():
		at = calendar.InZone(at, t.Zone)
	}
	until := t.Backup.TakenAt
	if t.Backup.TakenUntil.After(until) {
		until = t.Backup.TakenUntil
	}
	if at.After(until.Add(ahead)) {
		return nil, 0
	}
	lag := max(0, t.Backup.TakenAt.Sub(at))
	return k, lag
}

var timely = regexp.MustCompile(
	`(?i)(?:^|_)(?:at|on|time|ts|clock|timestamp|created|updated|changed|modified|date|ms|when|lastaccess)$`)

// epoch reads a number as a time since 1970, where a column is called as one of
// times and its largest number is one of the last years before the backup.
func epoch(name string, n int64, taken time.Time) (at time.Time, unit string) {
	if !timely.MatchString(name) {
		return at, ""
	}
	const years = 10 * 365 * day
	for _, u := range []struct {
		name string
		unit time.Duration
	}{{"s", time.Second}, {"ms", time.Millisecond}, {"us", time.Microsecond}, {"ns", time.Nanosecond}} {
		at = time.Unix(0, 0).Add(time.Duration(n) * u.unit)
		overflows := n > int64((1<<63-1)/u.unit)
		if !overflows && (taken.Sub(at)).Abs() < years {
			return at.UTC(), u.name
		}
	}
	return at, ""
}

// writeFreshness writes how old the newest row may be, where the table is written
// all the time.
func (t *tables) writeFreshness(out *text, one *figures.Table) {
	k, lag := t.newest(one)
	switch {
	case k == nil:
		return
	case lag > longestLag:
		out.why("      ", "no freshness: the newest %s is %s before the backup", k.Name, about(lag))
		return
	}
	told := lag
	if k.IsDay() { // whatever its hour
		told += day
	}
	warn, fail := limits(told)
	more := ""
	switch {
	case k.unit != "":
		more = ", unit: " + k.unit
	case !k.Zoned():
		more = ", timezone: " + t.Zone.String()
		t.askZone(out, k)
	}
	out.why("      ", "the newest row is %s before the backup; three times that warns (6h at least), six times that "+
		"fails (1d at least)", lagText(lag))
	out.add("      freshness: {column: %s, warn_after: %s, fail_after: %s%s}", spec.YAMLText(spec.Dotted(k.Name)),
		amount.Span(warn), amount.Span(fail), more)
}

// askZone asks once: an application writes all of them alike.
func (t *tables) askZone(out *text, k *clock) {
	if !t.askedZone {
		t.askedZone = true
		out.askAt(len(out.lines)+2, "%s tells no zone, as others may not: does the application write it in %s?",
			k.Dotted(), t.Zone)
	}
}

func lagText(lag time.Duration) string {
	if lag < time.Minute {
		return "less than a minute"
	}
	return about(lag)
}
