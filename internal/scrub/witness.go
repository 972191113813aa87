package scrub

import (
	"fmt"

	"daybefore/internal/scrub/schema"
	"daybefore/internal/scrub/transform"
	"daybefore/internal/verdict"
)

// Outside is how a value that did not come with the backup, such as one of an
// outside record, is compared with a scrubbed column, and told.
type Outside struct {
	// Scrub makes of the value, as the server writes it, what the column holds
	// of it; for one goroutine. Nil: the column holds it as it is.
	Scrub func(value string) (string, error)
	// Keeps tells that some rows hold it as it is besides.
	Keeps bool
	// Tell is what may be said of the value: itself, where the column is
	// preserved with a why; else its keyed fingerprint.
	Tell func(value string) string
}

// Outside finds out how values from outside are compared with a column of a
// table. Problem: the scrub leaves nothing to compare with.
func (p *Plan) Outside(namespace, name, column string) (Outside, error) {
	t := p.schema.ByName[schema.Name{Schema: namespace, Table: name}]
	if t == nil || t.ByName[column] == nil {
		return Outside{}, verdict.Errorf(verdict.CodeWitness, "name a table, whose rows come with the backup",
			"%s.%s is no column of a table", schema.Name{Schema: namespace, Table: name}, column)
	}
	c := t.ByName[column]
	out := Outside{Tell: p.Fingerprint}
	for _, d := range t.WithDescendants() {
		other := d.ByName[column]
		if p.loaded[d] == nil || other == nil {
			continue
		}
		if p.loaded[c.Table] == nil { // a partitioned root, of which only the leaves have rows
			c = other
		}
		if why := p.incomparable(c, other); why != "" {
			return Outside{}, verdict.Errorf(verdict.CodeWitness,
				"choose a key that is preserved, or whose transform keeps different values apart: "+
					"email, hash, token, uuid, url, permute",
				"%s %s: what an outside record says cannot be found in it", other, why)
		}
	}
	r := p.assigned[c]
	switch {
	case r == nil:
	case r.Preserve:
		out.Tell = func(value string) string { return value }
	default:
		out.Keeps = p.keptSome(c, r)
		out.Scrub = p.scrubOutside(c)
	}
	return out, nil
}

// incomparable says why what the scrub makes of a value of other is not known
// from the value alone, as it is of c; empty if it is.
func (p *Plan) incomparable(c, other *schema.Column) string {
	made, r := p.recipes[other], p.assigned[other]
	first := p.assigned[c]
	switch {
	case other.Generated || hasRecompute(r):
		return "is computed by the server"
	case changes(first) != changes(r):
		return "is scrubbed in some of its tables and not in others"
	case !changes(r):
		return ""
	case made == nil || made.document != nil || made.composite != nil || r.Each || other.Base.IsHstore():
		return "is scrubbed in parts"
	case made.effect != transform.KeepsApart:
		return fmt.Sprintf("is scrubbed by %s, which makes different values equal", made.name)
	case first.Transform != r.Transform ||
		transform.DomainOf(first.Link, c) != transform.DomainOf(r.Link, other):
		return "is scrubbed in several ways"
	}
	return ""
}

// scrubOutside does to one value what the filter does to those that pass.
func (p *Plan) scrubOutside(c *schema.Column) func(value string) (string, error) {
	decode := p.encoding.NewDecoder()
	scratch := newCell(p, c, p.recipes[c], transform.NewMasker(p.key), decode)
	scratch.sample, scratch.gather = nil, nil // it is no value of the backup
	return func(value string) (string, error) {
		encoded, ok := p.encoding.Encode(value)
		if !ok {
			return value, nil // the backup cannot hold it
		}
		if err := scratch.replace(encoded); err != nil {
			return "", verdict.Errorf(verdict.CodeWitness, "correct the rule of this column",
				"scrub a value for %s: %w", c, err)
		}
		return string(decode.Decode(scratch.out)), nil
	}
}
