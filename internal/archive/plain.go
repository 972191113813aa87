package archive

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"daybefore/internal/copytext"
	"daybefore/internal/verdict"
)

// The lines that a script begins and ends with (pg_backup_archiver.c,
// pg_dumpall.c). Without the last one it is truncated, whatever it holds.
const (
	dumpBegins    = "-- PostgreSQL database dump"
	dumpEnds      = "-- PostgreSQL database dump complete"
	clusterBegins = "-- PostgreSQL database cluster dump"
	clusterEnds   = "-- PostgreSQL database cluster dump complete"
)

// setting is a SET statement in force.
type setting struct{ name, statement string }

// part is a run of bytes of a script that is executed under these settings.
// Lists of settings are never changed, so that parts share them.
type part struct {
	start, end int64
	settings   []setting
}

// plainDatabase is what a script holds of one database.
type plainDatabase struct {
	Header
	entries []Entry
	roles   []string // that sessions act as
	label   label    // pg_dump's comment on the object that comes next
	open    bool     // the last entry may go on
	head    []byte   // of the last INSERT statement, up to VALUES
	dropped bool     // --clean was used
	created bool     // something was made: no longer the DROPs of --clean
	data    bool     // the first rows came
	ended   bool
	begun   bool // BEGIN around large objects
	encoded bool // client_encoding and standard_conforming_strings are settled
}

// plainReader takes a script apart. A cluster's holds several databases, and
// before them roles and tablespaces of which only the roles' names are kept.
type plainReader struct {
	name      string
	s         *scanner
	cluster   bool
	ended     bool // the last end marker came
	settings  []setting
	restrict  string // key of \restrict that no \unrestrict took back
	connected string // database of the last \connect
	dbs       []*plainDatabase
	db        *plainDatabase // the one being read; nil between them
	roles     map[string]bool
	created   []Entry // CREATE DATABASE among the roles, as pg_dumpall 10 writes it
}

func newPlainReader(name string, r io.Reader) *plainReader {
	return &plainReader{name: name, s: newScanner(name, r), roles: map[string]bool{}}
}

// readPlain reads a whole script, which lies at path unpacked, from r. Of a
// cluster's, what belongs to the database is kept; where it is empty, the
// only one besides those that every cluster has.
func readPlain(name string, r io.Reader, path, database string) (*Archive, error) {
	p := newPlainReader(name, r)
	if err := p.read(); err != nil {
		return nil, err
	}
	db, err := p.choose(database)
	if err != nil {
		return nil, err
	}
	a := &Archive{Header: db.Header, Path: path, Size: p.s.offset(), Entries: db.entries, roles: db.roles}
	if p.cluster {
		a.Entries = slices.Concat(p.createdAs(db.Database), a.Entries)
		delete(p.roles, "")
		a.ClusterRoles = sortedKeys(p.roles)
	}
	number(a.Entries)
	a.toUTF8()
	return a, nil
}

// number gives the entries ids, and those that rest on one table its id.
func number(entries []Entry) {
	tables := map[[2]string]int{}
	for i := range entries {
		e := &entries[i]
		e.DumpID = i + 1
		switch e.Desc {
		case "TABLE":
			tables[[2]string{e.Namespace, e.Tag}] = e.DumpID
		case "TABLE DATA":
			e.table = [2]string{e.Namespace, e.Tag}
		}
		if id, ok := tables[e.table]; ok && e.table[1] != "" {
			e.Deps = []int{id}
		}
	}
}

// peekPlain reads what the first bytes of a script say.
func peekPlain(name string, r io.Reader) (Header, error) {
	p := newPlainReader(name, r)
	err := p.read()
	var problem *verdict.Problem
	if errors.As(err, &problem) && problem.Code == verdict.CodeTruncated {
		err = nil
	}
	if err != nil {
		return Header{}, err
	}
	if len(p.dbs) == 0 {
		return plainHeader(), nil
	}
	h := p.dbs[0].Header
	if p.cluster && len(p.dbs) > 0 {
		h.Database = "" // any of them may be meant
	}
	return h, nil
}

func plainHeader() Header {
	return Header{Format: Plain, Compression: None, DataCompression: "none", StdStrings: true}
}

// read reads to the end of the script.
func (p *plainReader) read() error {
	for {
		it, err := p.s.next()
		if err != nil {
			return err
		}
		switch it.kind {
		case itemEnd:
			return p.end()
		case itemComment:
			if it.whole { // a part of one may read like another
				p.comment(string(it.text))
			}
		case itemMeta:
			p.meta(it)
		case itemStatement:
			p.statement(it)
		}
		if p.s.err != nil {
			return p.s.err
		}
	}
}

// end checks that everything that began has ended.
func (p *plainReader) end() error {
	switch {
	case !p.ended && p.cluster:
		return truncated("read %s: it ends after %d bytes without %q", p.name, p.s.offset(), clusterEnds)
	case !p.ended:
		return truncated("read %s: it ends after %d bytes without %q", p.name, p.s.offset(), dumpEnds)
	case p.restrict != "":
		return truncated(`read %s: it ends after %d bytes without the \unrestrict that its \restrict needs`, p.name, p.s.offset())
	}
	return nil
}

// comment looks for the marks that pg_dump leaves in comments.
func (p *plainReader) comment(line string) {
	if p.ended && line != "--" {
		p.after("a comment")
		return
	}
	switch line {
	case clusterBegins:
		p.cluster = p.cluster || len(p.dbs) == 0
		return
	case dumpBegins:
		p.begin()
		return
	case dumpEnds, clusterEnds:
		p.marker(line)
		return
	}
	db := p.db
	if db == nil {
		return
	}
	if l, ok := parseLabel(line); ok {
		db.take(l, p.s.offset(), p.settings)
		return
	}
	db.learn(line)
}

// learn reads the comments in which a script has what archives have in their
// header. They stand before everything else.
func (d *plainDatabase) learn(line string) {
	if len(d.entries) > 0 {
		return
	}
	if v, ok := strings.CutPrefix(line, "-- Dumped from database version "); ok {
		d.ServerVersion, d.ServerMajor = v, majorOf(v)
	}
	if v, ok := strings.CutPrefix(line, "-- Dumped by pg_dump version "); ok {
		d.DumpVersion, d.DumpMajor = v, majorOf(v)
	}
	if v, ok := strings.CutPrefix(line, "-- Started on "); ok {
		if t, err := time.Parse(time.DateTime, v[:min(len(v), len(time.DateTime))]); err == nil {
			d.Created = t
		}
	}
}

// begin starts a database's part.
func (p *plainReader) begin() {
	if p.db != nil {
		p.s.fail(corrupt("read %s: in line %d another dump begins before the end of the one before", p.name, p.s.item.line))
		return
	}
	p.db = &plainDatabase{Header: plainHeader()}
	if p.cluster {
		p.db.Database = p.connected
	}
	p.connected = ""
	p.dbs = append(p.dbs, p.db)
	p.reset()
}

// reset forgets the settings of the session before.
func (p *plainReader) reset() {
	p.settings, p.s.stdStrings, p.s.charset = nil, true, copytext.ASCIISafe
}

// marker takes a line that ends a dump; its comment's last line must be there
// too, since a cut may pass right behind the words.
func (p *plainReader) marker(line string) {
	it, err := p.s.next()
	switch {
	case err != nil:
		return
	case it.kind != itemComment || string(it.text) != "--":
		p.s.fail(truncated("read %s: it ends after %d bytes, in the middle of its end marker", p.name, p.s.offset()))
	case line == dumpEnds && p.db == nil, line == clusterEnds && (!p.cluster || p.db != nil):
		p.s.fail(corrupt("read %s: in line %d ends what did not begin", p.name, it.line))
	case line == clusterEnds:
		p.ended = true
	default:
		if p.db.begun {
			p.s.fail(corrupt("read %s: in line %d the dump ends inside of a transaction", p.name, it.line))
		}
		p.db.ended, p.db, p.ended = true, nil, !p.cluster
		p.connected = ""
	}
}

func (p *plainReader) after(what string) {
	p.s.fail(corrupt("read %s: in line %d %s follows the end marker, which ends where the dump should", p.name, p.s.item.line, what))
}

// meta accepts the meta-commands that pg_dump and pg_dumpall write.
func (p *plainReader) meta(it item) {
	line := it.line
	command, arg, _ := strings.Cut(strings.TrimRight(string(it.text), " \r"), " ")
	switch {
	case !it.whole && (command != `\unrestrict` || arg != p.restrict):
		p.s.cut("a meta-command")
	case command == `\restrict` && isKey(arg) && p.restrict == "" && !p.ended:
		p.restrict = arg
	case command == `\unrestrict` && isKey(arg) && p.restrict != "":
		if arg != p.restrict {
			p.s.fail(truncated(`read %s: the key of \unrestrict in line %d is not that of \restrict`, p.name, line))
		}
		p.restrict = ""
	case command == `\encoding` && arg == "SQL_ASCII" && !p.ended: // before the \connect of a name that is not ASCII
	case command == `\connect` && !p.ended:
		database, ok := connectTarget(arg)
		if !ok {
			p.refuseMeta(line, command)
			return
		}
		p.connect(database)
	default:
		p.refuseMeta(line, command)
	}
}

func (p *plainReader) refuseMeta(line int64, command string) {
	if p.ended {
		p.after("a meta-command")
		return
	}
	name := strings.TrimLeft(command, `\`)
	if len(name) > 20 || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz") != "" {
		name = ""
	}
	p.s.fail(verdict.Errorf(verdict.CodeUnsupported, "take the backup with pg_dump; meta-commands could run programs, so only pg_dump's own are let through",
		`read %s: line %d holds a meta-command of psql, \%s, as pg_dump does not write it`, p.name, line, name))
}

func isKey(s string) bool {
	return s != "" && strings.Trim(s, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

// connectTarget reads what appendPsqlMetaConnect writes (fe_utils/string_utils.c):
// name, "name", or -reuse-previous=on "dbname='name'".
func connectTarget(arg string) (string, bool) {
	rest, conninfo := strings.CutPrefix(arg, "-reuse-previous=on ")
	if n := len(rest); n >= 2 && rest[0] == '"' && rest[n-1] == '"' {
		rest = strings.ReplaceAll(rest[1:n-1], `""`, `"`)
	} else if strings.ContainsAny(rest, " \t'\"\\`:") {
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

// connect begins a session, in the database being read or the next one.
func (p *plainReader) connect(database string) {
	p.reset()
	switch {
	case p.db == nil:
		p.connected = database
	case p.db.Database != "" && p.db.Database != database:
		p.s.refuse(p.s.item.line, "a change to a second database within the dump of one")
	default:
		p.db.Database = database
	}
}

// choose picks the database that is kept.
func (p *plainReader) choose(database string) (*plainDatabase, error) {
	if !p.cluster {
		return p.dbs[0], nil
	}
	var names []string
	var own []*plainDatabase
	for _, db := range p.dbs {
		if db.Database == database && database != "" {
			return db, nil
		}
		names = append(names, printable(db.Database))
		if db.Database != "postgres" && db.Database != "template1" {
			own = append(own, db)
		}
	}
	slices.Sort(names)
	held := strings.Join(names, ", ")
	switch {
	case database != "":
		return nil, verdict.Failf(verdict.CodeDatabase, "look at what the backup job dumps, or correct the database's name in the drill file",
			"read %w", &OtherDatabaseError{Name: p.name, Wanted: database, Held: names})
	case len(own) == 1:
		return own[0], nil
	}
	return nil, verdict.Errorf(verdict.CodeSpec, "name the database to be restored in the drill file (source.database)",
		"read %s: this dump of a cluster holds several databases (%s), and which one is meant is not said", p.name, held)
}

// createdAs returns the entries that make the database of that name.
func (p *plainReader) createdAs(database string) []Entry {
	return slices.DeleteFunc(p.created, func(e Entry) bool { return e.Tag != database })
}

// statement files one statement.
func (p *plainReader) statement(it item) {
	if p.ended {
		p.after("a statement")
		return
	}
	if p.db != nil && p.db.goesOn(it.text) {
		p.db.lengthen(it.end)
		return
	}
	text := string(it.text)
	tokens := slices.Collect((&lexer{sql: text, stdStrings: p.s.stdStrings}).all())
	d := derive(tokens)
	switch {
	case d.kind == stmtForeign:
		p.s.refuse(it.line, "a statement that begins with %s", strings.ToUpper(printable(d.verb)))
	case d.kind == stmtSetting:
		p.set(it, d, text)
	case p.db == nil:
		p.global(it, d, tokens, text)
	case d.kind == stmtCopy:
		p.copy(it, text)
	case d.kind == stmtInsert:
		p.insert(it, d)
	case d.kind == stmtLarge:
		p.db.large(it, d, p.settings)
	case p.db.begun:
		p.s.refuse(it.line, "a transaction around other things than large objects")
	case d.kind == stmtClean && !p.db.created: // of --clean: in a new database there is nothing to drop
		p.db.dropped = true
	case d.replace && p.db.dropped && !p.db.created: // of --clean too, where views depend on each other
	case d.kind == stmtClean:
		p.s.refuse(it.line, "a %s behind what it could have dropped", strings.ToUpper(d.verb))
	default:
		p.object(it, d, tokens, text)
	}
}

// set keeps a setting, and lets those act that change how the rest is read.
func (p *plainReader) set(it item, d derived, text string) {
	name, value := d.tag, d.ns
	settled := p.db != nil && p.db.encoded
	switch name {
	case "standard_conforming_strings":
		std := switchedOn(value)
		if settled && std != p.db.StdStrings {
			p.s.refuse(it.line, "a change of %s between the objects", name)
		}
		p.s.stdStrings = std
		if p.db != nil {
			p.db.StdStrings = std
		}
	case "client_encoding":
		if settled && p.db.Encoding != value {
			p.s.refuse(it.line, "a change of %s between the objects", name)
		}
		p.s.charset = copytext.CharsetOf(value)
		if p.db != nil {
			p.db.Encoding = value
		}
	case "session authorization", "role":
		if p.db != nil && value != "" {
			p.db.roles = append(p.db.roles, value)
		}
	}
	rest := slices.DeleteFunc(slices.Clone(p.settings), func(s setting) bool { return s.name == name })
	if d.verb != "reset" {
		rest = append(rest, setting{name, text})
	}
	p.settings = rest
}

// global takes the names of roles from a cluster's own statements, and leaves
// everything else: passwords, memberships, tablespaces.
func (p *plainReader) global(it item, d derived, tokens []token, text string) {
	switch {
	case !p.cluster:
		p.s.fail(corrupt("read %s: line %d holds a statement before the dump begins", p.name, it.line))
	case d.kind != stmtObject && d.kind != stmtClean:
		p.s.refuse(it.line, "rows before a database")
	case d.desc == "ROLE" && d.verb == "create":
		p.roles[d.tag] = true
	case d.desc == "DATABASE" && d.verb == "create":
		p.created = append(p.created, Entry{Desc: d.desc, Tag: d.tag, Section: SectionPreData, Defn: text, roles: rolesOf(tokens),
			parts: []part{{it.start, it.end, p.settings}}})
	}
}

// copy files a COPY statement and the rows behind it.
func (p *plainReader) copy(it item, text string) {
	h, err := copytext.ParseHeader(text)
	if err != nil {
		p.s.refuse(it.line, "a COPY statement other than COPY ... FROM stdin;")
		return
	}
	settings := p.settings
	start, end := p.s.rows()
	e := p.db.rowsEntry(h.Schema, h.Table)
	e.CopyStmt, e.DataSize = text+"\n", end-start
	e.parts = []part{{start, end + int64(len(endOfRows)-1), settings}}
	p.db.open = false
}

// insert files one INSERT, or lengthens the entry of those before it.
func (p *plainReader) insert(it item, d derived) {
	if d.desc == "" {
		p.s.refuse(it.line, "an INSERT statement without VALUES")
		return
	}
	db := p.db
	if db.open {
		if e := &db.entries[len(db.entries)-1]; e.Inserts() && e.Namespace == d.ns && e.Tag == d.tag {
			db.lengthen(it.end)
			return
		}
	}
	e := db.rowsEntry(d.ns, d.tag)
	e.parts = []part{{it.start, it.end, p.settings}}
	e.DataSize = it.end - it.start
	db.open, db.head = true, bytes.Clone(it.text)
}

// goesOn tells one of many INSERT statements by its head, without a closer look.
func (d *plainDatabase) goesOn(head []byte) bool {
	return d.open && d.entries[len(d.entries)-1].Inserts() && bytes.Equal(head, d.head)
}

// lengthen adds a statement to the rows of the last entry.
func (d *plainDatabase) lengthen(end int64) {
	e := &d.entries[len(d.entries)-1]
	e.parts[0].end = end
	e.DataSize = end - e.parts[0].start
}

// rowsEntry returns a new entry for the rows of a table, or the one that
// pg_dump's comment has just announced. What the statement says counts.
func (d *plainDatabase) rowsEntry(schema, table string) *Entry {
	d.created, d.data, d.encoded = true, true, true
	if n := len(d.entries); d.label.rows && n > 0 {
		d.label.rows = false
		e := &d.entries[n-1]
		e.Namespace, e.Tag = schema, table
		return e
	}
	d.entries = append(d.entries, Entry{Desc: "TABLE DATA", HadData: true, Section: SectionData, Namespace: schema, Tag: table, Owner: d.label.owner})
	return &d.entries[len(d.entries)-1]
}

// large files the statements that fill large objects, with the transaction
// around them.
func (d *plainDatabase) large(it item, s derived, settings []setting) {
	d.created, d.data, d.encoded = true, true, true
	switch s.verb {
	case "begin":
		d.begun = true
	case "commit":
		d.begun = false
	}
	n := len(d.entries)
	if !d.open || d.entries[n-1].Desc != "BLOBS" {
		d.entries = append(d.entries, Entry{Desc: "BLOBS", Tag: "BLOBS", HadData: true, Section: SectionData,
			parts: []part{{it.start, it.end, settings}}})
		n++
	}
	e := &d.entries[n-1]
	e.parts[0].end = it.end
	e.DataSize = it.end - e.parts[0].start
	d.open = true
}

// object files a statement of the schema.
func (p *plainReader) object(it item, d derived, tokens []token, text string) {
	db := p.db
	db.encoded = true
	db.created = true
	if d.desc == "SEQUENCE SET" {
		db.data = true
	}
	e := db.entryFor(d)
	if e.Defn != "" {
		e.Defn += "\n"
	}
	if d.owner != "" {
		e.Owner = d.owner
	}
	e.roles = append(e.roles, rolesOf(tokens)...)
	if e.Desc == "DATABASE" && d.verb == "alter" {
		return // its owner: DatabaseProperties says it
	}
	e.parts = append(e.parts, part{it.start, it.end, p.settings})
	if e.Desc != "STATISTICS DATA" { // values of rows
		e.Defn += text
	}
}

// entryFor returns the entry that a statement of the schema belongs to: that
// of the statement before, where both stand behind one comment, else a new
// one. Kinds that decide whether a statement is executed at all come from the
// statement alone.
func (d *plainDatabase) entryFor(s derived) *Entry {
	n := len(d.entries)
	if d.open && (d.label.desc != "" && !(s.verb == "create" && s.exact) || s.verb == "alter") {
		if e := &d.entries[n-1]; e.Desc == s.desc && e.object == s.object || !decides(e.Desc) && !decides(s.desc) {
			return e
		}
	}
	e := Entry{Desc: s.desc, Tag: s.tag, Namespace: s.ns, object: s.object, table: s.table, Section: SectionPreData}
	if l := d.label; l.desc != "" && !l.used {
		d.label.used = true
		e.Owner = l.owner
		if !decides(s.desc) && !decides(l.desc) {
			e.Desc = l.desc
		}
		if e.Desc == l.desc && !s.exact && !decidesBy(l.tag) {
			e.Tag, e.Namespace = l.tag, l.namespace
		}
	}
	switch {
	case unsectioned(e.Desc):
		e.Section = SectionNone
	case e.Desc == "SEQUENCE SET", e.Desc == "BLOB" && d.data:
		e.Section = SectionData
	case d.data, e.Desc == "MATERIALIZED VIEW DATA":
		e.Section = SectionPostData
	}
	d.entries = append(d.entries, e)
	d.open = true
	return &d.entries[n]
}

// label is a comment of pg_dump's before an object. Names in it lack quotes,
// and what would break its line.
type label struct {
	desc, tag, namespace, owner string
	rows                        bool // of the last entry: no row came yet
	used                        bool
}

// take begins the object that a label stands before.
func (d *plainDatabase) take(l label, at int64, settings []setting) {
	d.open = false
	if rows := l.desc == "TABLE DATA"; rows {
		// A table without rows that is dumped by INSERT has nothing else.
		d.created, d.data = true, true
		d.entries = append(d.entries, Entry{Desc: l.desc, HadData: true, Section: SectionData, Tag: l.tag, Namespace: l.namespace, Owner: l.owner,
			parts: []part{{at, at, settings}}})
		l.rows = true
	}
	d.label = l
}

// parseLabel reads "-- Name: a; Type: TABLE; Schema: s; Owner: o" from its end,
// since names may hold anything.
func parseLabel(line string) (label, bool) {
	rest, ok := strings.CutPrefix(line, "-- Name: ")
	if !ok {
		if rest, ok = strings.CutPrefix(line, "-- Data for Name: "); !ok {
			return label{}, false
		}
	}
	if i := strings.LastIndex(rest, "; Tablespace: "); i > strings.LastIndex(rest, "; Owner: ") {
		rest = rest[:i]
	}
	field := func(name string) (value string) {
		i := strings.LastIndex(rest, name)
		if i < 0 {
			ok = false
			return ""
		}
		value, rest = rest[i+len(name):], rest[:i]
		if value == "-" {
			value = ""
		}
		return value
	}
	l := label{owner: field("; Owner: "), namespace: field("; Schema: "), desc: field("; Type: ")}
	l.tag = rest
	return l, ok && l.desc != "" && kindOf(l.desc) == l.desc
}

// Rows returns the bytes of a plain archive that hold the rows of a TABLE
// DATA entry: lines of COPY text with the end marker \. behind them, or
// INSERT statements for an InsertReader. The caller closes it.
func (a *Archive) Rows(e Entry) (io.ReadCloser, error) {
	if a.Format != Plain || e.Desc != "TABLE DATA" || len(e.parts) != 1 {
		return nil, fmt.Errorf("read the rows of entry %s: it has none in a script", e.name())
	}
	f, err := os.Open(a.Path)
	if err != nil {
		return nil, fmt.Errorf("read the rows of entry %s: %w", e.name(), err)
	}
	p := e.parts[0]
	return &section{io.NewSectionReader(f, p.start, p.end-p.start), f}, nil
}

type section struct {
	*io.SectionReader
	io.Closer
}

// Script writes the SQL of a plain archive's entries to w, in this order, for
// psql -f inside of the sandbox: with the settings that each was dumped under,
// without meta-commands, and as pg_restore --no-tablespaces does without
// tablespaces. Rows are refused: they do not pass a filter here.
func (a *Archive) Script(w io.Writer, entries []Entry) error {
	f, err := os.Open(a.Path)
	if err != nil {
		return fmt.Errorf("write a script: %w", err)
	}
	defer f.Close()
	out := scriptWriter{w: w, src: f}
	for _, e := range entries {
		if a.Format != Plain || e.Desc == "TABLE DATA" {
			return fmt.Errorf("write a script: entry %s is not to be executed", e.name())
		}
		for _, p := range e.parts {
			out.part(p)
		}
	}
	if out.err != nil {
		return fmt.Errorf("write a script: %w", out.err)
	}
	return nil
}

// scriptWriter writes parts, and between them what changes of the settings.
type scriptWriter struct {
	w     io.Writer
	src   io.ReaderAt
	force []setting
	err   error
}

func (o *scriptWriter) part(p part) {
	for _, s := range o.force {
		if !slices.ContainsFunc(p.settings, func(n setting) bool { return n.name == s.name }) {
			o.print("RESET " + s.name + ";\n")
		}
	}
	for _, s := range p.settings {
		if s.name != "default_tablespace" && !slices.Contains(o.force, s) {
			o.print(s.statement + "\n")
		}
	}
	o.force = slices.DeleteFunc(slices.Clone(p.settings), func(s setting) bool { return s.name == "default_tablespace" })
	if o.err == nil {
		_, o.err = io.Copy(o.w, io.NewSectionReader(o.src, p.start, p.end-p.start))
	}
	o.print("\n")
}

func (o *scriptWriter) print(s string) {
	if o.err == nil {
		_, o.err = io.WriteString(o.w, s)
	}
}
