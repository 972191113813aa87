package archive

import (
	"maps"
	"slices"
	"strings"
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
	tag    string    // name; of a setting too
	ns     string    // schema; a setting's value
	exact  bool      // tag and ns are the object's whole name
	object string    // for comments and privileges: what kind of object they are about
	owner  string    // new owner
	table  [2]string // schema and name of the table that an index or constraint is on

	database  string   // that a statement on databases is about
	list      []string // a setting's value, item by item
	byDefault bool     // a setting's value is DEFAULT

	// triggers is where a statement goes that stands around a table's rows
	// (--disable-triggers): before all rows, or behind them. Else it is zero.
	triggers Section

	replace bool // CREATE OR REPLACE VIEW, which --clean puts in the place of some DROPs
}

// derive reads what decides: what is to be done with the statement, and to
// which table. It knows all that pg_dump writes and nothing else.
func derive(tokens []token) derived {
	if len(tokens) == 0 {
		return derived{}
	}
	s := scan{tokens: tokens, pos: 1}
	d := derived{verb: tokens[0].text}
	if tokens[0].kind != tokenWord {
		return derived{verb: "?"}
	}
	switch d.verb {
	case "set", "reset":
		d.setting(&s)
	case "select":
		d.call(&s)
	case "create":
		d.create(&s)
	case "alter":
		d.alter(&s)
	case "drop":
		d.kind, d.desc = stmtClean, s.object()
	case "comment":
		d.about(&s, "COMMENT", "on")
	case "security":
		d.about(&s, "SECURITY LABEL", "on")
	case "grant", "revoke":
		d.about(&s, "ACL", "on")
	case "refresh":
		if s.takes("materialized", "view") {
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
	case "discard":
		if s.takes("all") {
			d.kind, d.verb, d.tag = stmtSetting, "reset", "all"
		}
	}
	return d
}

// verbs are the words that statements begin with, in SQL as psql's server reads it.
var verbs = []string{
	"abort", "alter", "analyze", "begin", "call", "checkpoint", "close", "cluster", "comment", "commit", "copy", "create", "deallocate", "declare",
	"delete", "discard", "do", "drop", "end", "execute", "explain", "fetch", "grant", "import", "insert", "listen", "load", "lock", "merge", "move",
	"notify", "prepare", "reassign", "refresh", "reindex", "release", "reset", "revoke", "rollback", "savepoint", "security", "select", "set", "show",
	"start", "table", "truncate", "unlisten", "update", "vacuum", "values", "with",
}

func isVerb(word string) bool { return slices.Contains(verbs, word) }

// update reads UPDATE pg_catalog.pg_database, by which --clean makes a template
// fit to be dropped: in a new server there is nothing to be made so.
func (d *derived) update(s *scan) {
	if s.takes("pg_catalog", "."); s.takes("pg_database", "set") && oneOf(s.peek().text, "datistemplate", "datallowconn", "datconnlimit") {
		d.kind = stmtIdle
	}
}

// transaction reads BEGIN and COMMIT with the words that change nothing.
func (d *derived) transaction(s *scan) {
	if d.verb == "start" {
		s.pos--
		if !s.takes("start", "transaction") {
			return
		}
	}
	if !s.takes("transaction") {
		s.takes("work")
	}
	s.takes(";")
	if s.pos < len(s.tokens) {
		return
	}
	d.kind = stmtTransaction
	if d.verb = "begin"; s.tokens[0].is("commit") || s.tokens[0].is("end") {
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

// setting reads SET name = value, SET SESSION AUTHORIZATION and RESET. What
// holds for a transaction only is not among what pg_dump writes.
func (d *derived) setting(s *scan) {
	switch {
	case s.takes("session", "authorization"):
		d.tag = "session authorization"
	case s.takes("role"):
		d.tag = "role"
	case s.takes("time", "zone"):
		d.tag = "timezone"
	case s.pos < len(s.tokens) && s.tokens[s.pos].kind == tokenWord && !oneOf(s.tokens[s.pos].text, "local", "session", "transaction", "constraints", "time"):
		for d.tag = s.text(); s.takes("."); {
			d.tag += "." + s.text()
		}
		if d.verb == "set" && !s.takes("=") && !s.takes("to") {
			return
		}
	default:
		return
	}
	if d.verb == "set" {
		if t := s.peek(); !(t.kind == tokenWord && t.text == "default") {
			d.ns, d.list = t.text, s.items()
		}
		d.byDefault = d.ns == ""
	}
	d.kind = stmtSetting
}

// items takes values with commas between them.
func (s *scan) items() []string {
	items := []string{s.text()}
	for s.takes(",") {
		items = append(items, s.text())
	}
	return items
}

// call reads SELECT pg_catalog.function(...), of the functions that pg_dump calls.
func (d *derived) call(s *scan) {
	if s.takes("*", "from") { // set-returning, in PostgreSQL 18
		if !s.takes("pg_catalog", ".") {
			return
		}
	} else if !s.takes("pg_catalog", ".") {
		return
	}
	function := s.text()
	if !s.takes("(") {
		return
	}
	switch function {
	case "set_config":
		d.kind, d.tag = stmtSetting, s.text()
		if s.takes(",") {
			d.ns = s.text()
			d.list = (&scan{tokens: slices.Collect((&lexer{sql: d.ns, stdStrings: true}).all())}).items()
		}
	case "setval":
		d.kind, d.desc = stmtObject, "SEQUENCE SET"
		d.tag = s.text()
	case "lo_create":
		d.kind, d.desc = stmtObject, "BLOB"
		d.tag = s.text()
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
	replace := s.takes("or", "replace")
	for s.pos < len(s.tokens) && s.tokens[s.pos].kind == tokenWord && oneOf(s.tokens[s.pos].text,
		"unlogged", "temporary", "temp", "global", "local", "unique", "trusted", "procedural", "recursive") {
		s.pos++
	}
	d.desc = s.object()
	s.takes("if", "not", "exists")
	switch d.desc {
	case "", "TABLE AS":
		return
	case "ROLE", "USER", "GROUP":
		d.desc = "ROLE"
	case "SCHEMA":
		if s.takes("authorization") {
			s.pos--
		}
	case "USER MAPPING":
		d.kind, d.tag, d.exact = stmtObject, "USER MAPPING", false
		return
	}
	d.kind = stmtObject
	d.name(s)
	d.exact = oneOf(d.desc, "TABLE", "FOREIGN TABLE", "EXTENSION", "DATABASE", "SUBSCRIPTION", "ROLE", "SEQUENCE", "VIEW", "MATERIALIZED VIEW", "SCHEMA")
	if d.desc == "TABLE" && s.contains("as") {
		d.kind = stmtForeign
		d.verb = "create table as"
	}
	d.replace = d.desc == "VIEW" && replace
	if d.desc == "DATABASE" {
		d.database = d.tag
	}
	if d.desc == "INDEX" && s.past("on") {
		s.takes("only")
		on := derived{}
		on.name(s)
		d.table = [2]string{on.ns, on.tag}
	}
}

// alter reads ALTER kind name ..., which goes with what it alters, but for
// what pg_dump has kinds of their own for.
func (d *derived) alter(s *scan) {
	if s.takes("default", "privileges") {
		d.kind, d.desc = stmtObject, "DEFAULT ACL"
		return
	}
	d.desc = s.object()
	if d.desc == "" {
		return
	}
	d.kind = stmtObject
	s.takes("if", "exists")
	s.takes("only")
	switch d.desc {
	case "LARGE OBJECT":
		d.desc, d.tag = "BLOB", s.text()
	case "ROLE", "USER":
		d.name(s)
		if look := *s; look.past("in") && look.takes("database") {
			d.desc, d.tag, d.database = "DATABASE PROPERTIES", "", look.text()
		}
	case "DATABASE":
		d.name(s)
		d.database = d.tag
		if !s.contains("owner", "to") {
			d.desc = "DATABASE PROPERTIES"
		}
	case "TABLE":
		d.name(s)
		switch {
		case s.drops():
			d.kind = stmtClean
		case s.takes("disable", "trigger", "all"):
			d.triggers = SectionPreData
		case s.takes("enable", "trigger", "all"):
			d.triggers = SectionPostData
		case s.contains("add", "constraint"):
			d.desc, d.table = constraintKind(s), [2]string{d.ns, d.tag}
		}
	case "DOMAIN":
		d.name(s)
		if s.drops() {
			d.kind = stmtClean
		}
	case "INDEX":
		d.name(s)
		if s.takes("attach", "partition") {
			d.desc = "INDEX ATTACH"
		}
	default:
		d.name(s)
	}
	if roles := (&scan{tokens: s.tokens, pos: s.pos}).after("owner", "to"); len(roles) == 1 {
		d.owner = roles[0]
	}
}

// drops tells whether what comes behind the name takes something away.
func (s *scan) drops() bool {
	look := *s
	if look.takes("alter", "column") {
		look.pos++
	}
	return look.takes("drop") || look.takes("detach", "partition")
}

func constraintKind(s *scan) string {
	switch {
	case s.contains("foreign", "key"):
		return "FK CONSTRAINT"
	case s.contains("check"):
		return "CHECK CONSTRAINT"
	}
	return "CONSTRAINT"
}

// insert reads INSERT INTO name ... VALUES; desc stays empty without VALUES.
func (d *derived) insert(s *scan) {
	d.kind = stmtInsert
	if !s.takes("into") {
		return
	}
	d.name(s)
	switch last := s.tokens[len(s.tokens)-1]; {
	case d.tag == "":
	case last.is("values"), s.contains("default", "values"):
		d.desc = "TABLE DATA"
	}
}

// about reads statements on an object: COMMENT ON kind name, GRANT ... ON kind name.
func (d *derived) about(s *scan, desc, word string) {
	d.kind, d.desc = stmtObject, desc
	if !s.past(word) {
		return // GRANT role TO role
	}
	if d.object = s.object(); d.object == "" {
		d.object = "TABLE" // GRANT ... ON name
	}
	d.tag = d.object + " " + s.peek().text
	if d.object == "DATABASE" {
		d.database = s.peek().text
	}
	d.exact = decidesBy(d.tag)
	if d.exact {
		d.object = d.tag
	}
}

// name reads name or schema.name.
func (d *derived) name(s *scan) {
	d.tag = s.text()
	if s.takes(".") {
		d.ns, d.tag = d.tag, s.text()
	}
}

// peek returns the next token; the zero token behind the last.
func (s *scan) peek() token {
	if s.pos < len(s.tokens) {
		return s.tokens[s.pos]
	}
	return token{kind: tokenOther}
}

// text takes the next token and returns its text.
func (s *scan) text() string {
	t := s.peek()
	s.pos++
	return t.text
}

// past moves behind the first such word outside of parentheses.
func (s *scan) past(word string) bool {
	depth := 0
	for i := s.pos; i < len(s.tokens); i++ {
		switch t := s.tokens[i]; {
		case t.is("("):
			depth++
		case t.is(")"):
			depth--
		case depth == 0 && t.is(word):
			s.pos = i + 1
			return true
		}
	}
	return false
}

// contains tells whether these words follow one another further on, outside of
// parentheses. The scan stays where it is.
func (s *scan) contains(words ...string) bool {
	look := *s
	for look.past(words[0]) {
		if look.takes(words[1:]...) {
			return true
		}
	}
	return false
}

// kinds of objects that have more than one word.
var longKinds = [][]string{
	{"access", "method"}, {"event", "trigger"}, {"foreign", "data", "wrapper"}, {"foreign", "table"},
	{"materialized", "view"}, {"operator", "class"}, {"operator", "family"}, {"large", "object"},
	{"text", "search", "configuration"}, {"text", "search", "dictionary"}, {"text", "search", "parser"}, {"text", "search", "template"},
	{"user", "mapping"}, {"constraint", "trigger"}, {"default", "conversion"},
}

var shortKinds = []string{
	"aggregate", "cast", "collation", "column", "constraint", "conversion", "database", "domain", "extension", "function", "group", "index",
	"language", "operator", "parameter", "policy", "procedure", "property", "publication", "role", "routine", "rule", "schema", "sequence",
	"server", "statistics", "subscription", "table", "tablespace", "transform", "trigger", "type", "user", "view",
}

// object takes the kind of an object, in capitals; empty if none comes next.
func (s *scan) object() string {
	for _, words := range longKinds {
		if s.takes(words...) {
			return strings.ToUpper(strings.Join(words, " "))
		}
	}
	if t := s.peek(); t.kind == tokenWord && slices.Contains(shortKinds, t.text) {
		s.pos++
		return strings.ToUpper(t.text)
	}
	return ""
}

// decides tells the kinds by which a restore treats an entry otherwise than
// by executing it where it stands.
func decides(desc string) bool {
	switch desc {
	case "TABLE DATA", "SEQUENCE SET", "BLOB", "BLOBS", "BLOB METADATA", "BLOB COMMENTS", "STATISTICS DATA", "MATERIALIZED VIEW DATA",
		"SUBSCRIPTION", "SUBSCRIPTION TABLE", "USER MAPPING", "EXTENSION", "FOREIGN TABLE", "DATABASE", "DATABASE PROPERTIES",
		"CONSTRAINT", "FK CONSTRAINT", "CHECK CONSTRAINT", "INDEX", "ENCODING", "STDSTRINGS", "SEARCHPATH":
		return true
	}
	return unsectioned(desc)
}

// decidesBy tells the tags that do so, of comments and privileges.
func decidesBy(tag string) bool {
	return strings.HasPrefix(tag, "DATABASE ") || strings.HasPrefix(tag, "SUBSCRIPTION ") || strings.HasPrefix(tag, "LARGE OBJECT")
}

// unsectioned tells the kinds that pg_dump gives no section.
func unsectioned(desc string) bool {
	return desc == "COMMENT" || desc == "ACL" || desc == "SECURITY LABEL"
}

func oneOf(word string, words ...string) bool { return slices.Contains(words, word) }

func sortedKeys(m map[string]bool) []string { return slices.Sorted(maps.Keys(m)) }
