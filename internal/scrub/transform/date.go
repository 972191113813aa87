package transform

import (
	"bytes"
	"errors"
	"strconv"

	"daybefore/internal/scrub/schema"
	"daybefore/internal/spec"
)

const (
	DateShift = "date_shift" // a day near the value's, at the same time of day
	Truncate  = "truncate"   // the beginning of the value's hour, day, month or year
)

// DateSamples are days of different times, as every type of a day takes them.
var DateSamples = []string{"1950-06-15", "1999-12-31", "2024-02-29", "2099-01-01"}

func init() {
	fits := anyOf(schema.Type.IsText, schema.Type.IsDate, schema.Type.IsDateRange)
	register(DateShift, kind{fits: fits, keepsShape: true, samples: DateSamples, write: writeDateShift})
	register(Truncate, kind{
		fits: fits, keepsShape: true, samples: DateSamples, lacks: lacksPrecision, write: writeTruncated,
	})
}

var errNotADate = errors.New("not a date as DateStyle ISO writes it")

// dateSpan is what a type can hold, in days since 1970.
type dateSpan struct{ first, last int64 }

// A day less on either side of what the server takes, for the time zones.
var (
	spanOfDate      = dateSpan{daysOf(-4712, 1, 1) + 1, daysOf(5874897, 12, 31) - 1}
	spanOfTimestamp = dateSpan{daysOf(-4712, 1, 1) + 1, daysOf(294276, 12, 31) - 1}
)

// appendDate appends the date or timestamp that value spells, moved by one to
// days days either way, picked by random: 0 is the earliest, all ones the
// latest. Time of day, zone and the infinities stay.
func appendDate(dst, value []byte, random uint64, days int, span dateSpan) ([]byte, error) {
	d, err := readDate(value)
	if err != nil || d.infinite {
		return append(dst, d.rest...), err
	}
	return d.moved(shiftBy(random, int64(max(days, 1))), span).append(dst), nil
}

// dateText is a date or timestamp as the server writes it.
type dateText struct {
	year, month, day int64  // year 0 is 1 BC
	rest             []byte // time of day and zone; all of an infinity
	infinite         bool
}

func readDate(value []byte) (dateText, error) {
	if string(value) == "infinity" || string(value) == "-infinity" {
		return dateText{rest: value, infinite: true}, nil
	}
	body, bc := bytes.CutSuffix(value, []byte(" BC"))
	year, rest, ok := datePart(body, 4, 7)
	month, rest, ok2 := dateRest(rest)
	day, rest, ok3 := dateRest(rest)
	if !ok || !ok2 || !ok3 || month < 1 || month > 12 || day < 1 || day > 31 || year < 1 || !isClock(rest) {
		return dateText{}, errNotADate
	}
	if bc {
		year = 1 - year
	}
	return dateText{year: year, month: month, day: day, rest: rest}, nil
}

// isClock tells a time of day, with its zone or without, from other words that
// may stand behind a date in a text; nothing is one too.
func isClock(s []byte) bool {
	if len(s) == 0 {
		return true
	}
	const form = " 00:00"
	if len(s) < len(form) || s[0] != ' ' && s[0] != 'T' || digitsOf(s[1:]) != 2 || s[3] != ':' {
		return false
	}
	s = bytes.TrimSuffix(s, []byte("Z"))
	return len(bytes.Trim(s[1:], "0123456789:.+-")) == 0
}

// moved moves it so many days, or the other way where that would leave the type.
func (d dateText) moved(shift int64, span dateSpan) dateText {
	from := daysOf(d.year, d.month, d.day)
	to := from + shift
	switch {
	case to < span.first: // the very first year lies before it in part
		shift = max(shift, -shift)
	case to > span.last:
		shift = min(shift, -shift)
	}
	d.year, d.month, d.day = dateOf(from + shift)
	return d
}

func (d dateText) append(dst []byte) []byte {
	year := d.year
	if d.year < 1 {
		year = 1 - year
	}
	dst = appendPadded(dst, year, 4)
	dst = appendPadded(append(dst, '-'), d.month, 2)
	dst = appendPadded(append(dst, '-'), d.day, 2)
	dst = append(dst, d.rest...)
	if d.year < 1 {
		dst = append(dst, " BC"...)
	}
	return dst
}

func writeDateShift(m *Masker, dst []byte, r *Recipe, in input) ([]byte, error) {
	random := leading(in.digest[:])
	if m.person != nil {
		random = *m.person
	}
	return appendDate(dst, in.value, random, r.days, r.span)
}

// datePrecision is what truncate leaves.
type datePrecision byte

const (
	toYear datePrecision = iota
	toMonth
	toDay
	toHour
)

var datePrecisions = map[string]datePrecision{"year": toYear, "month": toMonth, "day": toDay, "hour": toHour}

func lacksPrecision(r *spec.Rule) (why, hint string) {
	if _, known := datePrecisions[r.To]; !known {
		return "has the transform truncate without to", "add to: hour, day, month or year"
	}
	return "", ""
}

// writeTruncated appends the beginning of the value's hour, day, month or
// year, in the zone that the value is written in.
func writeTruncated(m *Masker, dst []byte, r *Recipe, in input) ([]byte, error) {
	d, err := readDate(in.value)
	if err != nil || d.infinite {
		return append(dst, d.rest...), err
	}
	rest := d.rest
	if r.to < toDay {
		d.day = 1
	}
	if r.to < toMonth {
		d.month = 1
	}
	if first := r.span.first; daysOf(d.year, d.month, d.day) < first {
		d.year, d.month, d.day = dateOf(first)
	}
	m.clock = appendHour(m.clock[:0], rest, r.to == toHour)
	d.rest = m.clock
	return d.append(dst), nil
}

// appendHour appends a time of day as it was written, with zeros for what is
// finer than the hour, or for all of it.
func appendHour(dst, clock []byte, keepHour bool) []byte {
	done := min(len(clock), 1)
	if keepHour {
		done = min(len(clock), len(" 00"))
	}
	dst = append(dst, clock[:done]...)
	for i, c := range clock[done:] {
		switch {
		case '0' <= c && c <= '9':
			dst = append(dst, '0')
		case c == ':' || c == '.':
			dst = append(dst, c)
		default: // the zone
			return append(dst, clock[done+i:]...)
		}
	}
	return dst
}

// shiftBy maps random to -days … days without 0.
func shiftBy(random uint64, days int64) int64 {
	n := int64(scale(random, uint64(2*days))) - days
	if n >= 0 {
		n++
	}
	return n
}

// datePart reads a number of so many digits off the front.
func datePart(s []byte, least, most int) (int64, []byte, bool) {
	n := digitsOf(s)
	if n < least || n > most {
		return 0, s, false
	}
	v := int64(0)
	for _, c := range s[:n] {
		v = v*10 + int64(c-'0')
	}
	return v, s[n:], true
}

func dateRest(s []byte) (int64, []byte, bool) {
	if len(s) == 0 || s[0] != '-' {
		return 0, s, false
	}
	return datePart(s[1:], 2, 2)
}

func appendPadded(dst []byte, v int64, width int) []byte {
	for limit := int64(10); width > 1; width-- {
		if v < limit {
			for range width - 1 {
				dst = append(dst, '0')
			}
			break
		}
		limit *= 10
	}
	return strconv.AppendInt(dst, v, 10)
}

// daysOf and dateOf count days of the proleptic Gregorian calendar since 1970,
// with a year 0 before year 1.
func daysOf(year, month, day int64) int64 {
	if month <= 2 {
		year--
	}
	era := floorDiv(year, 400)
	yearOfEra := year - era*400
	dayOfYear := (153*((month+9)%12)+2)/5 + day - 1
	return era*146097 + yearOfEra*365 + yearOfEra/4 - yearOfEra/100 + dayOfYear - 719468
}

func dateOf(days int64) (year, month, day int64) {
	days += 719468
	era := floorDiv(days, 146097)
	d := days - era*146097
	yearOfEra := (d - d/1460 + d/36524 - d/146096) / 365
	dayOfYear := d - (365*yearOfEra + yearOfEra/4 - yearOfEra/100)
	m := (5*dayOfYear + 2) / 153
	year, month, day = yearOfEra+era*400, (m+2)%12+1, dayOfYear-(153*m+2)/5+1
	if month <= 2 {
		year++
	}
	return year, month, day
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
