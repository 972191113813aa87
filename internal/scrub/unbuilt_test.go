package scrub

import (
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// What post-data refuses is a rule's fault where the rule rewrote what an
// expression, a predicate, a generated column, a view or a collation goes by;
// and the backup's own on plain columns, which keep apart what was different.
func TestUnbuilt(t *testing.T) {
	t.Parallel()
	const ddl = `create collation folding (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
		create collation plain_letters (provider = icu, locale = 'und-u-ks-level1', deterministic = false);
		create table t (id int, email text, gone text, n text, short text generated always as (split_part(email, '@', 2)) stored);
		create table p (v text collate plain_letters, w text collate folding); create table c (v text collate plain_letters, w text collate folding);
		create extension citext; create table z (v citext);
		create view totals as select 1 / (length(gone) - 1) as share from t;
		create materialized view m as select share from totals with no data;
		create function people() returns bigint language plpgsql as $$ begin return (select count(*) from t); end $$;
		create materialized view astray as select gone, people() from t with no data`
	const rows = `insert into t (id, email, gone, n) select i, 'u' || i || '@d' || i || '.example', 'gone' || i, i from generate_series(1, 100) i;
		update t set gone = null where id > 50; insert into t select * from (values (1, 'a@one.example', 'x1', '7')) v;
		insert into p values ('Ada', 'Ada'); insert into c values ('Adà', 'ADA');
		insert into z values ('Ä'), ('ä');`
	for _, tt := range []struct {
		name, rule, definition, want string
	}{
		{"an expression", "public.t.email email", "CREATE UNIQUE INDEX u ON public.t USING btree (split_part(email, '@'::text, 2));",
			"the unique index u of public.t was refused, and rules had rewritten what it rests on: public.t.email (drills/shop.yaml:1:7)"},
		{"an expression over what no rule rewrites", "public.t.gone token", "CREATE UNIQUE INDEX u ON public.t USING btree (left(email, 1));", ""},
		{"a plain index of numbers", "public.t.n token", "CREATE INDEX i ON public.t USING btree (((n)::integer));", "the index i of public.t was refused"},
		{"what keep sets", "public.t.gone token", "CREATE INDEX i ON public.t USING btree (((n)::integer));",
			"what it rests on: public.t.n (drills/shop.yaml)"},
		{"a predicate", "public.t.gone set_null", "CREATE UNIQUE INDEX u ON public.t USING btree (id) WHERE (gone IS NULL);",
			"rewritten what it rests on: public.t.gone (drills/shop.yaml:1:7)"},
		{"a key of several", "public.t.gone token; public.t.n token",
			"CREATE UNIQUE INDEX u ON public.t USING btree (\"left\"(email, 0), ((\"left\"(gone, 0) || \"left\"(n, 0))));",
			"what it rests on: public.t.gone (drills/shop.yaml:1:7), public.t.n (drills/shop.yaml:2:7)"},
		{"an exclusion's predicate", "public.t.gone set_null",
			"ALTER TABLE ONLY public.t ADD CONSTRAINT e EXCLUDE USING btree (id WITH =) WHERE (gone IS NULL);",
			"the exclusion constraint e of public.t was refused"},
		{"a generated column", "public.t.email email", "ALTER TABLE ONLY public.t ADD CONSTRAINT s UNIQUE (short);",
			"rewritten what it rests on: public.t.email (drills/shop.yaml:1:7)"},
		{"plain columns", "public.t.gone token", "ALTER TABLE ONLY public.t ADD CONSTRAINT k PRIMARY KEY (id);", ""},
		{"plain columns that a rule keeps apart", "public.t.n token", "ALTER TABLE ONLY public.t ADD CONSTRAINT k UNIQUE (n);", ""},
		{"a check that comes late", "public.t.n token", "ALTER TABLE public.t ADD CONSTRAINT k CHECK ((n ~ '^[0-9]+$'::text));",
			"the check constraint k of public.t was refused"},
		{"a view", "public.t.gone constant value=x", "REFRESH MATERIALIZED VIEW public.m;", "the materialized view public.m was refused"},
		{"a view whose function finds no table", "public.t.gone token", "REFRESH MATERIALIZED VIEW public.astray;", ""},
		{"a view of what no rule rewrites", "public.t.email email", "REFRESH MATERIALIZED VIEW public.m;", ""},
		{"a reference by letters without accents", "public.*.v token link=v",
			"ALTER TABLE ONLY public.c ADD CONSTRAINT f FOREIGN KEY (v) REFERENCES public.p(v);", "the foreign key f of public.c was refused"},
		{"a reference by letters of any case, which is hashed so", "public.*.w token link=w",
			"ALTER TABLE ONLY public.c ADD CONSTRAINT f FOREIGN KEY (w) REFERENCES public.p(w);", "built"},
		{"letters that a locale keeps apart", "public.z.v token", "ALTER TABLE ONLY public.z ADD CONSTRAINT k UNIQUE (v);",
			"what it rests on: public.z.v (drills/shop.yaml:1:7)"},
		{"an index that stands", "public.t.email email", "CREATE INDEX i ON public.t USING btree (lower(email));", "built"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := situation{ddl: ddl, rules: rules(t, strings.Split(tt.rule, "; ")...), definitions: []string{tt.definition}}
			if !strings.Contains(tt.rule, ".email ") {
				s.rules = append(s.rules, oneRule(t, 9, "public.t.email preserve"))
			}
			if tt.name == "what keep sets" {
				s.keep = []spec.Keep{{Table: spec.Name{Schema: "public", Table: "t"}, Match: map[string]string{"email": "u*"},
					Set: map[string]string{"n": "none"}}}
			}
			conn, p, checks := s.plan(t)
			if len(checks) > 0 {
				t.Fatalf("%+v", checks)
			}
			if strings.HasSuffix(tt.definition, " public.m;") && tt.want == "" { // so that it is refused for the rows' own sake
				exec(t, conn, "create or replace view totals as select 1 / (length(gone) - length(gone)) as share from t")
			}
			exec(t, conn, rows)
			for _, table := range []string{"t", "p", "c", "z"} {
				reload(t, conn, p, "public", table)
			}
			if strings.Contains(tt.definition, "FOREIGN") {
				exec(t, conn, "alter table p add unique (v), add unique (w)")
			}
			exec(t, conn, "set search_path = ''")
			_, err := conn.Exec(t.Context(), tt.definition)
			if built := err == nil; built != (tt.want == "built") {
				t.Fatalf("built: %t, %v", built, err)
			}
			found, err := p.Unbuilt(t.Context(), conn)
			if err != nil {
				t.Fatal(err)
			}
			if tt.want == "" || tt.want == "built" {
				if len(found) > 0 {
					t.Errorf("%+v", found)
				}
				return
			}
			if len(found) != 1 || found[0].Code != verdict.CodeRuleUnfit || found[0].Outcome != verdict.Error || !strings.Contains(found[0].Message, tt.want) {
				t.Errorf("%+v", found)
			}
		})
	}
}

// A foreign key to a table whose key a rule broke is not the backup's fault
// either.
func TestUnbuiltInTurn(t *testing.T) {
	t.Parallel()
	s := situation{ddl: "create table t (email text, short text generated always as (split_part(email, '@', 2)) stored); create table c (short text)",
		rules: rules(t, "public.t.email email"), definitions: []string{
			"ALTER TABLE ONLY public.c ADD CONSTRAINT f FOREIGN KEY (short) REFERENCES public.t(short);",
			"ALTER TABLE ONLY public.t ADD CONSTRAINT s UNIQUE (short);"}}
	conn, p, checks := s.plan(t)
	if len(checks) > 0 {
		t.Fatalf("%+v", checks)
	}
	exec(t, conn, "insert into t (email) values ('a@one.example'), ('b@two.example')")
	reload(t, conn, p, "public", "t")
	found, err := p.Unbuilt(t.Context(), conn)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range found {
		got = append(got, c.ID)
	}
	if want := []string{"rule_unfit:public.t.s", "rule_unfit:public.c.f"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func exec(t testing.TB, conn *pgx.Conn, sql string) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}
