package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"

	"daybefore/internal/expect"
	"daybefore/internal/history"
	"daybefore/internal/sandbox"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// Ways to ask a database what a drill file expects of it.
const (
	byPsql   Way = "psql"   // the statements alone, and nobody judges the answers
	byChecks Way = "checks" // expect.Run
)

const checksRounds = 5

var checksPromises = []promise{
	{"checks / psql, wall", byChecks, byPsql, wall, 1.30, false},
}

// expected is a database of a thousand small tables, as a drill file with much
// to say of each of them expects it.
func expected(scale float64) shape {
	const rows = 50
	tables := scaled(1000, scale)
	s := shape{
		about:  fmt.Sprintf("%d tables of %d rows, and six checks of each", tables, rows),
		recipe: recipe{name: "checks", rows: map[string]int64{}, columns: 4 * tables},
	}
	var creates []string
	for i := range tables {
		s.rows[expectedTable(i)] = rows
		sql := fmt.Sprintf(`create table %s (id bigint primary key, parent bigint, amount numeric(10,2) not null, created_at timestamptz not null);
			insert into %[1]s select i, i, i * 1.25, timestamptz '2024-01-01' + i * interval '1 hour' from generate_series(1, %d) i`, expectedTable(i), rows)
		if hasParent(i) {
			sql += fmt.Sprintf("; alter table %s add foreign key (parent) references %s", expectedTable(i), expectedTable(i-1))
		}
		creates = append(creates, sql)
	}
	s.made(step{1, creates})
	return s
}

func expectedTable(i int) string { return fmt.Sprintf("public.t%d", i) }
func hasParent(i int) bool       { return i%4 > 0 }

// expectations declares of each table what can be declared of a table.
func expectations(tables int) string {
	var b strings.Builder
	b.WriteString("version: 1\nsource: {url: 'file:///b/', name: bench.dump, timezone: UTC}\nexpectations:\n  tables:\n")
	for i := range tables {
		fmt.Fprintf(&b, "    - table: %s\n      row_count: {min: 1}\n      row_count_change: {against: median(7), fail_percent: 5}\n", expectedTable(i))
		b.WriteString("      freshness: {column: created_at, fail_after: 1d}\n      max_regression: {column: created_at, tolerance: 0s}\n")
		if hasParent(i) {
			fmt.Fprintf(&b, "      relationships: [{column: parent, references: %s.id}]\n", expectedTable(i-1))
		}
	}
	b.WriteString("  failed_rows:\n")
	for i := range tables {
		fmt.Fprintf(&b, "    - {name: t%d, sql: \"select from %s where amount < 0\", fail_if: '> 0'}\n", i, expectedTable(i))
	}
	return b.String()
}

// Checks compares the checks of a thousand tables with psql, as many at once
// as the checks have connections, which sends the same statements. Its error
// carries the process's exit code, as Run's does.
func Checks(ctx context.Context, o Options) error {
	o.Rounds = cmp.Or(o.Rounds, checksRounds)
	o = o.withDefaults()
	o.known = []Way{byPsql, byChecks}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	r, err := o.begin(ctx, o.checksNeeds)
	if err != nil {
		return cannot(ctx, "%v", err)
	}
	s := expected(Scales[o.Scale])
	d, err := o.dump(ctx, s.dumpedAs(o.Scale, false))
	if err != nil {
		return cannot(ctx, "make the database: %v", err)
	}
	r.learn(s, d)
	var jobs []job
	for _, way := range o.ways() {
		jobs = append(jobs, d.job(way, runtime.NumCPU()))
	}
	if r.Samples, err = o.measure(ctx, jobs); err != nil {
		return cannot(ctx, "%v", err)
	}
	return o.end(ctx, r, checksPromises, "checks.json")
}

func (o Options) checksNeeds(m Machine) []need {
	of := func(bytes float64) int64 { return int64(bytes * Scales[o.Scale]) }
	return []need{
		{"the dump that is kept", o.Cache, of(16 * mib)},
		{"a copy of the dump", os.TempDir(), of(16 * mib)},
		{"the restored database", o.dataDir(m), of(gib/2) + fixedBytes},
	}
}

// checks restores the dump and asks the database once without being measured:
// that brings it into memory, tells which statements the checks send, and
// gives the measured checks a past. Then the way begins.
func (j job) checks(ctx context.Context) (_ *Sample, err error) {
	w, box, closed, err := j.server(ctx, func() {})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, closed(), w.Close()) }()
	if err := j.restoreByHand(ctx, box, newStopwatch(j.Way)); err != nil {
		return nil, err
	}
	e, err := j.expectations()
	if err != nil {
		return nil, err
	}
	transactions, past, err := rehearse(ctx, box, e)
	if err != nil {
		return nil, err
	}
	begun, err := serverCPU(ctx, box)
	if err != nil {
		return nil, err
	}
	var s *stopwatch
	if j.Way == byPsql {
		s, err = j.askByPsql(ctx, box, transactions)
	} else {
		s, err = j.askByChecks(ctx, box, e, past)
	}
	if err != nil {
		return nil, err
	}
	took, err := serverCPU(ctx, box)
	if err != nil {
		return nil, err
	}
	return &Sample{Way: s.way, Wall: s.wall, HarnessCPU: s.harness, ServerCPU: took - begun, MachineCPU: s.busy, PeakRSS: s.peak, Steps: s.steps}, nil
}

func (j job) expectations() (spec.Expectations, error) {
	file := filepath.Join(j.Scratch, "bench.yaml")
	if err := os.WriteFile(file, []byte(expectations(len(j.Rows))), 0o600); err != nil {
		return spec.Expectations{}, err
	}
	d, err := spec.Load(file)
	if err != nil {
		return spec.Expectations{}, err
	}
	return d.Expectations, nil
}

// dayOfChecks is when what the database holds is new.
var dayOfChecks = time.Date(2024, 1, 3, 12, 0, 0, 0, time.UTC)

// rehearse runs the checks over one connection and returns their statements,
// by transaction, and a past of as many such drills as there may be.
func rehearse(ctx context.Context, box sandbox.Box, e spec.Expectations) ([]string, history.Past, error) {
	var sent statements
	connect := func(ctx context.Context) (*pgx.Conn, error) {
		conn, err := box.DB().ConnectUnder(ctx, database)
		if err == nil {
			conn.PgConn().Frontend().Trace(&sent, pgproto3.TracerOptions{SuppressTimestamps: true})
		}
		return conn, err
	}
	var r verdict.Report
	r.Checks = expect.Run(ctx, connect, e, expect.Options{AsOf: dayOfChecks, Jobs: 1, Mark: func(m verdict.Mark) { r.Marks = append(r.Marks, m) }})
	var past history.Past
	for night := range spec.MostPast {
		of := r
		of.Run = fmt.Sprintf("night-%d", night)
		past.Passing = append(past.Passing, &of)
	}
	return sent.transactions, past, sent.err
}

// askByPsql deals the transactions out to as many psql as there are jobs, and
// measures from when the first is started until the last has ended: what it
// takes to start a program in a container is not in it.
func (j job) askByPsql(ctx context.Context, box sandbox.Box, transactions []string) (*stopwatch, error) {
	script := `echo begin; for f; do psql -XqAt -v ON_ERROR_STOP=1 -o /dev/null -d ` + database + ` -f "$f" & all="$all $!"; done
		for one in $all; do wait $one || failed=1; done; echo end; exit ${failed:-0}`
	args := []string{"sh", "-c", script, "sh"}
	for i := range j.Jobs {
		var share strings.Builder
		for k := i; k < len(transactions); k += j.Jobs {
			share.WriteString(transactions[k])
		}
		name := fmt.Sprintf("share%d.sql", i)
		// Everybody may read it, since the sandbox's account must.
		if err := os.WriteFile(box.HostPath(name), []byte(share.String()), 0o644); err != nil {
			return nil, err
		}
		args = append(args, box.InsidePath(name))
	}
	var s *stopwatch
	var said []string
	err := box.Run(ctx, sandbox.Command{
		Args:   args,
		Stderr: func(line string) { said = append(said, line) },
		Stdout: eachWrite(func(text string) {
			if s == nil {
				s = newStopwatch(j.Way)
			}
			if strings.Contains(text, "end\n") {
				s.step("ask")
				s.stop(ctx, nil)
			}
		}),
	})
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %s", err, strings.Join(said, "; "))
	case s == nil || !s.stopped:
		return nil, errors.New("psql said nothing of its end")
	}
	return s, nil
}

// eachWrite hears what is written.
type eachWrite func(text string)

func (f eachWrite) Write(p []byte) (int, error) {
	f(string(p))
	return len(p), nil
}

// askByChecks runs what a drill runs. Every check must have compared, and
// passed.
func (j job) askByChecks(ctx context.Context, box sandbox.Box, e spec.Expectations, past history.Past) (*stopwatch, error) {
	connect := func(ctx context.Context) (*pgx.Conn, error) { return box.DB().ConnectUnder(ctx, database) }
	s := newStopwatch(j.Way)
	found := expect.Run(ctx, connect, e, expect.Options{AsOf: dayOfChecks, Jobs: j.Jobs, Past: past, Mark: func(verdict.Mark) {}})
	s.step("ask")
	s.stop(ctx, nil)
	i := slices.IndexFunc(found, func(c verdict.Check) bool { return c.Outcome != verdict.Pass })
	if i >= 0 {
		return nil, fmt.Errorf("the check %s: %s %s: %s", found[i].ID, found[i].Outcome, found[i].Code, found[i].Message)
	}
	return s, nil
}

// statements writes down what a connection is asked, by transaction. It hears
// pgproto3's trace, which comes message by message.
type statements struct {
	mu           sync.Mutex
	transactions []string
	err          error
}

var (
	parseTrace = regexp.MustCompile(`(?s)^F\tParse\t\d+\t "" "(.*)" 0\n$`)
	bindTrace  = regexp.MustCompile(`(?s)^F\tBind\t\d+\t "" "" [\d ]+? 1 ('.*') [\d ]+\n$`)
)

func (s *statements) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := string(p)
	last := len(s.transactions) - 1
	if m := parseTrace.FindStringSubmatch(text); m != nil {
		if strings.HasPrefix(m[1], "begin ") {
			s.transactions = append(s.transactions, "")
			last++
		}
		if last < 0 {
			s.err = errors.New("the checks asked outside a transaction")
			return len(p), nil
		}
		s.transactions[last] += m[1] + "\n;\n" // behind a comment, too
	}
	if m := bindTrace.FindStringSubmatch(text); m != nil {
		s.transactions[last] = strings.ReplaceAll(s.transactions[last], "$1", m[1])
	}
	return len(p), nil
}
