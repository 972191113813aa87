package archive

import (
	"os"
	"path/filepath"
	"testing"

	"daybefore/internal/archive/dumptest"
)

// What of a backup's own code may run is found wherever it is named, and a
// function that nothing calls, or triggers alone, is none.
func TestOwnCode(t *testing.T) {
	t.Parallel()
	source := dumptest.Server(t)
	const f = "create function f(int) returns int language plpgsql immutable as 'begin return 1; end';"
	for name, c := range map[string]struct{ sql, query, want string }{
		"none":                        {"create table t (id int primary key, at timestamptz default now()); create view v as select lower(at::text) from t", "", ""},
		"nobody calls it":             {f + "create table t (id int)", "select count(*) from t", ""},
		"another's body":              {f + "create function g() returns int language sql as 'select f(1)'", "", ""},
		"a trigger":                   {"create table t (id int); create function f() returns trigger language plpgsql as 'begin return new; end'; create trigger tr before update on t for each row execute function f()", "", ""},
		"an index":                    {f + "create table t (id int); create index on t (f(id))", "", "the function f"},
		"a partial index":             {f + "create table t (id int); create index on t (id) where f(id) = 1", "", "the function f"},
		"a check":                     {f + "create table t (id int check (f(id) > 0))", "", "the function f"},
		"a check of a domain":         {f + "create domain d as int check (f(value) > 0)", "", "the function f"},
		"a generated column":          {f + "create table t (id int, g int generated always as (f(id)) stored)", "", "the function f"},
		"a view":                      {f + "create view v as select f(1)", "", "the function f"},
		"a materialized view":         {f + "create materialized view v as select f(1)", "", "the function f"},
		"a policy":                    {f + "create table t (id int); create policy p on t using (f(id) = 1)", "", "the function f"},
		"a rule":                      {f + "create table t (id int); create rule r as on insert to t do also select f(1)", "", "the function f"},
		"an operator":                 {"create function f(int, int) returns bool language sql immutable as 'select true'; create operator === (leftarg = int, rightarg = int, function = f)", "", "the function f"},
		"a cast":                      {"create type m as (a int); create function f(m) returns text language sql immutable as 'select 1::text'; create cast (m as text) with function f(m)", "", "the function f"},
		"an aggregate":                {"create function f(int, int) returns int language sql immutable as 'select 1'; create aggregate ag(int) (sfunc = f, stype = int)", "", "the function ag"},
		"statistics":                  {f + "create table t (id int, b int); create statistics s on f(id), b from t", "", "the function f"},
		"a partition's key":           {f + "create table t (id int) partition by hash (f(id))", "", "the function f"},
		"an event trigger":            {"create function f() returns event_trigger language plpgsql as 'begin end'; create event trigger e on ddl_command_end execute function f()", "", "the event trigger"},
		"a quoted name":               {`create function "F f"(int) returns int language sql as 'select 1'; create view v as select "F f"(1)`, "", "the function F f"},
		"a query of the drill":        {f + "create table t (id int)", "select f(id) from t", "the function f"},
		"a text that is run":          {"create materialized view v as select query_to_xml('select 1', true, true, '')", "", "the function query_to_xml"},
		"a file that is read":         {"create view v as select pg_read_file('x')", "", "the function pg_read_file"},
		"a large object":              {"create view v as select lo_export(1, 'x')", "", "the function lo_export"},
		"a name within a text":        {f + "create table t (id text default 'f')", "", ""},
		"an attribute that is a call": {"create table t (id int); create function f(t) returns int language sql as 'select 1'; create view v as select t.f from t", "", "the function f"},
	} {
		database, args := "postgres", []string{"-Fc", "-n", "s"}
		switch name { // what is in no schema
		case "a cast", "an event trigger":
			database, args = "other", []string{"-Fp"}
			source.Exec("postgres", "create database other")
		}
		source.Exec(database, "create schema s; set search_path = s; "+c.sql)
		path := filepath.Join(t.TempDir(), "dump")
		if err := os.WriteFile(path, source.Dump(append(args, database)...), 0o600); err != nil {
			t.Fatal(err)
		}
		source.Exec(database, "drop schema s cascade")
		if database != "postgres" {
			source.Exec("postgres", "drop database other")
		}
		a, err := Open(t.Context(), path, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := a.OwnCode(c.query); got != c.want {
			t.Errorf("%s: %q may run, want %q", name, got, c.want)
		}
	}
}
