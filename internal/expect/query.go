package expect

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"daybefore/internal/verdict"
)

const (
	// grace is how much longer than the server's own time limit is waited
	// for its word that it has stopped.
	grace = 10 * time.Second
	// goodbye is how long ending a transaction or a connection may take.
	goodbye = 2 * time.Second
)

var errTimeout = errors.New("the statement's time ran out")

// session is a connection that is opened when it is needed first, and again
// after it broke.
type session struct {
	connect Connect
	conn    *pgx.Conn
}

func (s *session) open(ctx context.Context) error {
	if s.conn != nil && !s.conn.IsClosed() {
		return nil
	}
	conn, err := s.connect(ctx)
	if err != nil {
		return verdict.Errorf(verdict.CodeSandbox, "the sandbox's server is gone or refuses connections; run the drill again", "connect to the restored database: %w", redacted(err))
	}
	s.conn = conn
	return nil
}

func (s *session) close() {
	if s.conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), goodbye)
	defer cancel()
	_ = s.conn.Close(ctx) // nothing is left to be lost
	s.conn = nil
}

// transaction runs work in a read-only transaction, which is rolled back
// whatever happens. Its statements end at the timeout: errTimeout then.
func (s *session) transaction(ctx context.Context, timeout time.Duration, work func(context.Context, *query) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, timeout+grace, errTimeout)
	defer cancel()
	err := s.begin(ctx, timeout)
	if err == nil {
		err = work(ctx, &query{conn: s.conn.PgConn()})
		s.rollback(ctx)
	}
	if err != nil && errors.Is(context.Cause(ctx), errTimeout) {
		return errTimeout
	}
	return err
}

func (s *session) begin(ctx context.Context, timeout time.Duration) error {
	if err := s.open(ctx); err != nil {
		return err
	}
	// The server's limit first: it would hold for the next statements too.
	begin := fmt.Sprintf("begin read only; set local statement_timeout = %d", max(timeout.Milliseconds(), 1))
	if _, err := s.conn.PgConn().Exec(ctx, begin).ReadAll(); err != nil {
		s.close()
		return fmt.Errorf("begin a read-only transaction: %w", redacted(err))
	}
	return nil
}

// rollback ends the transaction, or the connection where that cannot be done.
func (s *session) rollback(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), goodbye)
	defer cancel()
	if _, err := s.conn.PgConn().Exec(ctx, "rollback").ReadAll(); err != nil {
		s.close()
	}
}

// query asks within a transaction.
type query struct{ conn *pgconn.PgConn }

// rows runs one statement, never more: the extended protocol takes no second
// one. Values come as text, nil for null.
//
// While the statement is only being prepared, no row has been read, so that
// the server's message can be shown in full; an error of its execution is told
// by its SQLSTATE alone.
func (q *query) rows(ctx context.Context, sql string, args ...string) ([][][]byte, error) {
	description, err := q.conn.Prepare(ctx, "", sql, nil)
	if err != nil {
		return nil, unprepared(err)
	}
	if len(description.ParamOIDs) != len(args) {
		return nil, &sqlError{State: "42P02", told: "the SQL holds a parameter such as $1, for which there is no value"}
	}
	values := make([][]byte, len(args))
	for i := range args {
		values[i] = []byte(args[i])
	}
	result := q.conn.ExecPrepared(ctx, "", values, nil, nil).Read()
	if result.Err != nil {
		return nil, redacted(result.Err)
	}
	return result.Rows, nil
}

// value runs a statement that gives one row of one column.
func (q *query) value(ctx context.Context, sql string, args ...string) ([]byte, error) {
	rows, err := q.rows(ctx, sql, args...)
	switch {
	case err != nil:
		return nil, err
	case len(rows) != 1 || len(rows[0]) != 1:
		return nil, fmt.Errorf("the server gave %d rows for one", len(rows))
	}
	return rows[0][0], nil
}
