package scrub

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"daybefore/internal/copytext"
	"daybefore/internal/scrub/distinct"
	"daybefore/internal/scrub/postdata"
	"daybefore/internal/scrub/schema"
	"daybefore/internal/scrub/transform"
	"daybefore/internal/verdict"
)

// newCounter is nil where a column's values are not counted: what lies within
// documents, arrays and the like no query compares.
func (p *Plan) newCounter(c *schema.Column, made *change, decode *copytext.Decoder) *distinct.Counter {
	if !p.counts(c, made) {
		return nil
	}
	r := p.assigned[c]
	return distinct.NewCounter(distinct.Column{
		Column: c, Transform: made.name, KeepsApart: made.effect == transform.KeepsApart, Normal: made.Normal(),
		Link: r.Link, Place: p.place(r.Pos),
	}, p.seed, p.pairsEach, decode)
}

// counts reports whether a column's values are counted.
func (p *Plan) counts(c *schema.Column, made *change) bool {
	r := p.assigned[c]
	if !changes(r) || made == nil || made.name != r.Transform || r.Each || made.OfRanges() || c.Base.IsHstore() {
		return false
	}
	return r.Link != "" && r.Transform != transform.DateShift || len(c.Unique) > 0 &&
		made.effect == transform.KeepsApart
}

// Distinct compares, after the load and before the post-data, how many
// different values the columns that a link, a key or a unique index rests on
// had, and how many pseudonyms the server holds. Checks of outcome error say
// where values became one, or came out otherwise than they were written; the
// error is the connection's.
func (p *Plan) Distinct(ctx context.Context, connect func(context.Context) (*pgx.Conn, error),
	jobs int) ([]verdict.Check, error) {
	defer p.forgetCounted()
	return distinct.Compare(ctx, connect, jobs, distinct.Request{
		Blocks: p.counted(), OwnCode: p.ownCode, ChangesAll: p.changesAll,
		EqualIn: func(ctx context.Context, conn *pgx.Conn, c *schema.Column) (string, error) {
			return postdata.EqualIn(ctx, conn, p.definitions, c)
		},
	})
}

// forgetCounted gives back the room of what was counted, unless it is compared again.
func (p *Plan) forgetCounted() {
	if p.ownCode {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.rewriters {
		for _, c := range r.cells {
			if c != nil {
				c.counter = nil
			}
		}
	}
}

// counted is what the rewriters of the blocks counted.
func (p *Plan) counted() []distinct.Block {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []distinct.Block
	for _, r := range p.rewriters {
		b := distinct.Block{Tree: p.treeOf(r.table), Rows: r.row}
		for _, c := range r.cells {
			if c != nil && c.counter != nil {
				b.Counters = append(b.Counters, c.counter)
			}
		}
		all = append(all, b)
	}
	return all
}

// changesAll reports whether every partition through which a tree is loaded has
// the column rewritten; of a table by itself that is known.
func (p *Plan) changesAll(tree *schema.Table, column string) bool {
	return tree.Kind != "p" || !slices.ContainsFunc(tree.Descendants(), func(t *schema.Table) bool {
		_, loaded := p.loaded[t]
		return loaded && p.recipes[t.ByName[column]] == nil
	})
}
