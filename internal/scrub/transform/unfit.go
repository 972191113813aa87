package transform

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"daybefore/internal/copytext"
	"daybefore/internal/scrub/schema"
	"daybefore/internal/spec"
	"daybefore/internal/words"
)

func UnfitKind(c *schema.Column, r *spec.Rule) (why, mend string) {
	switch {
	case c.Generated:
		return "is a generated column: no backup holds its values", "write rules for the columns it is computed from, and take this one away"
	case r.Transform == SetNull && (c.NotNull || c.PrimaryKey || c.Identity):
		return "cannot be null", "choose another transform"
	case r.Transform == SetNull && c.NullsEqual:
		return "would hold more than one null, which " + strings.Join(c.Unique, ", ") + " forbids", "choose another transform"
	case r.Transform == SetNull && r.Each:
		return "is set to null as a whole: each says nothing here", "take each away"
	case r.Each && !c.Array:
		return "is no array", "take each away"
	}
	return "", ""
}

// UnfitType: garbage in char, xml and the like would be taken without a word.
func UnfitType(c *schema.Column, r *spec.Rule) (why, mend string) {
	t := kinds[r.Transform]
	switch {
	case t == nil:
		return "has the unknown transform " + r.Transform, "choose one of " + strings.Join(Names(), ", ")
	case r.Transform == SetNull || r.Transform == Constant:
		return "", ""
	case !Fits(r.Transform, c.Base):
		return fmt.Sprintf("is of type %s, which %s cannot write", c.SQL, r.Transform), "use set_null or constant, or preserve it with a why"
	case c.Array && !r.Each:
		return "is an array", "add each: true"
	}
	return "", ""
}

// UnfitParameters are those that a drill file's reader lets through, or that
// no drill file was read for.
func UnfitParameters(c *schema.Column, r *spec.Rule) (why, mend string) {
	switch {
	case (r.Transform == Constant || r.Transform == Template) && r.Value == nil:
		return "has the transform " + r.Transform + " without a value", "add value:"
	case r.Transform == Template:
		if _, err := spec.ParseTemplate(*r.Value); err != nil {
			return "has a template in which " + err.Error(), "correct value:"
		}
	case r.Transform == Replace:
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

func UnfitLength(c *schema.Column, r *spec.Rule, locale *words.Locale) (why, mend string) {
	if need := tooLong(c, r, locale); need > 0 {
		return fmt.Sprintf("holds %d characters, and %s makes %d", c.Length, r.Transform, need), mendFor(c, "fit", Text, Token, SetNull)
	}
	return "", ""
}

// tooLong is how many characters the column would have to hold, where it does
// not.
func tooLong(c *schema.Column, r *spec.Rule, locale *words.Locale) int {
	need := 0
	switch t := kinds[r.Transform]; {
	case t != nil && t.length > 0 && c.Base.IsText():
		need = t.length
	case r.Transform == Constant && r.Value != nil && c.Base.IsText() && !c.Array:
		need = utf8.RuneCountInString(*r.Value)
	case r.Transform == Template && r.Value != nil:
		_, need, _, _ = templateOf(*r.Value, locale, copytext.Encoding{})
	}
	if c.Length > 0 && need > c.Length {
		return need
	}
	return 0
}

func UnfitKey(c *schema.Column, r *spec.Rule) (why, mend string) {
	if mergesKey(c, r) {
		return fmt.Sprintf("is part of %s, and %s may make two values one", strings.Join(c.Unique, ", "), r.Transform),
			mendFor(c, "keep values apart", Email, Hash, Token, UUID, URL)
	}
	return "", ""
}

func mergesKey(c *schema.Column, r *spec.Rule) bool {
	return len(c.Unique) > 0 && EffectOf(r) == Merges
}

// mendFor names those of the transforms that the column would not refuse in
// turn; else set_null, if it takes that; else no transform.
func mendFor(c *schema.Column, what string, transforms ...string) string {
	if fitting := slices.DeleteFunc(transforms, func(t string) bool { return !Takes(c, t) }); len(fitting) > 0 {
		return "use one that would " + what + ": " + strings.Join(fitting, ", ")
	}
	if Takes(c, SetNull) {
		return "use set_null: no transform that would " + what + " suits its type and length"
	}
	return "preserve it with a why: no transform that would " + what + " suits its type and length"
}

func Takes(c *schema.Column, transform string) bool {
	r := &spec.Rule{Transform: transform, Each: c.Array && transform != SetNull}
	kind, _ := UnfitKind(c, r)
	typ, _ := UnfitType(c, r)
	return kind == "" && typ == "" && tooLong(c, r, words.Of(words.Default)) == 0 && !mergesKey(c, r)
}

func EffectOf(r *spec.Rule) Effect {
	if r.Transform == Template && r.Value != nil {
		_, _, made, _ := templateOf(*r.Value, words.Of(words.Default), copytext.Encoding{})
		return made
	}
	if t := kinds[r.Transform]; t != nil {
		return t.effect
	}
	return Merges
}
