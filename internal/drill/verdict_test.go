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

// inSandbox is a function that a materialized view calls, and that does
// something in a sandbox alone.
func inSandbox(does string) string {
	return `create function public.g() returns int language plpgsql volatile as $x$ begin
  if pg_catalog.current_setting('cluster_name') operator(pg_catalog.=) '' then return 1; end if;
  ` + does + ` return 1; end $x$; create materialized view public.mv as select public.g();`
}

// tenRows are tables of ten rows each.
func tenRows(names ...string) (sql string) {
	for _, n := range names {
		sql += "create table public." + n + " (id int, status text); insert into public." + n + " select i, 'fine' from generate_series(1, 10) i;"
	}
	return sql
}

const allPasses = `
scrub: {rules: [{column: "*.*.*", preserve: true, why: made up}]}`

// judge drills a database that the SQL makes, with these expectations and, if
// they say how, scrubbed.
func judge(t *testing.T, source *pgtest.Cluster, name, sql, expectations string, change ...func(*drill.Request)) *verdict.Report {
	t.Helper()
	source.Exec("postgres", "create database "+name)
	source.Exec(name, sql)
	store := t.TempDir()
	if err := os.WriteFile(filepath.Join(store, "a.dump"), source.Dump("-Fc", name), 0o600); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(expectations, "\nscrub:") {
		expectations += allPasses
	}
	return run(t, t.Context(), load(t, sandbox.Local, fmt.Sprintf(`
version: 1
source: {url: "file://%s", name: "*.dump", timezone: UTC}
expectations:
%s`, store, expectations)), change...)
}

// found says what a check came to; empty where there is none.
func found(r *verdict.Report, id string) string {
	i := slices.IndexFunc(r.Checks, func(c verdict.Check) bool { return c.ID == id })
	if i < 0 {
		return ""
	}
	c := r.Checks[i]
	return strings.TrimSpace(fmt.Sprintf("%s %s | %s | %s", c.Outcome, c.Expected, c.Observed, c.Message))
}

// What a backup's own code does to rows and tables behind their load is told,
// each in its own words, and what it leaves alone is not.
func TestWhatChangesBehindTheLoad(t *testing.T) {
	t.Parallel()
	source := pgtest.Server(t)
	r := judge(t, source, "changed", tenRows("kept", "written", "added", "taken", "swapped_rows", "widened", "moved", "gone", "anew", "viewed")+
		`create table public.parts (id int) partition by list (id); create table public.part partition of public.parts default;
			insert into public.parts values (1), (2);
		 create view public.shown as select 1 as id; create table public.kept_key (id int primary key); insert into public.kept_key values (1);`+
		inSandbox(`
  update public.written set status = 'paid' where id < 4; insert into public.added values (11, 'new'), (12, 'new'); delete from public.taken where id > 7;
  delete from public.swapped_rows where id = 1; insert into public.swapped_rows values (1, 'other'); update public.parts set id = 3 where id = 2;
  alter table public.widened add more int; alter table public.moved rename to was_moved; drop table public.gone;
  drop table public.anew; create table public.anew (id int, status text); insert into public.anew select i, 'fine' from generate_series(1, 10) i;
  alter table public.viewed rename to was_viewed; create view public.viewed as select 1 as id, 'fine'::text as status;`), `
  tables:
    - {table: public.viewed, row_count: {min: 1}, freshness: {column: id, unit: s, fail_after: 1h}}
    - {table: public.kept, row_count: {equals: 10}}
    - {table: public.taken, row_count: {equals: 10}}
    - {table: public.shown, row_count: {equals: 1}}
`)
	const many = "pass as they were loaded"
	for id, want := range map[string]string{
		"rows_changed":                 many + " | 2 of 12 tables |",
		"rows_changed:public.kept":     "",
		"rows_changed:public.kept_key": "",
		"rows_changed:public.written": "fail 10 rows, as loaded | 10 rows, 3 of them written later | of the 10 rows that public.written was loaded " +
			"with, 3 were written again or replaced",
		"rows_changed:public.added": "warn 10 rows, as loaded | 12 rows, 2 of them written later | public.added holds 2 rows that were " +
			"written after it was loaded",
		"rows_changed:public.taken": "fail 10 rows, as loaded | 7 rows, 0 of them written later | public.taken was loaded with 10 rows, and holds 7 now",
		"rows_changed:public.swapped_rows": "fail 10 rows, as loaded | 10 rows, 1 of them written later | of the 10 rows that public.swapped_rows was loaded " +
			"with, 1 were written again or replaced",
		"rows_changed:public.part": "fail 2 rows, as loaded | 2 rows, 1 of them written later | of the 2 rows that public.part was loaded with, 1 " +
			"were written again or replaced",
		"rows_changed:public.widened": "fail the columns that were loaded | other ones | public.widened has not the columns that it was loaded with",
		"rows_changed:public.moved":   "fail there | gone | public.moved was loaded, and is not there any more",
		"rows_changed:public.gone":    "fail there | gone | public.gone was loaded, and is not there any more",
		"rows_changed:public.anew":    "fail the table that was loaded | another one | what is called public.anew is not the table that was loaded",
		"rows_changed:public.viewed":  "fail the table that was loaded | another one | what is called public.viewed is not the table that was loaded",
		"tables_appeared": "warn no table or view that the backup does not make | 2 | after the load there appeared: 2 tables " +
			"that the backup does not name",
		"table_present:public.viewed": "fail present | view | public.viewed is a view, and the backup makes a table of that name",
		"row_count:public.viewed":     "skipped >= 1 | view | not checked: public.viewed is not the table that the backup makes",
		"table_present:public.shown":  "pass present | view |",
		"row_count:public.taken":      "pass = 10 | 10 |", // what was counted when it came in
		"code_ran":                    "pass listed | 1 of the backup's own |",
	} {
		if got := found(r, id); got != want {
			t.Errorf("%s: %q, want %q", id, got, want)
		}
	}
	if len(r.CodeRan) != 1 || r.CodeRan[0].Function != "public.g()" || !slices.Equal(r.CodeRan[0].UsedBy, []string{"MATERIALIZED VIEW public.mv"}) ||
		r.CodeRan[0].New {
		t.Errorf("%+v", r.CodeRan)
	}
	if r.Outcome != verdict.Fail {
		t.Errorf("%s\n%s", r.Outcome, worst(r))
	}
}

// What is written while rows are loaded, into tables that are loaded already,
// is told as well, though numbers agree.
func TestWhatChangesDuringTheLoad(t *testing.T) {
	t.Parallel()
	source := pgtest.Server(t)
	r := judge(t, source, "meanwhile", tenRows("a_first", "aa_kept", "b_kept")+`
		create table public.bb_more (id int); insert into public.bb_more values (1);
		create function public.checks(int) returns bool language plpgsql as $x$ begin
		  if pg_catalog.current_setting('cluster_name') operator(pg_catalog.<>) '' then
		    update public.a_first set status = 'paid' where id < 4; delete from public.b_kept; insert into public.bb_more values (99); end if;
		  return true; end $x$;
		create table public.c_last (id int check (public.checks(id))); insert into public.c_last values (1);`, `
  tables: [{table: public.a_first, row_count: {equals: 10}}, {table: public.b_kept, row_count: {equals: 10}}]
`)
	if got, want := found(r, "rows_changed:public.a_first"),
		"fail rows of its own load | 3 others | 3 rows of public.a_first were written while the backup was restored, "+
			"by something else than what loads it"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := found(r, "rows_changed:public.aa_kept"); got != "" {
		t.Errorf("%q of a table that is as it was loaded", got)
	}
	if got, want := found(r, "row_count:public.b_kept"),
		"fail = 10 | 0 | public.b_kept holds 0 rows, 10 fewer than the least declared, and the backup holds 10"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := found(r, "rows_held:public.bb_more"), "fail 1 | 2 | the backup holds 1 rows of public.bb_more and the restored table 2"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// Nothing is counted twice where nothing of the backup's own can run, and code
// is new where the last drill that passed had it not, or not so.
func TestCodeIsComparedWithTheLastDrill(t *testing.T) {
	t.Parallel()
	source := pgtest.Server(t)
	const expects = "\n  code_ran: {on_new: warn}\n  tables: [{table: public.t, row_count: {equals: 10}}]\n"
	const trigger = "create function public.tr() returns trigger language plpgsql as 'begin return new; end'; create trigger tr before update on public.t " +
		"for each row execute function public.tr();"
	first := judge(t, source, "first", tenRows("t")+trigger, expects)
	if got := found(first, "rows_changed"); first.Outcome != verdict.Pass ||
		got != "pass as they were loaded | not counted again: no code of the backup's own runs |" {
		t.Errorf("%s, %q\n%s", first.Outcome, got, worst(first))
	}
	if got := found(first, "code_ran"); !strings.HasPrefix(got,
		"skipped none that the last drill that passed had not | 1 of the backup's own | no history yet") {
		t.Errorf("first: %q", got)
	}
	since := func(past ...*verdict.Report) func(*drill.Request) {
		return func(r *drill.Request) { r.Past = history.Past{Passing: past} }
	}
	same := judge(t, source, "same", tenRows("t")+trigger, expects, since(first))
	if got := found(same, "code_ran"); got != "pass none that the last drill that passed had not | 1 of the backup's own |" {
		t.Errorf("same: %q", got)
	}
	grown := judge(t, source, "grown", tenRows("t")+strings.Replace(trigger, "return new", "return null", 1)+
		"create function public.h() returns int language sql immutable as 'select 1'; create view public.v as select public.h();", expects, since(first))
	want := "warn none that the last drill that passed had not | 2 of the backup's own, 2 new | code of the backup's own that is new or changed since the " +
		"last drill that passed (test): " +
		"public.h() (sql, VIEW public.v); public.tr() (plpgsql, TRIGGER public.t tr)"
	if got := found(grown, "code_ran"); got != want || grown.Outcome != verdict.Warn {
		t.Errorf("grown: %s, %q, want %q", grown.Outcome, got, want)
	}
	if len(grown.CodeRan) != 2 || !grown.CodeRan[0].New || !grown.CodeRan[1].New {
		t.Errorf("%+v", grown.CodeRan)
	}
	settled := judge(t, source, "settled", tenRows("t")+trigger, expects, since(grown, first))
	if got := found(settled, "code_ran"); !strings.Contains(got, "1 new") { // back to what it was is another change
		t.Errorf("settled: %q", got)
	}
}

// A search_path with operators of the backup's own turns no check of the
// harness's; one that a person wrote says under which it was run.
func TestOperatorsOfTheBackupTurnNothing(t *testing.T) {
	t.Parallel()
	source := pgtest.Server(t)
	r := judge(t, source, "operators", `
create type public.mood as enum ('sad', 'ok'); create domain public.code as varchar(9) check (value <> ''); create type public.pair as (a int, b text);
create table public.users (id int primary key, email varchar(80) unique, code public.code, mood public.mood, span int4range, pair public.pair, tags text[],
  at timestamptz, device uuid,
  balance numeric, upper text generated always as (upper(code)) stored, check (length(code) < 9), shout text);
insert into public.users (id, email, code, mood, span, pair, tags, at, device, balance)
  select i, 'p' || i || '@example.com', 'c' || i, 'ok', int4range(i, i + 2), row(i, 'x')::public.pair, array['a'], '2026-11-21', md5(i::text)::uuid, i
    from generate_series(1, 200) i;
create table public.notes (id int, status text, user_id int); insert into public.notes select i, 'broken', 1 + i % 200 from generate_series(150, 260) i;
create table public.parts (id serial, at date) partition by range (at); create table public.part partition of public.parts default;
  insert into public.parts (at) values ('2026-11-20');
alter table public.notes add foreign key (user_id) references public.users (id); create index on public.users (lower(email)) where id > 5;
create materialized view public.mv as select count(*) from public.users; select lo_from_bytea(0, 'some bytes');`+
		pgtest.Shadow+"alter database operators set search_path = evil, pg_catalog, public;", `
  constraints: valid
  indexes: valid
  sequences: not_behind
  collations: same_version
  materialized_views: populated
  unlisted_tables: warn
  amcheck: {heap: true, indexes: true}
  tables:
    - {table: public.notes, row_count: {equals: 111}, relationships: [{column: id, references: public.users.id}]}
    - {table: public.users, max_regression: {column: id}, freshness: {column: at, fail_after: 9000d}}
    - {table: public.parts, row_count: {equals: 1}}
    - {table: public.mv, row_count: {equals: 1}}
  failed_rows:
    - {name: asked, sql: "select id from notes", fail_if: "> 200"}
latest_events:
  - {table: public.notes, order_by: id, columns: [id, status], limit: 3}
scrub:
  large_objects: preserve
  leak_scan: {source_overlap: 100}
  rules:
    - {column: public.users.email, transform: email}
    - {column: public.users.device, transform: uuid}
    - {column: public.users.balance, transform: number}
    - {column: "*.*.*", preserve: true, why: made up}
`)
	for _, c := range r.Checks {
		if strings.Contains(c.Message, "P0001") || strings.Contains(c.Message, "trap") {
			t.Errorf("a trap was met: %+v", c)
		}
	}
	for _, s := range r.Stages {
		if s.Outcome == verdict.Error {
			t.Errorf("%s: %s %s", s.Name, s.Code, s.Message)
		}
	}
	if got, want := found(r, "relationships:public.notes.id"),
		"fail orphans: fail if > 0 | 60 | 60 rows of public.notes whose id is no public.users.id (fail if > 0)"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := found(r, "failed_rows:asked"), "pass fail if > 200 under search_path evil, pg_catalog, public | 111 |"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
