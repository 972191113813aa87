package scrub

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"daybefore/internal/copytext"
	"daybefore/internal/detect"
	"daybefore/internal/scrub/document"
	"daybefore/internal/scrub/schema"
	"daybefore/internal/spec"
	"daybefore/internal/spec/reference"
	"daybefore/internal/verdict"
)

// A value that looks sensitive ends the load of a column that no rule names,
// in whatever it is written, and is told by place and never by itself.
func TestLeakEndsTheLoad(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, ddl, rows, place, what string
		scan                         spec.LeakScan
	}{
		{"text", "create table t (id int, tag text)", "insert into t values (1, 'x'), (2, 'ada@example.com')", "public.t.tag", "an e-mail address",
			spec.LeakScan{}},
		{"behind an escape", "create table t (id int, tag text)", `insert into t values (2, E'one\n4111111111111111\ttwo')`, "public.t.tag", "a card number",
			spec.LeakScan{}},
		{"array", "create table t (id int, tags varchar(40)[])", `insert into t values (2, array['a "b', 'ada@example.com'])`, "public.t.tags",
			"an e-mail address", spec.LeakScan{}},
		{"domain", "create domain d as varchar(40); create table t (id int, tag d)", "insert into t values (2, 'DE89 3704 0044 0532 0130 00')", "public.t.tag",
			"an IBAN", spec.LeakScan{}},
		{"bigint", "create table t (id int, ref bigint)", "insert into t values (2, 4111111111111111)", "public.t.ref", "a card number", spec.LeakScan{}},
		{"numeric", "create table t (id int, ref numeric)", "insert into t values (2, 4111111111111111)", "public.t.ref", "a card number", spec.LeakScan{}},
		{"partition", "create table t (id int, tag text) partition by range (id); create table t_1 partition of t for values from (0) to (9)",
			"insert into t values (2, '203.0.113.7')", "public.t.tag", "a network address", spec.LeakScan{}},
		{"some rows of all", "create table t (id int, tag text)", "insert into t select i, 'ada@example.com' from generate_series(1, 50) i", "public.t.tag",
			"an e-mail address", spec.LeakScan{Percent: 10}},
		{"one detector", "create table t (id int, tag text)", "insert into t values (1, 'ada@example.com'), (2, '4111111111111111')", "public.t.tag",
			"a card number", spec.LeakScan{Detectors: []string{"card"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := situation{ddl: tt.ddl, scan: tt.scan}
			conn, p, checks := s.plan(t)
			if len(checks) > 0 {
				t.Fatal(checks)
			}
			if _, err := conn.Exec(t.Context(), tt.rows); err != nil {
				t.Fatal(err)
			}
			var err error
			for _, table := range []string{"t", "t_1"} {
				if p.loaded[p.schema.ByName[schema.Name{Schema: "public", Table: table}]] != nil && err == nil {
					_, err = tryThrough(t, conn, p, "public", table)
				}
			}
			var problem *verdict.Problem
			if !errors.Is(err, ErrLeak) || !errors.As(err, &problem) || problem.Code != verdict.CodeUnmatched || problem.Outcome != verdict.Error {
				t.Fatalf("the load went on: %v", err)
			}
			found := p.Checks()
			observed := "1 value looked like " + tt.what
			if tt.scan.Percent > 0 {
				observed += ", in a sample of 10% of the rows"
			}
			if len(found) != 1 || found[0].ID != "unmatched:"+tt.place || found[0].Outcome != verdict.Error || found[0].Observed != observed ||
				found[0].Hint == "" {
				t.Errorf("%+v", found)
			}
			if said := fmt.Sprint(err, found); strings.Contains(said, "example.com") || strings.Contains(said, "4111") {
				t.Errorf("a value is told: %s", said)
			}
		})
	}
}

// What a rule lets pass within a value, without naming it, is looked at like a
// column that no rule names; and each place is told with its own hint.
func TestLeakWithin(t *testing.T) {
	t.Parallel()
	const home = "create type place as (label text, note text); create type home as (street text, note text, ref numeric, place place); "
	kept := func(r spec.Rule) spec.Rule {
		r.Unmatched, r.Why = document.Keep, "made for the test"
		return r
	}
	for _, tt := range []struct {
		name, ddl, value string
		rule             spec.Rule
		want             []string // place: hint
		scan             spec.LeakScan
	}{
		{"a member", "doc jsonb", `'{"a": "x", "b": {"c": ["ada@example.com"]}}'`, kept(jsonRule(t, "public.t.doc", "$.a text")),
			[]string{"doc at $.b: {path: $.b, transform: email}"}, spec.LeakScan{}},
		{"beside a path", "doc json", `'{"b": {"c": 1, "d": "ada\u0040example.com", "e": "4111 1111 1111 1111"}}'`,
			kept(jsonRule(t, "public.t.doc", "$.b.c number")),
			[]string{"doc at $.b.d: {path: $.b.d, transform: email}", "doc at $.b.e: {path: $.b.e, transform: card}"}, spec.LeakScan{}},
		{"a key", "doc jsonb", `'{"a": "x", "ada@example.com": true}'`, kept(jsonRule(t, "public.t.doc", "$.a text")),
			[]string{"doc at $ (a key): {path: '$', keys: true, transform: email}, or let unmatched_paths be redact"}, spec.LeakScan{}},
		{"a key, with the advice", "doc jsonb", `'{"a": "x", "ada@example.com": true}'`,
			kept(jsonRule(t, "public.t.doc", "$.a text", "$ email keys=true")), nil, spec.LeakScan{}},
		{"keys that tell", "doc jsonb", `'{"a": "x", "full_name": "Zq", "b": [{"street": "Zqweg 7"}], "zip": null, "theme": "dark"}'`,
			kept(jsonRule(t, "public.t.doc", "$.a text")),
			[]string{"doc at $..full_name: {path: $..full_name, transform: name}", "doc at $..street: {path: $..street, transform: street}"},
			spec.LeakScan{}},
		{"keys that tell, with no detector", "doc jsonb", `'{"a": "x", "full_name": "Zq"}'`, kept(jsonRule(t, "public.t.doc", "$.a text")),
			[]string{"doc at $..full_name: {path: $..full_name, transform: name}"}, spec.LeakScan{Detectors: []string{}}},
		{"keys that tell, preserved", "doc jsonb", `'{"a": "x", "full_name": "Zq"}'`,
			kept(jsonRule(t, "public.t.doc", "$.a text", "$..full_name preserve")), nil, spec.LeakScan{}},
		{"a key that tells and is no name", "doc jsonb", `'{"a": "x", "email_of_annazq": "y"}'`, kept(jsonRule(t, "public.t.doc", "$.a text")),
			[]string{"doc: let unmatched_paths be redact, or name such values by paths under json"}, spec.LeakScan{}},
		{"a key that a path names", "doc jsonb", `'{"ada@example.com": "x", "b": "y"}'`, kept(jsonRule(t, "public.t.doc", `$["ada@example.com"] text`)), nil,
			spec.LeakScan{}},
		{"in an array", "doc jsonb[]", `array['{}', '["+4915112345678"]']::jsonb[]`, each(kept(jsonRule(t, "public.t.doc", "$.a text"))),
			[]string{"doc at $[*]: {path: $[*], transform: phone}"}, spec.LeakScan{}},
		{"a named path", "doc jsonb", `'{"a": "ada@example.com", "b": "x"}'`, kept(jsonRule(t, "public.t.doc", "$.a preserve")), nil, spec.LeakScan{}},
		{"allowed", "doc jsonb", `'{"a": "boss@ourco.example"}'`, kept(jsonRule(t, "public.t.doc", "$.b text")), nil,
			spec.LeakScan{Allow: []*regexp.Regexp{regexp.MustCompile("@ourco")}}},
		{"redacted", "doc jsonb", `'{"a": "ada@example.com"}'`, jsonRule(t, "public.t.doc", "$.b text"), nil, spec.LeakScan{}},
		{"no detector", "doc jsonb", `'{"a": "ada@example.com"}'`, kept(jsonRule(t, "public.t.doc", "$.b text")), nil,
			spec.LeakScan{Detectors: []string{"iban"}}},
		{"a field", "doc home", `row('x', 'y', 4111111111111111, row('Berlin', 'ada@example.com'))`,
			fieldsRule(t, "public.t.doc", "street street", "note preserve", "place.note text", "place.label city"),
			[]string{"doc.ref: {field: ref, transform: card}"}, spec.LeakScan{}},
		{"every place of a row", "doc jsonb, docs jsonb[], who home, tag text",
			`'{"a": "ada@example.com", "b": "+4915112345678"}', array['"ada@example.com"', '{"c": "bob@example.com"}']::jsonb[], row('x', 'y', 4111111111111111, ` +
				`row('ada@example.com', 'x')), 'ada@example.com'`,
			kept(jsonRule(t, "public.t.doc", "$.x text", "$.a preserve")),
			[]string{"doc at $.b: {path: $.b, transform: phone}", "docs at $: {path: $, transform: email}", "docs at $.c: {path: $.c, transform: email}",
				"tag: add under scrub.rules or, if it holds nothing private, preserve: true and a why instead of the transform:\n- {column: " +
					"public.t.tag, transform: email}", "who.place.label: {field: place.label, transform: email}", "who.ref: {field: ref, transform: card}"},
			spec.LeakScan{}},
		{"a field within a field", "doc home[]", `array[null, row('x', 'y', 1, row('ada@example.com', 'x'))]::home[]`,
			each(fieldsRule(t, "public.t.doc", "street street", "note preserve", "place.note text")),
			[]string{"doc.place.label: {field: place.label, transform: email}"}, spec.LeakScan{}},
		{"an hstore's key", "doc hstore", `hstore('ada@example.com', 'x')`, oneRule(t, 1, "public.t.doc text"),
			[]string{"doc (a key): keys of an hstore stay: use set_null, or preserve it with a why"}, spec.LeakScan{}},
		{"a key of an hstore in a field", "doc tagged[]", `array[row(hstore('ada@example.com', 'x'))::tagged]`,
			each(fieldsRule(t, "public.t.doc", "tags text")), []string{"doc.tags (a key): keys of an hstore stay: use set_null, or preserve it with a why"},
			spec.LeakScan{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := situation{ddl: "create extension hstore; create type tagged as (tags hstore); " + home + "create table t (" + tt.ddl + ")",
				rules: []spec.Rule{tt.rule}, scan: tt.scan}
			if strings.Contains(tt.ddl, "who home") {
				s.rules = append(s.rules, each(kept(jsonRule(t, "public.t.docs", "$.x text"))),
					fieldsRule(t, "public.t.who", "street street", "note preserve", "place.note text"))
			}
			conn, p, checks := s.plan(t)
			if len(checks) > 0 {
				t.Fatalf("%+v", checks)
			}
			if _, err := conn.Exec(t.Context(), "insert into t values (null); insert into t values ("+tt.value+")"); err != nil {
				t.Fatal(err)
			}
			_, err := tryThrough(t, conn, p, "public", "t")
			if (len(tt.want) > 0) != errors.Is(err, ErrLeak) || err != nil && verdict.AsProblem(err).Code != verdict.CodeUnmatched {
				t.Fatalf("%v", err)
			}
			var got []string
			for _, c := range p.Checks() {
				if c.Code == verdict.CodeUnmatched && c.Outcome == verdict.Error {
					got = append(got,
						strings.TrimPrefix(c.ID, "unmatched:public.t.")+": "+
							strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(c.Hint, "add under json: - "), "add under fields: - "),
								", or preserve: true with a why"))
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			if said := fmt.Sprint(err, p.Checks()); strings.Contains(said, "example.com") || strings.Contains(said, "4111") {
				t.Errorf("a value is told: %s", said)
			}
		})
	}
}

// A kept row stays as it is where a rule would rewrite it, and is looked at
// like any other elsewhere.
func TestLeakInKeptRow(t *testing.T) {
	t.Parallel()
	for tag, leaks := range map[string]bool{"x": false, "ask ada@example.com": true} {
		s := situation{ddl: "create table t (email text, tag text)", rules: rules(t, "public.t.email email link=p"),
			keep: []spec.Keep{{Table: spec.Name{Schema: "public", Table: "t"}, Match: map[string]string{"email": "*@ourco.example"}}}}
		conn, p, checks := s.plan(t)
		if len(checks) > 0 {
			t.Fatalf("%+v", checks)
		}
		if _, err := conn.Exec(t.Context(), "insert into t values ('boss@ourco.example', $1)", tag); err != nil {
			t.Fatal(err)
		}
		if _, err := tryThrough(t, conn, p, "public", "t"); errors.Is(err, ErrLeak) != leaks || err != nil && !leaks {
			t.Errorf("%s: %v", tag, err)
		}
	}
}

// What no leak is, passes; and how much was looked at is told.
func TestNoLeak(t *testing.T) {
	t.Parallel()
	s := situation{
		ddl:         `create table t (id int, tag text, mail_to text, day timestamptz, ref bigint, small numeric(10,2), preserved_memo text)`,
		definitions: []string{"ALTER TABLE ONLY public.t ADD CONSTRAINT t_pkey PRIMARY KEY (ref);"},
		rules:       rules(t, "public.t.mail_to email", "public.t.preserved_memo preserve"),
		scan:        spec.LeakScan{Allow: []*regexp.Regexp{regexp.MustCompile(`@ourco\.example$`)}},
	}
	conn, p, checks := s.plan(t)
	if len(checks) > 0 {
		t.Fatal(checks)
	}
	if _, err := conn.Exec(t.Context(),
		`insert into t values (1, 'boss@ourco.example', 'ada@example.com', now(), 4111111111111111, 1.5, 'ada@example.com'), (2, null, null, null, 2, null, `+
			`null)`); err != nil {
		t.Fatal(err)
	}
	out := through(t, conn, p, "public", "t")
	if !bytes.Contains(out, []byte("boss@ourco.example")) || bytes.Count(out, []byte("ada@example.com")) != 1 {
		t.Errorf("%s", out)
	}
	if c := p.Checks()[0]; c.ID != "leak_scan" || c.Outcome != verdict.Pass || c.Observed != "0 of 2 values in 1 column" {
		t.Errorf("%+v", c)
	}
}

// Of documents too only so many are looked at as the drill file says, and it is
// told how many.
func TestShareOfDocuments(t *testing.T) {
	t.Parallel()
	for percent, want := range map[float64]string{0: "0 of 4 values in 1 column", 50: "0 of 2 values in 1 column, in a sample of 50% of the rows"} {
		doc := jsonRule(t, "public.t.doc", "$.a text")
		doc.Unmatched, doc.Why = document.Keep, "made for the test"
		conn, p, checks := situation{ddl: "create table t (doc jsonb)", rules: []spec.Rule{doc}, scan: spec.LeakScan{Percent: percent}}.plan(t)
		if len(checks) > 0 {
			t.Fatal(checks)
		}
		second := "bob"
		if percent > 0 { // this one is not looked at
			second = "bob@example.com"
		}
		if _, err := conn.Exec(t.Context(), `insert into t values ('{"b": "ada"}'), (jsonb_build_object('b', $1::text)), ('{"b": "eve"}'), ('{"b": "kim"}')`,
			second); err != nil {
			t.Fatal(err)
		}
		if _, err := tryThrough(t, conn, p, "public", "t"); err != nil {
			t.Error(err)
		}
		if c := p.Checks()[0]; c.ID != "leak_scan" || c.Observed != want {
			t.Errorf("%v percent: %+v", percent, c)
		}
	}
}

// The words of the drill file are the detectors' own.
func TestDetectorsAreNamed(t *testing.T) {
	t.Parallel()
	namespace, err := reference.Schema()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range detect.Names() {
		if !bytes.Contains(namespace, []byte(`"`+name+`"`)) {
			t.Errorf("no drill file can name the detector %s", name)
		}
	}
}

// cleanRows are rows of text without a hit, as a shop's tables have them.
func cleanRows() [][]byte {
	words := strings.Fields("the parcel arrived on Monday and its box was open so please send a new one to our office before the end of this week thanks a " +
		"lot kind regards from all of us")
	random := rand.New(rand.NewPCG(1, 2))
	var rows [][]byte
	for i := range 256 {
		var text []byte
		for len(text) < 120 {
			text = append(append(text, words[random.IntN(len(words))]...), ' ')
		}
		rows = append(rows,
			fmt.Appendf(nil, "%d\tshipped\thttps://example.com/p/%s/%d\t%s\t2026-03-04 03:15:00.12+00\tDE-%d\t%d\tt", i*7919, words[i%20], i*31, text, i%97,
				random.IntN(1e6)))
	}
	return rows
}

func cleanPlan(t testing.TB, scan spec.LeakScan) func(dst, row []byte) ([]byte, error) {
	columns := []string{"id", "state", "link", "lines", "day", "code", "points", "ok"}
	s := situation{ddl: "create table clean (id int, state text, link text, lines text, day timestamptz, code text, points int, ok bool)", scan: scan}
	_, p, checks := s.plan(t)
	if len(checks) > 0 {
		t.Fatal(checks)
	}
	rewrite, err := p.Filter("public", "clean", columns)
	if err != nil {
		t.Fatal(err)
	}
	return rewrite
}

// BenchmarkWatch: the detectors may cost as much as splitting and copying.
func BenchmarkWatch(b *testing.B) {
	rows := cleanRows()
	size := 0
	for _, r := range rows {
		size += len(r)
	}
	run := func(name string, f func(dst, row []byte) ([]byte, error)) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(size))
			b.ReportAllocs()
			var out []byte
			for b.Loop() {
				out = out[:0]
				for _, row := range rows {
					var err error
					out, err = f(out, row)
					if err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
	run("copied", func(dst, row []byte) ([]byte, error) {
		for f := copytext.Split(row); ; {
			field, ok := f.Next()
			if !ok {
				return dst, nil
			}
			dst = append(append(dst, field...), '\t')
		}
	})
	run("watched", cleanPlan(b, spec.LeakScan{}))
	run("tenth", cleanPlan(b, spec.LeakScan{Percent: 10}))
}

func TestWatchAllocatesNothing(t *testing.T) {
	rewrite := cleanPlan(t, spec.LeakScan{})
	rows := cleanRows()
	out := make([]byte, 0, 1<<20)
	n := testing.AllocsPerRun(20, func() {
		out = out[:0]
		for _, row := range rows {
			var err error
			out, err = rewrite(out, row)
			if err != nil {
				t.Fatal(err)
			}
		}
	})
	if n != 0 {
		t.Errorf("%v allocations in %d rows", n, len(rows))
	}
}
