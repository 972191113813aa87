package inventory

import (
	"strings"
	"testing"
	"time"

	"daybefore/internal/catalog"
	"daybefore/internal/spec"
	"daybefore/internal/spec/calendar"
	"daybefore/internal/verdict"
)

// daily is a store of backups whose names tell these days in Berlin.
func daily(t *testing.T, days ...string) (catalog.Backup, *time.Location) {
	t.Helper()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip(err)
	}
	var b catalog.Backup
	for _, day := range days {
		begin, err := time.ParseInLocation(time.DateOnly, day, berlin)
		if err != nil {
			t.Fatal(err)
		}
		b.All = append(b.All, catalog.Entry{Name: "shop-" + day + ".sql", TakenAt: begin.UTC(), Until: calendar.Day.End(begin).UTC(), Size: 1})
	}
	b.Name, b.TakenAt, b.Until = b.All[0].Name, b.All[0].TakenAt, b.All[0].Until
	return b, berlin
}

// Days of 23 and 25 hours are days; one that lacks its backup is a gap.
func TestCadenceOfDays(t *testing.T) {
	t.Parallel()
	exact := spec.Cadence{Every: day, Severity: "fail"}
	for name, c := range map[string]struct {
		days []string
		want verdict.Outcome
	}{
		"clocks go back":        {[]string{"2026-10-27", "2026-10-26", "2026-10-25", "2026-10-24"}, verdict.Pass},
		"clocks go on":          {[]string{"2026-03-31", "2026-03-30", "2026-03-29", "2026-03-28"}, verdict.Pass},
		"two of one day":        {[]string{"2026-11-28", "2026-11-28", "2026-11-27"}, verdict.Pass},
		"one is missing":        {[]string{"2026-11-28", "2026-11-26"}, verdict.Fail},
		"a short day missing":   {[]string{"2026-03-30", "2026-03-28"}, verdict.Fail},
		"a long day's is there": {[]string{"2026-10-26", "2026-10-25"}, verdict.Pass},
	} {
		newest, berlin := daily(t, c.days...)
		if got := cadence(exact, 0, newest.All, Options{At: at, Days: berlin}); got.Outcome != c.want {
			t.Errorf("%s: %s, %s", name, got.Outcome, got.Message)
		}
	}
}

// A day that has no midnight is a day of the calendar too.
func TestCadenceOfADayWithoutMidnight(t *testing.T) {
	t.Parallel()
	chile, err := time.LoadLocation("America/Santiago")
	if err != nil {
		t.Skip(err)
	}
	var all []catalog.Entry
	for d := 8; d > 3; d-- {
		begin := calendar.Day.Begin(time.Date(2026, 9, d, 0, 0, 0, 0, time.UTC), chile)
		all = append(all, catalog.Entry{TakenAt: begin.UTC(), Until: calendar.Day.End(begin).UTC()})
	}
	if got := cadence(spec.Cadence{Every: day, Severity: "fail"}, 0, all, Options{At: at, Days: chile}); got.Outcome != verdict.Pass {
		t.Errorf("%+v", got)
	}
}

// The newest of a day is as old as the day's beginning, unless its header tells
// more.
func TestAgeOfADay(t *testing.T) {
	t.Parallel()
	newest, _ := daily(t, "2026-11-28")
	now := newest.TakenAt.Add(26 * time.Hour)
	limit := spec.Age{FailAfter: day}
	if got := backupAge(limit, newest, now); got.Outcome != verdict.Fail || !strings.Contains(got.Observed,
		"1d2h old (taken 2026-11-27 23:00 UTC or later: its name says no more)") {
		t.Errorf("%+v", got)
	}
	if got := backupAge(limit, newest, now.Add(-25*time.Hour)); got.Outcome != verdict.Pass {
		t.Errorf("on the day itself: %+v", got)
	}
	newest.TakenAt = newest.TakenAt.Add(15 * time.Hour)
	newest.Until = newest.TakenAt
	if got := backupAge(limit, newest, now); got.Outcome != verdict.Pass || !strings.HasPrefix(got.Observed, "11h old (taken 2026-11-28 14:00 UTC)") {
		t.Errorf("by its header: %+v", got)
	}
}

// A backup of today may be minutes old: nothing need know of it before the day
// and its lag are over.
func TestWhatIsDueOfADay(t *testing.T) {
	t.Parallel()
	newest, _ := daily(t, "2026-11-28", "2026-11-27")
	d := spec.Copy{Lag: 2 * time.Hour}
	for after, want := range map[time.Duration]string{4 * time.Hour: "shop-2026-11-27.sql", 27 * time.Hour: "shop-2026-11-28.sql"} {
		if due, ok := dueBackup(d, newest.All, Options{At: newest.TakenAt.Add(after)}); !ok || due.Name != want {
			t.Errorf("after %s: %+v", after, due)
		}
	}
	newest.All[0].Until = newest.TakenAt.Add(time.Hour) // by its header
	if due, ok := dueBackup(d, newest.All, Options{At: newest.TakenAt.Add(4 * time.Hour)}); !ok || due.Name != newest.Name {
		t.Errorf("by its header: %+v", due)
	}
}
