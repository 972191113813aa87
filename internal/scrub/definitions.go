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
	plainIndex = "index"
	checking   = "check"
	refresh    = "materialized view"
)

// bears tells whether a definition bears on what a column may become, so that
// a rule can be refused for it. Of the others only the server can tell, when
// it builds them.
func (d *definition) bears() bool {
	return !slices.Contains([]string{plainIndex, checking, refresh}, d.kind)
}

// definition is one constraint, index or materialized view of the archive's
// post-data.
type definition struct {
	kind       string
	name       string
	table      tableName
	columns    []string // every name in the key: of an expression, also what is no column
	loose      []string // those in expressions and predicates: what comes of them may be equal where the columns' values differ
	nullsEqual bool     // NULLS NOT DISTINCT
	references tableName
	referenced []string
	full       bool // MATCH FULL
}

// parseDefinitions reads statements as pg_dump writes them: ALTER TABLE … ADD
// CONSTRAINT …, CREATE INDEX … and REFRESH MATERIALIZED VIEW …. Others are
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
		return p.index(unique)
	case p.accept("create", "index"):
		return p.index(plainIndex)
	case p.accept("refresh", "materialized", "view"):
		d := definition{kind: refresh, table: p.tableName()}
		d.name = d.table.table
		return d, d.name != ""
	}
	return definition{}, false
}

func (p *parser) index(kind string) (definition, bool) {
	d := definition{kind: kind, name: p.name()}
	if !p.accept("on") {
		return d, false
	}
	d.table = p.tableName()
	if p.accept("using") {
		p.name()
	}
	d.columns, d.loose = p.names()
	if d.loose = append(d.loose, p.predicate()...); kind == plainIndex { // which no value breaks but by what is computed of it
		d.loose = d.columns
	}
	return d, len(d.columns) > 0
}

// predicate is every name behind the next WHERE.
func (p *parser) predicate() (names []string) {
	within := false
	for _, t := range p.tokens {
		if within && t.isName() {
			names = append(names, t.text)
		}
		within = within || t.is("where")
	}
	return names
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
		d.columns, _ = p.names()
		if !p.accept("references") {
			return d, false
		}
		d.references = p.tableName()
		d.referenced, _ = p.names()
		d.full = p.accept("match", "full")
		return d, len(d.columns) > 0 && len(d.columns) == len(d.referenced)
	case p.accept("check"):
		d.kind = checking
		d.columns, _ = p.names()
		d.loose = d.columns
		return d, len(d.columns) > 0
	default:
		return d, false
	}
	d.columns, d.loose = p.names()
	d.loose = append(d.loose, p.predicate()...)
	return d, len(d.columns) > 0
}

// names takes a list in parentheses and returns every name in it, however
// deep, but for the words that this place knows, functions, and types behind a
// cast; and those of them that stand in an expression.
func (p *parser) names() (names, loose []string) {
	const cast = 2 // colons
	if !p.accept("(") {
		return nil, nil
	}
	expression, colons := p.expression(), 0
	for depth := 1; depth > 0 && len(p.tokens) > 0; p.tokens = p.tokens[1:] {
		t := p.tokens[0]
		switch {
		case t.is("("):
			depth++
		case t.is(")"):
			depth--
		case t.is(",") && depth == 1:
			expression = (&parser{p.tokens[1:]}).expression()
		case t.is("period") && len(p.tokens) > 1 && p.tokens[1].isName():
		case t.isName() && colons < cast && !p.calls():
			names = append(names, t.text)
			if expression {
				loose = append(loose, t.text)
			}
		}
		switch {
		case t.is(":"):
			colons++
		case colons < cast || !t.isName() && !t.is("."):
			colons = 0
		}
	}
	return names, loose
}

// calls tells whether the next token is a function's name.
func (p *parser) calls() bool { return len(p.tokens) > 1 && p.tokens[1].is("(") }

// expression tells whether the next of a list's elements is an expression: a
// server writes them as a call, or in parentheses.
func (p *parser) expression() bool { return len(p.tokens) > 0 && p.tokens[0].is("(") || p.calls() }

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
