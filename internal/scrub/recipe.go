package scrub

import (
	"cmp"
	"regexp"
	"slices"

	"daybefore/internal/copytext"
	"daybefore/internal/scrub/schema"
	"daybefore/internal/spec"
	"daybefore/internal/words"
)

// Defaults of a rule, where a spec was not made by Load.
const (
	defaultPercent = 10
	defaultDays    = 180
)

// ownNormal: citext and some collations compare without case, char(n) without
// trailing blanks.
func ownNormal(c *schema.Column, r *spec.Rule) normal {
	return normal{
		trim:   slices.Contains(r.Normalize, "trim"),
		lower:  slices.Contains(r.Normalize, "lower") || c.Base.Name == "citext" || c.Folds,
		blanks: c.Base.Is("bpchar"),
	}
}

// env is what a recipe takes from elsewhere than its rule and its column.
type env struct {
	locale   *words.Locale
	encoding copytext.Encoding // of the rows
	normal   normal            // of the rule's link, if it has one
	limit    int               // likewise: characters of its shortest column; 0: none
}

// newRecipe makes a rule ready for a column, or for a part of it that has the
// domain in which its values are hashed.
func newRecipe(c *schema.Column, r *spec.Rule, domain []byte, env env) *recipe {
	out := &recipe{
		transform: transforms[r.Transform], name: r.Transform, domain: domain, normal: ownNormal(c, r),
		percent: cmp.Or(r.Percent, defaultPercent), days: cmp.Or(r.Days, defaultDays), bucket: uint64(r.Bucket), to: datePrecisions[r.To],
		largest: c.Base.Largest(), limit: c.Length, span: spanOfTimestamp,
		network: c.Base.Is("cidr"), plainNumber: c.Base.IsNumber(), lenient: c.Base.Values().IsText(), folded: r.Link != "" || len(r.Normalize) > 0,
		locale: env.locale, code: env.encoding.Code,
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
		out.normal, out.limit = env.normal, env.limit
	}
	if c.Base.Is("date", "daterange", "datemultirange") {
		out.span = spanOfDate
	}
	if c.Base.IsBytes() {
		out.lead = `\x`
	}
	switch {
	case r.Transform == template && r.Value != nil:
		out.parts, _, out.effect, _ = templateOf(*r.Value, out.locale, env.encoding)
	case r.Transform == replace:
		out.pattern, _ = regexp.Compile(r.Pattern) // spec has looked at it
		out.with = []byte(r.With)
	case r.Value != nil:
		out.value, _ = env.encoding.Encode(*r.Value)
	}
	return out
}

// Name is the transform's, as drill files have it; empty for a Reader.
func (r *recipe) Name() string { return r.name }

// Effect is what the recipe does to values that were apart.
func (r *recipe) Effect() effect { return r.effect }

// Normal is what is taken off a value before it is hashed.
func (r *recipe) Normal() normal { return r.normal }

// KeepsShape reports whether what is made has the form of the value, so that a
// CHECK may take one and refuse another.
func (r *recipe) KeepsShape() bool { return r.keepsShape }

// OfRanges reports whether the values are ranges, of which the bounds are rewritten.
func (r *recipe) OfRanges() bool { return r.whole }

// bare is the recipe of a transform that needs no rule.
func bare(transform string) *recipe {
	return &recipe{transform: transforms[transform], name: transform, effect: transforms[transform].effect}
}

// readerOf is a recipe that makes nothing: it says what is taken off a value before
// it is compared or hashed, and under which domain it is hashed.
func readerOf(domain []byte, n normal) *recipe { return &recipe{domain: domain, normal: n} }
