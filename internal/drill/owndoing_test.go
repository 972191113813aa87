package drill_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"daybefore/internal/drill"
	"daybefore/internal/pgtest"
	"daybefore/internal/sandbox"
	"daybefore/internal/verdict"
)

// items is what every database of these tests holds beside what it is about.
const items = `create table items(id int primary key, label text not null);
insert into items select g, 'item '||g from generate_series(1,20) g;
`

// itemsDrill drills a dump of one, with more of the drill file's text.
func itemsDrill(t *testing.T, kind, clusters string, dump []byte, more string) *verdict.Report {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "p-20261128.dump"), dump, 0o600); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf(`
version: 1
source: {url: "file://%s", name: "p-{time}.dump", time: "20060102", time_tolerance: 999999h, timezone: UTC}
expectations:
  tables:
    - {table: public.items, row_count: {equals: 20}}
%s`, dir, more)
	return run(t, t.Context(), load(t, kind, text), func(r *drill.Request) { r.Clusters = clusters })
}

// slow is an expectation that takes longer than some time-outs let it.
const slow = "  failed_rows: [{name: slow, sql: 'select 1 from pg_sleep(0.1) where false', fail_if: '> 0'}]\n"

// outcome is a report's, with the checks that are not passed.
func outcome(r *verdict.Report) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s", r.Outcome, worst(r))
	for _, c := range r.Checks {
		if c.Outcome != verdict.Pass {
			fmt.Fprintf(&b, "  %s %s: %s (%s) [%s]\n", c.Outcome, c.ID, c.Observed, c.Message, c.Hint)
		}
	}
	return b.String()
}

// TestWhoseDoing restores what a real server would restore, and what the drill
// left out or its sandbox lacks: none of it is the backup's fault, and whatever
// else is wrong stays its fault.
func TestWhoseDoing(t *testing.T) {
	t.Parallel()
	source := pgtest.Server(t)
	clusters := t.TempDir()
	source.Exec("postgres", "create role app; create role other")
	const foreign = `create extension postgres_fdw; create server far foreign data wrapper postgres_fdw options (dbname 'nowhere');
create foreign table far_items(id int, label text) server far options (table_name 'items');
`
	for name, c := range map[string]struct {
		first  string                   // settings of the database, before anything is in it; %[1]s is its name
		sql    string                   // in the database, after items
		set    string                   // settings, after all else
		args   []string                 // of pg_dump
		plain  bool                     // a script, else an archive
		change func(dump string) string // of another server than this one
		more   string                   // of the drill file
		want   verdict.Outcome
		says   []string // somewhere in the outcome
		not    string
	}{
		"a setting that rows and views need": {
			first: "alter database %[1]s set app.tenant = 't1'; alter database %[1]s set search_path = traps, public",
			sql: `create table tenants(id int, tenant text);
insert into tenants values (1, 't1');
alter table tenants add constraint mine check (tenant = current_setting('app.tenant'));
create materialized view mine as select * from tenants where tenant = current_setting('app.tenant');`,
			args: []string{"-C"}, want: verdict.Pass,
		},
		"settings that would end or turn every session": {
			set: `alter database %[1]s set statement_timeout = '1ms'; alter database %[1]s set idle_session_timeout = '1ms';
alter database %[1]s set lock_timeout = '1ms';
alter database %[1]s set idle_in_transaction_session_timeout = '1ms'; alter database %[1]s set default_transaction_read_only = on;
alter database %[1]s set role = app;
alter database %[1]s set session_replication_role = replica; alter database %[1]s set client_encoding = 'LATIN1';
alter database %[1]s set standard_conforming_strings = off;
alter database %[1]s set session_preload_libraries = 'auto_explain'; alter database %[1]s set DateStyle = 'SQL, DMY';
alter database %[1]s set quote_all_identifiers = on;
alter database %[1]s set client_min_messages = debug5; alter database %[1]s set default_text_search_config = 'public.mine';
alter database %[1]s set default_tablespace = 'not_there';
alter role postgres in database %[1]s set search_path = nowhere; alter role other in database %[1]s set work_mem = '1GB';
alter database %[1]s set extra_float_digits = -5`,
			sql: `create text search configuration mine (copy = english); create table days(d date, i interval, f float8);
insert into days values ('2026-03-04', '-1 day 2 hours', 0.1); create index on days(d);`,
			args: []string{"-C"}, want: verdict.Warn, plain: true, says: []string{"warn roles: other"}, not: "warn restore",
			more: slow,
		},
		"a check that reads rows which are left out": {
			sql: `create table a_kinds(code text); insert into a_kinds values ('k');
create function known(text) returns boolean language plpgsql as $$begin return exists (select from public.a_kinds where code = $1); end$$;
create table b_things(kind text check (public.known(kind))); insert into b_things values ('k')`,
			more: "scrub: {exclude_table_data: [public.a_kinds]}\n", plain: true,
			want: verdict.Error, says: []string{"it reads rows that the drill file leaves out"},
		},
		"the schema public alone": {args: []string{"-n", "public"}, want: verdict.Pass},
		"the schema public, another, and its comment": {
			plain: true,
			sql: `create schema app; create table app.t(i int); comment on schema public is 'ours'; grant usage on schema public to app;
alter schema public owner to other`,
			args: []string{"-n", "public", "-n", "app"}, want: verdict.Warn, more: "  roles: [app]", says: []string{"other"},
		},
		"the schema public, and a real error": {
			sql: "create schema lost; create domain lost.d as int; create table t(i lost.d)", args: []string{"-n", "public"}, want: verdict.Fail,
			says: []string{`schema "lost" does not exist`}, not: `schema "public" already exists`,
		},
		"a view filled from a foreign table": {
			sql: foreign + `create view near as select * from far_items; create materialized view far_copy as select * from near with no data;
create unique index on far_copy(id); create materialized view second as select * from far_copy with no data;
create table parts(id int) partition by list(id); create foreign table part1 partition of parts for values in (1) server far;
create materialized view third as select * from parts with no data;
` + filled("far_copy", "second", "third"),
			want: verdict.Pass, says: []string{"public.far_copy, public.second, public.third", "skipped materialized_views: 3 not judged"},
			more: "  materialized_views: populated\n", not: "restore_errors",
		},
		"a foreign table in a function that a view calls": {
			sql: foreign + `create function far_count() returns bigint language sql as 'select count(*) from public.far_items';
create materialized view counted as select far_count() n with no data; create materialized view twice as select n * 2 from counted with no data;
` + filled("counted", "twice"),
			want: verdict.Error, says: []string{"no network", "try it by hand"}, not: "same errors",
		},
		"a database link in a view": {
			sql: `create extension dblink;
create materialized view linked as select * from public.dblink('host=127.0.0.1 port=1 dbname=x', 'select 1') as t(i int) with no data;
` + filled("linked"),
			want: verdict.Error, says: []string{"no network"},
		},
		"a database link, and a real error": {
			plain: true,
			sql: `create extension dblink;
create materialized view linked as select * from public.dblink('host=127.0.0.1 port=1 dbname=x', 'select 1') as t(i int) with no data;
create materialized view broken as select 1/(select count(*) - 20 from public.items) x with no data;
` + filled("linked", "broken"),
			want: verdict.Fail, says: []string{"of 2 errors, 1 may be the drill's own", "division by zero"},
		},
		"a dictionary of production's server": {
			sql: dictionary, want: verdict.Error, says: []string{"a file of production's server", "sandbox.image"},
		},
		"a locale that the sandbox lacks": {
			sql:    "create collation german (provider = libc, locale = 'C'); create table names(n text collate german); insert into names values ('a');",
			change: func(dump string) string { return strings.Replace(dump, "locale = 'C'", "locale = 'xx_XX'", 1) },
			plain:  true, want: verdict.Error, says: []string{"the sandbox lacks a locale"}, not: "fail",
		},
		"an extension that is left out": {
			sql: `create extension citext; create table people(mail citext); insert into people values ('a');
create view mails as select mail from people; create index on people(mail)`,
			change: func(dump string) string { return strings.ReplaceAll(dump, "citext WITH", "nosuch WITH") },
			plain:  true, more: "    - {table: public.people}\nrestore: {extensions: skip}",
			want: verdict.Error, says: []string{"an extension is left out"}, not: "fail",
		},
		"an extension that is left out, and a real error": {
			sql: "create extension citext; create table people(mail citext); insert into people values ('a'); create table amounts(n numeric(7,2))",
			change: func(dump string) string {
				return strings.Replace(strings.ReplaceAll(dump, "citext WITH", "nosuch WITH"), "numeric(7,2)", "numeric(7000,2)", 1)
			},
			plain: true, more: "restore: {extensions: skip}", want: verdict.Fail, says: []string{"may be the drill's own", "NUMERIC precision"},
		},
		"a language that the sandbox lacks": {
			sql: "create function answer() returns int language plpgsql as 'begin return 42; end'; create view answers as select answer() as a",
			change: func(dump string) string {
				dump = strings.Replace(dump, "LANGUAGE plpgsql", "LANGUAGE plperl", 1)
				return strings.Replace(dump, "CREATE FUNCTION", "CREATE PROCEDURAL LANGUAGE plperl;\n\n\nCREATE FUNCTION", 1)
			},
			plain: true, want: verdict.Error, says: []string{"library or language"},
		},
		"a setting that the sandbox does not know": {
			first:  "alter database %[1]s set work_mem = '8MB'",
			change: func(dump string) string { return strings.Replace(dump, "work_mem", "old_snapshot_of_yore", 1) },
			plain:  true, args: []string{"-C"}, want: verdict.Warn, says: []string{"database_settings", "old_snapshot_of_yore"},
		},
	} {
		database := fmt.Sprintf("d%x", sha256.Sum256([]byte(name)))[:20]
		source.Exec("postgres", "create database "+database+" template template0;"+strings.ReplaceAll(c.first, "%[1]s", database))
		source.Exec(database, items+c.sql)
		source.Exec("postgres", strings.ReplaceAll(c.set, "%[1]s", database))
		for format, wanted := range map[string]bool{"-Fc": !c.plain, "-Fp": c.plain} {
			if !wanted && (c.change != nil || os.Getenv("DRILL_TEST_BOTH") == "") {
				continue
			}
			dump := source.Dump(append([]string{format, "-d", "dbname=" + database + undisturbed}, c.args...)...)
			t.Run(name+" "+format, func(t *testing.T) {
				t.Parallel()
				if c.change != nil {
					dump = []byte(c.change(string(dump)))
				}
				r := itemsDrill(t, sandbox.Local, clusters, dump, c.more)
				got := outcome(r)
				if r.Outcome != c.want {
					t.Errorf("want %s, got %s", c.want, got)
				}
				for _, want := range c.says {
					if !strings.Contains(got, want) {
						t.Errorf("it does not say %q: %s", want, got)
					}
				}
				if c.not != "" && strings.Contains(got, c.not) {
					t.Errorf("it says %q: %s", c.not, got)
				}
			})
		}
	}
}

// dictionary is one whose file is gone: the table of dictionaries tells another.
const dictionary = `create text search dictionary ours (template = synonym, synonyms = synonym_sample);
create text search configuration ours (copy = simple); alter text search configuration ours alter mapping for asciiword with ours, simple;
create materialized view words as select to_tsvector('public.ours', label) from items;
update pg_ts_dict set dictinitoption = 'synonyms = ''gone''' where dictname = 'ours';`

// undisturbed lets pg_dump work whatever the database sets.
const undisturbed = ` options='-c role=none -c statement_timeout=0 -c lock_timeout=0 -c idle_session_timeout=0` +
	` -c client_encoding=UTF8 -c session_replication_role=origin'`

// TestTemplateDatabase restores a database that every server has of its own.
func TestTemplateDatabase(t *testing.T) {
	t.Parallel()
	source := pgtest.Server(t)
	clusters := t.TempDir()
	source.Exec("template1", items+"alter database template1 set search_path = nowhere; alter role postgres set search_path = nowhere")
	for _, args := range [][]string{{"-Fc"}, {"-Fp", "-C"}} {
		dump := source.Dump(append(args, "template1")...)
		t.Run(args[0], func(t *testing.T) {
			t.Parallel()
			if r := itemsDrill(t, sandbox.Local, clusters, dump, ""); r.Outcome != verdict.Pass {
				t.Error(outcome(r))
			}
		})
	}
}

// filled has the dump fill materialized views that cannot be filled here: the
// catalog says that they are.
func filled(views ...string) (sql string) {
	for _, v := range views {
		sql += fmt.Sprintf("update pg_class set relispopulated = true where oid = 'public.%s'::regclass;\n", v)
	}
	return sql
}

// insists is an extension that can only be created where a library was loaded
// at the server's start, as pg_cron, citus and pgaudit are.
var insists = map[string]string{
	"insists.control": "default_version = '1.0'\nrelocatable = true\n",
	"insists--1.0.sql": `do $$ begin
  if current_setting('shared_preload_libraries') = '' then
    raise exception 'insists can only be loaded via shared_preload_libraries';
  end if;
end $$;
create function insisted() returns text language sql as $$select 'yes'$$;
`}

// TestPreloadedLibrary restores an extension that insists on it, under settings
// that came with version 17.
func TestPreloadedLibrary(t *testing.T) {
	t.Parallel()
	image := pgtest.WithExtensions(t, "postgres:17", insists)
	source := pgtest.Server(t)
	source.Exec("postgres", "create database shop; alter database shop set work_mem = '8MB'")
	source.Exec("shop", items+"create extension citext")
	dump := string(source.Dump("-Fp", "-C", "shop"))
	dump = strings.NewReplacer("citext", "insists", "SET work_mem TO '8MB'", "SET transaction_timeout TO '1ms'").Replace(dump)
	for name, c := range map[string]struct {
		preload string
		want    verdict.Outcome
		says    string
	}{
		"none":  {"", verdict.Error, "restore: error extensions "},
		"given": {", preload: [auto_explain]", verdict.Pass, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := itemsDrill(t, sandbox.Container, "", []byte(dump), slow+fmt.Sprintf("sandbox: {image: %q%s}", image, c.preload))
			if got := outcome(r); r.Outcome != c.want || !strings.Contains(got, c.says) {
				t.Errorf("want %s and %q, got %s", c.want, c.says, got)
			}
			if c.want == verdict.Error && !strings.Contains(fmt.Sprint(r.Stages), "sandbox.preload: [insists]") {
				t.Errorf("no hint: %+v", r.Stages)
			}
		})
	}
}
