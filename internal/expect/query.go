package expect

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"daybefore/internal/sandbox"
	"daybefore/internal/told"
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
	names   *lookup
	conn    *pgx.Conn
	path    string // search_path as the database sets it
	inside  bool   // a transaction that nobody needs any more
}

func (s *session) open(ctx context.Context) error {
	if s.conn != nil && !s.conn.IsClosed() {
		return nil
	}
	conn, err := s.connect(ctx)
	if err != nil {
		return verdict.Errorf(verdict.CodeSandbox,
			"the sandbox's server is gone or refuses connections; run the drill again",
			"connect to the restored database: %w", redacted(err))
	}
	s.conn, s.inside = conn, false
	results, err := conn.PgConn().Exec(ctx, "show search_path").ReadAll()
	if err != nil || len(results) != 1 || len(results[0].Rows) != 1 {
		s.close()
		return verdict.Errorf(verdict.CodeSandbox, "run the drill again",
			"ask the restored database for its search_path: %w", redacted(err))
	}
	s.path = string(results[0].Rows[0][0])
	return nil
}

func (s *session) close() {
	s.inside = false
	if s.conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), goodbye)
	defer cancel()
	_ = s.conn.Close(ctx) // nothing is left to be lost
	s.conn = nil
}

// transaction runs work in a read-only transaction, which begins with its
// first statement and is rolled back whatever happens. Its statements end at
// the timeout: errTimeout then.
func (s *session) transaction(ctx context.Context, timeout time.Duration,
	work func(context.Context, *query) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, timeout+grace, errTimeout)
	defer cancel()
	q := &query{session: s, timeout: timeout}
	err := work(ctx, q)
	if q.unopened != nil { // whatever was to be asked is not what is wrong
		err = q.unopened
	}
	if err != nil {
		s.rollback(ctx)
		if errors.Is(context.Cause(settled(ctx)), errTimeout) {
			return errTimeout
		}
	}
	return err
}

// settled is ctx, done if its deadline has passed. A connection keeps the
// deadline by a clock of its own, and may break a moment before ctx is done.
func settled(ctx context.Context) context.Context {
	if at, ok := ctx.Deadline(); ok && !time.Now().Before(at) {
		<-ctx.Done()
	}
	return ctx
}

// rollback ends the transaction, or the connection where that cannot be done.
// One that went well is left for the next to end, on the way of its beginning.
func (s *session) rollback(ctx context.Context) {
	if !s.inside {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), goodbye)
	defer cancel()
	if _, err := s.conn.PgConn().Exec(ctx, "rollback").ReadAll(); err != nil {
		s.close()
	}
	s.inside = false
}

// whose search_path a statement is run under. The harness's own looks at
// nothing but pg_catalog: what a backup brings may well be called as what the
// server brings. What people wrote, and views, are run under the database's, as
// the application would.
type whose int

const (
	ours whose = iota
	theirs
)

// query asks within a transaction.
type query struct {
	session *session
	timeout time.Duration
	begun   *pgx.Conn // in which the transaction was
	path    whose     // search_path that the transaction is under
	wary    bool      // the transaction reads by no index
	// ask asks along with other checks' queries, where it is not nil.
	ask func(path whose, sql string, args []string) ([][][]byte, error)
	// unopened is why there was no connection or no transaction to ask in.
	unopened error
}

// rows runs one statement, never more: the extended protocol takes no second
// one. Values come as text, nil for null.
//
// While the statement is only being prepared, no row has been read, so that
// the server's message can be shown in full; an error of its execution is told
// by its SQLSTATE alone.
func (q *query) rows(ctx context.Context, sql string, args ...string) ([][][]byte, error) {
	return q.under(ctx, ours, sql, args...)
}

// under is rows under one of the two search_paths.
func (q *query) under(ctx context.Context, path whose, sql string, args ...string) ([][][]byte, error) {
	if q.ask != nil {
		return q.ask(path, sql, args)
	}
	reused := q.session.inside
	rows, err := q.alone(ctx, path, sql, args)
	if q.unopened != nil && reused && ctx.Err() == nil {
		// So the check before has left the connection, which may set what it
		// likes until its transaction is rolled back: time limits too.
		q.session.close()
		return q.alone(ctx, path, sql, args)
	}
	return rows, err
}

// alone asks in the session's own transaction, which it begins if need be.
func (q *query) alone(ctx context.Context, path whose, sql string, args []string) ([][][]byte, error) {
	q.unopened = q.session.open(ctx)
	if q.unopened != nil {
		return nil, q.unopened
	}
	// All of it goes to the server at once: a thousand small tables cost a
	// thousand times the way there and back.
	p := q.session.conn.PgConn().StartPipeline(ctx)
	defer p.Close()
	opening := q.send(p, path, sql, args)
	err := p.Sync()
	for range opening {
		if err == nil {
			_, err = p.GetResults()
		}
		if err != nil {
			q.unopened = fmt.Errorf("begin a read-only transaction: %w", redacted(err))
			return nil, q.unopened
		}
	}
	if err != nil {
		return nil, redacted(err)
	}
	return readAnswer(p, sql, len(args), q.session.told())
}

// send gives the pipeline a statement, after so many that open a transaction.
func (q *query) send(p *pgconn.Pipeline, path whose, sql string, args []string) (opening int) {
	all := q.opening(path)
	for _, sql := range all {
		p.SendQueryParams(sql, nil, nil, nil, nil)
	}
	values := make([][]byte, len(args))
	for i := range args {
		values[i] = []byte(args[i])
	}
	p.SendPrepare("", sql, nil)
	p.SendQueryPrepared("", values, nil, nil)
	return len(all)
}

// opening is what must be said before a statement.
func (q *query) opening(path whose) []string {
	searchPath := sandbox.OwnPath
	if path == theirs {
		searchPath = q.session.path
	}
	var all []string
	if q.begun != q.session.conn {
		if q.session.inside {
			all = append(all, "rollback")
		}
		q.begun, q.path, q.wary, q.session.inside = q.session.conn, path, false, true
		all = append(all, "begin read only",
			"select "+setLocal("statement_timeout", fmt.Sprint(max(q.timeout.Milliseconds(), 1)))+
				", "+setLocal("search_path", searchPath)+", "+setLocal("constraint_exclusion", "off"))
	}
	if q.path != path {
		q.path = path
		all = append(all, "select "+setLocal("search_path", searchPath))
	}
	if !q.wary && q.session.names.mistrusted() {
		q.wary = true
		all = append(all, withoutIndexes)
	}
	return all
}

// setLocal sets something for the transaction, whatever search_path it is under.
func setLocal(name, value string) string {
	return "pg_catalog.set_config('" + name + "', " + sandbox.Literal(value) + ", true)"
}

// told are the names that may be told, with the sentences of the server; may
// be nil.
func (s *session) told() *told.Names {
	if s.names == nil {
		return nil
	}
	return s.names.told
}

// readAnswer reads what the server says to a statement, with so many parameters.
func readAnswer(p *pgconn.Pipeline, sql string, params int, names *told.Names) ([][][]byte, error) {
	said, err := p.GetResults()
	if err != nil {
		return nil, unprepared(err, sql, names)
	}
	if d, ok := said.(*pgconn.StatementDescription); ok && len(d.ParamOIDs) != params {
		return nil, &sqlError{State: "42P02", told: "the SQL holds a parameter such as $1, for which there is no value"}
	}
	said, err = p.GetResults()
	if err != nil {
		return nil, redacted(err)
	}
	reader, ok := said.(*pgconn.ResultReader)
	if !ok {
		return nil, fmt.Errorf("the server gave %T for rows", said)
	}
	result := reader.Read()
	if result.Err != nil {
		return nil, redacted(result.Err)
	}
	return result.Rows, nil
}

// value runs a statement that gives one row of one column.
func (q *query) value(ctx context.Context, sql string, args ...string) ([]byte, error) {
	return q.valueUnder(ctx, ours, sql, args...)
}

// valueUnder is value under one of the two search_paths.
func (q *query) valueUnder(ctx context.Context, path whose, sql string, args ...string) ([]byte, error) {
	rows, err := q.under(ctx, path, sql, args...)
	switch {
	case err != nil:
		return nil, err
	case len(rows) != 1 || len(rows[0]) != 1:
		return nil, fmt.Errorf("the server gave %d rows for one", len(rows))
	}
	return rows[0][0], nil
}

// version is the server's: 170002 for 17.2.
func (q *query) version(ctx context.Context) (int, error) {
	text, err := q.value(ctx, "select pg_catalog.current_setting('server_version_num')")
	if err != nil {
		return 0, fmt.Errorf("ask the server for its version: %w", err)
	}
	return strconv.Atoi(string(text))
}
