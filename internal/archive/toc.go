package archive

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"daybefore/internal/verdict"
)

// The layout follows PostgreSQL's src/bin/pg_dump: pg_backup_archiver.c
// (ReadHead, ReadToc, ReadInt, ReadStr, ReadOffset) and pg_backup_custom.c.

const (
	customMagic = "PGDMP"

	oldest = 10 // 1.10, PostgreSQL 8.0
	newest = 16 // 1.16, PostgreSQL 17 to 19

	// the versions of pg_dump that write these, and the newest that may yet come
	oldestDump   = 8
	newestDump   = 19
	likelyMajors = 30

	// since these minor versions of the archive there is
	withSections    = 11
	withAccessMeth  = 14
	withAlgorithm   = 15 // the data's compression by name, not by level
	withRelKind     = 16
	maxString       = 1 << 30 // no PostgreSQL text is longer
	maxHeaderString = 1 << 16
	readBuffer      = 256 << 10
)

// layouts are the numbers of pg_backup.h's ArchiveFormat, as the header has
// them; a directory's toc.dat calls itself tar.
const (
	layoutAny    = 0 // whatever stands there
	layoutCustom = 1
	layoutTar    = 3
)

// offsetState says what an entry knows about the place of its data block
// (pg_backup_archiver.h, K_OFFSET_*).
type offsetState byte

const (
	offsetUnknown offsetState = 1 // written through a pipe
	offsetKnown   offsetState = 2
	offsetNoData  offsetState = 3
)

type offset struct {
	state offsetState
	pos   int64 // of the block; where the archive does not say so, as walk found it
	at    int64 // where in the archive this is said
}

// decoder reads an archive forward. The first error sticks: later reads give
// zero values, so that only loops need to look at err.
type decoder struct {
	name    string // of the backup, for errors
	what    string // what is being read, for errors
	r       *bufio.Reader
	pos     int64 // bytes read
	minor   int   // of the archive's version, 1.minor
	layout  byte  // that is wanted, then the archive's
	intSize int
	offSize int
	err     error
}

func newDecoder(name string, r io.Reader) *decoder {
	return &decoder{name: name, what: "header", layout: layoutCustom, r: bufio.NewReaderSize(r, readBuffer)}
}

// fail records the first error.
func (d *decoder) fail(err error) {
	if d.err == nil {
		d.err = err
	}
}

func (d *decoder) corrupt(format string, args ...any) {
	d.fail(verdict.Corrupt("read %s, %s at byte %d: %s", d.name, d.what, d.pos, fmt.Sprintf(format, args...)))
}

// broken records why the source gave no more bytes.
func (d *decoder) broken(err error) {
	var problem *verdict.Problem
	switch {
	case errors.As(err, &problem):
		d.fail(err)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		d.fail(verdict.Truncated("read %s: it ends after %d bytes, in the middle of the %s", d.name, d.pos, d.what))
	default:
		d.fail(fmt.Errorf("read %s, %s at byte %d: %w", d.name, d.what, d.pos, err))
	}
}

func (d *decoder) byte() byte {
	if d.err != nil {
		return 0
	}
	b, err := d.r.ReadByte()
	if err != nil {
		d.broken(err)
		return 0
	}
	d.pos++
	return b
}

// number reads size bytes, least significant first.
func (d *decoder) number(size int) int64 {
	var n uint64
	for i := range size {
		b := d.byte()
		switch {
		case b == 0:
		case i >= 8, i == 7 && b > 0x7f:
			d.corrupt("a number is out of range")
			return 0
		default:
			n |= uint64(b) << (8 * i)
		}
	}
	return int64(n)
}

// int reads a sign and a magnitude.
func (d *decoder) int() int64 {
	sign := d.byte()
	n := d.number(d.intSize)
	if sign != 0 {
		return -n
	}
	return n
}

// small reads an int that has to lie within bounds.
func (d *decoder) small(what string, low, high int64) int {
	n := d.int()
	if d.err == nil && (n < low || n > high) {
		d.corrupt("%s is %d, out of range", what, n)
		return 0
	}
	return int(n)
}

// optional reads a string; ok is false for NULL. What is allocated grows with
// what is really there, never with the length that is claimed.
func (d *decoder) optional(limit int64) (s string, ok bool) {
	n := d.int()
	switch {
	case d.err != nil, n == -1:
		return "", false
	case n < 0, n > limit:
		d.corrupt("a text claims a length of %d bytes", n)
		return "", false
	}
	var b strings.Builder
	copied, err := io.CopyN(&b, d.r, n)
	d.pos += copied
	if err != nil {
		d.broken(err)
		return "", false
	}
	return b.String(), true
}

func (d *decoder) string() string {
	s, _ := d.optional(maxString)
	return s
}

func (d *decoder) oid() uint32 {
	s := d.string()
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		d.corrupt("an object id is no number")
	}
	return uint32(n)
}

// header reads everything before the table of contents.
func (d *decoder) header() Header {
	h := Header{Format: Custom, Compression: None, StdStrings: true}
	for i := range len(customMagic) {
		if b := d.byte(); b != customMagic[i] {
			d.corrupt("it does not begin with %s", customMagic)
			return Header{}
		}
	}
	major := d.byte()
	minor := d.byte()
	d.byte() // revision: never told versions apart
	d.checkVersion(int(major), int(minor))
	d.minor = int(minor)
	h.ArchiveVersion = fmt.Sprintf("%d.%d", major, minor)

	d.sizes()
	d.checkLayout(d.byte())
	if d.layout == layoutTar {
		h.Format = Directory
	}
	d.origin(&h)
	d.checkMajors(h)
	if d.err != nil {
		return Header{}
	}
	return h
}

// sizes reads how many bytes numbers and offsets have.
func (d *decoder) sizes() {
	d.intSize, d.offSize = int(d.byte()), int(d.byte())
	if d.err == nil && (d.intSize < 2 || d.intSize > 8 || d.offSize < 4 || d.offSize > 8) {
		d.corrupt("numbers of %d and offsets of %d bytes", d.intSize, d.offSize)
	}
}

// origin reads how, when, of what and by what the archive was written.
func (d *decoder) origin(h *Header) {
	h.DataCompression = d.dataCompression()
	h.Created = d.wallClock()
	h.Database, _ = d.optional(maxHeaderString)
	h.ServerVersion, _ = d.optional(maxHeaderString)
	h.DumpVersion, _ = d.optional(maxHeaderString)
	h.ServerMajor, h.DumpMajor = majorOf(h.ServerVersion), majorOf(h.DumpVersion)
}

// checkMajors compares what the header says of both programs. pg_dump dumps no
// server that is newer than itself (connectDatabase, "server version mismatch").
func (d *decoder) checkMajors(h Header) {
	switch {
	case d.err != nil:
	case h.DumpMajor > likelyMajors:
		d.corrupt("it claims to be written by pg_dump %d", h.DumpMajor)
	case h.DumpMajor > 0 && h.ServerMajor > h.DumpMajor:
		d.corrupt("it claims that pg_dump %d dumped a server of version %d, and it dumps none that is newer than itself",
			h.DumpMajor, h.ServerMajor)
	}
}

// ahead is a decoder of what comes next, of which nothing is read away. It sees
// as much as is told from the first bytes of any file.
func (d *decoder) ahead() *decoder {
	head, _ := d.r.Peek(sniffSize)
	a := newDecoder(d.name, bytes.NewReader(head))
	a.minor, a.intSize, a.offSize = d.minor, d.intSize, d.offSize
	return a
}

// ofKnownDump reports whether what follows the version was written by a pg_dump
// whose versions of archives are all known: then another one is damage.
func (d *decoder) ofKnownDump() bool {
	for _, minor := range []int{withAlgorithm - 1, newest} { // the headers' two layouts
		var h Header
		a := d.ahead()
		a.minor = minor
		a.sizes()
		layout := a.byte()
		a.origin(&h)
		if a.err == nil && layout == layoutCustom && h.DumpMajor >= oldestDump && h.DumpMajor <= newestDump {
			return true
		}
	}
	return false
}

// ofCustom reports whether what follows the layout is an archive of the custom
// format: only there an entry ends with an offset. Where another layout has a
// file's name, the byte is 0.
func (d *decoder) ofCustom() bool {
	var h Header
	a := d.ahead()
	a.origin(&h)
	entries := a.int()
	a.entry()
	return a.err == nil && entries > 0
}

func (d *decoder) checkVersion(major, minor int) {
	const plausible = 64 // beyond this it is garbage, not a future
	switch {
	case d.err != nil, major == 1 && minor >= oldest && minor <= newest:
	case major <= 2 && minor < plausible && d.ofKnownDump():
		d.corrupt("it claims an archive version of %d.%d, which the pg_dump that wrote it does not write", major, minor)
	case major == 1 && minor > newest && minor < plausible, major == 2 && minor < plausible:
		d.fail(verdict.Errorf(verdict.CodeUnsupported,
			"update the harness to a version that knows the pg_dump which wrote this",
			"read %s: its archive version %d.%d is newer than 1.%d, the newest that is known here", d.name, major,
			minor, newest))
	case major <= 1 && minor < oldest:
		d.fail(verdict.Errorf(verdict.CodeUnsupported, "take the backup with a pg_dump of PostgreSQL 9.0 or later",
			"read %s: its archive version %d.%d is older than 1.%d, the oldest that is known here", d.name, major,
			minor, oldest))
	default:
		d.corrupt("it claims an archive version of %d.%d", major, minor)
	}
}

func (d *decoder) checkLayout(layout byte) {
	switch {
	case d.err != nil:
	case layout == layoutCustom && d.layout != layoutTar:
		d.layout = layoutCustom
	case layout == layoutTar && d.layout == layoutTar:
	case layout == layoutTar && d.ofCustom(), layout == 5 && d.ofCustom():
		d.corrupt(
			"it claims the layout of a dump in directory or tar format, and holds what only the custom format has",
		)
	case layout == layoutTar && d.layout == layoutAny:
		d.layout = layoutTar
	case layout == layoutTar, layout == 5:
		d.fail(verdict.Errorf(verdict.CodeUnsupported,
			"name the directory, in which the rows lie beside toc.dat, or a tar of it",
			"read %s: it is the toc.dat of a dump in directory format, whose rows lie in other files", d.name))
	case d.layout == layoutTar:
		d.corrupt("it claims layout %d, not %d as pg_dump writes a toc.dat", layout, layoutTar)
	default:
		d.corrupt("it claims layout %d, not %d (custom)", layout, layoutCustom)
	}
}

func (d *decoder) dataCompression() string {
	if d.minor < withAlgorithm {
		if level := d.small("the level of compression", -1, 9); level == 0 {
			return "none"
		}
		return "gzip"
	}
	names := []string{"none", "gzip", "lz4", "zstd"} // common/compression.h, pg_compress_algorithm
	i := int(d.byte())
	if i >= len(names) {
		d.corrupt("it claims data compression %d", i)
		return ""
	}
	return names[i]
}

// wallClock reads a struct tm of the dumping machine's local time.
func (d *decoder) wallClock() time.Time {
	sec := d.small("the second", 0, 60)
	minute := d.small("the minute", 0, 59)
	hour := d.small("the hour", 0, 23)
	day := d.small("the day", 1, 31)
	month := d.small("the month", 0, 11)
	year := d.small("the year", 70, 8099)
	d.int() // tm_isdst: says no zone either
	return time.Date(1900+year, time.Month(1+month), day, hour, minute, sec, 0, time.UTC)
}

// majorOf reads the 15 of "15.18 (Debian ...)" or "18beta1"; 0 if there is none.
func majorOf(version string) int {
	end := strings.IndexFunc(version, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		end = len(version)
	}
	n, err := strconv.Atoi(version[:end])
	if err != nil {
		return 0
	}
	return n
}

// contents reads the table of contents, and from it what the header lacks.
func (d *decoder) contents(h *Header) []Entry {
	d.what = "table of contents"
	count := d.int()
	if count < 0 {
		d.corrupt("it claims %d entries", count)
	}
	var entries []Entry
	seen := map[int]bool{}
	for i := int64(0); i < count && d.err == nil; i++ {
		d.what = fmt.Sprintf("table of contents (entry %d of %d)", i+1, count)
		e := d.entry()
		if d.err == nil && seen[e.DumpID] {
			d.corrupt("a second entry has the id %d", e.DumpID)
		}
		seen[e.DumpID] = true
		h.learn(e)
		entries = append(entries, e)
	}
	return entries
}

// special reads the entries that complete the header, which stand first, and
// gives up silently where the input ends before them.
func (d *decoder) special(h *Header) {
	for range d.int() {
		e := d.entry()
		if d.err != nil || !e.aboutDump() {
			return
		}
		h.learn(e)
	}
}

func (d *decoder) entry() Entry {
	var e Entry
	e.DumpID = d.small("an entry's id", 1, 1<<31-1)
	e.HadData = d.int() != 0
	e.TableOID = d.oid()
	e.OID = d.oid()
	e.Tag = d.string()
	e.Desc = d.string()
	if d.err == nil && e.Desc == "" {
		d.corrupt("an entry has no kind")
	}
	if d.minor >= withSections {
		e.Section = Section(d.small("a section", int64(SectionNone), int64(SectionPostData)))
	} else {
		e.Section = sectionOf(e.Desc)
	}
	e.Defn = d.string()
	e.DropStmt = d.string()
	e.CopyStmt = d.string()
	e.Namespace = d.string()
	e.Tablespace = d.string()
	if d.minor >= withAccessMeth {
		e.TableAM = d.string()
	}
	if d.minor >= withRelKind {
		e.RelKind = byte(d.small("a relation's kind", 0, 0x7f))
	}
	e.Owner = d.string()
	d.string() // WITH OIDS, which no supported server has
	e.Deps = d.dependencies()
	placed := d.place(&e)
	if d.err == nil && e.HadData != placed {
		d.corrupt("entry %s contradicts itself on whether it has data", e.name())
	}
	return e
}

// place reads where the data of an entry lies, if it has any.
func (d *decoder) place(e *Entry) bool {
	if d.layout == layoutTar {
		e.file, _ = d.optional(maxHeaderString)
		return e.file != ""
	}
	e.offset = d.offset()
	return e.offset.state != offsetNoData
}

// sectionOf files the entries of archives before 1.11, as pg_restore does.
func sectionOf(desc string) Section {
	switch desc {
	case "COMMENT", "ACL", "ACL LANGUAGE":
		return SectionNone
	case "TABLE DATA", "BLOBS", "BLOB COMMENTS":
		return SectionData
	case "CONSTRAINT", "CHECK CONSTRAINT", "FK CONSTRAINT", "INDEX", "RULE", "TRIGGER":
		return SectionPostData
	}
	return SectionPreData
}

// dependencies are dump ids as texts, up to a NULL.
func (d *decoder) dependencies() []int {
	var deps []int
	for d.err == nil {
		s, ok := d.optional(maxString)
		if !ok {
			break
		}
		id, err := strconv.Atoi(s)
		if err != nil {
			d.corrupt("a dependency is no number")
		}
		deps = append(deps, id)
	}
	return deps
}

func (d *decoder) offset() offset {
	o := offset{at: d.pos}
	o.state = offsetState(d.byte())
	o.pos = d.number(d.offSize)
	if d.err == nil && (o.state < offsetUnknown || o.state > offsetNoData) {
		d.corrupt("a data offset is of the unknown kind %d", o.state)
	}
	return o
}

// learn takes from an entry what the header does not hold itself: statements
// of the shape SET name = 'value';
func (h *Header) learn(e Entry) {
	value := func() string {
		_, rest, _ := strings.Cut(e.Defn, "'")
		v, _, _ := strings.Cut(rest, "'")
		return v
	}
	switch e.Desc {
	case "ENCODING":
		h.Encoding = value()
	case "STDSTRINGS":
		h.StdStrings = value() != "off"
	}
}
