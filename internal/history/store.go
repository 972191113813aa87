package history

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// Store is a second place for reports, which outlasts this machine's disk. Its
// files are called as those below the directory of reports, and each is
// written once, under a name of its own: so runs that end at once lose nothing.
type Store interface {
	URL() string
	// Names lists the files whose names begin with prefix.
	Names(ctx context.Context, prefix string) ([]string, error)
	// Get reads a file that was listed, of at most so many bytes.
	Get(ctx context.Context, name string, most int64) ([]byte, error)
	// Put writes a file, and refuses to replace one.
	Put(ctx context.Context, name string, b []byte) error
}

// SaveTo keeps a report in the store, and what is to be kept beside it, by file
// name. The first of the keys signs it.
func SaveTo(ctx context.Context, s Store, r *verdict.Report, others map[string][]byte, keys ...spec.Key) error {
	b, err := File(r, keys...)
	if err != nil {
		return err
	}
	for what, name := range map[string]string{"the drill": r.Drill, "the run": r.Run} {
		if err := checkName(what, name); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(others)) {
		if err := s.Put(ctx, path.Join(r.Drill, r.Run, name), others[name]); err != nil {
			return err
		}
	}
	return s.Put(ctx, path.Join(r.Drill, r.Run, ReportFile), b) // last: readers look for it
}

// NoteTo keeps what Accept or Mute has written in the store.
func NoteTo(ctx context.Context, s Store, drill, name string, b []byte) error {
	return s.Put(ctx, path.Join(drill, name), b)
}

// Read gives the past of a drill from the reports below dir and those in the
// store, if there is one: as many passing ones as any check may be compared
// with. What cannot be used is named in Damaged, and what stands after it
// still counts. With keys, only what one of them signed is used; without any,
// all is.
func Read(ctx context.Context, dir string, s Store, drill string, keys ...spec.Key) Past {
	var p Past
	sh, err := open(ctx, dir, s, drill, keys)
	if err != nil {
		p.Problem = unread(err)
		return p
	}
	defer sh.close()
	for _, read := range []func(context.Context, *Past) error{sh.accepted, sh.mutes} {
		err = read(ctx, &p)
		if err != nil {
			p.Problem = unread(err)
			return p
		}
	}
	for batch := range slices.Chunk(sh.runs, atOnce) {
		found, err := sh.reports(ctx, batch)
		if err != nil {
			p.Problem = unread(err)
			return p
		}
		for _, f := range found {
			switch {
			case f.damaged != nil:
				p.Damaged = append(p.Damaged, f.damaged.Error())
			case !sh.proven(f) && len(keys) > 0:
				p.Unproven.add(f, true)
			case Passed(f.report) && len(p.Passing) < spec.MostPast:
				p.Passing = append(p.Passing, slim(f.report))
				p.Unproven.add(f, len(keys) > 0)
			}
		}
		if len(p.Passing) == spec.MostPast {
			break
		}
	}
	if s != nil && len(keys) == 0 && p.Unproven.Any() {
		p.Unproven.Used = s.URL()
	}
	return p
}

// Kept is one report that is kept, and whether anybody vouches for it.
type Kept struct {
	Run    string
	Report *verdict.Report // as those of Past.Passing; nil with Err
	Proven bool            // by its keyed hash; without keys, by lying on this machine
	Err    error           // a DamagedError
}

// Since gives the kept reports of all runs that began at that time or later,
// the newest first. An error means that they could not be read.
func Since(ctx context.Context, dir string, s Store, drill string, at time.Time, keys ...spec.Key) ([]Kept, error) {
	sh, err := open(ctx, dir, s, drill, keys)
	if err != nil {
		return nil, err
	}
	defer sh.close()
	from := at.UTC().Format(runTime)
	runs := slices.DeleteFunc(sh.runs, func(run string) bool { return run < from })
	return sh.kept(ctx, runs)
}

// kept reads runs.
func (sh *shelf) kept(ctx context.Context, runs []string) ([]Kept, error) {
	var all []Kept
	for batch := range slices.Chunk(runs, atOnce) {
		found, err := sh.reports(ctx, batch)
		if err != nil {
			return nil, err
		}
		for i, f := range found {
			k := Kept{Run: batch[i], Proven: sh.proven(f)}
			if f.damaged != nil {
				k.Err = f.damaged
			} else {
				k.Report = slim(f.report)
			}
			all = append(all, k)
		}
	}
	return all, nil
}

// Newest returns the report of the drill of a newest backup that started last,
// from dir or the store: fs.ErrNotExist if there is none, a DamagedError if it cannot be used
// or, with keys, none of them signed it. An older report never stands in for it.
func Newest(ctx context.Context, dir string, s Store, drill string, keys ...spec.Key) (*verdict.Report, error) {
	sh, err := open(ctx, dir, s, drill, keys)
	if err != nil {
		return nil, err
	}
	defer sh.close()
	for i := range sh.runs {
		found, err := sh.reports(ctx, sh.runs[i:i+1])
		if err != nil {
			return nil, err
		}
		newest := found[0]
		switch {
		case newest.damaged != nil:
			return nil, newest.damaged
		case len(keys) > 0 && newest.proof == foreign:
			return nil, &DamagedError{Path: newest.path, Err: errForeign}
		case len(keys) > 0 && newest.proof != proven:
			return nil, &DamagedError{Path: newest.path, Err: errUnsigned}
		case newest.report.Backup.IsNewest():
			return newest.report, nil
		}
	}
	return nil, fmt.Errorf("no report of %s is kept in %s: %w", drill, dir, fs.ErrNotExist)
}

// slim leaves out what nothing is compared with and, in a database of many
// tables, takes the most memory. One column tells that the run scrubbed.
func slim(r *verdict.Report) *verdict.Report {
	r.Scrub = verdict.Scrub{Key: r.Scrub.Key, Columns: slices.Clone(r.Scrub.Columns[:min(1, len(r.Scrub.Columns))])}
	r.Trend, r.LastGood = nil, nil
	for i := range r.LatestEvents {
		r.LatestEvents[i].Rows = nil
	}
	r.Checks = slices.Clip(slices.DeleteFunc(r.Checks, func(c verdict.Check) bool {
		return c.Code == verdict.CodeRowsHeld || c.Stage == verdict.StageScrub
	}))
	return r
}

// Passed reports whether later drills are compared with a report: those of other
// backups than the newest would move what is usual.
func Passed(r *verdict.Report) bool {
	return (r.Outcome == verdict.Pass || r.Outcome == verdict.Warn) && r.Backup.IsNewest()
}

// unread is why nothing may be said of the past.
func unread(err error) *verdict.Problem {
	hint := "find out why they cannot be read; until then nothing is compared with them"
	var p *verdict.Problem
	switch {
	case errors.As(err, &p):
		hint = p.Hint
	case errors.Is(err, fs.ErrPermission):
		hint = "let this user read there"
	}
	return verdict.Errorf(verdict.CodeHistory, hint, "read past reports: %w", err)
}

// atOnce is how many entries of a store are read at a time.
const atOnce = 8

// shelf is all that is kept of one drill, here and in the store.
type shelf struct {
	drill  string
	keys   []spec.Key
	root   *os.Root // nil: nothing is kept here
	store  Store    // nil: there is none
	here   map[string]bool
	there  map[string]bool
	runs   []string // newest first
	wanted []string // files of acceptances
	muted  []string // of what was muted
}

func open(ctx context.Context, dir string, s Store, drill string, keys []spec.Key) (*shelf, error) {
	root, err := openDrill(dir, drill)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	sh := &shelf{drill: drill, keys: keys, root: root, store: s, here: map[string]bool{}, there: map[string]bool{}}
	if err := errors.Join(sh.listHere(), sh.listThere(ctx)); err != nil {
		sh.close()
		return nil, err
	}
	sh.sort()
	return sh, nil
}

// sort puts what was listed in order, each once.
func (sh *shelf) sort() {
	slices.Sort(sh.runs)
	sh.runs = slices.Compact(sh.runs)
	slices.Reverse(sh.runs)
	slices.Sort(sh.wanted)
	sh.wanted = slices.Compact(sh.wanted)
	slices.Sort(sh.muted)
	sh.muted = slices.Compact(sh.muted)
}

func (sh *shelf) close() {
	if sh.root != nil {
		sh.root.Close()
	}
}

func (sh *shelf) listHere() error {
	if sh.root == nil {
		return nil
	}
	entries, err := fs.ReadDir(sh.root.FS(), ".")
	if err != nil {
		return fmt.Errorf("list the reports in %s: %w", sh.root.Name(), err)
	}
	for _, e := range entries {
		switch {
		case checkName("the run", e.Name()) != nil:
		case e.IsDir():
			sh.here[path.Join(e.Name(), ReportFile)] = true
			sh.runs = append(sh.runs, e.Name())
		case isAccepted(e.Name()):
			sh.here[e.Name()] = true
			sh.wanted = append(sh.wanted, e.Name())
		case isMute(e.Name()):
			sh.here[e.Name()] = true
			sh.muted = append(sh.muted, e.Name())
		}
	}
	return nil
}

func (sh *shelf) listThere(ctx context.Context) error {
	if sh.store == nil {
		return nil
	}
	names, err := sh.store.Names(ctx, sh.drill+"/")
	if err != nil {
		return err
	}
	for _, name := range names {
		name = strings.TrimPrefix(name, sh.drill+"/")
		run, file := path.Split(name)
		run = strings.TrimSuffix(run, "/")
		switch {
		case strings.HasPrefix(name, "."):
		case file == ReportFile && checkName("the run", run) == nil:
			sh.there[name] = true
			sh.runs = append(sh.runs, run)
		case isAccepted(name):
			sh.there[name] = true
			sh.wanted = append(sh.wanted, name)
		case isMute(name):
			sh.there[name] = true
			sh.muted = append(sh.muted, name)
		}
	}
	return nil
}

// entry is what one file came to.
type entry struct {
	path     string // or URL
	here     bool   // on this machine
	proof    proof
	report   *verdict.Report
	accepted Acceptance
	muted    verdict.Muted
	damaged  *DamagedError
}

// proven reports whether anybody vouches for an entry: the key that signed it or,
// where there is none, this machine.
func (sh *shelf) proven(e entry) bool {
	if len(sh.keys) > 0 {
		return e.proof == proven
	}
	return e.here
}

// reports reads runs. An error means that the store could not be read.
func (sh *shelf) reports(ctx context.Context, runs []string) ([]entry, error) {
	names := make([]string, len(runs))
	for i, run := range runs {
		names[i] = path.Join(run, ReportFile)
	}
	return sh.readAll(ctx, signedReport, names, func(e *entry, name string, b []byte) error {
		r, err := decode(b)
		switch {
		case err != nil:
			return err
		case r.Drill != sh.drill:
			return fmt.Errorf("it is a report of the drill %q", r.Drill)
		case path.Join(r.Run, ReportFile) != name:
			return fmt.Errorf("it is the report of the run %q", r.Run)
		}
		e.report = r
		return nil
	})
}

// accepted reads all acceptances, newest first.
func (sh *shelf) accepted(ctx context.Context, p *Past) error {
	found, err := sh.readAll(ctx, signedAcceptance, sh.wanted, func(e *entry, _ string, b []byte) (err error) {
		e.accepted, err = decodeAccepted(b, sh.drill)
		return err
	})
	for _, e := range found {
		if e.damaged != nil {
			p.Damaged = append(p.Damaged, e.damaged.Error())
			continue
		}
		p.Unproven.add(e, len(sh.keys) > 0)
		e.accepted.Proven = sh.proven(e)
		if e.accepted.Proven || len(sh.keys) == 0 {
			p.Accepted = append(p.Accepted, e.accepted)
		}
	}
	slices.SortStableFunc(p.Accepted, func(a, b Acceptance) int { return b.At.Compare(a.At) })
	return err
}

// readAll reads files, from here where they are whole here, else from the
// store.
func (sh *shelf) readAll(ctx context.Context, what string, names []string, use useFunc) ([]entry, error) {
	found := make([]entry, len(names))
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(atOnce)
	for i, name := range names {
		work.Go(func() (err error) {
			found[i], err = sh.readOne(ctx, what, name, use)
			return err
		})
	}
	if err := work.Wait(); err != nil {
		return nil, err
	}
	return found, nil
}

// useFunc takes what a file holds for what it is.
type useFunc func(e *entry, name string, b []byte) error

// readOne reads a file here, and in the store where here it is not whole or
// nobody vouches for it.
func (sh *shelf) readOne(ctx context.Context, what, name string, use useFunc) (entry, error) {
	var here entry
	if sh.here[name] {
		b, err := readFile(sh.root, name)
		here = sh.entry(what, name, path.Join(sh.root.Name(), name), true, b, err, use)
		if here.damaged == nil && sh.proven(here) || !sh.there[name] {
			return here, nil
		}
	}
	b, err := sh.store.Get(ctx, path.Join(sh.drill, name), maxReport)
	var unreachable *verdict.Problem
	if errors.As(err, &unreachable) || ctx.Err() != nil {
		return entry{}, cmp.Or(err, ctx.Err())
	}
	there := sh.entry(what, name, sh.store.URL()+path.Join(sh.drill, name), false, b, err, use)
	if sh.here[name] && here.damaged == nil && !(there.damaged == nil && sh.proven(there)) {
		return here, nil
	}
	return there, nil
}

// entry is what a file's bytes come to, or why it could not be read.
func (sh *shelf) entry(what, name, path string, here bool, b []byte, err error, use useFunc) entry {
	e := entry{path: path, here: here}
	if err == nil {
		b, e.proof, err = prove(what, b, sh.keys)
	}
	if err == nil {
		err = use(&e, name, b)
	}
	if err != nil {
		e.damaged = &DamagedError{Path: path, Err: err}
	}
	return e
}
