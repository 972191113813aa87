package archive

import (
	"os"
	"path/filepath"
	"testing"

	"daybefore/internal/pgtest"
)

// What of a backup's own code may run is found wherever it is named, and a
// function that nothing calls, or triggers alone, is none.
func TestOwnCode(t *testing.T) {
	t.Parallel()
	source := pgtest.Server(t)
	const f = "create function f(int) returns int language plpgsql immutable as 'begin return 1; end';"
	for name, c := range map[string]struct{ sql, query, want string }{
		"none": {"create table t (id int primary key, at timestamptz default now()); create view v as " +
			"select lower(at::text) from t", "", ""},
		"nobody calls it": {f + "create table t (id int)", "select count(*) from t", ""},
		"another's body":  {f + "create function g() returns int language sql as 'select f(1)'", "", ""},
		"a trigger": {"create table t (id int); create function f() returns trigger language plpgsql as 'begin return new; end'; " +
			"create trigger tr before update on t for each row execute function f()", "", ""},
		"an index":            {f + "create table t (id int); create index on t (f(id))", "", "the function f"},
		"a partial index":     {f + "create table t (id int); create index on t (id) where f(id) = 1", "", "the function f"},
		"a check":             {f + "create table t (id int check (f(id) > 0))", "", "the function f"},
		"a check of a domain": {f + "create domain d as int check (f(value) > 0)", "", "the function f"},
		"a generated column":  {f + "create table t (id int, g int generated always as (f(id)) stored)", "", "the function f"},
		"a view":              {f + "create view v as select f(1)", "", "the function f"},
		"a materialized view": {f + "create materialized view v as select f(1)", "", "the function f"},
		"a policy":            {f + "create table t (id int); create policy p on t using (f(id) = 1)", "", "the function f"},
		"a rule":              {f + "create table t (id int); create rule r as on insert to t do also select f(1)", "", "the function f"},
		"an operator": {"create function f(int, int) returns bool language sql immutable as 'select true'; create operator === " +
			"(leftarg = int, rightarg = int, function = f)", "", "the function f"},
		"a cast": {"create type m as (a int); create function f(m) returns text language sql immutable as 'select 1::text'; " +
			"create cast (m as text) with function f(m)", "", "the function f"},
		"an aggregate": {"create function f(int, int) returns int language sql immutable as 'select 1'; create aggregate " +
			"ag(int) (sfunc = f, stype = int)", "", "the function ag"},
		"statistics":        {f + "create table t (id int, b int); create statistics s on f(id), b from t", "", "the function f"},
		"a partition's key": {f + "create table t (id int) partition by hash (f(id))", "", "the function f"},
		"an event trigger": {"create function f() returns event_trigger language plpgsql as 'begin end'; create event trigger e on " +
			"ddl_command_end execute function f()", "", "the event trigger"},
		"a quoted name": {`create function "F f"(int) returns int language sql as 'select 1'; create view v as select "F f"(1)`, "",
			"the function F f"},
		"a name with a bracket": {`create function "f(x"(int) returns int language sql immutable as 'select 1'; create table t (id int); create index on t ` +
			`("f(x"(id))`, "", "the function f(x"},
		"a body that looks like a trigger's": {"create table returns (id int); create function f(int) returns int language sql immutable begin atomic select " +
			"1 from returns trigger; select 1; end; create table t (id int); create index on t (f(id))", "", "the function f"},
		"a body of SQL that nobody calls": {"create table t (id int); create function f() returns bigint language sql begin atomic select " +
			"count(*) from t; select 1; end", "", ""},
		"a query of the drill": {f + "create table t (id int)", "select f(id) from t", "the function f"},
		"a text that is run": {"create materialized view v as select query_to_xml('select 1', true, true, '')", "",
			"the function query_to_xml"},
		"a file that is read":  {"create view v as select pg_read_file('x')", "", "the function pg_read_file"},
		"a large object":       {"create view v as select lo_export(1, 'x')", "", "the function lo_export"},
		"a name within a text": {f + "create table t (id text default 'f')", "", ""},
		"an attribute that is a call": {"create table t (id int); create function f(t) returns int language sql as 'select 1'; create " +
			"view v as select t.f from t", "", "the function f"},
	} {
		database := "postgres"
		args := []string{"-Fc", "-n", "s"}
		switch name { // what is in no schema
		case "a cast", "an event trigger":
			database = "other"
			args = []string{"-Fp"}
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

// Who writes an archive, and not a database, may call its entries what he likes,
// and put more into them than they are called.
func TestOwnCodeOfForgedEntries(t *testing.T) {
	t.Parallel()
	const f, index = "CREATE FUNCTION s.f(integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'select 1';\n", "CREATE INDEX i ON s.t USING btree (s.f(id));\n"
	table := Entry{Desc: "TABLE", Tag: "t", Defn: "CREATE TABLE s.t (id integer);\n"}
	function := Entry{Desc: "FUNCTION", Tag: "f(integer)", Defn: f}
	for name, c := range map[string]struct {
		entries []Entry
		want    string
	}{
		"as it should be": {[]Entry{table, function,
			{Desc: "ACL", Tag: "t", Defn: "REVOKE ALL ON TABLE s.t FROM x;\nGRANT SELECT ON TABLE s.t TO x;\n"}}, ""},
		"a constraint trigger": {[]Entry{table,
			{Desc: "TRIGGER", Section: SectionPostData, Tag: "t",
				Defn: "CREATE CONSTRAINT TRIGGER x AFTER INSERT ON s.t FOR EACH ROW EXECUTE FUNCTION s.g();\nALTER TABLE s.t DISABLE TRIGGER x;"}}, ""},
		"whose function is":      {[]Entry{table, {Desc: "FUNCTION", Defn: f + "ALTER FUNCTION s.f(integer) OWNER TO x;\n"}}, ""},
		"another tag":            {[]Entry{table, {Desc: "FUNCTION", Tag: "g(integer)", Defn: f}, {Desc: "INDEX", Defn: index}}, "the function f"},
		"a table that makes one": {[]Entry{{Desc: "TABLE", Tag: "t", Defn: table.Defn + f}, {Desc: "INDEX", Defn: index}}, "the function f"},
		"a comment that does":    {[]Entry{table, {Desc: "COMMENT", Defn: "DO $$ begin end $$;"}}, "a statement"},
		"a table that does":      {[]Entry{{Desc: "TABLE", Defn: table.Defn + "DO $$ begin end $$;"}}, "a statement"},
		"a comment as an index":  {[]Entry{table, function, {Desc: "COMMENT", Defn: index}}, "a statement"},
		"a trigger as an index":  {[]Entry{table, function, {Desc: "TRIGGER", Section: SectionPostData, Defn: index}}, "a statement"},
		"an index behind one":    {[]Entry{table, {Desc: "FUNCTION", Defn: f + index}}, "a statement"},
		"a call behind one":      {[]Entry{table, {Desc: "FUNCTION", Defn: f + "SELECT s.f(1);"}}, "a statement"},
		"an index as a function": {[]Entry{table, function, {Desc: "FUNCTION", Tag: "g()", Defn: index}}, "a statement"},
		"an extension":           {[]Entry{{Desc: "EXTENSION", Tag: "citext", Defn: "CREATE EXTENSION IF NOT EXISTS citext WITH SCHEMA public;\n"}}, ""},
		"another extension": {[]Entry{{Desc: "EXTENSION", Tag: "citext", Defn: "CREATE EXTENSION IF NOT EXISTS dblink WITH SCHEMA citext;\n"}},
			"a statement"},
		"large objects":          {[]Entry{{Desc: "BLOB METADATA", Tag: "777..778", Defn: "777\n778\n"}}, ""},
		"large objects and more": {[]Entry{{Desc: "BLOB METADATA", Tag: "777", Defn: "777'); SELECT s.f('1\n"}}, "a statement"},
		"a name in escapes": {[]Entry{table, {Desc: "FUNCTION", Defn: `CREATE FUNCTION U&"\0066"(integer) RETURNS integer LANGUAGE sql AS 'select 1';`},
			{Desc: "INDEX", Defn: index}}, "a name that is written in escapes"},
		"an aggregate's function": {[]Entry{table, function,
			{Desc: "AGGREGATE", Tag: "ag(integer)", Defn: "CREATE AGGREGATE s.ag(integer) (SFUNC = s.f, STYPE = integer);"}}, "the function ag"},
	} {
		a := &Archive{Header: Header{StdStrings: true}, Entries: c.entries}
		if got := a.OwnCode(); got != c.want {
			t.Errorf("%s: %q may run, want %q", name, got, c.want)
		}
	}
}
