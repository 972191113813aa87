package expect

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jackc/pgx/v5"

	"daybefore/internal/pgtest"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

var asOf = time.Date(2026, 11, 21, 3, 15, 0, 0, time.UTC)

// server is one cluster for many databases.
type server struct {
	*pgtest.Cluster
	socket string
}

func start(t *testing.T) server {
	t.Helper()
	c := pgtest.Server(t)
	return server{Cluster: c, socket: c.Query("postgres", "show unix_socket_directories")}
}

func TestAgainstServer(t *testing.T) {
	t.Parallel()
	s := start(t)
	for name, test := range map[string]func(*testing.T, server){
		"tables": testTables, "freshness": testFreshness, "failed rows": testFailedRows, "unreadable view": testUnreadableView,
		"server gone": testServerGone, "latest events": testLatestEvents,
		"database": testDatabase, "relationships": testRelationships, "rebuildable": testRebuildable, "canary": testCanary,
		"checksum": testChecksum, "checksum beside a witness": testChecksumWitness, "schema": testSchema, "amcheck": testAmcheck,
		"row count change": testRowCountChange, "table dropped": testTableDropped, "kind changed": testKindChanged, "max regression": testMaxRegression,
		"witness": testWitness, "witness in batches": testWitnessBatches, "together": testTogether, "absent": testAbsent, "shadowed": testShadowed,
		"alien types": testAlienTypes,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, s)
		})
	}
}

// database creates one of its own for a test, filled by the SQL.
func (s server) database(t *testing.T, name, sql string) Connect {
	t.Helper()
	s.Exec("postgres", "create database "+name)
	s.Exec(name, sql)
	return s.connect(t, name)
}

func (s server) connect(t *testing.T, name string) Connect {
	t.Helper()
	cfg, err := pgx.ParseConfig("host=" + s.socket + " user=postgres sslmode=disable dbname=" + name)
	if err != nil {
		t.Fatal(err)
	}
	return func(ctx context.Context) (*pgx.Conn, error) { return pgx.ConnectConfig(ctx, cfg.Copy()) }
}

// drill reads expectations as a drill file writes them.
func drill(t *testing.T, blocks string) *spec.Drill {
	t.Helper()
	path := filepath.Join(t.TempDir(), "test.yaml")
	content := "version: 1\nsource: {url: 'file:///b/', name: a, timezone: UTC}\n" + blocks
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := spec.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func tables(entries ...string) string {
	return "expectations:\n  timeout: 20s\n  tables:\n    - " + strings.Join(entries, "\n    - ") + "\n"
}

func queries(entries ...string) string {
	return "expectations:\n  timeout: 20s\n  failed_rows:\n    - " + strings.Join(entries, "\n    - ") + "\n"
}

// short is what a test says of a check; a message is compared by what it holds.
type short struct {
	ID                 string
	Outcome            verdict.Outcome
	Expected, Observed string
	holds              string
}

func compare(t *testing.T, want []short, got []verdict.Check) {
	t.Helper()
	if len(want) != len(got) {
		t.Fatalf("got %d checks, want %d: %+v", len(got), len(want), got)
	}
	for i, w := range want {
		g := got[i]
		if diff := cmp.Diff(w, short{g.ID, g.Outcome, g.Expected, g.Observed, w.holds}, cmp.AllowUnexported(short{})); diff != "" {
			t.Errorf("-want +got:\n%s\nmessage: %s", diff, g.Message)
		}
		if !strings.Contains(g.Message, w.holds) || (g.Outcome == verdict.Pass) != (g.Message == "") {
			t.Errorf("%s: message %q, want %q in it", g.ID, g.Message, w.holds)
		}
		if g.Outcome != verdict.Pass && g.Hint == "" {
			t.Errorf("%s: no hint", g.ID)
		}
		if strings.Contains(g.Hint, " line ") {
			t.Errorf("%s: %q differs from place to place, so that it is printed for each", g.ID, g.Hint)
		}
		if g.Stage != verdict.StageExpect || g.Code == "" {
			t.Errorf("%s: stage %q, code %q", g.ID, g.Stage, g.Code)
		}
	}
}

const people = `
create table public.people (id int primary key, name text);
insert into people select i, 'Person ' || i from generate_series(1, 20) i;
create view public.names as select name from people;
create materialized view public.ranks as select id from people;
create materialized view public.unfilled as select id from people with no data;
create table public.split (id int) partition by hash (id);
create table public.split_0 partition of public.split for values with (modulus 2, remainder 0);
create table public.split_1 partition of public.split for values with (modulus 2, remainder 1);
insert into split select generate_series(1, 7);
create sequence public.counter;
create table public.nothing (id int);
create schema "odd.schema"; create table "odd.schema"."say ""hi""" (id int);
insert into "odd.schema"."say ""hi""" values (1), (2);`

const (
	fresh2h = "newest row at most 2h (warn), 6h (fail) before 2026-11-21 03:15 UTC"
	fresh6h = "newest row at most 6h before 2026-11-21 03:15 UTC"
)

func testTables(t *testing.T, s server) {
	connect := s.database(t, "people", people)
	for _, test := range []struct {
		name, file string
		want       []short
	}{
		{"all kinds are there",
			tables("{table: public.people}", "{table: public.names}", "{table: public.ranks}", "{table: public.split}", `{table: '"odd.schema"."say ""hi"""'}`),
			[]short{
				{"table_present:public.people", "pass", "present", "table", ""},
				{"table_present:public.names", "pass", "present", "view", ""},
				{"table_present:public.ranks", "pass", "present", "materialized view", ""},
				{"table_present:public.split", "pass", "present", "partitioned table", ""},
				{`table_present:"odd.schema"."say ""hi"""`, "pass", "present", "table", ""},
			}},
		{"missing, and what else is expected of it", tables("{table: public.gone, row_count: {min: 1}, freshness: {column: at, fail_after: 1d}}"), []short{
			{"table_present:public.gone", "fail", "present", "missing", "public.gone is not in the restored database"},
			{"row_count:public.gone", "skipped", ">= 1", "missing", "not checked"},
			{"freshness:public.gone", "skipped", "newest row at most 1d before 2026-11-21 03:15 UTC", "missing", "not checked"},
		}},
		{"no table", tables("{table: public.counter, row_count: {equals: 1}}", "{table: public.people_pkey}"), []short{
			{"table_present:public.counter", "fail", "present", "sequence", "public.counter is not a table"},
			{"row_count:public.counter", "skipped", "= 1", "sequence", "not checked"},
			{"table_present:public.people_pkey", "fail", "present", "index", "public.people_pkey is not a table"},
		}},
		{"never filled", tables("{table: public.unfilled, row_count: {min: 1}}"), []short{
			{"table_present:public.unfilled", "fail", "present", "materialized view, never filled", "was never filled"},
			{"row_count:public.unfilled", "skipped", ">= 1", "materialized view", "not checked"},
		}},
		{"as many rows as declared", tables("{table: public.people, row_count: {min: 20}}", "{table: public.split, row_count: {equals: 7}}",
			"{table: public.names, row_count: {between: [20, 21]}}", "{table: public.nothing, row_count: {max: 0}}"), []short{
			{"table_present:public.people", "pass", "present", "table", ""},
			{"row_count:public.people", "pass", ">= 20", "20", ""},
			{"table_present:public.split", "pass", "present", "partitioned table", ""},
			{"row_count:public.split", "pass", "= 7", "7", ""},
			{"table_present:public.names", "pass", "present", "view", ""},
			{"row_count:public.names", "pass", "20 to 21", "20", ""},
			{"table_present:public.nothing", "pass", "present", "table", ""},
			{"row_count:public.nothing", "pass", "<= 0", "0", ""},
		}},
		{"too few, too many, none", tables("{table: public.people, row_count: {min: 21}}", "{table: public.split, row_count: {equals: 6, severity: warn}}",
			"{table: public.ranks, row_count: {between: [5, 19]}}", "{table: public.nothing, row_count: {min: 5}}"), []short{
			{"table_present:public.people", "pass", "present", "table", ""},
			{"row_count:public.people", "fail", ">= 21", "20", "public.people holds 20 rows, 1 fewer than the least declared"},
			{"table_present:public.split", "pass", "present", "partitioned table", ""},
			{"row_count:public.split", "warn", "= 6", "7", "public.split holds 7 rows, 1 more than the most declared"},
			{"table_present:public.ranks", "pass", "present", "materialized view", ""},
			{"row_count:public.ranks", "fail", "5 to 19", "20", "1 more than the most declared"},
			{"table_present:public.nothing", "pass", "present", "table", ""},
			{"row_count:public.nothing", "fail", ">= 5", "0", "public.nothing is empty"},
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			compare(t, test.want, Run(t.Context(), connect, drill(t, test.file).Expectations, Options{AsOf: asOf, Jobs: 3}))
		})
	}
	t.Run("where it may be", func(t *testing.T) {
		t.Parallel()
		missing := drill(t, tables("{table: archive.people}", "{table: public.gone}")).Expectations
		for i, want := range []string{"did you mean public.people?", "the backup does not bring it"} {
			if got := Run(t.Context(), connect, missing, Options{AsOf: asOf})[i].Hint; !strings.Contains(got, want) {
				t.Errorf("hint %q, want %q in it", got, want)
			}
		}
		empty := s.database(t, "empty", "select")
		if got := Run(t.Context(), empty, missing, Options{AsOf: asOf})[0].Hint; !strings.Contains(got, "holds no table at all") {
			t.Errorf("hint of an empty database: %q", got)
		}
	})
}

// Times are 2h, or a day, before asOf, in whatever way the column tells them.
const times = `
set timezone = 'America/New_York';
create domain moment as timestamptz; create domain later as moment check (value is not null);
create table public.t (
  id int, instant timestamptz, nested later, wall timestamp, day date,
  i bigint, s int, ms bigint, us numeric, ns bigint, f double precision, name text, kind text,
    "Quoted Column" timestamptz);
insert into t (id, instant, nested, wall, day, s, ms, us, ns, f, kind, "Quoted Column") values
  (1, '2026-11-20 03:15:00+00', '2026-11-20 03:15:00+00', '2026-11-20 04:15:00', '2026-11-19', 1, 1, 1, 1, 1, 'old',
    '2026-11-20 03:15:00+00'),
  (2, '2026-11-21 01:15:00+00', '2026-11-21 01:15:00+00', '2026-11-21 02:15:00', '2026-11-20',
   1795223700, 1795223700000, 1795223700000000, 1795223700000000000, 1795223700.25, 'new', '2026-11-21 01:15:00+00');
create table public.future (at timestamptz, wall timestamp, day date, s bigint);
insert into future values ('2026-11-21 03:21:00+00', 'infinity', '2026-11-22', 1795223700000),
  ('2026-11-21 03:00:00+00', '2026-11-21', '2026-11-21', 1);
create table public.nearly (at timestamptz, day date);
insert into nearly values ('2026-11-21 03:19:00+00', '2026-11-21');
create table public.none (at timestamptz, day date); insert into none values (null, '-infinity');
create table public.empty (at timestamptz);
create table public.nan (at float8); insert into nan values ('NaN');`

func testFreshness(t *testing.T, s server) {
	connect := s.database(t, "times", times)
	const two = "2h before (2026-11-21 01:15 UTC)"
	for _, test := range []struct {
		name, table, freshness string
		want                   short // without ID
	}{
		{"instant", "t", "column: instant, warn_after: 2h, fail_after: 6h", short{"", "pass", fresh2h, two, ""}},
		{"domains over it", "t", "column: nested, fail_after: 6h", short{"", "pass", fresh6h, two, ""}},
		{"a name that needs quotes", "t", `column: '"Quoted Column"', fail_after: 6h`, short{"", "pass", fresh6h, two, ""}},
		{"wall clock", "t", "column: wall, timezone: Europe/Berlin, fail_after: 6h", short{"", "pass", fresh6h, two, ""}},
		{"wall clock elsewhere", "t", "column: wall, timezone: UTC, fail_after: 6h", short{"", "pass", fresh6h, "1h before (2026-11-21 02:15 UTC)", ""}},
		{"yesterday ended", "t", "column: day, timezone: UTC, fail_after: 6h", short{"", "pass", fresh6h, "3h15m before (2026-11-20)", ""}},
		{"yesterday ended later", "t", "column: day, timezone: America/New_York, fail_after: 6h", short{"", "pass", fresh6h, "0s before (2026-11-20)", ""}},
		{"seconds", "t", "column: s, unit: s, fail_after: 6h", short{"", "pass", fresh6h, two, ""}},
		{"milliseconds", "t", "column: ms, unit: ms, fail_after: 6h", short{"", "pass", fresh6h, two, ""}},
		{"microseconds", "t", "column: us, unit: us, fail_after: 6h", short{"", "pass", fresh6h, two, ""}},
		{"nanoseconds", "t", "column: ns, unit: ns, fail_after: 6h", short{"", "pass", fresh6h, two, ""}},
		{"fractions", "t", "column: f, unit: s, fail_after: 6h", short{"", "pass", fresh6h, "1h59m59s before (2026-11-21 01:15 UTC)", ""}},
		{"as of now", "nearly", "column: at, fail_after: 6h", short{"", "pass", fresh6h, "4m after (2026-11-21 03:19 UTC)", ""}},
		{"today", "nearly", "column: day, timezone: UTC, fail_after: 6h", short{"", "pass", fresh6h, "0s before (2026-11-21)", ""}},
		{"where, with a comment", "t", `column: instant, fail_after: 1d, where: "kind = 'old' -- only those"`,
			short{"", "pass", "newest row at most 1d before 2026-11-21 03:15 UTC", "1d before (2026-11-20 03:15 UTC)", ""}},

		{"a little old", "t", "column: instant, warn_after: 1h59m59s, fail_after: 6h",
			short{"", "warn", "newest row at most 1h59m59s (warn), 6h (fail) before 2026-11-21 03:15 UTC", two,
				"1s older than the 1h59m59s after which it warns"}},
		{"too old", "t", "column: instant, fail_after: 1h59m59s",
			short{"", "fail", "newest row at most 1h59m59s before 2026-11-21 03:15 UTC", two, "1s older than the 1h59m59s allowed"}},
		{"too old, but only a warning", "t", "column: instant, warn_after: 1h",
			short{"", "warn", "newest row at most 1h before 2026-11-21 03:15 UTC (warn)", two, "1h older than"}},
		{"too old where", "t", `column: instant, fail_after: 6h, where: "kind = 'old'"`,
			short{"", "fail", fresh6h, "1d before (2026-11-20 03:15 UTC)", "18h older than the 6h allowed"}},
		{"a day too old", "t", "column: day, timezone: UTC, fail_after: 3h14m",
			short{"", "fail", "newest row at most 3h14m before 2026-11-21 03:15 UTC", "3h15m before (2026-11-20)", "1m older"}},
		{"no row", "empty", "column: at, warn_after: 6h",
			short{"", "fail", "newest row at most 6h before 2026-11-21 03:15 UTC (warn)", "no row", "public.empty has no row whose at is set"}},
		{"no row with a time", "none", "column: at, fail_after: 6h", short{"", "fail", fresh6h, "no row", "public.none has no row whose at is set"}},
		{"no row that meets where", "t", "column: instant, fail_after: 6h, where: 'false'",
			short{"", "fail", fresh6h, "no row", "public.t has no row that meets its where and whose instant is set"}},
		{"since ever", "none", "column: day, timezone: UTC, fail_after: 6h",
			short{"", "fail", fresh6h, "-infinity", "public.none has no row whose day is a moment in time"}},
		{"from the future", "future", "column: at, fail_after: 6h",
			short{"", "fail", fresh6h, "6m after (2026-11-21 03:21 UTC)", "is 6m in the future (allowed: 5m)"}},
		{"from the future, allowed", "future", "column: at, fail_after: 6h, max_future: 6m", short{"", "pass", fresh6h, "6m after (2026-11-21 03:21 UTC)", ""}},
		{"from tomorrow", "future", "column: day, timezone: UTC, fail_after: 6h",
			short{"", "fail", fresh6h, "20h45m after (2026-11-22 00:00 UTC)", "in the future"}},
		{"for ever", "future", "column: wall, timezone: UTC, fail_after: 6h", short{"", "fail", fresh6h, "infinity", "no moment in time"}},
		{"the wrong unit", "future", "column: s, unit: s, fail_after: 6h", short{"", "fail", fresh6h, "no time", "no moment in time"}},
		{"no number", "nan", "column: at, unit: s, fail_after: 6h", short{"", "fail", fresh6h, "no time", "no moment in time"}},

		{"no such column", "t", "column: instnt, fail_after: 6h", short{"", "error", fresh6h, "", "there is no column public.t.instnt (drill file, line 6)"}},
		{"no zone", "t", "column: wall, fail_after: 6h",
			short{"", "error", fresh6h, "", "public.t.wall is of type timestamp without time zone, which has no time zone"}},
		{"no zone for a day", "t", "column: day, fail_after: 6h", short{"", "error", fresh6h, "", "is of type date, which has no time zone"}},
		{"no unit", "t", "column: s, fail_after: 6h", short{"", "error", fresh6h, "", "is of type integer, which does not tell its unit"}},
		{"a unit of a timestamp", "t", "column: instant, unit: s, fail_after: 6h", short{"", "error", fresh6h, "", "unit is for numbers"}},
		{"text", "t", "column: name, fail_after: 6h", short{"", "error", fresh6h, "", "is of type text, which tells no time"}},
		{"a wrong where", "t", "column: instant, fail_after: 6h, where: 'knid = 1'",
			short{"", "error", fresh6h, "", `(drill file, line 6): column "knid" does not exist (SQLSTATE 42703)`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := drill(t, tables("{table: public."+test.table+", freshness: {"+test.freshness+"}}"))
			test.want.ID = "freshness:public." + test.table
			compare(t, []short{test.want}, Run(t.Context(), connect, d.Expectations, Options{AsOf: asOf, Jobs: 2})[1:])
		})
	}
}

const shop = `
create schema app; create table app.orders (id int, email text);
insert into app.orders values (1, 'secret@person.example'), (2, 'other@person.example'), (3, null);
create function app.leak() returns int language plpgsql as $$ begin raise exception 'leaking %', (select email
  from app.orders limit 1); end $$;
create function app.posing() returns int language plpgsql as $$ begin raise exception using errcode = '42703',
  message = (select email from app.orders limit 1); end $$;
create function app.writes() returns int language plpgsql as $$ begin insert into app.orders values (9); return 1;
  end $$;`

func testFailedRows(t *testing.T, s server) {
	connect := s.database(t, "shop", shop+"alter database shop set search_path = app;")
	q := func(sql, limits string) string { return fmt.Sprintf("{name: q, sql: %q, %s}", sql, limits) }
	for _, test := range []struct {
		name, query string
		want        short
		code        verdict.Code
	}{
		{"none, by the database's own search_path", q("select id from orders where id > 3", "fail_if: '> 0'"), short{"", "pass", "fail if > 0", "0", ""},
			verdict.CodeFailedRows},
		{"some", q("select id from orders", "fail_if: '> 2'"), short{"", "fail", "fail if > 2", "3", "the query q gives 3 rows (fail if > 2)"},
			verdict.CodeFailedRows},
		{"some, but not yet too many", q("select id from orders", "warn_if: '> 2', fail_if: '> 3'"),
			short{"", "warn", "warn if > 2, fail if > 3", "3", "(warn if > 2)"}, verdict.CodeFailedRows},
		{"too few", q("select 1 where false", "fail_if: '< 1'"), short{"", "fail", "fail if < 1", "0", ""}, verdict.CodeFailedRows},
		{"columns of one name, a comment, a semicolon", q("select id, id from orders -- all\n;\n", "fail_if: '!= 3'"),
			short{"", "pass", "fail if != 3", "3", ""}, verdict.CodeFailedRows},
		{"values", q("values (1), (2)", "fail_if: '!= 2'"), short{"", "pass", "fail if != 2", "2", ""}, verdict.CodeFailedRows},

		{"wrong SQL", q("selec id from orders", "fail_if: '> 0'"), short{"", "error", "fail if > 0", "", `(SQLSTATE 42601)`}, verdict.CodeFailedRows},
		{"a wrong column", q("select idd from orders", "fail_if: '> 0'"),
			short{"", "error", "fail if > 0", "", `(drill file, line 6): column "idd" does not exist (SQLSTATE 42703)`}, verdict.CodeFailedRows},
		{"a parameter", q("select $1::int", "fail_if: '> 0'"), short{"", "error", "fail if > 0", "", "holds a parameter"}, verdict.CodeFailedRows},
		{"too slow", q("select pg_sleep(60)", "fail_if: '> 0', timeout: 1s"), short{"", "error", "fail if > 0", "", "did not end within 1s"},
			verdict.CodeTimeout},
		{"a second statement", q("select 1) x; drop table app.orders; select (1", "fail_if: '> 0'"),
			short{"", "error", "fail if > 0", "", "cannot insert multiple commands"}, verdict.CodeFailedRows},
		{"an end of the transaction", q("commit; drop table app.orders", "fail_if: '> 0'"), short{"", "error", "fail if > 0", "", "syntax error"},
			verdict.CodeFailedRows},
		{"a change", q("with gone as (delete from orders returning 1) select * from gone", "fail_if: '> 0'"),
			short{"", "error", "fail if > 0", "", "(SQLSTATE 0A000)"}, verdict.CodeFailedRows},
		{"a change by a function", q("select app.writes()", "fail_if: '> 0'"),
			short{"", "error", "fail if > 0", "", "tries to change something, in a read-only transaction (SQLSTATE 25006)"}, verdict.CodeFailedRows},
		{"a change of the mode", q("select set_config('transaction_read_only', 'off', false), app.writes()", "fail_if: '> 0'"),
			short{"", "error", "fail if > 0", "", "SQLSTATE"}, verdict.CodeFailedRows},
		{"a value in an error", q("select 1 from orders where email::int > 0", "fail_if: '> 0'"),
			short{"", "error", "fail if > 0", "", "invalid text representation (SQLSTATE 22P02)"}, verdict.CodeFailedRows},
		{"a function's own words", q("select app.leak() from orders offset 0", "fail_if: '> 0'"),
			short{"", "error", "fail if > 0", "", "an exception raised by a function (SQLSTATE P0001)"}, verdict.CodeFailedRows},
		{"a function that poses as the parser", q("select app.posing() offset 0", "fail_if: '> 0'"), short{"", "error", "fail if > 0", "", "(SQLSTATE 42703)"},
			verdict.CodeFailedRows},
	} {
		t.Run(test.name, func(t *testing.T) {
			// Beside another check, which must run whatever this one does.
			d := drill(t, queries(test.query, "{name: after, sql: select 1, fail_if: '> 1'}"))
			test.want.ID = "failed_rows:q"
			test.want.Expected += " under search_path app"
			got := Run(t.Context(), connect, d.Expectations, Options{AsOf: asOf, Jobs: 1})
			compare(t, []short{test.want, {"failed_rows:after", "pass", "fail if > 1 under search_path app", "1", ""}}, got)
			if got[0].Code != test.code {
				t.Errorf("code %s, want %s", got[0].Code, test.code)
			}
			if text := fmt.Sprintf("%+v", got); strings.Contains(text, "person.example") {
				t.Errorf("a value of a row is told: %s", text)
			}
			if rows := s.Query("shop", "select count(*) from app.orders"); rows != "3" {
				t.Errorf("the query changed the database: %s rows", rows)
			}
		})
	}
}

// A view that cannot be read is an error of its check.
func testUnreadableView(t *testing.T, s server) {
	connect := s.database(t, "broken", `
create function public.leak() returns int language plpgsql as $$ begin raise exception 'secret@person.example'; end $$;
create view public.v as select public.leak() offset 0;
create extension postgres_fdw; create server far foreign data wrapper postgres_fdw;
create table public.p (id int) partition by range (id); create foreign table public.p1 partition of public.p for
  values from (0) to (9) server far;`)
	d := drill(t, tables("{table: public.v, row_count: {min: 1}}", "{table: public.p, row_count: {min: 1}}"))
	compare(t, []short{
		{"table_present:public.v", "pass", "present", "view", ""},
		{"row_count:public.v", "error", ">= 1", "", "count the rows of public.v: an exception raised by a function (SQLSTATE P0001)"},
		{"table_present:public.p", "pass", "present", "partitioned table", ""},
		{"row_count:public.p", "error", ">= 1", "",
			"count the rows of public.p: undefined object, such as the user mapping of a foreign table, which a drill leaves out (SQLSTATE 42704)"},
	}, Run(t.Context(), connect, d.Expectations, Options{AsOf: asOf}))
}

func testServerGone(t *testing.T, s server) {
	fragile := s.database(t, "fragile", shop)
	var all sync.Map // or the collector would close what was forgotten
	connect := func(ctx context.Context) (*pgx.Conn, error) {
		conn, err := fragile(ctx)
		all.Store(conn, nil)
		return conn, err
	}
	t.Run("killed midway", func(t *testing.T) {
		d := drill(t,
			queries("{name: dies, sql: select pg_terminate_backend(pg_backend_pid()), fail_if: '> 0'}", "{name: after, sql: select 1, fail_if: '> 1'}"))
		got := Run(t.Context(), connect, d.Expectations, Options{AsOf: asOf})
		compare(t, []short{{"failed_rows:dies", "error", "fail if > 0", "", "broke before the check had ended"},
			{"failed_rows:after", "pass", "fail if > 1", "1", ""}}, got)
	})
	t.Run("an error of a statement that speaks of another server", func(t *testing.T) {
		connect := s.database(t, "far", `CREATE FUNCTION far() RETURNS int LANGUAGE plpgsql AS
			$$ BEGIN RAISE 'could not establish connection' USING ERRCODE = '08001'; END $$`)
		d := drill(t, queries("{name: far, sql: select far(), fail_if: '> 0'}", "{name: after, sql: select 1, fail_if: '> 1'}"))
		compare(t, []short{{"failed_rows:far", "error", "fail if > 0", "", "SQLSTATE 08001"}, {"failed_rows:after", "pass", "fail if > 1", "1", ""}},
			Run(t.Context(), connect, d.Expectations, Options{AsOf: asOf}))
	})
	t.Run("ended by what the check before has set", func(t *testing.T) {
		d := drill(t,
			queries("{name: sets, sql: \"select set_config('idle_in_transaction_session_timeout', '1', false)\", fail_if: '> 1'}",
				"{name: after, sql: select 1, fail_if: '> 1'}"))
		checks := declaredChecks(d.Expectations, Options{})
		one := session{connect: connect, names: newLookup(nil)}
		defer one.close()
		got := []verdict.Check{checks[0].run(t.Context(), &one)}
		for pid := one.conn.PgConn().PID(); s.Query("fragile", fmt.Sprintf("select count(*) from pg_stat_activity where pid = %d", pid)) != "0"; {
			time.Sleep(10 * time.Millisecond)
		}
		got = append(got, checks[1].run(t.Context(), &one))
		compare(t, []short{{"failed_rows:sets", "pass", "fail if > 1", "1", ""}, {"failed_rows:after", "pass", "fail if > 1", "1", ""}}, got)
	})
	t.Run("stopped by the server, not by losing the connection", func(t *testing.T) {
		opened := 0
		counted := func(ctx context.Context) (*pgx.Conn, error) {
			opened++
			return connect(ctx)
		}
		d := drill(t, queries("{name: slow, sql: select pg_sleep(60), fail_if: '> 0', timeout: 1s}", "{name: after, sql: select 1, fail_if: '> 1'}"))
		got := Run(t.Context(), counted, d.Expectations, Options{AsOf: asOf})
		if opened != 1 || got[0].Code != verdict.CodeTimeout || got[1].Outcome != verdict.Pass {
			t.Errorf("%d connections: %+v", opened, got)
		}
	})
	t.Run("cannot be reached", func(t *testing.T) {
		nowhere := func(ctx context.Context) (*pgx.Conn, error) {
			return pgx.Connect(ctx, "host=/nonexistent user=postgres password=hunter2 sslmode=disable")
		}
		got := Run(t.Context(), nowhere,
			drill(t, tables("{table: a.b}", "{table: a.c}")+"  failed_rows: [{name: q, sql: select 1, fail_if: '> 0'}]\n").Expectations,
			Options{AsOf: asOf, Jobs: 2})
		for _, c := range got {
			if c.Outcome != verdict.Error || c.Code != verdict.CodeSandbox || strings.Contains(c.Message, "hunter2") {
				t.Errorf("%+v", c)
			}
		}
	})
	t.Run("stopped by the caller", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		began := func(ctx context.Context) (*pgx.Conn, error) {
			conn, err := connect(ctx)
			time.AfterFunc(100*time.Millisecond, cancel)
			return conn, err
		}
		d := drill(t, queries("{name: long, sql: select pg_sleep(60), fail_if: '> 0'}", "{name: never, sql: select 1, fail_if: '> 1'}"))
		for _, c := range Run(ctx, began, d.Expectations, Options{AsOf: asOf}) {
			if c.Outcome != verdict.Error || c.Code != verdict.CodeInterrupted {
				t.Errorf("%+v", c)
			}
		}
	})
	t.Run("the drill's time runs out", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		d := drill(t, queries("{name: long, sql: select pg_sleep(60), fail_if: '> 0'}"))
		if c := Run(ctx, connect, d.Expectations, Options{AsOf: asOf})[0]; c.Outcome != verdict.Error || c.Code != verdict.CodeTimeout ||
			!strings.Contains(c.Message, "the drill's time") {
			t.Errorf("%+v", c)
		}
	})
	t.Run("a panic is the check's own", func(t *testing.T) {
		calls := 0
		panicking := func(ctx context.Context) (*pgx.Conn, error) {
			calls++
			if calls == 1 {
				panic("secret@person.example")
			}
			return connect(ctx)
		}
		got := Run(t.Context(), panicking,
			drill(t, queries("{name: a, sql: select 1, fail_if: '> 1'}", "{name: b, sql: select 1, fail_if: '> 1'}")).Expectations, Options{AsOf: asOf})
		if got[0].Outcome != verdict.Error || got[0].Code != verdict.CodeInternal || strings.Contains(got[0].Message, "secret") ||
			got[1].Outcome != verdict.Pass {
			t.Errorf("%+v", got)
		}
	})
	t.Run("nothing is left open", func(t *testing.T) {
		// A backend may be seen for a moment after its client has gone.
		for end := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
			left := s.Query("postgres", "select string_agg(query, '; ') from pg_stat_activity where datname = 'fragile'")
			if left == "" {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("connections left: %s", left)
			}
		}
		all.Clear()
	})
}

// A server that accepts and never answers must not hang a check for ever.
func TestSilentServer(t *testing.T) {
	t.Parallel()
	socket := filepath.Join(t.TempDir(), ".s.PGSQL.5432")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	silent := func(ctx context.Context) (*pgx.Conn, error) {
		return pgx.Connect(ctx, "user=postgres sslmode=disable host="+filepath.Dir(socket))
	}
	s := session{connect: silent}
	err = s.transaction(t.Context(), time.Millisecond-grace, func(ctx context.Context, q *query) error {
		_, err := q.value(ctx, "select 1")
		return err
	})
	if !errors.Is(err, errTimeout) {
		t.Errorf("got %v, want the time-out", err)
	}
}

func vouched(string, string, string, string) *verdict.Problem { return nil }

func testLatestEvents(t *testing.T, s server) {
	connect := s.database(t, "newest", `
create function rev_cmp(int, int) returns int language sql immutable as 'select btint4cmp($2, $1)';
create operator class rev_ops for type int using btree as operator 1 >, operator 2 >=, operator 3 =, operator 4 <=,
  operator 5 <, function 1 rev_cmp(int, int);
create table public.orders (id int, at timestamptz, note text, body jsonb, tags text[], "Odd Name" int);
insert into orders select i, '2026-11-01'::timestamptz + i * interval '1 hour', 'note ' || i, jsonb_build_object('n',
  i), array['a', 'b'], i from generate_series(1, 20) i;
insert into orders values (21, null, 'no time', null, null, null), (22, '2026-11-21', E'\x1b[31mred\n' || repeat('ü',
  100), null, '{}', 7);
create table public.empty (at timestamptz);
create view public.seen as select 1 as id, 'x' as note;
create type pair as (a int); create function pair_text(pair) returns text language sql as $$ select 'by a cast' $$;
create cast (pair as text) with function pair_text(pair);
create function int_text(int) returns text language sql as $$ select 'by a cast' $$;
create cast (int as text) with function int_text(int);
create table public.pairs (id int, p pair, ok bool, pad char(4), home inet);
  insert into pairs values (1, row(7), true, 'ab', '10.0.0.1');
create type rev as range (subtype = int, subtype_opclass = rev_ops);
create table public.revs (id int, r rev);
create table public.spots (id int, at point);
create type mood as enum ('sad', 'ok'); create function says(mood,
  mood) returns int language plpgsql immutable as $$ begin raise exception 'it runs'; end $$;
create function less(mood, mood) returns bool language sql immutable as 'select true';
create operator < (leftarg = mood, rightarg = mood, function = less);
  create operator <= (leftarg = mood, rightarg = mood, function = less);
    create operator = (leftarg = mood, rightarg = mood, function = less);
      create operator >= (leftarg = mood, rightarg = mood, function = less);
        create operator > (leftarg = mood, rightarg = mood, function = less); 
create operator class moods default for type mood using btree as operator 1 <, operator 2 <=, operator 3 =,
  operator 4 >=, operator 5 >, function 1 says(mood, mood);
create table public.moods (id int, m mood); insert into moods values (1, 'sad'), (2, 'ok');
create function cut(varchar, varchar) returns int language sql immutable as 'select 0';
create operator class cuts default for type varchar using btree as operator 1 <(text, text), operator 2 <=(text,
  text), operator 3 =(text, text), operator 4 >=(text, text), operator 5 >(text, text), function 1 cut(varchar,
    varchar);
create table public.cuts (v varchar); insert into cuts values ('a');
create extension file_fdw; create server files foreign data wrapper file_fdw;
create foreign table public.far (id int, note text) server files options (program 'echo 1,read', format 'csv');
create table public.parts (id int, note text) partition by range (id);
create foreign table public.parts_1 partition of public.parts for values
  from (0) to (9) server files options (program 'echo 1,read', format 'csv');
alter database newest set timezone = 'UTC';`)
	shown := func(schema, table, column string) bool {
		return schema == "public" && table == "orders" && column != "body"
	}
	fingerprint := func(value string) string { return fmt.Sprintf("#%d", len(value)) }
	d := drill(t, tables("{table: public.orders}")+`
latest_events:
  - {table: public.orders, order_by: at, columns: [id, at, note, body, tags, '"Odd Name"'], limit: 2}
  - {table: public.empty, order_by: at, columns: [at]}
  - {table: public.pairs, order_by: id, columns: [id, p, ok, pad, home]}
  - {table: public.seen, order_by: id, columns: [id, note]}
  - {table: public.revs, order_by: r, columns: [id]}
  - {table: public.spots, order_by: at, columns: [id]}
  - {table: public.moods, order_by: m, columns: [id]}
  - {table: public.moods, order_by: id, columns: [m]}
  - {table: public.cuts, order_by: v, columns: [v]}
  - {table: public.far, order_by: id, columns: [id, note]}
  - {table: public.parts, order_by: id, columns: [id, note]}
  - {table: public.orders, order_by: att, columns: [id]}
  - {table: public.orders, order_by: at, columns: [idd]}
  - {table: public.gone, order_by: at, columns: [id]}
`)
	events, checks := LatestEvents(t.Context(), connect, d.LatestEvents, Cells{fingerprint, vouched}, Options{Shown: shown})
	want := []verdict.Events{
		{Table: "public.orders", Columns: []string{"id", "at", "note", "body", "tags", "Odd Name"}, Rows: [][]string{
			{"22", "2026-11-21 00:00:00+00", "·[31mred·" + strings.Repeat("ü", 50) + "…", "null", "{}", "7"},
			{"20", "2026-11-01 20:00:00+00", "note 20", "#9", "{a,b}", "20"},
		}},
		{Table: "public.empty", Columns: []string{"at"}, Rows: [][]string{}},
		{Table: "public.pairs", Columns: []string{"id", "p", "ok", "pad", "home"}, Rows: [][]string{{"#1", "#3", "#4", "#2", "#11"}}},
		{Table: "public.moods", Columns: []string{"m"}, Rows: [][]string{{"#2"}, {"#3"}}},
	}
	if diff := cmp.Diff(want, events, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	compare(t, []short{
		{"latest_events:public.seen", "error", "the newest 5 rows", "", "is a view: what it shows is computed"},
		{"latest_events:public.revs", "error", "the newest 5 rows", "", "has the column r, whose type is written or ordered by functions of the backup's own"},
		{"latest_events:public.spots", "error", "the newest 5 rows", "", "cannot be ordered by at: the server has no order for its type"},
		{"latest_events:public.moods", "error", "the newest 5 rows", "", "has the column m, whose type is written or ordered by functions of the backup's own"},
		{"latest_events:public.cuts", "error", "the newest 5 rows", "", "has the column v, whose type is written or ordered by functions of the backup's own"},
		{"latest_events:public.far", "error", "the newest 5 rows", "", "is a foreign table: what it shows is computed"},
		{"latest_events:public.parts", "error", "the newest 5 rows", "", "has foreign tables below it"},
		{"latest_events:public.orders", "error", "the newest 5 rows", "", "there is no column public.orders.att (drill file, line"},
		{"latest_events:public.orders", "error", "the newest 5 rows", "", "there is no column public.orders.idd (drill file, line"},
		{"latest_events:public.gone", "fail", "the newest 5 rows", "missing", "public.gone (whose newest rows are to be shown) does not exist"},
	}, checks)
}
