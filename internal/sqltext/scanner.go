package sqltext

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"daybefore/internal/copytext"
	"daybefore/internal/verdict"
)

const (
	// maxStatement is the longest statement of a schema that is read: text
	// that has to be held in memory. Rows have no limit.
	maxStatement = 64 << 20
	// maxLine is how much of a comment or meta-command is looked at.
	maxLine = 8 << 10
	// maxTag is the longest $tag$ that is read; pg_dump's own are short.
	maxTag = 256
	// readBuffer is what is asked of the script at once.
	readBuffer = 256 << 10
)

const (
	// HintConverted is what keeps the bytes of a backup as they are.
	HintConverted = "write dumps with pg_dump -f; docker exec without -t; transfer them in binary mode"

	hintDump = "take the backup with pg_dump or pg_dumpall, in any format"
	hintLong = "take the backup with pg_dump -Fc"
)

// ItemKind says what an Item is.
type ItemKind int

const (
	ItemEnd       ItemKind = iota // of the script
	ItemStatement                 // up to and with its semicolon
	ItemComment                   // one line from -- on, between statements
	ItemMeta                      // one line from a backslash on
)

// Item is one piece of a script. Text is valid until the next one is read.
type Item struct {
	Kind       ItemKind
	Start, End int64    // bytes of the script
	Line       int64    // where it begins, from 1
	Text       []byte   // an INSERT's ends after VALUES
	Whole      bool     // a comment or meta-command: its line's end is there
	Noise      bool     // a statement: it does not begin with a word of SQL
	Metas      []string // meta-commands within noise
}

// Scanner cuts a script into statements by psql's rules (psqlscan.l), reading
// it once and holding no more of it than a schema's statement. What psql of
// one version reads otherwise than psql of another it refuses. The first
// error sticks.
type Scanner struct {
	StdStrings bool // standard_conforming_strings
	Charset    copytext.Charset
	Converted  bool   // every line end seems to be CR LF
	Begins     string // the line that begins a dump: within a statement it says that the statement broke off

	name     string // of the backup, for errors
	r        io.Reader
	buf      []byte
	pos, end int   // buf[pos:end] is read and not yet used
	base     int64 // where in the script buf begins
	lines    int64 // line ends before buf[counted]
	counted  int
	eof      bool
	err      error

	keep bool // statement's text is kept on the way
	text []byte
	item Item
	tok  statementState
}

// NewScanner reads a script from r. Errors call it by its name.
func NewScanner(name string, r io.Reader) *Scanner {
	return &Scanner{StdStrings: true, name: name, r: r, buf: make([]byte, readBuffer)}
}

// statementState is what decides where a statement ends (psqlscan.l: PsqlScanStateData).
type statementState struct {
	parens  int
	begins  int      // depth of BEGIN ... END in a function's body
	words   int      // identifiers so far
	initial [4]byte  // of the first four, where they are those of CREATE FUNCTION
	insert  bool     // the first word was INSERT
	word    [12]byte // the last one, in lower case
	after   byte     // kind of a string that ended just before; 0 for none
	noise   bool     // the first word is none of SQL's
}

// fill reads once more, making room first; false at the end.
func (s *Scanner) fill() bool {
	if s.eof || s.err != nil {
		return false
	}
	if s.pos > 0 {
		s.countLines()
		s.counted = 0
		s.base += int64(s.pos)
		s.end = copy(s.buf, s.buf[s.pos:s.end])
		s.pos = 0
	}
	for {
		n, err := s.r.Read(s.buf[s.end:])
		s.end += n
		switch {
		case errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
			s.eof = true
		case err != nil:
			s.err = s.broken(err)
			return false
		}
		if n > 0 || s.eof {
			return n > 0
		}
	}
}

var newline = []byte{'\n'}

func (s *Scanner) broken(err error) error {
	var problem *verdict.Problem
	if errors.As(err, &problem) {
		return err
	}
	return fmt.Errorf("read %s at byte %d: %w", s.name, s.Offset(), err)
}

// have reports whether n bytes are there to be looked at; n is small.
func (s *Scanner) have(n int) bool {
	for s.end-s.pos < n {
		if !s.fill() {
			return false
		}
	}
	return true
}

// at is the byte i further on; 0 after the end.
func (s *Scanner) at(i int) byte {
	if s.pos+i < s.end || s.have(i+1) {
		return s.buf[s.pos+i]
	}
	return 0
}

// Offset is where in the script the Scanner is, in bytes.
func (s *Scanner) Offset() int64 { return s.base + int64(s.pos) }

func (s *Scanner) lineNumber() int64 {
	s.countLines()
	return s.lines + 1
}

func (s *Scanner) countLines() {
	s.lines += int64(bytes.Count(s.buf[s.counted:s.pos], newline))
	s.counted = s.pos
}

// skip moves on by n bytes that have been looked at.
func (s *Scanner) skip(n int) {
	if s.keep {
		if len(s.text)+n > maxStatement {
			s.Fail(verdict.Errorf(verdict.CodeUnsupported, hintLong,
				"read %s: the statement in line %d is longer than %d MiB and no INSERT", s.name, s.item.Line,
				maxStatement>>20))
			n = min(n, maxStatement-len(s.text))
		}
		s.text = append(s.text, s.buf[s.pos:s.pos+n]...)
	}
	s.pos += n
}

// Err is the error that ended the reading; nil as long as none did.
func (s *Scanner) Err() error { return s.err }

// Item is the one that Next returned last.
func (s *Scanner) Item() Item { return s.item }

// AtEnd reports whether the script has been read to its end.
func (s *Scanner) AtEnd() bool { return s.eof && s.pos == s.end }

// Fail ends the reading with an error, unless one already did.
func (s *Scanner) Fail(err error) {
	if s.err == nil {
		s.err = err
	}
}

// Refuse is for what may be a good script, but not one of pg_dump's.
func (s *Scanner) Refuse(line int64, format string, args ...any) {
	s.Fail(verdict.Errorf(verdict.CodeUnsupported, hintDump,
		"read %s: line %d holds %s, which pg_dump does not write", s.name, line, fmt.Sprintf(format, args...)))
}

// Cut records that the script ends in the middle of something.
func (s *Scanner) Cut(what string) {
	s.Fail(verdict.Truncated("read %s: it ends after %d bytes, in the middle of %s that begins in line %d",
		s.name, s.Offset(), what, s.item.Line))
}

// Next returns the next piece of the script.
func (s *Scanner) Next() (Item, error) {
	s.keep = false
	for s.err == nil {
		s.item = Item{Start: s.Offset()}
		c := s.at(0)
		switch {
		case c == 0 && !s.have(1):
			return s.item, s.err
		case c == 0:
			s.padding()
			continue
		case blank(c):
			s.pos++
			continue
		case c == ';': // an empty statement
			s.pos++
			continue
		}
		s.item.Line = s.lineNumber()
		switch {
		case c == '-' && s.at(1) == '-':
			s.item.Kind = ItemComment
			s.restOfLine("\r\n")
		case c == '/' && s.at(1) == '*':
			s.blockComment()
			continue
		case c == '\\':
			s.item.Kind = ItemMeta
			s.restOfLine("\n")
		default:
			s.item.Kind = ItemStatement
			s.statement()
		}
		s.item.End = s.Offset()
		return s.item, s.err
	}
	return Item{}, s.err
}

// SkipMark skips the byte order mark that some programs put before UTF-8 text,
// as psql does.
func (s *Scanner) SkipMark() {
	const mark = "\xef\xbb\xbf"
	if s.have(len(mark)) && string(s.buf[s.pos:s.pos+len(mark)]) == mark {
		s.pos += len(mark)
	}
}

// padding skips zeros after the last statement, which psql does not see.
func (s *Scanner) padding() {
	line := s.lineNumber()
	for s.have(1) && s.buf[s.pos] == 0 {
		s.pos++
	}
	if s.have(1) {
		s.Fail(verdict.Corrupt("read %s: line %d holds zero bytes", s.name, line))
	}
}

func blank(c byte) bool {
	return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f' || c == '\v'
}

// restOfLine reads up to one of the ends of a line, which it leaves.
func (s *Scanner) restOfLine(ends string) {
	s.text = s.text[:0]
	for s.have(1) {
		window := s.buf[s.pos:s.end]
		i := bytes.IndexAny(window, ends)
		if i < 0 {
			i = len(window)
		}
		s.text = append(s.text, window[:min(i, maxLine-len(s.text))]...)
		s.pos += i
		if i < len(window) {
			break
		}
	}
	s.item.Text, s.item.Whole = s.text, s.have(1)
}

// blockComment skips a comment, in which others may be nested.
func (s *Scanner) blockComment() {
	depth := 0
	for s.err == nil {
		c := s.at(0)
		switch {
		case c == '/' && s.at(1) == '*':
			depth++
			s.skip(2)
		case c == '*' && s.at(1) == '/':
			s.skip(2)
			depth--
			if depth == 0 {
				return
			}
		case c == 0 && !s.have(1):
			s.Cut("a comment")
		default:
			s.skip(1)
		}
	}
}

// statement reads one from its first byte to its semicolon.
func (s *Scanner) statement() {
	s.keep = true
	s.text = s.text[:0]
	s.tok = statementState{}
	s.item.Metas = nil
	s.tok.noise = !nameStart(s.at(0)) && s.at(0) != '('
	for s.err == nil {
		if !s.have(1) {
			s.Cut("a statement")
			break
		}
		if !s.keep && s.tok.after != 'E' && s.tok.after != 'U' {
			s.values()
			if !s.have(1) {
				continue
			}
		}
		c := s.buf[s.pos]
		if c == ';' && s.tok.parens == 0 && s.tok.begins == 0 {
			s.skip(1)
			break
		}
		s.token(c)
	}
	s.keep = false
	s.item.Text, s.item.Noise = s.text, s.tok.noise
}

// token skips what begins with c: a token, a comment or blanks.
func (s *Scanner) token(c byte) {
	after := s.tok.after
	s.tok.after = 0
	switch {
	case blank(c):
		s.blanks()
		s.tok.after = after
	case c == '\'':
		if after == 'E' || after == 'U' { // may go on with the string before, whose rules are others
			s.Refuse(s.lineNumber(), "two strings side by side")
		}
		s.str(!s.StdStrings)
	case nameStart(c):
		s.word()
	case c >= '0' && c <= '9':
		s.number()
	case c == '(':
		s.tok.parens++
		s.skip(1)
	case c == ')':
		s.tok.parens = max(0, s.tok.parens-1)
		s.skip(1)
	case c == '"':
		s.upTo('"', "a quoted name")
	case c == '$':
		s.dollar()
	case c == '-' && s.at(1) == '-':
		s.lineComment()
		s.tok.after = after
	case c == '/' && s.at(1) == '*':
		s.blockComment()
		s.tok.after = after
	case c == '\\' && s.tok.noise && bytes.HasSuffix(s.text, newline):
		s.inNoise()
	case c == '\\':
		s.Refuse(s.lineNumber(), "a meta-command inside of a statement")
	case c == 0:
		s.Fail(verdict.Corrupt("read %s: line %d holds a zero byte", s.name, s.lineNumber()))
	default:
		s.skip(1)
	}
}

// inNoise takes a meta-command out of a statement that is none: psql obeys it.
func (s *Scanner) inNoise() {
	kept := s.text
	s.text = nil
	s.restOfLine("\n")
	s.item.Metas = append(s.item.Metas, string(s.text))
	s.text, s.item.Text = kept, nil
}

// values skips what it can of an INSERT's rows, most of which is numbers, plain
// strings and commas; it stops at everything else, for token to look at.
func (s *Scanner) values() {
	window := s.buf[s.pos:s.end]
	n := 0
scan:
	for n < len(window) {
		c := window[n]
		switch {
		case c == '\'' && s.StdStrings:
			i := bytes.IndexByte(window[n+1:], '\'')
			if i < 0 {
				break scan
			}
			s.inValue(window[n : n+i+1])
			n += i + 2
		case c == ',' || blank(c):
			n++
		case c == '(':
			s.tok.parens++
			n++
		case c == ')':
			s.tok.parens = max(0, s.tok.parens-1)
			n++
		case namePart(c):
			end := n + 1
			for end < len(window) && (namePart(window[end]) || window[end] == '.') {
				end++
			}
			if end == len(window) || strings.IndexByte("'\"$&", window[end]) >= 0 {
				break scan
			}
			n = end
		default:
			break scan
		}
	}
	if n > 0 {
		s.skip(n)
		s.tok.after = 0
	}
}

func (s *Scanner) blanks() {
	window := s.buf[s.pos:s.end]
	n := 1
	for n < len(window) && blank(window[n]) {
		n++
	}
	s.skip(n)
}

// lineComment skips one within a statement. That a dump begins there tells that
// the statement broke off.
func (s *Scanner) lineComment() {
	if s.Begins != "" && s.have(len(s.Begins)+1) && s.item.Kind == ItemStatement && !s.tok.noise &&
		string(s.buf[s.pos:s.pos+len(s.Begins)]) == s.Begins && s.at(len(s.Begins)) <= '\r' {
		s.Fail(verdict.Truncated("read %s: in line %d another dump begins before the end of the one before",
			s.name, s.lineNumber()))
	}
	for s.have(1) {
		window := s.buf[s.pos:s.end]
		if i := bytes.IndexAny(window, "\r\n"); i >= 0 {
			s.skip(i)
			return
		}
		s.skip(len(window))
	}
}

// inValue refuses a converted line end within the value of a row: it would be
// restored, and as another value.
func (s *Scanner) inValue(text []byte) {
	if s.Converted && s.tok.insert && !s.keep && bytes.IndexByte(text, '\n') >= 0 {
		s.Fail(verdict.Failf(verdict.CodeCorrupt, HintConverted,
			"read %s: every line end in it is CR LF, so its bytes were converted, and line ends within values "+
				"with them: the rows after line %d are not the database's", s.name, s.item.Line))
	}
}

// upTo skips from an opening quote to the closing one; a doubled quote is one
// inside.
func (s *Scanner) upTo(quote byte, what string) {
	s.skip(1)
	for s.have(1) && s.err == nil {
		window := s.buf[s.pos:s.end]
		if i := bytes.IndexByte(window, quote); i >= 0 {
			s.inValue(window[:i])
			s.skip(i + 1)
			if s.at(0) != quote {
				return
			}
			s.skip(1)
			continue
		}
		s.inValue(window)
		s.skip(len(window))
	}
	s.Cut(what)
}

// str skips a string from its opening quote on.
func (s *Scanner) str(escapes bool) {
	if !escapes {
		s.upTo('\'', "a string")
		s.tok.after = 'S'
		return
	}
	s.skip(1)
	for s.have(1) && s.err == nil {
		window := s.buf[s.pos:s.end]
		n := 0
		for n < len(window) && window[n] != '\'' && window[n] != '\\' && !s.Charset.Lead(window[n]) {
			n++
		}
		s.inValue(window[:n])
		s.skip(n)
		if n == len(window) {
			continue
		}
		if window[n] == '\'' && s.at(1) != '\'' {
			s.skip(1)
			s.tok.after = 'E'
			return
		}
		if !s.have(2) {
			break
		}
		s.skip(2)
	}
	s.Cut("a string")
}

// word skips an unquoted name, and the string that it is the prefix of.
func (s *Scanner) word() {
	n := 0
	for s.have(1) && s.err == nil {
		window := s.buf[s.pos:s.end]
		i := 0
		for i < len(window) && (namePart(window[i]) || window[i] == '$') {
			if n < len(s.tok.word) {
				s.tok.word[n] = lower(window[i])
			}
			n++
			i++
		}
		s.skip(i)
		if i < len(window) {
			break
		}
	}
	word := s.tok.word[:min(n, len(s.tok.word))]
	if s.tok.words == 0 && s.item.Kind == ItemStatement && s.Offset() == s.item.Start+int64(n) {
		s.tok.noise = !IsVerb(string(word)) || n > len(word)
	}
	if n == 1 && s.prefixed(word[0]) {
		return
	}
	s.tok.count(word)
	if s.tok.insert && s.tok.parens == 0 && string(word) == "values" {
		s.keep = false // rows follow, of any length
	}
}

// prefixed skips the string after a prefix of one letter, if there is one.
func (s *Scanner) prefixed(letter byte) bool {
	quote := s.at(0)
	switch {
	case letter == 'e' && quote == '\'':
		s.str(true)
	case letter == 'n' && quote == '\'':
		s.str(!s.StdStrings)
	case (letter == 'b' || letter == 'x') && quote == '\'':
		s.upTo('\'', "a string")
		s.tok.after = 'U'
	case letter == 'u' && quote == '&' && s.at(1) == '\'':
		s.skip(1)
		s.upTo('\'', "a string")
		s.tok.after = 'U'
	case letter == 'u' && quote == '&' && s.at(1) == '"':
		s.skip(1)
		s.upTo('"', "a quoted name")
	default:
		return false
	}
	return true
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// count follows CREATE [OR REPLACE] {FUNCTION | PROCEDURE} into a body in
// SQL's own style, as psql does since version 14.
func (t *statementState) count(word []byte) {
	switch string(word) {
	case "create", "function", "procedure", "or", "replace":
		if t.words < len(t.initial) {
			t.initial[t.words] = word[0]
		}
	case "insert":
		t.insert = t.insert || t.words == 0
	}
	t.words++
	if !t.routine() || t.parens > 0 {
		return
	}
	switch string(word) {
	case "begin":
		t.begins++
	case "case":
		if t.begins > 0 {
			t.begins++
		}
	case "end":
		t.begins = max(0, t.begins-1)
	}
}

func (t *statementState) routine() bool {
	is := func(c byte) bool { return c == 'f' || c == 'p' }
	i := t.initial
	return i[0] == 'c' && (is(i[1]) || i[1] == 'o' && i[2] == 'r' && is(i[3]))
}

// verbs are the words that statements begin with, in SQL as psql's server reads it.
var verbs = []string{
	"abort", "alter", "analyze", "begin", "call", "checkpoint", "close", "cluster", "comment", "commit", "copy",
	"create",
	"deallocate", "declare",
	"delete", "discard", "do", "drop", "end", "execute", "explain", "fetch", "grant", "import", "insert", "listen",
	"load",
	"lock", "merge", "move",
	"notify", "prepare", "reassign", "refresh", "reindex", "release", "reset", "revoke", "rollback", "savepoint",
	"security", "select", "set", "show",
	"start", "table", "truncate", "unlisten", "update", "vacuum", "values", "with",
}

// IsVerb reports whether statements begin with the word, in lower case.
func IsVerb(word string) bool { return slices.Contains(verbs, word) }

// number skips digits and what belongs to them. A quote right after is read
// in different ways by different versions.
func (s *Scanner) number() {
	for s.have(1) && s.err == nil {
		window := s.buf[s.pos:s.end]
		i := 0
		for i < len(window) && (namePart(window[i]) || window[i] == '.') {
			i++
		}
		s.skip(i)
		if i < len(window) {
			break
		}
	}
	if c := s.at(0); c == '\'' || c == '"' || c == '$' {
		s.Refuse(s.lineNumber(), "a quote right after a number")
	}
}

// dollar skips a dollar-quoted string, or a lone dollar sign.
func (s *Scanner) dollar() {
	n := 1
	for ; n < maxTag; n++ {
		c := s.at(n)
		if c == '$' {
			break
		}
		if !namePart(c) || n == 1 && !nameStart(c) {
			s.skip(1)
			if c >= '0' && c <= '9' { // a parameter: $1
				s.number()
			}
			return
		}
	}
	if n == maxTag {
		s.Refuse(s.lineNumber(), "a dollar quote of more than %d bytes", maxTag)
		return
	}
	tag := bytes.Clone(s.buf[s.pos : s.pos+n+1])
	s.skip(len(tag))
	for s.err == nil {
		window := s.buf[s.pos:s.end]
		if i := bytes.Index(window, tag); i >= 0 {
			s.skip(i + len(tag))
			return
		}
		s.skip(max(0, len(window)-len(tag)+1))
		if !s.fill() {
			s.Cut("a dollar-quoted string")
		}
	}
}

// Rows skips the rows that follow a COPY statement, whose semicolon was just
// read, and returns where they begin and where their end marker does, and
// whether their lines end with CR LF, as a terminal (docker exec -t) and
// programs on Windows make them. The server takes the one or the other, and
// goes by the first line (COPY, Notes).
func (s *Scanner) Rows() (start, end int64, converted bool) {
	converted = s.at(0) == '\r' && s.at(1) == '\n'
	if converted {
		s.pos++
	}
	c := s.at(0)
	switch {
	case c == 0 && !s.have(1):
		s.Cut("a table's rows")
		return 0, 0, false
	case c != '\n':
		s.Fail(verdict.Corrupt("read %s: the COPY statement in line %d is not followed by the end of its line",
			s.name, s.item.Line))
		return 0, 0, false
	}
	start = s.Offset() + 1
	marker := EndOfRows(converted)
	ends := lineEnds{last: '\r', skip: !converted}
	for s.err == nil {
		window := s.buf[s.pos:s.end]
		if i := bytes.Index(window, marker); i >= 0 {
			s.sameEnds(&ends, i+len(marker))
			return start, s.Offset() - int64(len(marker)) + 1, converted
		}
		s.sameEnds(&ends, max(0, len(window)-len(marker)+1))
		if !s.fill() {
			s.Cut("the rows of a COPY statement")
		}
	}
	return 0, 0, false
}

// sameEnds skips n bytes of rows, and refuses line ends of two kinds.
func (s *Scanner) sameEnds(ends *lineEnds, n int) {
	if !ends.same(s.buf[s.pos : s.pos+n]) {
		s.Fail(verdict.Failf(verdict.CodeCorrupt, HintConverted,
			"read %s: some lines of the rows after line %d end with CR LF and some do not, which no restore takes",
			s.name, s.item.Line))
	}
	s.skip(n)
}

// lineEnds looks whether every CR stands before an LF, and every LF after a CR.
type lineEnds struct {
	last byte
	skip bool
}

func (l *lineEnds) same(text []byte) bool {
	if l.skip {
		return true
	}
	for _, c := range text {
		if (c == '\n') != (l.last == '\r') {
			return false
		}
		l.last = c
	}
	return true
}

var (
	endOfRows          = []byte("\n\\.\n")
	endOfConvertedRows = []byte("\n\\.\r\n")
)

// EndOfRows is the marker after the rows of a COPY statement, from the end of
// the last row on.
func EndOfRows(converted bool) []byte {
	if converted {
		return endOfConvertedRows
	}
	return endOfRows
}
