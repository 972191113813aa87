// Package restore brings an archive back into a sandbox, section by section:
// the schema, then the rows of every table through a filter it is handed,
// then indexes, constraints and materialized views. It never writes a row to
// the server that the filter has not seen, and never takes an early end of
// the rows for their end.
package restore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"daybefore/internal/archive"
	"daybefore/internal/sandbox"
	"daybefore/internal/told"
	"daybefore/internal/verdict"
)

// A Filter is asked once for each table that is loaded, by any worker. It
// returns what rewrites the table's rows, one after the other in one
// goroutine, or nil where they pass as they are. columns are those of the
// COPY statement, unquoted; nil where it names none.
type Filter = func(schema, table string, columns []string) (func(dst, row []byte) ([]byte, error), error)

// Blame reports whether rows that the server refused are not the backup's fault.
type Blame = func(schema, table string, refused *pgconn.PgError) error

// Options say how to restore. The zero value restores everything with one
// worker and takes every undeclared role for a failure.
type Options struct {
	Jobs          int
	DeclaredRoles []string // roles that the archive may name without a word
	CreateRoles   bool     // other roles that the archive names: a warning instead of a failure
	SkipMissing   bool     // extensions that the image lacks are left out instead of refused
	LargeObjects  bool     // bring them back; false: leave them out
	// what would call home and is left out: subscriptions, user_mappings, foreign_servers, event_triggers, cron_jobs;
	// nil: all
	Drop          []string
	AllowedErrors int64                   // so many errors are a warning, more a failure
	Warnings      string                  // ignore | warn | fail
	Names         *told.Names             // that messages may tell; nil: all
	Progress      func(rows, bytes int64) // totals loaded so far; may be nil
}

// Session is one archive on its way into one sandbox. Its steps are PreData,
// Data and PostData, in that order, each once; and Count once, after Data.
type Session struct {
	archive   *archive.Archive
	box       sandbox.Box
	opts      Options
	file      string // the archive's path as programs of the sandbox see it
	lists     lists
	said      messages
	blame     Blame
	checks    []verdict.Check
	created   []string // roles
	providers []*leftovers
	skipped   bool // extensions that the sandbox lacks were left out
	explained int  // errors that need not be the backup's

	properties []string // statements about the database that come last
	unset      []string // the database's settings that this server refused
	unsetWhy   []string
	unfilled   []archive.Entry // materialized views that nothing here can fill
	unnamed    []string        // foreign servers that could not be created at all
	makes      map[string]bool // names that the archive makes something of
	places     map[int]int     // where an entry stands in the archive, by its dump id
	tables     []*tableLoad
	order      *order
	scheduler  *scheduler
	observing  *pgx.Conn // what loads the tables that observe

	groupsCounted []*counted             // by Count
	held          map[tableName]*counted // of those, what Held may tell
	baseline      baseline
	moved         progress
	took          Sections
}

// Sections is how long each section of the restore took.
type Sections struct {
	PreData time.Duration // roles, the database, its schema
	Data    time.Duration // until the last row was in
	// PostData begins with the last row. Indexes that were built while other
	// tables were loading cost no time of their own.
	PostData time.Duration
}

// Took is how long each section took, as far as the restore has come.
func (s *Session) Took() Sections { return s.took }

// New prepares the restore of a into box. The archive's file must already be
// at inside, the path under which the sandbox's programs find it.
func New(a *archive.Archive, box sandbox.Box, inside string, opts Options) *Session {
	opts.Jobs = max(opts.Jobs, 1)
	if opts.Names == nil {
		opts.Names = told.All(box.Sentences())
	}
	s := &Session{
		archive: a, box: box, opts: opts, file: inside, said: messages{names: opts.Names},
		lists: sortEntries(a, opts),
		moved: progress{tell: opts.Progress},
	}
	s.findProviders()
	return s
}

// Database is the name of the restored database.
func (s *Session) Database() string { return s.archive.Database }

// RolesCreated returns the roles that the sandbox lacked, sorted.
func (s *Session) RolesCreated() []string { return s.created }

// Messages counts what was said on stderr so far.
func (s *Session) Messages() verdict.Messages { return s.said.count() }

// measure adds the time until its result is called.
func measure(d *time.Duration) func() {
	begun := time.Now()
	return func() { *d += time.Since(begun) }
}

// PreData creates the roles, the database and everything that must stand
// before rows can be loaded.
func (s *Session) PreData(ctx context.Context) error {
	defer measure(&s.took.PreData)()
	if s.archive.DataOnly() {
		return verdict.Failf(verdict.CodeNoSchema, "take the backup without --data-only or --section=data",
			"restore %s: the archive holds rows and no table to load them into", s.archive.Database)
	}
	if err := s.prepareServer(ctx); err != nil {
		return err
	}
	strays := s.takeStrays()
	if err := s.preData(ctx); err != nil {
		return err
	}
	if err := s.notPreloaded(); err != nil {
		return err
	}
	if err := s.withoutMembers(ctx, strays); err != nil {
		return err
	}
	if err := s.describe(ctx); err != nil {
		return err
	}
	return s.sameExtensions()
}

// PostData builds what rests on the rows: indexes, constraints, triggers,
// materialized views; then privileges, as pg_restore itself does, and what else
// belongs to the database.
func (s *Session) PostData(ctx context.Context) error {
	if err := s.postData(ctx); err != nil {
		return err
	}
	return s.probe(ctx)
}

func (s *Session) postData(ctx context.Context) error {
	if err := s.remember(ctx); err != nil {
		return err
	}
	defer measure(&s.took.PostData)()
	if err := s.withoutForeignRows(ctx); err != nil {
		return err
	}
	if err := s.restoreEntries(ctx, "post-data", s.scheduler.remaining(s.lists.post),
		s.order.jobs(s.opts.Jobs)); err != nil {
		return err
	}
	if err := s.finishExtensions(ctx); err != nil {
		return err
	}
	return s.propertiesAfter(ctx)
}

// restoreEntries restores entries that are not rows, inside the sandbox.
func (s *Session) restoreEntries(ctx context.Context, step string, entries []archive.Entry, jobs int) error {
	for i := range s.archive.Files() {
		own := slices.DeleteFunc(slices.Clone(entries), func(e archive.Entry) bool {
			part, _ := e.Part()
			return part != i
		})
		if err := s.restorePart(ctx, step, own, jobs); err != nil {
			return err
		}
	}
	return nil
}

// restorePart restores entries that lie in one part of the archive.
func (s *Session) restorePart(ctx context.Context, step string, entries []archive.Entry, jobs int) error {
	if len(entries) == 0 {
		return nil
	}
	program := s.pgRestore
	if s.archive.Format == archive.Plain {
		program = s.psql
	}
	argv, err := program(step, entries, jobs)
	if err != nil {
		return err
	}
	before := s.said.count().Errors
	err = s.box.Run(ctx, sandbox.Command{Args: argv, Stderr: s.inUTF8(s.said.listener(jobs, entries...).line)})
	err = s.ended(ctx, step, err, before)
	s.forgive()
	return err
}

// pgRestore is the command that restores entries of an archive. Only with -v
// does pg_restore say what an error is about, and pass on the server's
// warnings.
func (s *Session) pgRestore(step string, entries []archive.Entry, jobs int) ([]string, error) {
	list, err := s.writeList(step, entries)
	argv := []string{"pg_restore", "-v", "--no-tablespaces", "-d", s.connString(), "-L", list}
	if jobs > 1 {
		argv = append(argv, "-j", fmt.Sprint(jobs))
	}
	return append(argv, s.fileOf(entries)), err
}

// fileOf is where the programs in the sandbox find the file that entries lie in,
// which is one.
func (s *Session) fileOf(entries []archive.Entry) string {
	part, _ := entries[0].Part()
	return archive.PartPath(s.file, part)
}

// psql is the command that runs entries of a script. It goes on after an
// error, as pg_restore does; the listener counts them.
func (s *Session) psql(step string, entries []archive.Entry, _ int) ([]string, error) {
	name := "script-" + step
	f, err := os.OpenFile(s.box.HostPath(name), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return nil, fmt.Errorf("write the script of %s: %w", step, err)
	}
	err = s.archive.Script(f, entries)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return nil, fmt.Errorf("write the script of %s: %w", step, err)
	}
	return []string{"psql", "-X", "-q", "-b", "-d", s.connString(), "-o", "/dev/null", "-f",
		s.box.InsidePath(name)}, nil
}

// connString names the database to a libpq program whatever its name holds.
func (s *Session) connString() string {
	return "dbname='" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s.archive.Database) + "'"
}

// inUTF8 hands lines on as UTF-8: of those that a program passes on, the server
// and the archive wrote some in the archive's encoding.
func (s *Session) inUTF8(line func(string)) func(string) {
	return func(said string) {
		if !utf8.ValidString(said) {
			said = s.archive.UTF8(said)
		}
		line(said)
	}
}

// ended judges how pg_restore ended: a status of 1 with errors on stderr is a
// finding about the backup, which the checks tell; anything else means that
// the restore could not go on.
func (s *Session) ended(ctx context.Context, step string, err error, errorsBefore int) error {
	var exit *sandbox.ExitError
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("restore %s of %s: %w", step, s.archive.Database, context.Cause(ctx))
	case s.notPreloaded() != nil: // which some extensions say by ending the session
		return s.notPreloaded()
	case s.said.number(trouble) > 0:
		troubles := s.said.all(trouble)
		said := s.quote(troubles, s.said.number(trouble))
		code := verdict.CodeSandbox
		if slices.ContainsFunc(troubles, func(m message) bool { return fullDisk.MatchString(m.text) }) {
			code = verdict.CodeDiskSpace
		}
		return verdict.Errorf(code, "look for the machine's disk and memory, then run the drill again",
			"restore %s of %s: the sandbox could not go on: %s", step, s.archive.Database, said)
	case errors.As(err, &exit) && exit.Code == 1:
		if s.said.count().Errors == errorsBefore {
			s.said.add(message{severity: failure, own: true,
				text: step + ": pg_restore exited with status 1 and no message"})
		}
		return nil
	}
	return verdict.Errorf(verdict.CodeRestore,
		"the sandbox or a program in it died; look for the machine's memory and disk, then run the drill again",
		"restore %s of %s: %w", step, s.archive.Database, err)
}

// writeList puts a use-list where the sandbox's pg_restore can read it.
func (s *Session) writeList(name string, entries []archive.Entry) (inside string, err error) {
	name = "list-" + name
	if err := os.WriteFile(s.box.HostPath(name), archive.UseList(entries), 0o644); err != nil {
		return "", fmt.Errorf("write the list of entries for pg_restore: %w", err)
	}
	return s.box.InsidePath(name), nil
}

// connect opens a connection to the restored database whose settings are
// pg_dump's own, whatever the database would set.
func (s *Session) connect(ctx context.Context) (*pgx.Conn, error) {
	return s.prepared(ctx, s.box.DB().Connect, ownFormats+sessionSettings)
}

// connectToLoad is connect as pg_restore does it: under the database's settings.
func (s *Session) connectToLoad(ctx context.Context) (*pgx.Conn, error) {
	return s.prepared(ctx, s.box.DB().ConnectUnder, sessionSettings)
}

func (s *Session) prepared(ctx context.Context, connect func(context.Context, string) (*pgx.Conn, error),
	settings string) (*pgx.Conn, error) {
	conn, err := connect(ctx, s.archive.Database)
	if err != nil {
		return nil, verdict.Errorf(verdict.CodeSandbox, "the sandbox's server died or refused; run the drill again",
			"connect to the sandbox's database %s: %w", s.archive.Database, err)
	}
	if _, err := conn.PgConn().Exec(ctx, settings).ReadAll(); err != nil {
		conn.Close(context.WithoutCancel(ctx))
		return nil, fmt.Errorf("prepare a connection to %s: %w", s.archive.Database, err)
	}
	return conn, nil
}

// ownFormats are for reading: a dump's values are understood whatever these say.
const ownFormats = `SET DateStyle = ISO; SET IntervalStyle = postgres;`

// sessionSettings are what pg_dump writes at the top of every script. What else
// could stop a load the sandbox's sessions do without. search_path is
// emptied as a dump does it: a function or a check that only works otherwise
// would fail in a real restore too.
const sessionSettings = `
SET statement_timeout = 0; SET lock_timeout = 0; SET idle_in_transaction_session_timeout = 0;
SET standard_conforming_strings = on;
SET check_function_bodies = false; SET xmloption = content; SET client_min_messages = warning; SET row_security = off;
SELECT pg_catalog.set_config('search_path', '', false);`

// noNames are for messages that need none.
var noNames = told.New(nil, nil)

// fatal reports whether the server refused for a reason that lies in the
// machine and not in the rows: no room, no memory, going down.
func fatal(err *pgconn.PgError) *verdict.Problem {
	switch {
	case inOwnWords(err):
		return nil
	case err.Code == "53100":
		return verdict.Errorf(verdict.CodeDiskSpace,
			"make room where the sandbox keeps its data, then run the drill again",
			"the sandbox's disk is full: %s", noNames.Sentence(err.Message))
	case slices.ContainsFunc(signs, func(s causeSign) bool { return s.words.MatchString(err.Message) }):
		return nil // a function of the backup's looked for what is not here
	case strings.HasPrefix(err.Code, "53"), strings.HasPrefix(err.Code, "57"),
		strings.HasPrefix(err.Code, "58"), strings.HasPrefix(err.Code, "08"):
		return verdict.Errorf(verdict.CodeSandbox,
			"the sandbox's server could not go on; look at the machine's memory, then run the drill again",
			"the sandbox's server gave up: %s (SQLSTATE %s)", noNames.Sentence(err.Message), told.State(err.Code))
	}
	return nil
}
