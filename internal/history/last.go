package history

import (
	"context"
	"time"

	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// mostTried is how many runs are looked through for one.
const mostTried = 100

// Last is the newest report that is wanted, of those that somebody vouches for; nil
// where none of the last runs is.
func Last(ctx context.Context, dir string, s Store, drill string, wanted func(*verdict.Report) bool,
	keys ...spec.Key) (*verdict.Report, error) {
	sh, err := open(ctx, dir, s, drill, keys)
	if err != nil {
		return nil, err
	}
	defer sh.close()
	return sh.last(ctx, wanted)
}

// last is Last of a shelf that is open.
func (sh *shelf) last(ctx context.Context, wanted func(*verdict.Report) bool) (*verdict.Report, error) {
	for _, run := range sh.runs[:min(len(sh.runs), mostTried)] {
		found, err := sh.reports(ctx, []string{run})
		if err != nil {
			return nil, err
		}
		e := found[0]
		if e.damaged == nil && (len(sh.keys) == 0 || sh.proven(e)) && wanted(e.report) {
			return e.report, nil
		}
	}
	return nil, nil
}

// LastPass is when the drill of a newest backup that passed last began; zero where
// none of the last runs passed.
func LastPass(ctx context.Context, dir string, s Store, drill string, keys ...spec.Key) (time.Time, error) {
	last, err := Last(ctx, dir, s, drill, Passed, keys...)
	if err != nil || last == nil {
		return time.Time{}, err
	}
	return last.StartedAt, nil
}
