package figures

import (
	"bytes"
	"strconv"
	"time"
)

// readTime reads a date or timestamp as the server writes it under DateStyle
// ISO: 2026-11-29, 2026-11-29 03:15:00.25+01. It is as if in UTC where no zone
// stands. What is no moment of our years (infinity, 44 BC) is not ok.
func readTime(field []byte) (at time.Time, ok bool) {
	const day, second = len("2006-01-02"), len("2006-01-02 15:04:05")
	if len(field) < day || field[4] != '-' || field[7] != '-' {
		return at, false
	}
	year, month, date := number(field[:4]), number(field[5:7]), number(field[8:10])
	if year < 0 || month < 1 || date < 1 {
		return at, false
	}
	if len(field) == day {
		return time.Date(year, time.Month(month), date, 0, 0, 0, 0, time.UTC), true
	}
	if len(field) < second {
		return at, false
	}
	hour, minute, sec := number(field[11:13]), number(field[14:16]), number(field[17:19])
	rest := field[second:]
	zone := bytes.IndexAny(rest, "+-")
	switch {
	case hour < 0 || minute < 0 || sec < 0 || bytes.HasSuffix(rest, []byte("BC")):
		return at, false
	case zone < 0:
		return time.Date(year, time.Month(month), date, hour, minute, sec, 0, time.UTC), true
	}
	east, ok := offset(rest[zone:])
	return time.Date(year, time.Month(month), date, hour, minute, sec-east, 0, time.UTC), ok
}

// offset is that of a zone in seconds: +01, -03:30, +00:53:28.
func offset(zone []byte) (seconds int, ok bool) {
	unit := 3600
	for _, part := range bytes.Split(zone[1:], []byte(":")) {
		n := number(part)
		if n < 0 || unit == 0 {
			return 0, false
		}
		seconds += n * unit
		unit /= 60
	}
	if zone[0] == '-' {
		seconds = -seconds
	}
	return seconds, true
}

// number is that of a few digits; -1 for what is none.
func number(digits []byte) (n int) {
	for _, c := range digits {
		if c < '0' || c > '9' {
			return -1
		}
		n = 10*n + int(c-'0')
	}
	return n
}

func readInteger(field []byte) (int64, bool) {
	n, err := strconv.ParseInt(string(field), 10, 64)
	return n, err == nil
}
