package propose

import (
	"cmp"
	"slices"

	"daybefore/internal/scrub/document"
	"daybefore/internal/scrub/schema"
	"daybefore/internal/scrub/transform"
	"daybefore/internal/spec"
	"daybefore/internal/spec/jsonpath"
)

// ways are the rules that might suit, the best first.
func (s *Suspicion) ways() []spec.Rule {
	var all []spec.Rule
	c := s.Root
	switch {
	case s.Passes != "":
		return []spec.Rule{{Preserve: true, Why: s.Passes}}
	case c.Base.Is("json", "jsonb"):
		if paths := s.paths(); len(paths) > 0 {
			all = append(all, spec.Rule{JSON: paths, Unmatched: document.Redact})
		}
		all = append(all, spec.Rule{JSON: []spec.PathRule{}, Unmatched: document.Redact})
	case len(c.Fields) > 0:
		if fields := fieldRules(c, nil); len(fields) > 0 {
			all = append(all, spec.Rule{Fields: fields})
		}
	}
	if s.Transform == transform.Choice {
		all = append(all, choices(s.Root, s.Few)...)
	}
	for _, t := range transformsFor(s.Transform) {
		all = append(all, spec.Rule{Transform: t})
	}
	if s.Root.Family() == schema.Opaque {
		for _, value := range []string{"", "{}", "<empty/>", "(0,0)"} { // of types that may not be null
			all = append(all, spec.Rule{Transform: transform.Constant, Value: &value})
		}
	}
	return all
}

// transformsFor are a transform and those that may suit where it does not fit.
func transformsFor(fitting string) []string {
	if fitting == transform.Choice { // which is tried with its values
		return []string{transform.SetNull, transform.Text, transform.Number}
	}
	all := []string{fitting, transform.Text, transform.Number, transform.Token, transform.Hash, transform.Permute,
		transform.SetNull}
	if fitting == transform.Phone { // where it must stay apart it stays a number to dial
		all = slices.Insert(all, 1, transform.Permute)
	}
	return append(all[:1], slices.DeleteFunc(all[1:], func(t string) bool { return t == fitting })...)
}

// paths are the rules for the keys that look sensitive, at any depth.
func (s *Suspicion) paths() []spec.PathRule {
	var all []spec.PathRule
	for _, k := range s.Keys {
		path, _ := jsonpath.Parse(cmp.Or(k.Path, "$.."+k.Name)) // which is one: the key is a plain word
		all = append(all,
			spec.PathRule{Path: path, Keys: k.Path != "",
				Rule: spec.Rule{Transform: Suitable(s.Root.AsText(), k.Transform)}})
	}
	return all
}

// fieldRules are those for the fields of a composite that look sensitive or
// hold text.
func fieldRules(within *schema.Column, path []string) []spec.FieldRule {
	var all []spec.FieldRule
	for _, f := range within.Fields {
		here := append(slices.Clone(path), f.Name)
		if len(f.Fields) > 0 && !f.Array {
			all = append(all, fieldRules(f, here)...)
			continue
		}
		what, fitting := Sensitive(f)
		switch {
		case f.Array && (what != "" || f.Family() == schema.Textual):
			fitting = transform.SetNull
		case what == "" && f.Family() == schema.Textual:
			fitting = transform.Text
		case what == "":
			continue
		}
		rule := spec.FieldRule{Field: here, Rule: spec.Rule{Transform: cmp.Or(Suitable(f, fitting), transform.SetNull)}}
		rule.Source = spec.Dotted(here...)
		all = append(all, rule)
	}
	return all
}

// Suitable is the transform, or else another that the column takes, as far as
// can be told without its server: a hint that is refused in turn is none. Empty:
// none does.
func Suitable(c *schema.Column, fitting string) string {
	for _, t := range transformsFor(fitting) {
		if transform.Takes(c, t) {
			return t
		}
	}
	return ""
}

// RuleFor is a rule as a drill file would have it for a column.
func RuleFor(c *schema.Column, r *spec.Rule) *spec.Rule {
	out := *r
	out.Column, _ = spec.ParseColumnPattern(c.Dotted()) // which is one
	out.Pos = spec.Pos{}
	out.Each = c.Array && r.Transform != transform.SetNull && r.Transform != transform.Constant && !r.Preserve
	return &out
}
