package restore

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"daybefore/internal/archive"
	"daybefore/internal/verdict"
)

// order is the way in which rows are loaded and the rest is built: the
// archive's own wherever something can observe it, else the fastest.
type order struct {
	observed map[int][]reason // why a table's rows are loaded in their place, by the dump id of the rows
	late     []observingEntry // post-data that observes, and is built in its place
	isLate   map[int]bool     // the same, by dump id
	phases   []phase
	saw      []sighting
}

// phase is what is loaded between two others: in any order, and by all workers;
// or, serial, one after the other, as pg_restore does.
type phase struct {
	tables []*tableLoad
	direct []archive.Entry // sequence values, large objects
	serial bool
}

// observingEntry is one of post-data that observes.
type observingEntry struct {
	archive.Entry
	reason
}

// plan decides in which order to load and to build.
func (s *Session) plan(ctx context.Context) error {
	seen, err := s.observe(ctx)
	if err != nil {
		return err
	}
	isData := map[int]bool{}
	views := map[int]archive.Entry{}
	for _, e := range s.archive.Entries {
		switch e.Desc {
		case "TABLE DATA":
			isData[e.DumpID] = true
		case "VIEW", "MATERIALIZED VIEW":
			views[e.DumpID] = e
		}
	}
	o := &order{observed: map[int][]reason{}, isLate: map[int]bool{}}
	for _, t := range s.tables {
		if reasons := seen.ofTable(t, func(id int) bool { return isData[id] }); len(reasons) > 0 {
			o.observed[t.entry.DumpID] = reasons
		}
	}
	for _, e := range s.lists.post {
		if c, observes := seen.ofEntry(e, views); observes {
			o.late = append(o.late, observingEntry{e, c})
			o.isLate[e.DumpID] = true
		}
	}
	o.phases = phases(s.archive.Entries, s.tables, s.lists.direct, func(id int) bool { return o.observed[id] != nil })
	s.order = o
	return nil
}

// phases are the runs of entries between which something observes, in the
// archive's order. The last is never serial: after it builds begin.
func phases(entries []archive.Entry, tables []*tableLoad, direct []archive.Entry, observes func(id int) bool) []phase {
	byID := map[int]*tableLoad{}
	isDirect := map[int]bool{}
	for _, t := range tables {
		byID[t.entry.DumpID] = t
	}
	for _, e := range direct {
		isDirect[e.DumpID] = true
	}
	var all []phase
	var p phase
	for _, e := range entries {
		t := byID[e.DumpID]
		switch {
		case isDirect[e.DumpID]:
			p.direct = append(p.direct, e)
		case t == nil:
		case observes(e.DumpID):
			all = append(all, p, phase{tables: []*tableLoad{t}, serial: true})
			p = phase{}
		default:
			p.tables = append(p.tables, t)
		}
	}
	return append(merged(all), p)
}

// merged puts what follows each other serially into one phase, and with it what
// is too small to be worth the workers' time.
func merged(all []phase) (out []phase) {
	for _, p := range all {
		last := len(out) - 1
		switch {
		case len(p.tables)+len(p.direct) == 0:
		case last >= 0 && out[last].serial && len(p.direct) == 0 && (p.serial || dataSize(p.tables) < alone):
			out[last].tables = append(out[last].tables, p.tables...)
		default:
			out = append(out, p)
		}
	}
	return out
}

func dataSize(tables []*tableLoad) (sum int64) {
	for _, t := range tables {
		sum += t.entry.DataSize
	}
	return sum
}

// jobs is how many post-data may take: one where something observes.
func (o *order) jobs(n int) int {
	if o != nil && len(o.late) > 0 {
		return 1
	}
	return n
}

// loadInOrder loads tables as pg_restore does, over the one connection that all
// tables which observe share, and under no settings but the database's and pg_dump's.
func (s *Session) loadInOrder(ctx context.Context, t task, filter Filter) error {
	if s.observing == nil {
		conn, err := s.connectToLoad(ctx)
		if err != nil {
			return err
		}
		s.observing = conn
		if _, err := conn.PgConn().Exec(ctx, "SET track_counts = on").ReadAll(); err != nil {
			return fmt.Errorf("prepare a load connection: %w", err)
		}
	}
	return s.loadAll(ctx, s.observing, t.name, t.load, filter)
}

// frozen reports whether a table's rows may be loaded frozen into a table that
// is emptied first: a plain one that nobody else looks into meanwhile, and that
// nothing which observes has written to.
func (s *Session) frozen(ctx context.Context, tx pgx.Tx, t *tableLoad) (frozen bool, err error) {
	if t.kind != ordinary || t.member || !t.direct || t.entry.DataSize < emptied ||
		s.order.observed[t.entry.DumpID] != nil {
		return false, nil
	}
	if len(s.order.observed) == 0 {
		return true, nil
	}
	err = tx.QueryRow(ctx, "SELECT NOT EXISTS (SELECT FROM ONLY "+t.sql()+")").Scan(&frozen)
	return frozen, err
}

// orderCheck says what kept the archive's order, and why.
func (s *Session) orderCheck() *verdict.Check {
	if s.order == nil || len(s.order.observed)+len(s.order.late) == 0 {
		return nil
	}
	var kept []string
	for _, t := range s.tables {
		for _, c := range s.order.observed[t.entry.DumpID] {
			kept = append(kept, s.of(t, c).String())
		}
	}
	for _, e := range s.order.late {
		kept = append(kept, e.reason.String())
	}
	return &verdict.Check{
		ID: "archive_order", Stage: verdict.StageRestore, Code: verdict.CodeArchiveOrder, Outcome: verdict.Pass,
		Observed: shortList(kept),
		Message:  "what can observe the order was restored one after the other, as pg_restore does",
	}
}

// of is a reason with the table that it belongs to.
func (s *Session) of(t *tableLoad, c reason) reason {
	return reason{t.display() + " (" + c.object + ")", c.calls}
}
