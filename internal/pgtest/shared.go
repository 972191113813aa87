// Package pgtest gives tests real PostgreSQL servers: one that all tests of a
// package share, with an empty database for each (DB), or one of a test's own,
// installed here or of an image, with real dumps of it (Server, Container). It
// must never be part of a drill: nothing here is tuned, guarded or isolated as a
// sandbox is, except that nobody can connect over TCP.
package pgtest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Main runs the tests of a package and ends the server that they shared. Call
// it from TestMain.
func Main(m *testing.M) {
	code := m.Run()
	shared.stop()
	os.Exit(code)
}

var shared sharedServer

type sharedServer struct {
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

func (c *sharedServer) start(bin string) error {
	dir, err := os.MkdirTemp("", "pgtest-")
	if err != nil {
		return err
	}
	c.dir = dir
	credential, err := handOver(dir)
	if err != nil {
		return err
	}
	attr := &syscall.SysProcAttr{Credential: credential}
	data := filepath.Join(dir, "data")
	if err := makeData(bin, dir, credential); err != nil {
		return err
	}
	argv := []string{filepath.Join(bin, "postgres"), "-D", data, "-k", dir, "-c", "listen_addresses=", "-c",
		"fsync=off", "-c", "autovacuum=off"}
	if timeout, err := exec.LookPath("timeout"); err == nil { // a test binary that panics or is killed ends nothing
		argv = append([]string{timeout, "--signal=QUIT", lifetime}, argv...)
	}
	c.cmd = exec.Command(argv[0], argv[1:]...)
	c.cmd.Dir, c.cmd.Env, c.cmd.SysProcAttr = dir, environ(), attr
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
func (c *sharedServer) wait() error {
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

func (c *sharedServer) stop() {
	if c.cmd != nil && c.cmd.Process != nil {
		c.cmd.Process.Signal(syscall.SIGQUIT)
		c.cmd.Wait()
	}
	if c.dir != "" {
		os.RemoveAll(c.dir)
	}
}
