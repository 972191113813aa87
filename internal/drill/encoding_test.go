package drill_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"daybefore/internal/drill"
	"daybefore/internal/pgtest"
	"daybefore/internal/sandbox"
	"daybefore/internal/verdict"
)

// foreignNames is a schema whose every kind of name has letters that are not
// ASCII's. One table is large enough to be emptied before it is loaded.
const foreignNames = `
SET client_encoding = 'UTF8';
CREATE SCHEMA "Verkäufe";
CREATE TYPE "Verkäufe"."Stückelung" AS ENUM ('groß', 'klein');
CREATE TABLE "Verkäufe"."Kunden-Größe" ("Schlüssel" int CONSTRAINT "Primärschlüssel" PRIMARY KEY, "E-Mail des Empfängers" text, "Straße" text,
  "größe" "Verkäufe"."Stückelung",
	CONSTRAINT "über null" CHECK ("Schlüssel" > 0));
INSERT INTO "Verkäufe"."Kunden-Größe" SELECT n, 'jörg' || n || '@example.com', repeat('Müllerstraße ', 20) || n, 'groß' FROM generate_series(1, 400) AS n;
CREATE UNIQUE INDEX "Adressübersicht" ON "Verkäufe"."Kunden-Größe" ("E-Mail des Empfängers");
CREATE TABLE public.café (id int PRIMARY KEY, "schlüssel" int CONSTRAINT "gehört zu" REFERENCES "Verkäufe"."Kunden-Größe" ("Schlüssel"));
INSERT INTO public.café SELECT n, n FROM generate_series(1, 7) AS n;
CREATE TABLE public."Prüfspur" (id int, "Gerät" inet);
INSERT INTO public."Prüfspur" VALUES (1, '192.0.2.7');
CREATE TABLE public."gemäß" (jahr int, "Größe" int) PARTITION BY RANGE (jahr);
CREATE TABLE public."gemäß 2026" PARTITION OF public."gemäß" FOR VALUES FROM (2026) TO (2027);
INSERT INTO public."gemäß" VALUES (2026, 1), (2026, 2);
CREATE VIEW public."Überblick" AS SELECT "Straße" FROM "Verkäufe"."Kunden-Größe";
CREATE MATERIALIZED VIEW public."Überschuß" AS SELECT count(*) AS "Anzahl der Schlüssel" FROM "Verkäufe"."Kunden-Größe";
COMMENT ON TABLE public.café IS 'für Gäste';
CREATE ROLE "Prüfer";
ALTER TABLE public.café OWNER TO "Prüfer";
GRANT SELECT ON "Verkäufe"."Kunden-Größe" TO "Prüfer";
`

const foreignDrill = `
version: 1
source: {url: "file://%s", name: "p-{time}.bak", time: "20060102", time_tolerance: 999999h, timezone: UTC}
expectations:
  roles: ["Prüfer"]
  tables:
    - {table: Verkäufe.Kunden-Größe, row_count: {equals: 400}}
    - {table: public.café, row_count: {equals: 7}, relationships: [{column: schlüssel, references: "Verkäufe.Kunden-Größe.Schlüssel"}]}
    - {table: public.gemäß, row_count: {equals: 2}}
    - {table: public.Überschuß}
scrub:
  exclude_table_data: [public.Prüf*]
  rules:
    - {column: 'Verkäufe.Kunden-Größe."E-Mail des Empfängers"', transform: email}
    - {column: Verkäufe.*.Straße, transform: street, locale: de_DE}
`

// Names are the same ones in a dump of any encoding, in its database and in the
// drill file.
func TestNamesInOtherEncodings(t *testing.T) {
	t.Parallel()
	// Roles belong to a cluster, and are written as the database was that made
	// them: so each has one of its own.
	latin := pgtest.Server(t)
	unicode := pgtest.Server(t)
	latin.Exec("postgres", `CREATE DATABASE latin1 ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0`)
	latin.Exec("latin1", foreignNames+`COMMENT ON DATABASE latin1 IS 'für Gäste'; ALTER DATABASE latin1 SET application_name = 'Gasthof';`)
	// Names of databases are the cluster's, too.
	latin.Exec("postgres",
		`CREATE DATABASE "Läden" ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0; COMMENT ON DATABASE "Läden" IS 'für Gäste'; ALTER DATABASE "Läden" SET `+
			`work_mem = '8MB'`)
	latin.Exec("Läden", strings.Replace(foreignNames, `CREATE ROLE "Prüfer";`, "", 1))
	unicode.Exec("postgres", foreignNames)
	for name, args := range map[string][]string{
		"LATIN1 custom":              {"-Fc", "latin1"},
		"LATIN1 custom inserts":      {"-Fc", "--column-inserts", "latin1"},
		"LATIN1 plain":               {"-Fp", "latin1"},
		"LATIN1 plain inserts":       {"-Fp", "--column-inserts", "latin1"},
		"LATIN1 with its database":   {"-Fp", "-C", "latin1"},
		"LATIN1 in a named database": {"-Fc", "Läden"},
		"LATIN1 plain with a name":   {"-Fp", "-C", "Läden"},
		"LATIN1 in UTF8":             {"-Fc", "-E", "UTF8", "latin1"},
		"LATIN1 as it is":            {"-Fc", "-E", "SQL_ASCII", "latin1"},
		"UTF8 in LATIN9":             {"-Fc", "-E", "LATIN9", "postgres"},
		"UTF8 in LATIN9 plain":       {"-Fp", "-E", "LATIN9", "postgres"},
		"UTF8 in LATIN9 by database": {"-Fp", "-C", "--inserts", "-E", "LATIN9", "postgres"},
		"UTF8 in WIN1252":            {"-Fc", "--inserts", "-E", "WIN1252", "postgres"},
		"UTF8":                       {"-Fc", "postgres"},
	} {
		source := latin
		if args[len(args)-1] == "postgres" {
			source = unicode
		}
		dump := source.Dump(args...)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := t.TempDir()
			if err := os.WriteFile(filepath.Join(store, "p-20260304.bak"), dump, 0o600); err != nil {
				t.Fatal(err)
			}
			var comment string
			r := run(t, t.Context(), load(t, sandbox.Local, fmt.Sprintf(foreignDrill, store)), func(req *drill.Request) {
				req.Inspect = func(ctx context.Context, box sandbox.Box) {
					conn, err := box.DB().Connect(ctx, "latin1")
					if err != nil {
						return
					}
					defer conn.Close(ctx)
					_ = conn.QueryRow(ctx,
						"select coalesce(shobj_description(oid, 'pg_database'), '') from pg_database where datname = 'latin1'").Scan(&comment)
				}
			})
			for _, c := range r.Checks {
				if c.Outcome != verdict.Pass && c.Outcome != verdict.Skipped {
					t.Errorf("%s: %s: %s %s", c.ID, c.Outcome, c.Observed, c.Message)
				}
			}
			if r.Outcome != verdict.Pass {
				t.Fatalf("%s\n%s", r.Outcome, worst(r))
			}
			var held []string
			for _, table := range r.Tables {
				held = append(held, fmt.Sprintf("%s %d %t", table.Name, table.RowsHeld, table.Excluded))
			}
			leaf := "public.gemäß 2026"
			if strings.Contains(strings.Join(args, " "), "inserts") { // which may have gone through the root
				leaf = "public.gemäß"
			}
			if want := []string{"Verkäufe.Kunden-Größe 400 false", "public.Prüfspur 0 true", "public.café 7 false", leaf + " 2 false"}; !slices.Equal(held,
				want) {
				t.Errorf("%q, want %q", held, want)
			}
			if r.Messages.Errors+r.Messages.Warnings+r.Messages.Notices > 0 {
				t.Errorf("%+v", r.Messages)
			}
			if r.Backup.Database == "latin1" && comment != "für Gäste" {
				t.Errorf("the comment on the database is %q", comment)
			}
		})
	}
}

// A database that is named in another encoding cannot be made under its name:
// that is no fault of the backup's.
func TestADatabaseNamedInAnotherEncoding(t *testing.T) {
	t.Parallel()
	source := pgtest.Server(t)
	source.Exec("postgres", `CREATE DATABASE latin1 ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0`)
	source.Exec("latin1", "SET client_encoding = 'UTF8'; CREATE DATABASE \"Läden\" ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
	source.Exec("L\xe4den", `CREATE TABLE a (id int); INSERT INTO a VALUES (1)`)
	for name, args := range map[string][]string{"custom": {"-Fc"}, "plain": {"-Fp", "-C"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := t.TempDir()
			if err := os.WriteFile(filepath.Join(store, "p-20260304.bak"), source.Dump(append(args, "L\xe4den")...), 0o600); err != nil {
				t.Fatal(err)
			}
			r := run(t, t.Context(), load(t, sandbox.Local, fmt.Sprintf(`
version: 1
source: {url: "file://%s", name: "p-{time}.bak", time: "20060102", time_tolerance: 999999h, timezone: UTC}
expectations: {tables: [{table: public.a, row_count: {equals: 1}}]}
`, store)))
			if r.Outcome != verdict.Error || !strings.Contains(worst(r), string(verdict.CodeUnsupported)) || !strings.Contains(worst(r), `L\xe4den`) {
				t.Errorf("%s\n%s", r.Outcome, worst(r))
			}
		})
	}
}
