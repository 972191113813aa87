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

const lossyDrill = `
version: 1
source: {url: "file://%s", name: "%s", timezone: UTC}
scrub:
  exclude_table_data: [%s]
  keep: [{table: public.t1, match: {email: "*@x.example"}, max_rows: 9}]
  rules:
    - {column: public.t1.email, transform: email}
    - {column: public.t2.email, transform: email}
    - {column: "*.t3.email", transform: email}
    - {column: public.plain.nothing, preserve: true, why: "gone"}
expectations:
  tables:
    - {table: public.t1, row_count: {min: 1}}
    - {table: public.t2, row_count: {min: 1}}
    - {table: public.plain, row_count: {min: 1}}
    - {table: public.never, row_count: {min: 1}}
`

// findingsOf are the checks that say something bad, by id.
func findingsOf(r *verdict.Report) (ids []string) {
	for _, c := range r.Checks {
		if c.Outcome == verdict.Fail || c.Outcome == verdict.Error {
			ids = append(ids, string(c.Outcome)+" "+c.ID)
		}
	}
	slices.Sort(ids)
	return ids
}

// What follows from the errors of a restore is counted in one line. What does
// not is told: a table that the archive does not make, a rule for a column that
// is not there.
func TestWhatFollowsFromAFailedRestoreIsCounted(t *testing.T) {
	t.Parallel()
	source := pgtest.Server(t)
	source.Exec("postgres", `CREATE SCHEMA kinds; CREATE DOMAIN kinds.mail AS text; CREATE FUNCTION kinds.one() RETURNS int LANGUAGE sql AS 'select 1';
CREATE TABLE t1 (id int, email kinds.mail); CREATE TABLE t2 (LIKE t1); CREATE TABLE t3 (LIKE t1); CREATE TABLE plain (id int);
INSERT INTO t1 VALUES (1, 'a@x.example'); INSERT INTO t2 VALUES (1, 'b@x.example'); INSERT INTO t3 VALUES (1, 'c@x.example'); INSERT INTO plain VALUES (1);`)
	source.Exec("postgres", `CREATE DATABASE viewed`)
	source.Exec("viewed", `CREATE SCHEMA kinds; CREATE FUNCTION kinds.one() RETURNS int LANGUAGE sql AS 'select 1';
CREATE TABLE plain (id int); INSERT INTO plain VALUES (1); CREATE VIEW ones AS SELECT kinds.one() AS one;`)
	store := t.TempDir()
	put := func(name string, args ...string) {
		if err := os.WriteFile(filepath.Join(store, name), source.Dump(args...), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("custom.dump", "-Fc", "--exclude-schema=kinds", "postgres")
	put("plain-20261121T030000Z.dump", "--exclude-schema=kinds", "postgres")
	put("viewed.dump", "-Fc", "--exclude-schema=kinds", "viewed")
	for _, name := range []string{"custom.dump", "plain-{time}.dump"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := fmt.Sprintf(lossyDrill, store, name, "public.t3")
			if name != "custom.dump" {
				text = strings.Replace(text, "timezone", "time: 20060102T150405Z, timezone", 1)
			}
			r := run(t, t.Context(), load(t, sandbox.Local, text))
			want := []string{"error rule_unmet:public.plain.nothing", "fail restore_errors", "fail table_present:public.never"}
			if got := findingsOf(r); r.Outcome != verdict.Fail || !slices.Equal(got, want) {
				t.Errorf("%s: %q, want %q", r.Outcome, got, want)
			}
			c := checkOf(t, r, "not_judged")
			if c.Outcome != verdict.Skipped ||
				!strings.HasPrefix(c.Message,
					"5 rules and 6 checks could not be judged since the restore met errors, which took with them: public.t1, public.t2, public.t3") {
				t.Errorf("%+v", c)
			}
			if name != "custom.dump" { // from here on, all is as there
				return
			}
			whole := strings.Replace(text, "    - {column: public.plain.nothing, preserve: true, why: \"gone\"}\n", "", 1)
			r = run(t, t.Context(), load(t, sandbox.Local, strings.Replace(whole, "    - {table: public.never, row_count: {min: 1}}\n", "", 1)))
			if got := findingsOf(r); !slices.Equal(got, []string{"fail restore_errors"}) || stageOf(r, verdict.StageScrub).Outcome != verdict.Skipped {
				t.Errorf("the cause alone: %q\n%s", got, worst(r))
			}
			known := strings.Replace(whole, "expectations:\n", "expectations:\n  restore: {errors: 9}\n", 1)
			r = run(t, t.Context(), load(t, sandbox.Local, known))
			if got := findingsOf(r); !slices.Contains(got, "fail table_present:public.t1") || !slices.Contains(got, "error rule_unmet:public.t1.email") {
				t.Errorf("errors that are declared explain nothing: %q", got)
			}
		})
	}
	t.Run("a view alone", func(t *testing.T) {
		t.Parallel()
		text := fmt.Sprintf(`
version: 1
source: {url: "file://%s", name: viewed.dump, timezone: UTC}
expectations:
  tables: [{table: public.plain, row_count: {min: 1}}, {table: public.ones, row_count: {min: 1}}]
  failed_rows: [{name: ones, sql: "select from public.ones", fail_if: "< 1"}, {name: nothing, sql: "select from pg_temp.nope", fail_if: "< 1"}]
latest_events: [{table: public.ones, order_by: one, columns: [one]}]
`, store)
		r := run(t, t.Context(), load(t, sandbox.Local, text))
		if got := findingsOf(r); !slices.Equal(got, []string{"fail restore_errors"}) {
			t.Errorf("%q\n%s", got, worst(r))
		}
		if c := checkOf(t, r, "not_judged"); !strings.HasPrefix(c.Message, "5 checks could not be judged") ||
			checkOf(t, r, "row_count:public.plain").Outcome != verdict.Pass {
			t.Errorf("%+v", c)
		}
	})
}

func stageOf(r *verdict.Report, name string) verdict.Stage {
	return r.Stages[slices.IndexFunc(r.Stages, func(s verdict.Stage) bool { return s.Name == name })]
}

// past is what is known of a drill that passed.
func past(r verdict.Report) history.Past {
	r.Run, r.Outcome = "before", verdict.Pass
	return history.Past{Passing: []*verdict.Report{&r}}
}

var unreadPast = history.Past{Problem: verdict.Errorf(verdict.CodeHistory, "mount it", "the disk is gone")}

// A database of another name is the backup's failure, unless the drill file
// may have got the name wrong and no drill passed with it.
func TestADatabaseOfAnotherName(t *testing.T) {
	t.Parallel()
	source := pgtest.Server(t)
	source.Exec("postgres", "CREATE DATABASE shop2")
	source.Exec("shop2", "CREATE TABLE a (id int); INSERT INTO a VALUES (1)")
	store := t.TempDir()
	for name, dump := range map[string][]byte{"one.dump": source.Dump("-Fc", "shop2"), "all-20261121T030000Z.dump": source.DumpBy("pg_dumpall")} {
		if err := os.WriteFile(filepath.Join(store, name), dump, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	passed := past(verdict.Report{Backup: verdict.Backup{Database: "Shop2"}})
	for _, c := range []struct {
		file, database string
		past           history.Past
		want           verdict.Outcome
		hint           string
	}{
		{"one.dump", "Shop2", history.Past{}, verdict.Error, "did you mean shop2?"},
		{"one.dump", "Shop2", past(verdict.Report{}), verdict.Error, "did you mean shop2?"},
		{"one.dump", "Shop2", passed, verdict.Fail, "the last drill that passed with it was before"},
		{"one.dump", "Shop2", unreadPast, verdict.Error, "the past could not be read"},
		{"one.dump", "shop", history.Past{}, verdict.Fail, "dumps another database"},
		{"one.dump", "shop1", history.Past{}, verdict.Fail, "dumps another database"},
		{"all-{time}.dump", "SHOP2", history.Past{}, verdict.Error, "did you mean shop2?"},
		{"all-{time}.dump", "shop", history.Past{}, verdict.Fail, "look at what the backup job dumps"},
	} {
		t.Run(c.file+" for "+c.database+" is "+string(c.want), func(t *testing.T) {
			t.Parallel()
			text := fmt.Sprintf("version: 1\nsource: {url: 'file://%s', name: '%s', time: 20060102T150405Z, timezone: UTC, database: %s}\nexpectations: "+
				"{tables: [{table: public.a}]}\n", store, c.file, c.database)
			if !strings.Contains(c.file, "{time}") {
				text = strings.Replace(text, "time: 20060102T150405Z, ", "", 1)
			}
			r := run(t, t.Context(), load(t, sandbox.Local, text), func(req *drill.Request) { req.Past = c.past })
			s := stageOf(r, verdict.StageFetch)
			if r.Outcome != c.want || s.Code != verdict.CodeDatabase || !strings.Contains(s.Hint, c.hint) {
				t.Errorf("%+v, want %s and %q\n%s", s, c.want, c.hint, worst(r))
			}
		})
	}
}

// A store without a match is the backups' failure once a drill has passed, and
// wherever nothing is there that the drill file may have meant.
func TestAStoreInWhichNothingMatches(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		file string
		past history.Past
		want verdict.Outcome
		hint string
	}{
		{"shop-20261121T030000Z.dump.gz", history.Past{}, verdict.Error, `did you mean source.name: "shop-{time}.dump.gz"?`},
		{"Shop_20261121T030000Z.dump", history.Past{}, verdict.Error, `did you mean source.name: "Shop_{time}.dump"?`},
		{"Shop_20261121T030000Z.dump", past(verdict.Report{}), verdict.Fail, `find out what the backup job changed; or did you mean`},
		{"Shop_20261121T030000Z.dump", unreadPast, verdict.Error, "the past could not be read"},
		{"shpo-20261121T030000Z.dump", history.Past{}, verdict.Error, `did you mean source.name: "shpo-{time}.dump"?`},
		{"shpo-20261121T030000Z.dump", past(verdict.Report{}), verdict.Fail, `find out what the backup job changed; or did you mean`},
		{"blog-20261121T030000Z.dump", history.Past{}, verdict.Fail, "correct source.name, or find out where"},
		{"shop2-20261121T030000Z.dump", history.Past{}, verdict.Fail, "correct source.name, or find out where"},
		{"", history.Past{}, verdict.Fail, "is source.url right"},
	} {
		store := t.TempDir()
		if c.file != "" {
			if err := os.WriteFile(filepath.Join(store, c.file), []byte("x"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		text := fmt.Sprintf("version: 1\nsource: {url: 'file://%s', name: 'shop-{time}.dump', time: 20060102T150405Z}\nexpectations: "+
			"{tables: [{table: public.a}]}\n", store)
		r := drill.Newest(t.Context(), drill.Request{Drill: load(t, sandbox.Local, text), Past: c.past})
		s := stageOf(r, verdict.StageChoose)
		if s.Outcome != c.want || s.Code != verdict.CodeNoBackup || !strings.Contains(s.Hint, c.hint) {
			t.Errorf("%q: %+v, want %s and %q", c.file, s, c.want, c.hint)
		}
	}
}
