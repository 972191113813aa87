package archive

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	gocmp "github.com/google/go-cmp/cmp"

	"daybefore/internal/pgtest"
	"daybefore/internal/sqltext"
	"daybefore/internal/verdict"
)

// smallScripts are committed: of pg_dump 15 and 17 (with \restrict), of
// pg_dump --inserts, and of pg_dumpall.
var smallScripts = map[string][]string{
	"testdata/small-15.sql":         {"local", "pg_dump", "-d", "small"},
	"testdata/small-17.sql":         {"17", "pg_dump", "-d", "small", "-C"},
	"testdata/small-inserts-17.sql": {"17", "pg_dump", "-d", "small", "--inserts", "--verbose"},
	"testdata/small-all-15.sql":     {"local", "pg_dumpall", "--no-role-passwords"},
}

func updateScripts(t *testing.T) {
	clusters := map[string]*pgtest.Cluster{}
	for _, path := range sortedPaths() {
		args := smallScripts[path]
		c := clusters[args[0]]
		if c == nil {
			c = servers[args[0]](t)
			c.Exec("postgres", "CREATE DATABASE small")
			c.Exec("small", readFile(t, "testdata/small.sql"))
			clusters[args[0]] = c
		}
		if err := os.WriteFile(path, c.DumpBy(args[1], args[2:]...), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func sortedPaths() []string {
	var paths []string
	for p := range smallScripts {
		paths = append(paths, p)
	}
	slices.Sort(paths)
	return paths
}

func TestSmallScripts(t *testing.T) {
	t.Parallel()
	if *update {
		updateScripts(t)
	}
	for _, path := range sortedPaths() {
		a, err := Open(t.Context(), path, Options{})
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		major := 15
		if strings.Contains(path, "17") {
			major = 17
		}
		h := Header{Format: Plain, Compression: None, ServerMajor: major, DumpMajor: major, Encoding: "UTF8", StdStrings: true, DataCompression: "none",
			ServerVersion: a.ServerVersion, DumpVersion: a.DumpVersion, Created: a.Created}
		if path == "testdata/small-17.sql" || strings.Contains(path, "-all-") {
			h.Database = "small"
		}
		if diff := gocmp.Diff(h, a.Header); diff != "" {
			t.Errorf("%s: %s", path, diff)
		}
		if a.Created.IsZero() == strings.Contains(path, "inserts") { // --verbose
			t.Errorf("%s: created %v", path, a.Created)
		}
		var rows []string
		for _, e := range a.Entries {
			if e.Desc == "TABLE DATA" {
				rows = append(rows, fmt.Sprintf("%s.%s %v %v", e.Namespace, e.Tag, e.Inserts(), e.DataSize > 0))
			}
		}
		inserts := strings.Contains(path, "inserts")
		if want := []string{fmt.Sprintf("public.a %v true", inserts), fmt.Sprintf("public.b %v false", inserts)}; !slices.Equal(rows, want) {
			t.Errorf("%s: rows of %q, want %q", path, rows, want)
		}
	}
}

// TestScriptTruncatedAnywhere is the promise that no truncation passes.
func TestScriptTruncatedAnywhere(t *testing.T) {
	t.Parallel()
	for _, path := range sortedPaths() {
		whole := []byte(readFile(t, path))
		bare := bytes.TrimRight(whole, "\n") // a last blank line is nothing that could be missed
		for name, data := range map[string][]byte{"bare": bare, "gzip": gzipped(t, whole), "zstd": zstded(t, whole)} {
			t.Run(filepath.Base(path)+" "+name, func(t *testing.T) {
				t.Parallel()
				file := filepath.Join(t.TempDir(), "backup")
				dir := t.TempDir()
				if err := os.WriteFile(file, data, 0o600); err != nil {
					t.Fatal(err)
				}
				if a, err := Open(t.Context(), file, Options{Dir: dir}); err != nil {
					t.Fatalf("whole: %v", err)
				} else if a.Path != file {
					if got := readFile(t, a.Path); got != string(whole) {
						t.Errorf("unpacked to %d bytes, not to the %d that were packed", len(got), len(whole))
					}
					os.Remove(a.Path)
				}
				for _, n := range cuts(len(data), name == "bare") {
					if err := os.Truncate(file, int64(n)); err != nil {
						t.Fatal(err)
					}
					_, err := Open(t.Context(), file, Options{Dir: dir})
					code := verdict.CodeTruncated
					if n == 0 {
						code = verdict.CodeNotAnArchive
					}
					if p, ok := errors.AsType[*verdict.Problem](err); !ok || p.Outcome != verdict.Fail || p.Code != code || p.Hint == "" {
						t.Fatalf("cut to %d of %d bytes: %v (%+v)", n, len(data), err, p)
					}
				}
				if left, _ := os.ReadDir(dir); len(left) > 0 {
					t.Errorf("%d spool files are left after failures", len(left))
				}
			})
		}
	}
}

// script wraps statements as pg_dump does.
func script(body string) string {
	return "--\n-- PostgreSQL database dump\n--\n\n-- Dumped from database version 17.2\n-- Dumped by pg_dump version 17.2\n\n" +
		"SET client_encoding = 'UTF8';\nSET standard_conforming_strings = on;\n\n" + body +
		"\n--\n-- PostgreSQL database dump complete\n--\n\n"
}

func TestScriptRefused(t *testing.T) {
	t.Parallel()
	for body, says := range map[string]string{
		"\\! rm -rf /\n":                                            "line 11 holds a meta-command",
		"\\copy a from b\n":                                         "\\copy",
		"\\i x.sql\n":                                               "\\i,",
		"\\set x `id`\n":                                            "\\set",
		"\\connect `id`\n":                                          "\\connect",
		"\\connect a b\n":                                           "\\connect",
		"\\connect a\n\\connect b\n":                                "second database",
		"SELECT 1 \\gexec\n;":                                       "line 11 holds a meta-command inside",
		"SELECT 1;":                                                 "begins with SELECT",
		"SELECT pg_catalog.pg_read_file('x');":                      "begins with SELECT",
		"SELECT setval('a', 1);":                                    "begins with SELECT",
		"UPDATE a SET b = 'secret';":                                "begins with UPDATE",
		"DELETE FROM a;":                                            "begins with DELETE",
		"DO $$BEGIN INSERT INTO a VALUES (1); END$$;":               "begins with DO",
		"CALL f();":                                                 "begins with CALL",
		"WITH x AS (SELECT 1) INSERT INTO a TABLE x;":               "begins with WITH",
		"CREATE TABLE a AS SELECT 'secret';":                        "begins with CREATE TABLE AS",
		"CREATE TABLE a (x) AS SELECT 'secret';":                    "begins with CREATE TABLE AS",
		"INSERT INTO a SELECT 'secret';":                            "INSERT statement without VALUES",
		"COPY a FROM '/x';":                                         "COPY statement other than",
		"COPY a FROM PROGRAM 'id';":                                 "COPY statement other than",
		"COPY a TO stdout;":                                         "COPY statement other than",
		"COPY a FROM stdin WITH CSV;\n\\.\n":                        "COPY statement other than",
		"CREATE TABLE a ();\nDROP TABLE a;":                         "DROP after",
		"CREATE TABLE a (); SET client_encoding = 'LATIN1';":        "change of client_encoding",
		"CREATE TABLE a (); SET standard_conforming_strings = off;": "change of standard_conforming_strings",
		"COMMENT ON TABLE a IS E'x'\n'y\\';":                        "two strings side by side",
		"ALTER TABLE a ALTER b SET DEFAULT 1e'\\'; COPY a FROM stdin;\n\\.\n'": "quote right after a number",
		"SET LOCAL x = 1;": "begins with SET",
	} {
		err := openBytes(t, []byte(script(body)))
		wantProblem(t, err, verdict.Error, verdict.CodeUnsupported, says)
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: the error shows a value: %v", body, err)
		}
	}
	whole := script("CREATE TABLE a ();\n")
	for data, says := range map[string]string{
		script("COPY a FROM stdin; SELECT 1;\n\\.\n"):     "not followed by the end of its line",
		script("CREATE TABLE a (x text DEFAULT \x00 1);"): "zero byte",
		script("\\restrict\n"):                            "a damaged name or key",
		script("\\restrict a b\n"):                        "a damaged name or key",
	} {
		wantProblem(t, openBytes(t, []byte(data)), verdict.Fail, verdict.CodeCorrupt, says)
	}
	for _, data := range []string{
		script(script("")),
		"--\n-- PostgreSQL database dump\n--\n\n\\restrict abc\n" + whole[len("--\n-- PostgreSQL database dump\n--\n\n"):],
		"--\n-- PostgreSQL database dump\n--\n\n\\restrict abc\n" + whole[len("--\n-- PostgreSQL database dump\n--\n\n"):] + "\\unrestrict ab\n",
		script("COMMENT ON TABLE a IS '\n"),
		script("COMMENT ON TABLE a IS $x$\n"),
		script("/* /* */\n"),
		script("COPY a FROM stdin;\n1\n\\\n"),
		script("CREATE FUNCTION f() BEGIN ATOMIC SELECT 1;"),
		strings.Replace(whole, "-- PostgreSQL database dump complete", "-- PostgreSQL database dump is complete", 1),
		strings.Replace(whole, "-- PostgreSQL database dump complete\n--", "-- PostgreSQL database dump complete\nCREATE SCHEMA b;\n--", 1),
	} {
		wantProblem(t, openBytes(t, []byte(data)), verdict.Fail, verdict.CodeTruncated, "")
	}
}

// TestScriptLooks has what looks like something else be what it is.
func TestScriptLooks(t *testing.T) {
	t.Parallel()
	copyLine := "\nCOPY a FROM stdin;\n1\n\\.\n"
	for _, body := range []string{
		"COMMENT ON TABLE a IS '" + copyLine + "';",
		"COMMENT ON TABLE a IS 'it''s" + copyLine + "';",
		"COMMENT ON TABLE a IS E'\\'" + copyLine + "\\\\';",
		"COMMENT ON TABLE a IS U&'\\" + copyLine + "''';",
		"COMMENT ON TABLE \"" + copyLine + "\"\"\" IS 'x';",
		"COMMENT ON TABLE U&\"" + copyLine + "\" IS 'x';",
		"CREATE FUNCTION f() AS $$" + copyLine + "$$;",
		"CREATE FUNCTION f() AS $a$ $b$ $$ $" + copyLine + "$ $a $a$;",
		"CREATE FUNCTION f() AS $é1$" + copyLine + "$é$ $é1$;",
		"CREATE FUNCTION f(a$b$c int, d int default $1) AS '" + copyLine + "';",
		"/*" + copyLine + "/* ; */ ' */\nCREATE SCHEMA s;",
		"CREATE SCHEMA -- ' \\.\n s;",
		"CREATE RULE r AS ON INSERT TO a DO (SELECT 1;" + strings.ReplaceAll(copyLine, "\\", "") + ";);",
		"CREATE FUNCTION f() BEGIN ATOMIC SELECT CASE WHEN a THEN 'b' END;" + strings.ReplaceAll(copyLine, "\\", "") + " END;",
		"create or replace procedure p() Begin atomic; case end; x; END;",
		"CREATE FUNCTION f(a int DEFAULT (CASE 1 WHEN 2 THEN 3 END)) BEGIN ATOMIC ; END;",
		"CREATE SCHEMA \"begin\";",
	} {
		a := mustOpen(t, []byte(script(body+"\n")))
		var got []string
		for _, e := range a.Entries {
			got = append(got, e.Desc)
		}
		if len(a.Entries) != 1 || a.Entries[0].CopyStmt != "" || len(a.Entries[0].stretches) != 1 {
			t.Errorf("%q: %q", body, got)
		}
	}
	a := mustOpen(t, []byte("--\n-- PostgreSQL database dump\n--\n\nSET client_encoding = 'SJIS';\nSET standard_conforming_strings = off;\n"+
		"COMMENT ON TABLE a IS 'it\\'s"+strings.ReplaceAll(copyLine, "\\", "\\\\")+"\x83\\\x83\\';\n--\n-- PostgreSQL database dump complete\n--\n"))
	if a.StdStrings || a.Encoding != "SJIS" || len(a.Entries) != 1 {
		t.Errorf("without standard strings: %+v", a)
	}
}

// TestLabelsAreNoSafety lies in the comments.
func TestLabelsAreNoSafety(t *testing.T) {
	t.Parallel()
	l := func(desc, rest string) string {
		return "--\n-- Name: x; Type: " + desc + "; Schema: s; Owner: somebody\n--\n\n" + rest + "\n\n"
	}
	a := mustOpen(t, []byte(script(
		l("TABLE", "CREATE SUBSCRIPTION sub CONNECTION 'password=x' PUBLICATION p;\nALTER SUBSCRIPTION sub OWNER TO o;")+
			l("TABLE", "CREATE TABLE a.b ();\nCREATE USER MAPPING FOR u SERVER s OPTIONS (password 'x');\nALTER TABLE a.b OWNER TO o;")+
			l("SUBSCRIPTION", "CREATE TABLE a.c ();")+
			l("TABLE", "CREATE FOREIGN TABLE a.d (x int) SERVER s;")+
			l("FUNCTION", "SELECT * FROM pg_catalog.pg_restore_attribute_stats('version', '180000'::integer);")+
			l("COMMENT", "COMMENT ON SUBSCRIPTION sub IS 'x';")+
			l("COMMENT", "COMMENT ON TABLE a.b IS 'x';\nCOMMENT ON DATABASE d IS 'y';")+
			"--\n-- Data for Name: y; Type: TABLE DATA; Schema: z; Owner: somebody\n--\n\nCOPY a.b (c) FROM stdin;\n1\n\\.\n\n"+
			"--\n-- Data for Name: b; Type: TABLE DATA; Schema: a; Owner: somebody\n--\n\nINSERT INTO a.b VALUES (1);\nINSERT INTO a.c VALUES "+
			"(1);\nINSERT INTO a.c VALUES (1);\n\n"+
			l("TABLE", "ALTER TABLE ONLY a.b ADD CONSTRAINT k UNIQUE (c);")+
			l("CONSTRAINT", "ALTER TABLE ONLY a.b ADD CONSTRAINT f FOREIGN KEY (c) REFERENCES a.c (c);"))))
	var got []string
	for _, e := range a.Entries {
		got = append(got, fmt.Sprintf("%s %s.%s %s", e.Desc, e.Namespace, e.Tag, e.Section))
	}
	want := []string{
		"SUBSCRIPTION .sub pre-data",
		"TABLE a.b pre-data", "USER MAPPING .USER MAPPING pre-data", "TABLE a.b pre-data",
		"TABLE a.c pre-data",
		"FOREIGN TABLE a.d pre-data",
		"STATISTICS DATA . pre-data",
		"COMMENT .SUBSCRIPTION sub none",
		"COMMENT s.x none", "COMMENT .DATABASE d none",
		"TABLE DATA a.b data", "TABLE DATA a.b data", "TABLE DATA a.c data",
		"CONSTRAINT a.b post-data", "FK CONSTRAINT a.b post-data",
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := gocmp.Diff([]string{"o", "u"}, a.Roles()); diff != "" {
		t.Error(diff)
	}
}

func TestCluster(t *testing.T) {
	t.Parallel()
	c := pgtest.Server(t)
	c.Exec("postgres", readFile(t, "testdata/nasty.sql"))
	c.Exec("postgres", "CREATE DATABASE second; ALTER ROLE owner_a PASSWORD 'hunter2'")
	c.Exec("second", readFile(t, "testdata/small.sql"))
	data := c.DumpBy("pg_dumpall")
	path := filepath.Join(t.TempDir(), "all.sql.gz")
	if err := os.WriteFile(path, gzipped(t, data), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), path, Options{})
	wantProblem(t, err, verdict.Error, verdict.CodeSpec, "several databases (nasty db, postgres, second, template1)")
	_, err = Open(t.Context(), path, Options{Database: "third"})
	wantProblem(t, err, verdict.Fail, verdict.CodeDatabase, "no database third")
	for database, tables := range map[string]int{nastyDB: 5, "second": 2, "postgres": 0} {
		a, err := Open(t.Context(), path, Options{Database: database})
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, e := range a.Entries {
			if e.Desc == "TABLE DATA" {
				n++
			}
			if strings.Contains(e.Defn, "SCRAM") {
				t.Errorf("a password is kept in %s", e.name())
			}
		}
		if n != tables || a.Database != database {
			t.Errorf("%s: %d tables in %s, want %d", database, n, a.Database, tables)
		}
		if !slices.Contains(a.ClusterRoles, "unused_role") || slices.Contains(a.Roles(), "unused_role") {
			t.Errorf("cluster roles %q, roles %q", a.ClusterRoles, a.Roles())
		}
		if database == nastyDB {
			checkNasty(t, a)
		}
	}
}

var restrictKey = regexp.MustCompile(`(?m)^\\(un)?restrict .*$`)

// TestScriptReplayed restores real dumps of nasty schemas from what is read
// out of them, and dumps them once more: both dumps must be the same.
func TestScriptReplayed(t *testing.T) {
	t.Parallel()
	variants := map[string][]string{
		"default":     {},
		"created":     {"-C"},
		"clean":       {"--clean"},
		"clean if":    {"--clean", "--if-exists"},
		"all of them": {"-C", "--clean", "--if-exists", "--verbose"},
		"inserts":     {"--inserts"},
		"columns":     {"--column-inserts", "--on-conflict-do-nothing"},
		"many rows":   {"--rows-per-insert=3"},
		"root":        {"--load-via-partition-root"},
		"root, rows":  {"--load-via-partition-root", "--inserts"},
		"authorized":  {"--use-set-session-authorization"},
		"quoted":      {"--quote-all-identifiers", "--disable-dollar-quoting"},
	}
	for name, start := range servers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := start(t)
			c.Exec("postgres", readFile(t, "testdata/nasty.sql"))
			c.Exec("postgres", readFile(t, "testdata/plain.sql"))
			for _, database := range []string{nastyDB, "plain"} {
				want := withoutKeys(c.Dump("-d", database))
				custom := mustOpen(t, c.Dump("-Fc", "-d", database))
				for variant, args := range variants {
					if name == "17" && !slices.Contains([]string{"created", "clean if", "inserts"}, variant) {
						continue // the rest is the same in all versions
					}
					data := c.Dump(append([]string{"-d", database}, args...)...)
					a := openScript(t, data)
					if variant == "authorized" { // needs privileges that a fresh database does not give
						if diff := gocmp.Diff(without(custom.Roles(), "pg_database_owner"), a.Roles()); diff != "" && database == "plain" {
							t.Errorf("%s, %s: roles: %s", database, variant, diff)
						}
						continue
					}
					replay(t, c, a)
					if diff := gocmp.Diff(strings.Split(want, "\n"), strings.Split(withoutKeys(c.Dump("-d", "again")), "\n")); diff != "" {
						t.Errorf("%s, %s: %s", database, variant, diff)
					}
					if diff := gocmp.Diff(without(custom.Roles(), "pg_database_owner"), a.Roles()); diff != "" && variant == "created" {
						t.Errorf("%s, %s: roles: %s", database, variant, diff)
					}
					if diff := gocmp.Diff(contentOf(custom), contentOf(a)); diff != "" && variant == "created" {
						t.Errorf("%s, %s: entries: %s", database, variant, diff)
					}
				}
			}
		})
	}
}

// contentOf is what an archive holds, but for what only one format has.
func contentOf(a *Archive) []string {
	var content []string
	for _, e := range a.Entries {
		switch {
		case e.Desc == "TABLE" && e.Section == SectionPostData: // ALTER TABLE ... CLUSTER ON, which archives keep with the index
		case e.Desc == "ENCODING", e.Desc == "STDSTRINGS", e.Desc == "SEARCHPATH", strings.HasPrefix(e.Desc, "BLOB"), strings.HasPrefix(e.Tag, "LARGE OBJECT"):
		default:
			content = append(content,
				fmt.Sprintf("%s %s.%s %s", e.Desc, e.Namespace, strings.NewReplacer("\n", " ", `DATABASE "nasty db"`, "DATABASE nasty db").Replace(e.Tag),
					e.Section))
		}
	}
	slices.Sort(content)
	return content
}

func withoutKeys(dump []byte) string { return restrictKey.ReplaceAllString(string(dump), "") }

func openScript(t *testing.T, data []byte) *Archive {
	t.Helper()
	path := filepath.Join(t.TempDir(), "script.sql")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	a, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// replay restores a script into the database "again".
func replay(t *testing.T, c *pgtest.Cluster, a *Archive) {
	t.Helper()
	c.Exec("postgres", "DROP DATABASE IF EXISTS again")
	c.Exec("postgres", "CREATE DATABASE again TEMPLATE template0 ENCODING 'UTF8'")
	var pre, rows, post []Entry
	section := SectionPreData
	for _, e := range a.Entries {
		if e.Section != SectionNone {
			section = e.Section
		}
		switch {
		case e.aboutDump():
		case e.Desc == "TABLE DATA":
			rows = append(rows, e)
		case section == SectionPreData:
			pre = append(pre, e)
		default:
			post = append(post, e)
		}
	}
	c.Exec("again", scriptOf(t, a, pre))
	var load strings.Builder
	for _, e := range rows {
		load.WriteString(rowsOf(t, a, e))
	}
	c.Exec("again", "SET search_path = ''; SET session_replication_role = replica;\n"+load.String())
	c.Exec("again", scriptOf(t, a, post))
}

func scriptOf(t *testing.T, a *Archive, entries []Entry) string {
	t.Helper()
	var b strings.Builder
	if err := a.Script(&b, entries); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// rowsOf is an entry as COPY statements with their rows.
func rowsOf(t *testing.T, a *Archive, e Entry) string {
	t.Helper()
	r, err := a.Rows(e)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if !e.Inserts() {
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if len(data) != int(e.DataSize)+len("\\.\n") && !e.converted {
			t.Errorf("%s: %d bytes, said to be %d", e.name(), len(data), e.DataSize)
		}
		return e.CopyStmt + string(data)
	}
	return copied(t, a.InsertReader(r, ""))
}

// copied is all that an InsertReader gives, as COPY statements with their rows.
func copied(t *testing.T, r *sqltext.InsertReader) string {
	t.Helper()
	var b strings.Builder
	for {
		target, err := r.Next()
		if err == io.EOF {
			return b.String()
		}
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "COPY %s.%s ", quoteIdent(target.Schema), quoteIdent(target.Table))
		if target.Columns != nil {
			var names []string
			for _, c := range target.Columns {
				names = append(names, quoteIdent(c))
			}
			b.WriteString("(" + strings.Join(names, ", ") + ") ")
		}
		b.WriteString("FROM stdin;\n")
		if _, err := io.Copy(&b, r); err != nil {
			t.Fatal(err)
		}
	}
}

func TestScriptTellsSettings(t *testing.T) {
	t.Parallel()
	a := openScript(t, []byte(script("SET default_tablespace = fast;\nCREATE TABLE a ();\nSET default_table_access_method = heap;\nCREATE TABLE b ();\n"+
		"SET SESSION AUTHORIZATION 'o';\nCREATE TABLE c ();\nRESET SESSION AUTHORIZATION;\nCREATE TABLE d ();\nCREATE TABLE e ();\nINSERT INTO e VALUES (1);\n")))
	got := scriptOf(t, a, a.Entries[1:5])
	want := "SET client_encoding = 'UTF8';\nSET standard_conforming_strings = on;\nSET default_table_access_method = heap;\nCREATE TABLE b ();\n" +
		"SET SESSION AUTHORIZATION 'o';\nCREATE TABLE c ();\nRESET session authorization;\nCREATE TABLE d ();\nCREATE TABLE e ();\n"
	if got != want {
		t.Errorf("got %s", got)
	}
	if err := a.Script(io.Discard, a.Entries[5:]); err == nil {
		t.Error("rows were written into a script")
	}
	if _, err := a.Rows(a.Entries[0]); err == nil {
		t.Error("a table's definition has rows")
	}
	if diff := gocmp.Diff([]string{"o"}, a.Roles()); diff != "" {
		t.Error(diff)
	}
}

func TestPeekAtScript(t *testing.T) {
	t.Parallel()
	for _, path := range sortedPaths() {
		whole := []byte(readFile(t, path))
		a, err := Open(t.Context(), path, Options{})
		if err != nil {
			t.Fatal(err)
		}
		want := a.Header
		if strings.Contains(path, "-all-") {
			want.Database = ""
		}
		for _, n := range cuts(len(whole), false) {
			h, err := Peek(t.Context(), bytes.NewReader(whole[:n]), nil)
			if n > 0 && err != nil {
				t.Fatalf("%s: %d bytes: %v", path, n, err)
			}
			if n > 2000 && n < 2020 && !strings.Contains(path, "-all-") && !gocmp.Equal(h, want) {
				t.Errorf("%s: %d bytes: %s", path, n, gocmp.Diff(want, h))
			}
		}
		for outer, data := range map[Compression][]byte{Gzip: gzipped(t, whole), Zstd: zstded(t, whole), None: whole} {
			want.Compression = outer
			if h, err := Peek(t.Context(), bytes.NewReader(data), nil); err != nil || h != want {
				t.Errorf("%s, %s: %+v, %v", path, outer, h, err)
			}
		}
	}
}

// TestScriptMemory reads an INSERT statement and rows that are larger than any
// buffer.
func TestScriptMemory(t *testing.T) {
	big := strings.Repeat("a large value, ", 1<<20)
	data := []byte(script("INSERT INTO a VALUES ('" + big + "');\nCOPY b (c) FROM stdin;\n" + big + "\n\\.\n"))
	path := filepath.Join(t.TempDir(), "script.sql")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	n := allocated(func() {
		if _, err := Open(t.Context(), path, Options{}); err != nil {
			t.Fatal(err)
		}
	})
	if n > 2<<20 {
		t.Errorf("%d bytes were allocated to read %d", n, len(data))
	}
}

// FuzzScript reads garbage: entries must lie within the script, one after the
// other, and rows end where their end marker is.
func FuzzScript(f *testing.F) {
	for _, path := range sortedPaths() {
		f.Add([]byte(readFile(f, path)))
	}
	f.Add([]byte(script("COPY a FROM stdin;\n1\n\\.\n")))
	f.Add([]byte(script("CREATE FUNCTION f() BEGIN ATOMIC SELECT CASE END; END;\nINSERT INTO a VALUES (E'\\'', $$;$$, U&'x');\n")))
	for _, text := range around {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := readPlain("fuzz", bytes.NewReader(data), "", "", false)
		slow, slowErr := readPlain("fuzz", iotest.OneByteReader(bytes.NewReader(data)), "", "", false)
		if (err == nil) != (slowErr == nil) || !reflect.DeepEqual(a, slow) {
			t.Fatalf("at once %+v, %v; by the byte %+v, %v", a, err, slow, slowErr)
		}
		if err != nil {
			if err.Error() == "" {
				t.Error("an error without a text")
			}
			return
		}
		a.Roles()
		a.DatabaseDefn()
		a.DatabaseProperties()
		end := int64(0)
		for _, e := range a.Entries {
			for _, p := range e.stretches {
				if p.start < end && e.Desc != "DATABASE" || p.end < p.start || p.end > int64(len(data)) {
					t.Fatalf("%s: bytes %d to %d of %d, behind %d", e.name(), p.start, p.end, len(data), end)
				}
				end = max(end, p.end)
				text := data[p.start:p.end]
				switch {
				case e.CopyStmt != "":
					endOfRows := sqltext.EndOfRows(e.converted)
					if !bytes.HasSuffix(append([]byte{'\n'}, text...), endOfRows) || bytes.Contains(text[:len(text)-len(endOfRows)+2], endOfRows) {
						t.Fatalf("%s: rows %q", e.name(), text)
					}
				case len(text) > 0 && text[len(text)-1] != ';':
					t.Fatalf("%s: %q", e.name(), text)
				}
			}
		}
	})
}
