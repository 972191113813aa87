package catalog

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"daybefore/internal/catalog/place"
	"daybefore/internal/verdict"
)

// Part is one file of a backup, or one directory archive.
type Part struct {
	Object           // of a directory: its name, the sum of its sizes, and a mark of all its files
	Objects []Object // the file itself, or the files of the directory in the order of their names

	sums []Object // in the directory, that hold the sums of its files
}

// Directory reports whether a part is a directory archive.
func (p Part) Directory() bool { return len(p.Objects) != 1 || p.Objects[0].Name != p.Name }

// tocName is the file that tells what a directory archive holds. pg_dump writes
// it last.
const tocName = "toc.dat"

// dataName is what pg_dump calls the other files of a directory archive.
var dataName = regexp.MustCompile(`^(?:\d+|blobs?_\d*|blobs|blob_\d+)\.(?:dat|toc)(?:\.gz|\.lz4|\.zst)?$`)

// parts are the files and directories of a backup.
func (b Backup) parts() []Part {
	if b.Parts != nil {
		return b.Parts
	}
	return []Part{{Object: b.Object, Objects: []Object{b.Object}}}
}

// PartNames are the names of its files and directories, in their order.
func (b Backup) PartNames() []string {
	var names []string
	for _, p := range b.parts() {
		names = append(names, p.Name)
	}
	return names
}

// Heads are the objects whose first bytes tell what the backup is: one a part.
func (b Backup) Heads() []Object {
	var heads []Object
	for _, p := range b.parts() {
		heads = append(heads, p.head())
	}
	return heads
}

// head is the file whose first bytes tell what a part is.
func (p Part) head() Object {
	for _, o := range p.Objects {
		if p.Directory() && o.Name == p.Name+"/"+tocName {
			return o
		}
	}
	return p.Object
}

// withParts is a backup of these parts, in their order.
func (b Backup) withParts(parts []Part) Backup {
	b.Parts = parts
	b.Objects = nil
	var names []string
	for _, p := range parts {
		names = append(names, p.Name)
		b.Objects = append(b.Objects, p.Objects...)
	}
	b.Object = summary(strings.Join(names, " + "), b.Objects)
	return b
}

// summary is one object for many: with the sum of their sizes, and a mark that
// is another where any of them is; without one, where a store tells no version of
// one of them.
func summary(name string, all []Object) Object {
	s := Object{Name: name}
	mark := sha256.New()
	versioned := true
	for _, o := range all {
		versioned = versioned && (Versioned(o.ETag) || !o.ModTime.IsZero())
		if o.Size == place.Unsized {
			s.Size = place.Unsized
		}
		if s.Size != place.Unsized {
			s.Size += o.Size
		}
		if o.ModTime.After(s.ModTime) {
			s.ModTime = o.ModTime
		}
		fmt.Fprintf(mark, "%q %d %q %d\n", o.Name, o.Size, o.ETag, o.ModTime.UnixNano())
	}
	if versioned {
		s.ETag = hex.EncodeToString(mark.Sum(nil))
	}
	return s
}

// withContents puts directory archives in the place of the folders that hold
// them.
func (s *search) withContents(ctx context.Context, p namePattern, all []Backup) ([]Backup, error) {
	files := map[string][]Object{}
	for _, b := range all {
		if b.Not == Folder {
			files[b.Name] = []Object{}
		}
	}
	for o, err := range s.store.List(ctx, p.literalPrefix(), true) {
		if err != nil {
			return nil, err
		}
		for folder := path.Dir(o.Name); isBelow(folder); folder = path.Dir(folder) {
			if of, is := files[folder]; is {
				files[folder] = append(of, o)
			}
		}
	}
	var kept []Backup
	for _, b := range all {
		of := files[b.Name]
		if b.Not != Folder {
			kept = append(kept, b)
			continue
		}
		b, is := b.directory(of)
		if is || p.timed || !strings.HasSuffix(p.before, "*") {
			kept = append(kept, b)
		}
	}
	return kept, nil
}

// isBelow reports whether path.Dir gave a folder below the store's own. Of keys
// that begin with a slash it comes to "/" and stays there.
func isBelow(folder string) bool { return folder != "." && folder != "/" }

// directory is the backup as the archive that a folder's files are; is reports
// whether they are one. Side files in it belong to no archive.
func (b Backup) directory(files []Object) (d Backup, is bool) {
	var own, sums []Object
	var toc, data bool
	for _, o := range files {
		name := strings.TrimPrefix(o.Name, b.Name+"/")
		toc = toc || name == tocName
		data = data || dataName.MatchString(name)
		switch {
		case o.Not != "" || !isSideFile(name) && !isSums(name):
			own = append(own, o)
		case isSums(name):
			sums = append(sums, o)
		}
	}
	if !toc && !data {
		return b, false
	}
	slices.SortFunc(own, func(a, b Object) int { return strings.Compare(a.Name, b.Name) })
	name := b.Name
	sortSums(sums)
	b = b.withParts([]Part{{Object: summary(name, own), Objects: own, sums: sums}})
	if !toc {
		b.missing = []string{name + "/" + tocName}
	}
	return b, true
}

// joined are the backups that parts of the same time make, with what is missing
// of each.
func joined(store Store, ps []namePattern, found [][]Backup) ([]Backup, error) {
	times := map[time.Time][]*Backup{}
	for i, of := range found {
		for j, b := range of {
			at := b.TakenAt
			if times[at] == nil {
				times[at] = make([]*Backup, len(ps))
			}
			if before := times[at][i]; before != nil {
				return nil, verdict.Errorf(verdict.CodeSpec,
					"write the second into the names and into source.time, or let each of source.parts match one of them",
					"choose a backup in %s: %q and %q are of the same time, and both match %q of source.parts",
					store.URL(), before.Name, b.Name, ps[i].source)
			}
			times[at][i] = &of[j]
		}
	}
	var all []Backup
	for _, parts := range times {
		all = append(all, together(ps, parts))
	}
	slices.SortFunc(all, func(a, b Backup) int { return a.TakenAt.Compare(b.TakenAt) })
	return all, nil
}

// together is one backup of parts of the same time, of which some may be nil.
func together(ps []namePattern, parts []*Backup) Backup {
	var whole Backup
	var all []Part
	for i, b := range parts {
		if b == nil {
			whole.missing = append(whole.missing, ps[i].source)
			continue
		}
		whole.TakenAt = b.TakenAt
		whole.Until = b.Until
		whole.TimeFrom = b.TimeFrom
		whole.missing = append(whole.missing, b.missing...)
		whole.Not = cmp.Or(whole.Not, b.Not)
		all = append(all, b.parts()...)
	}
	not := whole.Not
	whole = whole.withParts(all)
	whole.Not = not
	return whole
}

// recently is how long something that is missing may still be on its way.
const recently = 15 * time.Minute

// usable is the Problem of a backup that was chosen and is not there as a whole,
// or nil.
func (s *search) usable(b Backup) error {
	for _, p := range b.parts() {
		if err := notFile(s.store, p.Object); err != nil {
			return err
		}
		for _, o := range p.Objects {
			if err := notFile(s.store, o); err != nil {
				return err
			}
		}
	}
	if len(b.missing) == 0 {
		return nil
	}
	const doing = "choose a backup in %s: of the backup %s %s is missing: %s"
	missing := strings.Join(b.missing, " and ")
	if why := s.onItsWay(b); why != "" {
		return verdict.Errorf(verdict.CodeUnfinished,
			"run the drill later than the backup job; if it is missing then, the backup is not whole",
			doing, s.store.URL(), b.what(), missing, why)
	}
	return verdict.Failf(verdict.CodeUnfinished,
		"find out why the backup job did not write it, or where it broke off; a part of another time is never taken instead",
		doing, s.store.URL(), b.what(), missing, "it cannot be restored as a whole")
}

// onItsWay is why what is missing of a backup may still come; "" where it will
// not.
func (s *search) onItsWay(b Backup) string {
	now := s.choice.Now
	age := now.Sub(b.ModTime).Abs()
	switch {
	case now.IsZero():
		return ""
	case b.ModTime.IsZero():
		return "the store does not tell when the rest came, so it may be on its way"
	case age < recently:
		return "what is there came " + age.Round(time.Second).String() + " ago, so the rest may be on its way"
	}
	return ""
}

// what names a backup of which something is missing.
func (b Backup) what() string {
	if len(b.parts()) == 1 && b.parts()[0].Directory() {
		return b.Name
	}
	return fmt.Sprintf("of %s (%s)", b.TakenAt.Format(time.RFC3339), b.Name)
}

// statters is how many objects are asked about at once.
const statters = 16

// stated is a backup with what the lists left out of its objects.
func (b Backup) stated(ctx context.Context, store Store) (Backup, error) {
	if _, asks := store.(place.Stater); !asks {
		return b, nil
	}
	parts := slices.Clone(b.Parts)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(statters)
	for i := range parts {
		parts[i].Objects = slices.Clone(parts[i].Objects)
		for j := range parts[i].Objects {
			o := &parts[i].Objects[j]
			g.Go(func() (err error) {
				*o, err = exact(ctx, store, *o)
				return err
			})
		}
	}
	if err := g.Wait(); err != nil {
		return b, err
	}
	for i, p := range parts {
		if p.Directory() {
			parts[i].Object = summary(p.Name, p.Objects)
		} else {
			parts[i].Object = p.Objects[0]
		}
	}
	all := b.All
	b = b.withParts(parts)
	if len(all) > 0 && all[0].Name == b.Name {
		all[0].Size = max(b.Size, 0)
	}
	return b, nil
}
