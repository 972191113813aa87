package restore

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5/pgconn"

	"daybefore/internal/archive"
	"daybefore/internal/told"
	"daybefore/internal/verdict"
)

// severity is what a message on stderr amounts to.
type severity int

const (
	notice severity = iota
	warning
	failure
	trouble // of the machine, so no finding about the backup
)

// message is one thing that pg_restore or the server said, with the entry of
// the archive it is about, as far as pg_restore tells. It holds no DETAIL, no
// statement text and no quoted value: those print whole rows. What else it says
// is judged, and only shown as Session.tell has it.
type message struct {
	severity severity
	entry    string // "TABLE users app", empty outside an entry
	text     string
	state    string // SQLSTATE, where it is known
	own      bool   // the words are the drill's own

	id           int    // the entry's dump id; 0: not known
	object       object // of a script's statement
	mustBeLoaded bool   // an extension insists on its library, also where its words are not shown
	cause        cause  // once errors were attributed
}

const (
	// mostErrors are kept, each of which may have a cause of its own, and
	// mostOthers of each kind besides: of the rest there is a count.
	mostErrors = 10_000
	mostOthers = 100
	// longestText is how much of one is kept, in bytes.
	longestText = 2 << 10
)

// messages collects what several programs and connections say.
type messages struct {
	names  *told.Names // whose sentences are the server's; nil: those that are always known
	mu     sync.Mutex
	list   []*message
	counts [trouble + 1]int // by severity, of all that was said
	kept   [trouble + 1]int
}

func (m *messages) add(msg message) *message {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(msg.text) > longestText {
		msg.text = strings.ToValidUTF8(msg.text[:longestText], "")
	}
	msg.text, msg.entry = strings.Clone(msg.text), strings.Clone(msg.entry) // not the line that they were in
	m.counts[msg.severity]++
	m.keep(&msg)
	return &msg
}

// keep keeps a message, if there is still room for its kind.
func (m *messages) keep(msg *message) {
	most := mostOthers
	if msg.severity >= failure {
		most = mostErrors
	}
	if m.kept[msg.severity] < most {
		m.kept[msg.severity]++
		m.list = append(m.list, msg)
	}
}

// retell replaces a message, of which more has been heard.
func (m *messages) retell(msg *message, with message) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.become(msg, with)
}

func (m *messages) become(msg *message, with message) {
	kept := slices.Contains(m.list, msg)
	m.counts[msg.severity]--
	m.counts[with.severity]++
	if kept {
		m.kept[msg.severity]--
		m.kept[with.severity]++
	}
	*msg = with
	if !kept {
		m.keep(msg)
	}
}

// each lets f change every message that is kept.
func (m *messages) each(f func(*message)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, msg := range m.list {
		with := *msg
		f(&with)
		m.become(msg, with)
	}
}

// all returns the messages of one severity that are kept, in the order they
// came.
func (m *messages) all(s severity) []message {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []message
	for _, msg := range m.list {
		if msg.severity == s {
			out = append(out, *msg)
		}
	}
	return out
}

// number is how many messages of one severity there were.
func (m *messages) number(s severity) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.counts[s]
}

func (m *messages) count() verdict.Messages {
	return verdict.Messages{
		Errors:   m.number(failure),
		Warnings: m.number(warning),
		Notices:  m.number(notice),
	}
}

// listener classifies the stderr of one program with so many jobs, which is
// handed to line. It restores entries of one part of the archive, if that is said.
func (m *messages) listener(jobs int, entries ...archive.Entry) *listener {
	l := &listener{to: m, several: jobs > 1}
	if len(entries) > 0 {
		_, l.base = entries[0].Part()
	}
	return l
}

// listener remembers the entry that pg_restore is at, and what it said last.
// Where several jobs write to one stderr, what one of them creates says nothing
// about the next line; only errors are told together with their entry.
type listener struct {
	to      *messages
	several bool
	entry   string
	id      int // the entry's dump id, as far as pg_restore told it
	base    int // by how much the ids that it tells are less
	last    *message
	quoting bool // psql repeats the statement that was refused
	names   int  // of the program, after which another job's line came first
	errors  int  // likewise, with the word error
}

// failed returns the last error that this program told.
func (l *listener) failed() (text string, ok bool) {
	l.to.mu.Lock()
	defer l.to.mu.Unlock()
	if l.last == nil || l.last.severity != failure {
		return "", false
	}
	return l.last.text, true
}

// tocEntry is how pg_restore names the entry that the next error is about:
// "from TOC entry 215; 1259 16388 TABLE users app".
var tocEntry = regexp.MustCompile(`^from TOC entry (\d+); \d+ \d+ (.*)$`)

// creating is how pg_restore -v says what it is at: `creating TABLE "a.b"`.
var creating = regexp.MustCompile(`^(?:creating|processing data for) ([A-Z ]+) "(.*)"$`)

// psqlSays is a message of the server's that psql passes on, or of its own:
// `psql:/path/script:12: ERROR:  ...`.
var psqlSays = regexp.MustCompile(`^psql:(?:.*:\d+:)? ?(ERROR|FATAL|PANIC|WARNING|NOTICE|INFO|LOG|error):\s+(.*)$`)

// psqlRepeats is the first line of a statement that was refused, which psql -b
// repeats after what was wrong with it.
var psqlRepeats = regexp.MustCompile(`^psql:(?:.*:\d+:)? ?STATEMENT:\s+(.*)$`)

const (
	ident     = `(?:[a-z_][a-z0-9_$]*|"(?:[^"]|"")+")`
	qualified = ident + `\.` + ident
)

// makes is how a statement begins that makes something, or fills it.
var makes = regexp.MustCompile(`^(?:CREATE(?: OR REPLACE)?(?: UNIQUE| TRUSTED| UNLOGGED)*|REFRESH) ` +
	`([A-Z]+(?: (?:VIEW|TABLE|LANGUAGE|METHOD|CLASS|FAMILY|SEARCH [A-Z]+|DATA WRAPPER|MAPPING` +
	`|TRIGGER))?) (?:IF NOT EXISTS )?(` + ident + `)(?:\.(` + ident + `))?`)

// statement tells by the head of a statement what the last error was about.
// All else of it may hold values.
func (l *listener) statement(head string) {
	m := makes.FindStringSubmatch(head)
	if m == nil || l.last == nil {
		return
	}
	o := object{m[1], tableName{"", unquoted(m[2])}}
	if m[3] != "" {
		o.name = tableName{unquoted(m[2]), unquoted(m[3])}
	}
	switch {
	case strings.HasPrefix(head, "REFRESH"):
		o.kind += " DATA"
	case o.kind == "LANGUAGE":
		o.kind = "PROCEDURAL LANGUAGE"
	}
	with := *l.last
	with.object = o
	with.entry = o.kind + " " + strings.TrimPrefix(o.name.display(), ".")
	l.to.retell(l.last, with)
}

var severities = map[string]severity{
	"ERROR": failure, "FATAL": failure, "PANIC": failure, "error": failure,
	"NOTICE": notice, "INFO": notice, "LOG": notice,
}

// line takes one line of pg_restore -v, or of psql. pg_restore
// (src/bin/pg_dump/pg_backup_archiver.c and src/common/logging.c) prefixes what
// it says itself with its name; lines without that prefix continue the message
// before: DETAIL, CONTEXT and the text of the statement, none of which may be
// kept.
func (l *listener) line(line string) {
	text, ours := l.own(line)
	if m := tocEntry.FindStringSubmatch(text); m != nil {
		told, _ := strconv.Atoi(m[1])
		l.id = told + l.base
		l.entry = m[2]
		return
	}
	if m := psqlRepeats.FindStringSubmatch(line); m != nil {
		l.quoting = true
		l.statement(m[1])
		return
	}
	if m := psqlSays.FindStringSubmatch(line); m != nil {
		l.quoting = false
		if m[1] == "WARNING" {
			l.warned(m[2])
		} else {
			l.say(severities[m[1]], m[2])
		}
		return
	}
	if !ours {
		if !l.quoting {
			l.foreign(line)
		}
		return
	}
	if m := creating.FindStringSubmatch(text); m != nil {
		if !l.several {
			l.entry, l.id = m[1]+" "+m[2], 0
		}
		return
	}
	switch {
	case strings.HasPrefix(text, "error: "):
		l.say(failure, strings.TrimPrefix(text, "error: "))
	case strings.HasPrefix(text, "fatal: "): // before 14
		l.say(failure, strings.TrimPrefix(text, "fatal: "))
	case strings.HasPrefix(text, "warning: errors ignored on restore"):
		// a sum of what was said before
	case strings.HasPrefix(text, "warning: "):
		l.say(warning, strings.TrimPrefix(text, "warning: "))
	case strings.HasPrefix(text, "WARNING:"):
		l.warned(strings.TrimPrefix(text, "WARNING:"))
	case strings.HasPrefix(text, "NOTICE:"), strings.HasPrefix(text, "INFO:"), strings.HasPrefix(text, "LOG:"):
		l.say(notice, text)
	}
}

// underWay is what pg_restore -v says of the way it goes.
var underWay = regexp.MustCompile(`^(?:creating|processing|launching|skipping|finished|entering|while|from TOC entry) `)

// own takes pg_restore's name off a line, and says whether it was there.
//
// Its jobs share one stderr, to which each writes its name, a blank, the word
// error and what it has to say by themselves: the words of another may come between.
func (l *listener) own(line string) (text string, ours bool) {
	const name, failed, query = "pg_restore:", "error:", "could not execute query: "
	text = line
	names, errors := 0, 0
	for again := true; again; {
		text = strings.TrimLeft(text, " ")
		text, again = strings.CutPrefix(text, name)
		if again {
			names++
		} else if names > 0 || l.names > 0 {
			text, again = strings.CutPrefix(text, failed)
			if again {
				errors++
			}
		}
	}
	l.names = max(0, l.names+names-1)
	switch {
	case strings.HasPrefix(text, query) && (names > 0 || errors+l.errors > 0):
		l.errors = max(0, l.errors+errors-1)
		return failed + " " + text, true
	case errors > 0 && underWay.MatchString(text):
		l.errors += errors
	case errors > 0:
		return failed + " " + text, true
	case names == 0:
		return line, false
	}
	return text, true
}

// foreign takes a line that pg_restore did not prefix.
func (l *listener) foreign(line string) {
	switch {
	case strings.HasPrefix(line, "CONTEXT:"):
		l.context(line)
	case strings.HasPrefix(line, "WARNING:"):
		l.warned(strings.TrimPrefix(line, "WARNING:"))
	case strings.HasPrefix(line, "NOTICE:"):
		l.say(notice, strings.TrimPrefix(line, "NOTICE:"))
	case strings.HasPrefix(line, "sh: "), strings.HasPrefix(line, "Segmentation fault"),
		strings.HasPrefix(line, "Killed"):
		l.say(failure, line)
	}
}

func (l *listener) say(s severity, text string) {
	text = strings.TrimPrefix(strings.TrimSpace(text), "could not execute query: ")
	text = strings.TrimSpace(strings.TrimPrefix(text, "ERROR:"))
	if s == failure && machineTrouble.MatchString(text) {
		s = trouble
	}
	l.last = l.to.add(message{severity: s, entry: l.about(s), text: Redact(text), id: l.idFor(s),
		mustBeLoaded: s >= failure && mustBeLoaded.MatchString(text)})
}

// idFor is the dump id of what about names.
func (l *listener) idFor(s severity) int {
	if s < failure {
		return 0
	}
	return l.id
}

// about is the entry that a message of such severity is about, as far as can
// be known.
func (l *listener) about(s severity) string {
	if l.several && s < failure {
		return ""
	}
	return l.entry
}

// raised stands for what a function of the backup said in its own words,
// which may well be those of a row.
const raised = told.Withheld

// ownWords is how the CONTEXT of an error begins whose text is a function's.
// Only PL/pgSQL tells its own words from the server's.
var ownWords = regexp.MustCompile(
	`^CONTEXT:\s+(?:PL/pgSQL .* at (?:RAISE|ASSERT)$|PL/(?:Perl|Python|Tcl|v8)|PL(?:Perl|Python|Tcl|v8|V8))`,
)

// context takes the line that tells where the last error came from.
func (l *listener) context(line string) {
	if l.last != nil && ownWords.MatchString(line) {
		with := *l.last
		with.severity, with.text = max(min(with.severity, failure), warning), raised
		l.to.retell(l.last, with)
	}
}

// warned takes a warning of the server. No CONTEXT comes with one, so that
// any that no server says may be a function's. That a publication would need
// another wal_level is the sandbox's own doing.
func (l *listener) warned(text string) {
	text = strings.TrimSpace(text)
	switch {
	case strings.Contains(text, "is insufficient to publish logical changes"):
		l.say(notice, text)
	case l.to.number(warning) >= mostOthers: // which are not kept: no look is spent on them
		l.say(warning, raised)
	case l.to.names.IsSentence(text):
		l.say(warning, text)
	default:
		l.say(warning, raised)
	}
}

// fullDisk is the trouble that a larger disk cures.
var fullDisk = regexp.MustCompile(`No space left on device|Disk quota exceeded|could not (?:extend|write to) file`)

// machineTrouble is what a server or pg_restore says when the machine cannot
// go on, which says nothing about the backup. See fatal, which does the same
// where there is an SQLSTATE.
var machineTrouble = regexp.MustCompile(fullDisk.String() +
	`|could not resize shared memory|^out of (?:shared )?memory|Cannot allocate memory|` +
	`^(?:FATAL:\s+)?(?:sorry, too many clients|remaining connection slots|the database system is|` +
	`terminating connection)|server closed the connection unexpectedly|^connection to server|` +
	`no connection to the server|could not fork`)

// quotedValue is where PostgreSQL's messages put one: quoted or in hexadecimal
// after a colon (invalid input syntax for type integer: "x"), or quoted
// after the word value.
var quotedValue = regexp.MustCompile(`(?s)(: |\bvalue )(["'({]|0x).*$`)

// Redact takes the values out of a PostgreSQL message and leaves its names, so
// that it can be judged. What is shown of it, Names say.
func Redact(text string) string {
	return quotedValue.ReplaceAllString(text, "${1}…")
}

// quoted is any quoted part of a message.
var quoted = regexp.MustCompile(`"[^"]*"`)

// serverError is a message about what the server refused on a connection of
// ours: the condition's text without its values, and its SQLSTATE.
//
// In class 22, data exceptions, whatever is quoted may be a value.
func serverError(entry string, err *pgconn.PgError) message {
	text := Redact(err.Message)
	switch {
	case inOwnWords(err):
		text = raised
	case strings.HasPrefix(err.Code, "22"):
		text = quoted.ReplaceAllString(text, "…")
	}
	return message{severity: failure, entry: entry, text: text, state: err.Code,
		mustBeLoaded: mustBeLoaded.MatchString(err.Message)}
}

// inOwnWords reports whether a function of the backup chose the error's words
// and SQLSTATE, by the place in the server's source that reported it.
func inOwnWords(err *pgconn.PgError) bool {
	if err.Routine == "exec_stmt_raise" || err.Routine == "exec_stmt_assert" {
		return true
	}
	return slices.ContainsFunc([]string{"plperl", "plpy", "pltcl", "plv8"}, func(language string) bool {
		return strings.HasPrefix(err.File, language)
	})
}

// tell is what may be shown of a message: known words, and the entry it is
// about if the archive has it. Whoever wrote the dump may write to stderr what
// looks like a message, within one.
func (s *Session) tell(m message) string {
	text := m.text
	if !m.own && text != raised {
		text = s.opts.Names.Sentence(text)
	}
	if m.state != "" {
		text += " (SQLSTATE " + told.State(m.state) + ")"
	}
	switch {
	case m.entry == "":
		return text
	case s.opts.Names.Words(m.entry):
		return m.entry + ": " + text
	}
	return "what the backup does not name: " + text
}

// quote tells some of so many messages.
func (s *Session) quote(said []message, of int) string {
	var texts []string
	for _, m := range said[:min(len(said), shown)] {
		texts = append(texts, s.tell(m))
	}
	if more := of - len(texts); more > 0 {
		texts = append(texts, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(texts, "; ")
}
