package distinct

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"daybefore/internal/copytext"
	"daybefore/internal/scrub/leakscan"
	"daybefore/internal/scrub/schema"
)

// mostReadBack is how many rows of a table are read back; of a larger one about
// so many.
const mostReadBack = 1 << 18

var errFields = errors.New("not as many fields as columns")

// readBack is a table to read back, with the key spaces of each column.
type readBack struct {
	table   *schema.Table
	columns []*schema.Column
	spaces  [][]*keySpace
	rows    int64 // that were written
	percent float64
}

// readBacks are the tables to read back, by their trees, those of most rows
// first. Of a table of too many rows a sample is read.
func readBacks(blocks []Block, byTree map[*schema.Table]*readBack) []*readBack {
	for _, b := range blocks {
		if rd := byTree[b.Tree]; rd != nil {
			rd.rows += b.Rows
		}
	}
	all := slices.SortedFunc(maps.Values(byTree), func(a, b *readBack) int { return cmp.Compare(b.rows, a.rows) })
	for _, rd := range all {
		if rd.rows <= mostReadBack {
			continue
		}
		rd.percent = 100 * mostReadBack / float64(rd.rows)
		for _, spaces := range rd.spaces {
			for _, d := range spaces {
				d.complete = false
			}
		}
	}
	return all
}

func (rd *readBack) add(c *schema.Column, d *keySpace) {
	i := slices.Index(rd.columns, c)
	if i < 0 {
		i = len(rd.columns)
		rd.columns = append(rd.columns, c)
		rd.spaces = append(rd.spaces, nil)
	}
	if !slices.Contains(rd.spaces[i], d) {
		rd.spaces[i] = append(rd.spaces[i], d)
	}
}

func (rd *readBack) sql() string {
	var columns []string
	for _, c := range rd.columns {
		text := "::text"
		if c.Base.IsAddress() { // whose cast writes a netmask that COPY does not
			text = ""
		}
		columns = append(columns, pgx.Identifier{c.Name}.Sanitize()+text)
	}
	from := " FROM ONLY "
	if rd.table.Kind == "p" { // its rows went on into partitions
		from = " FROM "
	}
	from += pgx.Identifier{rd.table.Name.Schema, rd.table.Name.Table}.Sanitize()
	if rd.percent > 0 {
		from += fmt.Sprintf(" TABLESAMPLE SYSTEM (%f) REPEATABLE (1)", rd.percent)
	}
	return "COPY (SELECT " + strings.Join(columns, ", ") + from + ") TO STDOUT"
}

// readAll reads what the server holds, over as many connections as there are
// jobs.
func readAll(ctx context.Context, connect leakscan.Connector, reads []*readBack, jobs int) error {
	work, ctx := errgroup.WithContext(ctx)
	next := make(chan *readBack, len(reads))
	for _, rd := range reads {
		if len(rd.columns) > 0 {
			next <- rd
		}
	}
	close(next)
	for range min(max(jobs, 1), len(next)) {
		work.Go(func() error {
			conn, err := leakscan.Connect(ctx, connect)
			if err != nil {
				return err
			}
			defer conn.Close(context.WithoutCancel(ctx))
			for rd := range next {
				if err := rd.run(ctx, conn); err != nil {
					return cmp.Or(context.Cause(ctx), fmt.Errorf("read %s back: %w", rd.table.Name, err))
				}
			}
			return nil
		})
	}
	return work.Wait()
}

func (rd *readBack) run(ctx context.Context, conn *pgx.Conn) error {
	rows := int64(0)
	var raw []byte
	hashed := &pairs{seed: rd.spaces[0][0].pairs.seed}
	w := &leakscan.RowWriter{Row: func(row []byte) (err error) {
		rows++
		fields := copytext.Split(row)
		for _, spaces := range rd.spaces {
			field, ok := fields.Next()
			if !ok {
				return errFields
			}
			if copytext.IsNull(field) {
				continue
			}
			raw, err = copytext.AppendUnescaped(raw[:0], field)
			if err != nil {
				return err
			}
			h := hashed.hash(raw)
			for _, d := range spaces {
				d.holds(h)
			}
		}
		return nil
	}}
	if _, err := conn.PgConn().CopyTo(ctx, w, rd.sql()); err != nil {
		return errors.Join(w.Err, err)
	}
	if rd.percent == 0 && rows != rd.rows {
		for _, spaces := range rd.spaces {
			for _, d := range spaces {
				d.short = rd.table.Name.String()
			}
		}
	}
	return nil
}
