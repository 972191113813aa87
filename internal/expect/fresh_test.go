package expect

import (
	"strings"
	"testing"
	"time"

	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// Where only the backup's day is known, its rows of that day are neither old
// nor from the future, older ones are judged from its beginning, and no limit
// is kept by a guess.
func TestFreshnessOfADay(t *testing.T) {
	t.Parallel()
	begin := time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC)
	day := Options{AsOf: begin, AsOfUntil: begin.AddDate(0, 0, 1)}.asOf()
	early := Options{AsOf: begin, AsOfUntil: begin.Add(4 * time.Hour)}.asOf() // drilled at four
	moment := Options{AsOf: begin}.asOf()
	six, minutes := 6*time.Hour, 5*time.Minute
	for _, c := range []struct {
		name     string
		asOf     span
		row      time.Duration // after the day's beginning
		limits   spec.Freshness
		want     verdict.Outcome
		observed string
	}{
		{"of that day", day, 15 * time.Hour, spec.Freshness{FailAfter: six, MaxFuture: minutes}, verdict.Pass, "15h after"},
		{"of that day, as of its beginning", moment, 15 * time.Hour, spec.Freshness{FailAfter: six, MaxFuture: minutes}, verdict.Fail, "15h after"},
		{"of the next day", day, 25 * time.Hour, spec.Freshness{FailAfter: six, MaxFuture: minutes}, verdict.Fail, "1h after"},
		{"later than now", early, 5 * time.Hour, spec.Freshness{FailAfter: six, MaxFuture: minutes}, verdict.Fail, "1h after"},
		{"surely too old", day, -7 * time.Hour, spec.Freshness{FailAfter: six}, verdict.Fail, "7h before"},
		{"too old by the day's end", day, -2 * time.Hour, spec.Freshness{FailAfter: six}, verdict.Warn, "2h before"},
		{"not too old by now", early, -2 * time.Hour, spec.Freshness{FailAfter: six}, verdict.Pass, "2h before"},
		{"not too old by the day's end", day, -2 * time.Hour, spec.Freshness{FailAfter: 26 * time.Hour}, verdict.Pass, "2h before"},
		{"too old for no warning by the day's end", day, -2 * time.Hour, spec.Freshness{WarnAfter: six, FailAfter: 48 * time.Hour}, verdict.Warn, "2h before"},
		{"as of a moment", moment, -2 * time.Hour, spec.Freshness{FailAfter: six}, verdict.Pass, "2h before"},
	} {
		table := spec.Table{Table: spec.Name{Schema: "public", Table: "t"}, Freshness: &c.limits}
		var got verdict.Check
		at := begin.Add(c.row)
		judgeNewest(&got, table, c.asOf, span{from: at, to: at})
		if got.Outcome != c.want || !strings.HasPrefix(got.Observed, c.observed) {
			t.Errorf("%s: %s, %q, %s", c.name, got.Outcome, got.Observed, got.Message)
		}
		if got.Outcome == verdict.Warn && !strings.Contains(got.Message, "2h to 1d2h old") {
			t.Errorf("%s: %q", c.name, got.Message)
		}
	}
}

// A record of outside is of the backup if it is of its day, where no more of
// the backup's time is known.
func TestAwayFromADay(t *testing.T) {
	t.Parallel()
	begin := time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC)
	day := Options{TakenAt: begin, TakenUntil: begin.AddDate(0, 0, 1)}
	moment := Options{TakenAt: begin}
	for _, c := range []struct {
		o           Options
		after, want time.Duration
	}{
		{day, 15 * time.Hour, 0}, {day, 0, 0}, {day, -time.Hour, time.Hour}, {day, 25 * time.Hour, time.Hour},
		{moment, 15 * time.Hour, 15 * time.Hour}, {moment, -time.Minute, time.Minute},
	} {
		if got := c.o.away(begin.Add(c.after)); got != c.want {
			t.Errorf("%s after %+v: %s away, want %s", c.after, c.o.TakenUntil, got, c.want)
		}
	}
}

// A day may have two backups: only the same bytes are the same one.
func TestTheBackupOfADay(t *testing.T) {
	t.Parallel()
	begin := time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC)
	day := Options{TakenAt: begin, TakenUntil: begin.AddDate(0, 0, 1), SHA256: "ab"}
	moment := Options{TakenAt: begin, SHA256: "ab"}
	for _, c := range []struct {
		o    Options
		sha  string
		at   time.Time
		want bool
	}{
		{day, "ab", begin, true}, {day, "cd", begin, false}, {day, "ab", begin.AddDate(0, 0, 1), false},
		{moment, "cd", begin, true}, {moment, "ab", begin.Add(time.Second), false}, {Options{}, "", time.Time{}, false},
	} {
		if got := c.o.isOf(verdict.Backup{TakenAt: c.at, SHA256: c.sha}); got != c.want {
			t.Errorf("%+v of %s at %s: %v", c.o.TakenUntil, c.sha, c.at, got)
		}
	}
}
