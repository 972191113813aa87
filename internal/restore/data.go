package restore

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"golang.org/x/sync/errgroup"

	"daybefore/internal/archive"
	"daybefore/internal/copytext"
	"daybefore/internal/sandbox"
	"daybefore/internal/verdict"
)

// table is the target of one COPY statement.
type table struct {
	entry   archive.Entry
	schema  string
	name    string
	columns []string
	relation
	passed int64 // rows that the stream held
	before int64 // rows that an extension's script had put there
}

// relation is what the restored schema says of a table; zero where its
// creation failed.
type relation struct {
	kind   string // pg_class.relkind: r, p, f
	root   string // of the partition tree it belongs to, as displayed
	member bool   // of an extension
	parent bool   // of tables that inherit from it
	direct bool   // no row reaches it but by a COPY statement of its own name
}

// Kinds of relations, as pg_class.relkind has them.
const (
	ordinary    = "r"
	partitioned = "p"
)

// Data streams the rows of every table, save those to be left out, through
// the filter into the database, by as many workers as there are jobs, while
// another pg_restore sets the sequences and large objects. The first error
// that is not about one table alone ends all of them. Nil for leaveOut loads
// all.
func (s *Session) Data(ctx context.Context, filter Filter, leaveOut func(schema, table string) bool) error {
	if leaveOut != nil {
		s.lists.exclude(leaveOut)
	}
	byID, err := s.describe(ctx)
	if err != nil {
		return err
	}
	hands := spread(s.lists.rows, s.opts.Jobs)
	s.early = newBuilds(s.archive, byID)
	s.early.loading = len(hands)
	work, ctx := errgroup.WithContext(ctx)
	defer context.AfterFunc(ctx, s.early.stop)()
	work.Go(func() error { return s.pgRestore(ctx, "data", s.lists.direct) })
	for i, hand := range hands {
		tables := make([]*table, len(hand))
		for j, e := range hand {
			tables[j] = byID[e.DumpID]
		}
		work.Go(func() error { return s.worker(ctx, fmt.Sprintf("data-%d", i), hand, tables, filter) })
	}
	return work.Wait()
}

// describe learns from the restored schema what the tables to be loaded are.
func (s *Session) describe(ctx context.Context) (map[int]*table, error) {
	conn, err := s.connect(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	relations, err := readRelations(ctx, conn)
	if err != nil {
		return nil, fmt.Errorf("read the restored schema of %s: %w", s.archive.Database, err)
	}
	byID := map[int]*table{}
	for _, e := range s.lists.rows {
		t, err := newTable(e)
		if err != nil {
			return nil, err
		}
		t.relation = relations[t.display()]
		if t.member {
			if t.before, err = countRows(ctx, conn, t); err != nil {
				return nil, err
			}
		}
		byID[e.DumpID] = t
		s.tables = append(s.tables, t)
	}
	throughRoot := map[string]bool{}
	for _, t := range s.tables {
		throughRoot[t.display()] = t.kind == partitioned
	}
	for _, t := range s.tables {
		t.direct = !throughRoot[t.root]
	}
	return byID, nil
}

func newTable(e archive.Entry) (*table, error) {
	h, err := copytext.ParseHeader(e.CopyStmt)
	if err != nil {
		return nil, verdict.Failf(verdict.CodeCorrupt, "the archive is damaged, or not pg_dump's",
			"restore entry %d of the archive: %w", e.DumpID, err)
	}
	return &table{entry: e, schema: h.Schema, name: h.Table, columns: h.Columns}, nil
}

// readRelations returns the restored tables by their displayed name.
func readRelations(ctx context.Context, conn *pgx.Conn) (map[string]relation, error) {
	rows, err := conn.Query(ctx, `
select n.nspname::text, c.relname::text, c.relkind::text,
       coalesce(rn.nspname || '.' || r.relname, '')::text,
       exists (select from pg_catalog.pg_depend d
                where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objid = c.oid and d.deptype = 'e'),
       c.relhassubclass
  from pg_catalog.pg_class c
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  left join pg_catalog.pg_class r on r.oid = pg_catalog.pg_partition_root(c.oid)
  left join pg_catalog.pg_namespace rn on rn.oid = r.relnamespace
 where c.relkind in ('r', 'p', 'f') and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')`)
	if err != nil {
		return nil, err
	}
	byName := map[string]relation{}
	var t table
	_, err = pgx.ForEachRow(rows, []any{&t.schema, &t.name, &t.kind, &t.root, &t.member, &t.parent}, func() error {
		byName[t.display()] = t.relation
		return nil
	})
	return byName, err
}

// worker loads its tables one after the other, over one connection; between
// them, and when it has none left, it builds the indexes of any worker's.
func (s *Session) worker(ctx context.Context, list string, entries []archive.Entry, tables []*table, filter Filter) error {
	conn, err := s.connect(ctx)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if err := s.loadAll(ctx, conn, list, entries, tables, filter); err != nil {
		return err
	}
	return s.buildReady(ctx, conn, true)
}

// buildReady builds what is ready and, with wait, what will be.
func (s *Session) buildReady(ctx context.Context, conn *pgx.Conn, wait bool) error {
	for {
		e, ok := s.early.next(wait)
		if !ok {
			return nil
		}
		if err := s.early.run(ctx, conn, e, &s.said); err != nil {
			return err
		}
	}
}

// loadAll loads a worker's tables from one pg_restore.
func (s *Session) loadAll(ctx context.Context, conn *pgx.Conn, list string, entries []archive.Entry, tables []*table, filter Filter) error {
	defer s.early.streamEnded()
	if len(entries) == 0 {
		return nil
	}
	inside, err := s.writeList(list, entries)
	if err != nil {
		return err
	}
	// As pg_dump wrote the rows; the server converts them where it must.
	if _, err := conn.Exec(ctx, "SELECT pg_catalog.set_config('client_encoding', $1, false)", s.archive.Encoding); err != nil {
		return fmt.Errorf("set the encoding of a load connection to %s: %w", s.archive.Encoding, err)
	}
	heard := s.said.listener()
	stream, err := s.box.Stream(ctx, sandbox.Command{
		Args:   []string{"pg_restore", "-f", "-", "-L", inside, s.file},
		Stderr: heard.line,
	})
	if err != nil {
		return verdict.Errorf(verdict.CodeSandbox, "run the drill again", "start pg_restore in the sandbox: %w", err)
	}
	defer stream.Close()
	before := s.said.count().Errors
	dump := newDumpStream(stream)
	for _, t := range tables {
		if err := s.loadNext(ctx, conn, dump, t, filter); err != nil {
			return s.brokenStream(ctx, stream, heard, t, err)
		}
		s.early.loaded(t)
		if err := s.buildReady(ctx, conn, false); err != nil {
			return err
		}
	}
	if err := dump.end(); err != nil {
		return s.brokenStream(ctx, stream, heard, tables[len(tables)-1], err)
	}
	return s.ended(ctx, "data", stream.Wait(), before)
}

// loadNext loads the stream's next table. What the server finds wrong with
// its rows is kept as a message, and the stream stands behind the block.
func (s *Session) loadNext(ctx context.Context, conn *pgx.Conn, dump *dumpStream, t *table, filter Filter) error {
	rewrite, err := filter(t.schema, t.name, t.columns)
	if err != nil {
		return err
	}
	if err := dump.next(t.entry.CopyStmt); err != nil {
		return fmt.Errorf("%w: %w", errStream, err)
	}
	b := &block{d: dump, rewrite: rewrite, moved: s.moved.add}
	err = s.load(ctx, conn, b, t)
	var refused *pgconn.PgError
	if errors.As(err, &refused) && b.err == nil {
		if problem := fatal(refused); problem != nil {
			return problem
		}
		s.said.add(serverError("TABLE DATA "+t.display(), refused))
		err = b.drain()
	}
	t.passed = b.rows
	if err != nil && b.err != nil {
		err = b.err // the server's answer to it says less
	}
	return err
}

// load runs one COPY in a transaction of its own, and commits it only if the
// block ended as it must and the server stored as many rows as were sent.
func (s *Session) load(ctx context.Context, conn *pgx.Conn, b *block, t *table) error {
	tx, err := conn.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback(context.WithoutCancel(ctx))
	if t.kind == ordinary && !t.member && t.direct {
		// A table emptied in the same transaction is loaded without WAL under
		// wal_level=minimal. ONLY: children are loaded by themselves.
		if _, err := tx.Exec(ctx, "TRUNCATE ONLY "+t.sql()); err != nil {
			return err
		}
	}
	tag, err := conn.PgConn().CopyFrom(ctx, b, t.entry.CopyStmt)
	if err != nil {
		return err
	}
	if !b.done || tag.RowsAffected() != b.rows {
		return fmt.Errorf("%s: %d rows were sent and %d stored", t.display(), b.rows, tag.RowsAffected())
	}
	return tx.Commit(ctx)
}

// errStream marks that pg_restore's output was not what it should be.
var errStream = errors.New("read pg_restore's output")

// brokenStream says why a worker could not go on: told to stop, the filter
// refused, pg_restore found the archive broken, or something died.
func (s *Session) brokenStream(ctx context.Context, stream sandbox.Stream, heard *listener, t *table, err error) error {
	var problem *verdict.Problem
	if errors.As(err, &problem) {
		return err
	}
	if ctx.Err() != nil {
		return fmt.Errorf("load %s: %w", t.display(), context.Cause(ctx))
	}
	if errors.Is(err, errNoEnd) || errors.Is(err, errStream) {
		stream.Close()
		if exit := stream.Wait(); exit != nil {
			err = fmt.Errorf("%w; %w", err, exit)
		}
		if said, ok := heard.failed(); ok {
			return verdict.Failf(verdict.CodeCorrupt, "the archive's data cannot be read: take the newest backup again, and compare its checksum",
				"load %s: %w: %s", t.display(), err, said)
		}
	}
	return verdict.Errorf(verdict.CodeRestore, "the sandbox or a program in it died; look for the machine's memory and disk, then run the drill again",
		"load %s: %w", t.display(), err)
}

// display is the table's name as reports show it.
func (t *table) display() string { return t.schema + "." + t.name }

// sql is the table's name as SQL takes it.
func (t *table) sql() string { return pgx.Identifier{t.schema, t.name}.Sanitize() }

// progress adds up what the workers load.
type progress struct {
	rows, bytes atomic.Int64
	tell        func(rows, bytes int64)
}

func (p *progress) add(rows, bytes int64) {
	r, b := p.rows.Add(rows), p.bytes.Add(bytes)
	if p.tell != nil {
		p.tell(r, b)
	}
}
