package scrub

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

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
		"ALTER TABLE ONLY public.people ADD CONSTRAINT k UNIQUE (badge);",
		"ALTER TABLE ONLY public.calls ADD CONSTRAINT h FOREIGN KEY (caller) REFERENCES public.people(phone);",
		"ALTER TABLE ONLY public.calls ADD CONSTRAINT l FOREIGN KEY (badge) REFERENCES public.people(badge);",
	}
	s := situation{ddl: `create extension if not exists citext;
		create table people (phone bigint not null, ssn char(11) check (ssn ~ '^[0-9]{3}-[0-9]{2}-[0-9]{4}$'), born date, zip char(5) check (zip ~ '^[0-9]{5}$'),
			ip inet, mac macaddr, net cidr, amount numeric(9,2), login citext, seen timestamp, badge bigint); create table calls (caller bigint, badge int)`,
		definitions: keys,
		rules: rules(t, "public.people.phone permute link=phone", "public.calls.caller permute link=phone", "public.people.ssn permute",
			"public.*.badge permute link=badge",
			"public.people.born permute", "public.people.zip permute", "public.people.ip permute", "public.people.mac permute",
			"public.people.net permute", "public.people.amount permute", "public.people.login permute", "public.people.seen permute")}
	conn, p, checks := s.plan(t)
	if len(checks) > 0 {
		t.Fatalf("%+v", checks)
	}
	exec(t, conn, `insert into people select 4917155000000 + i * 7, lpad((100 + i % 800)::text, 3, '0') || '-' || 10 + i % 89 || '-' || lpad(i::text, 4, '0'),
			'1950-01-01'::date + i, lpad(i::text, 5, '0'), ('93.184.' || i / 256 || '.' || i % 256)::inet, ('08:00:2b:01:' || lpad(to_hex(i / 256), 2, '0') || ':'
			|| lpad(to_hex(i % 256), 2, '0'))::macaddr, ('10.' || i / 256 || '.' || i % 256 || '.0/24')::cidr, i * 1.25, 'Zq' || i, '2024-01-01 10:00:00', 2000000000 + i
			from generate_series(1, 1000) i;
		insert into calls select phone, badge from people; create table before as table people`)
	for _, table := range []string{"people", "calls"} {
		reload(t, conn, p, "public", table)
	}
	exec(t, conn, strings.Join(keys, "\n"))
	for what, sql := range map[string]string{
		"the link": "select count(*) = 1000 from calls c join people p on c.caller = p.phone and c.badge = p.badge",
		"few are as they were": "select count(*) filter (where b.phone is not null) < 20 from people p left join before b " +
			"on p.phone = b.phone or p.ssn = b.ssn or p.ip = b.ip or p.mac = b.mac or p.login = b.login and b.login <> p.login",
		"shapes":       "select bool_and(phone between 1e12 and 1e13 and masklen(net) = 24 and login ~ '^[a-z]{2}\\d+$' and seen::time = '10:00') from people",
		"years":        "select count(distinct born) = 1000 and bool_and(extract(year from born) between 1950 and 1952) from people",
		"all are kept": "select count(distinct amount) = 1000 and count(distinct lower(login::text)) = 1000 from people",
	} {
		if !valueOf[bool](t, conn, sql) {
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

// What keeps some values as they are leaves no permutation of all.
func TestPermuteRefusesKeep(t *testing.T) {
	t.Parallel()
	keep := func(set map[string]string) []spec.Keep {
		return []spec.Keep{{Table: spec.Name{Schema: "public", Table: "t"}, Match: map[string]string{"role": "boss"}, Set: set}}
	}
	for name, tt := range map[string]struct {
		rule string
		keep []spec.Keep
		want []string
	}{
		"kept":           {"public.t.code permute", keep(nil), []string{"keep:public.t.code"}},
		"set":            {"public.t.code permute", keep(map[string]string{"code": "X1"}), []string{}},
		"hashed instead": {"public.t.code hash", keep(nil), []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := situation{ddl: "create table t (code text, role text)", rules: rules(t, tt.rule), keep: tt.keep}
			_, _, checks := s.plan(t)
			var got = []string{}
			for _, c := range checks {
				got = append(got, strings.TrimPrefix(c.ID, "rule_unfit:"))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A CHECK that wants a form of its own is tried with what it finds; one that
// wants more than a form is refused.
func TestPermuteWithinChecks(t *testing.T) {
	t.Parallel()
	for check, refused := range map[string]bool{
		"v ~ '^(K|L)-[0-9]{7}$'": true, "v ~ '^[A-Z]-[0-9]{7}$'": false, "v ~ '^[1-9][0-9]{3}$' and v::int < 5000": true,
		"v ~ '^A[0-9]{4}'": true, "length(v) = 3 and v = lower(v)": false, "v like '+%'": false,
	} {
		t.Run(check, func(t *testing.T) {
			t.Parallel()
			s := situation{ddl: "create table t (v text check (" + check + "))", rules: rules(t, "public.t.v permute")}
			_, _, checks := s.plan(t)
			if (len(checks) > 0) != refused {
				t.Errorf("%+v", checks)
			}
			for _, c := range checks {
				if c.ID != "rule_unfit:public.t.v" || c.Outcome != verdict.Error {
					t.Errorf("%+v", c)
				}
			}
		})
	}
}
