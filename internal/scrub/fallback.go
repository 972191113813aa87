package scrub

import (
	"fmt"

	"daybefore/internal/spec"
)

// What becomes of a column that looks sensitive and that no rule names.
const (
	unmatchedSetNull = "set_null"
	unmatchedRedact  = "redact"
)

// fallback gives the columns that look sensitive and that no rule names the
// rule that unmatched means for them. Where the column takes none it is left
// without, and so refused.
func (p *planner) fallback() error {
	if p.rules.Unmatched != unmatchedSetNull && p.rules.Unmatched != unmatchedRedact {
		return nil
	}
	family := map[*column][]*column{} // by root
	for _, t := range p.cat.tables {
		for _, name := range p.loaded[t] {
			if c := t.byName[name]; c != nil && p.assigned[c] == nil {
				family[c.root()] = append(family[c.root()], c)
			}
		}
	}
	for root, columns := range family {
		what, transform := "", ""
		for i := 0; i < len(columns) && what == ""; i++ { // a name may tell in one table only
			what, transform = sensitive(columns[i])
		}
		if what == "" {
			continue
		}
		rule, err := p.fallbackRule(columns, transform)
		if err != nil {
			return err
		}
		if rule == nil {
			continue
		}
		p.fallen[root] = what
		for _, c := range columns {
			p.assigned[c] = rule
		}
	}
	return nil
}

// fallbackRule is the first of what unmatched may mean that all of the columns
// would take; nil for none.
func (p *planner) fallbackRule(columns []*column, transform string) (*spec.Rule, error) {
	candidates := []string{setNull}
	if p.rules.Unmatched == unmatchedRedact {
		candidates = []string{transform, text, hash128, setNull}
	}
	for _, t := range candidates {
		r := &spec.Rule{Transform: t, Each: columns[0].array && t != setNull}
		if fits, err := p.fitsAll(columns, r); err != nil || fits {
			return r, err
		}
	}
	return nil, nil
}

func (p *planner) fitsAll(columns []*column, r *spec.Rule) (bool, error) {
	asked := map[string]bool{}
	for _, c := range columns {
		why, _, err := p.unfit(c, r, p.recipe(c, r, domainOf("", c)), asked)
		if err != nil || why != "" {
			return false, err
		}
	}
	return true, nil
}

// fallenMessage lists the columns that unmatched decided about.
func (p *Plan) fallenMessage() string {
	if len(p.fallen) == 0 {
		return ""
	}
	var names []string
	for _, t := range p.cat.tables {
		for _, c := range t.columns {
			if what := p.fallen[c]; what != "" {
				names = append(names, fmt.Sprintf("%s (%s)", c, appears(what)))
			}
		}
	}
	return "no rule names " + joined(names) + ": unmatched: " + p.rules.Unmatched + " decided"
}
