package archive

import (
	"errors"
	"slices"
	"strings"

	"daybefore/internal/sqltext"
	"daybefore/internal/verdict"
)

// meta accepts the meta-commands that pg_dump and pg_dumpall write, and those
// around a dump that change nothing of what it restores.
func (p *plainReader) meta(it sqltext.Item) {
	command, arg, _ := strings.Cut(strings.TrimRight(string(it.Text), " \t\r"), " ")
	arg = strings.TrimLeft(arg, " \t")
	switch {
	case !it.Whole && (command != `\unrestrict` || arg != p.restrict):
		p.s.Cut("a meta-command")
	case command == `\restrict` && sqltext.IsKey(arg) && p.restrict == "":
		p.restrict, p.sealed = arg, false
	case command == `\unrestrict` && sqltext.IsKey(arg) && p.restrict != "":
		if arg != p.restrict {
			p.s.Fail(verdict.Truncated(`read %s: the key of \unrestrict in line %d is not that of \restrict`, p.name,
				it.Line))
		}
		p.restrict, p.sealed = "", p.db != nil && p.db.created
	case oneOf(command, `\restrict`, `\unrestrict`), nearRestrict(command):
		p.s.Fail(
			verdict.Corrupt(
				`read %s: line %d holds \restrict or \unrestrict with a damaged name or key, or one without the other`,
				p.name, it.Line,
			),
		)
	case command == `\encoding` && arg == "SQL_ASCII": // before the \connect of a name that is not ASCII
	case command == `\encoding` && arg != "" && strings.Trim(arg, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789'") == "":
		value := strings.Trim(arg, "'")
		p.set(it, sqltext.Setting{Name: "client_encoding", Value: value}, "SET client_encoding = '"+value+"';")
	case command == `\connect`, command == `\c`:
		database, ok := connectTarget(arg)
		if !ok {
			p.refuseMeta(it.Line, command)
			return
		}
		p.connect(database)
	case idleMeta(command, arg):
	default:
		p.refuseMeta(it.Line, command)
	}
}

// nearRestrict tells a command that a damaged byte or two make of \restrict or
// \unrestrict, with its key if the blank before that is what was damaged. No
// command of psql's is as near to them, and pg_dump writes both or none.
func nearRestrict(command string) bool {
	const keyed = 20 // bytes more than any command has
	return slices.ContainsFunc([]string{`\restrict`, `\unrestrict`}, func(known string) bool {
		return len(command) == len(known) && differing(command, known) <= 2 ||
			len(command) > len(known)+keyed && strings.HasPrefix(command, known)
	})
}

// differing counts the bytes that differ between texts of one length.
func differing(a, b string) (n int) {
	for i := range len(a) {
		if a[i] != b[i] {
			n++
		}
	}
	return n
}

// madeWords are what pg_dump creates and alters, by the word after the verb.
var madeWords = []string{"aggregate", "collation", "conversion", "database", "default", "domain", "event", "extension",
	"foreign", "function",
	"index", "language", "materialized", "operator", "policy", "procedure", "publication", "role", "rule", "schema",
	"sequence", "server",
	"statistics", "subscription", "table", "tablespace", "text", "transform", "trigger", "type", "unique", "unlogged",
	"user", "view"}

// nearWord tells a word that one damaged byte makes of one of them. Words that
// are further off may be another program's own, such as PACKAGE.
func nearWord(t sqltext.Token) bool {
	return t.Kind == sqltext.Word && slices.ContainsFunc(madeWords, func(known string) bool {
		return len(t.Text) == len(known) && differing(t.Text, known) == 1
	})
}

// idleMeta tells meta-commands that only change what psql says. Backticks would
// run a program, and psql puts variables of other names into the statements.
func idleMeta(command, arg string) bool {
	if strings.Contains(arg, "`") {
		return false
	}
	variable, _, _ := strings.Cut(arg, " ")
	switch command {
	case `\timing`, `\echo`, `\qecho`, `\warn`, `\pset`, `\x`, `\t`, `\a`, `\errverbose`:
		return true
	case `\set`, `\unset`:
		return oneOf(variable, "ON_ERROR_STOP", "ON_ERROR_ROLLBACK", "QUIET", "VERBOSITY", "SHOW_CONTEXT", "ECHO",
			"ECHO_HIDDEN", "FETCH_COUNT")
	}
	return false
}

func (p *plainReader) refuseMeta(line int64, command string) {
	name := strings.TrimLeft(command, `\`)
	if len(name) > 20 || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz") != "" {
		name = ""
	}
	p.s.Fail(verdict.Errorf(verdict.CodeUnsupported,
		"take the backup with pg_dump; meta-commands could run programs, so only pg_dump's own are let through",
		`read %s: line %d holds a meta-command of psql, \%s, as pg_dump does not write it`, p.name, line, name))
}

// connectTarget reads what appendPsqlMetaConnect writes (fe_utils/string_utils.c):
// name, "name", or -reuse-previous=on "dbname='name'".
func connectTarget(arg string) (string, bool) {
	rest, conninfo := strings.CutPrefix(arg, "-reuse-previous=on ")
	if n := len(rest); n >= 2 && rest[0] == '"' && rest[n-1] == '"' {
		rest = strings.ReplaceAll(rest[1:n-1], `""`, `"`)
	} else if strings.ContainsAny(rest, " \t'\"\\`:") || strings.HasPrefix(rest, "-") {
		return "", false
	}
	if !conninfo {
		return rest, rest != ""
	}
	rest, ok := strings.CutPrefix(rest, "dbname=")
	if n := len(rest); n >= 2 && rest[0] == '\'' && rest[n-1] == '\'' {
		rest = strings.NewReplacer(`\\`, `\`, `\'`, `'`).Replace(rest[1 : n-1])
	}
	return rest, ok && rest != ""
}

// connect begins a session, in the database of the dump being read or, beside
// the dumps, in any.
func (p *plainReader) connect(database string) {
	if p.begun.Line > 0 {
		p.s.Fail(verdict.Truncated("read %s: line %d leaves the session in which line %d begins a transaction: a "+
			"restore would keep nothing of it",
			p.name, p.s.Item().Line, p.begun.Line))
	}
	p.reset()
	p.connected = database
	db := p.db
	switch {
	case !p.inDump:
		p.db = nil
	case db.Database == database:
		db.named = true
	case db.named || slices.ContainsFunc(db.entries, func(e Entry) bool { return !e.aboutDump() }):
		p.s.Refuse(p.s.Item().Line, "a change to a second database within the dump of one")
	default:
		db.Database, db.named = database, true
		db.follow(p.dbs)
	}
}

// noise takes words that are no SQL before a statement: a program's messages
// (2>&1, docker exec -t), a password prompt, a shell's. To psql they begin the
// statement, which the server then refuses as a whole. Nothing is lost with a
// setting that only says how long something may take.
func (p *plainReader) noise(it sqltext.Item, text string) {
	rest := behindNoise(text)
	d := derive(sqltext.Tokens(rest, p.s.StdStrings))
	if d.kind != stmtSetting || !idleSetting(d.set.Name) {
		p.s.Fail(p.notSQL(it.Line))
		return
	}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if line == dumpEnds || line == clusterEnds {
			p.s.Fail(p.notSQL(it.Line))
		} else if strings.HasPrefix(line, "--") {
			p.comment(line)
		}
	}
	for _, line := range it.Metas {
		p.meta(sqltext.Item{Kind: sqltext.ItemMeta, Line: it.Line, Text: []byte(line), Whole: true})
	}
}

// behindNoise is the text from its first line that is a comment or SQL.
func behindNoise(text string) string {
	for {
		_, rest, found := strings.Cut(text, "\n")
		if !found {
			return ""
		}
		text = rest
		if strings.HasPrefix(text, "--") || !notSQLYet(text) {
			return text
		}
	}
}

// notSQLYet tells lines that SQL does not begin with.
func notSQLYet(text string) bool {
	end := strings.IndexFunc(text, func(r rune) bool { return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') })
	return end <= 0 || !sqltext.IsVerb(strings.ToLower(text[:end]))
}

// idleSetting tells settings that change nothing of what is restored.
func idleSetting(name string) bool {
	return oneOf(name, "statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout",
		"transaction_timeout", "client_min_messages",
		"check_function_bodies", "xmloption", "row_security", "default_transaction_read_only", "bytea_output",
		"extra_float_digits")
}

func (p *plainReader) notSQL(line int64) error {
	return verdict.Errorf(verdict.CodeUnsupported,
		"keep messages, prompts and what a terminal shows out of dumps: pg_dump -f, no 2>&1, docker exec without -t",
		"read %s: line %d holds something other than SQL among the statements, as a program's messages "+
			"or a shell's prompt are: psql takes it for the beginning of the statement after it, which is then lost",
		p.name, line)
}

// heard says what ended the reading. Words that are no SQL explain what came of
// reading on from them; after all dumps they change nothing.
func (p *plainReader) heard(it sqltext.Item, err error) error {
	var problem *verdict.Problem
	if !errors.As(err, &problem) || it.Kind != sqltext.ItemStatement || !it.Noise {
		return err
	}
	switch {
	case p.s.AtEnd() && !p.inDump && p.headers > 0:
		return p.end()
	case p.s.AtEnd() && !slices.Contains(it.Text, '\n'):
		return err // cut within its first word
	}
	return p.notSQL(it.Line)
}

// databases are the names of those that the script holds something of, in its order.
func (p *plainReader) databases() []string {
	var names []string
	for _, db := range p.dbs {
		if (db.ended || len(db.entries) > 0) && !slices.Contains(names, db.Database) {
			names = append(names, db.Database)
		}
	}
	return names
}

// choose picks the database that is kept, all that there is of it.
func (p *plainReader) choose(database string) (*plainDatabase, error) {
	names := p.databases()
	own := slices.DeleteFunc(slices.Clone(names),
		func(name string) bool { return name == "postgres" || name == "template1" })
	switch {
	case len(names) == 0:
		return nil, verdict.Failf(verdict.CodeDatabase,
			"dump the databases too: pg_dumpall without --globals-only or --roles-only, or pg_dump",
			"read %s: it holds roles and what else all databases share, as pg_dumpall --globals-only and "+
				"--roles-only write it, and no database", p.name)
	case len(names) == 1 && !p.cluster:
		return p.joined(names[0])
	case database != "" && slices.Contains(names, database):
		return p.joined(database)
	// what psql brings to the database that it is told
	case slices.Contains(own, "") && (database != "" || len(own) == 1):
		return p.joined("")
	case database != "":
		return nil, verdict.Failf(verdict.CodeDatabase,
			"look at what the backup job dumps, or correct the database's name in the drill file",
			"read %w", &OtherDatabaseError{Name: p.name, Wanted: database, Held: listedNames(names)})
	case len(own) == 1:
		return p.joined(own[0])
	}
	return nil, verdict.Errorf(verdict.CodeSpec, "name the database to be restored in the drill file (source.database)",
		"read %s: it holds several databases (%s), and which one is meant is not said", p.name, spelled(names))
}

func spelled(names []string) string { return strings.Join(listedNames(names), ", ") }

// listedNames are names of databases fit to be shown, sorted.
func listedNames(names []string) []string {
	sorted := slices.Sorted(slices.Values(names))
	for i, name := range sorted {
		sorted[i] = verdict.Printable(name)
		if name == "" {
			sorted[i] = "one that is not named"
		}
	}
	return sorted
}

// joined puts together what the script holds of a database: a schema and its
// rows, sections one after the other, or one whole dump. Of two dumps that each
// make tables it cannot be told whether they are of one database.
func (p *plainReader) joined(name string) (*plainDatabase, error) {
	all := &plainDatabase{}
	first := true
	for _, db := range p.dbs {
		if db.Database != name || !db.ended && len(db.entries) == 0 {
			continue
		}
		if first {
			all, first = db, false
			continue
		}
		if err := p.fit(all, db); err != nil {
			return nil, err
		}
		all.join(db)
	}
	return all, nil
}

// fit reports whether psql would restore what comes after the rest as its part.
func (p *plainReader) fit(all, next *plainDatabase) error {
	const hint = "write one dump to a file: > begins a new one where >> appends"
	unfit := func(why string) error {
		return verdict.Errorf(verdict.CodeUnsupported, hint,
			"read %s: two dumps stand in one file, from line %d and from line %d on: %s",
			p.name, all.line, next.line, why)
	}
	rows := func(d *plainDatabase) bool {
		return slices.ContainsFunc(d.entries, func(e Entry) bool { return e.Desc == "TABLE DATA" })
	}
	twice := slices.ContainsFunc(next.entries, func(e Entry) bool {
		return e.Desc == "TABLE DATA" && slices.ContainsFunc(all.entries, func(o Entry) bool {
			return o.Desc == "TABLE DATA" && o.Namespace == e.Namespace && o.Tag == e.Tag
		})
	})
	switch {
	case all.tables && next.tables:
		return unfit("both make tables, so that it cannot be told which is the database's")
	case next.tables && rows(all):
		return unfit("the rows stand before the tables")
	case twice:
		return unfit("both bring rows of one table")
	case all.encoded && next.encoded && (all.Encoding != next.Encoding || all.StdStrings != next.StdStrings):
		return unfit("they are written in different encodings")
	}
	return nil
}

// join adds what stands after.
func (d *plainDatabase) join(next *plainDatabase) {
	if next.encoded && !d.encoded || d.Encoding == "" {
		d.Encoding, d.StdStrings, d.encoded = next.Encoding, next.StdStrings, next.encoded
	}
	if d.ServerMajor == 0 {
		d.ServerVersion, d.ServerMajor, d.DumpVersion, d.DumpMajor = next.ServerVersion, next.ServerMajor,
			next.DumpVersion, next.DumpMajor
	}
	if d.Created.IsZero() {
		d.Created = next.Created
	}
	d.entries = append(d.entries, next.entries...)
	d.roles = append(d.roles, next.roles...)
	d.tables, d.data = d.tables || next.tables, d.data || next.data
}

// createdAs returns what globals say of the database of that name.
func (p *plainReader) createdAs(database string) []Entry {
	return slices.DeleteFunc(p.created, func(e Entry) bool { return e.object != database })
}

// heldIn returns what globals set for the superuser's sessions, as settings of
// that role in a database that psql connects to after them: there they hold
// while the database is restored, and what the database sets for the role
// outranks them.
func (p *plainReader) heldIn(database string) []Entry {
	if database == "" {
		return nil
	}
	var entries []Entry
	for _, set := range p.sessions {
		entries = append(entries, Entry{Desc: "DATABASE PROPERTIES", Tag: database, Section: SectionPreData,
			Defn: "ALTER ROLE " + superuser + " IN DATABASE " + quoteIdent(database) + " " + set + ";"})
	}
	return entries
}

// own are the entries of a database, without the settings of others, which a
// restore of this one alone has no use for.
func (p *plainReader) own(db *plainDatabase) []Entry {
	return slices.DeleteFunc(db.entries, func(e Entry) bool {
		return db.Database != "" && e.Desc == "DATABASE PROPERTIES" && e.object != "" && e.object != db.Database
	})
}
