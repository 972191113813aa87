package expect

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"daybefore/internal/told"
	"daybefore/internal/verdict"
)

// mostTogether is how many checks ask at once. More gain nothing.
const mostTogether = 16

// queue deals out checks, in their order.
type queue struct {
	mu      sync.Mutex
	checks  []pendingCheck
	next    int
	workers int
}

// take gives the checks from one number to another, none at the end. It gives
// several where so many are left that nobody will wait for whoever meets a
// slow one among them.
func (w *queue) take() (from, to int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	from = w.next
	most := min(max((len(w.checks)-from)/(4*w.workers), 1), mostTogether)
	for w.next < len(w.checks) && w.next-from < most &&
		(w.next == from || w.checks[w.next].plain && w.checks[from].plain) {
		w.next++
	}
	return from, w.next
}

// question is a statement and, later, its answer.
type question struct {
	path whose
	sql  string
	args []string
	rows [][][]byte
	err  error
	lost bool // it cannot be known whether it was asked
}

var errLost = errors.New("the question was not answered")

// asking is a check that waits for an answer.
type asking struct {
	pendingCheck
	*question
	found  verdict.Check
	into   *verdict.Check
	resume func() (*question, bool)
	stop   func()
}

// goOn lets the check judge until it asks, and says whether it does.
func (a *asking) goOn() (asks bool) {
	a.question, asks = a.resume()
	if !asks {
		*a.into = a.found
	}
	return asks
}

// together runs plain checks side by side over one connection. What they ask
// goes to the server at once, each in a transaction of its own, so that it is
// at work while the answers before are read: asked one by one, a thousand
// small tables keep both sides waiting for each other half of the time. What
// was not answered, for a reason that may be another check's, runs alone.
func (s *session) together(ctx context.Context, checks []pendingCheck, found []verdict.Check) {
	var open []*asking
	for i, k := range checks {
		a := &asking{pendingCheck: k, into: &found[i]}
		a.resume, a.stop = iter.Pull(func(yield func(*question) bool) {
			a.found = k.evaluate(ctx, s, func(judge judgment) error {
				return judge(ctx,
					&query{session: s, ask: func(path whose, sql string, args []string) ([][][]byte, error) {
						q := &question{path: path, sql: sql, args: args}
						if !yield(q) {
							return nil, errLost
						}
						return q.rows, q.err
					}})
			})
		})
		if a.goOn() {
			open = append(open, a)
		}
	}
	for len(open) > 0 {
		s.answer(ctx, open)
		open = slices.DeleteFunc(open, func(a *asking) bool {
			if a.lost {
				a.stop()
				*a.into = a.run(ctx, s)
				return true
			}
			return !a.goOn()
		})
	}
}

// answer asks the server for all, and reads what it says until the connection
// breaks or one of them takes too long: what comes after is lost.
func (s *session) answer(ctx context.Context, open []*asking) {
	for _, a := range open {
		a.lost = true
	}
	defer func() {
		if recover() != nil { // whose fault it is shows when they run alone
			s.close()
		}
	}()
	if s.open(ctx) != nil {
		return
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	limit := time.AfterFunc(open[0].timeout+grace, func() { cancel(errTimeout) })
	defer limit.Stop()
	p := s.conn.PgConn().StartPipeline(ctx)
	defer p.Close()
	opened := make([]int, len(open))
	for i, a := range open {
		q := query{session: s, timeout: a.timeout}
		opened[i] = q.send(p, a.path, a.sql, a.args)
		p.SendPipelineSync()
	}
	if p.Flush() != nil {
		return
	}
	for i, a := range open {
		limit.Reset(a.timeout + grace)
		if !a.hear(p, opened[i], s.told()) {
			if errors.Is(context.Cause(ctx), errTimeout) {
				a.err, a.lost = errTimeout, false
			}
			return
		}
	}
}

// hear reads the answer, after so many statements that open the transaction,
// and says whether the connection is fit for the next.
func (a *asking) hear(p *pgconn.Pipeline, opening int, names *told.Names) bool {
	for range opening {
		if _, err := p.GetResults(); err != nil {
			return false
		}
	}
	a.rows, a.err = readAnswer(p, a.sql, len(a.args), names)
	a.lost = false
	said, err := p.GetResults()
	_, synced := said.(*pgconn.PipelineSync)
	return err == nil && synced
}
