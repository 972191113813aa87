package setup

import (
	"strconv"
	"time"

	"daybefore/internal/spec/amount"
)

func number(n int64) string { return strconv.FormatInt(n, 10) }

// floor is nine tenths of a number of rows, rounded down to two digits.
func floor(rows int64) int64 {
	const few = 20
	if rows < few {
		return 1
	}
	n := rows * 9 / 10
	unit := int64(1)
	for n/unit >= 100 {
		unit *= 10
	}
	return n / unit * unit
}

// spans are limits of ages that people write.
var spans = []time.Duration{6 * time.Hour, 12 * time.Hour, day, 2 * day, 3 * day, 4 * day, 5 * day, 7 * day, 10 * day,
	14 * day, 21 * day, 30 * day, 45 * day}

// longestLag is how far a newest row lies behind the backup in a table that is
// written all the time.
const longestLag = 7 * day

// limits are how old the newest row may be, where it was so much older than the backup:
// thrice that warns, six times that fails, and never less than six hours and a day.
func limits(lag time.Duration) (warn, fail time.Duration) {
	warn = spanAbove(3 * lag)
	fail = spanAbove(max(6*lag, 2*warn, day))
	return warn, fail
}

func spanAbove(d time.Duration) time.Duration {
	for _, s := range spans {
		if s >= d {
			return s
		}
	}
	return d.Round(day)
}

// about is a time for people: to the minute, hour or day.
func about(d time.Duration) string {
	switch {
	case d < time.Hour:
		return amount.Span(d.Round(time.Minute))
	case d < 2*day:
		return amount.Span(d.Round(time.Hour))
	}
	return amount.Span(d.Round(day))
}
