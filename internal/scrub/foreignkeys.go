package scrub

import (
	"fmt"
	"slices"

	"daybefore/internal/scrub/schema"
	"daybefore/internal/scrub/transform"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// foreignKeys finds rules that tear two sides of a reference apart, and
// references to rows that are not loaded.
func (p *planner) foreignKeys() error {
	for _, fk := range p.fks {
		if fk.To == nil {
			continue
		}
		p.dangling(fk)
		p.halfNulled(fk)
		for i, name := range fk.Columns {
			p.sides(fk, name, fk.Referenced[i])
		}
	}
	return nil
}

func (p *planner) dangling(fk schema.ForeignKey) {
	gone := func(t *schema.Table) bool { return p.excluded[t] }
	if !slices.ContainsFunc(fk.To.WithDescendants(), gone) {
		return
	}
	for _, from := range fk.From.WithDescendants() {
		if _, loaded := p.loaded[from]; !loaded || p.nulled(from, fk.Columns) {
			continue
		}
		p.problem(verdict.CodeRuleUnfit, fk.String(), spec.Pos{},
			fmt.Sprintf("exclude %s too, or set %s.%s to null: - {column: %s, transform: set_null}", from.Name,
				from.Name, fk.Columns[0], patternName(from, fk.Columns[0])),
			"exclude_table_data: rows of %s still point at %s, which is not loaded (foreign key %s)", from.Name,
			fk.To.Name, fk.Name)
		return
	}
}

// halfNulled: MATCH FULL takes no reference of which only a part is null.
func (p *planner) halfNulled(fk schema.ForeignKey) {
	for _, from := range fk.From.WithDescendants() {
		var rule *spec.Rule
		nulls := 0
		for _, name := range fk.Columns {
			if r := p.assigned[from.ByName[name]]; r != nil && r.Transform == transform.SetNull {
				rule = r
				nulls++
			}
		}
		if fk.Full && 0 < nulls && nulls < len(fk.Columns) {
			p.problem(verdict.CodeRuleUnfit, fk.String(), rule.Pos, "set all of its columns to null, or none",
				"foreign key %s of %s is MATCH FULL, and only a part of it would be null", fk.Name, from.Name)
			return
		}
	}
}

func patternName(t *schema.Table, name string) string {
	if c := t.ByName[name]; c != nil {
		return patternOf(c)
	}
	return t.Name.String() + "." + name
}

// nulled reports whether the reference is taken away: one null column is enough.
func (p *planner) nulled(t *schema.Table, columns []string) bool {
	return slices.ContainsFunc(columns, func(name string) bool {
		r := p.assigned[t.ByName[name]]
		return r != nil && r.Transform == transform.SetNull
	})
}

// sides compares the rules of a referencing column with the referenced one's.
func (p *planner) sides(fk schema.ForeignKey, name, referenced string) {
	for _, from := range fk.From.WithDescendants() {
		for _, to := range fk.To.WithDescendants() {
			a, b := from.ByName[name], to.ByName[referenced]
			if a == nil || b == nil || p.agree(a, b) {
				continue
			}
			rule := p.assigned[a]
			if changes(p.assigned[b]) {
				rule = p.assigned[b]
			}
			p.problem(verdict.CodeRuleUnfit, fk.String(), rule.Pos,
				fmt.Sprintf("give %s and %s the same transform and the same link", a, b),
				"%s references %s (foreign key %s), and their rules would not make equal values equal", a, b, fk.Name)
			return
		}
	}
}

// agree reports whether a and b hold equal values after the scrub if they did
// before. Null references nothing.
func (p *Plan) agree(a, b *schema.Column) bool {
	ra, rb := p.assigned[a], p.assigned[b]
	switch {
	case !changes(ra) && !changes(rb), changes(ra) && ra.Transform == transform.SetNull:
		return true
	case !changes(ra) || !changes(rb):
		return false
	}
	if !transform.Known(ra.Transform) || ra.By != "" || rb.By != "" { // what is made depends on more than the value
		return false
	}
	return ra.Transform == rb.Transform && transform.DomainOf(ra.Link, a) == transform.DomainOf(rb.Link, b)
}
