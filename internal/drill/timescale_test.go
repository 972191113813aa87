package drill_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"daybefore/internal/image"
	"daybefore/internal/pgtest"
	"daybefore/internal/sandbox"
	"daybefore/internal/testneed"
	"daybefore/internal/verdict"
)

// madeUpTimescale is an extension that demands of a restore what TimescaleDB
// does: its library, a call before and one after, rows of a catalog that its own
// trigger sifts. It writes down what it was told.
var madeUpTimescale = map[string]string{
	"timescaledb.control": "comment = 'made up'\ndefault_version = '1'\nrelocatable = false\n",
	"timescaledb--1.sql": `
DO $$ BEGIN
  IF current_setting('shared_preload_libraries') !~ 'timescaledb' THEN
    RAISE EXCEPTION 'extension "timescaledb" must be preloaded';
  END IF;
END $$;
CREATE SCHEMA _timescaledb_catalog;
CREATE SCHEMA _timescaledb_internal;
CREATE TABLE _timescaledb_catalog.told (step text);
CREATE TABLE _timescaledb_catalog.metadata (key text PRIMARY KEY, value text);
INSERT INTO _timescaledb_catalog.metadata VALUES ('made', 'here');
SELECT pg_catalog.pg_extension_config_dump('_timescaledb_catalog.metadata', '');
CREATE FUNCTION _timescaledb_catalog.sift() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF EXISTS (SELECT FROM _timescaledb_catalog.metadata WHERE key = NEW.key) THEN RETURN NULL; END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER sift BEFORE INSERT ON _timescaledb_catalog.metadata
  FOR EACH ROW EXECUTE FUNCTION _timescaledb_catalog.sift();
CREATE FUNCTION timescaledb_pre_restore() RETURNS bool LANGUAGE sql AS $$
  INSERT INTO _timescaledb_catalog.told SELECT 'pre ' || count(*) FROM pg_catalog.pg_class WHERE relname = 'cpu' RETURNING true $$;
CREATE FUNCTION timescaledb_post_restore() RETURNS bool LANGUAGE sql AS $$
  INSERT INTO _timescaledb_catalog.told SELECT 'post ' || count(*) FROM pg_catalog.pg_indexes WHERE indexname = 'by_host' RETURNING true $$;
`,
}

const madeUpChunks = `
CREATE EXTENSION timescaledb;
CREATE TABLE cpu (at timestamptz, host text, usage float8); CREATE INDEX by_host ON cpu (host);
CREATE TABLE _timescaledb_internal._hyper_1_1_chunk () INHERITS (public.cpu);
CREATE TABLE _timescaledb_internal._hyper_1_2_chunk () INHERITS (public.cpu);
INSERT INTO _timescaledb_internal._hyper_1_1_chunk SELECT '2026-01-01', 'h' || g, g FROM generate_series(1, 700) g;
INSERT INTO _timescaledb_internal._hyper_1_2_chunk SELECT '2026-01-02', 'h' || g, g FROM generate_series(1, 800) g;`

const realChunks = `
CREATE EXTENSION timescaledb;
CREATE TABLE cpu (at timestamptz NOT NULL, host text, usage float8); CREATE INDEX by_host ON cpu (host);
SELECT create_hypertable('cpu', 'at', chunk_time_interval => interval '1 day');
INSERT INTO cpu SELECT timestamptz '2026-01-01' + g * interval '10 min', 'h' || g, g FROM generate_series(1, 1500) g;`

// debianExtensions is an image with extensions as Debian has them, built where it
// is missing.
func debianExtensions(t *testing.T) string {
	t.Helper()
	const tag = "daybefore-test-debian:17"
	there, err := image.Exists(t.Context(), tag)
	if err == nil && !there {
		err = image.Build(t.Context(), image.Options{Major: 17, Tag: tag, Packages: []string{"postgresql-17-timescaledb",
			"postgresql-17-postgis-3", "postgresql-17-pgvector", "postgresql-17-cron", "postgresql-17-partman"}})
	}
	if err != nil {
		t.Fatal(err)
	}
	return tag
}

// What TimescaleDB demands of a restore is done without a word of the drill file:
// in CI with an extension that demands the same, under dev:matrix with the real
// one besides. A hypertable is one table.
func TestTimescaleDBPasses(t *testing.T) {
	t.Parallel()
	t.Run("made up", func(t *testing.T) {
		t.Parallel()
		img := pgtest.WithExtensions(t, "postgres:17", madeUpTimescale, "timescaledb")
		dump := timescaleDump(t, img, madeUpChunks)
		told := `failed_rows: [{name: told, fail_if: "> 0", sql: "select 1 where (select string_agg(step, ', ' order by step desc) ` +
			`from _timescaledb_catalog.told) is distinct from 'pre 0, post 1'"}]`
		passesTimescale(t, img, dump, told, "")
	})
	if testneed.Matrix() {
		t.Run("real", func(t *testing.T) {
			t.Parallel()
			img := debianExtensions(t)
			passesTimescale(t, img, timescaleDump(t, img, realChunks), "roles: [postgres]", `,
    {column: _timescaledb_catalog.continuous_agg_migrate_plan_step.config, preserve: true, why: TimescaleDB's own},
    {column: _timescaledb_config.bgw_job.config, preserve: true, why: TimescaleDB's own}`)
		})
	}
}

// An image without the parts under the Timescale License says nothing of a backup
// that needs them, and the report says what is missing.
func TestTimescaleDBWithoutItsLicense(t *testing.T) {
	t.Parallel()
	if !testneed.Matrix() {
		t.Skip("tried by dev:matrix, which has an image with TimescaleDB")
	}
	img := debianExtensions(t)
	source := pgtest.Container(t, img, "shared_preload_libraries=timescaledb")
	source.Exec("postgres", "CREATE DATABASE metrics TEMPLATE template0")
	source.Exec("metrics", `CREATE EXTENSION timescaledb; CREATE TABLE packed (c _timescaledb_internal.compressed_data);
		CREATE TABLE t (id int); INSERT INTO t VALUES (1)`)
	const empty = "COPY public.packed (c) FROM stdin;\n"
	dump := bytes.Replace(source.Dump("-Fp", "metrics"), []byte(empty), []byte(empty+"BAAA\n"), 1)
	d := drillInto(t, dump, "jobs: 1")
	d.Sandbox.Image, d.Expectations.Errors = img, nil
	d.Scrub = load(t, sandbox.Container, `
version: 1
source: {url: "file:///tmp", name: "x-{time}", time: 20060102T150405Z}
expectations: {tables: [{table: public.t, row_count: {min: 1}}]}
scrub:
  rules:
    - {column: public.packed.c, preserve: true, why: x}
    - {column: _timescaledb_catalog.continuous_agg_migrate_plan_step.config, preserve: true, why: x}
    - {column: _timescaledb_config.bgw_job.config, preserve: true, why: x}
`).Scrub
	r := run(t, t.Context(), d)
	if c := checkNamed(r, "restore_errors"); r.Outcome != verdict.Error || !strings.Contains(c.Hint, "Timescale License") {
		t.Errorf("%s\n%s\n%+v", r.Outcome, worst(r), c)
	}
}

// An extension whose control file names no version is the image's fault.
func TestAnExtensionWithoutAVersion(t *testing.T) {
	t.Parallel()
	img := pgtest.WithExtensions(t, "postgres:17", map[string]string{"noversion.control": "comment = 'made up'\n"})
	d := drillInto(t, []byte(`--
-- PostgreSQL database dump
--

CREATE EXTENSION IF NOT EXISTS noversion WITH SCHEMA public;
CREATE TABLE public.t (id int);
COPY public.t (id) FROM stdin;
1
\.

--
-- PostgreSQL database dump complete
--
`), "jobs: 1")
	d.Sandbox.Image, d.Expectations.Errors = img, nil
	r := run(t, t.Context(), d)
	if c := checkNamed(r, "restore_errors"); r.Outcome != verdict.Error || !strings.Contains(c.Hint, "default_version") {
		t.Errorf("%s\n%s\n%+v", r.Outcome, worst(r), c)
	}
}

func timescaleDump(t *testing.T, img, sql string) []byte {
	t.Helper()
	source := pgtest.Container(t, img, "shared_preload_libraries=timescaledb")
	source.Exec("postgres", "CREATE DATABASE metrics TEMPLATE template0")
	source.Exec("metrics", sql)
	return source.Dump("-Fc", "metrics")
}

func passesTimescale(t *testing.T, img string, dump []byte, expected, rules string) {
	t.Helper()
	store := t.TempDir()
	if err := os.WriteFile(filepath.Join(store, "x-20260103T000000Z.dump"), dump, 0o600); err != nil {
		t.Fatal(err)
	}
	r := run(t, t.Context(), load(t, sandbox.Container, fmt.Sprintf(`
version: 1
source: {url: "file://%s", name: "x-{time}.dump", time: 20060102T150405Z, time_tolerance: 200000h}
sandbox: {image: %q}
scrub:
  rules: [{column: public.cpu.host, transform: hash}%s]
expectations:
  tables: [{table: public.cpu, row_count: {equals: 1500}}]
  %s
`, store, img, rules, expected)))
	if r.Outcome != verdict.Pass {
		t.Fatalf("%s\n%s\n%+v", r.Outcome, worst(r), r.Checks)
	}
	if !slices.Equal(r.Sandbox.Preloaded, []string{"timescaledb"}) {
		t.Errorf("preloaded %q", r.Sandbox.Preloaded)
	}
	for _, table := range r.Tables {
		switch {
		case table.Name == "public.cpu" && (table.RowsHeld != 1500 || table.RowsPassed != 1500):
			t.Errorf("%+v", table)
		case strings.Contains(table.Name, "chunk") && strings.HasPrefix(table.Name, "_timescaledb_internal."):
			t.Errorf("%s is told as a table of its own", table.Name)
		}
	}
	if c := checkNamed(r, "scrub:public.cpu.host"); !strings.HasPrefix(c.Observed, "1500 rewritten") {
		t.Errorf("%+v", c)
	}
}

// Extensions that a Debian package brings pass without a word of the drill file,
// save the library of pg_cron, whose jobs are not restored and do not run.
func TestExtensionsOfDebianPass(t *testing.T) {
	t.Parallel()
	if !testneed.Matrix() {
		t.Skip("tried by dev:matrix, which has an image with these extensions")
	}
	img := debianExtensions(t)
	source := pgtest.Container(t, img, "shared_preload_libraries=pg_cron", "cron.database_name=metrics")
	source.Exec("postgres", "CREATE DATABASE metrics TEMPLATE template0")
	source.Exec("metrics", `CREATE EXTENSION pg_cron; CREATE EXTENSION vector; CREATE EXTENSION postgis;
CREATE SCHEMA partman; CREATE EXTENSION pg_partman SCHEMA partman;
CREATE TABLE t (id int, v vector(3), g geometry); CREATE INDEX ON t USING hnsw (v vector_l2_ops);
CREATE INDEX ON t USING gist (g);
INSERT INTO t SELECT n, array[n, 1, 2]::float4[]::vector, ST_MakePoint(n, n) FROM generate_series(1, 500) n;
CREATE TABLE parts (at timestamptz NOT NULL, n int) PARTITION BY RANGE (at);
SELECT partman.create_parent('public.parts', 'at', '1 day');
INSERT INTO parts VALUES (now(), 1);
SELECT cron.schedule('nightly', '0 3 * * *', 'SELECT 1')`)
	d := drillInto(t, source.Dump("-Fc", "metrics"), "jobs: 2")
	d.Sandbox.Image = img
	d.Scrub.Unmatched = "redact" // geometry can hold anything
	r := run(t, t.Context(), d)
	if r.Outcome != verdict.Pass {
		t.Errorf("%s\n%s\n%+v", r.Outcome, worst(r), r.Checks)
	}
	if !slices.Equal(r.Sandbox.Preloaded, []string{"pg_cron"}) {
		t.Errorf("preloaded %q", r.Sandbox.Preloaded)
	}
}
