package scrub

import (
	"unicode/utf8"

	"daybefore/internal/copytext"
	"daybefore/internal/spec"
	"daybefore/internal/words"
)

// writeReplaced lets through what the pattern does not find in a value, and
// nothing of a value in which it finds nothing.
func writeReplaced(m *masker, dst []byte, r *recipe, in input) ([]byte, error) {
	if !r.pattern.Match(in.value) {
		return writeShape(m, dst, r, in)
	}
	return cutTo(append(dst, r.pattern.ReplaceAll(in.value, r.with)...), len(dst), r.limit), nil
}

// templatePart is fixed text, or what another transform makes.
type templatePart struct {
	literal []byte // in the encoding of the rows
	made    *recipe
}

// templateOf is a template made ready, how many characters it makes at most,
// and its effect: what keeps values apart does so between other words too.
func templateOf(s string, locale *words.Locale, rows copytext.Encoding) (parts []templatePart, most int, made effect, err error) {
	read, err := spec.ParseTemplate(s)
	made = merges
	for _, p := range read {
		if p.Transform == "" {
			literal, _ := rows.Encode(p.Literal)
			parts = append(parts, templatePart{literal: literal})
			most += utf8.RuneCountInString(p.Literal)
			continue
		}
		t := transforms[p.Transform]
		parts = append(parts, templatePart{made: &recipe{transform: t, name: p.Transform, locale: locale, code: rows.Code}})
		most += t.most
		if t.words != nil {
			most += t.words(locale).Longest()
		}
		if t.effect == keepsApart {
			made = keepsApart
		}
	}
	return parts, most, made, err
}

func writeTemplate(m *masker, dst []byte, r *recipe, in input) (_ []byte, err error) {
	for _, p := range r.parts {
		if p.made == nil {
			dst = append(dst, p.literal...)
		} else if dst, err = p.made.write(m, dst, p.made, in); err != nil {
			return dst, err
		}
	}
	return dst, nil
}
