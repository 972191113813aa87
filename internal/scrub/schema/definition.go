package schema

import (
	"slices"

	"daybefore/internal/sqltext"
)

// The kinds of definitions that bear on what a column may become.
const (
	PrimaryKey = "primary key"
	Unique     = "unique"
	Exclusion  = "exclusion"
	Foreign    = "foreign key"
	Index      = "index"
	Checking   = "check"
	Refresh    = "materialized view"
)

// Bears reports whether a definition bears on what a column may become, so that
// a rule can be refused for it. Of the others only the server can tell, when
// it builds them.
func (d *Definition) Bears() bool {
	return !slices.Contains([]string{Index, Checking, Refresh}, d.Kind)
}

// Definition is one constraint, index or materialized view of the archive's
// post-data.
type Definition struct {
	Kind       string
	Name       string
	Table      Name
	Columns    []string // every name in the key: of an expression, also what is no column
	Loose      []string // those in expressions and predicates, which may be equal where the columns' values differ
	NullsEqual bool     // NULLS NOT DISTINCT
	References Name
	Referenced []string
	Full       bool // MATCH FULL
}

// ParseDefinitions reads statements as pg_dump writes them: ALTER TABLE … ADD
// CONSTRAINT …, CREATE INDEX … and REFRESH MATERIALIZED VIEW …. Others are
// passed over.
func ParseDefinitions(entries []string) []Definition {
	var found []Definition
	for _, entry := range entries {
		for _, stmt := range sqltext.Statements(tokensOf(entry)) {
			p := &parser{sqltext.Cursor{Tokens: stmt}}
			if d, ok := p.definition(); ok {
				d.NullsEqual = nullsEqual(stmt)
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

func (p *parser) tableName() (t Name) {
	p.Takes("only")
	t.Schema, t.Table = p.Qualified()
	return t
}

func (p *parser) definition() (Definition, bool) {
	switch {
	case p.Takes("alter", "table"):
		return p.constraint()
	case p.Takes("create", "unique", "index"):
		return p.index(Unique)
	case p.Takes("create", "index"):
		return p.index(Index)
	case p.Takes("refresh", "materialized", "view"):
		d := Definition{Kind: Refresh, Table: p.tableName()}
		d.Name = d.Table.Table
		return d, d.Name != ""
	}
	return Definition{}, false
}

func (p *parser) index(kind string) (Definition, bool) {
	d := Definition{Kind: kind, Name: p.Name()}
	if !p.Takes("on") {
		return d, false
	}
	d.Table = p.tableName()
	if p.Takes("using") {
		p.Name()
	}
	d.Columns, d.Loose = p.names()
	d.Loose = append(d.Loose, p.predicate()...)
	if kind == Index { // which no value breaks but by what is computed of it
		d.Loose = d.Columns
	}
	return d, len(d.Columns) > 0
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

func (p *parser) constraint() (Definition, bool) {
	d := Definition{Table: p.tableName()}
	if !p.Takes("add", "constraint") {
		return d, false
	}
	d.Name = p.Name()
	switch {
	case p.Takes("primary", "key"):
		d.Kind = PrimaryKey
	case p.Takes("unique"):
		d.Kind = Unique
		_ = p.Takes("nulls", "not", "distinct") || p.Takes("nulls", "distinct")
	case p.Takes("exclude"):
		d.Kind = Exclusion
		if p.Takes("using") {
			p.Name()
		}
	case p.Takes("foreign", "key"):
		d.Kind = Foreign
		d.Columns, _ = p.names()
		if !p.Takes("references") {
			return d, false
		}
		d.References = p.tableName()
		d.Referenced, _ = p.names()
		d.Full = p.Takes("match", "full")
		return d, len(d.Columns) > 0 && len(d.Columns) == len(d.Referenced)
	case p.Takes("check"):
		d.Kind = Checking
		d.Columns, _ = p.names()
		d.Loose = d.Columns
		return d, len(d.Columns) > 0
	default:
		return d, false
	}
	d.Columns, d.Loose = p.names()
	d.Loose = append(d.Loose, p.predicate()...)
	return d, len(d.Columns) > 0
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
