package scrub

import (
	"fmt"
	"slices"
	"strings"

	"daybefore/internal/copytext"
	"daybefore/internal/scrub/schema"
	"daybefore/internal/scrub/transform"
	"daybefore/internal/spec"
)

// unfitWithin tries what a rule makes of values that hold others (documents,
// composites, hstores) on what the column asks of them: where a sample is
// taken as it is, what becomes of it must be taken too, and some sample must.
func (p *planner) unfitWithin(c *schema.Column, r *spec.Rule, made *change) (string, error) {
	question := fmt.Sprint(c.Root(), c.SQL, c.Constraints(), r)
	if !c.Constrained() && !c.InDomain || p.tried[question] {
		return "", nil
	}
	p.tried[question] = true // a partition that is like another is not asked again
	var trials []trial
	for _, in := range p.compounds(c, r, made) {
		in = arrayed(c, r, in)
		trials = append(trials, trial{&in, func() []string { return p.rewritten(c, r, made, in) }})
	}
	return p.refusesAll(c, trials)
}

// rewritten is what becomes of a value under several keys. What the rule ends
// the load for becomes nothing.
func (p *planner) rewritten(c *schema.Column, r *spec.Rule, made *change, in string) []string {
	const keys = 3
	decode := p.encoding.NewDecoder()
	var all []string
	for i := range keys {
		mask := transform.NewMasker(append([]byte("only for samples "), byte(i)))
		scratch := newCell(p.Plan, c, made, mask, decode)
		scratch.each = r.Each
		if err := scratch.replace([]byte(in)); err == nil {
			all = append(all, string(decode.Decode(scratch.out)))
		}
	}
	return all
}

// compounds are likely values of the column, and such as its constraints name.
func (p *planner) compounds(c *schema.Column, r *spec.Rule, made *change) []string {
	named := c.Literals()
	switch {
	case r.JSON != nil:
		return made.document.Samples(c.AsText(), named)
	case r.Fields != nil:
		return sampleComposites(made.composite, c, named)
	}
	return sampleHstores(made, c, named)
}

// sampleComposites have samples in the fields that are rewritten; in the
// others null, or something of their type.
func sampleComposites(made *compositeRecipe, c *schema.Column, named []string) []string {
	const tries = 12
	var all []string
	for _, filled := range []bool{false, true} {
		for i := range tries + len(named) {
			all = append(all, string(sampleComposite(made, c, named, i, filled)))
		}
	}
	return all
}

func sampleComposite(made *compositeRecipe, c *schema.Column, named []string, i int, filled bool) []byte {
	out := []byte("(")
	for n, f := range c.Fields {
		if n > 0 {
			out = append(out, ',')
		}
		rule := made.fields[n].made
		switch {
		case f.Array:
		case rule != nil && rule.composite != nil:
			out = copytext.AppendDoubled(out, sampleComposite(rule.composite, f, named, i, filled))
		case rule != nil && rule.effect != transform.Clears:
			samples := slices.Concat(rule.Inputs(f), named)
			out = copytext.AppendDoubled(out, []byte(samples[i%len(samples)]))
		case filled && fillerOf(f, named, i) != "":
			out = copytext.AppendDoubled(out, []byte(fillerOf(f, named, i)))
		}
	}
	return append(out, ')')
}

// fillerOf is a value of a field that passes; empty where none is known.
func fillerOf(f *schema.Column, named []string, i int) string {
	switch f.Family() {
	case schema.Textual:
		return append(slices.Clone(named), "x")[i%(len(named)+1)]
	case schema.Numeric:
		return "1"
	case schema.Temporal:
		return transform.DateSamples[i%len(transform.DateSamples)]
	}
	return ""
}

// sampleHstores have the keys that a constraint names.
func sampleHstores(made *change, c *schema.Column, named []string) []string {
	all := []string{""}
	for _, value := range slices.Concat(made.Inputs(c), named) {
		var entries []string
		for _, key := range append(slices.Clone(named), "a") {
			entries = append(entries, quotedPair(key)+"=>"+quotedPair(value))
		}
		all = append(all, strings.Join(entries, ", "))
	}
	return all
}

func quotedPair(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}
