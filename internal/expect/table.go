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

// relation is what the catalogue says of a table's name.
type relation struct {
	oid       string
	kind      string // in words: table, partitioned table, view …
	readable  bool   // it has rows that can be counted
	populated bool   // false: a materialized view that was never filled
	elsewhere string // not there: schemas that have one of the name, and how many tables there are
}

func (r relation) there() bool { return r.oid != "" && r.readable && r.populated }

const findRelation = `
select c.oid,
       case c.relkind when 'r' then 'table' when 'p' then 'partitioned table' when 'v' then 'view' when 'm' then 'materialized view'
                      when 'f' then 'foreign table' when 'S' then 'sequence' when 'i' then 'index' when 'I' then 'index'
                      when 'c' then 'composite type' else 'something else' end,
       c.relkind in ('r', 'p', 'v', 'm', 'f'),
       c.relispopulated
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where n.nspname = $1::pg_catalog.text and c.relname = $2::pg_catalog.text`

const lookElsewhere = `
select pg_catalog.count(*),
       pg_catalog.string_agg(n.nspname, ', ' order by n.nspname) filter (where c.relname = $1::pg_catalog.text)
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname not like 'pg\_toast%'`

func find(ctx context.Context, q *query, name spec.Name) (relation, error) {
	rows, err := q.rows(ctx, findRelation, name.Schema, name.Table)
	if err != nil {
		return relation{}, fmt.Errorf("look for %s: %w", name, err)
	}
	if len(rows) == 1 {
		r := rows[0]
		return relation{oid: string(r[0]), kind: string(r[1]), readable: string(r[2]) == "t", populated: string(r[3]) == "t"}, nil
	}
	rows, err = q.rows(ctx, lookElsewhere, name.Table)
	if err != nil || len(rows) != 1 {
		return relation{}, fmt.Errorf("look for %s in other schemas: %w", name, err)
	}
	return relation{kind: "missing", elsewhere: elsewhere(string(rows[0][0]), string(rows[0][1]))}, nil
}

func elsewhere(tables, schemas string) string {
	switch {
	case tables == "0":
		return "the restored database holds no table at all: was the dump taken of an empty instance?"
	case schemas != "":
		return "a table of this name is in schema " + schemas + ": was it moved? then correct the drill file"
	}
	return "the backup does not bring it: was it excluded from the dump, dropped, or is this another database? the database holds " + tables + " other tables"
}

// tablePresent is a check for every table that the drill file names.
func tablePresent(t spec.Table, unfilled bool) check {
	return check{
		Check: verdict.Check{ID: "table_present:" + t.Table.String(), Code: verdict.CodeTablePresent, Expected: "present"},
		judge: func(ctx context.Context, q *query, c *verdict.Check) error {
			r, err := find(ctx, q, t.Table)
			switch {
			case err != nil:
				return err
			case r.oid == "":
				say(c, verdict.Fail, r.kind, r.elsewhere, "%s is not in the restored database", t.Table)
			case !r.readable:
				say(c, verdict.Fail, r.kind, "name a table or a view; the backup brought something else under this name", "%s is no table", t.Table)
			case !r.populated && !unfilled:
				say(c, verdict.Fail, r.kind+", never filled", "look at the restore's errors: its query failed while it was refreshed", "%s is there, but was never filled", t.Table)
			default:
				pass(c, r.kind)
			}
			return nil
		},
	}
}

// ofTable judges only where the table is there: a missing one is told once,
// by table_present.
func ofTable(t spec.Table, judge func(context.Context, *query, relation, *verdict.Check) error) func(context.Context, *query, *verdict.Check) error {
	return func(ctx context.Context, q *query, c *verdict.Check) error {
		r, err := find(ctx, q, t.Table)
		if err != nil {
			return err
		}
		if !r.there() {
			say(c, verdict.Skipped, r.kind, "see table_present:"+t.Table.String(), "not looked at, since %s is not there to be read", t.Table)
			return nil
		}
		return judge(ctx, q, r, c)
	}
}

func rowCount(t spec.Table, held func(schema, table string) (int64, bool)) check {
	return check{
		Check: verdict.Check{ID: "row_count:" + t.Table.String(), Code: verdict.CodeRowCount, Expected: countRange(*t.RowCount)},
		judge: ofTable(t, func(ctx context.Context, q *query, _ relation, c *verdict.Check) error {
			if held != nil {
				if n, ok := held(t.Table.Schema, t.Table.Table); ok {
					judgeCount(c, t, n)
					return nil
				}
			}
			n, err := count(ctx, q, "select pg_catalog.count(*) from "+identifier(t.Table))
			if err != nil {
				return verdict.Errorf(verdict.CodeRowCount, "count them by hand in a restored copy; where it is a view, run its query", "count the rows of %s: %w", t.Table, err)
			}
			judgeCount(c, t, n)
			return nil
		}),
	}
}

func judgeCount(c *verdict.Check, t spec.Table, n int64) {
	observed, limit := strconv.FormatInt(n, 10), *t.RowCount
	outcome := verdict.Fail
	if limit.Severity == "warn" {
		outcome = verdict.Warn
	}
	switch {
	case limit.Min != nil && n < *limit.Min && n == 0:
		say(c, outcome, observed, "the backup brought the table without its rows: was it emptied, or dumped by a role that may not see them (row-level security)?",
			"%s is empty", t.Table)
	case limit.Min != nil && n < *limit.Min:
		say(c, outcome, observed, "compare with production before this backup is trusted: rows may have been deleted there, or never reached the backup",
			"%s holds %d rows, %d fewer than the least declared", t.Table, n, *limit.Min-n)
	case limit.Max != nil && n > *limit.Max:
		say(c, outcome, observed, "rows may have been loaded twice, or the table has outgrown what the drill file declares",
			"%s holds %d rows, %d more than the most declared", t.Table, n, n-*limit.Max)
	default:
		pass(c, observed)
	}
}

func countRange(r spec.RowCount) string {
	switch {
	case r.Min != nil && r.Max != nil && *r.Min == *r.Max:
		return fmt.Sprintf("= %d", *r.Min)
	case r.Min != nil && r.Max != nil:
		return fmt.Sprintf("%d to %d", *r.Min, *r.Max)
	case r.Min != nil:
		return fmt.Sprintf(">= %d", *r.Min)
	case r.Max != nil:
		return fmt.Sprintf("<= %d", *r.Max)
	}
	return ""
}

func count(ctx context.Context, q *query, sql string) (int64, error) {
	text, err := q.value(ctx, sql)
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(string(text), 10, 64)
}

func identifier(n spec.Name) string { return pgx.Identifier{n.Schema, n.Table}.Sanitize() }

func failedRows(f spec.FailedRows) check {
	var limits []string
	if f.WarnIf != nil {
		limits = append(limits, "warn if "+f.WarnIf.String())
	}
	if f.FailIf != nil {
		limits = append(limits, "fail if "+f.FailIf.String())
	}
	return check{
		Check:   verdict.Check{ID: "failed_rows:" + f.Name, Code: verdict.CodeFailedRows, Expected: strings.Join(limits, ", ")},
		timeout: f.Timeout,
		judge: func(ctx context.Context, q *query, c *verdict.Check) error {
			// The line ends keep a comment in the SQL from eating the rest.
			n, err := count(ctx, q, "select pg_catalog.count(*) from (\n"+f.SQL+"\n) failed_rows")
			if err != nil {
				return verdict.Errorf(verdict.CodeFailedRows, "correct the query in the drill file; it is run as a subquery, and may only read",
					"run the query %s (drill file, line %d): %w", f.Name, f.Pos.Line, err)
			}
			judgeFailed(c, f, n)
			return nil
		},
	}
}

func judgeFailed(c *verdict.Check, f spec.FailedRows, n int64) {
	observed := strconv.FormatInt(n, 10)
	const hint = "run the query against production and against the restored backup: what it finds only here, the backup broke or lost"
	switch {
	case f.FailIf != nil && f.FailIf.Holds(n):
		say(c, verdict.Fail, observed, hint, "the query %s gives %d rows (fail if %s)", f.Name, n, f.FailIf)
	case f.WarnIf != nil && f.WarnIf.Holds(n):
		say(c, verdict.Warn, observed, hint, "the query %s gives %d rows (warn if %s)", f.Name, n, f.WarnIf)
	default:
		pass(c, observed)
	}
}
