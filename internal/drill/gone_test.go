package drill_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"daybefore/internal/drill"
	"daybefore/internal/history"
	"daybefore/internal/pgtest"
	"daybefore/internal/sandbox"
	"daybefore/internal/verdict"
)

// What a rule or a query names is judged by history first, as a table is: gone
// since a drill passed, it is the backup's failure; never there, the drill
// file's mistake.
func TestWhatARuleOrAQueryNamesIsGone(t *testing.T) {
	t.Parallel()
	source := pgtest.Server(t)
	source.Exec("postgres", `CREATE TABLE plain (id int, note int); INSERT INTO plain VALUES (1, 1);
CREATE TABLE october (id int); INSERT INTO october VALUES (1); CREATE TABLE big (id int); INSERT INTO big VALUES (1);`)
	store := t.TempDir()
	put := func() {
		if err := os.WriteFile(filepath.Join(store, "x.dump"), source.Dump("-Fc", "postgres"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put()
	d := load(t, sandbox.Local, fmt.Sprintf(`
version: 1
source: {url: "file://%s", name: x.dump, timezone: UTC}
scrub: {exclude_table_data: [public.big], rules: [{column: public.october.id, transform: number}, {column: public.plain.id, preserve: true, why: none}]}
expectations:
  tables: [{table: public.plain, row_count: {min: 1}}]
  failed_rows: [{name: noted, sql: "select from public.plain where note is null", fail_if: "> 0"}]
`, store))
	past := run(t, t.Context(), d)
	if past.Outcome != verdict.Pass {
		t.Fatalf("%s\n%s", past.Outcome, worst(past))
	}
	with := func(reports ...*verdict.Report) func(*drill.Request) {
		return func(req *drill.Request) { req.Past = history.Past{Passing: reports} }
	}
	source.Exec("postgres", "ALTER TABLE plain DROP COLUMN note")
	put()
	const query = "failed_rows:noted"
	if c := checkOf(t, run(t, t.Context(), d, with(past)), query); c.Outcome != verdict.Fail || !strings.Contains(c.Message, past.Run) {
		t.Errorf("%+v", c)
	}
	if c := checkOf(t, run(t, t.Context(), d), query); c.Outcome != verdict.Error {
		t.Errorf("without a past: %+v", c)
	}
	source.Exec("postgres", "DROP TABLE october; DROP TABLE big")
	put()
	of := func(outcome string) []string {
		return []string{outcome + " rule_unmet:public.big", outcome + " rule_unmet:public.october.id"}
	}
	if got := findingsOf(run(t, t.Context(), d)); !slices.Equal(got, of("error")) {
		t.Errorf("without a past: %q", got)
	}
	if got := findingsOf(run(t, t.Context(), d, with(past))); !slices.Equal(got, of("fail")) {
		t.Errorf("by the same drill file: %q", got)
	}
	edited := *past
	edited.DrillSHA256 = "another"
	edited.Scrub = verdict.Scrub{} // as it is read again
	if got := findingsOf(run(t, t.Context(), d, with(&edited))); !slices.Equal(got, of("fail")) {
		t.Errorf("by what the report names: %q", got)
	}
	edited.Checks, edited.Tables = nil, nil
	if got := findingsOf(run(t, t.Context(), d, with(&edited))); !slices.Equal(got, of("error")) {
		t.Errorf("a rule that came since: %q", got)
	}
}
