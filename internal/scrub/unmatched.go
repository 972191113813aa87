package scrub

import (
	"fmt"

	"daybefore/internal/scrub/propose"
	"daybefore/internal/scrub/schema"
	"daybefore/internal/scrub/transform"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// unmatched finds columns that look sensitive and that no rule names, once for
// a column and all that is inherited from it, and proposes rules for them.
func (p *planner) unmatched() error {
	for _, columns := range p.loaded {
		p.looked += len(columns)
	}
	found := p.suspicions()
	proposed, err := p.propose(found)
	if err != nil {
		return err
	}
	for _, s := range found {
		p.problem(verdict.CodeUnmatched, s.Root.String(), spec.Pos{}, s.Hint(proposed), "%s %s, and has no rule",
			s.Root, propose.Appears(s.What))
	}
	return nil
}

// propose finds rules for what looks sensitive.
func (p *planner) propose(found []propose.Suspicion) ([]propose.Proposal, error) {
	return propose.Rules(found, propose.Request{
		Rules: p.rules.Rules, Unruled: p.unruled(), Keys: p.fks,
		Assigned: func(c *schema.Column) *spec.Rule { return p.assigned[c] }, Refuses: p.refuser(),
	})
}

// refuser says why columns would refuse rules. What the server was asked once it
// is not asked again.
func (p *planner) refuser() propose.Refuser {
	asked := map[string]bool{}
	return func(c *schema.Column, r *spec.Rule) (string, error) {
		_, why, _, err := p.try(c, r, asked)
		return why, err
	}
}

// unruled are the loaded columns without a rule.
func (p *planner) unruled() []propose.Lineage {
	var all []*schema.Column
	for _, t := range p.schema.Tables {
		for _, name := range p.loaded[t] {
			if c := t.ByName[name]; c != nil && p.assigned[c] == nil {
				all = append(all, c)
			}
		}
	}
	return propose.Lineages(all)
}

// suspicions are the columns that look sensitive by name or type.
func (p *planner) suspicions() []propose.Suspicion {
	var found []propose.Suspicion
	for _, f := range p.unruled() {
		if what, fitting := f.Sensitive(); what != "" {
			found = append(found, propose.Suspicion{Lineage: f, What: what, Transform: fitting})
		}
	}
	return found
}

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
		if m.Rule.Preserve || m.Refused != "" {
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
	server := p.refuser()
	for _, s := range p.suspicions() {
		why, err := s.Refuses(&spec.Rule{Transform: transform.SetNull}, server)
		if err != nil {
			return err
		}
		if why == "" {
			p.fall(s.Lineage, s.What, propose.RuleFor(s.Root, &spec.Rule{Transform: transform.SetNull}))
		}
	}
	return nil
}

// fall gives a column, and what is inherited from it, a rule that the drill
// file lacks.
func (p *planner) fall(f propose.Lineage, what string, r *spec.Rule) {
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
				names = append(names, fmt.Sprintf("%s (%s)", c, propose.Appears(what)))
			}
		}
	}
	return "no rule names " + joined(names) + ": unmatched: " + p.rules.Unmatched + " decided"
}
