package transform

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

// NormalOf: citext and some collations compare without case, char(n) without
// trailing blanks.
func NormalOf(c *schema.Column, r *spec.Rule) Normal {
	return Normal{
		Trim:   slices.Contains(r.Normalize, "trim"),
		Lower:  slices.Contains(r.Normalize, "lower") || c.Base.Name == "citext" || c.Folds,
		Blanks: c.Base.Is("bpchar"),
	}
}

// Env is what a recipe takes from elsewhere than its rule and its column.
type Env struct {
	Locale   *words.Locale
	Encoding copytext.Encoding // of the rows
	Normal   Normal            // of the rule's link, if it has one
	Limit    int               // likewise: characters of its shortest column; 0: none
}

// New makes a rule ready for a column, or for a part of it that has the
// domain in which its values are hashed.
func New(c *schema.Column, r *spec.Rule, domain []byte, env Env) *Recipe {
	out := &Recipe{
		kind: kinds[r.Transform], name: r.Transform, domain: domain, normal: NormalOf(c, r),
		percent: cmp.Or(r.Percent, defaultPercent), days: cmp.Or(r.Days, defaultDays), bucket: uint64(r.Bucket), to: datePrecisions[r.To],
		largest: c.Base.Largest(), limit: c.Length, span: spanOfTimestamp,
		network: c.Base.Is("cidr"), plainNumber: c.Base.IsNumber(), lenient: c.Base.Values().IsText(), folded: r.Link != "" || len(r.Normalize) > 0,
		locale: env.Locale, code: env.Encoding.Code,
	}
	if out.kind == nil {
		out.kind = &kind{effect: Merges, write: func(_ *Masker, dst []byte, _ *Recipe, _ input) ([]byte, error) { return dst, errUnknownTransform }}
	}
	out.effect = out.kind.effect
	if bound, ok := c.Base.Bound(); ok && r.Transform != Constant && r.Transform != SetNull {
		out.kind, out.whole = ofRanges(out.kind, c.Base), true
		out.largest = bound.Largest()
	}
	if r.Link != "" {
		out.normal, out.limit = env.Normal, env.Limit
	}
	if c.Base.Is("date", "daterange", "datemultirange") {
		out.span = spanOfDate
	}
	if c.Base.IsBytes() {
		out.lead = `\x`
	}
	switch {
	case r.Transform == Template && r.Value != nil:
		out.parts, _, out.effect, _ = templateOf(*r.Value, out.locale, env.Encoding)
	case r.Transform == Replace:
		out.pattern, _ = regexp.Compile(r.Pattern) // spec has looked at it
		out.with = []byte(r.With)
	case r.Value != nil:
		out.value, _ = env.Encoding.Encode(*r.Value)
	}
	return out
}

// Name is the transform's, as drill files have it; empty for a Reader.
func (r *Recipe) Name() string { return r.name }

// Effect is what the recipe does to values that were apart.
func (r *Recipe) Effect() Effect { return r.effect }

// Normal is what is taken off a value before it is hashed.
func (r *Recipe) Normal() Normal { return r.normal }

// KeepsShape reports whether what is made has the form of the value, so that a
// CHECK may take one and refuse another.
func (r *Recipe) KeepsShape() bool { return r.keepsShape }

// OfRanges reports whether the values are ranges, of which the bounds are rewritten.
func (r *Recipe) OfRanges() bool { return r.whole }

// Bare is the recipe of a transform that needs no rule.
func Bare(transform string) *Recipe {
	return &Recipe{kind: kinds[transform], name: transform, effect: kinds[transform].effect}
}

// Reader is a recipe that makes nothing: it says what is taken off a value before
// it is compared or hashed, and under which domain it is hashed.
func Reader(domain []byte, n Normal) *Recipe { return &Recipe{domain: domain, normal: n} }
