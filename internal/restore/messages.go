package restore

import (
	"regexp"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5/pgconn"

	"daybefore/internal/verdict"
)

// severity is what a message on stderr amounts to.
type severity int

const (
	notice severity = iota
	warning
	failure
)

// message is one thing that pg_restore or the server said, with the entry of
// the archive it is about, as far as pg_restore tells. It holds no DETAIL, no
// statement text and no quoted value: those print whole rows.
type message struct {
	severity severity
	entry    string // "TABLE users app", empty outside an entry
	text     string
}

// messages collects what several programs and connections say.
type messages struct {
	mu   sync.Mutex
	list []message
}

func (m *messages) add(msg message) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.list = append(m.list, msg)
}

// all returns the messages of one severity, in the order they came.
func (m *messages) all(s severity) []message {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []message
	for _, msg := range m.list {
		if msg.severity == s {
			out = append(out, msg)
		}
	}
	return out
}

func (m *messages) count() verdict.Messages {
	return verdict.Messages{
		Errors:   len(m.all(failure)),
		Warnings: len(m.all(warning)),
		Notices:  len(m.all(notice)),
	}
}

// listener classifies the stderr of one program, line by line.
func (m *messages) listener() func(line string) {
	l := &listener{to: m}
	return l.line
}

// listener remembers the entry that pg_restore is at.
type listener struct {
	to    *messages
	entry string
}

// tocEntry is how pg_restore names the entry that the next error is about:
// "from TOC entry 215; 1259 16388 TABLE users app".
var tocEntry = regexp.MustCompile(`^(?:pg_restore: )?from TOC entry \d+; \d+ \d+ (.*)$`)

// creating is how pg_restore -v says what it is at: `creating TABLE "a.b"`.
var creating = regexp.MustCompile(`^(?:creating|processing data for) ([A-Z ]+) "(.*)"$`)

// line takes one line of pg_restore -v. pg_restore (src/bin/pg_dump/pg_backup_archiver.c and
// src/common/logging.c) prefixes what it says itself with its name; lines
// without that prefix continue the message before: DETAIL, CONTEXT and the
// text of the statement, none of which may be kept.
func (l *listener) line(line string) {
	if m := tocEntry.FindStringSubmatch(line); m != nil {
		l.entry = m[1]
		return
	}
	text, ours := strings.CutPrefix(line, "pg_restore: ")
	if !ours {
		l.foreign(line)
		return
	}
	if m := creating.FindStringSubmatch(text); m != nil {
		l.entry = m[1] + " " + m[2]
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
		l.say(warning, strings.TrimPrefix(text, "WARNING:"))
	case strings.HasPrefix(text, "NOTICE:"), strings.HasPrefix(text, "INFO:"), strings.HasPrefix(text, "LOG:"):
		l.say(notice, text)
	}
}

// foreign takes a line that pg_restore did not prefix.
func (l *listener) foreign(line string) {
	switch {
	case strings.HasPrefix(line, "WARNING:"):
		l.say(warning, strings.TrimPrefix(line, "WARNING:"))
	case strings.HasPrefix(line, "NOTICE:"):
		l.say(notice, strings.TrimPrefix(line, "NOTICE:"))
	case strings.HasPrefix(line, "sh: "), strings.HasPrefix(line, "Segmentation fault"), strings.HasPrefix(line, "Killed"):
		l.say(failure, line)
	}
}

func (l *listener) say(s severity, text string) {
	text = strings.TrimPrefix(strings.TrimSpace(text), "could not execute query: ")
	text = strings.TrimSpace(strings.TrimPrefix(text, "ERROR:"))
	l.to.add(message{severity: s, entry: l.entry, text: Redact(text)})
}

// value is where PostgreSQL's messages put one: quoted or in hexadecimal
// behind a colon (invalid input syntax for type integer: "x"), or quoted
// behind the word value.
var value = regexp.MustCompile(`(?s)(: |\bvalue )(["'({]|0x).*$`)

// Redact takes the values out of a PostgreSQL message and leaves its names.
func Redact(text string) string {
	return value.ReplaceAllString(text, "${1}…")
}

// quoted is any quoted part of a message.
var quoted = regexp.MustCompile(`"[^"]*"`)

// serverError is a message about what the server refused on a connection of
// ours: the condition's text without its values, and its SQLSTATE.
//
// In class 22, data exceptions, whatever is quoted may be a value.
func serverError(entry string, err *pgconn.PgError) message {
	text := Redact(err.Message)
	if strings.HasPrefix(err.Code, "22") {
		text = quoted.ReplaceAllString(text, "…")
	}
	return message{severity: failure, entry: entry, text: text + " (SQLSTATE " + err.Code + ")"}
}
