// Package pgtest gives tests a real server: one throwaway cluster for all
// tests of a package, from installed PostgreSQL binaries, on a Unix socket in
// a private directory, and an empty database of its own for each test. It is
// never part of a drill.
package pgtest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"daybefore/internal/testneed"
)

// accounts may run a server where the tests run as root, which may not.
var accounts = []string{"postgres", "nobody"}

const (
	startTimeout = 5 * time.Minute
	lifetime     = "25m" // of the server, as timeout(1) reads it: of all tests of a package
)

// Main runs the tests of a package and ends the server that they shared. Call
// it from TestMain.
func Main(m *testing.M) {
	code := m.Run()
	shared.stop()
	os.Exit(code)
}

var shared cluster

type cluster struct {
	once sync.Once
	err  error
	dir  string
	cmd  *exec.Cmd
	dbs  atomic.Int64
}

// DB returns a connection to a new, empty UTF-8 database of the shared
// server, closed with the test; or leaves the test out where no server
// binaries are installed.
func DB(t testing.TB) *pgx.Conn {
	t.Helper()
	bin := binaries(t)
	shared.once.Do(func() { shared.err = shared.start(bin) })
	if shared.err != nil {
		t.Fatalf("start a server for the tests: %v", shared.err)
	}
	name := fmt.Sprintf("test%d", shared.dbs.Add(1))
	admin := connect(t, "postgres")
	if _, err := admin.Exec(t.Context(), "create database "+name+" template template0 encoding 'UTF8'"); err != nil {
		t.Fatal(err)
	}
	return connect(t, name)
}

func connect(t testing.TB, database string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(),
		fmt.Sprintf("host=%s user=postgres dbname=%s sslmode=disable", shared.dir, database))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}

// binaries is the folder of the newest installed server.
func binaries(t testing.TB) string {
	t.Helper()
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path)
	}
	newest, major := "", 0
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	for _, f := range found {
		if n, err := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(f)))); err == nil && n > major {
			newest = filepath.Dir(f)
			major = n
		}
	}
	if newest == "" {
		testneed.Missing(t, "PostgreSQL server binaries (Debian: apt install postgresql)")
	}
	return newest
}

func (c *cluster) start(bin string) error {
	dir, err := os.MkdirTemp("", "pgtest-")
	if err != nil {
		return err
	}
	c.dir = dir
	attr := &syscall.SysProcAttr{}
	if os.Geteuid() == 0 {
		if attr.Credential, err = account(); err != nil {
			return err
		}
		if err := os.Chown(dir, int(attr.Credential.Uid), int(attr.Credential.Gid)); err != nil {
			return err
		}
	}
	data := filepath.Join(dir, "data")
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8",
		"--locale=C", "--no-sync")
	initdb.Dir, initdb.SysProcAttr = dir, attr
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	argv := []string{filepath.Join(bin, "postgres"), "-D", data, "-k", dir, "-c", "listen_addresses=", "-c",
		"fsync=off", "-c", "autovacuum=off"}
	if timeout, err := exec.LookPath("timeout"); err == nil { // a test binary that panics or is killed ends nothing
		argv = append([]string{timeout, "--signal=QUIT", lifetime}, argv...)
	}
	c.cmd = exec.Command(argv[0], argv[1:]...)
	c.cmd.Dir, c.cmd.SysProcAttr = dir, attr
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	c.cmd.Stdout, c.cmd.Stderr = log, log
	if err := c.cmd.Start(); err != nil {
		return err
	}
	return c.wait()
}

// wait returns once the server answers a query.
func (c *cluster) wait() error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, "host="+c.dir+" user=postgres dbname=postgres sslmode=disable")
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-ctx.Done():
			log, _ := os.ReadFile(filepath.Join(c.dir, "log"))
			return fmt.Errorf("%w\n%s", err, log)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (c *cluster) stop() {
	if c.cmd != nil && c.cmd.Process != nil {
		c.cmd.Process.Signal(syscall.SIGQUIT)
		c.cmd.Wait()
	}
	if c.dir != "" {
		os.RemoveAll(c.dir)
	}
}

func account() (*syscall.Credential, error) {
	for _, name := range accounts {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			return nil, err
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		if err != nil {
			return nil, err
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, fmt.Errorf("no account to run a server under: tried %s", strings.Join(accounts, ", "))
}
