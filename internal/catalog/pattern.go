package catalog

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"daybefore/internal/spec"
	"daybefore/internal/spec/calendar"
	"daybefore/internal/spec/family"
	"daybefore/internal/verdict"
)

const timeMark = "{time}"

// timeSlack is how many bytes a written time may be longer than its layout:
// "September" for "January", "+02:00" for "Z", fractions of a second.
const timeSlack = 16

// sideSuffixes end the names of files that lie beside backups and are none, as
// those of sums and signatures do.
var sideSuffixes = []string{".json", ".meta", ".manifest"}

func isSideFile(name string) bool {
	ext := strings.ToLower(path.Ext(name))
	return slices.Contains(sideSuffixes, ext) || suffixRank(ext) >= 0 || otherSides[ext] != ""
}

// namePattern is source.name. A star stands for any text without a slash, {time}
// for the backup's time; all else is literal. A pattern, or a layout, that
// holds slashes reaches into folders.
type namePattern struct {
	source        string
	before, after string // of {time}; without it, before is all
	timed         bool
	layout        string
	location      *time.Location
	unit          calendar.Unit // the finest part of {time}
	// others are the same of databases in whose names that of this one stands.
	others []namePattern
	// known are the same of all databases of the drill file.
	known []namePattern
}

// until is when a backup was taken at the latest, of which a name tells that it
// was taken then: at its day's end, if names tell days.
func (p namePattern) until(taken time.Time) time.Time { return p.unit.End(taken.In(p.location)).UTC() }

// begin is where what a name tells begins, of which taken was read: a day may
// have no midnight.
func (p namePattern) begin(taken time.Time, text string) time.Time {
	if p.unit < calendar.Day || taken.Location() != p.location {
		return taken
	}
	wall, err := time.ParseInLocation(p.layout, text, time.UTC)
	if err != nil {
		return taken
	}
	return p.unit.Begin(wall, p.location)
}

// newPatterns are those of source.parts, or that of source.name.
func newPatterns(src spec.Source) ([]namePattern, error) {
	if len(src.Parts) == 0 {
		p, err := newPattern(src)
		return []namePattern{p}, err
	}
	var all []namePattern
	siblings := src.Siblings
	for i, part := range src.Parts {
		src.Name = part
		if siblings != nil {
			src.Siblings = siblings[i : i+1]
		}
		p, err := newPattern(src)
		if err == nil && !p.timed {
			err = verdict.Errorf(verdict.CodeSpec, "write {time} into each of source.parts: it tells which belong together",
				"choose a backup: %q of source.parts holds no {time}", part)
		}
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

func newPattern(src spec.Source) (namePattern, error) {
	// A directory archive is named by its folder.
	src.Name = strings.TrimSuffix(strings.TrimSuffix(src.Name, "/"+tocName), "/")
	p := namePattern{source: src.Name, layout: src.TimeLayout, location: src.Location,
		others: patternsOf(src, src.Others), known: patternsOf(src, src.Known)}
	p.before, p.after, p.timed = strings.Cut(src.Name, timeMark)
	switch {
	case src.Name == "":
		return p, verdict.Errorf(verdict.CodeSpec, `write source.name, such as "shop-{time}.dump"`,
			"choose a backup: source.name is empty")
	case strings.Contains(p.after, timeMark):
		return p, verdict.Errorf(verdict.CodeSpec, "keep one {time} and write * for the other",
			"choose a backup: source.name %q holds {time} twice", src.Name)
	case isSideFile(src.Name):
		return p, verdict.Errorf(verdict.CodeSpec, "name the backups; the files beside them are found by themselves",
			"choose a backup: source.name %q names side files, which are never backups", src.Name)
	case !p.timed:
		p.location = zoneOr(src.Location)
		return p, nil
	case src.TimeLayout == "":
		return p, verdict.Errorf(verdict.CodeSpec, "write source.time, such as 20060102T150405Z",
			"choose a backup: source.name holds {time}, but source.time is empty")
	case strings.Contains(src.TimeLayout, "MST"):
		return p, verdict.Errorf(verdict.CodeSpec,
			"write the zone as an offset (-0700), or leave it out and set source.timezone",
			"choose a backup: source.time %q holds a zone's abbreviation, which does not tell its offset",
			src.TimeLayout)
	}
	p.unit = src.Unit()
	p.location = zoneOr(src.Location)
	if calendar.SaysUTC(src.TimeLayout) {
		p.location = time.UTC
	}
	return p, nil
}

// patternsOf are those of other databases, as far as these are patterns.
func patternsOf(src spec.Source, databases []string) (all []namePattern) {
	if len(src.Siblings) != 1 {
		return nil
	}
	for _, other := range databases {
		alike := src
		alike.Name = strings.ReplaceAll(src.Siblings[0], family.Mark, other)
		alike.Siblings = nil
		p, err := newPattern(alike)
		if err == nil {
			all = append(all, p)
		}
	}
	return all
}

// ofAnother reports whether a name is that of another database's backup.
func (p namePattern) ofAnother(name string) bool { return matchesAny(p.others, name) }

func matchesAny(patterns []namePattern, name string) bool {
	return slices.ContainsFunc(patterns, func(p namePattern) bool {
		_, ok, err := p.match(name)
		return ok && err == nil
	})
}

func zoneOr(l *time.Location) *time.Location {
	if l == nil {
		return time.UTC
	}
	return l
}

// Named tells of a name, without folders, whether it may be that of a backup:
// whether it is written as the last part of source.name.
func Named(src spec.Source) (func(base string) bool, error) {
	if !strings.Contains(src.TimeLayout, "/") {
		src.Name = path.Base(src.Name)
		src.Parts = slices.Clone(src.Parts)
		for i, part := range src.Parts {
			src.Parts[i] = path.Base(part)
		}
	}
	ps, err := newPatterns(src)
	if err != nil {
		return nil, err
	}
	return func(base string) bool {
		return slices.ContainsFunc(ps, func(p namePattern) bool {
			_, ok, err := p.match(base)
			return ok && err == nil
		})
	}, nil
}

// literalPrefix is what every matching name begins with: it narrows the list.
func (p namePattern) literalPrefix() string {
	prefix, _, _ := strings.Cut(p.before, "*")
	return prefix
}

// deep reports whether matching names lie in folders below the store's own.
func (p namePattern) deep() bool {
	return strings.Contains(p.before+p.after, "/") || p.timed && strings.Contains(p.layout, "/")
}

// match reports whether name is a backup's, and with {time} its time. A text in
// {time}'s place without any digit ("shop-latest.dump") is no match; one with
// digits that cannot be read as a time is an error, since it may be the newest
// backup. Where stars leave a choice, the leftmost, then longest time counts.
func (p namePattern) match(name string) (taken time.Time, ok bool, err error) {
	if name == "" || isSideFile(name) || isSums(path.Base(name)) {
		return time.Time{}, false, nil
	}
	if _, is := partial(name); is && !p.endsPartial() {
		return time.Time{}, false, nil
	}
	if !p.timed {
		return time.Time{}, glob(p.before, name) && !p.ofAnother(name), nil
	}
	taken, _, ok, err = p.matchTime(name)
	if ok && p.ofAnother(name) {
		return time.Time{}, false, nil
	}
	return taken, ok, err
}

// matchTime also gives where the time stands in the name.
func (p namePattern) matchTime(name string) (taken time.Time, at [2]int, ok bool, err error) {
	slashes := strings.Count(p.layout, "/")
	ends := p.ends(name)
	for start := range len(name) {
		if !glob(p.before, name[:start]) {
			continue
		}
		for _, end := range ends {
			if end <= start {
				break
			}
			text := name[start:end]
			if !strings.ContainsAny(text, "0123456789") || strings.Count(text, "/") != slashes {
				continue
			}
			ok = true
			if len(text) > len(p.layout)+timeSlack {
				continue
			}
			if taken, err := time.ParseInLocation(p.layout, text, p.location); err == nil {
				return p.begin(taken, text).UTC(), [2]int{start, end}, true, nil
			}
		}
	}
	if !ok {
		return time.Time{}, at, false, nil
	}
	return time.Time{}, at, true, fmt.Errorf("%q matches source.name %q, but holds no time written as %q", name, p.source,
		p.layout)
}

// ends are the places where {time} may end in name, the last one first.
func (p namePattern) ends(name string) []int {
	var ends []int
	for end := len(name); end > 0; end-- {
		if glob(p.after, name[end:]) {
			ends = append(ends, end)
		}
	}
	return ends
}

// glob reports whether s is pattern, in which a star stands for any text without
// a slash. Going back to the last star is enough: a star further left could
// only help by passing a slash.
func glob(pattern, s string) bool {
	star, mark := -1, 0
	i, j := 0, 0
	for j < len(s) {
		switch {
		case i < len(pattern) && pattern[i] == '*':
			star, mark = i, j
			i++
		case i < len(pattern) && pattern[i] == s[j]:
			i++
			j++
		case star >= 0 && s[mark] != '/':
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[i:], "*") == ""
}
