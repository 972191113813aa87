package history

import (
	"context"
	"slices"

	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// Told is what people know of a drill: by the last report that says all of it, and
// those since, whose drills could not read it. The newest stands first.
func Told(ctx context.Context, dir string, s Store, drill string, keys ...spec.Key) ([]verdict.Notified, error) {
	sh, err := open(ctx, dir, s, drill, keys)
	if err != nil {
		return nil, err
	}
	defer sh.close()
	var all []verdict.Notified
	err = sh.told(ctx, func(r *verdict.Report) { all = append(all, r.Notified...) })
	return all, err
}

// told gives each report that says what people know, the newest first.
func (sh *shelf) told(ctx context.Context, each func(*verdict.Report)) error {
	_, err := sh.last(ctx, func(r *verdict.Report) bool {
		if !r.Backup.IsNewest() || len(r.Notified) == 0 {
			return false
		}
		each(r)
		return !slices.ContainsFunc(r.Notified, func(n verdict.Notified) bool { return n.Unread })
	})
	return err
}

// knownAsBad is how many of the newest runs hold all that people know of as bad.
func (sh *shelf) knownAsBad(ctx context.Context) (n int, err error) {
	err = sh.told(ctx, func(r *verdict.Report) {
		if slices.ContainsFunc(r.Notified, func(n verdict.Notified) bool { return len(n.Open) > 0 }) {
			n = slices.Index(sh.runs, r.Run) + 1
		}
	})
	return n, err
}
