package archive

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"

	"daybefore/internal/sqltext"
)

// Code is a function or a statement of the backup's own that a restore, or
// whoever uses what it restores, runs.
type Code struct {
	Name     string   // with its schema and arguments; of a statement what it stands in
	Language string   // sql where the definition names none
	SHA256   string   // of its definition, "sha256:" and 16 digits
	UsedBy   []string // kinds and names of entries, sorted; empty: it runs by itself
}

// CodeRun lists the functions that the archive brings and that anything in it
// calls, at any depth: indexes, constraints, defaults, views, triggers, policies,
// rules, types, operators, casts, and other functions that are called. Besides
// come statements that declare nothing. It goes by the archive's text alone,
// which that code cannot change, and by names: where there are several functions
// of one name, each of them counts. It is sorted by name.
func (a *Archive) CodeRun() []Code {
	brought := map[string][]int{} // entries by the name that calls them
	for i, e := range a.Entries {
		if e.isFunction() {
			name := a.called(e)
			brought[name] = append(brought[name], i)
		}
	}
	uses := map[int]map[string]bool{} // by the function's entry
	var open []int
	use := func(by Entry, self int) {
		for _, called := range a.calls(by.Defn, brought, slices.Contains(callsByName, by.Desc), nested) {
			for _, i := range brought[called] {
				if i == self {
					continue
				}
				if uses[i] == nil {
					uses[i] = map[string]bool{}
					open = append(open, i)
				}
				uses[i][by.display()] = true
			}
		}
	}
	var all []Code
	for _, e := range a.Entries {
		switch {
		case e.isFunction():
		case e.Desc == "TRIGGER" || e.Desc == "EVENT TRIGGER" || !slices.Contains(inert, e.Desc):
			use(e, -1)
		}
		if e.saysMore(sqltext.Statements(a.tokens(e.Defn))) {
			all = append(all, Code{Name: "a statement of " + e.display(), Language: "sql", SHA256: digest(e.Defn)})
		}
	}
	for len(open) > 0 {
		i := open[0]
		open = open[1:]
		use(a.Entries[i], i)
	}
	for i, by := range uses {
		e := a.Entries[i]
		all = append(all, Code{
			Name: e.Namespace + "." + e.Tag, Language: a.language(e.Defn), SHA256: digest(e.Defn),
			UsedBy: slices.Sorted(maps.Keys(by)),
		})
	}
	slices.SortFunc(all, func(a, b Code) int { return strings.Compare(a.Name+a.SHA256, b.Name+b.SHA256) })
	return all
}

func (e Entry) isFunction() bool {
	return e.Desc == "FUNCTION" || e.Desc == "PROCEDURE" || e.Desc == "AGGREGATE"
}

// called is what a function is called by: its name without its arguments.
func (a *Archive) called(e Entry) string {
	for _, statement := range sqltext.Statements(a.tokens(e.Defn)) {
		return made(statement)
	}
	return ""
}

func (e Entry) display() string {
	if strings.HasPrefix(e.Tag, e.Desc+" ") { // CAST (a AS b)
		return e.Tag
	}
	return strings.TrimSpace(e.Desc + " " + strings.TrimPrefix(e.Namespace+"."+e.Tag, "."))
}

// callsByName are kinds of entries that name a function without its brackets.
var callsByName = []string{
	"AGGREGATE", "OPERATOR", "OPERATOR CLASS", "OPERATOR FAMILY", "TYPE", "PROCEDURAL LANGUAGE", "CONVERSION",
	"ACCESS METHOD",
	"TEXT SEARCH PARSER", "TEXT SEARCH TEMPLATE", "FOREIGN DATA WRAPPER",
}

// nested is how deep texts within texts are read.
const nested = 4

// calls are the names of functions in a statement, and in the texts within it,
// of which a function's body is one. A name is a call where a bracket follows,
// or anywhere.
func (a *Archive) calls(sql string, brought map[string][]int, anywhere bool, depth int) (found []string) {
	tokens := a.tokens(sql)
	for i, t := range tokens {
		switch {
		case t.Kind == sqltext.String && depth > 0:
			found = append(found, a.calls(t.Text, brought, false, depth-1)...)
		case !t.IsName() || brought[t.Text] == nil:
		case anywhere || i+1 < len(tokens) && tokens[i+1].Is("("):
			found = append(found, t.Text)
		}
	}
	return found
}

// language is what a function's definition says it is written in.
func (a *Archive) language(sql string) string {
	before := sqltext.Token{}
	for _, t := range a.tokens(sql) {
		if before.Is("language") && (t.IsName() || t.Kind == sqltext.String) {
			return t.Text
		}
		before = t
	}
	return "sql"
}

// declaring are the words that pg_dump's statements begin with, of which none
// runs anything of the backup's by itself.
var declaring = strings.Fields("create alter comment grant revoke security set reset drop refresh import")

// saysMore reports whether an entry, whose statements these are, does something
// else than to declare what its kind says: pg_dump writes no such.
func (e Entry) saysMore(statements [][]sqltext.Token) bool {
	if e.isFunction() || e.Defn == "" || e.Desc == "STATISTICS DATA" { // which no drill restores
		return false
	}
	if e.Desc == "BLOB METADATA" && strings.Trim(e.Defn, "0123456789\n") == "" {
		return false // since pg_dump 17 it lists large objects, and holds no SQL
	}
	if e.runs() == "a statement" {
		return true
	}
	for _, statement := range statements {
		if !slices.Contains(declaring, statement[0].Text) && !setsOnly(statement) {
			return true
		}
	}
	return false
}

// setsOnly reports whether a statement calls one of the server's own functions
// with which a dump sets something: SELECT pg_catalog.set_config(…), setval or
// lo_….
func setsOnly(statement []sqltext.Token) bool {
	c := sqltext.Cursor{Tokens: statement}
	if !c.Takes("select", "pg_catalog", ".") {
		return false
	}
	called := c.Text()
	return called == "set_config" || called == "setval" || strings.HasPrefix(called, "lo_") ||
		strings.HasPrefix(called, "binary_upgrade")
}

// digest tells one definition from another.
func digest(sql string) string {
	const shown = 8 // bytes
	sum := sha256.Sum256([]byte(strings.TrimSpace(sql)))
	return fmt.Sprintf("sha256:%x", sum[:shown])
}
