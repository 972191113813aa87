package scrub

import (
	"fmt"
	"slices"

	"daybefore/internal/scrub/schema"
	"daybefore/internal/scrub/transform"
	"daybefore/internal/spec"
)

// partitionHint is for a column whose new values may have no partition.
const partitionHint = "leave its rows out with exclude_table_data, or preserve it with a why"

// Moves reports whether rows of a partition may belong to another once they are
// rewritten, so that they have to be loaded through the root of their tree.
func (p *Plan) Moves(namespace, table string) bool {
	t := p.schema.ByName[schema.Name{Schema: namespace, Table: table}]
	return t != nil && slices.ContainsFunc(t.Columns, func(c *schema.Column) bool {
		return changes(p.assigned[c]) && c.DecidesPartition()
	})
}

// treeOf is the table through which a table's rows are loaded: itself or, where
// they may move, the root of its partition tree.
func (p *Plan) treeOf(t *schema.Table) *schema.Table {
	if !p.Moves(t.Name.Schema, t.Name.Table) {
		return t
	}
	for _, above := range t.Ancestors() {
		if above.Kind == "p" {
			t = above
		}
	}
	return t
}

// unfitPartition is for what is no transform of a whole value: nobody can try
// which partition its rows would go to.
func (p *planner) unfitPartition(c *schema.Column, _ *spec.Rule) (why, hint string) {
	for _, t := range c.PartitionedTables() {
		return fmt.Sprintf("decides which partition of %s a row belongs to", t.Name), partitionHint
	}
	return "", ""
}

// unfitRouting says why rows would find no partition behind a rule, and the
// hint; or nothing.
func (p *planner) unfitRouting(c *schema.Column, r *spec.Rule, made *change) (why, hint string, err error) {
	for _, t := range c.PartitionedTables() {
		split := p.splitRule(c, r)
		switch {
		case split != nil:
			why = fmt.Sprintf("decides which partition of %s a row belongs to, and has another rule than %s",
				t.Name, split)
			return why, "write one rule for " + patternOf(c.Root()), nil
		case r.By != "":
			why, hint = p.unfitPartition(c, r)
			return why, hint, nil
		}
		takesAll, err := p.TakesAllRows(t)
		if err != nil {
			return "", "", err
		}
		if takesAll {
			continue
		}
		why, err := p.unroutable(c, r, t, made)
		if err != nil || why != "" {
			return why, partitionHint, err
		}
	}
	return "", "", nil
}

// splitRule is a column of the same partition tree that is under another rule;
// nil: there is none.
func (p *planner) splitRule(c *schema.Column, r *spec.Rule) *schema.Column {
	if r != p.assigned[c] { // a proposal is for all of them
		return nil
	}
	for _, t := range c.Root().Table.WithDescendants() {
		other := t.ByName[c.Name]
		if _, loaded := p.loaded[t]; other != nil && loaded && p.assigned[other] != r {
			return other
		}
	}
	return nil
}

// unroutable says why rows would find no partition of a table that has not one
// for all: what is made of samples is tried where the column alone decides.
func (p *planner) unroutable(c *schema.Column, r *spec.Rule, t *schema.Table, made *change) (string, error) {
	why := fmt.Sprintf("decides which partition of %s a row belongs to, and there is none for all that %s makes",
		t.Name, r.Transform)
	if !t.PartitionedByAlone(c.Name) {
		return why, nil
	}
	bounds, err := p.Bounds(t)
	if err != nil {
		return "", err
	}
	within := p.Expression(c, schema.Check{SQL: bounds, Columns: []int16{c.Number}})
	finds, err := p.findPartitions(c, r, made, within)
	if err != nil || finds {
		return "", err
	}
	return why, nil
}

// findPartitions reports whether what is made of samples finds a partition, by
// an expression that says so of a value; of what keeps a value's shape, where
// the value did.
func (p *planner) findPartitions(c *schema.Column, r *spec.Rule, made *change, within string) (bool, error) {
	if r.Transform == transform.SetNull {
		refused, err := p.Ask(within, nil)
		return refused == nil, err
	}
	decode := p.encoding.NewDecoder()
	found := false
	for _, s := range made.Outcomes(c) {
		if made.KeepsShape() {
			refused, err := p.Ask(within, &s.In)
			if err != nil {
				return false, err
			}
			if refused != nil {
				continue
			}
		}
		for _, out := range s.Out {
			value := string(decode.Decode([]byte(out)))
			if refused, err := p.Ask(within, &value); err != nil || refused != nil {
				return false, err
			}
			found = true
		}
	}
	return found, nil
}
