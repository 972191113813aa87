package drill_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pierrec/lz4/v4"
	"github.com/ulikunitz/xz"

	"daybefore/internal/drill"
	"daybefore/internal/pgtest"
	"daybefore/internal/sandbox"
	"daybefore/internal/spec"
	"daybefore/internal/testneed"
	"daybefore/internal/verdict"
)

// kinds are both sandboxes, each left out by name where it cannot run.
func kinds(t *testing.T, test func(t *testing.T, kind string)) {
	for _, kind := range []string{sandbox.Local, sandbox.Container} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			if kind == sandbox.Container {
				testneed.Image(t, "postgres:15")
			}
			test(t, kind)
		})
	}
}

// load reads a drill file of a kind, from text or, if that is empty, the demo.
func load(t *testing.T, kind, text string) *spec.Drill {
	t.Helper()
	path := "../../drills/demo.yaml"
	if text != "" {
		path = filepath.Join(t.TempDir(), "test.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d, err := spec.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	d.Sandbox.Kind = kind
	return d
}

func run(t *testing.T, ctx context.Context, d *spec.Drill, change ...func(*drill.Request)) *verdict.Report {
	t.Helper()
	req := drill.Request{Drill: d, Run: "test", Now: time.Now(), Version: "test", Clusters: testneed.Clusters()}
	for _, c := range change {
		c(&req)
	}
	return drill.Run(ctx, req)
}

func worst(r *verdict.Report) string {
	var b strings.Builder
	for _, s := range r.Stages {
		fmt.Fprintf(&b, "%s: %s %s %s\n", s.Name, s.Outcome, s.Code, s.Message)
	}
	return b.String()
}

func TestTheDemoPasses(t *testing.T) {
	t.Parallel()
	kinds(t, func(t *testing.T, kind string) {
		r := run(t, t.Context(), load(t, kind, ""))
		if r.Outcome != verdict.Pass {
			t.Fatalf("%s\n%s", r.Outcome, worst(r))
		}
		if r.Sandbox.Kind != kind || r.Backup.Checksum != "verified" || r.Scrub.Stored {
			t.Errorf("%+v %+v", r.Sandbox, r.Backup)
		}
		var rows int64
		for _, table := range r.Tables {
			rows += table.RowsHeld
			if table.RowsHeld != table.RowsPassed {
				t.Errorf("%+v", table)
			}
		}
		if rows < 20_000 {
			t.Errorf("the demo holds %d rows", rows)
		}
		if kind == sandbox.Container && r.Sandbox.Isolation != sandbox.Enclosed {
			t.Errorf("isolation %s", r.Sandbox.Isolation)
		}
	})
}

func TestAStoppedDrillIsInterruptedAndLeavesNothing(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"choose", "fetch", "load", "inspect"} {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			var left string
			r := run(t, ctx, load(t, sandbox.Local, ""), func(req *drill.Request) {
				if at == "choose" {
					cancel(drill.ErrInterrupted)
				}
				req.Progress = func(stage string, _, _ int64, _ string) {
					if stage == at {
						cancel(drill.ErrInterrupted)
					}
				}
				req.Inspect = func(_ context.Context, box sandbox.Box) { left = filepath.Dir(box.HostPath("x")) }
			})
			if at != "inspect" && (!r.Interrupted() || r.Outcome != verdict.Error || verdict.ExitCode(r) != verdict.ExitInterrupted) {
				t.Errorf("%s\n%s", r.Outcome, worst(r))
			}
			if _, err := os.Stat(left); left != "" && !os.IsNotExist(err) {
				t.Errorf("%s is still there: %v", left, err)
			}
		})
	}
}

func TestATimeoutIsAnError(t *testing.T) {
	t.Parallel()
	d := load(t, sandbox.Local, "")
	d.Timeout = 50 * time.Millisecond
	r := run(t, t.Context(), d)
	if r.Outcome != verdict.Error || !strings.Contains(worst(r), string(verdict.CodeTimeout)) {
		t.Errorf("%s\n%s", r.Outcome, worst(r))
	}
}

// A store that cannot even be opened is not closed either.
func TestMissingCredentialsAreAnError(t *testing.T) {
	for _, key := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"} {
		t.Setenv(key, "")
	}
	for _, key := range []string{"AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"} {
		t.Setenv(key, os.DevNull)
	}
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	d := load(t, sandbox.Local, "")
	d.Source.URL, d.Source.Region = "s3://shop-backups/nightly/", "us-east-1"
	for name, do := range map[string]func(context.Context, drill.Request) *verdict.Report{"drill": drill.Run, "inventory": drill.Newest} {
		r := do(t.Context(), drill.Request{Drill: d, Run: "test", Now: time.Now(), Version: "test", Clusters: testneed.Clusters()})
		if r.Outcome != verdict.Error || !strings.Contains(worst(r), string(verdict.CodeCredentialsMissing)) {
			t.Errorf("%s: %s\n%s", name, r.Outcome, worst(r))
		}
	}
}

func TestAPanicLeavesAReportAndNothingElse(t *testing.T) {
	t.Parallel()
	var left string
	r := run(t, t.Context(), load(t, sandbox.Local, ""), func(req *drill.Request) {
		req.Inspect = func(_ context.Context, box sandbox.Box) {
			left = filepath.Dir(box.HostPath("x"))
			panic("a value that must not be shown")
		}
	})
	if r.Outcome != verdict.Error || !strings.Contains(worst(r), string(verdict.CodeInternal)) || strings.Contains(worst(r), "must not be shown") {
		t.Errorf("%s\n%s", r.Outcome, worst(r))
	}
	if _, err := os.Stat(left); left == "" || !os.IsNotExist(err) {
		t.Errorf("%s is still there: %v", left, err)
	}
}

// What is known to be bad is not hidden by what could not be known.
func TestABadBackupOutranksAMissingSandbox(t *testing.T) {
	t.Parallel()
	d := load(t, sandbox.Container, "")
	d.Sandbox.Image = "daybefore.invalid/no-such-image:1"
	if r := run(t, t.Context(), d); r.Outcome != verdict.Error {
		t.Errorf("without a sandbox: %s\n%s", r.Outcome, worst(r))
	}
	dump, err := os.ReadFile("../../drills/demo/backups/shop-20260304T031500Z.dump")
	if err != nil {
		t.Fatal(err)
	}
	store := t.TempDir()
	if err := os.WriteFile(filepath.Join(store, "shop-20260304T031500Z.dump"), dump[:len(dump)-1], 0o600); err != nil {
		t.Fatal(err)
	}
	d.Source.URL, d.Source.Checksum = "file://"+store, "if_present"
	r := run(t, t.Context(), d)
	if r.Outcome != verdict.Fail {
		t.Errorf("a truncated backup without a sandbox: %s\n%s", r.Outcome, worst(r))
	}
	// The backup is called by its own name, and once.
	if said := r.Stages[1].Message; !strings.HasPrefix(said, "read shop-20260304T031500Z.dump: it ends after ") {
		t.Errorf("%q", said)
	}
}

const undecidedDrill = `
version: 1
source: {url: "file://%s", name: "%s", timezone: UTC}
scrub: {rules: [{column: public.orders.gone, preserve: true, why: "of an earlier schema"}]}
expectations:
  tables:
    - {table: public.orders, row_count: {min: 1}}
    - {table: public.totals}
    - {table: public.grouped}
`

// A drill file that no longer fits ends the drill before the rows and the
// materialized views come: that they are missing is then no finding, unless
// the backup has none.
func TestWhereTheScrubRefusesOnlyTheBackupsOwnFaultsFail(t *testing.T) {
	t.Parallel()
	source := pgtest.Server(t)
	source.Exec("postgres", `CREATE TABLE orders (id int PRIMARY KEY, total int); INSERT INTO orders VALUES (1, 2);
CREATE MATERIALIZED VIEW totals AS SELECT sum(total) FROM orders;
CREATE MATERIALIZED VIEW grouped AS SELECT id, total FROM orders GROUP BY id;`)
	store := t.TempDir()
	for name, c := range map[string]struct {
		dump []byte
		want verdict.Outcome
	}{
		"whole.dump":      {source.Dump("-Fc", "postgres"), verdict.Error},
		"schemaonly.dump": {source.Dump("-Fc", "--schema-only", "postgres"), verdict.Fail},
	} {
		if err := os.WriteFile(filepath.Join(store, name), c.dump, 0o600); err != nil {
			t.Fatal(err)
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := run(t, t.Context(), load(t, sandbox.Local, fmt.Sprintf(undecidedDrill, store, name)))
			if r.Outcome != c.want {
				t.Errorf("%s, want %s\n%s", r.Outcome, c.want, worst(r))
			}
			if s := stageOf(r, verdict.StageExpect); s.Outcome == verdict.Pass {
				t.Errorf("%+v, and no rows were loaded", s)
			}
		})
	}
}

const lackingDrill = `
version: 1
source: {url: "file://%s", name: "%s", timezone: UTC}
scrub: {rules: [{column: public.users.email, transform: email}, {column: public.orders.gone, preserve: true, why: "of an earlier schema"}]}
expectations:
  tables:
    - {table: public.users, row_count: {min: 1}}
    - {table: public.events, row_count: {min: 1}}
    - {table: public.grown, row_count: {min: 1}}
    - {table: public.orders, row_count: {min: 1}}
`

// Rules may meet no column because the rows of a declared table are not in the
// backup: that is the backup's fault, and no rule's.
func TestWhereTheScrubRefusesLackingRowsFail(t *testing.T) {
	t.Parallel()
	source := pgtest.Server(t)
	source.Exec("postgres", `CREATE TABLE orders (id int); INSERT INTO orders VALUES (1);
CREATE TABLE users (id int, email text); INSERT INTO users VALUES (1, 'a@example.com');
CREATE TABLE events (id int) PARTITION BY RANGE (id);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (0) TO (10);
CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM (10) TO (20); INSERT INTO events VALUES (1), (11);
CREATE TABLE grown (id int); CREATE TABLE grown_more () INHERITS (grown); INSERT INTO grown VALUES (1); INSERT INTO grown_more VALUES (2);`)
	for name, c := range map[string]struct {
		args []string
		want []string // ids of what fails
	}{
		"none":           {nil, nil},
		"a table":        {[]string{"--exclude-table-data=users"}, []string{"row_count:public.users"}},
		"a partition":    {[]string{"--exclude-table-data=events_1"}, nil},
		"all partitions": {[]string{"--exclude-table-data=events_*"}, []string{"row_count:public.events"}},
		"a root":         {[]string{"--load-via-partition-root", "--exclude-table-data=events_1"}, nil},
		"a parent":       {[]string{"--exclude-table-data=grown"}, nil},
		"a family":       {[]string{"--exclude-table-data=grown*"}, []string{"row_count:public.grown"}},
		"all": {[]string{"--schema-only"},
			[]string{"rows_held", "row_count:public.users", "row_count:public.events", "row_count:public.grown", "row_count:public.orders"}},
		"a plain table": {[]string{"-Fp", "-C", "--exclude-table-data=users"}, []string{"row_count:public.users"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := t.TempDir()
			args := append([]string{"-Fc"}, append(c.args, "postgres")...)
			if err := os.WriteFile(filepath.Join(store, "x.dump"), source.Dump(args...), 0o600); err != nil {
				t.Fatal(err)
			}
			text := fmt.Sprintf(lackingDrill, store, "x.dump")
			if strings.HasPrefix(name, "a plain") {
				if err := os.Rename(filepath.Join(store, "x.dump"), filepath.Join(store, "x-20260304.dump")); err != nil {
					t.Fatal(err)
				}
				text = strings.Replace(text, `name: "x.dump"`, `name: "x-{time}.dump", time: "20060102"`, 1)
			}
			r := run(t, t.Context(), load(t, sandbox.Local, text))
			want := verdict.Error
			if len(c.want) > 0 {
				want = verdict.Fail
			}
			if r.Outcome != want {
				t.Errorf("%s, want %s\n%s", r.Outcome, want, worst(r))
			}
			failing(t, r, c.want)
		})
	}
}

// failing wants just these checks to fail.
func failing(t *testing.T, r *verdict.Report, want []string) {
	t.Helper()
	var got []string
	for _, c := range r.Checks {
		if c.Outcome == verdict.Fail {
			got = append(got, c.ID)
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%q fail, want %q\n%s", got, want, worst(r))
	}
}

// drilledBy drills a dump of 500 rows in public.a with one rule.
func drilledBy(t *testing.T, dump []byte, rule string) *verdict.Report {
	t.Helper()
	return drilledAs(t, "dump", dump, rule)
}

// drilledAs is drilledBy of a backup whose name ends so.
func drilledAs(t *testing.T, extension string, dump []byte, rule string) *verdict.Report {
	t.Helper()
	store := t.TempDir()
	if err := os.WriteFile(filepath.Join(store, "x-20260301T000000Z."+extension), dump, 0o600); err != nil {
		t.Fatal(err)
	}
	return run(t, t.Context(), load(t, sandbox.Local, fmt.Sprintf(`
version: 1
source: {url: "file://%s", name: "x-{time}.%s", time: 20060102T150405Z, time_tolerance: 200000h}
scrub: {rules: [%s]}
expectations: {roles: [postgres], tables: [{table: public.a, row_count: {min: 500}}]}
`, store, extension, rule)))
}

// Where the server refuses rows that a rule rewrote, nothing is known of the
// backup: its own rows may be as good as any. Rows that no rule touched are the
// backup's own.
func TestRefusedRowsThatTheScrubRewroteAreNoFailure(t *testing.T) {
	t.Parallel()
	source := pgtest.Server(t)
	source.Exec("postgres", `CREATE TABLE a (word text, checked bool, n int, CHECK (NOT coalesce(checked, false) OR length(word) > 40));
INSERT INTO a SELECT repeat('Wort', 20), true, n FROM generate_series(1, 500) n;`)
	for name, c := range map[string]struct {
		args []string
		rule string
		want verdict.Outcome
	}{
		"custom":            {[]string{"-Fc"}, "{column: public.a.word, transform: city}", verdict.Error},
		"plain":             {nil, "{column: public.a.word, transform: city}", verdict.Error},
		"of another column": {nil, "{column: public.a.n, transform: number}", verdict.Fail},
		"preserved":         {[]string{"-Fc"}, "{column: public.a.word, preserve: true, why: words}", verdict.Pass},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dump := source.Dump(append(slices.Clone(c.args), "postgres")...)
			if c.want == verdict.Fail { // a row that the backup's own constraint refuses
				dump = bytes.Replace(dump, []byte(strings.Repeat("Wort", 20)), []byte("Wort"), 1)
			}
			r := drilledBy(t, dump, c.rule)
			told := worst(r)
			if r.Outcome != c.want ||
				(c.want == verdict.Error) != strings.Contains(told,
					"restore: error rule_unfit load public.a: a row was refused by a_check (SQLSTATE 23514), in which the rule at ") {
				t.Errorf("%s, want %s\n%s", r.Outcome, c.want, told)
			}
			if c.want == verdict.Error {
				failing(t, r, nil)
			}
		})
	}
}

// Nor is anything known where an index cannot be built for what a rule made of
// the rows; where something else is refused too, that is.
func TestIndexesThatTheScrubBrokeAreNoFailure(t *testing.T) {
	t.Parallel()
	source := pgtest.Server(t)
	source.Exec("postgres", `CREATE TABLE a (id int, gone text, other int PRIMARY KEY); CREATE UNIQUE INDEX alive ON a (id) WHERE gone IS NULL;
INSERT INTO a SELECT n / 2, CASE n % 2 WHEN 0 THEN 'gone' END, n FROM generate_series(1, 500) n;`)
	for name, c := range map[string]struct {
		args []string
		rule string
		want verdict.Outcome
	}{
		"custom":         {[]string{"-Fc"}, "transform: set_null", verdict.Error},
		"plain":          {nil, "transform: set_null", verdict.Error},
		"preserved":      {nil, "preserve: true, why: words", verdict.Pass},
		"and a bad key":  {nil, "transform: set_null", verdict.Fail},
		"a bad key only": {nil, "preserve: true, why: words", verdict.Fail},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dump := source.Dump(append(slices.Clone(c.args), "postgres")...)
			if c.want == verdict.Fail {
				dump = bytes.Replace(dump, []byte("\n1\tgone\t2\n"), []byte("\n1\tgone\t1\n"), 1)
			}
			r := drilledBy(t, dump, "{column: public.a.gone, "+c.rule+"}")
			if r.Outcome != c.want {
				t.Errorf("%s, want %s\n%s", r.Outcome, c.want, worst(r))
			}
			blamed := slices.ContainsFunc(r.Checks, func(check verdict.Check) bool {
				return check.ID == "rule_unfit:public.a.alive" && check.Outcome == verdict.Error &&
					strings.Contains(check.Message, "had rewritten what it rests on: public.a.gone (")
			})
			if want := strings.Contains(c.rule, "set_null"); blamed != want {
				t.Errorf("blamed: %t, want %t: %+v", blamed, want, r.Checks)
			}
			if got := checkOf(t, r, "restore_errors"); got.Outcome != c.want {
				t.Errorf("%+v", got)
			}
			judged := slices.ContainsFunc(r.Checks, func(check verdict.Check) bool { return check.ID == "row_count:public.a" })
			if want := c.want != verdict.Error; judged != want {
				t.Errorf("expectations judged: %t, want %t", judged, want)
			}
		})
	}
}

// A backup without a row is bad even where only tables are declared: every one
// of them is there.
func TestABackupWithoutRowsFails(t *testing.T) {
	t.Parallel()
	source := pgtest.Server(t)
	source.Exec("postgres", `CREATE TABLE a (id int); INSERT INTO a VALUES (1); CREATE TABLE b (id int);
CREATE ROLE nobody_in_particular LOGIN; GRANT SELECT ON a, b TO nobody_in_particular; ALTER TABLE a ENABLE ROW LEVEL SECURITY;`)
	for name, c := range map[string]struct {
		args  []string
		scrub string
		fails bool
	}{
		"whole":                    {nil, "", false},
		"schema only":              {[]string{"--schema-only"}, "", true},
		"only an empty table":      {[]string{"--exclude-table-data=a"}, "", true},
		"row-level security":       {[]string{"--enable-row-security", "--role=nobody_in_particular"}, "", true},
		"left out by the drill":    {nil, "scrub: {exclude_table_data: [public.a]}", false},
		"of all those that remain": {[]string{"--schema-only"}, "scrub: {exclude_table_data: [public.a]}", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := t.TempDir()
			if err := os.WriteFile(filepath.Join(store, "x.dump"), source.Dump(append(append([]string{"-Fc"}, c.args...), "postgres")...), 0o600); err != nil {
				t.Fatal(err)
			}
			r := run(t, t.Context(), load(t, sandbox.Local, fmt.Sprintf(`
version: 1
source: {url: "file://%s", name: "x.dump", timezone: UTC}
expectations: {roles: [nobody_in_particular, postgres], tables: [{table: public.a}, {table: public.b}]}
`, store)+c.scrub))
			if c.fails {
				failing(t, r, []string{"rows_held"})
			} else if failing(t, r, nil); r.Outcome != verdict.Pass {
				t.Errorf("%s\n%s", r.Outcome, worst(r))
			}
		})
	}
}

// Everything that passes between harness and sandbox passes through the
// engine's exec streams, where nothing can be shared.
func TestTheDemoPassesThroughTheTunnel(t *testing.T) {
	t.Parallel()
	testneed.Image(t, "postgres:15")
	r := run(t, t.Context(), load(t, sandbox.Container, ""), func(req *drill.Request) { req.Tunnel = true })
	if r.Outcome != verdict.Pass || r.Sandbox.Isolation != sandbox.Enclosed {
		t.Errorf("%s, %+v\n%s", r.Outcome, r.Sandbox, worst(r))
	}
}

// A plain dump, bare or compressed, and INSERT data go the same way.
func TestOtherFormats(t *testing.T) {
	t.Parallel()
	source := pgtest.Server(t)
	source.Exec("postgres", planted)
	values := plantedValues(t, source)
	dump := func(args ...string) []byte { return source.Dump(append(args, "postgres")...) }
	for name, c := range map[string]struct {
		file   string
		dump   []byte
		format string
	}{
		"plain":              {"p-20260304.sql", dump("-Fp"), "plain none"},
		"plain inserts":      {"p-20260304.sql", dump("-Fp", "--rows-per-insert=7"), "plain none"},
		"inserts":            {"p-20260304.dump", dump("-Fc", "--inserts"), "custom gzip within"},
		"plain in gzip":      {"p-20260304.sql.gz", dump("-Fp", "-Z", "6"), "plain gzip"},
		"sql.xz":             {"p-20260304.sql.xz", xzed(t, dump("-Fp")), "plain xz"},
		"dump.lz4":           {"p-20260304.dump.lz4", lz4ed(t, dump("-Fc")), "custom lz4 around gzip"},
		"tar":                {"p-20260304.tar", dump("-Ft"), "tar none"},
		"tar.gz of a folder": {"p-20260304.tar.gz", gzipped(t, source.DumpDirectory("postgres")), "tar gzip around gzip"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := t.TempDir()
			if err := os.WriteFile(filepath.Join(store, c.file), c.dump, 0o600); err != nil {
				t.Fatal(err)
			}
			text := strings.Replace(plantedDrill(store, true), `name: "*.dump"`, `name: "p-{time}.*", time: "20060102", time_tolerance: 999999h`, 1)
			var found []string
			r := run(t, t.Context(), load(t, sandbox.Local, text), func(req *drill.Request) {
				req.Inspect = func(ctx context.Context, box sandbox.Box) {
					f := newFinder(t, values)
					f.files(ctx, box)
					found = f.names(values, true)
				}
			})
			if r.Outcome != verdict.Pass {
				t.Fatalf("%s\n%s", r.Outcome, worst(r))
			}
			if len(found) > 0 {
				t.Errorf("%d real values lie in the sandbox, such as %q", len(found), found[0])
			}
			if got := r.Backup.Format + " " + r.Backup.Compression; got != c.format {
				t.Errorf("told as %q, want %q", got, c.format)
			}
		})
	}
}

// A directory goes through the engine's exec streams as a file does.
func TestADirectoryPassesThroughTheTunnel(t *testing.T) {
	t.Parallel()
	testneed.Image(t, "postgres:15")
	source := pgtest.Server(t)
	source.Exec("postgres", "CREATE TABLE a (id int); INSERT INTO a SELECT generate_series(1, 500)")
	store := t.TempDir()
	if err := os.WriteFile(filepath.Join(store, "x.tar.gz"), gzipped(t, source.DumpDirectory("postgres")), 0o600); err != nil {
		t.Fatal(err)
	}
	r := run(t, t.Context(), load(t, sandbox.Container, fmt.Sprintf(`
version: 1
source: {url: "file://%s", name: x.tar.gz, timezone: UTC}
scrub: {rules: [{column: public.a.id, preserve: true, why: a number}]}
expectations: {roles: [postgres], tables: [{table: public.a, row_count: {equals: 500}}]}
`, store)), func(req *drill.Request) { req.Tunnel = true })
	if r.Outcome != verdict.Pass || r.Backup.Format != "tar" {
		t.Errorf("%s, %+v\n%s", r.Outcome, r.Backup, worst(r))
	}
}

// A name that says something else than the content is told, and fails nothing.
func TestANameThatContradictsIsAWarning(t *testing.T) {
	t.Parallel()
	source := pgtest.Server(t)
	source.Exec("postgres", "CREATE TABLE a (id int); INSERT INTO a SELECT generate_series(1, 500)")
	r := drilledAs(t, "custom", source.Dump("-Fp", "postgres"), "{column: public.a.id, preserve: true, why: a number}")
	if r.Outcome != verdict.Warn || !slices.ContainsFunc(r.Checks, func(c verdict.Check) bool {
		return c.ID == "backup_name" && c.Code == verdict.CodeBackupForm && c.Outcome == verdict.Warn && c.Hint != ""
	}) {
		t.Errorf("%s\n%s\n%+v", r.Outcome, worst(r), r.Checks)
	}
}

func gzipped(t *testing.T, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write(data)
	if err := errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func xzed(t *testing.T, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z, err := xz.WriterConfig{DictCap: 1 << 20}.NewWriter(&b)
	if err != nil {
		t.Fatal(err)
	}
	_, err = z.Write(data)
	if err := errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func lz4ed(t *testing.T, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := lz4.NewWriter(&b)
	_, err := z.Write(data)
	if err := errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// What the first hit ends is the load alone: every place is named at once, with
// the count of all its rows.
func TestOneReportNamesEveryPlace(t *testing.T) {
	t.Parallel()
	source := pgtest.Server(t)
	source.Exec("postgres",
		`CREATE TABLE a (id int, x text, y text); INSERT INTO a SELECT n, 'ada' || n || '@example.com', 'no ' || n FROM generate_series(1, 30) AS n;
CREATE TABLE b (id int, x text[]); INSERT INTO b VALUES (1, '{x}'), (2, '{+4915112345678}'), (3, '{a,+4915112345679}');
CREATE TABLE c (id int, doc jsonb, mail text); INSERT INTO c SELECT n, '{"to": "4111 1111 1111 1111"}', 'boss@example.com' FROM generate_series(1, 4) AS n;`)
	for name, args := range map[string][]string{"custom": {"-Fc"}, "inserts": {"-Fc", "--inserts"}, "plain": {"-Fp"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := t.TempDir()
			if err := os.WriteFile(filepath.Join(store, "p-20260304.dump"), source.Dump(append(args, "postgres")...), 0o600); err != nil {
				t.Fatal(err)
			}
			r := run(t, t.Context(), load(t, sandbox.Local, fmt.Sprintf(`
version: 1
source: {url: "file://%s", name: "p-{time}.dump", time: "20060102", time_tolerance: 999999h, timezone: UTC}
expectations: {tables: [{table: public.a}]}
scrub:
  keep: [{table: public.c, match: {mail: "boss@*"}, max_rows: 4}]
  rules:
    - {column: public.c.doc, json: [{path: "$.n", transform: text}], unmatched_paths: keep, why: "nobody's words"}
    - {column: public.c.mail, transform: email}
`, store)))
			got := map[string]string{}
			for _, c := range r.Checks {
				if c.Outcome != verdict.Pass && c.Outcome != verdict.Skipped {
					got[c.ID] = c.Observed
				}
			}
			want := map[string]string{"unmatched:public.a.x": "30 values looked like an e-mail address",
				"unmatched:public.b.x": "2 values looked like a phone number"}
			if !maps.Equal(got, want) || r.Outcome != verdict.Error {
				t.Errorf("%s: %q\n%s", r.Outcome, got, worst(r))
			}
		})
	}
}
