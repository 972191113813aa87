package propose

import (
	"strconv"

	"daybefore/internal/scrub/schema"
	"daybefore/internal/scrub/transform"
	"daybefore/internal/spec"
)

// choices are rules for a column of so few different values that any text of
// their shape would tell them: one of the words that its constraints name, which
// are no person's, or else of as many made-up codes. No value is in a proposal.
func choices(c *schema.Column, few int) []spec.Rule {
	var all []spec.Rule
	if named := c.Literals(); len(named) > 1 {
		all = append(all, spec.Rule{Transform: transform.Choice, Values: named})
	}
	var codes []string
	for i := range max(few, 2) { // one would be a constant
		if c.Family() == schema.Textual {
			codes = append(codes, string(rune('A'+i)))
		} else {
			codes = append(codes, strconv.Itoa(i))
		}
	}
	return append(all, spec.Rule{Transform: transform.Choice, Values: codes})
}
