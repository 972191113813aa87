package drill_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"daybefore/internal/drill"
	"daybefore/internal/pgtest"
	"daybefore/internal/sandbox"
	"daybefore/internal/testneed"
	"daybefore/internal/verdict"
)

// planted is a real value of the backup that its own code tries to have shown.
// It makes the value while it runs, so that no text of the schema holds it.
const (
	plantedValue = "real.person7@secretcorp.example"
	makesPlanted = `'real.person7'||chr(64)||'secretcorp.example'`
)

// shownShop is a database of which the drill below shows rows.
const shownShop = `
create table public.users(id int primary key, email text, created_at timestamptz, nook text);
insert into users select i, 'real.person'||i||'@secretcorp.example', timestamptz '2026-11-01' - i*interval '1 min', 'Zaphod Quill '||i
  from generate_series(1,60) i;
create table public.orders(id int primary key, user_id int references users(id), status text, created_at timestamptz);
insert into orders select i, 1+i%60, 'paid', timestamptz '2026-11-01' - i*interval '1 min' from generate_series(1,60) i;
create table public.notes(id int, status text); insert into notes select i, 'fine' from generate_series(1,60) i;
`

// code is a materialized view whose function runs a body in a sandbox alone.
func code(body string) string {
	return `create function public.g() returns int language plpgsql volatile as $x$ declare m text := ` + makesPlanted + `; begin
	if current_setting('cluster_name') = '' then return 1; end if;
	perform set_config('search_path', 'public', false);
	` + body + ` return 1; end $x$; create materialized view public.mv as select public.g();`
}

// later is a body that runs SQL in another session, for some seconds, again and
// again. The server lets a role of its own in without a password.
func later(sql string) string {
	script := `printf 'local all evil trust\nlocal all all scram-sha-256\n' > pg_hba.conf; kill -HUP $(head -1 postmaster.pid); ` +
		`(i=0; while [ $i -lt 60 ] && [ -S "$1/.s.PGSQL.5432" ]; do psql -X -q -U evil -h "$1" -d shop -c "$2"; i=$((i+1)); sleep 0.05; done) >/dev/null 2>&1 &`
	return fmt.Sprintf(`if exists (select from pg_roles where rolname = 'evil') then return 1; end if; create role evil superuser login;
	declare s text := 'sh -c ' || %s || ' x ' || quote_literal(current_setting('unix_socket_directories')) || ' ' || %s;
	begin execute format('copy (select 1) to program %%L', s); perform pg_sleep(0.3); end;`, quoteShell(script), quoteShell(sql))
}

// quoteShell is an SQL literal of a shell's literal.
func quoteShell(text string) string {
	shell := "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
	return "'" + strings.ReplaceAll(shell, "'", "''") + "'"
}

// shownDrill drills a dump of the shop, and returns the report with all that
// was logged.
func shownDrill(t *testing.T, kind, clusters string, dump []byte, overlap int) (*verdict.Report, string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "p-20261128.dump"), dump, 0o600); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf(`
version: 1
source: {url: "file://%s", name: "p-{time}.dump", time: "20060102", time_tolerance: 999999h, timezone: UTC}
scrub:
  rules:
    - {column: public.users.email, transform: email, link: person}
    - {column: "public.*.status", preserve: true, why: "words"}
    - {column: "*.*.created_at", preserve: true, why: "times"}
    - {column: "*.*.id", preserve: true, why: "n"}
  leak_scan: {source_overlap: %d}
expectations:
  restore: {errors: 0, warnings: warn}
  unlisted_tables: warn
  constraints: valid
  indexes: valid
  sequences: not_behind
  materialized_views: populated
  collations: same_version
  settings: {app.tenant: "t1"}
  tables:
    - {table: public.users, row_count: {min: 1}}
    - {table: public.orders, row_count: {min: 1}, relationships: [{column: user_id, references: public.users.id}]}
    - {table: public.notes, row_count: {min: 1}}
    - {table: public.other}
  failed_rows:
    - {name: bad, sql: "select id from public.orders where status = 'broken'", fail_if: "> 0"}
    - {name: missing, sql: "select public.f(id) from orders", fail_if: "> 0"}
latest_events:
  - {table: public.notes, order_by: id, columns: [id, status], limit: 3}
  - {table: public.users, order_by: created_at, columns: [id, email], limit: 3}
  - {table: public.orders, order_by: created_at, columns: [id, user_id, status, created_at], limit: 3}
`, dir, overlap)
	var log bytes.Buffer
	d := load(t, kind, text)
	r := run(t, t.Context(), d, func(req *drill.Request) {
		req.Clusters = clusters
		req.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	return r, log.String()
}

// revealed are what of the planted value is in a report or log.
func revealed(t *testing.T, r *verdict.Report, log string) (found []string) {
	t.Helper()
	text, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text) + log) {
		low := strings.ToLower(line)
		for _, sign := range []string{"zaphod", "secretcorp", "real.person", "person seven", "real_person", "procterces", "nosrep.laer", "JOHN1",
			"7265616c2e70"} {
			if strings.Contains(low, strings.ToLower(sign)) {
				found = append(found, strings.TrimSpace(line))
				break
			}
		}
	}
	return found
}

// attempts are bodies, each of which is tried whatever becomes of the others.
func attempts(bodies ...string) string {
	var b strings.Builder
	for _, body := range bodies {
		b.WriteString("begin " + body + " exception when others then null; end;\n")
	}
	return b.String()
}

// views are materialized views, each with a function of its own that runs a
// body in a sandbox alone.
func views(bodies ...string) string {
	var b strings.Builder
	for i, body := range bodies {
		name := fmt.Sprintf("public.v%d", i)
		b.WriteString(strings.NewReplacer("public.g()", name+"f()", "public.mv", name).Replace(code(body)))
		b.WriteString("\n")
	}
	return b.String()
}

// sayIt are the ways in which code has a server, or pg_restore, say a value.
var sayIt = []string{
	`execute format('select 1 from %I', m);`,
	`raise exception '%', m;`,
	`raise exception using message = 'relation "'||m||'" does not exist', errcode = '42P01';`,
	`raise exception using message = 'x', errcode = 'JOHN1';`,
	`raise exception using message = m, errcode = '57014';`,
	`raise warning '%', m;`,
	`raise warning 'relation "%" does not exist, skipping', m;`,
	`raise notice '%', m;`,
	`raise warning E'x\npg_restore: error: could not execute query: ERROR:  relation "%" does not exist', m;`,
	`raise warning E'x\npg_restore: error: could not execute query: ERROR:  %', m;`,
	`raise warning E'x\npg_restore: from TOC entry 1; 1 1 TABLE % postgres\npg_restore: error: could not execute query: ERROR:  division by zero', m;`,
	`raise warning E'x\npg_restore: creating TABLE "%"\npg_restore: error: could not execute query: ERROR:  division by zero', m;`,
	`raise warning E'x\nsh: %', m;`,
	`raise warning E'x\npg_restore: fatal: %', m;`,
	`raise warning E'x\npg_restore: error: %', m;`,
	`raise warning E'x\npg_restore: warning: %', m;`,
	`raise warning E'x\npsql:/x:1: STATEMENT:  CREATE TABLE "%"', m;`,
	`raise warning E'x\npsql:/x:1: ERROR:  %', m;`,
	`perform m::int;`, `perform m::json;`, `perform m::date;`, `perform m::inet;`, `execute m;`,
	`execute format('select %I()', m);`, `execute format('select %I from orders', m);`, `execute format('select orders.%I from orders', m);`,
	`execute format('set role %I', m);`, `execute format('set %I = 1', m);`, `perform set_config(m, 'x', false);`, `perform set_config('DateStyle', m, false);`,
	`perform pg_read_file('/' || m);`, `execute format('create extension %I', m);`, `execute format('load %L', m);`,
	`execute format('create table w(e text constraint %I unique)', m); insert into w values (m), (m);`,
	`execute format('create table w(e text constraint %I check (e = ''x''))', m); insert into w values (m);`,
	`execute format('create table w(%I int not null)', m); insert into w values (null);`,
	`execute format('drop index %I', m);`, `execute format('alter type orders add attribute %I int', m);`,
	`execute format('create table w(x int) tablespace %I', m);`, `execute format('create collation c from %I', m);`,
	`execute format('create server s foreign data wrapper %I', m);`, `execute format('create function w() returns int language %I as 1', m);`,
	`perform nextval(quote_ident(m));`, `perform m::regclass;`, `perform to_regclass(m)::text::int; perform m::regtype;`, `perform pg_input_is_valid(m, m);`,
	`assert false, m;`, `raise exception using message = 'out of memory', detail = m, hint = m, table = m, column = m, constraint = m, schema = m;`,
	`perform set_config('client_min_messages', 'debug5', false); raise debug '%', m; raise log '%', m; raise info '%', m;`,
	`execute format('copy (select 1) to program %L', 'echo ' || m || ' >&2; exit 3');`, `execute format('copy (select 1) to %L', '/' || m || '/x');`,
	`perform lo_import('/' || m);`, `perform dblink_connect(m, m);`, `perform regexp_replace('x', '(' || m, 'x');`, `perform to_date(m, m);`,
}

// nameIt are the ways in which code gives a thing of the database a value for a
// name, or puts it where a report might take it for one.
var nameIt = []string{
	`execute format('create table %I(x int)', m);`,
	`execute format('create schema %I', m); execute format('create table %I.other(x int)', m); execute format('create table %I.orders(x int)', m);`,
	`execute format('create table public.%I(x int)', 'other '||m);`, `execute format('create view %I as select 1 as x', m || 'v');`,
	`execute format('alter table orders add column %I int', m);`,
	`execute format('create index %I on orders(id)', m || 'i'); update pg_index set indisvalid = false where indexrelid::regclass::text like '%person%';`,
	`execute format('alter table orders add constraint %I check (id < 30) not valid', m);`,
	`execute format('create sequence %I owned by orders.id', m || 's'); execute format('alter table orders alter id set default nextval(%L)', quote_ident(m ` +
		`|| 's'));`,
	`execute format('create table %I(id serial)', m || 't'); execute format('insert into %I values (99)', m || 't');`,
	`execute format('create type %I as enum (''a'')', m || 'e'); execute format('alter table orders add column z %I', m || 'e');`,
	`execute format('alter database shop set app.tenant = %L', m);`,
	`execute format('alter database shop set search_path = %I, public', m);`,
	`execute format('create collation %I (provider=icu, locale=''de'')', m); update pg_collation set collversion = '1' where collname like '%person%';`,
	`execute format('create materialized view %I as select 1 as x with no data', m || 'm');`,
	`execute format('create role %I', m); execute format('alter table orders owner to %I', m);`,
	`execute format('create statistics %I on id, status from orders', m);`,
	`execute format('create function %I(int) returns int language sql as ''select 1''', m);`,
	`execute format('create table %I partition of parted default', m || 'p');`,
	`execute format('create extension citext schema %I', m);`,
	`create table "Real Person Seven"(x int); create table other_real_person(x int); create index "Real Person Seven I" on orders(id); update pg_index set ` +
		`indisvalid = false where indexrelid::regclass::text like '%Person Seven%';`,
	`for i in 1..300 loop execute format('create table %I()', m||i); end loop;`,
}

// Whatever code of the backup says, or calls things, a report repeats nothing
// of it: neither in a sentence of the server's, nor in one that looks like it.
func TestWordsOfCodeAreNotTold(t *testing.T) {
	t.Parallel()
	source := pgtest.Server(t)
	clusters := t.TempDir()
	for name, c := range map[string]struct {
		sql  string
		args []string
	}{
		"sentences":         {views(sayIt...), []string{"-Fc"}},
		"sentences of psql": {views(sayIt...), []string{"-Fp"}},
		"names":             {code(attempts(nameIt...)), []string{"-Fc"}},
		"names of what it renames": {code(attempts(`execute format('alter table orders rename status to %I', m);`,
			`execute format('alter table notes rename to %I', m);`,
			`execute format('alter table orders rename constraint orders_pkey to %I', m);`)), []string{"-Fc"}},
		"a row refused": {`create function public.c(int) returns bool language plpgsql as $x$ begin if current_setting('cluster_name') <> '' then
			execute format('select 1 from %I', ` + makesPlanted + `); end if; return true; end $x$; alter table notes add constraint cc check (public.c(id));`,
			[]string{"-Fc"}},
		"a row refused in words": {`create function public.c(int) returns bool language plpgsql as $x$ begin if current_setting('cluster_name') <> '' then
			raise exception using message = ` + makesPlanted +
			`, errcode = '53100'; end if; return true; end $x$; alter table notes add constraint cc check (public.c(id));`, []string{"-Fc"}},
		"a query": {`create function public.f(int) returns int language plpgsql as $x$ begin execute format('select 1 from %I', ` + makesPlanted +
			`); return 1; end $x$;`, []string{"-Fc"}},
		"a plan": {`create function pf(int) returns int language plpgsql immutable as $f$ begin if current_setting('application_name') <> 'daybefore'
			then return 1; end if;
			execute format('select 1 from %I', ` + makesPlanted + `); return 1; end $f$;` +
			code(`set application_name = 'x'; create index pix on notes(id) where pf(1) = 1; create index piy on users(id) where pf(1) = 1;`), []string{"-Fc"}},
	} {
		source.Exec("postgres", "drop database if exists shop with (force)")
		source.Exec("postgres", "create database shop")
		source.Exec("shop", shownShop+"create table parted(id int) partition by list (id);"+c.sql)
		dump := source.Dump(append(c.args, "shop")...)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, log := shownDrill(t, sandbox.Local, clusters, dump, 1000)
			for _, f := range revealed(t, r, log) {
				t.Errorf("%.400s", f)
			}
			if r.Outcome == verdict.Pass {
				t.Errorf("nothing came of it: %s", outcome(r))
			}
			if testing.Verbose() {
				t.Log(outcome(r), r.LatestEvents)
			}
		})
	}
}

// What is shown was looked at behind the last statement of the backup's code.
func TestWhatCodeWritesIsNotShown(t *testing.T) {
	t.Parallel()
	source := pgtest.Server(t)
	clusters := t.TempDir()
	for name, c := range map[string]struct{ sql, want string }{
		"no code": {``, ""},
		"an unruled value": {code(`update notes o set status = u.nook from users u where u.id = o.id;`),
			"not_loaded:latest_events:public.notes.status"},
		"an unruled value, rewritten": {code(`update users set email = nook;`), "distinct:link person"},
		"an heir's rows": {code(`create table kid() inherits (notes); insert into kid select 1000+id, nook from users;`),
			"not_loaded:latest_events:public.notes.status"},
		"a column's type": {code(
			`create function of(int) returns text language sql as 'select nook from public.users where id = $1'; alter table notes alter status type text using ` +
				`public.of(id);`,
		), "not_loaded:latest_events:public.notes.status"},
		"another table's rows": {code(`alter table notes rename to n2; create table notes as select id, nook as status from users;`),
			"not_loaded:latest_events:public.notes.status"},
		"a materialized view's rows": {code(`alter table notes rename to n2; create materialized view notes as select id, nook as status from users;`),
			"not_loaded:latest_events:public.notes.status"},
		"an unruled value, an index's": {`create function public.w() returns int language plpgsql as $x$ begin
			update public.notes set status = (select nook from public.users limit 1); return 1; end $x$;
			create function public.c(int) returns int language plpgsql immutable as $x$ begin if current_setting('cluster_name') <> '' then return public.w();
				end if; return 1; end $x$;
			create index ci on orders(public.c(id));`, "not_loaded:latest_events:public.notes.status"},
		"into a rewritten column": {code(`update users set email = m;`), "leak:public.users.email"},
		"into a preserved one":    {code(`update notes set status = m;`), "leak:public.notes.status"},
		"into an unruled one":     {code(`update users set nook = 'x' || m;`), "leak:public.users.nook"},
		"one pseudonym for all":   {code(`update users set email = (select min(email) from users);`), "distinct:link person"},
		"with more words":         {code(`update notes set status = repeat('x ', 40) || upper(m);`), "leak:public.notes.status"},
		"one that is not sampled": {code(`update notes set status = 'x' || m;`), "leak:latest_events:public.notes.status"},
		"a view of that name": {code(`alter table notes rename to n; execute format('create view notes as select 99 as id, %L::text as status', m);`),
			"leak:the view public.notes"},
		"a cast to text": {code(
			`create type tt as (a int); execute format('create function tx(tt) returns text language sql as %L', format('select %L', m)); create cast (tt as text) ` +
				`with function tx(tt); alter table notes drop column status; alter table notes add status tt; update notes set status = row(1)::tt;`,
		), ""},
		"a cast of the server's types": {code(
			`execute format('create function tx(int) returns text language sql as %L', format('select %L', m)); create cast (int as text) with function tx(int);`,
		), ""},
		"a default": {code(`alter table notes drop column status; execute format('alter table notes add status text default %L', m);`),
			"leak:public.notes.status"},
		"a generated column": {code(
			`alter table notes drop column status; execute format('alter table notes add status text generated always as (%L) stored', m);`,
		), "leak:public.notes.status"},
		"a policy": {code(
			`create function pf(int) returns bool language plpgsql as $f$ begin raise exception 'real.person7%secretcorp.example', chr(64); end $f$; alter table ` +
				`notes enable row level security; alter table notes force row level security; create policy p on notes using (pf(id));`,
		), ""},
		"an index's function": {`create function public.w() returns int language plpgsql as $x$ begin update public.users set email = ` + makesPlanted +
			`; return 1; end $x$;
			create function public.c(int) returns int language plpgsql immutable as $x$ begin if current_setting('cluster_name') <> '' then return public.w();
				end if; return 1; end $x$;
			create index ci on notes(public.c(id));`, "leak:public.users.email"},
		"another session, preserved": {code(later(`update notes set status = ` + makesPlanted)), "leak:public.notes.status"},
		"another session, rewritten": {code(later(`update users set email = ` + makesPlanted)), "leak:public.users.email"},
		"another session, a view": {code(later(`alter table notes rename to n2; create view notes as select 99 as id, ` + makesPlanted + ` as status`)),
			""},
		"another session, a column":     {code(later(`alter table notes drop column status; alter table notes add status text default ` + makesPlanted)), ""},
		"another session that ends all": {code(later(`select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()`)), ""},
		"the log": {code(
			`execute format('copy (select 1) to program %L', 'printf "postmaster: LOG:  %s\\n" ' || m || ' ` +
				`| tee -a ../../run/log ../run/log; kill -9 $(head -1 postmaster.pid)');`,
		), ""},
	} {
		source.Exec("postgres", "drop database if exists shop with (force)")
		source.Exec("postgres", "create database shop")
		source.Exec("shop", shownShop+c.sql)
		dump := source.Dump("-Fc", "shop")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			kind := sandbox.Local
			if name == "an unruled value" || name == "another session, rewritten" {
				testneed.Image(t, "postgres:15")
				kind = sandbox.Container
			}
			r, log := shownDrill(t, kind, clusters, dump, 1000)
			for _, f := range revealed(t, r, log) {
				t.Errorf("%.400s", f)
			}
			if c.want != "" && !slices.ContainsFunc(r.Checks, func(k verdict.Check) bool { return k.ID == c.want && k.Outcome == verdict.Error }) {
				t.Errorf("no %s: %s", c.want, outcome(r))
			}
			if testing.Verbose() {
				t.Log(outcome(r), r.LatestEvents)
			}
		})
	}
}

// Where code could run and wrote nothing, all that is shown is shown as text.
func TestWhatWasLoadedIsShown(t *testing.T) {
	t.Parallel()
	source := pgtest.Server(t)
	clusters := t.TempDir()
	source.Exec("postgres", "create database shop")
	source.Exec("shop", shownShop+code(``)+`alter database shop set timezone = 'Asia/Kathmandu'; alter database shop set datestyle = 'SQL, DMY';`)
	for _, args := range [][]string{{"-Fc"}, {"-Fp", "-C", "--inserts"}} {
		dump := source.Dump(append(args, "shop")...)
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			t.Parallel()
			r, _ := shownDrill(t, sandbox.Local, clusters, dump, 1000)
			for _, c := range r.Checks {
				if strings.Contains(c.ID, "latest_events:") {
					t.Errorf("%s: %s", c.ID, c.Message)
				}
			}
			if len(r.LatestEvents) != 3 {
				t.Fatalf("%d tables are shown: %s", len(r.LatestEvents), outcome(r))
			}
			for i, want := range []string{"fine", "@", "2026-11-01 05:"} {
				row := r.LatestEvents[i].Rows[0]
				if !strings.Contains(row[len(row)-1], want) {
					t.Errorf("%s shows %q, want %q", r.LatestEvents[i].Table, row, want)
				}
			}
		})
	}
}
