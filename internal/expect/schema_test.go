package expect

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

const structured = `
create role structured_owner;
create extension citext;
create schema app authorization structured_owner;
create type app.mood as enum ('hunter2', 'b'); create type app.pair as (a int, b text);
  create type app.spans as range (subtype = int);
create domain app.percent as numeric(5,2) default 7 not null check (value < 9.5);
create sequence app.numbers increment 5 cycle;
create table app.orders (id bigint generated always as identity primary key,
  code text collate "C" default 'hunter2' not null, n int default 4711, m int default 471,
  total app.percent, twice int generated always as (n * 2) stored, unique (code), check (code <> 'hunter2'),
    exclude using btree (n with =));
create table app.lines (order_id bigint references app.orders deferrable, at date);
create index lines_at on app.lines (at) where at > '2001-02-03';
create unlogged table app.split (at date) partition by range (at);
  create table app.split_1 partition of app.split for values from ('2026-01-01') to ('2027-01-01');
alter table app.orders owner to structured_owner; alter table app.orders enable row level security;
create policy mine on app.orders for select using (code = 'hunter2');
create function app.f(a int,
  b text default 'hunter2') returns int language plpgsql stable strict security definer as $$ begin return 4711; end $$;
create procedure app.p() language sql as $$ select 'hunter2' $$;
create aggregate app.biggest (int) (sfunc = int4larger, stype = int);
create function app.g() returns trigger language plpgsql as $$ begin return new; end $$;
create trigger t before insert on app.orders for each row
  when (new.code <> 'hunter2') execute function app.g('hunter2');
alter table app.orders disable trigger t;
create view app.v as select 'hunter2' as secret; create materialized view app.m as select 1 as one;
  create unique index m_one on app.m (one);
alter database structured set search_path = app;`

func testSchema(t *testing.T, s server) {
	connect := s.database(t, "structured", structured)
	take := func(t *testing.T, connect Connect, salt string) *spec.Structure {
		t.Helper()
		var taken *spec.Structure
		e := spec.Expectations{Timeout: time.Minute, Schema: &spec.Baseline{File: "b.json", Salt: salt}}
		got := Run(t.Context(), connect, e, Options{Structure: func(s *spec.Structure) { taken = s }})
		if len(got) != 1 || got[0].Outcome != verdict.Skipped || taken == nil {
			t.Fatalf("%+v", got)
		}
		return taken
	}
	baseline := take(t, connect, "salt")
	major := baseline.PostgreSQL
	t.Run("what is kept", func(t *testing.T) {
		for key, want := range map[string]string{
			"schema app":                               "",
			"extension citext":                         "",
			"table app.orders":                         "owner structured_owner, row security",
			"table app.split":                          "partitioned, unlogged, owner postgres: RANGE (at)",
			"column app.orders.id":                     "bigint, not null, identity always",
			"column app.orders.code":                   `text, not null, has a default, collation "C": '…'::text #`,
			"column app.orders.n":                      "integer, has a default: … #",
			"column app.orders.m":                      "integer, has a default: 471",
			"column app.orders.total":                  "app.percent",
			"column app.orders.twice":                  "integer, generated: (n * 2)",
			"constraint app.orders.orders_pkey":        "primary key: PRIMARY KEY (id)",
			"constraint app.orders.orders_code_key":    "unique: UNIQUE (code)",
			"constraint app.orders.orders_code_check":  "check: CHECK ((code <> '…'::text)) #",
			"constraint app.orders.orders_n_excl":      "exclusion: EXCLUDE USING btree (n WITH =)",
			"constraint app.lines.lines_order_id_fkey": "foreign key, deferrable: FOREIGN KEY (order_id) REFERENCES app.orders(id) DEFERRABLE",
			"constraint app.percent.percent_check":     "check: CHECK ((VALUE < 9.5))",
			"index app.lines.lines_at":                 "btree: CREATE INDEX lines_at ON app.lines USING btree (at) WHERE (at > '…'::date) #",
			"index app.m.m_one":                        "btree, unique: CREATE UNIQUE INDEX m_one ON app.m USING btree (one)",
			"trigger app.orders.t": "disabled: CREATE TRIGGER t BEFORE INSERT ON app.orders FOR EACH ROW WHEN ((new.code <> " +
				"'…'::text)) EXECUTE FUNCTION app.g('…') #",
			"policy app.orders.mine":                       "select: (code = '…'::text) #",
			"sequence app.numbers":                         "bigint, by 5, cycle",
			"sequence app.orders_id_seq":                   "bigint",
			"function app.f(a integer, b text)":            "returns integer, plpgsql, stable, strict, security definer #",
			"function app.p()":                             "procedure, sql #",
			"function app.biggest(integer)":                "aggregate, returns integer, internal, immutable #",
			"type app.mood":                                "enum, 2 labels #",
			"type app.pair":                                "composite (a integer, b text)",
			"type app.spans":                               "range of integer",
			"type app.percent":                             "domain over numeric(5,2), not null, has a default: 7",
			"view app.v":                                   "owner postgres: #",
			"materialized view app.m":                      "owner postgres: #",
			"column app.split_1.at":                        "(none)",
			"function public.citext(text)":                 "(none)",
			"type public.citext":                           "(none)",
			"function app.g()":                             "returns trigger, plpgsql #",
			"column app.lines.at":                          "date",
			"constraint app.orders.orders_code_check_none": "(none)",
		} {
			got := "(none)"
			if d := describe(baseline, key, true); d != nil {
				got = *d
			}
			if i := strings.IndexByte(got, '#'); i > 0 || strings.HasPrefix(got, "#") {
				got = got[:i+1]
			}
			if strings.HasPrefix(key, "function app.biggest") { // what stands for its body differs from major to major
				got = strings.TrimSuffix(strings.TrimSuffix(got, "#"), " ")
				want = strings.TrimSuffix(want, " #")
			}
			if got != want {
				t.Errorf("%s: got %q, want %q", key, got, want)
			}
		}
		text, err := baseline.JSON()
		if err != nil || strings.Contains(string(text), "hunter") || strings.Contains(string(text), "4711") || strings.Contains(string(text), "2001-02-03") {
			t.Errorf("a value is kept (%v):\n%s", err, text)
		}
		read, err := spec.ParseStructure(text)
		if diff := cmp.Diff(baseline, read); err != nil || diff != "" {
			t.Errorf("read back: %v\n%s", err, diff)
		}
		if other := take(t, connect, ""); other.Definitions["view app.v"] == baseline.Definitions["view app.v"] {
			t.Error("another salt gives the same fingerprints")
		}
	})
	all := func(severity string) spec.Baseline {
		return spec.Baseline{File: "b.json", OnAdded: severity, OnRemoved: severity, OnChanged: severity}
	}
	usual := spec.Baseline{File: "b.json", OnAdded: "warn", OnRemoved: "fail", OnChanged: "fail"}
	for _, test := range []struct {
		name, sql string
		b         spec.Baseline
		want      short
		lines     []string
	}{
		{"nothing", "", usual, short{"schema", "pass", "as in b.json", "43 objects", ""}, nil},
		{"a month's partition, and an extension's update", "create table app.split_2 partition of app.split for values from ('2027-01-01') to ('2028-01-01')",
			usual, short{"schema", "pass", "as in b.json", "43 objects", ""}, nil},
		{"a column added", "alter table app.lines add n numeric(9,2)", usual, short{"schema", "warn", "as in b.json", "1 added", ""},
			[]string{"+ column app.lines.n: numeric(9,2)"}},
		{"a column added, which is ignored", "alter table app.lines add n int", spec.Baseline{OnAdded: "ignore", OnRemoved: "fail", OnChanged: "fail"},
			short{"schema", "pass", "as in ", "44 objects", ""}, nil},
		{"a column removed", "alter table app.lines drop at", usual, short{"schema", "fail", "as in b.json", "2 removed", ""},
			[]string{"- column app.lines.at: date",
				"- index app.lines.lines_at: btree: CREATE INDEX lines_at ON app.lines USING btree (at) WHERE (at > '…'::date) #"}},
		{"a removal that warns", "drop index app.lines_at", all("warn"), short{"schema", "warn", "as in b.json", "1 removed", ""}, nil},
		{"a type changed", "alter table app.lines alter order_id type int", usual, short{"schema", "fail", "as in b.json", "1 changed", ""},
			[]string{"- column app.lines.order_id: bigint", "+ column app.lines.order_id: integer"}},
		{"a predicate changed", "drop index app.lines_at; create index lines_at on app.lines (at) where at is not null", usual,
			short{"schema", "fail", "as in b.json", "1 changed", ""},
			[]string{"- index app.lines.lines_at: btree: CREATE INDEX lines_at ON app.lines USING btree (at) WHERE (at > '…'::date) #",
				"+ index app.lines.lines_at: btree: CREATE INDEX lines_at ON app.lines USING btree (at) WHERE (at IS NOT NULL)"}},
		{"a value in a default", "alter table app.orders alter code set default 'hunter3'", usual, short{"schema", "fail", "as in b.json", "1 changed", ""},
			[]string{`- column app.orders.code: text, not null, has a default, collation "C": '…'::text #`,
				`+ column app.orders.code: text, not null, has a default, collation "C": '…'::text #`}},
		{"a function's body", "create or replace function app.g() returns trigger language plpgsql as $$ begin return null; end $$", usual,
			short{"schema", "fail", "as in b.json", "1 changed", ""},
			[]string{"- function app.g(): returns trigger, plpgsql #", "+ function app.g(): returns trigger, plpgsql #"}},
		{"a nullable column, an owner, a label",
			"alter table app.orders alter code drop not null; alter table app.lines owner to structured_owner; alter type app.mood add value 'c'", usual,
			short{"schema", "fail", "as in b.json", "3 changed", ""},
			[]string{"- table app.lines: owner postgres", "+ table app.lines: owner structured_owner", "- type app.mood: enum, 2 labels #",
				"+ type app.mood: enum, 3 labels #",
				`- column app.orders.code: text, not null, has a default, collation "C": '…'::text #`,
				`+ column app.orders.code: text, has a default, collation "C": '…'::text #`}},
		{"a table with all that is its own", "drop table app.lines; create table app.others (id int primary key)", usual,
			short{"schema", "fail", "as in b.json", "1 added, 1 removed", ""},
			[]string{"- table app.lines: owner postgres", "+ table app.others: owner postgres"}},
		{"a name that would write lines of its own", `create table app."x` + "\n" + `- table y" ()`, usual,
			short{"schema", "warn", "as in b.json", "1 added", ""}, []string{`+ table app."x·- table y": owner postgres`}},
		{"more than can be read", "do $$ begin for i in 1..60 loop execute format('create table app.t%s ()', i); end loop; end $$", usual,
			short{"schema", "warn", "as in b.json", "60 added", "… and 20 lines more"}, nil},
		{"more, which ends the list", "drop schema app cascade", usual, short{"schema", "fail", "as in b.json", "", "- schema app"}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			name := "structured_" + strings.Map(func(r rune) rune {
				if r < 'a' || r > 'z' {
					return '_'
				}
				return r
			}, test.name)
			s.Exec("postgres", "create database "+name+" template structured")
			s.Exec(name, test.sql)
			test.b.Structure = baseline
			got := Run(t.Context(), s.connect(t, name), spec.Expectations{Timeout: time.Minute, Schema: &test.b}, Options{})
			if test.want.Observed == "" {
				test.want.Observed = got[0].Observed
			}
			compare(t, []short{test.want}, got)
			_, list, _ := strings.Cut(got[0].Message, ":\n")
			lines := strings.Split(list, "\n")
			for i, l := range lines {
				if at := strings.Index(l, "#"); at > 0 {
					lines[i] = l[:at+1]
				}
			}
			slices.Sort(lines)
			slices.Sort(test.lines)
			if test.lines != nil && !slices.Equal(lines, test.lines) {
				t.Errorf("lines (-want +got):\n%s", cmp.Diff(test.lines, lines))
			}
			if strings.Contains(got[0].Message, "hunter") {
				t.Errorf("a value is told: %s", got[0].Message)
			}
		})
	}
	t.Run("another major version", func(t *testing.T) {
		was := *baseline
		was.PostgreSQL = major - 1
		was.Definitions = map[string]string{"view app.v": "#0"}
		b := usual
		b.Structure = &was
		got := Run(t.Context(), connect, spec.Expectations{Timeout: time.Minute, Schema: &b}, Options{})
		if got[0].Outcome != verdict.Pass || !strings.Contains(got[0].Observed, "definitions were not compared") {
			t.Errorf("%+v", got)
		}
	})
}
