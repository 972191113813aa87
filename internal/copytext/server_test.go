package copytext_test

import (
	"bytes"
	"testing"

	"daybefore/internal/copytext"
	"daybefore/internal/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// nasty are values, as SQL, that COPY has to escape or that look as if they
// meant something to it.
const nasty = `
	select E'\\N' as v union all select E'\\.' union all select '' union all select E'tab\there'
	union all select E'\b\f\n\r\t\x0b\x01\x7f' union all select E'C:\\new\\x41' union all select 'ünï ☃ 😀'
	union all select E'a\\' union all select 'NULL' union all select 'COPY public.a (b) FROM stdin;'
	union all select string_agg(chr(i), '') from generate_series(1, 3000) i where i not between 55296 and 57343`

// What a server writes is unescaped to what it holds, escaped again to the
// very same bytes, and its arrays come through the rewriter unchanged.
func TestAgainstServer(t *testing.T) {
	t.Parallel()
	conn := pgtest.DB(t)
	_, err := conn.Exec(t.Context(), `create table nasty as select row_number() over () as id, v,
		case when v like 'C%' then null else array[v, null, v || '"{},', ''] end as a,
		array[[v, 'x'], [null, v]] as m, ('[0:1]={p,NULL}')::text[] as b from (`+nasty+`) s`)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if _, err := conn.PgConn().CopyTo(t.Context(), &out,
		"copy (select id, v, encode(convert_to(v, 'UTF8'), 'hex'), a, m, b from nasty order by id) to stdout"); err != nil {
		t.Fatal(err)
	}
	rows := bytes.Split(bytes.TrimSuffix(out.Bytes(), []byte("\n")), []byte("\n"))
	if len(rows) < 10 {
		t.Fatalf("%d rows", len(rows))
	}
	for _, row := range rows {
		checkRow(t, row)
	}

	// and the server takes what is written here for the same values
	var in bytes.Buffer
	for _, row := range rows {
		var id, v []byte
		f := copytext.Split(row)
		id, _ = f.Next()
		field, _ := f.Next()
		v, _ = copytext.AppendUnescaped(nil, field)
		in.Write(append(append(bytes.Clone(id), '\t'), copytext.AppendEscaped(nil, v)...))
		in.WriteByte('\n')
	}
	if _, err := conn.Exec(t.Context(), "create table back (id bigint, v text)"); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.PgConn().CopyFrom(t.Context(), &in, "copy back from stdin"); err != nil {
		t.Fatal(err)
	}
	var same int
	if err := conn.QueryRow(t.Context(), "select count(*) from nasty join back using (id, v)").Scan(&same); err != nil || same != len(rows) {
		t.Errorf("%d of %d values came back as they were: %v", same, len(rows), err)
	}
}

func checkRow(t *testing.T, row []byte) {
	t.Helper()
	var got [][]byte
	for f := copytext.Split(row); ; {
		field, ok := f.Next()
		if !ok {
			break
		}
		got = append(got, field)
	}
	if len(got) != 6 {
		t.Fatalf("%d fields in %q", len(got), row)
	}
	value, err := copytext.AppendUnescaped(nil, got[1])
	if err != nil {
		t.Fatal(err)
	}
	if hex := hexOf(value); hex != string(got[2]) {
		t.Errorf("%q: value is %s, the server holds %s", got[1], hex, got[2])
	}
	if again := copytext.AppendEscaped(nil, value); !bytes.Equal(again, got[1]) {
		t.Errorf("escaped again: %q, the server wrote %q", again, got[1])
	}
	var r copytext.ArrayRewriter
	for _, field := range got[3:] {
		if copytext.IsNull(field) {
			continue
		}
		literal, err := copytext.AppendUnescaped(nil, field)
		if err != nil {
			t.Fatal(err)
		}
		out, err := r.Append(nil, literal, ',', func(dst, e []byte) ([]byte, error) { return append(dst, e...), nil })
		if err != nil || !bytes.Equal(out, literal) {
			t.Errorf("array %q became %q, %v", literal, out, err)
		}
	}
}

func hexOf(b []byte) string {
	const digits = "0123456789abcdef"
	var out []byte
	for _, c := range b {
		out = append(out, digits[c>>4], digits[c&15])
	}
	return string(out)
}
