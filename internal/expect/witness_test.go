package expect

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

func witnesses(body string) string {
	return "expectations:\n  timeout: 60s\n  witness:\n    - {name: log, url: 'file:///logs/log.jsonl', at: at, " + body + "}\n"
}

// plainly is how values are compared where nothing is scrubbed, and told.
func plainly(string, string, string) (Outside, error) {
	return Outside{Tell: func(value string) string { return value }}, nil
}

// hear runs the witness of a drill file against a record.
func (s server) hear(t *testing.T, connect Connect, block, text string, outside func(schema, table, column string) (Outside, error)) (verdict.Check,
	verdict.Witness) {
	t.Helper()
	var kept verdict.Witness
	got := Run(t.Context(), connect, drill(t, block).Expectations, Options{AsOf: asOf, TakenAt: asOf, Witnesses: Witnesses{
		Now: asOf.Add(3 * time.Hour), Outside: outside, Keep: func(w verdict.Witness) { kept = w },
		Open: func(context.Context, spec.Source, string) (io.ReadCloser, error) {
			return io.NopCloser(strings.NewReader(text)), nil
		},
	}})
	if len(got) != 1 {
		t.Fatalf("%d checks: %+v", len(got), got)
	}
	return got[0], kept
}

// record is a line; minutes are counted from the backup.
func record(id string, minutes int) string {
	return fmt.Sprintf("{\"id\": %s, \"at\": %q}\n", id, asOf.Add(time.Duration(minutes)*time.Minute).Format(time.RFC3339))
}

func testWitness(t *testing.T, s server) {
	connect := s.database(t, "witness", `
create table events (id bigint primary key, at timestamptz);
insert into events select i, now() from generate_series(1, 100) i;
create domain code as char(5);
create table parts (shop int, code code, ref uuid);
insert into parts values (1, 'a"\', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11');
create table secrets (mail text); insert into secrets values ('x7'), ('kept');
create table docs (doc json);
create view seen as select * from events`)
	all := ""
	for i := range 100 {
		all += record(fmt.Sprint(i+1), i-100)
	}
	const events, key = "table: public.events, key: {id: id}", "its records up to 2026-11-21 03:15 UTC in public.events, fail if > 0 missing"
	id := "witness:log"
	for name, c := range map[string]struct {
		block, text string
		want        short
		outside     func(schema, table, column string) (Outside, error)
	}{
		"all there": {block: events, text: all, want: short{id, verdict.Pass, key, "0 of 100 missing, 0 newer", ""}},
		"some newer": {block: events, text: all + record("4711", 1) + record("4712", 90),
			want: short{id, verdict.Pass, key, "0 of 100 missing, 2 newer", ""}},
		"missing": {block: events, text: all + record("4711", -60) + record("4712", -30),
			want: short{id, verdict.Fail, key, "2 of 102 missing, 0 newer",
				"public.events lacks 2 of the 102 records of the witness log, of 2026-11-21 02:15 UTC to 2026-11-21 02:45 UTC: line " +
					"101: id 4711; line 102: id 4712"}},
		"missing at the very moment": {block: events, text: record("0", 0),
			want: short{id, verdict.Fail, key, "1 of 1 missing, 0 newer", "line 1: id 0"}},
		"tolerated": {block: events + ", tolerance: 1m", text: record("0", 0) + record("7", -5),
			want: short{id, verdict.Pass, "its records up to 2026-11-21 03:14 UTC in public.events, fail if > 0 missing", "0 of 1 missing, 1 newer", ""}},
		"missing, and a warning": {block: events + ", warn_if: '> 0', fail_if: '> 1'", text: all + record("4711", -60),
			want: short{id, verdict.Warn, strings.Replace(key, "fail if > 0", "warn if > 0, fail if > 1", 1), "1 of 101 missing, 0 newer", "id 4711"}},
		"damaged": {block: events, text: all + "{\"id\": 7, \"at\"\n" + record(`"nobody's business"`, -5),
			want: short{id, verdict.Error, key, "2 unusable, 0 of 100 missing, 0 newer",
				"2 of the lines of the witness log cannot be used: line 101 is not a JSON object; line 102 holds a key that is no value of its column's type"}},
		"damaged and missing": {block: events, text: all + "{\n" + record("4711", -60),
			want: short{id, verdict.Fail, key, "1 of 101 missing, 0 newer", "1 of the lines of the witness log cannot be used: line 101 is not a JSON object"}},
		"another field": {block: events, text: strings.Repeat(record(`"nobody's business"`, -5), 200),
			want: short{id, verdict.Error, key, "", "more than 100 records hold a key that is no value of its column's type"}},
		"empty": {block: events, text: "", want: short{id, verdict.Error, key, "no record", "the witness log holds no record"}},
		"all newer": {block: events, text: record("4711", 1),
			want: short{id, verdict.Skipped, key, "0 of 0 missing, 1 newer", "no record of the witness log is as old as the backup, 1 are newer"}},
		"several columns, as the server reads them": {block: "table: public.parts, key: {shop: shop, code: code, ref: ref}",
			text: `{"shop": "01", "code": "a\"\\", "ref": "{A0EEBC999C0B4EF8BB6D6BB9BD380A11}", "at": "2026-11-21T03:00:00Z"}` + "\n" +
				`{"shop": 2, "code": "a\"\\", "ref": "{A0EEBC999C0B4EF8BB6D6BB9BD380A11}", "at": "2026-11-21T03:00:00Z"}`,
			want: short{id, verdict.Fail, strings.Replace(key, "events", "parts", 1), "1 of 2 missing, 0 newer", `line 2: code a"\`}},
		"scrubbed": {block: "table: public.secrets, key: {mail: id}", text: record(`"X"`, -5) + record(`"kept"`, -5) + record(`"lost"`, -5),
			outside: func(string, string, string) (Outside, error) {
				return Outside{Scrub: func(v string) (string, error) { return strings.ToLower(v) + "7", nil }, Keeps: true,
					Tell: func(string) string { return "c0ffee" }}, nil
			},
			want: short{id, verdict.Fail, strings.Replace(key, "events", "secrets", 1), "1 of 3 missing, 0 newer", "line 3: mail c0ffee"}},
		"not to be compared": {block: events, text: all,
			outside: func(string, string, string) (Outside, error) {
				return Outside{}, verdict.Errorf(verdict.CodeWitness, "hint", "it is scrubbed away")
			},
			want: short{id, verdict.Error, key, "", "it is scrubbed away"}},
		"no such column": {block: "table: public.events, key: {nope: id}", text: all,
			want: short{id, verdict.Error, key, "", "there is no column public.events.nope"}},
		"no such table": {block: "table: public.nope, key: {id: id}", text: all,
			want: short{id, verdict.Fail, strings.Replace(key, "events", "nope", 1), "missing",
				"public.nope (whose rows the witness log names) does not exist"}},
		"nothing is equal": {block: "table: public.docs, key: {doc: id}", text: record("7", -5),
			want: short{id, verdict.Error, strings.Replace(key, "events", "docs", 1), "", "operator does not exist: json pg_catalog.= json"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c.outside == nil {
				c.outside = plainly
			}
			got, kept := s.hear(t, connect, witnesses(c.block), c.text, c.outside)
			compare(t, []short{c.want}, []verdict.Check{got})
			if strings.Contains(got.Message+got.Hint+got.Observed, "business") {
				t.Errorf("it tells a value: %+v", got)
			}
			if kept.Found+kept.Missing != kept.Expected {
				t.Errorf("%+v", kept)
			}
		})
	}
	_, kept := s.hear(t, connect, witnesses(events), all+record("4711", -60)+record("4712", 1)+record("4713", 90), plainly)
	want := verdict.Witness{Name: "log", Table: "public.events", Until: asOf, Expected: 101, Found: 100, Missing: 1, MissingKeys: []string{"line 101: id 4711"},
		MissingFrom: asOf.Add(-time.Hour), MissingTo: asOf.Add(-time.Hour), Newer: 2, NewerFrom: asOf.Add(time.Minute), NewerTo: asOf.Add(90 * time.Minute)}
	if diff := cmp.Diff(want, kept); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// Many keys are asked for in batches, of which none is forgotten.
func testWitnessBatches(t *testing.T, s server) {
	const rows = 2*mostKeys + 7
	connect := s.database(t, "batches",
		fmt.Sprintf("create table events (id int); insert into events select i from generate_series(1, %d) i where i %% %d <> 0", rows, mostKeys))
	var b strings.Builder
	for i := range rows {
		b.WriteString(record(fmt.Sprint(i+1), -5))
	}
	got, kept := s.hear(t, connect, witnesses("table: public.events, key: {id: id}"), b.String(), plainly)
	if kept.Expected != rows || kept.Missing != 2 ||
		!strings.Contains(got.Message, fmt.Sprintf("line %d: id %d; line %d: id %d", mostKeys, mostKeys, 2*mostKeys, 2*mostKeys)) {
		t.Errorf("%+v, %+v", kept, got)
	}
}
