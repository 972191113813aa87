package archive

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"daybefore/internal/sqltext"
)

// OwnCode says what of the backup's own code a restore, or the queries asked
// afterwards, may run; empty: nothing. It goes by the archive's text alone,
// which that code cannot change, and errs on the side of naming something: a
// function counts that is named anywhere but in another's body.
func (a *Archive) OwnCode(queries ...string) string {
	authored := a.functions()
	reached := func(tokens []sqltext.Token) string {
		for _, t := range tokens {
			if t.Kind == sqltext.Word && runsText.MatchString(t.Text) || t.IsName() && authored[t.Text] {
				return "the function " + t.Text
			}
		}
		return ""
	}
	for _, e := range a.Entries {
		tokens := a.tokens(e.Defn)
		if found := cmp.Or(e.runs(), e.hides(tokens)); found != "" {
			return found
		}
		if slices.Contains(inert, e.Desc) {
			continue
		}
		if found := reached(tokens); found != "" {
			return found
		}
	}
	for _, sql := range queries {
		if found := reached(a.tokens(sql)); found != "" {
			return found
		}
	}
	return ""
}

// functions are the names of the functions that the archive brings, by which
// anything may call them: not those of triggers, which nothing fires after the
// rows.
func (a *Archive) functions() map[string]bool {
	names := map[string]bool{}
	for _, e := range a.Entries {
		for _, statement := range sqltext.Statements(a.tokens(e.Defn)) {
			if name := made(statement); name != "" && !isTriggers(statement) {
				names[name] = true
			}
		}
	}
	return names
}

// made is the name of the function that a statement makes; empty for any other.
// An entry's tag would not do: a name may hold a bracket too, as that before the
// arguments, and who writes an archive writes into it what he likes.
func made(statement []sqltext.Token) string {
	c := sqltext.Cursor{Tokens: statement}
	if !c.Takes("create") {
		return ""
	}
	c.Takes("or", "replace")
	if !c.Takes("function") && !c.Takes("procedure") && !c.Takes("aggregate") {
		return ""
	}
	name := c.Text()
	for c.Takes(".") {
		name = c.Text()
	}
	return name
}

// leads reports whether a statement begins with these keywords.
func leads(statement []sqltext.Token, words ...string) bool {
	c := sqltext.Cursor{Tokens: statement}
	return c.Takes(words...)
}

// isTriggers reports whether a statement makes a function for triggers. What it
// returns stands after its arguments, and before anything of its body.
func isTriggers(statement []sqltext.Token) bool {
	depth := 0
	for i, t := range statement[:max(0, len(statement)-1)] {
		switch {
		case t.Is("("):
			depth++
		case t.Is(")"):
			depth--
		case depth > 0:
		case t.Is("returns"):
			return statement[i+1].Is("trigger")
		case t.Is("as"), t.Is("begin"), t.Is("return"):
			return false
		}
	}
	return false
}

// hides says what an entry holds that its kind does not say, or writes so that
// no name in it is read: no pg_dump does either.
func (e Entry) hides(tokens []sqltext.Token) string {
	for _, t := range tokens {
		if t.Kind == sqltext.Escaped {
			return "a name that is written in escapes"
		}
	}
	statements := sqltext.Statements(tokens)
	stray := false
	switch {
	case len(statements) == 0 || e.Desc == "STATISTICS DATA": // which no drill restores
	case e.Desc == "FUNCTION" || e.Desc == "PROCEDURE":
		stray = made(statements[0]) == "" || strays(statements)
	case slices.Contains(inert, e.Desc):
		stray = e.saysMore(statements) ||
			slices.ContainsFunc(statements, func(s []sqltext.Token) bool { return !e.says(s) })
	default:
		stray = e.saysMore(statements)
	}
	if stray {
		return "a statement"
	}
	return ""
}

// strays reports whether something follows the first statement, a function's,
// but what says whose it is. Its body in SQL's own style was cut at semicolons.
func strays(statements [][]sqltext.Token) bool {
	within := slices.ContainsFunc(statements[0], func(t sqltext.Token) bool { return t.Is("atomic") })
	for _, s := range statements[1:] {
		switch {
		case within:
			within = !leads(s, "end")
		case !leads(s, "alter"):
			return true
		}
	}
	return false
}

// says reports whether a statement may stand in an entry of an inert kind: of
// those that make something only what the entry is called after.
func (e Entry) says(statement []sqltext.Token) bool {
	switch {
	case !leads(statement, "create"):
		return true
	case len(statement) < len([]string{"create", "kind", "name"}):
		return false
	}
	if name := statement[2:]; leads(statement, "create", "extension") {
		if leads(name, "if", "not", "exists") {
			name = name[3:]
		}
		return len(name) > 0 && name[0].Text == e.Tag && e.Desc == "EXTENSION"
	}
	words := strings.Fields(strings.ToLower(e.Desc))
	return slices.ContainsFunc([][]string{{"create"}, {"create", "constraint"}, {"create", "or", "replace"}},
		func(before []string) bool {
			return leads(statement, append(before, words...)...)
		})
}

// runs says what an entry runs by itself.
func (e Entry) runs() string {
	switch {
	case e.Desc == "EVENT TRIGGER", e.Desc == "TRIGGER" && e.Section != SectionPostData:
		return "the " + strings.ToLower(e.Desc)
	case e.Desc == "EXTENSION" && !slices.Contains(quietExtensions, e.Tag):
		return "the extension " + e.Tag
	case !slices.Contains(descriptions, e.Desc) && e.Defn != "":
		return "a statement"
	}
	return ""
}

// inert are kinds of entries that call nothing, or nothing before a row is
// written again.
var inert = []string{
	"FUNCTION", "PROCEDURE", "TRIGGER", "COMMENT", "ACL", "DEFAULT ACL", "SECURITY LABEL", "ENCODING", "STDSTRINGS",
	"SEARCHPATH",
	"TABLE DATA", "SEQUENCE SET", "BLOB", "BLOBS", "BLOB METADATA", "BLOB COMMENTS", "STATISTICS DATA", "EXTENSION",
	"DATABASE",
}

// descriptions are kinds of entries that declare something, beside those that
// are inert; of any other it is not known.
var descriptions = append([]string{
	"TABLE", "VIEW", "MATERIALIZED VIEW", "MATERIALIZED VIEW DATA", "FOREIGN TABLE", "SEQUENCE", "SEQUENCE OWNED BY",
	"INDEX",
	"INDEX ATTACH", "TABLE ATTACH", "CONSTRAINT", "FK CONSTRAINT", "CHECK CONSTRAINT", "DEFAULT", "RULE", "POLICY",
	"ROW SECURITY",
	"TYPE", "DOMAIN", "SHELL TYPE", "SCHEMA", "AGGREGATE", "OPERATOR", "OPERATOR CLASS", "OPERATOR FAMILY", "CAST",
	"COLLATION",
	"CONVERSION", "ACCESS METHOD", "PROCEDURAL LANGUAGE", "TEXT SEARCH CONFIGURATION", "TEXT SEARCH DICTIONARY",
	"TEXT SEARCH PARSER", "TEXT SEARCH TEMPLATE", "FOREIGN DATA WRAPPER", "SERVER", "USER MAPPING", "STATISTICS",
	"TRANSFORM",
	"PUBLICATION", "PUBLICATION TABLE", "PUBLICATION TABLES IN SCHEMA", "SUBSCRIPTION", "SUBSCRIPTION TABLE",
	"DATABASE PROPERTIES", "ROLE", "TABLESPACE",
}, inert...)

// runsText are functions that run what a text says, write files, large objects
// or settings, or reach other servers.
var runsText = regexp.MustCompile(`^(?:\w+_to_xml\w*|ts_stat|ts_rewrite|lo_\w+|lowrite|set_config|pg_reload_conf` +
	`|pg_file_\w+|pg_read_\w+|pg_ls_\w+|` +
	`pg_logical_\w+|pg_terminate_backend|pg_cancel_backend|dblink\w*|crosstab\w*|connectby|xpath_table` +
	`|pg_background\w*|pg_stat_file)$`)

// quietExtensions have no function that runs a text or writes, beside those
// that runsText names.
var quietExtensions = strings.Fields(`
	plpgsql amcheck bloom btree_gin btree_gist citext cube dict_int dict_xsyn earthdistance fuzzystrmatch h3
	hll hstore intarray ip4r isn lo ltree pageinspect pg_bigm pg_buffercache pg_freespacemap pg_prewarm
	pg_stat_statements pg_trgm pg_uuidv7 pg_visibility pgcrypto pgrowlocks pgstattuple postgis prefix
	roaringbitmap rum seg semver sslinfo tablefunc tdigest topn tsm_system_rows tsm_system_time unaccent
	uuid-ossp vector`)
