package sandbox

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"daybefore/internal/verdict"
)

const (
	superuser      = "postgres"
	connectTimeout = 20 * time.Second
)

// DB is the way to the sandbox's server, and the only handle that the rooms
// which write to a database accept. It cannot be made for any other server.
type DB struct {
	socketDir string
	password  string
	cluster   string          // the name that the server was started with
	dial      pgconn.DialFunc // nil: by the socket
}

// Connect opens a connection to a database of the sandbox, as its superuser,
// after the server has shown the name it was started with on the command
// line, which no backup carries and no setting of a database overrides. The
// session logs nothing, whatever the database's own settings say.
func (d *DB) Connect(ctx context.Context, database string) (*pgx.Conn, error) {
	cfg, err := d.config(database)
	if err != nil {
		return nil, err
	}
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("connect to database %q in the sandbox: %w", database, err)
	}
	return conn, nil
}

func (d *DB) config(database string) (*pgx.ConnConfig, error) {
	// Everything that the caller's environment (PGHOST, PGSSLMODE …) could
	// set is set here. The database's name and the password are never part
	// of a string that an error may quote.
	cfg, err := pgx.ParseConfig("host=/ port=5432 user=" + superuser + " password=x dbname=postgres" +
		" sslmode=disable target_session_attrs=any channel_binding=disable require_auth=scram-sha-256")
	if err != nil {
		return nil, fmt.Errorf("prepare a connection to the sandbox: %w", err)
	}
	cfg.Host, cfg.Database, cfg.Password = d.socketDir, database, d.password
	cfg.Fallbacks = nil
	if d.dial != nil {
		cfg.DialFunc = d.dial
	}
	cfg.ConnectTimeout = connectTimeout
	cfg.RuntimeParams = maps.Clone(quietSession)
	// Schemas change between any two statements of a restore, so a plan or a
	// description that outlives its statement would be wrong.
	cfg.DefaultQueryExecMode = pgx.QueryExecModeDescribeExec
	cfg.AfterConnect = d.verify
	return cfg, nil
}

// speakUTF8: queries and answers are Go's text, whatever a database is encoded
// in; else a server takes their bytes for letters of its own encoding. Those of
// SQL_ASCII may be anything, and of the other there is no way to UTF-8.
const speakUTF8 = "SELECT pg_catalog.set_config('client_encoding', 'UTF8', false) " +
	"WHERE pg_catalog.current_setting('server_encoding') NOT IN ('SQL_ASCII', 'MULE_INTERNAL')"

// verify makes sure that this is the server that was started, and no other
// that came by its socket.
func (d *DB) verify(ctx context.Context, conn *pgconn.PgConn) error {
	results, err := conn.Exec(ctx, "SHOW cluster_name; "+speakUTF8).ReadAll()
	if err != nil {
		return fmt.Errorf("ask the server who it is: %w", err)
	}
	if len(results) != 2 || len(results[0].Rows) != 1 || string(results[0].Rows[0][0]) != d.cluster {
		return verdict.Errorf(verdict.CodeSandbox, "run the drill again; report this if it comes back",
			"the server at %s is not the sandbox that was started", d.socketDir)
	}
	return nil
}
