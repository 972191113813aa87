// Package expect compares a restored database with what its drill file
// declares, check by check. It must never write: every statement runs alone in a
// read-only transaction with a time limit. What it tells never holds a value of a
// row.
package expect

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"daybefore/internal/history"
	"daybefore/internal/spec"
	"daybefore/internal/spec/amount"
	"daybefore/internal/told"
	"daybefore/internal/verdict"
)

// Connect opens a connection to the restored database. It is called from
// several goroutines, once for each connection that is needed.
type Connect = func(ctx context.Context) (*pgx.Conn, error)

// Options say how to judge.
type Options struct {
	AsOf time.Time // what freshness is judged against
	// AsOfUntil is later than AsOf where that moment is only known to lie
	// between the two, as on a day.
	AsOfUntil time.Time
	Jobs      int // connections at a time; at least one is used
	// Held tells how many rows a table was just counted to hold, if it was:
	// nothing changes the sandbox's database meanwhile. Nil: count all.
	Held func(schema, table string) (rows int64, ok bool)
	// Brought tells how many rows of a table that was so counted the backup holds,
	// if that is known. Nil: it is not.
	Brought func(schema, table string) (rows int64, ok bool)
	// Past is what is compared with; the zero value: a first run.
	Past history.Past
	// Mark is told the greatest value of each column that must not go back,
	// from several goroutines. Nil: nobody keeps them.
	Mark func(verdict.Mark)
	// Shown tells of which columns a report may hold values. Nil: of none.
	Shown func(schema, table, column string) bool
	// Excluded tells of which tables no rows are loaded, as declared. Nil: none.
	Excluded func(schema, table string) bool
	// LeftEmpty tells which materialized views the restore did not fill, since
	// they read what the sandbox cannot reach. Nil: none.
	LeftEmpty func(schema, table string) bool
	// Rewritten tells which columns the scrub rewrites. Nil: none.
	Rewritten func(schema, table, column string) bool
	// Agree reports whether two columns hold equal values after the scrub where
	// they did before. Nil: all do.
	Agree func(table spec.Name, column string, other spec.Name, otherColumn string) bool
	// Structure is told what the database consists of where there is no
	// baseline to compare it with. Nil: nobody keeps it.
	Structure func(*spec.Structure)
	// File is the drill file's SHA-256: what a drill that passed names in the
	// very same file was there. Empty: it is not known.
	File string
	// TakenAt and SHA256 are the backup's, which tell whether it was drilled
	// before; records of outside that are newer are not expected.
	TakenAt time.Time
	// TakenUntil is later than TakenAt where only the backup's day is known.
	TakenUntil time.Time
	SHA256     string
	// Witnesses say how outside records are read and compared.
	Witnesses Witnesses
	// Names are those that a report may tell. Nil: all.
	Names *told.Names
	// Made is what the backup makes under a name: table, view, materialized view
	// or foreign table; empty where it makes none of these. Nil: it is not known.
	Made func(schema, table string) string
	// Unfilled: the restore has not come to its materialized views yet, so
	// that one without rows is no finding.
	Unfilled bool

	memory memory // of Past
}

// Run evaluates all expectations and returns a check for each, in the order
// of the drill file. A check that cannot be evaluated has the outcome error
// and does not keep the others from running; where a table is missing, what
// else is expected of it is skipped.
func Run(ctx context.Context, connect Connect, e spec.Expectations, o Options) []verdict.Check {
	o.memory = remember(o.Past)
	checks := declaredChecks(e, o)
	found := make([]verdict.Check, len(checks))
	names := newLookup(e.Tables)
	names.told = o.Names
	work := queue{checks: checks, workers: min(max(o.Jobs, 1), len(checks))}
	var workers sync.WaitGroup
	for range work.workers {
		workers.Go(func() {
			s := session{connect: connect, names: names}
			defer s.close()
			for from, to := work.take(); from < to; from, to = work.take() {
				if to-from > 1 && names.asked(ctx, &s, e.Timeout) {
					s.together(ctx, checks[from:to], found[from:to])
					continue
				}
				for i := from; i < to; i++ {
					found[i] = checks[i].run(ctx, &s)
				}
			}
		})
	}
	workers.Wait()
	if e.Amcheck != nil {
		found = append(found, amcheck(ctx, connect, *e.Amcheck, e.Timeout, o.Jobs, o.Names)...)
	}
	return found
}

// pendingCheck is one expectation: how it is called, and how it is judged.
type pendingCheck struct {
	verdict.Check // with ID, Code and Expected
	timeout       time.Duration
	lenient       bool // what would fail warns
	plain         bool // each question may be asked in a transaction of its own, among other checks'
	judge         func(ctx context.Context, q *query, c *verdict.Check) error
}

// judgment is a judge that knows its check.
type judgment = func(ctx context.Context, q *query) error

// Count is how many checks Run gives for what is expected, those of amcheck
// aside.
func Count(e spec.Expectations) int { return len(declaredChecks(e, Options{})) }

// declaredChecks are the checks of a drill file, in its order.
func declaredChecks(e spec.Expectations, o Options) []pendingCheck {
	var all []pendingCheck
	listed := listedTables(e)
	for _, t := range e.Tables {
		all = append(all, tablePresent(t, listed, o))
		if t.RowCount != nil {
			all = append(all, rowCount(t, o))
		}
		if t.RowCountChange != nil {
			all = append(all, rowCountChange(t, o))
		}
		if t.Freshness != nil {
			all = append(all, freshness(t, o))
		}
		if t.MaxRegression != nil {
			all = append(all, maxRegression(t, o))
		}
		for _, r := range t.Relationships {
			all = append(all, relationship(t, r, listed[r.References], o))
		}
		if t.Checksum != nil {
			all = append(all, checksum(t, o))
		}
	}
	all = append(all, ofDatabase(e, o)...)
	for _, f := range e.FailedRows {
		all = append(all, failedRows(f, o))
	}
	if e.Canary != nil {
		all = append(all, canary(*e.Canary, o))
	}
	for _, w := range e.Witness {
		all = append(all, witnessed(w, o))
	}
	for i := range all {
		all[i].Stage = verdict.StageExpect
		if all[i].timeout <= 0 {
			all[i].timeout = e.Timeout
		}
	}
	return all
}

// run evaluates the check. Whatever goes wrong is the check's own error.
func (k pendingCheck) run(ctx context.Context, s *session) verdict.Check {
	return k.evaluate(ctx, s, func(judge judgment) error { return s.transaction(ctx, k.timeout, judge) })
}

// evaluate lets the check judge, within what gives it a query.
func (k pendingCheck) evaluate(ctx context.Context, s *session, within func(judgment) error) (c verdict.Check) {
	c = k.Check
	defer func() {
		if recover() != nil { // the panic's text may hold anything
			s.close()
			c.Take(verdict.AsProblem(errors.New("the check ended in a panic")))
		}
	}()
	err := within(func(ctx context.Context, q *query) error { return k.judge(ctx, q, &c) })
	if err != nil {
		c.Take(problem(ctx, err, k.timeout))
	}
	if k.lenient && c.Outcome == verdict.Fail {
		c.Outcome = verdict.Warn
	}
	return c
}

// problem says what an error means for a check: nothing about the backup,
// unless it says so itself.
func problem(ctx context.Context, err error, timeout time.Duration) *verdict.Problem {
	stopped := settled(ctx).Err()
	switch {
	case errors.Is(stopped, context.DeadlineExceeded):
		return verdict.Errorf(verdict.CodeTimeout, "raise the drill's timeout, or find out what became slow",
			"the drill's time ran out before the check had ended")
	case stopped != nil:
		return verdict.Errorf(verdict.CodeInterrupted, "run the drill again",
			"the drill was stopped before the check had ended")
	case errors.Is(err, errTimeout):
		return verdict.Errorf(verdict.CodeTimeout, "raise the check's timeout, or find out what became slow",
			"the check did not end within %s", amount.Span(timeout))
	case errors.Is(err, ErrBroken):
		return ErrBroken
	}
	return verdict.AsProblem(err)
}
