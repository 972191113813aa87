package archive

import (
	"regexp"
	"slices"
	"strings"
)

// OwnCode says what of the backup's own code a restore, or the queries asked
// afterwards, may run; empty: nothing. It goes by the archive's text alone,
// which that code cannot change, and errs on the side of naming something: a
// function counts that is named anywhere but in another's body.
func (a *Archive) OwnCode(queries ...string) string {
	authored := a.functions()
	reached := func(sql string) string {
		for _, t := range a.tokens(sql) {
			if t.kind == tokenWord && runsText.MatchString(t.text) || (t.kind == tokenWord || t.kind == tokenQuoted) && authored[t.text] {
				return "the function " + t.text
			}
		}
		return ""
	}
	for _, e := range a.Entries {
		if found := e.runs(); found != "" {
			return found
		}
		if slices.Contains(inert, e.Desc) {
			continue
		}
		if found := reached(e.Defn); found != "" {
			return found
		}
	}
	for _, sql := range queries {
		if found := reached(sql); found != "" {
			return found
		}
	}
	return ""
}

// functions are the names of the functions that the archive brings, by which
// anything may call them: not those of triggers, which nothing fires behind the
// rows.
func (a *Archive) functions() map[string]bool {
	names := map[string]bool{}
	for _, e := range a.Entries {
		if !slices.Contains([]string{"FUNCTION", "PROCEDURE", "AGGREGATE"}, e.Desc) || a.isTriggers(e.Defn) {
			continue
		}
		name, _, _ := strings.Cut(e.Tag, "(")
		names[name] = true
	}
	return names
}

// isTriggers reports whether a definition is that of a function for triggers.
func (a *Archive) isTriggers(sql string) bool {
	before := token{}
	for _, t := range a.tokens(sql) {
		if before.is("returns") && t.is("trigger") {
			return true
		}
		before = t
	}
	return false
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
	"FUNCTION", "PROCEDURE", "TRIGGER", "COMMENT", "ACL", "DEFAULT ACL", "SECURITY LABEL", "ENCODING", "STDSTRINGS", "SEARCHPATH",
	"TABLE DATA", "SEQUENCE SET", "BLOB", "BLOBS", "BLOB METADATA", "BLOB COMMENTS", "STATISTICS DATA", "EXTENSION", "DATABASE",
}

// descriptions are kinds of entries that declare something, beside those that
// are inert; of any other it is not known.
var descriptions = append([]string{
	"TABLE", "VIEW", "MATERIALIZED VIEW", "MATERIALIZED VIEW DATA", "FOREIGN TABLE", "SEQUENCE", "SEQUENCE OWNED BY", "INDEX",
	"INDEX ATTACH", "TABLE ATTACH", "CONSTRAINT", "FK CONSTRAINT", "CHECK CONSTRAINT", "DEFAULT", "RULE", "POLICY", "ROW SECURITY",
	"TYPE", "DOMAIN", "SHELL TYPE", "SCHEMA", "AGGREGATE", "OPERATOR", "OPERATOR CLASS", "OPERATOR FAMILY", "CAST", "COLLATION",
	"CONVERSION", "ACCESS METHOD", "PROCEDURAL LANGUAGE", "TEXT SEARCH CONFIGURATION", "TEXT SEARCH DICTIONARY",
	"TEXT SEARCH PARSER", "TEXT SEARCH TEMPLATE", "FOREIGN DATA WRAPPER", "SERVER", "USER MAPPING", "STATISTICS", "TRANSFORM",
	"PUBLICATION", "PUBLICATION TABLE", "PUBLICATION TABLES IN SCHEMA", "SUBSCRIPTION", "SUBSCRIPTION TABLE",
	"DATABASE PROPERTIES", "ROLE", "TABLESPACE",
}, inert...)

// runsText are functions that run what a text says, write files, large objects
// or settings, or reach other servers.
var runsText = regexp.MustCompile(`^(?:\w+_to_xml\w*|ts_stat|ts_rewrite|lo_\w+|lowrite|set_config|pg_reload_conf|pg_file_\w+|pg_read_\w+|pg_ls_\w+|` +
	`pg_logical_\w+|pg_terminate_backend|pg_cancel_backend|dblink\w*|crosstab\w*|connectby|xpath_table|pg_background\w*|pg_stat_file)$`)

// quietExtensions have no function that runs a text or writes, beside those
// that runsText names.
var quietExtensions = strings.Fields(`plpgsql amcheck bloom btree_gin btree_gist citext cube dict_int dict_xsyn earthdistance fuzzystrmatch
	h3 hll hstore intarray ip4r isn lo ltree pageinspect pg_bigm pg_buffercache pg_freespacemap pg_prewarm pg_stat_statements pg_trgm
	pg_uuidv7 pg_visibility pgcrypto pgrowlocks pgstattuple postgis prefix roaringbitmap rum seg semver sslinfo tablefunc tdigest topn
	tsm_system_rows tsm_system_time unaccent uuid-ossp vector`)
