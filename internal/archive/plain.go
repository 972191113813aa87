package archive

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"daybefore/internal/copytext"
	"daybefore/internal/sqltext"
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

// stretch is a run of bytes of a script that is executed under these settings.
// Lists of settings are never changed, so that stretches share them.
type stretch struct {
	start, end int64
	settings   []setting
	alone      bool // it needs a transaction that the script has around more than it
}

// plainDatabase is what one dump of a script holds, or what stands beside the
// dumps, of one database.
type plainDatabase struct {
	Header
	entries []Entry
	roles   []string // that sessions act as
	label   label    // pg_dump's comment on the object that comes next
	line    int64    // where it begins
	open    bool     // the last entry may go on
	head    []byte   // of the last INSERT statement, up to VALUES
	named   bool     // it connected to its database itself
	dropped bool     // --clean was used
	created bool     // something was made: no longer the DROPs of --clean
	tables  bool     // of what was made, tables
	data    bool     // the first rows came, here or in a dump before
	ended   bool     // it is a whole dump
	begun   bool     // BEGIN around large objects
	encoded bool     // client_encoding and standard_conforming_strings are settled
}

// plainReader takes a script apart as psql would run it: the dump of one
// database, of a whole cluster, several of them in one file, and what people
// and programs put around them. Of what belongs to a cluster only the roles'
// names are kept, and how its databases are made.
type plainReader struct {
	name      string
	s         *sqltext.Scanner
	settings  []setting
	encoding  string // client_encoding in force; empty: the session's own
	path      sqltext.SearchPath
	restrict  string // key of \restrict that no \unrestrict took back
	sealed    bool   // a pair of them has ended, around more than a database's making
	headers   int    // lines that begin a dump
	inDump    bool   // the line that ends it is still to come
	inCluster bool
	cluster   bool         // there was a cluster's
	begun     sqltext.Item // BEGIN that no COMMIT took back
	pending   bool         // nothing came after it yet
	outside   int64        // line of a statement that no dump encloses, and that would be missed
	connected string       // database that psql is in; empty: the one that it was told
	dbs       []*plainDatabase
	db        *plainDatabase // what is being read; nil until something comes
	roles     map[string]bool
	sessions  []string // SET ... of the superuser's sessions, which holds once psql connects anew
	// what globals say of databases: CREATE DATABASE and settings, as pg_dumpall 10 writes them
	created []Entry
	known   map[[3]string]bool // tables made so far: database, schema, name
}

func newPlainReader(name string, r io.Reader) *plainReader {
	s := sqltext.NewScanner(name, r)
	s.Begins = dumpBegins
	return &plainReader{name: name, s: s, roles: map[string]bool{}, known: map[[3]string]bool{}}
}

// readPlain reads a whole script, which lies at path unpacked, from r. Of
// several databases, what belongs to the given one is kept; where it is empty,
// the only one besides those that every cluster has. Converted tells that its
// first lines all end with CR LF.
func readPlain(name string, r io.Reader, path, database string, converted bool) (*Archive, error) {
	p := newPlainReader(name, r)
	p.s.Converted = converted
	if err := p.read(); err != nil {
		return nil, err
	}
	db, err := p.choose(database)
	if err != nil {
		return nil, err
	}
	a := &Archive{Header: db.Header, Path: path, Size: p.s.Offset(), roles: db.roles, ClusterRoles: p.clusterRoles()}
	a.Entries = slices.Concat(p.heldIn(db.Database), p.createdAs(cmp.Or(db.Database, database)), p.own(db))
	a.Others = p.others(db.Database)
	a.connects = p.connects()
	number(a.Entries)
	a.toUTF8()
	return a, nil
}

// connects reports whether the script says itself in which databases it works.
func (p *plainReader) connects() bool {
	return p.cluster || slices.ContainsFunc(p.dbs, func(db *plainDatabase) bool { return db.named })
}

// others are the databases that are held besides the one that was chosen, and
// besides those that every cluster has.
func (p *plainReader) others(chosen string) []string {
	names := slices.DeleteFunc(p.databases(), func(name string) bool {
		return name == chosen || name == "" || name == "postgres" || name == "template1"
	})
	slices.Sort(names)
	return names
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
	h := plainHeader()
	for _, db := range slices.Backward(p.dbs) {
		if db.ServerMajor > 0 || h.ServerMajor == 0 {
			h = db.Header
		}
	}
	if p.cluster || len(p.databases()) > 1 {
		h.Database = "" // any of them may be meant
	}
	return h, nil
}

func plainHeader() Header {
	return Header{Format: Plain, Compression: None, DataCompression: "none", StdStrings: true}
}

// read reads to the end of the script.
func (p *plainReader) read() error {
	p.s.SkipMark()
	for {
		it, err := p.s.Next()
		if err != nil {
			return p.heard(it, err)
		}
		switch it.Kind {
		case sqltext.ItemEnd:
			return p.end()
		case sqltext.ItemComment:
			if it.Whole { // a part of one may read like another
				p.comment(string(it.Text))
			}
		case sqltext.ItemMeta:
			p.meta(it)
		case sqltext.ItemStatement:
			p.statement(it)
		}
		if p.s.Err() != nil {
			return p.s.Err()
		}
	}
}

// end checks that everything that began has ended.
func (p *plainReader) end() error {
	at := p.s.Offset()
	switch {
	case p.inDump:
		return verdict.Truncated("read %s: it ends after %d bytes without %q", p.name, at, dumpEnds)
	case p.inCluster:
		return verdict.Truncated("read %s: it ends after %d bytes without %q", p.name, at, clusterEnds)
	case p.restrict != "":
		return verdict.Truncated(`read %s: it ends after %d bytes without the \unrestrict that its \restrict needs`,
			p.name, at)
	case p.begun.Line > 0:
		return verdict.Truncated("read %s: it ends after %d bytes without the COMMIT of the transaction that line %d "+
			"begins: a restore would keep nothing",
			p.name, at, p.begun.Line)
	case p.headers > 0 && p.outside > 0:
		return verdict.Errorf(verdict.CodeUnsupported,
			"put what is to be restored into the dump, or into a file of its own",
			"read %s: line %d holds statements that no dump encloses, so that nothing tells "+
				"whether all of them are there", p.name, p.outside)
	case p.headers > 0, p.sealed && len(p.databases()) == 1:
		return nil
	case len(p.dbs) == 0 && len(p.roles) == 0:
		return verdict.Truncated("read %s: it ends after %d bytes without %q", p.name, at, dumpEnds)
	}
	return verdict.Errorf(verdict.CodeUnsupported,
		"keep pg_dump's comment lines: without them a whole dump and one that broke off look alike",
		"read %s: it is an SQL script without pg_dump's comment lines, as grep or sed leave it; with them went %q, "+
			"which proves that a dump is whole",
		p.name, dumpEnds)
}

// comment looks for the marks that pg_dump leaves in comments.
func (p *plainReader) comment(line string) {
	switch line {
	case clusterBegins:
		p.beginCluster()
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
		db.take(l, p.s.Offset(), p.settings)
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
		d.ServerVersion = v
		d.ServerMajor = majorOf(v)
	}
	if v, ok := strings.CutPrefix(line, "-- Dumped by pg_dump version "); ok {
		d.DumpVersion = v
		d.DumpMajor = majorOf(v)
	}
	if v, ok := strings.CutPrefix(line, "-- Started on "); ok {
		if t, err := time.Parse(time.DateTime, v[:min(len(v), len(time.DateTime))]); err == nil {
			d.Created = t
		}
	}
}

// beginCluster starts the dump of a cluster, or of what its databases share.
func (p *plainReader) beginCluster() {
	if p.inDump || p.inCluster {
		p.tooEarly()
		return
	}
	p.headers++
	p.inCluster, p.cluster, p.db = true, true, nil
}

// begin starts a dump.
func (p *plainReader) begin() {
	if p.inDump {
		p.tooEarly()
		return
	}
	p.headers++
	p.inDump = true
	p.add(p.connected)
}

func (p *plainReader) tooEarly() {
	p.s.Fail(verdict.Truncated("read %s: in line %d another dump begins before the end of the one before", p.name,
		p.s.Item().Line))
}

// here is what a statement belongs to: the dump that it stands in, or else what
// stands beside the dumps of the database that psql is in.
func (p *plainReader) here() *plainDatabase {
	if p.db == nil {
		p.add(p.connected)
	}
	return p.db
}

// add begins what follows of a database, under the settings in force.
func (p *plainReader) add(database string) {
	h := plainHeader()
	h.Database, h.Encoding, h.StdStrings = database, p.encoding, p.s.StdStrings
	p.db = &plainDatabase{Header: h, line: max(1, p.s.Item().Line)}
	p.db.follow(p.dbs)
	p.dbs = append(p.dbs, p.db)
}

// follow learns how far the dumps before came with the same database.
func (d *plainDatabase) follow(before []*plainDatabase) {
	d.data, d.created = false, false
	for _, b := range before {
		if b != d && b.Database == d.Database {
			d.data, d.created = d.data || b.data, d.created || b.created
		}
	}
}

// reset forgets the settings of the session before.
func (p *plainReader) reset() {
	p.settings = nil
	p.path = sqltext.SearchPath{}
	p.encoding = ""
	p.s.StdStrings, p.s.Charset = true, copytext.ASCIISafe
}

// marker takes a line that ends a dump; its comment's last line must be there
// too, since a cut may pass right after the words.
func (p *plainReader) marker(line string) {
	it, err := p.s.Next()
	switch {
	case err != nil:
		return
	case it.Kind != sqltext.ItemComment || string(it.Text) != "--":
		p.s.Fail(verdict.Truncated("read %s: it ends after %d bytes, in the middle of its end marker", p.name,
			p.s.Offset()))
	case line == dumpEnds && !p.inDump, line == clusterEnds && (!p.inCluster || p.inDump):
		p.s.Fail(verdict.Truncated("read %s: in line %d ends a dump whose beginning is missing", p.name, it.Line))
	case line == clusterEnds:
		p.inCluster, p.db = false, nil
	default:
		if p.db.begun {
			p.s.Fail(verdict.Corrupt("read %s: in line %d the dump ends inside of a transaction", p.name, it.Line))
		}
		p.db.ended, p.db, p.inDump = true, nil, false
		if p.inCluster {
			p.connected = "" // the next dump connects to its own
		}
	}
}

// statement files one statement.
func (p *plainReader) statement(it sqltext.Item) {
	if p.db != nil && p.db.goesOn(it.Text) {
		p.db.lengthen(it.End)
		return
	}
	text := string(it.Text)
	tokens := sqltext.Tokens(text, p.s.StdStrings)
	d := derive(tokens)
	pending := p.pending
	p.pending = false
	switch {
	case it.Noise:
		p.noise(it, text)
	case d.kind == stmtForeign && oneOf(d.verb, "create", "alter") && len(tokens) > 1 && nearWord(tokens[1]):
		p.s.Fail(verdict.Corrupt("read %s: line %d holds %s and a word that is one byte off one "+
			"that PostgreSQL knows there",
			p.name, it.Line, strings.ToUpper(verdict.Printable(d.verb))))
	case d.kind == stmtForeign:
		p.s.Refuse(it.Line, "a statement that begins with %s", strings.ToUpper(verdict.Printable(d.verb)))
	case d.kind == stmtIdle:
	case d.kind == stmtTransaction:
		p.transaction(it, d)
	case d.kind == stmtSetting:
		p.set(it, d.set, text)
	case d.global(), !p.inDump && d.ofDatabase():
		p.global(it, d, tokens, text)
	default:
		p.content(it, d, tokens, text, pending)
	}
}

// content files a statement that makes or fills something in a database.
func (p *plainReader) content(it sqltext.Item, d derived, tokens []sqltext.Token, text string, pending bool) {
	db := p.here()
	p.enclosed(it, d)
	switch {
	case d.kind == stmtLarge:
		db.large(it, p.settings, pending, p.begun.Start)
	case db.begun:
		p.s.Refuse(it.Line, "a transaction around large objects and other things")
	case d.kind == stmtCopy:
		p.copy(it, text)
	case d.kind == stmtInsert:
		p.insert(it, d)
	case d.kind == stmtClean && d.desc == "DATABASE": // which the dump makes anew
	case d.kind == stmtClean && !db.created: // of --clean: in a new database there is nothing to drop
		db.dropped = true
	case d.replace && db.dropped && !db.created: // of --clean too, where views depend on each other
	case d.kind == stmtClean:
		p.s.Refuse(it.Line, "a %s after what it could have dropped", strings.ToUpper(d.verb))
	default:
		p.object(it, d, tokens, text)
	}
}

// enclosed remembers a statement whose loss nothing would tell. What makes an
// object before a dump has the dump after it.
func (p *plainReader) enclosed(it sqltext.Item, d derived) {
	ended := slices.ContainsFunc(p.dbs, func(db *plainDatabase) bool { return db.ended })
	if p.outside == 0 && !p.inDump && p.restrict == "" && (ended || d.kind != stmtObject) {
		p.outside = it.Line
	}
}

// transaction follows BEGIN and COMMIT: what stands between them is restored if
// all of it is. Those around large objects are filed with them.
func (p *plainReader) transaction(it sqltext.Item, d derived) {
	if p.db != nil {
		p.db.transaction(it, d)
	}
	switch {
	case d.verb == "commit":
		p.begun = sqltext.Item{}
	case p.begun.Line == 0:
		p.begun = it
		p.begun.Text = nil
		p.pending = true
	}
}

// set keeps a setting, and lets those act that change how the rest is read.
func (p *plainReader) set(it sqltext.Item, set sqltext.Setting, text string) {
	name := set.Name
	value := set.Value
	settled := p.db != nil && p.db.encoded
	switch name {
	case "standard_conforming_strings":
		std := set.On()
		if settled && std != p.db.StdStrings {
			p.s.Refuse(it.Line, "a change of %s between the objects", name)
		}
		p.s.StdStrings = std
		if p.db != nil {
			p.db.StdStrings = std
		}
	case "client_encoding":
		if settled && p.db.Encoding != value {
			p.s.Refuse(it.Line, "a change of %s between the objects", name)
		}
		p.s.Charset = copytext.CharsetOf(value)
		p.encoding = value
		if p.db != nil {
			p.db.Encoding = value
		}
	case "session authorization", "role":
		if p.db != nil && value != "" {
			p.db.roles = append(p.db.roles, value)
		}
	}
	if name == "search_path" {
		p.path = set.Path()
		if p.db != nil {
			p.db.open = false
		}
	}
	if name == "all" { // RESET ALL
		p.reset()
		return
	}
	rest := slices.DeleteFunc(slices.Clone(p.settings), func(s setting) bool { return s.name == name })
	if !set.Reset {
		rest = append(rest, setting{name, text})
	}
	p.settings = rest
}

// superuser is who restores the dump of a cluster, as nearly everywhere.
const superuser = "postgres"

// roleSetting is what a role sets for its sessions, as pg_dumpall writes it
// (makeAlterConfigCommand in dumputils.c).
var roleSetting = regexp.MustCompile(`(?is)^ALTER\s+ROLE\s+"?` + superuser + `"?\s+(SET\s.*?);?\s*$`)

// global takes the names of roles from a cluster's own statements, how
// databases are made and set up, and what the superuser sets for its sessions,
// and leaves everything else: passwords, memberships, tablespaces.
func (p *plainReader) global(it sqltext.Item, d derived, tokens []sqltext.Token, text string) {
	switch {
	case d.desc == "ROLE" && d.verb == "create" && p.restored():
		// Nothing before this line could be given to it.
	case d.desc == "ROLE" && d.verb == "create":
		p.roles[p.decoded(d.tag)] = true
	case d.desc == "ROLE" && d.verb == "alter" && d.tag == superuser:
		if m := roleSetting.FindStringSubmatch(text); m != nil {
			p.sessions = append(p.sessions, m[1])
		}
	case d.kind == stmtObject && d.database != "" && !(d.desc == "DATABASE" && d.verb == "alter"):
		p.created = append(p.created,
			Entry{Desc: d.desc, Tag: d.tag, Section: SectionPreData, Defn: text, roles: rolesOf(tokens),
				object:    d.database,
				stretches: []stretch{{start: it.Start, end: it.End, settings: p.settings}}})
	}
}

// restored reports whether the script has made anything of a database so far.
func (p *plainReader) restored() bool {
	return slices.ContainsFunc(p.dbs, func(db *plainDatabase) bool { return len(db.entries) > 0 })
}

// decoded is a name of what all databases share, in the encoding in force.
func (p *plainReader) decoded(name string) string {
	if e, known := copytext.EncodingOf(p.encoding); known && p.encoding != "" && copytext.HasHighBytes(name) &&
		e.Code != nil {
		return string(e.NewDecoder().Decode([]byte(name)))
	}
	return name
}

func (p *plainReader) clusterRoles() []string {
	delete(p.roles, "")
	if len(p.roles) == 0 {
		return nil
	}
	return sortedKeys(p.roles)
}

// copy files a COPY statement and the rows after it.
func (p *plainReader) copy(it sqltext.Item, text string) {
	h, err := sqltext.ParseCopy(text)
	if err != nil {
		p.s.Refuse(it.Line, "a COPY statement other than COPY ... FROM stdin;")
		return
	}
	settings := p.settings
	start, end, converted := p.s.Rows()
	schema := h.Schema
	if schema == "" {
		schema = p.schemaOf(h.Table)
		text = qualified(text, "copy", schema)
	}
	e := p.db.rowsEntry(schema, h.Table)
	e.CopyStmt, e.DataSize, e.converted = text+"\n", end-start, converted
	e.stretches = []stretch{{start: start, end: end + int64(len(sqltext.EndOfRows(converted))-1), settings: settings}}
	p.db.open = false
}

// insert files one INSERT, or lengthens the entry of those before it.
func (p *plainReader) insert(it sqltext.Item, d derived) {
	if d.desc == "" {
		p.s.Refuse(it.Line, "an INSERT statement without VALUES")
		return
	}
	db := p.db
	if d.ns == "" {
		d.ns = p.schemaOf(d.tag)
	}
	if db.open {
		if e := &db.entries[len(db.entries)-1]; e.Inserts() && e.Namespace == d.ns && e.Tag == d.tag {
			db.lengthen(it.End)
			return
		}
	}
	e := db.rowsEntry(d.ns, d.tag)
	e.stretches = []stretch{{start: it.Start, end: it.End, settings: p.settings}}
	e.DataSize = it.End - it.Start
	db.open = true
	db.head = bytes.Clone(it.Text)
}

// goesOn tells one of many INSERT statements by its head, without a closer look.
func (d *plainDatabase) goesOn(head []byte) bool {
	return d.open && d.entries[len(d.entries)-1].Inserts() && bytes.Equal(head, d.head)
}

// lengthen adds a statement to the rows of the last entry.
func (d *plainDatabase) lengthen(end int64) {
	e := &d.entries[len(d.entries)-1]
	e.stretches[0].end = end
	e.DataSize = end - e.stretches[0].start
}

// rowsEntry returns a new entry for the rows of a table, or the one that
// pg_dump's comment has just announced. What the statement says counts.
func (d *plainDatabase) rowsEntry(schema, table string) *Entry {
	d.created, d.data, d.encoded = true, true, true
	if d.label.rows {
		d.label.rows = false
		at := len(d.entries) - 1
		for at > 0 && d.entries[at].Desc != "TABLE DATA" {
			at-- // past what disables triggers, to whose place the rows go
		}
		e := d.entries[at]
		e.Namespace, e.Tag = schema, table
		d.entries = append(slices.Delete(d.entries, at, at+1), e)
		return &d.entries[len(d.entries)-1]
	}
	d.entries = append(d.entries,
		Entry{Desc: "TABLE DATA", HadData: true, Section: SectionData, Namespace: schema, Tag: table,
			Owner: d.label.owner})
	return &d.entries[len(d.entries)-1]
}

// large files a statement that fills large objects, with the transaction around
// them: pending tells that its BEGIN stands right before, at begun. One around
// more than them is made theirs when they are restored.
func (d *plainDatabase) large(it sqltext.Item, settings []setting, pending bool, begun int64) {
	d.created, d.data, d.encoded = true, true, true
	n := len(d.entries)
	if !d.open || d.entries[n-1].Desc != "BLOBS" {
		p := stretch{start: it.Start, settings: settings, alone: !pending}
		if pending {
			p.start, d.begun = begun, true
		}
		d.entries = append(d.entries,
			Entry{Desc: "BLOBS", Tag: "BLOBS", HadData: true, Section: SectionData, stretches: []stretch{p}})
	}
	d.open = true
	d.lengthen(it.End)
}

// transaction ends what is filed as one, with its COMMIT if it is theirs.
func (d *plainDatabase) transaction(it sqltext.Item, s derived) {
	if s.verb == "commit" && d.begun {
		d.lengthen(it.End)
		d.begun = false
	}
	d.open = false
}

// object files a statement of the schema.
func (p *plainReader) object(it sqltext.Item, d derived, tokens []sqltext.Token, text string) {
	db := p.db
	db.encoded = true
	db.created = true
	text = p.place(&d, text)
	if d.desc == "DATABASE PROPERTIES" {
		d.object = d.database
	}
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
	e.stretches = append(e.stretches, stretch{start: it.Start, end: it.End, settings: p.settings})
	if e.Desc != "STATISTICS DATA" { // values of rows
		e.Defn += text
	}
}

// entryFor returns the entry that a statement of the schema belongs to: that
// of the statement before, where both stand after one comment, else a new
// one. Kinds that decide whether a statement is executed at all come from the
// statement alone.
func (d *plainDatabase) entryFor(s derived) *Entry {
	n := len(d.entries)
	if d.open && s.triggers == 0 && (d.label.desc != "" && !(s.verb == "create" && s.exact) || s.verb == "alter") {
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
	case s.triggers > 0 && d.data:
		e.Section = s.triggers
	case d.data, e.Desc == "MATERIALIZED VIEW DATA":
		e.Section = SectionPostData
	}
	d.entries = append(d.entries, e)
	d.open = s.triggers == 0
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
		d.entries = append(d.entries,
			Entry{Desc: l.desc, HadData: true, Section: SectionData, Tag: l.tag, Namespace: l.namespace, Owner: l.owner,
				stretches: []stretch{{start: at, end: at, settings: settings}}})
		l.rows = true
	}
	d.label = l
}

// parseLabel reads "-- Name: a; Type: TABLE; Schema: s; Owner: o" from its end,
// since names may hold anything.
func parseLabel(line string) (label, bool) {
	rest, ok := strings.CutPrefix(line, "-- Name: ")
	if !ok {
		rest, ok = strings.CutPrefix(line, "-- Data for Name: ")
		if !ok {
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
// DATA entry: lines of COPY text with the end marker \. after them, or
// INSERT statements for InsertReader. The caller closes it.
func (a *Archive) Rows(e Entry) (io.ReadCloser, error) {
	if a.Format != Plain || e.Desc != "TABLE DATA" || len(e.stretches) != 1 {
		return nil, fmt.Errorf("read the rows of entry %s: it has none in a script", e.name())
	}
	f, err := os.Open(a.Path)
	if err != nil {
		return nil, fmt.Errorf("read the rows of entry %s: %w", e.name(), err)
	}
	p := e.stretches[0]
	var rows io.Reader = io.NewSectionReader(f, p.start, p.end-p.start)
	if e.converted {
		rows = withoutCR{rows}
	}
	return &section{rows, f}, nil
}

type section struct {
	io.Reader
	io.Closer
}

// withoutCR reads lines that end with CR LF as if they ended with LF. There is
// no other CR in them: Open has looked.
type withoutCR struct{ io.Reader }

func (w withoutCR) Read(p []byte) (int, error) {
	for {
		n, err := w.Reader.Read(p)
		kept := 0
		for _, c := range p[:n] {
			if c != '\r' {
				p[kept] = c
				kept++
			}
		}
		if kept > 0 || err != nil || len(p) == 0 {
			return kept, err
		}
	}
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
		for _, p := range e.stretches {
			out.stretch(p)
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

func (o *scriptWriter) stretch(p stretch) {
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
	o.force = slices.DeleteFunc(slices.Clone(p.settings),
		func(s setting) bool { return s.name == "default_tablespace" })
	if p.alone {
		o.print("BEGIN;\n")
		defer o.print("COMMIT;\n")
	}
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
