package archive

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRolesOfStatements(t *testing.T) {
	t.Parallel()
	for sql, want := range map[string][]string{
		`GRANT ALL ON TABLE a TO b WITH GRANT OPTION GRANTED BY c;`:                                   {"b", "c"},
		`GRANT SELECT(x),INSERT("to") ON TABLE a TO b,"C";`:                                           {"C", "b"},
		`GRANT ALL ON FUNCTION f(a "to", b text DEFAULT ') TO x') TO y`:                               {"y"},
		`GRANT SELECT ON a TO GROUP b;`:                                                               {"b"},
		`GRANT SELECT ON a TO "group", b;`:                                                            {"b", "group"},
		`REVOKE ALL ON SCHEMA public FROM PUBLIC; GRANT ALL ON SCHEMA public TO PUBLIC;`:              nil,
		`REVOKE GRANT OPTION FOR ALL ON TABLE a FROM b GRANTED BY CURRENT_USER;`:                      {"b"},
		`SET SESSION AUTHORIZATION g; GRANT SELECT ON a TO h; RESET SESSION AUTHORIZATION;`:           {"g", "h"},
		`SET SESSION AUTHORIZATION 'Quoted'; SET SESSION AUTHORIZATION DEFAULT`:                       {"Quoted"},
		`ALTER DEFAULT PRIVILEGES FOR ROLE a IN SCHEMA s REVOKE ALL ON TABLES FROM b;`:                {"a", "b"},
		`ALTER DEFAULT PRIVILEGES FOR ROLE "for" GRANT ALL ON TYPES TO a WITH GRANT OPTION`:           {"a", "for"},
		`CREATE POLICY "to" ON s.t AS RESTRICTIVE FOR ALL TO a, "B", CURRENT_USER USING (x = 'TO c')`: {"B", "a"},
		`CREATE POLICY p ON s.t USING ((a TO b))`:                                                     nil,
		`ALTER ROLE a IN DATABASE d SET x TO 'y'; ALTER ROLE ALL IN DATABASE d SET x TO 'z'`:          {"a"},
		`CREATE USER MAPPING FOR a SERVER s OPTIONS (password 'for b');`:                              {"a"},
		`CREATE USER MAPPING FOR public SERVER s;`:                                                    nil,
		`ALTER TABLE s.t OWNER TO "o o"`:                                                              {"o o"},
		`ALTER TABLE s.t SET (a = b)`:                                                                 nil,
		`CREATE SCHEMA AUTHORIZATION a; CREATE SCHEMA s AUTHORIZATION b;`:                             {"a", "b"},
		`CREATE DATABASE d OWNER = o`:                                                                 {"o"},
		`GRANT pg_read_all_data TO a`:                                                                 {"a"},
		`GRANT SELECT ON a TO pg_monitor`:                                                             nil,
		"GRANT SELECT ON a TO \"new\nline\"":                                                          {"new\nline"},
		`GRANT`:                                                                                       nil, `GRANT x TO`: nil, `GRANT x TO ,`: nil,
		`ALTER ROLE`: nil, `ALTER DEFAULT PRIVILEGES`: nil, ``: nil,
	} {
		a := &Archive{Header: Header{StdStrings: true}, Entries: []Entry{{Desc: "ACL", Defn: sql}}}
		if diff := cmp.Diff(want, a.Roles()); diff != "" {
			t.Errorf("%s: %s", sql, diff)
		}
	}
	body := &Archive{Entries: []Entry{{Desc: "FUNCTION", Owner: "o", Defn: `CREATE FUNCTION f() BEGIN ATOMIC; GRANT x TO y; END`}}}
	if got := body.Roles(); !slices.Equal(got, []string{"o"}) {
		t.Errorf("a function's body names roles: %q", got)
	}
}

func TestDatabaseDefn(t *testing.T) {
	t.Parallel()
	for sql, want := range map[string]DatabaseDefn{
		`CREATE DATABASE d WITH TEMPLATE = template0 ENCODING = 'UTF8' LC_COLLATE = 'C' LC_CTYPE = 'en_US.UTF-8';`:// 9 to 12
		{Encoding: "UTF8", Collate: "C", CType: "en_US.UTF-8"},
		`CREATE DATABASE d WITH TEMPLATE = template0 ENCODING = 'LATIN1' LOCALE = 'de_DE' TABLESPACE = "Fast";`:// 13
		{Encoding: "LATIN1", Collate: "de_DE", CType: "de_DE", Tablespace: "Fast"},
		`CREATE DATABASE d WITH TEMPLATE = template0 ENCODING = 'UTF8' LOCALE_PROVIDER = icu LOCALE = 'C.UTF-8' ICU_LOCALE = 'en-US';`:// 15
		{Encoding: "UTF8", Provider: "icu", Collate: "C.UTF-8", CType: "C.UTF-8", ICULocale: "en-US"},
		// 16
		`CREATE DATABASE "encoding = x" WITH TEMPLATE = template0 ENCODING = 'UTF8' LOCALE_PROVIDER = icu LC_COLLATE = 'C' LC_CTYPE = 'C.UTF-8' ICU_LOCALE = ` +
			`'und' ICU_RULES = '&a < ''b''';`: {Encoding: "UTF8", Provider: "icu", Collate: "C", CType: "C.UTF-8", ICULocale: "und", ICURules: "&a < 'b'"},
		`CREATE DATABASE d WITH TEMPLATE = template0 ENCODING = 'UTF8' LOCALE_PROVIDER = builtin LOCALE = 'C' BUILTIN_LOCALE = 'C.UTF-8';`:// 17
		{Encoding: "UTF8", Provider: "builtin", Collate: "C", CType: "C", BuiltinLocale: "C.UTF-8"},
		``: {Encoding: "SQL_ASCII"},
	} {
		a := &Archive{Header: Header{Encoding: "SQL_ASCII", StdStrings: true}}
		if sql != "" {
			a.Entries = []Entry{{Desc: "DATABASE", Tag: "d", Owner: "o", Defn: sql}}
			want.Statement = sql
			want.Owner = "o"
		}
		if diff := cmp.Diff(want, a.DatabaseDefn()); diff != "" {
			t.Errorf("%s: %s", sql, diff)
		}
	}
}

func TestUseListHoldsNoNames(t *testing.T) {
	t.Parallel()
	got := string(UseList([]Entry{
		{DumpID: 7, Desc: "TABLE DATA", Tag: "x\n1; 0 0 TABLE"},
		{DumpID: 3, Desc: "EVIL\n9; 0 0 TABLE"},
	}))
	if want := "7; 0 0 TABLE DATA\n3; 0 0 ?\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// FuzzRoles looks for roles, and for statements, in anything.
func FuzzRoles(f *testing.F) {
	f.Add(`GRANT a ON b TO c`, true)
	f.Add(`E'\'' /* /* */ */ ; ( )`, false)
	f.Fuzz(func(t *testing.T, sql string, stdStrings bool) {
		a := &Archive{Header: Header{StdStrings: stdStrings}, Entries: []Entry{{Desc: "ACL", Defn: sql}}}
		if slices.Contains(a.split(sql), "") {
			t.Fatal("an empty statement")
		}
		a.Roles()
	})
}
