package scrub

import (
	"daybefore/internal/scrub/transform"

	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"daybefore/internal/copytext"
	"daybefore/internal/scrub/schema"
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
		cell := newCell(p.Plan, c, made, mask, decode)
		cell.each = r.Each
		if err := cell.replace([]byte(in)); err == nil {
			all = append(all, string(decode.Decode(cell.out)))
		}
	}
	return all
}

// compounds are likely values of the column, and such as its constraints name.
func (p *planner) compounds(c *schema.Column, r *spec.Rule, made *change) []string {
	named := c.Literals()
	switch {
	case r.JSON != nil:
		return sampleDocuments(made.document, c.AsText(), named)
	case r.Fields != nil:
		return sampleComposites(made.composite, c, named)
	}
	return sampleHstores(made, c, named)
}

// sampleDocuments hold what the paths name, with values that their transforms
// are at home with, and a member of each name that a constraint knows.
func sampleDocuments(d *documentRecipe, within *schema.Column, named []string) []string {
	all := []string{"{}", "[]", `"x"`, "1"}
	add := func(values func(path *pathRecipe) []any, members []any) {
		for i := range most(values, d.paths) {
			var document any
			for j := range d.paths {
				fitting := values(&d.paths[j])
				document = plant(document, d.paths[j].Steps, fitting[i%len(fitting)])
			}
			for _, name := range named {
				document = plant(document, membersOf(name), members[i%len(members)])
			}
			if b, err := json.Marshal(document); err == nil && document != nil {
				all = append(all, string(b))
			}
		}
	}
	texts := func(path *pathRecipe) []any {
		var values []any
		if path.made == nil {
			return []any{"x"}
		}
		for _, s := range path.made.Inputs(within) {
			values = append(values, s)
		}
		return values
	}
	numbers := func(*pathRecipe) []any { return []any{42, 7.5, -1} }
	add(texts, []any{"x", 1, true})
	add(numbers, []any{1, "x"})
	for _, v := range named {
		add(numbers, []any{v})
		add(func(*pathRecipe) []any { return []any{v} }, []any{v})
		if json.Valid([]byte(v)) {
			add(func(*pathRecipe) []any { return []any{json.RawMessage(v)} }, []any{json.RawMessage(v)})
		}
	}
	return all
}

func most(values func(*pathRecipe) []any, paths []pathRecipe) int {
	n := 1
	for i := range paths {
		n = max(n, len(values(&paths[i])))
	}
	return n
}

// membersOf are the steps to a member that a constraint names: by its name, or
// by those that lead to it, as #> takes them.
func membersOf(name string) []spec.JSONStep {
	var steps []spec.JSONStep
	if inner, ok := strings.CutPrefix(name, "{"); ok && strings.HasSuffix(inner, "}") {
		for _, key := range strings.Split(inner[:len(inner)-1], ",") {
			steps = append(steps, spec.JSONStep{Key: key})
		}
		return steps
	}
	return append(steps, spec.JSONStep{Key: name})
}

// plant puts a value where the steps lead, and makes what they lead through;
// what is there already stays.
func plant(at any, steps []spec.JSONStep, value any) any {
	const longest = 8
	if len(steps) == 0 {
		if at == nil {
			return value
		}
		return at
	}
	step := steps[0]
	if step.Element {
		list, ok := at.([]any)
		if !ok && at != nil || step.Index >= longest {
			return at
		}
		for len(list) <= step.Index {
			list = append(list, nil)
		}
		list[step.Index] = plant(list[step.Index], steps[1:], value)
		return list
	}
	members, ok := at.(map[string]any)
	if !ok && at != nil {
		return at
	}
	if members == nil {
		members = map[string]any{}
	}
	key := step.Key
	if step.Any {
		key = "any"
	}
	members[key] = plant(members[key], steps[1:], value)
	return members
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
		switch rule := made.fields[n].made; {
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
		var pairs []string
		for _, key := range append(slices.Clone(named), "a") {
			pairs = append(pairs, quotedPair(key)+"=>"+quotedPair(value))
		}
		all = append(all, strings.Join(pairs, ", "))
	}
	return all
}

func quotedPair(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}
