package restore

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"

	"golang.org/x/sync/errgroup"

	"daybefore/internal/restore/stream"
)

// Look streams the rows of every table, save those to be left out, through the
// filter and stores none of them, so that what the filter looks for is known of
// all. Call it once Data has ended, or in its place. Nil for leaveOut leaves
// out what Data has.
func (s *Session) Look(ctx context.Context, filter Filter, leaveOut func(schema, table string) bool) error {
	s.leaveOut(leaveOut)
	return s.lookAtAll(ctx, s.tables, glance{list: "look", filter: filter, said: &s.said, moved: s.moved.add})
}

// Again streams the rows of those tables that are wanted through the filter once
// more, of those that Data has loaded. To take them from the archive costs half of
// what it costs to have the server write them. What pg_restore says is told already.
func (s *Session) Again(ctx context.Context, filter Filter, wanted func(schema, table string) bool) error {
	tables := slices.DeleteFunc(slices.Clone(s.tables), func(t *tableLoad) bool {
		return t.none || !wanted(t.schema, t.table)
	})
	return s.lookAtAll(ctx, tables, glance{list: "again", filter: filter, said: &messages{names: s.opts.Names}})
}

// glance is how rows are looked at.
type glance struct {
	list   string // begins the names of pg_restore's lists
	filter Filter
	said   *messages
	moved  func(rows, size int64) // may be nil
}

// lookAtAll deals tables out to the workers.
func (s *Session) lookAtAll(ctx context.Context, tables []*tableLoad, g glance) error {
	work, ctx := errgroup.WithContext(ctx)
	for i, tables := range spread(tables, s.opts.Jobs) {
		if len(tables) > 0 {
			work.Go(func() error { return s.lookAt(ctx, fmt.Sprintf("%s-%d", g.list, i), tables, g) })
		}
	}
	return work.Wait()
}

// lookAt reads tables, one after the other, from one source of rows.
func (s *Session) lookAt(ctx context.Context, list string, tables []*tableLoad, g glance) error {
	src, err := s.open(ctx, list, tables, g.said)
	if err != nil {
		return err
	}
	defer src.close()
	for _, t := range tables {
		rewrite, err := g.filter(t.schema, t.table, t.columns)
		if err != nil {
			return err
		}
		dump, err := src.rows(t)
		if err != nil {
			return s.brokenSource(ctx, src, t, fmt.Errorf("%w: %w", errSource, err))
		}
		b := &stream.Block{Dump: dump, Rewrite: rewrite, Moved: g.moved}
		if _, err := io.Copy(io.Discard, untilDone{ctx, b}); err != nil {
			return s.brokenSource(ctx, src, t, err)
		}
	}
	return cmp.Or(src.end(), src.wait())
}

// untilDone reads until a context is done: the rows of a plain dump come from
// a file that knows none.
type untilDone struct {
	ctx context.Context
	io.Reader
}

func (r untilDone) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(p)
}
