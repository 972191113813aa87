package archive

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"daybefore/internal/pgtest"
)

// foreignObjects are some with letters of an alphabet in every name: %[1]s.
const foreignObjects = `SET client_encoding = 'UTF8';
CREATE SCHEMA "s %[1]s"; CREATE ROLE "role %[1]s";
CREATE TABLE "s %[1]s"."t %[1]s" ("c %[1]s" int CONSTRAINT "k %[1]s" PRIMARY KEY, plain text DEFAULT '%[1]s', CONSTRAINT "not %[1]s" CHECK (plain <> '%[1]s\'));
INSERT INTO "s %[1]s"."t %[1]s" VALUES (1, 'x');
CREATE INDEX "i %[1]s" ON "s %[1]s"."t %[1]s" (plain);
ALTER TABLE "s %[1]s"."t %[1]s" OWNER TO "role %[1]s";
COMMENT ON TABLE "s %[1]s"."t %[1]s" IS '%[1]s'; `

// A dump of any encoding tells the same names and SQL, in UTF-8, and keeps its
// COPY statements to the byte.
func TestNamesOfEveryEncoding(t *testing.T) {
	t.Parallel()
	for letters, encodings := range map[string][]string{
		"äöüß é": {"LATIN1", "LATIN9", "WIN1252"},
		"表ソ能":    {"SJIS", "EUC_JP", "GB18030"}, // whose second byte is a backslash in SJIS
		"Яблоко": {"KOI8R", "WIN1251", "ISO_8859_5"},
	} {
		source := pgtest.Server(t)
		source.Exec("postgres", fmt.Sprintf(foreignObjects, letters))
		for _, args := range [][]string{{"-Fc"}, {"-Fp"}, {"-Fp", "-C", "--column-inserts"}, {"-Fc", "--inserts"}} {
			want, _ := toldOf(t, source.Dump(append(args, "-E", "UTF8", "postgres")...))
			for _, encoding := range encodings {
				t.Run(encoding+strings.Join(args, " "), func(t *testing.T) {
					dump := source.Dump(append(args, "-E", encoding, "postgres")...)
					got, copies := toldOf(t, dump)
					if diff := gocmp.Diff(want, got); diff != "" {
						t.Error(diff)
					}
					for _, c := range copies {
						if !strings.Contains(string(dump), c) || strings.Contains(c, letters) {
							t.Errorf("%q is not what the dump has", c)
						}
					}
				})
			}
		}
	}
}

// toldOf is what an archive tells, save how it is encoded, and its COPY statements.
func toldOf(t *testing.T, dump []byte) (told, copies []string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "dump")
	if err := os.WriteFile(path, dump, 0o600); err != nil {
		t.Fatal(err)
	}
	a, err := Open(context.Background(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	told = a.Roles()
	for _, e := range a.Entries {
		if e.Desc == "ENCODING" {
			continue
		}
		told = append(told, fmt.Sprintf("%d %s %q %q %q %q %q %v", e.DumpID, e.Desc, e.Namespace, e.Tag, e.Owner, e.Defn, a.UTF8(e.CopyStmt), e.Deps))
		if e.CopyStmt != "" {
			copies = append(copies, e.CopyStmt)
		}
		if e.Desc == "TABLE DATA" && a.Format == Plain && e.Inserts() {
			rows, err := a.Rows(e)
			if err != nil {
				t.Fatal(err)
			}
			target, err := a.InsertReader(rows, e.Namespace).Next()
			told = append(told, fmt.Sprintf("%+v %v", target, err))
			rows.Close()
		}
	}
	return told, copies
}

// What an archive calls things is told, and nothing that stands in its strings.
func TestNames(t *testing.T) {
	t.Parallel()
	source := pgtest.Server(t)
	source.Exec("postgres", `
CREATE SCHEMA "s s"; CREATE TABLE "s s"."t.t" ("c c" int DEFAULT 7 CONSTRAINT "k k" CHECK ("c c" < 9), txt text DEFAULT 'stringword');
CREATE FUNCTION fun(arg int) RETURNS int LANGUAGE plpgsql AS 'DECLARE bodyword int; BEGIN RETURN 1; END';
COMMENT ON TABLE "s s"."t.t" IS 'commentword'; CREATE TYPE mood AS ENUM ('labelword'); CREATE INDEX ix ON "s s"."t.t" (txt);
INSERT INTO "s s"."t.t" VALUES (1, 'rowword')`)
	for _, args := range [][]string{{"-Fc"}, {"-Fp"}, {"-Fp", "--inserts"}} {
		path := filepath.Join(t.TempDir(), "dump")
		if err := os.WriteFile(path, source.Dump(append(args, "postgres")...), 0o600); err != nil {
			t.Fatal(err)
		}
		a, err := Open(t.Context(), path, Options{})
		if err != nil {
			t.Fatal(err)
		}
		names := map[string]bool{}
		for name := range a.Names() {
			names[name] = true
		}
		for _, want := range []string{"s s", "t.t", "c c", "k k", "txt", "fun", "arg", "mood", "ix", "postgres"} {
			if !names[want] {
				t.Errorf("%v: %q is not told", args, want)
			}
		}
		for _, hidden := range []string{"stringword", "bodyword", "commentword", "labelword", "rowword"} {
			if names[hidden] {
				t.Errorf("%v: %q is told", args, hidden)
			}
		}
	}
}
