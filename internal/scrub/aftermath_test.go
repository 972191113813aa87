package scrub

import (
	"bytes"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"daybefore/internal/scrub/document"
	"daybefore/internal/scrub/leakscan"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// aftermathOf loads what s holds, then runs after, and looks.
func aftermathOf(t testing.TB, s situation, rows, after string, tables ...string) (*Plan, []verdict.Check) {
	t.Helper()
	conn, p, checks := s.plan(t)
	if len(checks) > 0 {
		t.Fatal(checks)
	}
	if _, err := conn.Exec(t.Context(), rows); err != nil {
		t.Fatal(err)
	}
	for _, table := range tables {
		reload(t, conn, p, "public", table)
	}
	if _, err := conn.Exec(t.Context(), after); err != nil {
		t.Fatal(err)
	}
	connect := func(ctx context.Context) (*pgx.Conn, error) { return pgx.ConnectConfig(ctx, conn.Config()) }
	found, err := p.Aftermath(t.Context(), connect, 2, nil)
	if err != nil {
		t.Fatal(err)
	}
	streamed, err := p.Aftermath(t.Context(), connect, 2, streamAgain(conn, p))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(reds(found), reds(streamed)); diff != "" {
		t.Errorf("the server's rows and those that came say different things:\n%s", diff)
	}
	return p, found
}

// streamAgain is the archive that the loaded tables would be in.
func streamAgain(conn *pgx.Conn, p *Plan) leakscan.Stream {
	return func(ctx context.Context, filter func(namespace, table string,
		columns []string) (func(dst, row []byte) ([]byte, error), error), wanted func(namespace, table string) bool) error {
		for table, columns := range p.loaded {
			name := table.Name
			if table.Kind != "r" || !wanted(name.Schema, name.Table) {
				continue
			}
			look, err := filter(name.Schema, name.Table, columns)
			if err != nil {
				return err
			}
			var rows bytes.Buffer
			if _, err := conn.PgConn().CopyTo(ctx, &rows, "copy "+target(name.Schema, name.Table, columns)+" to stdout"); err != nil {
				return err
			}
			for row := range bytes.Lines(rows.Bytes()) {
				if _, err := look(nil, bytes.TrimSuffix(row, []byte("\n"))); err != nil {
					return err
				}
			}
		}
		return nil
	}
}

// reds are the findings, as "id: observed".
func reds(checks []verdict.Check) []string {
	out := []string{}
	for _, c := range checks {
		if c.Outcome == verdict.Error && c.ID != "leak_scan:stored" {
			out = append(out, c.ID+": "+c.Observed)
		}
	}
	slices.Sort(out)
	return out
}

const afterShop = `
	create table people (id int primary key, email text, full_name text, label text, seen_as text generated always as ('label ' || label) stored);
	create table logs (id int, line text, extra jsonb, bin bytea, ref uuid);
	create table plain (id int, tag text);`

const afterRows = `
	insert into people (id, email, full_name, label) select i, 'person' || i || '@example.com', 'Real Person' || i, 'nothing' from generate_series(1, 300) i;
	insert into logs select i, 'line ' || i, '{"channel": "web"}', 'bytes', null from generate_series(1, 300) i;
	insert into plain select i, 'tag ' || i from generate_series(1, 300) i;`

func afterSituation(t testing.TB) situation {
	return situation{ddl: afterShop, largeObjectRule: "preserve", scan: spec.LeakScan{SourceOverlap: 1000},
		rules: rules(t, "public.people.email email", "public.people.full_name name", "public.people.label preserve", "public.logs.extra preserve",
			"public.logs.bin preserve")}
}

// What the server makes of pseudonyms is no finding.
func TestAftermathOfNothing(t *testing.T) {
	t.Parallel()
	_, found := aftermathOf(t, afterSituation(t), afterRows, `
		create materialized view best as select email, full_name, 'mail to ' || email as line, id::text from people;
		comment on table people is 'who they are'`, "people", "logs", "plain")
	if got := reds(found); len(got) > 0 || len(found) != 1 || found[0].Outcome != verdict.Pass {
		t.Errorf("%q of %+v", got, found)
	}
	if !strings.Contains(found[0].Expected, "none of 600 sampled real values of 2 columns") {
		t.Errorf("%+v", found[0])
	}
}

// Each plant is found, at its place, as often as it is there, without the value.
func TestAftermathFinds(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, rows, after, want string }{
		{"whole value elsewhere", "update plain set tag = 'Real Person17' where id < 4", "",
			"leak:public.plain.tag: a real value of public.people.full_name (3 times)"},
		{"in other case", "update plain set tag = 'REAL person17' where id = 4", "", "leak:public.plain.tag: a real value of public.people.full_name (1 time)"},
		{"within text", "update logs set line = 'we met Real Person17, in town' where id = 4", "",
			"leak:public.logs.line: a real value of public.people.full_name (1 time)"},
		{"the family name in front", "update logs set line = 'we met Person17, Real in town' where id = 4", "",
			"leak:public.logs.line: a real value of public.people.full_name (1 time)"},
		{"in a preserved document", `update logs set extra = '{"to": ["person9@example.com"]}' where id = 4`, "",
			"leak:public.logs.extra: a real value of public.people.email at $.to[*] (1 time)"},
		{"in bytes", `update logs set bin = 'x: person9@example.com' where id = 4`, "", "leak:public.logs.bin: a real value of public.people.email (1 time)"},
		{"explained by what was let through", "update people set label = 'ask ada@example.org' where id = 5", "", ""},
		{"in a materialized view", "", "create materialized view best as select id, 'ada' || chr(64) || 'example.org' as line from people where id < 3",
			"leak:public.best.line: an e-mail address (2 times)"},
		{"real, in a materialized view", "", "create materialized view best as select 'Real ' || 'Person17' as line",
			"leak:public.best.line: a real value of public.people.full_name (1 time)"},
		{"in a comment", "", "comment on column plain.tag is 'such as +4915112345678'",
			"leak:a comment on column tag of table public.plain: a phone number (1 time)"},
		{"in a default", "", "alter table plain alter tag set default '4111 1111 1111 1111'", "leak:the default of public.plain.tag: a card number (1 time)"},
		{"in a check", "", "alter table plain add constraint no_ada check (tag <> 'ada@example.org')",
			"leak:the constraint no_ada of public.plain: an e-mail address (1 time)"},
		{"in a partial index", "", "create index part on plain (id) where tag = 'DE89370400440532013000'", "leak:the index public.part: an IBAN (1 time)"},
		{"real, in a partial index", "", "create index part on plain (id) where tag <> 'Real Person17'",
			"leak:the index public.part: a real value of public.people.full_name (1 time)"},
		{"in a view", "", "create view some_of as select * from plain where tag <> 'ada@example.org'",
			"leak:the view public.some_of: an e-mail address (1 time)"},
		{"in a function", "", "create function f() returns text language sql as $$ select 'ada@example.org' $$",
			"leak:the function public.f: an e-mail address (1 time)"},
		{"in a function's new body", "", "create function f() returns text language sql return 'ada@example.org'",
			"leak:the function public.f: an e-mail address (1 time)"},
		{"in an enum", "", "create type mood as enum ('good', 'ada@example.org')", "leak:a label of public.mood: an e-mail address (1 time)"},
		{"in a partition's bounds", "",
			"create table parted (k text) partition by list (k); create table parted_1 partition of parted for values in ('ada@example.org')",
			"leak:the bounds of public.parted_1: an e-mail address (1 time)"},
		{"in a partition key", "", "create table parted (k text) partition by list ((k = 'ada@example.org'))",
			"leak:the partition key of public.parted: an e-mail address (1 time)"},
		{"in a domain's default", "", "create domain tagged as text default 'ada@example.org'",
			"leak:the default of public.tagged: an e-mail address (1 time)"},
		{"in a function's setting", "", "create function f() returns text language sql set app.mail_to = 'ada@example.org' as 'select 1::text'",
			"leak:the function public.f: an e-mail address (1 time)"},
		{"in statistics", "", "create statistics st on (replace(tag, 'ada@example.org', '')), id from plain",
			"leak:the statistics public.st: an e-mail address (1 time)"},
		{"in a publication", "", "create publication pub for table plain where (tag <> 'ada@example.org')",
			"leak:the publication pub: an e-mail address (1 time)"},
		{"in a foreign table", "",
			"create foreign data wrapper w; create server s foreign data wrapper w; create foreign table far (id int options (column_name '203.0.113.7')) " +
				"server s options (table_name 'ada@example.org')", "leak:the foreign table public.far: a network address (1 time), an e-mail address (1 time)"},
		{"in a user mapping", "",
			"create foreign data wrapper w; create server s foreign data wrapper w; create user mapping for public server s options (login 'ada@example.org')",
			"leak:the user mapping of s: an e-mail address (1 time)"},
		{"behind another kind", "", "comment on table plain is '+4915112345678 or ada@example.org'",
			"leak:a comment on table public.plain: a phone number (1 time), an e-mail address (1 time)"},
		{"in a policy", "", "create policy pol on plain using (tag = 'ada@example.org')", "leak:the policy pol of public.plain: an e-mail address (1 time)"},
		{"in an aggregate", "", "create aggregate agg (text) (sfunc = textcat, stype = text, initcond = 'ada@example.org')",
			"leak:the aggregate public.agg: an e-mail address (1 time)"},
		{"in a moving aggregate", "",
			"create aggregate agg (text) (sfunc = textcat, stype = text, msfunc = textcat, minvfunc = textcat, mstype = text, minitcond = 'ada@example.org')",
			"leak:the aggregate public.agg: an e-mail address (1 time)"},
		{"in a dictionary", "",
			"create text search dictionary dict (template = simple); update pg_ts_dict set dictinitoption = 'stopwords = " +
				"''ada@example.org''' where dictname = 'dict'", "leak:the dictionary public.dict: an e-mail address (1 time)"},
		{"in a foreign data wrapper", "", "create foreign data wrapper w options (contact 'ada@example.org')",
			"leak:the foreign data wrapper w: an e-mail address (1 time)"},
		{"in a comment on the schema public", "", "comment on schema public is 'ask ada@example.org'",
			"leak:a comment on schema public: an e-mail address (1 time)"},
		{"in a comment on a large object of a chosen number", "", "select lo_create(4711); comment on large object 4711 is 'ask ada@example.org'",
			"leak:a comment on large object 4711: an e-mail address (1 time)"},
		{"in a trigger", "",
			"create function g() returns trigger language plpgsql as $$ begin return new; end $$; create trigger tg before update on plain for each row " +
				"execute function g('ada@example.org')", "leak:the trigger tg of public.plain: an e-mail address (1 time)"},
		{"where row security hides it", "update plain set tag = 'Real Person17' where id < 4",
			"alter table plain enable row level security; alter table plain force row level security; create policy none on plain using (false)",
			"leak:public.plain.tag: a real value of public.people.full_name (3 times)"},
		{"in a large object", "", `select lo_from_bytea(0, 'to person9@example.com')`,
			"leak:large objects: a real value of public.people.email (1 time), an e-mail address (1 time)"},
		{"far into a large object", "", `select lo_put(lo_create(4712), 1 << 30, 'to person9@example.com')`,
			"leak:large objects: a real value of public.people.email (1 time), an e-mail address (1 time)"},
		{"between two pieces of one", "", `select lo_put(lo_create(4712), (1 << 24) - 8, 'to person9@example.com')`,
			"leak:large objects: a real value of public.people.email (1 time), an e-mail address (2 times)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, found := aftermathOf(t, afterSituation(t), afterRows+tt.rows, tt.after, "people", "logs", "plain")
			want := []string{}
			if tt.want != "" {
				want = append(want, tt.want)
			}
			if diff := cmp.Diff(want, reds(found)); diff != "" {
				t.Error(diff)
			}
			if said := fmt.Sprintf("%+v", found); strings.Contains(said, "Real Person") || strings.Contains(said, "@example") ||
				strings.Contains(said, "4111") {
				t.Errorf("a value is told: %s", said)
			}
		})
	}
}

func TestAftermathAllows(t *testing.T) {
	t.Parallel()
	s := afterSituation(t)
	s.scan.Allow = []*regexp.Regexp{regexp.MustCompile(`^support@`)}
	_, found := aftermathOf(t, s, afterRows, "comment on table plain is 'ask support@example.org'", "people", "logs", "plain")
	if got := reds(found); len(got) > 0 {
		t.Error(got)
	}
}

// What a rule lets pass within a value is looked at for real values, and what
// it rewrites is not: a made-up name may be somebody's.
func TestAftermathWithin(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, rows, want string }{
		{"nothing", "", ""},
		{"under a kept path", `update t set doc = '{"to": "person17@example.com"}' where id = 1`,
			"leak:public.t.doc: a real value of public.people.email (1 time)"},
		{"under a preserved path", `update t set doc = '{"a": ["Real Person17"]}' where id = 1`,
			"leak:public.t.doc: a real value of public.people.full_name (1 time)"},
		{"under a preserved path of what is redacted", `update t set docs = array['{"a": "Real Person17"}']::jsonb[] where id = 1`,
			"leak:public.t.docs: a real value of public.people.full_name (1 time)"},
		{"in a field", `update t set who = row('Real Person17', 'x') where id = 1`, "leak:public.t.who: a real value of public.people.full_name (1 time)"},
		{"where it is rewritten", `update t set doc = '{"n": "Real Person17"}', who = row('x', 'Real Person18') where id = 1`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := afterSituation(t)
			s.ddl += "create type pair as (tag text, said text); create table t (id int, doc jsonb, who pair, docs jsonb[])"
			doc := jsonRule(t, "public.t.doc", "$.a preserve", "$.n name")
			doc.Unmatched = document.Keep
			s.rules = append(s.rules, doc, fieldsRule(t, "public.t.who", "said text"), each(jsonRule(t, "public.t.docs", "$.a preserve")))
			// found where the filter did not see it, as a trigger would put it there
			_, found := aftermathOf(t, s, afterRows+`insert into t values (1, '{"a": 1, "n": "x"}', row('x', 'y'), array['{"a": "x"}']::jsonb[]);`, tt.rows,
				"people", "t")
			want := []string{}
			if tt.want != "" {
				want = append(want, tt.want)
			}
			if diff := cmp.Diff(want, reds(found)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A column that is computed after the load is what the server computed.
func TestAftermathOfRecomputed(t *testing.T) {
	t.Parallel()
	s := situation{ddl: "create table t (id int, tag text, line text)", rules: rules(t, "public.t.line preserve")}
	s.rules[0].Preserve, s.rules[0].Why, s.rules[0].Recompute = false, "", "upper(tag)"
	_, found := aftermathOf(t, s, "insert into t values (1, 'x', 'ada@example.org')", "update t set line = 'bob@example.org'", "t")
	if diff := cmp.Diff([]string{"leak:public.t.line: an e-mail address (1 time)"}, reds(found)); diff != "" {
		t.Error(diff)
	}
}
