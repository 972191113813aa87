// Package naming finds out how the files of a store are called: the patterns of
// their names, with the time in them, and how often, how many and how large they
// are. It reads names and sizes alone. It must never keep a list of all names:
// a store may hold a hundred thousand.
package naming

import (
	"cmp"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"daybefore/internal/catalog"
)

const (
	mostPatterns = 500 // that are told apart; names of further ones are counted
	timeMark     = "{time}"
)

// Pattern is how some of the files of a store are called.
type Pattern struct {
	Name   string // as source.name has it
	Layout string // of {time}, as source.time has it; empty: the names tell no time
	Dumps  bool   // the names say that they are dumps
	Newest catalog.Object
	Files  []File // all of them, the newest first
	Summed int    // files of sums beside them

	skeleton string
}

// File is one file of a pattern.
type File struct {
	At      time.Time // that its name tells, as if in UTC where it tells no zone; zero where it tells none
	Size    int64     // bytes; catalog.Unsized where nobody tells it
	Written time.Time // zero where nobody tells it
}

// Count is the number of the files.
func (p *Pattern) Count() int64 { return int64(len(p.Files)) }

// Bytes are those of all files whose size is told.
func (p *Pattern) Bytes() (n int64) {
	for _, f := range p.Files {
		n += max(0, f.Size)
	}
	return n
}

// Collector takes names one by one. The zero value is ready.
type Collector struct {
	Names    int64 // that were seen
	Strange  int64 // of them those beyond the patterns that are told apart
	patterns map[string]*Pattern
	folders  map[string]*catalog.Object // of archives in directory format
}

// Endings of names, in small letters.
var (
	ofSums = endingSet(".sha1 .sha224 .sha256 .sha384 .sha512 .sha256sum .sha256sums .sha512sum .md5 .md5sum .b2 .b2sum")
	ofNone = endingSet(".log .txt .md .htm .html .err .out .sh .lock .yml .yaml .json .meta .manifest .asc .sig .sign " +
		".minisig .b3 .b3sum .crc .crc32 .crc32c .sfv .cksum .xxh64 .xxh128 .part .partial .tmp .filepart")
	ofDumps = endingSet(".dump .sql .pgdump .pg_dump .psql .pgsql .backup .bak .tar .tgz .custom .dmp .gz .zst .xz .bz2 " +
		".lz4 .age .gpg .pgp .enc")
)

func endingSet(list string) map[string]bool {
	set := map[string]bool{}
	for _, e := range strings.Fields(list) {
		set[e] = true
	}
	return set
}

var (
	tocFile = regexp.MustCompile(`^(?:toc\.dat|(?:\d+|blobs?_\d*|blobs)\.(?:dat|toc)(?:\.gz|\.lz4|\.zst)?)$`)
	globals = regexp.MustCompile(`(?i)globals|(?:^|[-_.])roles(?:[-_.]|$)`)
	// words that stand for a time which they do not tell
	varying = regexp.MustCompile(
		`(?i)\b(?:mon|tues?|wed(?:nes)?|thurs?|fri|satur?|sun)(?:day)?\b|\b[0-9a-f]*\d[0-9a-f]{5,}\b|\d+`)
)

// Add takes one object of a store.
func (c *Collector) Add(o catalog.Object) {
	c.Names++
	dir, base := path.Split(o.Name)
	ending := strings.ToLower(path.Ext(base))
	switch {
	case o.Not != "" || ofNone[ending] || strings.HasSuffix(base, "SUMS"):
		return
	case dir != "" && strings.Contains(base, ".") && tocFile.MatchString(base):
		c.inFolder(strings.TrimSuffix(dir, "/"), o)
	case ofSums[ending]:
		p, _ := c.patternOf(o.Name[:len(o.Name)-len(ending)])
		if p != nil {
			p.Summed++
		}
	default:
		c.add(o)
	}
}

// inFolder joins the files of a directory archive, which is named by its folder.
func (c *Collector) inFolder(folder string, o catalog.Object) {
	if c.folders == nil {
		c.folders = map[string]*catalog.Object{}
	}
	d := c.folders[folder]
	if d == nil {
		d = &catalog.Object{Name: folder}
		c.folders[folder] = d
	}
	if o.ModTime.After(d.ModTime) {
		d.ModTime = o.ModTime
	}
	d.Size += max(0, o.Size)
}

func (c *Collector) add(o catalog.Object) {
	p, at := c.patternOf(o.Name)
	if p == nil {
		c.Strange++
		return
	}
	f := File{At: at, Size: o.Size, Written: o.ModTime}
	if len(p.Files) == 0 || newer(f, File{At: p.newestAt(), Written: p.Newest.ModTime}) {
		p.Newest = o
	}
	p.Files = append(p.Files, f)
}

func newer(a, b File) bool { return cmp.Or(a.At.Compare(b.At), a.Written.Compare(b.Written)) > 0 }

// newestAt is the time that the newest name tells.
func (p *Pattern) newestAt() time.Time {
	_, _, at := split(p.Newest.Name)
	return at
}

// patternOf finds the pattern of a name, or makes it; nil where there are too many.
func (c *Collector) patternOf(name string) (*Pattern, time.Time) {
	text, layout, at := split(name)
	key := text + "\x00" + layout
	p := c.patterns[key]
	switch {
	case p != nil:
	case strings.Contains(name, "*") || len(c.patterns) >= mostPatterns: // a star cannot be named
		return c.patterns[skeletonOf(text)+"\x00"+layout], at
	default:
		p = &Pattern{Name: text, Layout: layout, Dumps: isDump(name), skeleton: skeletonOf(text)}
		if c.patterns == nil {
			c.patterns = map[string]*Pattern{}
		}
		c.patterns[key] = p
	}
	return p, at
}

func isDump(name string) bool {
	ending := strings.ToLower(path.Ext(name))
	return ofDumps[ending] || ending == ""
}

// split takes the time out of a name: the finest that stands in it, of several
// the last. What others tell stands as stars.
func split(name string) (text, layout string, at time.Time) {
	all := momentsIn(name)
	if len(all) == 0 {
		return skeletonOf(name), "", time.Time{}
	}
	best := 0
	for i, f := range all {
		if len(digitsOf(f.layout)) >= len(digitsOf(all[best].layout)) {
			best = i
		}
	}
	var b strings.Builder
	from := 0
	for i, f := range all {
		b.WriteString(name[from:f.from])
		if i == best {
			b.WriteString(timeMark)
		} else {
			b.WriteString(digits.ReplaceAllString(name[f.from:f.to], "*"))
		}
		from = f.to
	}
	b.WriteString(name[from:])
	return b.String(), all[best].layout, all[best].at
}

var digits = regexp.MustCompile(`\d+`)

func digitsOf(s string) string { return strings.Join(digits.FindAllString(s, -1), "") }

// skeletonOf is a name with stars for what differs from file to file, save for
// its time and its ending.
func skeletonOf(text string) string {
	before, after, timed := strings.Cut(text, timeMark)
	if !timed {
		return stars(text)
	}
	return stars(before) + timeMark + stars(after)
}

var (
	endings = regexp.MustCompile(`(?i)(?:\.(?:bz2|lz4|7z|mp4|gz|zst|xz|sql|dump|age|gpg))+$`)
	starred = regexp.MustCompile(`\*[*]+`)
)

func stars(text string) string {
	ending := endings.FindString(text)
	text = varying.ReplaceAllString(strings.TrimSuffix(text, ending), "*")
	return starred.ReplaceAllString(text, "*") + ending
}

// Patterns are those of the names that were taken: what is a dump first, then
// what tells a time, then the most files.
func (c *Collector) Patterns() []*Pattern {
	for _, o := range c.folders {
		c.add(*o)
		p, _ := c.patternOf(o.Name)
		if p != nil {
			p.Dumps = true
		}
	}
	c.folders = nil
	all := fold(c.patterns)
	for _, p := range all {
		slices.SortFunc(p.Files, func(a, b File) int {
			return cmp.Or(b.At.Compare(a.At), b.Written.Compare(a.Written))
		})
	}
	slices.SortFunc(all, func(a, b *Pattern) int {
		return cmp.Or(cmp.Compare(b.rank(), a.rank()), cmp.Compare(len(b.Files), len(a.Files)),
			strings.Compare(a.Name, b.Name))
	})
	return all
}

// rank is the higher the more a pattern looks like one of a database's dumps.
func (p *Pattern) rank() (n int) {
	if p.Dumps {
		n += 4
	}
	if p.Layout != "" {
		n += 2
	}
	if !globals.MatchString(p.Name) {
		n++
	}
	return n
}

// Likely reports whether files called so may be the dumps of a database.
func (p *Pattern) Likely() bool { return p.Dumps && !globals.MatchString(p.Name) }

// fold joins patterns that differ by numbers alone, where each backup has one of its own.
func fold(patterns map[string]*Pattern) (all []*Pattern) {
	const many = 3
	alike := map[string][]*Pattern{}
	for _, p := range patterns {
		if len(p.Files) > 0 {
			key := p.skeleton + "\x00" + p.Layout
			alike[key] = append(alike[key], p)
		}
	}
	for _, of := range alike {
		if len(of) < many || !successive(of) {
			all = append(all, of...)
		} else {
			all = append(all, joined(of))
		}
	}
	return all
}

// successive reports whether patterns are of backups that were taken one after the other:
// those of several databases are of the same night, or have many files each.
func successive(of []*Pattern) bool {
	files := 0
	times := map[time.Time]bool{}
	for _, p := range of {
		files += len(p.Files)
		for _, f := range p.Files {
			times[f.At] = true
		}
	}
	return files <= 2*len(of) && len(times) == files
}

func joined(of []*Pattern) *Pattern {
	p := &Pattern{Name: of[0].skeleton, Layout: of[0].Layout, skeleton: of[0].skeleton}
	var newest File
	for _, other := range of {
		p.Dumps = p.Dumps || other.Dumps
		p.Summed += other.Summed
		p.Files = append(p.Files, other.Files...)
		f := File{At: other.newestAt(), Written: other.Newest.ModTime}
		if p.Newest.Name == "" || newer(f, newest) {
			p.Newest, newest = other.Newest, f
		}
	}
	return p
}
