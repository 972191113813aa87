package catalog

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"daybefore/internal/catalog/place"
	"daybefore/internal/spec"
	"daybefore/internal/spec/calendar"
	"daybefore/internal/verdict"
)

// HeaderLength is how many bytes of a backup HeaderReader gives at most.
// Of a block of lz4, which may have nearly as many, no byte is known before its last.
const HeaderLength = 4<<20 + 64<<10

// peekers is how many headers are read at once where names tell no time.
const peekers = 8

// shown is how many names an error lists.
const shown = 3

// mostListed is how many names are looked at for what a pattern may have meant.
const mostListed = 20_000

// Where a backup's time was read.
const (
	FromName   = "name"
	FromHeader = "header"
	FromFile   = "file" // when it was last written
)

// Backup is what was chosen: one file, the files of a directory archive, or
// the parts of source.parts.
type Backup struct {
	// The file; of several the name of all, the sum of their sizes, and a mark
	// that changes where any of them does.
	Object
	Objects []Object // all that it consists of, in order; nil: Object alone
	// Parts are its files and directories, in the order of source.parts; nil: Object alone.
	Parts   []Part
	TakenAt time.Time // UTC; may lie in the future, which the caller judges
	// UTC; when it was taken at the latest: later than TakenAt where the name tells no more than an hour, a day or a
	// month
	Until    time.Time
	TimeFrom string  // FromName | FromHeader | FromFile
	All      []Entry // all backups that match source.name, the newest first
	// Why is why this one was chosen, for people; "" for the newest.
	Why string
	// Unfinished are newer ones that are not there yet, or no more.
	Unfinished []Unfinished

	missing []string // names of parts that are not there
}

// Entry is one of the backups in a store.
type Entry struct {
	Name    string
	TakenAt time.Time // UTC; as Backup's
	Until   time.Time // UTC; as Backup's
	Size    int64     // bytes, or Unsized
	ETag    string    // as Backup's
	Objects []Object  // as Backup's
}

// Latest is when it was taken at the latest.
func (e Entry) Latest() time.Time {
	if e.Until.After(e.TakenAt) {
		return e.Until
	}
	return e.TakenAt
}

// PeekFunc reads the time out of the first bytes of a backup: the dumping
// machine's local time, whose zone is not known; the result's is ignored.
type PeekFunc func(io.Reader) (time.Time, error)

// Choose picks the newest backup that matches source.name, by the time in the
// names or, where the pattern holds no {time}, by the headers of all that
// match; of equal times the last name. Where several names tell the newest
// time, such as two of one day, their headers decide. What it picks is not
// looked into otherwise: an empty newest is chosen. A folder that holds no
// archive, or a link that points nowhere, in a backup's place is never passed
// over for an older file, nor is a newest of which a part is missing.
//
// Problems: CodeNoBackup (fail) if nothing matches, with a *NearError if files
// are there that nearly do; CodeUnsupported if the
// newest is no file, CodeNotAnArchive (fail) if it is a link that points
// nowhere; CodeUnfinished (fail) if something of it is missing, or (error) if
// that may still be on its way; CodeSpec if a matching name tells no time, or
// if nothing tells which of several is the newest; the failure of peek (fail, unless it says otherwise) for
// any header that tells none, since that backup may be the newest;
// CodeStoreUnreachable, CodeCredentialsRefused, CodeChangedMeanwhile.
func Choose(ctx context.Context, store Store, src spec.Source, peek PeekFunc) (Backup, error) {
	return ChooseBy(ctx, store, src, Choice{}, peek)
}

// ChooseBy is Choose of another one than the newest, where the choice says so.
// A backup that was chosen and cannot be drilled is given beside the error, so
// that history learns which it was.
// Problems, besides: CodeSpec (error) if the choice fits none.
func ChooseBy(ctx context.Context, store Store, src spec.Source, c Choice, peek PeekFunc) (Backup, error) {
	ps, err := newPatterns(src)
	if err != nil {
		return Backup{}, err
	}
	s := search{store: store, patterns: ps, choice: c, peek: peek}
	return s.choose(ctx)
}

// search is for one backup in a store.
type search struct {
	store    Store
	patterns []namePattern // one, or one a part
	choice   Choice
	peek     PeekFunc

	partials []Unfinished // that were seen on the way
}

func (s *search) choose(ctx context.Context) (Backup, error) {
	all, err := s.backups(ctx)
	if err != nil {
		return Backup{}, err
	}
	if len(all) == 0 {
		return Backup{}, noBackup(ctx, s.store, s.patterns[0])
	}
	if s.patterns[0].timed || s.choice.By == ByName {
		all, err = s.choice.among(all, s)
	}
	if err == nil && !s.patterns[0].timed {
		const hint = "source.name has no {time}, so every backup's header must be readable to know which is the " +
			"newest; remove the broken one, or put the time into the names"
		err = peekAll(ctx, s.store, all, s.patterns[0].location, s.peek, hint)
		if err == nil && s.choice.By != ByName {
			all, err = s.choice.among(all, s)
		}
	}
	if err != nil {
		return Backup{}, err
	}
	chosen, err := s.foremost(ctx, all)
	if err != nil {
		return Backup{}, err
	}
	chosen, err = chosen.exactly(ctx, s.store) // first, since a list may not tell when something came
	if err != nil {
		return chosen, err
	}
	if err := s.usable(chosen); err != nil {
		return chosen, err
	}
	if err := chosen.thawed(ctx, s.store); err != nil {
		return chosen, err
	}
	if s.choice.newest() {
		chosen.Unfinished = s.unfinished(ctx, chosen)
	}
	return chosen, nil
}

// backups are all that match, with their times if names tell them.
func (s *search) backups(ctx context.Context) ([]Backup, error) {
	var found [][]Backup
	for _, p := range s.patterns {
		of, err := s.matching(ctx, p)
		if err != nil {
			return nil, err
		}
		found = append(found, of)
	}
	if len(found) == 1 {
		return found[0], nil
	}
	return joined(s.store, s.patterns, found)
}

// matching are the files and directories that match one pattern.
func (s *search) matching(ctx context.Context, p namePattern) ([]Backup, error) {
	var all []Backup
	var unread []error
	folders := false
	for o, err := range candidates(ctx, s.store, p) {
		if err != nil {
			return nil, err
		}
		s.keepPartial(p, o)
		taken, ok, err := p.match(o.Name)
		switch {
		case err != nil && (o.Not == Folder || s.choice.By == ByName): // not one of these backups
		case err != nil:
			unread = append(unread, err)
		case ok:
			b := Backup{Object: o, TimeFrom: FromHeader}
			if p.timed {
				b.TakenAt = taken
				b.Until = p.until(taken)
				b.TimeFrom = FromName
			}
			all = append(all, b)
			folders = folders || o.Not == Folder
		}
	}
	if len(unread) > 0 {
		return nil, unreadNames(s.store, unread)
	}
	if !folders {
		return all, nil
	}
	return s.withContents(ctx, p, all)
}

// foremost picks the newest of backups; of several whose names tell the same
// time by their headers, or not at all. It keeps what else there is.
func (s *search) foremost(ctx context.Context, all []Backup) (Backup, error) {
	var newest []Backup // all of the same time
	for _, b := range all {
		newest = keepNewest(newest, b)
	}
	p := s.patterns[0]
	chosen := newest[0]
	if p.timed {
		var err error
		chosen, err = s.sole(ctx, newest)
		if err != nil {
			return Backup{}, err
		}
	} else {
		chosen = slices.MinFunc(newest, func(a, b Backup) int { return strings.Compare(b.Name, a.Name) })
	}
	var entries []Entry
	for _, b := range all {
		entries = appendFile(entries, b)
	}
	slices.SortFunc(entries, newestFirst)
	chosen.All = entries
	if p.timed {
		chosen.All = withFirst(entries, chosen.Name)
	}
	return chosen, nil
}

func newestFirst(a, b Entry) int {
	return cmp.Or(b.TakenAt.Compare(a.TakenAt), strings.Compare(b.Name, a.Name))
}

// exactly fills in what the list left out of the backup that was chosen.
func (b Backup) exactly(ctx context.Context, store Store) (Backup, error) {
	if b.Parts != nil {
		return b.stated(ctx, store)
	}
	o, err := exact(ctx, store, b.Object)
	if err != nil {
		return b, err
	}
	b.Object = o
	if len(b.All) > 0 && b.All[0].Name == o.Name {
		b.All[0].Size = o.Size
	}
	return b, nil
}

// keepNewest adds a backup to those of the newest time, if it is of it.
func keepNewest(newest []Backup, b Backup) []Backup {
	switch {
	case len(newest) == 0 || b.TakenAt.After(newest[0].TakenAt):
		return []Backup{b}
	case b.TakenAt.Equal(newest[0].TakenAt):
		return append(newest, b)
	}
	return newest
}

// sole picks the newest of backups whose names tell the same time: by their
// headers, or not at all.
func (s *search) sole(ctx context.Context, same []Backup) (Backup, error) {
	p := s.patterns[0]
	if len(same) == 1 {
		return same[0], nil
	}
	slices.SortFunc(same, func(a, b Backup) int { return strings.Compare(a.Name, b.Name) })
	if s.peek == nil {
		return Backup{}, undecided(s.store, p, same, "")
	}
	byHeader := slices.Clone(same)
	err := peekAll(ctx, s.store, byHeader, p.location, s.peek,
		"the names of several backups tell the same time, so that their headers must say which is the newest; "+
			"remove the broken one")
	switch {
	case err != nil && verdict.AsProblem(err).Code == verdict.CodeSpec: // a header tells no time
		return Backup{}, undecided(s.store, p, same, "a plain dump does not say when it was taken")
	case err != nil:
		return Backup{}, err
	}
	slices.SortStableFunc(byHeader, func(a, b Backup) int { return b.TakenAt.Compare(a.TakenAt) })
	if byHeader[0].TakenAt.Equal(byHeader[1].TakenAt) {
		return Backup{}, undecided(s.store, p, byHeader[:2], "their headers tell the same second")
	}
	i := slices.IndexFunc(same, func(b Backup) bool { return b.Name == byHeader[0].Name })
	return same[i], nil
}

// undecided is the Problem of several backups of which nothing tells the newest.
func undecided(store Store, p namePattern, same []Backup, why string) error {
	var names []string
	for _, b := range same[:min(len(same), shown)] {
		names = append(names, fmt.Sprintf("%q", b.Name))
	}
	text := strings.Join(names, " and ")
	if n := len(same) - len(names); n > 0 {
		text += fmt.Sprintf(" and %d more", n)
	}
	if why != "" {
		why = " (" + why + ")"
	}
	return verdict.Errorf(verdict.CodeSpec, "write the hour and the second into the names and into source.time, or "+
		"let source.name match one of them",
		"choose a backup in %s: %s are of the same %s by their names, and nothing tells which is the newest%s",
		store.URL(), text, p.unit, why)
}

// withFirst moves the backup that was chosen to the front.
func withFirst(all []Entry, name string) []Entry {
	i := slices.IndexFunc(all, func(e Entry) bool { return e.Name == name })
	if i > 0 {
		chosen := all[i]
		copy(all[1:i+1], all[:i])
		all[0] = chosen
	}
	return all
}

// candidates are the objects that may match. Where folders are gone into,
// each of them is one too, told by what lies in it.
func candidates(ctx context.Context, store Store, p namePattern) iter.Seq2[Object, error] {
	if !p.deep() {
		return store.List(ctx, p.literalPrefix(), false)
	}
	return func(yield func(Object, error) bool) {
		seen := map[string]bool{}
		for o, err := range store.List(ctx, p.literalPrefix(), true) {
			for folder := path.Dir(o.Name); err == nil && isBelow(folder) && !seen[folder]; folder = path.Dir(folder) {
				seen[folder] = true
				if !yield(Object{Name: folder, Not: Folder}, nil) {
					return
				}
			}
			if !yield(o, err) {
				return
			}
		}
	}
}

// notFile is the Problem of a chosen object that cannot be read, or nil.
func notFile(store Store, o Object) error {
	const doing = "choose a backup in %s: %q, which is the newest or may be, is %s"
	switch o.Not {
	case "":
		return nil
	case DanglingLink:
		return verdict.Failf(verdict.CodeNotAnArchive,
			"the backup that it pointed to was moved or removed, or is on a disk that is not mounted",
			doing, store.URL(), o.Name, o.Not)
	case OutsideLink:
		return verdict.Errorf(verdict.CodeUnsupported, linkHint, doing, store.URL(), o.Name, o.Not)
	case Folder:
		return verdict.Errorf(verdict.CodeUnsupported,
			"if it is not a backup, let source.name match the backups only; of a directory archive name the folder that "+
				"holds toc.dat", doing+" that holds no archive of pg_dump -Fd", store.URL(), o.Name, o.Not)
	}
	return verdict.Errorf(verdict.CodeUnsupported, "let source.name match the backups only, or remove it", doing,
		store.URL(), o.Name, o.Not)
}

const linkHint = "anyone who can write to the store could point it at any file of this machine: put the file itself " +
	"there, or set source.links: follow if links out of it are wanted"

func unreadNames(store Store, unread []error) error {
	more := ""
	if n := len(unread) - shown; n > 0 {
		more = fmt.Sprintf("\n… and %d more", n)
	}
	return verdict.Errorf(verdict.CodeSpec,
		"it may be the newest backup, so it is not passed over: rename or remove it, or correct "+
			"source.name and source.time",
		"choose a backup in %s: %s%s", store.URL(),
		masked(store, errors.Join(unread[:min(len(unread), shown)]...).Error()), more)
}

// masked is what may be shown of a text that holds names of a store.
func masked(store Store, text string) string {
	if m, masks := store.(place.Masker); masks {
		return m.Mask(text)
	}
	return text
}

// doubt is why a store's answer may be no list; "" without doubt.
func doubt(store Store) string {
	if d, doubts := store.(place.Doubter); doubts {
		return d.Doubt()
	}
	return ""
}

// noBackup says what is there instead, which a person looks for first: files
// that fit but for how they are written, else any.
func noBackup(ctx context.Context, store Store, p namePattern) error {
	like := p.nearPattern()
	var near *NearError
	var first, nearest []string
	count := 0
	_, masks := store.(place.Masker)
	whole := masks && doubt(store) != "" // what a slash parts is no longer known for a secret
	for o, err := range store.List(ctx, "", p.deep() || whole) {
		if err != nil {
			return err
		}
		count++
		if count > mostListed {
			break
		}
		text := fmt.Sprintf("%q", masked(store, o.Name))
		if o.Not != "" {
			text += fmt.Sprintf(" (%s)", o.Not)
		}
		if e := p.near(o.Name, like); e != nil && o.Not == "" && len(nearest) <= shown {
			near = cmp.Or(near, e)
			nearest = append(nearest, text)
		}
		if len(first) <= shown {
			first = append(first, text)
		}
	}
	if why := doubt(store); why != "" {
		return noList(store, p, why, first)
	}
	if count == 0 {
		key := "source.url"
		if _, runs := store.(*place.Exec); runs {
			key = "source.exec.list"
		}
		return verdict.Failf(verdict.CodeNoBackup, "is "+key+" right, and does the backup job write there?",
			"choose a backup in %s: there is no file at all", store.URL())
	}
	found := first
	if near != nil {
		found = nearest
	}
	if len(found) > shown {
		found = append(found[:shown], "…")
	}
	if near != nil {
		near.Name = masked(store, near.Name)
		near.Meant = masked(store, near.Meant)
	}
	return p.noMatch(store.URL(), " "+strings.Join(found, ", "), near)
}

// noList is the Problem of an answer in which nothing matches, and which may be
// no list at all.
func noList(store Store, p namePattern, why string, found []string) error {
	text := "nothing"
	if len(found) > 0 {
		text = strings.Join(found[:min(len(found), shown)], ", ")
	}
	return verdict.Errorf(verdict.CodeNoBackup, "look at what is sent instead; if it is a list, correct source.name",
		"choose a backup in %s: none matches %q, and %s; found %s", store.URL(), p.source, why, text)
}

// appendFile adds a backup to a list. What is no file is none.
func appendFile(all []Entry, b Backup) []Entry {
	if b.Not != "" {
		return all
	}
	return append(all, b.Entry())
}

// peekAll fills in the times. Of several failures the worst is returned, so
// that what is known to be bad is not hidden by what could not be known; hint
// says of a broken one why it is looked into.
func peekAll(ctx context.Context, store Store, all []Backup, zone *time.Location, peek PeekFunc, hint string) error {
	var mu sync.Mutex
	var worst error
	var g errgroup.Group
	g.SetLimit(peekers)
	for i := range all {
		g.Go(func() error {
			taken, err := peekBackup(ctx, store, all[i], peek, hint)
			if err == nil {
				all[i].TakenAt = calendar.InZone(taken, zone).UTC()
				all[i].Until = all[i].TakenAt
				return nil
			}
			mu.Lock()
			defer mu.Unlock()
			if worst == nil || outcome(worst) != verdict.Fail && outcome(err) == verdict.Fail {
				worst = err
			}
			return nil
		})
	}
	_ = g.Wait() // every failure is in worst
	if err := stopped(ctx, "choose a backup in "+store.URL()); err != nil {
		return err
	}
	return worst
}

func outcome(err error) verdict.Outcome { return verdict.AsProblem(err).Outcome }

// peekBackup reads the time of a backup out of the first of its parts that tells
// one.
func peekBackup(ctx context.Context, store Store, b Backup, peek PeekFunc, hint string) (taken time.Time, err error) {
	for _, o := range b.Heads() {
		taken, err = peekOne(ctx, store, o, peek, hint)
		if err == nil || outcome(err) == verdict.Fail {
			break
		}
	}
	return taken, err
}

func peekOne(ctx context.Context, store Store, o Object, peek PeekFunc, hint string) (time.Time, error) {
	if err := notFile(store, o); err != nil {
		return time.Time{}, err
	}
	o, err := exact(ctx, store, o)
	if err != nil {
		return time.Time{}, err
	}
	r := &watched{r: HeaderReader(ctx, store, o)}
	defer r.r.Close()
	taken, err := peek(r)
	if r.err != nil { // the store's trouble: nothing is known about the backup
		return time.Time{}, r.err
	}
	if err == nil {
		return taken, nil
	}
	p := &verdict.Problem{Outcome: verdict.Fail, Code: verdict.CodeNotAnArchive, Hint: hint}
	var told *verdict.Problem
	if errors.As(err, &told) {
		p.Outcome, p.Code = told.Outcome, told.Code
		if told.Outcome != verdict.Fail { // not a broken one
			p.Hint = told.Hint
		}
	}
	if p.Outcome == verdict.Fail {
		if err := HeaderAsStored(ctx, store, o); err != nil {
			return time.Time{}, err
		}
	}
	p.Err = fmt.Errorf("read the header of %s%s: %w", store.URL(), o.Name, err)
	return time.Time{}, p
}

// watched keeps the reader's own failure apart from what was read.
type watched struct {
	r   io.ReadCloser
	err error
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	if err != nil && err != io.EOF {
		w.err = err
	}
	return n, err
}

// HeaderReader gives the first HeaderLength bytes of an object, or all of a
// smaller one, as it was listed; nothing is read before the first Read, and a
// broken connection is resumed. Its errors are *verdict.Problem, or wrap the
// cause of ctx's end.
func HeaderReader(ctx context.Context, store Store, o Object) io.ReadCloser {
	if o.Size == place.Unsized {
		r := newWhole(ctx, store, o, patient)
		return struct {
			io.Reader
			io.Closer
		}{io.LimitReader(r, HeaderLength), r}
	}
	return newResumed(ctx, store, o, 0, min(o.Size, HeaderLength), patient)
}
