package catalog

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"time"

	"daybefore/internal/spec/guess"
	"daybefore/internal/verdict"
)

// By is how a backup is chosen.
type By string

// The ways to choose one.
const (
	ByNewest By = "newest"
	ByName   By = "named"
	ByTime   By = "before"   // the newest that was taken by a time
	ByChance By = "random"   // any
	ByProof  By = "unproven" // the one whose last drill is longest ago
)

// Choice says which backup is chosen. The zero value is the newest.
type Choice struct {
	By     By
	Name   string    // ByName: of the backup, or of one of its parts
	Before time.Time // ByTime
	// Drilled tells of a backup when it was last drilled, and whether it was
	// then proven within the time that counts. It may be nil.
	Drilled func(Entry) (at time.Time, proven bool)
	// Now is when what is missing may still be on its way. Zero: it is not.
	Now time.Time
}

// newest reports whether it is the newest that is chosen.
func (c Choice) newest() bool { return c.By == "" || c.By == ByNewest }

// among are the backups that the choice leaves, each with why.
func (c Choice) among(all []Backup, s *search) ([]Backup, error) {
	switch c.By {
	case ByName:
		return c.named(all, s)
	case ByTime:
		return c.before(all, s)
	case ByChance:
		return c.random(all, s)
	case ByProof:
		return c.unproven(all, s)
	}
	return all, nil
}

func (c Choice) named(all []Backup, s *search) ([]Backup, error) {
	name := strings.TrimSuffix(c.Name, "/")
	whole := func(own string) bool { return own == name }
	last := func(own string) bool { return path.Base(own) == name }
	found := withName(all, whole)
	if len(found) == 0 {
		found = withName(all, last)
	}
	names := namesOf(all)
	if len(found) > 1 {
		return nil, verdict.Errorf(verdict.CodeSpec, "name it with its folder, as the store does",
			"choose a backup in %s: %d are %q: %s", s.store.URL(), len(found), c.Name, someOf(namesOf(found)))
	}
	if len(found) == 1 {
		found[0].Why = "it was named"
		return found, nil
	}
	hint := "name one as the store does; a file of this machine is named by its path, such as ./shop.dump"
	if near := guess.Nearest(c.Name, names); near != "" {
		hint = fmt.Sprintf("did you mean %q?", near)
	}
	return nil, verdict.Errorf(verdict.CodeSpec, hint, "choose a backup in %s: of %d that match source.name none is %q",
		s.store.URL(), len(all), c.Name)
}

// withName are the backups whose name, or that of one of their parts, is the one.
func withName(all []Backup, is func(string) bool) []Backup {
	var found []Backup
	for _, b := range all {
		if is(b.Name) || slices.ContainsFunc(b.parts(), func(p Part) bool { return is(p.Name) }) {
			found = append(found, b)
		}
	}
	return found
}

func namesOf(all []Backup) []string {
	var names []string
	for _, b := range all {
		names = append(names, b.Name)
	}
	return names
}

// someOf are the first of names, for an error.
func someOf(names []string) string {
	var text []string
	for _, name := range names[:min(len(names), shown)] {
		text = append(text, fmt.Sprintf("%q", name))
	}
	if len(names) > shown {
		text = append(text, "…")
	}
	return strings.Join(text, ", ")
}

func (c Choice) before(all []Backup, s *search) ([]Backup, error) {
	var older []Backup
	for _, b := range all {
		ended := b.Until.After(b.TakenAt) && !b.Until.After(c.Before) // a day ends where the next begins
		if ended || !b.Until.After(b.TakenAt) && b.TakenAt.Before(c.Before) {
			b.Why = "it is the newest before " + c.Before.UTC().Format(time.RFC3339)
			older = append(older, b)
		}
	}
	if len(older) == 0 {
		oldest := slices.MinFunc(all, func(a, b Backup) int { return a.TakenAt.Compare(b.TakenAt) })
		return nil, verdict.Errorf(verdict.CodeSpec, "give a later time",
			"choose a backup in %s: none of %d was taken before %s; the oldest, %s, was taken at %s", s.store.URL(),
			len(all), c.Before.UTC().Format(time.RFC3339), oldest.Name, oldest.TakenAt.Format(time.RFC3339))
	}
	return older, nil
}

func (c Choice) random(all []Backup, s *search) ([]Backup, error) {
	b := all[rand.IntN(len(all))]
	b.Why = fmt.Sprintf("it was picked at random, of %d", len(all))
	return []Backup{b}, nil
}

// unproven picks of those that were not proven lately the one whose last drill
// is longest ago, whatever that came to: one that cannot be judged is not in
// the way of the others. Of several that were never drilled the oldest is
// taken, since it is the next to be removed.
func (c Choice) unproven(all []Backup, s *search) ([]Backup, error) {
	type known struct {
		at     time.Time
		proven bool
	}
	of := map[string]known{}
	left := 0
	for _, b := range all {
		var k known
		if c.Drilled != nil {
			k.at, k.proven = c.Drilled(b.Entry())
		}
		of[b.Name] = k
		if !k.proven {
			left++
		}
	}
	b := slices.MinFunc(all, func(a, b Backup) int {
		x, y := of[a.Name], of[b.Name]
		if x.proven != y.proven {
			if y.proven {
				return -1
			}
			return 1
		}
		return cmp.Or(x.at.Compare(y.at), a.TakenAt.Compare(b.TakenAt), strings.Compare(a.Name, b.Name))
	})
	k := of[b.Name]
	switch {
	case k.proven:
		b.Why = fmt.Sprintf("all %d were proven lately, and its drill is longest ago, %s", len(all),
			k.at.UTC().Format(time.RFC3339))
	case k.at.IsZero():
		b.Why = fmt.Sprintf("it was never drilled, and %d of %d were not proven lately", left, len(all))
	default:
		b.Why = fmt.Sprintf("it was last drilled %s, and %d of %d were not proven lately", k.at.UTC().Format(time.RFC3339),
			left, len(all))
	}
	return []Backup{b}, nil
}

// Entry is the backup as one of many.
func (b Backup) Entry() Entry {
	return Entry{Name: b.Name, TakenAt: b.TakenAt, Until: b.Until, Size: b.Size, ETag: b.ETag, Objects: b.Objects}
}
