package transform

import (
	"regexp"
	"unicode/utf8"

	"daybefore/internal/copytext"
	"daybefore/internal/locale"
	"daybefore/internal/scrub/schema"
	"daybefore/internal/spec"
)

const (
	Template = "template" // the rule's value, with {other transforms} in it
	Replace  = "replace"  // what pattern finds replaced; text where it finds nothing
)

func init() {
	register(Template, kind{
		fits: schema.Type.IsText, escapes: true, texts: valueOf,
		lacks: lacksTemplate, ready: readyTemplate, write: writeTemplate,
	})
	register(Replace, kind{
		fits: schema.Type.IsText, keepsShape: true, escapes: true,
		lacks: lacksPattern, ready: readyPattern, write: writeReplaced,
	})
}

// writeReplaced lets through what the pattern does not find in a value, and
// nothing of a value in which it finds nothing.
func writeReplaced(m *Masker, dst []byte, r *Recipe, in input) ([]byte, error) {
	if !r.pattern.Match(in.value) {
		return writeShape(m, dst, r, in)
	}
	return CutTo(append(dst, r.pattern.ReplaceAll(in.value, r.with)...), len(dst), r.limit), nil
}

// templatePart is fixed text, or what another transform makes.
type templatePart struct {
	literal []byte // in the encoding of the rows
	made    *Recipe
}

// templateOf is a template made ready, how many characters it makes at most,
// and its effect: what keeps values apart does so between other words too.
func templateOf(s string, in *locale.Locale, rows copytext.Encoding) (
	parts []templatePart, most int, made Effect, err error,
) {
	read, err := spec.ParseTemplate(s)
	made = Merges
	for _, p := range read {
		if p.Transform == "" {
			literal, _ := rows.Encode(p.Literal)
			parts = append(parts, templatePart{literal: literal})
			most += utf8.RuneCountInString(p.Literal)
			continue
		}
		t := kinds[p.Transform]
		parts = append(parts, templatePart{made: &Recipe{kind: t, name: p.Transform, locale: in, code: rows.Code}})
		most += t.most
		if t.words != nil {
			most += t.words(in).Longest()
		}
		if t.effect == KeepsApart {
			made = KeepsApart
		}
	}
	return parts, most, made, err
}

func writeTemplate(m *Masker, dst []byte, r *Recipe, in input) (_ []byte, err error) {
	for _, p := range r.parts {
		if p.made == nil {
			dst = append(dst, p.literal...)
			continue
		}
		dst, err = p.made.write(m, dst, p.made, in)
		if err != nil {
			return dst, err
		}
	}
	return dst, nil
}

func lacksTemplate(r *spec.Rule) (why, hint string) {
	why, hint = lacksValue(r)
	if why != "" {
		return why, hint
	}
	if _, err := spec.ParseTemplate(*r.Value); err != nil {
		return "has a template in which " + err.Error(), "correct value:"
	}
	return "", ""
}

// readyTemplate: what keeps values apart does so within a template too.
func readyTemplate(out *Recipe, r *spec.Rule, env Env) {
	if r.Value != nil {
		out.parts, _, out.effect, _ = templateOf(*r.Value, out.locale, env.Encoding)
	}
}

func lacksPattern(r *spec.Rule) (why, hint string) {
	if _, err := regexp.Compile(r.Pattern); err != nil || r.Pattern == "" {
		return "has the transform replace without a pattern", "add pattern:"
	}
	return "", ""
}

func readyPattern(out *Recipe, r *spec.Rule, _ Env) {
	out.pattern, _ = regexp.Compile(r.Pattern) // spec has looked at it
	out.with = []byte(r.With)
}
