package expect

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"daybefore/internal/history"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

const related = `
create table public.users (id int primary key, "Name" text);
insert into users select i, 'n' || i from generate_series(1, 10) i;
create table public.orders (id int, user_id int, name text, body jsonb);
insert into orders select i, 1 + i % 10, 'n' || 1 + i % 10, '{}' from generate_series(1, 20) i;
insert into orders values (21, null, null);
create table public.adrift (id int, user_id bigint, name text);
insert into adrift select i, i, 'n' || i from generate_series(9, 13) i;
create table public.parts (id int) partition by range (id);
create table public.parts_1 partition of parts for values from (1) to (5);
create table public.parts_2 partition of parts for values from (5) to (20);
insert into parts select generate_series(1, 10);`

func testRelationships(t *testing.T, s server) {
	connect := s.database(t, "related", related)
	torn := func(table spec.Name, column string, other spec.Name, otherColumn string) bool {
		return other.Table != "parts"
	}
	const any = "orphans: fail if > 0"
	for _, test := range []struct {
		name, table, relationship string
		want                      short
	}{
		{"none", "orders", "{column: user_id, references: public.users.id}", short{"relationships:public.orders.user_id", "pass", any, "0", ""}},
		{"names in quotes", "orders", `{column: name, references: 'public.users."Name"'}`, short{"relationships:public.orders.name", "pass", any, "0", ""}},
		{"to a partitioned table", "adrift", "{column: user_id, references: public.parts.id}",
			short{"relationships:public.adrift.user_id", "fail", any, "3", "3 rows of public.adrift whose user_id is no public.parts.id (fail if > 0)"}},
		{"some, of another type", "adrift", "{column: user_id, references: public.users.id}",
			short{"relationships:public.adrift.user_id", "fail", any, "3", "3 rows of public.adrift whose user_id is no public.users.id (fail if > 0)"}},
		{"some, not yet too many", "adrift", "{column: user_id, references: public.users.id, warn_if: '> 2', fail_if: '> 3'}",
			short{"relationships:public.adrift.user_id", "warn", "orphans: warn if > 2, fail if > 3", "3", "(warn if > 2)"}},
		{"warnings alone", "adrift", "{column: user_id, references: public.users.id, warn_if: '> 3'}",
			short{"relationships:public.adrift.user_id", "pass", "orphans: warn if > 3", "3", ""}},
		{"a column that is not there", "adrift", "{column: usr_id, references: public.users.id}",
			short{"relationships:public.adrift.usr_id", "error", any, "", "there is no column public.adrift.usr_id (drill file, line"}},
		{"a referenced column that is not there", "adrift", "{column: user_id, references: public.users.uid}",
			short{"relationships:public.adrift.user_id", "error", any, "", "there is no column public.users.uid (drill file, line"}},
		{"types that cannot be compared", "orders", "{column: body, references: public.users.id}",
			short{"relationships:public.orders.body", "error", any, "", "(SQLSTATE 42883)"}},
		{"a referenced table that is not there", "adrift", "{column: user_id, references: public.gone.id}",
			short{"relationships:public.adrift.user_id", "fail", any, "missing",
				"public.gone (which public.adrift.user_id references) does not exist or cannot be read"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := drill(t, tables("{table: public."+test.table+", relationships: ["+test.relationship+"]}"))
			compare(t, []short{test.want}, Run(t.Context(), connect, d.Expectations, Options{AsOf: asOf})[1:])
		})
	}
	t.Run("torn apart by the scrub", func(t *testing.T) {
		t.Parallel()
		d := drill(t, tables("{table: public.adrift, relationships: [{column: user_id, references: public.parts.id}]}"))
		compare(t, []short{{"relationships:public.adrift.user_id", "error", any, "", "are scrubbed in different ways"}},
			Run(t.Context(), connect, d.Expectations, Options{AsOf: asOf, Agree: torn})[1:])
	})
}

func testRebuildable(t *testing.T, s server) {
	connect := s.database(t, "rebuildable", `
create table public.full (id int, at timestamptz, user_id int);
  insert into public.full values (1, '2026-11-21 01:00+00', 7);
create table public.empty (id int, at timestamptz, user_id int);
create materialized view public.unfilled as select 1 as id with no data;
create materialized view public.unfilled_too as select 1 as id with no data;`)
	const all = "rebuildable: true, row_count: {min: 2}, row_count_change: {fail_percent: 5}, freshness: {column: at, fail_after: 6h}, max_regression: " +
		"{column: at}, relationships: [{column: user_id, references: public.full.id}], checksum: {columns: [id]}"
	six := func(outcome verdict.Outcome, table, observed, message string) []short {
		return []short{
			{"row_count:" + table, outcome, ">= 2", observed, message},
			{"row_count_change:" + table, outcome, "", observed, message},
			{"freshness:" + table, outcome, fresh6h, observed, message},
			{"max_regression:" + table, outcome, "the newest at not before that of the last drill that passed", observed, message},
			{"relationships:" + table + ".user_id", outcome, "orphans: fail if > 0", observed, message},
			{"checksum:" + table, outcome, "the same id as in the last drill of this backup", observed, message},
		}
	}
	for _, test := range []struct {
		name, file string
		want       []short
	}{
		{"missing", tables("{table: public.gone, " + all + "}"),
			append([]short{{"table_present:public.gone", "skipped", "present", "missing", "public.gone was not restored, which is allowed (rebuildable)"}},
				six("skipped", "public.gone", "missing", "not checked")...)},
		{"empty", tables("{table: public.empty, " + all + "}"), append([]short{{"table_present:public.empty", "pass", "present", "table", ""}},
			six("skipped", "public.empty", "empty", "public.empty is empty, which is allowed (rebuildable)")...)},
		{"half there", tables("{table: public.full, rebuildable: true, row_count: {min: 2}, relationships: [{column: user_id, references: public.full.id}]}"),
			[]short{
				{"table_present:public.full", "pass", "present", "table", ""},
				{"row_count:public.full", "fail", ">= 2", "1", "1 fewer than the least declared"},
				{"relationships:public.full.user_id", "fail", "orphans: fail if > 0", "1", "1 row of public.full whose user_id is no public.full.id"}}},
		{"a materialized view that was never filled", tables("{table: public.unfilled, rebuildable: true}") + "  materialized_views: populated\n", []short{
			{"table_present:public.unfilled", "skipped", "present", "materialized view", "public.unfilled was not restored, which is allowed (rebuildable)"},
			{"materialized_views", "fail", "all populated", "1 of 1 not populated", "the materialized view public.unfilled_too is"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			compare(t, test.want, Run(t.Context(), connect, drill(t, test.file).Expectations, Options{AsOf: asOf}))
		})
	}
}

func testCanary(t *testing.T, s server) {
	connect := s.database(t, "mine", `
create table public.canary (token text, bytes bytea); insert into canary values (E'h\u00fcnter2 ', '\x00ff');
create function public.leak() returns text language plpgsql as $$ begin raise exception '%', (select token
  from public.canary); end $$;`)
	for _, test := range []struct {
		name, sql, value string
		want             short
	}{
		{"equal", "select token from canary -- it\n;", "hünter2 ", short{"canary", "pass", "equal to $CANARY", "equal", ""}},
		{"bytes as the server writes them", "select bytes from canary", `\x00ff`, short{"canary", "pass", "equal to $CANARY", "equal", ""}},
		{"another", "select token from canary", "hünter3 ", short{"canary", "fail", "equal to $CANARY", "another value", "is not the one that was planted"}},
		{"a blank less", "select token from canary", "hünter2",
			short{"canary", "fail", "equal to $CANARY", "another value", "is not the one that was planted"}},
		{"another way to write it", "select token from canary", "hu\u0308nter2 ",
			short{"canary", "fail", "equal to $CANARY", "another value", "is not the one that was planted"}},
		{"no row", "select token from canary where false", "x",
			short{"canary", "fail", "equal to $CANARY", "no row", "the canary is not in the restored database"}},
		{"null", "select null::text", "x", short{"canary", "fail", "equal to $CANARY", "null", "the canary is null"}},
		{"two rows", "select token from canary union all select 'b'", "x",
			short{"canary", "error", "equal to $CANARY", "", "the query gives more than one row (drill file, line 3)"}},
		{"two columns", "select token, bytes from canary", "x", short{"canary", "error", "equal to $CANARY", "", "the query gives 2 columns"}},
		{"a table that is not there", "select token from canaries", "x",
			short{"canary", "error", "equal to $CANARY", "", `relation "canaries" does not exist (SQLSTATE 42P01)`}},
		{"an error that tells it", "select leak()", "x",
			short{"canary", "error", "equal to $CANARY", "", "an exception raised by a function (SQLSTATE P0001)"}},
		{"a value that is no number", "select token::int from canary", "x", short{"canary", "error", "equal to $CANARY", "", "(SQLSTATE 22P02)"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			e := spec.Expectations{Timeout: time.Minute,
				Canary: &spec.Canary{SQL: strings.TrimRight(test.sql, ";\n"), EqualsEnv: "CANARY", Value: spec.Key(test.value), Pos: spec.Pos{Line: 3}}}
			got := Run(t.Context(), connect, e, Options{})
			compare(t, []short{test.want}, got)
			if text := fmt.Sprintf("%+v", got); strings.Contains(text, "nter") || strings.Contains(text, "00ff") {
				t.Errorf("the canary is told: %s", text)
			}
		})
	}
}

func testChecksum(t *testing.T, s server) {
	const rows = `create table public.t (id int, at timestamptz, f float8, b bytea, d interval, note text);
insert into t select i, '2026-01-01 00:00+00'::timestamptz + i * interval '1 hour', i / 3.0, '\x00ff',
  i * interval '1 day', 'n' from generate_series(1, 5) i;`
	shown := func(_, _, column string) bool { return column != "note" }
	run := func(t *testing.T, connect Connect, columns string, past history.Past) verdict.Check {
		d := drill(t, tables("{table: public.t, checksum: {columns: ["+columns+"]}}"))
		return Run(t.Context(), connect, d.Expectations, Options{AsOf: asOf, Past: past, TakenAt: asOf, SHA256: "ab", Shown: shown})[1]
	}
	const all = "id, at, f, b, d"
	id, expected := "checksum:public.t", "the same "+all+" as in the last drill of this backup"
	good := s.database(t, "summed", rows)
	first := run(t, good, all, history.Past{})
	compare(t, []short{{id, "skipped", expected, first.Change.To + " over 5 rows", "no history yet"}}, []verdict.Check{first})
	drilled := func(takenAt time.Time, sha string) history.Past {
		return history.Past{Passing: []*verdict.Report{{Run: "then", Backup: verdict.Backup{TakenAt: takenAt, SHA256: sha}, Checks: []verdict.Check{first}}}}
	}
	past := drilled(asOf, "cd")
	changed := func(name, sql string) Connect { return s.database(t, name, rows+sql) }
	elsewhere := changed("summed_elsewhere",
		`delete from t where id < 3; insert into t select i, '2026-01-01 00:00+00'::timestamptz + i * interval '1 hour',
			i / 3.0, '\x00ff', i * interval '1 day', 'other' from generate_series(2, 1, -1) i;
alter database summed_elsewhere set timezone = 'Asia/Tokyo';
  alter database summed_elsewhere set datestyle = 'SQL, DMY';
    alter database summed_elsewhere set bytea_output = 'escape';
alter database summed_elsewhere set extra_float_digits = -3;
  alter database summed_elsewhere set intervalstyle = 'iso_8601';`)
	swapped := changed("summed_swapped", "update t set id = 6 - id;")
	doubled := changed("summed_doubled", "insert into t select * from t;")
	nulled := changed("summed_nulled", "update t set b = null where id = 1;")
	for _, test := range []struct {
		name    string
		connect Connect
		columns string
		past    history.Past
		outcome verdict.Outcome
		holds   string
	}{
		{"the same", good, all, past, "pass", ""},
		{"the same in another order, zone and style", elsewhere, all, past, "pass", ""},
		{"values in other rows", swapped, all, past, "fail",
			"public.t does not hold the id, at, f, b, d that it held when the backup of this time was drilled in then"},
		{"every row twice", doubled, all, past, "fail", "when the backup of this time was drilled"},
		{"a null", nulled, all, past, "fail", "when the backup of this time was drilled"},
		{"of the very same file", nulled, all, drilled(asOf, "ab"), "fail", "when this very file was drilled in then"},
		{"another backup", nulled, all, drilled(asOf.Add(-time.Hour), "ab"), "skipped", "no history yet"},
		{"other columns", nulled, "id, at", past, "skipped", "no history yet"},
		{"a past that cannot be read", nulled, all, history.Past{Problem: verdict.Errorf(verdict.CodeHistory, "", "x")}, "skipped",
			"the past could not be read"},
		{"a column that is not preserved", good, "id, note", past, "error", "public.t.note is to be kept in the report as a part of a checksum"},
		{"a column that is not there", good, "id, at, idd", past, "error", "there is no column public.t.idd"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := run(t, test.connect, test.columns, test.past)
			if got.Outcome != test.outcome || !strings.Contains(got.Message, test.holds) || (got.Outcome != verdict.Pass) != (got.Hint != "") {
				t.Errorf("%+v", got)
			}
		})
	}
	t.Run("accepted", func(t *testing.T) {
		t.Parallel()
		now := run(t, nulled, all, past)
		accepted := past
		accepted.Accepted = []history.Acceptance{{Check: id, From: now.Change.From, To: now.Change.To, Why: "wanted"}}
		if got := run(t, nulled, all, accepted); got.Outcome != verdict.Pass || got.Accepted == nil || got.Accepted.Why != "wanted" {
			t.Errorf("%+v", got)
		}
		if got := run(t, doubled, all, accepted); got.Outcome != verdict.Fail {
			t.Errorf("what was accepted lets another change pass: %+v", got)
		}
	})
}

// A record of outside is compared with instead of past drills. The statement
// that docs/witness.md tells to sum up with gives what the check gives.
func testChecksumWitness(t *testing.T, s server) {
	connect := s.database(t, "witnessed_sum", `create table public.orders (id int, total numeric, at timestamptz);
		create table public.none (id int);
insert into orders select i, i / 8.0, '2026-01-01 00:00+00'::timestamptz + i * interval '1 hour'
  from generate_series(1, 5) i;
alter database witnessed_sum set timezone = 'Asia/Tokyo'; alter database witnessed_sum set datestyle = 'SQL, DMY';
  alter database witnessed_sum set extra_float_digits = -3`)
	sum := func(t *testing.T, table, columns string) string { return documentedSum(t, connect, table, columns) }
	good := sum(t, "public.orders", "id, total, at")
	at := func(d time.Duration) string { return asOf.Add(d).Format(time.RFC3339Nano) }
	const other = "00112233445566aa"
	for name, c := range map[string]struct {
		more, table, columns string
		text                 string
		outcome              verdict.Outcome
		holds                string
	}{
		"equal": {text: "at,orders\n" + at(-time.Hour) + "," + other + "\n" + at(0) + "," + strings.ToUpper(good) + "\n",
			outcome: verdict.Pass},
		"equal, as JSON": {text: `{"at": "` + at(0) + `", "orders": "` + good + `"}`, outcome: verdict.Pass},
		"said twice":     {text: "at,orders\n" + at(0) + "," + good + "\n" + at(0) + "," + good + "\n", outcome: verdict.Pass},
		"of no rows": {table: "public.none", columns: "id", text: "at,orders\n" + at(0) + "," + sum(t, "public.none", "id") + "\n",
			outcome: verdict.Pass},
		"of a part of a second": {text: "at,orders\n" + at(time.Second/3) + "," + good + "\n", outcome: verdict.Pass},
		"another": {text: "at,orders\n" + at(0) + "," + other + "\n", outcome: verdict.Fail,
			holds: "public.orders does not hold the id, total, at that were summed up when this backup was taken: the record says " + other +
				" (sums, line 2)"},
		"of another backup": {text: "at,orders\n" + at(-6*time.Hour) + "," + good + "\n" + at(-12*time.Hour) + "," + good + "\n",
			outcome: verdict.Error,
			holds:   "sums tells no sum of this backup, of 2026-11-21 03:15:00 UTC: the nearest of its 2 records is of 6h before or after"},
		"tolerated": {more: ", tolerance: 5m",
			text: "at,orders\n" + at(-4*time.Minute) + "," + other + "\n" + at(time.Minute) + "," + good + "\n", outcome: verdict.Pass},
		"tolerated, the nearer": {more: ", tolerance: 5m",
			text: "at,orders\n" + at(time.Minute) + "," + other + "\n" + at(-4*time.Minute) + "," + good + "\n", outcome: verdict.Fail,
			holds: "the record says " + other},
		"two of one time": {text: "at,orders\n" + at(0) + "," + good + "\n" + at(0) + "," + other + "\n", outcome: verdict.Error,
			holds: "sums tells different sums of this backup (lines 2 and 3)"},
		"no sum": {text: "at,orders\n" + at(0) + ",nobody's business\n", outcome: verdict.Error,
			holds: "sums tells no sum of this backup, of 2026-11-21 03:15:00 UTC; 1 of its lines cannot be used: line 2 holds no sum: its orders " +
				"is not 16 hexadecimal digits"},
		"no sum, and one far off": {more: ", tolerance: 5m", text: "at,orders\n" + at(-time.Minute) + "," + good + "\n" + at(0) + ",nobody's business\n",
			outcome: verdict.Error, holds: "line 3 holds no sum"},
		"damaged, and of no effect": {text: "{\n" + `{"at": "` + at(0) + `", "orders": "` + good + `"}`, outcome: verdict.Pass},
		"damaged": {text: "{\n" + `{"at": "` + at(-time.Hour) + `", "orders": "` + good + `"}`, outcome: verdict.Error,
			holds: "1 of its lines cannot be used: line 1 is not a JSON object"},
		"empty": {text: "", outcome: verdict.Error, holds: "it holds no record"},
		"no such column": {text: "at,ordres\n" + at(0) + "," + good + "\n", outcome: verdict.Error,
			holds: "its first line does not name the columns"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			table := cmp.Or(c.table, "public.orders")
			columns := cmp.Or(c.columns, "id, total, at")
			d := drill(t, tables("{table: "+table+", checksum: {columns: ["+columns+"], witness: {url: 'file:///logs/sums', sum: orders, at: at"+c.more+"}}}"))
			got := Run(t.Context(), connect, d.Expectations,
				Options{AsOf: asOf, TakenAt: asOf, Shown: func(_, _, _ string) bool { return true }, Witnesses: Witnesses{
					Now: asOf.Add(time.Hour),
					Open: func(context.Context, spec.Source, string) (io.ReadCloser, error) {
						return io.NopCloser(strings.NewReader(c.text)), nil
					},
				}})[1]
			if got.Outcome != c.outcome || !strings.Contains(got.Message, c.holds) || (got.Outcome != verdict.Pass) != (got.Hint != "") ||
				strings.Contains(got.Message, "business") {
				t.Errorf("%+v", got)
			}
		})
	}
}

// documentedSum runs the statement of the documentation.
func documentedSum(t *testing.T, connect Connect, table, columns string) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/witness.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "```sql\n")
	sql, _, found := strings.Cut(rest, "```")
	for _, part := range [][2]string{{"row(id, total)", "row(" + columns + ")"}, {"public.orders", table}} {
		if !found || !strings.Contains(sql, part[0]) {
			t.Fatalf("docs/witness.md does not tell how to sum up: %q", sql)
		}
		sql = strings.ReplaceAll(sql, part[0], part[1])
	}
	conn, err := connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	results, err := conn.PgConn().Exec(t.Context(), sql).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if len(r.Rows) == 1 && len(r.Rows[0]) == 1 && len(r.Rows[0][0]) == 16 {
			return string(r.Rows[0][0])
		}
	}
	t.Fatalf("%s gives no sum", sql)
	return ""
}
