package image

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"daybefore/internal/testneed"
)

var fixedTime = time.Date(2026, 11, 21, 3, 15, 0, 0, time.UTC)

const startTimeout = 2 * time.Minute

// container is one of a postgres image with this checkout's entrypoint in it,
// and no network.
type container struct {
	t  *testing.T
	id string
}

// create makes a container; args are those of docker create before the image
// and, after a "--", those after it.
func create(t *testing.T, image string, args ...string) container {
	t.Helper()
	before, after := args, []string(nil)
	for i, arg := range args {
		if arg == "--" {
			before, after = args[:i], args[i+1:]
		}
	}
	argv := append([]string{"create", "--network", "none", "--pull", "never"}, before...)
	argv = append(append(argv, image), after...)
	c := container{t: t, id: must(t, argv...)}
	t.Cleanup(func() {
		if _, err := docker(context.Background(), "rm", "--force", "--volumes", c.id); err != nil {
			t.Error(err)
		}
	})
	// Not the one the image was built with.
	path := filepath.Join(t.TempDir(), "docker-entrypoint.sh")
	if err := os.WriteFile(path, entrypoint, 0o755); err != nil {
		t.Fatal(err)
	}
	must(t, "cp", path, c.id+":/usr/local/bin/docker-entrypoint.sh")
	return c
}

// put copies a file with these bytes into the container, owned by root.
func (c container) put(path string, mode os.FileMode, content []byte) {
	c.t.Helper()
	local := filepath.Join(c.t.TempDir(), filepath.Base(path))
	if err := os.WriteFile(local, content, mode); err != nil {
		c.t.Fatal(err)
	}
	must(c.t, "cp", local, c.id+":"+path)
}

func (c container) start() { c.t.Helper(); must(c.t, "start", c.id) }

// ready waits for the final server, the only one that has a TCP port.
func (c container) ready() {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), startTimeout)
	defer cancel()
	for {
		if _, err := docker(ctx, "exec", c.id, "pg_isready", "--quiet", "--host", "127.0.0.1", "--username", "postgres"); err == nil {
			return
		}
		if running, err := docker(ctx, "inspect", "--format", "{{.State.Running}}", c.id); err != nil || running != "true" {
			c.t.Fatalf("the server did not start (%v):\n%s", err, c.logs())
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// exit waits for the end of the container and gives its status.
func (c container) exit() string {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), startTimeout)
	defer cancel()
	status, err := docker(ctx, "wait", c.id)
	if err != nil {
		c.t.Fatalf("%v:\n%s", err, c.logs())
	}
	return status
}

func (c container) logs() string {
	c.t.Helper()
	out, err := exec.CommandContext(context.WithoutCancel(c.t.Context()), "docker", "logs", c.id).CombinedOutput()
	if err != nil {
		c.t.Error(err)
	}
	return string(out)
}

// psql asks the server as postgres; args begin with the statement.
func (c container) psql(sql string, args ...string) string {
	c.t.Helper()
	return must(c.t, append([]string{"exec", c.id, "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-c", sql}, args...)...)
}

func must(t *testing.T, args ...string) string {
	t.Helper()
	out, err := docker(t.Context(), args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func randomName() string { return strings.ToLower(rand.Text()[:12]) }

const image17 = "postgres:17"

// TestServerOfEveryMajor holds for each image that is there, 17 at least.
func TestServerOfEveryMajor(t *testing.T) {
	t.Parallel()
	testneed.Image(t, image17)
	for _, major := range Majors() {
		t.Run(fmt.Sprint(major), func(t *testing.T) {
			t.Parallel()
			if there, err := exists(t.Context(), Tag(major)); err != nil || !there {
				t.Skipf("%s is not there (%v)", Tag(major), err)
			}
			c := create(t, Tag(major), "--env", "POSTGRES_PASSWORD=pw", "--", "-c", "work_mem=5MB")
			c.start()
			c.ready()
			got := c.psql(`SELECT current_setting('server_version_num')::int / 10000, current_setting('data_directory'),
				current_setting('work_mem'), current_setting('listen_addresses'), current_setting('server_encoding'),
				(SELECT datcollate FROM pg_database WHERE datname = 'postgres')`)
			if want := fmt.Sprintf("%d|%s|5MB|*|UTF8|en_US.utf8", major, pgdata(major)); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
			// Only a network but the loopback is asked for a password.
			method := map[bool]string{true: "md5", false: "scram-sha-256"}[major < 14]
			hba := c.psql("SELECT auth_method FROM pg_hba_file_rules WHERE address = 'all'")
			if hba != method {
				t.Errorf("other hosts authenticate by %q, want %q", hba, method)
			}
			if owner := must(t, "exec", c.id, "stat", "-c", "%U %a", pgdata(major)); owner != "postgres 700" {
				t.Errorf("owner and mode of the data: %s", owner)
			}
			if user := must(t, "exec", c.id, "stat", "-c", "%U", "/proc/1"); user != "postgres" {
				t.Errorf("the server runs as %s", user)
			}
		})
	}
}

func TestVariables(t *testing.T) {
	t.Parallel()
	testneed.Image(t, image17)
	c := create(t, image17,
		"--env", "POSTGRES_USER_FILE=/run/user-name",
		"--env", "POSTGRES_PASSWORD_FILE=/run/password",
		"--env", "POSTGRES_DB=it's a \"shop\"",
		"--env", "POSTGRES_INITDB_ARGS=--data-checksums --locale='de_DE.UTF-8' --auth-local=peer --auth-host=scram-sha-256",
		"--env", "POSTGRES_INITDB_WALDIR=/var/lib/postgresql/wal",
		"--env", "PGDATA=/var/lib/postgresql/elsewhere",
		"--", "postgres", "-c", "log_checkpoints=off")
	c.put("/run/user-name", 0o644, []byte("postgres\n"))
	c.put("/run/password", 0o600, []byte("p'w \"1\"\n")) // which only root reads
	c.start()
	c.ready()
	ask := func(password, sql string) (string, error) {
		return docker(t.Context(), "exec", "--env", "PGPASSWORD="+password, c.id, "psql", "-XAtqw",
			"-h", "127.0.0.1", "-U", "postgres", "-d", `it's a "shop"`, "-c", sql)
	}
	got, err := ask(`p'w "1"`, `SELECT current_setting('data_checksums'), current_setting('data_directory'), datcollate
		FROM pg_database WHERE datname = current_database()`)
	if err != nil {
		t.Fatal(err)
	}
	if want := "on|/var/lib/postgresql/elsewhere|de_DE.UTF-8"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if _, err := ask("wrong", "SELECT 1"); err == nil || !strings.Contains(err.Error(), "password authentication failed") {
		t.Errorf("a wrong password: %v", err)
	}
	if got := must(t, "exec", c.id, "readlink", "/var/lib/postgresql/elsewhere/pg_wal"); got != "/var/lib/postgresql/wal" {
		t.Errorf("pg_wal is at %q", got)
	}
	if got := must(t, "exec", c.id, "find", "/tmp", "-type", "f"); got != "" {
		t.Errorf("left in /tmp: %s", got)
	}
}

func TestTrustNeedsNoPassword(t *testing.T) {
	t.Parallel()
	testneed.Image(t, image17)
	c := create(t, image17, "--env", "POSTGRES_HOST_AUTH_METHOD=trust", "--env", "POSTGRES_USER=shop")
	c.start()
	c.ready()
	got := must(t, "exec", c.id, "psql", "-XAtq", "-U", "shop", "-c",
		"SELECT current_database(), (SELECT auth_method FROM pg_hba_file_rules WHERE address = 'all')")
	if got != "shop|trust" {
		t.Errorf("got %s", got)
	}
	if logs := c.logs(); !strings.Contains(logs, "whoever reaches this server is its superuser") {
		t.Errorf("trust is not warned of:\n%s", logs)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	testneed.Image(t, image17)
	for _, tt := range []struct {
		name string
		args []string
		want string
	}{
		{"no password", nil,
			"/var/lib/postgresql/data is empty and no superuser password was given: set POSTGRES_PASSWORD"},
		{"an empty password", []string{"--env", "POSTGRES_PASSWORD="}, "no superuser password was given"},
		{"two passwords", []string{"--env", "POSTGRES_PASSWORD=hunter2", "--env", "POSTGRES_PASSWORD_FILE=/etc/hostname"},
			"POSTGRES_PASSWORD and POSTGRES_PASSWORD_FILE are both set"},
		{"no password file", []string{"--env", "POSTGRES_PASSWORD_FILE=/run/secrets/absent"},
			"POSTGRES_PASSWORD_FILE names /run/secrets/absent, which root cannot read"},
		{"wrong initdb arguments", []string{"--env", "POSTGRES_PASSWORD=hunter2", "--env", "POSTGRES_INITDB_ARGS=--no-such"},
			"unrecognized option '--no-such'"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := create(t, image17, tt.args...)
			c.start()
			if status := c.exit(); status != "1" {
				t.Errorf("status %s, want 1", status)
			}
			logs := c.logs()
			if !strings.Contains(logs, tt.want) {
				t.Errorf("log, which should say %q:\n%s", tt.want, logs)
			}
			if strings.Contains(logs, "hunter2") {
				t.Errorf("the log shows the password:\n%s", logs)
			}
		})
	}
}

func TestHooks(t *testing.T) {
	t.Parallel()
	testneed.Image(t, image17)
	c := create(t, image17, "--env", "POSTGRES_PASSWORD=pw", "--env", "POSTGRES_DB=shop",
		"--env", "POSTGRES_INITDB_ARGS=--auth-local=scram-sha-256")
	insert := func(who string) []byte { return []byte("INSERT INTO seen (who) VALUES ('" + who + "');\n") }
	hook := func(name string, mode os.FileMode, content []byte) {
		c.put("/docker-entrypoint-initdb.d/"+name, mode, content)
	}
	hook("01.sql", 0o644, []byte("CREATE TABLE seen (at serial, who text);"))
	hook("02-run.sh", 0o755, []byte(`#!/bin/sh
		psql -U "$POSTGRES_USER" -d "$POSTGRES_DB" -c "INSERT INTO seen (who) VALUES ('executable of $(id -un)')"`))
	hook("03-source.sh", 0o644, []byte(`docker_process_sql <<<"INSERT INTO seen (who) VALUES ('sourced by ${BASH_VERSION:+bash}')"`))
	hook("04.sql.gz", 0o644, gzipped(t, insert("gzip")))
	hook("05.sql.xz", 0o644, xzipped(t, insert("xz")))
	hook("06.sql.zst", 0o644, zstandard(t, insert("zstd")))
	hook("07.txt", 0o644, insert("text"))
	c.start()
	c.ready()
	got := must(t, "exec", "--env", "PGPASSWORD=pw", c.id, "psql", "-XAtq", "-U", "postgres", "-d", "shop",
		"-c", "SELECT who FROM seen ORDER BY at")
	if diff := cmp.Diff("executable of postgres\nsourced by bash\ngzip\nxz\nzstd", got); diff != "" {
		t.Error(diff)
	}
	if logs := c.logs(); !strings.Contains(logs, "leaving /docker-entrypoint-initdb.d/07.txt alone") {
		t.Errorf("log:\n%s", logs)
	}
	if env := must(t, "exec", "--user", "postgres", c.id, "cat", "/proc/1/environ"); strings.Contains(env, "PGPASSWORD") {
		t.Error("the server was started with PGPASSWORD in its environment")
	}
}

// TestHookThatFails: what comes after a failed hook must not look initialised.
func TestHookThatFails(t *testing.T) {
	t.Parallel()
	testneed.Image(t, image17)
	whole := gzipped(t, []byte("SELECT 1;\n"))
	for name, content := range map[string][]byte{
		"x.sql":    []byte("SELECT 1/0; SELECT 'went on';"),
		"x.sql.gz": whole[:len(whole)-4], // good SQL that only gzip knows to be cut off
		"x.sh":     []byte("false; echo went on"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := create(t, image17, "--env", "POSTGRES_PASSWORD=pw")
			c.put("/docker-entrypoint-initdb.d/"+name, 0o644, content)
			c.start()
			if status := c.exit(); status == "0" {
				t.Error("status 0")
			}
			if logs := c.logs(); strings.Contains(logs, "went on") || strings.Contains(logs, "is initialised") {
				t.Errorf("log:\n%s", logs)
			}
		})
	}
}

func TestUser(t *testing.T) {
	t.Parallel()
	testneed.Image(t, image17)
	for _, tt := range []struct{ user, pgdata, want string }{
		{"postgres", "/var/lib/postgresql/data", "999:999"},
		// Nobody in /etc/passwd; the volume is postgres's, so the data lies below it.
		{"1234:1234", "/var/lib/postgresql/data/mine", "1234:1234"},
	} {
		t.Run(tt.user, func(t *testing.T) {
			t.Parallel()
			c := create(t, image17, "--user", tt.user, "--env", "PGDATA="+tt.pgdata, "--env", "POSTGRES_PASSWORD=pw")
			c.start()
			c.ready()
			if got := must(t, "exec", c.id, "stat", "-c", "%u:%g", "/proc/1", tt.pgdata); got != tt.want+"\n"+tt.want {
				t.Errorf("owners of the server and its data: %q, want %s", got, tt.want)
			}
			if got := c.psql("SHOW data_directory"); got != tt.pgdata {
				t.Errorf("data_directory %s", got)
			}
		})
	}
}

// TestStopAndStartAgain: a stop does not wait for clients, and a second start
// touches nothing, whatever the environment says.
func TestStopAndStartAgain(t *testing.T) {
	t.Parallel()
	testneed.Image(t, image17)
	c := create(t, image17, "--env", "POSTGRES_PASSWORD=pw")
	c.put("/docker-entrypoint-initdb.d/once.sql", 0o644, []byte("CREATE TABLE kept ();"))
	c.start()
	c.ready()
	client := exec.CommandContext(t.Context(), "docker", "exec", c.id, "psql", "-U", "postgres", "-c", "SELECT pg_sleep(600)")
	if err := client.Start(); err != nil {
		t.Fatal(err)
	}
	c.psql(`DO $$ BEGIN
		WHILE NOT EXISTS (SELECT FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(600)' AND state = 'active') LOOP
			PERFORM pg_sleep(0.05); PERFORM pg_stat_clear_snapshot();
		END LOOP; END $$`)
	must(t, "stop", "--time", "60", c.id)
	if err := client.Wait(); err == nil {
		t.Error("the client was left to finish")
	}
	if status := must(t, "inspect", "--format", "{{.State.ExitCode}}", c.id); status != "0" {
		t.Errorf("status %s after docker stop, want 0:\n%s", status, c.logs())
	}

	again := create(t, image17, "--volumes-from", c.id) // and no password
	again.put("/docker-entrypoint-initdb.d/once.sql", 0o644, []byte("DROP TABLE kept;"))
	again.start()
	again.ready()
	again.psql("TABLE kept")
	if logs := again.logs(); strings.Contains(logs, "initdb") {
		t.Errorf("initialised again:\n%s", logs)
	}
}

func TestOtherCommands(t *testing.T) {
	t.Parallel()
	testneed.Image(t, image17)
	for _, tt := range []struct {
		name string
		args []string
		want string
	}{
		{"a program, as root", []string{"sh", "-c", "id -un; exit"}, "root\n"},
		{"asking postgres", []string{"postgres", "--version"}, "postgres (PostgreSQL) 17"},
		{"asking by an option", []string{"--version"}, "postgres (PostgreSQL) 17"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := create(t, image17, append([]string{"--"}, tt.args...)...)
			c.start()
			if status := c.exit(); status != "0" {
				t.Errorf("status %s", status)
			}
			if logs := c.logs(); !strings.HasPrefix(logs, tt.want) {
				t.Errorf("it said %q, want %q first", logs, tt.want)
			}
		})
	}
}

// TestOldVolume: since 18 the data lies elsewhere, and an empty cluster beside
// the old one would look like lost data.
func TestOldVolume(t *testing.T) {
	t.Parallel()
	testneed.Image(t, image17) // which the entrypoint takes for an 18 by its variables
	c := create(t, image17, "--env", "PG_MAJOR=18", "--env", "PGDATA="+pgdata(18), "--env", "POSTGRES_PASSWORD=pw")
	c.put("/var/lib/postgresql/data/PG_VERSION", 0o644, []byte("17\n"))
	c.start()
	if status, logs := c.exit(), c.logs(); status != "1" || !strings.Contains(logs, "mount the volume at /var/lib/postgresql") {
		t.Errorf("status %s, log:\n%s", status, logs)
	}
}

func gzipped(t *testing.T, b []byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func xzipped(t *testing.T, b []byte) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), testneed.Program(t, "xz"), "--stdout")
	cmd.Stdin = bytes.NewReader(b)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func zstandard(t *testing.T, b []byte) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return w.EncodeAll(b, nil)
}
