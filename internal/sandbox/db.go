package sandbox

import (
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"strings"
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

	major int               // the server's; 0 until it has answered
	own   map[string]string // the server's own value of each setting that a session can have its own of
}

// Connect opens a connection to a database of the sandbox, as its superuser,
// after the server has shown the name it was started with on the command
// line, which no backup carries and no setting of a database overrides. The
// session logs nothing, and is as if neither database nor role had settings.
// Names without a schema are the server's own in it (OwnPath), and no event
// trigger of the backup's runs at its beginning.
func (d *DB) Connect(ctx context.Context, database string) (*pgx.Conn, error) {
	return d.connect(ctx, database, ownSettings(d.major), d.verify, d.overlook)
}

// ConnectUnder is Connect for what must see the database as others do: the
// session lives under the settings of database and role, as far as they neither
// log anything nor end it or keep it from writing.
func (d *DB) ConnectUnder(ctx context.Context, database string) (*pgx.Conn, error) {
	return d.connect(ctx, database, nil, d.verify)
}

// ConnectToShow is ConnectUnder for who shows people what is stored: no event
// trigger of the backup's runs at the session's beginning.
func (d *DB) ConnectToShow(ctx context.Context, database string) (*pgx.Conn, error) {
	return d.connect(ctx, database, withoutTriggers(d.major), d.verify)
}

// OwnPath is the search_path of what the harness asks: an operator, a function
// or a type that a backup brings has no place in it, whatever its schema. That
// of temporary tables goes last, since it would come first unsaid.
const OwnPath = "pg_catalog, pg_temp"

// ownSettings is what the harness's own sessions are started with besides.
func ownSettings(major int) map[string]string {
	params := withoutTriggers(major)
	params["search_path"] = OwnPath
	return params
}

// withoutTriggers starts a session of which no event trigger is told, where the
// server can leave them out.
func withoutTriggers(major int) map[string]string {
	params := map[string]string{}
	if major >= loginTriggers {
		params["event_triggers"] = "off"
	}
	return params
}

// loginTriggers is the first major version that lets a database run a function
// whenever a session begins.
const loginTriggers = 17

// lock gives the server this sandbox's own password, before anything else knows
// that there is a server, which itself does not learn it.
func (d *DB) lock(ctx context.Context, conn *pgx.Conn) error {
	secret, err := verifier(d.password)
	if err == nil {
		_, err = conn.Exec(ctx, "ALTER ROLE "+superuser+" PASSWORD "+Literal(secret))
	}
	if _, refused := errors.AsType[*pgconn.PgError](err); refused {
		return verdict.Errorf(verdict.CodeSandbox,
			"if sandbox.preload has a library that judges passwords, leave it out; else run the drill again",
			"set the server's password: %w", err)
	}
	if err != nil {
		return fmt.Errorf("set the server's password: %w", err)
	}
	return nil
}

// iterations slow down whoever guesses a password. A random one of 32 bytes is
// not guessed, and every session of a drill would pay for more.
const iterations = 1

// verifier is what a server keeps of a password of plain letters: RFC 5803, as
// pg_authid holds it.
func verifier(password string) (string, error) {
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // which does not fail
	salted, err := pbkdf2.Key(sha256.New, password, salt, iterations, sha256.Size)
	if err != nil {
		return "", err
	}
	keyed := func(name string) []byte {
		h := hmac.New(sha256.New, salted)
		h.Write([]byte(name))
		return h.Sum(nil)
	}
	stored := sha256.Sum256(keyed("Client Key"))
	text := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("SCRAM-SHA-256$%d:%s$%s:%s", iterations, text(salt), text(stored[:]),
		text(keyed("Server Key"))), nil
}

func (d *DB) connect(
	ctx context.Context, database string, besides map[string]string, first ...pgconn.AfterConnectFunc,
) (*pgx.Conn, error) {
	cfg, err := d.config(database)
	if err != nil {
		return nil, err
	}
	maps.Copy(cfg.RuntimeParams, besides)
	cfg.AfterConnect = func(ctx context.Context, conn *pgconn.PgConn) error {
		for _, step := range first {
			if err := step(ctx, conn); err != nil {
				return err
			}
		}
		return nil
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
	cfg.RuntimeParams = startup(d.major)
	// Schemas change between any two statements of a restore, so a plan or a
	// description that outlives its statement would be wrong.
	cfg.DefaultQueryExecMode = pgx.QueryExecModeDescribeExec
	return cfg, nil
}

// speakUTF8: queries and answers are Go's text, whatever a database is encoded
// in; else a server takes their bytes for letters of its own encoding. Those of
// SQL_ASCII may be anything, and of the other there is no way to UTF-8.
const speakUTF8 = "SELECT pg_catalog.set_config('client_encoding', 'UTF8', false) " +
	"WHERE pg_catalog.current_setting('server_encoding') OPERATOR(pg_catalog.<>) ALL " +
	"('{SQL_ASCII,MULE_INTERNAL}'::pg_catalog.text[])"

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

// options is what programs inside start their sessions with, for PGOPTIONS.
func (d *DB) options() string { return asOptions(startup(d.major)) }

// learn keeps what the server itself sets, from a database without settings.
func (d *DB) learn(ctx context.Context, conn *pgx.Conn, major int) error {
	rows, err := conn.Query(ctx,
		"select pg_catalog.lower(name), setting from pg_catalog.pg_settings where context in ('user', 'superuser')")
	if err != nil {
		return fmt.Errorf("ask the server for its settings: %w", err)
	}
	d.major = major
	d.own = map[string]string{}
	var name, value string
	_, err = pgx.ForEachRow(rows, []any{&name, &value},
		func() error { d.own[name] = value; return nil })
	if err != nil {
		return fmt.Errorf("ask the server for its settings: %w", err)
	}
	return nil
}

// brought names the settings that the session has from its database or role,
// whose number is that of every cluster's first. A search_path that was brought
// may hold operators of its own.
const brought = `SELECT DISTINCT pg_catalog.lower(pg_catalog.split_part(c, '=', 1))
 FROM pg_catalog.pg_db_role_setting s, pg_catalog.unnest(s.setconfig) c
WHERE s.setrole OPERATOR(pg_catalog.=) ANY ('{0,10}'::pg_catalog.oid[])
  AND (s.setdatabase OPERATOR(pg_catalog.=) 0::pg_catalog.oid OR s.setdatabase OPERATOR(pg_catalog.=)
       (SELECT d.oid FROM pg_catalog.pg_database d
         WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()))`

// overlook gives a session the server's own settings back, save those that it
// was started with. What only a backup names has no value but its own.
func (d *DB) overlook(ctx context.Context, conn *pgconn.PgConn) error {
	results, err := conn.Exec(ctx, brought).ReadAll()
	if err != nil {
		return fmt.Errorf("ask what the database sets: %w", err)
	}
	given := startup(d.major)
	maps.Copy(given, ownSettings(d.major))
	var back strings.Builder
	for _, row := range results[0].Rows {
		name := strings.ToLower(string(row[0]))
		value, known := d.own[name]
		if _, started := given[name]; known && !started && name != "client_encoding" { // of which verify has seen to
			fmt.Fprintf(&back, "SELECT pg_catalog.set_config(%s, %s, false);", Literal(name), Literal(value))
		}
	}
	if back.Len() == 0 {
		return nil
	}
	if _, err := conn.Exec(ctx, back.String()).ReadAll(); err != nil {
		return fmt.Errorf("overlook what the database sets: %w", err)
	}
	return nil
}

// Literal quotes a text whatever standard_conforming_strings says.
func Literal(text string) string {
	return "E'" + strings.NewReplacer(`\`, `\\`, `'`, `''`).Replace(text) + "'"
}
