package spec

import (
	"slices"
	"strings"

	"daybefore/internal/spec/guess"
)

// TemplatePart is fixed text or, where Transform is not empty, what that makes
// of the value.
type TemplatePart struct{ Literal, Transform string }

// ParseTemplate reads text with {transform} in it; {{ and }} stand for braces.
// The error says what is wrong and the hint.
func ParseTemplate(s string) ([]TemplatePart, error) {
	parts, fault := templateParts(s)
	if fault != nil {
		return nil, fault
	}
	return parts, nil
}

func templateParts(s string) (parts []TemplatePart, _ *unplaced) {
	var literal strings.Builder
	end := func() {
		if literal.Len() > 0 {
			parts = append(parts, TemplatePart{Literal: literal.String()})
			literal.Reset()
		}
	}
	for s != "" {
		switch {
		case strings.HasPrefix(s, "{{"), strings.HasPrefix(s, "}}"):
			literal.WriteByte(s[0])
			s = s[2:]
		case s[0] == '}':
			return nil, unplacedf("write }} for a brace", "a } closes nothing")
		case s[0] == '{':
			word, rest, closed := strings.Cut(s[1:], "}")
			if !closed {
				return nil, unplacedf("write {{ for a brace, or close it: {hash}", "a { is not closed")
			}
			if may := TemplateTransforms(); !slices.Contains(may, word) {
				return nil, unplacedf("write {{ for a brace, and between braces "+guess.Alternatives(may),
					"{%s} is not a transform that a template may hold", word)
			}
			end()
			parts = append(parts, TemplatePart{Transform: word})
			s = rest
		default:
			literal.WriteByte(s[0])
			s = s[1:]
		}
	}
	end()
	if !slices.ContainsFunc(parts, func(p TemplatePart) bool { return p.Transform != "" }) {
		return nil, unplacedf("write {hash} or the like in it, or use constant", "no transform is in it")
	}
	return parts, nil
}

// templateKeepsApart reports whether a template holds what keeps values apart.
func templateKeepsApart(s string) bool {
	parts, _ := templateParts(s)
	return slices.ContainsFunc(parts, func(p TemplatePart) bool {
		t, _ := TransformNamed(p.Transform)
		return t.Apart
	})
}
