package propose

import (
	"fmt"
	"strings"

	"daybefore/internal/scrub/schema"
	"daybefore/internal/spec"
)

// Hint is the line to add, ready to be copied, below one that says where; and
// after it those of the columns that must stay equal.
func (s *Suspicion) Hint(proposed []Proposal) string {
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
const draftTells = " (bin/drill scrub:draft writes such lines for all columns, and finds more, since it reads " +
	"the values)"

// advice says where lines belong, of which the first is the rule's.
func advice(lines []string, r *spec.Rule, also string) string {
	say := "add under scrub.rules or, if it holds nothing private, preserve: true and a why instead of the transform"
	if r.Preserve {
		say = "add under scrub.rules, since no transform suits it, and look at what it holds"
	}
	return say + also + ":\n" + strings.Join(lines, "\n")
}

// LineFor is the advice to add a rule for a column.
func LineFor(root *schema.Column, fitting string) string {
	r := RuleFor(root, &spec.Rule{Preserve: true, Why: "no transform fits"})
	if t := Suitable(root, fitting); t != "" {
		r = RuleFor(root, &spec.Rule{Transform: t})
	}
	return advice([]string{r.YAML("")}, r, "")
}

// Appears puts what Sensitive says into a sentence.
func Appears(what string) string {
	if strings.HasPrefix(what, "of type ") {
		return "is " + what
	}
	return "looks like " + what
}

// Undecided says why a column that looks sensitive is left without a rule, and
// what a person may do about it.
func (m *Proposal) Undecided() string {
	t := m.Root.Table.Name
	return fmt.Sprintf("no transform fits: %s; leave its rows out (exclude_table_data: [%s]), "+
		"or preserve it with a why of your own", m.Refused, spec.Dotted(t.Schema, t.Table))
}
