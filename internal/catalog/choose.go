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

	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// HeaderLength is how many bytes of a backup HeaderReader gives at most.
const HeaderLength = 256 << 10

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
)

// Backup is the object that was chosen.
type Backup struct {
	Object
	TakenAt  time.Time // UTC; may lie in the future, which the caller judges
	TimeFrom string    // FromName | FromHeader
	All      []Entry   // all backups that match source.name, the newest first
}

// Entry is one of the backups in a store.
type Entry struct {
	Name    string
	TakenAt time.Time // UTC
	Size    int64     // bytes
}

// PeekFunc reads the time out of the first bytes of a backup: the dumping
// machine's local time, whose zone is not known; the result's is ignored.
type PeekFunc func(io.Reader) (time.Time, error)

// Choose picks the newest backup that matches source.name, by the time in the
// names or, where the pattern holds no {time}, by the headers of all that
// match; of equal times the last name. What it picks is not looked into: an
// empty newest is chosen. A folder, or a link that points nowhere, in a
// backup's place is never passed over for an older file.
//
// Problems: CodeNoBackup (fail) if nothing matches, with a *NearError if files
// are there that nearly do; CodeUnsupported if the
// newest is no file, CodeNotAnArchive (fail) if it is a link that points
// nowhere; CodeSpec if a matching name tells no time; the failure of peek (fail, unless it says otherwise) for
// any header that tells none, since that backup may be the newest;
// CodeStoreUnreachable, CodeCredentialsRefused, CodeChangedMeanwhile.
func Choose(ctx context.Context, store Store, src spec.Source, peek PeekFunc) (Backup, error) {
	p, err := newPattern(src)
	if err != nil {
		return Backup{}, err
	}
	if p.timed {
		return newestByName(ctx, store, p)
	}
	return newestByHeader(ctx, store, p, peek)
}

// newer orders backups by time, then by name.
func newer(a, b Backup) bool {
	return newestFirst(Entry{Name: a.Name, TakenAt: a.TakenAt}, Entry{Name: b.Name, TakenAt: b.TakenAt}) < 0
}

func newestFirst(a, b Entry) int {
	return cmp.Or(b.TakenAt.Compare(a.TakenAt), strings.Compare(b.Name, a.Name))
}

func newestByName(ctx context.Context, store Store, p pattern) (Backup, error) {
	var newest Backup
	var all []Entry
	var unread []error
	count := 0
	for o, err := range candidates(ctx, store, p) {
		if err != nil {
			return Backup{}, err
		}
		taken, ok, err := p.match(o.Name)
		switch {
		case err != nil && o.Not == Folder: // not one of these backups
		case err != nil:
			unread = append(unread, err)
		case ok:
			count++
			if b := (Backup{Object: o, TakenAt: taken, TimeFrom: FromName}); count == 1 || newer(b, newest) {
				newest = b
			}
			all = appendFile(all, o, taken)
		}
	}
	if len(unread) > 0 {
		return Backup{}, unreadNames(store, unread)
	}
	if count == 0 {
		return Backup{}, noBackup(ctx, store, p)
	}
	slices.SortFunc(all, newestFirst)
	newest.All = all
	return newest, notFile(store, newest.Object)
}

// candidates are the objects that may match. Where folders are gone into,
// each of them is one too, told by what lies in it.
func candidates(ctx context.Context, store Store, p pattern) iter.Seq2[Object, error] {
	if !p.deep() {
		return store.List(ctx, p.literalPrefix(), false)
	}
	return func(yield func(Object, error) bool) {
		seen := map[string]bool{}
		for o, err := range store.List(ctx, p.literalPrefix(), true) {
			for folder := path.Dir(o.Name); err == nil && folder != "." && !seen[folder]; folder = path.Dir(folder) {
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
		return verdict.Failf(verdict.CodeNotAnArchive, "the backup that it pointed to was moved or removed, or is on a disk that is not mounted",
			doing, store.URL(), o.Name, o.Not)
	case Folder:
		return verdict.Errorf(verdict.CodeUnsupported, "take the backup with pg_dump -Fc or plain pg_dump; if it is no backup, let source.name match the backups only",
			doing+": pg_dump's directory format is not read by this version", store.URL(), o.Name, o.Not)
	}
	return verdict.Errorf(verdict.CodeUnsupported, "let source.name match the backups only, or remove it", doing, store.URL(), o.Name, o.Not)
}

func unreadNames(store Store, unread []error) error {
	more := ""
	if n := len(unread) - shown; n > 0 {
		more = fmt.Sprintf("\n… and %d more", n)
	}
	return verdict.Errorf(verdict.CodeSpec,
		"it may be the newest backup, so it is not passed over: rename or remove it, or correct source.name and source.time",
		"choose a backup in %s: %w%s", store.URL(), errors.Join(unread[:min(len(unread), shown)]...), more)
}

// noBackup says what is there instead, which a person looks for first: files
// that fit but for how they are written, else any.
func noBackup(ctx context.Context, store Store, p pattern) error {
	like := p.nearPattern()
	var near *NearError
	var first, nearest []string
	count := 0
	for o, err := range store.List(ctx, "", p.deep()) {
		if err != nil {
			return err
		}
		if count++; count > mostListed {
			break
		}
		text := fmt.Sprintf("%q", o.Name)
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
	if count == 0 {
		return verdict.Failf(verdict.CodeNoBackup, "is source.url right, and does the backup job write there?",
			"choose a backup in %s: there is no file at all", store.URL())
	}
	found := first
	if near != nil {
		found = nearest
	}
	if len(found) > shown {
		found = append(found[:shown], "…")
	}
	return p.noMatch(store.URL(), " "+strings.Join(found, ", "), near)
}

func newestByHeader(ctx context.Context, store Store, p pattern, peek PeekFunc) (Backup, error) {
	var all []Backup
	for o, err := range candidates(ctx, store, p) {
		if err != nil {
			return Backup{}, err
		}
		if _, ok, _ := p.match(o.Name); ok && (o.Not != Folder || maybeDump(ctx, store, p, o)) {
			all = append(all, Backup{Object: o, TimeFrom: FromHeader})
		}
	}
	if len(all) == 0 {
		return Backup{}, noBackup(ctx, store, p)
	}
	if err := peekAll(ctx, store, all, p.location, peek); err != nil {
		return Backup{}, err
	}
	newest := all[0]
	var entries []Entry
	for _, b := range all {
		if newer(b, newest) {
			newest = b
		}
		entries = appendFile(entries, b.Object, b.TakenAt)
	}
	slices.SortFunc(entries, newestFirst)
	newest.All = entries
	return newest, nil
}

// appendFile adds a backup to a list. What is no file is none.
func appendFile(all []Entry, o Object, taken time.Time) []Entry {
	if o.Not != "" {
		return all
	}
	return append(all, Entry{Name: o.Name, TakenAt: taken, Size: o.Size})
}

// maybeDump tells whether a folder stands in a backup's place. A pattern that
// ends in a star matches any: then it has to be what pg_dump writes.
func maybeDump(ctx context.Context, store Store, p pattern, folder Object) bool {
	if !strings.HasSuffix(p.before, "*") {
		return true
	}
	contents := folder.Name + "/toc.dat"
	for o, err := range store.List(ctx, contents, true) {
		if err == nil && o.Name == contents { // one that cannot be looked into, such as lost+found, is none
			return true
		}
	}
	return false
}

// peekAll fills in the times. Of several failures the worst is returned, so
// that what is known to be bad is not hidden by what could not be known.
func peekAll(ctx context.Context, store Store, all []Backup, zone *time.Location, peek PeekFunc) error {
	var mu sync.Mutex
	var worst error
	var g errgroup.Group
	g.SetLimit(peekers)
	for i := range all {
		g.Go(func() error {
			taken, err := peekOne(ctx, store, all[i].Object, peek)
			if err == nil {
				all[i].TakenAt = spec.InZone(taken, zone).UTC()
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

func peekOne(ctx context.Context, store Store, o Object, peek PeekFunc) (time.Time, error) {
	if err := notFile(store, o); err != nil {
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
	p := &verdict.Problem{Outcome: verdict.Fail, Code: verdict.CodeNotAnArchive,
		Hint: "source.name has no {time}, so every backup's header must be readable to know which is the newest; remove the broken one, or put the time into the names"}
	var told *verdict.Problem
	if errors.As(err, &told) {
		p.Outcome, p.Code = told.Outcome, told.Code
		if told.Outcome != verdict.Fail { // not a broken one
			p.Hint = told.Hint
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
	return newResumed(ctx, store, o, 0, min(o.Size, HeaderLength), patient)
}
