// Package setup writes a first drill file: it looks into a store, finds out how the
// backups are called, and writes what the newest one and its rows tell, each line
// with its reason. It must never let a value of the backup into the file, overwrite
// one that is there, or preserve what it is not sure of.
package setup

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"daybefore/internal/archive"
	"daybefore/internal/catalog"
	"daybefore/internal/setup/naming"
	"daybefore/internal/spec"
	"daybefore/internal/spec/amount"
	"daybefore/internal/spec/family"
	"daybefore/internal/verdict"
)

const (
	mostNames  = 1_000_000 // of a store that are looked at
	mostShown  = 10        // patterns
	mostPeeked = 12        // of which the newest is looked into
	mostOpened = 1000      // of one pattern whose headers alone tell times, each a request to its store
)

// Holdings are what a store holds, by how its files are called.
type Holdings struct {
	URL     string
	Names   int64
	Strange int64 // names of further patterns than are told apart
	Found   []*Found
}

// Found is one pattern with what its newest file says of itself.
type Found struct {
	*naming.Pattern
	Header archive.Header
	Err    error // why there is no header; may be nil
}

// Look lists a store and looks into the newest file of each pattern that may be
// a database's. Problems are the store's, and CodeNoBackup where it is empty.
func Look(ctx context.Context, src spec.Source) (*Holdings, error) {
	store, err := catalog.Open(ctx, src)
	if err != nil {
		return nil, err
	}
	defer store.Close()
	h := &Holdings{URL: store.URL()}
	var names naming.Collector
	for o, err := range store.List(ctx, "", true) {
		if err != nil {
			return nil, err
		}
		names.Add(o)
		if names.Names >= mostNames {
			return nil, verdict.Errorf(verdict.CodeSpec, "give the folder of one database's backups as -url",
				"look into %s: it holds more than %d files", h.URL, mostNames)
		}
	}
	h.Names, h.Strange = names.Names, names.Strange
	for _, p := range names.Patterns() {
		h.Found = append(h.Found, &Found{Pattern: p})
	}
	if len(h.Found) == 0 {
		return nil, h.nothing()
	}
	for _, f := range h.Found[:min(mostPeeked, len(h.Found))] {
		f.Header, f.Err = peek(ctx, store, f.Newest)
	}
	return h, nil
}

func (h *Holdings) nothing() error {
	if h.Names == 0 {
		return verdict.Failf(verdict.CodeNoBackup, "is -url right, and does the backup job write there?",
			"look into %s: there is no file at all", h.URL)
	}
	return verdict.Failf(verdict.CodeNoBackup,
		"give the folder that holds the backups as -url; if they are called like logs or side files, write the drill "+
			"file by hand",
		"look into %s: none of its %s is called like a backup", h.URL, verdict.Count(h.Names, "file"))
}

// peek reads the header of a file, or of the directory archive of that name.
func peek(ctx context.Context, store catalog.Store, o catalog.Object) (archive.Header, error) {
	if o.ETag == "" && o.Not == "" { // a directory's files were joined, and have no mark
		for inside, err := range store.List(ctx, o.Name+"/toc.dat", true) {
			if err != nil {
				return archive.Header{}, err
			}
			o = inside
			break
		}
	}
	first := catalog.HeaderReader(ctx, store, o)
	defer first.Close()
	return archive.Peek(ctx, first, nil)
}

// Several is the error of a store in which one pattern has to be chosen.
type Several struct{ Found []*Found }

func (s *Several) Error() string {
	return "the store holds several kinds of backups: say which, by -pattern"
}

// Choose is the pattern to be drilled: the one that is called so, or the only one
// that may be a database's, or whose name tells the drill's. Where nothing decides
// the error is a *Several.
func (h *Holdings) Choose(name, pattern string) (*Found, error) {
	if pattern != "" {
		i := slices.IndexFunc(h.Found, func(f *Found) bool { return f.Name == pattern })
		if i < 0 {
			return nil, verdict.Errorf(verdict.CodeSpec, "give one of: "+h.names(),
				"choose a pattern in %s: no files are called %s", h.URL, verdict.Printable(pattern))
		}
		return h.Found[i], nil
	}
	likely := h.likely()
	if len(likely) == 1 {
		return likely[0], nil
	}
	var told []*Found
	for _, f := range likely {
		if f.Header.Database == name || slices.Contains(words(f.Name), name) {
			told = append(told, f)
		}
	}
	if len(told) == 1 {
		return told[0], nil
	}
	return nil, &Several{Found: likely}
}

// likely are the patterns that may be a database's: those whose names tell a time,
// where there are some, and that are of the best kind.
func (h *Holdings) likely() (all []*Found) {
	timed := false
	for _, f := range h.Found {
		timed = timed || f.Likely() && f.Layout != "" && f.readable()
	}
	for _, f := range h.Found {
		if f.Likely() && f.readable() && (f.Layout != "" || !timed) {
			all = append(all, f)
		}
	}
	if len(all) == 0 {
		return h.Found
	}
	return all
}

// mostOthers are named at once.
const mostOthers = 5

// Others are the first of the patterns beside the chosen one that may be a database's.
func (h *Holdings) Others(chosen *Found) (all []*Found) {
	for _, f := range h.likely() {
		if f != chosen && len(all) < mostOthers && f.Err == nil {
			all = append(all, f)
		}
	}
	return all
}

// Together is databases.pattern for all of these, where their names differ in one place
// alone, between signs, as databases' names do; empty where they do not.
func Together(found []*Found) string {
	if len(found) < 2 {
		return ""
	}
	before, after := found[0].Name, found[0].Name
	for _, f := range found[1:] {
		before = before[:alikeFrom(before, f.Name)]
		after = after[len(after)-alikeTo(after, f.Name):]
	}
	before = before[:strings.LastIndexAny(before, signs)+1]
	from := strings.IndexAny(after, signs)
	if from < 0 {
		return ""
	}
	after = after[from:]
	for _, f := range found {
		database, ok := strings.CutPrefix(strings.TrimSuffix(f.Name, after), before)
		if !ok || database == "" || strings.ContainsAny(database, "{}*/") || f.Layout != found[0].Layout {
			return ""
		}
	}
	return before + family.Mark + after
}

// signs stand between the parts of a name.
const signs = "/-_. "

// alikeFrom is how many bytes two texts have in common at their beginnings.
func alikeFrom(a, b string) (n int) {
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

// alikeTo is how many bytes two texts have in common at their ends.
func alikeTo(a, b string) (n int) {
	for n < min(len(a), len(b)) && a[len(a)-1-n] == b[len(b)-1-n] {
		n++
	}
	return n
}

// DrillName is what a drill of the pattern may be called: as its database, or NAME.
func (f *Found) DrillName() string {
	if spec.IsDrillName(f.Header.Database) {
		return f.Header.Database
	}
	return "NAME"
}

// readable reports whether the newest is a dump, or may be one that is broken,
// or locked: what is plainly another kind of file is none.
func (f *Found) readable() bool {
	return f.Err == nil || verdict.AsProblem(f.Err).Code != verdict.CodeNotAnArchive
}

// words are those of a name, in small letters.
func words(name string) []string {
	return strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return strings.ContainsRune("/-_.{}* ", r) })
}

func (h *Holdings) names() string {
	var all []string
	for _, f := range h.Found[:min(mostShown, len(h.Found))] {
		all = append(all, "'"+f.Name+"'")
	}
	return strings.Join(all, ", ")
}

// Lines tell a person what the store holds: a heading, and what stands below it.
func (h *Holdings) Lines() []string {
	lines := []string{fmt.Sprintf("%s holds %s:", h.URL, verdict.Count(h.Names, "file"))}
	for _, f := range h.Found[:min(mostShown, len(h.Found))] {
		lines = append(lines, f.line())
	}
	more := int64(max(0, len(h.Found)-mostShown)) + h.Strange
	if more > 0 {
		lines = append(lines, fmt.Sprintf("and files called in %d other ways", more))
	}
	return lines
}

// line tells of one pattern.
func (f *Found) line() string {
	line := fmt.Sprintf("%s: %s, %s", verdict.Printable(f.Name), verdict.Count(f.Count(), "file"),
		amount.Size(f.Bytes()))
	r := f.Rhythm()
	switch {
	case f.Layout == "":
		line += ", no time in the names"
	case r.Every > 0:
		line += ", one each " + amount.Span(r.Every)
	case f.Count() > 2:
		line += ", at no regular times"
	}
	return line + ", " + f.what()
}

// what says what the newest is.
func (f *Found) what() string {
	h := f.Header
	switch {
	case f.Err != nil && verdict.AsProblem(f.Err).Code == verdict.CodeDecrypt:
		return "encrypted"
	case f.Err != nil && !f.readable():
		return "no dump"
	case f.Err != nil:
		return "the newest cannot be read"
	case h.Format == "": // not looked into
		return "not looked into"
	case h.Database == "":
		return string(h.Format) + " format"
	}
	return fmt.Sprintf("%s format of the database %s", h.Format, verdict.Printable(h.Database))
}

var keyNamed = regexp.MustCompile(`source\.decrypt\.([a-z_]+_env)`)

// KeyWanted is the key of source.decrypt that names what opens the newest file; empty
// where it is not encrypted.
func (f *Found) KeyWanted() string {
	if f.Err == nil {
		return ""
	}
	p := verdict.AsProblem(f.Err)
	m := keyNamed.FindStringSubmatch(p.Hint)
	if p.Code != verdict.CodeDecrypt || m == nil {
		return ""
	}
	return m[1]
}
