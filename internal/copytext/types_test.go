package copytext_test

import (
	"bytes"
	"testing"

	"daybefore/internal/copytext"
	"daybefore/internal/pgtest"
)

func sameRange(s []byte) ([]byte, error) {
	var r copytext.RangeReader
	read, rest, err := r.Read(s)
	if err != nil || len(rest) > 0 {
		return nil, copytext.ErrRange
	}
	return copytext.AppendRange(nil, read), nil
}

func sameComposite(s []byte, fields int) ([]byte, error) {
	var r copytext.CompositeRewriter
	return r.Append(nil, s, fields, func(_ int, dst, value []byte) ([]byte, bool, error) { return append(dst, value...), false, nil })
}

func sameHstore(s []byte) ([]byte, error) {
	var r copytext.HstoreRewriter
	return r.Append(nil, s, func(dst, value []byte) ([]byte, error) { return append(dst, value...), nil })
}

// What a server writes is read for what it is: written again it is the same
// to the byte.
func TestTypesOfServer(t *testing.T) {
	t.Parallel()
	conn := pgtest.DB(t)
	const texts = `(values ('plain'), (''), ('null'), ('NULL'), ('"'), (chr(92)), ('a b'), (' '), ('(,)'), ('[,]'), ('a,b'), ('x"y\z'), (E'tab\there'), ` +
		`(E'new\nline'), ('=>'), ('", "'), ('äöü'), (null)) v(s)`
	if _, err := conn.Exec(t.Context(),
		"create extension hstore; create type pair as (a text, b int, c text); create type lonely as (a text); create type nothing as (); create type "+
			"textrange as range (subtype = text)"); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		sql  string
		same func([]byte) ([]byte, error)
	}{
		{"select row(s, 1, s)::pair::text from " + texts, func(s []byte) ([]byte, error) { return sameComposite(s, 3) }},
		{"select row(s)::lonely::text from " + texts, func(s []byte) ([]byte, error) { return sameComposite(s, 1) }},
		{"select row()::text", func(s []byte) ([]byte, error) { return sameComposite(s, 0) }},
		{"select hstore(array['a', 'b=>\"', s], array[s, 'x', null])::text from " + texts + " where s is not null union all select ''", sameHstore},
		{"select textrange(s, null)::text from " + texts + " union all select textrange(null, s, '[]')::text from " + texts, sameRange},
		{"select unnest(array[int4range(1, 5)::text, 'empty', tstzrange('2024-01-01 10:00+00', '2024-01-02 10:00+00', '(]')::text, " +
			"numrange(-1.5, null)::text])", sameRange},
	} {
		rows, err := conn.Query(t.Context(), tt.sql)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for ; rows.Next(); n++ {
			var s string
			if err := rows.Scan(&s); err != nil {
				t.Fatal(err)
			}
			if got, err := tt.same([]byte(s)); err != nil || string(got) != s {
				t.Errorf("%q became %q, %v", s, got, err)
			}
		}
		if rows.Err() != nil || n == 0 {
			t.Errorf("%s: %d rows, %v", tt.sql, n, rows.Err())
		}
	}
}

func TestTypesThatAreNone(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "[", "[1", "[1,2", "1,2)", "[1)", "[1,2,3)", `["1,2)`, "[1,2)x", `[1,2\`, "[(,1)"} {
		if got, err := sameRange([]byte(s)); err == nil {
			t.Errorf("range %q became %q", s, got)
		}
	}
	for _, s := range []string{"", "(", "(a,b)", "(a,b,c,d)", "(a,b,c", `("a,b,c)`, "(a,b,c)x", `(a,b,\`, "((a,b,c)"} {
		if got, err := sameComposite([]byte(s), 3); err == nil {
			t.Errorf("composite %q became %q", s, got)
		}
	}
	for _, s := range []string{`"`, `"a"`, `"a"=>`, `"a"=>"`, `"a"=>"b",`, `"a"=>"b", `, `a=>b`, `"a"=>"b"x`, `"a=>"b"`} {
		if got, err := sameHstore([]byte(s)); err == nil {
			t.Errorf("hstore %q became %q", s, got)
		}
	}
}

// What was read and written once stays as it is from then on.
func FuzzTypes(f *testing.F) {
	for _, s := range []string{"[1,5)", `("2024-01-01 10:00:00+00",infinity]`, `(a,"b ""c",)`, `"a"=>"1", "b"=>NULL`, `empty`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, s []byte) {
		for _, same := range []func([]byte) ([]byte, error){sameRange, sameHstore, func(s []byte) ([]byte, error) { return sameComposite(s, 3) }} {
			once, err := same(s)
			if err != nil {
				continue
			}
			if twice, err := same(once); err != nil || !bytes.Equal(once, twice) {
				t.Fatalf("%q became %q, and that %q, %v", s, once, twice, err)
			}
		}
	})
}

func TestTypesAllocateNothing(t *testing.T) {
	var r copytext.RangeReader
	var c copytext.CompositeRewriter
	var h copytext.HstoreRewriter
	var out []byte
	rng, composite, hstore := []byte(`["2024-01-01 10:00:00+00",)`), []byte(`(a,"b ""c",)`), []byte(`"a"=>"1", "b"=>NULL`)
	if n := testing.AllocsPerRun(100, func() {
		read, _, _ := r.Read(rng)
		out = copytext.AppendRange(out[:0], read)
		out, _ = c.Append(out[:0], composite, 3, func(_ int, dst, value []byte) ([]byte, bool, error) { return append(dst, value...), false, nil })
		out, _ = h.Append(out[:0], hstore, func(dst, value []byte) ([]byte, error) { return append(dst, value...), nil })
	}); n > 0 {
		t.Errorf("%v allocations a value", n)
	}
}
