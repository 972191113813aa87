package scrub

import (
	"maps"
	"slices"
	"strings"

	"daybefore/internal/scrub/schema"
	"daybefore/internal/spec"
)

// Unjudged is how many rules and patterns met nothing, and may do so because
// of a lost table.
func (p *Plan) Unjudged() int { return p.unjudged }

// isLost reports whether what met nothing may name a lost table, and counts it.
func (p *planner) isLost(names func(namespace, table string) bool) bool {
	lost := slices.ContainsFunc(p.req.Lost, func(n spec.Name) bool { return names(n.Schema, n.Table) })
	if lost {
		p.unjudged++
	}
	return lost
}

// ofTables are the parts of a column's pattern that name its table.
func ofTables(c spec.ColumnPattern) spec.TablePattern {
	return spec.TablePattern{Schema: c.Schema, Table: c.Table, LiteralSchema: c.LiteralSchema, LiteralTable: c.LiteralTable}
}

// nearest is the mend of a name that no column has: another column of the same
// table or, where there is no such table, a column that is like it in one that
// is, or the table that has the column.
func (p *planner) nearest(name spec.ColumnPattern) string {
	otherwise := "correct the name, or take the rule away"
	if t := p.schema.ByName[schema.Name{Schema: name.Schema, Table: name.Table}]; t != nil {
		return spec.DidYouMean(name.Column, slices.Sorted(maps.Keys(t.ByName)), otherwise)
	}
	if !strings.Contains(name.Schema+name.Table, "*") {
		otherwise = "find out why the backup lacks the table; if that is meant, take the rule away, else correct the name"
	}
	table, tables, like := spec.Name{Schema: name.Schema, Table: name.Table}, []string(nil), []string(nil)
	for _, t := range p.schema.Tables {
		if t.ByName[name.Column] != nil {
			tables = append(tables, t.Name.String())
		}
		if !table.Near(nameOf(t)) {
			continue
		}
		for _, c := range t.Columns {
			if spec.Near(name.Column, c.Name) {
				like = append(like, c.Dotted())
			}
		}
	}
	if len(like) > 0 {
		return spec.Meant(like)
	}
	return spec.DidYouMean(name.Schema+"."+name.Table, tables, otherwise)
}

// meant is the mend of a name that no table has.
func (p *planner) meant(name spec.Name, otherwise string) string {
	var like []string
	for _, t := range p.schema.Tables {
		if there := nameOf(t); there != name && name.Near(there) {
			like = append(like, there.String())
		}
	}
	if len(like) == 0 {
		return otherwise
	}
	return spec.Meant(like) + " " + otherwise
}

func nameOf(t *schema.Table) spec.Name { return spec.Name{Schema: t.Name.Schema, Table: t.Name.Table} }
