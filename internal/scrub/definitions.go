package scrub

import (
	"slices"
	"strings"
)

// The kinds of definitions that bear on what a column may become.
const (
	primaryKey = "primary key"
	unique     = "unique"
	exclusion  = "exclusion"
	foreign    = "foreign key"
)

// definition is one constraint or unique index of the archive's post-data.
type definition struct {
	kind       string
	name       string
	table      tableName
	columns    []string // every name in the key: for an expression, also what is no column
	nullsEqual bool     // NULLS NOT DISTINCT
	references tableName
	referenced []string
	full       bool // MATCH FULL
}

// parseDefinitions reads statements as pg_dump writes them: ALTER TABLE … ADD
// CONSTRAINT … and CREATE UNIQUE INDEX …. Others, such as CHECK … NOT VALID
// and plain indexes, say nothing about what a value may become, and are
// passed over.
func parseDefinitions(entries []string) []definition {
	var found []definition
	for _, entry := range entries {
		for _, stmt := range statements(lex(entry)) {
			p := &parser{tokens: stmt}
			if d, ok := p.definition(); ok {
				d.nullsEqual = nullsEqual(stmt)
				found = append(found, d)
			}
		}
	}
	return found
}

// statements cuts tokens at semicolons.
func statements(tokens []token) [][]token {
	var all [][]token
	for {
		i := slices.IndexFunc(tokens, func(t token) bool { return t.is(";") })
		if i < 0 {
			return append(all, tokens)
		}
		all, tokens = append(all, tokens[:i]), tokens[i+1:]
	}
}

func nullsEqual(stmt []token) bool {
	for i := range stmt {
		p := parser{tokens: stmt[i:]}
		if p.accept("nulls", "not", "distinct") {
			return true
		}
	}
	return false
}

type parser struct{ tokens []token }

// accept takes the words if all of them are next.
func (p *parser) accept(words ...string) bool {
	if len(p.tokens) < len(words) {
		return false
	}
	for i, w := range words {
		if !p.tokens[i].is(w) {
			return false
		}
	}
	p.tokens = p.tokens[len(words):]
	return true
}

func (p *parser) name() string {
	if len(p.tokens) == 0 || !p.tokens[0].isName() {
		return ""
	}
	name := p.tokens[0].text
	p.tokens = p.tokens[1:]
	return name
}

func (p *parser) tableName() tableName {
	p.accept("only")
	t := tableName{table: p.name()}
	if p.accept(".") {
		t.schema, t.table = t.table, p.name()
	}
	return t
}

func (p *parser) definition() (definition, bool) {
	switch {
	case p.accept("alter", "table"):
		return p.constraint()
	case p.accept("create", "unique", "index"):
		d := definition{kind: unique, name: p.name()}
		if !p.accept("on") {
			return d, false
		}
		d.table = p.tableName()
		if p.accept("using") {
			p.name()
		}
		d.columns = p.names()
		return d, len(d.columns) > 0
	}
	return definition{}, false
}

func (p *parser) constraint() (definition, bool) {
	d := definition{table: p.tableName()}
	if !p.accept("add", "constraint") {
		return d, false
	}
	d.name = p.name()
	switch {
	case p.accept("primary", "key"):
		d.kind = primaryKey
	case p.accept("unique"):
		d.kind = unique
		_ = p.accept("nulls", "not", "distinct") || p.accept("nulls", "distinct")
	case p.accept("exclude"):
		d.kind = exclusion
		if p.accept("using") {
			p.name()
		}
	case p.accept("foreign", "key"):
		d.kind = foreign
		d.columns = p.names()
		if !p.accept("references") {
			return d, false
		}
		d.references = p.tableName()
		d.referenced = p.names()
		d.full = p.accept("match", "full")
		return d, len(d.columns) > 0 && len(d.columns) == len(d.referenced)
	default:
		return d, false
	}
	d.columns = p.names()
	return d, len(d.columns) > 0
}

// names takes a list in parentheses and returns every name in it, however
// deep, but for the words that this place knows.
func (p *parser) names() []string {
	if !p.accept("(") {
		return nil
	}
	var names []string
	for depth := 1; depth > 0 && len(p.tokens) > 0; p.tokens = p.tokens[1:] {
		switch t := p.tokens[0]; {
		case t.is("("):
			depth++
		case t.is(")"):
			depth--
		case t.is("period") && len(p.tokens) > 1 && p.tokens[1].isName():
		case t.isName():
			names = append(names, t.text)
		}
	}
	return names
}

// token is a name, folded or unquoted; or punctuation, one byte; or a literal,
// whose text is the value of a string and the digits of a number.
type token struct {
	text string
	kind tokenKind
}

type tokenKind byte

const (
	bareName tokenKind = iota
	quotedName
	punctuation
	stringLiteral
	numberLiteral
)

// is tells whether the token is this word or sign; a quoted name is neither.
func (t token) is(word string) bool {
	return (t.kind == bareName || t.kind == punctuation) && t.text == word
}

func (t token) isName() bool { return t.kind == bareName || t.kind == quotedName }

// lex cuts SQL as a server deparses it into tokens, without comments. Whatever
// ends too early ends with the text.
func lex(sql string) []token {
	var tokens []token
	for sql != "" {
		n, t := 1, token{sql[:1], punctuation}
		switch c := sql[0]; {
		case c == ' ' || '\t' <= c && c <= '\r':
			sql = sql[1:]
			continue
		case strings.HasPrefix(sql, "--"):
			_, sql, _ = strings.Cut(sql, "\n")
			continue
		case strings.HasPrefix(sql, "/*"):
			sql = sql[commentEnd(sql):]
			continue
		case c == '"':
			t.text, n = quoted(sql, '"', false)
			t.kind = quotedName
		case c == '\'':
			t.text, n = quoted(sql, '\'', false)
			t.kind = stringLiteral
		case (c == 'e' || c == 'E') && strings.HasPrefix(sql[1:], "'"):
			t.text, n = quoted(sql[1:], '\'', true)
			t.kind = stringLiteral
			n++
		case nameByte(c, true):
			n = nameEnd(sql)
			t = token{lower(sql[:n]), bareName}
		case '0' <= c && c <= '9':
			n = numberEnd(sql)
			t = token{sql[:n], numberLiteral}
		case c == '$':
			if text, end := dollar(sql); end > 0 {
				t, n = token{text, stringLiteral}, end
			}
		}
		tokens, sql = append(tokens, t), sql[n:]
	}
	return tokens
}

// quoted returns what stands between two quotes, of which doubled ones stand
// for one, and the length with the quotes.
func quoted(s string, quote byte, backslashes bool) (string, int) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == quote && (i+1 == len(s) || s[i+1] != quote):
			return b.String(), i + 1
		case s[i] == quote || backslashes && s[i] == '\\' && i+1 < len(s):
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String(), len(s)
}

func nameByte(c byte, first bool) bool {
	letter := 'a' <= c|0x20 && c|0x20 <= 'z' || c == '_' || c >= 0x80
	return letter || !first && (c == '$' || '0' <= c && c <= '9')
}

func nameEnd(s string) int {
	n := 1
	for n < len(s) && nameByte(s[n], false) {
		n++
	}
	return n
}

func numberEnd(s string) int {
	n := 1
	for n < len(s) && (s[n] == '.' || '0' <= s[n] && s[n] <= '9') {
		n++
	}
	return n
}

// dollar reads $tag$…$tag$; 0 if it is none.
func dollar(s string) (string, int) {
	tag := 1
	for tag < len(s) && nameByte(s[tag], tag == 1) && s[tag] != '$' {
		tag++
	}
	if tag == len(s) || s[tag] != '$' {
		return "", 0
	}
	mark := s[:tag+1]
	body, _, closed := strings.Cut(s[tag+1:], mark)
	if !closed {
		return body, len(s)
	}
	return body, len(body) + 2*len(mark)
}

func commentEnd(s string) int {
	depth := 0
	for i := 0; i+1 < len(s); i++ {
		switch s[i : i+2] {
		case "/*":
			depth++
			i++
		case "*/":
			depth--
			i++
			if depth == 0 {
				return i + 1
			}
		}
	}
	return len(s)
}

func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c | 0x20
		}
	}
	return string(b)
}
