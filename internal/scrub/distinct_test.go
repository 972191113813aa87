package scrub

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"daybefore/internal/scrub/schema"
	"daybefore/internal/scrub/transform"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// distinctOf loads what the tables hold through the plan, and compares.
func distinctOf(t testing.TB, conn *pgx.Conn, p *Plan, after string, tables ...string) []verdict.Check {
	t.Helper()
	for _, table := range tables {
		reload(t, conn, p, "public", table)
	}
	if _, err := conn.Exec(t.Context(), after); err != nil {
		t.Fatal(err)
	}
	found, err := p.Distinct(t.Context(), func(ctx context.Context) (*pgx.Conn, error) { return pgx.ConnectConfig(ctx, conn.Config()) }, 2)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func checksOf(checks []verdict.Check) []string {
	var all []string
	for _, c := range checks {
		all = append(all, fmt.Sprintf("%s: %s: %s", strings.TrimPrefix(c.ID, "distinct:"), c.Outcome, c.Observed))
	}
	return all
}

// What was different is so after the load, in every type that takes such
// transforms, under links over several tables, beside kept rows; and what a
// lossy transform makes equal is told.
func TestDistinct(t *testing.T) {
	t.Parallel()
	s := situation{
		ddl: `create extension citext; create table users (id uuid, email citext, code char(40), ref text, bytes bytea, tag text, full_name text, role text);
			create table orders (user_id text, email text, code varchar(60), contact text) partition by list (code);
				create table orders_1 partition of orders default`, roots: true,
		definitions: []string{"ALTER TABLE ONLY public.users ADD CONSTRAINT users_pkey PRIMARY KEY (id);",
			"ALTER TABLE ONLY public.users ADD CONSTRAINT users_refs UNIQUE (ref, bytes, tag);"},
		rules: rules(t, "public.users.id uuid link=id", "public.orders.user_id uuid link=id", "public.*.email email link=email normalize=trim",
			"public.users.code token link=code", "public.orders.contact token link=code",
			"public.users.ref url", "public.users.bytes hash", "public.users.tag template value=ü-{hash}", "public.users.full_name city link=name",
			"public.orders.code preserve"),
		keep: []spec.Keep{{Table: spec.Name{Schema: "public", Table: "users"}, Match: map[string]string{"email": "*@ourco.example"},
			Set: map[string]string{"role": "admin"}}},
	}
	conn, p, checks := s.plan(t)
	if len(checks) > 0 {
		t.Fatalf("%+v", checks)
	}
	_, err := conn.Exec(t.Context(),
		`insert into users select md5(i::text)::uuid, 'User' || i || '@Example.com', 'C' || i, 'R' || i, ('r' || i)::bytea, 'T' || i, 'Real Name ' || i, 'user'
			from generate_series(1, 1000) i;
		insert into users values (md5('boss')::uuid, 'Boss@OurCo.example', 'C0', '', '', '', 'Boss', 'user'), (md5('none')::uuid, null, null, null, null, null,
			null, null);
		insert into orders select id::text, ' ' || lower(email) || '  ', 'x' || code, trim(code) from users where email is not null;
			insert into orders values ('', '', 'c', null), (null, '  ', 'd', null)`)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"link code: pass: 1002 before, 1002 after", "link email: pass: 1004 before, 1004 after", "link id: pass: 1004 before, 1004 after",
		"link name: pass: fewer after",
		"public.users.bytes: pass: 1001 before, 1001 after", "public.users.id: pass: 1002 before, 1002 after",
		"public.users.ref: pass: 1001 before, 1001 after", "public.users.tag: pass: 1001 before, 1001 after",
	}
	got := checksOf(distinctOf(t, conn, p, "", "users", "orders"))
	for i := range got {
		if after, ok := strings.CutPrefix(got[i], "link name: pass: 1001 before, "); ok && len(after) < len("1001 after") {
			got[i] = "link name: pass: fewer after"
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Whatever makes values equal, parts equal ones or changes them on their way is
// found, and what did not arrive is not taken for it.
func TestDistinctFinds(t *testing.T) {
	t.Parallel()
	// short makes 20,000 values a few less than so many; parting does not take equal ones for equal.
	short := func(c *schema.Column, r *spec.Rule) *transform.Recipe {
		return transform.New(c, &spec.Rule{Transform: transform.Text, Link: r.Link}, transform.Domain{}, transform.Env{Normal: transform.Normal{Trim: r.Link != ""}})
	}
	parting := func(c *schema.Column, r *spec.Rule) *transform.Recipe {
		return transform.New(c, r, transform.DomainOf("", c), transform.Env{Normal: transform.Normal{Trim: true}})
	}
	const rows = "insert into t select 'v' || i, 'x' || i from generate_series(1, 20000) i; insert into u select 'v' || i || case i % 2 when 1 then ' ' else " +
		"'' end from generate_series(1, 20000) i;"
	unique := []string{"CREATE UNIQUE INDEX t_v ON public.t USING btree (v);"}
	for _, tt := range []struct {
		name, rule, rows, after string
		definitions             []string
		breaks                  func(*schema.Column, *spec.Rule) *transform.Recipe
		want                    string // of the first check
		says                    string
	}{
		{name: "a key", rule: "public.t.v hash", rows: rows, definitions: unique, want: "public.t.v: pass: 20000 before, 20000 after"},
		{name: "too few digits in a key", rule: "public.t.v hash", rows: rows, definitions: unique, breaks: short, want: "public.t.v: error: 20000 before, 19",
			says: "became equal to others"},
		{name: "too few digits under a link", rule: "public.*.v hash link=v normalize=trim", rows: rows, breaks: short,
			want: "link v: error: 20000 before, 19"},
		{name: "equal values parted", rule: "public.*.v hash link=v normalize=trim", rows: rows, breaks: parting,
			want: "link v: error: 20000 before, 40000 after", says: "20000 values became several"},
		{name: "changed on the server", rule: "public.t.v hash", rows: rows, definitions: unique,
			after: "update t set v = 'v' where v = (select min(v) from t)", want: "public.t.v: error: 20000 before, 20000 after",
			says: "holds 1 value that no filter wrote, and lacks 1"},
		{name: "never arrived", rule: "public.t.v hash", rows: rows, definitions: unique, after: "delete from t",
			want: "public.t.v: skipped: 20000 before, 20000 after", says: "rows_held"},
		{name: "normalized in a key", rule: "public.t.v hash normalize=lower", rows: rows + "insert into t values ('V1', 'y');", definitions: unique,
			want: "public.t.v: error: 20001 before, 20000 after",
			says: "drills/shop.yaml:1:7: 1 value of public.t.v became equal to others by normalizing alone, which t_v forbids"},
		{name: "normalized in a part of a key", rule: "public.t.v hash normalize=lower", rows: rows + "insert into t values ('V1', 'y');",
			definitions: []string{"ALTER TABLE ONLY public.t ADD CONSTRAINT u UNIQUE (v, w);"}, want: "public.t.v: pass: 20001 before, 20000 after",
			says: "by normalizing alone"},
		{name: "normalized in a partial index", rule: "public.t.v hash normalize=lower", rows: rows + "insert into t values ('V1', 'y');",
			definitions: []string{"CREATE UNIQUE INDEX t_v ON public.t USING btree (v) WHERE (w <> 'y');"},
			want:        "public.t.v: pass: 20001 before, 20000 after"},
		{name: "lossy under a link", rule: "public.t.v city link=v", rows: rows, want: "link v: pass: 20000 before, "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := situation{ddl: "create table t (v text, w text); create table u (v text)", rules: rules(t, tt.rule), definitions: tt.definitions}
			conn, p, checks := s.plan(t)
			if len(checks) > 0 {
				t.Fatalf("%+v", checks)
			}
			for c, made := range p.recipes {
				if tt.breaks != nil {
					made.Recipe = tt.breaks(c, p.assigned[c])
				}
			}
			if _, err := conn.Exec(t.Context(), tt.rows); err != nil {
				t.Fatal(err)
			}
			got := distinctOf(t, conn, p, tt.after, "t", "u")
			if len(got) != 1 || !strings.HasPrefix(checksOf(got)[0], tt.want) || !strings.Contains(got[0].Message, tt.says) ||
				got[0].Outcome == verdict.Error && got[0].Hint == "" {
				t.Errorf("%+v", got)
			}
			if valueOf[bool](t, conn, "select exists (select from pg_indexes where tablename = 't')") {
				t.Error("an index that was only tried stays")
			}
		})
	}
}

// A large table is read back in part.
func TestDistinctOfMany(t *testing.T) {
	if testing.Short() {
		t.Skip("loads 400,000 rows twice")
	}
	t.Parallel()
	s := situation{ddl: "create table t (v text)", rules: rules(t, "public.t.v email link=v")}
	conn, p, checks := s.plan(t)
	if len(checks) > 0 {
		t.Fatalf("%+v", checks)
	}
	p.pairsEach = 1 << 10
	if _, err := conn.Exec(t.Context(), "insert into t select 'v' || i from generate_series(1, 400000) i"); err != nil {
		t.Fatal(err)
	}
	got := distinctOf(t, conn, p, "", "t")
	if len(got) != 1 || got[0].Outcome != verdict.Pass || !strings.HasPrefix(got[0].Observed, "of one pseudonym in 512: ") ||
		!strings.HasSuffix(got[0].Observed, ", with some of the rows read back") {
		t.Errorf("%+v", got)
	}
}
