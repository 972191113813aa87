package scrub

import (
	"fmt"

	"daybefore/internal/scrub/transform"
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
	switch p.rules.Unmatched {
	case unmatchedRedact:
		return p.redactUnmatched()
	case unmatchedSetNull:
		return p.nullUnmatched()
	}
	return nil
}

// redactUnmatched does what would be proposed, so that values of one meaning
// become equal, and with them both sides of a foreign key.
func (p *planner) redactUnmatched() error {
	proposed, err := p.propose(p.suspicions())
	if err != nil {
		return err
	}
	for _, m := range proposed {
		if m.Rule.Preserve { // no transform fits
			continue
		}
		what, _ := m.Sensitive()
		if m.Equals != nil {
			what = "the values of " + m.Equals.String()
		}
		p.fall(m.Lineage, what, m.Rule)
	}
	return nil
}

func (p *planner) nullUnmatched() error {
	w := &proposer{planner: p, asked: map[string]bool{}}
	for _, s := range p.suspicions() {
		why, err := w.refuses([]Proposal{{Lineage: s.Lineage}}, &spec.Rule{Transform: transform.SetNull})
		if err != nil {
			return err
		}
		if why == "" {
			p.fall(s.Lineage, s.What, ruleFor(s.Root, &spec.Rule{Transform: transform.SetNull}))
		}
	}
	return nil
}

// fall gives a column, and what is inherited from it, a rule that the drill
// file lacks.
func (p *planner) fall(f Lineage, what string, r *spec.Rule) {
	p.fallen[f.Root] = what
	for _, c := range f.Columns {
		p.assigned[c] = r
	}
}

// fallenMessage lists the columns that unmatched decided about.
func (p *Plan) fallenMessage() string {
	if len(p.fallen) == 0 {
		return ""
	}
	var names []string
	for _, t := range p.schema.Tables {
		for _, c := range t.Columns {
			if what := p.fallen[c]; what != "" {
				names = append(names, fmt.Sprintf("%s (%s)", c, appears(what)))
			}
		}
	}
	return "no rule names " + joined(names) + ": unmatched: " + p.rules.Unmatched + " decided"
}
