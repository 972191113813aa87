package archive

import (
	"bytes"
	"errors"
	"fmt"
	"io"
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
)

// itemKind is what a script is made of.
type itemKind int

const (
	itemEnd       itemKind = iota
	itemStatement          // up to and with its semicolon
	itemComment            // one line from -- on, between statements
	itemMeta               // one line from a backslash on
)

// item is one piece of a script. Text is valid until the next one is read.
type item struct {
	kind       itemKind
	start, end int64    // bytes of the script
	line       int64    // where it begins, from 1
	text       []byte   // an INSERT's ends behind VALUES
	whole      bool     // a comment or meta-command: its line's end is there
	noise      bool     // a statement: it does not begin with a word of SQL
	metas      []string // meta-commands within noise
}

// scanner cuts a script into statements by psql's rules (psqlscan.l), reading
// it once and holding no more of it than a schema's statement. What psql of
// one version reads otherwise than psql of another it refuses. The first
// error sticks.
type scanner struct {
	name       string // of the backup, for errors
	r          io.Reader
	buf        []byte
	pos, end   int   // buf[pos:end] is read and not yet used
	base       int64 // where in the script buf begins
	lines      int64 // line ends before buf[counted]
	counted    int
	eof        bool
	err        error
	stdStrings bool // standard_conforming_strings
	charset    copytext.Charset

	converted bool // every line end in it seems to be CR LF

	keep bool // statement's text is kept on the way
	text []byte
	item item
	tok  statementState
}

func newScanner(name string, r io.Reader) *scanner {
	return &scanner{name: name, r: r, buf: make([]byte, readBuffer), stdStrings: true}
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
func (s *scanner) fill() bool {
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

func (s *scanner) broken(err error) error {
	var problem *verdict.Problem
	if errors.As(err, &problem) {
		return err
	}
	return fmt.Errorf("read %s at byte %d: %w", s.name, s.offset(), err)
}

// have tells whether n bytes are there to be looked at; n is small.
func (s *scanner) have(n int) bool {
	for s.end-s.pos < n {
		if !s.fill() {
			return false
		}
	}
	return true
}

// at is the byte i further on; 0 behind the end.
func (s *scanner) at(i int) byte {
	if s.pos+i < s.end || s.have(i+1) {
		return s.buf[s.pos+i]
	}
	return 0
}

func (s *scanner) offset() int64 { return s.base + int64(s.pos) }

func (s *scanner) lineNumber() int64 {
	s.countLines()
	return s.lines + 1
}

func (s *scanner) countLines() {
	s.lines += int64(bytes.Count(s.buf[s.counted:s.pos], newline))
	s.counted = s.pos
}

// skip moves on by n bytes that have been looked at.
func (s *scanner) skip(n int) {
	if s.keep {
		if len(s.text)+n > maxStatement {
			s.fail(verdict.Errorf(verdict.CodeUnsupported, hintUnsupported,
				"read %s: the statement in line %d is longer than %d MiB and no INSERT", s.name, s.item.line, maxStatement>>20))
			n = min(n, maxStatement-len(s.text))
		}
		s.text = append(s.text, s.buf[s.pos:s.pos+n]...)
	}
	s.pos += n
}

func (s *scanner) fail(err error) {
	if s.err == nil {
		s.err = err
	}
}

// refuse is for what may be a good script, but not one of pg_dump's.
func (s *scanner) refuse(line int64, format string, args ...any) {
	s.fail(verdict.Errorf(verdict.CodeUnsupported, "take the backup with pg_dump or pg_dumpall, in any format",
		"read %s: line %d holds %s, which pg_dump does not write", s.name, line, fmt.Sprintf(format, args...)))
}

// cut records that the script ends in the middle of something.
func (s *scanner) cut(what string) {
	s.fail(truncated("read %s: it ends after %d bytes, in the middle of %s that begins in line %d", s.name, s.offset(), what, s.item.line))
}

// next returns the next piece of the script.
func (s *scanner) next() (item, error) {
	s.keep = false
	for s.err == nil {
		s.item = item{start: s.offset()}
		switch c := s.at(0); {
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
		s.item.line = s.lineNumber()
		switch c := s.at(0); {
		case c == '-' && s.at(1) == '-':
			s.item.kind = itemComment
			s.restOfLine("\r\n")
		case c == '/' && s.at(1) == '*':
			s.blockComment()
			continue
		case c == '\\':
			s.item.kind = itemMeta
			s.restOfLine("\n")
		default:
			s.item.kind = itemStatement
			s.statement()
		}
		s.item.end = s.offset()
		return s.item, s.err
	}
	return item{}, s.err
}

// skipMark skips the byte order mark that some programs put before UTF-8 text,
// as psql does.
func (s *scanner) skipMark() {
	const mark = "\xef\xbb\xbf"
	if s.have(len(mark)) && string(s.buf[s.pos:s.pos+len(mark)]) == mark {
		s.pos += len(mark)
	}
}

// padding skips zeros behind the last statement, which psql does not see.
func (s *scanner) padding() {
	line := s.lineNumber()
	for s.have(1) && s.buf[s.pos] == 0 {
		s.pos++
	}
	if s.have(1) {
		s.fail(corrupt("read %s: line %d holds zero bytes", s.name, line))
	}
}

func blank(c byte) bool {
	return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f' || c == '\v'
}

// restOfLine reads up to one of the ends of a line, which it leaves.
func (s *scanner) restOfLine(ends string) {
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
	s.item.text, s.item.whole = s.text, s.have(1)
}

// blockComment skips a comment, in which others may be nested.
func (s *scanner) blockComment() {
	depth := 0
	for s.err == nil {
		switch c := s.at(0); {
		case c == '/' && s.at(1) == '*':
			depth++
			s.skip(2)
		case c == '*' && s.at(1) == '/':
			s.skip(2)
			if depth--; depth == 0 {
				return
			}
		case c == 0 && !s.have(1):
			s.cut("a comment")
		default:
			s.skip(1)
		}
	}
}

// statement reads one from its first byte to its semicolon.
func (s *scanner) statement() {
	s.keep, s.text, s.tok, s.item.metas = true, s.text[:0], statementState{}, nil
	s.tok.noise = !nameStart(s.at(0)) && s.at(0) != '('
	for s.err == nil {
		if !s.have(1) {
			s.cut("a statement")
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
	s.item.text, s.item.noise = s.text, s.tok.noise
}

// token skips what begins with c: a token, a comment or blanks.
func (s *scanner) token(c byte) {
	after := s.tok.after
	s.tok.after = 0
	switch {
	case blank(c):
		s.blanks()
		s.tok.after = after
	case c == '\'':
		if after == 'E' || after == 'U' { // may go on with the string before, whose rules are others
			s.refuse(s.lineNumber(), "two strings side by side")
		}
		s.str(!s.stdStrings)
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
		s.refuse(s.lineNumber(), "a meta-command inside of a statement")
	case c == 0:
		s.fail(corrupt("read %s: line %d holds a zero byte", s.name, s.lineNumber()))
	default:
		s.skip(1)
	}
}

// inNoise takes a meta-command out of a statement that is none: psql obeys it.
func (s *scanner) inNoise() {
	kept := s.text
	s.text = nil
	s.restOfLine("\n")
	s.item.metas = append(s.item.metas, string(s.text))
	s.text, s.item.text = kept, nil
}

// values skips what it can of an INSERT's rows, most of which is numbers, plain
// strings and commas; it stops at everything else, for token to look at.
func (s *scanner) values() {
	window := s.buf[s.pos:s.end]
	n := 0
scan:
	for n < len(window) {
		switch c := window[n]; {
		case c == '\'' && s.stdStrings:
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
			if end == len(window) || oneOfBytes(window[end], "'\"$&") {
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

func oneOfBytes(c byte, set string) bool { return strings.IndexByte(set, c) >= 0 }

func (s *scanner) blanks() {
	window := s.buf[s.pos:s.end]
	n := 1
	for n < len(window) && blank(window[n]) {
		n++
	}
	s.skip(n)
}

// lineComment skips one within a statement. That a dump begins there tells that
// the statement broke off.
func (s *scanner) lineComment() {
	if s.have(len(dumpBegins)+1) && s.item.kind == itemStatement && !s.tok.noise &&
		string(s.buf[s.pos:s.pos+len(dumpBegins)]) == dumpBegins && s.at(len(dumpBegins)) <= '\r' {
		s.fail(truncated("read %s: in line %d another dump begins before the end of the one before", s.name, s.lineNumber()))
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
func (s *scanner) inValue(text []byte) {
	if s.converted && s.tok.insert && !s.keep && bytes.IndexByte(text, '\n') >= 0 {
		s.fail(verdict.Failf(verdict.CodeCorrupt, "write dumps with pg_dump -f; docker exec without -t; transfer them in binary mode",
			"read %s: every line end in it is CR LF, so its bytes were converted, and line ends within values with them: "+
				"the rows behind line %d are not the database's", s.name, s.item.line))
	}
}

// upTo skips from an opening quote to the closing one; a doubled quote is one
// inside.
func (s *scanner) upTo(quote byte, what string) {
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
	s.cut(what)
}

// str skips a string from its opening quote on.
func (s *scanner) str(escapes bool) {
	if !escapes {
		s.upTo('\'', "a string")
		s.tok.after = 'S'
		return
	}
	s.skip(1)
	for s.have(1) && s.err == nil {
		window := s.buf[s.pos:s.end]
		n := 0
		for n < len(window) && window[n] != '\'' && window[n] != '\\' && !s.charset.Lead(window[n]) {
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
	s.cut("a string")
}

// word skips an unquoted name, and the string that it is the prefix of.
func (s *scanner) word() {
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
	if s.tok.words == 0 && s.item.kind == itemStatement && s.offset() == s.item.start+int64(n) {
		s.tok.noise = !isVerb(string(word)) || n > len(word)
	}
	if n == 1 && s.prefixed(word[0]) {
		return
	}
	s.tok.count(word)
	if s.tok.insert && s.tok.parens == 0 && string(word) == "values" {
		s.keep = false // rows follow, of any length
	}
}

// prefixed skips the string behind a prefix of one letter, if there is one.
func (s *scanner) prefixed(letter byte) bool {
	switch quote := s.at(0); {
	case letter == 'e' && quote == '\'':
		s.str(true)
	case letter == 'n' && quote == '\'':
		s.str(!s.stdStrings)
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

// number skips digits and what belongs to them. A quote right behind is read
// in different ways by different versions.
func (s *scanner) number() {
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
		s.refuse(s.lineNumber(), "a quote right behind a number")
	}
}

// dollar skips a dollar-quoted string, or a lone dollar sign.
func (s *scanner) dollar() {
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
		s.refuse(s.lineNumber(), "a dollar quote of more than %d bytes", maxTag)
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
			s.cut("a dollar-quoted string")
		}
	}
}

// rows skips the rows that follow a COPY statement, whose semicolon was just
// read, and returns where they begin and where their end marker does, and
// whether their lines end with CR LF, as a terminal (docker exec -t) and
// programs on Windows make them. The server takes the one or the other, and
// goes by the first line (COPY, Notes).
func (s *scanner) rows() (start, end int64, converted bool) {
	if converted = s.at(0) == '\r' && s.at(1) == '\n'; converted {
		s.pos++
	}
	switch c := s.at(0); {
	case c == 0 && !s.have(1):
		s.cut("a table's rows")
		return 0, 0, false
	case c != '\n':
		s.fail(corrupt("read %s: the COPY statement in line %d is not followed by the end of its line", s.name, s.item.line))
		return 0, 0, false
	}
	start = s.offset() + 1
	marker := s.endOfRows(converted)
	ends := lineEnds{last: '\r', skip: !converted}
	for s.err == nil {
		window := s.buf[s.pos:s.end]
		if i := bytes.Index(window, marker); i >= 0 {
			s.sameEnds(&ends, i+len(marker))
			return start, s.offset() - int64(len(marker)) + 1, converted
		}
		s.sameEnds(&ends, max(0, len(window)-len(marker)+1))
		if !s.fill() {
			s.cut("the rows of a COPY statement")
		}
	}
	return 0, 0, false
}

// sameEnds skips n bytes of rows, and refuses line ends of two kinds.
func (s *scanner) sameEnds(ends *lineEnds, n int) {
	if !ends.same(s.buf[s.pos : s.pos+n]) {
		s.fail(verdict.Failf(verdict.CodeCorrupt, "write dumps with pg_dump -f; docker exec without -t; transfer them in binary mode",
			"read %s: some lines of the rows behind line %d end with CR LF and some do not, which no restore takes", s.name, s.item.line))
	}
	s.skip(n)
}

// lineEnds looks whether every CR stands before an LF, and every LF behind a CR.
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

func (s *scanner) endOfRows(converted bool) []byte {
	if converted {
		return endOfConvertedRows
	}
	return endOfRows
}
