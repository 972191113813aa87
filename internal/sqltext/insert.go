package sqltext

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"daybefore/internal/copytext"
	"daybefore/internal/verdict"
)

// InsertTarget is what INSERT statements say about the rows in them.
type InsertTarget struct {
	Schema   string // empty where the statements name none
	Table    string
	Columns  []string // as the statements list them; nil for all of the table's, in its order
	Width    int      // values of a row in the statement, defaults among them; 0 for a table without columns
	Defaults []int    // which of them, from 0, are DEFAULT, as generated columns are: the rows lack these fields
}

// InsertReader turns the INSERT statements of pg_dump (--inserts,
// --column-inserts, --rows-per-insert, --on-conflict-do-nothing) into the rows
// that pg_dump would have written for COPY. It executes nothing, and takes
// nothing but what dumpTableData_insert in pg_dump.c writes: NULL, DEFAULT,
// numbers, true and false, strings and bit strings. Whatever a value reads
// like, it is a value.
//
// ON CONFLICT DO NOTHING and OVERRIDING SYSTEM VALUE are read and dropped:
// COPY into an empty table does the same without them.
type InsertReader struct {
	UTF8   func(string) string // of the names in the statements; nil: they are in UTF-8
	Schema string              // of tables that are named without one, in UTF-8

	s        *Scanner
	target   InsertTarget
	state    insertState
	head     []byte // the current run's, from INSERT to VALUES, as it is written
	next     insertHead
	bare     bool // DEFAULT VALUES
	first    bool // the run's first row is being read
	fields   []bool
	out      []byte
	off      int
	value    []byte
	err      error
	inSchema string // Schema as the current run began
}

// insertHead is a statement up to its rows.
type insertHead struct {
	raw           []byte
	schema, table string
	columns       []string
	bare          bool
}

// insertState is where the reader stands.
type insertState int

const (
	betweenRuns insertState = iota // the next statement's head is not read
	aheadOfRun                     // it is, and begins a run; the last one's rows may still be in out
	inStatement                    // a row comes next
	inRun                          // after a statement's semicolon
)

const (
	insertChunk = 64 << 10 // bytes of rows that are gathered for one Read
	insertKeep  = 4 << 20  // the largest buffer that outlives a long row
)

// NewInsertReader reads statements from r: of a script, or what pg_restore -f -
// writes for the entries of another archive. Encoding and stdStrings say how
// strings are to be read, unless r itself does.
func NewInsertReader(r io.Reader, encoding string, stdStrings bool) *InsertReader {
	s := NewScanner("INSERT statements", r)
	s.Charset = copytext.CharsetOf(encoding)
	s.StdStrings = stdStrings
	return &InsertReader{s: s}
}

// Next moves to the next run of statements for one table and its same columns,
// past what is left of the current one. The error is io.EOF after the last.
// An end in the middle of something is an io.ErrUnexpectedEOF, and what
// pg_dump does not write a *verdict.Problem (Error, CodeUnsupported).
//
// Runs are told apart by nothing else: entries of which pg_dump sends the rows
// to one table (--load-via-partition-root) are one run if they follow one
// another, and a table without rows has none.
func (r *InsertReader) Next() (InsertTarget, error) {
	for r.err == nil && (r.state == inStatement || r.state == inRun) {
		r.out = r.out[:0]
		r.step()
	}
	r.out, r.off = r.out[:0], 0
	found := r.err == nil && (r.state == aheadOfRun || r.state == betweenRuns && r.seek())
	if found {
		r.begin()
	}
	switch {
	case r.s.err != nil:
		r.fail(r.s.err)
	case !found:
		r.fail(io.EOF)
	}
	if r.err != nil {
		return InsertTarget{}, r.err
	}
	target := r.target.decoded(r.UTF8)
	target.Schema = cmp.Or(target.Schema, r.inSchema)
	return target, nil
}

// Read gives the rows of the current run as lines of COPY text, their end
// marker \. after the last, and then io.EOF.
func (r *InsertReader) Read(p []byte) (int, error) {
	if r.off == len(r.out) {
		if r.err != nil {
			return 0, r.err
		}
		if r.state != inStatement && r.state != inRun {
			return 0, io.EOF
		}
		r.gather()
		if r.err != nil {
			return 0, r.err
		}
	}
	n := copy(p, r.out[r.off:])
	r.off += n
	return n, nil
}

// gather puts the next rows into out.
func (r *InsertReader) gather() {
	if cap(r.out) > insertKeep {
		r.out = nil
	}
	if cap(r.value) > insertKeep {
		r.value = nil
	}
	r.out, r.off = r.out[:0], 0
	for r.err == nil && len(r.out) < insertChunk && (r.state == inStatement || r.state == inRun) {
		r.step()
	}
}

// begin starts the run whose head was read, and reads its first row, which
// says what the others must be like.
func (r *InsertReader) begin() {
	h := r.next
	r.head = h.raw
	r.bare = h.bare
	r.next = insertHead{}
	r.inSchema = r.Schema
	r.target = InsertTarget{Schema: h.schema, Table: h.table, Columns: h.columns}
	r.fields, r.first = r.fields[:0], true
	r.state = inStatement
	r.step()
	r.first = false
	r.target.Width = len(r.fields)
	for i, isDefault := range r.fields {
		if isDefault {
			r.target.Defaults = append(r.target.Defaults, i)
		}
	}
	if h.columns != nil && len(h.columns) != len(r.fields) {
		r.refuse("%d values for %d columns", len(r.fields), len(h.columns))
	}
}

// step reads one row, or finds out what follows a statement.
func (r *InsertReader) step() {
	switch {
	case r.state == inStatement && r.bare:
		r.out = append(r.out, '\n')
		r.endOfRow()
	case r.state == inStatement:
		r.row()
		r.endOfRow()
	case r.sameHead():
		r.state = inStatement
	case !r.seek():
		r.endRun(betweenRuns)
	case r.continues():
		r.head = r.next.raw
		r.next = insertHead{}
		r.state = inStatement
	default:
		r.endRun(aheadOfRun)
	}
	if r.s.err != nil {
		r.fail(r.s.err)
	}
}

func (r *InsertReader) endRun(state insertState) {
	if r.s.err == nil {
		r.out = append(r.out, endOfRows[1:]...)
		r.state = state
	}
}

// continues reports whether the head that was read belongs to the current run.
func (r *InsertReader) continues() bool {
	h, t := r.next, r.target
	return h.schema == t.Schema && (h.schema != "" || r.Schema == r.inSchema) && h.table == t.Table &&
		h.bare == r.bare &&
		(h.columns == nil) == (t.Columns == nil) && slices.Equal(h.columns, t.Columns)
}

// sameHead moves past the head of a statement that begins as the one before.
func (r *InsertReader) sameHead() bool {
	s := r.s
	for s.have(1) && blank(s.buf[s.pos]) {
		s.pos++
	}
	if len(r.head) > len(s.buf)/2 || !s.have(len(r.head)) || !bytes.Equal(s.buf[s.pos:s.pos+len(r.head)], r.head) {
		return false
	}
	s.pos += len(r.head)
	return true
}

// seek reads the head of the next INSERT statement; false at the end of all.
// Only what pg_restore writes between entries may stand before it.
func (r *InsertReader) seek() bool {
	s := r.s
	for s.have(1) {
		c := s.buf[s.pos]
		switch {
		case blank(c):
			s.pos++
		case c == '-' && s.at(1) == '-':
			s.lineComment()
		case c == '\\':
			r.meta()
		case c == 'I':
			return r.readHead()
		default:
			r.setting()
		}
		if s.err != nil {
			return false
		}
	}
	return false
}

// meta skips \restrict and \unrestrict.
func (r *InsertReader) meta() {
	r.s.restOfLine("\n")
	command, key, _ := strings.Cut(string(r.s.text), " ")
	if command != `\restrict` && command != `\unrestrict` || !IsKey(key) {
		r.refuse("a meta-command")
	}
}

// IsKey reports whether s may be the key of a \restrict.
func IsKey(s string) bool {
	return s != "" && strings.Trim(s, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

// setting reads a SET statement, and obeys those about strings.
func (r *InsertReader) setting() {
	s := r.s
	s.statement()
	if s.err != nil {
		return
	}
	set, ok := ParseSetting(Tokens(string(s.text), s.StdStrings))
	if !ok {
		r.refuse("a statement other than INSERT")
		return
	}
	switch set.Name {
	case "standard_conforming_strings":
		s.StdStrings = set.On()
	case "client_encoding":
		s.Charset = copytext.CharsetOf(set.Value)
	case "search_path":
		r.Schema = set.Path().Creates()
		if r.UTF8 != nil {
			r.Schema = r.UTF8(r.Schema)
		}
	}
}

// readHead reads from INSERT to VALUES.
func (r *InsertReader) readHead() bool {
	s := r.s
	s.keep = true
	s.text = s.text[:0]
	s.tok = statementState{}
	for s.err == nil && s.keep {
		if !s.have(1) {
			s.Cut("an INSERT statement")
			break
		}
		c := s.buf[s.pos]
		if c == ';' {
			r.refuse("an INSERT statement without VALUES")
			break
		}
		s.token(c)
	}
	s.keep = false
	if s.err != nil {
		return false
	}
	h, ok := parseHead(string(s.text), s.StdStrings)
	if !ok {
		r.refuse("an INSERT statement of another shape")
		return false
	}
	r.next = h
	return true
}

// parseHead reads INSERT INTO name [(columns)] [OVERRIDING SYSTEM VALUE]
// {VALUES | DEFAULT VALUES}.
func parseHead(text string, stdStrings bool) (h insertHead, ok bool) {
	c := Cursor{Tokens: Tokens(text, stdStrings)}
	ok = c.Takes("insert", "into")
	name := func() string {
		name := c.Name()
		ok = ok && name != ""
		return name
	}
	h.raw = []byte(text)
	h.table = name()
	if c.Takes(".") {
		h.schema = h.table
		h.table = name()
	}
	if c.Takes("(") {
		for h.columns = []string{name()}; c.Takes(","); {
			h.columns = append(h.columns, name())
		}
		ok = c.Takes(")") && ok
	}
	c.Takes("overriding", "system", "value")
	h.bare = c.Takes("default")
	ok = c.Takes("values") && ok && c.Done() && !(h.bare && h.columns != nil)
	return h, ok
}

// skipBlanks returns the next byte that is none; 0 at the end.
func (r *InsertReader) skipBlanks() byte {
	s := r.s
	for s.have(1) {
		if c := s.buf[s.pos]; !blank(c) {
			return c
		}
		s.pos++
	}
	return 0
}

// row reads one row in parentheses.
func (r *InsertReader) row() {
	if r.skipBlanks() != '(' {
		r.unexpected("a row")
		return
	}
	r.s.pos++
	written := 0
	for i := 0; ; i++ {
		c := r.skipBlanks()
		isDefault := c == 'D'
		switch {
		case r.first:
			r.fields = append(r.fields, isDefault)
		case i >= len(r.fields) || r.fields[i] != isDefault:
			r.refuse("rows that are not alike")
			return
		}
		if !isDefault {
			if written > 0 {
				r.out = append(r.out, '\t')
			}
			written++
		}
		r.field(c)
		if r.s.err != nil {
			return
		}
		switch r.skipBlanks() {
		case ',':
			r.s.pos++
		case ')':
			r.s.pos++
			if i+1 != len(r.fields) {
				r.refuse("rows that are not alike")
			}
			r.out = append(r.out, '\n')
			return
		default:
			r.unexpected("a value")
			return
		}
	}
}

// endOfRow reads what may follow a row: another one, or the statement's end.
func (r *InsertReader) endOfRow() {
	if r.s.err != nil {
		return
	}
	c := r.skipBlanks()
	if c == ',' && !r.bare {
		r.s.pos++
		return
	}
	if c == 'O' {
		for _, word := range []string{"ON", "CONFLICT", "DO", "NOTHING"} {
			r.skipBlanks()
			if !r.word(word) {
				r.unexpected("a row")
				return
			}
		}
		c = r.skipBlanks()
	}
	if c != ';' {
		r.unexpected("a row")
		return
	}
	r.s.pos++
	r.state = inRun
}

// word moves past a keyword, written as pg_dump writes it.
func (r *InsertReader) word(w string) bool {
	s := r.s
	if !s.have(len(w)) {
		if strings.HasPrefix(w, string(s.buf[s.pos:s.end])) {
			s.Cut("a word")
		}
		return false
	}
	if string(s.buf[s.pos:s.pos+len(w)]) != w {
		return false
	}
	if c := s.at(len(w)); namePart(c) || c == '$' {
		return false
	}
	s.pos += len(w)
	return true
}

// field reads one value that begins with c and appends it as COPY text.
func (r *InsertReader) field(c byte) {
	known := false
	switch {
	case c == '\'' && r.s.StdStrings && r.s.Charset == copytext.ASCIISafe:
		r.text()
		return
	case c == '\'':
		r.anyText(!r.s.StdStrings)
		return
	case c >= '0' && c <= '9', c == '-', c == '+', c == '.':
		known = r.number()
	case c == 'N':
		known = r.word("NULL")
		r.out = append(r.out, copytext.Null...)
	case c == 'D':
		known = r.word("DEFAULT")
	case c == 't':
		known = r.word("true")
		r.out = append(r.out, c)
	case c == 'f':
		known = r.word("false")
		r.out = append(r.out, c)
	case (c == 'B' || c == 'X') && r.s.at(1) == '\'':
		r.s.pos++
		known = r.bits(c == 'X')
	case c == 'E' && r.s.at(1) == '\'':
		r.s.pos++
		r.anyText(true)
		return
	}
	if !known {
		r.unexpected("a value")
	}
}

// text reads a string whose backslashes are plain, straight from the buffer.
func (r *InsertReader) text() {
	s := r.s
	s.pos++
	for s.have(1) {
		window := s.buf[s.pos:s.end]
		i := bytes.IndexByte(window, '\'')
		if i < 0 {
			r.out = copytext.AppendEscaped(r.out, window)
			s.pos = s.end
			continue
		}
		r.out = copytext.AppendEscaped(r.out, window[:i])
		s.pos += i + 1
		if s.at(0) != '\'' {
			return
		}
		s.pos++
		r.out = append(r.out, '\'')
	}
	s.Cut("a string")
}

// anyText reads a string with or without escapes, in any charset.
func (r *InsertReader) anyText(escapes bool) {
	s := r.s
	s.pos++
	r.value = r.value[:0]
	for s.have(1) && s.err == nil {
		c := s.buf[s.pos]
		s.pos++
		switch {
		case s.Charset.Lead(c) && s.have(1):
			r.value = append(r.value, c, s.buf[s.pos])
			s.pos++
		case c == '\'' && s.at(0) == '\'':
			s.pos++
			r.value = append(r.value, c)
		case c == '\'':
			r.out = s.Charset.AppendEscaped(r.out, r.value)
			return
		case c == '\\' && escapes && s.have(1):
			r.escape()
		default:
			r.value = append(r.value, c)
		}
	}
	s.Cut("a string")
}

// escape reads what follows a backslash in a string (scan.l, <xe>). pg_dump
// itself writes no escape but \\ and, in old versions, \'.
func (r *InsertReader) escape() {
	s := r.s
	c := s.buf[s.pos]
	switch c {
	case 'u', 'U', 'x', '0', '1', '2', '3', '4', '5', '6', '7':
		r.refuse("an escape by number in a string")
		return
	case 'b':
		c = '\b'
	case 'f':
		c = '\f'
	case 'n':
		c = '\n'
	case 'r':
		c = '\r'
	case 't':
		c = '\t'
	case 'v':
		c = '\v'
	}
	s.pos++
	r.value = append(r.value, c)
}

// number reads what int2, int4, int8, oid, float4, float8 and numeric look like.
func (r *InsertReader) number() bool {
	s := r.s
	digits, dots, exponents := 0, 0, 0
	for last := byte(0); s.have(1); s.pos++ {
		c := s.buf[s.pos]
		switch {
		case c >= '0' && c <= '9':
			digits++
		case c == '.' && dots == 0 && exponents == 0:
			dots++
		case (c == 'e' || c == 'E') && exponents == 0 && digits > 0:
			exponents++
			digits = 0
		case (c == '-' || c == '+') && (last == 0 || last == 'e' || last == 'E'):
		default:
			return digits > 0
		}
		r.out = append(r.out, c)
		last = c
	}
	return false
}

// bits reads B'0110' or X'6' as binary digits.
func (r *InsertReader) bits(hex bool) bool {
	s := r.s
	s.pos++
	for ; s.have(1); s.pos++ {
		c := s.buf[s.pos]
		switch {
		case c == '\'':
			s.pos++
			return true
		case !hex && (c == '0' || c == '1'):
			r.out = append(r.out, c)
		case hex && c >= '0' && c <= '9':
			r.out = appendNibble(r.out, c-'0')
		case hex && lower(c) >= 'a' && lower(c) <= 'f':
			r.out = appendNibble(r.out, lower(c)-'a'+10)
		default:
			return false
		}
	}
	return false
}

func appendNibble(out []byte, n byte) []byte {
	return append(out, '0'+n>>3, '0'+n>>2&1, '0'+n>>1&1, '0'+n&1)
}

// unexpected says that something else follows than should, or nothing.
func (r *InsertReader) unexpected(what string) {
	if !r.s.have(1) {
		r.s.Cut(what)
		return
	}
	r.refuse("something other than %s", what)
}

// refuse is for what pg_dump does not write. It names no value.
func (r *InsertReader) refuse(format string, args ...any) {
	r.s.Fail(verdict.Errorf(verdict.CodeUnsupported, "take the backup with pg_dump, best without --inserts",
		"read the INSERT statements of %s, line %d of them: found %s, as pg_dump does not write it",
		r.name(), r.s.lineNumber(), fmt.Sprintf(format, args...)))
}

func (r *InsertReader) name() string {
	t := r.target
	switch {
	case t.Table == "":
		return "the first table"
	case t.Schema == "":
		return verdict.Printable(t.Table)
	default:
		return verdict.Printable(t.Schema + "." + t.Table)
	}
}

// fail ends reading. An early end is no verdict on the backup here: it may be
// pg_restore that died.
func (r *InsertReader) fail(err error) {
	var problem *verdict.Problem
	if errors.As(err, &problem) && problem.Code == verdict.CodeTruncated {
		err = fmt.Errorf("read the INSERT statements of %s: they end in the middle of line %d: %w",
			r.name(), r.s.lineNumber(), io.ErrUnexpectedEOF)
	}
	if r.err == nil {
		r.err = err
	}
}

// decoded is the target with its names in UTF-8.
func (t InsertTarget) decoded(utf8 func(string) string) InsertTarget {
	if utf8 == nil {
		return t
	}
	t.Schema, t.Table, t.Columns = utf8(t.Schema), utf8(t.Table), slices.Clone(t.Columns)
	for i, c := range t.Columns {
		t.Columns[i] = utf8(c)
	}
	return t
}
