package scrub

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"daybefore/internal/copytext"
	"daybefore/internal/scrub/schema"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
	"daybefore/internal/words"
)

// Defaults of a rule, where a spec was not made by Load.
const (
	defaultPercent = 10
	defaultDays    = 180
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
		recipe, why, mend, err := p.try(c, r, seen)
		if err != nil {
			return err
		}
		if why != "" {
			p.problem(verdict.CodeRuleUnfit, c.Root().String(), r.Pos, mend, "%s %s", c, why)
			continue
		}
		p.recipes[c] = recipe
	}
	return nil
}

// try makes a rule ready for a column, and says why the column would refuse it
// and the mend; or nothing.
func (p *planner) try(c *schema.Column, r *spec.Rule, asked map[string]bool) (made *recipe, why, mend string, err error) {
	switch {
	case r.JSON != nil:
		made = p.documentRecipe(c, r)
		why, mend, err = p.unfitDocument(c, r, made)
	case r.Recompute != "":
		made, why, mend, err = p.recomputed(c, r)
	case r.Fields != nil:
		made = p.compositeRecipe(c, r)
		why, mend, err = p.unfitComposite(c, r, made)
	default:
		made = p.recipe(c, r, domainOf(r.Link, c))
		why, mend, err = p.unfit(c, r, made, asked)
	}
	return made, why, mend, err
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
		n, own := p.links[r.Link], ownNormal(c, r)
		p.links[r.Link] = normal{trim: n.trim || own.trim, lower: n.lower || own.lower, blanks: n.blanks || own.blanks}
		if shortest := p.limits[r.Link]; c.Length > 0 && (shortest == 0 || c.Length < shortest) {
			p.limits[r.Link] = c.Length
		}
	}
}

// ownNormal: citext and some collations compare without case, char(n) without
// trailing blanks.
func ownNormal(c *schema.Column, r *spec.Rule) normal {
	return normal{
		trim:   slices.Contains(r.Normalize, "trim"),
		lower:  slices.Contains(r.Normalize, "lower") || c.Base.Name == "citext" || c.Folds,
		blanks: c.Base.Is("bpchar"),
	}
}

// recipe makes a rule ready for a column, or for a part of it that has the
// domain in which its values are hashed.
func (p *planner) recipe(c *schema.Column, r *spec.Rule, domain []byte) *recipe {
	out := &recipe{
		transform: transforms[r.Transform], name: r.Transform, domain: domain, normal: ownNormal(c, r),
		percent: cmp.Or(r.Percent, defaultPercent), days: cmp.Or(r.Days, defaultDays), bucket: uint64(r.Bucket), to: datePrecisions[r.To],
		largest: c.Base.Largest(), limit: c.Length, span: spanOfTimestamp,
		network: c.Base.Is("cidr"), plainNumber: c.Base.IsNumber(), lenient: c.Base.Values().IsText(), folded: r.Link != "" || len(r.Normalize) > 0,
		locale: p.locale(r), code: p.encoding.Code,
	}
	if out.transform == nil {
		out.transform = &transform{effect: merges, write: func(_ *masker, dst []byte, _ *recipe, _ input) ([]byte, error) { return dst, errUnknownTransform }}
	}
	out.effect = out.transform.effect
	if bound, ok := c.Base.Bound(); ok && r.Transform != constant && r.Transform != setNull {
		out.transform, out.whole = ofRanges(out.transform, c.Base), true
		out.largest = bound.Largest()
	}
	if r.Link != "" {
		out.normal, out.limit = p.links[r.Link], p.limits[r.Link]
	}
	if c.Base.Is("date", "daterange", "datemultirange") {
		out.span = spanOfDate
	}
	if c.Base.IsBytes() {
		out.lead = `\x`
	}
	switch {
	case r.Transform == template && r.Value != nil:
		out.parts, _, out.effect, _ = templateOf(*r.Value, out.locale, p.encoding)
	case r.Transform == replace:
		out.pattern, _ = regexp.Compile(r.Pattern) // spec has looked at it
		out.with = []byte(r.With)
	case r.Value != nil:
		out.value, _ = p.encoding.Encode(*r.Value)
	}
	return out
}

// unfit says why a column would refuse what a rule makes, and the mend; or
// nothing. What the server was asked once is not asked again for a partition
// that is like another.
func (p *planner) unfit(c *schema.Column, r *spec.Rule, made *recipe, asked map[string]bool) (why, mend string, err error) {
	for _, test := range []func(*schema.Column, *spec.Rule) (string, string){
		unfitKind, p.unfitPartition, unfitType, unfitParameters, p.unfitLength, unfitKey, p.unfitEncoding,
	} {
		if why, mend := test(c, r); why != "" {
			return why, mend, nil
		}
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

func unfitKind(c *schema.Column, r *spec.Rule) (why, mend string) {
	switch {
	case c.Generated:
		return "is a generated column: no backup holds its values", "write rules for the columns it is computed from, and take this one away"
	case r.Transform == setNull && (c.NotNull || c.PrimaryKey || c.Identity):
		return "cannot be null", "choose another transform"
	case r.Transform == setNull && c.NullsEqual:
		return "would hold more than one null, which " + joined(c.Unique) + " forbids", "choose another transform"
	case r.Transform == setNull && r.Each:
		return "is set to null as a whole: each says nothing here", "take each away"
	case r.Each && !c.Array:
		return "is no array", "take each away"
	}
	return "", ""
}

// unfitType: garbage in char, xml and the like would be taken without a word.
func unfitType(c *schema.Column, r *spec.Rule) (why, mend string) {
	t := transforms[r.Transform]
	switch {
	case t == nil:
		return "has the unknown transform " + r.Transform, "choose one of " + joined(transformNames())
	case r.Transform == setNull || r.Transform == constant:
		return "", ""
	case !t.fits(c.Base.Values()):
		return fmt.Sprintf("is of type %s, which %s cannot write", c.SQL, r.Transform), "use set_null or constant, or preserve it with a why"
	case c.Array && !r.Each:
		return "is an array", "add each: true"
	}
	return "", ""
}

// unfitParameters are those that a drill file's reader lets through, or that
// no drill file was read for.
func unfitParameters(c *schema.Column, r *spec.Rule) (why, mend string) {
	switch {
	case (r.Transform == constant || r.Transform == template) && r.Value == nil:
		return "has the transform " + r.Transform + " without a value", "add value:"
	case r.Transform == template:
		if _, err := spec.ParseTemplate(*r.Value); err != nil {
			return "has a template in which " + err.Error(), "correct value:"
		}
	case r.Transform == replace:
		if _, err := regexp.Compile(r.Pattern); err != nil || r.Pattern == "" {
			return "has the transform replace without a pattern", "add pattern:"
		}
	case r.By != "":
		if by := c.Table.ByName[r.By]; by == nil || by.Generated {
			return fmt.Sprintf("is shifted by %s, which is no column of %s whose values the archive holds", r.By, c.Table.Name), "name the column that says who the row is about"
		}
	}
	return "", ""
}

func (p *planner) unfitLength(c *schema.Column, r *spec.Rule) (why, mend string) {
	if need := tooLong(c, r, p.locale(r)); need > 0 {
		return fmt.Sprintf("holds %d characters, and %s makes %d", c.Length, r.Transform, need), mendFor(c, "fit", text, tokenLike, setNull)
	}
	return "", ""
}

// tooLong is how many characters the column would have to hold, where it does
// not.
func tooLong(c *schema.Column, r *spec.Rule, locale *words.Locale) int {
	need := 0
	switch t := transforms[r.Transform]; {
	case t != nil && t.length > 0 && c.Base.IsText():
		need = t.length
	case r.Transform == constant && r.Value != nil && c.Base.IsText() && !c.Array:
		need = utf8.RuneCountInString(*r.Value)
	case r.Transform == template && r.Value != nil:
		_, need, _, _ = templateOf(*r.Value, locale, copytext.Encoding{})
	}
	if c.Length > 0 && need > c.Length {
		return need
	}
	return 0
}

func unfitKey(c *schema.Column, r *spec.Rule) (why, mend string) {
	if mergesKey(c, r) {
		return fmt.Sprintf("is part of %s, and %s may make two values one", joined(c.Unique), r.Transform),
			mendFor(c, "keep values apart", email, hash128, tokenLike, uuid4, webAddress)
	}
	return "", ""
}

func mergesKey(c *schema.Column, r *spec.Rule) bool {
	return len(c.Unique) > 0 && effectOf(r) == merges
}

// mendFor names those of the transforms that the column would not refuse in
// turn; else set_null, if it takes that; else no transform.
func mendFor(c *schema.Column, what string, transforms ...string) string {
	if fitting := slices.DeleteFunc(transforms, func(t string) bool { return !takes(c, t) }); len(fitting) > 0 {
		return "use one that would " + what + ": " + strings.Join(fitting, ", ")
	}
	if takes(c, setNull) {
		return "use set_null: no transform that would " + what + " suits its type and length"
	}
	return "preserve it with a why: no transform that would " + what + " suits its type and length"
}

func takes(c *schema.Column, transform string) bool {
	r := &spec.Rule{Transform: transform, Each: c.Array && transform != setNull}
	kind, _ := unfitKind(c, r)
	typ, _ := unfitType(c, r)
	return kind == "" && typ == "" && tooLong(c, r, words.Of(words.Default)) == 0 && !mergesKey(c, r)
}

func effectOf(r *spec.Rule) effect {
	if r.Transform == template && r.Value != nil {
		_, _, made, _ := templateOf(*r.Value, words.Of(words.Default), copytext.Encoding{})
		return made
	}
	if t := transforms[r.Transform]; t != nil {
		return t.effect
	}
	return merges
}

// unfitPartition: a leaf refuses a row whose key has changed, and a root
// would put it elsewhere.
func (p *planner) unfitPartition(c *schema.Column, r *spec.Rule) (why, mend string) {
	for _, t := range c.Table.WithAncestors() {
		if t.PartitionedBy(c.Name) {
			return fmt.Sprintf("decides which partition of %s a row belongs to", t.Name), "preserve it with a why"
		}
	}
	return "", ""
}

func (p *planner) unfitEncoding(c *schema.Column, r *spec.Rule) (why, mend string) {
	if (r.Each || c.Base.IsHstore()) && p.encoding.Charset != copytext.ASCIISafe {
		return fmt.Sprintf("is an array or hstore in %s, where braces and quotes cannot be told from letters", p.encoding.Name), "use set_null, or dump with --encoding=UTF8"
	}
	if r.Transform == replace && p.encoding.Code != nil {
		return fmt.Sprintf("is in %s, in which what replace leaves cannot be written back", p.encoding.Name), "use another transform, or dump with --encoding=UTF8"
	}
	if r.Transform != constant && r.Transform != template {
		return p.unfitWords(r)
	}
	if _, ok := p.encoding.Encode(*r.Value); !ok {
		return fmt.Sprintf("gets a value that %s, the encoding of the rows, cannot write", p.encoding.Name), "choose a value of plain letters"
	}
	return p.unfitWords(r)
}

// unfitServer asks the server what its types and CHECK constraints say to
// samples of what the recipe makes.
func (p *planner) unfitServer(c *schema.Column, r *spec.Rule, made *recipe) (string, error) {
	switch r.Transform {
	case setNull:
		return p.refusal(c, nil)
	case constant:
		value := arrayed(c, r, *r.Value)
		return p.refusal(c, &value)
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
func (p *planner) refusesSamples(c *schema.Column, r *spec.Rule, made *recipe) (string, error) {
	decode := p.encoding.NewDecoder()
	var trials []trial
	for _, s := range made.outcomes(c) {
		t := trial{out: func() []string {
			all := make([]string, len(s.out))
			for i, out := range s.out {
				all[i] = arrayed(c, r, string(decode.Decode([]byte(out))))
			}
			return all
		}}
		if made.keepsShape {
			in := arrayed(c, r, s.in)
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
	accepted, first := false, ""
	for _, t := range trials {
		if t.in != nil {
			why, err := p.refusal(c, t.in)
			if err != nil {
				return "", err
			}
			if why != "" {
				first = why
				continue
			}
		}
		accepted = true
		for _, out := range t.out() {
			if why, err := p.refusal(c, &out); err != nil || why != "" {
				return why, err
			}
		}
	}
	if !accepted {
		return first + " (and no sample value passes, so that it cannot be tried)", nil
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
