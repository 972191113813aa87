package history

import (
	"slices"
	"strings"
	"testing"
	"time"

	"daybefore/internal/verdict"
)

func rows(r *verdict.Report) (int64, bool) {
	for _, t := range r.Tables {
		if t.Name == "public.orders" {
			return t.RowsHeld, true
		}
	}
	return 0, false
}

// holding is a report of so many rows.
func holding(minutes int, outcome verdict.Outcome, n int64) *verdict.Report {
	r := report(minutes)
	r.Outcome = outcome
	r.Tables = []verdict.Table{{Name: "public.orders", RowsHeld: n}}
	return r
}

// Only runs that passed are anything to be compared with, and what is damaged
// is named.
func TestPastIsWhatPassed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if p := Read(t.Context(), dir, nil, "shop"); len(p.Passing)+len(p.Damaged) > 0 || p.Problem != nil {
		t.Errorf("before the first report: %+v", p)
	}
	for i, outcome := range []verdict.Outcome{verdict.Pass, verdict.Fail, verdict.Warn, verdict.Error, verdict.Skipped} {
		keep(t, dir, holding(i, outcome, int64(i)))
	}
	write(t, "{", dir, "shop", "20261121T040000Z-dead", "report.json")
	foreign := report(90)
	foreign.Drill = "bot"
	keep(t, dir, foreign)
	b, err := foreign.JSON()
	if err != nil {
		t.Fatal(err)
	}
	write(t, string(b), dir, "shop", foreign.Run, "report.json")
	p := Read(t.Context(), dir, nil, "shop")
	var got []int64
	for _, point := range p.Series("row_count_change:public.orders", 9, rows) {
		got = append(got, point.Value)
	}
	if !slices.Equal(got, []int64{2, 0}) {
		t.Errorf("%v, want the passing runs, newest first", got)
	}
	said := strings.Join(p.Damaged, "\n")
	if len(p.Damaged) != 2 || !strings.Contains(said, "20261121T040000Z-dead") || !strings.Contains(said, `a report of the drill "bot"`) {
		t.Errorf("damaged: %s", said)
	}
}

// A past is held in memory as a whole, so that what nothing is compared with is
// left out of it.
func TestPastIsSlim(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := holding(0, verdict.Pass, 7)
	r.Scrub.Columns = []verdict.ScrubColumn{{Column: "public.users.email"}, {Column: "public.users.name"}}
	r.Checks = append(r.Checks, verdict.Check{ID: "rows_held:public.orders", Stage: verdict.StageRestore, Code: verdict.CodeRowsHeld},
		verdict.Check{ID: "scrub:public.users.email", Stage: verdict.StageScrub, Code: verdict.CodeScrub})
	keep(t, dir, r)
	p := Read(t.Context(), dir, nil, "shop")
	if len(p.Passing) != 1 || len(p.Passing[0].Scrub.Columns) != 1 || len(p.Passing[0].Checks) != 1 || p.Passing[0].Checks[0].ID != "row_count:public.orders" {
		t.Errorf("%+v", p.Passing)
	}
	if latest, err := Newest(t.Context(), dir, nil, "shop"); err != nil || len(latest.Checks) != 3 {
		t.Errorf("the report itself is cut: %+v, %v", latest, err)
	}
}

// An accepted change takes the place of all that was before it, for its own
// check, until runs that passed come after it.
func TestAcceptedChangeBeginsTheSeries(t *testing.T) {
	t.Parallel()
	const id = "row_count_change:public.orders"
	p := Past{
		Passing:  []*verdict.Report{holding(20, verdict.Pass, 41), holding(0, verdict.Pass, 100)},
		Accepted: []Acceptance{{Check: id, To: "40", Run: "r", At: night.Add(10 * time.Minute)}, {Check: id, To: "90", At: night}},
	}
	if got := p.Series(id, 9, rows); len(got) != 2 || got[0].Value != 41 || got[1] != (Point{"r", 40, true}) {
		t.Errorf("%+v", got)
	}
	if got := p.Series("row_count_change:public.users", 9, rows); len(got) != 2 || got[1].Value != 100 {
		t.Errorf("another check: %+v", got)
	}
	if got := p.Series(id, 1, rows); len(got) != 1 || got[0].Value != 41 {
		t.Errorf("one at most: %+v", got)
	}
	for want, values := range map[int64][]int64{0: nil, 5: {5}, 3: {9, 3}, 4: {9, 4, 1}} {
		var points []Point
		for _, v := range values {
			points = append(points, Point{Value: v})
		}
		if got := Median(points); got != want {
			t.Errorf("the median of %v is %d, want %d", values, got, want)
		}
	}
}
