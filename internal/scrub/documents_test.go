package scrub

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/maphash"
	"strings"
	"testing"

	"daybefore/internal/copytext"
	"daybefore/internal/detect"
	"daybefore/internal/scrub/document"
	"daybefore/internal/scrub/schema"
	"daybefore/internal/scrub/scrubtest"
	"daybefore/internal/scrub/transform"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

var jsonRule = scrubtest.JSONRule

func refuseOthers(r spec.Rule) spec.Rule {
	r.Unmatched = document.Refuse
	return r
}

func each(r spec.Rule) spec.Rule {
	r.Each = true
	return r
}

// documentCell rewrites the documents of a column without a server.
func documentCell(t testing.TB, scanner detect.Scanner, unmatched string, entries ...string) *cell {
	t.Helper()
	p := &planner{Plan: &Plan{scanner: scanner, seed: maphash.MakeSeed()}, links: map[string]transform.Normal{}}
	p.encoding, _ = copytext.EncodingOf("UTF8")
	r := jsonRule(t, "a.b.doc", entries...)
	r.Unmatched = unmatched
	c := &schema.Column{Table: &schema.Table{Name: schema.Name{Schema: "a", Table: "b"}}, Name: "doc"}
	return newCell(p.Plan, c, p.documentRecipe(c, &r), transform.NewMasker(testKey), p.encoding.NewDecoder())
}

// From COPY to COPY a document becomes what it becomes by itself, whether it or
// what is put in has to be escaped.
func TestDocumentsInCopyText(t *testing.T) {
	t.Parallel()
	for _, in := range []string{
		`{"s":"Ada"}`, `{"s":"x"}`, "{\n\t\"s\": 1}", `{"s":"\u0041d\u0061 \n\\\""}`, `["\b\f\t\/\\\"\u001F","\\"]`,
		`{"c":[]}`, `{"c":"\\"}`, `{"a\u0062":{"c":1}}`, `{"s":"“Ünï” 5"}`,
	} {
		for _, unmatched := range []string{document.Keep, document.Redact} {
			c := documentCell(t, detect.Scanner{}, unmatched, `$.s replace pattern=x with="`, `$.c constant value=it"s`)
			want, err := c.document.Append(nil, []byte(in))
			if err != nil {
				t.Fatal(err)
			}
			field, err := c.append(nil, copytext.AppendEscaped(nil, []byte(in)))
			if err != nil {
				t.Fatal(err)
			}
			got, err := copytext.ASCIISafe.AppendUnescaped(nil, field)
			if err != nil || string(got) != string(want) {
				t.Errorf("%s, %s: as COPY has it %s, by itself %s, %v", unmatched, in, got, want, err)
			}
		}
	}
}

// Documents go through the server's own types and back.
func TestDocumentsThroughServer(t *testing.T) {
	t.Parallel()
	s := situation{ddl: "create table t (id int, doc jsonb, old json, docs jsonb[], plain json, email text); create table empty_t (doc jsonb)",
		rules: []spec.Rule{
			jsonRule(t, "public.t.doc", "$.contacts[*].email email link=p", "$.ssn set_null", "$.total number", "$.id preserve"),
			jsonRule(t, "public.t.old", "$..email email link=p", "$.nowhere text", "$.email[0] text"), each(jsonRule(t, "public.t.docs", "$.name name")),
			jsonRule(t, "public.t.plain", "$ preserve"),
			jsonRule(t, "public.empty_t.doc", "$.a text"), oneRule(t, 9, "public.t.email email link=p"),
		}}
	conn, p, checks := s.plan(t)
	if len(checks) > 0 {
		t.Fatalf("%+v", checks)
	}
	_, err := conn.Exec(t.Context(),
		`insert into t select i, case when i % 5 > 0 then jsonb_build_object('contacts', jsonb_build_array(jsonb_build_object('email', 'user' || i
			|| '@example.com', 'name', E'tab\t"\\' || i), 7), 'ssn', '123-45-' || i,
			'total', i * 1.10, 'id', 12345678901234567890.123456789, 'note', 'Real ' || i) end,
		('{"email" : "user' || i || '@example.com", "email":"x", "n":1.00}')::json, array['{"name": "Real Name"}', null, '{}']::jsonb[], '{"a":1.0,  "a":2}',
			'user' || i || '@example.com' from generate_series(1, 100) i;
		create table before as table t`)
	if err != nil {
		t.Fatal(err)
	}
	reload(t, conn, p, "public", "t")
	through(t, conn, p, "public", "empty_t")
	for what, sql := range map[string]string{
		"links hold within documents": "select bool_and(doc #>> '{contacts,0,email}' = email and old::jsonb ->> 'email' <> email and old::text like " +
			"'{\"email\" : \"' || email || '\"%') from t where doc is not null",
		"nulls stay": "select count(*) = 20 from t where doc is null",
		"gone":       "select bool_and(doc -> 'ssn' = 'null' and doc ->> 'note' !~ 'Real') from t where doc is not null",
		"numbers keep their digits": "select bool_and(doc ->> 'id' = '12345678901234567890.123456789' and scale((doc ->> 'total')::numeric) = 2) " +
			"from t where doc is not null",
		"numbers are near": "select bool_and(abs((t.doc ->> 'total')::numeric - (b.doc ->> 'total')::numeric) <= 0.1 * (b.doc ->> " +
			"'total')::numeric + 0.01) from t join before b using (id) where t.doc is not null",
		"arrays of documents": "select bool_and(docs[1] ->> 'name' like '% %' and docs[1] ->> 'name' <> 'Real Name' and docs[2] is " +
			"null and docs[3] = '{}') from t",
		"preserved to the byte": "select bool_and(plain::text = '{\"a\":1.0,  \"a\":2}') from t",
	} {
		if !valueOf[bool](t, conn, sql) {
			t.Errorf("not so: %s", what)
		}
	}
	for _, c := range p.Checks() {
		if unmet := c.ID == "scrub:public.t.old"; unmet != (c.Outcome == verdict.Error) || unmet &&
			(c.Code != verdict.CodeRuleUnmet || !strings.Contains(c.Message, "drills/shop.yaml:3:7: none of 100 documents holds $.nowhere, $.email[0]")) {
			t.Errorf("%+v", c)
		}
	}
}

// A value that keep leaves as it is stays within documents too, under its link
// alone; and what a column then holds of real values may not be shown.
func TestKeepWithinDocuments(t *testing.T) {
	t.Parallel()
	s := situation{ddl: "create table users (email text); create table t (doc jsonb, other jsonb)",
		keep: []spec.Keep{{Table: spec.Name{Schema: "public", Table: "users"}, Match: map[string]string{"email": "*@ourco.example"}}},
		rules: []spec.Rule{oneRule(t, 1, "public.users.email email link=p"), jsonRule(t, "public.t.doc", "$.by email link=p", "$.to email"),
			jsonRule(t, "public.t.other", "$.by email")}}
	conn, p, checks := s.plan(t)
	if len(checks) > 0 {
		t.Fatalf("%+v", checks)
	}
	if _, err := conn.Exec(t.Context(),
		`insert into t select d, d from (values ('{"by": "Boss@ourco.example", "to": "boss@ourco.example"}'::jsonb)) v(d)`); err != nil {
		t.Fatal(err)
	}
	reload(t, conn, p, "public", "t")
	if !valueOf[bool](t, conn,
		`select doc ->> 'by' = 'Boss@ourco.example' and doc ->> 'to' like '%@example.invalid' and other ->> 'by' like '%@example.invalid' from t`) {
		t.Error("what keep leaves is rewritten, or more than that is left")
	}
	if p.Shown("public", "t", "doc") || !p.Shown("public", "t", "other") {
		t.Error("real values that keep leaves within documents may be shown")
	}
}

// A value that no path names ends the load, with its place and without itself.
func TestUnnamedValueEndsTheLoad(t *testing.T) {
	t.Parallel()
	r := jsonRule(t, "public.t.doc", "$.a text")
	r.Unmatched = document.Refuse
	_, p, checks := situation{ddl: "create table t (doc jsonb)", rules: []spec.Rule{r}}.plan(t)
	if len(checks) > 0 {
		t.Fatalf("%+v", checks)
	}
	rewrite, err := p.Filter("public", "t", []string{"doc"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = rewrite(nil, []byte(`{"b": {"c": "private"}}`))
	problem := verdict.AsProblem(err)
	if err == nil || problem.Code != verdict.CodeUnmatched || problem.Outcome != verdict.Error ||
		!strings.Contains(problem.Hint, "{path: $.b.c, transform: text}") || strings.Contains(err.Error()+problem.Hint, "private") {
		t.Errorf("%+v", problem)
	}
}

// order is a document as a shop keeps it, in the form that jsonb has: its three
// paths name a value each.
var order = benchmarkDocument{
	name: "order", paths: []string{"$.customer.email email", "$.customer.name name", "$.shipping.address.line1 street"},
	text: []byte(`{"id": "ord_01J9Z6T3QK", "test": false, "flags": ["gift", "no_invoice"], "items": [` +
		`{"qty": 2, "sku": "TS-4410-BLU-M", "title": "Organic cotton T-shirt, blue", "tax_rate": 0.2, "discounts": [], "unit_price": 24.90}, ` +
		`{"qty": 1, "sku": "BK-0021", "title": "Notebook, grid, 192 pages", "tax_rate": 0.1, "discounts": [{"code": "SPRING", "amount": 1.25}], "unit_price": ` +
		`12.50}, ` +
		`{"qty": 4, "sku": "MG-7710-WHT", "title": "Enamel mug “Café”", "tax_rate": 0.2, "discounts": [], "unit_price": 9.00}], ` +
		`"terms": "Please leave the parcel with the neighbor on the second floor.", "locale": "de-AT", "number": "2026-104711", "status": "paid", ` +
		`"totals": {"net": 80.42, "tax": 15.63, "gross": 96.05, "refunded": 0, "shipping": 4.90}, "channel": "web", ` +
		`"payment": {"captured": true, "provider": "stripe", "digits": "4242", "risk_score": 0.031}, "version": 7, "currency": "EUR", ` +
		`"customer": {"id": 88213, "name": "Frieda Lindqvist", "email": "frieda.lindqvist@example.com", "groups": ["retail", "returning"], "vat_id": null, ` +
		`"newsletter": true}, ` +
		`"shipping": {"method": "standard", "address": {"site": "Wien", "line1": "Am Heumarkt 27", "line2": null, "country": "AT", "district": "1030"}, ` +
		`"tracking": ["JJD000390007712345678"]}, ` +
		`"placed_at": "2026-03-14T09:26:53.589Z"}`),
}

// escaped is the order with a person and notes that JSON escapes, as json keeps
// them and jsonb does in part.
var escaped = benchmarkDocument{name: "escaped", paths: order.paths, text: []byte(strings.NewReplacer(
	"Frieda Lindqvist", `Frieda \"Fritzi\" Lindqvist`, "Am Heumarkt 27", `Caf\u00e9gasse 27`,
	"Please leave", `Please\n\"leave\"`, "Notebook,", `Notebook \\ block,`,
).Replace(string(order.text)))}

// contacts is a list of people: its three paths name 17 values.
func contacts() benchmarkDocument {
	var b bytes.Buffer
	b.WriteString(`{"id": 4711, "contacts": [`)
	for i := range 8 {
		fmt.Fprintf(&b, `{"email": "user%d@example.com", "name": "Some Name", "tags": ["a", "b", "c"], "score": %d.25},`, i, i)
	}
	b.WriteString(`{}], "settings": {"theme": "dark", "sizes": [1, 2, 3, 4, 5, 6], "hint": "` + strings.Repeat("words and more words ", 20) +
		`"}, "ssn": "123-45-6789"}`)
	return benchmarkDocument{name: "contacts", text: b.Bytes(), paths: []string{"$.contacts[*].email email", "$.ssn set_null", "$.contacts[*].name name"}}
}

type benchmarkDocument struct {
	name  string
	text  []byte
	paths []string
}

// field is the document as COPY text has it, and what rewrites that.
func (b benchmarkDocument) field(t testing.TB, unmatched string, scanner detect.Scanner) (*cell, []byte) {
	t.Helper()
	return documentCell(t, scanner, unmatched, b.paths...), copytext.AppendEscaped(nil, b.text)
}

func TestDocumentsAllocateNothing(t *testing.T) {
	for _, b := range []benchmarkDocument{order, escaped, contacts()} {
		for _, unmatched := range []string{document.Keep, document.Redact} {
			c, field := b.field(t, unmatched, detect.NewScanner(detect.All))
			var out []byte
			if allocs := testing.AllocsPerRun(100, func() { out, _ = c.append(out[:0], field) }); allocs > 0 {
				t.Errorf("%s, %s: %v allocations a document", b.name, unmatched, allocs)
			}
		}
	}
}

// BenchmarkDocument shows three paths, from COPY text to COPY text, beside a
// validation of the same document: the whole of what is asked of it is there.
func BenchmarkDocument(b *testing.B) { order.benchmark(b) }

// BenchmarkEscaped is the same where texts hold escapes.
func BenchmarkEscaped(b *testing.B) { escaped.benchmark(b) }

// BenchmarkContacts is the same where most of a document are people.
func BenchmarkContacts(b *testing.B) { contacts().benchmark(b) }

func (d benchmarkDocument) benchmark(b *testing.B) {
	b.Run("valid", func(b *testing.B) {
		b.SetBytes(int64(len(d.text)))
		for b.Loop() {
			if !json.Valid(d.text) {
				b.Fatal("not valid")
			}
		}
	})
	for _, run := range []struct {
		name, unmatched string
		scanner         detect.Scanner
	}{{document.Keep, document.Keep, detect.Scanner{}}, {document.Redact, document.Redact, detect.Scanner{}},
		{"watch", document.Keep, detect.NewScanner(detect.All)}} {
		b.Run(run.name, func(b *testing.B) {
			c, field := d.field(b, run.unmatched, run.scanner)
			b.SetBytes(int64(len(d.text)))
			b.ReportAllocs()
			var out []byte
			var err error
			for b.Loop() {
				out, err = c.append(out[:0], field)
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
