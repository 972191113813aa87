package scrub

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"unicode/utf8"

	"daybefore/internal/copytext"
	"daybefore/internal/scrub/leakscan"
	"daybefore/internal/scrub/schema"
	"daybefore/internal/scrub/transform"
	"daybefore/internal/spec"
	"daybefore/internal/spec/guess"
	"daybefore/internal/verdict"
)

// keeper leaves rows of a table, and of what is inherited from it, as they are.
type keeper struct {
	rule  *spec.Keep
	table *schema.Table
	match map[string]leakscan.FoldedGlob
	set   map[string][]byte // in the encoding of the rows, escaped for COPY
	kept  atomic.Int64

	mu   sync.Mutex
	rows map[keptRow]struct{} // mostRemembered at most
}

// governs reports whether the keeper is for the rows of a table.
func (k *keeper) governs(t *schema.Table) bool {
	return k.table == t || slices.Contains(t.Ancestors(), k.table)
}

// keptRow is a row of a block, from 1.
type keptRow struct {
	table *schema.Table
	row   int64
}

// mostRemembered is how many kept rows are known by their numbers.
const mostRemembered = 1 << 16

func (k *keeper) remember(t *schema.Table, row int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.rows == nil {
		k.rows = map[keptRow]struct{}{}
	}
	if len(k.rows) < mostRemembered {
		k.rows[keptRow{t, row}] = struct{}{}
	}
}

// mayHaveKept reports whether a row of a table was kept, or may have been; 0 is
// any row.
func (k *keeper) mayHaveKept(t *schema.Table, row int64) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	_, ok := k.rows[keptRow{t, row}]
	return ok || row == 0 && k.kept.Load() > 0 || len(k.rows) == mostRemembered
}

// keep makes the keepers, and finds what is wrong with them.
func (p *planner) keep() error {
	for i := range p.rules.Keep {
		k := &p.rules.Keep[i]
		name := schema.Name{Schema: k.Table.Schema, Table: k.Table.Table}
		t := p.schema.ByName[name]
		loaded := t != nil &&
			slices.ContainsFunc(t.WithDescendants(), func(t *schema.Table) bool { _, ok := p.loaded[t]; return ok })
		if !loaded &&
			p.isLost(func(namespace, table string) bool { return namespace == name.Schema && table == name.Table }) {
			continue
		}
		if !loaded {
			p.problem(verdict.CodeRuleUnmet, "keep:"+name.String(), k.Pos,
				p.meant(k.Table, "correct the name, or take the entry away"), "keep: the archive holds no rows for %s",
				name)
			continue
		}
		made := &keeper{rule: k, table: t, match: map[string]leakscan.FoldedGlob{}, set: map[string][]byte{}}
		p.keepMatch(made)
		p.keepForeign(made)
		p.keepPermuted(made)
		if err := p.keepSet(made); err != nil {
			return err
		}
		p.keeps = append(p.keeps, made)
	}
	return nil
}

func (p *planner) keepMatch(k *keeper) {
	if len(k.rule.Match) == 0 {
		p.problem(verdict.CodeRuleUnfit, "keep:"+k.table.Name.String(), k.rule.Pos, "add match:",
			"keep: every row of %s would stay as it is", k.table.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(k.rule.Match)) {
		c := k.table.ByName[name]
		if c == nil || c.Generated {
			p.problem(verdict.CodeRuleUnmet, "keep:"+k.table.Name.String()+"."+name, k.rule.Pos,
				guess.DidYouMean(name, slices.Sorted(maps.Keys(k.table.ByName)), "correct the name"),
				"keep: %s has no column %s whose values the archive holds", k.table.Name, name)
			continue
		}
		k.match[name] = leakscan.NewFoldedGlob(k.rule.Match[name])
	}
}

// keepForeign: a kept value that others reference by its pseudonym would be
// referenced no more. Where the pattern decides by the value, both sides agree.
func (p *planner) keepForeign(k *keeper) {
	for _, fk := range p.fks {
		if fk.To == nil {
			continue
		}
		var names []string
		if k.table.IsRelated(fk.From) {
			names = append(names, fk.Columns...)
		}
		if k.table.IsRelated(fk.To) {
			names = append(names, fk.Referenced...)
		}
		for _, name := range names {
			c := k.table.ByName[name]
			r := p.assigned[c]
			_, byValue := k.match[name]
			if c == nil || !changes(r) || r.Transform == transform.SetNull || byValue && len(k.match) == 1 &&
				r.Link != "" {
				continue
			}
			p.problem(verdict.CodeRuleUnfit, "keep:"+c.String(), k.rule.Pos,
				"match this column alone, or preserve it with a why",
				"keep: a kept row's %s would stay as it is, and the other side of foreign key %s would not", c, fk.Name)
		}
	}
}

// keepPermuted: a permutation of all values makes some value become the one that
// stays.
func (p *planner) keepPermuted(k *keeper) {
	for _, c := range k.table.Columns {
		r := p.assigned[c]
		if _, set := k.rule.Set[c.Name]; set || !changes(r) || r.Transform != transform.Permute {
			continue
		}
		p.problem(verdict.CodeRuleUnfit, "keep:"+c.String(), k.rule.Pos,
			"use "+strings.Join([]string{transform.Email, transform.Hash, transform.Token, transform.UUID}, ", ")+
				" for the column, or give it a value under set",
			"keep: a kept row's %s would stay as it is, and permute may make another equal to it", c)
	}
}

// keepSet holds the values that kept rows get against their columns.
func (p *planner) keepSet(k *keeper) error {
	for _, name := range slices.Sorted(maps.Keys(k.rule.Set)) {
		value := k.rule.Set[name]
		why, err := p.unsettable(k, name, value)
		if err != nil {
			return err
		}
		if why != "" {
			p.problem(verdict.CodeRuleUnfit, "keep:"+k.table.Name.String()+"."+name, k.rule.Pos, "correct set:",
				"keep: %s.%s %s", k.table.Name, name, why)
			continue
		}
		encoded, _ := p.encoding.Encode(value)
		k.set[name] = copytext.AppendEscaped(nil, encoded)
	}
	return nil
}

func (p *planner) unsettable(k *keeper, name, value string) (string, error) {
	c := k.table.ByName[name]
	if c == nil {
		return "does not exist", nil
	}
	rule := &spec.Rule{Transform: transform.Constant, Value: &value}
	for _, test := range []func(*schema.Column, *spec.Rule) (string, string){transform.UnfitKind, p.unfitLength,
		transform.UnfitKey, p.unfitPartition, p.unfitEncoding} {
		if why, _ := test(c, rule); why != "" {
			return why, nil
		}
	}
	if !utf8.ValidString(value) {
		return "gets a value that is no text", nil
	}
	refused, err := p.Refusal(c, &value)
	return schema.RefusedBy("would refuse the value", refused.Words()), err
}

// keptInLink are the patterns by which values of a link stay as they are in
// every column.
func (p *Plan) keptInLink(link string) []leakscan.FoldedGlob {
	if link == "" {
		return nil
	}
	var all []leakscan.FoldedGlob
	for _, k := range p.keeps {
		for name, g := range k.match {
			if r := p.assigned[k.table.ByName[name]]; changes(r) && r.Link == link {
				all = append(all, g)
			}
		}
	}
	return all
}

// count takes in one kept row and refuses one too many.
func (k *keeper) count() error {
	n := k.kept.Add(1)
	if k.rule.MaxRows > 0 && n > k.rule.MaxRows {
		return verdict.Errorf(verdict.CodeKeep, "raise max_rows if so many are right, or narrow match",
			"keep: more than %d rows of %s match", k.rule.MaxRows, k.table.Name)
	}
	return nil
}

// check says how many rows were kept.
func (k *keeper) check() verdict.Check {
	c := verdict.Check{ID: "keep:" + k.table.Name.String(), Stage: verdict.StageScrub, Code: verdict.CodeKeep,
		Outcome:  verdict.Pass,
		Expected: "any number of kept rows", Observed: fmt.Sprint(k.kept.Load())}
	if k.rule.MaxRows > 0 {
		c.Expected = fmt.Sprintf("at most %d kept rows", k.rule.MaxRows)
		if k.kept.Load() > k.rule.MaxRows {
			c.Outcome, c.Hint = verdict.Error, "raise max_rows if so many are right, or narrow match"
		}
	}
	return c
}
