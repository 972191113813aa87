package expect

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"daybefore/internal/spec"
	"daybefore/internal/spec/amount"
	"daybefore/internal/spec/calendar"
	"daybefore/internal/verdict"
)

// clock is how a column tells a time.
type clock int

const (
	clockUnknown clock = iota
	clockInstant       // timestamp with time zone
	clockWall          // timestamp without time zone
	clockDay           // date
	clockNumber        // since 1970, in a unit
)

// clocks by the OID of a built-in type.
var clocks = map[string]clock{
	"1184": clockInstant, "1114": clockWall, "1082": clockDay,
	"21": clockNumber, "23": clockNumber, "20": clockNumber, "1700": clockNumber, "700": clockNumber,
	"701": clockNumber,
}

// newestOf gives seconds since 1970 as text; %s is the column. Wall clocks and
// days are counted as if they were in UTC.
var newestOf = map[clock]string{
	clockInstant: "extract(epoch from pg_catalog.max((%s)::pg_catalog.timestamptz))",
	clockWall:    "extract(epoch from pg_catalog.max((%s)::pg_catalog.timestamp))",
	clockDay:     "extract(epoch from pg_catalog.max((%s)::pg_catalog.date)::pg_catalog.timestamp)",
	clockNumber:  "pg_catalog.max(%s)::pg_catalog.float8",
}

// unitsASecond of a number.
var unitsASecond = map[string]float64{"s": 1, "ms": 1e3, "us": 1e6, "ns": 1e9}

// freshness judges the newest time in a column against asOf. A date stands
// for its whole day: it is as old as the day's end, and in the future only if
// the day has not begun. A row without a time does not count; no row at all,
// or one from the future, is a failure.
func freshness(t spec.Table, o Options) pendingCheck {
	f := *t.Freshness
	asOf := o.asOf()
	return pendingCheck{
		Check: verdict.Check{ID: "freshness:" + t.Table.String(), Code: verdict.CodeFreshness,
			Expected: freshEnough(f, asOf.from)},
		plain: true,
		judge: ofTable(t, o, func(ctx context.Context, q *query, r relation, c *verdict.Check) error {
			how, err := clockOf(ctx, q, t, c, o)
			if err != nil {
				return err
			}
			path := r.whose()
			if f.Where != "" {
				path = theirs
			}
			seconds, some, err := askNewest(ctx, q, t, path, how)
			if path == theirs {
				q.tellPath(c, o)
			}
			switch {
			case err != nil:
				return err
			case !some:
				judgeNone(c, t)
			default:
				judgeNewest(c, t, asOf, spanOf(how, f, seconds))
			}
			return nil
		}),
	}
}

// asOf is what freshness is judged against: a moment, or, where only its day is
// known, when it may have been.
func (o Options) asOf() span {
	if o.AsOfUntil.After(o.AsOf) {
		return span{from: o.AsOf, to: o.AsOfUntil}
	}
	return span{from: o.AsOf, to: o.AsOf}
}

func freshEnough(f spec.Freshness, asOf time.Time) string {
	at := asOf.UTC().Format(minute)
	switch {
	case f.FailAfter == 0:
		return fmt.Sprintf("newest row at most %s before %s (warn)", amount.Span(f.WarnAfter), at)
	case f.WarnAfter == 0:
		return fmt.Sprintf("newest row at most %s before %s", amount.Span(f.FailAfter), at)
	}
	return fmt.Sprintf("newest row at most %s (warn), %s (fail) before %s", amount.Span(f.WarnAfter),
		amount.Span(f.FailAfter), at)
}

const minute = "2006-01-02 15:04 MST"

// clockOf finds out how the column tells a time, and refuses what the drill
// file says too little or too much about.
func clockOf(ctx context.Context, q *query, t spec.Table, c *verdict.Check, o Options) (clock, error) {
	f := *t.Freshness
	column := t.Table.Column(t.Freshness.Column)
	refuse := func(hint, format string, args ...any) (clock, error) {
		return clockUnknown, verdict.Errorf(verdict.CodeFreshness, hint+" in the drill file",
			"%s (%v)", fmt.Sprintf(format, args...), t.Pos)
	}
	of, err := fileColumn{verdict.CodeFreshness, "freshness.column", t.Pos, t.Table, f.Column}.find(ctx, q, c, o)
	if err != nil {
		return clockUnknown, err
	}
	kind := of.name
	how := clocks[of.oid]
	switch {
	case how == clockUnknown:
		return refuse("choose a timestamp, a date or a number for freshness.column",
			"%s is of type %s, which tells no time", column, kind)
	case how == clockNumber && f.Unit == "":
		return refuse("add unit: s, ms, us or ns", "%s is of type %s, which does not tell its unit", column, kind)
	case how != clockNumber && f.Unit != "":
		return refuse("remove unit", "%s is of type %s, and unit is for numbers", column, kind)
	case (how == clockWall || how == clockDay) && f.Location == nil:
		return refuse("add timezone: the zone in which the application writes it, such as Europe/Berlin or UTC",
			"%s is of type %s, which has no time zone", column, kind)
	default:
		return how, nil
	}
}

// askNewest gives the newest time as seconds, or as units of a number; some is
// false where no row has one.
func askNewest(ctx context.Context, q *query, t spec.Table, path whose, how clock) (seconds float64, some bool,
	err error) {
	f := *t.Freshness
	sql := "select " + fmt.Sprintf(newestOf[how], pgx.Identifier{f.Column}.Sanitize()) + " from " + identifier(t.Table)
	if f.Where != "" {
		sql += " where (\n" + f.Where + "\n)"
	}
	text, err := q.valueUnder(ctx, path, sql)
	if err != nil {
		return 0, false, verdict.Errorf(verdict.CodeFreshness,
			"look at freshness in the drill file, first of all at its where",
			"ask %s for its newest row (%v): %w", t.Table, t.Pos, err)
	}
	if text == nil {
		return 0, false, nil
	}
	seconds, err = strconv.ParseFloat(string(text), 64)
	if err != nil {
		return 0, false, fmt.Errorf("ask %s for its newest row: the server's answer is no number", t.Table)
	}
	return seconds, true, nil
}

// span is when the newest row may have been written: a moment, or a day.
type span struct {
	from, to time.Time
	endless  string // what stands there instead: infinity, -infinity, or a number that is no time
}

func (s span) isDay() bool { return !s.from.Equal(s.to) }

func spanOf(how clock, f spec.Freshness, seconds float64) span {
	const lastYear = 9999 // the last that is written with four digits
	if how == clockNumber {
		seconds /= unitsASecond[f.Unit]
	}
	whole, fraction := math.Modf(seconds)
	if math.IsNaN(seconds) || math.Abs(seconds) > 1e15 || time.Unix(int64(whole), 0).UTC().Year() > lastYear {
		return span{endless: endless(seconds)}
	}
	at := time.Unix(int64(whole), int64(fraction*1e9)).UTC()
	switch how {
	case clockWall:
		at = calendar.InZone(at, f.Location)
	case clockDay:
		return span{from: calendar.Day.Begin(at, f.Location), to: calendar.Day.Begin(at.AddDate(0, 0, 1), f.Location)}
	}
	return span{from: at, to: at}
}

// beforeAll is what PostgreSQL calls the time before all others.
const beforeAll = "-infinity"

// endless says what stands where a moment should.
func endless(seconds float64) string {
	switch {
	case math.IsInf(seconds, -1):
		return beforeAll
	case math.IsInf(seconds, 1):
		return "infinity"
	}
	return "no time"
}

func judgeNone(c *verdict.Check, t spec.Table) {
	which := "whose"
	if t.Freshness.Where != "" {
		which = "that meets its where and whose"
	}
	c.Say(verdict.Fail, "no row",
		"a table that is never empty in production came back empty, or the column was never filled",
		"%s has no row %s %s is set", t.Table, which, t.Freshness.Column)
}

// judgeNewest judges a row by its least age. Where asOf is only known to lie on
// a day, rows of that day are as new as can be told; of an older one that may
// be too old by the day's end it is said that nobody knows.
func judgeNewest(c *verdict.Check, t spec.Table, asOf, newest span) {
	f := *t.Freshness
	if newest.endless != "" || newest.from.Sub(asOf.to) > f.MaxFuture {
		judgeFuture(c, t, asOf.to, newest)
		return
	}
	age := asOf.from.Sub(newest.from)
	written := newest.from.UTC().Format(minute)
	if newest.isDay() {
		age = max(asOf.from.Sub(newest.to), 0)
		written = newest.from.Format(time.DateOnly)
	}
	age = age.Truncate(time.Second) // as it is shown
	most := age + asOf.to.Sub(asOf.from)
	observed := fmt.Sprintf("%s (%s)", agoText(age), written)
	const hint = "the backup is younger than its data: it was dumped from a stale copy, or nothing is " +
		"written in production any more"
	switch {
	case f.FailAfter > 0 && age > f.FailAfter:
		c.Say(verdict.Fail, observed, hint, "the newest row of %s is %s older than the %s allowed", t.Table,
			amount.Span(age-f.FailAfter), amount.Span(f.FailAfter))
	case f.WarnAfter > 0 && age > f.WarnAfter:
		c.Say(verdict.Warn, observed, hint, "the newest row of %s is %s older than the %s after which it warns",
			t.Table, amount.Span(age-f.WarnAfter), amount.Span(f.WarnAfter))
	case age > 0 && (f.FailAfter > 0 && most > f.FailAfter || f.WarnAfter > 0 && most > f.WarnAfter):
		c.Say(verdict.Warn, observed, "only the backup's day is known: write the hour into its name and into "+
			"source.time, or allow a day more",
			"the newest row of %s is %s to %s old: it may be too old", t.Table, amount.Span(age),
			amount.Span(most))
	default:
		c.Pass(observed)
	}
}

// judgeFuture: one row from the future would make a table fresh for ever.
func judgeFuture(c *verdict.Check, t spec.Table, asOf time.Time, newest span) {
	const hint = "a wrong clock, time zone or unit; or a date that is meant to lie ahead, which " +
		"freshness.where can leave out"
	switch newest.endless {
	case "":
	case beforeAll: // the greatest, so that there is no other
		c.Say(verdict.Fail, newest.endless,
			"judge by another column, or find out what writes it: in every row it is -infinity, or null",
			"%s has no row whose %s is a moment in time", t.Table, t.Freshness.Column)
		return
	default:
		c.Say(verdict.Fail, newest.endless, hint,
			"the newest row of %s is one whose %s is no moment in time, and hides how old the others are", t.Table,
			t.Freshness.Column)
		return
	}
	ahead := newest.from.Sub(asOf).Truncate(time.Second)
	c.Say(verdict.Fail, fmt.Sprintf("%s (%s)", agoText(-ahead), newest.from.UTC().Format(minute)), hint,
		"the newest row of %s is %s in the future (allowed: %s), and hides how old the others are", t.Table,
		amount.Span(ahead), amount.Span(t.Freshness.MaxFuture))
}

// agoText writes an age: 2h14m before, 3s after.
func agoText(age time.Duration) string {
	if age < 0 {
		return amount.Span(-age) + " after"
	}
	return amount.Span(age) + " before"
}
