package pgtext

import "bytes"

// intervalUnit is what a word of an interval means, as bits of a mask.
const (
	microseconds = 1 << iota
	milliseconds
	unitSeconds
	unitMinutes
	hours
	days
	weeks
	months
	quarters
	years
	decades
	centuries
	millennia
	ago
	endlessInterval
	ignoredUnit
	zoneUnit
)

const clockUnits = hours | unitMinutes | unitSeconds | milliseconds | microseconds

// unitNames are deltatktbl; words are compared by their first ten letters.
var unitNames = map[string]int{
	"@": ignoredUnit, "ago": ago,
	"c": centuries, "cent": centuries, "centuries": centuries, "century": centuries,
	"d": days, "day": days, "days": days, "dec": decades, "decade": decades, "decades": decades, "decs": decades,
	"h": hours, "hour": hours, "hours": hours, "hr": hours, "hrs": hours,
	"m": unitMinutes, "min": unitMinutes, "mins": unitMinutes, "minute": unitMinutes, "minutes": unitMinutes,
	"microsecon": microseconds, "us": microseconds, "usec": microseconds, "usecs": microseconds,
	"useconds": microseconds, "usecond": microseconds,
	"mil": millennia, "mils": millennia, "millennia": millennia, "millennium": millennia,
	"millisecon": milliseconds, "ms": milliseconds, "msec": milliseconds, "msecs": milliseconds,
	"mseconds": milliseconds, "msecond": milliseconds,
	"mon": months, "mons": months, "month": months, "months": months, "qtr": quarters, "quarter": quarters,
	"s": unitSeconds, "sec": unitSeconds, "secs": unitSeconds, "second": unitSeconds, "seconds": unitSeconds,
	"w": weeks, "week": weeks, "weeks": weeks, "y": years, "year": years, "years": years, "yr": years, "yrs": years,
	"timezone": zoneUnit, "timezone_h": zoneUnit, "timezone_m": zoneUnit,
	"infinity": endlessInterval, "+infinity": endlessInterval, "-infinity": endlessInterval,
}

func (r *Reader) interval(_ *Type, s []byte) bool {
	fields, ok := r.tokens(s)
	return ok && r.spanOf(fields) || isoInterval(s)
}

// spanOf is DecodeInterval: it reads from the end, since units stand after
// their numbers.
func (r *Reader) spanOf(fields []dateToken) bool {
	has, unit := 0, 0
	waits := false // the unit waits for its number, which versions before 16 do not miss
	for i := len(fields) - 1; i >= 0; i-- {
		got, next, ok := r.spanField(fields[i], unit)
		if !ok || got&has != 0 {
			return false
		}
		named := fields[i].isUnit() && got == 0
		if named && waits && r.Major >= strictSince {
			return false
		}
		if named || got != 0 {
			waits = named
		}
		has, unit = has|got, next
	}
	return has != 0 && !(waits && r.Major >= strictSince)
}

// isUnit reports whether the token is a word that a number must precede.
func (f dateToken) isUnit() bool {
	if f.kind != aWord && f.kind != aSpecial || unitNames[string(truncated(f.text))] == ago {
		return false
	}
	return words[string(truncated(f.text))].kind != ignored
}

func (r *Reader) spanField(f dateToken, unit int) (got, next int, ok bool) {
	switch f.kind {
	case aTime:
		m := moment{r: r}
		return clockUnits, days, m.clock(f.text)
	case aZone:
		m := moment{r: r}
		if bytes.IndexByte(f.text, ':') > 0 && m.clock(f.text[1:]) {
			return clockUnits, days, true
		}
	case aWord, aSpecial:
		return r.unitField(f.text, unit)
	}
	if unit == 0 {
		unit = unitSeconds
	}
	return spanNumber(f.text, unit)
}

func (r *Reader) unitField(s []byte, unit int) (got, next int, ok bool) {
	switch u := unitNames[string(truncated(s))]; u {
	case 0:
		return r.dateUnit(s, unit)
	case ignoredUnit:
		return 0, unit, true
	case endlessInterval:
		return clockUnits | days | months | years, unit, r.Major >= 17
	default:
		return 0, u, true
	}
}

// dateUnit is a word of dates that intervals know too since 16.
func (r *Reader) dateUnit(s []byte, unit int) (got, next int, ok bool) {
	w := words[string(truncated(s))]
	switch {
	case r.Major < strictSince:
	case w.kind == ignored:
		return 0, unit, true
	case string(s) == "mm":
		return 0, unitMinutes, true
	case w.kind == unitMask || w.kind == julian:
		return 0, zoneUnit, true // no number may have it, but years-months need none
	}
	return 0, 0, false
}

// spanNumber reads a number of a unit, or years-months.
func spanNumber(s []byte, unit int) (got, next int, ok bool) {
	if s[0] == '-' || s[0] == '+' {
		s = s[1:]
	}
	n, rest := orZero(s)
	got, next = unit, unit
	switch {
	case len(rest) == 0:
	case rest[0] == '-':
		m, end := orZero(rest[1:])
		return months, months, m < 12 && len(end) == 0
	case rest[0] == '.' && digitsEnd(rest, 1) == len(rest):
		if unit == unitSeconds {
			got = unitSeconds | milliseconds | microseconds
		}
	default:
		return 0, 0, false
	}
	switch unit {
	case hours, unitMinutes:
		next = days // in case that no unit stands after the next
	case quarters, ago, zoneUnit:
		return 0, 0, false
	case years, decades, centuries, millennia:
		return got, next, n <= 178956970
	}
	return got, next, true
}

// isoInterval is P1Y2M3DT4H5M6S, or P0001-02-03T04:05:06, of which only the
// signs are looked at.
func isoInterval(s []byte) bool {
	if len(s) < 2 || s[0] != 'P' {
		return false
	}
	s = s[1:]
	if !bytes.ContainsAny(s, "YMWDHS") {
		return run(s, 0, "T.-+:", true, false) == len(s)
	}
	units, found := "YMWD", false
	for len(s) > 0 {
		if s[0] == 'T' {
			units, s = "HMS", s[1:]
			continue
		}
		end := run(s, 0, ".-+eE", true, false)
		if end == 0 || end == len(s) || !oneOf(s[end], units) {
			return false
		}
		s, found = s[end+1:], true
	}
	return found
}
