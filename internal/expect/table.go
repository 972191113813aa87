package expect

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/jackc/pgx/v5"

	"daybefore/internal/expect/drift"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// presentID begins the id of a check that looks for a table.
const presentID = "table_present:"

// listedTables are those under the drill file's tables.
func listedTables(e spec.Expectations) map[spec.Name]bool {
	listed := map[spec.Name]bool{}
	for _, t := range e.Tables {
		listed[t.Table] = true
	}
	return listed
}

// tablePresent is a check for every table that the drill file lists. One that
// it lists besides is not what it means by this one, however near.
func tablePresent(t spec.Table, listed map[spec.Name]bool, o Options) pendingCheck {
	return pendingCheck{
		Check: verdict.Check{ID: presentID + t.Table.String(), Code: verdict.CodeTablePresent, Expected: "present"},
		plain: true,
		judge: func(ctx context.Context, q *query, c *verdict.Check) error {
			r, err := findRelation(ctx, q, t.Table)
			switch {
			case err != nil:
				return err
			case t.Rebuildable && (r.oid == "" || r.readable && !r.populated && !o.Unfilled):
				c.Say(verdict.Skipped, r.kind, rebuildHint, "%s was not restored, which is allowed (rebuildable)",
					t.Table)
			case r.oid == "":
				r.near = slices.DeleteFunc(slices.Clone(r.near), func(n spec.Name) bool { return listed[n] })
				judgeMissing(c, t, r, o)
			case !r.readable:
				c.Say(verdict.Fail, r.kind, "name a table or a view; the backup makes something else under this name",
					"%s is not a table", t.Table)
			case !r.populated && o.LeftEmpty != nil && o.LeftEmpty(t.Table.Schema, t.Table.Table):
				c.Say(verdict.Skipped, r.kind+", not filled", "try it by hand, beside the servers that it reads",
					"%s reads foreign tables, which nothing reaches from here", t.Table)
			case !r.populated && !o.Unfilled:
				c.Say(verdict.Fail, r.kind+", never filled",
					"look at the restore's errors: its query failed while it was refreshed",
					"%s is there, but was never filled", t.Table)
			case r.replaces(o.made(t.Table)):
				c.Say(verdict.Fail, r.kind, replacedHint, "%s is a %s, and the backup makes a %s of that name", t.Table,
					r.kind, o.made(t.Table))
			default:
				judgeKind(c, t, r, o)
			}
			return nil
		},
	}
}

const replacedHint = "something put it there while the backup was restored, and would in a real restore: " +
	"look at the backup's own code (code_ran in the report), and at who can change it in production"

// made is what the backup makes under a name; empty: nothing that is known.
func (o Options) made(t spec.Name) string {
	if o.Made == nil {
		return ""
	}
	return o.Made(t.Schema, t.Table)
}

// isTable is what holds rows that a backup brings.
func isTable(kind string) bool { return kind == "table" || kind == "partitioned table" }

// replaces reports whether what is there is of another kind than what the
// backup makes under its name.
func (r relation) replaces(made string) bool {
	return made != "" && r.kind != made && !(made == "table" && isTable(r.kind))
}

// judgeKind warns once where a table of past drills is something else now,
// which holds no rows of its own: tables are replaced by views on purpose too.
func judgeKind(c *verdict.Check, t spec.Table, r relation, o Options) {
	if !isTable(r.kind) {
		for _, past := range o.Past.Passing {
			old := o.memory.of(past).checks[c.ID]
			if old == nil || old.Observed == "" {
				continue
			}
			if isTable(old.Observed) {
				c.Say(verdict.Warn, r.kind, "if that was intended, do nothing: the next drill does not repeat it; "+
					"expect rows of the table that they are in now; else look who replaced it in production",
					"%s is a %s now, and was a table in the last drill that passed with it (%s): what it shows "+
						"is kept elsewhere, or nowhere",
					t.Table, r.kind, past.Run)
				return
			}
			break
		}
	}
	c.Pass(r.kind)
}

const rebuildHint = "it is declared as rebuildable: rebuild it after a real restore"

// judgeMissing judges a table that is not there. It is well if a person wanted
// it to be dropped, and no drill that passed has seen it since.
func judgeMissing(c *verdict.Check, t spec.Table, r relation, o Options) {
	accepted := o.Past.AcceptedFor(c.ID)
	seen := o.hadTable(c.ID, t.Table)
	if accepted != nil && (seen == nil || !seen.StartedAt.After(accepted.At)) {
		c.Pass(r.kind)
		c.Accepted = accepted.Note()
		return
	}
	r.absent(t.Table, t.Table.String()+" is not in the restored database", seen, o).tell(c, r.kind)
	if seen != nil {
		c.Change = &verdict.Change{Baseline: seen.Run, From: "present", To: r.kind}
		c.Hint = r.elsewhere + "; " + drift.AcceptHint
	}
}

// ofTable judges only where the table is there: a missing one is told once,
// by table_present.
func ofTable(t spec.Table, o Options,
	judge func(context.Context, *query, relation, *verdict.Check) error) func(context.Context, *query,
	*verdict.Check) error {
	return func(ctx context.Context, q *query, c *verdict.Check) error {
		r, err := findRelation(ctx, q, t.Table)
		if err != nil {
			return err
		}
		made := o.made(t.Table)
		if r.there() && r.replaces(made) {
			c.Say(verdict.Skipped, r.kind, "see "+presentID+t.Table.String(),
				"not checked: %s is not the %s that the backup makes", t.Table, made)
			return nil
		}
		if !r.there() {
			c.Say(verdict.Skipped, r.kind, "see "+presentID+t.Table.String(),
				"not checked: %s does not exist or cannot be read", t.Table)
			return nil
		}
		if t.Rebuildable {
			some, err := q.valueUnder(ctx, r.whose(), "select exists (select from "+identifier(t.Table)+")")
			switch {
			case err != nil:
				return fmt.Errorf("look for rows of %s: %w", t.Table, err)
			case string(some) != "t":
				c.Say(verdict.Skipped, "empty", rebuildHint, "not checked: %s is empty, which is allowed (rebuildable)",
					t.Table)
				return nil
			}
		}
		return judge(ctx, q, r, c)
	}
}

func rowCount(t spec.Table, o Options) pendingCheck {
	return pendingCheck{
		Check: verdict.Check{ID: "row_count:" + t.Table.String(), Code: verdict.CodeRowCount,
			Expected: countRange(*t.RowCount)},
		plain: true,
		judge: ofTable(t, o, func(ctx context.Context, q *query, r relation, c *verdict.Check) error {
			n, _, err := rowsOf(ctx, q, t, r, o.Held)
			if err != nil {
				return err
			}
			if r.whose() == theirs {
				q.tellPath(c, o)
			}
			judgeCount(c, t, n, o)
			return nil
		}),
	}
}

// rowsOf counts a table's rows, unless the restore counted just them: alike.
func rowsOf(
	ctx context.Context, q *query, t spec.Table, r relation, held func(schema, table string) (int64, bool),
) (n int64, alike bool, err error) {
	if held != nil {
		if n, ok := held(t.Table.Schema, t.Table.Table); ok {
			return n, true, nil
		}
	}
	n, err = count(ctx, q, r.whose(), "select pg_catalog.count(*) from "+identifier(t.Table))
	if err != nil {
		return 0, false, verdict.Errorf(verdict.CodeRowCount,
			"count them by hand in a restored copy; where it is a view, run its query; "+
				"rows of foreign tables, also of such partitions, are in no backup: expect nothing of them",
			"count the rows of %s: %w", t.Table, err)
	}
	return n, false, nil
}

func judgeCount(c *verdict.Check, t spec.Table, n int64, o Options) {
	observed := strconv.FormatInt(n, 10)
	limit := *t.RowCount
	outcome := verdict.Fail
	if limit.Severity == "warn" {
		outcome = verdict.Warn
	}
	var brought int64
	if o.Brought != nil {
		brought, _ = o.Brought(t.Table.Schema, t.Table.Table)
	}
	switch {
	case limit.Min != nil && n < *limit.Min && brought > n:
		c.Say(outcome, observed,
			"see rows_held and the restore errors: the restore refused rows, or code of the backup's own (code_ran "+
				"in the report) took them away again",
			"%s holds %d rows, %d fewer than the least declared, and the backup holds %d", t.Table, n, *limit.Min-n,
			brought)
	case limit.Min != nil && n < *limit.Min && n == 0:
		c.Say(outcome, observed,
			"the backup has the table without its rows: was it emptied, or dumped by a role that may not "+
				"see them (row-level security)?",
			"%s is empty", t.Table)
	case limit.Min != nil && n < *limit.Min:
		c.Say(outcome, observed,
			"compare with production before this backup is trusted: rows may have been deleted there, "+
				"or never reached the backup",
			"%s holds %d rows, %d fewer than the least declared", t.Table, n, *limit.Min-n)
	case limit.Max != nil && n > *limit.Max:
		c.Say(outcome, observed,
			"rows may have been loaded twice, or the table has outgrown what the drill file declares",
			"%s holds %d rows, %d more than the most declared", t.Table, n, n-*limit.Max)
	default:
		c.Pass(observed)
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

func count(ctx context.Context, q *query, path whose, sql string) (int64, error) {
	text, err := q.valueUnder(ctx, path, sql)
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(string(text), 10, 64)
}

func identifier(n spec.Name) string { return pgx.Identifier{n.Schema, n.Table}.Sanitize() }

func failedRows(f spec.FailedRows, o Options) pendingCheck {
	return pendingCheck{
		Check: verdict.Check{ID: "failed_rows:" + f.Name, Code: verdict.CodeFailedRows,
			Expected: limitText(f.WarnIf, f.FailIf)},
		timeout: f.Timeout,
		plain:   true,
		judge: func(ctx context.Context, q *query, c *verdict.Check) error {
			// The line ends keep a comment in the SQL from eating the rest.
			n, err := count(ctx, q, theirs, "select pg_catalog.count(*) from (\n"+f.SQL+"\n) failed_rows")
			q.tellPath(c, o)
			if err != nil {
				return verdict.Errorf(verdict.CodeFailedRows,
					"correct the query in the drill file; it is run as a subquery, and may only read",
					"run the query %s (%v): %w", f.Name, f.Pos, err)
			}
			judgeFailed(c, f, n)
			return nil
		},
	}
}

func judgeFailed(c *verdict.Check, f spec.FailedRows, n int64) {
	observed := strconv.FormatInt(n, 10)
	const hint = "run the query against production and against the restored backup: what it finds only " +
		"here, the backup broke or lost"
	switch {
	case f.FailIf != nil && f.FailIf.Holds(n):
		c.Say(verdict.Fail, observed, hint, "the query %s gives %s (fail if %s)", f.Name, verdict.Count(n, "row"), f.FailIf)
	case f.WarnIf != nil && f.WarnIf.Holds(n):
		c.Say(verdict.Warn, observed, hint, "the query %s gives %s (warn if %s)", f.Name, verdict.Count(n, "row"), f.WarnIf)
	default:
		c.Pass(observed)
	}
}
