package expect

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"daybefore/internal/history"
	"daybefore/internal/verdict"
)

// night is a report of so many days before asOf.
func night(daysAgo int, change func(*verdict.Report)) *verdict.Report {
	r := &verdict.Report{
		Schema: verdict.Schema, Drill: "test", Run: fmt.Sprintf("%dd-ago", daysAgo),
		Outcome: verdict.Pass, StartedAt: asOf.AddDate(0, 0, -daysAgo),
	}
	change(r)
	return r
}

// held are the rows of public.people in past drills, newest first.
func held(rows ...int64) (p history.Past) {
	for i, n := range rows {
		p.Passing = append(p.Passing, night(i+1, func(r *verdict.Report) { r.Tables = []verdict.Table{{Name: "public.people", RowsHeld: n}} }))
	}
	return p
}

// since is a past in which a change of people was accepted so many days ago.
func (a acceptedAt) since(p history.Past) history.Past {
	p.Accepted = []history.Acceptance{{
		Check: a.check, Run: "purge", From: a.from, To: a.to, Why: "old ones purged", Who: "ada@ops", At: asOf.Add(time.Hour).AddDate(0, 0, -a.daysAgo),
	}}
	return p
}

type acceptedAt struct {
	check, from, to string
	daysAgo         int
}

func testRowCountChange(t *testing.T, s server) {
	connect := s.database(t, "drifting", people) // 20 people
	const drop10 = "row_count_change: {direction: drop, warn_percent: 10, fail_percent: 50}"
	const lost = `public.people holds 20 rows: `
	purged := acceptedAt{check: "row_count_change:public.people", from: "100", to: "20", daysAgo: 1}
	for _, c := range []struct {
		name, declared string
		past           history.Past
		outcome        verdict.Outcome
		observed, says string
		accepted       bool
	}{
		{"first run", drop10, history.Past{}, verdict.Skipped, "20 rows", "no history yet", false},
		{"unread past", drop10, history.Past{Problem: verdict.Errorf(verdict.CodeHistory, "", "x")}, verdict.Skipped, "20 rows", "the past could not be read",
			false},
		{"unchanged", drop10, held(20), verdict.Pass, "20 rows (unchanged)", "", false},
		{"a tenth is allowed", drop10, held(22), verdict.Pass, "20 rows (9.1 % fewer than 22 rows)", "", false},
		{"warned", drop10, held(25), verdict.Warn, "20 rows (20 % fewer than 25 rows)",
			lost + "20 % fewer than 25 rows, as in the last drill that passed (1d-ago)", false},
		{"exactly half", drop10, held(40), verdict.Warn, "20 rows (50 % fewer than 40 rows)", lost, false},
		{"failed", drop10, held(41), verdict.Fail, "20 rows (51.2 % fewer than 41 rows)", lost, false},
		{"a rise, where drops are looked at", drop10, held(1), verdict.Pass, "20 rows (1900 % more than 1 row)", "", false},
		{"a rise", "row_count_change: {fail_percent: 99}", held(10), verdict.Fail, "20 rows (100 % more than 10 rows)", lost + "100 % more", false},
		{"a drop, where rises are looked at", "row_count_change: {direction: rise, fail_percent: 5}", held(100), verdict.Pass,
			"20 rows (80 % fewer than 100 rows)", "", false},
		{"from nothing", "row_count_change: {fail_percent: 1000}", held(0), verdict.Fail, "20 rows (more than 0 rows)", lost + "more than 0 rows", false},
		{"the median hides one odd night", "row_count_change: {against: median(3), fail_percent: 10}", held(100, 20, 20, 100, 100), verdict.Pass,
			"20 rows (unchanged)", "", false},
		{"against the median", "row_count_change: {against: median(3), fail_percent: 10}", held(20, 30, 40, 20, 20), verdict.Fail,
			"20 rows (33.3 % fewer than 30 rows)", lost + "33.3 % fewer than 30 rows, the median of the last 3 drills that passed", false},
		{"too few", "row_count_change: {against: median(3), fail_percent: 10, min_history: 3}", held(99, 99), verdict.Skipped, "20 rows",
			"no history yet: of the 3 drills that must have passed (min_history) there are 2", false},
		{"enough", "row_count_change: {against: median(3), fail_percent: 10, min_history: 3}", held(99, 99, 99), verdict.Fail,
			"20 rows (79.8 % fewer than 99 rows)", lost, false},
		{"a purge that was accepted", "row_count_change: {against: median(3), fail_percent: 10, min_history: 3}", purged.since(held(100, 100)), verdict.Pass,
			"20 rows (unchanged)", "", true},
		{"another drop after an accepted one", drop10, acceptedAt{purged.check, "100", "50", 1}.since(held(100, 100)), verdict.Fail,
			"20 rows (60 % fewer than 50 rows)", lost + "60 % fewer than 50 rows, which was accepted after the run purge", true},
		{"a later drill counts for more", drop10, acceptedAt{purged.check, "100", "20", 2}.since(held(60, 100)), verdict.Fail,
			"20 rows (66.7 % fewer than 60 rows)", lost, false},
		{"accepted for another table", drop10, acceptedAt{"row_count_change:public.orders", "100", "20", 1}.since(held(100)), verdict.Fail,
			"20 rows (80 % fewer than 100 rows)", lost, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e := drill(t, tables("{table: public.people, "+c.declared+"}")).Expectations
			restored := func(string, string) (int64, bool) { return 20, true }
			got := Run(t.Context(), connect, e, Options{AsOf: asOf, Past: c.past, Held: restored})[1]
			if got.Outcome != c.outcome || got.Observed != c.observed || !strings.Contains(got.Message, c.says) {
				t.Errorf("%s, observed %q: %q; want %s, %q and %q", got.Outcome, got.Observed, got.Message, c.outcome, c.observed, c.says)
			}
			if (got.Accepted != nil) != c.accepted || c.accepted && got.Accepted.Why != "old ones purged" {
				t.Errorf("accepted: %+v", got.Accepted)
			}
			if got.Change == nil || got.Change.To != "20" || (got.Change.Baseline == "") != (c.outcome == verdict.Skipped) {
				t.Errorf("change: %+v", got.Change)
			}
			if (got.Outcome == verdict.Pass) != (got.Hint == "") || got.Expected == "" {
				t.Errorf("expected %q, hint %q", got.Expected, got.Hint)
			}
		})
	}
	t.Run("a view has only what this check saw", func(t *testing.T) {
		t.Parallel()
		e := drill(t, tables("{table: public.names, "+drop10+"}")).Expectations
		first := Run(t.Context(), connect, e, Options{AsOf: asOf})[1]
		first.Change.To = "80"
		past := history.Past{Passing: []*verdict.Report{night(1, func(r *verdict.Report) {
			r.Tables = []verdict.Table{{Name: "public.names", RowsHeld: 3}}
			r.Checks = []verdict.Check{first}
		})}}
		if got := Run(t.Context(), connect, e, Options{AsOf: asOf, Past: past})[1]; got.Outcome != verdict.Fail ||
			!strings.Contains(got.Message, "75 % fewer than 80 rows") {
			t.Errorf("%s: %s", got.Outcome, got.Message)
		}
	})
}

// A table that was dropped on purpose is given up for good, until a drill sees
// it again.
func testTableDropped(t *testing.T, s server) {
	connect := s.database(t, "dropped", people)
	const id = "table_present:public.purged"
	seen := func(daysAgo int, accepted *verdict.Accepted) *verdict.Report {
		return night(daysAgo, func(r *verdict.Report) {
			r.Checks = []verdict.Check{{ID: id, Outcome: verdict.Pass, Accepted: accepted}}
		})
	}
	drop := func(daysAgo int, passing ...*verdict.Report) history.Past {
		return acceptedAt{check: id, from: "present", to: "missing", daysAgo: daysAgo}.since(history.Past{Passing: passing})
	}
	e := drill(t, tables("{table: public.purged}")).Expectations
	for name, c := range map[string]struct {
		past     history.Past
		outcome  verdict.Outcome
		baseline string
	}{
		"never seen":              {history.Past{}, verdict.Fail, ""},
		"seen last night":         {history.Past{Passing: []*verdict.Report{seen(1, nil)}}, verdict.Fail, "1d-ago"},
		"dropped on purpose":      {drop(0, seen(1, nil)), verdict.Pass, ""},
		"dropped some nights ago": {drop(3, seen(1, &verdict.Accepted{}), seen(2, &verdict.Accepted{}), seen(4, nil)), verdict.Pass, ""},
		"back, and gone again":    {drop(3, seen(1, nil), seen(4, nil)), verdict.Fail, "1d-ago"},
	} {
		got := Run(t.Context(), connect, e, Options{AsOf: asOf, Past: c.past})[0]
		if got.Outcome != c.outcome || got.Observed != "missing" || (got.Accepted != nil) != (c.outcome == verdict.Pass) {
			t.Errorf("%s: %+v", name, got)
		}
		if got.Change == nil && c.baseline != "" || got.Change != nil && got.Change.Baseline != c.baseline {
			t.Errorf("%s: change %+v, want one since %q", name, got.Change, c.baseline)
		}
	}
}

// testKindChanged has a view where past drills saw something else.
func testKindChanged(t *testing.T, s server) {
	connect := s.database(t, "replaced", "create view public.seen as select 1 as id")
	e := drill(t, tables("{table: public.seen}")).Expectations
	for name, c := range map[string]struct {
		kinds   []string // of the nights before, the last first
		outcome verdict.Outcome
	}{
		"never seen":                      {nil, verdict.Pass},
		"a view before":                   {[]string{"view", "table"}, verdict.Pass},
		"a table before":                  {[]string{"table"}, verdict.Warn},
		"a partitioned table before":      {[]string{"partitioned table", "view"}, verdict.Warn},
		"a table, and a night of nothing": {[]string{"", "table"}, verdict.Warn},
	} {
		var past history.Past
		for i, kind := range c.kinds {
			past.Passing = append(past.Passing, night(i+1, func(r *verdict.Report) {
				r.Checks = []verdict.Check{{ID: "table_present:public.seen", Outcome: verdict.Pass, Observed: kind}}
			}))
		}
		got := Run(t.Context(), connect, e, Options{AsOf: asOf, Past: past})[0]
		if got.Outcome != c.outcome || got.Observed != "view" ||
			strings.Contains(got.Message, "is a view now, and was a table") != (c.outcome == verdict.Warn) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

const visits = `
create domain public.moment as timestamptz;
create table public.visits (id bigint, at timestamptz, wall timestamp, day date, small smallint, own public.moment,
  ended timestamptz, price numeric, note text);
insert into visits values
  (7, '2026-11-20 03:00+00', '2026-11-20 03:00', '2026-11-20', 1, '2026-11-20 03:00+00', '2026-11-20 03:00+00', 1, 'a'),
  (9, '2026-11-20 08:30:00.5+05', '2026-11-20 03:30:00.25', '2026-11-19', 2, '2026-11-20 02:00+00', 'infinity', 2, 'b');
create table public.emptied (at timestamptz);`

func testMaxRegression(t *testing.T, s server) {
	connect := s.database(t, "regressing", visits)
	marked := func(column, newest string) history.Past {
		return history.Past{Passing: []*verdict.Report{night(1, func(r *verdict.Report) {
			r.Marks = []verdict.Mark{{Table: "public.visits", Column: column, Newest: newest}}
		})}}
	}
	const expected = "the newest at not before that of the last drill that passed"
	for _, c := range []struct {
		name, column, tolerance string
		past                    history.Past
		outcome                 verdict.Outcome
		observed, says, mark    string
	}{
		{"first run", "at", "", history.Past{}, verdict.Skipped, "2026-11-20 03:30:00 UTC", "no history yet", "2026-11-20T03:30:00.500000Z"},
		{"the same", "at", "", marked("at", "2026-11-20T03:30:00.5Z"), verdict.Pass, "2026-11-20 03:30:00 UTC", "", "2026-11-20T03:30:00.500000Z"},
		{"later", "at", "", marked("at", "2026-11-19T03:30:00Z"), verdict.Pass, "2026-11-20 03:30:00 UTC", "", "2026-11-20T03:30:00.500000Z"},
		{"a microsecond back", "at", "", marked("at", "2026-11-20T03:30:00.500001Z"), verdict.Fail, "2026-11-20 03:30:00 UTC",
			"1µs before that of the last drill that passed", "2026-11-20T03:30:00.500000Z"},
		{"a day back", "at", "", marked("at", "2026-11-21T03:30:00.5Z"), verdict.Fail, "2026-11-20 03:30:00 UTC",
			"the newest at of public.visits is 2026-11-20 03:30:00 UTC, 1d before that of the last drill that passed (2026-11-21 03:30:00 UTC, 1d-ago)",
			"2026-11-20T03:30:00.500000Z"},
		{"as far as allowed", "at", "1d", marked("at", "2026-11-21T03:30:00.5Z"), verdict.Pass, "2026-11-20 03:30:00 UTC", "", "2026-11-20T03:30:00.500000Z"},
		{"a wall clock", "wall", "", marked("wall", "2026-11-20T04:30:00"), verdict.Fail, "2026-11-20 03:30:00", "1h before", "2026-11-20T03:30:00.250000"},
		{"days", "day", "", marked("day", "2026-11-21"), verdict.Fail, "2026-11-20", "the newest day of public.visits is 2026-11-20, 1d before", "2026-11-20"},
		{"a domain", "own", "", marked("own", "2026-11-20T03:00:00Z"), verdict.Pass, "2026-11-20 03:00:00 UTC", "", "2026-11-20T03:00:00.000000Z"},
		{"ids", "id", "", marked("id", "12"), verdict.Fail, "9",
			"the newest id of public.visits is 9, 3 before that of the last drill that passed (12, 1d-ago)", "9"},
		{"ids as far as allowed", "id", "3", marked("id", "12"), verdict.Pass, "9", "", "9"},
		{"small ids", "small", "", marked("small", "2"), verdict.Pass, "2", "", "2"},
		{"a mark of another kind", "id", "", marked("id", "2026-11-20"), verdict.Skipped, "9", "no history yet", "9"},
		{"a mark of another column", "at", "", marked("wall", "2027-11-20T04:30:00"), verdict.Skipped, "2026-11-20 03:30:00 UTC", "no history yet",
			"2026-11-20T03:30:00.500000Z"},
		{"accepted", "at", "", acceptedAt{"max_regression:public.visits", "", "2026-11-20T03:30:00.500000Z", 0}.since(marked("at", "2026-11-21T03:30:00.5Z")),
			verdict.Pass, "2026-11-20 03:30:00 UTC", "", "2026-11-20T03:30:00.500000Z"},
		{"back behind what was accepted", "at", "",
			acceptedAt{"max_regression:public.visits", "", "2026-11-20T09:00:00.000000Z", 0}.since(marked("at", "2026-11-21T03:30:00.5Z")), verdict.Fail,
			"2026-11-20 03:30:00 UTC", "before that of the last drill that passed", "2026-11-20T03:30:00.500000Z"},
		{"an id that may not be shown", "price", "", history.Past{}, verdict.Error, "", "is of type numeric, of which nothing is the newest", ""},
		{"text", "note", "", history.Past{}, verdict.Error, "", "is of type text", ""},
		{"no column", "nope", "", history.Past{}, verdict.Error, "", "there is no column public.visits.nope", ""},
		{"a time for an id", "id", "90s", history.Past{}, verdict.Error, "", "its tolerance a time", ""},
		{"a number for a time", "at", "3", history.Past{}, verdict.Error, "", "its tolerance a number", ""},
		{"no moment in time", "ended", "", marked("ended", "2026-11-21T03:30:00.5Z"), verdict.Error, "infinity", "is no moment in time", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			declared := "column: " + c.column
			if c.tolerance != "" {
				declared += ", tolerance: " + c.tolerance
			}
			e := drill(t, tables("{table: public.visits, max_regression: {"+declared+"}}")).Expectations
			var marks []string
			got := Run(t.Context(), connect, e, Options{AsOf: asOf, Past: c.past,
				Mark:  func(m verdict.Mark) { marks = append(marks, m.Newest) },
				Shown: func(_, _, column string) bool { return column != "at" },
			})[1]
			if got.Outcome != c.outcome || got.Observed != c.observed || !strings.Contains(got.Message, c.says) {
				t.Errorf("%s, observed %q: %q; want %s, %q and %q", got.Outcome, got.Observed, got.Message, c.outcome, c.observed, c.says)
			}
			if want := []string{c.mark}; c.mark == "" && marks != nil || c.mark != "" && !slices.Equal(marks, want) {
				t.Errorf("marks %q, want %q", marks, want)
			}
			if (got.Outcome == verdict.Pass) != (got.Hint == "") || !strings.Contains(got.Expected, strings.Replace(expected, "at", c.column, 1)) {
				t.Errorf("expected %q, hint %q", got.Expected, got.Hint)
			}
		})
	}
	t.Run("an id that no rule preserves", func(t *testing.T) {
		t.Parallel()
		e := drill(t, tables("{table: public.visits, max_regression: {column: id}}")).Expectations
		got := Run(t.Context(), connect, e, Options{AsOf: asOf, Past: marked("id", "12")})[1]
		if got.Outcome != verdict.Error || strings.Contains(got.Message+got.Observed, "9") ||
			!strings.Contains(got.Hint, "{column: public.visits.id, preserve: true, why: ") {
			t.Errorf("%+v", got)
		}
	})
	t.Run("emptied", func(t *testing.T) {
		t.Parallel()
		e := drill(t, tables("{table: public.emptied, max_regression: {column: at}}")).Expectations
		past := history.Past{Passing: []*verdict.Report{night(1, func(r *verdict.Report) {
			r.Marks = []verdict.Mark{{Table: "public.emptied", Column: "at", Newest: "2026-11-20T03:30:00Z"}}
		})}}
		got := Run(t.Context(), connect, e, Options{AsOf: asOf, Past: past})[1]
		if got.Outcome != verdict.Fail || !strings.Contains(got.Message, "has no row whose at is set") {
			t.Errorf("%s: %s", got.Outcome, got.Message)
		}
		if first := Run(t.Context(), connect, e, Options{AsOf: asOf})[1]; first.Outcome != verdict.Skipped {
			t.Errorf("%s: %s", first.Outcome, first.Message)
		}
	})
	t.Run("unread past", func(t *testing.T) {
		t.Parallel()
		e := drill(t, tables("{table: public.visits, max_regression: {column: at}}")).Expectations
		past := history.Past{Problem: verdict.Errorf(verdict.CodeHistory, "", "%w", errors.New("no route"))}
		if got := Run(t.Context(), connect, e, Options{AsOf: asOf, Past: past})[1]; got.Outcome != verdict.Skipped {
			t.Errorf("%s: %s", got.Outcome, got.Message)
		}
	})
}
