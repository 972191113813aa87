package archive

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"daybefore/internal/archive/unpack"
	"daybefore/internal/packed"
	"daybefore/internal/verdict"
)

// OpenParts reads a backup that consists of several files, or directories, which
// would be restored one after the other: what all databases share (pg_dumpall
// --globals-only) and a dump; a schema and its rows; sections. Scripts are joined
// as psql would run them. Archives become one whose entries keep apart in which
// part they lie. Errors are those of Open.
func OpenParts(ctx context.Context, paths []string, opts Options) (*Archive, error) {
	p := &partsReader{ctx: ctx, opts: opts}
	p.opts.Progress = nil // of each by itself it would tell nothing
	defer p.close()
	for _, path := range paths {
		if err := p.add(path); err != nil {
			return nil, err
		}
	}
	switch {
	case len(p.parts) == 0:
		return nil, fmt.Errorf("open the backup %s: it has no parts", opts.Name)
	case !slices.ContainsFunc(p.parts, func(o *openPart) bool { return !o.script() }):
		return p.scripts()
	}
	return p.archives()
}

// partsReader reads the parts of a backup.
type partsReader struct {
	ctx   context.Context
	opts  Options
	parts []*openPart
}

// openPart is a part of which the first bytes were read.
type openPart struct {
	path  string
	name  string
	file  *os.File
	chain *chain // nil for a directory
	rows  bool   // it holds rows or large objects, as its reading showed
	piece Piece  // what it is, as its reading showed
}

// script reports whether a part is an SQL script.
func (o *openPart) script() bool {
	return o.chain != nil && scripted(o.chain.head) && !beginsTar(o.chain.head)
}

func (p *partsReader) close() {
	for _, o := range p.parts {
		if o.chain != nil {
			o.chain.Close()
		}
		if o.file != nil {
			o.file.Close()
		}
	}
}

// add looks at the first bytes of a part.
func (p *partsReader) add(path string) error {
	o := &openPart{path: path, name: filepath.Base(path)}
	if p.opts.Name != "" {
		o.name = p.opts.Name + ", " + o.name
	}
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open the backup %s: %w", o.name, err)
	}
	o.file = f
	p.parts = append(p.parts, o)
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("open the backup %s: %w", o.name, err)
	}
	if info.IsDir() {
		return nil
	}
	src := &source{ctx: p.ctx, r: f, total: info.Size()}
	src.bound = packed.Bound(info.Size(), p.opts.MaxRatio)
	c, err := unwrap(o.name, src, p.opts.Keys)
	if err != nil {
		return err
	}
	o.chain = c
	if c.refused != nil {
		return o.worst(c.refused)
	}
	return nil
}

// worst is what is wrong with a part where err ended its reading.
func (o *openPart) worst(err error) error {
	err, _ = o.chain.outranked(err, maxAfter)
	return o.chain.blame(err)
}

// scripts reads scripts as one. Each has to be whole by itself, so each is read by
// itself first, while it is written to the file that holds them all.
func (p *partsReader) scripts() (*Archive, error) {
	name := cmp.Or(p.opts.Name, p.parts[0].name)
	s, err := unpack.NewSpool(name, cmp.Or(p.opts.Dir, filepath.Dir(p.parts[0].path)))
	if err != nil {
		return nil, err
	}
	a, err := p.joined(name, s)
	err = s.Finish(err)
	if err != nil {
		return nil, err
	}
	a.summed = true
	for _, o := range p.parts {
		a.summed = a.summed && o.chain.summed()
		a.noteName(filepath.Base(o.path), o.chain.around())
	}
	p.parts[0].chain.tell(&a.Header)
	p.noteEncryption(a)
	a.Pieces = p.pieces()
	return a, nil
}

func (p *partsReader) joined(name string, s *unpack.Spool) (*Archive, error) {
	converted := false
	for _, o := range p.parts {
		if err := o.copyTo(s); err != nil {
			return nil, o.worst(err)
		}
		converted = converted || o.chain.converted
	}
	all, err := os.Open(s.File.Name())
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	defer all.Close()
	return readPlain(name, &source{ctx: p.ctx, r: all}, s.File.Name(), p.opts.Database, converted)
}

// copyTo reads a script, and writes it without the mark that may stand before it.
func (o *openPart) copyTo(w io.Writer) error {
	mark := []byte("\xef\xbb\xbf")
	if bytes.HasPrefix(o.chain.head, mark) {
		if _, err := o.chain.Discard(len(mark)); err != nil {
			return err
		}
	}
	r := newPlainReader(o.name, io.TeeReader(o.chain, w))
	r.s.Converted = o.chain.converted
	if err := r.read(); err != nil {
		return err
	}
	o.rows = slices.ContainsFunc(r.dbs, func(d *plainDatabase) bool { return holdData(d.entries) })
	o.piece = Piece{Format: Plain, Around: o.chain.names(), Connects: r.connects()}
	_, err := io.WriteString(w, "\n")
	return err
}

// archives reads archives as one, with the roles that scripts before them create.
func (p *partsReader) archives() (*Archive, error) {
	var roles []string
	var archives []*Archive
	var unsummed []string
	for _, o := range p.parts {
		if o.script() {
			created, err := o.globals(len(archives) > 0)
			if err != nil {
				return nil, err
			}
			roles = append(roles, created...)
			if !o.chain.summed() {
				unsummed = append(unsummed, filepath.Base(o.path))
			}
			continue
		}
		opts := p.opts
		opts.Name = o.name
		opts.Dir = cmp.Or(opts.Dir, filepath.Dir(o.path))
		a, err := Open(p.ctx, o.path, opts)
		if err != nil {
			return nil, err
		}
		o.rows = holdData(a.Entries)
		o.piece = a.Pieces[0]
		archives = append(archives, a)
	}
	a, err := merge(cmp.Or(p.opts.Name, p.parts[0].name), archives)
	if err != nil {
		return nil, err
	}
	slices.Sort(roles)
	a.ClusterRoles = slices.Compact(roles)
	a.unsummed = unsummed
	p.noteEncryption(a)
	a.Pieces = p.pieces()
	return a, nil
}

// pieces are what the parts are, once all are read.
func (p *partsReader) pieces() []Piece {
	var all []Piece
	for _, o := range p.parts {
		all = append(all, o.piece)
	}
	return all
}

// noteEncryption tells how the parts are encrypted, and notes rows that lie open
// beside parts that do not.
func (p *partsReader) noteEncryption(a *Archive) {
	var headers []Header
	var bare []string
	for _, o := range p.parts {
		var h Header
		if o.chain != nil {
			o.chain.tell(&h)
		}
		headers = append(headers, h)
		if h.Encryption == "" && o.rows {
			bare = append(bare, verdict.Printable(filepath.Base(o.path)))
		}
	}
	a.Encryption, a.Key = Encryptions(headers)
	if a.Encryption == "" || len(bare) == 0 {
		return
	}
	a.Notes = append(a.Notes, Note{ID: "unencrypted_rows",
		Expected: "rows that are encrypted, as other parts are", Observed: "not encrypted",
		Message: fmt.Sprintf("some of its parts are encrypted, and %s is not and holds rows", strings.Join(bare, ", ")),
		Hint:    "let the backup job encrypt each part: whoever reads the store reads these rows"})
}

// Encryptions are the ciphers of a backup's parts and the keys that opened them,
// each once, with commas between.
func Encryptions(parts []Header) (ciphers, keys string) {
	var c, k []string
	for _, h := range parts {
		if h.Encryption != "" && !slices.Contains(c, h.Encryption) {
			c = append(c, h.Encryption)
		}
		if h.Key != "" && !slices.Contains(k, h.Key) {
			k = append(k, h.Key)
		}
	}
	return strings.Join(c, ", "), strings.Join(k, ", ")
}

// holdData reports whether rows or large objects are among the entries.
func holdData(entries []Entry) bool {
	return slices.ContainsFunc(entries, func(e Entry) bool {
		return e.HadData && (e.Desc == "TABLE DATA" || e.Desc == "BLOBS")
	})
}

// globals reads a script of what all databases share, and returns the roles that
// it creates.
func (o *openPart) globals(late bool) ([]string, error) {
	r := newPlainReader(o.name, o.chain)
	r.s.Converted = o.chain.converted
	if err := r.read(); err != nil {
		return nil, o.worst(err)
	}
	if late || len(r.databases()) > 0 {
		return nil, verdict.Errorf(verdict.CodeUnsupported,
			"dump schema and rows in one format; roles and tablespaces come first: pg_dumpall --globals-only",
			"read %s: it is a script, and other parts of the backup are archives: only what all databases share may "+
				"stand in a script before them", o.name)
	}
	o.piece = Piece{Format: Plain, Around: o.chain.names(), Connects: true}
	return r.clusterRoles(), nil
}

// merge makes one archive of several: entries in the order of their sections,
// each with an id that no other has.
func merge(name string, parts []*Archive) (*Archive, error) {
	if len(parts) == 1 {
		return parts[0], nil
	}
	m := &Archive{Header: parts[0].Header, Path: parts[0].Path, Parts: parts, names: parts[0].names}
	sections := map[Section][]Entry{}
	base := 0
	for i, part := range parts {
		if err := m.matches(name, part); err != nil {
			return nil, err
		}
		m.Size += part.Size
		m.Notes = append(m.Notes, part.Notes...)
		highest := 0
		where := SectionPreData
		for _, e := range part.Entries {
			highest = max(highest, e.DumpID)
			if e.Section != SectionNone {
				where = e.Section
			}
			if i > 0 && e.aboutDump() {
				continue
			}
			sections[where] = append(sections[where], e.inPart(i, base))
		}
		base += highest
	}
	m.Entries = slices.Concat(sections[SectionPreData], sections[SectionData], sections[SectionPostData])
	if err := m.disjoint(name); err != nil {
		return nil, err
	}
	m.relate()
	return m, nil
}

// inPart is an entry of a part after parts with so many ids.
func (e Entry) inPart(part, base int) Entry {
	e.part, e.base = part, base
	e.DumpID += base
	e.Deps = slices.Clone(e.Deps)
	for i := range e.Deps {
		e.Deps[i] += base
	}
	return e
}

// matches looks whether a part can be one of the same backup.
func (a *Archive) matches(name string, part *Archive) error {
	const hint = "dump all parts of one database, by one pg_dump and one after the other"
	switch {
	case part.Database != a.Database:
		return verdict.Errorf(verdict.CodeDatabase, hint,
			"read %s: its parts are dumps of different databases, %q and %q", name,
			verdict.Printable(a.Database), verdict.Printable(part.Database))
	case part.Encoding != a.Encoding, part.StdStrings != a.StdStrings:
		return verdict.Errorf(verdict.CodeUnsupported, hint,
			"read %s: its parts are written in different encodings", name)
	}
	a.DumpMajor = max(a.DumpMajor, part.DumpMajor)
	a.ServerMajor = max(a.ServerMajor, part.ServerMajor)
	if part.DataOnly() { // when the rows were read is when the backup was taken
		a.Created = part.Created
		a.DataCompression = part.DataCompression
	}
	return nil
}

// disjoint makes sure that no two parts make or fill the same, and that all rows
// lie in one.
func (a *Archive) disjoint(name string) error {
	const hint = "dump the schema in one part (-s) and the rows in another (-a), or by sections"
	seen := map[[3]string]int{}
	rows := map[int]bool{}
	for _, e := range a.Entries {
		if e.Desc == "TABLE DATA" && e.HadData {
			rows[e.part] = true
		}
		if e.Desc != "TABLE DATA" && e.Desc != "TABLE" {
			continue
		}
		key := [3]string{e.Desc, e.Namespace, e.Tag}
		before, is := seen[key]
		if is && before != e.part {
			return verdict.Errorf(verdict.CodeUnsupported, hint, "read %s: two of its parts hold %s", name, e.name())
		}
		seen[key] = e.part
	}
	if len(rows) > 1 {
		return verdict.Errorf(verdict.CodeUnsupported, hint, "read %s: %d of its parts hold rows (%s)", name, len(rows),
			partNumbers(rows))
	}
	return nil
}

func partNumbers(parts map[int]bool) string {
	var names []string
	for _, i := range slices.Sorted(maps.Keys(parts)) {
		names = append(names, "part "+strconv.Itoa(i+1))
	}
	return strings.Join(names, ", ")
}

// relate lets the rows of a table depend on it where another part makes it: its
// id there is not the one that the rows' part knows.
func (a *Archive) relate() {
	tables := map[[2]string]Entry{}
	for _, e := range a.Entries {
		if e.Desc == "TABLE" {
			tables[[2]string{e.Namespace, e.Tag}] = e
		}
	}
	for i := range a.Entries {
		e := &a.Entries[i]
		table, there := tables[[2]string{e.Namespace, e.Tag}]
		if e.Desc == "TABLE DATA" && there && table.part != e.part {
			e.Deps = []int{table.DumpID}
		}
	}
}

// Part is which of the archive's files an entry lies in, from 0 on, and Base by
// how much its id there is less than its DumpID.
func (e Entry) Part() (part, base int) { return e.part, e.base }

// PartPath is where a part of an archive lies whose first lies at path.
func PartPath(path string, part int) string {
	if part == 0 {
		return path
	}
	return path + "-" + strconv.Itoa(part+1)
}

// Files are the archives that lie in one file or directory each: the parts, or
// the archive itself.
func (a *Archive) Files() []*Archive {
	if a.Parts != nil {
		return a.Parts
	}
	return []*Archive{a}
}
