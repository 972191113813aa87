package scrub

import (
	"maps"
	"slices"
	"strings"

	"daybefore/internal/spec"
)

// Unjudged is how many rules and patterns met nothing, and may do so because
// of a lost table.
func (p *Plan) Unjudged() int { return p.unjudged }

// isLost reports whether what met nothing may name a lost table, and counts it.
func (p *planner) isLost(names func(schema, table string) bool) bool {
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
	if t := p.cat.byName[tableName{name.Schema, name.Table}]; t != nil {
		return spec.DidYouMean(name.Column, slices.Sorted(maps.Keys(t.byName)), otherwise)
	}
	if !strings.Contains(name.Schema+name.Table, "*") {
		otherwise = "find out why the backup lacks the table; if that is meant, take the rule away, else correct the name"
	}
	table, tables, like := spec.Name{Schema: name.Schema, Table: name.Table}, []string(nil), []string(nil)
	for _, t := range p.cat.tables {
		if t.byName[name.Column] != nil {
			tables = append(tables, t.name.String())
		}
		if !table.Near(nameOf(t)) {
			continue
		}
		for _, c := range t.columns {
			if spec.Near(name.Column, c.name) {
				like = append(like, dotted(c))
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
	for _, t := range p.cat.tables {
		if there := nameOf(t); there != name && name.Near(there) {
			like = append(like, there.String())
		}
	}
	if len(like) == 0 {
		return otherwise
	}
	return spec.Meant(like) + " " + otherwise
}

func nameOf(t *table) spec.Name { return spec.Name{Schema: t.name.schema, Table: t.name.table} }
