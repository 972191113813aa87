package harness_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"filippo.io/age"

	"daybefore/internal/pgtest"
	"daybefore/internal/testneed"
	"daybefore/internal/verdict"
)

// What a database that is lost holds: names that want quoting, a role, a setting,
// rows that refer to others, and an extension.
const lostDatabase = `
create role app;
create role "o'neil $(touch ../here)";
create database shop;
alter database shop set work_mem = '5MB';
\connect shop
create extension hstore;
create table public.orders (id int primary key, kind text);
insert into public.orders select n, 'k' || n % 7 from generate_series(1, 1200) n;
create table public."it's ` + "`odd`" + `" ("a b" int references public.orders);
insert into public."it's ` + "`odd`" + `" select n from generate_series(1, 77) n;
create index on public.orders (kind);
alter table public.orders owner to app;
grant select on public.orders to "o'neil $(touch ../here)";
`

// lost is a kind of backup of it.
type lost struct {
	source string // of the drill file, beside the URL
	lay    func(t *testing.T, c *pgtest.Cluster, dir string)
	env    []string
}

func lostKinds(t *testing.T) map[string]lost {
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	dumped := func(name string, args ...string) func(*testing.T, *pgtest.Cluster, string) {
		return func(t *testing.T, c *pgtest.Cluster, dir string) { layFile(t, dir, name, c.Dump(args...)) }
	}
	return map[string]lost{
		"custom": {source: `name: "shop $(id)-{time}.dump"`, lay: dumped("shop $(id)-20260304.dump", "-Fc", "shop")},
		"plain": {source: `name: "shop-{time}.sql.gz"`, lay: func(t *testing.T, c *pgtest.Cluster, dir string) {
			layFile(t, dir, "shop-20260304.sql.gz", zipped(t, c.Dump("shop")))
		}},
		"directory": {source: `name: "shop-{time}"`, lay: func(t *testing.T, c *pgtest.Cluster, dir string) {
			layTar(t, filepath.Join(dir, "shop-20260304"), c.DumpDirectory("shop"))
		}},
		"tar": {source: `name: "shop-{time}.tar.gz"`, lay: func(t *testing.T, c *pgtest.Cluster, dir string) {
			layFile(t, dir, "shop-20260304.tar.gz", zipped(t, c.DumpDirectory("shop")))
		}},
		"age": {source: `name: "shop-{time}.dump.age", decrypt: {age_identity_env: DRILL_AGE_IDENTITY}`,
			lay: func(t *testing.T, c *pgtest.Cluster, dir string) {
				layFile(t, dir, "shop-20260304.dump.age", sealed(t, c.Dump("-Fc", "shop"), identity.Recipient()))
			}, env: []string{"DRILL_AGE_IDENTITY=" + identity.String()}},
		"cluster": {source: `name: "all-{time}.sql"`, lay: func(t *testing.T, c *pgtest.Cluster, dir string) {
			layFile(t, dir, "all-20260304.sql", c.DumpBy("pg_dumpall"))
		}},
		"parts": {source: `parts: ["all-{time}.globals.sql", "shop-{time}.schema", "shop-{time}.rows"]`,
			lay: func(t *testing.T, c *pgtest.Cluster, dir string) {
				layFile(t, dir, "all-20260304.globals.sql", c.DumpBy("pg_dumpall", "--globals-only"))
				layFile(t, dir, "shop-20260304.schema", c.Dump("-Fc", "-s", "shop"))
				layFile(t, dir, "shop-20260304.rows", c.Dump("-Fc", "-a", "shop"))
			}},
	}
}

func layFile(t *testing.T, dir, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
		t.Fatal(err)
	}
}

func layTar(t *testing.T, dir string, data []byte) {
	t.Helper()
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(bytes.NewReader(data)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag == tar.TypeReg {
			text, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			layFile(t, dir, filepath.Base(h.Name), text)
		}
	}
}

func zipped(t *testing.T, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write(data)
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func sealed(t *testing.T, data []byte, to age.Recipient) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := age.Encrypt(&b, to)
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.Write(data)
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

const lostDrill = `version: 1
source: {url: "file://%s/", time: "20060102", timezone: UTC, time_tolerance: 999999h, database: shop, %s}
sandbox: {kind: local}
expectations:
  roles: [app]
  settings: {work_mem: 5MB}
  severity: {settings: warn}
  indexes: valid
  tables:
    - {table: public.orders, row_count: {equals: 1200}}
    - table: public."it's ` + "`odd`" + `"
      relationships: [{column: '"a b"', references: public.orders.id}]
  failed_rows: [{name: no_kind, sql: "select id from public.orders where kind = '' -- none", fail_if: "> 0"}]
  canary: {sql: "select kind from public.orders where id = 8", equals_env: DRILL_CANARY}
runbook: {copy_to: file:copies/}
`

var shellBlocks = regexp.MustCompile("(?ms)^(````*)sh\n(.*?)^````*$")

// commands are those of a page, in their order, and nothing else of it.
func commands(t *testing.T, page []byte) string {
	t.Helper()
	var all strings.Builder
	for _, block := range shellBlocks.FindAllSubmatch(page, -1) {
		all.Write(block[2])
	}
	if all.Len() == 0 {
		t.Fatalf("there is no command in\n%s", page)
	}
	return all.String()
}

// freshServer starts a server without a database, and takes commands for a shell.
const freshServer = `bin=$(ls -d /usr/lib/postgresql/*/bin)
$bin/initdb -N -D /tmp/data -A trust -E UTF8 --locale=C >/dev/null
$bin/pg_ctl -D /tmp/data -o '-c fsync=off -c listen_addresses=' -l /tmp/server.log -w start >/dev/null
mkdir /tmp/elsewhere
cd /tmp/elsewhere
sh -es`

// The commands of the page alone, in a container that never saw the harness,
// bring the database back.
func TestTheRunbookBringsTheDatabaseBack(t *testing.T) {
	t.Parallel()
	source := pgtest.Server(t)
	source.Exec("postgres", lostDatabase)
	major, _, _ := strings.Cut(source.Query("postgres", "show server_version"), ".")
	image := "postgres:" + major
	testneed.Image(t, image)
	decrypts := testneed.Debian(t, "age").Program(t, "age")
	p := newPlace(t)
	p.write("drills/copies/.here", "")
	p.env = append(p.env, "DRILL_CANARY=k1")
	kinds := lostKinds(t)
	for kind, backup := range kinds {
		store := filepath.Join(p.dir, "store", kind)
		if err := os.MkdirAll(store, 0o755); err != nil {
			t.Fatal(err)
		}
		backup.lay(t, source, store)
		p.write("drills/"+kind+".yaml", fmt.Sprintf(lostDrill, store, backup.source))
		p.env = append(p.env, backup.env...)
	}
	drilled := p.start("drill")
	if code := drilled.end(); code != 0 {
		t.Fatalf("code %d\n%s", code, drilled.said())
	}
	for kind, backup := range kinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			page := []byte(p.read("reports/" + kind + "/RECOVERY.md"))
			if copied := p.read("drills/copies/" + kind + "/RECOVERY.md"); copied != string(page) {
				t.Errorf("the copy is another page:\n%s", copied)
			}
			for _, variable := range backup.env {
				_, secret, _ := strings.Cut(variable, "=")
				if bytes.Contains(page, []byte(secret)) || strings.Contains(drilled.said(), secret) {
					t.Error("a key was told")
				}
			}
			run := exec.CommandContext(t.Context(), "docker", "run", "--rm", "-i", "--network", "none", "--user", "postgres", "--tmpfs", "/tmp:mode=1777",
				"-v", store(p, kind)+":"+store(p, kind)+":ro", "-v", decrypts+":/usr/local/bin/age:ro", "-e", "DRILL_CANARY", "-e", "DRILL_AGE_IDENTITY")
			run.Env = append(os.Environ(), p.env...)
			run.Args = append(run.Args, image, "sh", "-ec", freshServer)
			run.Stdin = strings.NewReader(commands(t, page) + asked)
			out, err := run.CombinedOutput()
			if err != nil || !strings.HasSuffix(string(out), found) || !strings.Contains(string(out), "\nright\n") {
				t.Errorf("%v\n%s\nof\n%s", err, out, commands(t, page))
			}
		})
	}
}

func store(p *place, kind string) string { return filepath.Join(p.dir, "store", kind) }

// What is asked of the restored database besides what the page asks, and what is
// to be found.
const (
	asked = "\necho of the test:\nls ..\n" + `psql -X -At -d shop <<'SQL'
select count(*) from public.orders;
select count(*) from public."it's ` + "`odd`" + `";
select tableowner from pg_tables where tablename = 'orders';
select has_table_privilege('o''neil $(touch ../here)', 'public.orders', 'select');
select count(*) from pg_indexes where tablename = 'orders';
select extname from pg_extension where extname = 'hstore';
SQL
`
	found = "of the test:\nrecovery\n1200\n77\napp\nt\n2\nhstore\n"
)

// Without a drill that passed there is no page, and one that cannot be copied
// changes no verdict.
func TestARunbookThatIsNotWritten(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.demo("local")
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"runbook"}, 11, "-name is required"},
		{[]string{"runbook", "-name=demo"}, 11, "no drill of its newest backup has passed"},
		{[]string{"drill", "-name=demo", "-backup=shop-20260304T031500Z.dump"}, 0, ""},
		{[]string{"runbook", "-name=demo"}, 11, "no drill of its newest backup has passed"},
	} {
		pr := p.start(c.args...)
		if code := pr.end(); code != c.code || !strings.Contains(pr.stderr.String(), c.says) {
			t.Errorf("%q: code %d\n%s", c.args, code, pr.said())
		}
	}
	page := filepath.Join(p.dir, "reports", "demo", "RECOVERY.md")
	if _, err := os.Stat(page); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the drill of another backup wrote a page: %v", err)
	}
	p.editDemo(func(text string) string { return text + "\nrunbook: {copy_to: file:not-mounted/}\n" })
	pr := p.start("drill", "-name=demo")
	code := pr.end()
	for _, says := range []string{"warning: demo: RECOVERY.md: write to file://", "not-mounted", "runbook.copy_to right?", "the verdict stands"} {
		if !strings.Contains(pr.stderr.String(), says) {
			t.Errorf("it does not say %q\n%s", says, pr.said())
		}
	}
	if r := p.latest("demo"); code != 0 || r.Outcome != verdict.Pass {
		t.Errorf("code %d, %s", code, r.Outcome)
	}
	if _, err := os.Stat(page); err != nil {
		t.Errorf("nor is it here: %v", err)
	}
}
