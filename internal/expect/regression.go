package expect

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"daybefore/internal/expect/drift"
	"daybefore/internal/history"
	"daybefore/internal/spec"
	"daybefore/internal/spec/amount"
	"daybefore/internal/verdict"
)

// greatest gives the greatest value of a column as a mark; %s is the column.
// What is no moment comes as PostgreSQL writes it.
// Casts are none, since a backup may bring one from any type to text.
var greatest = map[clock]string{
	clockInstant: `case when pg_catalog.isfinite(m) then pg_catalog.to_char(m at time zone 'UTC', ` +
		`'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') ` + asWritten,
	clockWall: `case when pg_catalog.isfinite(m) then pg_catalog.to_char(m, 'YYYY-MM-DD"T"HH24:MI:SS.US') ` +
		asWritten,
	clockDay: `case when pg_catalog.isfinite(m) then pg_catalog.to_char(m::pg_catalog.timestamp, 'YYYY-MM-DD') ` +
		asWritten,
	clockNumber: `case ` + asWritten,
}

const asWritten = "when m is not null then pg_catalog.format('%%s', m) end"

// integers are the built-in types, by OID, in which ids grow.
var integers = map[string]bool{"21": true, "23": true, "20": true}

// maxRegression judges whether the greatest value of a column went back since
// the last drill that passed, as it does where a disk went back in time.
func maxRegression(t spec.Table, o Options) pendingCheck {
	return pendingCheck{
		Check: verdict.Check{
			ID: "max_regression:" + t.Table.String(), Code: verdict.CodeMaxRegression,
			Expected: "the newest " + t.MaxRegression.Column + " not before that of the last drill that passed" +
				tolerated(*t.MaxRegression),
		},
		plain: true,
		judge: ofTable(t, o, func(ctx context.Context, q *query, r relation, c *verdict.Check) error {
			how, err := growsBy(ctx, q, t, c, o)
			if err != nil {
				return err
			}
			mark, err := askGreatest(ctx, q, t, r.whose(), how)
			if err != nil {
				return err
			}
			judgeRegression(c, t, how, mark, o)
			return nil
		}),
	}
}

func tolerated(r spec.Regression) string {
	switch {
	case r.Time > 0:
		return " by more than " + amount.Span(r.Time)
	case r.IDs > 0:
		return fmt.Sprintf(" by more than %d", r.IDs)
	}
	return ""
}

// growsBy finds out whether the column holds times or integers, and whether
// the report may say them.
func growsBy(ctx context.Context, q *query, t spec.Table, c *verdict.Check, o Options) (clock, error) {
	r := *t.MaxRegression
	column := t.Table.Column(t.MaxRegression.Column)
	refuse := func(hint, format string, args ...any) (clock, error) {
		return clockUnknown, verdict.Errorf(verdict.CodeMaxRegression, hint+" in the drill file",
			"%s (%v)", fmt.Sprintf(format, args...), r.Pos)
	}
	of, err := fileColumn{verdict.CodeMaxRegression, "max_regression.column", r.Pos, t.Table, r.Column}.find(ctx,
		q, c, o)
	if err != nil {
		return clockUnknown, err
	}
	kind, how := of.name, clocks[of.oid]
	switch {
	case how == clockUnknown, how == clockNumber && !integers[of.oid]:
		return refuse("choose a timestamp, a date or an integer for max_regression.column",
			"%s is of type %s, of which nothing is the newest", column, kind)
	case how == clockNumber && r.Time > 0:
		return refuse("write max_regression.tolerance as a whole number, such as 100,",
			"%s is of type %s, and its tolerance a time", column, kind)
	case how != clockNumber && r.IDs > 0:
		return refuse("write max_regression.tolerance as a duration, such as 90s,",
			"%s is of type %s, and its tolerance a number", column, kind)
	case how == clockNumber && (o.Shown == nil || !o.Shown(t.Table.Schema, t.Table.Table, r.Column)):
		return refuse(fmt.Sprintf(`add {column: %s, preserve: true, why: "a number, no identity"} to scrub.rules`,
			column),
			"%s is to be kept in the report, and is not preserved with a why", column)
	}
	return how, nil
}

// askGreatest gives the greatest value; empty where no row has one.
func askGreatest(ctx context.Context, q *query, t spec.Table, path whose, how clock) (string, error) {
	text, err := q.valueUnder(ctx, path,
		fmt.Sprintf("select "+greatest[how]+" from (select pg_catalog.max(%s) from %s) g(m)",
			pgx.Identifier{t.MaxRegression.Column}.Sanitize(), identifier(t.Table)))
	if err != nil {
		return "", verdict.Errorf(verdict.CodeMaxRegression, "look at max_regression in the drill file",
			"ask %s for its newest row (%v): %w", t.Table, t.MaxRegression.Pos, err)
	}
	return string(text), nil
}

func judgeRegression(c *verdict.Check, t spec.Table, how clock, mark string, o Options) {
	column := t.MaxRegression.Column
	now, isMark := history.Number(mark)
	if mark != "" && !isMark {
		c.Say(verdict.Error, mark, "judge by another column, or find out what writes it",
			"the newest %s of %s is no moment in time, and hides the others", column, t.Table)
		return
	}
	c.Change = &verdict.Change{To: mark}
	if isMark && o.Mark != nil {
		o.Mark(verdict.Mark{Table: t.Table.String(), Column: column, Newest: mark})
	}
	points := o.Past.Series(c.ID, 1, func(r *verdict.Report) (int64, bool) { return pastMark(o.memory.of(r), t, how) })
	if drift.TooLittle(c, o.Past, points, 1, shownMark(how, mark, now)) {
		return
	}
	last := points[:1]
	drift.NoteAccepted(c, o.Past, last)
	before := last[0].Value
	c.Change.Baseline = last[0].Run
	c.Change.From = markText(how, before)
	const hint = "what was dumped went back in time: look for a disk, a replica or a restore in production that " +
		"lacks what was there at the last drill"
	switch {
	case mark == "":
		c.Say(verdict.Fail, "no row", hint+"; "+drift.AcceptHint,
			"%s has no row whose %s is set, and the newest in the last drill that passed (%s) was %s",
			t.Table, column, last[0].Run, shownMark(how, c.Change.From, before))
	case before-now > allowedBack(how, *t.MaxRegression):
		c.Say(verdict.Fail, shownMark(how, mark, now), hint+"; "+drift.AcceptHint,
			"the newest %s of %s is %s, %s before that of the last drill that passed (%s, %s)",
			column, t.Table, shownMark(how, mark, now), distance(how, before-now),
			shownMark(how, c.Change.From, before), last[0].Run)
	default:
		c.Pass(shownMark(how, mark, now))
	}
}

func allowedBack(how clock, r spec.Regression) int64 {
	if how == clockNumber {
		return r.IDs
	}
	return r.Time.Microseconds()
}

// pastMark is the column's mark in a past report, if it is of the same kind.
func pastMark(r *recalled, t spec.Table, how clock) (int64, bool) {
	newest, known := r.marks[columnName{t.Table.String(), t.MaxRegression.Column}]
	if !known {
		return 0, false
	}
	_, err := strconv.ParseInt(newest, 10, 64)
	n, ok := history.Number(newest)
	return n, ok && (err == nil) == (how == clockNumber)
}

// markText writes a number as the mark that it was.
func markText(how clock, n int64) string {
	const wall = "2006-01-02T15:04:05.000000"
	switch at := time.UnixMicro(n).UTC(); how {
	case clockInstant:
		return at.Format(wall + "Z")
	case clockWall:
		return at.Format(wall)
	case clockDay:
		return at.Format(time.DateOnly)
	}
	return strconv.FormatInt(n, 10)
}

// shownMark writes a mark for people.
func shownMark(how clock, mark string, n int64) string {
	at := time.UnixMicro(n).UTC()
	switch {
	case mark == "":
		return "no row"
	case how == clockInstant:
		return at.Format("2006-01-02 15:04:05 MST")
	case how == clockWall:
		return at.Format(time.DateTime)
	}
	return mark
}

// distance writes how far two marks lie apart.
func distance(how clock, n int64) string {
	d := time.Duration(n) * time.Microsecond
	switch {
	case how == clockNumber:
		return strconv.FormatInt(n, 10)
	case d < time.Second:
		return d.String()
	default:
		return amount.Span(d)
	}
}
