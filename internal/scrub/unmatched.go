package scrub

import (
	"fmt"
	"strings"

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
		p.problem(verdict.CodeUnmatched, s.Root.String(), spec.Pos{}, s.hint(proposed), "%s %s, and has no rule",
			s.Root, appears(s.What))
	}
	return nil
}

// suspicions are the columns that look sensitive by name or type.
func (p *planner) suspicions() []Suspicion {
	var found []Suspicion
	for _, f := range p.lineages() {
		if what, fitting := f.Sensitive(); what != "" {
			found = append(found, Suspicion{Lineage: f, What: what, Transform: fitting})
		}
	}
	return found
}

// appears puts what Sensitive says into a sentence.
func appears(what string) string {
	if strings.HasPrefix(what, "of type ") {
		return "is " + what
	}
	return "looks like " + what
}

// hint is the line to add, ready to be copied, below one that says where; and
// behind it those of the columns that must stay equal.
func (s *Suspicion) hint(proposed []Proposal) string {
	var own *spec.Rule
	var equal []string
	for _, m := range proposed {
		switch {
		case m.Root == s.Root && m.Refused != "":
			return m.Undecided()
		case m.Root == s.Root:
			own = m.Rule
		case m.Equals == s.Root:
			equal = append(equal, m.Rule.YAML(""))
		}
	}
	return advice(append([]string{own.YAML("")}, equal...), own, draftTells)
}

// draftTells is said where no value was read yet.
const draftTells = " (scrub:draft writes such lines for all columns, and finds more, since it reads the values)"

// advice says where lines belong, of which the first is the rule's.
func advice(lines []string, r *spec.Rule, also string) string {
	say := "add under scrub.rules or, if it holds nothing private, preserve: true and a why instead of the transform"
	if r.Preserve {
		say = "add under scrub.rules, since no transform suits it, and look at what it holds"
	}
	return say + also + ":\n" + strings.Join(lines, "\n")
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
