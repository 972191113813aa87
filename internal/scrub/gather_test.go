package scrub

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"daybefore/internal/spec"
)

// What a rule takes out of a value of several parts is looked for part by part,
// since so it is copied: also where the value as a whole becomes null or
// another.
func TestPartsOfValuesAreSampled(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, typ, value string
		rule             func(t testing.TB) spec.Rule
		lost             string // what the rest of the test looks for; "" for "Real Person"
		none             bool   // it is not to be found
	}{
		{name: "hstore", typ: "hstore", value: `hstore('who', 'Real Person')`, rule: byRule("public.t.v text")},
		{name: "hstore to null", typ: "hstore", value: `hstore('who', 'Real Person')`, rule: byRule("public.t.v set_null")},
		{name: "composite", typ: "who", value: `row('Real Person', 1, null)`, rule: byFields("n text")},
		{name: "an hstore in a field", typ: "tagged", value: `row(hstore('who', 'Real Person'))`, rule: byFields("h text")},
		{name: "a field to null", typ: "who", value: `row('Real Person', 1, null)`, rule: byFields("n set_null")},
		{name: "a list in a field", typ: "who", value: `row('x', 1, array['y', 'Real Person'])`, rule: byFields("n text", "l set_null")},
		{name: "a field of a field", typ: "pair", value: `row(row('Real Person', 1, null), 2)`, rule: byFields("w.n text", "w.l preserve")},
		{name: "a field that passes", typ: "pair", value: `row(row('Real Person', 1, null), 2)`, rule: byFields("w preserve"), none: true},
		{name: "composites to null", typ: "who[]", value: `array[row('x', 1, array['Real Person', 'y'])::who]`, rule: byRule("public.t.v set_null")},
		{name: "array to null", typ: "text[]", value: `array['x', 'Real Person']`, rule: byRule("public.t.v set_null")},
		{name: "domain over an array to null", typ: "names", value: `array['x', 'Real Person']`, rule: byRule("public.t.v set_null")},
		{name: "document to null", typ: "jsonb", value: `'{"a": [1, {"n": "Real \u0050erson"}]}'`, rule: byRule("public.t.v set_null")},
		{name: "documents to null", typ: "json[]", value: `array['{"a": "\"", "n": "Real Person"}'::json]`, rule: byRule("public.t.v set_null")},
		{name: "a document's key", typ: "jsonb", value: `'{"Real Person": 1}'`, rule: byRule("public.t.v set_null")},
		{name: "a document's key that is a name", typ: "jsonb", value: `'{"real_person": 1}'`, rule: byRule("public.t.v set_null"), lost: "real_person",
			none: true},
		{name: "bytes to null", typ: "bytea", value: `convert_to('Real Person', 'UTF8')`, rule: byRule("public.t.v set_null")},
		{name: "hashed bytes", typ: "bytea", value: `convert_to('Real Person', 'UTF8')`, rule: byRule("public.t.v hash")},
		{name: "bytes as PostgreSQL 8 wrote them", typ: "bytea", value: `convert_to(E'\tReal\\Person', 'UTF8')); set bytea_output = 'escape'; select (1`,
			rule: byRule("public.t.v set_null"), lost: "\tReal\\Person"},
		{name: "no text in bytes", typ: "bytea", value: `'\xff00'`, rule: byRule("public.t.v set_null"), none: true},
		{name: "xml to null", typ: "xml", value: `'<p>Real Person</p>'`, rule: byRule("public.t.v set_null"), lost: "<p>Real Person</p>"},
		{name: "number", typ: "bigint", value: "4917112345678", rule: byRule("public.t.v number"), lost: "4917112345678", none: true},
		{name: "time", typ: "date", value: "'1984-05-06'", rule: byRule("public.t.v date_shift"), lost: "1984-05-06", none: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			lost := tt.lost
			if lost == "" {
				lost = "Real Person"
			}
			s := situation{
				ddl: `create extension hstore; create type who as (n text, i int, l text[]); create type pair as (w who, i int); create type tagged as (h hstore);
					create domain names as text[];
					create table t (id int, v ` + tt.typ + `); create table plain (id int, tag text)`,
				rules: []spec.Rule{tt.rule(t)}, scan: spec.LeakScan{SourceOverlap: 100}}
			_, found := aftermathOf(t, s, "insert into t values (1, "+tt.value+")", "set bytea_output = 'hex'; insert into plain values (1, 'seen: "+lost+".')",
				"t")
			want := []string{"leak:public.plain.tag: a real value of public.t.v (1 time)"}
			if tt.none {
				want = []string{}
			}
			if diff := cmp.Diff(want, reds(found)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func byRule(line string) func(testing.TB) spec.Rule {
	return func(t testing.TB) spec.Rule { return oneRule(t, 1, line) }
}

func byFields(entries ...string) func(testing.TB) spec.Rule {
	return func(t testing.TB) spec.Rule { return fieldsRule(t, "public.t.v", entries...) }
}
