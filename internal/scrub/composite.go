package scrub

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"daybefore/internal/copytext"
	"daybefore/internal/scrub/leakscan"
	"daybefore/internal/scrub/propose"
	"daybefore/internal/scrub/schema"
	"daybefore/internal/scrub/transform"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// compositeFields is the name under which a rule by fields is reported.
const compositeFields = "fields"

// compositeRecipe says what becomes of the fields of a composite value.
type compositeRecipe struct {
	column *schema.Column
	fields []fieldRecipe // in the order of the type's
}

type fieldRecipe struct {
	column  *schema.Column
	made    *change // nil: the field passes
	link    string
	unnamed *schema.Column // that no rule names; nil for others
	path    string
}

// composite rewrites composite values; one serves one goroutine.
type composite struct {
	*compositeRecipe
	mask     *transform.Masker
	decode   *copytext.Decoder
	rewriter copytext.CompositeRewriter
	inner    []*composite    // by field; nil where it is no composite, or passes
	pairs    []*hstoreValues // by field; nil where it is no hstore, or not rewritten value by value
	stays    [][]leakscan.FoldedGlob
	inside   []*leakscan.Within   // by field: looks at what passes; nil: nobody does
	gather   []*leakscan.Gatherer // by field: adds to a sample what is taken away; nil: nobody does
	leaked   bool                 // the last value held what it may not
	kept     []func(value []byte) // by field: is shown what passes of it; nil: nobody asks
	awake    *bool                // kept is shown this value
}

func newComposite(p *Plan, r *compositeRecipe, mask *transform.Masker, decode *copytext.Decoder) *composite {
	c := &composite{compositeRecipe: r, mask: mask, decode: decode, inner: make([]*composite, len(r.fields)),
		pairs: make([]*hstoreValues, len(r.fields)), inside: make([]*leakscan.Within, len(r.fields))}
	for i, f := range r.fields {
		c.stays = append(c.stays, p.keptInLink(f.link))
		if f.made != nil && f.made.composite != nil {
			c.inner[i] = newComposite(p, f.made.composite, mask, decode)
		} else if f.made != nil && f.column.Base.IsHstore() && f.made.name != transform.Constant &&
			f.made.name != transform.SetNull {
			c.pairs[i] = newHstoreValues(p, r.column.Root().String()+"."+f.path,
				func(dst, value []byte) ([]byte, error) { return c.value(i, dst, value) })
		}
		if f.unnamed != nil {
			c.inside[i] = p.newInside(p.scannerFor(f.unnamed, false))
		}
	}
	return c
}

func (c *composite) append(dst, value []byte) ([]byte, error) {
	c.leaked = false
	dst, err := c.rewriter.Append(dst, value, len(c.fields), c.field)
	if c.leaked && err == nil {
		err = ErrLeak
	}
	return dst, err
}

func (c *composite) field(i int, dst, value []byte) (_ []byte, null bool, err error) {
	made := c.fields[i].made
	switch {
	case made == nil:
		c.passed(i, value)
		return append(dst, value...), false, nil
	case c.inner[i] != nil:
		dst, err = c.inner[i].append(dst, value)
		return dst, false, c.noteLeak(err)
	case made.name == transform.SetNull:
		c.took(i, c.decode.Decode(value))
		return dst, true, nil
	}
	if c.pairs[i] != nil {
		dst, err = c.pairs[i].append(dst, value)
		return dst, false, c.noteLeak(err)
	}
	dst, err = c.value(i, dst, value)
	return dst, false, err
}

// noteLeak keeps a leak for the end of the value: the fields after it are looked
// at too. Other errors are returned.
func (c *composite) noteLeak(err error) error {
	if !errors.Is(err, ErrLeak) {
		return err
	}
	c.leaked = true
	return nil
}

// value appends what becomes of a field's value, or of one in its hstore.
func (c *composite) value(i int, dst, value []byte) ([]byte, error) {
	made := c.fields[i].made
	decoded := c.decode.Decode(value)
	normalized := c.mask.Normalize(made.Recipe, decoded)
	if len(normalized) == 0 && made.name != transform.Constant {
		return append(dst, value...), nil
	}
	for _, g := range c.stays[i] {
		if g.Match(normalized) {
			return append(dst, value...), nil
		}
	}
	c.took(i, decoded)
	return c.mask.Append(dst, made.Recipe, decoded, normalized)
}

// sampleTo has what is taken away added to a sample; within has the fields.
func (c *composite) sampleTo(within *schema.Column, s *leakscan.Sampler) {
	for i, f := range within.Fields {
		if c.pairs[i] != nil { // whose values come one by one
			f = f.AsText()
		}
		c.gather = append(c.gather, leakscan.NewGatherer(f, s))
		if c.inner[i] != nil {
			c.inner[i].sampleTo(f, s)
		}
	}
}

func (c *composite) took(i int, value []byte) {
	if c.gather != nil {
		c.gather[i].Add(value)
	}
}

// passed looks at a field that stays as it is.
func (c *composite) passed(i int, value []byte) {
	f := &c.fields[i]
	inside := c.inside[i]
	if c.kept != nil && *c.awake && c.kept[i] != nil {
		c.kept[i](c.decode.Decode(value))
	}
	inside.Begin()
	if !inside.Looks(f.unnamed == nil) {
		return
	}
	if hit, ok := inside.Find(c.decode.Decode(value)); ok {
		inside.Leaked(c.column.Root().String()+"."+f.path, hit,
			fmt.Sprintf("add under fields: - {field: %s, transform: %s}, or preserve: true with a why", f.path,
				cmp.Or(propose.Suitable(f.unnamed, propose.TransformFor(hit.Kind)), transform.SetNull)))
	}
	c.leaked = c.leaked || inside.End() != nil
}

// compositeRecipe makes a rule by fields ready.
func (p *planner) compositeRecipe(c *schema.Column, r *spec.Rule) *change {
	made := p.fieldsRecipe(c, c, nil, r)
	made.name, made.effect = compositeFields, transform.Merges
	return made
}

// fieldsRecipe is that of the fields of within, to which path leads from c.
func (p *planner) fieldsRecipe(c, within *schema.Column, path []string, r *spec.Rule) *change {
	out := &compositeRecipe{column: c}
	for _, f := range within.Fields {
		here := append(slices.Clone(path), f.Name)
		made := fieldRecipe{column: f, path: strings.Join(here, ".")}
		if rule := fieldRule(r, here); rule != nil && !rule.Preserve {
			domain := transform.DomainOf(rule.Link, c)
			if rule.Link == "" {
				domain = domain.Within(strings.Join(here, "."))
			}
			made.made = byTransform(p.recipe(f, &rule.Rule, domain))
			made.link = rule.Link
		} else if rule == nil && ruledWithin(r, here) {
			made.made = p.fieldsRecipe(c, f, here, r)
		} else if rule == nil {
			made.unnamed = f
		}
		out.fields = append(out.fields, made)
	}
	return &change{Recipe: &transform.Recipe{}, composite: out}
}

func fieldRule(r *spec.Rule, path []string) *spec.FieldRule {
	if i := slices.IndexFunc(r.Fields, func(f spec.FieldRule) bool { return slices.Equal(f.Field, path) }); i >= 0 {
		return &r.Fields[i]
	}
	return nil
}

// ruledWithin reports whether a rule names a field within the one at path.
func ruledWithin(r *spec.Rule, path []string) bool {
	return slices.ContainsFunc(r.Fields, func(f spec.FieldRule) bool {
		return len(f.Field) > len(path) && slices.Equal(f.Field[:len(path)], path)
	})
}

// unfitComposite says why a column cannot be rewritten by fields, and the
// hint; or nothing.
func (p *planner) unfitComposite(c *schema.Column, r *spec.Rule, made *change) (why, hint string, err error) {
	switch {
	case c.Generated:
		why, hint = transform.UnfitKind(c, r)
		return why, hint, nil
	case len(c.Fields) == 0:
		return fmt.Sprintf("is of type %s, which has no fields", c.SQL), "take fields away and name a transform", nil
	case c.Array != r.Each:
		return "is of type " + c.SQL, "say each: true for arrays, and only for them", nil
	case len(c.Unique) > 0:
		why = fmt.Sprintf("is part of %s, and rewritten values may become equal", joined(c.Unique))
		return why, "preserve it with a why", nil
	case p.encoding.Charset != copytext.ASCIISafe:
		why = fmt.Sprintf("is a composite in %s, where quotes cannot be told from letters", p.encoding.Name)
		return why, "use set_null, or dump with --encoding=UTF8", nil
	}
	for i := range r.Fields {
		rule := &r.Fields[i]
		f := c.Field(rule.Field)
		if f == nil {
			return "has no field " + rule.Source, "correct the name", nil
		}
		why, hint, err = p.unfitField(f, &rule.Rule)
		if err != nil || why != "" {
			return fmt.Sprintf("has the field %s, which %s", rule.Source, why), hint, err
		}
	}
	p.unmatchedFields(c, c, nil, r)
	why, hint = p.unfitPartition(c, r)
	if why != "" {
		return why, hint, nil
	}
	why, err = p.unfitWithin(c, r, made)
	hint = "choose other transforms for the fields, or set_null or constant for the column"
	return schema.RefusedBy("would refuse what its fields become", why), hint, err
}

func (p *planner) unfitField(f *schema.Column, r *spec.Rule) (why, hint string, err error) {
	switch {
	case r.Preserve:
		return "", "", nil
	case f.Array && r.Transform != transform.SetNull && r.Transform != transform.Constant:
		return "is an array", "use set_null or constant, or preserve it with a why", nil
	}
	for _, test := range []func(*schema.Column, *spec.Rule) (string, string){transform.UnfitKind, transform.UnfitType,
		transform.UnfitParameters, p.unfitLength, p.unfitEncoding} {
		if why, hint := test(f, r); why != "" {
			return why, hint, nil
		}
	}
	why, err = p.unfitServer(f, r, byTransform(p.recipe(f, r, transform.Domain{})))
	if why != "" {
		why = fmt.Sprintf("would refuse what %s makes: %s", r.Transform, why)
	}
	return why, "choose another transform, set_null, or preserve it with a why", err
}

// unmatchedFields finds fields that look sensitive and that no rule names.
func (p *planner) unmatchedFields(c, within *schema.Column, path []string, r *spec.Rule) {
	for _, f := range within.Fields {
		here := append(slices.Clone(path), f.Name)
		if fieldRule(r, here) != nil {
			continue
		}
		if ruledWithin(r, here) && !f.Array {
			p.unmatchedFields(c, f, here, r)
			continue
		}
		if what, fitting := propose.Sensitive(f); what != "" {
			if f.Array {
				fitting = transform.SetNull
			}
			p.problem(verdict.CodeUnmatched, c.Root().String()+"."+strings.Join(here, "."), r.Pos,
				fmt.Sprintf("add under fields: - {field: %s, transform: %s}, or preserve: true with a why",
					strings.Join(here, "."), cmp.Or(propose.Suitable(f, fitting), transform.SetNull)),
				"%s: its field %s looks like %s and has no rule", c.Root(), strings.Join(here, "."), what)
		}
	}
}
