package scrub

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"daybefore/internal/scrub/document"
	"daybefore/internal/scrub/schema"
	"daybefore/internal/scrub/transform"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// tally is what was done to a column and all that is inherited from it, under
// one transform.
type tally struct {
	verdict.ScrubColumn
	total     int64 // values and nulls
	neverMet  []string
	firstRule string
	paths     []document.Path // of documents
	met       []int64         // by path: values
}

// Report counts what was rewritten, exactly. Call it, like all that counts,
// when no rewrite function is running any more.
func (p *Plan) Report() verdict.Scrub {
	out := verdict.Scrub{Columns: []verdict.ScrubColumn{}}
	if key := p.rules.Key; key != nil {
		out.Key = transform.KeyFingerprint(key)
	}
	for _, t := range p.tallies() {
		out.Columns = append(out.Columns, t.ScrubColumn)
	}
	for _, k := range p.keeps {
		kept := verdict.ScrubKept{Table: k.table.Name.String(), Rows: k.kept.Load(), Why: k.rule.Why}
		out.Kept = append(out.Kept, kept)
	}
	out.Passed, out.Preserve = p.passed()
	return out
}

// tallies are ordered by column.
func (p *Plan) tallies() []*tally {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := map[string]*tally{}
	of := func(c *schema.Column) *tally {
		made, r := p.recipes[c], p.assigned[c]
		key := c.Root().String() + "\x00" + made.name + "\x00" + r.Link
		t := all[key]
		if t == nil {
			t = &tally{ScrubColumn: verdict.ScrubColumn{Column: c.Root().String(), Transform: made.name, Link: r.Link,
				Unmatched: p.fallen[c.Root()]}, firstRule: p.place(r.Pos)}
			all[key] = t
		}
		return t
	}
	for _, c := range p.loadedWithRules() {
		if p.recipes[c] == nil {
			continue
		}
		if t := of(c); !p.met[c.Table] {
			t.neverMet = append(t.neverMet, c.Table.Name.String())
		}
	}
	for _, r := range p.rewriters {
		for _, c := range r.cells {
			if c != nil {
				of(c.column).add(c, r.row)
			}
		}
	}
	return slices.SortedFunc(maps.Values(all), func(a, b *tally) int {
		return cmp.Or(cmp.Compare(a.Column, b.Column), cmp.Compare(a.Transform, b.Transform))
	})
}

func (t *tally) add(c *cell, rows int64) {
	t.Rows += c.rows
	t.NullsIn += c.nullsIn
	t.NullsOut += c.nullsOut
	t.Kept += c.kept
	t.total += rows
	if c.document != nil {
		t.addPaths(c.document)
	}
}

// Ended is told that the load ended before all rows had come: a rule whose rows
// did not is no finding then.
func (p *Plan) Ended() { p.ended.Store(true) }

// Checks says, after the load, whether every value met its rule, and whether
// any met none and should have.
func (p *Plan) Checks() []verdict.Check {
	p.notePeople()
	found := p.leaks.Checks(p.ofSample())
	if slices.ContainsFunc(found, isError) {
		return found // they ended the load: what else did not happen is no finding
	}
	if p.ended.Load() {
		return append(found, verdict.Check{ID: "originals", Stage: verdict.StageScrub, Code: verdict.CodeScrub,
			Outcome:  verdict.Skipped,
			Expected: originalsExpected, Message: "the load ended early, and not all values were looked at"})
	}
	checks := []verdict.Check{p.scanCheck(), {
		ID: "unmatched", Stage: verdict.StageScrub, Code: verdict.CodeUnmatched, Outcome: verdict.Pass,
		Expected: "no column that looks sensitive and has no rule", Observed: fmt.Sprintf("0 of %d columns", p.looked),
		Message: p.fallenMessage(),
	}}
	checks = append(checks, p.manyKeys()...)
	for _, t := range p.tallies() {
		checks = append(checks, t.check(p))
	}
	for _, k := range p.keeps {
		checks = append(checks, k.check())
	}
	if replaced := p.replacedColumns(); len(replaced) > 0 {
		checks = append(checks, originalsCheck(replaced))
	}
	return append(checks, found...)
}

func (t *tally) addPaths(d *document.Rewriter) {
	if t.met == nil {
		t.paths = d.Paths
		t.met = make([]int64, len(d.Paths))
	}
	for i, n := range d.Met {
		t.met[i] += n
	}
}

// unmetPaths are those that no document had, if there were any, and the place
// of the first.
func (t *tally) unmetPaths() (paths []string, first spec.Pos) {
	for i, n := range t.met {
		if n > 0 || t.Rows == 0 {
			continue
		}
		if len(paths) == 0 {
			first = t.paths[i].Pos
		}
		paths = append(paths, t.paths[i].Place())
	}
	return paths, first
}

func (t *tally) check(p *Plan) verdict.Check {
	c := verdict.Check{ID: "scrub:" + t.Column, Stage: verdict.StageScrub, Code: verdict.CodeScrub,
		Outcome:  verdict.Pass,
		Expected: "every value rewritten, nulls as many as before",
		Observed: fmt.Sprintf("%d rewritten, %d null before, %d after, %d kept", t.Rows, t.NullsIn, t.NullsOut, t.Kept)}
	if t.Transform == transform.SetNull {
		c.Expected = "every value null"
	}
	if t.Transform == recomputeName {
		c.Expected = "every value emptied before the load"
	}
	unmet, pos := t.unmetPaths()
	switch {
	case len(t.neverMet) > 0:
		c.Code, c.Outcome = verdict.CodeRuleUnmet, verdict.Error
		c.Message = fmt.Sprintf("%s: the rows of %s never came, though the archive lists them", t.firstRule,
			joined(t.neverMet))
		c.Hint = "see the restore's checks"
	case len(unmet) > 0:
		c.Code, c.Outcome = verdict.CodeRuleUnmet, verdict.Error
		c.Message = fmt.Sprintf("%s: none of %d documents holds %s", p.place(pos), t.Rows, joined(unmet))
		c.Hint = "correct the path, or take it away; [*] stands for the elements of an array, as in $.contacts[*].email"
	case !t.adds():
		c.Outcome = verdict.Error
		c.Message = fmt.Sprintf("%d values and nulls passed, and they do not add up", t.total)
		c.Hint = "this is a bug of the harness: report it"
	}
	return c
}

// adds reports whether each value and null is accounted for, once.
func (t *tally) adds() bool {
	if t.Transform == transform.SetNull || t.Transform == recomputeName && t.NullsOut+t.Kept == t.total {
		return t.NullsOut+t.Kept == t.total
	}
	return t.NullsOut <= t.NullsIn && t.Rows+t.Kept+t.NullsOut == t.total
}

// Duration is the time spent rewriting, in all workers together, reckoned from
// one row in 64.
func (p *Plan) Duration() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	var sum time.Duration
	for _, r := range p.rewriters {
		sum += r.spent
	}
	return sum
}
