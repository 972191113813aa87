package drill_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"daybefore/internal/pgtest"
	"daybefore/internal/sandbox"
	"daybefore/internal/verdict"
)

// storeOf makes a store with a dump of a new database that holds the SQL.
func storeOf(t *testing.T, sql string) (store string) {
	t.Helper()
	source := pgtest.Server(t)
	source.Exec("postgres", "CREATE DATABASE asis")
	source.Exec("asis", sql)
	store = t.TempDir()
	if err := os.WriteFile(filepath.Join(store, "p.dump"), source.Dump("-Fc", "asis"), 0o600); err != nil {
		t.Fatal(err)
	}
	return store
}

const asIsDrill = `
version: 1
source: {url: "file://%s", name: "*.dump", timezone: UTC}
expectations:
  tables: [{table: public.t, row_count: {min: 1}}]
scrub:
%s`

// A column of full names that nobody names, and one that somebody keeps, are in
// the report of a drill that passes.
func TestWhatPassesIsReported(t *testing.T) {
	t.Parallel()
	store := storeOf(t, `
		create table public.t (id int primary key, email text, subject text, login text);
		insert into public.t select i, 'mail' || i || '@example.com', 'In short', 'login' || i from generate_series(1, 50) i;`)
	r := run(t, t.Context(), load(t, sandbox.Local, fmt.Sprintf(asIsDrill, store, `
  rules:
    - {column: public.t.email, transform: email}
    - {column: public.t.login, preserve: true, why: "accounts of machines"}
`)))
	if r.Outcome != verdict.Pass {
		t.Fatalf("%s\n%s", r.Outcome, worst(r))
	}
	want := verdict.Scrub{
		Passed: []verdict.ScrubPassed{
			{Column: "public.t.subject", Type: "text", Rows: 50, LooksLike: []string{"words"}, DecidedBy: verdict.DecidedByNobody},
			{Column: "public.t.login", Type: "text", Rows: 50, LooksLike: []string{"codes"}, DecidedBy: verdict.DecidedByRule,
				Why: "accounts of machines"},
		},
		Preserve: []verdict.ScrubPreserved{{Column: "public.t.login", Why: "accounts of machines", LooksLike: "an account's name"}},
	}
	r.Scrub.Columns = nil
	if diff := cmp.Diff(want, r.Scrub); diff != "" {
		t.Error(diff)
	}
}

// A real value that allow matches is no finding, wherever it stands; one that
// it does not match still is, in a document by its path.
func TestAllowReachesRealValues(t *testing.T) {
	t.Parallel()
	store := storeOf(t, `
		create table public.t (id int primary key, email text not null);
		insert into public.t select i, 'shop.zq7' || i || '@example.de' from generate_series(1, 50) i;
		create table public.log (id int, subject jsonb);
		insert into public.log values (1, '{"id": 1, "email": ["shop.zq72@example.de"]}');
		comment on table public.t is 'our own mailbox is shop.zq71@example.de';`)
	for allowed, want := range map[string]string{
		`^shop\.zq7[12]@`:                "",
		`^shop\.zq71@`:                   "leak:public.log.subject a real value of public.t.email at $.email[*] (1 time)",
		`^shop\.zq72@`:                   "leak:a comment on table public.t a real value of public.t.email (1 time), an e-mail address (1 time)",
		`^(our own|shop\.zq7[12]@.*org)`: "leak:a comment on table public.t leak:public.log.subject",
	} {
		t.Run(allowed, func(t *testing.T) {
			t.Parallel()
			r := run(t, t.Context(), load(t, sandbox.Local, fmt.Sprintf(asIsDrill, store, `
  rules:
    - {column: public.t.email, transform: email}
    - {column: public.log.subject, preserve: true, why: "states"}
  leak_scan: {allow: ['`+allowed+`'], source_overlap: 1000}
`)))
			var found []string
			for _, c := range r.Checks {
				if strings.HasPrefix(c.ID, "leak:") {
					found = append(found, c.ID+" "+c.Observed)
				}
			}
			if said := strings.Join(found, " "); !inOrder(said, want) || want == "" && (said != "" || r.Outcome != verdict.Pass) {
				t.Errorf("%s, %q, want %q\n%s", r.Outcome, said, want, worst(r))
			}
		})
	}
}

// inOrder reports whether the words of one text stand in another, in their
// order.
func inOrder(text, words string) bool {
	for word := range strings.FieldsSeq(words) {
		_, behind, found := strings.Cut(text, word)
		if !found {
			return false
		}
		text = behind
	}
	return true
}

// Names of roles, schemas, tables and policies that look personal stand in no
// report; those that the drill file says do.
func TestNamesThatLookPersonalAreNotTold(t *testing.T) {
	t.Parallel()
	const role, schema, table, policy, said = "ada.role@example.com", "+49 171 2345678", "DE89370400440532013000", "4111 1111 1111 1111", "5500 0000 0000 0004"
	store := storeOf(t, fmt.Sprintf(`
		create table public.t (id int primary key, subject text); insert into public.t values (1, 'x');
		create role "%[1]s"; alter table public.t owner to "%[1]s";
		create schema "%[2]s"; create table "%[2]s".notes (id int, state text); insert into "%[2]s".notes values (1, 'on'), (2, 'off');
		create table public."%[3]s" (id int, state text); insert into public."%[3]s" values (1, 'on');
		create table public."%[5]s" (id int, state text); insert into public."%[5]s" values (1, 'on');
		create policy "%[4]s" on public.t using (subject <> 'bob@example.com');`, role, schema, table, policy, said))
	r := run(t, t.Context(), load(t, sandbox.Local, fmt.Sprintf(asIsDrill, store, `
  rules:
    - {column: 'public."`+said+`".state', preserve: true, why: "states"}
`)))
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{role, schema, table, policy} {
		if strings.Contains(string(text), name) {
			t.Errorf("the report tells %q:\n%s", name, text)
		}
	}
	if !strings.Contains(string(text), said) {
		t.Errorf("the report does not tell what the drill file says:\n%s", text)
	}
	if len(r.Tables) != 4 || len(r.Scrub.Passed) != 4 || len(r.RolesCreated) != 1 {
		t.Errorf("%d tables, %d columns, %d roles", len(r.Tables), len(r.Scrub.Passed), len(r.RolesCreated))
	}
	names := map[string]bool{}
	for _, table := range r.Tables {
		names[table.Name] = true
	}
	if len(names) != 4 {
		t.Errorf("two tables have one name: %v", names)
	}
}
