package expect

import (
	"fmt"
	"testing"
	"time"

	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

const pages = `
create table public.orders (id int primary key, note text);
insert into orders select i, repeat('x', 100) from generate_series(1, 1000) i;
create index on orders (note); create index on orders using hash (note);
create materialized view public.ranks as select id from orders;
create table public.split (id int) partition by range (id); create table public.split_1 partition of split for values
  from (1) to (9); insert into split values (3);`

func testAmcheck(t *testing.T, s server) {
	whole := s.database(t, "whole", pages)
	// The function says that it always gives the same, and does not.
	s.Exec("postgres", "create database unsteady template whole; create database unsteady_too template whole; create database failing template whole")
	s.Exec("unsteady",
		`create function public.shelf(int) returns text language plpgsql immutable as $$ begin return md5($1::text
			|| clock_timestamp()::text); end $$;
create index shelf on orders (shelf(id));`)
	s.Exec("unsteady_too", "create extension amcheck schema public")
	s.Exec("postgres", "create database lying template unsteady_too")
	s.Exec("lying",
		`create function public.verify_heapam(relation regclass, check_toast bool, out blkno bigint, out offnum int,
			out attnum int, out msg text) returns setof record
language sql as 'select 1::bigint, 1, 1, ''x'' where false'`)
	s.Exec("failing", `create sequence called;
		create function public.once(int) returns int language plpgsql immutable as $$
begin if nextval('public.called') > 1000 then raise exception 'secret %', $1; end if; return $1; end $$;
  create index once on orders (once(id));`)
	both := spec.Amcheck{Heap: true, Indexes: true, Rows: true}
	shallow := spec.Amcheck{Heap: true, Indexes: true}
	for _, test := range []struct {
		name, database string
		a              spec.Amcheck
		want           []short
	}{
		{"all is well", "whole", both,
			[]short{{"amcheck:heap", "pass", "all tables whole", "3, all whole", ""}, {"amcheck:indexes", "pass", "all indexes whole", "2, all whole", ""}}},
		{"the extension is the backup's", "unsteady_too", both,
			[]short{{"amcheck:heap", "pass", "all tables whole", "3, all whole", ""}, {"amcheck:indexes", "pass", "all indexes whole", "2, all whole", ""}}},
		{"functions of the backup's own that are called so", "lying", both,
			[]short{{"amcheck:heap", "error", "all tables whole", "", "the backup brings functions of its own"},
				{"amcheck:indexes", "error", "all indexes whole", "", "the backup brings functions of its own"}}},
		{"an index that lacks rows", "unsteady", both,
			[]short{{"amcheck:heap", "pass", "all tables whole", "3, all whole", ""},
				{"amcheck:indexes", "fail", "all indexes whole", "1 of 3 damaged", "amcheck reports corruption in the index public.shelf"}}},
		{"an index that lacks rows, and only its pages are asked for", "unsteady", shallow,
			[]short{{"amcheck:heap", "pass", "all tables whole", "3, all whole", ""}, {"amcheck:indexes", "pass", "all indexes whole", "3, all whole", ""}}},
		{"an index that cannot be verified", "failing", spec.Amcheck{Indexes: true, Rows: true},
			[]short{{"amcheck:indexes", "error", "all indexes whole", "", "verify public.once: "}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			compare(t, test.want, Run(t.Context(), s.connect(t, test.database), spec.Expectations{Timeout: time.Minute, Amcheck: &test.a}, Options{Jobs: 2}))
			if left := s.Query(test.database, "select count(*) from pg_namespace where nspname like 'daybefore%'"); left != "0" {
				t.Error("a schema of ours is left")
			}
		})
	}
	t.Run("a damaged page", func(t *testing.T) {
		// A copy of files that no buffer holds: the first line pointer of the
		// first page then points to where no row can begin.
		s.Exec("postgres", "create database damaged template whole strategy file_copy")
		path := s.Query("postgres",
			fmt.Sprintf("select current_setting('data_directory') || '/base/' || oid || '/%s' from pg_database where datname = 'damaged'",
				s.Query("whole", "select relfilenode from pg_class where oid = 'public.orders'::regclass")))
		s.Exec("postgres", `copy (select 1) to program 'printf "\\001\\200\\074\\000" | dd of=`+path+` bs=1 seek=24 conv=notrunc 2>/dev/null >&2'`)
		compare(t, []short{{"amcheck:heap", "fail", "all tables whole", "1 of 3 damaged", "amcheck reports corruption in the table public.orders"}},
			Run(t.Context(), s.connect(t, "damaged"), spec.Expectations{Timeout: time.Minute, Amcheck: &spec.Amcheck{Heap: true}}, Options{Jobs: 2}))
	})
	t.Run("a server that cannot verify tables", func(t *testing.T) {
		v := verifier{connect: whole, timeout: time.Minute, jobs: 1}
		old := heaps
		old.since = 990000
		c := v.check(t.Context(), old)
		c.timeout = time.Minute
		session := session{connect: whole}
		defer session.close()
		compare(t, []short{{"amcheck:heap", "error", "all tables whole", "", "cannot verify tables"}}, []verdict.Check{c.run(t.Context(), &session)})
	})
}
