package history

import (
	"slices"
	"strconv"
	"time"

	"daybefore/internal/verdict"
)

// Past is what a drill is compared with. The zero value is a drill's first
// run.
type Past struct {
	// newest first; outcome pass or warn, all of this drill; of scrub only the key and one column; without rows_held and the rows of latest events
	Passing  []*verdict.Report
	Accepted []Acceptance    // newest first
	Muted    []verdict.Muted // newest first; what has ended too
	Damaged  []string        // entries that cannot be used: which, and why
	Unproven Unproven        // entries of which nobody knows who wrote them
	// Problem is why the past could not be read, where it could not: nothing
	// may be judged against it then, since it only looks empty.
	Problem *verdict.Problem
}

// Unproven counts entries of which nobody knows who wrote them. With keys they
// are left out; without any, those of the store are used all the same.
type Unproven struct {
	Unsigned int    // without a keyed hash
	Foreign  int    // signed with a key that is not known here
	Used     string // the store that they were used from; empty: they were left out
}

func (u *Unproven) add(e entry, keyed bool) {
	switch {
	case keyed && e.proof == unsigned, !keyed && !e.here && e.proof == unsigned:
		u.Unsigned++
	case keyed && e.proof == foreign, !keyed && !e.here:
		u.Foreign++
	}
}

// Any reports whether there are such entries.
func (u Unproven) Any() bool { return u.Unsigned+u.Foreign > 0 }

// Point is a number of a past run, or one that a person accepted.
type Point struct {
	Run      string
	Value    int64
	Accepted bool
}

// Series gives a number of the passing runs, newest first, as the check of
// this id may be compared with it: nothing from before a change that was
// accepted for it, and what that change led to in its place. A run of which
// number says false has none and is left out, and so are all after the most
// that will be compared with.
func (p Past) Series(check string, most int, number func(*verdict.Report) (int64, bool)) []Point {
	accepted := p.AcceptedFor(check)
	var points []Point
	for _, r := range p.Passing {
		if accepted != nil && !r.StartedAt.After(accepted.At) {
			break
		}
		if n, ok := number(r); ok {
			points = append(points, Point{Run: r.Run, Value: n})
		}
		if len(points) == most {
			return points
		}
	}
	if accepted != nil {
		points = append(points, accepted.points()...)
	}
	return points
}

// Median is the middle of the points' values, the lower of two; 0 for none.
func Median(points []Point) int64 {
	if len(points) == 0 {
		return 0
	}
	values := make([]int64, len(points))
	for i, p := range points {
		values[i] = p.Value
	}
	slices.Sort(values)
	return values[(len(values)-1)/2]
}

// Times, as marks write them: of a zone, of none, and days.
var markLayouts = []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", time.DateOnly}

// Number reads what a report says as something that can be compared: a whole
// number as it is, a time as microseconds since 1970.
func Number(text string) (n int64, ok bool) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n, true
	}
	for _, layout := range markLayouts {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UnixMicro(), true
		}
	}
	return 0, false
}
