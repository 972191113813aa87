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

// crew deals out what there is to do to the workers, what belongs to the
// largest table first: tables to load and, as soon as a table's rows are in,
// its indexes and keys to build. What needs more than its own table (foreign
// keys, materialized views, partitioned indexes) waits for the last step, as
// does whatever fails to be built here: pg_restore then tries again in the
// plain order, and reports it.
type crew struct {
	byTable map[int][]archive.Entry // indexes and keys, by the dump id of the table's rows

	mu      sync.Mutex
	changed *sync.Cond
	ready   []task
	loading int          // loads that are not done
	built   map[int]bool // dump ids
	stopped bool
}

// task is a thing for one worker to do: tables to load from one source, one
// after the other, or an index or key to build.
type task struct {
	size  int64 // of the rows in the archive, of the table or all tables
	name  string
	load  []*table
	build archive.Entry
}

// alone is the size in the archive from which a table is worth a pg_restore of
// its own: a program's start costs as much as some megabytes.
const alone = 4 << 20

// newCrew finds the tasks. Large tables are dealt out one by one, so that a
// worker who is done earlier takes the next; small ones in as many portions as
// there are workers.
func newCrew(a *archive.Archive, tables []*table, workers int) *crew {
	c := &crew{byTable: map[int][]archive.Entry{}, built: map[int]bool{}}
	c.changed = sync.NewCond(&c.mu)
	c.findBuilds(a, tables)
	var small []*table
	for _, t := range tables {
		if t.entry.DataSize < alone {
			small = append(small, t)
			continue
		}
		c.ready = append(c.ready, task{size: t.entry.DataSize, load: []*table{t}})
	}
	for _, portion := range spread(small, workers) {
		if len(portion) > 0 {
			c.ready = append(c.ready, task{size: sizeOf(portion), load: portion})
		}
	}
	for i := range c.ready {
		c.ready[i].name = fmt.Sprintf("data-%d", i)
	}
	c.loading = len(c.ready)
	c.sort()
	return c
}

func sizeOf(tables []*table) (sum int64) {
	for _, t := range tables {
		sum += t.entry.DataSize
	}
	return sum
}

// spread deals tables out to at most n portions so that none is much larger
// than the others: the largest first, each to the portion with the least.
func spread(tables []*table, n int) [][]*table {
	sorted := slices.SortedStableFunc(slices.Values(tables), func(a, b *table) int {
		return cmp.Compare(b.entry.DataSize, a.entry.DataSize)
	})
	portions, load := make([][]*table, max(1, n)), make([]int64, max(1, n))
	for _, t := range sorted {
		least := 0
		for i := range load {
			if load[i] < load[least] {
				least = i
			}
		}
		portions[least] = append(portions[least], t)
		load[least] += t.entry.DataSize + 1
	}
	return portions
}

// findBuilds finds what may be built early: entries of pg_dump's kinds INDEX
// and CONSTRAINT (primary keys, unique and exclusion constraints) that rest on
// one table of those to be loaded, and else on nothing later than the schema.
func (c *crew) findBuilds(a *archive.Archive, tables []*table) {
	byID := map[int]*table{}
	for _, t := range tables {
		byID[t.entry.DumpID] = t
	}
	rowsOf, section := map[int]int{}, map[int]archive.Section{}
	for _, e := range a.Entries {
		section[e.DumpID] = e.Section
		if t := byID[e.DumpID]; t != nil && t.kind == ordinary && t.direct {
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
			c.byTable[rows] = append(c.byTable[rows], e)
		}
	}
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

// sort puts what is to be done first at the front: what belongs to the largest
// table, and of that the builds.
func (c *crew) sort() {
	slices.SortStableFunc(c.ready, func(x, y task) int {
		return cmp.Or(cmp.Compare(y.size, x.size), cmp.Compare(len(x.load), len(y.load)))
	})
}

// loaded makes a table's indexes ready to be built.
func (c *crew) loaded(t *table) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range c.byTable[t.entry.DumpID] {
		c.ready = append(c.ready, task{size: t.entry.DataSize, build: e})
	}
	c.sort()
	c.changed.Broadcast()
}

// next returns what a worker is to do now. It waits as long as a load that is
// under way may make more ready; false: there will be nothing more.
func (c *crew) next() (task, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.ready) == 0 && c.loading > 0 && !c.stopped {
		c.changed.Wait()
	}
	if len(c.ready) == 0 || c.stopped {
		return task{}, false
	}
	t := c.ready[0]
	c.ready = c.ready[1:]
	return t, true
}

// loadEnded tells that one load is done.
func (c *crew) loadEnded() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.loading--
	c.changed.Broadcast()
}

// stop lets nobody wait any longer.
func (c *crew) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopped = true
	c.changed.Broadcast()
}

// build builds one entry over a worker's connection.
func (c *crew) build(ctx context.Context, conn *pgx.Conn, e archive.Entry, said *messages) error {
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
	c.mu.Lock()
	defer c.mu.Unlock()
	c.built[e.DumpID] = true
	return nil
}

// remaining are the entries that are not built yet.
func (c *crew) remaining(entries []archive.Entry) []archive.Entry {
	return slices.DeleteFunc(slices.Clone(entries), func(e archive.Entry) bool { return c.built[e.DumpID] })
}
