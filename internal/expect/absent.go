package expect

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"daybefore/internal/spec"
	"daybefore/internal/spec/guess"
	"daybefore/internal/verdict"
)

// absent judges a name of the drill file that is not there. What a past drill
// that passed had, and is gone, is the backup's failure. Else, where what is
// there has a name so near that the file may have meant it, nothing is known
// of the backup.
type absent struct {
	what string // public.customer is not in the restored database
	lost string // the hint where nothing is near
	near []string
	had  *verdict.Report // the newest in which it was there; nil: none
	o    Options
}

const dropped = "it was dropped or renamed in production, or the dump leaves it out: if that was meant, "

const correct = " then correct the drill file: names are compared to the letter"

func (a absent) tell(c *verdict.Check, observed string) {
	switch {
	case a.had != nil:
		c.Say(verdict.Fail, observed, dropped+"correct the drill file",
			"%s, and was there in the last drill that passed with it (%s)", a.what, a.had.Run)
	case len(a.near) == 0:
		c.Say(verdict.Fail, observed, a.lost, "%s", a.what)
	default:
		c.Say(verdict.Error, observed, guess.Meant(a.near)+correct,
			"%s; something with a similar name exists%s", a.what, a.history())
	}
}

// history says what the past tells of a name that it does not have.
func (a absent) history() string {
	switch {
	case a.o.Past.Problem != nil:
		return "; whether it ever was there cannot be known, since the past could not be read"
	case len(a.o.Past.Passing) > 0:
		return "; no drill that passed had it"
	}
	return ""
}

// nearest are the names that are near.
func nearest(written string, there []string) (near []string) {
	for _, name := range there {
		if name != written && guess.Near(written, name) {
			near = append(near, name)
		}
	}
	return near
}

// askNames gives the first column of what a query gives.
func askNames(ctx context.Context, q *query, sql string, args ...string) ([]string, error) {
	rows, err := q.rows(ctx, sql, args...)
	var all []string
	for _, row := range rows {
		all = append(all, string(row[0]))
	}
	return all, err
}

// fileColumn is a column that the drill file names.
type fileColumn struct {
	code   verdict.Code
	key    string // of the drill file, which names it: freshness.column
	pos    spec.Pos
	table  spec.Name
	column string
}

// find gives the column's type, and notes in the check that it was there. The
// Problem of one that is not there: a failure where a past drill that passed
// had it, else an error.
func (f fileColumn) find(ctx context.Context, q *query, c *verdict.Check, o Options) (columnType, error) {
	of, there, err := typeOf(ctx, q, f.table, f.column)
	name := f.table.Column(f.column)
	if err != nil {
		return of, err
	}
	if there {
		if !slices.Contains(c.Columns, name) {
			c.Columns = append(c.Columns, name)
		}
		return of, nil
	}
	if had := o.hadColumn(c.ID, name); had != nil {
		return of, verdict.Failf(f.code, dropped+"correct "+f.key+" in the drill file",
			"there is no column %s any more: it was there in the last drill that passed with "+
				"it (%s) (%v)",
			name, had.Run, f.pos)
	}
	hint, err := f.hint(ctx, q)
	if err != nil {
		return of, err
	}
	return of, verdict.Errorf(f.code, hint, "there is no column %s (%v)", name, f.pos)
}

const listColumns = `
select attname from pg_catalog.pg_attribute
where attrelid = $1::pg_catalog.oid and attnum > 0 and not attisdropped
order by attnum`

// hint is what to do about a column that never was there.
func (f fileColumn) hint(ctx context.Context, q *query) (string, error) {
	hint := "correct " + f.key + " in the drill file"
	r, _, err := q.session.names.of(ctx, q, f.table)
	if err != nil {
		return "", fmt.Errorf("look for %s: %w", f.table, err)
	}
	known, err := askNames(ctx, q, listColumns, r.oid)
	if err != nil {
		return "", fmt.Errorf("list the columns of %s: %w", f.table, err)
	}
	if meant := guess.DidYouMean(f.column, known, ""); meant != "" {
		hint = meant + " " + hint
	}
	return hint, nil
}

// hadTable is the newest drill that passed which had the table, as its report
// says: among what it restored, in a check of the table, or because its drill
// file was this very one and the same check passed.
func (o Options) hadTable(id string, t spec.Name) *verdict.Report {
	return o.newest(id, func(r *recalled) bool {
		return r.tables[t.Schema+"."+t.Table] != nil || r.relations[t.String()]
	})
}

func (o Options) hadColumn(id, name string) *verdict.Report {
	return o.newest(id, func(r *recalled) bool { return r.columns[name] })
}

// hadChecked is the newest drill that passed in which the check found what it
// looks for.
func (o Options) hadChecked(id string) *verdict.Report {
	return o.newest(id, func(r *recalled) bool { c := r.checks[id]; return c != nil && c.Outcome == verdict.Pass })
}

func (o Options) newest(id string, had func(*recalled) bool) *verdict.Report {
	for _, r := range o.Past.Passing {
		old := o.memory.of(r)
		if had(old) || o.File != "" && r.DrillSHA256 == o.File && old.met(id) {
			return r
		}
	}
	return nil
}

// met reports whether a check of a drill that passed came to something. Of
// latest events only trouble is kept.
func (r *recalled) met(id string) bool {
	c := r.checks[id]
	if c == nil {
		return strings.HasPrefix(id, eventsID)
	}
	return (c.Outcome == verdict.Pass || c.Outcome == verdict.Warn) && c.Accepted == nil
}
