package catalog

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"daybefore/internal/catalog/place"
	"daybefore/internal/verdict"
)

// atOnce is how many small files are fetched at once. Each takes one request,
// most of whose time is spent waiting for the answer.
const atOnce = 16

// setFetch is the fetching of a backup of several files.
type setFetch struct {
	store  Store
	backup Backup
	o      FetchOptions
	dir    string

	mu    sync.Mutex
	done  int64            // bytes, of all files
	each  map[string]int64 // bytes, of each
	files []fetched        // as Backup.Objects
}

// fetched is one file of a set.
type fetched struct {
	object Object
	path   string
	told   beside
	ofMany bool // of a directory archive
	got    Spooled
}

func fetchSet(ctx context.Context, store Store, b Backup, o FetchOptions) (Spooled, error) {
	doing := "fetch " + store.URL() + b.Name
	dir, err := os.MkdirTemp(o.Dir, "spool-*") // 0700
	if err != nil {
		return Spooled{}, fmt.Errorf("%s: %w", doing, err)
	}
	f := &setFetch{store: store, backup: b, o: o, dir: dir, each: map[string]int64{}}
	got, err := f.fetch(ctx)
	if err != nil {
		return Spooled{}, errors.Join(whatFull(doing, whyStopped(ctx, doing, err)), os.RemoveAll(dir))
	}
	return got, nil
}

func (f *setFetch) fetch(ctx context.Context) (Spooled, error) {
	got := Spooled{Path: f.dir}
	var unread []string
	for i, p := range f.backup.parts() {
		at, err := f.lay(i, p)
		if err != nil {
			return got, err
		}
		got.Files = append(got.Files, at)
		told, err := f.sides(ctx, p)
		doubt, err := doubtful(err)
		if err != nil {
			return got, err
		}
		got.Doubt = cmp.Or(got.Doubt, doubt)
		if told.unread != "" {
			unread = append(unread, told.unread)
		}
		for _, o := range p.Objects {
			f.files = append(f.files, fetched{object: o, path: f.pathOf(at, p, o), told: told.of[o.Name],
				ofMany: p.Directory()})
		}
	}
	if len(f.backup.parts()) == 1 {
		got.Path = got.Files[0]
	}
	if err := f.fetchAll(ctx); err != nil {
		return got, err
	}
	f.sum(&got)
	got.Unread = strings.Join(unread, " and ")
	return got, nil
}

// lay makes the place of a part, and refuses names that would lead out of it.
func (f *setFetch) lay(i int, p Part) (at string, err error) {
	at = filepath.Join(f.dir, path.Base(p.Name))
	if _, err := os.Lstat(at); err == nil { // two parts of one name, of different folders
		at = filepath.Join(f.dir, strconv.Itoa(i+1)+"-"+path.Base(p.Name))
	}
	if !p.Directory() {
		return at, os.WriteFile(at, nil, 0o600)
	}
	for _, o := range p.Objects {
		rel := strings.TrimPrefix(o.Name, p.Name+"/")
		if !filepath.IsLocal(rel) || strings.ContainsAny(rel, "\\\x00") || path.Clean(rel) != rel {
			return "", verdict.Errorf(verdict.CodeUnsupported, "remove it: pg_dump writes no such name",
				"fetch %s%s: the name %q would lead out of its folder, or to the place of another file", f.store.URL(), p.Name,
				verdict.Printable(rel))
		}
		if err := os.MkdirAll(filepath.Join(at, path.Dir(rel)), 0o700); err != nil {
			return "", err
		}
	}
	return at, nil
}

func (f *setFetch) pathOf(at string, p Part, o Object) string {
	if !p.Directory() {
		return at
	}
	return filepath.Join(at, filepath.FromSlash(strings.TrimPrefix(o.Name, p.Name+"/")))
}

// fetchAll fetches small files many at once, and large ones one after the other
// by ranges.
func (f *setFetch) fetchAll(ctx context.Context) error {
	var small, large []*fetched
	for i := range f.files {
		file := &f.files[i]
		if file.object.Size > f.o.PartSize || file.object.Size == place.Unsized {
			large = append(large, file)
		} else {
			small = append(small, file)
		}
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(atOnce + 1)
	g.Go(func() error {
		for _, file := range large {
			if err := f.one(ctx, file); err != nil {
				return err
			}
		}
		return nil
	})
	for _, file := range small {
		g.Go(func() error { return f.one(ctx, file) })
	}
	return g.Wait()
}

func (f *setFetch) one(ctx context.Context, file *fetched) error {
	if err := stopped(ctx, "fetch "+f.store.URL()+f.backup.Name); err != nil {
		return err
	}
	out, err := os.OpenFile(file.path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	o := f.o
	o.ofMany = file.ofMany
	o.Progress = func(done, _ int64) { f.grew(file.object.Name, done) }
	file.got, err = fetchInto(ctx, f.store, file.object, out, file.told, o)
	return err
}

// grew tells of the bytes of one file as part of all.
func (f *setFetch) grew(name string, done int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.done += done - f.each[name]
	f.each[name] = done
	f.o.Progress(f.done, max(f.backup.Size, f.done))
}

// sum puts together what is known of the files: it is verified what all of them
// are.
func (f *setFetch) sum(got *Spooled) {
	names := commonFolder(f.backup.Objects)
	all := sha256.New()
	compared := map[string]bool{}
	kept := map[string]bool{} // "": nothing is told of a file
	verified := true
	covered := 0
	for _, file := range f.files {
		fmt.Fprintf(all, "%s  %s\n", file.got.SHA256, strings.TrimPrefix(file.object.Name, names))
		got.Size += file.got.Size
		got.Doubt = cmp.Or(got.Doubt, file.got.Doubt)
		verified = verified && file.got.ChecksumVerified
		if file.got.ChecksumVerified {
			covered++
			compared[file.got.Compared] = true
		} else {
			kept[file.got.Kept] = true
		}
	}
	got.SHA256 = hex.EncodeToString(all.Sum(nil))
	got.ChecksumVerified = verified
	if covered > 0 && !verified {
		have := "have"
		if covered == 1 {
			have = "has"
		}
		got.Partly = fmt.Sprintf("%d of %d files %s a sum", covered, len(f.files), have)
	}
	if !verified && !kept[""] {
		got.Kept = strings.Join(slices.Sorted(maps.Keys(kept)), " and ")
	}
	if verified {
		for _, k := range kindsOfSums {
			if compared[k.kind.title()] {
				got.Compared = k.kind.title() // the weakest
			}
		}
	}
}

// commonFolder is the folder that all names begin with, "" or ending in a slash.
func commonFolder(all []Object) string {
	if len(all) == 0 {
		return ""
	}
	common := all[0].Name
	common = common[:strings.LastIndex(common, "/")+1]
	for _, o := range all {
		for !strings.HasPrefix(o.Name, common) {
			common = common[:strings.LastIndex(strings.TrimSuffix(common, "/"), "/")+1]
		}
	}
	return common
}

// setSides are what side files say of the files of a part.
type setSides struct {
	of     map[string]beside // by the object's name
	unread string
}

func (f *setFetch) sides(ctx context.Context, p Part) (setSides, error) {
	required := f.o.Checksum == ChecksumRequired
	s := setSides{of: map[string]beside{}}
	if !p.Directory() {
		told, err := sideSum(ctx, f.store, p.Object, required)
		s.of[p.Name] = told
		s.unread = told.unread
		return s, err
	}
	files := slices.Clone(p.sums)
	near, err := findSides(ctx, f.store, p.Object)
	if err != nil {
		return s, err
	}
	if near.own.Name != "" {
		files = append(files, near.own)
	}
	s.unread = strings.Join(near.unread, " and ")
	for _, side := range files {
		if err := f.takeSums(ctx, p, side, &s); err != nil {
			return s, err
		}
	}
	for _, o := range p.Objects {
		if s.of[o.Name].sum == "" && required {
			return s, verdict.Failf(verdict.CodeChecksum,
				"let the backup job write sums of all its files: (cd DIR && sha256sum *) > DIR.sha256",
				"fetch %s%s: source.checksum is required, and no sum of %s is beside it", f.store.URL(), p.Name,
				strings.TrimPrefix(o.Name, p.Name+"/"))
		}
	}
	return s, nil
}

// takeSums reads a file with the sums of a directory's files.
func (f *setFetch) takeSums(ctx context.Context, p Part, side Object, s *setSides) error {
	text, err := sideBytes(ctx, f.store, side)
	if err != nil {
		return err
	}
	lines, err := sumLines(text, kindByName(path.Base(side.Name)))
	if err != nil {
		return unusable(f.store, side, "%w", err)
	}
	named := map[string][]sumLine{}
	for _, l := range lines {
		named[baseOf(l.name)] = append(named[baseOf(l.name)], l)
	}
	found := false
	for _, o := range p.Objects {
		if s.of[o.Name].sum != "" {
			continue
		}
		l, err := lineOf(named[path.Base(o.Name)], path.Base(o.Name))
		if err != nil {
			return unusable(f.store, side, "%w", err)
		}
		if l.sum != "" {
			found = true
			s.of[o.Name] = beside{sum: l.sum, kind: l.kind, of: baseOf(l.name), file: path.Base(side.Name)}
		}
	}
	if !found {
		return unusable(f.store, side, "none of its %d sums is of a file in %s", len(lines), p.Name)
	}
	return nil
}
