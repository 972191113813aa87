package scrub

import (
	"slices"
	"strings"

	"daybefore/internal/spec"
)

func matchPart(pattern string, literal bool, s string) bool {
	return literal && pattern == s || !literal && spec.Glob(pattern, s)
}

func matchColumn(p spec.ColumnPattern, c *column) bool {
	return p.Match(c.table.name.schema, c.table.name.table, c.name)
}

// rank says how narrow one part of a pattern is.
func rank(part string, literal bool) int {
	switch {
	case literal || !strings.Contains(part, "*"):
		return 2
	case strings.Trim(part, "*") != "":
		return 1
	}
	return 0
}

// ranks are those of a rule's parts; a type is narrower than any.
func ranks(r *spec.Rule) [4]int {
	p, typed := r.Column, 0
	if r.Type != (spec.Name{}) {
		typed = 1
	}
	return [4]int{rank(p.Schema, p.LiteralSchema), rank(p.Table, p.LiteralTable), rank(p.Column, p.LiteralColumn), typed}
}

// exact tells whether the rule names one column and no other.
func exact(r *spec.Rule) bool { got := ranks(r); return [3]int(got[:3]) == [3]int{2, 2, 2} }

func matchType(n spec.Name, c *column) bool {
	return n == (spec.Name{}) || slices.ContainsFunc(c.types, func(t pgType) bool { return t.name == n.Table && (n.Schema == "" || n.Schema == t.schema) })
}

// candidate is a rule that reaches a column: its own, or that of the same
// column of a table which this one is inherited from, so many steps away.
type candidate struct {
	rule     *spec.Rule
	distance int
}

// beats tells whether a is the narrower rule: in no part of the pattern wider
// and in one narrower, or as narrow and nearer.
func (a candidate) beats(b candidate) bool {
	ra, rb := ranks(a.rule), ranks(b.rule)
	narrower := false
	for i := range ra {
		if ra[i] < rb[i] {
			return false
		}
		narrower = narrower || ra[i] > rb[i]
	}
	return narrower || a.distance < b.distance
}

// candidates are the rules that reach a column.
func candidates(rules []spec.Rule, c *column) []candidate {
	var found []candidate
	for i := range rules {
		if distance, ok := reaches(&rules[i], c); ok {
			found = append(found, candidate{&rules[i], distance})
		}
	}
	return found
}

func reaches(r *spec.Rule, c *column) (distance int, ok bool) {
	if !matchType(r.Type, c) {
		return 0, false
	}
	if matchColumn(r.Column, c) {
		return 0, true
	}
	for i, t := range c.table.ancestors() {
		if above := t.byName[c.name]; above != nil && matchColumn(r.Column, above) {
			return i + 1, true
		}
	}
	return 0, false
}

// narrowest is the rule that beats all others; rival is another that it does
// not beat, if there is one.
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

// matchTable tells whether a pattern, schema.table with * in unquoted parts,
// names a table. A pattern of one part is a table in any schema.
func matchTable(pattern string, name tableName) bool {
	first, rest, literal := patternPart(pattern)
	if rest == "" {
		return matchPart(first, literal, name.table)
	}
	second, _, literalSecond := patternPart(rest[1:])
	return matchPart(first, literal, name.schema) && matchPart(second, literalSecond, name.table)
}

// patternPart takes the part up to the next dot, which is still in rest.
func patternPart(s string) (part, rest string, literal bool) {
	if strings.HasPrefix(s, `"`) {
		t := tokensOf(s)[0]
		return t.Text, s[t.End:], true
	}
	if i := strings.IndexByte(s, '.'); i >= 0 {
		return s[:i], s[i:], false
	}
	return s, "", false
}

// patternOf writes a column's name as a drill file needs it.
func patternOf(c *column) string { return yamlText(dotted(c)) }

func dotted(c *column) string { return spec.Dotted(c.table.name.schema, c.table.name.table, c.name) }
