package restore_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/jackc/pgx/v5"

	"daybefore/internal/archive"
	"daybefore/internal/pgtest"
	"daybefore/internal/restore"
	"daybefore/internal/sandbox"
	"daybefore/internal/testneed"
	"daybefore/internal/verdict"
)

// nasty is what careless readers of dumps trip over, each seen on a real
// server; TRAPS under Streaming.
const nasty = `
CREATE ROLE owner_of_things; CREATE ROLE "reader; DROP";
CREATE TABLE plain (id int, t text);
INSERT INTO plain VALUES (1, 'COPY public.plain (id, t) FROM stdin;'), (2, E'\\.'), (3, E'tab\tand\nnewline'), (4, NULL), (5, '\N');
ALTER TABLE plain OWNER TO owner_of_things;
GRANT SELECT ON plain TO "reader; DROP";
CREATE TABLE "x; COPY
COPY y FROM stdin;" (id int);
INSERT INTO "x; COPY
COPY y FROM stdin;" SELECT generate_series(1, 10);
CREATE TABLE no_columns ();
INSERT INTO no_columns SELECT FROM generate_series(1, 4);
CREATE TABLE long_rows (id int, t text);
INSERT INTO long_rows SELECT n, repeat('0123456789', 300000) FROM generate_series(1, 3) n;
CREATE TYPE color AS ENUM ('red', 'green', 'blue');
CREATE TABLE by_hash (c color, n int) PARTITION BY HASH (c);
CREATE TABLE by_hash_0 PARTITION OF by_hash FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE by_hash_1 PARTITION OF by_hash FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO by_hash SELECT (ARRAY['red','green','blue'])[1 + n % 3]::color, n FROM generate_series(1, 300) n;
CREATE TABLE by_range (d date, n int) PARTITION BY RANGE (d);
CREATE TABLE by_range_a PARTITION OF by_range FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE by_range_b PARTITION OF by_range FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
INSERT INTO by_range SELECT date '2026-01-01' + n, n FROM generate_series(0, 50) n;
CREATE TABLE parent (id int); CREATE TABLE child (extra text) INHERITS (parent);
INSERT INTO parent VALUES (1); INSERT INTO child VALUES (2, 'two'), (3, 'three');
CREATE TABLE numbered (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n int NOT NULL, twice int GENERATED ALWAYS AS (n * 2) STORED);
INSERT INTO numbered (n) SELECT generate_series(1, 100);
CREATE TABLE points_at (id int REFERENCES numbered (id));
INSERT INTO points_at SELECT id FROM numbered;
CREATE MATERIALIZED VIEW summed AS SELECT sum(n) AS s FROM numbered;
CREATE TABLE empty (id int);
ALTER DATABASE postgres SET work_mem = '8MB';
`

// target is a sandbox with an archive in it.
type target struct {
	*restore.Session
	box     sandbox.Box
	archive *archive.Archive
}

// open puts a dump into a new sandbox, ready to be restored.
func open(t *testing.T, dump []byte, kind string, opts restore.Options) target {
	t.Helper()
	major := 15
	if kind == "container" {
		major = 17
	}
	return openOn(t, dump, kind, major, opts)
}

// openOn is open on a server of a major version, of an image where one is named.
func openOn(t *testing.T, dump []byte, kind string, major int, opts restore.Options, image ...string) target {
	t.Helper()
	work, err := sandbox.NewWorkdir()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { work.Close() })
	o := sandbox.Options{Kind: kind, Major: major, Jobs: 2, Deadline: time.Now().Add(25 * time.Minute), Work: work, Drill: "test"}
	o.Clusters = testneed.Clusters()
	o.Image = strings.Join(image, "")
	if kind == "container" && o.Image == "" {
		testneed.Image(t, fmt.Sprintf("postgres:%d", major))
	}
	box, err := sandbox.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { box.Close(context.Background()) })
	return opened(t, box, work, opts, dump)
}

// openParts is open with a dump in several parts.
func openParts(t *testing.T, opts restore.Options, parts ...[]byte) target {
	t.Helper()
	work, err := sandbox.NewWorkdir()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { work.Close() })
	box, err := sandbox.Start(t.Context(), sandbox.Options{Kind: sandbox.Local, Major: 15, Jobs: 2,
		Deadline: time.Now().Add(25 * time.Minute), Work: work, Drill: "test", Clusters: testneed.Clusters()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { box.Close(context.Background()) })
	return opened(t, box, work, opts, parts...)
}

// opened opens an archive, and hands its files to a sandbox.
func opened(t *testing.T, box sandbox.Box, work *sandbox.Workdir, opts restore.Options, parts ...[]byte) target {
	t.Helper()
	var paths []string
	for i, data := range parts {
		paths = append(paths, filepath.Join(work.Spool(), fmt.Sprint("part", i)))
		if err := os.WriteFile(paths[i], data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	a, err := archive.OpenParts(t.Context(), paths, archive.Options{Dir: work.Spool()})
	if err != nil {
		t.Fatal(err)
	}
	const name = "archive"
	for i, file := range a.Files() {
		to := archive.PartPath(box.HostPath(name), i)
		if err := errors.Join(os.Rename(file.Path, to), readable(to)); err != nil {
			t.Fatal(err)
		}
		file.Path = to
	}
	a.Path = box.HostPath(name)
	if a.Database == "" { // a plain dump
		a.Database = "postgres"
	}
	opts.Jobs = 2
	return target{restore.New(a, box, box.InsidePath(name), opts), box, a}
}

// readable lets the sandbox's programs read a file, or a directory's.
func readable(path string) error {
	return filepath.WalkDir(path, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.IsDir() {
			return errors.Join(err, os.Chmod(path, 0o644))
		}
		return os.Chmod(path, 0o755)
	})
}

func pass(string, string, []string) (func(dst, row []byte) ([]byte, error), error) { return nil, nil }

func copyRows(string, string, []string) (func(dst, row []byte) ([]byte, error), error) {
	return func(dst, row []byte) ([]byte, error) { return append(dst, row...), nil }, nil
}

// all restores everything, and fails the test where that cannot go on.
func (s target) all(t *testing.T, filter restore.Filter) []verdict.Table {
	t.Helper()
	return s.without(t, filter, nil)
}

// without is all, save the rows of some tables.
func (s target) without(t *testing.T, filter restore.Filter, leaveOut func(schema, table string) bool) []verdict.Table {
	t.Helper()
	if err := s.PreData(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Data(t.Context(), filter, leaveOut, nil); err != nil {
		t.Fatal(err)
	}
	if err := s.PostData(t.Context()); err != nil {
		t.Fatal(err)
	}
	tables, err := s.Count(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return tables
}

// connect opens a session that finds what lies in the schema public by its name.
func (s target) connect(t *testing.T) *pgx.Conn {
	t.Helper()
	conn, err := s.box.DB().Connect(t.Context(), s.Database())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), "set search_path = public"); err != nil {
		t.Fatal(err)
	}
	return conn
}

func (s target) query(t *testing.T, sql string) (out string) {
	t.Helper()
	conn := s.connect(t)
	defer conn.Close(context.Background())
	if err := conn.QueryRow(t.Context(), sql).Scan(&out); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return out
}

func (s target) check(t *testing.T, id string) verdict.Check {
	t.Helper()
	checks := s.Checks()
	i := slices.IndexFunc(checks, func(c verdict.Check) bool { return c.ID == id })
	if i < 0 {
		t.Fatalf("no check %s among %v", id, checks)
	}
	return checks[i]
}

func TestANastyDatabaseComesBack(t *testing.T) {
	t.Parallel()
	source := pgtest.Server(t)
	source.Exec("postgres", nasty)
	for name, dump := range map[string][]byte{
		"file": source.DumpFile("-Fc", "postgres"), "pipe": source.Dump("-Fc", "postgres"),
		"root":  source.DumpFile("-Fc", "--load-via-partition-root", "postgres"),
		"plain": source.Dump("-Fp", "-C", "postgres"), "plain inserts": source.Dump("-Fp", "-C", "--column-inserts", "postgres"),
		"inserts": source.DumpFile("-Fc", "--inserts", "--rows-per-insert=7", "postgres"),
		"tar":     source.Dump("-Ft", "postgres"), "directory": source.DumpDirectory("postgres"),
	} {
		for _, kind := range []string{"local", "container"} {
			t.Run(name+" "+kind, func(t *testing.T) {
				t.Parallel()
				filter := pass
				if name == "pipe" {
					filter = copyRows
				}
				s := open(t, dump, kind, restore.Options{CreateRoles: true, DeclaredRoles: []string{"owner_of_things"}})
				tables := s.all(t, filter)
				for _, c := range s.Checks() {
					if c.Outcome != verdict.Pass && c.ID != "roles" {
						t.Errorf("%s: %s: expected %s, observed %s: %s", c.ID, c.Outcome, c.Expected, c.Observed, c.Message)
					}
				}
				if got := s.check(t, "roles"); got.Outcome != verdict.Warn || got.Observed != "reader; DROP" {
					t.Errorf("roles: %+v", got)
				}
				for table, rows := range map[string]int64{
					"public.plain": 5, "public.x; COPY\nCOPY y FROM stdin;": 10, "public.no_columns": 4, "public.long_rows": 3,
					"public.parent": 1, "public.child": 2, "public.numbered": 100, "public.points_at": 100, "public.empty": 0,
				} {
					if !slices.Contains(tables, verdict.Table{Name: table, RowsPassed: rows, RowsHeld: rows}) {
						t.Errorf("%s: want %d rows, got %v", table, rows, tables)
					}
				}
				for sql, want := range map[string]string{
					`select string_agg(coalesce(t, '-'), '|' order by id) from plain`: "COPY public.plain (id, t) FROM " +
						"stdin;|\\.|tab\tand\nnewline|-|\\N",
					`select sum(length(t))::text from long_rows`:                               "9000000",
					`select s::text from summed`:                                               "5050",
					`select count(*)::text from by_hash`:                                       "300",
					`select count(*)::text from by_range`:                                      "51",
					`select max(twice)::text from numbered`:                                    "200",
					`select last_value::text from numbered_id_seq`:                             "100",
					`select tableowner from pg_tables where tablename = 'plain'`:               "owner_of_things",
					`select has_table_privilege('reader; DROP', 'plain', 'select')::text`:      "true",
					`select rolcanlogin::text from pg_roles where rolname = 'owner_of_things'`: "false",
					`select array_to_string(setconfig, ',') from pg_db_role_setting`:           "work_mem=8MB",
				} {
					if got := s.query(t, sql); got != want {
						t.Errorf("%s: %q, want %q", sql, got, want)
					}
				}
			})
		}
	}
}

// A table is emptied in its load's transaction only where that is worth the
// files that it costs, and then without those that inherit from it.
func TestWhatIsLargeIsEmptied(t *testing.T) {
	t.Parallel()
	source := pgtest.Server(t)
	source.Exec("postgres", `
CREATE TABLE small (id int, t text);
INSERT INTO small SELECT n, md5(n::text) FROM generate_series(1, 100) n;
CREATE TABLE large (id int, t text);
INSERT INTO large SELECT n, md5(n::text) || md5('x' || n) FROM generate_series(1, 5000) n;
CREATE TABLE heir () INHERITS (large);
INSERT INTO heir SELECT n, md5('h' || n) || md5('y' || n) FROM generate_series(1, 6000) n;`)
	s := open(t, source.Dump("-Fc", "postgres"), "local", restore.Options{})
	s.all(t, pass)
	for table, emptied := range map[string]string{"small": "false", "large": "true", "heir": "true"} {
		if got := s.query(t, fmt.Sprintf("select (pg_relation_filenode('%s') <> '%[1]s'::regclass::oid)::text", table)); got != emptied {
			t.Errorf("%s was emptied: %s, want %s", table, got, emptied)
		}
	}
	if got := s.query(t, "select count(*) || ' of ' || count(distinct t) from large"); got != "11000 of 11000" {
		t.Errorf("rows: %s", got)
	}
}

func TestRolesUndeclaredFail(t *testing.T) {
	t.Parallel()
	source := pgtest.Server(t)
	source.Exec("postgres", "CREATE ROLE stranger; CREATE TABLE a (id int); ALTER TABLE a OWNER TO stranger")
	s := open(t, source.Dump("-Fc", "postgres"), "local", restore.Options{})
	s.all(t, pass)
	if got := s.check(t, "roles"); got.Outcome != verdict.Fail || got.Observed != "stranger" {
		t.Errorf("roles: %+v", got)
	}
}

// An unqualified name works in production and fails under a dump's empty
// search_path: the table stays empty, and that is said.
func TestUnqualifiedNamesAreReported(t *testing.T) {
	t.Parallel()
	source := pgtest.Server(t)
	source.Exec("postgres", `
CREATE TABLE allowed (id int); INSERT INTO allowed VALUES (1);
CREATE FUNCTION is_allowed(int) RETURNS boolean LANGUAGE sql AS 'select exists (select from allowed where id = $1)';
CREATE TABLE checked (id int CHECK (is_allowed(id))); INSERT INTO checked VALUES (1);
CREATE MATERIALIZED VIEW filled AS SELECT is_allowed(1) AS yes;`)
	s := open(t, source.Dump("-Fc", "postgres"), "local", restore.Options{})
	s.all(t, pass)
	if got := s.check(t, "rows_held:public.checked"); got.Outcome != verdict.Fail || got.Observed != "0" {
		t.Errorf("%+v", got)
	}
	if got := s.check(t, "restore_errors"); got.Outcome != verdict.Fail || !strings.Contains(got.Message, "filled") {
		t.Errorf("%+v", got)
	}
}

func TestRowsThatTheServerRefuses(t *testing.T) {
	t.Parallel()
	source := pgtest.Server(t)
	source.Exec("postgres", `CREATE TABLE one (n int); INSERT INTO one SELECT generate_series(1, 5);
CREATE TABLE two (n int); INSERT INTO two SELECT generate_series(1, 5)`)
	s := open(t, source.Dump("-Fc", "postgres"), "local", restore.Options{})
	if err := s.PreData(t.Context()); err != nil {
		t.Fatal(err)
	}
	spoil := func(_, table string, _ []string) (func(dst, row []byte) ([]byte, error), error) {
		if table == "two" {
			return nil, nil
		}
		return func(dst, row []byte) ([]byte, error) { return append(dst, "secret-value"...), nil }, nil
	}
	if err := s.Data(t.Context(), spoil, nil, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Count(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := s.check(t, "restore_errors"); got.Outcome != verdict.Fail || strings.Contains(got.Message, "secret") {
		t.Errorf("%+v", got)
	}
	if got := s.check(t, "rows_held:public.one"); got.Outcome != verdict.Fail || got.Observed != "0" || got.Expected != "5" {
		t.Errorf("%+v", got)
	}
	if got := s.check(t, "rows_held:public.two"); got.Outcome != verdict.Pass {
		t.Errorf("%+v", got)
	}
	said := s.Messages()
	var again []string
	look := func(_, table string, _ []string) (func(dst, row []byte) ([]byte, error), error) {
		return func(dst, row []byte) ([]byte, error) {
			again = append(again, table+" "+string(row))
			return dst, nil
		}, nil
	}
	if err := s.Again(t.Context(), look, func(string, string) bool { return true }); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(again, ", "); got != "two 1, two 2, two 3, two 4, two 5" || s.Messages() != said {
		t.Errorf("what was loaded comes again: %s; %+v was said before, and %+v in all", got, said, s.Messages())
	}
}

// What dies midway is an error soon, and no half table is committed.
func TestDeathMidway(t *testing.T) {
	t.Parallel()
	source := pgtest.Server(t)
	source.Exec("postgres", "CREATE TABLE big (n int, t text); INSERT INTO big SELECT n, md5(n::text) FROM generate_series(1, 400000) n")
	dump := source.Dump("-Fc", "postgres")
	for name, kill := range map[string]func(t *testing.T, s target, cancel context.CancelCauseFunc){
		"the server": func(t *testing.T, s target, _ context.CancelCauseFunc) {
			conn, err := s.box.DB().Connect(context.Background(), "template1")
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close(context.Background())
			if _, err := conn.Exec(context.Background(), "select pg_terminate_backend(pid) from pg_stat_activity where datname = 'postgres'"); err != nil {
				t.Error(err)
			}
		},
		"the sandbox": func(t *testing.T, s target, _ context.CancelCauseFunc) { s.box.Close(context.Background()) },
		"pg_restore": func(t *testing.T, s target, _ context.CancelCauseFunc) {
			if s.box.Info().Kind == sandbox.Local { // each program sees itself alone
				killPrograms(t, "pg_restore", filepath.Dir(filepath.Dir(s.box.HostPath("archive"))))
				return
			}
			_ = s.box.Run(context.Background(), sandbox.Command{Args: []string{"sh", "-c",
				`for p in /proc/[0-9]*; do if [ "$(cat $p/comm 2>/dev/null)" = pg_restore ] && grep -qF "$1" $p/cmdline; then ` +
					`kill -9 ${p#/proc/}; fi; done`,
				"sh", s.box.InsidePath("archive")}})
		},
		"the drill": func(_ *testing.T, _ target, cancel context.CancelCauseFunc) { cancel(errors.New("told to stop")) },
	} {
		for _, kind := range []string{"local", "container"} {
			t.Run(name+" "+kind, func(t *testing.T) {
				t.Parallel()
				s := open(t, dump, kind, restore.Options{})
				if err := s.PreData(t.Context()); err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				rows := 0
				killed := make(chan struct{})
				filter := func(string, string, []string) (func(dst, row []byte) ([]byte, error), error) {
					return func(dst, row []byte) ([]byte, error) {
						rows++
						if rows == 100_000 {
							kill(t, s, cancel)
							close(killed)
						}
						return append(dst, row...), nil
					}, nil
				}
				ended := make(chan error, 1)
				go func() { ended <- s.Data(ctx, filter, nil, nil) }()
				select {
				case err := <-ended:
					if err == nil {
						t.Fatal("the load went on as if nothing had happened")
					}
					if p := verdict.AsProblem(err); p.Outcome != verdict.Error {
						t.Errorf("outcome %s: %v", p.Outcome, err)
					}
				case <-time.After(5 * time.Minute):
					t.Fatal("the load hangs")
				}
				<-killed // whose connection may still hear of it when the load has ended
				if name == "the sandbox" {
					return
				}
				if got := s.query(t, "select count(*)::text from public.big"); got != "0" {
					t.Errorf("%s rows of a broken load were committed", got)
				}
			})
		}
	}
}

func TestWhatIsNeverRestored(t *testing.T) {
	t.Parallel()
	source := pgtest.Server(t)
	source.Exec("postgres", `
CREATE EXTENSION IF NOT EXISTS postgres_fdw;
CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', port '1');
CREATE USER MAPPING FOR postgres SERVER elsewhere OPTIONS (user 'u', password 'hunter2');
CREATE SUBSCRIPTION sub CONNECTION 'host=127.0.0.1 port=1 password=hunter2' PUBLICATION p WITH (connect = false, enabled = false, slot_name = NONE);
CREATE TABLE kept (id int); INSERT INTO kept VALUES (1);
SELECT lo_from_bytea(0, 'a large object');
SET allow_system_table_mods = on;
INSERT INTO pg_seclabel VALUES ('kept'::regclass, 'pg_class'::regclass, 0, 'nobody', 'MASKED WITH hunter2'), ('kept'::regclass, 'pg_class'::regclass, 1,
  'nobody', 'hunter2');`)
	for _, format := range []string{"-Fc", "-Fp"} {
		neverRestored(t, open(t, source.Dump(format, "postgres"), "local", restore.Options{}))
	}
}

func neverRestored(t *testing.T, s target) {
	t.Helper()
	s.all(t, pass)
	if got := s.check(t, "restore_errors"); got.Outcome != verdict.Pass {
		t.Errorf("%+v", got)
	}
	for _, sql := range []string{"select count(*)::text from pg_user_mapping", "select count(*)::text from pg_subscription",
		"select count(*)::text from pg_largeobject"} {
		if got := s.query(t, sql); got != "0" {
			t.Errorf("%s: %s", sql, got)
		}
	}
	if got := s.check(t, "left_out"); got.Outcome != verdict.Skipped || strings.Contains(fmt.Sprint(got), "hunter2") ||
		!strings.Contains(got.Message, "SECURITY LABEL TABLE kept") {
		t.Errorf("%+v", got)
	}
}

// An extension that the sandbox lacks goes with all that only it would have
// made: pg_dump writes its comment, privileges in its schema, the rows of its
// tables and the values of its sequences beside it, as for pg_cron. What another
// extension made, and the database itself, comes back.
func TestASkippedExtensionGoesWhole(t *testing.T) {
	t.Parallel()
	source := pgtest.Server(t)
	source.Exec("postgres", `
CREATE EXTENSION hstore; CREATE EXTENSION citext;
CREATE SCHEMA jobs; CREATE TABLE jobs.job (id bigserial PRIMARY KEY, command text);
CREATE TABLE public.config (id int);
ALTER EXTENSION hstore ADD SCHEMA jobs; ALTER EXTENSION hstore ADD TABLE jobs.job; ALTER EXTENSION hstore ADD SEQUENCE jobs.job_id_seq;
ALTER EXTENSION hstore ADD TABLE public.config;
SET allow_system_table_mods = on;
UPDATE pg_extension SET extname = 'no-such', extconfig = ARRAY['jobs.job'::regclass::oid, 'jobs.job_id_seq'::regclass::oid,
  'public.config'::regclass::oid], extcondition = '{"","",""}' WHERE extname = 'hstore';
INSERT INTO jobs.job (command) VALUES ('select 1'); INSERT INTO public.config VALUES (1);
GRANT USAGE ON SCHEMA jobs TO PUBLIC; GRANT SELECT ON jobs.job TO PUBLIC;
ALTER DEFAULT PRIVILEGES IN SCHEMA jobs GRANT SELECT ON TABLES TO PUBLIC;
CREATE SCHEMA mine; COMMENT ON SCHEMA mine IS 'ours';
CREATE TABLE mine.kept (id int GENERATED ALWAYS AS IDENTITY, tag citext, n serial);
INSERT INTO mine.kept (tag) VALUES ('a'), ('b');`)
	for _, format := range []string{"-Fc", "-Fp"} {
		s := open(t, source.Dump(format, "postgres"), "local", restore.Options{SkipMissing: true, Drop: []string{}})
		s.all(t, pass)
		if got := s.check(t, "restore_errors"); got.Outcome != verdict.Pass {
			t.Errorf("%s: %+v", format, got)
		}
		// EXTENSION, its COMMENT, ACL of schema and table, DEFAULT ACL, TABLE DATA twice, SEQUENCE SET.
		if got := s.check(t, "left_out"); got.Observed != "8" {
			t.Errorf("%s: %+v", format, got)
		}
		if got := s.query(t,
			"select string_agg(tag || id || n, ' ' order by id) || nextval('mine.kept_id_seq') || obj_description('mine'::regnamespace) "+
				"from mine.kept"); got != "a11 b223ours" {
			t.Errorf("%s: the rest: %s", format, got)
		}
	}
}

// What would call home is left out before it is there, by default all of it;
// what needs a foreign server still comes back.
func TestNothingCallsHome(t *testing.T) {
	t.Parallel()
	source := pgtest.Server(t)
	source.Exec("postgres", `
CREATE EXTENSION IF NOT EXISTS postgres_fdw;
CREATE SERVER "else ""where" FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', port '1');
COMMENT ON SERVER "else ""where" IS 'far away';
CREATE USER MAPPING FOR postgres SERVER "else ""where" OPTIONS (user 'u', password 'hunter2');
CREATE FOREIGN TABLE far (id int) SERVER "else ""where";
CREATE VIEW near AS SELECT id FROM far;
CREATE SUBSCRIPTION sub CONNECTION 'host=127.0.0.1 port=1 password=hunter2' PUBLICATION p WITH (connect = false, enabled = false, slot_name = NONE);
COMMENT ON SUBSCRIPTION sub IS 'from far away';
CREATE FUNCTION told() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$;
CREATE EVENT TRIGGER tell ON ddl_command_end EXECUTE FUNCTION told();
COMMENT ON EVENT TRIGGER tell IS 'calls';
CREATE SCHEMA cron; CREATE TABLE cron.job (jobid int, command text); INSERT INTO cron.job VALUES (1, 'select call_home()');`)
	dump := source.Dump("-Fc", "postgres")
	for _, tt := range []struct {
		name string
		drop []string
		want string // user mappings, subscriptions, server options, event triggers, jobs, foreign tables
		told []string
	}{
		{"by default", nil, "0 0 0 0 0 1", []string{"subscriptions", "user_mappings", "foreign_servers", "event_triggers", "cron_jobs"}},
		{"but what is not named", []string{"subscriptions", "user_mappings"}, "0 0 1 1 1 1", []string{"subscriptions", "user_mappings"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := open(t, dump, "local", restore.Options{Drop: tt.drop})
			s.all(t, pass)
			got := s.query(t,
				`select concat_ws(' ', (select count(*) from pg_user_mapping), (select count(*) from pg_subscription), (select count(srvoptions) from pg_foreign_server),
				(select count(*) from pg_event_trigger), (select count(*) from cron.job), (select count(*) from pg_foreign_table))`)
			if got != tt.want {
				t.Errorf("came back: %s, want %s", got, tt.want)
			}
			if c := s.check(t, "restore_errors"); c.Outcome != verdict.Pass {
				t.Errorf("%+v", c)
			}
			var told []string
			for _, c := range s.Checks() {
				if what, found := strings.CutPrefix(c.ID, "left_out:"); found {
					told = append(told, what)
				}
				if strings.Contains(fmt.Sprint(c), "hunter2") {
					t.Errorf("%+v", c)
				}
			}
			if !slices.Equal(told, tt.told) {
				t.Errorf("told: %q", told)
			}
		})
	}
}

func TestLargeObjectsAndSequences(t *testing.T) {
	t.Parallel()
	source := pgtest.Server(t)
	source.Exec("postgres", `SELECT lo_from_bytea(4711, 'a large object'); CREATE SEQUENCE s; SELECT setval('s', 42)`)
	for name, parts := range map[string][][]byte{
		"custom":              {source.Dump("-Fc", "postgres")},
		"tar":                 {source.Dump("-Ft", "postgres")},
		"directory":           {source.DumpDirectory("postgres")},
		"schema and rows":     {source.Dump("-Fc", "-s", "postgres"), source.Dump("-Fc", "-a", "postgres")},
		"scripts, one by one": {source.Dump("-s", "postgres"), source.Dump("-a", "postgres")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openParts(t, restore.Options{LargeObjects: true}, parts...)
			s.all(t, pass)
			if got := s.query(t, "select convert_from(lo_get(4711), 'UTF8')"); got != "a large object" {
				t.Errorf("large object: %q", got)
			}
			if got := s.query(t, "select last_value::text from s"); got != "42" {
				t.Errorf("sequence: %s", got)
			}
		})
	}
}

// Large objects come back from a newer server's tar too, which calls its list of
// them otherwise than a directory does.
func TestLargeObjectsOfANewerTar(t *testing.T) {
	t.Parallel()
	source := pgtest.Container(t, "postgres:17")
	source.Exec("postgres", `SELECT lo_from_bytea(4711, 'a large object')`)
	s := open(t, source.Dump("-Ft", "postgres"), "container", restore.Options{LargeObjects: true})
	s.all(t, pass)
	if got := s.query(t, "select convert_from(lo_get(4711), 'UTF8')"); got != "a large object" {
		t.Errorf("large object: %q", got)
	}
}

// A schema and its rows that were dumped apart come back as one: keys of both
// kinds are built, and errors are told of the entries that they are about.
func TestPartsComeBack(t *testing.T) {
	t.Parallel()
	source := pgtest.Server(t)
	source.Exec("postgres", `
CREATE TABLE a (id int PRIMARY KEY, v text);
INSERT INTO a SELECT n, md5(n::text) FROM generate_series(1, 3000) n;
CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a);
INSERT INTO b SELECT n, n FROM generate_series(1, 2000) n;
CREATE INDEX by_v ON a (v);
CREATE MATERIALIZED VIEW m AS SELECT count(*) AS n FROM b;`)
	for name, parts := range map[string][][]byte{
		"schema and rows": {source.Dump("-Fc", "-s", "postgres"), source.Dump("-Fc", "-a", "postgres")},
		"sections": {source.Dump("-Fc", "--section=pre-data", "postgres"), source.DumpDirectory("--section=data", "postgres"),
			source.Dump("-Fc", "--section=post-data", "postgres")},
		"globals first": {source.DumpBy("pg_dumpall", "--globals-only"), source.Dump("-Fc", "postgres")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openParts(t, restore.Options{CreateRoles: true}, parts...)
			tables := s.all(t, pass)
			want := []verdict.Table{{Name: "public.a", RowsPassed: 3000, RowsHeld: 3000}, {Name: "public.b", RowsPassed: 2000, RowsHeld: 2000}}
			if !slices.Equal(tables, want) {
				t.Errorf("got %v, want %v", tables, want)
			}
			for _, c := range s.Checks() {
				if c.Outcome != verdict.Pass {
					t.Errorf("%s: %s: %s", c.ID, c.Outcome, c.Message)
				}
			}
			keys := "select string_agg(conname, ' ' order by conname) from pg_constraint where convalidated and connamespace = 'public'::regnamespace"
			if got := s.query(t, keys); got != "a_pkey b_a_fkey b_pkey" {
				t.Errorf("keys: %q", got)
			}
			filled := fmt.Sprint(name != "schema and rows") // pg_dump -s and -a both leave the refresh out
			if got := s.query(t, "select relispopulated::text from pg_class where relname = 'm'"); got != filled {
				t.Errorf("the materialized view is filled: %s", got)
			}
		})
	}
}

func TestExcludedTablesStayEmpty(t *testing.T) {
	t.Parallel()
	source := pgtest.Server(t)
	source.Exec("postgres", `CREATE TABLE sessions (id int); INSERT INTO sessions VALUES (1); CREATE TABLE kept (id `+
		`int); INSERT INTO kept VALUES (1)`)
	s := open(t, source.Dump("-Fc", "postgres"), "local", restore.Options{})
	tables := s.without(t, pass, func(_, table string) bool { return table == "sessions" })
	want := []verdict.Table{{Name: "public.kept", RowsPassed: 1, RowsHeld: 1}, {Name: "public.sessions", Excluded: true}}
	if !slices.Equal(tables, want) {
		t.Errorf("got %v, want %v", tables, want)
	}
	if got := s.query(t, "select count(*)::text from sessions"); got != "0" {
		t.Errorf("sessions: %s rows", got)
	}
}

// Rows pass in the encoding that they were dumped in, and arrive as they were.
func TestEncodings(t *testing.T) {
	t.Parallel()
	source := pgtest.Server(t)
	source.Exec("postgres", `
CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0;
CREATE DATABASE bytes ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0;`)
	source.Exec("latin", `SET client_encoding = 'UTF8'; CREATE TABLE a (t text); INSERT INTO a VALUES ('Zoë')`)
	source.Exec("bytes", `CREATE TABLE a (t text); INSERT INTO a VALUES (convert_from('\xe9', 'SQL_ASCII'))`)
	source.Exec("bytes",
		"CREATE TABLE \"caf\xe9\" (\"gr\xf6\xdfe\" int); INSERT INTO \"caf\xe9\" VALUES (7); CREATE UNIQUE INDEX \"schl\xfcssel\" ON "+
			"\"caf\xe9\" (\"gr\xf6\xdfe\")")
	// 表 is 0x95 0x5C in SJIS: its second byte is a backslash.
	source.Exec("postgres", `CREATE TABLE a (t text); INSERT INTO a VALUES ('表'), ('ソ' || chr(9) || '能')`)
	for name, c := range map[string]struct {
		dump           []byte
		seen, encoding string
		held           string // bytes, in hexadecimal
	}{
		"LATIN1":    {source.Dump("-Fc", "latin"), "Zo\xeb", "LATIN1", "5a6feb"},
		"SJIS":      {source.Dump("-Fc", "-E", "SJIS", "postgres"), "\x83\x5c\\t\x94\x5c,\x95\x5c", "UTF8", "e382bd09e883bd e8a1a8"},
		"SQL_ASCII": {source.Dump("-Fc", "bytes"), "7,\xe9", "SQL_ASCII", "e9"},
		// which no server converts, whatever the dump calls it
		"SQL_ASCII as LATIN1":            {source.Dump("-Fc", "-E", "LATIN1", "bytes"), "7,\xe9", "SQL_ASCII", "e9"},
		"SQL_ASCII as LATIN1 by inserts": {source.Dump("-Fp", "-C", "--inserts", "-E", "LATIN1", "bytes"), "7,\xe9", "SQL_ASCII", "e9"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t, c.dump, "local", restore.Options{})
			var seen []string
			var mu sync.Mutex
			s.all(t, func(string, string, []string) (func(dst, row []byte) ([]byte, error), error) {
				return func(dst, row []byte) ([]byte, error) {
					mu.Lock()
					defer mu.Unlock()
					seen = append(seen, string(row))
					return append(dst, row...), nil
				}, nil
			})
			slices.Sort(seen) // two tables come in any order
			if got := strings.Join(seen, ","); got != c.seen {
				t.Errorf("the filter saw %q, want %q", got, c.seen)
			}
			if got := s.query(t, "show server_encoding"); got != c.encoding {
				t.Errorf("database encoding %s, want %s", got, c.encoding)
			}
			if got := s.query(t, "select string_agg(encode(t::bytea, 'hex'), ' ' order by t collate \"C\") from a"); got != c.held {
				t.Errorf("the table holds %s, want %s", got, c.held)
			}
			for _, check := range s.Checks() {
				if check.Outcome != verdict.Pass {
					t.Errorf("%+v", check)
				}
			}
		})
	}
}

// What programs say of names in another encoding is told in UTF-8.
func TestMessagesInOtherEncodings(t *testing.T) {
	t.Parallel()
	source := pgtest.Server(t)
	source.Exec("postgres",
		`SET client_encoding = 'UTF8'; CREATE TYPE "Stückelung" AS ENUM ('groß'); CREATE TABLE "Größe" (id int, s `+
			`"Stückelung"); CREATE TABLE kept (id int); INSERT INTO kept VALUES (1);`)
	for name, args := range map[string][]string{"custom": {"-Fc"}, "plain": {"-Fp"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t, source.Dump(append(args, "-E", "LATIN1", "-t", "kept", "-t", `"Gr"*`, "postgres")...), "local", restore.Options{})
			s.all(t, pass)
			if c := s.check(t, "restore_errors"); c.Outcome != verdict.Fail || !strings.Contains(c.Message, `type `+
				`"public.Stückelung" does not exist`) ||
				!utf8.ValidString(c.Message) {
				t.Errorf("%s: %q", c.Outcome, c.Message)
			}
		})
	}
}

func TestArchivesThatAreRefused(t *testing.T) {
	t.Parallel()
	source := pgtest.Server(t)
	source.Exec("postgres", "CREATE TABLE a (t text); INSERT INTO a VALUES ('COPY public.a (t) FROM stdin;')")
	for name, c := range map[string]struct {
		dump    []byte
		outcome verdict.Outcome
		says    string
	}{
		"data only": {source.Dump("-Fc", "--data-only", "postgres"), verdict.Fail, "no table"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t, c.dump, "local", restore.Options{})
			err := s.PreData(t.Context())
			if err == nil {
				err = s.Data(t.Context(), pass, nil, nil)
			}
			if err == nil {
				t.Fatal("it was restored")
			}
			if p := verdict.AsProblem(err); p.Outcome != c.outcome || p.Code != verdict.CodeNoSchema || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s %s: %v", p.Outcome, p.Code, err)
			}
		})
	}
}

// Indexes and keys stand before post-data begins; what fails early is tried
// again in the plain order, and reported as pg_restore reports it.
func TestIndexesAreBuiltEarly(t *testing.T) {
	t.Parallel()
	source := pgtest.Server(t)
	source.Exec("postgres", `
CREATE TABLE good (id int PRIMARY KEY, t text UNIQUE, n int); CREATE INDEX good_n ON good (n); COMMENT ON INDEX good_n IS 'kept';
INSERT INTO good SELECT n, 't' || n, n FROM generate_series(1, 1000) n;
CREATE TABLE twice (id int PRIMARY KEY); INSERT INTO twice VALUES (1), (2);
CREATE TABLE points (id int REFERENCES good (id)); INSERT INTO points VALUES (1);
CREATE TABLE whole (d int, n int, PRIMARY KEY (d)) PARTITION BY RANGE (d);
CREATE TABLE leaf PARTITION OF whole FOR VALUES FROM (0) TO (10); INSERT INTO whole VALUES (1, 1);`)
	for _, args := range [][]string{{"-Fc"}, {"-Fc", "--load-via-partition-root"}} {
		s := open(t, source.Dump(append(args, "postgres")...), "local", restore.Options{})
		if err := s.PreData(t.Context()); err != nil {
			t.Fatal(err)
		}
		double := func(_, table string, _ []string) (func(dst, row []byte) ([]byte, error), error) {
			if table != "twice" {
				return nil, nil
			}
			return func(dst, _ []byte) ([]byte, error) { return append(dst, '1'), nil }, nil
		}
		if err := s.Data(t.Context(), double, nil, nil); err != nil {
			t.Fatal(err)
		}
		if got := s.query(t,
			"select string_agg(indexrelid::regclass::text, ' ' order by indexrelid::regclass::text) "+
				"from pg_index where indrelid = 'good'::regclass"); got != "good_n good_pkey good_t_key" {
			t.Errorf("before post-data good has the indexes %q", got)
		}
		if got := s.check(t, "restore_errors"); got.Outcome != verdict.Pass {
			t.Errorf("what failed early counts already: %+v", got)
		}
		if err := s.PostData(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := s.check(t, "restore_errors"); got.Outcome != verdict.Fail || got.Observed != "1" || !strings.Contains(got.Message, "twice_pkey") {
			t.Errorf("%+v", got)
		}
		for sql, want := range map[string]string{
			"select count(*)::text from pg_index where not indisvalid":                             "0",
			"select count(*)::text from pg_constraint where conrelid = 'points'::regclass":         "1",
			"select count(*)::text from pg_inherits where inhrelid = 'leaf_pkey'::regclass":        "1",
			"select obj_description('good_n'::regclass, 'pg_class')":                               "kept",
			"select count(*)::text from pg_constraint where conname in ('good_pkey','good_t_key')": "2",
		} {
			if got := s.query(t, sql); got != want {
				t.Errorf("%s: %s, want %s", sql, got, want)
			}
		}
	}
}

// Foreign keys stand before post-data begins, the same as the source has them;
// one that the rows break leaves nothing behind, and is reported as pg_restore
// reports it.
func TestForeignKeysAreCheckedEarly(t *testing.T) {
	t.Parallel()
	source := pgtest.Server(t)
	source.Exec("postgres", `
CREATE TABLE person (id int PRIMARY KEY, boss int REFERENCES person, a int, b int, UNIQUE (a, b), best int);
CREATE SCHEMA "odd FOREIGN KEY";
CREATE TABLE "odd FOREIGN KEY"."t""t" (id int PRIMARY KEY, "p;x" int, a int, b int,
  CONSTRAINT "c d" FOREIGN KEY (id) REFERENCES person ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
  CONSTRAINT semicolon FOREIGN KEY ("p;x") REFERENCES person, FOREIGN KEY (a, b) REFERENCES person (a, b) MATCH FULL);
ALTER TABLE person ADD CONSTRAINT circle FOREIGN KEY (best) REFERENCES "odd FOREIGN KEY"."t""t";
CREATE TABLE loose (p int); INSERT INTO loose VALUES (99);
ALTER TABLE loose ADD CONSTRAINT unchecked FOREIGN KEY (p) REFERENCES person NOT VALID;
CREATE TABLE orphan (p int REFERENCES person);
CREATE TABLE whole (d int, p int REFERENCES person) PARTITION BY RANGE (d);
CREATE TABLE leaf PARTITION OF whole FOR VALUES FROM (0) TO (10); INSERT INTO whole SELECT 1, null;
INSERT INTO person SELECT n, n, n, n FROM generate_series(1, 100) n;
INSERT INTO "odd FOREIGN KEY"."t""t" SELECT n, n, n, n FROM generate_series(1, 50) n; UPDATE person SET best = 1;
INSERT INTO orphan VALUES (1);`)
	const keys = "select string_agg(conrelid::regclass || ' ' || conname || ' ' || convalidated || ' ' || pg_get_constraintdef(oid), e'\\n' order by 1, " +
		"conname, conrelid::regclass::text) from pg_constraint where contype = 'f'"
	want := source.Query("postgres", keys)
	for _, format := range []string{"-Fc", "-Fp"} {
		s := open(t, source.Dump(format, "postgres"), "local", restore.Options{Jobs: 3})
		if err := s.PreData(t.Context()); err != nil {
			t.Fatal(err)
		}
		astray := func(_, table string, _ []string) (func(dst, row []byte) ([]byte, error), error) {
			if table != "orphan" {
				return nil, nil
			}
			return func(dst, _ []byte) ([]byte, error) { return append(dst, "4711"...), nil }, nil
		}
		if err := s.Data(t.Context(), astray, nil, nil); err != nil {
			t.Fatal(err)
		}
		if got := s.query(t,
			"select string_agg(conname, ' ' order by conname) from pg_constraint where contype = 'f'"); got != "c d circle "+
			"person_boss_fkey semicolon t\"t_a_b_fkey" {
			t.Errorf("before post-data there are the keys %q", got)
		}
		if err := s.PostData(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := s.check(t, "restore_errors"); got.Outcome != verdict.Fail || got.Observed != "1" || !strings.Contains(got.Message, "orphan_p_fkey") {
			t.Errorf("%+v", got)
		}
		var without []string
		for _, line := range strings.Split(want, "\n") {
			if !strings.HasPrefix(line, "orphan ") {
				without = append(without, line)
			}
		}
		if diff := cmp.Diff(without, strings.Split(s.query(t, keys), "\n")); diff != "" {
			t.Error(diff)
		}
	}
}

// Triggers come after the rows, also those that fire in any mode: none copies
// what is loaded into another table, nor changes it.
func TestTriggersSleepWhileRowsLoad(t *testing.T) {
	t.Parallel()
	source := pgtest.Server(t)
	source.Exec("postgres", `
CREATE TABLE logged (v text); CREATE TABLE log (v text);
CREATE FUNCTION copies() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.log VALUES (new.v); new.v := 'changed'; RETURN new; END $$;
INSERT INTO logged VALUES ('as it was');
CREATE TRIGGER always BEFORE INSERT OR UPDATE ON logged FOR EACH ROW EXECUTE FUNCTION copies();
ALTER TABLE logged ENABLE ALWAYS TRIGGER always;
CREATE TRIGGER replica AFTER INSERT ON logged FOR EACH ROW EXECUTE FUNCTION copies();
ALTER TABLE logged ENABLE REPLICA TRIGGER replica;`)
	s := open(t, source.Dump("-Fc", "postgres"), "local", restore.Options{})
	s.all(t, copyRows)
	if got := s.query(t,
		"select (select string_agg(v, ' ') from logged) || ' ' || (select count(*) from log) || (select string_agg(tgenabled, '' order by tgname) from "+
			"pg_trigger where not tgisinternal)"); got != "as it was 0AR" {
		t.Errorf("after the restore: %s", got)
	}
}

// Dumped statistics hold values of rows, and are left out.
func TestDumpedStatisticsAreLeftOut(t *testing.T) {
	t.Parallel()
	testneed.Image(t, "postgres:18")
	source := pgtest.Container(t, "postgres:18")
	source.Exec("postgres", "CREATE TABLE t (v text); INSERT INTO t SELECT 'planted-value' FROM generate_series(1, 200); ANALYZE t")
	for _, format := range []string{"-Fc", "-Fp"} {
		dump := source.Dump(format, "--statistics", "postgres")
		if format == "-Fp" && !strings.Contains(string(dump), "pg_restore_attribute_stats") {
			t.Fatal("the dump has no statistics")
		}
		s := openOn(t, dump, "container", 18, restore.Options{})
		s.all(t, func(string, string, []string) (func(dst, row []byte) ([]byte, error), error) {
			return func(dst, _ []byte) ([]byte, error) { return append(dst, "scrubbed"...), nil }, nil
		})
		if got := s.query(t, "select count(*) || ' ' || (select count(*) from t) from pg_stats where schemaname = 'public'"); got != "0 200" {
			t.Errorf("%s: statistics and rows: %s", format, got)
		}
		if got := s.check(t, "left_out"); strings.Contains(fmt.Sprint(got), "planted") || !strings.Contains(fmt.Sprint(got), "STATISTICS DATA") {
			t.Errorf("%s: %+v", format, got)
		}
	}
}

// A function of the backup may put a row's values into its own words.
func TestWhatFunctionsSayIsNotShown(t *testing.T) {
	t.Parallel()
	source := pgtest.Server(t)
	source.Exec("postgres", `
CREATE FUNCTION checked(v text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
  IF current_setting('search_path') !~ 'public' THEN RAISE EXCEPTION 'no % here', v USING ERRCODE = 'disk_full'; END IF; RETURN true; END $$;
CREATE TABLE refused (v text CHECK (checked(v))); INSERT INTO refused VALUES ('secret-in-rows');
CREATE FUNCTION told(v text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN
  RAISE WARNING 'what is %', v; PERFORM public.checked(v); RETURN v; END $$;
CREATE TABLE words (v text); INSERT INTO words VALUES ('secret-in-view');
CREATE MATERIALIZED VIEW filled AS SELECT told(v) FROM words;`)
	s := open(t, source.Dump("-Fc", "postgres"), "local", restore.Options{})
	s.all(t, pass)
	if got := s.check(t, "restore_errors"); got.Outcome != verdict.Fail || got.Observed != "2" || strings.Contains(got.Message, "secret") {
		t.Errorf("%+v", got)
	}
	if got := s.check(t, "restore_warnings"); got.Outcome != verdict.Warn || got.Observed != "1" || strings.Contains(got.Message, "secret") {
		t.Errorf("%+v", got)
	}
}

// What ends post-data from outside says nothing about the backup.
func TestDeathInPostData(t *testing.T) {
	t.Parallel()
	source := pgtest.Server(t)
	source.Exec("postgres", `
CREATE FUNCTION at_home() RETURNS boolean LANGUAGE sql AS $$ SELECT current_setting('cluster_name') = '' $$;
CREATE TABLE words (v text);
CREATE MATERIALIZED VIEW filled AS SELECT CASE WHEN public.at_home() THEN true ELSE pg_terminate_backend(pg_backend_pid()) END;`)
	s := open(t, source.Dump("-Fc", "postgres"), "local", restore.Options{})
	if err := s.PreData(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Data(t.Context(), pass, nil, nil); err != nil {
		t.Fatal(err)
	}
	err := s.PostData(t.Context())
	if p := verdict.AsProblem(err); err == nil || p.Outcome != verdict.Error || p.Code == verdict.CodeInternal {
		t.Errorf("%v", err)
	}
	if got := s.check(t, "restore_errors"); got.Outcome == verdict.Fail {
		t.Errorf("%+v", got)
	}
}

// No sandbox has the wal_level that a publication would need.
func TestAPublicationIsNoWarning(t *testing.T) {
	t.Parallel()
	source := pgtest.Server(t)
	source.Exec("postgres", `CREATE TABLE told (id int); CREATE PUBLICATION everything FOR TABLE told`)
	s := open(t, source.Dump("-Fc", "postgres"), "local", restore.Options{Warnings: "fail"})
	s.all(t, pass)
	if got := s.check(t, "restore_warnings"); got.Outcome != verdict.Pass {
		t.Errorf("%+v", got)
	}
}

// killPrograms kills the programs of a name that were lent a part of a work
// directory.
func killPrograms(t *testing.T, name, work string) {
	comms, err := filepath.Glob("/proc/[0-9]*/comm")
	if err != nil {
		t.Error(err)
	}
	for _, path := range comms {
		comm, _ := os.ReadFile(path)
		mounts, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "mountinfo"))
		if strings.TrimSpace(string(comm)) != name || !strings.Contains(string(mounts), "/"+filepath.Base(work)+"/") {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}
