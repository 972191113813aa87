// Package postdata tries what the archive builds after the rows: keys, indexes,
// materialized views. Where something cannot be built it says which rules may be
// why. It must never leave behind what it tries, or judge the backup by what a rule
// may have broken.
package postdata

import (
	"cmp"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"daybefore/internal/scrub/schema"
	"daybefore/internal/sqltext"
	"daybefore/internal/verdict"
)

// Request is what is looked at.
type Request struct {
	Schema      *schema.Schema
	Definitions []string // SQL of the archive's post-data that rests on what columns hold
	// Rewrites names the place in the drill file by which a column's values became
	// others; ok is false where they did not.
	Rewrites func(c *schema.Column) (place string, ok bool)
	Hint     string // for what a rule's pseudonyms, or damage to the backup, may have broken
}

// Unbuilt finds what post-data could not build, though the backup's own rows
// may well allow it: where a rule has rewritten what an expression, a
// predicate, a generated column or a materialized view is computed from, or a
// text that its collation takes for equal to others. Each is a check of outcome
// error; the error is the connection's.
//
// A key or index on plain columns is not among them: a rule that would make
// their values equal was refused, and those of a key have been compared.
func Unbuilt(ctx context.Context, conn *pgx.Conn, req Request) ([]verdict.Check, error) {
	b := &builds{Request: req, ctx: ctx, conn: conn, broken: map[schema.Name][]string{}}
	if err := b.readGenerated(); err != nil {
		return nil, fmt.Errorf("look what the rules have broken: %w", err)
	}
	var checks []verdict.Check
	for _, a := range attempts(req.Definitions) {
		why, err := b.blame(a)
		if err != nil {
			return nil, fmt.Errorf("look what the rules have broken: %w", err)
		}
		if len(why) == 0 {
			continue
		}
		checks = append(checks, verdict.Check{
			ID: "rule_unfit:" + a.Table.String() + "." + a.Name, Stage: verdict.StageScrub, Code: verdict.CodeRuleUnfit,
			Outcome: verdict.Error,
			Message: "the " + a.Words() + " was refused, and rules had rewritten what it rests on: " +
				strings.Join(why, ", "),
			Hint: req.Hint,
		})
	}
	return checks, nil
}

// EqualIn tries the keys and unique indexes that rest on a column, and names the
// first that cannot be built since two rows are equal; none of them stays. Empty:
// all can.
func EqualIn(ctx context.Context, conn *pgx.Conn, definitions []string, c *schema.Column) (string, error) {
	for _, a := range attempts(definitions) {
		if a.Kind == schema.Foreign || !a.Bears() || a.Table != c.Table.Name || !slices.Contains(a.Columns, c.Name) {
			continue
		}
		refused, err := try(ctx, conn, a.sql)
		if err != nil {
			return "", err
		}
		if refused != nil && refused.Code == "23505" {
			return a.Name, nil
		}
	}
	return "", nil
}

// attempt is a definition with its SQL.
type attempt struct {
	schema.Definition
	sql string
}

// attempts are all definitions, foreign keys behind the keys that they need.
func attempts(definitions []string) (all []attempt) {
	for _, sql := range definitions {
		for _, d := range schema.ParseDefinitions([]string{sql}) {
			all = append(all, attempt{d, sql})
		}
	}
	rank := func(a attempt) int {
		if a.Kind == schema.Foreign {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(all, func(a, b attempt) int { return cmp.Compare(rank(a), rank(b)) })
	return all
}

// try runs a statement of post-data as the restore does, and returns why the
// server refuses it. Nothing of it stays.
func try(ctx context.Context, conn *pgx.Conn, sql string) (*pgconn.PgError, error) {
	tx, err := conn.Begin(ctx)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback(context.WithoutCancel(ctx))
	_, err = conn.PgConn().Exec(ctx, "set local search_path = ''; "+sql).ReadAll()
	if refused, ok := errors.AsType[*pgconn.PgError](err); ok {
		return refused, nil
	}
	return nil, err
}

// ofRows reports whether a statement may have been refused for what stands in
// the rows, as conversions, constraints, an index's limits and a function in
// its own words refuse; and not for a name that is missing, say.
//
// The classes are those of PostgreSQL's appendix A.
func ofRows(refused *pgconn.PgError) bool {
	return refused != nil &&
		slices.Contains([]string{"21", "22", "23", "38", "54", "P0"}, refused.Code[:min(2, len(refused.Code))])
}

// builds is what was learned about post-data.
type builds struct {
	Request
	ctx     context.Context
	conn    *pgx.Conn
	sources map[*schema.Column][]*schema.Column // what generated columns are computed from
	broken  map[schema.Name][]string            // why, of tables that lack a key by a rule's fault
}

func (b *builds) stands(d schema.Definition) (stands bool, err error) {
	sql := `select exists (
		select from pg_catalog.pg_constraint k join pg_catalog.pg_class c on c.oid = k.conrelid
			join pg_catalog.pg_namespace n on n.oid = c.relnamespace
		where n.nspname = $1 and c.relname = $2 and k.conname = $3)`
	switch d.Kind {
	case schema.Refresh:
		sql = `select exists (
			select from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
			where n.nspname = $1 and c.relname = $2 and $3 <> '' and c.relispopulated)`
	case schema.Unique, schema.Index:
		sql = `select exists (
			select from pg_catalog.pg_index i join pg_catalog.pg_class x on x.oid = i.indexrelid
				join pg_catalog.pg_class c on c.oid = i.indrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
			where n.nspname = $1 and c.relname = $2 and x.relname = $3)`
	}
	err = b.conn.QueryRow(b.ctx, sql, d.Table.Schema, d.Table.Table, d.Name).Scan(&stands)
	return stands, err
}

// blame says which columns' rules may be why something is not there.
func (b *builds) blame(a attempt) (why []string, err error) {
	if built, err := b.stands(a.Definition); built || err != nil {
		return nil, err
	}
	if a.Kind == schema.Foreign && b.broken[a.References] != nil {
		return b.broken[a.References], nil
	}
	why, err = b.restsOn(a.Definition)
	if len(why) == 0 || err != nil {
		return nil, err
	}
	if refused, err := try(b.ctx, b.conn, a.sql); !ofRows(refused) || err != nil {
		return nil, err
	}
	if a.Kind != schema.Foreign {
		b.broken[a.Table] = why
	}
	return why, nil
}

// restsOn names the rewritten columns that a definition goes by.
func (b *builds) restsOn(d schema.Definition) (why []string, err error) {
	t := b.Schema.ByName[d.Table]
	to := b.Schema.ByName[d.References]
	switch {
	case d.Kind == schema.Refresh:
		return b.readBy(d)
	case t == nil:
		return nil, nil
	case d.Kind == schema.Foreign && to != nil:
		return b.rewritten(b.rewritten(nil, t, d.Columns, false), to, d.Referenced, false), nil
	default:
		return b.rewritten(b.rewritten(nil, t, d.Loose, true), t, d.Columns, false), nil
	}
}

// rewritten adds those of the columns that a rule has rewritten, and what such
// are computed from; of plain columns, which are not loose, only those whose
// values are compared otherwise than to the byte.
func (b *builds) rewritten(why []string, t *schema.Table, names []string, loose bool) []string {
	add := func(c *schema.Column) {
		place, ok := b.Rewrites(c)
		if named := fmt.Sprintf("%s (%s)", c, place); ok && !slices.Contains(why, named) {
			why = append(why, named)
		}
	}
	for _, name := range names {
		for _, t := range t.WithDescendants() {
			c := t.ByName[name]
			if c == nil {
				continue
			}
			if loose || c.Alike || c.Base.Name == "citext" { // which folds as its server's locale does
				add(c)
			}
			for _, source := range b.sources[c] {
				add(source)
			}
		}
	}
	return why
}

//go:embed readby.sql
var readByView string

// readBy blames a rule for a materialized view that reads what it rewrote,
// directly or by way of other views.
func (b *builds) readBy(d schema.Definition) (why []string, err error) {
	rows, err := b.conn.Query(b.ctx, readByView, d.Table.Schema, d.Table.Table)
	if err != nil {
		return nil, err
	}
	var relation uint32
	var name string
	_, err = pgx.ForEachRow(rows, []any{&relation, &name}, func() error {
		if t := b.Schema.ByOID[relation]; t != nil {
			why = b.rewritten(why, t, []string{name}, true)
		}
		return nil
	})
	return why, err
}

// readGenerated finds what generated columns are computed from.
func (b *builds) readGenerated() error {
	b.sources = map[*schema.Column][]*schema.Column{}
	rows, err := b.conn.Query(b.ctx, `
		select a.attrelid, a.attname::pg_catalog.text, pg_catalog.pg_get_expr(d.adbin, d.adrelid)
		from pg_catalog.pg_attrdef d join pg_catalog.pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
			where a.attgenerated <> ''`)
	if err != nil {
		return err
	}
	var relation uint32
	var name, expr string
	_, err = pgx.ForEachRow(rows, []any{&relation, &name, &expr}, func() error {
		t := b.Schema.ByOID[relation]
		if t == nil {
			return nil
		}
		for _, token := range sqltext.Tokens(expr, true) {
			if source := t.ByName[token.Text]; token.IsName() && source != nil {
				b.sources[t.ByName[name]] = append(b.sources[t.ByName[name]], source)
			}
		}
		return nil
	})
	return err
}
