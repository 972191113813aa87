package restore

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"daybefore/internal/verdict"
)

// counted is what is counted as one: a table by itself, or a partitioned
// table with all its leaves, where rows were loaded through it.
type counted struct {
	*table
	passed, before int64
	held           int64
}

// Count compares, for every table, the rows that the stream held with the
// rows that the table holds now.
func (s *Session) Count(ctx context.Context) ([]verdict.Table, error) {
	groups := s.groups()
	s.held = map[name]int64{}
	refused := s.Refused()
	if err := s.countAll(ctx, groups); err != nil {
		return nil, err
	}
	var out []verdict.Table
	for _, g := range groups {
		out = append(out, verdict.Table{Name: g.display(), RowsPassed: g.passed, RowsHeld: g.held})
		s.checks = append(s.checks, rowsHeld(g, slices.Contains(refused, [2]string{g.schema, g.name.table})))
		if g.kind == partitioned || !g.parent {
			s.held[g.name] = g.held
		}
	}
	for _, e := range s.lists.excluded {
		out = append(out, verdict.Table{Name: e.Namespace + "." + e.Tag, Excluded: true})
	}
	slices.SortFunc(out, func(a, b verdict.Table) int { return cmp.Compare(a.Name, b.Name) })
	return out, nil
}

// Held is what Count found in a table with all that inherits from it, so that
// nobody need count it again; false where Count did not count just that.
func (s *Session) Held(schema, table string) (rows int64, ok bool) {
	rows, ok = s.held[name{schema, table}]
	return rows, ok
}

// groups puts leaves under their root where any row came through the root,
// since rows then lie in leaves that no COPY statement named.
func (s *Session) groups() []*counted {
	byName := map[name]*counted{}
	var out []*counted
	add := func(t, under *table) {
		g := byName[under.name]
		if g == nil {
			g = &counted{table: under}
			byName[under.name] = g
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
	for _, t := range s.tables {
		switch {
		case t.kind == partitioned:
		case byName[t.root] != nil:
			add(t, byName[t.root].table)
		case t.maybeThroughRoot():
			add(t, &table{name: t.root, relation: relation{kind: partitioned}})
		default:
			add(t, t)
		}
	}
	return out
}

// countAll counts every group over as many connections as
// there are jobs.
func (s *Session) countAll(ctx context.Context, groups []*counted) error {
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
			conn, err := s.connect(ctx)
			if err != nil {
				return err
			}
			defer conn.Close(context.WithoutCancel(ctx))
			for g := range next {
				if g.held, err = countRows(ctx, conn, g.table); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return work.Wait()
}

// countRows counts what a table holds itself, or a partitioned one in all its
// partitions. A table that was never created holds nothing.
func countRows(ctx context.Context, conn *pgx.Conn, t *table) (n int64, err error) {
	from := "ONLY " + t.sql()
	switch t.kind {
	case "":
		return 0, nil
	case partitioned:
		from = t.sql()
	}
	if err := conn.QueryRow(ctx, "SELECT count(*) FROM "+from).Scan(&n); err != nil {
		return 0, fmt.Errorf("count the rows of %s: %w", t.display(), err)
	}
	return n, nil
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
		c.Message = fmt.Sprintf("the backup holds %d rows of %s and the restored table %d", g.passed+g.before, g.display(), g.held)
		c.Hint = "look at the restore errors: a real restore would lose these rows too"
		if lost {
			c.Outcome, c.Hint = verdict.Error, "look at the restore errors, which say why; a real restore need not lose these rows"
		}
	}
	return c
}
