package scrub

import (
	"errors"
	"slices"

	"daybefore/internal/detect"
	"daybefore/internal/scrub/document"
	"daybefore/internal/scrub/leakscan"
	"daybefore/internal/scrub/schema"
	"daybefore/internal/scrub/transform"
	"daybefore/internal/verdict"
)

// What is stored is what the filters wrote, unless code of the backup's own ran
// afterwards: a function that an index calls may rewrite any row. Then all that
// was looked at is looked at again, and rewritten columns as well, which must
// hold none of the values that were sampled before they were replaced.

// newWritten remembers what a cell writes, where its rule may by chance make a
// value that another row really had, or leaves some as they are.
func (p *Plan) newWritten(c *cell) *leakscan.Sampler {
	if c.sample == nil || !p.ownCode || !c.plain() || !c.made.makesReal() &&
		!p.keptSome(c.column, p.assigned[c.column]) {
		return nil
	}
	return leakscan.NewSampler(p.seed, p.rules.LeakScan.SourceOverlap)
}

// plain reports whether the cell's values are written as a whole.
func (c *cell) plain() bool {
	return c.document == nil && c.fields == nil && c.hstore == nil && !c.each && !c.column.Array &&
		!c.column.Base.IsBytes()
}

// makesReal reports whether what a rule makes may be a value that is real
// elsewhere: of a list of names, or of the shape of what it replaces.
func (c *change) makesReal() bool {
	switch {
	case c == nil:
		return false
	case c.document != nil:
		return c.document.Redact != nil || c.passesWithin() ||
			slices.ContainsFunc(c.document.Paths,
				func(p document.Path) bool {
					return p.Made != nil && (p.Made.Effect() == transform.Merges || p.Made.Name() == transform.Permute)
				})
	case c.composite != nil:
		return c.passesWithin() ||
			slices.ContainsFunc(c.composite.fields, func(f fieldRecipe) bool { return f.made.makesReal() })
	}
	return c.effect == transform.Merges || c.name == transform.Permute
}

// writings of a column, with all that is inherited from it. Nil: anything may
// have been.
func (p *Plan) writings(c *schema.Column) *leakscan.Writings {
	if !p.recipes[c].makesReal() && !p.keptSome(c, p.assigned[c]) {
		return leakscan.NoWritings()
	}
	var written []*leakscan.Sampler
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.rewriters {
		for _, other := range r.cells {
			if other != nil && other.written != nil && other.column.Root() == c.Root() {
				written = append(written, other.written)
			}
		}
	}
	return leakscan.NewWritings(p.seed, written)
}

// What keeps a value from being shown.
var (
	errShows = verdict.Errorf(verdict.CodeLeak,
		"look what writes to this column once it is loaded; write a rule for it, or leave it out of latest_events",
		"holds what looks sensitive or is a real value")
	errNotLoaded = verdict.Errorf(verdict.CodeNotLoaded,
		"look which code of the backup's own writes to this table while it is restored, "+
			"or leave the column out of latest_events",
		"holds what is not as it was loaded: code of the backup's own may have copied it from anywhere")
	errUnproven = &verdict.Problem{Outcome: verdict.Skipped, Code: verdict.CodeLatestEvents,
		Hint: "leave the column out of latest_events, or show what its rows are known by",
		Err:  errors.New("cannot be compared with what was loaded, by its type or since too many values differ")}
)

// Vouch returns what keeps a value from being shown, or nil: where code of the
// backup's own could run, that the load did not store it in this column, and a
// sampled value in it, or, in a column that no transform rewrites and whose
// name expects none, what the detectors know. Call it behind Aftermath.
func (p *Plan) Vouch(namespace, table, column, value string) *verdict.Problem {
	t := p.schema.ByName[schema.Name{Schema: namespace, Table: table}]
	if t == nil || !p.ownCode {
		return nil
	}
	c := t.ByName[column]
	switch {
	case c == nil, p.shows(c, []byte(value)):
		return errShows
	case p.stored[c.Root()] == nil, !p.stored[c.Root()].Proves():
		return errUnproven
	case !p.stored[c.Root()].Has(transform.PlainForm(c, []byte(value), verdict.CellRead)):
		return errNotLoaded
	}
	return nil
}

// shows reports whether a value holds what was looked for.
func (p *Plan) shows(c *schema.Column, text []byte) bool {
	if !changes(p.assigned[c]) && looksLike(c) == "" {
		if _, found := p.scannerOf(c).Find(text); found {
			return true
		}
	}
	return p.real.Holds(text) && !(changes(p.assigned[c]) && p.writings(c).MayHold(text))
}

// scannerOf is what looked at a column as it was loaded, or would have.
func (p *Plan) scannerOf(c *schema.Column) detect.Scanner {
	if s, ok := p.watched[c]; ok {
		return s
	}
	return p.scanner.Named(c.Name)
}
