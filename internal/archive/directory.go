package archive

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"daybefore/internal/packed"
	"daybefore/internal/sqltext"
	"daybefore/internal/verdict"
)

// The layout follows PostgreSQL's src/bin/pg_dump/pg_backup_directory.c: toc.dat,
// which pg_dump writes first; a file <dump id>.dat for the rows of each table; and
// for large objects files blob_<oid>.dat, which blobs.toc or blobs_<dump id>.toc
// list. Files may end with the suffix of a compression. pg_restore reads what was
// in a tar the same way.

const (
	tocFile   = "toc.dat"
	blobsFile = "blobs.toc" // before archive version 1.16
	blobsDesc = "BLOBS"
)

// directory is a dump whose data lies in files of its own.
type directory struct {
	ctx     context.Context
	name    string // of the backup
	path    string
	fromTar bool             // it is this program's own copy of one
	there   map[string]int64 // the sizes of the files, by name
	used    map[string]bool  // those that the table of contents asks for
	suffix  []string         // that pg_restore of the archive's version finds
	bound   int64
	total   int64
	done    atomic.Int64
	tell    func(done, total int64)
}

// readDirectory reads the directory archive at path: its table of contents, and
// every file that holds data from its first byte to its last.
func readDirectory(ctx context.Context, path string, fromTar bool, opts Options) (*Archive, error) {
	d := &directory{ctx: ctx, name: opts.Name, path: path, fromTar: fromTar, tell: opts.Progress,
		there: map[string]int64{}, used: map[string]bool{}}
	if err := d.list(); err != nil {
		return nil, err
	}
	d.bound = packed.Bound(d.total, opts.MaxRatio)
	a, err := d.contents()
	if err != nil {
		return nil, err
	}
	if err := d.data(a); err != nil {
		return nil, err
	}
	a.Path = path
	a.Size = d.total
	a.leftOver(d.strangers())
	a.toUTF8()
	return a, nil
}

// list finds the files.
func (d *directory) list() error {
	entries, err := os.ReadDir(d.path)
	if err != nil {
		return fmt.Errorf("read %s: %w", d.name, err)
	}
	for _, e := range entries {
		switch {
		case e.Type().IsRegular():
		case e.IsDir():
			continue
		default:
			return verdict.Errorf(verdict.CodeUnsupported, "store the files themselves, as pg_dump writes them",
				"read %s: %s in it is no file of its own", d.name, verdict.Printable(e.Name()))
		}
		info, err := e.Info()
		if err != nil {
			return fmt.Errorf("read %s: %w", d.name, err)
		}
		d.there[e.Name()] = info.Size()
		d.total += info.Size()
	}
	return nil
}

// contents reads toc.dat.
func (d *directory) contents() (*Archive, error) {
	d.suffix = suffixes(withAlgorithm) // of which the header is still to tell
	f, err := d.open(tocFile)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	t := newDecoder(d.name+", "+tocFile, f)
	t.layout = layoutTar
	a := &Archive{Header: t.header()}
	a.Entries = t.contents(&a.Header)
	t.what = "end"
	if t.err == nil && !t.atEnd() && !t.padded() {
		t.corrupt("more bytes follow the table of contents")
	}
	if t.err != nil {
		return nil, t.err
	}
	d.suffix = suffixes(t.minor)
	for i := range a.Entries {
		e := &a.Entries[i]
		if err := d.asDirectory(e, t.minor); err != nil {
			return nil, err
		}
		if err := e.checkFile(t); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// asDirectory gives the list of large objects of a tar the name under which
// pg_restore looks for it in a directory: pg_dump -Ft writes it as
// blobs_<dump id>.toc, and calls it <dump id>.dat in the table of contents.
func (d *directory) asDirectory(e *Entry, minor int) error {
	called := strconv.Itoa(e.DumpID) + ".dat"
	list := "blobs_" + strconv.Itoa(e.DumpID) + ".toc"
	size, there := d.there[list]
	if !d.fromTar || minor < withRelKind || e.Desc != blobsDesc || e.file != called || !there {
		return nil
	}
	if _, taken := d.there[called]; taken {
		return nil
	}
	if err := os.Rename(filepath.Join(d.path, list), filepath.Join(d.path, called)); err != nil {
		return fmt.Errorf("read %s: %w", d.name, err)
	}
	delete(d.there, list)
	d.there[called] = size
	return nil
}

// suffixes are those under which pg_restore looks for a file, in its order.
func suffixes(minor int) []string {
	if minor < withAlgorithm {
		return []string{"", ".gz"}
	}
	return []string{"", ".gz", ".lz4", ".zst"}
}

// checkFile looks whether the entry's file is called as pg_dump calls it, which
// holds no path and no other entry's name.
func (e *Entry) checkFile(t *decoder) error {
	if e.file == "" {
		return nil
	}
	want := strconv.Itoa(e.DumpID) + ".dat"
	switch {
	case e.Desc == blobsDesc && t.minor < withRelKind:
		e.file = blobsFile // whatever stands there, as pg_restore does
		return nil
	case e.Desc == blobsDesc && e.file != want:
		want = "blobs_" + strconv.Itoa(e.DumpID) + ".toc"
	}
	if e.file != want {
		t.corrupt("entry %s has its data in a file %q, where pg_dump would write %s", e.name(),
			verdict.Printable(e.file), want)
	}
	return t.err
}

// find is the name under which a file lies there, and its codec's suffix.
func (d *directory) find(file string) (name, suffix string, err error) {
	for _, s := range d.suffix {
		if _, there := d.there[file+s]; !there {
			continue
		}
		if name != "" {
			return "", "", verdict.Errorf(verdict.CodeUnsupported, "keep the files of one dump apart from another's",
				"read %s: it holds both %s and %s, and nothing tells which is the dump's", d.name, name, file+s)
		}
		name = file + s
		suffix = s
	}
	if name == "" {
		return "", "", verdict.Truncated("read %s: it lacks the file %s%s", d.name, file, d.wanted(file))
	}
	d.used[name] = true
	return name, suffix, nil
}

// wanted says what a missing file is for.
func (d *directory) wanted(file string) string {
	if file == tocFile {
		return ", its table of contents"
	}
	return ""
}

// open opens a file that holds the text under this name, unpacked.
func (d *directory) open(file string) (io.ReadCloser, error) {
	name, suffix, err := d.find(file)
	if err != nil {
		return nil, err
	}
	return d.unpacked(name, suffix)
}

// dataFile is a file of the directory, read through its codec.
type dataFile struct {
	io.Reader
	name   string
	close  func()
	summed func() bool
}

func (f *dataFile) Close() error {
	f.close()
	return nil
}

// unpacked opens the file of that name, whose suffix tells how it is packed, as it
// does to pg_restore.
func (d *directory) unpacked(name, suffix string) (*dataFile, error) {
	f, err := os.Open(filepath.Join(d.path, name))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", d.name, err)
	}
	src := &source{ctx: d.ctx, r: f, total: d.there[name], bound: d.bound}
	c := &chain{Reader: bufio.NewReaderSize(src, 64<<10), name: d.name + ", " + name, src: src}
	file := &dataFile{Reader: c, name: c.name, close: func() { c.Close(); f.Close() }, summed: c.summed}
	head, _ := c.Peek(sniffSize)
	if suffix == "" || suffix != ".gz" && len(head) == 0 { // pg_dump begins others only with the first byte
		return file, src.fault()
	}
	codec, is := packed.Of(head)
	if src.fault() == nil && (!is || len(head) == 0 || codec.Suffixes[0] != suffix) {
		file.close()
		return nil, verdict.Corrupt("read %s: its name ends with %s, and what is in it is not packed so",
			c.name, suffix)
	}
	if err := c.unpackBy(codec); err != nil {
		file.close()
		return nil, err
	}
	file.Reader = c.Reader
	return file, nil
}

// data reads every file that an entry asks for, several at once.
func (d *directory) data(a *Archive) error {
	files, err := d.wantedFiles(a)
	if err != nil {
		return err
	}
	var work errgroup.Group
	work.SetLimit(runtime.GOMAXPROCS(0))
	var unsummed atomic.Bool
	for _, f := range files {
		work.Go(func() error {
			summed, err := d.check(f)
			if !summed {
				unsummed.Store(true)
			}
			return err
		})
	}
	err = work.Wait()
	a.rowsSum = !unsummed.Load()
	a.DataCompression = compressedBy(files)
	return err
}

// compressedBy is what files with data are packed by, which their names tell and
// the header of a tar's toc.dat does not.
func compressedBy(files []wantedFile) string {
	for _, f := range files {
		for _, c := range packed.Codecs {
			if f.suffix == c.Suffixes[0] {
				return c.Name
			}
		}
	}
	return string(None)
}

// wantedFile is a file with the data of an entry, or a large object's.
type wantedFile struct {
	name, suffix string
	entry        *Entry
	rows         bool // of a table
}

// wantedFiles finds the files of all entries, before the first is read.
func (d *directory) wantedFiles(a *Archive) ([]wantedFile, error) {
	var files []wantedFile
	objects := map[uint64]bool{}
	lists := map[string]bool{}
	for i := range a.Entries {
		e := &a.Entries[i]
		if e.file == "" {
			continue
		}
		name, suffix, err := d.find(e.file)
		if err != nil {
			return nil, fmt.Errorf("the data of entry %s: %w", e.name(), err)
		}
		e.DataSize = d.there[name]
		if e.Desc != blobsDesc {
			files = append(files, wantedFile{name: name, suffix: suffix, entry: e, rows: e.Desc == "TABLE DATA"})
			continue
		}
		if lists[name] {
			return nil, verdict.Corrupt("read %s: two entries have their data in %s", d.name, name)
		}
		lists[name] = true
		found, err := d.largeObjects(e, objects)
		if err != nil {
			return nil, err
		}
		files = append(files, found...)
	}
	return files, d.allObjects(a, objects, len(lists) > 0)
}

// largeObjects reads a list of large objects: a line with the id and the file of each.
func (d *directory) largeObjects(e *Entry, objects map[uint64]bool) ([]wantedFile, error) {
	list, err := d.open(e.file)
	if err != nil {
		return nil, err
	}
	defer list.Close()
	wrong := func(line int) error {
		return verdict.Corrupt("read %s, %s: its line %d does not name a large object and its file",
			d.name, e.file, line)
	}
	var files []wantedFile
	lines := bufio.NewReader(list)
	for nth := 1; ; nth++ {
		line, err := lines.ReadString('\n')
		if errors.Is(err, io.EOF) && line == "" {
			return files, nil
		}
		if errors.Is(err, io.EOF) {
			return nil, verdict.Truncated("read %s, %s: it ends in the middle of a line", d.name, e.file)
		}
		if err != nil {
			return nil, err
		}
		first, file, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		id, err := strconv.ParseUint(first, 10, 32)
		called := fmt.Sprintf("blob_%d.dat", id)
		if err != nil || objects[id] || file != called && file != called+".gz" {
			return nil, wrong(nth)
		}
		objects[id] = true
		name, suffix, err := d.find(strings.TrimSuffix(file, ".gz"))
		if err != nil {
			return nil, err
		}
		e.DataSize += d.there[name]
		files = append(files, wantedFile{name: name, suffix: suffix, entry: e})
	}
}

// allObjects compares the large objects that were found with those that the table
// of contents makes: a list that ends early ends like one that does not.
func (d *directory) allObjects(a *Archive, objects map[uint64]bool, listed bool) error {
	if !listed {
		return nil
	}
	known := map[uint64]bool{}
	for _, e := range a.Entries {
		var ids []string
		switch e.Desc {
		case "BLOB":
			ids = []string{e.Tag}
		case "BLOB METADATA":
			ids = strings.Fields(e.Defn)
		}
		for _, id := range ids {
			n, err := strconv.ParseUint(id, 10, 32)
			if err != nil {
				return nil // not as pg_dump writes it so far: nothing to compare
			}
			known[n] = true
		}
	}
	for _, id := range slices.Sorted(maps.Keys(known)) {
		if !objects[id] {
			return verdict.Truncated("read %s: its lists of large objects lack %d, and %d in all", d.name, id,
				len(known)-len(objects))
		}
	}
	return nil
}

// check reads a file to its end, and reports whether a checksum covers it.
func (d *directory) check(f wantedFile) (summed bool, err error) {
	file, err := d.unpacked(f.name, f.suffix)
	if err != nil {
		return false, err
	}
	defer file.Close()
	look := rowsLook{columns: -1}
	if f.rows && f.entry.CopyStmt != "" {
		look.columns = columnsOf(f.entry.CopyStmt)
	}
	buf := make([]byte, 64<<10)
	for {
		n, err := file.Read(buf)
		look.at(buf[:n])
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return false, err
		}
	}
	if done := d.done.Add(d.there[f.name]); d.tell != nil {
		d.tell(done, d.total)
	}
	if f.rows {
		err = look.end(file.name, f.entry)
	}
	return file.summed(), err
}

// strangers are files that are called as pg_dump calls those with data, and that
// the table of contents does not ask for.
func (d *directory) strangers() []string {
	var found []string
	for name := range d.there {
		if !d.used[name] && dataName(name) {
			found = append(found, name)
		}
	}
	slices.Sort(found)
	return found
}

// dataName reports whether pg_dump gives files with data such names.
func dataName(name string) bool {
	for _, s := range suffixes(withAlgorithm) {
		name = strings.TrimSuffix(name, s)
	}
	if list, is := strings.CutSuffix(name, ".toc"); is {
		return list == "blobs" || strings.HasPrefix(list, "blobs_")
	}
	id, is := strings.CutSuffix(name, ".dat")
	id = strings.TrimPrefix(id, "blob_")
	return is && id != "" && strings.Trim(id, "0123456789") == ""
}

// columnsOf counts the columns of a COPY statement; -1 where it cannot be told.
func columnsOf(copyStmt string) int {
	h, err := sqltext.ParseCopy(copyStmt)
	if err != nil {
		return -1
	}
	return len(h.Columns)
}
