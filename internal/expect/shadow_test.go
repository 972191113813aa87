package expect

import (
	"context"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"daybefore/internal/history"
	"daybefore/internal/pgtest"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// judgedAlike is a database in which every kind of check has something to find.
const judgedAlike = `
create type public.mood as enum ('sad', 'ok');
create table public.people (id int primary key, code varchar(9), mood public.mood, born date, seen timestamptz,
  seen_at timestamp, n bigint, price numeric, tags text[], kept boolean);
insert into public.people select i, 'c' || i, 'ok', '2026-11-20', '2026-11-21 03:00+00', '2026-11-21 03:00', i, i,
  array['a', 'b' || i], true from generate_series(1, 20) i;
create table public.visits (id serial primary key, person int, code varchar(9), mood public.mood);
insert into public.visits(person, code, mood) select i, 'c' || i, 'sad' from generate_series(15, 24) i;
insert into public.visits(id, person) values (99, 1);
create view public.both as select p.id, v.id as visit from public.people p
  join public.visits v on v.person operator(pg_catalog.=) p.id;
create materialized view public.kept as select id from public.people;
create materialized view public.never as select id from public.people with no data;
alter table public.visits add constraint few check (id < 90) not valid;
create index on public.people (lower(code));`

// judgedBlocks are all that may be expected of it.
const judgedBlocks = `
expectations:
  timeout: 20s
  tables:
    - table: public.people
      row_count: {min: 20, max: 20}
      row_count_change: {fail_percent: 10}
      freshness: {column: seen, fail_after: 1h}
      max_regression: {column: seen}
      checksum: {columns: [id, code, mood, born, seen, seen_at, n, price, tags, kept]}
    - table: public.visits
      freshness: {column: id, unit: s, fail_after: 1h}
      max_regression: {column: id}
      relationships:
        - {column: person, references: public.people.id, fail_if: "> 3"}
        - {column: code, references: public.people.code, fail_if: "> 3"}
        - {column: mood, references: public.people.mood, fail_if: "> 3"}
    - table: public.both
      row_count: {min: 1}
      relationships:
        - {column: visit, references: public.visits.id, fail_if: "> 3"}
    - table: public.never
    - table: public.peopl
      rebuildable: true
    - table: public.visit
  extensions: [plpgsql, pgcrypt]
  roles: [postgres, nobody_there]
  settings: {search_path: 'evil, pg_catalog, public', work_mem: 8MB}
  unlisted_tables: warn
  sequences: not_behind
  indexes: valid
  constraints: valid
  materialized_views: populated
  collations: same_version
  schema: {baseline: x.json}
  amcheck: {heap: true, indexes: true}
`

// testShadowed judges a database twice: once where everything of the server's
// has a namesake that comes first, and once where it has not.
func testShadowed(t *testing.T, s server) {
	plain := s.database(t, "unshadowed",
		judgedAlike+"alter database unshadowed set work_mem = '8MB'; alter database unshadowed set search_path = evil, pg_catalog, public")
	hostile := s.database(t, "shadowed", judgedAlike+pgtest.Shadow+
		"alter database shadowed set work_mem = '8192kB'; alter database shadowed set search_path = evil, pg_catalog, public; alter database "+
		"shadowed set evil.armed = on")
	e := drill(t, strings.ReplaceAll(judgedBlocks, "  schema: {baseline: x.json}\n", "")).Expectations
	e.Schema = &spec.Baseline{File: "x.json", Salt: "s", OnAdded: "ignore", OnChanged: "fail", OnRemoved: "fail"}
	past := history.Past{Passing: []*verdict.Report{night(1, func(r *verdict.Report) {
		r.Tables = []verdict.Table{{Name: "public.people", RowsHeld: 20}}
		r.Marks = []verdict.Mark{{Table: "public.visits", Column: "id", Newest: "120"},
			{Table: "public.people", Column: "seen", Newest: "2026-11-20T03:00:00.000000Z"}}
	})}}
	var structure [2]*spec.Structure
	judge := func(i int, connect Connect) []verdict.Check {
		return Run(t.Context(), connect, e, Options{
			AsOf: asOf, Jobs: 2, Past: past, TakenAt: asOf, Shown: func(_, _, _ string) bool { return true },
			Structure: func(s *spec.Structure) { structure[i] = s },
		})
	}
	want := judge(0, plain)
	got := judge(1, hostile)
	for _, c := range want {
		if strings.Contains(c.Message, "SQLSTATE") {
			t.Errorf("%s cannot be judged where nothing is hostile: %s", c.ID, c.Message)
		}
	}
	objects := cmpopts.IgnoreFields(verdict.Check{}, "Observed") // which counts those of the traps too
	for i := range want {
		if want[i].ID == "checksum:public.people" {
			if !strings.Contains(got[i].Message, "the backup brings a cast from text to bit") {
				t.Errorf("a sum that goes through the backup's own cast: %+v", got[i])
			}
			continue
		}
		var ignore []cmp.Option
		if want[i].ID == "schema" || strings.HasPrefix(want[i].ID, "constraints") || strings.HasPrefix(want[i].ID, "amcheck") {
			ignore = append(ignore, objects)
		}
		if diff := cmp.Diff(want[i], got[i], ignore...); diff != "" {
			t.Errorf("%s -want +got:\n%s", want[i].ID, diff)
		}
	}
	if structure[0] == nil || structure[1] == nil || len(structure[1].Objects) <= len(structure[0].Objects) {
		t.Error("the structure of the two was not read")
	}
}

// testAlienTypes has relationships over types of which the backup's own code
// says what is equal, and others that only look so.
func testAlienTypes(t *testing.T, s server) {
	connect := s.database(t, "alien", `
create type public.num;
  create function public.num_in(cstring) returns public.num language internal immutable strict as 'int4in';
create function public.num_out(public.num) returns cstring language internal immutable strict as 'int4out';
create type public.num (input = public.num_in, output = public.num_out, like = int4);
create type public.pair as (a int, b public.num); create domain public.count as public.num;
create function public.same(public.num, public.num) returns bool language internal immutable strict as 'int4ge';
create operator public.= (leftarg = public.num, rightarg = public.num, function = public.same);
create type public.mood as enum ('sad', 'ok');
create function public.alike(public.mood, public.mood) returns bool language sql immutable as 'select true';
create operator public.= (leftarg = public.mood, rightarg = public.mood, function = public.alike);
create function public.no(int, int) returns int language sql immutable as 'select 1';
create operator class public.blind for type int using btree as operator 1 <, operator 2 <=, operator 3 =,
  operator 4 >=, operator 5 >, function 1 public.no(int, int);
create function public.cmp(varchar, varchar) returns int language sql immutable as 'select 0';
create operator class public.loose default for type varchar using btree as operator 3 pg_catalog.=(text, text),
  function 1 public.cmp(varchar, varchar);
create function public.to_uuid(text) returns uuid language sql immutable as $$
  select '00000000-0000-0000-0000-000000000000'::uuid $$;
create cast (text as uuid) with function public.to_uuid(text);
create table public.t (n public.num, c public.count, p public.pair, ns public.num[], m public.mood, i int, v varchar,
  vs varchar[], u uuid);
create table public.r (n public.num, c public.count, p public.pair, ns public.num[], m public.mood, i int, v varchar,
  vs varchar[], u uuid);
create index on public.r (i public.blind);
insert into public.t select '5', '5', row(1, '5'::public.num)::public.pair, array['5'::public.num], 'sad', 5, '5',
  array['5'], '5d3b6b1e-0000-0000-0000-000000000005';
insert into public.r select '7', '7', row(1, '7'::public.num)::public.pair, array['7'::public.num], 'ok', i, '7',
  array['7'], '5d3b6b1e-0000-0000-0000-000000000007' from generate_series(1, 9) i;
alter database alien set enable_seqscan = off; alter database alien set enable_hashjoin = off;
  alter database alien set enable_mergejoin = off;`)
	wanted := map[string]struct{ outcome, observed, says string }{
		"n": {"error", "", "public.t.n is of a type whose values code of the backup's own compares"},
		"c": {"error", "", "public.t.c is of a type whose values code"}, "p": {"error", "", "public.t.p is of a type whose values code"},
		"ns": {"error", "", "public.t.ns is of a type whose values code"}, "vs": {"error", "", "public.t.vs is of a type whose values code"},
		"m": {"fail", "1", "1 row of public.t whose m is no public.r.m"}, "v": {"fail", "1", "1 row of public.t"},
		"u": {"fail", "1", "1 row of public.t"}, "i": {"pass", "0", ""},
	}
	var relationships []string
	for column := range wanted {
		relationships = append(relationships, "{column: "+column+", references: public.r."+column+"}")
	}
	all := drill(t, tables("{table: public.t, relationships: ["+strings.Join(relationships, ", ")+"]}", "{table: public.r}")).Expectations
	for _, c := range Run(t.Context(), connect, all, Options{AsOf: asOf, Jobs: 1}) {
		column, is := strings.CutPrefix(c.ID, "relationships:public.t.")
		want := wanted[column]
		if is && (string(c.Outcome) != want.outcome || c.Observed != want.observed || !strings.Contains(c.Message, want.says)) {
			t.Errorf("%s: %s, %q, %q; want %s, %q, %q", column, c.Outcome, c.Observed, c.Message, want.outcome, want.observed, want.says)
		}
	}
	most := drill(t, tables("{table: public.r, max_regression: {column: i}}")).Expectations
	shown := func(_, _, _ string) bool { return true }
	if c := Run(t.Context(), connect, most, Options{AsOf: asOf, Jobs: 1, Shown: shown})[1]; c.Observed != "9" {
		t.Errorf("the greatest by an index that sorts as the backup likes: %+v", c)
	}
	e := drill(t, tables("{table: public.t, checksum: {columns: [n]}}", "{table: public.r, checksum: {columns: [i, v, u, m]}}")).Expectations
	got := Run(t.Context(), connect, e, Options{AsOf: asOf, Jobs: 1, Shown: shown})
	if c := got[1]; c.Outcome != verdict.Error || !strings.Contains(c.Message, "public.t.n is of a type whose values code") {
		t.Errorf("a sum of values that the backup's code writes: %+v", c)
	}
	if c := got[3]; c.Outcome != verdict.Skipped || !strings.Contains(c.Observed, "over 9 rows") {
		t.Errorf("a sum of values that the server writes: %+v", c)
	}
	for column, want := range map[string]string{"u": "public.t.u is of a type whose values code", "n": "public.t.n is of a type", "i": ""} {
		file := t.TempDir() + "/log.csv"
		if err := os.WriteFile(file, []byte("at,key\n2026-11-20T00:00:00Z,5\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		e := drill(t,
			"expectations:\n  timeout: 20s\n  witness:\n    - {name: log, url: 'file:"+file+"', table: public.t, key: {"+column+
				": key}, at: at}\n").Expectations
		got := Run(t.Context(), connect, e, Options{AsOf: asOf, Jobs: 1, TakenAt: asOf, Witnesses: Witnesses{
			Now: asOf, Open: func(context.Context, spec.Source, string) (io.ReadCloser, error) { return os.Open(file) },
			Outside: func(_, _, _ string) (Outside, error) { return Outside{Tell: func(v string) string { return v }}, nil },
		}})
		if c := got[0]; !strings.Contains(c.Message, want) || (want == "") != (c.Outcome == verdict.Pass) {
			t.Errorf("a witness of %s: %+v", column, c)
		}
	}
}
