package page

import (
	"strings"
	"testing"
	"time"

	"daybefore/internal/verdict"
)

// What may break next is said at its limit, and not short of it.
func TestOutlook(t *testing.T) {
	t.Parallel()
	steady := func() []Glance {
		all := nights("pppppppp")
		for i := range all {
			all[i].SizeBytes, all[i].Rows, all[i].RecoveryMS = 1000, 1000, 40_000
		}
		return all
	}
	for what, c := range map[string]struct {
		change func([]Glance) []Glance
		after  time.Duration
		want   string // empty: nothing
	}{
		"all as usual":            {nil, 20 * time.Hour, ""},
		"a night late":            {nil, 47 * time.Hour, ""},
		"two nights late":         {nil, 48 * time.Hour, "has not passed for 2d; usually it passes every 24h"},
		"a size at its limit":     {func(g []Glance) []Glance { g[0].SizeBytes = 801; return g }, 0, ""},
		"a size that fell":        {func(g []Glance) []Glance { g[0].SizeBytes = 800; return g }, 0, "the backup fell to 800 bytes; usual is 1 KB"},
		"rows that fell":          {func(g []Glance) []Glance { g[0].Rows = 700; return g }, 0, "the number of rows fell to 700"},
		"a size nobody knows":     {func(g []Glance) []Glance { g[0].SizeBytes = 0; return g }, 0, ""},
		"slower":                  {func(g []Glance) []Glance { g[0].RecoveryMS = 60_000; return g }, 0, "it took 1m 00s to have the data back; usual are 40 s"},
		"hardly slower":           {func(g []Glance) []Glance { g[0].RecoveryMS = 59_000; return g }, 0, ""},
		"too few to compare with": {func(g []Glance) []Glance { g[0].SizeBytes = 1; return g[:3] }, 1000 * time.Hour, ""},
	} {
		passes := steady()
		if c.change != nil {
			passes = c.change(passes)
		}
		got := strings.Join(outlook(passes, night.Add(c.after)), "; ")
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", what, got, c.want)
		}
	}
}

// A drill of another backup than the newest proves nothing of the newest.
func TestOtherBackupsCountForNothing(t *testing.T) {
	t.Parallel()
	runs := nights("pf")
	runs[0].Newest = false
	c := Drill{Name: "shop", Runs: runs}.card("x", night)
	if c.Last.Outcome != verdict.Fail || len(c.Charts) != 0 || len(c.Strip) != 1 || !strings.Contains(c.Facts[0].Says, "never") {
		t.Errorf("%+v", c)
	}
	runs[1].Newest = false
	if c := (Drill{Name: "shop", Runs: runs}).card("x", night); c.Last.Outcome != verdict.Skipped {
		t.Errorf("%s: it was never drilled", c.Last.Outcome)
	}
}

// A machine that begins with an empty disk knows of earlier passes by its one report.
func TestPassesOfAnEmptyDisk(t *testing.T) {
	t.Parallel()
	r := reportOf(t, "fail")
	r.Trend = trend(10)
	passes := passesOf(GlanceOf(r))
	if len(passes) != 10 || passes[0].At != night.AddDate(0, 0, -1) || passes[0].Rows != 20_431 {
		t.Errorf("%d passes, the newest %+v", len(passes), passes[0])
	}
}

// The first sentence is for who knows nothing of databases.
func TestFirstSentence(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"pass": "The newest backup (of 20 November 2026, 22:15 UTC) brings the data back.", "warn": "There is something to look at: 1 warning.",
		"fail":  "The newest backup (of 20 November 2026, 22:15 UTC) would not bring the data back as it should.",
		"error": "It is not known whether the backups bring the data back", "skipped": "Nothing was drilled",
		"interrupted": "The drill was stopped before it could tell whether the newest backup",
	} {
		page := runPageOf(t, reportOf(t, name))
		_, rest, _ := strings.Cut(page, "<h1>")
		if first, _, _ := strings.Cut(rest, "</h1>"); !strings.Contains(first, want) {
			t.Errorf("%s: %q, want %q", name, first, want)
		}
	}
}

// What the drill file promises, the gate, and what passes as it is stand on the page.
func TestPageHoldsWhatTheReportSays(t *testing.T) {
	t.Parallel()
	r := reportOf(t, "fail")
	r.Checks = append(r.Checks, verdict.Check{ID: "recovery_time", Code: verdict.CodeRecoveryTime, Outcome: verdict.Pass, Expected: "the data back in 30m"})
	r.Witnesses = []verdict.Witness{{Name: "payments", Expected: 4711, Found: 4711}}
	page := runPageOf(t, r)
	for _, want := range []string{
		"promised: the data back in 30m", "payments", "4,711", "stays shut", "Kept as it is", "our own mailboxes", "public.orders.voucher", "STORED",
		"The last drill that passed began on", ", of the backup <bdi>shop-20261119.dump</bdi>",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

// A file whose databases were not known one night is not shown once they are drilled again.
func TestDatabasesThatAreKnownAgain(t *testing.T) {
	t.Parallel()
	unknown := nights("e")
	for what, c := range map[string]struct {
		name string
		days int // from the night in which they were not known
		want bool
	}{
		"a database since": {"shop@eu", 1, false}, "a database before": {"shop@eu", -1, true}, "another drill since": {"shop2", 1, true},
	} {
		other := nights("p")
		other[0].At = other[0].At.AddDate(0, 0, c.days)
		text := allPageOf(t, All{Made: night.AddDate(0, 0, 2), Drills: []Drill{{Name: "shop", Runs: unknown}, {Name: c.name, Runs: other}}})
		if got := strings.Contains(text, "Of 1 of 2 drills it is not known"); got != c.want {
			t.Errorf("%s: shown is %v, want %v", what, got, c.want)
		}
	}
}

// A drill that has not passed as lately as promised is red, whatever its last run
// came to; one that has is not.
func TestOverdue(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		runs   string // newest first
		within string
		after  time.Duration
		want   verdict.Outcome
		says   string
	}{
		{"p", "26h", 26 * time.Hour, verdict.Pass, ""},
		{"p", "26h", 27 * time.Hour, verdict.Error, "No drill has passed for 27h, and one was to pass every 26h."},
		{"p", "", 2700 * time.Hour, verdict.Pass, ""},
		{"fp", "26h", 3 * time.Hour, verdict.Fail, "No drill has passed for 27h"},
		{"f", "26h", 0, verdict.Fail, "No drill has passed, as far as is kept"},
	} {
		runs := nights(c.runs)
		runs[0].Within = c.within
		got := Drill{Name: "shop", Runs: runs}.card("x", night.Add(c.after)).Last
		if got.Outcome != c.want || !strings.Contains(got.Says, c.says) {
			t.Errorf("%+v: %s: %q", c, got.Outcome, got.Says)
		}
	}
}
