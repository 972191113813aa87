package scrub

import (
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// Blame tells whether rows may have been refused for what a rule made of them:
// a constraint over several columns, or one that calls a function, can take
// every sample and still refuse a row. Nothing is known of the backup then, and
// the error says so. Nil where the rule changed nothing that was refused.
func (p *Plan) Blame(schema, name string, refused *pgconn.PgError) error {
	t := p.cat.byName[tableName{schema, name}]
	if t == nil {
		return nil
	}
	for _, c := range t.columns {
		pos, ok := p.rewrites(c)
		if !ok || !refuses(refused, c) {
			continue
		}
		by := ""
		if refused.ConstraintName != "" {
			by = " by " + refused.ConstraintName
		}
		return verdict.Errorf(verdict.CodeRuleUnfit,
			"choose another transform, set_null, or preserve the column with a why; if the same rows are refused when it is preserved, the backup is at fault",
			"a row was refused%s (SQLSTATE %s), in which the rule at %s had rewritten %s", by, refused.Code, p.place(pos), c.name)
	}
	return nil
}

// rewrites tells whether some of a column's values become others, and by which
// place in the drill file: a rule's, or that of a keep which has set the column.
func (p *Plan) rewrites(c *column) (spec.Pos, bool) {
	if r := p.assigned[c]; changes(r) {
		return r.Pos, true
	}
	for _, k := range p.keeps {
		if _, set := k.set[c.name]; set && within(k.table, c.table) && k.kept.Load() > 0 {
			return k.rule.Pos, true
		}
	}
	return spec.Pos{}, false
}

// refuses tells whether the server refused a row for what a column holds, or
// for a constraint that the column is part of.
//
// What a data exception or a domain's constraint is about stands in the
// context: COPY t, line 1, column c: … (CopyFromErrorCallback, copyfrom.c).
func refuses(err *pgconn.PgError, c *column) bool {
	const notNull, constraint = "23502", "23514"
	_, named, ofColumn := strings.Cut(err.Where, ", column ")
	switch {
	case err.Code == notNull:
		return err.ColumnName == c.name
	case !strings.HasPrefix(err.Code, "22") && err.Code != constraint:
		return false
	case ofColumn:
		return strings.HasPrefix(named, c.name+": ")
	case err.ConstraintName == "": // what is computed from the row cannot be
		return true
	}
	return slices.ContainsFunc(c.table.checks, func(k check) bool {
		return k.name == err.ConstraintName && slices.Contains(k.columns, c.num)
	})
}
