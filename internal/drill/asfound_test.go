package drill_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"daybefore/internal/pgtest"
	"daybefore/internal/sandbox"
	"daybefore/internal/verdict"
)

const foundDrill = `
version: 1
source: {url: "file://%s", name: "p-{time}.bak", time: "20060102", time_tolerance: 999999h, timezone: UTC, database: shop}
restore: {roles: fail}
expectations:
  tables:
    - {table: public.items, row_count: {equals: 200}}
    - {table: public.parts, row_count: {equals: 50}, relationships: [{column: item, references: public.items.id}]}
scrub:
  exclude_table_data: [public.spare]
`

// TestDumpsAsTheyAreFound drills plain dumps that psql restores whole.
func TestDumpsAsTheyAreFound(t *testing.T) {
	t.Parallel()
	c := pgtest.Server(t)
	c.Exec("postgres", `CREATE ROLE app LOGIN PASSWORD 'hunter2'; CREATE ROLE reader; GRANT app TO reader;
CREATE DATABASE shop OWNER app; CREATE DATABASE billing`)
	c.Exec("shop", `
CREATE TABLE public.items (id int PRIMARY KEY, label text NOT NULL);
INSERT INTO public.items SELECT g, 'item ' || g FROM generate_series(1, 200) g;
CREATE TABLE public.parts (id int PRIMARY KEY, item int REFERENCES public.items);
INSERT INTO public.parts SELECT g, g FROM generate_series(1, 50) g;
CREATE TABLE public.spare (note text);
INSERT INTO public.spare SELECT md5(g::text) FROM generate_series(1, 100) g;
CREATE INDEX by_label ON public.items (label);
ALTER TABLE public.items OWNER TO app; GRANT SELECT ON public.items TO reader;`)
	old := func(args ...string) []byte { // as a pg_dump before 10.3 wrote names
		dump := string(c.Dump(append(args, "--no-owner", "--no-privileges", "-d", "shop")...))
		dump = strings.Replace(dump, "SELECT pg_catalog.set_config('search_path', '', false);", "SET search_path = public, pg_catalog;", 1)
		return []byte(strings.ReplaceAll(dump, "public.", ""))
	}
	globals := c.DumpBy("pg_dumpall", "--globals-only")
	created := c.Dump("-C", "-d", "shop")
	custom := c.Dump("-Fc", "-d", "shop")
	for name, f := range map[string]struct {
		dump []byte
		want verdict.Outcome
		says string
	}{
		"pg_dumpall --clean":       {c.DumpBy("pg_dumpall", "--clean", "--if-exists"), verdict.Pass, ""},
		"globals and -C, in CR LF": {bytes.ReplaceAll(slices.Concat([]byte("\xef\xbb\xbf"), globals, created), []byte("\n"), []byte("\r\n")), verdict.Pass, ""},
		"schema, then rows":        {slices.Concat(globals, c.Dump("-s", "-d", "shop"), c.Dump("-a", "--disable-triggers", "-d", "shop")), verdict.Pass, ""},
		"search_path, inserts":     {old("--inserts"), verdict.Pass, ""},
		"archive by search_path":   {oldArchive(c.Dump("-Fc", "-Z0", "--no-owner", "--no-privileges", "-d", "shop")), verdict.Pass, ""},
		"-C without its roles":     {created, verdict.Fail, "app, reader"},
		"damage in spared rows":    {damaged(t, custom), verdict.Fail, string(verdict.CodeCorrupt)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := t.TempDir()
			if err := os.WriteFile(filepath.Join(store, "p-20260304.bak"), f.dump, 0o600); err != nil {
				t.Fatal(err)
			}
			d := load(t, sandbox.Local, fmt.Sprintf(foundDrill, store))
			if strings.HasPrefix(name, "archive") { // which names its owners
				d.Expectations.Roles = []string{"app"}
			}
			r := run(t, t.Context(), d)
			told := fmt.Sprintf("%s\n%+v", worst(r), r.Checks)
			if r.Outcome != f.want || !strings.Contains(told, f.says) || strings.Contains(told, "hunter2") || strings.Contains(told, "SCRAM") {
				t.Errorf("%s\n%s", r.Outcome, told)
			}
			if others := strings.Join(r.Backup.OtherDatabases, ","); strings.HasPrefix(name, "pg_dumpall") && others != "billing" {
				t.Errorf("other databases: %q", others)
			}
		})
	}
}

// damaged flips a byte of the last block, which is that of public.spare.
func damaged(t *testing.T, dump []byte) []byte {
	t.Helper()
	out := bytes.Clone(dump)
	out[len(out)-200] ^= 0x10
	return out
}

// oldArchive is an archive as a pg_dump before 10.3 wrote it: names have no
// schema, and pg_restore sets search_path to that of each entry.
func oldArchive(dump []byte) []byte {
	dump = bytes.ReplaceAll(dump, []byte("public."), []byte("       "))
	return bytes.ReplaceAll(dump, []byte("SEARCHPATH"), []byte("SEARCHPLAN"))
}
