package archive

import (
	"maps"
	"slices"
	"strings"

	"daybefore/internal/sqltext"
)

// statementKind is what a script's statement is for.
type statementKind int

const (
	stmtForeign statementKind = iota // not one of pg_dump's
	stmtSetting                      // SET, RESET, set_config
	stmtObject                       // makes or changes a part of the schema, or sets a sequence
	stmtClean                        // drops something
	stmtCopy
	stmtInsert
	stmtLarge       // fills large objects
	stmtTransaction // BEGIN or COMMIT
	stmtIdle        // changes nothing that a restore brings
)

// derived is what a statement's own words say about it.
type derived struct {
	kind   statementKind
	verb   string    // first word
	desc   string    // kind of object, as pg_dump names kinds
	tag    string    // name
	ns     string    // schema
	exact  bool      // tag and ns are the object's whole name
	object string    // for comments and privileges: what kind of object they are about
	owner  string    // new owner
	table  [2]string // schema and name of the table that an index or constraint is on

	database string          // that a statement on databases is about
	set      sqltext.Setting // what a setting changes

	// triggers is where a statement goes that stands around a table's rows
	// (--disable-triggers): before all rows, or after them. Else it is zero.
	triggers Section

	replace bool // CREATE OR REPLACE VIEW, which --clean puts in the place of some DROPs
}

// derive reads what decides: what is to be done with the statement, and to
// which table. It knows all that pg_dump writes and nothing else.
func derive(tokens []sqltext.Token) derived {
	if len(tokens) == 0 {
		return derived{}
	}
	if tokens[0].Kind != sqltext.Word {
		return derived{verb: "?"}
	}
	s := scan{sqltext.Cursor{Tokens: tokens, Pos: 1}}
	d := derived{verb: tokens[0].Text}
	if set, ok := sqltext.ParseSetting(tokens); ok {
		d.kind, d.set = stmtSetting, set
		return d
	}
	switch d.verb {
	case "select":
		d.call(&s)
	case "create":
		d.create(&s)
	case "alter":
		d.alter(&s)
	case "drop":
		d.kind = stmtClean
		d.desc = s.object()
	case "comment":
		d.about(&s, "COMMENT", "on")
	case "security":
		d.about(&s, "SECURITY LABEL", "on")
	case "grant", "revoke":
		d.about(&s, "ACL", "on")
	case "refresh":
		if s.Takes("materialized", "view") {
			d.kind, d.desc = stmtObject, "MATERIALIZED VIEW DATA"
			d.name(&s)
		}
	case "copy":
		d.kind = stmtCopy
	case "insert":
		d.insert(&s)
	case "update":
		d.update(&s)
	case "begin", "start", "commit", "end":
		d.transaction(&s)
	case "analyze", "vacuum", "checkpoint":
		d.kind = stmtIdle
	}
	return d
}

// update reads UPDATE pg_catalog.pg_database, by which --clean makes a template
// fit to be dropped: in a new server there is nothing to be made so.
func (d *derived) update(s *scan) {
	s.Takes("pg_catalog", ".")
	if s.Takes("pg_database", "set") && oneOf(s.Peek().Text, "datistemplate", "datallowconn", "datconnlimit") {
		d.kind = stmtIdle
	}
}

// transaction reads BEGIN and COMMIT with the words that change nothing.
func (d *derived) transaction(s *scan) {
	if d.verb == "start" {
		s.Pos--
		if !s.Takes("start", "transaction") {
			return
		}
	}
	if !s.Takes("transaction") {
		s.Takes("work")
	}
	s.Takes(";")
	if s.Pos < len(s.Tokens) {
		return
	}
	d.kind = stmtTransaction
	d.verb = "begin"
	if s.Tokens[0].Is("commit") || s.Tokens[0].Is("end") {
		d.verb = "commit"
	}
}

// global tells statements on what all databases share: roles, tablespaces and
// parameters, and memberships, which are granted ON nothing.
func (d derived) global() bool {
	switch d.desc {
	case "ROLE", "USER", "GROUP", "TABLESPACE":
		return true
	case "COMMENT", "SECURITY LABEL", "ACL":
		return oneOf(d.object, "", "ROLE", "TABLESPACE", "PARAMETER")
	}
	return false
}

// ofDatabase tells statements on a database as a whole.
func (d derived) ofDatabase() bool {
	return d.database != "" || d.kind == stmtClean && d.desc == "DATABASE" || d.desc == "DATABASE PROPERTIES"
}

// call reads SELECT pg_catalog.function(...), of the functions that pg_dump calls.
func (d *derived) call(s *scan) {
	if s.Takes("*", "from") { // set-returning, in PostgreSQL 18
		if !s.Takes("pg_catalog", ".") {
			return
		}
	} else if !s.Takes("pg_catalog", ".") {
		return
	}
	function := s.Text()
	if !s.Takes("(") {
		return
	}
	switch function {
	case "setval":
		d.kind, d.desc = stmtObject, "SEQUENCE SET"
		d.tag = s.Text()
	case "lo_create":
		d.kind, d.desc = stmtObject, "BLOB"
		d.tag = s.Text()
	case "lo_open", "lowrite", "lo_close":
		d.kind = stmtLarge
	case "lo_unlink":
		d.kind = stmtClean
	case "pg_restore_relation_stats", "pg_restore_attribute_stats", "pg_restore_extended_stats":
		d.kind, d.desc = stmtObject, "STATISTICS DATA"
	}
}

// create reads CREATE kind name. CREATE TABLE ... AS would bring rows that no
// filter sees.
func (d *derived) create(s *scan) {
	replace := s.Takes("or", "replace")
	for s.Peek().Kind == sqltext.Word && oneOf(s.Peek().Text,
		"unlogged", "temporary", "temp", "global", "local", "unique", "trusted", "procedural", "recursive") {
		s.Pos++
	}
	d.desc = s.object()
	s.Takes("if", "not", "exists")
	switch d.desc {
	case "", "TABLE AS":
		return
	case "ROLE", "USER", "GROUP":
		d.desc = "ROLE"
	case "SCHEMA":
		if s.Takes("authorization") {
			s.Pos--
		}
	case "USER MAPPING":
		d.kind, d.tag, d.exact = stmtObject, "USER MAPPING", false
		return
	}
	d.kind = stmtObject
	d.name(s)
	d.exact = oneOf(d.desc, "TABLE", "FOREIGN TABLE", "EXTENSION", "DATABASE", "SUBSCRIPTION", "ROLE", "SEQUENCE",
		"VIEW", "MATERIALIZED VIEW", "SCHEMA")
	if d.desc == "TABLE" && s.Contains("as") {
		d.kind = stmtForeign
		d.verb = "create table as"
	}
	d.replace = d.desc == "VIEW" && replace
	if d.desc == "DATABASE" {
		d.database = d.tag
	}
	if d.desc == "INDEX" && s.Past("on") {
		s.Takes("only")
		on := derived{}
		on.name(s)
		d.table = [2]string{on.ns, on.tag}
	}
}

// alter reads ALTER kind name ..., which goes with what it alters, but for
// what pg_dump has kinds of their own for.
func (d *derived) alter(s *scan) {
	if s.Takes("default", "privileges") {
		d.kind, d.desc = stmtObject, "DEFAULT ACL"
		return
	}
	d.desc = s.object()
	if d.desc == "" {
		return
	}
	d.kind = stmtObject
	s.Takes("if", "exists")
	s.Takes("only")
	switch d.desc {
	case "LARGE OBJECT":
		d.desc = "BLOB"
		d.tag = s.Text()
	case "ROLE", "USER":
		d.name(s)
		if look := *s; look.Past("in") && look.Takes("database") {
			d.desc = "DATABASE PROPERTIES"
			d.tag = ""
			d.database = look.Text()
		}
	case "DATABASE":
		d.name(s)
		d.database = d.tag
		if !s.Contains("owner", "to") {
			d.desc = "DATABASE PROPERTIES"
		}
	case "TABLE":
		d.name(s)
		switch {
		case s.drops():
			d.kind = stmtClean
		case s.Takes("disable", "trigger", "all"):
			d.triggers = SectionPreData
		case s.Takes("enable", "trigger", "all"):
			d.triggers = SectionPostData
		case s.Contains("add", "constraint"):
			d.desc, d.table = constraintKind(s), [2]string{d.ns, d.tag}
		}
	case "DOMAIN":
		d.name(s)
		if s.drops() {
			d.kind = stmtClean
		}
	case "INDEX":
		d.name(s)
		if s.Takes("attach", "partition") {
			d.desc = "INDEX ATTACH"
		}
	default:
		d.name(s)
	}
	if roles := (&scan{sqltext.Cursor{Tokens: s.Tokens, Pos: s.Pos}}).after("owner", "to"); len(roles) == 1 {
		d.owner = roles[0]
	}
}

// drops reports whether what comes after the name takes something away.
func (s *scan) drops() bool {
	look := *s
	if look.Takes("alter", "column") {
		look.Pos++
	}
	return look.Takes("drop") || look.Takes("detach", "partition")
}

func constraintKind(s *scan) string {
	switch {
	case s.Contains("foreign", "key"):
		return "FK CONSTRAINT"
	case s.Contains("check"):
		return "CHECK CONSTRAINT"
	}
	return "CONSTRAINT"
}

// insert reads INSERT INTO name ... VALUES; desc stays empty without VALUES.
func (d *derived) insert(s *scan) {
	d.kind = stmtInsert
	if !s.Takes("into") {
		return
	}
	d.name(s)
	last := s.Tokens[len(s.Tokens)-1]
	switch {
	case d.tag == "":
	case last.Is("values"), s.Contains("default", "values"):
		d.desc = "TABLE DATA"
	}
}

// about reads statements on an object: COMMENT ON kind name, GRANT ... ON kind name.
func (d *derived) about(s *scan, desc, word string) {
	d.kind, d.desc = stmtObject, desc
	if !s.Past(word) {
		return // GRANT role TO role
	}
	d.object = s.object()
	if d.object == "" {
		d.object = "TABLE" // GRANT ... ON name
	}
	d.tag = d.object + " " + s.Peek().Text
	if d.object == "DATABASE" {
		d.database = s.Peek().Text
	}
	d.exact = decidesBy(d.tag)
	if d.exact {
		d.object = d.tag
	}
}

// name reads name or schema.name.
func (d *derived) name(s *scan) {
	d.tag = s.Text()
	if s.Takes(".") {
		d.ns = d.tag
		d.tag = s.Text()
	}
}

// kinds of objects that have more than one word.
var longKinds = [][]string{
	{"access", "method"}, {"event", "trigger"}, {"foreign", "data", "wrapper"}, {"foreign", "table"},
	{"materialized", "view"}, {"operator", "class"}, {"operator", "family"}, {"large", "object"},
	{"text", "search", "configuration"}, {"text", "search", "dictionary"}, {"text", "search", "parser"},
	{"text", "search", "template"},
	{"user", "mapping"}, {"constraint", "trigger"}, {"default", "conversion"},
}

var shortKinds = []string{
	"aggregate", "cast", "collation", "column", "constraint", "conversion", "database", "domain", "extension",
	"function", "group", "index",
	"language", "operator", "parameter", "policy", "procedure", "property", "publication", "role", "routine", "rule",
	"schema", "sequence",
	"server", "statistics", "subscription", "table", "tablespace", "transform", "trigger", "type", "user", "view",
}

// object takes the kind of an object, in capitals; empty if none comes next.
func (s *scan) object() string {
	for _, words := range longKinds {
		if s.Takes(words...) {
			return strings.ToUpper(strings.Join(words, " "))
		}
	}
	if t := s.Peek(); t.Kind == sqltext.Word && slices.Contains(shortKinds, t.Text) {
		s.Pos++
		return strings.ToUpper(t.Text)
	}
	return ""
}

// decides tells the kinds by which a restore treats an entry otherwise than
// by executing it where it stands.
func decides(desc string) bool {
	switch desc {
	case "TABLE DATA", "SEQUENCE SET", "BLOB", "BLOBS", "BLOB METADATA", "BLOB COMMENTS", "STATISTICS DATA",
		"MATERIALIZED VIEW DATA",
		"SUBSCRIPTION", "SUBSCRIPTION TABLE", "USER MAPPING", "EXTENSION", "FOREIGN TABLE", "DATABASE",
		"DATABASE PROPERTIES",
		"CONSTRAINT", "FK CONSTRAINT", "CHECK CONSTRAINT", "INDEX", "ENCODING", "STDSTRINGS", "SEARCHPATH":
		return true
	}
	return unsectioned(desc)
}

// decidesBy tells the tags that do so, of comments and privileges.
func decidesBy(tag string) bool {
	return strings.HasPrefix(tag, "DATABASE ") || strings.HasPrefix(tag, "SUBSCRIPTION ") ||
		strings.HasPrefix(tag, "LARGE OBJECT")
}

// unsectioned tells the kinds that pg_dump gives no section.
func unsectioned(desc string) bool {
	return desc == "COMMENT" || desc == "ACL" || desc == "SECURITY LABEL"
}

func oneOf(word string, words ...string) bool { return slices.Contains(words, word) }

func sortedKeys(m map[string]bool) []string { return slices.Sorted(maps.Keys(m)) }
