package drill

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"daybefore/internal/verdict"
)

// still is the restored database as it was at one moment, after all that could
// run code of the backup's own. Whatever is looked at and shown is of that
// moment, also where something goes on that nobody could end.
type still struct {
	run      *run
	conn     *pgx.Conn // whose transaction keeps the moment
	snapshot string
}

// endOthers asks every other session to end, and counts those that are there.
const endOthers = `
select pg_catalog.count(pg_catalog.pg_terminate_backend(a.pid)) from pg_catalog.pg_stat_activity a
 where a.pid OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid()
   and (a.datid is not null or a.backend_type OPERATOR(pg_catalog.=) 'client backend')`

// endsWithin is how long other sessions may take to end; one whose process
// waits for a program does not.
const endsWithin = 3 * time.Second

// standStill ends what else is at work in the sandbox and holds on to what is
// stored now.
func (r *run) standStill(ctx context.Context) (*still, error) {
	conn, err := r.connect(ctx)
	if err != nil {
		return nil, err
	}
	s := &still{run: r, conn: conn}
	if err := s.take(ctx); err != nil {
		s.close(ctx)
		return nil, fmt.Errorf("hold on to what was restored: %w", err)
	}
	return s, nil
}

func (s *still) take(ctx context.Context) error {
	for until := time.Now().Add(endsWithin); ; time.Sleep(20 * time.Millisecond) {
		var others int
		if err := s.conn.QueryRow(ctx, endOthers).Scan(&others); err != nil {
			return err
		}
		if others == 0 || time.Now().After(until) {
			break
		}
	}
	if _, err := s.conn.Exec(ctx, "begin isolation level repeatable read read only"); err != nil {
		return err
	}
	return s.conn.QueryRow(ctx, "select pg_catalog.pg_export_snapshot()").Scan(&s.snapshot)
}

// connect opens a session of the drill's own at that moment.
func (s *still) connect(ctx context.Context) (*pgx.Conn, error) { return s.at(ctx, s.run.connect) }

// connectToShow opens one under the database's own settings.
func (s *still) connectToShow(ctx context.Context) (*pgx.Conn, error) {
	return s.at(ctx, func(ctx context.Context) (*pgx.Conn, error) {
		return s.run.box.DB().ConnectToShow(ctx, s.run.archive.Database)
	})
}

func (s *still) at(ctx context.Context, connect func(context.Context) (*pgx.Conn, error)) (*pgx.Conn, error) {
	conn, err := connect(ctx)
	if err != nil {
		return nil, err
	}
	_, err = conn.PgConn().Exec(ctx,
		"begin isolation level repeatable read read only; set transaction snapshot '"+s.snapshot+"'").ReadAll()
	if err != nil {
		conn.Close(context.WithoutCancel(ctx))
		return nil, verdict.Errorf(verdict.CodeSandbox,
			"run the drill again; if it comes back, look what the backup's own code does to the server",
			"look at what was restored, as it was: %w", err)
	}
	return conn, nil
}

func (s *still) close(ctx context.Context) { _ = s.conn.Close(context.WithoutCancel(ctx)) }
