// Package calendar tells how exactly a text tells a time, and when a day begins
// where the clocks change. It reads no drill file.
package calendar

import (
	"strings"
	"time"
)

// Unit is the finest part of a moment that a name tells.
type Unit int

// What a name may tell at the finest.
const (
	Second Unit = iota
	Minute
	Hour
	Day
	Month
	Year
)

// LayoutUnit is the finest part that a layout of Go's writes.
func LayoutUnit(layout string) Unit {
	at := time.Date(2031, time.November, 23, 17, 48, 59, 0, time.UTC)
	for i, other := range []time.Time{
		at.Add(-time.Second), at.Add(-time.Minute), at.Add(-time.Hour), at.AddDate(0, 0, -1), at.AddDate(0, -1, 0),
	} {
		if other.Format(layout) != at.Format(layout) {
			return Unit(i)
		}
	}
	return Year
}

// End is where a unit that begins at from ends, by the clock of from's zone: a
// day may have 23 or 25 hours. A second or a minute is a moment: it ends where
// it begins.
func (u Unit) End(from time.Time) time.Time {
	y, m, d := from.Date()
	switch u {
	case Hour:
		return from.Add(time.Hour)
	case Day:
		return dayBegin(y, m, d+1, from.Location())
	case Month:
		return dayBegin(y, m+1, 1, from.Location())
	case Year:
		return dayBegin(y+1, 1, 1, from.Location())
	}
	return from
}

// Begin is where a unit begins of which a name tells this wall clock (its zone
// is not looked at), in a zone.
func (u Unit) Begin(wall time.Time, zone *time.Location) time.Time {
	if u < Day {
		return InZone(wall, zone)
	}
	y, m, d := wall.Date()
	return dayBegin(y, m, d, zone)
}

// dayBegin is a day's first moment. Where the clocks go on at midnight (Chile,
// the Azores, Cuba, Egypt) a day has no 0:00, and time.Date may give 23:00 of
// the day before.
func dayBegin(y int, m time.Month, d int, zone *time.Location) time.Time {
	begin := time.Date(y, m, d, 0, 0, 0, 0, zone)
	if noon := time.Date(y, m, d, 12, 0, 0, 0, zone); begin.Day() != noon.Day() {
		_, begin = begin.ZoneBounds()
	}
	return begin
}

// Least is how long a unit lasts at least; 0 for what is a moment.
func (u Unit) Least() time.Duration {
	return map[Unit]time.Duration{Hour: time.Hour, Day: 24 * time.Hour, Month: 28 * 24 * time.Hour,
		Year: 365 * 24 * time.Hour}[u]
}

// String is the unit's name.
func (u Unit) String() string {
	return [...]string{"second", "minute", "hour", "day", "month", "year"}[u]
}

// SaysUTC reports whether a layout spells UTC out as plain text, which Go's
// parser passes over: a Z after a digit, or the letters.
func SaysUTC(layout string) bool {
	if strings.Contains(layout, "UTC") || strings.Contains(layout, "GMT") {
		return true
	}
	for i := 1; i < len(layout); i++ {
		offset := strings.HasPrefix(layout[i:], "Z07") // an element that the parser does read
		if layout[i] == 'Z' && '0' <= layout[i-1] && layout[i-1] <= '9' && !offset {
			return true
		}
	}
	return false
}

// InZone reads a wall clock that has no zone in one.
func InZone(wall time.Time, zone *time.Location) time.Time {
	return time.Date(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), wall.Second(),
		wall.Nanosecond(), zone)
}

// Written is an afternoon of the 23rd of November in a layout, in a zone.
func Written(layout, abbreviation string, offset int) string {
	return time.Date(2031, time.November, 23, 17, 48, 59, 0, time.FixedZone(abbreviation, offset)).Format(layout)
}

// TellsZone reports whether a layout writes the zone too.
func TellsZone(layout string) bool {
	return Written(layout, "ABC", 0) != Written(layout, "ABC", 19800) || SaysUTC(layout)
}

// Abbreviates reports whether a layout writes the zone as letters, which tell
// nothing.
func Abbreviates(layout string) bool {
	return Written(layout, "ABC", 0) != Written(layout, "DEF", 0)
}
