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
	for _, f := range p.lineages() {
		what, transform := f.sensitive()
		if what == "" {
			continue
		}
		rule, err := p.fallbackRule(suspicion{lineage: f, what: what, transform: transform})
		if err != nil {
			return err
		}
		if rule == nil {
			continue
		}
		p.fallen[f.root] = what
		for _, c := range f.columns {
			p.assigned[c] = rule
		}
	}
	return nil
}

// fallbackRule is the first of what unmatched may mean that all of the columns
// would take; nil for none.
func (p *planner) fallbackRule(s suspicion) (*spec.Rule, error) {
	ways := []spec.Rule{{Transform: setNull}}
	if p.rules.Unmatched == unmatchedRedact {
		ways = s.ways()
	}
	w := &proposer{planner: p, asked: map[string]bool{}}
	for i := range ways {
		if why, err := w.refuses([]proposal{{lineage: s.lineage}}, &ways[i]); err != nil || why == "" {
			return ruleFor(s.root, &ways[i]), err
		}
	}
	return nil, nil
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
