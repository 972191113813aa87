package expect

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"daybefore/internal/verdict"
)

// What checks find does not depend on which others asked at the same time:
// neither on one that is wrong, that takes too long, that leaves its
// transaction broken, nor on one that takes the connection with it.
func testTogether(t *testing.T, s server) {
	connect := s.database(t, "together", shop+"create table public.v (id int, at timestamptz); insert into public.v values (1, '2026-11-21 01:15:00+00');")
	var entries []string
	add := func(sql, more string) {
		entries = append(entries, fmt.Sprintf("{name: q%d, sql: %q, fail_if: '> 1'%s}", len(entries), sql, more))
	}
	for range 10 {
		add("select 1", "")
		add("select id from app.orders", "")
		add("selec", "")
		add("select $1::int", "")
		add("select email::int from app.orders", "")
		add("select set_config('statement_timeout', '1', false), set_config('search_path', 'nowhere', false)", "")
		add("select pg_terminate_backend(pg_backend_pid())", "")
		add("select app.writes()", "")
	}
	add("select pg_sleep(60)", ", timeout: 1s")
	for range 8 {
		add("select 1", "")
	}
	d := drill(t,
		tables("{table: public.v, row_count: {min: 1}, freshness: {column: at, fail_after: 1h}}", "{table: public.gone, row_count: {min: 1}}",
			"{table: app.orders, rebuildable: true, row_count: {min: 9}}")+
			"  failed_rows:\n    - "+strings.Join(entries, "\n    - ")+"\n")
	o := Options{AsOf: asOf, Jobs: 1}
	if from, to := (&queue{checks: declaredChecks(d.Expectations, o), workers: 1}).take(); to-from < mostTogether {
		t.Fatalf("%d checks are taken at once", to-from)
	}
	var alone []verdict.Check
	for _, k := range declaredChecks(d.Expectations, o) {
		one := session{connect: connect, names: newLookup(d.Expectations.Tables)}
		alone = append(alone, k.run(t.Context(), &one))
		one.close()
	}
	for _, jobs := range []int{1, 3} {
		o.Jobs = jobs
		if diff := cmp.Diff(alone, Run(t.Context(), connect, d.Expectations, o)); diff != "" {
			t.Errorf("%d at a time (-alone +together):\n%s", jobs, diff)
		}
	}
}

// Several checks are taken together while many are left, one by one at the
// end, and never with one that needs its transaction for itself.
func TestTake(t *testing.T) {
	t.Parallel()
	checks := make([]pendingCheck, 100)
	for i := range checks {
		checks[i].plain = i != 20
	}
	w := queue{checks: checks, workers: 2}
	var ends []int
	for from, to := w.take(); from < to; from, to = w.take() {
		ends = append(ends, to)
	}
	if got := fmt.Sprint(ends[:5], ends[len(ends)-3:]); got != "[12 20 21 30 38] [98 99 100]" {
		t.Error(got, ends)
	}
	var none queue
	none.workers = 1
	if from, to := none.take(); from != to {
		t.Errorf("%d to %d of no checks", from, to)
	}
}
