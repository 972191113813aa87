package catalog

import (
	"context"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Unfinished is a newer backup than the newest that is not there yet, or no
// more.
type Unfinished struct {
	Name    string
	What    string    // what it is, for people
	Since   time.Time // when it was last seen to change, or began
	Deleted bool      // it was there
	Upload  bool      // it is one that the store keeps apart until it ends
}

// partialSuffixes end the names of files while they are written.
var partialSuffixes = []string{".part", ".partial", ".filepart", ".tmp", ".temp", ".incomplete", ".inprogress",
	".uploading", ".crdownload"}

// rcloneMark stands before .partial where rclone writes.
var rcloneMark = regexp.MustCompile(`\.[0-9a-f]{8}$`)

// partial is what a file is to be called that is still being written, by its
// name.
func partial(name string) (meant string, is bool) {
	ext := path.Ext(name)
	if !slices.Contains(partialSuffixes, strings.ToLower(ext)) {
		return "", false
	}
	meant = strings.TrimSuffix(name, ext)
	if ext == ".partial" {
		meant = rcloneMark.ReplaceAllString(meant, "")
	}
	return meant, true
}

// unfinisher is a Store that knows of uploads under way, and of what was
// deleted.
type unfinisher interface {
	// unfinished tells of names that begin with prefix. Newer is where those
	// begin that matter, if names tell their order; "" otherwise.
	unfinished(ctx context.Context, prefix, newer string) []Unfinished
}

// unfinished are newer backups than this one that are not there as a whole.
// Without times in names nobody knows which are newer.
func (s *search) unfinished(ctx context.Context, newest Backup) []Unfinished {
	var all []Unfinished
	for _, p := range s.patterns {
		if !p.timed {
			continue
		}
		found := s.partials
		if knows, ok := s.store.(unfinisher); ok {
			newer := ""
			if strings.HasPrefix(p.layout, "2006") && !strings.Contains(p.before, "*") {
				newer = p.before + newest.TakenAt.In(p.location).Format(p.layout)
			}
			found = slices.Concat(found, knows.unfinished(ctx, p.literalPrefix(), newer))
		}
		for _, u := range found {
			meant := u.Name
			if full, is := partial(meant); is && !p.endsPartial() {
				meant = full
			}
			taken, ok, err := p.match(meant)
			if ok && err == nil && taken.After(newest.TakenAt) {
				all = append(all, u)
			}
		}
	}
	return all
}

// keepPartial keeps an object that is called as what is still being written.
func (s *search) keepPartial(p namePattern, o Object) {
	if _, is := partial(o.Name); is && !p.endsPartial() {
		s.partials = append(s.partials,
			Unfinished{Name: o.Name, What: "half a file, by its name", Since: o.ModTime})
	}
}

// endsPartial reports whether the backups are themselves called as what is
// still being written.
func (p namePattern) endsPartial() bool {
	last := p.before
	if p.timed {
		last = p.after
	}
	_, is := partial(last)
	return is
}
