package stream

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"daybefore/internal/verdict"
)

// A stream as `pg_restore -f -` writes it (15.18), with what a careless
// reader trips over: a table whose name holds a COPY statement, values that
// look like statements and like the end marker, a table without columns.
const (
	copyA = "COPY public.a (id, t) FROM stdin;\n"
	rowsA = "1\tone\n2\tCOPY public.b (id) FROM stdin;\n3\t\\\\.\n4\t\\N\n"
	copyX = "COPY public.\"x; COPY\nCOPY y FROM stdin;\" (id) FROM stdin;\n"
	rowsX = "7\n"
	copyN = "COPY public.nothing  FROM stdin;\n"
	rowsN = "\n\n\n"
	copyE = "COPY public.empty (id) FROM stdin;\n"
)

func script(parts ...string) string {
	var b strings.Builder
	b.WriteString("--\n-- PostgreSQL database dump\n--\n\n\\restrict abc\n\nSET client_encoding = 'UTF8';\nSELECT " +
		"pg_catalog.set_config('search_path', '', false);\n\n")
	for i := 0; i < len(parts); i += 2 {
		b.WriteString("--\n-- Data for Name: a; Type: TABLE DATA; Schema: public; Owner: app\n--\n\n")
		b.WriteString(parts[i] + parts[i+1] + "\\.\n\n\n")
	}
	b.WriteString("--\n-- PostgreSQL database dump complete\n--\n\n\\unrestrict abc\n")
	return b.String()
}

var whole = script(copyA, rowsA, copyX, rowsX, copyN, rowsN, copyE, "")

// readAll takes the blocks of a stream, as a worker does.
func readAll(src io.Reader, rewrite Rewrite, headers ...string) (rows []string, counts []int64, err error) {
	d := New(src)
	for _, h := range headers {
		if err := d.Next(h); err != nil {
			return rows, counts, err
		}
		b := &Block{Dump: d, Rewrite: rewrite}
		got, err := io.ReadAll(b)
		rows, counts = append(rows, string(got)), append(counts, b.Rows)
		if err != nil {
			return rows, counts, err
		}
	}
	return rows, counts, d.End()
}

func identity(dst, row []byte) ([]byte, error) { return append(dst, row...), nil }

func TestRowsAreReadAsWritten(t *testing.T) {
	t.Parallel()
	for name, rewrite := range map[string]Rewrite{"passed": nil, "rewritten": identity} {
		for pace, slow := range map[string]func(io.Reader) io.Reader{
			"whole": func(r io.Reader) io.Reader { return r }, "byte by byte": iotest.OneByteReader,
			"halves": iotest.HalfReader, "with EOF": iotest.DataErrReader,
		} {
			rows, counts, err := readAll(slow(strings.NewReader(whole)), rewrite, copyA, copyX, copyN, copyE)
			if err != nil {
				t.Errorf("%s, %s: %v", name, pace, err)
			}
			if want := []string{rowsA, rowsX, rowsN, ""}; fmt.Sprint(rows) != fmt.Sprint(want) {
				t.Errorf("%s, %s: rows %q, want %q", name, pace, rows, want)
			}
			if want := "[4 1 3 0]"; fmt.Sprint(counts) != want {
				t.Errorf("%s, %s: counted %v, want %s", name, pace, counts, want)
			}
		}
	}
}

// endless is a row that never ends, and counts what was read of it.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	e.read += len(p)
	return len(p), nil
}

// A row that is longer than the server can hold ends the load once that is
// known, whatever is still to come, and no more of it is held or sent.
func TestARowThatIsNone(t *testing.T) {
	t.Parallel()
	const most = 4 << 20
	for name, rewrite := range map[string]Rewrite{"passed": nil, "rewritten": identity} {
		src := &endless{}
		d := New(io.MultiReader(strings.NewReader("1\tone\n"+strings.Repeat("y", most)+"\n"), src))
		d.most = most
		n, err := io.Copy(io.Discard, &Block{Dump: d, Rewrite: rewrite})
		if problem := verdict.AsProblem(err); problem == nil || problem.Outcome != verdict.Fail || problem.Code != verdict.CodeCorrupt ||
			err.Error() != "row 3 is longer than 1 GiB (PostgreSQL's limit)" {
			t.Errorf("%s: %v", name, err)
		}
		if src.read > 2*most || len(d.buf) > most+2*readSize || n > 2*most+100 {
			t.Errorf("%s: %d bytes read, %d held, %d sent", name, src.read, len(d.buf), n)
		}
	}
}

func TestAnEndBeforeTheMarkerIsNoEnd(t *testing.T) {
	t.Parallel()
	last := strings.LastIndex(whole, "\\.\n") + len("\\.\n")
	for name, rewrite := range map[string]Rewrite{"passed": nil, "rewritten": identity} {
		for n := range last {
			_, _, err := readAll(strings.NewReader(whole[:n]), rewrite, copyA, copyX, copyN, copyE)
			if err == nil {
				t.Fatalf("%s: a stream cut at byte %d of %d was read without an error", name, n, last)
			}
		}
	}
}

func TestABrokenPipeIsNoEnd(t *testing.T) {
	t.Parallel()
	broken := errors.New("the pipe broke")
	at := strings.Index(whole, "3\t")
	for name, rewrite := range map[string]Rewrite{"passed": nil, "rewritten": identity} {
		src := io.MultiReader(strings.NewReader(whole[:at]), iotest.ErrReader(broken))
		_, _, err := readAll(src, rewrite, copyA)
		if !errors.Is(err, ErrNoEnd) || !errors.Is(err, broken) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestRowsLongerThanAnyBuffer(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 3*readSize+17)
	rows := "1\t" + long + "\n2\tshort\n3\t" + long + long + "\n"
	for name, rewrite := range map[string]Rewrite{"passed": nil, "rewritten": identity} {
		got, counts, err := readAll(strings.NewReader(script(copyA, rows)), rewrite, copyA)
		if err != nil || got[0] != rows || counts[0] != 3 {
			t.Errorf("%s: %d rows, %d bytes (want %d), %v", name, counts[0], len(got[0]), len(rows), err)
		}
	}
}

func TestOnlyTheExpectedCopyStatementBeginsABlock(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ stream, header string }{
		"another table's":   {script(copyX, rowsX), copyA},
		"an INSERT":         {"INSERT INTO public.a VALUES (1, 'COPY public.a (id, t) FROM stdin;');\n", copyA},
		"nothing more":      {"--\n-- done\n--\n", copyA},
		"half of it":        {copyA[:20], copyA},
		"a statement first": {"ALTER TABLE a DISABLE TRIGGER ALL;\n" + script(copyA, rowsA), copyA},
	} {
		if rows, _, err := readAll(strings.NewReader(c.stream), nil, c.header); err == nil {
			t.Errorf("%s: taken for the table's rows: %q", name, rows)
		} else if strings.Contains(err.Error(), "public.b") || strings.Contains(err.Error(), "VALUES") {
			t.Errorf("%s: the error shows what the stream holds: %v", name, err)
		}
	}
	if _, _, err := readAll(strings.NewReader(script(copyA, rowsA, copyX, rowsX)), nil, copyA); err == nil {
		t.Error("rows of an entry that nobody asked for went unnoticed")
	}
}

func TestDrainStandsBehindTheBlock(t *testing.T) {
	t.Parallel()
	for name, rewrite := range map[string]Rewrite{"passed": nil, "rewritten": identity} {
		d := New(iotest.HalfReader(strings.NewReader(whole)))
		if err := d.Next(copyA); err != nil {
			t.Fatal(err)
		}
		b := &Block{Dump: d, Rewrite: rewrite}
		if _, err := b.Read(make([]byte, 3)); err != nil {
			t.Fatal(err)
		}
		if err := b.Drain(); err != nil || b.Rows != 4 {
			t.Errorf("%s: drained %d rows, %v", name, b.Rows, err)
		}
		if err := d.Next(copyX); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestARefusedRowEndsTheBlock(t *testing.T) {
	t.Parallel()
	refused := errors.New("refused")
	_, _, err := readAll(strings.NewReader(whole), func([]byte, []byte) ([]byte, error) { return nil, refused }, copyA)
	if !errors.Is(err, refused) {
		t.Errorf("got %v", err)
	}
}

// The filter's way allocates nothing per row.
func BenchmarkBlock(b *testing.B) {
	const rows = 100_000
	text := []byte(script(copyA, strings.Repeat("4711\tsome text of a usual length\t2026-01-02 03:04:05+00\n", rows)))
	for name, rewrite := range map[string]Rewrite{"passed": nil, "rewritten": identity} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				d := New(bytes.NewReader(text))
				if err := d.Next(copyA); err != nil {
					b.Fatal(err)
				}
				if n, err := io.Copy(io.Discard, struct{ io.Reader }{&Block{Dump: d, Rewrite: rewrite}}); err != nil || n == 0 {
					b.Fatal(n, err)
				}
			}
		})
	}
}

func FuzzStream(f *testing.F) {
	f.Add(whole, 7)
	f.Add(script(copyA, rowsA)[:90], 1)
	f.Fuzz(func(t *testing.T, text string, at int) {
		passed, n1, err1 := readAll(strings.NewReader(text), nil, copyA)
		rewritten, n2, err2 := readAll(iotest.HalfReader(strings.NewReader(text)), identity, copyA)
		if (err1 == nil) != (err2 == nil) {
			t.Fatalf("passed: %v, rewritten: %v", err1, err2)
		}
		if err1 == nil && (fmt.Sprint(passed) != fmt.Sprint(rewritten) || fmt.Sprint(n1) != fmt.Sprint(n2)) {
			t.Fatalf("passed %q (%v), rewritten %q (%v)", passed, n1, rewritten, n2)
		}
	})
}
