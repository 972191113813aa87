package expect

import (
	"bytes"
	"context"

	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// canary judges a value that was planted in this database and in no other. It
// is compared to the byte, and neither it nor what stands there is ever told.
func canary(k spec.Canary, o Options) pendingCheck {
	return pendingCheck{
		Check: verdict.Check{ID: "canary", Code: verdict.CodeCanary, Expected: "equal to $" + k.EqualsEnv},
		judge: func(ctx context.Context, q *query, c *verdict.Check) error {
			refuse := func(format string, args ...any) error {
				return verdict.Errorf(verdict.CodeCanary,
					"correct canary.sql in the drill file: it gives one row of one column, and may only read",
					format+" (%v)", append(args, k.Pos)...)
			}
			// The line ends keep a comment in the SQL from eating the rest.
			rows, err := q.under(ctx, theirs, "select canary.* from (\n"+k.SQL+"\n) canary limit 2")
			q.tellPath(c, o)
			const hint = "another database was dumped, or an old or empty copy of this one: find out which before " +
				"this backup is trusted; if the value was changed on purpose, change the variable"
			switch {
			case err != nil:
				return refuse("ask for the canary: %w", err)
			case len(rows) == 0:
				c.Say(verdict.Fail, "no row", hint, "the canary is not in the restored database")
			case len(rows) > 1:
				return refuse("ask for the canary: the query gives more than one row")
			case len(rows[0]) != 1:
				return refuse("ask for the canary: the query gives %d columns", len(rows[0]))
			case rows[0][0] == nil:
				c.Say(verdict.Fail, "null", hint, "the canary is null in the restored database")
			case !bytes.Equal(rows[0][0], k.Value):
				c.Say(verdict.Fail, "another value", hint,
					"the canary in the restored database is not the one that was planted")
			default:
				c.Pass("equal")
			}
			return nil
		},
	}
}
