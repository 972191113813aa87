package restore

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"daybefore/internal/archive"
	"daybefore/internal/verdict"
)

// object is what an entry of the archive, or a statement, makes.
type object struct {
	kind string    // as the table of contents has it: MATERIALIZED VIEW DATA
	name tableName // unquoted; of a function without its arguments; the schema may be empty
}

// A cause is why an error need not be the backup's fault: what the drill itself
// left out, or its sandbox cannot have. Empty: the backup's.
type cause string

const (
	byNetwork    cause = "the sandbox has no network, and foreign servers are left out"
	byPreload    cause = "a library has to be loaded at the server's start"
	byFile       cause = "a file of production's server, such as a dictionary, is not in the sandbox"
	byLibrary    cause = "the sandbox lacks a library or language"
	byLocale     cause = "the sandbox lacks a locale or collation"
	byTablespace cause = "tablespaces are left out"
	byExtension  cause = "an extension is left out (restore.extensions: skip)"
	byProvider   cause = "an extension is on its provider's servers alone"
	byLeftOut    cause = "the drill leaves out what would call home"
	byExcluded   cause = "it reads rows that the drill file leaves out"
	bySetting    cause = "the sandbox's server does not take a setting of the database"
	byControl    cause = "an extension of the sandbox does not say which version of it to install"
	byLicense    cause = "the sandbox's TimescaleDB is built without the parts under the Timescale License"
)

// remedies say what to do about each.
var remedies = map[cause]string{
	byNetwork:    "what reads other servers is not proven here: try it by hand, or leave it out of the backup",
	byPreload:    "name the library under sandbox.preload",
	byFile:       "name an image that has the file under sandbox.image",
	byLibrary:    "name an image that has it under sandbox.image",
	byLocale:     "name an image that has it under sandbox.image",
	byTablespace: "nothing to do: a restore on a server that has the tablespace does not meet this",
	byExtension:  "name an image that has the extension under sandbox.image",
	byProvider:   "what needs it is not proven here: only a restore at the provider shows it",
	byLeftOut:    "scrub.drop says what is left out",
	byExcluded:   "take the table that it reads out of scrub.exclude_table_data",
	bySetting:    "name an image under sandbox.image that takes the setting",
	byControl:    "name an image under sandbox.image in which the extension's control file has a default_version",
	byLicense:    "name an image under sandbox.image that has them, such as timescale/timescaledb; Debian's has not",
}

type causeSign struct {
	words *regexp.Regexp
	cause cause
}

// signs are the words in which a server says that it lacks something which no
// backup brings along: of src/backend (utils/fmgr/dfmgr.c, utils/adt/pg_locale.c,
// tsearch/*.c, commands/tablespace.c and extension.c) and contrib's postgres_fdw,
// dblink and file_fdw.
var signs = []causeSign{
	{regexp.MustCompile(`^(?:could not connect to server "|could not establish connection` +
		`|connection (?:"[^"]*" )?not available|user mapping not found for |` +
		`could not connect to |failed to connect to |could not translate host name` +
		`|password or GSSAPI delegated credentials required)`), byNetwork},
	{mustBeLoaded, byPreload},
	{regexp.MustCompile(`^could not open (?:[a-z-]+ )?(?:dictionary|affix|stop-word|thesaurus|synonym|rules) file "|` +
		`^could not (?:open|stat) file "/[^"]*"(?: for reading)?: (?:No such file|Permission denied)`), byFile},
	{regexp.MustCompile(`^could not (?:access|load) (?:file|library) "|^could not find function "[^"]*" in file "` +
		`|^incompatible library "|^extension "[^"]*" is not available|^could not open extension control file `), byLibrary},
	{regexp.MustCompile(`^could not create locale "|^could not open collator for locale "` +
		`|^could not convert locale name "|^ICU is not supported in this build|` +
		`^collation "[^"]*" for encoding "[^"]*" does not exist|^(?:invalid|unrecognized) (?:ICU )?locale|` +
		`^ICU locale "`), byLocale},
	{regexp.MustCompile(`^tablespace "[^"]*" does not exist`), byTablespace},
	{regexp.MustCompile(`^version to install must be specified`), byControl},
	// of timescaledb's src/license_guc.c and src/cross_module_fn.c
	{regexp.MustCompile(`^(?:functionality|function "[^"]*" is) not supported under the current "\w+" license`),
		byLicense},
}

// mustBeLoaded is how an extension insists on being preloaded, each in words
// of its own (pg_cron, citus, pgaudit, pg_stat_statements, timescaledb).
var mustBeLoaded = regexp.MustCompile(`shared_preload_libraries|must be (?:pre)?loaded\b`)

// absent is how a server says that something is not there, or not filled.
var absent = regexp.MustCompile(`does not exist|has not been populated|has no default operator class`)

// named finds the names in a message of the server: quoted, or qualified.
var named = regexp.MustCompile(`"([^"]+)"|\b([A-Za-z_][\w$]*\.[A-Za-z_][\w$]*)\b`)

// attribute says of each error whose doing it is. What rests on something that
// is missing has the same cause: so it begins anew until nothing more is found.
func (s *Session) attribute() (said []message) {
	said = s.said.all(failure)
	if len(said) == 0 {
		return nil
	}
	lost := s.lostBefore()
	for again := true; again; {
		again = false
		for i := range said {
			m := &said[i]
			if m.cause != "" {
				continue
			}
			m.cause = s.causeOf(*m, lost)
			if m.cause != "" {
				again = true
				lost.add(s.about(*m), m)
			}
		}
	}
	return said
}

// lostThings are what is not in the sandbox for a cause that is known, by name
// (with and without schema) and by dump id.
type lostThings struct {
	names map[string]cause
	ids   map[int]cause
}

func (l lostThings) add(o object, m *message) {
	if m.id != 0 {
		l.ids[m.id] = m.cause
	}
	l.name(o, m.cause)
}

func (l lostThings) name(o object, why cause) {
	if o.name.table == "" || o.kind == "COMMENT" || o.kind == "ACL" {
		return
	}
	l.names[o.name.table] = why
	if o.name.schema != "" {
		l.names[o.name.display()] = why
	}
}

// lostBefore are the things that the drill left out by itself.
func (s *Session) lostBefore() lostThings {
	l := lostThings{map[string]cause{}, map[int]cause{}}
	leave := func(entries []archive.Entry, why func(archive.Entry) cause) {
		for _, e := range entries {
			if c := why(e); c != "" {
				l.ids[e.DumpID] = c
				l.name(objectOf(e), c)
			}
		}
	}
	leave(s.lists.dropped, func(e archive.Entry) cause {
		switch callHome(e) {
		case foreignServers, userMappings:
			return byNetwork
		case cronJobs:
			return ""
		}
		return byLeftOut
	})
	leave(s.lists.leftOut, func(e archive.Entry) cause {
		if e.Desc == "EXTENSION" {
			return byExtension
		}
		return ""
	})
	for _, l := range s.providers {
		leave(l.leftOut, func(e archive.Entry) cause {
			if e.Desc == "EXTENSION" {
				return byProvider
			}
			return ""
		})
	}
	leave(s.unfilled, func(archive.Entry) cause { return byNetwork })
	for _, e := range s.archive.Entries { // a server of which the name alone came back is there
		if e.Desc == "SERVER" && !slices.Contains(s.unnamed, e.Tag) {
			delete(l.ids, e.DumpID)
		}
	}
	return l
}

// causeOf is the cause of one error, as far as is known yet.
func (s *Session) causeOf(m message, lost lostThings) cause {
	for _, sign := range signs {
		if sign.words.MatchString(m.text) && !s.makesOneOf(m.text, sign.cause) {
			return sign.cause
		}
	}
	if m.mustBeLoaded {
		return byPreload
	}
	if slices.Contains(s.unset, "lc_monetary") && strings.Contains(m.text, "type money") {
		return bySetting
	}
	if c := s.restsOnLost(m, lost); c != "" {
		return c
	}
	if s.readExcluded(m) {
		return byExcluded
	}
	if s.skipped && absent.MatchString(m.text) && !s.makesAny(m.text) {
		return byExtension
	}
	return ""
}

// restsOnLost is the cause of what an error's entry needs, or its words name.
func (s *Session) restsOnLost(m message, lost lostThings) cause {
	if e, ok := s.entry(m.id); ok && absent.MatchString(m.text) {
		for _, d := range e.Deps {
			if c := lost.ids[d]; c != "" {
				return c
			}
		}
	}
	if !absent.MatchString(m.text) {
		return ""
	}
	for _, n := range namesIn(m.text) {
		if c := lost.names[n]; c != "" {
			return c
		}
	}
	return ""
}

// readExcluded reports whether the rows that an error is about were refused by
// what had read a table whose own rows are left out on request.
func (s *Session) readExcluded(m message) bool {
	if s.order == nil || len(s.lists.excluded) == 0 {
		return false
	}
	refused := s.about(m)
	return slices.ContainsFunc(s.order.saw, func(seen sighting) bool {
		return refused == objectOf(seen.entry) && slices.ContainsFunc(s.lists.excluded, func(e archive.Entry) bool {
			return tableName{e.Namespace, e.Tag} == seen.read
		})
	})
}

// namesIn returns the names in a message, without quotes.
func namesIn(text string) (names []string) {
	for _, m := range named.FindAllStringSubmatch(text, -1) {
		names = append(names, m[1]+m[2])
	}
	return names
}

// makesOneOf tells that a collation which is said to be missing is the
// archive's own, so that something else must be wrong with it.
func (s *Session) makesOneOf(text string, c cause) bool {
	return c == byLocale && strings.HasPrefix(text, `collation "`) && s.makesAny(text)
}

// makesAny reports whether the archive makes anything that a message names.
func (s *Session) makesAny(text string) bool {
	if s.makes == nil {
		s.makes = map[string]bool{}
		for _, e := range s.archive.Entries {
			if o := objectOf(e); e.Section != archive.SectionNone && e.Desc != "EXTENSION" {
				s.makes[o.name.table], s.makes[o.name.display()] = true, true
			}
		}
	}
	return slices.ContainsFunc(namesIn(text), func(n string) bool { return s.makes[n] })
}

// about is what an error is about.
func (s *Session) about(m message) object {
	if e, ok := s.entry(m.id); ok {
		return objectOf(e)
	}
	if m.object != (object{}) {
		return m.object
	}
	for _, t := range s.tables {
		if m.entry == "TABLE DATA "+t.display() {
			return object{"TABLE DATA", t.tableName}
		}
	}
	return object{}
}

// entry finds an entry by its dump id, of which 0 is nobody's. It is asked for
// every error, of which there may be as many as entries.
func (s *Session) entry(id int) (archive.Entry, bool) {
	if s.places == nil {
		s.places = map[int]int{}
		for i, e := range s.archive.Entries {
			s.places[e.DumpID] = i
		}
	}
	i, ok := s.places[id]
	if id == 0 || !ok {
		return archive.Entry{}, false
	}
	return s.archive.Entries[i], true
}

// objectOf is what an entry makes: of a trigger, a rule or a column's default
// that, and not the table that its tag names first.
func objectOf(e archive.Entry) object {
	tag := e.Tag
	switch e.Desc {
	case "FUNCTION", "PROCEDURE", "AGGREGATE":
		tag, _, _ = strings.Cut(tag, "(")
	case "TRIGGER", "RULE", "POLICY", "DEFAULT", "CONSTRAINT", "FK CONSTRAINT", "CHECK CONSTRAINT", "ROW SECURITY":
		if _, after, ok := strings.Cut(tag, " "); ok {
			tag = after
		}
	}
	return object{e.Desc, tableName{e.Namespace, tag}}
}

// notPreloaded is the error of an extension that can only be created where its
// library was loaded at the server's start: nothing that follows means anything.
func (s *Session) notPreloaded() error {
	var libraries []string
	for _, m := range slices.Concat(s.said.all(failure), s.said.all(trouble)) {
		o := s.about(m)
		if m.mustBeLoaded && (o.kind == "EXTENSION" || o.kind == "") {
			libraries = append(libraries, o.name.table)
		}
	}
	libraries = slices.DeleteFunc(libraries, func(l string) bool { return l == "" })
	if len(libraries) == 0 {
		return nil
	}
	slices.Sort(libraries)
	missing := strings.Join(slices.Compact(libraries), ", ")
	return verdict.Errorf(verdict.CodeExtensions,
		fmt.Sprintf("set sandbox.preload: [%s] (the library nearly always has the extension's name), "+
			"with an image that has it", missing),
		"restore %s: extensions of the backup can only be created where the server loaded their library "+
			"at its start: %s", s.archive.Database, missing)
}

// harmless are errors that everybody meets and that lose nothing: a new
// database has what the archive makes once more. Each is tolerated in this form
// only, told as a notice, and no other error of the same entry with it.
var harmless = []struct{ kind, name, text string }{
	// pg_dump -n public writes the schema, which every new database has.
	{"SCHEMA", "public", `schema "public" already exists`},
	// Dumps of servers before 9.1 write the language, which came as no extension.
	{"PROCEDURAL LANGUAGE", "plpgsql", `language "plpgsql" already exists`},
	{"PROCEDURAL LANGUAGE", "plpgsql", `extension "plpgsql" already exists`},
}

// forgive makes notices of the errors that are harmless.
func (s *Session) forgive() {
	s.said.each(func(m *message) {
		o := s.about(*m)
		for _, h := range harmless {
			if m.severity == failure && m.text == h.text && o.kind == h.kind && o.name.table == h.name {
				m.severity = notice
			}
		}
	})
}
