package transform

import (
	"unicode/utf8"

	"daybefore/internal/copytext"
	"daybefore/internal/spec"
	"daybefore/internal/words"
)

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
func templateOf(s string, locale *words.Locale, rows copytext.Encoding) (parts []templatePart, most int, made Effect, err error) {
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
		parts = append(parts, templatePart{made: &Recipe{kind: t, name: p.Transform, locale: locale, code: rows.Code}})
		most += t.most
		if t.words != nil {
			most += t.words(locale).Longest()
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
		} else if dst, err = p.made.write(m, dst, p.made, in); err != nil {
			return dst, err
		}
	}
	return dst, nil
}
