package scrub

import (
	"fmt"
	"slices"

	"daybefore/internal/copytext"
	"daybefore/internal/scrub/schema"
	"daybefore/internal/scrub/transform"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// fit turns the rules of the loaded columns into recipes, and finds those that
// their columns would refuse.
func (p *planner) fit() error {
	p.gatherLinks()
	seen := map[string]bool{}
	for _, c := range p.columnsWithRules() {
		r := p.assigned[c]
		loaded := slices.Contains(p.loaded[c.Table], c.Name)
		if !loaded && !c.Generated {
			continue
		}
		if r.Preserve && !c.Generated {
			continue
		}
		made, why, hint, err := p.try(c, r, seen)
		if err != nil {
			return err
		}
		if why != "" {
			p.problem(verdict.CodeRuleUnfit, c.Root().String(), r.Pos, hint, "%s %s", c, why)
			continue
		}
		p.recipes[c] = made
	}
	return nil
}

// try makes a rule ready for a column, and says why the column would refuse it
// and the hint; or nothing.
func (p *planner) try(c *schema.Column, r *spec.Rule, asked map[string]bool) (made *change, why, hint string,
	err error) {
	switch {
	case r.JSON != nil:
		made = p.documentRecipe(c, r)
		why, hint, err = p.unfitDocument(c, r, made)
	case r.Recompute != "":
		made, why, hint, err = p.recomputeRecipe(c, r)
	case r.Fields != nil:
		made = p.compositeRecipe(c, r)
		why, hint, err = p.unfitComposite(c, r, made)
	default:
		made = byTransform(p.recipe(c, r, transform.DomainOf(r.Link, c)))
		why, hint, err = p.unfit(c, r, made, asked)
	}
	return made, why, hint, err
}

func (p *planner) columnsWithRules() []*schema.Column {
	var all []*schema.Column
	for _, t := range p.schema.Tables {
		for _, c := range t.Columns {
			if p.assigned[c] != nil {
				all = append(all, c)
			}
		}
	}
	return all
}

// gatherLinks joins what the rules of a link take off a value before it is
// hashed, and how long it may become: equal values must be hashed alike in all
// of its columns, and cut alike.
func (p *planner) gatherLinks() {
	for c, r := range p.assigned {
		p.gatherLink(c, r)
		for i := range r.JSON {
			p.gatherLink(c.AsText(), &r.JSON[i].Rule)
		}
		for i := range r.Fields {
			if f := c.Field(r.Fields[i].Field); f != nil {
				p.gatherLink(f, &r.Fields[i].Rule)
			}
		}
	}
}

func (p *planner) gatherLink(c *schema.Column, r *spec.Rule) {
	if by := c.Table.ByName[r.By]; by != nil { // whose values are hashed
		c = by
	}
	if r.Link != "" && changes(r) {
		n := p.links[r.Link]
		own := transform.NormalOf(c, r)
		p.links[r.Link] = transform.Normal{Trim: n.Trim || own.Trim, Lower: n.Lower || own.Lower,
			Composed: n.Composed || own.Composed, Blanks: n.Blanks || own.Blanks}
		if least := p.limits[r.Link]; c.Length > 0 && (least == 0 || c.Length < least) {
			p.limits[r.Link] = c.Length
		}
	}
}

// recipe makes a rule ready for a column, or for a part of it that has the
// domain in which its values are hashed.
func (p *planner) recipe(c *schema.Column, r *spec.Rule, domain transform.Domain) *transform.Recipe {
	return transform.New(c, r, domain,
		transform.Env{Locale: p.locale(r), Encoding: p.encoding, Normal: p.links[r.Link], Limit: p.limits[r.Link]})
}

// unfit says why a column would refuse what a rule makes, and the hint; or
// nothing. What the server was asked once is not asked again for a partition
// that is like another.
func (p *planner) unfit(c *schema.Column, r *spec.Rule, made *change, asked map[string]bool) (why, hint string,
	err error) {
	why, hint = firstUnfit(c, r, transform.UnfitKind, transform.UnfitType, transform.UnfitParameters, p.unfitLength)
	if why != "" {
		return why, hint, nil
	}
	// before the key: what is advised for it may have no partition either
	why, hint, err = p.unfitRouting(c, r, made)
	if err != nil || why != "" {
		return why, hint, err
	}
	why, hint = firstUnfit(c, r, transform.UnfitKey, p.unfitEncoding)
	if why != "" {
		return why, hint, nil
	}
	question := fmt.Sprint(c.Root(), c.SQL, c.NotNull, c.Table.Checks, r)
	if asked[question] {
		return "", "", nil
	}
	why, err = p.unfitServer(c, r, made)
	if err != nil {
		return "", "", err
	}
	asked[question] = why == ""
	if why != "" {
		why = fmt.Sprintf("would refuse what %s makes: %s", r.Transform, why)
	}
	return why, "choose another transform, set_null, or preserve it with a why", nil
}

// firstUnfit is what the first test says that finds something.
func firstUnfit(c *schema.Column, r *spec.Rule,
	tests ...func(*schema.Column, *spec.Rule) (why, hint string)) (why, hint string) {
	for _, test := range tests {
		if why, hint := test(c, r); why != "" {
			return why, hint
		}
	}
	return "", ""
}

func (p *planner) unfitLength(c *schema.Column, r *spec.Rule) (why, hint string) {
	return transform.UnfitLength(c, r, p.locale(r))
}

func (p *planner) unfitEncoding(c *schema.Column, r *spec.Rule) (why, hint string) {
	if (r.Each || c.Base.IsHstore()) && p.encoding.Charset != copytext.ASCIISafe {
		return fmt.Sprintf("is an array or hstore in %s, where braces and quotes cannot be told from letters",
			p.encoding.Name), "use set_null, or dump with --encoding=UTF8"
	}
	if r.Transform == transform.Replace && p.encoding.Code != nil {
		return fmt.Sprintf("is in %s, in which what replace leaves cannot be written back",
			p.encoding.Name), "use another transform, or dump with --encoding=UTF8"
	}
	for _, text := range transform.Texts(r) {
		if _, ok := p.encoding.Encode(text); !ok {
			return fmt.Sprintf("gets a value that %s, the encoding of the rows, cannot write", p.encoding.Name),
				"choose a value of plain letters"
		}
	}
	return p.unfitWords(r)
}

// unfitServer asks the server what its types and CHECK constraints say to
// samples of what the recipe makes.
func (p *planner) unfitServer(c *schema.Column, r *spec.Rule, made *change) (string, error) {
	switch r.Transform {
	case transform.SetNull:
		refused, err := p.Refusal(c, nil)
		return refused.Words(), err
	case transform.Constant:
		value := arrayed(c, r, *r.Value)
		refused, err := p.Refusal(c, &value)
		return refused.Words(), err
	}
	switch {
	case c.Base.IsHstore():
		return p.unfitWithin(c, r, made)
	case !c.InDomain && c.Base.IsText() && !c.Constrained():
		return "", nil
	}
	return p.refusesSamples(c, r, made)
}

// refusesSamples: what does not depend on the value must pass; what keeps a
// value's shape must pass where the value did, and some value must.
func (p *planner) refusesSamples(c *schema.Column, r *spec.Rule, made *change) (string, error) {
	decode := p.encoding.NewDecoder()
	var trials []trial
	for _, s := range made.Outcomes(c) {
		t := trial{out: func() []string {
			all := make([]string, len(s.Out))
			for i, out := range s.Out {
				all[i] = arrayed(c, r, string(decode.Decode([]byte(out))))
			}
			return all
		}}
		if made.KeepsShape() {
			in := arrayed(c, r, s.In)
			t.in = &in
		}
		trials = append(trials, t)
	}
	return p.refusesAll(c, trials)
}

// trial is a sample value and what a rule makes of it.
type trial struct {
	in  *string // nil: what is made of it does not depend on it
	out func() []string
}

// refusesAll says why the column refuses what becomes of a value that it
// takes, or that it takes none.
func (p *planner) refusesAll(c *schema.Column, trials []trial) (string, error) {
	accepted := false
	var last *schema.Refusal
	for _, t := range trials {
		if t.in != nil {
			refused, err := p.Refusal(c, t.in)
			if err != nil {
				return "", err
			}
			if refused != nil {
				last = refused
				continue
			}
		}
		accepted = true
		for _, out := range t.out() {
			if refused, err := p.Refusal(c, &out); err != nil || refused != nil {
				return refused.Words(), err
			}
		}
	}
	if !accepted {
		return last.Words() + " (and no sample value passes, so that it cannot be tried)", nil
	}
	return "", nil
}

// arrayed is the value as the column is given it: alone in an array where the
// rule goes by elements.
func arrayed(c *schema.Column, r *spec.Rule, value string) string {
	if !c.Array || !r.Each {
		return value
	}
	return string(append(copytext.AppendElement([]byte("{"), []byte(value), c.Delim), '}'))
}
