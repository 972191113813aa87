package inventory

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"daybefore/internal/catalog"
	"daybefore/internal/history"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

var at = time.Date(2026, 11, 21, 3, 15, 0, 0, time.UTC)

// short is what a check comes to, and a part of its message.
type short struct {
	ID                 string
	Outcome            verdict.Outcome
	Expected, Observed string
	holds              string
}

func compare(t *testing.T, want []short, got []verdict.Check) {
	t.Helper()
	if len(want) != len(got) {
		t.Fatalf("got %d checks, want %d: %+v", len(got), len(want), got)
	}
	for i, w := range want {
		g := got[i]
		if diff := cmp.Diff(w, short{g.ID, g.Outcome, g.Expected, g.Observed, w.holds}, cmp.AllowUnexported(short{})); diff != "" {
			t.Errorf("-want +got:\n%s\nmessage: %s", diff, g.Message)
		}
		if !strings.Contains(g.Message, w.holds) || (g.Outcome == verdict.Pass) != (g.Message == "") {
			t.Errorf("%s: message %q, want %q in it", g.ID, g.Message, w.holds)
		}
		if (g.Outcome == verdict.Pass) != (g.Hint == "") {
			t.Errorf("%s is %s with the hint %q", g.ID, g.Outcome, g.Hint)
		}
		if g.Stage != verdict.StageChoose || g.Code == "" {
			t.Errorf("%s: stage %q, code %q", g.ID, g.Stage, g.Code)
		}
	}
}

// holding is a store with a backup of 1 MiB at each of these hours before at.
func holding(hours ...float64) catalog.Backup {
	var b catalog.Backup
	for _, h := range hours {
		taken := at.Add(-time.Duration(h * float64(time.Hour)))
		b.All = append(b.All, catalog.Entry{Name: fmt.Sprintf("shop-%s.dump", taken.Format("0102T1504")), TakenAt: taken, Size: 1 << 20})
	}
	b.Name, b.TakenAt, b.Size = b.All[0].Name, b.All[0].TakenAt, b.All[0].Size
	return b
}

// unsized is a store that does not tell the size of one backup.
func unsized(b catalog.Backup, i int) catalog.Backup {
	b.All[i].Size = catalog.Unsized
	return b
}

// every gives hours from first to last, so many apart.
func every(apart, first, last float64) []float64 {
	var hours []float64
	for h := first; h <= last; h += apart {
		hours = append(hours, h)
	}
	return hours
}

const (
	day      = 24 * time.Hour
	inWords  = "a backup every 6h, at most 30m late"
	thatWeek = inWords + ", for the last 7d"
)

func TestCadence(t *testing.T) {
	t.Parallel()
	sixHourly := spec.Cadence{Every: 6 * time.Hour, Tolerance: 30 * time.Minute, Severity: "fail"}
	nightly := spec.Cadence{Every: day, Severity: "warn"}
	week := spec.Least[time.Duration]{FailBelow: 7 * day}
	for _, c := range []struct {
		name      string
		cadence   spec.Cadence
		retention spec.Least[time.Duration]
		hours     []float64
		want      short
	}{
		{"regular", sixHourly, week, every(6, 1, 200), short{"", "pass", thatWeek, "no gap wider than 6h", ""}},
		{"just late enough", sixHourly, week, []float64{1, 7, 13.5}, short{"", "pass", thatWeek, "no gap wider than 6h30m", ""}},
		{"one missed", sixHourly, week, []float64{1, 7, 19, 25}, short{"", "fail", thatWeek, "a gap of 12h",
			"no backup was taken for 12h, between 2026-11-20 08:15 UTC and 2026-11-20 20:15 UTC (allowed: 6h30m)"}},
		{"two missed", sixHourly, week, []float64{1, 13, 19, 37},
			short{"", "fail", thatWeek, "a gap of 18h", "(allowed: 6h30m); 2 gaps are too wide, this is the widest"}},
		{"missed before the retention", sixHourly, week, []float64{160, 166, 180, 300}, short{"", "pass", thatWeek, "no gap wider than 6h", ""}},
		{"missed where the retention begins", sixHourly, week, []float64{160, 180},
			short{"", "fail", thatWeek, "a gap of 20h", "no backup was taken for 20h, between 2026-11-13 15:15 UTC"}},
		{"thinned out behind the retention", sixHourly, spec.Least[time.Duration]{}, []float64{1, 300}, short{"", "fail", inWords, "a gap of 12d11h", ""}},
		{"none in the retention", sixHourly, week, []float64{200, 206},
			short{"", "fail", thatWeek, "none since 2026-11-14 03:15 UTC", "the newest is shop-1112T1915.dump"}},
		{"only one", sixHourly, week, []float64{1}, short{"", "skipped", thatWeek, "1 backup", "no gap between two"}},
		{"only a warning", nightly, week, []float64{1, 25.5}, short{"", "warn", "a backup every 1d, for the last 7d", "a gap of 1d30m", "(allowed: 1d)"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.want.ID = "cadence"
			got := cadence(c.cadence, spec.Inventory{OldestAtLeast: c.retention}.Retention(), holding(c.hours...).All, Options{At: at})
			got.Stage = verdict.StageChoose
			compare(t, []short{c.want}, []verdict.Check{got})
		})
	}
}

// A gap that was accepted is no finding any more; the next one is.
func TestAcceptedGap(t *testing.T) {
	t.Parallel()
	d := spec.Cadence{Every: 6 * time.Hour, Severity: "fail"}
	first := cadence(d, 0, holding(20, 26, 40, 46, 60).All, Options{At: at})
	if first.Outcome != verdict.Fail || first.Change == nil || first.Change.Baseline == "" {
		t.Fatalf("%+v", first)
	}
	past := history.Past{Accepted: []history.Acceptance{{Check: "cadence", To: first.Change.To, Why: "moved the server", Who: "ada"}}}
	if c := cadence(d, 0, holding(14, 20, 26, 40, 46, 60).All, Options{At: at, Past: past}); c.Outcome != verdict.Pass || c.Accepted == nil {
		t.Errorf("both gaps were accepted: %+v", c)
	}
	if c := cadence(d, 0, holding(1, 20, 26, 40, 46, 60).All, Options{At: at, Past: past}); c.Outcome != verdict.Fail || c.Observed != "a gap of 19h" {
		t.Errorf("a new gap: %+v", c)
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	seven := spec.Inventory{
		MinBackups: spec.Least[int64]{FailBelow: 7}, MinSize: spec.Least[int64]{FailBelow: 1 << 20},
		OldestAtLeast: spec.Least[time.Duration]{FailBelow: 7 * day},
	}
	both := spec.Inventory{
		MinBackups: spec.Least[int64]{WarnBelow: 7, FailBelow: 3}, MinSize: spec.Least[int64]{WarnBelow: 10 << 20, FailBelow: 1 << 10},
		OldestAtLeast: spec.Least[time.Duration]{WarnBelow: 7 * day, FailBelow: day},
	}
	warns := spec.Inventory{MinBackups: spec.Least[int64]{WarnBelow: 2}, OldestAtLeast: spec.Least[time.Duration]{WarnBelow: day}}
	tiny := holding(every(24, 1, 170)...)
	tiny.Size = 312
	for _, c := range []struct {
		name   string
		inv    spec.Inventory
		newest catalog.Backup
		want   []short
	}{
		{"well", seven, holding(every(24, 1, 170)...), []short{
			{"min_backups", "pass", "at least 7 backups", "8 backups", ""},
			{"min_size", "pass", "at least 1MiB", "1MiB", ""},
			{"oldest_at_least", "pass", "at least 7d", "7d1h (taken 2026-11-14 02:15 UTC)", ""},
		}},
		{"too few", seven, holding(1, 25), []short{
			{"min_backups", "fail", "at least 7 backups", "2 backups", "the store holds 2 backups, 5 fewer than the 7 that must be there"},
			{"min_size", "pass", "at least 1MiB", "1MiB", ""},
			{"oldest_at_least", "fail", "at least 7d", "1d1h (taken 2026-11-20 02:15 UTC)", "the oldest backup is 1d1h old, 5d23h less than the 7d"},
		}},
		{"fewer than meant", both, holding(1, 25, 49), []short{
			{"min_backups", "warn", "at least 7 backups (warn), 3 backups (fail)", "3 backups", "4 fewer than the 7"},
			{"min_size", "warn", "at least 10MiB (warn), 1KiB (fail)", "1MiB", "must have 10MiB at least"},
			{"oldest_at_least", "warn", "at least 7d (warn), 1d (fail)", "2d1h (taken 2026-11-19 02:15 UTC)", "4d23h less"},
		}},
		{"tiny", seven, tiny, []short{
			{"min_backups", "pass", "at least 7 backups", "8 backups", ""},
			{"min_size", "fail", "at least 1MiB", "312B", "the newest backup, shop-1121T0215.dump, has 312B, and must have 1MiB at least"},
			{"oldest_at_least", "pass", "at least 7d", "7d1h (taken 2026-11-14 02:15 UTC)", ""},
		}},
		{"from the future", warns, holding(-1), []short{
			{"min_backups", "warn", "at least 2 backups (warn)", "1 backup", "the store holds 1 backup, 1 fewer than the 2"},
			{"oldest_at_least", "warn", "at least 1d (warn)", "-1h (taken 2026-11-21 04:15 UTC)", "-1h old"},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			compare(t, c.want, Judge(t.Context(), nil, c.inv, c.newest, Options{At: at}))
		})
	}
}

// past is one of drills that passed, the newest first, each of which saw so
// many backups of so many bytes, the newest of this size.
func past(seen ...verdict.Inventory) history.Past {
	var p history.Past
	for i, v := range seen {
		p.Passing = append(p.Passing, &verdict.Report{
			Run: fmt.Sprintf("run%d", i), Outcome: verdict.Pass, StartedAt: at.Add(-time.Duration(i+1) * day),
			Inventory: v, Backup: verdict.Backup{SizeBytes: v.Bytes / max(v.Backups, 1)},
		})
	}
	return p
}

func TestChanges(t *testing.T) {
	t.Parallel()
	percent := func(p float64) *float64 { return &p }
	inv := spec.Inventory{
		Collapse:   &spec.Drift{Direction: spec.DirectionDrop, WarnPercent: percent(15), FailPercent: percent(30), MinHistory: 1},
		SizeChange: &spec.Drift{Median: 3, Direction: spec.DirectionAny, WarnPercent: percent(20), FailPercent: percent(50), MinHistory: 1},
	}
	const (
		collapse = "at most 15 % (warn), 30 % (fail) fewer than in the last drill that passed"
		less     = "at most 15 % (warn), 30 % (fail) less than in the last drill that passed"
		size     = "at most 20 % (warn), 50 % (fail) less or more than in the median of 3 drills that passed"
		mib      = 1 << 20
	)
	held := func(backups, mibs int64) verdict.Inventory {
		return verdict.Inventory{Backups: backups, Bytes: mibs * mib}
	}
	for _, c := range []struct {
		name   string
		past   history.Past
		newest catalog.Backup
		want   []short
	}{
		{"a first run", history.Past{}, holding(1, 2), []short{
			{"collapse:backups", "skipped", collapse, "2 backups", "no history yet"},
			{"collapse:bytes", "skipped", less, "2MiB", "no history yet"},
			{"size_change", "skipped", size, "1MiB", "no history yet"},
		}},
		{"a past that counted nothing", past(verdict.Inventory{Bytes: mib}), holding(1, 2), []short{
			{"collapse:backups", "skipped", collapse, "2 backups", "no history yet"},
			{"collapse:bytes", "skipped", less, "2MiB", "no history yet"},
			{"size_change", "pass", size, "1MiB (unchanged)", ""},
		}},
		{"grown", past(held(10, 10)), holding(every(1, 1, 20)...), []short{
			{"collapse:backups", "pass", collapse, "20 backups (100 % more than 10 backups)", ""},
			{"collapse:bytes", "pass", less, "20MiB (100 % more than 10MiB)", ""},
			{"size_change", "pass", size, "1MiB (unchanged)", ""},
		}},
		{"sizes that are told no more", past(held(3, 3)), unsized(holding(1, 2, 9), 1), []short{
			{"collapse:backups", "pass", collapse, "3 backups (unchanged)", ""},
			{"collapse:bytes", "skipped", "", "not told", "not judged: the store does not tell the sizes of 1 of 3 backups"},
			{"size_change", "pass", size, "1MiB (unchanged)", ""},
		}},
		{"sizes that were not told", past(verdict.Inventory{Backups: 3, Bytes: 9 * mib, Unsized: 1}, held(3, 0)), holding(1, 2, 9), []short{
			{"collapse:backups", "pass", collapse, "3 backups (unchanged)", ""},
			{"collapse:bytes", "skipped", less, "3MiB", "no history yet"},
			{"size_change", "fail", size, "1MiB (66.7 % less than 3MiB)", ""},
		}},
		{"fewer backups, as many bytes", past(held(28, 12)), holding(every(1, 1, 12)...), []short{
			{"collapse:backups", "fail", collapse, "12 backups (57.1 % fewer than 28 backups)",
				"the store holds 12 backups: 57.1 % fewer than 28 backups, as in the last drill that passed (run0)"},
			{"collapse:bytes", "pass", less, "12MiB (unchanged)", ""},
			{"size_change", "fail", size, "1MiB (133.3 % more than 438.9KiB)", "the newest backup has 1MiB"},
		}},
		{"as many backups, fewer bytes", past(held(10, 13), held(10, 9), held(10, 30)), holding(every(1, 1, 10)...), []short{
			{"collapse:backups", "pass", collapse, "10 backups (unchanged)", ""},
			{"collapse:bytes", "warn", less, "10MiB (23.1 % less than 13MiB)", "the store holds 10MiB: 23.1 % less than 13MiB"},
			{"size_change", "warn", size, "1MiB (23.1 % less than 1.3MiB)", "the median of the last 3 drills that passed"},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			compare(t, c.want, Judge(t.Context(), nil, inv, c.newest, Options{At: at, Past: c.past}))
		})
	}
}

func TestOf(t *testing.T) {
	t.Parallel()
	want := verdict.Inventory{Backups: 3, Bytes: 3 << 20, NewestAt: at.Add(-time.Hour), OldestAt: at.Add(-9 * time.Hour)}
	if diff := cmp.Diff(want, Of(holding(1, 2, 9).All)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	want.Unsized, want.Bytes = 1, 2<<20
	if diff := cmp.Diff(want, Of(unsized(holding(1, 2, 9), 2).All)); diff != "" {
		t.Errorf("a size that is not told: -want +got:\n%s", diff)
	}
}

func TestBackupAge(t *testing.T) {
	t.Parallel()
	both := spec.Age{WarnAfter: 7 * time.Hour, FailAfter: 13 * time.Hour}
	const expected = "at most 7h (warn), 13h (fail) old"
	for _, test := range []struct {
		name string
		age  spec.Age
		old  time.Duration
		want short
	}{
		{"young", both, 6 * time.Hour, short{"", "pass", expected, "6h old (taken 2026-11-20 21:15 UTC)", ""}},
		{"just young enough", both, 7*time.Hour + time.Second/2, short{"", "pass", expected, "7h old (taken 2026-11-20 20:14 UTC)", ""}},
		{"a little old", both, 7*time.Hour + time.Second,
			short{"", "warn", expected, "7h1s old (taken 2026-11-20 20:14 UTC)", "1s older than the 7h after which it warns"}},
		{"too old", both, 14 * time.Hour, short{"", "fail", expected, "14h old (taken 2026-11-20 13:15 UTC)", "1h older than the 13h allowed"}},
		{"only a warning", spec.Age{WarnAfter: time.Hour}, 14 * time.Hour,
			short{"", "warn", "at most 1h old (warn)", "14h old (taken 2026-11-20 13:15 UTC)", "13h older"}},
		{"only a failure", spec.Age{FailAfter: time.Hour}, 14 * time.Hour,
			short{"", "fail", "at most 1h old", "14h old (taken 2026-11-20 13:15 UTC)", "13h older"}},
		{"clocks apart", both, -4 * time.Minute, short{"", "pass", expected, "-4m old (taken 2026-11-21 03:19 UTC)", ""}},
		{"from the future", both, -time.Hour, short{"", "fail", expected, "1h in the future", "taken 1h after 2026-11-21 03:15 UTC"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := backupAge(test.age, catalog.Backup{TakenAt: at.Add(-test.old)}, at)
			got.Stage, test.want.ID = verdict.StageChoose, "backup_age"
			compare(t, []short{test.want}, []verdict.Check{got})
		})
	}
}
