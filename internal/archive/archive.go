// Package archive knows what a backup file is: which format it has, what its
// header and table of contents say, and whether every data block in it is
// whole. It restores nothing and never shows a byte of the data it walks over.
package archive

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"daybefore/internal/archive/unpack"
	"daybefore/internal/copytext"
	"daybefore/internal/crypt"
	"daybefore/internal/packed"
	"daybefore/internal/verdict"
)

// Format is how a dump is laid out.
type Format string

// The formats that Open reads.
const (
	Custom    Format = "custom"    // what pg_dump -Fc writes
	Plain     Format = "plain"     // an SQL script, as pg_dump -Fp, pg_dumpall and pg_restore -f write it
	Directory Format = "directory" // what pg_dump -Fd writes
	Tar       Format = "tar"       // what pg_dump -Ft writes, or a tar of a directory
)

// Compression is what lies around the archive as a whole, put there by the
// backup script: the name of a packed.Codec, or several, as "gzip around zstd".
// The compression of the rows within is Header.DataCompression.
type Compression string

// Outer compressions, told by their magic bytes, never by a name.
const (
	None Compression = "none"
	Gzip Compression = "gzip"
	Zstd Compression = "zstd"
)

// Header is what the first bytes of an archive say. A script says less: what
// it does not say is zero.
type Header struct {
	Format      Format
	Compression Compression
	Encryption  string // the cipher's name; empty for none
	Key         string // fingerprint of the key that opened it

	// Created is when pg_dump began, by the clock on the wall of the machine
	// it ran on: the header names no zone. The fields are carried as UTC; the
	// caller has to know which zone they belong to. Zero for a script, unless
	// it was written by pg_dump --verbose.
	Created time.Time

	Database      string // empty for a script without CREATE DATABASE and \connect
	ServerVersion string // as the server said it, e.g. "15.18 (Debian 15.18-0+deb12u1)"
	DumpVersion   string // pg_dump's
	ServerMajor   int    // 15; 9 for all of 9.x; 0 where the version is unreadable
	DumpMajor     int

	ArchiveVersion  string // e.g. "1.14"; the revision is left out as pg_restore does; empty for a script
	DataCompression string // none | gzip | lz4 | zstd

	// Encoding and StdStrings come from the table of contents, or the SET
	// statements of a script. Peek leaves
	// Encoding empty where its input ends before them.
	Encoding   string // PostgreSQL's name of the text's encoding, e.g. "UTF8"
	StdStrings bool   // standard_conforming_strings: backslashes in '...' are plain
}

// Section is the part of a restore that an entry belongs to.
type Section int

// The sections, numbered as in the archive (pg_backup.h, teSection). Entries
// in SectionNone, such as comments, go with the object they are about.
const (
	SectionNone     Section = 1
	SectionPreData  Section = 2
	SectionData     Section = 3
	SectionPostData Section = 4
)

func (s Section) String() string {
	switch s {
	case SectionNone:
		return "none"
	case SectionPreData:
		return "pre-data"
	case SectionData:
		return "data"
	case SectionPostData:
		return "post-data"
	}
	return fmt.Sprintf("section %d", int(s))
}

// Entry is one line of the table of contents. Strings that the archive holds
// as NULL are empty here. Names may hold any character, newlines included.
// Whatever the archive is written in, they and the SQL are UTF-8, save the COPY
// statement, which is as the archive has it: Archive.UTF8 makes text of it.
type Entry struct {
	DumpID   int // unique in the archive; the only safe key
	HadData  bool
	TableOID uint32 // of the catalog the object is in
	OID      uint32

	Desc       string // kind, e.g. TABLE, TABLE DATA, SEQUENCE SET, BLOBS
	Tag        string // name, unquoted; for comments and privileges with the kind before it
	Namespace  string // schema
	Owner      string
	Tablespace string
	TableAM    string // access method; since archive version 1.14
	RelKind    byte   // pg_class.relkind; since 1.16, else 0
	Section    Section

	Defn     string // SQL that makes the object
	DropStmt string
	CopyStmt string // COPY ... FROM stdin; empty for rows dumped as INSERT statements
	// dump ids; of a script's entries only that of the TABLE that rows, an index or a constraint rest on
	Deps []int

	DataSize int64 // bytes of its data block as stored, so compressed if the archive is

	offset offset // where the table of contents of a custom archive says that the block begins
	file   string // that holds the data, in a directory
	part   int    // of the archive's Parts
	base   int    // what was added to the part's own ids

	// of a script:
	converted bool      // its rows end with CR LF
	stretches []stretch // its statements; for rows, the one run of bytes that holds them
	roles     []string  // that its statements name
	object    string    // what a comment or privilege is about
	table     [2]string // schema and name of the table that rows, an index or a constraint belong to
}

// Inserts reports whether the entry's rows are INSERT statements.
func (e Entry) Inserts() bool {
	return e.Desc == "TABLE DATA" && e.HadData && e.CopyStmt == ""
}

// Replica reports whether a script loads the entry's rows under
// session_replication_role = replica: no trigger fires and no key is checked.
func (e Entry) Replica() bool {
	return len(e.stretches) > 0 && slices.ContainsFunc(e.stretches[0].settings, func(s setting) bool {
		return s.name == "session_replication_role" && strings.Contains(strings.ToLower(s.statement), "replica")
	})
}

// name is the entry as an error names it: harmless on one line.
func (e Entry) name() string {
	n := e.Tag
	if e.Namespace != "" {
		n = e.Namespace + "." + n
	}
	return fmt.Sprintf("%d (%s %s)", e.DumpID, verdict.Printable(e.Desc), verdict.Printable(n))
}

// Archive is a whole and readable backup: Open has read every byte of it.
type Archive struct {
	Header
	Path    string  // the bare archive, script or directory: what was opened, or the spool made of it
	Size    int64   // bytes of what lies at Path
	Entries []Entry // in the archive's order
	Notes   []Note  // what somebody should know of it

	// ClusterRoles are the roles that the dump of a whole cluster (pg_dumpall)
	// would itself create before its databases, sorted: after them they
	// come too late for owners and grants. Which of them its database needs,
	// Roles says.
	ClusterRoles []string

	// Others are the other databases that the dump of a cluster holds, sorted.
	// They were read to their end, and are not restored.
	Others []string

	// Parts are the archives that this one was made of, each with a file of its
	// own; nil where one file holds all.
	Parts []*Archive

	// Pieces are the files and directories of the backup, in their order, as who
	// restores it by hand meets them.
	Pieces []Piece

	roles    []string // that a script's sessions act as
	summed   bool     // checksums around the archive cover all of it
	rowsSum  bool     // checksums within a directory cover all its data
	connects bool     // see Piece
	offSize  int      // bytes of an offset in a custom archive
	intSize  int      // and of a number
	names    copytext.Encoding

	unsummed []string // scripts beside the archive that no checksum covers
}

// Piece is one file or directory of a backup.
type Piece struct {
	Format Format
	Around []string // the ciphers and codecs around it, from outside
	Folder bool     // it lies in the store as a directory
	// Connects says of a script that it makes its databases itself and connects to
	// them, or is about what all databases share.
	Connects bool
}

// Options tell Open where to put what it unpacks and whom to tell.
type Options struct {
	// Name is what errors call the backup. Empty: the file's own name.
	Name string

	// Dir is where a compressed archive is unpacked to, in a file of mode
	// 0600 or, for a tar, a directory of mode 0700, whose name begins with
	// "archive-". Open removes it if it fails; otherwise it is the caller's.
	// Empty: the directory of the backup.
	Dir string

	// Keys open what is encrypted; nil: what is encrypted is refused.
	Keys *crypt.Keys

	// Database is the one whose part is taken of the dump of a whole cluster.
	// Empty: the only one in it besides postgres and template1. Dumps of one
	// database do not ask.
	Database string

	// MaxRatio is to how many times its size a compressed backup may unpack,
	// and to packed.LeastBound at the least; 0: without limit.
	MaxRatio int64

	// Progress, if not nil, is told how many bytes of the backup have been
	// read, and how many it has, at least once a megabyte or so.
	Progress func(done, total int64)
}

// Open reads the backup at path, a file or the directory that pg_dump -Fd wrote,
// from its first byte to its last: what lies around it, header, table of contents
// and every data block, whether it is going to be restored or not.
//
// What is wrong with the backup comes back as *verdict.Problem: Fail with
// CodeTruncated, CodeCorrupt or CodeNotAnArchive, Error with CodeUnsupported
// for a format that this version cannot read, with CodeDiskSpace where the
// unpacked archive found no room, and with CodeMaxRatio where it is too large
// for what it was packed in.
func Open(ctx context.Context, path string, opts Options) (*Archive, error) {
	opts.Name = cmp.Or(opts.Name, filepath.Base(path))
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the backup %s: %w", opts.Name, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("open the backup %s: %w", opts.Name, err)
	}
	if info.IsDir() {
		a, err := readDirectory(ctx, path, false, opts)
		if err == nil {
			a.Pieces = []Piece{{Format: a.Format, Folder: true}}
		}
		return a, err
	}
	src := &source{ctx: ctx, r: f, total: info.Size(), progress: opts.Progress}
	src.bound = packed.Bound(info.Size(), opts.MaxRatio)
	c, err := unwrap(opts.Name, src, opts.Keys)
	if err != nil {
		return nil, err
	}
	defer c.Close()

	a, err := c.openAt(path, opts)
	if err != nil {
		err, _ = c.outranked(err, maxAfter)
		return nil, c.blame(err)
	}
	a.summed = c.summed()
	c.tell(&a.Header)
	a.noteName(opts.Name, c.around())
	a.Pieces = []Piece{{Format: a.Format, Around: c.names(), Connects: a.connects}}
	return a, nil
}

// openAt reads what was unwrapped of the file at path.
func (c *chain) openAt(path string, opts Options) (*Archive, error) {
	dir := cmp.Or(opts.Dir, filepath.Dir(path))
	switch {
	case c.refused != nil:
		return nil, c.refused
	case len(c.links) > 0:
		c.readAhead()
	}
	switch {
	case beginsTar(c.head):
		return c.untar(dir, opts)
	case len(c.links) == 0:
		return c.read(c, path, opts.Database)
	}
	return c.unpack(dir, opts.Database)
}

// unpack reads the archive and writes it to a file in dir on the way.
func (c *chain) unpack(dir, database string) (*Archive, error) {
	s, err := unpack.NewSpool(c.name, dir)
	if err != nil {
		return nil, err
	}
	a, err := c.read(io.TeeReader(c, s), s.File.Name(), database)
	err = s.Finish(err)
	if err != nil {
		return nil, err
	}
	return a, nil
}

// read reads a bare custom archive or script, which lies at path, from r.
func (c *chain) read(r io.Reader, path, database string) (*Archive, error) {
	if scripted(c.head) {
		return readPlain(c.name, r, path, database, c.converted)
	}
	return read(c.name, r, path)
}

// read reads a bare custom archive, which lies at path, from r.
func read(name string, r io.Reader, path string) (*Archive, error) {
	d := newDecoder(name, r)
	a := &Archive{Header: d.header(), Path: path}
	a.Entries = d.contents(&a.Header)
	d.walk(a.Entries)
	a.Size, a.offSize, a.intSize = d.pos, d.offSize, d.intSize
	if d.err != nil {
		return nil, d.err
	}
	a.toUTF8()
	return a, nil
}

// PeekSize is how many bytes of a backup Peek needs at most to read its fixed
// header through any compression: a block is decoded whole or not, and those of
// lz4 hold up to 4 MiB.
const PeekSize = 4<<20 + 64<<10

// peekUnpacked is how much of what is within Peek looks at for the header.
const peekUnpacked = 256 << 10

// Peek reads the header from the first bytes of a backup, at least PeekSize
// of them where it has as many, through what lies around it; of a backup that is
// a directory, from those of its toc.dat. A stream that ends within the table of
// contents is no error here: then Encoding may be empty. Errors are those of Open;
// what Peek passes may still be broken further on. What is wrong within a
// compressed stream that goes on after these bytes may be owed to damage, of
// which only its end tells: it is left to Open, unless it is plain that this is
// another kind of file.
func Peek(ctx context.Context, r io.Reader, keys *crypt.Keys) (Header, error) {
	const name = "the backup"
	c, err := unwrap(name, &source{ctx: ctx, r: r}, keys)
	if err != nil {
		return Header{}, err
	}
	defer c.Close()
	h, err := c.peek()
	c.tell(&h)
	if err == nil {
		return h, nil
	}
	err, whole := c.outranked(err, maxPeekAfter)
	if len(c.links) == 0 || whole || errors.Is(err, errKnownKind) || damaged(err) || keyMissing(err) {
		return Header{}, c.blame(err)
	}
	h = Header{}
	c.tell(&h)
	return h, nil
}

// peek reads the header of what was unwrapped.
func (c *chain) peek() (Header, error) {
	switch {
	case c.refused != nil:
		return Header{}, c.refused
	case beginsTar(c.head):
		return peekTar(c.name, io.LimitReader(c, peekUnpacked))
	case scripted(c.head):
		return peekPlain(c.name, io.LimitReader(c, peekUnpacked))
	}
	return peekArchive(c.name, c)
}

// peekArchive reads the header of a custom archive, or of a directory's toc.dat.
func peekArchive(name string, r io.Reader) (Header, error) {
	d := newDecoder(name, r)
	d.layout = layoutAny
	h := d.header()
	if d.err != nil {
		return Header{}, d.err
	}
	d.special(&h)
	return h, nil
}

// damaged tells what a decompressor says of bytes that cannot be.
func damaged(err error) bool {
	p, ok := errors.AsType[*verdict.Problem](err)
	return ok && p.Code == verdict.CodeCorrupt
}

// DataOnly tells an archive that holds data and nothing to load it into, as
// pg_dump --data-only and --section=data write it.
// Large objects do not count: their making goes with their data.
func (a *Archive) DataOnly() bool {
	rows := func(e Entry) bool { return e.Desc == "TABLE DATA" || e.Desc == "SEQUENCE SET" }
	schema := func(e Entry) bool {
		return e.Section == SectionPreData && !e.aboutDump() && e.Desc != "BLOB" && e.Desc != "BLOB METADATA"
	}
	return slices.ContainsFunc(a.Entries, rows) && !slices.ContainsFunc(a.Entries, schema)
}

// HoldsRowsOf reports whether the archive has any rows that were dumped under
// this name, be it no more than the mark that there were none.
func (a *Archive) HoldsRowsOf(schema, table string) bool {
	return slices.ContainsFunc(a.Entries, func(e Entry) bool {
		return e.Desc == "TABLE DATA" && e.HadData && e.Namespace == schema && e.Tag == table
	})
}

// Makes reports whether the archive itself makes the table; an extension's
// script, which makes others, may fill them too.
func (a *Archive) Makes(schema, table string) bool {
	return slices.ContainsFunc(a.Entries, func(e Entry) bool {
		return e.Desc == "TABLE" && e.Namespace == schema && e.Tag == table
	})
}

// Kinds returns what the archive makes under a name, as a report calls it: table,
// of whatever sort; view, materialized view or foreign table. Empty: nothing that
// has rows, or nothing at all.
func (a *Archive) Kinds() func(schema, name string) string {
	kinds := map[[2]string]string{}
	for _, e := range a.Entries {
		switch e.Desc {
		case "TABLE", "VIEW", "MATERIALIZED VIEW", "FOREIGN TABLE":
			kinds[[2]string{e.Namespace, e.Tag}] = strings.ToLower(e.Desc)
		}
	}
	for _, e := range a.Entries { // how a view that was dumped as a table becomes one
		if name, isReturn := strings.CutSuffix(e.Tag, " _RETURN"); isReturn && e.Desc == "RULE" {
			kinds[[2]string{e.Namespace, name}] = "view"
		}
	}
	return func(schema, name string) string { return kinds[[2]string{schema, name}] }
}

// HoldsLargeObjects reports whether the archive has the contents of any.
func (a *Archive) HoldsLargeObjects() bool {
	return slices.ContainsFunc(a.Entries, func(e Entry) bool { return e.Desc == "BLOBS" && e.HadData })
}

// aboutDump tells the entries that describe the dump or the database itself.
func (e Entry) aboutDump() bool {
	switch e.Desc {
	case "ENCODING", "STDSTRINGS", "SEARCHPATH", "DATABASE", "DATABASE PROPERTIES":
		return true
	}
	return e.aboutDatabase()
}

// aboutDatabase tells comments, privileges and labels of the database, which
// pg_restore leaves out unless it creates the database.
func (e Entry) aboutDatabase() bool {
	switch e.Desc {
	case "COMMENT", "ACL", "SECURITY LABEL":
		return strings.HasPrefix(e.Tag, "DATABASE ")
	}
	return false
}

// Extensions names the extensions that the archive creates, in its order.
func (a *Archive) Extensions() []string {
	var names []string
	for _, e := range a.Entries {
		if e.Desc == "EXTENSION" {
			names = append(names, e.Tag)
		}
	}
	return names
}

// UseList is the text for pg_restore -L that restores these entries in this
// order. pg_restore reads a line up to its first semicolon, as a dump id
// (pg_backup_archiver.c, SortTocFromFile), so no name is written: one with a
// newline could smuggle in an id. The kind is for human readers. All entries lie
// in one part, whose own ids are written.
func UseList(entries []Entry) []byte {
	var b strings.Builder
	for _, e := range entries {
		fmt.Fprintf(&b, "%d; 0 0 %s\n", e.DumpID-e.base, kindOf(e.Desc))
	}
	return []byte(b.String())
}

// kindOf is desc if it is made of capitals and blanks, as all of pg_dump's are.
func kindOf(desc string) string {
	if strings.Trim(desc, "ABCDEFGHIJKLMNOPQRSTUVWXYZ ") != "" {
		return "?"
	}
	return desc
}
