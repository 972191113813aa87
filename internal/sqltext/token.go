// Package sqltext is SQL as psql and the server read it: words, statements,
// settings, and the rows of INSERT statements. It executes nothing, and guesses
// nothing that versions of psql read differently.
package sqltext

import (
	"strings"
	"unicode/utf8"
)

// Kind says what a Token is.
type Kind int

const (
	Word    Kind = iota // unquoted name or keyword, folded to lower case
	Quoted              // "name", quotes taken off
	Escaped             // U&"name", quotes taken off and escapes left
	String              // '...', E'...', $tag$...$tag$: the value, as far as it is needed
	Number
	Sign // one character of punctuation
)

// Token is a word of SQL. Start and End are byte offsets into the text.
type Token struct {
	Kind       Kind
	Text       string
	Start, End int
}

// Is reports whether the token is this unquoted keyword or sign.
func (t Token) Is(text string) bool {
	return t.Text == text && (t.Kind == Word || t.Kind == Sign)
}

// IsName reports whether the token is a name or keyword.
func (t Token) IsName() bool { return t.Kind <= Escaped }

// lexer splits SQL as psql and the server do (scan.l): strings with and
// without backslashes, quoted names, dollar quotes, both kinds of comments.
// Whatever it is given it goes on to the end: unfinished tokens end there.
type lexer struct {
	sql        string
	pos        int
	stdStrings bool
}

// Tokens splits SQL into its words, without blanks and comments. A word that is
// not finished ends with the text. StdStrings is standard_conforming_strings.
func Tokens(sql string, stdStrings bool) []Token {
	var tokens []Token
	l := lexer{sql: sql, stdStrings: stdStrings}
	for l.skipBlanks(); l.pos < len(sql); l.skipBlanks() {
		tokens = append(tokens, l.next())
	}
	return tokens
}

// Statements cuts tokens at semicolons outside of parentheses, where a rule
// may have some; empty statements are left out. The body of a function in
// SQL's own style (BEGIN ATOMIC) is cut as well: keep functions away from it.
func Statements(tokens []Token) [][]Token {
	var statements [][]Token
	depth, begin := 0, 0
	flush := func(end int) {
		if end > begin {
			statements = append(statements, tokens[begin:end])
		}
		begin = end + 1
	}
	for i, t := range tokens {
		switch {
		case t.Is("("):
			depth++
		case t.Is(")"):
			depth = max(0, depth-1)
		case t.Is(";") && depth == 0:
			flush(i)
		}
	}
	flush(len(tokens))
	return statements
}

// skipBlanks skips white space and comments; /* */ nests.
func (l *lexer) skipBlanks() {
	for l.pos < len(l.sql) {
		rest := l.sql[l.pos:]
		switch {
		case strings.ContainsRune(" \t\n\r\f\v", rune(rest[0])):
			l.pos++
		case strings.HasPrefix(rest, "--"):
			l.pos += lineEnd(rest)
		case strings.HasPrefix(rest, "/*"):
			l.skipComment()
		default:
			return
		}
	}
}

func lineEnd(s string) int {
	if i := strings.IndexAny(s, "\r\n"); i >= 0 {
		return i
	}
	return len(s)
}

func (l *lexer) skipComment() {
	depth := 0
	for l.pos < len(l.sql) {
		rest := l.sql[l.pos:]
		switch {
		case strings.HasPrefix(rest, "/*"):
			depth++
			l.pos += 2
		case strings.HasPrefix(rest, "*/"):
			depth--
			l.pos += 2
		default:
			l.pos++
		}
		if depth == 0 {
			return
		}
	}
}

// next reads the token at pos, where neither a blank nor the end is.
func (l *lexer) next() Token {
	start := l.pos
	t := Token{Start: start}
	c := l.sql[start]
	follows := func(i int) byte {
		if start+i < len(l.sql) {
			return l.sql[start+i]
		}
		return 0
	}
	switch {
	case c == '\'':
		t.Kind = String
		t.Text = l.quoted('\'', !l.stdStrings)
	case (c == 'E' || c == 'e') && follows(1) == '\'':
		l.pos++
		t.Kind = String
		t.Text = l.quoted('\'', true)
	case strings.ContainsRune("NnBbXx", rune(c)) && follows(1) == '\'':
		l.pos++
		t.Kind = String
		t.Text = l.quoted('\'', !l.stdStrings && (c == 'N' || c == 'n'))
	case (c == 'U' || c == 'u') && follows(1) == '&' && (follows(2) == '\'' || follows(2) == '"'):
		l.pos += 2
		t.Kind = String
		if follows(2) == '"' {
			t.Kind = Escaped
		}
		t.Text = l.quoted(follows(2), false)
	case c == '"':
		t.Kind = Quoted
		t.Text = l.quoted('"', false)
	case c == '$' && l.dollarTag() != "":
		t.Kind = String
		t.Text = l.dollarQuoted()
	case nameStart(c):
		t.Kind = Word
		t.Text = l.word()
	case c >= '0' && c <= '9':
		t.Kind = Number
		t.Text = l.number()
	default:
		_, size := utf8.DecodeRuneInString(l.sql[start:])
		l.pos += size
		t.Kind, t.Text = Sign, l.sql[start:l.pos]
	}
	t.End = l.pos
	return t
}

// quoted reads from an opening quote to its closing one; doubled quotes stand
// for one. With escapes, a backslash takes the next character with it, which
// is kept as it stands: nobody here needs the value of an escape.
func (l *lexer) quoted(quote byte, escapes bool) string {
	var b strings.Builder
	for l.pos++; l.pos < len(l.sql); l.pos++ {
		c := l.sql[l.pos]
		switch {
		case escapes && c == '\\' && l.pos+1 < len(l.sql):
			l.pos++
			b.WriteByte(l.sql[l.pos])
		case c != quote:
			b.WriteByte(c)
		case l.pos+1 < len(l.sql) && l.sql[l.pos+1] == quote:
			l.pos++
			b.WriteByte(quote)
		default:
			l.pos++
			return b.String()
		}
	}
	return b.String()
}

// dollarTag is the $tag$ that begins at pos; empty if none does, as in $1.
func (l *lexer) dollarTag() string {
	rest := l.sql[l.pos+1:]
	end := strings.IndexByte(rest, '$')
	if end < 0 {
		return ""
	}
	for i := range end {
		if !namePart(rest[i]) || i == 0 && !nameStart(rest[i]) {
			return ""
		}
	}
	return l.sql[l.pos : l.pos+end+2]
}

func (l *lexer) dollarQuoted() string {
	tag := l.dollarTag()
	l.pos += len(tag)
	body, _, closed := strings.Cut(l.sql[l.pos:], tag)
	l.pos += len(body)
	if closed {
		l.pos += len(tag)
	}
	return body
}

// word reads an unquoted name. Only ASCII letters are folded, as the server
// does for multi-byte encodings.
func (l *lexer) word() string {
	start := l.pos
	for l.pos < len(l.sql) && (namePart(l.sql[l.pos]) || l.sql[l.pos] == '$') {
		l.pos++
	}
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, l.sql[start:l.pos])
}

func (l *lexer) number() string {
	start := l.pos
	for l.pos < len(l.sql) && (namePart(l.sql[l.pos]) || l.sql[l.pos] == '.') {
		l.pos++
	}
	return l.sql[start:l.pos]
}

func nameStart(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

func namePart(c byte) bool { return nameStart(c) || c >= '0' && c <= '9' }
