package scrub

import (
	"context"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"daybefore/internal/copytext"
	"daybefore/internal/scrub/leakscan"
	"daybefore/internal/scrub/schema"
	"daybefore/internal/scrub/transform"
	"daybefore/internal/verdict"
)

// Aftermath looks, after the post-data, at what no filter saw: what the server
// computed (materialized views, generated columns), large objects and the
// texts of the catalog, by the detectors; and, where real values were
// sampled, at every column that no rule rewrites, for those. Again, where it is not
// nil, streams the loaded rows of tables once more: what the server stored of such
// columns is what came, and it comes cheaper from there. Where code of the
// backup's own could run since the load, it looks at all columns again, as the
// server holds them. What a pseudonym explains is no finding. Checks of outcome error
// say where and how often, with a keyed fingerprint; the error is the connection's, or
// again's.
func (p *Plan) Aftermath(ctx context.Context, connect func(context.Context) (*pgx.Conn, error),
	jobs int, again leakscan.Stream) ([]verdict.Check, error) {
	if p.real == nil {
		p.real = p.overlap()
	}
	p.real.Allow(p.scanner.Allows)
	if p.ownCode || !strings.EqualFold(p.encoding.Name, "UTF8") {
		again = nil
	}
	return leakscan.Scan(ctx, connect, jobs, leakscan.Request{
		Again:  again,
		Schema: p.schema, Decision: p.decision, Within: p.within, Written: p.writings, Scanner: p.scanner,
		Overlap: p.real, Key: p.key, Names: p.names,
		LargeObjects: p.rules.LargeObjects == "preserve", OwnCode: p.ownCode,
	})
}

// decision is what became of a column, as far as it says what may be in it now.
func (p *Plan) decision(c *schema.Column) leakscan.Decision {
	r := p.assigned[c]
	d := leakscan.Decision{
		Loaded: slices.Contains(p.loaded[c.Table], c.Name), Ruled: r != nil, Rewritten: changes(r),
		Recomputed: hasRecompute(r), Set: p.keepSets(c),
		Passes: (p.recipes[c].passesWithin() || p.recipes[c].keysStay(c)) && p.encoding.Code == nil,
	}
	if s, ok := p.watched[c]; ok {
		d.Scanner = &s
	}
	return d
}

// keepSets reports whether keep writes into a column.
func (p *Plan) keepSets(c *schema.Column) bool {
	return slices.ContainsFunc(p.keeps, func(k *keeper) bool {
		return k.set[c.Name] != nil && k.governs(c.Table)
	})
}

// within reads values of a column as the server has them, and shows what its rule
// lets pass within them.
func (p *Plan) within(c *schema.Column, look func(text []byte, isKey bool)) func(value []byte) error {
	reader := newCell(p, c, p.recipes[c], transform.NewMasker(p.key), &copytext.Decoder{})
	reader.every(look)
	return reader.replace
}

// overlap joins what the columns' samplers kept; nil if there is nothing.
func (p *Plan) overlap() *leakscan.Overlap {
	columns := map[string][]*leakscan.Sampler{}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.rewriters {
		for _, c := range r.cells {
			if c != nil && c.sample != nil {
				name := c.column.Root().String()
				columns[name] = append(columns[name], c.sample)
			}
		}
	}
	return leakscan.NewOverlap(p.seed, p.rules.LeakScan.SourceOverlap, columns)
}

// newSampler is nil where the column's values are not to be looked for: there
// is no rule that takes them away, or they are numbers and times, which mean
// nothing by themselves.
func (p *Plan) newSampler(c *schema.Column) *leakscan.Sampler {
	r := p.assigned[c]
	if p.rules.LeakScan.SourceOverlap == 0 || !changes(r) || !c.HoldsText() {
		return nil
	}
	s := leakscan.NewSampler(p.seed, p.rules.LeakScan.SourceOverlap)
	s.Forms = true
	s.Names = c.Base.Is("json", "jsonb") || c.Base.IsHstore()
	return s
}
