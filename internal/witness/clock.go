package witness

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"

	"daybefore/internal/spec/calendar"
)

// Clock says how records tell times. The zero value reads times with a zone.
type Clock struct {
	Location *time.Location // of those without a zone; nil: there may be none
	Unit     string         // s | ms | us | ns: numbers since 1970; empty: there may be none
}

// Times with a zone, and those without, after a T.
var (
	zoned = []string{"2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05Z07",
		"2006-01-02T15:04:05 Z07:00", "2006-01-02T15:04:05 Z0700", "2006-01-02T15:04:05 UTC"}
	unzoned = []string{"2006-01-02T15:04:05", "2006-01-02T15:04"}
)

var unitsPerSecond = map[string]float64{"s": 1, "ms": 1e3, "us": 1e6, "ns": 1e9}

var (
	errNoTime = errors.New("is no time")
	errNoZone = errors.New("tells no zone")
	errNumber = errors.New("is a number, and of which unit is not said")
)

func (c Clock) hint() string {
	if c.Unit != "" {
		return "unit is for numbers: remove it if the field is none"
	}
	return "write RFC 3339 (2026-11-21T03:15:00Z); or say in the drill file timezone, for times without one, or " +
		"unit, for numbers since 1970"
}

// read gives the moment that a text tells. Its error holds nothing of it.
func (c Clock) read(text string) (time.Time, error) {
	text = strings.TrimSpace(text)
	number, err := strconv.ParseFloat(text, 64)
	switch {
	case err == nil && c.Unit == "":
		return time.Time{}, errNumber
	case err == nil:
		return sinceEpoch(number, unitsPerSecond[c.Unit])
	case c.Unit != "":
		return time.Time{}, errNoTime
	}
	text = strings.ToUpper(text)
	if len(text) > 10 && text[10] == ' ' {
		text = text[:10] + "T" + text[11:]
	}
	for _, layout := range zoned {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC(), nil
		}
	}
	for _, layout := range unzoned {
		at, err := time.Parse(layout, text)
		switch {
		case err == nil && c.Location == nil:
			return time.Time{}, errNoZone
		case err == nil:
			return calendar.InZone(at, c.Location).UTC(), nil
		}
	}
	return time.Time{}, errNoTime
}

// sinceEpoch refuses what lies beyond the years that are written with four
// digits: the unit is another then.
func sinceEpoch(n, perSecond float64) (time.Time, error) {
	const last = 253402300799 // the end of 9999
	seconds, rest := math.Modf(n / perSecond)
	if math.IsNaN(seconds) || seconds < 0 || seconds > last {
		return time.Time{}, errNoTime
	}
	return time.Unix(int64(seconds), int64(rest*1e9)).UTC(), nil
}
