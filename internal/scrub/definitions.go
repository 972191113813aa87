package scrub

import (
	"slices"

	"daybefore/internal/sqltext"
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
		for _, stmt := range sqltext.Statements(tokensOf(entry)) {
			p := &parser{sqltext.Cursor{Tokens: stmt}}
			if d, ok := p.definition(); ok {
				d.nullsEqual = nullsEqual(stmt)
				found = append(found, d)
			}
		}
	}
	return found
}

// tokensOf are the words of SQL that a server has written down.
func tokensOf(sql string) []sqltext.Token { return sqltext.Tokens(sql, true) }

func nullsEqual(stmt []sqltext.Token) bool {
	for i := range stmt {
		if c := (sqltext.Cursor{Tokens: stmt, Pos: i}); c.Takes("nulls", "not", "distinct") {
			return true
		}
	}
	return false
}

type parser struct{ sqltext.Cursor }

func (p *parser) tableName() (t tableName) {
	p.Takes("only")
	t.schema, t.table = p.Qualified()
	return t
}

func (p *parser) definition() (definition, bool) {
	switch {
	case p.Takes("alter", "table"):
		return p.constraint()
	case p.Takes("create", "unique", "index"):
		return p.index(unique)
	case p.Takes("create", "index"):
		return p.index(plainIndex)
	case p.Takes("refresh", "materialized", "view"):
		d := definition{kind: refresh, table: p.tableName()}
		d.name = d.table.table
		return d, d.name != ""
	}
	return definition{}, false
}

func (p *parser) index(kind string) (definition, bool) {
	d := definition{kind: kind, name: p.Name()}
	if !p.Takes("on") {
		return d, false
	}
	d.table = p.tableName()
	if p.Takes("using") {
		p.Name()
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
	for _, t := range p.Tokens[p.Pos:] {
		if within && t.IsName() {
			names = append(names, t.Text)
		}
		within = within || t.Is("where")
	}
	return names
}

func (p *parser) constraint() (definition, bool) {
	d := definition{table: p.tableName()}
	if !p.Takes("add", "constraint") {
		return d, false
	}
	d.name = p.Name()
	switch {
	case p.Takes("primary", "key"):
		d.kind = primaryKey
	case p.Takes("unique"):
		d.kind = unique
		_ = p.Takes("nulls", "not", "distinct") || p.Takes("nulls", "distinct")
	case p.Takes("exclude"):
		d.kind = exclusion
		if p.Takes("using") {
			p.Name()
		}
	case p.Takes("foreign", "key"):
		d.kind = foreign
		d.columns, _ = p.names()
		if !p.Takes("references") {
			return d, false
		}
		d.references = p.tableName()
		d.referenced, _ = p.names()
		d.full = p.Takes("match", "full")
		return d, len(d.columns) > 0 && len(d.columns) == len(d.referenced)
	case p.Takes("check"):
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
	if !p.Takes("(") {
		return nil, nil
	}
	expression := p.expression()
	colons := 0
	for depth := 1; depth > 0 && !p.Done(); {
		t := p.Peek()
		calls := p.calls()
		p.Pos++
		switch {
		case t.Is("("):
			depth++
		case t.Is(")"):
			depth--
		case t.Is(",") && depth == 1:
			expression = p.expression()
		case t.Is("period") && p.Peek().IsName():
		case t.IsName() && colons < cast && !calls:
			names = append(names, t.Text)
			if expression {
				loose = append(loose, t.Text)
			}
		}
		switch {
		case t.Is(":"):
			colons++
		case colons < cast || !t.IsName() && !t.Is("."):
			colons = 0
		}
	}
	return names, loose
}

// calls reports whether the next token is a function's name.
func (p *parser) calls() bool {
	return p.Pos+1 < len(p.Tokens) && p.Tokens[p.Pos+1].Is("(")
}

// expression reports whether the next of a list's elements is an expression: a
// server writes them as a call, or in parentheses.
func (p *parser) expression() bool { return p.Peek().Is("(") || p.calls() }
