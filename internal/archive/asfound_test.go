package archive

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"daybefore/internal/pgtest"
	"daybefore/internal/verdict"
)

// Pieces of dumps, as pg_dump and pg_dumpall write them.
const (
	globals = "--\n-- PostgreSQL database cluster dump\n--\n\nSET default_transaction_read_only = off;\n\nSET client_encoding = 'UTF8';\nSET " +
		"standard_conforming_strings = on;\n\n" +
		"--\n-- Roles\n--\n\nCREATE ROLE app;\nALTER ROLE app WITH NOSUPERUSER LOGIN PASSWORD 'SCRAM-SHA-256$4096:hunter2';\nCREATE ROLE \"Reader, too\";\n" +
		"ALTER ROLE app SET work_mem TO '8MB';\nCOMMENT ON ROLE app IS 'x';\nGRANT app TO \"Reader, too\" WITH ADMIN OPTION GRANTED BY postgres;\n\n" +
		"CREATE TABLESPACE fast OWNER app LOCATION '/fast';\nGRANT ALL ON TABLESPACE fast TO app;\nGRANT SET ON PARAMETER work_mem TO app;\n\n" +
		"--\n-- PostgreSQL database cluster dump complete\n--\n\n"
	tableA = "--\n-- Name: a; Type: TABLE; Schema: public; Owner: app\n--\n\nCREATE TABLE public.a (\n    x integer,\n    t text\n);\n\nALTER " +
		"TABLE public.a OWNER TO app;\n\n"
	rowsA = "--\n-- Data for Name: a; Type: TABLE DATA; Schema: public; Owner: app\n--\n\nCOPY public.a (x, t) FROM stdin;\n1\tone\n2\ttwo\\nlines\n\\.\n\n"
	keyA  = "--\n-- Name: a a_pkey; Type: CONSTRAINT; Schema: public; Owner: app\n--\n\nALTER TABLE ONLY public.a\n    ADD CONSTRAINT " +
		"a_pkey PRIMARY KEY (x);\n\n"
	whole = tableA + rowsA + keyA
)

func crlf(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }

func sealed(body string) string {
	return "\\restrict k3y\n\nSET client_encoding = 'UTF8';\nSET standard_conforming_strings = on;\n" + body + "\\unrestrict k3y\n\n"
}

// around are scripts that psql restores whole: the table public.a with its rows and its key.
var around = map[string]string{
	"bare":                  script(whole),
	"CR LF":                 crlf(script(whole)),
	"mark":                  "\xef\xbb\xbf" + script(whole),
	"mark and CR LF":        "\xef\xbb\xbf" + crlf(script(whole)),
	"zeros behind":          script(whole) + strings.Repeat("\x00", 5000),
	"globals before":        globals + script(whole),
	"globals behind":        script(whole) + globals,
	"globals before, CR LF": crlf(globals + script(whole)),
	"schema and rows":       script(tableA+keyA) + script(rowsA),
	"sections":              script(tableA) + script(rowsA) + script(keyA),
	"disabled triggers": script(tableA) + script(strings.Replace(rowsA, "COPY", "ALTER TABLE public.a DISABLE TRIGGER ALL;\n\nCOPY", 1)+
		"ALTER TABLE public.a ENABLE TRIGGER ALL;\n\n") + script(keyA),
	"transaction":        "BEGIN;\n" + script(whole) + "COMMIT;\n",
	"transaction within": script("START TRANSACTION;\n" + whole + "END TRANSACTION;\n"),
	"settings around": "\\set ON_ERROR_STOP on\n\\timing\n\\echo begins\nSET session_replication_role = replica;\nSET TIME ZONE 'UTC';\n" +
		script(whole) + "RESET ALL;\nANALYZE;\n",
	"a prompt behind":  script(whole) + "root@db1:/# ",
	"a message behind": script(whole) + "pg_dump: warning: it can't be\n",
	"Dump completed":   script(whole) + "Dump completed\n",
	"a comment behind": script(whole) + "-- done on 2026-03-04\n",
	"a message before": "pg_dump: last built-in OID is 16383\n" +
		strings.Replace(script(whole), "SET client", "SET statement_timeout = 0;\nSET client", 1),
	"a message before restrict": "Defaulted container \"db\" out of: db, init (init)\n" +
		strings.Replace(script(whole), "-- Dumped from", "\\restrict abc\n\nSET statement_timeout = 0;\n-- Dumped from", 1) + "\\unrestrict abc\n",
	"without comments, sealed":  sealed(whole[strings.Index(whole, "CREATE"):]),
	"no comment at all, sealed": sealed(uncommented(whole)),
	"search_path":               script("SET search_path = public, pg_catalog;\n\n" + strings.ReplaceAll(whole, "public.a", "a")),
	"search_path as a function": script("SELECT pg_catalog.set_config('search_path', 'public, pg_catalog', false);\n\n" +
		strings.ReplaceAll(whole, "public.a", "a")),
	"no path set": script(strings.ReplaceAll(whole, "public.a", "a")),
	"another path, then a lookup": script("SET search_path = public;\n" + strings.ReplaceAll(tableA, "public.a", "a") + "SET search_path = other, public;\n" +
		strings.ReplaceAll(rowsA+keyA, "public.a", "a")),
	"a database made before": "CREATE ROLE app;\nCREATE DATABASE shop;\n\\c shop\n" + script(whole),
	"connected by a conninfo": script("CREATE DATABASE shop WITH TEMPLATE = template0 ENCODING = 'UTF8';\n\n\\connect -reuse-previous=on " +
		"\"dbname='shop'\"\n\nSET client_encoding = 'UTF8';\n" + whole),
	"settings of others": script("CREATE DATABASE shop;\nALTER DATABASE other SET work_mem TO '1MB';\nALTER ROLE app IN DATABASE other SET work_mem " +
		"TO '1MB';\n\\connect shop\n" + whole),
}

func uncommented(s string) string {
	var b strings.Builder
	for line := range strings.Lines(s) {
		if !strings.HasPrefix(line, "--") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// inserted has the rows of public.a as INSERT statements.
var inserted = strings.Replace(rowsA, "COPY public.a (x, t) FROM stdin;\n1\tone\n2\ttwo\\nlines\n\\.\n",
	"INSERT INTO public.a VALUES (1, 'one');\nINSERT INTO public.a (x, t) VALUES\n\t(2, E'two\\nlines');\n", 1)

func TestScriptsAsTheyAreFound(t *testing.T) {
	t.Parallel()
	scripts := map[string]string{}
	for name, text := range around {
		scripts[name] = text
		if !strings.Contains(name, "lookup") {
			scripts[name+", inserts"] = replaceRows(text)
		}
	}
	for name, text := range scripts {
		a := openScript(t, []byte(text))
		got := map[Section][]string{}
		for _, e := range a.Entries {
			got[e.Section] = append(got[e.Section], e.Desc+" "+e.Namespace+"."+e.Tag)
			if strings.Contains(e.Defn, "hunter2") {
				t.Errorf("%s: a password is kept", name)
			}
		}
		for section, want := range map[Section]string{SectionPreData: "TABLE public.a", SectionData: "TABLE DATA public.a"} {
			if !slices.Contains(got[section], want) {
				t.Errorf("%s: no %s: %v", name, want, got)
			}
		}
		if !slices.ContainsFunc(a.Entries, func(e Entry) bool { return e.Desc == "CONSTRAINT" && strings.Contains(e.Defn, "public") }) {
			t.Errorf("%s: no key of public.a: %v", name, got)
		}
		want := "1\tone\n2\ttwo\\nlines\n\\.\n"
		if strings.Contains(name, "inserts") {
			want = "1\tone\n\\.\n2\ttwo\\nlines\n\\.\n"
		}
		var rows strings.Builder
		for _, e := range a.Entries {
			if e.Desc == "TABLE DATA" {
				rows.WriteString(onlyRows(rowsOf(t, a, e)))
			}
		}
		if rows.String() != want {
			t.Errorf("%s: rows %q, want %q", name, rows.String(), want)
		}
		roles := []string(nil)
		if strings.Contains(name, "globals before") {
			roles = []string{"Reader, too", "app"}
		} else if strings.Contains(name, "made before") {
			roles = []string{"app"}
		}
		if diff := gocmp.Diff(roles, a.ClusterRoles); diff != "" {
			t.Errorf("%s: roles %s", name, diff)
		}
		for _, sql := range a.DatabaseProperties() {
			if strings.Contains(sql, "other") {
				t.Errorf("%s: %s", name, sql)
			}
		}
	}
}

func replaceRows(text string) string {
	for _, bare := range []bool{false, true} {
		rows := "COPY public.a (x, t) FROM stdin;\n1\tone\n2\ttwo\\nlines\n\\.\n"
		inserts := inserted[strings.Index(inserted, "INSERT"):]
		if bare {
			rows = strings.ReplaceAll(rows, "public.a", "a")
			inserts = strings.ReplaceAll(inserts, "public.a", "a")
		}
		text = strings.Replace(text, rows, strings.TrimRight(inserts, "\n")+"\n", 1)
		text = strings.Replace(text, crlf(rows), crlf(strings.TrimRight(inserts, "\n")+"\n"), 1)
	}
	return text
}

// onlyRows takes the COPY statements away.
func onlyRows(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "COPY ") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// TestScriptsAsTheyAreFoundCut cuts each of them at every statement, and between: none is taken
// for whole before the last thing that matters is there.
func TestScriptsAsTheyAreFoundCut(t *testing.T) {
	t.Parallel()
	for name, text := range around {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "backup")
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			for n := len(text) - 1; n > 0; n-- {
				if n%23 > 0 && text[n-1] != '\n' && text[n] != '\n' && text[n-1] != ';' {
					continue // near the ends of lines and statements every byte, else some
				}
				if err := os.Truncate(path, int64(n)); err != nil {
					t.Fatal(err)
				}
				a, err := Open(t.Context(), path, Options{})
				if err == nil && !has(a) && !seam(text[:n]) {
					t.Fatalf("cut to %d of %d bytes: it passes without all of public.a: %q", n, len(text), text[max(0, n-60):n])
				}
				if p := verdict.AsProblem(err); err != nil && (p.Code == verdict.CodeInternal || p.Hint == "" || strings.Contains(p.Hint, "edit")) {
					t.Fatalf("cut to %d of %d bytes: %v", n, len(text), err)
				}
			}
		})
	}
}

// has reports whether the table is there with its rows and its key.
func has(a *Archive) bool {
	for _, desc := range []string{"TABLE", "TABLE DATA", "CONSTRAINT"} {
		if !slices.ContainsFunc(a.Entries, func(e Entry) bool { return e.Desc == desc }) {
			return false
		}
	}
	return true
}

// seam tells that what is left is what a whole dump looks like by itself: of
// two in one file the second may be gone without a trace in the first.
func seam(text string) bool {
	i := strings.LastIndex(text, "\n"+dumpEnds+"\n--")
	return i > 0 && strings.Count(text[i:], "SET client_encoding = ") == 0 && !strings.Contains(text[i:], dumpBegins+"\n")
}

func TestWhatPsqlWouldLose(t *testing.T) {
	t.Parallel()
	plain := script(whole)
	named := func(name, body string) string {
		return script("CREATE DATABASE " + name + ";\n\\connect " + name + "\nSET client_encoding = 'UTF8';\n" + body)
	}
	multiline := strings.Replace(replaceRows(plain), "'one'", "'one\nmore'", 1)
	for _, c := range []struct {
		name, text, database string
		outcome              verdict.Outcome
		code                 verdict.Code
		says                 string
	}{
		{"twice", plain + plain, "", verdict.Error, verdict.CodeUnsupported, "two dumps stand in one file, from line 2 and from line "},
		{"two databases", plain + script(strings.ReplaceAll(whole, "public.a", "public.b")), "shop", verdict.Error, verdict.CodeUnsupported,
			"both make tables"},
		{"two schemas", script(tableA) + script(strings.ReplaceAll(tableA, "public.a", "public.b")), "", verdict.Error, verdict.CodeUnsupported,
			"both make tables"},
		{"a cluster without its end", strings.Split(globals, "--\n-- PostgreSQL database cluster dump complete")[0] + plain, "", verdict.Fail,
			verdict.CodeTruncated, clusterEnds},
		{"two named databases", named("shop", whole) + named("blog", whole), "", verdict.Error, verdict.CodeSpec, "several databases (blog, shop)"},
		{"another name", named("shop", whole) + named("blog", whole), "news", verdict.Fail, verdict.CodeDatabase, "no database news"},
		{"rows before tables", script(rowsA) + script(tableA), "", verdict.Error, verdict.CodeUnsupported, "the rows stand before the tables"},
		{"rows twice", script(tableA) + script(rowsA) + script(rowsA), "", verdict.Error, verdict.CodeUnsupported, "both bring rows of one table"},
		{"globals alone", globals, "shop", verdict.Fail, verdict.CodeDatabase, "--globals-only"},
		{"globals alone, unnamed", globals, "", verdict.Fail, verdict.CodeDatabase, "and no database"},
		{"the first one cut", plain[:len(plain)-60] + "\n" + plain, "", verdict.Fail, verdict.CodeTruncated, "another dump begins before the end"},
		{"the beginning cut", plain[strings.Index(plain, "SET "):], "", verdict.Fail, verdict.CodeTruncated, "whose beginning is missing"},
		{"no comments", uncommented(plain), "", verdict.Error, verdict.CodeUnsupported, "without pg_dump's comment lines"},
		{"no comments, two databases",
			sealed("CREATE DATABASE a;\n") + "\\connect a\n" + sealed("CREATE TABLE x ();\n") + "\\connect b\n" + sealed("CREATE TABLE y ();\n"), "a",
			verdict.Error, verdict.CodeUnsupported, "without pg_dump's comment lines"},
		{"no COMMIT", "BEGIN;\n" + plain, "", verdict.Fail, verdict.CodeTruncated, "without the COMMIT"},
		{"ROLLBACK", "BEGIN;\n" + plain + "ROLLBACK;\n", "", verdict.Error, verdict.CodeUnsupported, "begins with ROLLBACK"},
		{"left the transaction", "BEGIN;\n\\c shop\n" + plain, "", verdict.Fail, verdict.CodeTruncated, "leaves the session"},
		{"AUTOCOMMIT", "\\set AUTOCOMMIT off\n" + plain, "", verdict.Error, verdict.CodeUnsupported, `\set`},
		{"a message among the statements",
			strings.Replace(plain, "CREATE TABLE", "pg_dump: warning: there are circular foreign-key constraints\nCREATE TABLE", 1), "",
			verdict.Error, verdict.CodeUnsupported, "something other than SQL"},
		{"a message with a quote", strings.Replace(plain, "CREATE TABLE", "pg_dump: warning: can't say\nCREATE TABLE", 1), "",
			verdict.Error, verdict.CodeUnsupported, "something other than SQL"},
		{"Password", strings.Replace(plain, "--\n\n-- Dumped", "--\n\nPassword: \nCREATE SCHEMA s;\n-- Dumped", 1), "", verdict.Error, verdict.CodeUnsupported,
			"something other than SQL"},
		{"statements behind", plain + "GRANT SELECT ON TABLE public.a TO app;\n", "", verdict.Error, verdict.CodeUnsupported, "that no dump encloses"},
		{"rows behind", plain + rowsA, "", verdict.Error, verdict.CodeUnsupported, "that no dump encloses"},
		{"line ends of two kinds", strings.Replace(crlf(plain), "1\tone\r\n", "1\tone\n", 1), "", verdict.Fail, verdict.CodeCorrupt,
			"end with CR LF and some do not"},
		{"a lone CR in rows", strings.Replace(crlf(plain), "1\tone", "1\to\rne", 1), "", verdict.Fail, verdict.CodeCorrupt, "end with CR LF and some do not"},
		{"line ends within values", crlf(multiline), "", verdict.Fail, verdict.CodeCorrupt, "line ends within values"},
		{"a damaged word", strings.Replace(plain, "CREATE TABLE", "CREATE TABME", 1), "", verdict.Fail, verdict.CodeCorrupt, "one byte off"},
		{"another program's word", strings.Replace(plain, "CREATE TABLE", "CREATE PACKAGE p AS END;\nCREATE TABLE", 1), "", verdict.Error,
			verdict.CodeUnsupported, "CREATE"},
		{"a damaged key", strings.Replace(plain, "SET client", "\\restrict k,y\n\nSET client", 1), "", verdict.Fail, verdict.CodeCorrupt,
			`\restrict or \unrestrict`},
		{"UTF-16", "\xff\xfe" + utf16le(plain), "", verdict.Fail, verdict.CodeNotAnArchive, "UTF-16"},
		{"UTF-16 without a mark", utf16le(plain), "", verdict.Fail, verdict.CodeNotAnArchive, "UTF-16"},
	} {
		path := filepath.Join(t.TempDir(), "backup")
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Open(t.Context(), path, Options{Database: c.database})
		t.Run(c.name, func(t *testing.T) { wantProblem(t, err, c.outcome, c.code, c.says) })
		if err != nil && (strings.Contains(err.Error(), "hunter2") || strings.Contains(verdict.AsProblem(err).Hint, "edit")) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if a := openScript(t, []byte(crlf(replaceRows(plain)))); len(a.Entries) == 0 {
		t.Error("nothing was read")
	}
	for _, database := range []string{"shop", "blog"} {
		path := filepath.Join(t.TempDir(), "backup")
		if err := os.WriteFile(path, []byte(named("shop", whole)+named("blog", tableA)), 0o600); err != nil {
			t.Fatal(err)
		}
		a, err := Open(t.Context(), path, Options{Database: database})
		if err != nil || a.Database != database || a.HoldsRowsOf("public", "a") != (database == "shop") {
			t.Errorf("%s: %v, %+v", database, err, a)
		}
	}
}

func utf16le(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		b.Write([]byte{c, 0})
	}
	return b.String()
}

// TestRealClusterDumps reads what pg_dumpall and pg_dump write with their options.
func TestRealClusterDumps(t *testing.T) {
	t.Parallel()
	c := pgtest.Server(t)
	c.Exec("postgres", `CREATE ROLE app LOGIN PASSWORD 'hunter2'; CREATE ROLE reader; GRANT app TO reader; ALTER ROLE app SET work_mem = '8MB';
CREATE DATABASE "sh'op ""x" OWNER app; ALTER DATABASE "sh'op ""x" SET work_mem = '5MB'; ALTER DATABASE "sh'op ""x" IS_TEMPLATE true;`)
	const odd = `sh'op "x`
	c.Exec(odd, readFile(t, "testdata/small.sql")+"; ALTER TABLE a OWNER TO app")
	create := c.DumpBy("pg_dump", "-C", "--clean", "-d", odd)
	for name, data := range map[string][]byte{
		"clean":               c.DumpBy("pg_dumpall", "--clean"),
		"clean if":            c.DumpBy("pg_dumpall", "--clean", "--if-exists", "--quote-all-identifiers"),
		"inserts":             c.DumpBy("pg_dumpall", "--rows-per-insert=2"),
		"globals and -C":      slices.Concat(c.DumpBy("pg_dumpall", "--globals-only"), create),
		"roles after -C":      slices.Concat(create, c.DumpBy("pg_dumpall", "--roles-only", "--clean")),
		"CR LF":               []byte(crlf(string(c.DumpBy("pg_dumpall", "--clean")))),
		"-C, then the rest":   slices.Concat(create, c.DumpBy("pg_dump", "-C", "--clean", "--if-exists", "-d", "postgres")),
		"schema, then rows":   slices.Concat(c.DumpBy("pg_dump", "-C", "-s", "-d", odd), c.DumpBy("pg_dump", "-a", "--disable-triggers", "-d", odd)),
		"schema and rows, -C": slices.Concat(c.DumpBy("pg_dump", "-C", "-s", "-d", odd), c.DumpBy("pg_dump", "-C", "-a", "-d", odd)),
	} {
		path := filepath.Join(t.TempDir(), "backup")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		a, err := Open(t.Context(), path, Options{Database: odd})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if a.Database != odd || !a.HoldsRowsOf("public", "a") || !a.Makes("public", "a") || a.DataOnly() {
			t.Errorf("%s: %q, %+v", name, a.Database, a.Entries)
		}
		roles := strings.Contains(string(data), "CREATE ROLE") && name != "roles after -C" // too late for owners and grants
		if roles != slices.Contains(a.ClusterRoles, "app") || !slices.Contains(a.Roles(), "app") {
			t.Errorf("%s: cluster roles %q, roles %q", name, a.ClusterRoles, a.Roles())
		}
		for _, e := range a.Entries {
			if bytes.Contains([]byte(e.Defn), []byte("SCRAM")) {
				t.Errorf("%s: a password is kept", name)
			}
		}
	}
}

// What the superuser sets for its sessions holds once psql connects to a
// database, and not before.
func TestSettingsOfTheSuperuser(t *testing.T) {
	t.Parallel()
	const globals = "CREATE ROLE postgres;\nALTER ROLE postgres WITH SUPERUSER LOGIN PASSWORD 'hunter2';\nALTER ROLE postgres SET \"app.tenant\" TO 't1';\n" +
		"CREATE ROLE app;\nALTER ROLE app SET work_mem TO '1MB';\n"
	const connect = "CREATE DATABASE shop;\nALTER ROLE postgres IN DATABASE shop SET \"app.tenant\" TO 't2';\n\\connect shop\n"
	for text, want := range map[string][]string{
		globals + connect + script(whole): {`ALTER ROLE postgres IN DATABASE "shop" SET "app.tenant" TO 't1'`,
			`ALTER ROLE postgres IN DATABASE shop SET "app.tenant" TO 't2'`},
		globals + script(whole): nil,
	} {
		var got []string
		for _, sql := range openScript(t, []byte(text)).DatabaseProperties() {
			if strings.Contains(sql, "SET") {
				got = append(got, strings.TrimSuffix(strings.TrimSpace(sql), ";"))
			}
		}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}
