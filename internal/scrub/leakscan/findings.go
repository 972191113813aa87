// Package leakscan finds what must not be there: what looks sensitive where no rule
// expects it, in rows as they pass (Watcher) and within values of which a rule lets
// parts pass (Within); and, once the rows are stored, whatever the server made of them,
// and real values that a Sampler saw before they were replaced (Scan). Of what may
// pass a Sight says what it looks like. The room decides nothing about a column, and
// must never keep or show what it finds: places, kinds, counts and keyed fingerprints
// leave it, and samples are hashes.
package leakscan

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"daybefore/internal/detect"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// ErrLeak is in the error that ends a load because content told what no rule
// had named. The plan's checks say where.
var ErrLeak = errors.New("a value looks sensitive, and its column has no rule")

// Findings are what was found where nothing sensitive may be. The zero value has
// none.
type Findings struct {
	mu       sync.Mutex
	found    map[Finding]int64
	doubtful map[string]int64 // by place
}

// LeastDoubtful is how many doubtful values of one place are an error: a
// column of such values has more, and one or two of a text are chance.
const LeastDoubtful = 3

// Finding is a kind of value in a place.
type Finding struct {
	Place    string // a column, or what else holds text
	What     string // what it looks like
	Fix      string // what to add to the drill file
	Doubtful bool   // it may be something else
	Warns    bool   // it ends no load, however often it was found
}

// Add counts a finding so many times, and reports whether its place is not to
// be loaded: doubtful values are an error only as so many.
func (l *Findings) Add(at Finding, count int64) (ends bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.found == nil {
		l.found, l.doubtful = map[Finding]int64{}, map[string]int64{}
	}
	l.found[at] += count
	switch {
	case at.Warns:
		return false
	case !at.Doubtful:
		return true
	}
	l.doubtful[at.Place] += count
	return l.doubtful[at.Place] >= LeastDoubtful
}

// Doubtful is how many doubtful values were found, in all places.
func (l *Findings) Doubtful() (n int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, count := range l.doubtful {
		n += count
	}
	return n
}

// Restart begins the count anew, and returns what was found until now.
func (l *Findings) Restart() map[Finding]int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	before := l.found
	l.found, l.doubtful = nil, nil
	return before
}

// AtLeast brings back what was found before and was not found again.
func (l *Findings) AtLeast(before map[Finding]int64) {
	for at, n := range before {
		l.mu.Lock()
		more := n - l.found[at]
		l.mu.Unlock()
		if more > 0 {
			l.Add(at, more)
		}
	}
}

// all are ordered by place; at each, what is certain comes first.
func (l *Findings) all() []Finding {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.SortedFunc(maps.Keys(l.found), func(a, b Finding) int {
		return cmp.Or(strings.Compare(a.Place, b.Place), sureFirst(a.Warns, b.Warns), sureFirst(a.Doubtful, b.Doubtful),
			strings.Compare(a.What, b.What))
	})
}

func sureFirst(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// Checks tell each place once; of is said behind each place's counts.
func (l *Findings) Checks(of string) []verdict.Check {
	var checks []verdict.Check
	for _, at := range l.all() {
		found := fmt.Sprintf("%s %s %s", verdict.Count(l.found[at], "value"), at.looked(), at.What)
		if n := len(checks); n > 0 && checks[n-1].ID == "unmatched:"+at.Place {
			checks[n-1].Observed += ", " + found
			continue
		}
		c := verdict.Check{
			ID: "unmatched:" + at.Place, Stage: verdict.StageScrub, Code: verdict.CodeUnmatched, Outcome: verdict.Error,
			Expected: "no value that looks sensitive in a column without a rule", Observed: found,
			Message: fmt.Sprintf("%s contains what looks like %s and has no rule: load aborted, sandbox removed",
				at.Place, at.What),
			Hint: at.Fix,
		}
		switch {
		case at.Warns:
			c.Outcome = verdict.Warn
			c.Message = fmt.Sprintf("%s seems to contain %s and has no rule; so few values end no load", at.Place, at.What)
		case at.Doubtful && l.doubtful[at.Place] < LeastDoubtful:
			c.Outcome = verdict.Warn
			c.Message = fmt.Sprintf("%s may contain %s and has no rule; so few doubtful values end no load",
				at.Place, at.What)
			c.Hint = "look at the column: if it is harmless, let scrub.leak_scan.allow match " +
				"what stands there; if not, " +
				at.Fix
		}
		checks = append(checks, c)
	}
	for i := range checks {
		checks[i].Observed += of
	}
	return checks
}

func (f *Finding) looked() string {
	if f.Doubtful {
		return "perhaps looked like"
	}
	return "looked like"
}

// NewScanner looks for what the drill file says, or for everything.
func NewScanner(scan spec.LeakScan) (detect.Scanner, error) {
	set := detect.All
	if scan.Detectors != nil {
		var err error
		set, err = detect.Named(scan.Detectors...)
		if err != nil {
			return detect.Scanner{}, verdict.Errorf(verdict.CodeSpec, "correct scrub.leak_scan.detectors",
				"plan the scrub: %w", err)
		}
	}
	return detect.NewScanner(set, scan.Allow...), nil
}

// share is the part of the rows, or of other things, that is looked at.
type share struct {
	percent float64 // 0: all
	due     float64
	rows    int64 // looked at
}

// skips tells for how many rows in a hundred nobody looks, evenly spread.
func (s *share) skips() bool {
	if s.percent > 0 {
		s.due += s.percent
		if s.rows > 0 && s.due < 100 {
			return true
		}
		s.due -= 100
	}
	s.rows++
	return false
}

// OfSample says behind a count that not all of something was looked at: else a pass
// would say more than is known, and a number of findings be taken for all.
func OfSample(percent float64) string {
	if percent > 0 && percent < 100 {
		return fmt.Sprintf(", in a sample of %g%% of the rows", percent)
	}
	return ""
}
