package archive

import (
	"slices"
	"strings"
)

// searchPath is where unqualified names of a script belong. The zero value is a
// session's own. pg_dump has named schemas since 10.3 and 9.6.8; until then it
// set the path before the objects of each.
type searchPath struct {
	given   bool
	schemas []string
}

// set takes a setting if it is search_path.
func (sp *searchPath) set(name string, d derived) {
	if name != "search_path" {
		return
	}
	*sp = searchPath{given: d.verb != "reset" && !d.byDefault, schemas: slices.DeleteFunc(slices.Clone(d.list), func(s string) bool {
		return s == "" || s == "$user" || strings.HasPrefix(s, "pg_temp")
	})}
}

// creates is the schema that gets what is made without naming one; empty if none does.
func (sp searchPath) creates() string {
	switch {
	case !sp.given:
		return "public"
	case len(sp.schemas) == 0:
		return ""
	}
	return sp.schemas[0]
}

// schemaOf is the schema in which psql's session finds a table that is named
// without one.
func (p *plainReader) schemaOf(table string) string {
	for _, schema := range p.path.schemas {
		if p.known[[3]string{p.db.Database, schema, table}] {
			return schema
		}
	}
	return p.path.creates()
}

// place completes a statement of the schema by the schemas that it leaves out, and
// returns its text with those in it that others read: of what rests on tables.
func (p *plainReader) place(d *derived, text string) string {
	switch {
	case !inSchema(d.desc):
		return text
	case d.desc == "TABLE" && d.verb == "create", d.desc == "FOREIGN TABLE" && d.verb == "create":
		if d.ns == "" {
			d.ns = p.path.creates()
		}
		p.db.tables = true
		p.known[[3]string{p.db.Database, d.ns, d.tag}] = true
		return text
	}
	if d.ns == "" && d.tag != "" {
		d.ns = p.schemaOf(d.tag)
	}
	if d.table[1] == "" || d.table[0] != "" {
		return text
	}
	d.table[0] = p.schemaOf(d.table[1])
	for _, word := range []string{"table", "on", "references"} {
		text = qualified(text, word, d.table[0])
	}
	return text
}

// inSchema tells the kinds whose schema a restore asks for.
func inSchema(desc string) bool {
	return oneOf(desc, "TABLE", "FOREIGN TABLE", "VIEW", "MATERIALIZED VIEW", "MATERIALIZED VIEW DATA", "SEQUENCE", "INDEX",
		"CONSTRAINT", "FK CONSTRAINT", "CHECK CONSTRAINT")
}

// qualified puts a schema before the name that follows the first such word
// outside of parentheses, if it has none.
func qualified(text, word, schema string) string {
	s := scan{tokens: slices.Collect((&lexer{sql: text, stdStrings: true}).all())}
	if schema == "" || !s.past(word) {
		return text
	}
	s.takes("if", "exists")
	s.takes("only")
	name := s.peek()
	if name.kind != tokenWord && name.kind != tokenQuoted || name.end == 0 {
		return text
	}
	if s.pos++; s.peek().is(".") {
		return text
	}
	return text[:name.start] + quoteIdent(schema) + "." + text[name.start:]
}
