package scrub

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"daybefore/internal/detect"
	"daybefore/internal/scrub/document"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// doubtful may be an address and may be a version.
const doubtful = "see 11.22.33.44 there"

// One or two doubtful values of a column are a warning, with the line to add, and the
// load goes on; three, or one that is certain, end it.
func TestDoubt(t *testing.T) {
	t.Parallel()
	if h, _ := detect.NewScanner(detect.All).Find([]byte(doubtful)); h.Kind != detect.IP || h.Confidence != detect.Doubtful {
		t.Fatalf("%+v", h)
	}
	for _, tt := range []struct {
		name, rows, observed string
		ends                 bool
	}{
		{"one", "('" + doubtful + "'), ('x')", "1 value perhaps looked like a network address", false},
		{"two", "('" + doubtful + "'), ('" + doubtful + "')", "2 values perhaps looked like a network address", false},
		{"three", "('" + doubtful + "'), ('x'), ('" + doubtful + "'), ('" + doubtful + "')", "3 values perhaps looked like a network address", true},
		{"one certain", "('" + doubtful + "'), ('ada@example.com')", "1 value looked like an e-mail address, 1 value perhaps looked like a network address",
			true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			conn, p, checks := situation{ddl: "create table t (tag text)"}.plan(t)
			if len(checks) > 0 {
				t.Fatal(checks)
			}
			if _, err := conn.Exec(t.Context(), "insert into t values "+tt.rows); err != nil {
				t.Fatal(err)
			}
			out, err := tryThrough(t, conn, p, "public", "t")
			if errors.Is(err, ErrLeak) != tt.ends || !tt.ends && strings.Count(string(out), "11.22") == 0 {
				t.Fatalf("%q, %v", out, err)
			}
			want := verdict.Warn
			if tt.ends {
				want = verdict.Error
			}
			all := p.Checks()
			c := all[len(all)-1]
			if c.ID != "unmatched:public.t.tag" || c.Outcome != want || c.Observed != tt.observed || c.Code != verdict.CodeUnmatched ||
				!strings.Contains(c.Hint, "{column: public.t.tag, transform: ") || (want == verdict.Warn) != strings.Contains(c.Hint, "leak_scan.allow") {
				t.Errorf("%+v", c)
			}
			if tt.ends != (len(all) == 1) || tt.ends != p.Leaked() || strings.Contains(fmt.Sprint(all), "11.22") {
				t.Errorf("%+v", all)
			}
			if !tt.ends && !strings.HasSuffix(strings.SplitN(all[0].Observed, " of ", 2)[0], " doubtful") {
				t.Errorf("%+v", all[0])
			}
		})
	}
}

// Doubtful values count by the place within a document too, and in all blocks of a
// table together.
func TestDoubtWithin(t *testing.T) {
	t.Parallel()
	r := jsonRule(t, "public.t.doc", "$.a text")
	r.Unmatched, r.Why = document.Keep, "made for the test"
	conn, p, checks := situation{ddl: "create table t (doc jsonb)", rules: []spec.Rule{r}}.plan(t)
	if len(checks) > 0 {
		t.Fatal(checks)
	}
	if _, err := conn.Exec(t.Context(), `insert into t select jsonb_build_object('b', $1::text, 'c', 1)`, doubtful); err != nil {
		t.Fatal(err)
	}
	for block := range 3 {
		_, err := tryThrough(t, conn, p, "public", "t")
		if last := block == 2; errors.Is(err, ErrLeak) != last || p.Leaked() != last {
			t.Errorf("block %d: %v, %+v", block, err, p.Checks())
		}
	}
}

// What the server made is judged by the same measure.
func TestAftermathOfDoubt(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		after string
		want  verdict.Outcome
	}{
		{"comment on table t is '" + doubtful + "'", verdict.Warn},
		{"comment on table t is '" + doubtful + ", 11.22.33.45, 11.22.33.46'", verdict.Error},
		{"comment on table t is 'ask ada@example.com at 11.22.33.44'", verdict.Error},
		{"create materialized view v as select app_version from t", verdict.Pass},
		{"create materialized view v as select app_version as line from t", verdict.Warn},
	} {
		_, found := aftermathOf(t, situation{ddl: "create table t (tag text, app_version text)"}, "insert into t values ('x', '11.22.33.44')", tt.after, "t")
		for _, c := range found {
			if c.Outcome != tt.want || c.ID != "leak_scan:stored" && c.Hint == "" {
				t.Errorf("%s: %+v", tt.after, c)
			}
		}
		if wanted := 2; tt.want != verdict.Pass && len(found) != wanted || len(found) == 0 {
			t.Errorf("%s: %+v", tt.after, found)
		}
	}
}

// A column of people's names is found by its values, whatever it is called, and the
// line to add says name. Fewer than twenty, or other texts, are none.
func TestPeopleInValues(t *testing.T) {
	t.Parallel()
	const first = "(array['Ada','Anna','John','Mary','Peter','Laura'])[1 + i % 6]"
	const last = "(array['Smith','Miller','Garcia','Johnson','Brown','Wilson','Moore'])[1 + i % 7]"
	for _, tt := range []struct {
		name, column, value string
		rows                int
		found               bool
	}{
		{"full names", "text", first + " || ' ' || " + last, 42, true},
		{"comma lists", "varchar(60)", last + " || ', ' || " + first, 42, true},
		{"with titles", "text", "'Dr. ' || " + first + " || ' ' || " + last, 42, true},
		{"among others", "text", "case when i % 3 = 0 then 'order ' || i else " + first + " || ' ' || " + last + " end", 42, true},
		{"a few", "text", first + " || ' ' || " + last, 19, false},
		{"no names", "text", "'order ' || i", 42, false},
		{"half of them", "text", "case when i % 2 = 0 then 'order ' || i else " + first + " || ' ' || " + last + " end", 42, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			conn, p, checks := situation{ddl: "create table t (id int, ref " + tt.column + ")"}.plan(t)
			if len(checks) > 0 {
				t.Fatal(checks)
			}
			if _, err := conn.Exec(t.Context(), fmt.Sprintf("insert into t select i, %s from generate_series(1, %d) i", tt.value, tt.rows)); err != nil {
				t.Fatal(err)
			}
			if _, err := tryThrough(t, conn, p, "public", "t"); err != nil {
				t.Fatal(err)
			}
			all := p.Checks()
			if c := all[0]; p.Leaked() != tt.found || tt.found && (len(all) != 1 || c.ID != "unmatched:public.t.ref" || c.Outcome != verdict.Error ||
				!strings.Contains(c.Observed, " looked like a person's name") || !strings.Contains(c.Hint, "{column: public.t.ref, transform: name}")) {
				t.Errorf("%+v", all)
			}
			if again := p.Checks(); fmt.Sprint(again) != fmt.Sprint(all) {
				t.Errorf("asked again, the checks say %+v", again)
			}
		})
	}
}

// Names count wherever they stand: in arrays, in documents that a rule keeps, and in
// those of a column of texts. Few are a warning with the same line.
func TestPeopleWherever(t *testing.T) {
	t.Parallel()
	const name = "(array['Ada','Anna','John','Mary','Peter','Laura'])[1 + i % 6] || ' ' || " +
		"(array['Smith','Miller','Garcia','Johnson','Brown','Wilson','Moore'])[1 + i % 7]"
	const decomposed = "'Ju' || U&'\\0308' || 'rgen ' || (array['Smith','Miller','Garcia'])[1 + i % 3] || chr(97 + i % 26)"
	kept := jsonRule(t, "public.t.ref", "$.a text")
	kept.Unmatched, kept.Why = document.Keep, "made for the test"
	for _, tt := range []struct {
		name, column, value, place, fix string
		rows                            int
		want                            verdict.Outcome
	}{
		{"arrays", "text[]", "array['x', " + name + "]", "", "{column: public.t.ref, transform: name, each: true}", 42, verdict.Error},
		{"arrays of few", "text[]", "array[" + name + "]", "", "{column: public.t.ref, transform: name, each: true}", 5, verdict.Warn},
		{"arrays of words", "text[]", "array['x', 'order ' || i]", "", "", 42, verdict.Pass},
		{"few names", "text", name, "", "{column: public.t.ref, transform: name}", 5, verdict.Warn},
		{"two names", "text", name, "", "", 2, verdict.Pass},
		{"decomposed", "text", decomposed, "", "{column: public.t.ref, transform: name}", 60, verdict.Error},
		{"lists", "text", name + " || ', Ada Smith, ' || " + name, "", "{column: public.t.ref, transform: name}", 42, verdict.Error},
		{"a member", "jsonb", "jsonb_build_object('a', 'x', 'status', " + name + ")", " at $.status", "{path: '$.status', transform: name}", 42, verdict.Error},
		{"a member of few", "jsonb", "jsonb_build_object('status', " + name + ")", " at $.status", "{path: '$.status', transform: name}", 5, verdict.Warn},
		{"deep within", "jsonb", "jsonb_build_object('x', jsonb_build_object('status', array[" + name + "]))", " at $..status",
			"{path: '$..status', transform: name}", 42, verdict.Error},
		{"under a key that is not told", "jsonb", "jsonb_build_object('x', jsonb_build_object('zqzqzq', " + name + "))", " at $..*",
			"let unmatched_paths be redact", 42, verdict.Error},
		{"members of words", "jsonb", "jsonb_build_object('status', 'order ' || i)", "", "", 42, verdict.Pass},
		{"a document in a text", "text", "jsonb_build_object('status', " + name + ", 'n', i)::text", " at $..status",
			"{column: public.t.ref, transform: text}", 42, verdict.Error},
		{"an array in a text", "text", "jsonb_build_array(" + name + ")::text", " at $[*]", "{column: public.t.ref, transform: text}", 42, verdict.Error},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := situation{ddl: "create table t (id int, ref " + tt.column + ")"}
			if tt.column == "jsonb" {
				s.rules = []spec.Rule{kept}
			}
			conn, p, checks := s.plan(t)
			if len(checks) > 0 {
				t.Fatal(checks)
			}
			if _, err := conn.Exec(t.Context(), fmt.Sprintf("insert into t select i, %s from generate_series(1, %d) i", tt.value, tt.rows)); err != nil {
				t.Fatal(err)
			}
			if _, err := tryThrough(t, conn, p, "public", "t"); err != nil {
				t.Fatal(err)
			}
			var got []verdict.Check
			for _, c := range p.Checks() {
				if strings.HasPrefix(c.ID, "unmatched:public.t.ref") {
					got = append(got, c)
				}
			}
			switch {
			case tt.want == verdict.Pass && len(got) == 0 && !p.Leaked():
			case len(got) != 1 || got[0].Outcome != tt.want || got[0].ID != "unmatched:public.t.ref"+tt.place || !strings.Contains(got[0].Hint, tt.fix) ||
				p.Leaked() != (tt.want == verdict.Error):
				t.Errorf("%+v", got)
			}
		})
	}
}

// A rule, if only to let them pass, is a decision about a column of names.
func TestDecidedPeople(t *testing.T) {
	t.Parallel()
	conn, p, checks := situation{ddl: "create table t (ref text)", rules: rules(t, "public.t.ref preserve")}.plan(t)
	if len(checks) > 0 {
		t.Fatal(checks)
	}
	if _, err := conn.Exec(t.Context(), `insert into t select (array['Ada','Anna','John','Mary','Peter','Laura'])[1 + i % 6] || ' Smith' || chr(97 + i % 26)
		from generate_series(1, 60) i`); err != nil {
		t.Fatal(err)
	}
	if _, err := tryThrough(t, conn, p, "public", "t"); err != nil || p.Leaked() {
		t.Errorf("%v, %+v", err, p.Checks())
	}
}
