package scrub

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"daybefore/internal/scrub/schema"
	"daybefore/internal/scrub/transform"
	"daybefore/internal/spec"
	"daybefore/internal/told"
	"daybefore/internal/verdict"
)

// recomputeName is the name under which a column is reported that is loaded empty
// and computed after the load.
const recomputeName = "recompute"

// hasRecompute reports whether a rule, which may be nil, is by recompute.
func hasRecompute(r *spec.Rule) bool { return r != nil && r.Recompute != "" }

// recomputeRecipe is what becomes of such a column: null or, where that is refused,
// the empty text of its type; or why it cannot be, and the hint.
func (p *planner) recomputeRecipe(c *schema.Column, r *spec.Rule) (made *change, why, hint string, err error) {
	made = &change{Recipe: transform.Bare(transform.SetNull), name: recomputeName, effect: transform.Clears}
	switch {
	case c.Generated:
		why, hint = transform.UnfitKind(c, r)
		return nil, why, hint, nil
	case c.PrimaryKey || c.Identity || len(c.Unique) > 0:
		why = fmt.Sprintf("is part of %s, which what is computed may break", joined(c.Unique))
		return nil, why, "preserve it with a why", nil
	}
	why, hint = p.unfitPartition(c, r)
	if why != "" {
		return nil, why, hint, nil
	}
	refused, err := p.Refusal(c, nil)
	if err == nil && (refused != nil || c.NotNull) {
		empty := ""
		made = &change{Recipe: transform.Bare(transform.Constant), name: recomputeName, effect: transform.Merges}
		refused, err = p.Refusal(c, &empty)
	}
	if err != nil || refused != nil {
		return nil, "can be loaded neither null nor empty: " + refused.Words(), "choose a transform, or preserve it with a why", err
	}
	why, err = p.Explain(recomputeSQL(c.Table, []*schema.Column{c}, []string{r.Recompute}))
	if err != nil || why != "" {
		return nil, "cannot be computed by its expression: " + why, "correct recompute:", err
	}
	return made, "", "", nil
}

func recomputeSQL(t *schema.Table, columns []*schema.Column, expressions []string) string {
	var set []string
	for i, c := range columns {
		set = append(set, fmt.Sprintf("%s = (%s\n)", pgx.Identifier{c.Name}.Sanitize(), expressions[i]))
	}
	only := "only "
	if t.Kind == "p" { // the archive holds the rows under their root
		only = ""
	}
	return fmt.Sprintf("update %s%s set %s", only, pgx.Identifier{t.Name.Schema, t.Name.Table}.Sanitize(),
		strings.Join(set, ", "))
}

// NeedsRecompute reports whether columns were loaded empty.
func (p *Plan) NeedsRecompute() bool {
	for _, made := range p.recipes {
		if made.name == recomputeName {
			return true
		}
	}
	return false
}

// Recompute computes the columns that were loaded empty. Call it after the
// load, and before the triggers and foreign keys of the post-data are there.
// Its errors hold no value.
func (p *Plan) Recompute(ctx context.Context, conn *pgx.Conn) error {
	for _, t := range p.schema.Tables {
		var columns []*schema.Column
		var expressions []string
		for _, c := range t.Columns {
			if made := p.recipes[c]; made != nil && made.name == recomputeName {
				columns = append(columns, c)
				expressions = append(expressions, p.assigned[c].Recompute)
			}
		}
		if len(columns) == 0 {
			continue
		}
		_, err := conn.Exec(ctx, recomputeSQL(t, columns, expressions), pgx.QueryExecModeExec)
		if refusal, ok := errors.AsType[*pgconn.PgError](err); ok { // its message may hold a value
			return verdict.Errorf(verdict.CodeRuleUnfit,
				fmt.Sprintf("correct recompute: of %s at %s", columns[0], p.place(p.assigned[columns[0]].Pos)),
				"compute the columns of %s that were loaded empty: the server refuses with SQLSTATE %s", t.Name,
				told.State(refusal.Code))
		}
		if err != nil {
			return fmt.Errorf("compute the columns of %s that were loaded empty: %w", t.Name, err)
		}
	}
	return nil
}
