package report

import (
	"fmt"
	"time"

	"github.com/docker/go-units"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

var english = message.NewPrinter(language.English)

// count writes a number with its thousands apart: 20,431.
func count[N int | int64](n N) string { return english.Sprintf("%d", n) }

// counted writes a number with its noun: 1 row, 2,000 rows.
func counted[N int | int64](n N, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return count(n) + " " + noun + "s"
}

// size writes bytes in decimal units: 312.4 KB.
func size(bytes int64) string {
	return units.CustomSize("%.4g %s", float64(bytes), 1000, []string{"bytes", "KB", "MB", "GB", "TB", "PB"})
}

// durationText writes a duration as people say it: 12 ms, 0.4 s, 41 s, 1m 04s, 2h 05m.
func durationText(d time.Duration) string {
	d = max(d, 0)
	s := d.Round(time.Second)
	switch {
	case d < 100*time.Millisecond:
		return fmt.Sprintf("%d ms", d/time.Millisecond)
	case d < 9950*time.Millisecond:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case s < time.Minute:
		return fmt.Sprintf("%d s", s/time.Second)
	case s < time.Hour:
		return fmt.Sprintf("%dm %02ds", s/time.Minute, s%time.Minute/time.Second)
	default:
		return fmt.Sprintf("%dh %02dm", s/time.Hour, s%time.Hour/time.Minute)
	}
}

func tookMS(ms int64) string { return durationText(time.Duration(ms) * time.Millisecond) }

// age writes how long ago something was, roughly: 12m, 5h, 3d.
func age(d time.Duration) string {
	switch {
	case d < 0:
		return "from the future"
	case d < time.Hour:
		return fmt.Sprintf("%dm", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", d/time.Hour)
	default:
		return fmt.Sprintf("%dd", d/(24*time.Hour))
	}
}

// instant writes a point in time.
func instant(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }
