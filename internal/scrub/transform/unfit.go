package transform

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"daybefore/internal/copytext"
	"daybefore/internal/locale"
	"daybefore/internal/scrub/schema"
	"daybefore/internal/spec"
)

// UnfitKind says why the column is none that the rule may rewrite, and the fix; or
// nothing.
func UnfitKind(c *schema.Column, r *spec.Rule) (why, hint string) {
	switch {
	case c.Generated:
		return "is a generated column: no backup holds its values",
			"write rules for the columns it is computed from, and take this one away"
	case r.Transform == SetNull && (c.NotNull || c.PrimaryKey || c.Identity):
		return "cannot be null", "choose another transform"
	case r.Transform == SetNull && c.NullsEqual:
		return "would hold more than one null, which " + strings.Join(c.Unique, ", ") +
			" forbids", "choose another transform"
	case r.Transform == SetNull && r.Each:
		return "is set to null as a whole: each says nothing here", "take each away"
	case r.Each && !c.Array:
		return "is no array", "take each away"
	}
	return "", ""
}

// UnfitType says why the transform cannot write the column's type, and the fix; or
// nothing. The server would take garbage in char, xml and the like without a word.
func UnfitType(c *schema.Column, r *spec.Rule) (why, hint string) {
	t := kinds[r.Transform]
	switch {
	case t == nil:
		return "has the unknown transform " + r.Transform, "choose one of " + strings.Join(Names(), ", ")
	case r.Transform == SetNull || r.Transform == Constant:
		return "", ""
	case !Fits(r.Transform, c.Base):
		return fmt.Sprintf("is of type %s, which %s cannot write", c.SQL, r.Transform),
			"use set_null or constant, or preserve it with a why"
	case c.Array && !r.Each:
		return "is an array", "add each: true"
	case r.Transform == Permute && c.Alike:
		return "has a collation that takes different texts for equal, which permute may make of texts that are not",
			"use one that does not keep the shape: " + strings.Join([]string{Email, Hash, Token, UUID}, ", ")
	}
	return "", ""
}

// UnfitParameters says which parameters are missing or make no sense, where no drill
// file was read or its reader lets them through, and the fix; or nothing.
func UnfitParameters(c *schema.Column, r *spec.Rule) (why, hint string) {
	if k := kinds[r.Transform]; k != nil && k.lacks != nil {
		return k.lacks(r)
	}
	if r.By == "" {
		return "", ""
	}
	if by := c.Table.ByName[r.By]; by == nil || by.Generated {
		return fmt.Sprintf("is shifted by %s, which is no column of %s whose values the archive holds", r.By,
				c.Table.Name),
			"name the column that says who the row is about"
	}
	return "", ""
}

// UnfitLength says that the column has not the length for what the rule makes, and
// the fix; or nothing.
func UnfitLength(c *schema.Column, r *spec.Rule, in *locale.Locale) (why, hint string) {
	if need := tooLong(c, r, in); need > 0 {
		return fmt.Sprintf("holds %d characters, and %s makes %d", c.Length, r.Transform, need),
			hintFor(c, "fit", Text, Token, SetNull, Permute)
	}
	return "", ""
}

// tooLong is how many characters the column would have to hold, where it does
// not.
func tooLong(c *schema.Column, r *spec.Rule, in *locale.Locale) int {
	need := 0
	k := kinds[r.Transform]
	switch {
	case k == nil:
	case k.length > 0 && c.Base.IsText():
		need = k.length
	case k.fixed && c.Base.IsText() && (!c.Array || r.Each):
		for _, text := range k.texts(r) {
			need = max(need, utf8.RuneCountInString(text))
		}
	case r.Transform == Template && r.Value != nil:
		_, need, _, _ = templateOf(*r.Value, in, copytext.Encoding{})
	}
	if c.Length > 0 && need > c.Length {
		return need
	}
	return 0
}

// UnfitKey says that the rule may make two values of a key equal, and the fix; or
// nothing.
func UnfitKey(c *schema.Column, r *spec.Rule) (why, hint string) {
	if mergesKey(c, r) {
		return fmt.Sprintf("is part of %s, and %s may make two values one", strings.Join(c.Unique, ", "), r.Transform),
			hintFor(c, "keep values apart", Email, Hash, Token, UUID, URL, Permute)
	}
	return "", ""
}

func mergesKey(c *schema.Column, r *spec.Rule) bool {
	return len(c.Unique) > 0 && EffectOf(r) == Merges
}

// hintFor names those of the transforms that the column would not refuse in
// turn; else set_null, if it takes that; else no transform.
func hintFor(c *schema.Column, what string, transforms ...string) string {
	if fitting := slices.DeleteFunc(transforms, func(t string) bool { return !Takes(c, t) }); len(fitting) > 0 {
		return "use one that would " + what + ": " + strings.Join(fitting, ", ")
	}
	if Takes(c, SetNull) {
		return "use set_null: no transform that would " + what + " suits its type and length"
	}
	return "preserve it with a why: no transform that would " + what + " suits its type and length"
}

// Takes reports whether a column could be under a transform, as far as its
// definition tells.
func Takes(c *schema.Column, transform string) bool {
	r := &spec.Rule{Transform: transform, Each: c.Array && transform != SetNull}
	why, _ := UnfitKind(c, r)
	if why == "" {
		why, _ = UnfitType(c, r)
	}
	return why == "" && tooLong(c, r, locale.Of(locale.Default)) == 0 && !mergesKey(c, r)
}

// EffectOf is what a rule does to values that were apart.
func EffectOf(r *spec.Rule) Effect {
	if r.Transform == Template && r.Value != nil {
		_, _, made, _ := templateOf(*r.Value, locale.Of(locale.Default), copytext.Encoding{})
		return made
	}
	if t := kinds[r.Transform]; t != nil {
		return t.effect
	}
	return Merges
}

// Texts are what a rule has its transform write, as the drill file has them: the
// encoding of the rows must have all their letters.
func Texts(r *spec.Rule) []string {
	if k := kinds[r.Transform]; k != nil && k.texts != nil {
		return k.texts(r)
	}
	return nil
}
