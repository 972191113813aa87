package calendar

import (
	"testing"
	"time"
)

func TestLayoutUnit(t *testing.T) {
	t.Parallel()
	for layout, want := range map[string]Unit{
		"20060102T150405Z": Second, "060102-1504": Minute, "2006010215": Hour, "02 Jan 2006 03PM": Hour, "20060102": Day,
		"2006-01-02": Day, "02.01.06": Day, "Jan-02-2006": Day, "2006-002": Day, "2006-01": Month, "Jan 2006": Month, "2006": Year, "unix": Year,
	} {
		if got := LayoutUnit(layout); got != want {
			t.Errorf("%s: %s, want %s", layout, got, want)
		}
	}
}

// A unit ends by the clock: a day has 23, 24 or 25 hours.
func TestUnitEnds(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip(err)
	}
	for _, c := range []struct {
		unit Unit
		from string
		want time.Duration
	}{
		{Second, "2026-11-28", 0}, {Minute, "2026-11-28", 0}, {Hour, "2026-11-28", time.Hour}, {Day, "2026-11-28", 24 * time.Hour},
		{Day, "2026-03-29", 23 * time.Hour}, {Day, "2026-10-25", 25 * time.Hour}, {Month, "2026-02-01", 28 * 24 * time.Hour},
		{Month, "2026-10-01", 31*24*time.Hour + time.Hour}, {Year, "2026-01-01", 365 * 24 * time.Hour},
	} {
		from, err := time.ParseInLocation(time.DateOnly, c.from, berlin)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.unit.End(from).Sub(from); got != c.want || c.unit >= Hour && got+time.Hour < c.unit.Least() {
			t.Errorf("%s from %s: %s, want %s", c.unit, c.from, got, c.want)
		}
	}
}

// Where the clocks go on at midnight, a day begins at 1:00, and none begins or
// ends on another.
func TestADayWithoutMidnight(t *testing.T) {
	t.Parallel()
	for name, gap := range map[string]string{
		"America/Santiago": "2026-09-06", "Atlantic/Azores": "2026-03-29", "America/Havana": "2026-03-08", "Africa/Cairo": "2026-04-24",
	} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Skip(err)
		}
		wall, err := time.Parse(time.DateOnly, gap)
		if err != nil {
			t.Fatal(err)
		}
		begin := Day.Begin(wall, zone)
		if got := begin.Format("2006-01-02 15"); got != gap+" 01" {
			t.Errorf("%s begins at %s", name, got)
		}
		if got := Day.End(Day.Begin(wall.AddDate(0, 0, -1), zone)); !got.Equal(begin) {
			t.Errorf("%s: the day before ends at %s", name, got)
		}
		if got := Day.End(begin).Format("2006-01-02 15"); got != wall.AddDate(0, 0, 1).Format(time.DateOnly)+" 00" {
			t.Errorf("%s ends at %s", name, got)
		}
	}
}
