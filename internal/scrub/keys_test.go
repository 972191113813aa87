package scrub

import (
	"strings"
	"testing"
)

// Foreign keys that are linked on both sides are built by the server over what
// was scrubbed: composite, to itself, to a unique column, of partitions; and
// joins hold where nothing is declared.
func TestKeysSurvive(t *testing.T) {
	t.Parallel()
	keys := []string{
		"ALTER TABLE ONLY public.people ADD CONSTRAINT people_pkey PRIMARY KEY (id);",
		"ALTER TABLE ONLY public.people ADD CONSTRAINT people_email UNIQUE (email);",
		"ALTER TABLE ONLY public.people ADD CONSTRAINT people_pair UNIQUE (org, code);",
		"ALTER TABLE ONLY public.people ADD CONSTRAINT people_boss FOREIGN KEY (boss) REFERENCES public.people(id);",
		"ALTER TABLE ONLY public.orders ADD CONSTRAINT orders_email FOREIGN KEY (email) REFERENCES public.people(email) ON UPDATE CASCADE;",
		"ALTER TABLE ONLY public.orders ADD CONSTRAINT orders_pair FOREIGN KEY (org, code) REFERENCES public.people(org, code) MATCH FULL;",
		"ALTER TABLE public.visits ADD CONSTRAINT visits_person FOREIGN KEY (person) REFERENCES public.people(id);",
	}
	s := situation{definitions: keys,
		ddl: `create table people (id uuid, boss uuid, email varchar(60), org text, code varchar(40), full_name varchar(40), ip inet);
		create table orders (email text, org char(40), code text, contact varchar(12), ip text);
		create table visits (at date, person uuid) partition by range (at); create table visits_a partition of visits for values
			from ('2024-01-01') to ('2024-02-01'); create table visits_b partition of visits for values from ('2024-02-01') to ('2025-01-01')`,
		rules: rules(t, "public.people.id uuid link=id", "public.people.boss uuid link=id", "public.visits.person uuid link=id",
			"public.*.email email link=email normalize=trim", "public.*.org hash link=org", "public.*.code token link=code",
			"public.people.full_name name link=name", "public.orders.contact name link=name", "public.*.ip ip link=ip")}
	conn, p, checks := s.plan(t)
	if len(checks) > 0 {
		t.Fatalf("%+v", checks)
	}
	_, err := conn.Exec(t.Context(),
		`insert into people select md5(i::text)::uuid, case when i > 1 then md5((i / 2)::text)::uuid end, 'user' || i || '@example.com', 'Org ' || i % 10, 'C'
			|| i, 'R N' || i, '192.0.2.1'::inet + i from generate_series(1, 500) i;
		insert into orders select email, org, code, full_name, host(ip) from people; insert into orders (email) values (null);
		insert into visits select '2024-01-01'::date + i % 300, md5(i::text)::uuid from generate_series(1, 500) i;`+strings.Join(keys, "\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []string{"orders drop constraint orders_email, drop constraint orders_pair", "visits drop constraint visits_person",
		"people drop constraint people_boss"} {
		if _, err := conn.Exec(t.Context(), "alter table "+k); err != nil {
			t.Fatal(err)
		}
	}
	for _, table := range []string{"people", "orders", "visits_a", "visits_b"} {
		reload(t, conn, p, "public", table)
	}
	for _, k := range keys[3:] {
		if _, err := conn.Exec(t.Context(), k); err != nil {
			t.Errorf("%s: %v", k, err)
		}
	}
	for what, sql := range map[string]string{
		"joins hold": "select count(*) = 500 from orders o join people p on p.email = o.email and p.code = o.code and p.org = o.org::text",
		"across types": "select count(*) = 500 from orders o join people p on p.email = o.email where host(p.ip) = " +
			"o.ip and p.ip << '10.0.0.0/8'",
		"columns of two lengths agree": "select count(*) = 500 from orders o join people p on p.email = o.email where p.full_name = o.contact",
		"partitions are joined":        "select count(*) = 500 from visits v join people p on p.id = v.person",
		"the tree of bosses is a tree": "select count(*) = 499 from people a join people b on a.boss = b.id",
	} {
		if !valueOf[bool](t, conn, sql) {
			t.Errorf("not so: %s", what)
		}
	}
}
