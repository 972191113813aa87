package scenarios

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"daybefore/internal/sandbox"
)

const (
	demoMajor    = 15 // the oldest that the demo's archives shall be read by
	shopDatabase = "shop"
	maintenance  = "postgres"
	// serverTime is many times what all scenarios take on a slow machine: what is
	// left by one that was killed goes with the next sweep anyway.
	serverTime = 3 * time.Hour
)

// dumpServer is a throw-away PostgreSQL in which the shop is made and dumped.
type dumpServer struct {
	work *sandbox.Workdir
	box  sandbox.Box
}

func startServer(ctx context.Context, kind string, log *slog.Logger) (*dumpServer, error) {
	work, err := sandbox.NewWorkdir()
	if err != nil {
		return nil, err
	}
	s := &dumpServer{work: work}
	s.box, err = sandbox.Start(ctx, sandbox.Options{
		Kind: kind, Major: demoMajor, Deadline: time.Now().Add(serverTime), Work: work, Drill: "scenarios", Log: log})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start a server for the demo's database: %w", err),
			s.close(context.WithoutCancel(ctx)))
	}
	return s, nil
}

func (s *dumpServer) close(ctx context.Context) error {
	var err error
	if s.box != nil {
		err = s.box.Close(ctx)
	}
	return errors.Join(err, s.work.Close())
}

// exec runs a script of SQL statements in a database, in one session.
func (s *dumpServer) exec(ctx context.Context, database, script string) error {
	conn, err := s.box.DB().ConnectUnder(ctx, database)
	if err != nil {
		return fmt.Errorf("connect to %s: %w", database, err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.PgConn().Exec(ctx, script).ReadAll(); err != nil {
		return fmt.Errorf("run SQL in %s: %w", database, err)
	}
	return nil
}

// dump takes a backup of v's database as a nightly job would, at the time at.
func (s *dumpServer) dump(ctx context.Context, v variant, at time.Time) ([]byte, error) {
	how := []string{"--format=custom", "--compress=9"}
	if v.format != "" {
		how = []string{"--format=" + v.format}
	}
	if v.section != "" {
		how = append(how, "--section="+v.section)
	}
	var dump bytes.Buffer
	var said []string
	err := s.box.Run(ctx, sandbox.Command{
		Args:   append([]string{"pg_dump", "--dbname=" + v.database}, how...),
		Stdout: &dump,
		Stderr: func(line string) { said = append(said, line) },
	})
	if err != nil {
		return nil, fmt.Errorf("dump %s: %w: %s", v.database, err, strings.Join(said, "; "))
	}
	header := dump.Bytes()
	switch v.format {
	case formatPlain:
		return dump.Bytes(), nil // it tells no time
	case formatTar:
		header = header[tarHead:] // toc.dat is the first member
	}
	return dump.Bytes(), setDumpTime(header, at)
}

// Formats of pg_dump.
const (
	formatTar   = "tar"
	formatPlain = "plain"
)

// tarHead is how many bytes stand before the first member of a tar.
const tarHead = 512

// shop makes the demo's database out of the SQL in dir.
type shop struct {
	server *dumpServer
	fill   string    // fill.sql
	until  time.Time // what has happened up to here is in the database
}

// opening is when the shop opened: fill.sql counts from here.
var opening = time.Date(2025, 12, 1, 0, 0, 0, 0, time.UTC)

// openShop creates the shop's database, as empty as on its first day.
func openShop(ctx context.Context, s *dumpServer, dir string) (*shop, error) {
	schema, err := os.ReadFile(filepath.Join(dir, "schema.sql"))
	if err != nil {
		return nil, fmt.Errorf("read the demo's schema: %w", err)
	}
	fill, err := os.ReadFile(filepath.Join(dir, "fill.sql"))
	if err != nil {
		return nil, fmt.Errorf("read the demo's data: %w", err)
	}
	// Locale C is in every image and on every machine.
	if err := s.exec(ctx, maintenance,
		"CREATE DATABASE "+shopDatabase+" TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'"); err != nil {
		return nil, err
	}
	if err := s.exec(ctx, shopDatabase, string(schema)); err != nil {
		return nil, fmt.Errorf("create the demo's schema: %w", err)
	}
	return &shop{server: s, fill: string(fill), until: opening}, nil
}

// live brings what happens up to the time until into the database.
func (s *shop) live(ctx context.Context, until time.Time) error {
	script := fmt.Sprintf("SET demo.since = '%s'; SET demo.until = '%s'; %s",
		s.until.Format(time.RFC3339), until.Format(time.RFC3339), s.fill)
	if err := s.server.exec(ctx, shopDatabase, script); err != nil {
		return fmt.Errorf("fill the demo's database up to %s: %w", until.Format(time.RFC3339), err)
	}
	s.until = until
	return nil
}
