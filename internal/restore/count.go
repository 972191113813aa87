package restore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"daybefore/internal/verdict"
)

// counted is what is counted as one: a table by itself, or a partitioned
// table with all its leaves, where rows were loaded through it.
type counted struct {
	*tableLoad
	passed, before int64
	held           int64
	whole          bool  // with all tables that inherit from it
	strange        int64 // rows that its own load has not written, as far as that was looked for
}

// Count compares, for every table, the rows that the stream held with the
// rows that the table holds now, and with whose they are where code of the
// backup's own may have run meanwhile.
func (s *Session) Count(ctx context.Context) ([]verdict.Table, error) {
	groups := s.groups()
	count := countHeld
	if s.archive.OwnCode() != "" {
		count = countOwn
	}
	if err := s.countAll(ctx, s.connect, groups, count); err != nil {
		return nil, err
	}
	return s.counted(groups), nil
}

// CountAndBuild is Count and PostData. It counts while it builds, since what is
// built last keeps one core busy; but for where code of the backup's own can run
// meanwhile, or that of an extension that wants to be told of a restore.
func (s *Session) CountAndBuild(ctx context.Context) ([]verdict.Table, error) {
	if s.archive.OwnCode() != "" || len(s.demanding()) > 0 {
		tables, err := s.Count(ctx)
		if err != nil {
			return nil, err
		}
		return tables, s.PostData(ctx)
	}
	groups := s.groups()
	work, ctx := errgroup.WithContext(ctx)
	work.Go(func() error { return s.countAll(ctx, s.connect, groups, countHeld) })
	built := s.PostData(ctx)
	err := work.Wait()
	if err != nil { // of a server that died, what was built knows more
		return nil, errors.Join(built, err)
	}
	return s.counted(groups), built
}

// counted keeps what was counted, and tells it.
func (s *Session) counted(groups []*counted) []verdict.Table {
	s.groupsCounted = groups
	s.held = map[tableName]*counted{}
	refused := s.Refused()
	var out []verdict.Table
	for _, g := range groups {
		out = append(out, verdict.Table{Name: g.display(), RowsPassed: g.passed, RowsHeld: g.held})
		s.checks = append(s.checks, rowsHeld(g, slices.Contains(refused, [2]string{g.schema, g.tableName.table})))
		if g.strange > 0 {
			s.checks = append(s.checks, writtenMeanwhile(g))
		}
		if g.kind == partitioned || g.whole || !g.parent {
			s.held[g.tableName] = g
		}
	}
	for _, e := range s.lists.excluded {
		out = append(out, verdict.Table{Name: e.Namespace + "." + e.Tag, Excluded: true})
	}
	slices.SortFunc(out, func(a, b verdict.Table) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// Held is what Count found in a table with all that inherits from it, so that
// nobody need count it again; false where Count did not count just that.
func (s *Session) Held(schema, table string) (rows int64, ok bool) {
	g, ok := s.held[tableName{schema, table}]
	if !ok {
		return 0, false
	}
	return g.held, true
}

// Brought is how many rows the backup holds of a table, whatever became of them;
// false where Held has none.
func (s *Session) Brought(schema, table string) (rows int64, ok bool) {
	g, ok := s.held[tableName{schema, table}]
	if !ok {
		return 0, false
	}
	return g.passed + g.before, true
}

// groups puts leaves under their root where any row came through the root, or
// was sent there, since rows then lie in leaves that no COPY statement named; and
// chunks under their hypertable, which is the table that people know.
func (s *Session) groups() []*counted {
	byName := map[tableName]*counted{}
	var out []*counted
	add := func(t, under *tableLoad) {
		g := byName[under.tableName]
		if g == nil {
			g = &counted{tableLoad: under}
			byName[under.tableName] = g
			out = append(out, g)
		}
		g.passed += t.passed
		g.before += t.before
	}
	for _, t := range s.tables {
		if t.kind == partitioned {
			add(t, t)
		}
	}
	hyper := s.hypertables()
	for _, t := range s.tables {
		switch {
		case t.kind == partitioned:
		case hyper[t.tableName] != nil:
			add(t, t)
			byName[t.tableName].whole = true
		case hyper[t.hyper] != nil:
			add(t, hyper[t.hyper])
			byName[t.hyper].whole = true
		case byName[t.root] != nil:
			add(t, byName[t.root].tableLoad)
		case t.maybeThroughRoot(), t.rerouted:
			add(t, &tableLoad{tableName: t.root, relation: relation{kind: partitioned}})
		default:
			add(t, t)
		}
	}
	return out
}

// hypertables are those tables to be loaded that have chunks.
func (s *Session) hypertables() map[tableName]*tableLoad {
	chunked := map[tableName]bool{}
	for _, t := range s.tables {
		chunked[t.hyper] = true
	}
	delete(chunked, tableName{})
	found := map[tableName]*tableLoad{}
	for _, t := range s.tables {
		if chunked[t.tableName] {
			found[t.tableName] = t
		}
	}
	return found
}

// countAll counts every group over as many connections as
// there are jobs.
func (s *Session) countAll(
	ctx context.Context, connect func(context.Context) (*pgx.Conn, error),
	groups []*counted, count func(context.Context, *pgx.Conn, *counted) error,
) error {
	work, ctx := errgroup.WithContext(ctx)
	next := make(chan *counted)
	work.Go(func() error {
		defer close(next)
		for _, g := range groups {
			select {
			case next <- g:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		return nil
	})
	for range s.opts.Jobs {
		work.Go(func() error {
			conn, err := connect(ctx)
			if err != nil {
				return err
			}
			defer conn.Close(context.WithoutCancel(ctx))
			for g := range next {
				if err := count(ctx, conn, g); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return work.Wait()
}

func countHeld(ctx context.Context, conn *pgx.Conn, g *counted) (err error) {
	g.held, err = countFrom(ctx, conn, g.tableLoad, g.from())
	return err
}

// from is what is read for the rows of what is counted as one.
func (g *counted) from() string {
	if g.whole {
		return g.sql()
	}
	return g.tableLoad.from()
}

// countOwn counts besides whose rows they are: one transaction loads a table
// that no other name leads to, and is written down in each of its rows.
func countOwn(ctx context.Context, conn *pgx.Conn, g *counted) error {
	if g.kind != ordinary || !g.direct || g.before > 0 || g.whole {
		return countHeld(ctx, conn, g)
	}
	err := conn.QueryRow(ctx,
		"SELECT coalesce(pg_catalog.sum(n), 0)::pg_catalog.int8, "+
			"coalesce(pg_catalog.sum(n) - pg_catalog.max(n), 0)::pg_catalog.int8 "+
			"FROM (SELECT pg_catalog.count(*) AS n FROM ONLY "+g.sql()+" GROUP BY xmin) s").Scan(&g.held, &g.strange)
	if err != nil {
		return fmt.Errorf("count the rows of %s: %w", g.display(), err)
	}
	return nil
}

// countRows counts what a table holds itself, or a partitioned one in all its
// partitions. A table that was never created holds nothing.
func countRows(ctx context.Context, conn *pgx.Conn, t *tableLoad) (n int64, err error) {
	return countFrom(ctx, conn, t, t.from())
}

// countFrom counts what of a table is read by from, as SQL has it; empty: nothing.
func countFrom(ctx context.Context, conn *pgx.Conn, t *tableLoad, from string) (n int64, err error) {
	if from == "" {
		return 0, nil
	}
	if err := conn.QueryRow(ctx, "SELECT pg_catalog.count(*) FROM "+from).Scan(&n); err != nil {
		return 0, fmt.Errorf("count the rows of %s: %w", t.display(), err)
	}
	return n, nil
}

// from is what is read for a table's rows; empty for one that was never created.
func (t *tableLoad) from() string {
	switch t.kind {
	case "":
		return ""
	case partitioned:
		return t.sql()
	}
	return "ONLY " + t.sql()
}

// rowsHeld compares what a table holds with what the stream held. Rows that are
// lost for a cause which is not the backup's say nothing of it.
func rowsHeld(g *counted, lost bool) verdict.Check {
	c := verdict.Check{
		ID: "rows_held:" + g.display(), Stage: verdict.StageRestore, Code: verdict.CodeRowsHeld, Outcome: verdict.Pass,
		Expected: fmt.Sprint(g.passed + g.before), Observed: fmt.Sprint(g.held),
	}
	if g.held != g.passed+g.before {
		c.Outcome = verdict.Fail
		c.Message = fmt.Sprintf("the backup holds %d rows of %s and the restored table %d", g.passed+g.before,
			g.display(), g.held)
		c.Hint = "look at the restore errors: a real restore would lose these rows too"
		if g.held > g.passed+g.before {
			c.Hint = "something wrote rows while the backup was restored, and would in a real restore: " + ownCodeHint
		}
		if g.member && g.sifted && g.held < g.passed+g.before {
			c.Outcome = verdict.Pass
			c.Hint = ""
			c.Message += ": a trigger of the extension that it belongs to decides which rows stay"
		}
		if lost {
			c.Outcome, c.Hint = verdict.Error,
				"look at the restore errors, which say why; a real restore need not lose these rows"
		}
	}
	return c
}
