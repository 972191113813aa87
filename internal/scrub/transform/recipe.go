package transform

import (
	"cmp"
	"slices"

	"daybefore/internal/copytext"
	"daybefore/internal/locale"
	"daybefore/internal/scrub/schema"
	"daybefore/internal/spec"
)

// Defaults of a rule, where a spec was not made by Load.
const (
	defaultPercent = 10
	defaultDays    = 180
)

// NormalOf: citext and some collations compare without case, those that are not
// deterministic without regard to how accents are written, char(n) without
// trailing blanks.
func NormalOf(c *schema.Column, r *spec.Rule) Normal {
	return Normal{
		Trim:     slices.Contains(r.Normalize, "trim"),
		Lower:    slices.Contains(r.Normalize, "lower") || c.Base.Name == "citext" || c.Folds,
		Composed: slices.Contains(r.Normalize, "nfc") || c.Alike,
		Blanks:   c.Base.Is("bpchar"),
	}
}

// Env is what a recipe takes from elsewhere than its rule and its column.
type Env struct {
	Locale   *locale.Locale
	Encoding copytext.Encoding // of the rows
	Normal   Normal            // of the rule's link, if it has one
	Limit    int               // likewise: characters of its shortest column; 0: none
}

// New makes a rule ready for a column, or for a part of it that has the
// domain in which its values are hashed.
func New(c *schema.Column, r *spec.Rule, domain Domain, env Env) *Recipe {
	out := &Recipe{
		kind: kinds[r.Transform], name: r.Transform, domain: domain, normal: NormalOf(c, r),
		percent: cmp.Or(r.Percent, defaultPercent), bucket: uint64(r.Bucket), largest: c.Base.Largest(),
		meters: float64(cmp.Or(r.Meters, defaultMeters)), degrees: degreesOf(c),
		days: cmp.Or(r.Days, defaultDays), to: datePrecisions[r.To], span: spanOfTimestamp,
		limit: c.Length, network: c.Base.Is("cidr"), plainNumber: c.Base.IsNumber(), lenient: c.Base.Values().IsText(),
		folded: r.Link != "" || len(r.Normalize) > 0, locale: env.Locale, code: env.Encoding.Code,
	}
	if out.kind == nil {
		out.kind = &kind{effect: Merges, write: writeUnknown}
	}
	if out.of != nil {
		out.kind = out.of(c.Base.Values(), out.kind)
	}
	out.effect = out.kind.effect
	if bound, ok := c.Base.Bound(); ok && !out.fixed && out.effect != Clears {
		out.kind = ofRanges(out.kind, c.Base)
		out.whole = true
		out.largest = bound.Largest()
	}
	if out.name == Position {
		out.kind = ofPositions(out.kind, c.Base.Values())
	}
	if r.Link != "" {
		out.normal = env.Normal
		out.limit = env.Limit
	}
	if c.Base.Is("date", "daterange", "datemultirange") {
		out.span = spanOfDate
	}
	if c.Base.IsBytes() {
		out.lead = `\x`
	}
	out.domain = apart(out.name, domain)
	if out.ready != nil {
		out.ready(out, r, env)
	}
	return out
}

// apart is the domain of a transform from whose pseudonyms, or from what another of
// the same link shows of the digest, a value could be told: by how much it moved, or
// since what permute's rounds hash is no value.
func apart(name string, d Domain) Domain {
	switch name {
	case Number, Money:
		return d.Within(Number)
	case Position, Permute:
		return d.Within(name)
	}
	return d
}

func writeUnknown(_ *Masker, dst []byte, _ *Recipe, _ input) ([]byte, error) {
	return dst, errUnknownTransform
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

// IsFixed reports whether the rule says all that is made, so that nothing of a value
// is in it.
func (r *Recipe) IsFixed() bool { return r.kind != nil && r.fixed }

// Bare is the recipe of a transform that needs no rule.
func Bare(transform string) *Recipe {
	return &Recipe{kind: kinds[transform], name: transform, effect: kinds[transform].effect}
}

// Reader is a recipe that makes nothing: it says what is taken off a value before
// it is compared or hashed, and under which domain it is hashed.
func Reader(domain Domain, n Normal) *Recipe { return &Recipe{domain: domain, normal: n} }
