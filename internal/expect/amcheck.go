package expect

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"daybefore/internal/spec"
	"daybefore/internal/told"
	"daybefore/internal/verdict"
)

// amcheck looks at the restored files, largest first and several at a time. It
// is the one thing here that needs something made in the database: the
// extension, where the backup does not bring it, in a schema of its own that
// is dropped again. So it comes after all other checks.
func amcheck(ctx context.Context, connect Connect, a spec.Amcheck, timeout time.Duration, jobs int,
	names *told.Names) []verdict.Check {
	v := verifier{connect: connect, rows: a.Rows, timeout: timeout, jobs: max(jobs, 1)}
	var checks []pendingCheck
	if a.Heap {
		checks = append(checks, v.check(ctx, heaps))
	}
	if a.Indexes {
		checks = append(checks, v.check(ctx, btrees))
	}
	s := session{connect: connect, names: newLookup(nil)}
	s.names.told = names
	defer s.close()
	drop, err := v.extension(ctx, &s)
	defer drop()
	var found []verdict.Check
	for _, k := range checks {
		k.timeout = timeout
		if err != nil {
			k.Check.Take(problem(ctx, err, timeout))
			found = append(found, k.Check)
			continue
		}
		found = append(found, k.run(ctx, &s))
	}
	return found
}

// verifier knows how to call the extension's functions.
type verifier struct {
	connect Connect
	schema  string        // of the extension, quoted
	rows    bool          // every row and its TOAST values too
	timeout time.Duration // for each relation
	jobs    int
}

// findAmcheck gives the extension's schema, and whether what is called there is
// the library's own.
const findAmcheck = `
select n.nspname, not exists (
  select from pg_catalog.pg_proc f join pg_catalog.pg_language l on l.oid = f.prolang
  where f.pronamespace = n.oid and f.proname in ('verify_heapam', 'bt_index_check')
    and (l.lanname <> 'c' or f.probin is distinct from '$libdir/amcheck'
      or f.prosrc not in ('verify_heapam', 'bt_index_check')))
from pg_catalog.pg_extension e join pg_catalog.pg_namespace n on n.oid = e.extnamespace where e.extname = 'amcheck'`

// extension finds amcheck's, or makes it; drop takes away what was made.
func (v *verifier) extension(ctx context.Context, s *session) (drop func(), err error) {
	drop = func() {}
	var there [][][]byte
	err = s.transaction(ctx, v.timeout, func(ctx context.Context, q *query) error {
		there, err = q.rows(ctx, findAmcheck)
		return err
	})
	if err != nil {
		return drop, fmt.Errorf("look for the extension amcheck: %w", err)
	}
	if len(there) == 1 && string(there[0][1]) != "t" {
		return drop, verdict.Errorf(verdict.CodeAmcheck,
			"find out who replaced them in production, or take amcheck out of the drill file",
			"the backup brings functions of its own under the names of amcheck's, so that what they say proves nothing")
	}
	if len(there) == 1 {
		v.schema = pgx.Identifier{string(there[0][0])}.Sanitize()
		return drop, nil
	}
	v.schema = pgx.Identifier{"daybefore_" + strings.ToLower(rand.Text())}.Sanitize()
	if err := s.write(ctx, "create schema "+v.schema+"; create extension amcheck with schema "+v.schema); err != nil {
		return drop, verdict.Errorf(verdict.CodeAmcheck,
			"choose an image that has PostgreSQL's contrib modules (sandbox.image)", "make the extension amcheck: %w",
			err)
	}
	return func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), goodbye)
		defer cancel()
		// it goes with the sandbox anyway
		_ = s.write(ctx, "set client_min_messages = error; drop schema "+v.schema+" cascade")
	}, nil
}

// write runs what changes the database.
func (s *session) write(ctx context.Context, sql string) error {
	s.rollback(ctx)
	if err := s.open(ctx); err != nil {
		return err
	}
	_, err := s.conn.PgConn().Exec(ctx, sql).ReadAll()
	return redacted(err)
}

// relations are what is verified alike.
type relations struct {
	id, one, all string
	list         string                                // oid, schema, name: the largest first
	verify       func(schema string, rows bool) string // a statement for the oid $1
	since        int                                   // the server's version that can
	hint         string
}

const (
	corruptData  = "XX001"
	corruptIndex = "XX002"
)

var heaps = relations{
	id: "amcheck:heap", one: "table", all: "tables", since: 140000,
	list: `
select c.oid, n.nspname, c.relname
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  join pg_catalog.pg_am m on m.oid = c.relam and m.amname = 'heap'
where c.relkind in ('r', 'm') and c.relpersistence <> 't' and n.nspname <> 'information_schema'
  and n.nspname not like 'pg\_%'
order by pg_catalog.pg_relation_size(c.oid) desc, c.oid`,
	verify: func(schema string, rows bool) string {
		return fmt.Sprintf("select nullif(pg_catalog.count(*), 0) from %s.verify_heapam(relation => "+
			"$1::pg_catalog.oid::pg_catalog.regclass, check_toast => %v)", schema, rows)
	},
	hint: "these pages were just written, so that the machine's memory or disk is the first to be asked; of a backup " +
		"that holds files, the backup",
}

var btrees = relations{
	id: "amcheck:indexes", one: "index", all: "indexes",
	list: `
select c.oid, n.nspname, c.relname
from pg_catalog.pg_index i join pg_catalog.pg_class c on c.oid = i.indexrelid and c.relkind = 'i'
join pg_catalog.pg_namespace n on n.oid = c.relnamespace join pg_catalog.pg_am m on m.oid = c.relam
  and m.amname = 'btree'
where i.indisvalid and i.indisready and c.relpersistence <> 't' and n.nspname <> 'information_schema'
  and n.nspname not like 'pg\_%'
order by pg_catalog.pg_relation_size(c.oid) desc, c.oid`,
	verify: func(schema string, rows bool) string {
		return fmt.Sprintf("select "+
			"nullif((%s.bt_index_check($1::pg_catalog.oid::pg_catalog.regclass, %v))::pg_catalog.text, '')", schema,
			rows)
	},
	hint: "look for a function that is called IMMUTABLE and is not, an operator class that contradicts itself, or " +
		"another collation; in production, amcheck the same index and REINDEX it",
}

// check verifies all of them and reports the damaged ones. The timeout is each
// relation's; all of them have the drill's.
func (v *verifier) check(drill context.Context, r relations) pendingCheck {
	return pendingCheck{
		Check: verdict.Check{ID: r.id, Stage: verdict.StageExpect, Code: verdict.CodeAmcheck,
			Expected: "all " + r.all + " whole"},
		judge: func(ctx context.Context, q *query, c *verdict.Check) error {
			version, err := q.version(ctx)
			if err != nil {
				return err
			}
			if version < r.since {
				return verdict.Errorf(verdict.CodeAmcheck, "take it out of amcheck in the drill file",
					"PostgreSQL %d cannot verify %s", version/10000, r.all)
			}
			rows, err := q.rows(ctx, r.list)
			if err != nil {
				return fmt.Errorf("list the %s: %w", r.all, err)
			}
			damaged, trouble := v.verify(drill, rows, r.verify(v.schema, v.rows))
			if len(damaged) == 0 && trouble != nil {
				return problem(drill, trouble, v.timeout)
			}
			r.judge(c, len(rows), damaged, q.session.names.several)
			return nil
		},
	}
}

// verify runs the statement for each relation. Trouble is the first that kept
// one from being verified.
func (v *verifier) verify(ctx context.Context, rows [][][]byte, sql string) (damaged []string, trouble error) {
	work := make(chan [][]byte, len(rows))
	for _, row := range rows {
		work <- row
	}
	close(work)
	var mu sync.Mutex
	var workers sync.WaitGroup
	for range min(v.jobs, len(rows)) {
		workers.Go(func() {
			s := session{connect: v.connect}
			defer s.close()
			for row := range work {
				name := spec.Name{Schema: string(row[1]), Table: string(row[2])}.String()
				whole, err := v.one(ctx, &s, sql, string(row[0]))
				mu.Lock()
				switch {
				case err != nil && trouble == nil:
					trouble = verdict.Errorf(verdict.CodeAmcheck,
						"find out what it rests on: a function or an operator class that fails, or a lock",
						"verify %s: %w", name, err)
				case err == nil && !whole:
					damaged = append(damaged, name)
				}
				mu.Unlock()
			}
		})
	}
	workers.Wait()
	return damaged, trouble
}

func (v *verifier) one(ctx context.Context, s *session, sql, oid string) (whole bool, err error) {
	err = s.transaction(ctx, v.timeout, func(ctx context.Context, q *query) error {
		findings, err := q.value(ctx, sql, oid)
		whole = findings == nil
		return err
	})
	if said, ok := errors.AsType[*sqlError](err); ok && (said.State == corruptData || said.State == corruptIndex) {
		return false, nil
	}
	return whole, err
}

func (r relations) judge(c *verdict.Check, total int, damaged []string, several func([]string) string) {
	if len(damaged) == 0 {
		c.Pass(fmt.Sprintf("%d, all whole", total))
		return
	}
	slices.Sort(damaged)
	what := r.all
	if len(damaged) == 1 {
		what = r.one
	}
	c.Say(verdict.Fail, fmt.Sprintf("%d of %d damaged", len(damaged), total), r.hint,
		"amcheck reports corruption in the %s %s", what, several(damaged))
}
