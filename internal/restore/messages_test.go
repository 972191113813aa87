package restore

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
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
`

func TestMessagesAreClassifiedAndHoldNoValue(t *testing.T) {
	t.Parallel()
	var m messages
	say := m.listener()
	for line := range strings.Lines(stderr) {
		say(strings.TrimSuffix(line, "\n"))
	}
	filled := "MATERIALIZED VIEW DATA public.filled"
	want := []message{
		{failure, "TABLE users app", `role "app" does not exist`},
		{warning, filled, "careful"},
		{notice, filled, "NOTICE:  something"},
		{failure, filled, "invalid input syntax for type integer: …"},
		{failure, filled, `invalid byte sequence for encoding "UTF8": …`},
		{failure, filled, "date/time field value out of range: …"},
		{failure, filled, "value …"},
	}
	if diff := cmp.Diff(want, m.list, cmp.AllowUnexported(message{})); diff != "" {
		t.Error(diff)
	}
	if got := m.count(); got.Errors != 5 || got.Warnings != 1 || got.Notices != 1 {
		t.Errorf("counted %+v", got)
	}
}
