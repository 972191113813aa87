package restore

import (
	"cmp"
	"container/heap"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"golang.org/x/sync/errgroup"

	"daybefore/internal/archive"
)

// scheduler deals out the work to the workers. What belongs to the table with
// the most ahead of it comes first: tables to load; as soon as a table's rows
// are in, its indexes and keys to build; and once that is done for two tables,
// the foreign keys between them. What needs more (materialized views,
// partitioned indexes) waits for the last step, as does whatever fails to be
// built here: pg_restore then tries again in the plain order, and reports it.
//
// Where something can observe the order of the load, there are several phases,
// each dealt out when all of the one before is done; and nothing is built
// before the last.
type scheduler struct {
	byTable map[int][]archive.Entry // indexes and keys, by the dump id of the table's rows
	waiting map[int][]*foreignKey   // by the dump ids of the rows and builds that they wait for
	numKeys map[int]int             // of those, by the dump id of the rows that refer to others

	workers  int
	archive  *archive.Archive
	mu       sync.Mutex
	changed  *sync.Cond
	phases   []phase      // to come
	filled   []*tableLoad // in earlier phases: nothing is built on them yet
	ready    taskHeap
	checking []tableName // the tables whose rows are being compared with another's
	running  int         // tasks that were dealt out and have not ended
	numDealt int
	built    map[int]bool // dump ids
	stopped  bool
	lastRow  time.Time // when a load ended last
}

// task is a thing for one worker to do: tables to load from one source, one
// after the other, an index or key to build, or a foreign key.
type task struct {
	ahead int64 // what there is to do about its table, or tables
	seq   int   // of equals, the earlier first
	name  string
	load  []*tableLoad
	// serial: the tables are loaded where pg_restore would load them.
	serial bool
	direct []archive.Entry // for pg_restore itself: sequence values, large objects
	build  archive.Entry
	key    *foreignKey
}

// taskHeap has what is to be done first in front: what belongs to the table
// with the most ahead of it, and of that the builds, which others wait for.
type taskHeap []task

func (h taskHeap) Len() int      { return len(h) }
func (h taskHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *taskHeap) Push(t any)   { *h = append(*h, t.(task)) }
func (h *taskHeap) Pop() any {
	last := len(*h) - 1
	t := (*h)[last]
	*h = (*h)[:last]
	return t
}
func (h taskHeap) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(h[j].ahead, h[i].ahead), cmp.Compare(h[i].rank(), h[j].rank()),
		cmp.Compare(h[i].seq, h[j].seq)) < 0
}

func (t task) rank() int {
	switch {
	case t.load != nil, t.direct != nil:
		return 1
	case t.key != nil:
		return 2
	}
	return 0
}

// alone is the size in the archive from which a table is worth a pg_restore of
// its own: a program's start costs as much as some megabytes.
const alone = 4 << 20

const (
	// start is what the start of a program costs, as work.
	start = 8 << 20
	// together is how many tables are worth a program of their own, however small
	// they are.
	together = 32
)

// portions is how many programs small tables are worth.
func portions(tables []*tableLoad) int {
	var work int64
	for _, t := range tables {
		work += t.work
	}
	return 1 + int(work/start) + len(tables)/together
}

// newScheduler finds the tasks of all phases.
func newScheduler(a *archive.Archive, tables []*tableLoad, o *order, workers int) *scheduler {
	c := &scheduler{byTable: map[int][]archive.Entry{}, waiting: map[int][]*foreignKey{}, numKeys: map[int]int{},
		built: map[int]bool{}}
	c.changed = sync.NewCond(&c.mu)
	c.archive = a
	c.workers = workers
	c.phases = o.phases
	c.lastRow = time.Now()
	c.findBuilds(a, tables, o.isLate)
	return c
}

// advance deals out the next phase that has anything to do, and reports whether
// there is one.
func (c *scheduler) advance() bool {
	for len(c.ready) == 0 && len(c.phases) > 0 {
		p := c.phases[0]
		c.phases = c.phases[1:]
		c.deal(p)
		if len(c.phases) == 0 {
			for _, t := range c.filled {
				c.buildOn(t)
			}
		}
	}
	return len(c.ready) > 0
}

// deal deals out a phase. Large tables are dealt out one by one, so that a
// worker who is done earlier takes the next; small ones in as few portions as
// are worth a program, and no more than there are workers.
func (c *scheduler) deal(p phase) {
	if p.serial {
		c.push(task{load: p.tables, serial: true})
		return
	}
	if len(p.direct) > 0 {
		var size int64
		for _, e := range p.direct {
			size += unpacked(c.archive, e)
		}
		c.push(task{ahead: size, direct: p.direct})
	}
	var small []*tableLoad
	for _, t := range p.tables {
		if t.entry.DataSize < alone {
			small = append(small, t)
			continue
		}
		c.push(task{ahead: c.ahead(t), load: []*tableLoad{t}})
	}
	for _, portion := range spread(small, min(c.workers, portions(small))) {
		if len(portion) > 0 {
			c.push(task{ahead: c.ahead(portion...), load: portion})
		}
	}
}

func (c *scheduler) push(t task) {
	t.seq = c.numDealt
	t.name = fmt.Sprintf("data-%d", t.seq)
	c.numDealt++
	heap.Push(&c.ready, t)
}

// ahead is what there is to do about tables: each index and each key reads their
// rows once more.
func (c *scheduler) ahead(tables ...*tableLoad) (sum int64) {
	for _, t := range tables {
		sum += t.work * int64(1+len(c.byTable[t.entry.DumpID])+c.numKeys[t.entry.DumpID])
	}
	return sum
}

const (
	// rowCost is what a row costs beside its bytes, as bytes.
	rowCost = 64
	// weighed is the size in the archive from which it is worth a look how well a
	// table is packed. Smaller ones count as if they unpacked to ratio times that.
	weighed = 256 << 10
	ratio   = 6
)

// weigh says of tables how much work their rows are. Where the archive is packed its
// own sizes say little: narrow rows of numbers pack ten times as well as texts.
func (s *Session) weigh(ctx context.Context) {
	var work errgroup.Group
	work.SetLimit(s.opts.Jobs)
	for _, t := range s.tables {
		t.work = unpacked(s.archive, t.entry)
		if t.entry.DataSize >= weighed {
			work.Go(func() error {
				size, rows, ok := s.archive.Estimate(ctx, t.entry)
				if ok {
					t.work = size + rows*rowCost
				}
				return nil
			})
		}
	}
	_ = work.Wait() // of which none fails
}

// unpacked guesses what an entry's data unpack to.
func unpacked(a *archive.Archive, e archive.Entry) int64 {
	if a.DataCompression == "none" {
		return e.DataSize
	}
	return e.DataSize * ratio
}

// spread deals tables out to at most n portions so that none is much larger
// than the others: the largest first, each to the portion with the least.
func spread(tables []*tableLoad, n int) [][]*tableLoad {
	sorted := slices.SortedStableFunc(slices.Values(tables), func(a, b *tableLoad) int {
		return cmp.Compare(b.work, a.work)
	})
	portions := make([][]*tableLoad, max(1, n))
	load := make([]int64, max(1, n))
	for _, t := range sorted {
		least := 0
		for i := range load {
			if load[i] < load[least] {
				least = i
			}
		}
		portions[least] = append(portions[least], t)
		load[least] += t.work + 1
	}
	return portions
}

// findBuilds finds what may be built early: entries of pg_dump's kinds INDEX
// and CONSTRAINT (primary keys, unique and exclusion constraints) that rest on
// one table of those to be loaded, and else on nothing later than the schema;
// and foreign keys between such tables. What observes keeps its place.
func (c *scheduler) findBuilds(a *archive.Archive, tables []*tableLoad, observes map[int]bool) {
	byID := map[int]*tableLoad{}
	for _, t := range tables {
		byID[t.entry.DumpID] = t
	}
	rowsOf := map[int]int{}
	entries := map[int]archive.Entry{}
	byName := map[tableName]*tableLoad{}
	for _, e := range a.Entries {
		entries[e.DumpID] = e
		if t := byID[e.DumpID]; t != nil && t.kind == ordinary && t.direct {
			byName[t.tableName] = t
			for _, d := range e.Deps {
				rowsOf[d] = e.DumpID // TABLE DATA depends on its TABLE
			}
		}
	}
	early := map[int]bool{}
	for _, e := range a.Entries {
		if e.Desc != "INDEX" && e.Desc != "CONSTRAINT" || observes[e.DumpID] {
			continue
		}
		if rows, ok := restsOn(e, rowsOf, entries); ok {
			c.byTable[rows] = append(c.byTable[rows], e)
			early[e.DumpID] = true
		}
	}
	for _, e := range a.Entries {
		if e.Desc == "FK CONSTRAINT" && !observes[e.DumpID] {
			c.findKey(e, rowsOf, byName, early)
		}
	}
}

// restsOn returns the rows that an entry waits for, if it waits for those of
// one table alone.
func restsOn(e archive.Entry, rowsOf map[int]int, entries map[int]archive.Entry) (rows int, ok bool) {
	for _, d := range e.Deps {
		r, isTable := rowsOf[d]
		switch {
		case isTable && ok && r != rows:
			return 0, false
		case isTable:
			rows, ok = r, true
		case entries[d].Section > archive.SectionPreData:
			return 0, false
		}
	}
	return rows, ok
}

// loaded makes a table's indexes ready to be built, once nothing more is
// loaded that could observe them.
func (c *scheduler) loaded(t *tableLoad) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.phases) > 0 {
		c.filled = append(c.filled, t)
		return
	}
	c.buildOn(t)
	c.changed.Broadcast()
}

func (c *scheduler) buildOn(t *tableLoad) {
	for _, e := range c.byTable[t.entry.DumpID] {
		c.push(task{ahead: c.ahead(t), build: e})
	}
	c.done(t.entry.DumpID)
}

// done tells the foreign keys that rows are in, or a build is done.
func (c *scheduler) done(id int) {
	for _, k := range c.waiting[id] {
		k.waits--
		if k.waits == 0 {
			c.push(task{ahead: c.ahead(k.from), key: k})
		}
	}
	delete(c.waiting, id)
}

// next returns what a worker is to do now, and waits as long as what others do
// may make more ready; false: there will be nothing more.
func (c *scheduler) next() (task, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for !c.stopped {
		if t, ok := c.take(); ok {
			c.running++
			return t, true
		}
		if c.running > 0 {
			c.changed.Wait()
		} else if !c.advance() {
			break
		} else {
			c.changed.Broadcast()
		}
	}
	return task{}, false
}

// take takes the first task that can be done now.
func (c *scheduler) take() (t task, ok bool) {
	var blocked []task
	for !ok && len(c.ready) > 0 {
		t = heap.Pop(&c.ready).(task)
		ok = t.key == nil || !c.checks(t.key.from.tableName) && !c.checks(t.key.to)
		if !ok {
			blocked = append(blocked, t)
		}
	}
	for _, b := range blocked {
		heap.Push(&c.ready, b)
	}
	if ok && t.key != nil {
		c.checking = append(c.checking, t.key.from.tableName)
	}
	return t, ok
}

func (c *scheduler) checks(n tableName) bool { return slices.Contains(c.checking, n) }

// ended tells that a worker did, or could not do, what next gave it.
func (c *scheduler) ended(t task) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running--
	if len(t.load)+len(t.direct) > 0 {
		c.lastRow = time.Now()
	}
	if t.key != nil {
		c.checking = slices.DeleteFunc(c.checking, func(n tableName) bool { return n == t.key.from.tableName })
	}
	c.changed.Broadcast()
}

// stop lets nobody wait any longer.
func (c *scheduler) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopped = true
	c.changed.Broadcast()
}

// build builds one entry over a worker's connection.
func (c *scheduler) build(ctx context.Context, conn *pgx.Conn, e archive.Entry, said *messages) error {
	ok, err := c.try(ctx, conn, e, e.Defn, said)
	if ok {
		c.isBuilt(e)
	}
	return err
}

// try runs a statement of an entry. One that the server refuses is no error
// yet, and no more than a notice.
func (c *scheduler) try(ctx context.Context, conn *pgx.Conn, e archive.Entry, sql string, said *messages) (ok bool,
	err error) {
	_, err = conn.PgConn().Exec(ctx, sql).ReadAll()
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		if problem := fatal(refused); problem != nil {
			return false, problem
		}
		said.add(message{severity: notice, own: true, entry: e.Desc + " " + e.Namespace + "." + e.Tag,
			text: "could not be built early, and is tried again in the plain order"})
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("build %s %s.%s: %w", e.Desc, e.Namespace, e.Tag, err)
	}
	return true, nil
}

func (c *scheduler) isBuilt(e archive.Entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.built[e.DumpID] = true
	c.done(e.DumpID)
	c.changed.Broadcast()
}

// remaining are the entries that are not built yet: all, where nobody was at
// work.
func (c *scheduler) remaining(entries []archive.Entry) []archive.Entry {
	if c == nil {
		return entries
	}
	return slices.DeleteFunc(slices.Clone(entries), func(e archive.Entry) bool { return c.built[e.DumpID] })
}
