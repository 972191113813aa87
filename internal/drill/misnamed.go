package drill

import (
	"errors"

	"daybefore/internal/catalog"
	"daybefore/internal/spec/guess"
	"daybefore/internal/verdict"
)

const pastUnread = "; and whether a drill ever passed with it cannot be known, since the past could not be read"

// noBackup judges a store in which nothing matches source.name: where no drill
// ever passed, and files are there that nearly do, the drill file may be what
// is wrong.
func (r *run) noBackup(err error) error {
	var near *catalog.NearError
	if !errors.As(err, &near) || len(r.Past.Passing) > 0 {
		return err
	}
	return r.mistaken(verdict.CodeNoBackup, near.Hint(), err)
}

// misnamed judges a backup that does not hold the database of source.database:
// a failure, unless the name differs by case and quotes alone from one that it
// holds, and no drill passed with it.
func (r *run) misnamed(want string, held []string, failed *verdict.Problem) error {
	var near []string
	for _, name := range held {
		if guess.Alike(want, name) {
			near = append(near, name)
		}
	}
	for _, past := range r.Past.Passing {
		if past.Backup.Database == want {
			failed.Hint += "; the last drill that passed with it was " + past.Run
			return failed
		}
	}
	if len(near) == 0 {
		return failed
	}
	hint := guess.Meant(near) + " then correct source.database: names are compared to the letter"
	return r.mistaken(verdict.CodeDatabase, hint, failed)
}

// mistaken is the Problem of a drill file that may be wrong.
func (r *run) mistaken(code verdict.Code, hint string, err error) error {
	if r.Past.Problem != nil {
		hint += pastUnread
	}
	return verdict.Errorf(code, hint, "%w", err)
}
