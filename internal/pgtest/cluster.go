package pgtest

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"daybefore/internal/testneed"
)

// Cluster is a running server with the superuser postgres, encoding UTF8 and
// locale C, and trust on its unix socket. Every method ends the test if it
// fails.
type Cluster struct {
	t       testing.TB
	dir     string // as the programs see it: data and socket
	command func(ctx context.Context, program string, args ...string) *exec.Cmd
	scratch func(name string) []byte // reads a file in dir
	put     func(name string, data []byte)
}

// Server starts a cluster from the newest server binaries installed here, as
// an account without privileges where the caller is root. It is gone when the
// test ends.
func Server(t testing.TB) *Cluster {
	t.Helper()
	bin := binaries(t)
	dir, err := os.MkdirTemp(testneed.ShortTemp(), "pgtest-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	credential, err := handOver(dir)
	if err != nil {
		t.Fatal(err)
	}
	c := &Cluster{t: t, dir: dir,
		command: func(ctx context.Context, program string, args ...string) *exec.Cmd {
			if !filepath.IsAbs(program) {
				program = filepath.Join(bin, program)
			}
			cmd := exec.CommandContext(ctx, program, args...)
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: credential}
			cmd.Dir = dir
			cmd.Env = environ()
			return cmd
		},
		scratch: func(name string) []byte {
			data, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			return data
		},
		put: func(name string, data []byte) {
			path := filepath.Join(dir, name)
			if err := os.WriteFile(path, data, 0o644); err != nil {
				t.Fatal(err)
			}
		},
	}
	if err := makeData(bin, dir, credential); err != nil {
		t.Fatal(err)
	}
	c.start()
	return c
}

// Container starts a cluster in a container of the image, without a network, with
// more settings of the server, such as shared_preload_libraries=pg_cron.
func Container(t testing.TB, image string, settings ...string) *Cluster {
	t.Helper()
	testneed.Image(t, image)
	name := "pgtest-" + strings.ToLower(rand.Text())
	script := `mkdir -p "$0" && initdb -D "$0/data" -U postgres -A trust -E UTF8 --locale=C --no-sync >&2 && exec ` +
		`postgres -D "$0/data" -k "$0" -c listen_addresses= -c fsync=off`
	for _, setting := range settings {
		script += " -c '" + setting + "'"
	}
	const limit = `timeout -s QUIT "$2" sh -c "$1" "$0"; exit` // newer ones of timeout refuse to be the first process
	const dir = "/tmp/pgtest"
	out, err := exec.CommandContext(t.Context(), "docker", "run", "-d", "--rm", "--name", name, "--network", "none",
		"--user", "postgres", "--tmpfs", "/tmp:mode=1777",
		"--stop-signal", "SIGQUIT", "--entrypoint", "sh", image, "-c", limit, dir, script, lifetime).CombinedOutput()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
		defer cancel()
		_ = exec.CommandContext(ctx, "docker", "rm", "-f", "-v", name).Run()
	})
	if err != nil {
		t.Fatalf("start a container of %s: %v: %s", image, err, out)
	}
	c := &Cluster{t: t, dir: dir,
		command: func(ctx context.Context, program string, args ...string) *exec.Cmd {
			return exec.CommandContext(ctx, "docker", append([]string{"exec", "-i", name, program}, args...)...)
		},
	}
	c.scratch = func(file string) []byte { return c.run(nil, "cat", filepath.Join(dir, file)) }
	c.put = func(file string, data []byte) { c.run(data, "dd", "status=none", "of="+filepath.Join(dir, file)) }
	c.wait(func() {})
	return c
}

// Exec runs SQL statements, as psql reads them, in the database.
func (c *Cluster) Exec(database, sql string) {
	c.t.Helper()
	c.run([]byte(sql), "psql", c.to("-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", database, "-f", "-")...)
}

// Query returns what psql prints for the SQL: rows as lines, columns with |.
func (c *Cluster) Query(database, sql string) string {
	c.t.Helper()
	return strings.TrimSuffix(string(c.run([]byte(sql), "psql",
		c.to("-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", database, "-f", "-")...)), "\n")
}

// Dump runs pg_dump with these arguments and returns what it writes to a
// pipe, so that the table of contents knows no offsets.
func (c *Cluster) Dump(args ...string) []byte {
	c.t.Helper()
	return c.run(nil, "pg_dump", c.to(args...)...)
}

// DumpBy runs another program that dumps, such as pg_dumpall, with these
// arguments and returns what it writes.
func (c *Cluster) DumpBy(program string, args ...string) []byte {
	c.t.Helper()
	return c.run(nil, program, c.to(args...)...)
}

// DumpFile runs pg_dump with these arguments and returns the file it writes,
// whose table of contents knows the offsets of all data blocks.
func (c *Cluster) DumpFile(args ...string) []byte {
	c.t.Helper()
	const name = "file.dump"
	c.run(nil, "pg_dump", c.to(append([]string{"-f", filepath.Join(c.dir, name)}, args...)...)...)
	return c.scratch(name)
}

// DumpDirectory runs pg_dump -Fd with these arguments and returns the directory
// that it writes as tar packs it.
func (c *Cluster) DumpDirectory(args ...string) []byte {
	c.t.Helper()
	dir := filepath.Join(c.dir, "directory-"+strings.ToLower(rand.Text()))
	c.run(nil, "pg_dump", c.to(append([]string{"-Fd", "-f", dir}, args...)...)...)
	return c.run(nil, "/bin/tar", "-C", dir, "-cf", "-", ".")
}

// Restore has pg_restore, with these arguments, restore an archive into a new
// database of this name, and returns how many errors it met.
func (c *Cluster) Restore(database string, archive []byte, args ...string) (failed int) {
	c.t.Helper()
	c.Exec(superuser, `CREATE DATABASE "`+database+`" TEMPLATE template0`)
	var stderr bytes.Buffer
	cmd := c.command(c.t.Context(), "pg_restore",
		c.to(append(args, "-d", database, c.Scratch(database+".dump", archive))...)...)
	cmd.Stderr = &stderr
	err := cmd.Run()
	if err == nil {
		return 0
	}
	_, told, found := strings.Cut(stderr.String(), "errors ignored on restore: ")
	failed, _ = strconv.Atoi(strings.TrimSpace(told))
	if !found || failed == 0 {
		c.t.Fatalf("pg_restore %q: %v: %s", args, err, stderr.Bytes())
	}
	return failed
}

// Run runs a program of PostgreSQL's, of the cluster's version, without a
// connection, and returns what it writes to standard output.
func (c *Cluster) Run(stdin []byte, program string, args ...string) []byte {
	c.t.Helper()
	return c.run(stdin, program, args...)
}

// Scratch writes a file beside the cluster's data, and returns its path as
// the cluster's programs see it.
func (c *Cluster) Scratch(name string, data []byte) string {
	c.t.Helper()
	c.put(name, data)
	return filepath.Join(c.dir, name)
}

func (c *Cluster) data() string { return filepath.Join(c.dir, "data") }

func (c *Cluster) to(args ...string) []string {
	return append([]string{"-h", c.dir, "-U", superuser}, args...)
}

func (c *Cluster) run(stdin []byte, program string, args ...string) []byte {
	c.t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := c.command(c.t.Context(), program, args...)
	cmd.Stdin = bytes.NewReader(stdin)
	cmd.Stdout = &stdout
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil {
		c.t.Fatalf("%s %q: %v: %s", program, args, err, stderr.Bytes())
	}
	return stdout.Bytes()
}

// start runs the server until the test ends; it goes with the test's process.
func (c *Cluster) start() {
	c.t.Helper()
	var log bytes.Buffer
	cmd := c.command(context.Background(), "postgres", "-D", c.data(), "-k", c.dir, "-c", "listen_addresses=", "-c",
		"fsync=off")
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	c.t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGQUIT)
		select {
		case <-ended:
		case <-time.After(stopTimeout):
			_ = cmd.Process.Kill()
			<-ended
		}
	})
	c.wait(func() {
		select {
		case err := <-ended:
			ended <- err
			c.t.Fatalf("postgres ended while starting: %v: %s", err, log.Bytes())
		default:
		}
	})
}

// wait returns once a query is answered. Alive ends the test if waiting is in
// vain.
func (c *Cluster) wait(alive func()) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), startTimeout)
	defer cancel()
	for {
		out, err := c.command(ctx, "psql", c.to("-X", "-d", superuser, "-c", "select 1")...).CombinedOutput()
		if err == nil {
			return
		}
		alive()
		if exit := (*exec.ExitError)(nil); ctx.Err() != nil || !errors.As(err, &exit) {
			c.t.Fatalf("the server does not answer: %v: %s", err, out)
		}
		time.Sleep(50 * time.Millisecond)
	}
}
