package draft

import (
	"bytes"
	"hash/maphash"
	"testing"

	"github.com/google/go-cmp/cmp"

	"daybefore/internal/pgtest"
	"daybefore/internal/scrub"
	"daybefore/internal/verdict"
)

// What values are like before and after, in numbers: of partitions under their
// root's name, of escapes as what they stand for; and nothing ends it that no
// rule names.
func TestMeasure(t *testing.T) {
	t.Parallel()
	conn := pgtest.DB(t)
	if _, err := conn.Exec(t.Context(), `
		create table people (id int, email text, note text, kind text, story text, tall int, born date) partition by list (kind);
		create table people_a partition of people for values in ('a');
		create table people_b partition of people for values in ('b');
		create table empty (email text);
		insert into people select n, 'Ada' || n || '@example.com', case when n % 2 = 0 then E'tab\t\\' || n else null end,
		case when n % 3 = 0 then 'a' else 'b' end, 'call +49 171 2345678', 170 + n % 20, '1990-01-01'::date + n from generate_series(1, 99) n;
		insert into people values (100, 'Ädä 1@example.com', repeat('x', 3000), 'a', 'x', 1, null)`); err != nil {
		t.Fatal(err)
	}
	s := situation{rules: rules(t, "public.people.email email link=person", "public.people.note set_null",
		"public.people.kind preserve", "public.people.born truncate to=year", "public.empty.email email")}
	req := s.request(read(t, conn))
	p, checks, err := scrub.NewPlan(t.Context(), conn, req)
	if err != nil || len(checks) > 0 {
		t.Fatal(err, checks)
	}
	m := NewMeasure(p)
	for _, h := range req.Headers {
		f, err := m.Filter(h.Schema, h.Table, h.Columns)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rowsOf(t, conn, h) {
			if out, err := f(nil, row); err != nil || len(out) > 0 {
				t.Fatalf("%d bytes came out: %v", len(out), err)
			}
		}
	}
	const mail, date = verdict.LowerCase | verdict.Digits | verdict.Signs, verdict.Digits | verdict.Signs
	want := []verdict.Shapes{
		{Table: "public.empty", Column: "email", Transform: "email"},
		{Table: "public.people", Column: "email", Transform: "email", Link: "person", Rows: 100,
			Before: verdict.Shape{Shortest: 16, Median: 17, Longest: 17, Different: 100,
				Characters: mail | verdict.UpperCase | verdict.Blanks | verdict.OtherScripts},
			After: verdict.Shape{Shortest: 32, Median: 32, Longest: 32, Different: 100, Characters: mail}},
		{Table: "public.people", Column: "note", Transform: "set_null", Rows: 100,
			Before: verdict.Shape{Nulls: 50, Shortest: 6, Median: 7, Longest: 3000, Different: 50,
				Characters: verdict.LowerCase | verdict.Blanks | verdict.Digits | verdict.Signs},
			After: verdict.Shape{Nulls: 100}},
		{Table: "public.people", Column: "kind", Rows: 100,
			Before: verdict.Shape{Shortest: 1, Median: 1, Longest: 1, Different: 2, Characters: verdict.LowerCase},
			After:  verdict.Shape{Shortest: 1, Median: 1, Longest: 1, Different: 2, Characters: verdict.LowerCase}},
		{Table: "public.people", Column: "born", Transform: "truncate", Rows: 100,
			Before: verdict.Shape{Nulls: 1, Shortest: 10, Median: 10, Longest: 10, Different: 99, Characters: date},
			After:  verdict.Shape{Nulls: 1, Shortest: 10, Median: 10, Longest: 10, Different: 1, Characters: date}},
	}
	if diff := cmp.Diff(want, m.Shapes()); diff != "" {
		t.Error(diff)
	}
}

func TestMedianOfLongValues(t *testing.T) {
	t.Parallel()
	var a, b profile
	testSeed := maphash.MakeSeed()
	for n := range 5000 {
		a.add(bytes.Repeat([]byte("x"), n), testSeed)
		b.add(bytes.Repeat([]byte("y"), 2*n), testSeed)
	}
	a.join(&b)
	got := a.told()
	// six times the deviation of an estimate
	if got.Shortest != 0 || got.Longest != 9998 || got.Median < 3300*98/100 || got.Median > 3334 || len(a.lengths) > 2000 || !got.Estimated ||
		got.Different < 8000 || got.Different > 12000 {
		t.Errorf("%+v, %d lengths", got, len(a.lengths))
	}
	if got := (&profile{}).told(); got != (verdict.Shape{}) {
		t.Errorf("of nothing: %+v", got)
	}
}
