package scrub

import (
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"daybefore/internal/scrub/schema"
	"daybefore/internal/spec"
	"daybefore/internal/spec/guess"
	"daybefore/internal/verdict"
)

// unmet finds rules that no row will ever see.
func (p *planner) unmet() error {
	for i := range p.rules.Rules {
		r := &p.rules.Rules[i]
		reached, met, idle := p.reach(r)
		switch {
		case p.mayMiss(r.Column.Schema, r.Column.Table):
		case !met && !idle && p.isLost(ofTables(r.Column).Match):
		case !reached:
			what, hint, err := p.nowhere(r)
			if err != nil {
				return err
			}
			p.problem(verdict.CodeRuleUnmet, r.Names(), r.Pos, hint, "%s %s", r.Names(), what)
		case !met && !idle:
			p.problem(verdict.CodeRuleUnmet, r.Names(), r.Pos,
				"name the table that the archive holds the rows under, or its parent",
				"the archive holds no rows for %s", r.Names())
		}
	}
	return nil
}

// nowhere says of a rule that reaches no column what it names instead, and the
// hint.
func (p *planner) nowhere(r *spec.Rule) (what, hint string, err error) {
	rows, err := p.Conn.Query(p.Context, `
		select n.nspname, c.relname, a.attname from pg_attribute a join pg_class c on c.oid = a.attrelid
			join pg_namespace n on n.oid = c.relnamespace
		where c.relkind in ('v', 'm') and a.attnum > 0 and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'`)
	if err != nil {
		return "", "", err
	}
	var namespace, view, column string
	ofView := false
	_, err = pgx.ForEachRow(rows, []any{&namespace, &view, &column}, func() error {
		ofView = ofView || r.Column.Match(namespace, view, column)
		return nil
	})
	if ofView && r.Type == (spec.Name{}) {
		return "names only what a view computes: no backup holds its rows",
			"write rules for the columns of tables that the view reads, and take this one away", err
	}
	return "names no column of the backup", p.nearest(r.Column), err
}

// mayMiss reports whether the words for a table name one that may be missing or
// empty, and is.
func (p *planner) mayMiss(namespace, table string) bool {
	_, loaded := p.loaded[p.schema.ByName[schema.Name{Schema: namespace, Table: table}]]
	return !loaded && slices.Contains(p.req.Rebuildable, spec.Name{Schema: namespace, Table: table})
}

// reach reports whether a rule reaches any column, whether one that is loaded,
// and whether there is a reason why it is not: its table is excluded or
// foreign, or the column generated, which is reported by itself.
func (p *planner) reach(r *spec.Rule) (reached, met, idle bool) {
	for _, t := range p.schema.Tables {
		for _, c := range t.Columns {
			if _, ok := schema.Reaches(r, c); !ok {
				continue
			}
			reached = true
			met = met || slices.Contains(p.loaded[t], c.Name)
			idle = idle || p.excluded[t] || t.Kind == "f" || c.Generated && schema.Exact(r)
		}
	}
	return reached, met, idle
}

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
	return spec.TablePattern{Schema: c.Schema, Table: c.Table, LiteralSchema: c.LiteralSchema,
		LiteralTable: c.LiteralTable}
}

// nearest is the hint of a name that no column has: another column of the same
// table or, where there is no such table, a column that is like it in one that
// is, or the table that has the column.
func (p *planner) nearest(name spec.ColumnPattern) string {
	otherwise := "correct the name, or take the rule away"
	if t := p.schema.ByName[schema.Name{Schema: name.Schema, Table: name.Table}]; t != nil {
		return guess.DidYouMean(name.Column, slices.Sorted(maps.Keys(t.ByName)), otherwise)
	}
	if !strings.Contains(name.Schema+name.Table, "*") {
		otherwise = "find out why the backup lacks the table; if that is meant, take the rule away, " +
			"else correct the name"
	}
	table := spec.Name{Schema: name.Schema, Table: name.Table}
	tables := []string(nil)
	like := []string(nil)
	for _, t := range p.schema.Tables {
		if t.ByName[name.Column] != nil {
			tables = append(tables, t.Name.String())
		}
		if !table.Near(nameOf(t)) {
			continue
		}
		for _, c := range t.Columns {
			if guess.Near(name.Column, c.Name) {
				like = append(like, c.Dotted())
			}
		}
	}
	if len(like) > 0 {
		return guess.Meant(like)
	}
	return guess.DidYouMean(name.Schema+"."+name.Table, tables, otherwise)
}

// meant is the hint of a name that no table has.
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
	return guess.Meant(like) + " " + otherwise
}

func nameOf(t *schema.Table) spec.Name { return spec.Name{Schema: t.Name.Schema, Table: t.Name.Table} }

// patternOf writes a column's name as a drill file needs it.
func patternOf(c *schema.Column) string { return spec.YAMLText(c.Dotted()) }
