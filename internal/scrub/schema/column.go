package schema

import (
	"slices"

	"daybefore/internal/spec"
	"daybefore/internal/sqltext"
)

// WithAncestors are the table and its ancestors.
func (t *Table) WithAncestors() []*Table { return append([]*Table{t}, t.Ancestors()...) }

// WithDescendants are the table and its descendants.
func (t *Table) WithDescendants() []*Table { return append([]*Table{t}, t.Descendants()...) }

// IsRelated reports whether one table is inherited from the other, or is it.
func (t *Table) IsRelated(other *Table) bool {
	return t == other || slices.Contains(t.Ancestors(), other) || slices.Contains(t.Descendants(), other)
}

// PartitionedBy reports whether the partition key names the column.
func (t *Table) PartitionedBy(column string) bool {
	return slices.ContainsFunc(tokensOf(t.Key), func(k sqltext.Token) bool { return k.IsName() && k.Text == column })
}

// PartitionedByAlone reports whether the partition key is the column, and nothing
// else.
func (t *Table) PartitionedByAlone(column string) bool {
	tokens := tokensOf(t.Key) // LIST (email)
	return len(tokens) == 4 && tokens[2].IsName() && tokens[2].Text == column
}

// PartitionedTables are the tables, of the column's and those above it, that the column
// decides the partition of.
func (c *Column) PartitionedTables() []*Table {
	return slices.DeleteFunc(c.Table.WithAncestors(), func(t *Table) bool { return !t.PartitionedBy(c.Name) })
}

// DecidesPartition reports whether the column decides which partition a row
// belongs to.
func (c *Column) DecidesPartition() bool { return len(c.PartitionedTables()) > 0 }

// Constrained reports whether a CHECK of the table looks at the column.
func (c *Column) Constrained() bool {
	return slices.ContainsFunc(c.Table.Checks, func(k Check) bool { return slices.Contains(k.Columns, c.Number) })
}

// IsChecked reports whether a CHECK looks at the column, its domain's among them.
func (c *Column) IsChecked() bool {
	return len(c.DomainChecks) > 0 || c.Constrained()
}

// IsComputedFrom reports whether an expression over the column is computed as a
// row is loaded: a CHECK's, or perhaps that of a generated column.
func (c *Column) IsComputedFrom() bool {
	return c.IsChecked() || slices.ContainsFunc(c.Table.Columns, func(c *Column) bool { return c.Generated })
}

// Literals are the texts that a column's constraints name, each once.
func (c *Column) Literals() []string {
	var all []string
	for _, expr := range c.Constraints() {
		for _, t := range tokensOf(expr) {
			if (t.Kind == sqltext.String || t.Kind == sqltext.Number) && t.Text != "" && !slices.Contains(all, t.Text) {
				all = append(all, t.Text)
			}
		}
	}
	return all
}

// Constraints are the expressions that a value of the column is asked.
func (c *Column) Constraints() []string {
	all := slices.Clone(c.DomainChecks)
	for _, k := range c.Table.Checks {
		if slices.Contains(k.Columns, c.Number) {
			all = append(all, k.SQL)
		}
	}
	return all
}

// Field is a field of a composite column by its name, behind those of the
// fields that it is in; nil where there is none.
func (c *Column) Field(path []string) *Column {
	for depth, name := range path {
		i := slices.IndexFunc(c.Fields, func(f *Column) bool { return f.Name == name })
		if i < 0 || depth > 0 && c.Array { // whose elements are no fields
			return nil
		}
		c = c.Fields[i]
	}
	return c
}

// AsText is the column as a text in one of its documents is seen.
func (c *Column) AsText() *Column {
	return &Column{Table: c.Table, Name: c.Name, SQL: "text", Base: Type{"pg_catalog", "text", "b"}}
}

// Dotted is the name as a drill file writes it.
func (c *Column) Dotted() string { return spec.Dotted(c.Table.Name.Schema, c.Table.Name.Table, c.Name) }

// IsOf reports whether the column is of the type or domain of that name; a name
// without a schema is in any, the empty one is any type.
func (c *Column) IsOf(n spec.Name) bool {
	return n == (spec.Name{}) || slices.ContainsFunc(c.Types, func(t Type) bool {
		return t.Name == n.Table && (n.Schema == "" || n.Schema == t.Schema)
	})
}

// Words name what a definition makes.
func (d *Definition) Words() string {
	kind := d.Kind
	switch d.Kind {
	case Refresh:
		return d.Kind + " " + d.Table.String()
	case Unique:
		kind = "unique index"
	case Exclusion, Checking:
		kind += " constraint"
	}
	return kind + " " + d.Name + " of " + d.Table.String()
}
