package scrub

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"daybefore/internal/copytext"
	"daybefore/internal/pgtest"
	"daybefore/internal/scrub/leakscan"
	"daybefore/internal/scrub/schema"
	"daybefore/internal/scrub/scrubtest"
	"daybefore/internal/scrub/transform"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

var (
	oneRule = scrubtest.Rule
	rules   = scrubtest.Rules
)

var testKey = bytes.Repeat([]byte("k"), transform.KeySize)

// situation is a restored pre-data, and what a drill file says about it.
type situation struct {
	ddl             string
	definitions     []string
	rules           []spec.Rule
	keep            []spec.Keep
	exclude         []string
	largeObjects    bool
	encoding        string
	locale          string
	scan            spec.LeakScan
	unmatched       string
	largeObjectRule string
	roots           bool // the archive holds partitions' rows under their root
}

// plan makes the plan of a situation in a new database.
func (s situation) plan(t testing.TB) (*pgx.Conn, *Plan, []verdict.Check) {
	t.Helper()
	conn := pgtest.DB(t)
	p, checks := s.planOn(t, conn)
	return conn, p, checks
}

// planOn makes it in a database whose tables it drops first.
func (s situation) planOn(t testing.TB, conn *pgx.Conn) (*Plan, []verdict.Check) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), `drop schema if exists public, "a.b" cascade; create schema public; `+s.ddl); err != nil {
		t.Fatal(err)
	}
	return s.planHere(t, conn)
}

// planHere makes it for the tables that there are.
func (s situation) planHere(t testing.TB, conn *pgx.Conn) (*Plan, []verdict.Check) {
	t.Helper()
	restored, err := schema.Read(t.Context(), conn)
	if err != nil {
		t.Fatal(err)
	}
	p, checks, err := NewPlan(t.Context(), conn, s.request(restored))
	if err != nil {
		t.Fatal(err)
	}
	return p, checks
}

func (s situation) request(restored *schema.Schema) Request {
	var places []spec.Pos
	for i := range s.exclude {
		places = append(places, spec.Pos{Line: i + 1, Column: 4})
	}
	return Request{
		Schema: restored, Headers: s.headers(restored), Definitions: s.definitions, File: "drills/shop.yaml", Encoding: s.encoding,
		LargeObjects: s.largeObjects,
		Rules: spec.Scrub{Key: testKey, Rules: s.rules, Keep: s.keep, ExcludeTableData: s.exclude, ExcludePos: places, LeakScan: s.scan, Unmatched: s.unmatched,
			Locale: s.locale, LargeObjects: s.largeObjectRule},
	}
}

// headers are what pg_dump writes for the tables: leaves by default.
func (s situation) headers(restored *schema.Schema) []Header {
	var all []Header
	for i, h := range scrubtest.Headers(restored, s.roots) {
		all = append(all, Header{DumpID: i, Header: h})
	}
	return all
}

func ids(checks []verdict.Check) []string {
	out := []string{}
	for _, c := range checks {
		out = append(out, c.ID)
	}
	slices.Sort(out)
	return out
}

const people = `create table users (id int, email text, full_name text, phone varchar(20), code varchar(16), note text, age int, born date, seen timestamptz,
	tags text[], status text check (status in ('new', 'old')), doc jsonb, ok bool not null, shout text generated always as (upper(status)) stored);
	create table orders (id int, user_email text, total numeric(10,2));`

const pairDDL = `create type home as (street text, zip varchar(10)); create type person as (id int, full_name text, home home, phones text[]);
	create table t (who person)`

// fieldsRule reads "field transform key=value …" entries as a rule by fields.
func fieldsRule(t testing.TB, column string, entries ...string) spec.Rule {
	t.Helper()
	r := oneRule(t, 1, column+" unused")
	r.Transform = ""
	r.Fields = []spec.FieldRule{}
	for i, e := range entries {
		field, rest, _ := strings.Cut(e, " ")
		r.Fields = append(r.Fields, spec.FieldRule{Field: strings.Split(field, "."), Source: field, Rule: oneRule(t, i+2, "a.b.c "+rest)})
	}
	return r
}

func recomputeRule(t testing.TB, column, expression string) spec.Rule {
	t.Helper()
	r := oneRule(t, 1, column+" unused")
	r.Transform, r.Recompute = "", expression
	return r
}

// quiet are the rules that make the tables of people acceptable.
var quiet = []string{"public.users.email preserve", "public.users.full_name preserve", "public.users.phone preserve", "public.users.note preserve",
	"public.users.born preserve", "public.users.doc preserve", "public.orders.user_email preserve"}

var peopleKeys = []string{"ALTER TABLE ONLY public.users\n    ADD CONSTRAINT users_pkey PRIMARY KEY (id);",
	"CREATE UNIQUE INDEX users_email ON public.users USING btree (lower(email)) WHERE (email IS NOT NULL);",
	"ALTER TABLE ONLY public.orders\n    ADD CONSTRAINT orders_user FOREIGN KEY (user_email) REFERENCES public.users(email) ON DELETE CASCADE;"}

var codeUnique = []string{"ALTER TABLE ONLY public.t ADD CONSTRAINT t_code UNIQUE (code);"}

func TestDecisions(t *testing.T) {
	t.Parallel()
	conn := pgtest.DB(t)
	const parts = `create table events (id int, at date, email text) partition by range (at);
		create table events_a partition of events for values from ('2024-01-01') to ('2025-01-01');
		create table events_b partition of events for values from ('2025-01-01') to ('2026-01-01');`
	for _, tt := range []struct {
		name string
		situation
		want []string
		says string // in the first check's message or hint
	}{
		{name: "nothing to say", situation: situation{ddl: people, rules: rules(t, quiet...)}},
		{name: "all unmatched", situation: situation{ddl: people}, want: []string{"unmatched:public.orders.user_email", "unmatched:public.users.born",
			"unmatched:public.users.doc", "unmatched:public.users.email", "unmatched:public.users.full_name", "unmatched:public.users.note",
			"unmatched:public.users.phone"},
			says: "- {column: public.orders.user_email, transform: email, link: email}"},
		{name: "opaque", situation: situation{ddl: "create table t (at point)"}, want: []string{"unmatched:public.t.at"},
			says: "public.t.at is of type point, which can hold anything, and has no rule"},
		{name: "too long for a unique column",
			situation: situation{ddl: "create table t (code char(5))", definitions: codeUnique, rules: rules(t, "public.t.code hash")},
			want:      []string{"rule_unfit:public.t.code"},
			says:      "use one that would fit: set_null"},
		{name: "too long for a unique column that cannot be null",
			situation: situation{ddl: "create table t (code char(5) not null)", definitions: codeUnique, rules: rules(t, "public.t.code hash")},
			want:      []string{"rule_unfit:public.t.code"},
			says:      "use one that would fit: permute"},
		{name: "merged in a unique column that is short",
			situation: situation{ddl: "create table t (code char(5))", definitions: codeUnique, rules: rules(t, "public.t.code text")},
			want:      []string{"rule_unfit:public.t.code"},
			says:      "use one that would keep values apart: permute"},
		{name: "merged in a unique column",
			situation: situation{ddl: "create table t (code char(40))", definitions: codeUnique, rules: rules(t, "public.t.code text")},
			want:      []string{"rule_unfit:public.t.code"},
			says:      "use one that would keep values apart: email, hash, token, uuid, url, permute"},
		{name: "a glob covers", situation: situation{ddl: people, rules: rules(t, "public.*.*email email link=e", "*.users.* preserve")},
			want: []string{"rule_unfit:public.users.email", "rule_unfit:public.users.shout"}[:1],
			says: "drills/shop.yaml:1:7: public.*.*email and *.users.* both name public.users.email"},
		{name: "narrower wins",
			situation: situation{ddl: people,
				rules: rules(t, "*.*.* preserve", "public.*.* preserve", "public.users.* preserve", "public.users.status preserve")}},
		{name: "gone", situation: situation{ddl: people, rules: rules(t, append(quiet, "public.users.nope text")...)},
			want: []string{"rule_unmet:public.users.nope"}, says: "drills/shop.yaml:8:7: public.users.nope names no column"},
		{name: "generated", situation: situation{ddl: people, rules: rules(t, append(quiet, "public.users.shout text")...)},
			want: []string{"rule_unfit:public.users.shout"}, says: "generated"},
		{name: "generated preserved", situation: situation{ddl: people, rules: rules(t, append(quiet, "public.users.shout preserve")...)},
			want: []string{"rule_unfit:public.users.shout"}},
		{name: "wrong type",
			situation: situation{ddl: people,
				rules: rules(t, append(quiet, "public.users.age email", "public.users.ok number", "public.users.seen text", "public.users.id date_shift")...)},
			want: []string{"rule_unfit:public.users.age", "rule_unfit:public.users.id", "rule_unfit:public.users.ok", "rule_unfit:public.users.seen"}},
		{name: "array", situation: situation{ddl: people, rules: rules(t, append(quiet, "public.users.tags text", "public.users.code text each")...)},
			want: []string{"rule_unfit:public.users.code", "rule_unfit:public.users.tags"}},
		{name: "array each", situation: situation{ddl: people, rules: rules(t, append(quiet, "public.users.tags text each")...)}},
		{name: "too long", situation: situation{ddl: people, rules: rules(t, append(quiet, "public.users.code hash")...)},
			want: []string{"rule_unfit:public.users.code"}, says: "holds 16 characters, and hash makes 32"},
		{name: "email in a short column", situation: situation{ddl: people, rules: rules(t, append(quiet, "public.users.code email")...)},
			want: []string{"rule_unfit:public.users.code"}},
		{name: "name is cut", situation: situation{ddl: people, rules: rules(t, append(quiet, "public.users.code name")...)}},
		{name: "constant too long", situation: situation{ddl: people, rules: rules(t, append(quiet, "public.users.code constant value=12345678901234567")...)},
			want: []string{"rule_unfit:public.users.code"}},
		{name: "constant of the wrong type", situation: situation{ddl: people, rules: rules(t, append(quiet, "public.users.age constant value=many")...)},
			want: []string{"rule_unfit:public.users.age"}, says: "invalid input syntax"},
		{name: "constant that a check refuses",
			situation: situation{ddl: people, rules: rules(t, append(quiet, "public.users.status constant value=other")...)},
			want:      []string{"rule_unfit:public.users.status"}, says: "users_status_check"},
		{name: "constant that a check takes", situation: situation{ddl: people, rules: rules(t, append(quiet, "public.users.status constant value=old")...)}},
		{name: "a choice of what is too long", situation: situation{ddl: people,
			rules: rules(t, append(quiet, "public.users.code choice values=new,12345678901234567")...)},
			want: []string{"rule_unfit:public.users.code"}, says: "holds 16 characters, and choice makes 17"},
		{name: "a choice of the wrong type", situation: situation{ddl: people,
			rules: rules(t, append(quiet, "public.users.age choice values=1,many")...)},
			want: []string{"rule_unfit:public.users.age"}, says: "invalid input syntax"},
		{name: "a choice of which a check refuses one", situation: situation{ddl: people,
			rules: rules(t, append(quiet, "public.users.status choice values=old,new,other")...)},
			want: []string{"rule_unfit:public.users.status"}, says: "users_status_check"},
		{name: "a choice that a check takes",
			situation: situation{ddl: people, rules: rules(t, append(quiet, "public.users.status choice values=old,new")...)}},
		{name: "a choice in a key", situation: situation{ddl: people, definitions: peopleKeys[:2],
			rules: rules(t, append(quiet[1:], "public.users.email choice values=a,b")...)},
			want: []string{"rule_unfit:public.users.email"}, says: "users_email"},
		{name: "text that a check refuses", situation: situation{ddl: people, rules: rules(t, append(quiet, "public.users.status text")...)},
			want: []string{"rule_unfit:public.users.status"}},
		{name: "null in not null", situation: situation{ddl: people, rules: rules(t, append(quiet, "public.users.ok set_null")...)},
			want: []string{"rule_unfit:public.users.ok"}, says: "cannot be null"},
		{name: "null in a key", situation: situation{ddl: people, definitions: peopleKeys, rules: rules(t, append(quiet, "public.users.id set_null")...)},
			want: []string{"rule_unfit:public.users.id"}},
		{name: "lossy in a key", situation: situation{ddl: people, definitions: peopleKeys[:2], rules: rules(t, append(quiet[1:], "public.users.email text")...)},
			want: []string{"rule_unfit:public.users.email"}, says: "users_email"},
		{name: "hash in a key", situation: situation{ddl: people, definitions: peopleKeys[:2], rules: rules(t, append(quiet[1:], "public.users.email hash")...)}},
		{name: "foreign key, one side",
			situation: situation{ddl: people, definitions: peopleKeys, rules: rules(t, append(quiet[1:], "public.users.email email link=e")...)},
			want:      []string{"rule_unfit:public.orders.orders_user"}},
		{name: "foreign key, no link",
			situation: situation{ddl: people, definitions: peopleKeys,
				rules: rules(t, append(quiet[1:6], "public.users.email email", "public.orders.user_email email")...)},
			want: []string{"rule_unfit:public.orders.orders_user"}, says: "same link"},
		{name: "foreign key, linked",
			situation: situation{ddl: people, definitions: peopleKeys,
				rules: rules(t, append(quiet[1:6], "public.users.email email link=e", "public.orders.user_email email link=e")...)}},
		{name: "foreign key, taken away",
			situation: situation{ddl: people, definitions: peopleKeys,
				rules: rules(t, append(quiet[1:6], "public.users.email email", "public.orders.user_email set_null")...)}},
		{name: "excluded and referenced", situation: situation{ddl: people, definitions: peopleKeys, exclude: []string{"public.users"}, rules: rules(t, quiet...)},
			want: []string{"rule_unfit:public.orders.orders_user"}, says: "exclude public.orders too"},
		{name: "excluded with its referencing table", situation: situation{ddl: people, definitions: peopleKeys, exclude: []string{"public.*"}}},
		{name: "of a view",
			situation: situation{ddl: "create table t (a text); create view told as select a as email from t; create materialized view kept " +
				"as select a as email from t", rules: rules(t, "public.told.email email", "*.k*.email email")},
			want: []string{"rule_unmet:*.k*.email", "rule_unmet:public.told.email"},
			says: "drills/shop.yaml:1:7: public.told.email names only what a view computes"},
		{name: "of a column that has another name",
			situation: situation{ddl: "create table customers (nickname text)", rules: rules(t, "public.customers.nick_name text", "public.customers.* text")},
			want:      []string{"rule_unmet:public.customers.nick_name"}, says: "did you mean nickname?"},
		{name: "of a table that has another name",
			situation: situation{ddl: "create table customers (mail text); create table customs (id int)",
				rules: rules(t, "public.custmer.mail text", "*.*.mail text")}, want: []string{"rule_unmet:public.custmer.mail"},
			says: "did you mean public.customers?"},
		{name: "of a table and a column in another case",
			situation: situation{ddl: `create table "Customers" ("Mail" text)`, rules: rules(t, "public.customer.mail text", "*.*.Mail text")},
			want:      []string{"rule_unmet:public.customer.mail"}, says: "did you mean public.Customers.Mail?"},
		{name: "of a table that is gone", situation: situation{ddl: people, rules: rules(t, append(quiet, "public.contacts.note text")...)},
			want: []string{"rule_unmet:public.contacts.note"}, says: "find out why the backup lacks the table"},
		{name: "exclude_table_data in another case", situation: situation{ddl: people, exclude: []string{"public.Users"}, rules: rules(t, quiet...)},
			want: []string{"rule_unmet:public.Users"}, says: "did you mean public.users?"},
		{name: "keep in another case",
			situation: situation{ddl: people, rules: rules(t, quiet...),
				keep: []spec.Keep{{Table: spec.Name{Schema: "public", Table: "user"}, Match: map[string]string{"email": "*"}}}},
			want: []string{"rule_unmet:keep:public.user"}, says: "did you mean public.users?"},
		{name: "exclude_table_data names nothing", situation: situation{ddl: people, exclude: []string{"audit.*"}, rules: rules(t, quiet...)},
			want: []string{"rule_unmet:audit.*"}, says: "drills/shop.yaml:1:4: exclude_table_data"},
		{name: "json", situation: situation{ddl: people, rules: rules(t, append(slices.Delete(slices.Clone(quiet), 5, 6), "public.users.doc text")...)},
			want: []string{"rule_unfit:public.users.doc"}},
		{name: "json constant",
			situation: situation{ddl: people, rules: rules(t, append(slices.Delete(slices.Clone(quiet), 5, 6), "public.users.doc constant value={}")...)}},
		{name: "json constant that is none",
			situation: situation{ddl: people, rules: rules(t, append(slices.Delete(slices.Clone(quiet), 5, 6), "public.users.doc constant value={")...)},
			want:      []string{"rule_unfit:public.users.doc"}},
		{name: "large objects", situation: situation{ddl: people, largeObjects: true, rules: rules(t, quiet...)},
			want: []string{"large_objects:large_objects"}},
		{name: "encoding of no table", situation: situation{ddl: people, encoding: "EUC_TW", rules: rules(t, quiet...)}, want: []string{"rule_unfit:encoding"}},
		{name: "partition key", situation: situation{ddl: parts, rules: rules(t, "public.events.at date_shift", "public.events.email email")},
			want: []string{"rule_unfit:public.events.at"}, says: "which partition"},
		{name: "parent reaches leaves", situation: situation{ddl: parts, rules: rules(t, "public.events.email email")}},
		{name: "root in the archive", situation: situation{ddl: parts, roots: true, rules: rules(t, "public.events.email email")}},
		{name: "one leaf only", situation: situation{ddl: parts, rules: rules(t, "public.events_a.email email")},
			want: []string{"unmatched:public.events.email"}},
		{name: "leaf that is not in the archive",
			situation: situation{ddl: parts, roots: true, rules: rules(t, "public.events_a.email email", "public.events.email email")},
			want:      []string{"rule_unmet:public.events_a.email"}},
		{name: "a root's key is its leaves'",
			situation: situation{ddl: parts, definitions: []string{"ALTER TABLE ONLY public.events ADD CONSTRAINT k UNIQUE (at, email);"},
				rules: rules(t, "public.events.email text")}, want: []string{"rule_unfit:public.events.email"}, says: "is part of k"},
		{name: "excluded root excludes leaves", situation: situation{ddl: parts, exclude: []string{"public.events"}}},
		{name: "inherited",
			situation: situation{ddl: "create table p (email text); create table c (more int) inherits (p);", rules: rules(t, "public.p.email email")}},
		{name: "a check that email meets",
			situation: situation{ddl: "create table t (email text check (email like '%@%'))", rules: rules(t, "public.t.email email")}},
		{name: "a check that hash does not meet",
			situation: situation{ddl: "create table t (email text check (email like '%@%'))", rules: rules(t, "public.t.email hash")},
			want:      []string{"rule_unfit:public.t.email"}},
		{name: "a phone check",
			situation: situation{ddl: `create table t (phone text check (phone ~ '^\+[0-9]{6,14}$'))`, rules: rules(t, "public.t.phone phone")}},
		{name: "a number above zero", situation: situation{ddl: "create table t (x numeric check (x > 0))", rules: rules(t, "public.t.x number")}},
		{name: "a number with a limit", situation: situation{ddl: "create table t (x int check (x between 18 and 120))", rules: rules(t, "public.t.x number")},
			want: []string{"rule_unfit:public.t.x"}},
		{name: "a date with a limit",
			situation: situation{ddl: "create table t (born date check (born < '2020-01-01'))", rules: rules(t, "public.t.born date_shift")},
			want:      []string{"rule_unfit:public.t.born"}},
		{name: "two dates in order", situation: situation{ddl: "create table t (a date, b date, check (a <= b))", rules: rules(t, "public.t.a date_shift")},
			want: []string{"rule_unfit:public.t.a"}},
		{name: "one of two not null",
			situation: situation{ddl: "create table t (email text, phone text, check (email is not null or phone is not null))",
				rules: rules(t, "public.t.email email", "public.t.phone set_null")}, want: []string{"rule_unfit:public.t.phone"}},
		{name: "a domain's check",
			situation: situation{ddl: "create domain mail as text check (value like '%@%'); create table t (email mail)",
				rules: rules(t, "public.t.email hash")}, want: []string{"rule_unfit:public.t.email"}},
		{name: "a domain's not null",
			situation: situation{ddl: "create domain mail as text not null; create table t (email mail)", rules: rules(t, "public.t.email set_null")},
			want:      []string{"rule_unfit:public.t.email"}},
		{name: "a domain over a domain over an array",
			situation: situation{ddl: "create domain a as varchar(40)[]; create domain b as a; create table t (emails b)",
				rules: rules(t, "public.t.emails email each")}},
		{name: "a template that keeps apart, in a key",
			situation: situation{ddl: people, definitions: peopleKeys[:2],
				rules: rules(t, append(quiet[1:], "public.users.email template value=u-{hash}@example.org")...)}},
		{name: "a template that does not",
			situation: situation{ddl: people, definitions: peopleKeys[:2],
				rules: rules(t, append(quiet[1:], "public.users.email template value={first_name}@example.org")...)},
			want: []string{"rule_unfit:public.users.email"}},
		{name: "a template that is too long", situation: situation{ddl: people, rules: rules(t, append(quiet, "public.users.code template value=u-{hash}")...)},
			want: []string{"rule_unfit:public.users.code"}, says: "holds 16 characters, and template makes 34"},
		{name: "a template of columns",
			situation: situation{ddl: people, rules: rules(t, append(slices.Delete(slices.Clone(quiet), 3, 4), "public.users.note template value={id}")...)},
			want:      []string{"rule_unfit:public.users.note"}},
		{name: "tokens and urls in a key",
			situation: situation{ddl: "create table t (a varchar(16), b varchar(40), c uuid)",
				definitions: []string{"ALTER TABLE t ADD CONSTRAINT u UNIQUE (a, b, c);"},
				rules:       rules(t, "public.t.a token", "public.t.b url", "public.t.c uuid")}},
		{name: "a short token, url, uuid, password",
			situation: situation{ddl: "create table t (a varchar(15), b varchar(39), c varchar(35), d varchar(59))",
				rules: rules(t, "public.t.a token", "public.t.b url", "public.t.c uuid", "public.t.d password")},
			want: []string{"rule_unfit:public.t.a", "rule_unfit:public.t.b", "rule_unfit:public.t.c", "rule_unfit:public.t.d"}},
		{name: "lossy ones in a key",
			situation: situation{ddl: "create table t (a inet, b macaddr, c text, d date, e numeric)",
				definitions: []string{"CREATE UNIQUE INDEX u ON public.t USING btree (a, b, c, d, e);"},
				rules:       rules(t, "public.t.a ip", "public.t.b mac", "public.t.c iban", "public.t.d truncate to=month", "public.t.e card")},
			want: []string{"rule_unfit:public.t.a", "rule_unfit:public.t.b", "rule_unfit:public.t.c", "rule_unfit:public.t.d", "rule_unfit:public.t.e"}},
		{name: "an exclusion constraint",
			situation: situation{ddl: "create table t (who text)",
				definitions: []string{"ALTER TABLE ONLY public.t ADD CONSTRAINT e EXCLUDE USING gist (who WITH =);"},
				rules:       rules(t, "public.t.who first_name")}, want: []string{"rule_unfit:public.t.who"}, says: "is part of e"},
		{name: "of other types",
			situation: situation{ddl: "create table t (a int, b inet, c text, d uuid, e bytea)",
				rules: rules(t, "public.t.a card", "public.t.b mac", "public.t.c number", "public.t.d token", "public.t.e text")},
			want: []string{"rule_unfit:public.t.a", "rule_unfit:public.t.b", "rule_unfit:public.t.c", "rule_unfit:public.t.d", "rule_unfit:public.t.e"}},
		{name: "a check on the form",
			situation: situation{ddl: `create table t (iban text check (iban ~ '^[A-Z]{2}\d{2}[A-Z0-9 ]+$'), ip text check (ip ~ '^[0-9.]+$'), n int check (n % 10 ` +
				`= 0), c text check (c ~ '^\d+$'))`,
				rules: rules(t, "public.t.iban iban", "public.t.ip ip", "public.t.n number bucket=10", "public.t.c card")}},
		{name: "a check that a bucket does not meet",
			situation: situation{ddl: "create table t (n int check (n > 0))", rules: rules(t, "public.t.n number bucket=10")},
			want:      []string{"rule_unfit:public.t.n"}},
		{name: "shifted by nobody",
			situation: situation{ddl: "create table t (born date, g int generated always as (1) stored)",
				rules: rules(t, "public.t.born date_shift by=nobody")}, want: []string{"rule_unfit:public.t.born"}, says: "no column of public.t"},
		{name: "shifted by a generated column",
			situation: situation{ddl: "create table t (born date, g int generated always as (1) stored)", rules: rules(t, "public.t.born date_shift by=g")},
			want:      []string{"rule_unfit:public.t.born"}},
		{name: "an enum's label",
			situation: situation{ddl: "create type mood as enum ('sad', 'ok'); create table t (m mood, n mood, o mood)",
				rules: rules(t, "public.t.m constant value=ok", "public.t.n constant value=glad", "public.t.o text")},
			want: []string{"rule_unfit:public.t.n", "rule_unfit:public.t.o"}},
		{name: "an identity column", situation: situation{ddl: "create table t (id int generated always as identity)", rules: rules(t, "public.t.id set_null")},
			want: []string{"rule_unfit:public.t.id"}},
		{name: "by type", situation: situation{ddl: "create domain mail as text; create table t (a inet, b mail, c mail[], d text, born date)",
			rules: rules(t, "*.*.* ip type=inet", "*.*.* email type=public.mail", "public.t.c email each type=mail", "public.t.born preserve")}},
		{name: "by a type that is narrower",
			situation: situation{ddl: "create table t (a inet, b inet)",
				rules: rules(t, "public.t.* preserve", "public.t.* ip type=inet", "public.t.b preserve")}, want: []string{"rule_unfit:public.t.b"},
			says: "public.t.* of type inet"},
		{name: "by a type that nothing is of",
			situation: situation{ddl: "create table t (a int)",
				rules: rules(t, "*.*.* ip type=inet", "*.*.* ip type=public.int4", "*.*.* preserve type=pg_catalog.int4")},
			want: []string{"rule_unmet:*.*.* of type inet", "rule_unmet:*.*.* of type public.int4"}},
		{name: "fields",
			situation: situation{ddl: pairDDL,
				rules: []spec.Rule{fieldsRule(t, "public.t.who", "full_name name", "home.street street", "home.zip postcode", "phones preserve")}}},
		{name: "fields that nobody named", situation: situation{ddl: pairDDL, rules: []spec.Rule{fieldsRule(t, "public.t.who", "home.zip postcode")}},
			want: []string{"unmatched:public.t.who.full_name", "unmatched:public.t.who.home.street", "unmatched:public.t.who.phones"},
			says: "{field: full_name, transform: name}"},
		{name: "fields that are none",
			situation: situation{ddl: pairDDL, rules: []spec.Rule{fieldsRule(t, "public.t.who", "full_name name", "home preserve", "nope text")}},
			want:      []string{"rule_unfit:public.t.who"}, says: "has no field nope"},
		{name: "a field that cannot",
			situation: situation{ddl: pairDDL, rules: []spec.Rule{fieldsRule(t, "public.t.who", "full_name name", "home.zip hash", "home.street text")}},
			want:      []string{"rule_unfit:public.t.who"}, says: "home.zip, which holds 10 characters"},
		{name: "a field's array",
			situation: situation{ddl: pairDDL, rules: []spec.Rule{fieldsRule(t, "public.t.who", "full_name name", "home text", "phones phone")}},
			want:      []string{"rule_unfit:public.t.who"}, says: "cannot write"},
		{name: "fields of a text", situation: situation{ddl: "create table t (a text)", rules: []spec.Rule{fieldsRule(t, "public.t.a", "name name")}},
			want: []string{"rule_unfit:public.t.a"}, says: "has no fields"},
		{name: "ranges",
			situation: situation{ddl: "create table t (a daterange, b int4range, c tstzmultirange, d int4range check (lower(d) > 50))",
				rules: rules(t, "public.t.a date_shift", "public.t.b number", "public.t.c truncate to=day", "public.t.d number")},
			want: []string{"rule_unfit:public.t.d"}},
		{name: "recomputed",
			situation: situation{ddl: "create table t (full_name text, v tsvector not null, w tsvector)",
				rules: append(rules(t, "public.t.full_name name"), recomputeRule(t, "public.t.v", "to_tsvector('simple', full_name) -- all"),
					recomputeRule(t, "public.t.w", "v"))}},
		{name: "recomputed from nothing",
			situation: situation{ddl: "create table t (v tsvector)", rules: []spec.Rule{recomputeRule(t, "public.t.v", "to_tsvector('simple', nope)")}},
			want:      []string{"rule_unfit:public.t.v"}, says: "cannot be computed by its expression: column"},
		{name: "recomputed of another type", situation: situation{ddl: "create table t (v tsvector)", rules: []spec.Rule{recomputeRule(t, "public.t.v", "1")}},
			want: []string{"rule_unfit:public.t.v"}},
		{name: "recomputed that is never empty",
			situation: situation{ddl: "create table t (n int not null)", rules: []spec.Rule{recomputeRule(t, "public.t.n", "1")}},
			want:      []string{"rule_unfit:public.t.n"}, says: "neither null nor empty"},
		{name: "a key recomputed",
			situation: situation{ddl: "create table t (v text)", definitions: []string{"CREATE UNIQUE INDEX u ON public.t USING btree (v);"},
				rules: []spec.Rule{recomputeRule(t, "public.t.v", "'x'")}}, want: []string{"rule_unfit:public.t.v"}},
		{name: "half of MATCH FULL",
			situation: situation{ddl: "create table a (x int, y int); create table b (x int, y int)",
				definitions: []string{"ALTER TABLE ONLY public.b ADD CONSTRAINT f FOREIGN KEY (x, y) REFERENCES public.a(x, y) MATCH FULL ON DELETE CASCADE;"},
				rules:       rules(t, "public.b.x set_null")}, want: []string{"rule_unfit:public.b.f"}, says: "MATCH FULL"},
		{name: "half of a simple one",
			situation: situation{ddl: "create table a (x int, y int); create table b (x int, y int)",
				definitions: []string{"ALTER TABLE ONLY public.b ADD CONSTRAINT f FOREIGN KEY (x, y) REFERENCES public.a(x, y);"},
				rules:       rules(t, "public.b.x set_null")}},
		{name: "half of a composite key linked",
			situation: situation{ddl: "create table a (x text, y text); create table b (x text, y text)",
				definitions: []string{"ALTER TABLE ONLY public.b ADD CONSTRAINT f FOREIGN KEY (x, y) REFERENCES public.a(x, y);"},
				rules:       rules(t, "public.*.x hash link=x", "public.a.y hash link=y")}, want: []string{"rule_unfit:public.b.f"}},
		{name: "a self reference, one side",
			situation: situation{ddl: "create table a (id uuid, parent uuid)",
				definitions: []string{"ALTER TABLE ONLY public.a ADD CONSTRAINT f FOREIGN KEY (parent) REFERENCES public.a(id);"},
				rules:       rules(t, "public.a.id uuid")}, want: []string{"rule_unfit:public.a.f"}},
		{name: "dates that persons move",
			situation: situation{ddl: "create table a (d date, p int); create table b (d date, p int)",
				definitions: []string{"ALTER TABLE ONLY public.b ADD CONSTRAINT f FOREIGN KEY (d) REFERENCES public.a(d);"},
				rules:       rules(t, "public.*.d date_shift by=p link=p")}, want: []string{"rule_unfit:public.b.f"}},
		{name: "paths",
			situation: situation{ddl: "create table t (doc jsonb, old json, docs jsonb[])",
				rules: []spec.Rule{jsonRule(t, "public.t.doc", "$.a email"), jsonRule(t, "public.t.old", "$.a preserve"),
					each(jsonRule(t, "public.t.docs", "$.a number"))}}},
		{name: "paths in no document",
			situation: situation{ddl: "create table t (a text, b point, c jsonb[])",
				rules: []spec.Rule{jsonRule(t, "public.t.a", "$.a email"), jsonRule(t, "public.t.b", "$.a email"), jsonRule(t, "public.t.c", "$.a email")}},
			want: []string{"rule_unfit:public.t.a", "rule_unfit:public.t.b", "rule_unfit:public.t.c"}},
		{name: "paths in a key",
			situation: situation{ddl: "create table t (doc jsonb)", definitions: []string{"CREATE UNIQUE INDEX u ON public.t USING btree (doc);"},
				rules: []spec.Rule{jsonRule(t, "public.t.doc", "$.a email")}}, want: []string{"rule_unfit:public.t.doc"}},
		{name: "paths in a double-byte encoding",
			situation: situation{ddl: "create table t (doc jsonb)", encoding: "SJIS", rules: []spec.Rule{jsonRule(t, "public.t.doc", "$.a email")}},
			want:      []string{"rule_unfit:public.t.doc"}},
		{name: "paths in what is generated",
			situation: situation{ddl: "create table t (a jsonb, doc jsonb generated always as (a) stored)",
				rules: []spec.Rule{jsonRule(t, "public.t.a", "$.a email"), jsonRule(t, "public.t.doc", "$.a email")}},
			want: []string{"rule_unfit:public.t.doc"}},
		{name: "paths in what decides the partition",
			situation: situation{ddl: "create table t (doc jsonb) partition by list ((doc ->> 'kind')); create table t_a partition of t for values in ('a')",
				rules: []spec.Rule{jsonRule(t, "public.t.doc", "$.kind text")}},
			want: []string{"rule_unfit:public.t.doc"}, says: "decides which partition"},
		{name: "a key that decides the partition too, for which no other transform is advised",
			situation: situation{ddl: "create table t (id text) partition by list (id); create table t_a partition of t for values in ('a')",
				definitions: []string{"ALTER TABLE ONLY public.t ADD CONSTRAINT t_pkey PRIMARY KEY (id);"}, rules: rules(t, "public.t.id name")},
			want: []string{"rule_unfit:public.t.id"}, says: "decides which partition of public.t a row belongs to"},
		{name: "a path to what the encoding cannot write",
			situation: situation{ddl: "create table t (doc jsonb)", encoding: "LATIN1",
				rules: []spec.Rule{jsonRule(t, "public.t.doc", "$.a constant value=€")}},
			want: []string{"rule_unfit:public.t.doc"}, says: "$.a gets a value that LATIN1"},
		{name: "a path that lacks what its transform needs",
			situation: situation{ddl: "create table t (doc jsonb, old json)",
				rules: []spec.Rule{jsonRule(t, "public.t.doc", "$.a constant"), jsonRule(t, "public.t.old", "$.a replace")}},
			want: []string{"rule_unfit:public.t.doc", "rule_unfit:public.t.old"}, says: "$.a has the transform constant without a value"},
		{name: "a path with an unknown transform",
			situation: situation{ddl: "create table t (doc jsonb)", rules: []spec.Rule{jsonRule(t, "public.t.doc", "$.a nope")}},
			want:      []string{"rule_unfit:public.t.doc"}, says: "$.a has the unknown transform"},
		{name: "a document's check that its paths keep",
			situation: situation{ddl: `create table t (doc jsonb check (jsonb_typeof(doc) = 'object' and doc ? 'email' and length(doc ->> 'email') < 60), old json ` +
				`check (old ->> 'kind' in ('a', 'b')))`,
				rules: []spec.Rule{jsonRule(t, "public.t.doc", "$.email email"), jsonRule(t, "public.t.old", "$.kind preserve", "$.email email")}}},
		{name: "a document's check that they break",
			situation: situation{ddl: `create table t (a jsonb check (a ? 'email' and length(a ->> 'email') < 20), b jsonb check (b ->> 'kind' in ('a', 'b')), c ` +
				`json check (c #>> '{x,y}' = 'z'), d jsonb check ((d -> 'age')::int > 17), e jsonb[] check (e[1] ->> 'n' is not null))`,
				rules: []spec.Rule{jsonRule(t, "public.t.a", "$.email email"), jsonRule(t, "public.t.b", "$.email email"),
					jsonRule(t, "public.t.c", "$.email email"), jsonRule(t, "public.t.d", "$.age hash"), each(jsonRule(t, "public.t.e", "$.n set_null"))}},
			want: []string{"rule_unfit:public.t.a", "rule_unfit:public.t.b", "rule_unfit:public.t.c", "rule_unfit:public.t.d", "rule_unfit:public.t.e"},
			says: "would refuse what its paths make: constraint t_a_check: not met"},
		{name: "a document's check that cannot be tried",
			situation: situation{ddl: `create table t (doc jsonb check (md5(doc::text) like 'abc%'))`,
				rules: []spec.Rule{jsonRule(t, "public.t.doc", "$.email email")}},
			want: []string{"rule_unfit:public.t.doc"}, says: "no sample value passes"},
		{name: "a domain of documents",
			situation: situation{ddl: `create domain profile as jsonb check (value ? 'email' and value ->> 'email' !~ 'invalid'); create table t (doc profile)`,
				rules: []spec.Rule{jsonRule(t, "public.t.doc", "$.email email")}},
			want: []string{"rule_unfit:public.t.doc"}, says: "profile_check"},
		{name: "a document under unmatched_paths: refuse",
			situation: situation{ddl: `create table t (doc jsonb check (doc ? 'email'))`,
				rules: []spec.Rule{refuseOthers(jsonRule(t, "public.t.doc", "$.email email"))}}},
		{name: "hstores' checks",
			situation: situation{ddl: `create extension hstore; create table t (a hstore check (a ? 'name'), b hstore check (b -> 'name' = 'Ada'), c hstore check ` +
				`(length(c -> 'name') < 10), d hstore check (exist(d, 'x') and d -> 'x' <> ''))`,
				rules: rules(t, "public.t.a text", "public.t.b text", "public.t.c hash", "public.t.d email")},
			want: []string{"rule_unfit:public.t.b", "rule_unfit:public.t.c"}},
		{name: "composites' checks",
			situation: situation{ddl: pairDDL +
				`; create table u (a home check ((a).zip ~ '^[0-9]{5}$'), b home check ((b).zip ~ '^[0-9]{5}$'), c home check ((c).zip ~ '^[0-9]{5}$' and (c).street ` +
				`<> ''), d home[] check ((d[1]).zip is not null))`,
				rules: []spec.Rule{fieldsRule(t, "public.t.who", "full_name name", "home preserve", "phones preserve"),
					fieldsRule(t, "public.u.a", "street street", "zip postcode"), fieldsRule(t, "public.u.b", "street street", "zip constant value=none"),
					fieldsRule(t, "public.u.c", "street set_null", "zip postcode"), each(fieldsRule(t, "public.u.d", "street street", "zip set_null"))}},
			want: []string{"rule_unfit:public.u.b", "rule_unfit:public.u.d"}, says: "would refuse what its fields become: constraint u_b_check"},
		{name: "an exclusion constraint kept",
			situation: situation{ddl: "create table t (room text, who text, during tstzrange)",
				definitions: []string{"ALTER TABLE ONLY public.t ADD CONSTRAINT e EXCLUDE USING gist (room WITH =, during WITH &&);"},
				rules:       rules(t, "public.t.room token", "public.t.who first_name", "public.t.during preserve")}},
		{name: "an exclusion constraint's range, document and composite",
			situation: situation{ddl: pairDDL + "; create table u (during tstzrange, doc jsonb, who home)",
				definitions: []string{"ALTER TABLE ONLY public.u ADD CONSTRAINT e EXCLUDE USING gist (during WITH &&, md5((doc)::text) WITH =, ((who).zip) " +
					"WITH =) WHERE (during IS NOT NULL);"},
				rules: []spec.Rule{oneRule(t, 1, "public.t.who preserve"), oneRule(t, 2, "public.u.during date_shift"), jsonRule(t, "public.u.doc", "$.a email"),
					fieldsRule(t, "public.u.who", "street street", "zip postcode")}},
			want: []string{"rule_unfit:public.u.doc", "rule_unfit:public.u.during", "rule_unfit:public.u.who"}, says: "is part of e"},
		{name: "an audit table",
			situation: situation{ddl: "create schema \"a.b\"; create extension hstore; create table \"a.b\".logged_actions (id int, row_data jsonb, " +
				"changed_fields hstore, query text); create table \"a.b\".versions (id int, object jsonb)", exclude: []string{`"a.b".versions`}},
			want: []string{"unmatched:a.b.logged_actions.changed_fields", "unmatched:a.b.logged_actions.row_data"}},
		{name: "a constant in a key, and in a pair",
			situation: situation{ddl: "create table t (a text, b text)",
				definitions: []string{"CREATE UNIQUE INDEX u ON public.t USING btree (a);", "CREATE UNIQUE INDEX v ON public.t USING btree (b, a);"},
				rules:       rules(t, "public.t.a constant value=x", "public.t.b constant value=x")},
			want: []string{"rule_unfit:public.t.a", "rule_unfit:public.t.b"}, says: "is part of u, v, and constant may make two values one"},
		{name: "uuid", situation: situation{ddl: "create table t (token uuid)", rules: rules(t, "public.t.token hash")}},
		{name: "unknown types",
			situation: situation{ddl: "create type pair as (a text, b text); create table t (x pair, y bytea, z xml, i inet, e tsvector, b box)"},
			want: []string{"unmatched:public.t.b", "unmatched:public.t.e", "unmatched:public.t.i", "unmatched:public.t.x", "unmatched:public.t.y",
				"unmatched:public.t.z"}},
		{name: "strange names", situation: situation{ddl: `create schema "a.b"; create table "a.b"."T""x" ("e-mail" text)`},
			want: []string{`unmatched:a.b.T"x.e-mail`}, says: `{column: '"a.b"."T""x".e-mail', transform: email}`},
		{name: "a hint that fits a short key",
			situation: situation{ddl: "create table t (token varchar(40), pin varchar(4), phone varchar(40), doc jsonb not null)",
				definitions: []string{"ALTER TABLE ONLY public.t ADD CONSTRAINT u UNIQUE (phone);"}},
			want: []string{"unmatched:public.t.doc", "unmatched:public.t.phone", "unmatched:public.t.pin", "unmatched:public.t.token"},
			says: "transform: token"},
		{name: "arrays in a double-byte encoding",
			situation: situation{ddl: "create table t (tags text[])", encoding: "SJIS", rules: rules(t, "public.t.tags text each")},
			want:      []string{"rule_unfit:public.t.tags"}},
		{name: "nulls not distinct",
			situation: situation{ddl: "create table t (email text)",
				definitions: []string{"ALTER TABLE ONLY public.t ADD CONSTRAINT u UNIQUE NULLS NOT DISTINCT (email);"},
				rules:       rules(t, "public.t.email set_null")}, want: []string{"rule_unfit:public.t.email"}},
		{name: "keep nowhere",
			situation: situation{ddl: people, rules: rules(t, quiet...),
				keep: []spec.Keep{{Table: spec.Name{Schema: "public", Table: "staff"}, Match: map[string]string{"email": "*"}}}},
			want: []string{"rule_unmet:keep:public.staff"}},
		{name: "keep sets what a check refuses",
			situation: situation{ddl: people, rules: rules(t, quiet...), keep: []spec.Keep{{Table: spec.Name{Schema: "public", Table: "users"},
				Match: map[string]string{"email": "*@x", "gone": "x"}, Set: map[string]string{"status": "boss", "shout": "X", "nope": ""}}}},
			want: []string{"rule_unfit:keep:public.users.nope", "rule_unfit:keep:public.users.shout", "rule_unfit:keep:public.users.status",
				"rule_unmet:keep:public.users.gone"}},
		{name: "keep breaks a reference",
			situation: situation{ddl: people, definitions: peopleKeys,
				rules: rules(t, append(quiet[1:6], "public.users.email email link=e", "public.orders.user_email email link=e")...),
				keep:  []spec.Keep{{Table: spec.Name{Schema: "public", Table: "users"}, Match: map[string]string{"code": "x"}}}},
			want: []string{"rule_unfit:keep:public.users.email"}},
		{name: "keep by value keeps it",
			situation: situation{ddl: people, definitions: peopleKeys,
				rules: rules(t, append(quiet[1:6], "public.users.email email link=e", "public.orders.user_email email link=e")...),
				keep: []spec.Keep{{Table: spec.Name{Schema: "public", Table: "users"}, Match: map[string]string{"email": "*@ourco.example"},
					Set: map[string]string{"status": "old"}}}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, checks := tt.planOn(t, conn)
			want := append([]string{}, tt.want...)
			if diff := cmp.Diff(want, ids(checks)); diff != "" {
				t.Errorf("%s\n%+v", diff, checks)
			}
			for _, c := range checks {
				if c.Outcome != verdict.Error || c.Stage != verdict.StageScrub || c.Hint == "" || !strings.Contains(c.Message, "drills/shop.yaml") {
					t.Errorf("not for the person at 3 a.m.: %+v", c)
				}
			}
			if tt.says != "" && (len(checks) == 0 || !strings.Contains(checks[0].Message+checks[0].Hint, tt.says)) {
				t.Errorf("%q is not said: %+v", tt.says, checks)
			}
			if p == nil {
				t.Error("no plan")
			}
		})
	}
}

// What the hints propose is accepted, every line of it.
func TestMendsHint(t *testing.T) {
	t.Parallel()
	conn := pgtest.DB(t)
	s := situation{ddl: shop +
		`create table t (token varchar(40), pin varchar(4), phone varchar(40), doc jsonb, lat float8, dob text, born date, addresses varchar(9)[], email char(12))`,
		definitions: []string{"ALTER TABLE ONLY public.t ADD CONSTRAINT u UNIQUE (phone, pin);"}}
	_, checks := s.planOn(t, conn)
	s.rules = scrubtest.LoadRules(t, hints(t, checks)).Rules
	if len(s.rules) < 15 {
		t.Errorf("only %d lines proposed", len(s.rules))
	}
	if _, checks := s.planOn(t, conn); len(checks) > 0 {
		t.Errorf("%+v", checks)
	}
}

func TestHeaderOfNothing(t *testing.T) {
	t.Parallel()
	conn := pgtest.DB(t)
	restored, err := schema.Read(t.Context(), conn)
	if err != nil {
		t.Fatal(err)
	}
	_, checks, err := NewPlan(t.Context(), conn,
		Request{Schema: restored, File: "f", Headers: []Header{{1, copytext.Header{Schema: "public", Table: "gone", Columns: []string{"x"}}}}})
	if err != nil || len(checks) != 1 || checks[0].Code != verdict.CodeScrub {
		t.Errorf("%+v, %v", checks, err)
	}
	if _, _, err := NewPlan(t.Context(), conn, Request{Schema: restored, Rules: spec.Scrub{Key: []byte("short")}}); err == nil ||
		strings.Contains(err.Error(), "short:") {
		t.Errorf("a short key: %v", err)
	}
}

// Every definition of a real server is read for what it is.
func TestDefinitionsOfServer(t *testing.T) {
	t.Parallel()
	conn := pgtest.DB(t)
	_, err := conn.Exec(t.Context(), `create table "A b" (id int primary key, "e""x" text unique, r int4range, exclude using gist (r with &&));
		create table b (a int references "A b", x text, constraint w unique (a, x)); create unique index on b (lower(x)) where a > 0;`)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := conn.Query(t.Context(), `
		select format('ALTER TABLE ONLY %s ADD CONSTRAINT %I %s;', conrelid::regclass, conname, pg_get_constraintdef(oid)) from pg_constraint where conrelid >= 16384
		union all select pg_get_indexdef(indexrelid) || ';' from pg_index i where indrelid >= 16384 and not exists (select from pg_constraint c
			where c.conindid = i.indexrelid)
			and not exists (select from pg_class c where c.oid = indrelid and c.relkind = 't') order by 1`)
	if err != nil {
		t.Fatal(err)
	}
	sql, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range schema.ParseDefinitions(sql) {
		got = append(got, fmt.Sprintf("%s of %s: %q -> %s %q", d.Kind, d.Table.Table, d.Columns, d.References.Table, d.Referenced))
	}
	want := []string{
		`exclusion of A b: ["r" "with"] ->  []`, `primary key of A b: ["id"] ->  []`, `unique of A b: ["e\"x"] ->  []`,
		`foreign key of b: ["a"] -> A b ["id"]`, `unique of b: ["a" "x"] ->  []`, `unique of b: ["x"] ->  []`,
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s\n%s", diff, strings.Join(sql, "\n"))
	}
}

func TestGlob(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		pattern, s string
		want       bool
	}{
		{"a", "a", true}, {"a", "ab", false}, {"*", "", true}, {"a*b", "ab", true}, {"a*b", "a", false}, {"a*b*c", "axbxc", true}, {"a*a", "a", false},
		{"*b*", "abc", true}, {"**", "x", true}, {"*ab", "aab", true}, {"a*bc*c", "abc", false},
	} {
		if spec.Glob(tt.pattern, tt.s) != tt.want || leakscan.NewFoldedGlob(strings.ToUpper(tt.pattern)).Match([]byte(tt.s)) != tt.want {
			t.Errorf("%s of %s", tt.pattern, tt.s)
		}
	}
}
