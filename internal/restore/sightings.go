package restore

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"daybefore/internal/archive"
	"daybefore/internal/verdict"
)

// sighting is a relation that was read while something was loaded or built.
type sighting struct {
	entry archive.Entry
	by    reason
	read  tableName
}

// readScans counts, for each relation, how often this session has read it; what
// earlier transactions read may still be in it.
func readScans(ctx context.Context, conn *pgx.Conn) (map[tableName]int64, error) {
	rows, err := conn.Query(ctx, `
select n.nspname::text, c.relname::text, x.scans from pg_catalog.pg_class c
       join pg_catalog.pg_namespace n on n.oid = c.relnamespace
 cross join lateral (select coalesce(pg_catalog.pg_stat_get_xact_numscans(c.oid), 0) + coalesce((
    select sum(pg_catalog.pg_stat_get_xact_numscans(i.indexrelid)) from pg_catalog.pg_index i
       where i.indrelid = c.oid), 0)::bigint as scans) x
 where (c.oid >= $1 and c.relkind in ('r', 'p', 'm', 'S') or c.oid = 'pg_catalog.pg_largeobject'::pg_catalog.regclass)
   and x.scans > 0`, uint32(firstUserID))
	if err != nil {
		return nil, err
	}
	scans := map[tableName]int64{}
	var n tableName
	var count int64
	_, err = pgx.ForEachRow(rows, []any{&n.schema, &n.table, &count}, func() error {
		scans[n] = count
		return nil
	})
	return scans, err
}

// watch returns what is read between its call and that of what it returns.
func watch(ctx context.Context, conn *pgx.Conn) (func() ([]tableName, error), error) {
	before, err := readScans(ctx, conn)
	if err != nil {
		return nil, fmt.Errorf("ask what was read: %w", err)
	}
	return func() ([]tableName, error) {
		after, err := readScans(ctx, conn)
		if err != nil {
			return nil, fmt.Errorf("ask what was read: %w", err)
		}
		var read []tableName
		for n, count := range after {
			if count > before[n] {
				read = append(read, n)
			}
		}
		return read, nil
	}, nil
}

// watchLoad keeps, once the function that it returns is called, what the load
// of a table that observes has read until then: if it failed, what it read
// before. It tells that it failed with what failed, and nothing else.
func (s *Session) watchLoad(ctx context.Context, tx pgx.Tx, t *tableLoad) (func(failed error) error, error) {
	reasons := s.order.observed[t.entry.DumpID]
	if len(reasons) == 0 || s.archive.Format == archive.Plain && len(s.lists.excluded) == 0 {
		return func(failed error) error { return failed }, nil
	}
	told, err := watch(ctx, tx.Conn())
	if err != nil {
		return nil, err
	}
	_, err = tx.Exec(ctx, "SAVEPOINT load")
	return func(failed error) error {
		if failed != nil {
			if _, err := tx.Exec(ctx, "ROLLBACK TO load"); err != nil {
				return failed
			}
		}
		read, err := told()
		s.sighted(t.entry, s.of(t, reasons[0]), t.tableName, read)
		return cmp.Or(failed, err)
	}, err
}

// sighted keeps what was read while something of the archive was loaded or
// built that is about one relation.
func (s *Session) sighted(e archive.Entry, by reason, of tableName, read []tableName) {
	for _, n := range read {
		if s.tree(n) != s.tree(of) {
			s.order.saw = append(s.order.saw, sighting{e, by, n})
		}
	}
}

// tree is the root of the partition tree that a table is in, or the table.
func (s *Session) tree(n tableName) tableName {
	for _, t := range s.tables {
		if t.tableName == n && t.root != (tableName{}) {
			return t.root
		}
	}
	return n
}

// probe asks what post-data that observes reads: its expressions are evaluated
// for some rows, and nothing is kept. What cannot be asked stays unknown.
func (s *Session) probe(ctx context.Context) error {
	if s.order == nil || len(s.order.late) == 0 || s.archive.Format == archive.Plain {
		return nil
	}
	conn, err := s.connectToLoad(ctx)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	for _, e := range s.order.late {
		of, read, err := probeEntry(ctx, conn, e.Entry)
		if err != nil {
			return err
		}
		s.sighted(e.Entry, e.reason, of, read)
	}
	return nil
}

// probed is for how many rows an expression is evaluated.
const probed = 200

// probeEntry evaluates what an entry calls, in a transaction that is rolled
// back, and returns the relation that it is about and those that were read.
func probeEntry(ctx context.Context, conn *pgx.Conn, e archive.Entry) (of tableName, read []tableName, err error) {
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{AccessMode: pgx.ReadOnly})
	if err != nil {
		return of, nil, fmt.Errorf("ask what %s %s reads: %w", e.Desc, e.Tag, err)
	}
	defer tx.Rollback(context.WithoutCancel(ctx))
	sql, of, err := probeSQL(ctx, tx, e)
	if err != nil || sql == "" {
		return of, nil, ended(ctx)
	}
	told, err := watch(ctx, conn)
	if err != nil {
		return of, nil, ended(ctx)
	}
	if _, err := conn.PgConn().Exec(ctx, probeSettings+sql).ReadAll(); err != nil { // what was read until then counts
		if _, err := tx.Exec(ctx, "ROLLBACK TO probe"); err != nil {
			return of, nil, ended(ctx)
		}
	}
	read, _ = told()
	return of, read, ended(ctx)
}

// ended is why the drill has ended, if it has: nothing else that a probe meets
// is more than something not known.
func ended(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// probeSettings keep a probe short, and out of helpers that count for themselves.
const probeSettings = `SET LOCAL track_counts = on; SET LOCAL max_parallel_workers_per_gather = 0;
SAVEPOINT probe; SET LOCAL statement_timeout = '1s'; `

// withoutIndexes keep a probe from answering out of the very index it asks about.
// A materialized view asks about none, and could take all its time without them.
const withoutIndexes = `SET LOCAL enable_indexscan = off; SET LOCAL enable_indexonlyscan = off;
SET LOCAL enable_bitmapscan = off;`

// probeSQL is what evaluates an entry's expressions, and the relation that it
// is about; empty where there are none, and an error where it was not built.
func probeSQL(ctx context.Context, tx pgx.Tx, e archive.Entry) (sql string, of tableName, err error) {
	switch e.Desc {
	case "MATERIALIZED VIEW DATA":
		err = tx.QueryRow(ctx, `
select '(' || pg_catalog.rtrim(pg_catalog.pg_get_viewdef(c.oid), ';') || ') q'
  from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace where n.nspname = $1
       and c.relname = $2`,
			e.Namespace, e.Tag).Scan(&sql)
		return fmt.Sprintf("SELECT * FROM %s LIMIT %d", sql, probed), tableName{e.Namespace, e.Tag}, err
	case "CHECK CONSTRAINT":
		err = tx.QueryRow(ctx, `
select pg_catalog.pg_get_expr(k.conbin, k.conrelid), n.nspname::text, c.relname::text
  from pg_catalog.pg_constraint k join pg_catalog.pg_class c on c.oid = k.conrelid
       join pg_catalog.pg_namespace n on n.oid = c.relnamespace
 where k.contype = 'c' and n.nspname = $1 and c.relname || ' ' || k.conname = $2`,
			e.Namespace, e.Tag).Scan(&sql, &of.schema, &of.table)
	default:
		err = tx.QueryRow(ctx, `
select 'case when ' || coalesce(pg_catalog.pg_get_expr(i.indpred, i.indrelid), 'true') || ' then row(' ||
       coalesce(pg_catalog.pg_get_expr(i.indexprs, i.indrelid), '') || ') end', n.nspname::text, c.relname::text
  from pg_catalog.pg_index i join pg_catalog.pg_class x on x.oid = i.indexrelid
  join pg_catalog.pg_class c on c.oid = i.indrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
 where n.nspname = $1 and (x.relname = $2 or c.relname || ' ' || x.relname = $2)`,
			e.Namespace, e.Tag).Scan(&sql, &of.schema, &of.table)
	}
	return fmt.Sprintf("%s SELECT %s FROM %s LIMIT %d", withoutIndexes, sql, of.sql(), probed), of, err
}

// dependentCheck says what a parallel pg_restore may do otherwise than a serial
// one: it waits for nothing but what the archive says that an entry rests on.
// That a serial one brings the data back is proven; the other is left out.
func (s *Session) dependentCheck() *verdict.Check {
	if s.order == nil || s.archive.Format == archive.Plain {
		return nil
	}
	var found []string
	waits := dependenciesOf(s.archive.Entries)
	hint := "restore with one job (pg_restore without -j), or change what reads other tables: " +
		"use a trigger or a foreign key instead"
	for _, seen := range s.order.saw {
		if !s.byChance(seen, waits.of(seen.entry)) {
			continue
		}
		found = append(found, seen.by.String()+", which reads "+seen.read.display())
		if s.refused(seen.entry.DumpID) {
			hint = "one job (pg_restore without -j) meets the restore errors above, and more jobs only by chance " +
				"do not: change what reads other tables: use a trigger or a foreign key instead"
		}
	}
	if len(found) == 0 {
		return nil
	}
	return &verdict.Check{
		ID: "order_dependent", Stage: verdict.StageRestore, Code: verdict.CodeOrderDependent, Outcome: verdict.Skipped,
		Expected: "0", Observed: fmt.Sprint(len(found)),
		Message: "pg_restore -j restores this by chance, since the archive does not say that it must wait: " +
			shortList(found),
		Hint: hint,
	}
}

// refused reports whether an entry could not be restored in the archive's order.
func (s *Session) refused(id int) bool {
	return slices.ContainsFunc(s.said.all(failure), func(m message) bool {
		e, _ := s.entry(id)
		return m.id == id || m.id == 0 && s.about(m) == objectOf(e)
	})
}

// byChance reports whether what was read may be there or not in a parallel
// restore: rows of the archive that are not among those that the reader waits for.
func (s *Session) byChance(seen sighting, waits map[int]bool) bool {
	refresh := seen.entry.Desc == "MATERIALIZED VIEW DATA"
	for _, e := range s.archive.Entries {
		brings := e.Namespace == seen.read.schema && e.Tag == seen.read.table
		switch e.Desc {
		case "TABLE DATA":
			brings = brings && !refresh && s.passed(e.DumpID)
		case "SEQUENCE SET":
			brings = brings && !refresh
		case "BLOBS":
			brings = !refresh && s.opts.LargeObjects && seen.read == tableName{"pg_catalog", "pg_largeobject"}
		case "MATERIALIZED VIEW DATA":
			brings = brings && refresh
		default:
			brings = false
		}
		if brings && e.DumpID != seen.entry.DumpID && !waits[e.DumpID] {
			return true
		}
	}
	return false
}

// passed reports whether any row of an entry was loaded.
func (s *Session) passed(id int) bool {
	return slices.ContainsFunc(s.tables, func(t *tableLoad) bool { return t.entry.DumpID == id && t.passed > 0 })
}

// dependencies are what pg_restore -j goes by.
type dependencies struct {
	entries map[int]archive.Entry // by dump id
	rows    map[int][]int         // of a table
}

func dependenciesOf(entries []archive.Entry) dependencies {
	d := dependencies{map[int]archive.Entry{}, map[int][]int{}}
	for _, e := range entries {
		d.entries[e.DumpID] = e
		if e.Desc == "TABLE DATA" {
			for _, id := range e.Deps {
				d.rows[id] = append(d.rows[id], e.DumpID)
			}
		}
	}
	return d
}

// of is all that pg_restore -j has done before it begins an entry, by dump id.
// What post-data needs of a table it needs of its rows (repoint_table_dependencies
// in pg_backup_archiver.c).
func (d dependencies) of(e archive.Entry) map[int]bool {
	done := map[int]bool{}
	for todo := []archive.Entry{e}; len(todo) > 0; todo = todo[1:] {
		for _, id := range todo[0].Deps {
			needs := []int{id}
			if todo[0].Section == archive.SectionPostData && d.entries[id].Desc == "TABLE" {
				needs = d.rows[id]
			}
			for _, id := range needs {
				if !done[id] {
					done[id] = true
					todo = append(todo, d.entries[id])
				}
			}
		}
	}
	return done
}
