package scrub

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"daybefore/internal/scrub/schema"
	"daybefore/internal/scrub/transform"
	"daybefore/internal/verdict"
)

// What unmatched means for a column depends on what the column would take; it
// is reported, and what cannot be done is refused.
func TestUnmatchedDecides(t *testing.T) {
	t.Parallel()
	s := situation{
		ddl: `create table staff (id int, email text not null, login text, mobile varchar(20), phone text check (phone like '+%'), born date, pin int,
			tags text[], memo text, doc jsonb, raw jsonb not null, title text, kept_note text);
			create table boss (office text) inherits (staff)`,
		definitions: []string{"ALTER TABLE ONLY public.staff ADD CONSTRAINT staff_login_key UNIQUE (login);"},
		rules:       rules(t, "public.staff.kept_note preserve"),
	}
	for mode, want := range map[string]struct {
		made    map[string]string
		refused []string
	}{
		unmatchedRedact: {
			map[string]string{"email": transform.Email, "login": transform.Token, "mobile": transform.Phone, "phone": transform.Phone,
				"born": transform.DateShift, "memo": transform.Text, "doc": documentPaths, "raw": documentPaths},
			[]string{}},
		unmatchedSetNull: {
			map[string]string{"login": transform.SetNull, "mobile": transform.SetNull, "phone": transform.SetNull, "born": transform.SetNull,
				"memo": transform.SetNull, "doc": transform.SetNull},
			[]string{"unmatched:public.staff.email", "unmatched:public.staff.raw"}},
		"refuse": {map[string]string{},
			[]string{"unmatched:public.staff.born", "unmatched:public.staff.doc", "unmatched:public.staff.email", "unmatched:public.staff.login",
				"unmatched:public.staff.memo", "unmatched:public.staff.mobile", "unmatched:public.staff.phone", "unmatched:public.staff.raw"}},
	} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			s := s
			s.unmatched = mode
			conn, p, checks := s.plan(t)
			if diff := cmp.Diff(want.refused, ids(checks)); diff != "" {
				t.Error(diff)
			}
			made := map[string]string{}
			for _, table := range []string{"staff", "boss"} {
				for _, c := range p.schema.ByName[schema.Name{Schema: "public", Table: table}].Columns {
					if r := p.assigned[c]; r != nil && !r.Preserve {
						made[c.Name] = p.recipes[c].name
					}
				}
			}
			if diff := cmp.Diff(want.made, made); diff != "" {
				t.Error(diff)
			}
			if mode != unmatchedRedact {
				return
			}
			if _, err := conn.Exec(t.Context(),
				"insert into staff (id, email, login, phone, raw) values (1, 'ada@example.com', 'ada', '+4915112345678', '{}')"); err != nil {
				t.Fatal(err)
			}
			reload(t, conn, p, "public", "staff")
			if n := valueOf[int](t, conn,
				"select count(*) from staff where email like '%@example.invalid' and login <> 'ada' and phone like '+%' and phone <> '+4915112345678'"); n != 1 {
				t.Error("the row is not rewritten, or not there")
			}
			through(t, conn, p, "public", "boss")
			var told []string
			for _, c := range p.Report().Columns {
				if c.Unmatched != "" {
					told = append(told, c.Column)
				}
			}
			if len(told) != len(slices.Collect(maps.Keys(want.made))) {
				t.Errorf("told: %q", told)
			}
			i := slices.IndexFunc(p.Checks(), func(c verdict.Check) bool { return c.ID == "unmatched" })
			if c := p.Checks()[i]; c.Outcome != verdict.Pass ||
				!strings.Contains(c.Message, "no rule names public.staff.email (looks like an e-mail address), ") {
				t.Errorf("%+v", c)
			}
		})
	}
}

// Columns that a foreign key ties together are rewritten as one, also one that
// does not look sensitive itself.
func TestUnmatchedKeepsReferences(t *testing.T) {
	t.Parallel()
	const ddl = "create table users (login text, email text); create table orders (login text, buyer text, email text)"
	s := situation{ddl: ddl, unmatched: unmatchedRedact, definitions: []string{
		"ALTER TABLE ONLY public.users ADD CONSTRAINT users_login UNIQUE (login);",
		"ALTER TABLE ONLY public.orders ADD CONSTRAINT orders_login FOREIGN KEY (login) REFERENCES public.users(login);",
		"ALTER TABLE ONLY public.orders ADD CONSTRAINT orders_buyer FOREIGN KEY (buyer) REFERENCES public.users(login);"}}
	conn, p, checks := s.plan(t)
	if len(checks) > 0 {
		t.Fatalf("%+v", checks)
	}
	exec(t, conn, "insert into users values ('ada', 'ada@example.com'); insert into orders values ('ada', 'ada', 'ada@example.com')")
	reload(t, conn, p, "public", "users")
	reload(t, conn, p, "public", "orders")
	if n := valueOf[int](t, conn, "select count(*) from users u join orders o using (login, email) where o.buyer = u.login and u.login <> 'ada'"); n != 1 {
		t.Error("equal values parted, or stayed")
	}
	i := slices.IndexFunc(p.Checks(), func(c verdict.Check) bool { return c.ID == "unmatched" })
	if c := p.Checks()[i]; !strings.Contains(c.Message, "public.orders.buyer (looks like the values of public.") {
		t.Errorf("%+v", c)
	}
}
