package scrub

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"daybefore/internal/scrub/document"
	"daybefore/internal/scrub/transform"
	"daybefore/internal/verdict"
)

const asIsShop = `
	create type place as (label text, street text, spot text);
	create table films (id int, title text, stars text, code varchar(9), mixed text, email text, plain_doc jsonb, doc jsonb, open_doc jsonb,
		at place, tags text[], scan bytea, ssn text, ref uuid, born date, amount numeric, made text generated always as ('x') stored);
	create table parts (id int, label text) partition by list (id);
	create table parts_1 partition of parts for values in (1); create table parts_2 partition of parts for values in (2);`

const asIsRows = `
	insert into films select i, 'A film', (array['Ada','Anna','Peter','Maria'])[1 + i % 4] || ' ' || (array['Smith','Garcia','Schmidt','Jones','Brown',
			'Miller','Davis'])[1 + i % 7] || chr(65 + i % 26),
		'AB-' || i, case i % 3 when 0 then '' when 1 then '42' end, 'mail' || i || '@example.com', '{"a": 1}',
		jsonb_build_object('city', 'Bern', 'note', 'x', 'sold', 'call ada@example.com'), '{"k": "v"}', row('L', 'S 1', 'ask bob@example.com')::place,
		array['red', 'green'], '\x00ff', '078-05-1120', null, date '1990-01-01', 1
		from generate_series(1, 300) i;
	insert into films (id) values (301);
	insert into parts select 1 + i % 2, 'part' from generate_series(1, 10) i;`

func asIsSituation(t testing.TB) situation {
	doc := jsonRule(t, "public.films.doc", "$.city preserve", "$.note text", "$.sold preserve")
	open := jsonRule(t, "public.films.open_doc", "$.none preserve")
	open.Unmatched, open.Why = document.Keep, "settings"
	return situation{ddl: asIsShop, rules: append(rules(t, "public.films.email email", "public.films.stars preserve", "public.films.mixed preserve",
		"public.films.plain_doc preserve", "public.films.scan preserve", "public.films.ssn preserve", "public.films.born preserve",
		"public.films.amount preserve"),
		doc, open, fieldsRule(t, "public.films.at", "street text", "spot preserve"))}
}

// Whatever can hold text and stays is listed with its rows, the kinds of its
// values and who decided; what is personal and stays by a rule, by itself.
func TestPassedAndKept(t *testing.T) {
	t.Parallel()
	conn, p, checks := asIsSituation(t).plan(t)
	if len(checks) > 0 {
		t.Fatalf("%+v", checks)
	}
	if _, err := conn.Exec(t.Context(), asIsRows); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"films", "parts_1", "parts_2"} {
		through(t, conn, p, "public", table)
	}
	const why, nobody, ruled = "made for the test", verdict.DecidedByNobody, verdict.DecidedByRule
	is := func(column, typ string, rows int64, looks, by, why string) verdict.ScrubPassed {
		return verdict.ScrubPassed{Column: "public." + column, Type: typ, Rows: rows, LooksLike: strings.Fields(looks), DecidedBy: by, Why: why}
	}
	want := verdict.Scrub{Key: transform.KeyFingerprint(testKey),
		Passed: []verdict.ScrubPassed{
			is("films.title", "text", 301, "words", nobody, ""),
			is("films.stars", "text", 301, "words", ruled, why),
			is("films.code", "character varying(9)", 301, "codes", nobody, ""),
			is("films.mixed", "text", 301, "digits empty", ruled, why),
			is("films.plain_doc", "jsonb", 301, "documents", ruled, why),
			is("films.doc at $.city", "jsonb", 301, "words", ruled, why),
			is("films.doc at $.sold", "jsonb", 301, "texts", ruled, why),
			is("films.open_doc at what no path names", "jsonb", 301, "words", ruled, "settings"),
			is("films.open_doc at $.none", "jsonb", 301, "", ruled, why),
			is("films.at.label", "text", 301, "words", nobody, ""),
			is("films.at.spot", "text", 301, "texts", ruled, why),
			is("films.tags", "text[]", 301, "words", nobody, ""),
			is("films.scan", "bytea", 301, "bytes", ruled, why),
			is("films.ssn", "text", 301, "digits", ruled, why),
			is("parts.label", "text", 10, "words", nobody, ""),
		},
		Preserve: []verdict.ScrubPreserved{
			{Column: "public.films.stars", Why: why, LooksLike: "a person's name"},
			{Column: "public.films.plain_doc", Why: why, LooksLike: "of type jsonb, which can hold anything"},
			{Column: "public.films.doc at $.city", Why: why, LooksLike: "a city"},
			{Column: "public.films.doc at $.sold", Why: why, LooksLike: "an e-mail address (201 of 201 values looked at)"},
			{Column: "public.films.at.spot", Why: why, LooksLike: "an e-mail address (201 of 201 values looked at)"},
			{Column: "public.films.scan", Why: why, LooksLike: "of type bytea, which can hold anything"},
			{Column: "public.films.ssn", Why: why, LooksLike: "an official number"},
			{Column: "public.films.born", Why: why, LooksLike: "a date of birth"},
		},
	}
	got := p.Report()
	got.Columns = nil
	for i := range got.Passed {
		if len(got.Passed[i].LooksLike) == 0 {
			got.Passed[i].LooksLike = []string{}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// A table of which all passes is looked at in a sample, and no row of it
// changes.
func TestSightsOfWhatPassesWhole(t *testing.T) {
	t.Parallel()
	conn, p, _ := situation{ddl: "create table t (id int, remark text)", rules: rules(t, "public.t.remark preserve")}.plan(t)
	if _, err := conn.Exec(t.Context(), `insert into t select i, 'row ' || i || E'\t\\' from generate_series(1, 1000) i`); err != nil {
		t.Fatal(err)
	}
	if out := string(through(t, conn, p, "public", "t")); strings.Count(out, "\n") != 1000 || !strings.Contains(out, "\n999\trow 999\\t\\\\\n") {
		t.Errorf("the rows changed: %.100q", out)
	}
	first := p.rewriters[0].sights.fields[0]
	if got := first.Forms.Words(); len(got) != 1 || got[0] != "texts" || p.rewriters[0].row != 1000 {
		t.Errorf("%q of %d rows", got, p.rewriters[0].row)
	}
	if n := first.Forms[4]; n != sightFirst+12 {
		t.Errorf("%d values were looked at", n)
	}
	rewrite, err := p.Filter("public", "t", []string{"id", "remark"})
	if err != nil {
		t.Fatal(err)
	}
	const tooLong = "1\ta\tb" // the server judges it
	if out, err := rewrite(nil, []byte(tooLong)); err != nil || string(out) != tooLong {
		t.Errorf("%q, %v", out, err)
	}
}

// What a rule keeps is told with the rule's own why.
func TestKeptRowsSayWhy(t *testing.T) {
	t.Parallel()
	s := shopSituation(t)
	s.keep[0].Why = "our own people"
	_, p, _ := s.plan(t)
	if got := p.Report().Kept; len(got) != 1 || got[0].Why != "our own people" {
		t.Errorf("%+v", got)
	}
}
