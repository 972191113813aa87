package naming

import (
	"fmt"
	"slices"
	"time"

	"daybefore/internal/spec/amount"
	"daybefore/internal/spec/calendar"
)

// Rhythm is how often backups come.
type Rhythm struct {
	Every  time.Duration // zero: nothing tells
	Widest time.Duration // gap between two
	Thins  bool          // the latest come so often, older ones are further apart
}

// usual are the times after which backups are taken.
var usual = []time.Duration{
	5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 3 * time.Hour,
	4 * time.Hour, 6 * time.Hour, 8 * time.Hour, 12 * time.Hour, day, 2 * day, 7 * day, 14 * day, 28 * day,
}

const day = 24 * time.Hour

// leastFiles tell a rhythm: two gaps that are alike.
const leastFiles = 3

// Rhythm tells how often the files came, by the times in their names.
func (p *Pattern) Rhythm() (r Rhythm) {
	if p.Layout == "" || len(p.Files) < leastFiles {
		return r
	}
	var gaps []time.Duration
	for i := 1; i < len(p.Files); i++ {
		gaps = append(gaps, p.Files[i-1].At.Sub(p.Files[i].At))
	}
	const lately = 8
	recent := slices.Clone(gaps[:min(lately, len(gaps))])
	slices.Sort(recent)
	median := recent[len(recent)/2]
	if median <= 0 {
		return r
	}
	r.Every = median
	for _, u := range usual {
		if (u - median).Abs() <= u/10 {
			r.Every = u
		}
	}
	r.Widest = slices.Max(gaps)
	limit := r.Every * 3 / 2
	switch {
	case r.Widest <= limit:
	case recent[len(recent)-1] <= limit:
		r.Thins = true
	default:
		return Rhythm{Widest: r.Widest}
	}
	return r
}

// Zone is the zone in which names tell their times.
type Zone struct {
	Name string // as source.timezone has it; empty: the names say it themselves
	Why  string
	Sure bool
}

const furthestZone = 14 * time.Hour

// Zone tells it by when the files were written: soon after the time in their names.
func (p *Pattern) Zone() Zone {
	if calendar.SaysUTC(p.Layout) {
		return Zone{Name: "UTC", Why: "the names say so", Sure: true}
	}
	after, some := p.writtenAfter()
	const (
		early = -2 * time.Minute // clocks differ
		soon  = 45 * time.Minute
	)
	switch {
	case p.Layout == "":
		return Zone{Name: "UTC", Why: "nothing tells it"}
	case calendar.LayoutUnit(p.Layout) >= calendar.Day:
		return Zone{Name: "UTC", Why: "nothing tells it: the names tell days"}
	case !some:
		return Zone{Name: "UTC", Why: "nothing tells it: the store does not say when the files were written first"}
	case early <= after && after < soon:
		return Zone{Name: "UTC", Sure: true,
			Why: fmt.Sprintf("the files were written within %s of these times", amount.Span(soon))}
	case after < early:
		hours := (-after + time.Hour - 1) / time.Hour
		return Zone{Name: fmt.Sprintf("Etc/GMT-%d", hours),
			Why: fmt.Sprintf("the files were written up to %s before these times, were they in UTC", amount.Span(-after))}
	}
	return Zone{Name: "UTC", Why: fmt.Sprintf("the files were written %s and more after these times: by a long dump, "+
		"or in another zone", amount.Span(after))}
}

// writtenAfter is the least time from that in a name to when its file was
// written; some is false where none was written by so much as two zones differ.
func (p *Pattern) writtenAfter() (least time.Duration, some bool) {
	for _, f := range p.Files {
		after := f.Written.Sub(f.At)
		if f.Written.IsZero() || f.At.IsZero() || after.Abs() > furthestZone {
			continue
		}
		if !some || after < least {
			least = after
		}
		some = true
	}
	return least, some
}
