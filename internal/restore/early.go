package restore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"daybefore/internal/archive"
)

// builds are the indexes and keys that are built as soon as their table's
// rows are in, while other tables still load. What needs more than its own
// table (foreign keys, materialized views, partitioned indexes) waits for the
// last step, as does whatever fails here: pg_restore then tries again in the
// plain order, and reports it.
type builds struct {
	byTable map[int][]archive.Entry // by the dump id of the table's rows

	mu      sync.Mutex
	changed *sync.Cond
	ready   []build
	loading int          // workers whose streams have not ended
	built   map[int]bool // dump ids
	stopped bool
}

// build is one index or key that can be built.
type build struct {
	entry archive.Entry
	size  int64 // of the table's rows in the archive
}

// newBuilds finds what may be built early: entries of pg_dump's kinds INDEX
// and CONSTRAINT (primary keys, unique and exclusion constraints) that rest on
// one table of those to be loaded, and else on nothing later than the schema.
func newBuilds(a *archive.Archive, tables map[int]*table) *builds {
	b := &builds{byTable: map[int][]archive.Entry{}, built: map[int]bool{}}
	b.changed = sync.NewCond(&b.mu)
	rowsOf, section := map[int]int{}, map[int]archive.Section{}
	for _, e := range a.Entries {
		section[e.DumpID] = e.Section
		if t := tables[e.DumpID]; t != nil && t.kind == ordinary && t.direct {
			for _, d := range e.Deps {
				rowsOf[d] = e.DumpID // TABLE DATA depends on its TABLE
			}
		}
	}
	for _, e := range a.Entries {
		if e.Desc != "INDEX" && e.Desc != "CONSTRAINT" {
			continue
		}
		if rows, ok := restsOn(e, rowsOf, section); ok {
			b.byTable[rows] = append(b.byTable[rows], e)
		}
	}
	return b
}

// restsOn returns the rows that an entry waits for, if it waits for those of
// one table alone.
func restsOn(e archive.Entry, rowsOf map[int]int, section map[int]archive.Section) (rows int, ok bool) {
	for _, d := range e.Deps {
		switch r, isTable := rowsOf[d]; {
		case isTable && ok && r != rows:
			return 0, false
		case isTable:
			rows, ok = r, true
		case section[d] > archive.SectionPreData:
			return 0, false
		}
	}
	return rows, ok
}

// loaded makes a table's indexes ready to be built, the largest tables' first.
func (b *builds) loaded(t *table) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range b.byTable[t.entry.DumpID] {
		b.ready = append(b.ready, build{e, t.entry.DataSize})
	}
	slices.SortStableFunc(b.ready, func(x, y build) int { return cmp.Compare(y.size, x.size) })
	b.changed.Broadcast()
}

// next returns what can be built now. With wait it waits for more as long as
// any table is still loading.
func (b *builds) next(wait bool) (e archive.Entry, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for wait && len(b.ready) == 0 && b.loading > 0 && !b.stopped {
		b.changed.Wait()
	}
	if len(b.ready) == 0 || b.stopped {
		return archive.Entry{}, false
	}
	e, b.ready = b.ready[0].entry, b.ready[1:]
	return e, true
}

// streamEnded tells that one worker loads no more.
func (b *builds) streamEnded() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.loading--
	b.changed.Broadcast()
}

// stop lets nobody wait any longer.
func (b *builds) stop() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stopped = true
	b.changed.Broadcast()
}

// run builds one entry over a worker's connection.
func (b *builds) run(ctx context.Context, conn *pgx.Conn, e archive.Entry, said *messages) error {
	_, err := conn.PgConn().Exec(ctx, e.Defn).ReadAll()
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		if problem := fatal(refused); problem != nil {
			return problem
		}
		said.add(message{notice, e.Desc + " " + e.Namespace + "." + e.Tag, "could not be built early, and is tried again in the plain order"})
		return nil
	}
	if err != nil {
		return fmt.Errorf("build %s %s.%s: %w", e.Desc, e.Namespace, e.Tag, err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.built[e.DumpID] = true
	return nil
}

// remaining are the entries that are not built yet.
func (b *builds) remaining(entries []archive.Entry) []archive.Entry {
	return slices.DeleteFunc(slices.Clone(entries), func(e archive.Entry) bool { return b.built[e.DumpID] })
}
