package expect

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// relationship counts the values of a column that refer to nothing. A foreign
// key says nothing of it: a restore does not try the rows of one that is NOT
// VALID, and in production a trigger or a replica may have left orphans.
//
// A referenced table that the drill file lists (listed) is told once, by its
// own check.
func relationship(t spec.Table, r spec.Relationship, listed bool, o Options) pendingCheck {
	column := t.Table.Column(r.Column)
	to := r.References.Column(r.ReferencedColumn)
	return pendingCheck{
		Check: verdict.Check{ID: "relationships:" + column, Code: verdict.CodeRelationships,
			Expected: "orphans: " + limitText(r.WarnIf, r.FailIf)},
		plain: true,
		judge: ofTable(t, o, func(ctx context.Context, q *query, from relation, c *verdict.Check) error {
			target, err := findRelation(ctx, q, r.References)
			switch {
			case err != nil:
				return err
			case !target.there() && listed:
				c.Say(verdict.Skipped, target.kind, "see "+presentID+r.References.String(),
					"not checked: %s does not exist or cannot be read", r.References)
				return nil
			case !beThere(c, r.References, target, "which "+column+" references", o):
				return nil
			case o.Agree != nil && !o.Agree(t.Table, r.Column, r.References, r.ReferencedColumn):
				return verdict.Errorf(verdict.CodeRelationships,
					"give both columns the same transform and the same link, or preserve both",
					"%s and %s are scrubbed in different ways, so that orphans cannot be told (%v)",
					column, to, r.Pos)
			}
			equal, err := equality(ctx, q, t.Table, r, c, o)
			if err != nil {
				return err
			}
			path := max(from.whose(), target.whose())
			n, err := countOrphans(ctx, q, path, equal, t.Table, r)
			if path == theirs {
				q.tellPath(c, o)
			}
			if err != nil {
				return err
			}
			judgeOrphans(c, t.Table, r, n)
			return nil
		}),
	}
}

// equality is the operator that compares both columns.
func equality(ctx context.Context, q *query, table spec.Name, r spec.Relationship, c *verdict.Check, o Options) (string,
	error) {
	of := fileColumn{verdict.CodeRelationships, "relationships", r.Pos, table, r.Column}
	from, err := of.find(ctx, q, c, o)
	if err != nil {
		return "", err
	}
	by, err := q.comparedBy(ctx, from, false)
	if err != nil {
		return "", err
	}
	if by.alien {
		return "", unjudged(verdict.CodeRelationships, table, r.Column, r.Pos)
	}
	of.table, of.column = r.References, r.ReferencedColumn
	to, err := of.find(ctx, q, c, o)
	if err != nil || to.oid == from.oid {
		return by.equal, err
	}
	by, err = q.comparedBy(ctx, to, false)
	if err == nil && by.alien {
		err = unjudged(verdict.CodeRelationships, r.References, r.ReferencedColumn, r.Pos)
	}
	return ownEqual, err
}

func countOrphans(ctx context.Context, q *query, path whose, equal string, table spec.Name, r spec.Relationship) (int64,
	error) {
	column := pgx.Identifier{r.Column}.Sanitize()
	referenced := pgx.Identifier{r.ReferencedColumn}.Sanitize()
	n, err := count(ctx, q, path,
		fmt.Sprintf("select pg_catalog.count(*) from %s f where f.%s is not null and not exists (select "+
			"from %s t where t.%s %s f.%s)",
			identifier(table), column, identifier(r.References), referenced, equal, column))
	if err != nil {
		return 0, verdict.Errorf(verdict.CodeRelationships,
			"look at relationships in the drill file: both columns must be there, and of types that can be compared",
			"count the orphans of %s (%v): %w", table.Column(r.Column), r.Pos, err)
	}
	return n, nil
}

func judgeOrphans(c *verdict.Check, table spec.Name, r spec.Relationship, n int64) {
	observed := strconv.FormatInt(n, 10)
	orphans := fmt.Sprintf("%s of %s whose %s is no %s", verdict.Count(n, "row"), table, r.Column,
		r.References.Column(r.ReferencedColumn))
	const hint = "rows of one of the two tables are missing, or were deleted without the other's: compare with " +
		"production before this backup is trusted"
	switch {
	case r.FailIf != nil && r.FailIf.Holds(n):
		c.Say(verdict.Fail, observed, hint, "%s (fail if %s)", orphans, r.FailIf)
	case r.WarnIf != nil && r.WarnIf.Holds(n):
		c.Say(verdict.Warn, observed, hint, "%s (warn if %s)", orphans, r.WarnIf)
	default:
		c.Pass(observed)
	}
}

// limitText writes a pair of conditions: warn if > 0, fail if > 10.
func limitText(warnIf, failIf *spec.Condition) string {
	var all []string
	if warnIf != nil {
		all = append(all, "warn if "+warnIf.String())
	}
	if failIf != nil {
		all = append(all, "fail if "+failIf.String())
	}
	return strings.Join(all, ", ")
}
