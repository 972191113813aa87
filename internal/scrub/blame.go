package scrub

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"daybefore/internal/scrub/postdata"
	"daybefore/internal/scrub/schema"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// eitherHint is for what a rule's pseudonyms or damage to the backup may have
// broken, which nobody can tell from what is left.
const eitherHint = "preserve the column for one drill: if it is refused then too, the backup is damaged, " +
	"so take another; if not, choose another transform, set_null, or preserve it with a why"

// Blame reports whether rows may have been refused for what a rule made of them:
// a constraint over several columns, or one that calls a function, can take
// every sample and still refuse a row. Nothing is known of the backup then, and
// the error says so. Nil where the rule changed nothing that was refused.
func (p *Plan) Blame(namespace, name string, refused *pgconn.PgError) error {
	t := p.schema.ByName[schema.Name{Schema: namespace, Table: name}]
	if t == nil {
		return nil
	}
	row := rowOf(refused, name)
	for _, c := range t.Columns {
		pos, ok := p.rewrites(c, row)
		if !ok || !refuses(refused, c) {
			continue
		}
		by := ""
		if refused.ConstraintName != "" {
			by = " by " + refused.ConstraintName
		}
		return verdict.Errorf(verdict.CodeRuleUnfit, eitherHint,
			"a row was refused%s (SQLSTATE %s), in which the rule at %s had rewritten %s: "+
				"either what the rule made is refused, or the row is damaged",
			by, refused.Code, p.place(pos), c.Name)
	}
	return nil
}

// Unbuilt finds what post-data could not build, and the rules that may be why.
// Each is a check of outcome error; the error is the connection's.
func (p *Plan) Unbuilt(ctx context.Context, conn *pgx.Conn) ([]verdict.Check, error) {
	return postdata.Unbuilt(ctx, conn, postdata.Request{
		Schema: p.schema, Definitions: p.definitions, Hint: eitherHint,
		Rewrites: func(c *schema.Column) (string, bool) {
			pos, ok := p.rewrites(c, 0)
			return p.place(pos), ok
		},
	})
}

// rowOf is the number of the row that was refused, 0 where the server does not
// say: COPY t, line 12, column c: … .
func rowOf(refused *pgconn.PgError, name string) (row int64) {
	if rest, ok := strings.CutPrefix(refused.Where, "COPY "+name+", line "); ok {
		_, _ = fmt.Sscan(rest[:len(rest)-len(strings.TrimLeft(rest, "0123456789"))], &row)
	}
	return row
}

// rewrites reports whether a column's values become others, in a row or, for 0,
// in some, and by which place in the drill file: a rule's, or that of a keep
// which has set the column.
func (p *Plan) rewrites(c *schema.Column, row int64) (spec.Pos, bool) {
	if r := p.assigned[c]; changes(r) {
		return r.Pos, true
	}
	for _, k := range p.keeps {
		if _, set := k.set[c.Name]; set && k.table.IsRelated(c.Table) && k.mayHaveKept(c.Table, row) {
			return k.rule.Pos, true
		}
	}
	return spec.Pos{}, false
}

// refuses reports whether the server may have refused a row for what a column
// holds, or for a constraint that the column is part of. What the rules make is
// text that COPY can read: where it could not, the row was damaged.
//
// What a data exception or a domain's constraint is about stands in the
// context: COPY t, line 1, column c: … (CopyFromErrorCallback, copyfrom.c).
func refuses(err *pgconn.PgError, c *schema.Column) bool {
	const notNull, constraint = "23502", "23514"
	_, named, ofColumn := strings.Cut(err.Where, ", column ")
	switch {
	case err.Code == notNull:
		return err.ColumnName == c.Name
	case !strings.HasPrefix(err.Code, "22") && err.Code != constraint, slices.Contains(unreadable, err.Code):
		return false
	case ofColumn:
		return strings.HasPrefix(named, c.Name+": ")
	case err.Code == constraint && err.ConstraintName == "":
		return c.DecidesPartition() // for which there is none
	case err.ConstraintName == "":
		return c.IsComputedFrom()
	}
	return slices.ContainsFunc(c.Table.Checks, func(k schema.Check) bool {
		return k.Name == err.ConstraintName && slices.Contains(k.Columns, c.Number)
	})
}

// unreadable are the conditions of text that is not COPY's, or not in its
// encoding: character_not_in_repertoire, bad_copy_file_format,
// untranslatable_character.
var unreadable = []string{"22021", "22P04", "22P05"}
