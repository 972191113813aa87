package harness_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"daybefore/internal/verdict"
)

// hostileInputs are the backups of hostile authors.
func hostileInputs(t *testing.T) []hostile {
	ran := map[string]verdict.Outcome{"rows_changed:public.said": verdict.Warn}
	held := []verdict.Outcome{verdict.Warn}
	bad := []verdict.Outcome{verdict.Fail}
	red := []verdict.Outcome{verdict.Fail, verdict.Error}
	some := append(slices.Clone(red), verdict.Warn)
	local := []stand{localRoot}
	// What the server does with SQL is the same in each stand.
	sql := []stand{localRoot, containerUser}
	all := []stand{} // where all are asked for
	return []hostile{
		{name: "reveal-after-checks", code: input(t, "reveal-after-checks.sql"), want: held, checks: ran, stands: sql},
		{name: "reveal-reversed", code: input(t, "reveal-reversed.sql"), index: true, want: held, checks: ran, stands: sql},
		{name: "reveal-while-loading", code: input(t, "reveal-while-loading.sql"), index: true, want: held,
			checks: ran, stands: sql},
		{name: "verdict-operators", bad: true, schema: input(t, "verdict-operators.schema.sql"), want: bad,
			checks: map[string]verdict.Outcome{"relationships:public.notes.id": verdict.Fail,
				"constraints": verdict.Fail}, stands: sql},
		{name: "verdict-view", bad: true, code: input(t, "verdict-view.sql"), want: bad,
			checks: map[string]verdict.Outcome{"table_present:public.orders": verdict.Fail,
				"rows_changed:public.orders": verdict.Fail}, stands: sql},
		{name: "verdict-repair", bad: true, code: input(t, "verdict-repair.sql"), want: bad,
			checks: map[string]verdict.Outcome{
				"row_count:public.orders": verdict.Fail, "rows_changed:public.orders": verdict.Fail,
				"rows_changed:public.notes": verdict.Fail}, stands: sql},
		{name: "survive", script: input(t, "survive.sh"), want: held, checks: ran},
		{name: "deep-folders", script: input(t, "deep-folders.sh"), want: held, checks: ran},
		// The folder is shut to the server of a container: the script fails there.
		{name: "owned-folder", script: input(t, "owned-folder.sh"), want: append(slices.Clone(bad), verdict.Warn)},
		{name: "forged-log", script: input(t, "forged-log.sh"), want: red},
		{name: "real-value-as-name", code: input(t, "real-value-as-name.sql"), want: red, stands: sql},

		{name: "readers", script: input(t, "readers.sh"), want: held, checks: ran, look: reachesNothing},
		{name: "folders", script: input(t, "folders.sh"), want: some},
		{name: "stays", script: input(t, "stays.sh"), want: some},
		{name: "sentences", schema: sentences(), want: bad, stands: local},
		{name: "names", code: names, want: some, stands: local},
		{name: "late-writer", script: input(t, "late-writer.sh"), want: some, stands: local},
		{name: "casts", more: moods, code: "null;", want: some, stands: local, edit: showMoods},
		{name: "swapped", code: `alter table public.users rename email to x;
alter table public.users rename nook to email;
alter table public.users rename x to nook;`, want: bad, stands: local},
		{name: "heirs", code: `create table public.kid() inherits (public.notes);
insert into public.kid select 1000+id, nook from public.users;`,
			want: some, stands: local},
		{name: "retyped", code: `create function public.of(int) returns text language sql as 'select nook
from public.users where id = $1';
alter table public.notes alter status type text using public.of(id);`, want: bad, stands: local},
		{name: "unruled", code: `update public.notes o set status = u.nook from public.users u
where u.id = o.id;`, want: bad, stands: local},
		{name: "relfilenodes", code: `create table public.twin(id int, status text);
insert into public.twin select id, nook from public.users;
perform set_config('allow_system_table_mods','on',false);
update pg_class a set relfilenode = b.relfilenode from pg_class b
where a.oid = 'public.notes'::regclass and b.oid = 'public.twin'::regclass;
`, want: some, stands: local},
		{name: "settings", code: settings, want: some, stands: local},
		{name: "rewriting-checks", schema: rewriting, want: some, stands: local},
		{name: "control-bytes", schema: controls, want: some, stands: local},
		{name: "disk-bomb", script: `dd if=/dev/zero of=$(readlink /proc/$PPID/cwd)/big bs=1M count=900 2>/dev/null; sleep 3`, sandbox: ", disk: 400MiB",
			want: red, stands: all},
		{name: "shm-bomb", script: `for d in /dev/shm /tmp /var/tmp; do
dd if=/dev/zero of=$d/big bs=1M count=3000 2>/dev/null; done`,
			sandbox: ", memory: 1GiB", want: some, stands: all},
		{name: "memory-bomb", script: `perl -e '$x = "x" x (1<<30); push @a, $x . $_ for 1..8'`,
			sandbox: ", memory: 1GiB", want: some, stands: all},
		{name: "fork-bomb", script: `perl -e 'for (1..20000) { my $p = fork; if (defined $p && !$p) { sleep 5; exit }
last if !defined $p }'`,
			want: some, stands: all},
		{name: "many-names", code: `for i in 1..3000 loop
execute format('create table public.%I ()', rpad(i::text, 63, 'x')); end loop;`,
			want: some, stands: all},
		{name: "many-messages", code: `for i in 1..300000 loop raise warning '%', repeat('Zaphod-Quill', 50);
end loop;`, want: some, stands: all},
		{name: "stops", script: "kill -STOP -1", want: red, stands: all, edit: func(file string) string {
			return strings.Replace(file, "timeout: 3m", "timeout: 15s", 1)
		}},
	}
}

// reachesNothing wants no line of the script but the one that says that it ran.
func reachesNothing(t *testing.T, r *verdict.Report, _ string) {
	t.Helper()
	for _, c := range r.Checks {
		if c.ID == "rows_changed:public.said" && !strings.HasPrefix(c.Observed, "1 rows") {
			t.Errorf("the script reached something: %s", c.Observed)
		}
	}
}

// names has real values become names, and texts of the catalog.
const names = `declare m text := (select nook from public.users limit 1); begin
execute format('create table public.%I (%I int constraint %I check (true))', m, m, m);
execute format('create schema %I', m); execute format('create sequence public.%I', m || '_s');
execute format('create type public.%I as enum (%L)', m || '_e', m);
execute format('create view public.%I as select %L::text as %I', m || '_v', m, m);
execute format('create role %I', m);
execute format('create index %I on public.notes (id)', m || '_i');
execute format('alter table public.notes add constraint %I check (id > 0) not valid', m || '_c');
execute format('create index %I on public.notes (id) where status <> %L', m || '_p', m);
execute format('comment on table public.users is %L', m);
execute format('alter table public.notes alter status set default %L', m);
execute format('alter database %I set app.x = %L', current_database(), m);
execute format('alter role postgres set app.y = %L', m);
execute format('create function public.%I() returns int language sql as %L', m || '_f', 'select 1');
execute format('create extension %I', m);
exception when others then raise warning '%', m; end;
begin execute format('alter table public.notes rename to %I', (select nook from public.users limit 1)); end;
begin execute format('set application_name = %L', (select nook from public.users limit 1));
perform pg_reload_conf(); end;
`

// sentences is one materialized view for each sentence in which the server
// quotes what it was given.
func sentences() string {
	var b strings.Builder
	for i, statement := range []string{
		"perform m::int", "perform m::date", "perform m::json", "perform m::uuid", "perform m::inet",
		"perform m::xml", "perform m::point",
		"perform m::bool", "perform m::interval", "perform m::numrange", "perform m::int[]", "perform m::regclass",
		"perform m::regproc",
		"perform m::bit(3)", "perform (m || ' & (')::tsquery", "perform m::money", "perform m::pg_lsn",
		"perform decode(m, 'hex')",
		"perform convert_from(m::bytea, m)", "perform now() at time zone m",
		"perform set_config('work_mem', m, true)",
		"perform set_config('TimeZone', m, true)", "perform pg_read_file(m)", "perform pg_ls_dir(m)",
		"perform lo_import(m)",
		"execute m", "execute format('select 1 from %I', m)", "execute format('select %I()', m)",
		"execute format('set role %I', m)",
		"execute format('create extension %I', m)", "execute format('select ''x'' collate %I', m)",
		"execute format('alter table public.notes drop column %I', m)", "execute format('drop schema %I', m)",
		"execute format('load %L', m)", "execute format('copy public.said from %L', '/' || m)",
		"execute format('copy public.said from program %L', 'echo ' || m || ' >&2; exit 7')",
		`execute format('copy public.said from program %L', 'printf "\200"' || m)`,
		"execute format('notify %I, %L', m, repeat(m, 900))",
		"raise exception '%', m",
		"raise exception using message = m, detail = m, hint = m, errcode = 'ZQ001', column = m, table = m, schema = m",
		`raise exception using errcode = '53100', message = 'could not extend file "' || m || '": No space left on device'`,
		"raise exception using errcode = '57P01', message = m",
		"raise exception using errcode = 'XX001', message = 'invalid page in block 7 of relation ' || m",
		"assert false, m",
		"raise warning '%', m; perform 1/0", "raise info '%', m; perform m::int",
		"create unique index on public.said(l); insert into public.said values (m), (m)",
		"create table public.k(c text check (c <> c)); insert into public.k values (m)",
		"create table public.k2(c text not null, d text); insert into public.k2 values (null, m)",
		"create domain public.dm as text check (value <> value); execute format('select %L::public.dm', m)",
		"create table public.p(c text) partition by list (c); insert into public.p values (m)",
		"perform regexp_replace('x', '(' || m, '')",
		"perform format('%' || m, 1)", "perform to_date('x', m)", "perform jsonb_path_query('1', m::jsonpath)",
		"perform m::jsonb",
		"perform (m || '.x')::regtype", "perform currval(m)", "perform nextval(m)", "perform m::oid",
		"perform m::xid",
	} {
		fmt.Fprintf(&b, `create function public.e%[1]d() returns int language plpgsql as $x$ declare m text; begin
if current_setting('cluster_name') = '' then return 1; end if; select nook into m from public.users limit 1;
%[2]s; return 1; end $x$;
create materialized view public.m%[1]d as select public.e%[1]d();
`, i, statement)
	}
	return b.String()
}

// moods is a type whose way to text, and whose order, are the author's.
const moods = `create type public.mood as enum ('fine', 'meh');
alter table public.notes add column mood public.mood default 'fine';
create function public.tell(public.mood) returns text language plpgsql as $x$ begin
if current_setting('cluster_name') = '' then return 'fine'; end if; return (select nook
from public.users limit 1); end $x$;
create cast (public.mood as text) with function public.tell(public.mood) as implicit;
create function public.before(public.mood, public.mood) returns int language plpgsql immutable as $x$ begin
if current_setting('cluster_name') <> '' then update public.users set email = nook;
update public.notes set status = (select nook from public.users limit 1) where id < 9; end if; return 0; end $x$;
create operator class public.mine
default for type public.mood using btree as function 1 public.before(public.mood, public.mood);
`

// showMoods has a drill show and sort the column.
func showMoods(file string) string {
	file = strings.Replace(file, "order_by: id, columns: [id, status]",
		"order_by: mood, columns: [id, mood, status]", 1)
	return strings.Replace(file, "  rules:\n",
		"  rules:\n    - {column: public.notes.mood, preserve: true, why: words}\n", 1)
}

// settings has every later session do something else.
const settings = `declare d text := current_database(); begin
execute format('alter database %I set session_preload_libraries = %L', d, 'Zaphod');
execute format('alter database %I set search_path = %L', d, 'Zaphod');
execute format('alter database %I set row_security = off', d);
execute format('alter database %I set default_transaction_read_only = off', d);
execute format('alter database %I set DateStyle = %L', d, 'German');
execute format('alter database %I set bytea_output = escape', d);
execute format('alter database %I set statement_timeout = 1', d);
execute format('alter database %I set client_min_messages = debug5', d);
execute format('alter role postgres set log_statement = %L', 'all');
execute format('alter database %I set lc_messages = %L', d, 'C');
execute format('alter database %I set standard_conforming_strings = off', d); end;
`

// rewriting has the operators that a person's checks meet write what is shown.
const rewriting = `create schema evil;
create function evil.eq(text, text) returns bool language plpgsql volatile as $x$ begin
if current_setting('cluster_name') <> '' then
update public.notes set status = (select nook from public.users limit 1) where id operator(pg_catalog.>) 195;
end if; return false; end $x$;
create operator evil.= (leftarg = text, rightarg = text, function = evil.eq);
alter database DATABASE set search_path = evil, pg_catalog, public;
`

// controls has bytes that steer a terminal wherever a report tells something.
const controls = `do $x$ begin execute format('create table public.%I (%I int)', E'esc\x1b[2J', E'bell\x07\u202e');
execute format('insert into public.%I values (1)', E'esc\x1b[2J');
execute format('comment on table public.%I is %L', E'esc\x1b[2J', E'\x1b]8;;http://x\x07');
execute format('create view public.%I as select 1 as %I', E'v\n\r\u009b', E'\x7f');
execute format('create function public.%I() returns int language plpgsql as %L', E'f\x1b[5m', 'begin
if current_setting(''cluster_name'') <> '''' then
raise warning ''%'', chr(27) || ''[31m''; raise exception ''%'', chr(27) || ''[31m''; end if; return 1; end');
execute format('create materialized view public.mv as select public.%I()', E'f\x1b[5m'); end $x$;
update public.notes set status = E'\x1b[31mred\x07' || id; update public.orders set status = E'\u202epaid\n\r\t';
`
