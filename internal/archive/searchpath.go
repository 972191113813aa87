package archive

import "daybefore/internal/sqltext"

// schemaOf is the schema in which psql's session finds a table that is named
// without one.
func (p *plainReader) schemaOf(table string) string {
	for _, schema := range p.path.Schemas {
		if p.known[[3]string{p.db.Database, schema, table}] {
			return schema
		}
	}
	return p.path.Creates()
}

// place completes a statement of the schema by the schemas that it leaves out, and
// returns its text with those in it that others read: of what rests on tables.
func (p *plainReader) place(d *derived, text string) string {
	switch {
	case !inSchema(d.desc):
		return text
	case d.desc == "TABLE" && d.verb == "create", d.desc == "FOREIGN TABLE" && d.verb == "create":
		if d.ns == "" {
			d.ns = p.path.Creates()
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
	return oneOf(desc, "TABLE", "FOREIGN TABLE", "VIEW", "MATERIALIZED VIEW", "MATERIALIZED VIEW DATA", "SEQUENCE",
		"INDEX",
		"CONSTRAINT", "FK CONSTRAINT", "CHECK CONSTRAINT")
}

// qualified puts a schema before the name that follows the first such word
// outside of parentheses, if it has none.
func qualified(text, word, schema string) string {
	s := scan{sqltext.Cursor{Tokens: sqltext.Tokens(text, true)}}
	if schema == "" || !s.Past(word) {
		return text
	}
	s.Takes("if", "exists")
	s.Takes("only")
	name := s.Peek()
	if !name.IsName() {
		return text
	}
	s.Pos++
	if s.Peek().Is(".") {
		return text
	}
	return text[:name.Start] + quoteIdent(schema) + "." + text[name.Start:]
}
