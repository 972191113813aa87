package expect

import (
	"context"

	"daybefore/internal/expect/drift"
	"daybefore/internal/history"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// rowCountChange compares a table's rows with those of past drills.
func rowCountChange(t spec.Table, o Options) pendingCheck {
	id := "row_count_change:" + t.Table.String()
	return pendingCheck{
		Check: verdict.Check{ID: id, Code: verdict.CodeRowCountChange},
		plain: true,
		judge: ofTable(t, o, func(ctx context.Context, q *query, r relation, c *verdict.Check) error {
			n, alike, err := rowsOf(ctx, q, t, r, o.Held)
			if err != nil {
				return err
			}
			drift.Judge(c, *t.RowCountChange, o.Past, drift.Measured{
				Value: n, Subject: t.Table.String() + " holds", Less: "fewer", More: "more",
				Show: func(n int64) string { return verdict.Count(n, "row") },
				Dropped: "find out who deleted them in production, or why the backup lacks them, " +
					"before this backup is trusted",
				Risen: "rows may have been loaded twice, or something writes many more than it did",
				Of:    func(r *verdict.Report) (int64, bool) { return pastRows(o.memory.of(r), id, t.Table, alike) },
			})
			return nil
		}),
	}
}

// pastRows is how many rows a table had in a past drill: what this check saw
// then, else what row_count did, else what the restore counted, where it
// counted alike.
func pastRows(r *recalled, id string, table spec.Name, alike bool) (int64, bool) {
	if c := r.checks[id]; c != nil && c.Change != nil {
		return history.Number(c.Change.To)
	}
	if c := r.checks["row_count:"+table.String()]; c != nil && c.Observed != "" {
		return history.Number(c.Observed)
	}
	if t := r.tables[table.Schema+"."+table.Table]; alike && t != nil && !t.Excluded {
		return t.RowsHeld, true
	}
	return 0, false
}
