package schema

import (
	"daybefore/internal/spec"
)

func matchColumn(p spec.ColumnPattern, c *Column) bool {
	return p.Match(c.Table.Name.Schema, c.Table.Name.Table, c.Name)
}

// widths are those of a rule's pattern, and behind them that of its type: a type
// is narrower than any.
func widths(r *spec.Rule) [4]int {
	anyType := 1
	if r.Type != (spec.Name{}) {
		anyType = 0
	}
	w := r.Column.Widths()
	return [4]int{w[0], w[1], w[2], anyType}
}

// Exact reports whether the rule names one column and no other.
func Exact(r *spec.Rule) bool { return r.Column.Widths() == [3]int{} }

// candidate is a rule that reaches a column: its own, or that of the same
// column of a table which this one is inherited from, so many steps away.
type candidate struct {
	rule     *spec.Rule
	distance int
}

// beats reports whether a is the narrower rule: in no part of the pattern wider
// and in one narrower, or as narrow and nearer.
func (a candidate) beats(b candidate) bool {
	mine := widths(a.rule)
	theirs := widths(b.rule)
	for i := range mine {
		if mine[i] > theirs[i] {
			return false
		}
	}
	return mine != theirs || a.distance < b.distance
}

// candidates are the rules that reach a column.
func candidates(rules []spec.Rule, c *Column) []candidate {
	var found []candidate
	for i := range rules {
		if distance, ok := Reaches(&rules[i], c); ok {
			found = append(found, candidate{&rules[i], distance})
		}
	}
	return found
}

// Reaches reports whether a rule is for a column, by its own name or that of the
// same column of a table so many steps above its own.
func Reaches(r *spec.Rule, c *Column) (distance int, ok bool) {
	if !c.IsOf(r.Type) {
		return 0, false
	}
	if matchColumn(r.Column, c) {
		return 0, true
	}
	for i, t := range c.Table.Ancestors() {
		if above := t.ByName[c.Name]; above != nil && matchColumn(r.Column, above) {
			return i + 1, true
		}
	}
	return 0, false
}

// NarrowestRule is the rule for a column that beats all others; rival is another
// that it does not beat, if there is one.
func NarrowestRule(rules []spec.Rule, c *Column) (best, rival *spec.Rule) {
	return narrowest(candidates(rules, c))
}

func narrowest(all []candidate) (best, rival *spec.Rule) {
	for _, a := range all {
		best, rival = a.rule, nil
		for _, b := range all {
			if a.rule != b.rule && !a.beats(b) {
				rival = b.rule
				break
			}
		}
		if rival == nil {
			return best, nil
		}
	}
	if len(all) == 0 {
		return nil, nil
	}
	// none beats all: name two that nothing beats
	top := undefeated(all)
	if len(top) < 2 {
		return best, rival
	}
	return top[0].rule, top[1].rule
}

func undefeated(all []candidate) []candidate {
	var top []candidate
	for _, a := range all {
		beaten := false
		for _, b := range all {
			beaten = beaten || b.beats(a)
		}
		if !beaten {
			top = append(top, a)
		}
	}
	return top
}
