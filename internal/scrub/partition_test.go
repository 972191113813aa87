package scrub

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"daybefore/internal/verdict"
)

// What decides about partitions is rewritten where each row finds one behind the
// rule, and refused else.
func TestPartitionKeysFit(t *testing.T) {
	t.Parallel()
	const half = "create table t_0 partition of t for values with (modulus 2, remainder 0); "
	const hashed = half + "create table t_1 partition of t for values with (modulus 2, remainder 1)"
	for name, tt := range map[string]struct {
		ddl     string
		rules   []string
		refused string // a part of what is said; empty: it is taken
	}{
		"hash": {"create table t (email text) partition by hash (email); " + hashed, []string{"public.t.email email"}, ""},
		"hash of two": {"create table t (id int, email text) partition by hash (id, email); " + hashed,
			[]string{"public.t.email hash"}, ""},
		"hash without a remainder": {"create table t (email text) partition by hash (email); " + half,
			[]string{"public.t.email email"}, "there is none for all that email makes"},
		"list": {"create table t (email text) partition by list (email); create table t_0 partition of t for values in ('a@example.com')",
			[]string{"public.t.email email"}, "there is none for all that email makes"},
		"list and permute": {"create table t (email text) partition by list (email); " +
			"create table t_0 partition of t for values in ('a@example.com')",
			[]string{"public.t.email permute"}, "there is none for all that permute makes"},
		"list with a default": {"create table t (email text) partition by list (email); create table t_0 partition of t default",
			[]string{"public.t.email email"}, ""},
		"list of what is made": {"create table t (email text) partition by list (email); " +
			"create table t_0 partition of t for values in ('x', 'y')", []string{"public.t.email choice values=x,y"}, ""},
		"list without null": {"create table t (email text) partition by list (email); " +
			"create table t_0 partition of t for values in ('x')", []string{"public.t.email set_null"}, "none for all that set_null"},
		"list with null": {"create table t (email text) partition by list (email); " +
			"create table t_0 partition of t for values in (null, 'x')", []string{"public.t.email set_null"}, ""},
		"range of all": {"create table t (email text) partition by range (email); " +
			"create table t_0 partition of t for values from (minvalue) to ('n'); " +
			"create table t_1 partition of t for values from ('n') to (maxvalue)", []string{"public.t.email email"}, ""},
		"range of some": {"create table t (email text) partition by range (email); " +
			"create table t_0 partition of t for values from ('a') to ('f')", []string{"public.t.email email"}, "none for all"},
		"years": {"create table t (born date) partition by range (born); " +
			"create table t_0 partition of t for values from ('1900-01-01') to ('2100-01-01')", []string{"public.t.born permute"}, ""},
		"years that shift": {"create table t (born date) partition by range (born); " +
			"create table t_0 partition of t for values from ('2024-01-01') to ('2025-01-01')",
			[]string{"public.t.born date_shift"}, "none for all that date_shift makes"},
		"expression": {"create table t (email text) partition by list (lower(email)); create table t_0 partition of t for values in ('x')",
			[]string{"public.t.email email"}, "decides which partition"},
		"one partition alone": {"create table t (email text) partition by hash (email); " + hashed,
			[]string{"public.t_0.email email", "public.t.email hash"}, "has another rule than public.t"},
		"below another": {"create table t (id int, email text) partition by range (id); " +
			"create table t_0 partition of t for values from (0) to (100) partition by hash (email); " +
			"create table t_00 partition of t_0 for values with (modulus 1, remainder 0)", []string{"public.t.email email"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := situation{ddl: tt.ddl, rules: rules(t, tt.rules...)}
			_, p, checks := s.plan(t)
			if tt.refused == "" {
				if len(checks) > 0 || !p.Moves("public", "t_0") && !p.Moves("public", "t_00") {
					t.Errorf("%+v", checks)
				}
				return
			}
			if len(checks) == 0 || !strings.Contains(checks[0].Message, tt.refused) || checks[0].Code != verdict.CodeRuleUnfit {
				t.Errorf("%+v", checks)
			}
		})
	}
}

// Only rows whose partition a rule may change are sent through the root.
func TestOnlyMovedRowsAreRerouted(t *testing.T) {
	t.Parallel()
	s := situation{ddl: `create table t (email text, note text) partition by hash (email);
		create table t_0 partition of t for values with (modulus 1, remainder 0); create table plain (email text)`,
		rules: rules(t, "public.t.email preserve", "public.t.note text", "public.plain.email email")}
	_, p, checks := s.plan(t)
	if len(checks) > 0 {
		t.Fatalf("%+v", checks)
	}
	if p.Moves("public", "t_0") || p.Moves("public", "plain") || p.Moves("public", "none") {
		t.Error("rows are rerouted that stay where they are")
	}
}

// Keys of each type are rewritten, references with them, and the constraints
// that post-data brings hold.
func TestKeysArePermuted(t *testing.T) {
	t.Parallel()
	keys := []string{
		"ALTER TABLE ONLY public.people ADD CONSTRAINT a PRIMARY KEY (phone);",
		"ALTER TABLE ONLY public.people ADD CONSTRAINT b UNIQUE (ssn, born, zip);",
		"ALTER TABLE ONLY public.people ADD CONSTRAINT c UNIQUE (ip);", "ALTER TABLE ONLY public.people ADD CONSTRAINT d UNIQUE (mac);",
		"ALTER TABLE ONLY public.people ADD CONSTRAINT e UNIQUE (net);", "ALTER TABLE ONLY public.people ADD CONSTRAINT f UNIQUE (amount);",
		"ALTER TABLE ONLY public.people ADD CONSTRAINT g UNIQUE (login);",
		"ALTER TABLE ONLY public.calls ADD CONSTRAINT h FOREIGN KEY (caller) REFERENCES public.people(phone);",
	}
	s := situation{ddl: `create extension if not exists citext;
		create table people (phone bigint not null, ssn char(11) check (ssn ~ '^[0-9]{3}-[0-9]{2}-[0-9]{4}$'), born date, zip char(5) check (zip ~ '^[0-9]{5}$'),
			ip inet, mac macaddr, net cidr, amount numeric(9,2), login citext, seen timestamp); create table calls (caller numeric(15), n int)`,
		definitions: keys, rules: rules(t, "public.people.phone permute link=phone", "public.calls.caller permute link=phone", "public.people.ssn permute",
			"public.people.born permute", "public.people.zip permute", "public.people.ip permute", "public.people.mac permute",
			"public.people.net permute", "public.people.amount permute", "public.people.login permute", "public.people.seen permute")}
	conn, p, checks := s.plan(t)
	if len(checks) > 0 {
		t.Fatalf("%+v", checks)
	}
	exec(t, conn, `insert into people select 4917155000000 + i * 7, lpad((100 + i % 800)::text, 3, '0') || '-' || 10 + i % 89 || '-' || lpad(i::text, 4, '0'),
			'1950-01-01'::date + i, lpad(i::text, 5, '0'), ('93.184.' || i / 256 || '.' || i % 256)::inet, ('08:00:2b:01:' || lpad(to_hex(i / 256), 2, '0') || ':'
			|| lpad(to_hex(i % 256), 2, '0'))::macaddr, ('10.' || i / 256 || '.' || i % 256 || '.0/24')::cidr, i * 1.25, 'Zq' || i, '2024-01-01 10:00:00'
			from generate_series(1, 1000) i;
		insert into calls select phone, 1 from people; create table before as table people`)
	for _, table := range []string{"people", "calls"} {
		reload(t, conn, p, "public", table)
	}
	exec(t, conn, strings.Join(keys, "\n"))
	for what, sql := range map[string]string{
		"the link": "select count(*) = 1000 from calls join people on caller = phone",
		"few are as they were": "select count(*) filter (where b.phone is not null) < 20 from people p left join before b " +
			"on p.phone = b.phone or p.ssn = b.ssn or p.ip = b.ip or p.mac = b.mac or p.login = b.login and b.login <> p.login",
		"shapes":       "select bool_and(phone between 1e12 and 1e13 and masklen(net) = 24 and login ~ '^[a-z]{2}\\d+$' and seen::time = '10:00') from people",
		"years":        "select count(distinct born) = 1000 and bool_and(extract(year from born) between 1950 and 1952) from people",
		"all are kept": "select count(distinct amount) = 1000 and count(distinct lower(login::text)) = 1000 from people",
	} {
		if !value[bool](t, conn, sql) {
			t.Errorf("not so: %s", what)
		}
	}
	var told []string
	all, err := p.Distinct(t.Context(), func(ctx context.Context) (*pgx.Conn, error) { return pgx.ConnectConfig(ctx, conn.Config()) }, 2)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		if c.Outcome != verdict.Pass {
			told = append(told, c.ID+": "+c.Message)
		}
	}
	if diff := cmp.Diff([]string(nil), told); diff != "" || len(all) < 8 {
		t.Errorf("%d counted %s", len(all), diff)
	}
}
