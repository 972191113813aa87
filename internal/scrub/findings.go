package scrub

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

// leaks are what was found where nothing sensitive may be. The zero value has
// none.
type leaks struct {
	mu    sync.Mutex
	found map[leak]int64
}

// leak is a kind of value in a place.
type leak struct {
	place string // a column, or what else holds text
	what  string // what it looks like
	mend  string
}

func (l *leaks) add(at leak, count int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.found == nil {
		l.found = map[leak]int64{}
	}
	l.found[at] += count
}

// restart begins the count anew, and returns what was found until now.
func (l *leaks) restart() map[leak]int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	before := l.found
	l.found = nil
	return before
}

// atLeast brings back what was found before and was not found again.
func (l *leaks) atLeast(before map[leak]int64) {
	for at, n := range before {
		l.mu.Lock()
		more := n - l.found[at]
		l.mu.Unlock()
		if more > 0 {
			l.add(at, more)
		}
	}
}

// all are ordered by place.
func (l *leaks) all() []leak {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.SortedFunc(maps.Keys(l.found), func(a, b leak) int {
		return cmp.Or(strings.Compare(a.place, b.place), strings.Compare(a.what, b.what))
	})
}

// checks tell each place once; of is said behind each place's counts.
func (l *leaks) checks(of string) []verdict.Check {
	var checks []verdict.Check
	for _, at := range l.all() {
		found := fmt.Sprintf("%s looked like %s", amount(l.found[at], "value"), at.what)
		if n := len(checks); n > 0 && checks[n-1].ID == "unmatched:"+at.place {
			checks[n-1].Observed += ", " + found
			continue
		}
		checks = append(checks, verdict.Check{
			ID: "unmatched:" + at.place, Stage: verdict.StageScrub, Code: verdict.CodeUnmatched, Outcome: verdict.Error,
			Expected: "no value that looks sensitive in a column without a rule", Observed: found,
			Message: fmt.Sprintf("%s contains what looks like %s and has no rule: load aborted, sandbox removed", at.place, at.what),
			Hint:    at.mend,
		})
	}
	for i := range checks {
		checks[i].Observed += of
	}
	return checks
}

// newScanner looks for what the drill file says, or for everything.
func newScanner(scan spec.LeakScan) (detect.Scanner, error) {
	set := detect.All
	if scan.Detectors != nil {
		var err error
		if set, err = detect.Named(scan.Detectors...); err != nil {
			return detect.Scanner{}, verdict.Errorf(verdict.CodeSpec, "correct scrub.leak_scan.detectors", "plan the scrub: %w", err)
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

// ofSample says behind a count that not all of something was looked at: else a pass
// would say more than is known, and a number of findings be taken for all.
func ofSample(percent float64) string {
	if percent > 0 && percent < 100 {
		return fmt.Sprintf(", in a sample of %g%% of the rows", percent)
	}
	return ""
}

func amount(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
