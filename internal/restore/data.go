package restore

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"golang.org/x/sync/errgroup"

	"daybefore/internal/archive"
	"daybefore/internal/copytext"
	"daybefore/internal/restore/stream"
	"daybefore/internal/sqltext"
	"daybefore/internal/verdict"
)

// tableLoad is the target of one COPY statement.
type tableLoad struct {
	tableName
	entry   archive.Entry
	columns []string
	copy    string // the statement that loads it, in UTF-8 as the session is
	// rootColumns are the stored columns of its partition tree's root, for
	// INSERT statements that may go there.
	rootColumns []string
	rerouted    bool // its rows go to the root, which finds their partitions anew
	relation
	work   int64 // about what its rows are to load, as bytes unpacked
	passed int64 // rows that the stream held
	none   bool  // the server refused its rows, and holds none of them
	before int64 // rows that an extension's script had put there
}

// tableName is a table's, unquoted.
type tableName struct{ schema, table string }

// display is the name as reports show it.
func (n tableName) display() string { return n.schema + "." + n.table }

// sql is the name as SQL takes it.
func (n tableName) sql() string { return pgx.Identifier{n.schema, n.table}.Sanitize() }

// relation is what the restored schema says of a table; zero where its
// creation failed.
type relation struct {
	kind   string    // pg_class.relkind: r, p, f
	root   tableName // of the partition tree it belongs to
	member bool      // of an extension
	parent bool      // of tables that inherit from it
	sifted bool      // a trigger of the extension that it belongs to may keep rows out
	hyper  tableName // the hypertable that it is a chunk of
	stored []string  // columns that rows have values for, in their order: all but generated ones
	direct bool      // no row reaches it but by a COPY statement of its own name
}

// Kinds of relations, as pg_class.relkind has them.
const (
	ordinary    = "r"
	partitioned = "p"
)

// Data streams the rows of every table, save those to be left out, through
// the filter into the database, by as many workers as there are jobs; one of
// them has a pg_restore set the sequences and large objects. What can observe
// the order of the load is loaded in the archive's. The first error
// that is not about one table alone ends all of them. Nil for leaveOut loads
// all. What the server refuses of a table's rows is the backup's fault unless
// blame, where it is not nil, has an error for it, which ends the load.
func (s *Session) Data(ctx context.Context, filter Filter, leaveOut func(schema, table string) bool,
	blame Blame) error {
	s.leaveOut(leaveOut)
	s.blame = blame
	begun := time.Now()
	if err := s.plan(ctx); err != nil {
		return err
	}
	s.scheduler = newScheduler(s.archive, s.tables, s.order, s.opts.Jobs)
	work, ctx := errgroup.WithContext(ctx)
	defer context.AfterFunc(ctx, s.scheduler.stop)()
	work.Go(func() error { return s.archive.CheckData(ctx, slices.Concat(s.lists.excluded, s.lists.leftOut)...) })
	for range s.opts.Jobs {
		work.Go(func() error { return s.worker(ctx, filter) })
	}
	err := work.Wait()
	if s.observing != nil {
		s.observing.Close(context.WithoutCancel(ctx))
	}
	s.took.Data, s.took.PostData = s.scheduler.lastRow.Sub(begun), time.Since(s.scheduler.lastRow)
	return err
}

// Reroute has the rows of the partitions that moves names go to the root of
// their tree, which finds a partition for each: a filter may change what decides
// about that. Call it between PreData and Data.
func (s *Session) Reroute(moves func(schema, table string) bool) {
	roots := map[tableName]bool{}
	for _, t := range s.tables {
		if t.root != (tableName{}) && moves(t.schema, t.table) {
			t.rerouted = true
			t.copy = t.copyStatement(t.root)
			roots[t.root] = true
		}
	}
	for _, t := range s.tables {
		t.direct = t.direct && !roots[t.root]
	}
}

// leaveOut takes the tables whose rows are not wanted from the others.
func (s *Session) leaveOut(unwanted func(schema, table string) bool) {
	if unwanted != nil {
		s.lists.exclude(unwanted)
		s.tables = slices.DeleteFunc(s.tables,
			func(t *tableLoad) bool { return unwanted(t.entry.Namespace, t.entry.Tag) })
	}
}

// Headers are the COPY statements, taken apart, that will bring the rows of
// the archive's tables: of all of them, until Data leaves some out. They are
// known once PreData has restored the schema, which tells the columns of rows
// that were dumped as INSERT statements.
func (s *Session) Headers() map[int]copytext.Header {
	headers := map[int]copytext.Header{}
	for _, t := range s.tables {
		headers[t.entry.DumpID] = copytext.Header{Schema: t.schema, Table: t.table, Columns: t.columns}
	}
	return headers
}

// describe learns from the restored schema what the tables to be loaded are.
func (s *Session) describe(ctx context.Context) error {
	conn, err := s.connect(ctx)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	relations, err := readRelations(ctx, conn)
	if err != nil {
		return fmt.Errorf("read the restored schema of %s: %w", s.archive.Database, err)
	}
	s.baseline.tables, err = readStandings(ctx, conn)
	if err != nil {
		return fmt.Errorf("read the restored tables of %s: %w", s.archive.Database, err)
	}
	for _, e := range s.lists.rows {
		t, err := s.newTable(e)
		if err != nil {
			return err
		}
		t.relation = relations[t.tableName]
		if e.Inserts() {
			t.columns, t.rootColumns = t.stored, relations[t.root].stored
			t.copy = t.copyStatement(t.tableName)
		}
		if t.member {
			t.before, err = countRows(ctx, conn, t)
			if err != nil {
				return err
			}
		}
		s.tables = append(s.tables, t)
	}
	throughRoot := map[tableName]bool{}
	blocks := map[tableName]int{}
	for _, t := range s.tables {
		throughRoot[t.tableName] = t.kind == partitioned
		blocks[t.tableName]++
	}
	for _, t := range s.tables {
		t.direct = !throughRoot[t.root] && !t.maybeThroughRoot() && blocks[t.tableName] == 1
	}
	s.weigh(ctx)
	return nil
}

func (s *Session) newTable(e archive.Entry) (*tableLoad, error) {
	if e.Inserts() {
		return &tableLoad{entry: e, tableName: tableName{e.Namespace, e.Tag}}, nil
	}
	statement := s.archive.UTF8(e.CopyStmt)
	h, err := sqltext.ParseCopy(statement)
	if err != nil {
		return nil, verdict.Failf(verdict.CodeCorrupt, "the archive is damaged, or not pg_dump's",
			"restore entry %d of the archive: %w", e.DumpID, err)
	}
	t := &tableLoad{entry: e, tableName: tableName{h.Schema, h.Table}, columns: h.Columns, copy: statement}
	if h.Schema == "" { // by a pg_dump before 10.3, which set search_path to the entry's schema instead
		t.schema = e.Namespace
		t.copy = t.copyStatement(t.tableName)
	}
	return t, nil
}

// maybeThroughRoot tells that rows may come under the name of the root, which
// only the INSERT statements themselves will tell: pg_dump writes them so for
// hash partitions on an enum.
func (t *tableLoad) maybeThroughRoot() bool { return t.entry.Inserts() && t.root != tableName{} }

// copyStatement is the COPY statement of a table whose rows are INSERTs in
// the archive.
func (t *tableLoad) copyStatement(into tableName) string {
	var columns []string
	for _, c := range t.columns {
		columns = append(columns, pgx.Identifier{c}.Sanitize())
	}
	list := ""
	if len(columns) > 0 {
		list = " (" + strings.Join(columns, ", ") + ")"
	}
	return "COPY " + into.sql() + list + " FROM stdin;"
}

// readRelations returns the restored tables.
func readRelations(ctx context.Context, conn *pgx.Conn) (map[tableName]relation, error) {
	rows, err := conn.Query(ctx, `
select n.nspname::text, c.relname::text, c.relkind::text,
       coalesce(rn.nspname, '')::text, coalesce(r.relname, '')::text,
       exists (select from pg_catalog.pg_depend d
                where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objid = c.oid and d.deptype = 'e'),
       c.relhassubclass,
       exists (select from pg_catalog.pg_trigger g
                where g.tgrelid = c.oid and g.tgtype & 7 = 7 and not g.tgisinternal and g.tgenabled <> 'D'),
       coalesce(hn.nspname, '')::text, coalesce(h.relname, '')::text,
       array(select a.attname::text from pg_catalog.pg_attribute a
              where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
              order by a.attnum)
  from pg_catalog.pg_class c
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  left join pg_catalog.pg_class r on r.oid = pg_catalog.pg_partition_root(c.oid)
  left join pg_catalog.pg_namespace rn on rn.oid = r.relnamespace
  left join pg_catalog.pg_inherits i on i.inhrelid = c.oid and n.nspname = '_timescaledb_internal'
   and exists (select from pg_catalog.pg_extension where extname = 'timescaledb')
  left join pg_catalog.pg_class h on h.oid = i.inhparent
  left join pg_catalog.pg_namespace hn on hn.oid = h.relnamespace
 where c.relkind in ('r', 'p', 'f') and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')`)
	if err != nil {
		return nil, err
	}
	byName := map[tableName]relation{}
	var t tableLoad
	_, err = pgx.ForEachRow(rows,
		[]any{&t.schema, &t.table, &t.kind, &t.root.schema, &t.root.table, &t.member, &t.parent,
			&t.sifted, &t.hyper.schema, &t.hyper.table, &t.stored},
		func() error {
			byName[t.tableName] = t.relation
			t.stored = nil // the next scan must not share it
			return nil
		})
	return byName, err
}

// worker does what the scheduler gives it, over one connection.
func (s *Session) worker(ctx context.Context, filter Filter) error {
	conn, err := s.connectToLoad(ctx)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if err := s.setUp(ctx, conn); err != nil {
		return err
	}
	for {
		t, ok := s.scheduler.next()
		switch {
		case !ok:
			return nil
		case t.serial:
			err = s.loadInOrder(ctx, t, filter)
		case t.direct != nil:
			err = s.restoreEntries(ctx, "data", t.direct, 1)
		case t.load != nil:
			err = s.loadAll(ctx, conn, t.name, t.load, filter)
		case t.key != nil:
			err = s.scheduler.check(ctx, conn, t.key, &s.said)
		default:
			err = s.scheduler.build(ctx, conn, t.build, &s.said)
		}
		s.scheduler.ended(t)
		if err != nil {
			return err
		}
	}
}

// setUp prepares a worker's connection.
func (s *Session) setUp(ctx context.Context, conn *pgx.Conn) error {
	if _, err := conn.PgConn().Exec(ctx, workerSettings(s.opts.Jobs >= runtime.NumCPU())).ReadAll(); err != nil {
		return fmt.Errorf("prepare a load connection: %w", err)
	}
	return nil
}

// workerSettings are those of a worker's connection.
func workerSettings(eachCoreHasOne bool) string {
	// A foreign key is checked by joining two tables, and of tables that were
	// loaded frozen an index alone tells what is in them: where both sides have
	// one, walking through them takes little more than half of what a hash
	// does. Without statistics the server guesses wrong about it. What all of
	// these forbid is done in the way that costs the least.
	settings := "SET enable_hashjoin = off; SET enable_nestloop = off; SET enable_sort = off;"
	if eachCoreHasOne {
		// An index build that calls for help then only writes to disk what it
		// could have sorted in memory.
		settings += "SET max_parallel_maintenance_workers = 0;"
	}
	return settings
}

// loadAll loads tables, one after the other, from one source of rows.
func (s *Session) loadAll(ctx context.Context, conn *pgx.Conn, list string, tables []*tableLoad, filter Filter) error {
	src, err := s.open(ctx, list, tables, &s.said)
	if err != nil {
		return err
	}
	defer src.close()
	before := s.said.count().Errors
	for _, t := range tables {
		if err := s.loadNext(ctx, conn, src, t, filter); err != nil {
			if damaged := s.archive.CheckData(ctx, t.entry); damaged != nil && ctx.Err() == nil {
				err = damaged // whatever was made of such bytes
			}
			return s.brokenSource(ctx, src, t, err)
		}
		s.scheduler.loaded(t)
	}
	if err := src.end(); err != nil {
		return s.brokenSource(ctx, src, tables[len(tables)-1], err)
	}
	return s.ended(ctx, "data", src.wait(), before)
}

// loadNext loads the source's next table. What the server finds wrong with
// its rows is kept as a message, and the source stands after them.
func (s *Session) loadNext(ctx context.Context, conn *pgx.Conn, src source, t *tableLoad, filter Filter) error {
	rewrite, err := filter(t.schema, t.table, t.columns)
	if err != nil {
		return err
	}
	dump, err := src.rows(t)
	if err != nil {
		return fmt.Errorf("%w: %w", errSource, err)
	}
	b := &stream.Block{Dump: dump, Rewrite: rewrite, Moved: s.moved.add}
	err = s.load(ctx, conn, b, t)
	var refused *pgconn.PgError
	if errors.As(err, &refused) && b.Err == nil {
		if problem := fatal(refused); problem != nil {
			return problem
		}
		if s.blame != nil {
			if err := s.blame(t.schema, t.table, refused); err != nil {
				return err
			}
		}
		s.said.add(serverError("TABLE DATA "+t.display(), refused))
		t.none = true
		err = b.Drain()
	}
	t.passed = b.Rows
	if err != nil && b.Err != nil {
		err = b.Err // the server's answer to it says less
	}
	return err
}

// emptied is the size in the archive from which emptying a table is worth the
// files that it costs: its own and those of its long values, made anew.
const emptied = 64 << 10

// load runs one COPY in a transaction of its own, and commits it only if the
// block ended as it must and the server stored as many rows as were sent.
func (s *Session) load(ctx context.Context, conn *pgx.Conn, b *stream.Block, t *tableLoad) error {
	tx, err := conn.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback(context.WithoutCancel(ctx))
	seen, err := s.watchLoad(ctx, tx, t)
	if err != nil {
		return err
	}
	options := s.rowsEncoding()
	frozen, err := s.frozen(ctx, tx, t)
	if err != nil {
		return err
	}
	if frozen {
		// A table emptied in the same transaction is loaded without WAL under
		// wal_level=minimal, and its rows may come frozen: otherwise the first
		// to read them, an index build, marks each and writes all pages again.
		// ONLY: children are loaded by themselves.
		if _, err := tx.Exec(ctx, "TRUNCATE ONLY "+t.sql()); err != nil {
			return err
		}
		options = append(options, "FREEZE")
	}
	if t.entry.Replica() {
		if _, err := tx.Exec(ctx, "SET LOCAL session_replication_role = replica"); err != nil {
			return err
		}
	}
	tag, err := conn.PgConn().CopyFrom(ctx, b, withOptions(t.copy, options))
	b.Stop()
	if err := seen(err); err != nil {
		return err
	}
	// Triggers come after the rows, save those that an extension's script made.
	if !b.Done || tag.RowsAffected() != b.Rows && !(t.member && t.sifted) {
		return fmt.Errorf("%s: %d rows were sent and %d stored", t.display(), b.Rows, tag.RowsAffected())
	}
	return tx.Commit(ctx)
}

// rowsEncoding is the option that says what the rows are written in: as pg_dump
// wrote them; the server converts them where it must.
func (s *Session) rowsEncoding() []string {
	if s.archive.Encoding == "" {
		return nil
	}
	return []string{"ENCODING '" + strings.ReplaceAll(s.archive.Encoding, "'", "''") + "'"}
}

func withOptions(copy string, options []string) string {
	if len(options) == 0 {
		return copy
	}
	return strings.TrimRight(copy, "; \n") + " WITH (" + strings.Join(options, ", ") + ")"
}

// errSource marks that what brings the rows did not bring what it should.
var errSource = errors.New("read the table's rows")

// brokenSource says why a worker could not go on: told to stop, the filter
// refused, pg_restore found the archive broken, or something died.
func (s *Session) brokenSource(ctx context.Context, src source, t *tableLoad, err error) error {
	var problem *verdict.Problem
	if errors.As(err, &problem) {
		return fmt.Errorf("load %s: %w", t.display(), err)
	}
	if ctx.Err() != nil {
		return fmt.Errorf("load %s: %w", t.display(), context.Cause(ctx))
	}
	if errors.Is(err, stream.ErrNoEnd) || errors.Is(err, errSource) {
		src.close()
		if exit := src.wait(); exit != nil {
			err = fmt.Errorf("%w; %w", err, exit)
		}
		if said, ok := src.complaint(); ok {
			return verdict.Failf(verdict.CodeCorrupt,
				"the archive's data cannot be read: take the newest backup again, and compare its checksum",
				"load %s: %w: %s", t.display(), err, s.opts.Names.Sentence(said))
		}
	}
	return verdict.Errorf(verdict.CodeRestore,
		"the sandbox or a program in it died; look for the machine's memory and disk, then run the drill again",
		"load %s: %w", t.display(), err)
}

// progress adds up what the workers load.
type progress struct {
	rows, bytes atomic.Int64
	tell        func(rows, bytes int64)
}

func (p *progress) add(rows, bytes int64) {
	r := p.rows.Add(rows)
	b := p.bytes.Add(bytes)
	if p.tell != nil {
		p.tell(r, b)
	}
}
