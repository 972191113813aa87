package restore

import (
	"cmp"
	"context"
	"fmt"
	"io"

	"golang.org/x/sync/errgroup"

	"daybefore/internal/restore/stream"
)

// Look streams the rows of every table, save those to be left out, through the
// filter and stores none of them, so that what the filter looks for is known of
// all. Call it once Data has ended, or in its place. Nil for leaveOut leaves
// out what Data has.
func (s *Session) Look(ctx context.Context, filter Filter, leaveOut func(schema, table string) bool) error {
	s.leaveOut(leaveOut)
	work, ctx := errgroup.WithContext(ctx)
	for i, tables := range spread(s.tables, s.opts.Jobs) {
		if len(tables) > 0 {
			work.Go(func() error { return s.lookAt(ctx, fmt.Sprintf("look-%d", i), tables, filter) })
		}
	}
	return work.Wait()
}

// lookAt reads tables, one after the other, from one source of rows.
func (s *Session) lookAt(ctx context.Context, list string, tables []*tableLoad, filter Filter) error {
	src, err := s.open(ctx, list, tables)
	if err != nil {
		return err
	}
	defer src.close()
	for _, t := range tables {
		rewrite, err := filter(t.schema, t.table, t.columns)
		if err != nil {
			return err
		}
		dump, err := src.rows(t)
		if err != nil {
			return s.brokenSource(ctx, src, t, fmt.Errorf("%w: %w", errSource, err))
		}
		b := &stream.Block{Dump: dump, Rewrite: rewrite, Moved: s.moved.add}
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
