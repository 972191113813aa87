package archive

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"daybefore/internal/pgtest"
)

// madeOfCode has a function after each kind of thing that may call one.
const madeOfCode = `
create schema s; set search_path = s; set check_function_bodies = off;
create function of_index(int) returns int language plpgsql immutable as 'begin return 1; end';
create function of_predicate(int) returns bool language sql immutable as 'select true';
create function of_check(int) returns bool language sql immutable as 'select true';
create function of_default() returns int language sql as 'select 1';
create function of_generated(int) returns int language sql immutable as 'select 1';
create function of_view() returns int language sql as 'select s.of_body()';
create function of_body() returns int language plpgsql as $$ begin return (select "s"."Of Text"()); end $$;
create function "Of Text"() returns int language sql as 'select 1';
create function of_matview() returns int language sql as 'select 1';
create function of_trigger() returns trigger language plpgsql as 'begin return new; end';
create function of_event() returns event_trigger language plpgsql as 'begin end';
create function of_policy() returns bool language sql as 'select true';
create function of_rule() returns int language sql as 'select 1';
create function of_domain(int) returns bool language sql immutable as 'select true';
create function of_operator(int, int) returns bool language sql immutable as 'select true';
create function of_cast(bool) returns date language sql immutable as 'select null::date';
create function of_aggregate(int, int) returns int language sql immutable as 'select 1';
create function of_class(int, int) returns int language sql immutable as 'select 1';
create function nobodys() returns int language sql as 'select s.nobodys_own()';
create function nobodys_own() returns int language sql as 'select 1';
create function only_a_name() returns int language sql as 'select 1';
create table t (id int default s.of_default(), only_a_name int, g int generated always as (of_generated(id)) stored, check (of_check(id)));
create index on t (of_index(id)) where of_predicate(id);
create view v as select of_view(); create materialized view m as select of_matview();
create trigger tr before update on t for each row execute function of_trigger();
create policy p on t using (of_policy()); create rule r as on insert to t do also select of_rule();
create domain d as int check (of_domain(value));
create operator === (leftarg = int, rightarg = int, function = of_operator);
create cast (bool as date) with function of_cast(bool);
create aggregate ag(int) (sfunc = of_aggregate, stype = int); create view w as select ag(id) from t;
create operator class oc for type int using btree as function 1 of_class(int, int);
create event trigger et on ddl_command_end execute function of_event();`

// The list names what is called, by what, and nothing else; a change of a body
// changes its hash, and an archive and a script of one database agree.
func TestCodeRun(t *testing.T) {
	t.Parallel()
	source := pgtest.Server(t)
	source.Exec("postgres", madeOfCode)
	list := func(args ...string) []Code {
		path := filepath.Join(t.TempDir(), "dump")
		if err := os.WriteFile(path, source.Dump(append(args, "postgres")...), 0o600); err != nil {
			t.Fatal(err)
		}
		a, err := Open(t.Context(), path, Options{})
		if err != nil {
			t.Fatal(err)
		}
		return a.CodeRun()
	}
	first := list("-Fc")
	var got []string
	for _, c := range first {
		got = append(got, fmt.Sprintf("%s %s: %s", c.Name, c.Language, strings.Join(c.UsedBy, ", ")))
		if len(c.SHA256) != len("sha256:")+16 {
			t.Errorf("%s has the hash %s", c.Name, c.SHA256)
		}
	}
	want := []string{
		`s.Of Text() sql: FUNCTION s.of_body()`,
		`s.ag(integer) sql: VIEW s.w`,
		`s.of_aggregate(integer, integer) sql: AGGREGATE s.ag(integer)`,
		`s.of_body() plpgsql: FUNCTION s.of_view()`,
		`s.of_cast(boolean) sql: CAST (boolean AS date)`,
		`s.of_check(integer) sql: TABLE s.t`, `s.of_class(integer, integer) sql: OPERATOR CLASS s.oc`,
		`s.of_default() sql: TABLE s.t`, `s.of_domain(integer) sql: DOMAIN s.d`, `s.of_event() plpgsql: EVENT TRIGGER et`,
		`s.of_generated(integer) sql: TABLE s.t`, `s.of_index(integer) plpgsql: INDEX s.t_of_index_idx`,
		`s.of_matview() sql: MATERIALIZED VIEW s.m`, `s.of_operator(integer, integer) sql: OPERATOR s.===`,
		`s.of_policy() sql: POLICY s.t p`, `s.of_predicate(integer) sql: INDEX s.t_of_index_idx`, `s.of_rule() sql: RULE s.t r`,
		`s.of_trigger() plpgsql: TRIGGER s.t tr`, `s.of_view() sql: VIEW s.v`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	plain := list("-Fp")
	for i := range min(len(plain), len(first)) {
		before, _, _ := strings.Cut(first[i].Name, "(")
		if now, _, _ := strings.Cut(plain[i].Name, "("); now != before {
			t.Errorf("a script says %s, an archive %s", now, before)
		}
	}
	if len(plain) != len(first) {
		t.Errorf("a script tells %d, an archive %d", len(plain), len(first))
	}
	source.Exec("postgres", "create or replace function s.of_body() returns int language plpgsql as $$ begin return 2; end $$")
	after := list("-Fc")
	for _, c := range first {
		i := slices.IndexFunc(after, func(d Code) bool { return d.Name == c.Name })
		switch {
		case c.Name == "s.Of Text()":
			if i >= 0 {
				t.Error("what nothing calls any more is listed")
			}
		case i < 0 || (after[i].SHA256 != c.SHA256) != (c.Name == "s.of_body()"):
			t.Errorf("%s: %+v, before %+v", c.Name, after[max(i, 0)], c)
		}
	}
}

// Statements that declare nothing are code too, whatever their entry is called.
func TestCodeRunNamesStatements(t *testing.T) {
	t.Parallel()
	a := &Archive{Header: Header{StdStrings: true}}
	for defn, want := range map[string]bool{
		"CREATE TABLE s.t (id integer);\n": false, "CREATE TABLE s.t (id integer);\nALTER TABLE s.t OWNER TO x;\n": false,
		"CREATE TABLE s.t (id integer);\nDO $$ begin end $$;": true, "CREATE TABLE s.t (id integer); SELECT 1": true,
		"COPY (select 1) TO PROGRAM 'x'": true, "SELECT pg_catalog.set_config('search_path', '', false);\n": false,
		"SELECT pg_catalog.pg_reload_conf()": true, "with x as (delete from s.t returning 1) select 1": true, "CALL s.p()": true,
		"CREATE RULE r AS ON INSERT TO s.t DO ALSO (SELECT 1; SELECT 2);": false, "-- nothing\n": false,
		"SELECT pg_catalog.setval('s.q', 1, true);": false,
	} {
		a.Entries = []Entry{{DumpID: 1, Desc: "TABLE", Namespace: "s", Tag: "t", Defn: defn}}
		if got := a.CodeRun(); (len(got) == 1) != want {
			t.Errorf("%q: %+v", defn, got)
		}
	}
	a.Entries = []Entry{{DumpID: 1, Desc: "BLOB METADATA", Tag: "777..778", Defn: "777\n778\n"}}
	if got := a.CodeRun(); len(got) != 0 {
		t.Errorf("of large objects, which are listed: %+v", got)
	}
	a.Entries = []Entry{{DumpID: 1, Desc: "TRICK", Tag: "t", Defn: "CREATE TABLE s.t ()"}}
	if got := a.CodeRun(); len(got) != 1 || got[0].Name != "a statement of TRICK t" {
		t.Errorf("of a kind that no pg_dump writes: %+v", got)
	}
}
