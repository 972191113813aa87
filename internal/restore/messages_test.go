package restore

import (
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"daybefore/internal/told"
)

// What pg_restore 15.18 -v wrote, with a made-up value in every place where
// PostgreSQL prints rows.
const stderr = `pg_restore: connecting to database for restore
pg_restore: creating TABLE "public.users"
pg_restore: while PROCESSING TOC:
pg_restore: from TOC entry 215; 1259 16388 TABLE users app
pg_restore: error: could not execute query: ERROR:  role "app" does not exist
Command was: ALTER TABLE public.users ALTER email SET DEFAULT 'a-secret@example.com';
ERROR: not a message, a line of a-secret statement
pg_restore: creating MATERIALIZED VIEW DATA "public.filled"
pg_restore: WARNING:  careful
pg_restore: NOTICE:  something
DETAIL:  a-secret
pg_restore: error: could not execute query: ERROR:  invalid input syntax for type integer: "a-secret"
CONTEXT:  SQL function "f" with a-secret
pg_restore: error: could not execute query: ERROR:  invalid byte sequence for encoding "UTF8": 0xa-secret
pg_restore: error: could not execute query: ERROR:  date/time field value out of range: "a-secret"
pg_restore: error: could not execute query: ERROR:  value "a-secret" is out of range for type integer
pg_restore: warning: errors ignored on restore: 4
psql:/run/share/script-pre-data:12: ERROR:  role "app" does not exist
psql:/run/share/script-pre-data:13: NOTICE:  something
psql: error: connection to server on socket failed
`

// spoken is a warning of a server's.
var spoken = told.NewSentences(func(to io.Writer) error {
	_, err := io.WriteString(to, "no privileges were granted for \"%s\"\x00")
	return err
})

// inside compares all that messages hold.
var inside = cmp.AllowUnexported(message{}, object{}, tableName{})

func TestMessagesAreClassifiedAndHoldNoValue(t *testing.T) {
	t.Parallel()
	var m messages
	say := m.listener(1).line
	for line := range strings.Lines(stderr) {
		say(strings.TrimSuffix(line, "\n"))
	}
	filled := "MATERIALIZED VIEW DATA public.filled"
	want := []message{
		{severity: failure, entry: "TABLE users app", text: `role "app" does not exist`, id: 215},
		{severity: warning, entry: filled, text: raised},
		{severity: notice, entry: filled, text: "NOTICE:  something"},
		{severity: failure, entry: filled, text: "invalid input syntax for type integer: …"},
		{severity: failure, entry: filled, text: `invalid byte sequence for encoding "UTF8": …`},
		{severity: failure, entry: filled, text: "date/time field value out of range: …"},
		{severity: failure, entry: filled, text: "value …"},
		{severity: failure, entry: filled, text: `role "app" does not exist`},
		{severity: notice, entry: filled, text: "something"},
		{severity: trouble, entry: filled, text: "connection to server on socket failed"},
	}
	if diff := cmp.Diff(want, m.told(), inside); diff != "" {
		t.Error(diff)
	}
	if got := m.count(); got.Errors != 6 || got.Warnings != 1 || got.Notices != 2 {
		t.Errorf("counted %+v", got)
	}
}

// Under -j the lines of several workers are mixed: what one of them creates is
// not what another's warning is about.
// What the jobs of pg_restore write may come between each other's words, and
// an error is one all the same.
func TestErrorsOfSeveralJobsAreHeardWhereTheyMix(t *testing.T) {
	t.Parallel()
	for name, said := range map[string]string{
		"whole": "pg_restore: from TOC entry 3; 2606 1 CONSTRAINT t k app\npg_restore: error: could not execute query: ERROR:  no index\n",
		"behind the name": "pg_restore: from TOC entry 3; 2606 1 CONSTRAINT t k app\npg_restore: pg_restore: finished item 4 INDEX i\npg_restore: launching " +
			"item 5 INDEX j\nerror: could not execute query: ERROR:  no index\nerror: a-secret of the statement\n",
		"behind the error": "pg_restore: from TOC entry 3; 2606 1 CONSTRAINT t k app\npg_restore: error: pg_restore: finished item 4 INDEX i\ncould not " +
			"execute query: ERROR:  no index\ncould not execute query: a-secret of the statement\n",
		"within": "pg_restore: from TOC entry 3; 2606 1 CONSTRAINT t k app\npg_restore: error: pg_restore: could not execute query: ERROR:  no " +
			"index\nlaunching item 5 INDEX j\n",
		"across": "pg_restore: from TOC entry 3; 2606 1 CONSTRAINT t k app\npg_restore: pg_restore: error: launching item 5 INDEX j\ncould not " +
			"execute query: ERROR:  no index\n",
		"before the blank": "pg_restore: from TOC entry 3; 2606 1 CONSTRAINT t k app\npg_restore:pg_restore: finished item 4 INDEX i\n error: could not " +
			"execute query: ERROR:  no index\n",
		"behind both": "pg_restore: pg_restore: from TOC entry 3; 2606 1 CONSTRAINT t k app\npg_restore: pg_restore: finished item 4 INDEX " +
			"i\npg_restore: error: pg_restore: finished item 5 INDEX j\ncould not execute query: ERROR:  no index\n",
	} {
		var m messages
		say := m.listener(2).line
		for line := range strings.Lines(said) {
			say(strings.TrimSuffix(line, "\n"))
		}
		if diff := cmp.Diff([]message{{severity: failure, entry: "CONSTRAINT t k app", text: "no index", id: 3}}, m.told(), inside); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestWarningsOfSeveralJobsNameNoEntry(t *testing.T) {
	t.Parallel()
	m := messages{names: told.All(spoken)}
	say := m.listener(2).line
	for line := range strings.Lines(`pg_restore: creating INDEX "public.a"
pg_restore: creating INDEX "public.b"
pg_restore: WARNING:  no privileges were granted for "public"
pg_restore: warning: something
pg_restore: from TOC entry 215; 1259 16388 INDEX c app
pg_restore: error: could not execute query: ERROR:  role "app" does not exist
pg_restore: creating INDEX "public.d"
pg_restore: WARNING:  a-secret
pg_restore: NOTICE:  something
`) {
		say(strings.TrimSuffix(line, "\n"))
	}
	want := []message{
		{severity: warning, entry: "", text: `no privileges were granted for "public"`},
		{severity: warning, entry: "", text: "something"},
		{severity: failure, entry: "INDEX c app", text: `role "app" does not exist`, id: 215},
		{severity: warning, entry: "", text: raised},
		{severity: notice, entry: "", text: "NOTICE:  something"},
	}
	if diff := cmp.Diff(want, m.told(), inside); diff != "" {
		t.Error(diff)
	}
}

// told are all messages, in the order they came.
func (m *messages) told() (all []message) {
	for _, msg := range m.list {
		all = append(all, *msg)
	}
	return all
}

func TestMessagesOfMachinesAndFunctions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, stderr string
		want         []message
	}{
		{"a function's exception", `pg_restore: error: could not execute query: ERROR:  no such person: a-secret
CONTEXT:  PL/pgSQL function public.f(text) line 1 at RAISE
SQL function "g" statement 1`, []message{{severity: failure, entry: "", text: raised}}},
		{"a function's exception that looks like the machine's trouble", `pg_restore: error: could not execute query: ERROR:  No space left on device
CONTEXT:  PL/pgSQL function public.f(text) line 1 at RAISE`, []message{{severity: failure, entry: "", text: raised}}},
		{"the server's own error in a function", `pg_restore: error: could not execute query: ERROR:  relation "users" does not exist
CONTEXT:  PL/pgSQL function public.f(text) line 1 at SQL statement`, []message{{severity: failure, entry: "", text: `relation "users" does not exist`}}},
		{"a function in Perl", `pg_restore: error: could not execute query: ERROR:  a-secret at line 1.
CONTEXT:  PL/Perl function "f"`, []message{{severity: failure, entry: "", text: raised}}},
		{"a function's warning", "WARNING:  a-secret", []message{{severity: warning, entry: "", text: raised}}},
		{"a server's warning", `WARNING:  no privileges were granted for "public"`,
			[]message{{severity: warning, entry: "", text: `no privileges were granted for "public"`}}},
		{"the sandbox's own doing", `WARNING:  "wal_level" is insufficient to publish logical changes`,
			[]message{{severity: notice, entry: "", text: `"wal_level" is insufficient to publish logical changes`}}},
		{"a full disk", `pg_restore: error: could not execute query: ERROR:  could not extend file "base/5/16403": No space left on device
HINT:  Check free disk space.`, []message{{severity: trouble, entry: "", text: `could not extend file "base/5/16403": No space left on device`}}},
		{"a server that is gone", "pg_restore: error: could not execute query: server closed the connection unexpectedly",
			[]message{{severity: trouble, entry: "", text: "server closed the connection unexpectedly"}}},
		{"a server that goes", "pg_restore: error: could not execute query: FATAL:  terminating connection due to administrator command",
			[]message{{severity: trouble, entry: "", text: "FATAL:  terminating connection due to administrator command"}}},
	} {
		m := messages{names: told.All(spoken)}
		say := m.listener(1).line
		for line := range strings.Lines(c.stderr) {
			say(strings.TrimSuffix(line, "\n"))
		}
		if diff := cmp.Diff(c.want, m.told(), inside); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}

// However much code of the backup says, and however long, little is kept of it,
// and all is counted; what is retold counts once.
func TestMessagesAreBounded(t *testing.T) {
	t.Parallel()
	const many = 12_000
	var m messages
	l := m.listener(1)
	long := strings.Repeat("x", 64<<10)
	for i := range many {
		l.line("pg_restore: WARNING:  careful")
		l.line("pg_restore: NOTICE:  something")
		m.add(message{severity: failure, text: "no such person"})
		if i%1000 == 0 {
			l.line("pg_restore: error: could not execute query: ERROR:  " + long)
			l.line("CONTEXT:  PL/pgSQL function public.f(text) line 1 at RAISE")
		}
	}
	if got := m.count(); got.Warnings != many || got.Notices != many || got.Errors != many+many/1000 {
		t.Errorf("counted %+v", got)
	}
	bytes := 0
	for _, msg := range m.list {
		bytes += len(msg.text) + len(msg.entry)
	}
	if len(m.list) > many || bytes > 4<<20 {
		t.Errorf("%d messages of %d bytes are kept", len(m.list), bytes)
	}
}
