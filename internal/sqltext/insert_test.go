package sqltext

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

// readInserts spells what is read: a line for each run, then its rows.
func readInserts(r io.Reader, h written) (string, error) {
	var b strings.Builder
	in := NewInsertReader(r, h.encoding, h.stdStrings)
	for {
		t, err := in.Next()
		if err == io.EOF {
			return b.String(), nil
		}
		if err != nil {
			return b.String(), err
		}
		fmt.Fprintf(&b, "%s.%s %q %d %v\n", t.Schema, t.Table, t.Columns, t.Width, t.Defaults)
		if _, err := io.Copy(&b, in); err != nil {
			return b.String(), err
		}
	}
}

// written is how the strings of a test are.
type written struct {
	stdStrings bool
	encoding   string
}

var standard = written{stdStrings: true, encoding: "UTF8"}

func TestInsertReader(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ sql, want string }{
		{``, ``},
		{"-- a comment; INSERT INTO x VALUES (1);\nSET a = 'b;';\n\\restrict abc\nSELECT pg_catalog.set_config('search_path', '', false);\n", ``},
		{"INSERT INTO s.t VALUES (1, 'a');\nINSERT INTO s.t VALUES (-2.5e+10, NULL);", "s.t [] 2 []\n1\ta\n-2.5e+10\t\\N\n\\.\n"},
		{"INSERT INTO t (a, \"B\"\"x\") VALUES\n\t(true, false),\n\t(NULL, NULL);\n", ".t [\"a\" \"B\\\"x\"] 2 []\nt\tf\n\\N\t\\N\n\\.\n"},
		{"INSERT INTO s.\"t;\nVALUES (\" OVERRIDING SYSTEM VALUE VALUES (1) ON CONFLICT DO NOTHING;", "s.t;\nVALUES ( [] 1 []\n1\n\\.\n"},
		{"INSERT INTO s.t DEFAULT VALUES;\nINSERT INTO s.t DEFAULT VALUES ON CONFLICT DO NOTHING;\n", "s.t [] 0 []\n\n\n\\.\n"},
		{"INSERT INTO s.t VALUES (1, DEFAULT, 'x', DEFAULT);\nINSERT INTO s.t VALUES (2, DEFAULT, 'y', DEFAULT);\n", "s.t [] 4 [1 3]\n1\tx\n2\ty\n\\.\n"},
		{"INSERT INTO s.t VALUES (DEFAULT);\n", "s.t [] 1 [0]\n\n\\.\n"},
		{
			"INSERT INTO a.a VALUES (1);\nINSERT INTO a.b VALUES (2);\n-- x\nSET a = b;\nINSERT INTO a.b VALUES (3);INSERT INTO a.b (c) VALUES (4);",
			"a.a [] 1 []\n1\n\\.\na.b [] 1 []\n2\n3\n\\.\na.b [\"c\"] 1 []\n4\n\\.\n",
		},
		{
			"INSERT INTO s.t VALUES ('');INSERT INTO s.t VALUES ('\\.');INSERT INTO s.t VALUES ('\\N');INSERT INTO s.t VALUES ('it''s''');",
			"s.t [] 1 []\n\n\\\\.\n\\\\N\nit's'\n\\.\n",
		},
		{
			"INSERT INTO s.t VALUES ('a\tb\nCOPY public.a FROM stdin;\n\\.\nINSERT INTO x VALUES (1);\r');",
			"s.t [] 1 []\na\\tb\\nCOPY public.a FROM stdin;\\n\\\\.\\nINSERT INTO x VALUES (1);\\r\n\\.\n",
		},
		{"INSERT INTO s.t VALUES (B'0101', X'1f', B'', E'a\\'b\\\\c\\nd');", "s.t [] 4 []\n0101\t00011111\t\ta'b\\\\c\\nd\n\\.\n"},
		{"INSERT INTO s.t VALUES ('NaN', 'Infinity', 1, 0.5, -0, 1e-05);", "s.t [] 6 []\nNaN\tInfinity\t1\t0.5\t-0\t1e-05\n\\.\n"},
		{"SET standard_conforming_strings = off;\nINSERT INTO s.t VALUES ('a\\\\b''c');", "s.t [] 1 []\na\\\\b'c\n\\.\n"},
		{
			"SET standard_conforming_strings = off;\nSET client_encoding = 'SJIS';\nINSERT INTO s.t VALUES ('\x83\\\x83\\''');",
			"s.t [] 1 []\n\x83\\\x83\\'\n\\.\n",
		},
		{"SET client_encoding = 'SJIS';\nINSERT INTO s.t VALUES ('\x83\\\x83\\''\\');", "s.t [] 1 []\n\x83\\\x83\\'\\\\\n\\.\n"},
	} {
		for how, r := range map[string]io.Reader{"whole": strings.NewReader(c.sql), "by the byte": iotest.OneByteReader(strings.NewReader(c.sql))} {
			got, err := readInserts(r, standard)
			if err != nil {
				t.Errorf("%s, %s: %v", c.sql, how, err)
			}
			if got != c.want {
				t.Errorf("%s, %s:\n got %q\nwant %q", c.sql, how, got, c.want)
			}
		}
	}
}

func TestInsertRefused(t *testing.T) {
	t.Parallel()
	for _, sql := range []string{
		"UPDATE a SET b = 'secret';", "COPY a FROM stdin;\nsecret\n\\.\n", "SELECT 'secret';", "DO $$secret$$;", "\\! secret\n", "\\restrict secret two\n",
		"INSERT INTO a SELECT 'secret';", "INSERT INTO a TABLE secret;", "INSERT INTO a (SELECT 1) VALUES (1);",
		"INSERT INTO a OVERRIDING USER VALUE VALUES (1);", "INSERT INTO a AS b VALUES (1);", "INSERT INTO a (b[1]) VALUES ('secret');",
		"INSERT INTO VALUES (1);",
		"INSERT INTO a (b) DEFAULT VALUES;",
		"INSERT INTO a VALUES 1;", "INSERT INTO a VALUES ();", "INSERT INTO a VALUES (1,);", "INSERT INTO a VALUES (1)(2);", "INSERT INTO a VALUES (1), ;",
		"INSERT INTO a VALUES (1) RETURNING *;", "INSERT INTO a VALUES (1) ON CONFLICT DO UPDATE SET x = 1;",
		"INSERT INTO a VALUES (1) ON CONFLICT (x) DO NOTHING;",
		"INSERT INTO a VALUES ('secret'::text);", "INSERT INTO a VALUES (f('secret'));", "INSERT INTO a VALUES ('secret' || 'x');",
		"INSERT INTO a VALUES ('secret' 'x');", "INSERT INTO a VALUES ('secret'\n'x');",
		"INSERT INTO a VALUES (secret);", "INSERT INTO a VALUES (NULLS);", "INSERT INTO a VALUES (truest);", "INSERT INTO a VALUES ($$secret$$);",
		"INSERT INTO a VALUES (U&'secret');", "INSERT INTO a VALUES (N'secret');",
		"INSERT INTO a VALUES (1--2\n);", "INSERT INTO a VALUES (-);", "INSERT INTO a VALUES (1e);", "INSERT INTO a VALUES (1.2.3);",
		"INSERT INTO a VALUES (0x1F);",
		"INSERT INTO a VALUES (1_000);", "INSERT INTO a VALUES (1 + 1);",
		"INSERT INTO a VALUES (B'012');", "INSERT INTO a VALUES (X'g');", "INSERT INTO a VALUES (E'\\x41');", "INSERT INTO a VALUES (ARRAY[1]);",
		"INSERT INTO a VALUES (ROW(1));",
		"INSERT INTO a VALUES (1, 2), (1);", "INSERT INTO a VALUES (1), (1, 2);", "INSERT INTO a VALUES (1); INSERT INTO a VALUES (1, 2);",
		"INSERT INTO a (b, c) VALUES (1);", "INSERT INTO a (b) VALUES (1, 2);",
		"INSERT INTO a VALUES (1, DEFAULT); INSERT INTO a VALUES (1, 2);", "INSERT INTO a VALUES (1, 2); INSERT INTO a VALUES (DEFAULT, 2);",
		"INSERT INTO a VALUES (/* x */ 1);", "insert into a values (1); x",
	} {
		_, err := readInserts(strings.NewReader(sql), standard)
		if p, ok := errors.AsType[*verdict.Problem](err); !ok || p.Outcome != verdict.Error || p.Code != verdict.CodeUnsupported || p.Hint == "" {
			t.Errorf("%s: got %v, want that it is not supported", sql, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the error shows a value: %v", sql, err)
		}
	}
	broken := errors.New("broken")
	if _, err := readInserts(io.MultiReader(strings.NewReader("INSERT INTO a VALUES ('x"), iotest.ErrReader(broken)), standard); !errors.Is(err, broken) {
		t.Errorf("a broken source: %v", err)
	}
	whole := "SET a = b;\nINSERT INTO s.a (b, c) VALUES (1, 'it''s'), (2, NULL) ON CONFLICT DO NOTHING;"
	for n := 1; n < len(whole); n++ {
		got, err := readInserts(strings.NewReader(whole[:n]), standard)
		if n == len("SET a = b;") || n == len("SET a = b;\n") {
			continue
		}
		if !errors.Is(err, io.ErrUnexpectedEOF) || strings.Contains(got, "\\.\n") {
			t.Errorf("cut to %q: %v, read %q", whole[:n], err, got)
		}
	}
}

func TestInsertNextPassesTheRest(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for i := range 20000 {
		fmt.Fprintf(&b, "INSERT INTO s.a VALUES (%d, 'row');\n", i)
	}
	b.WriteString("INSERT INTO s.b VALUES (1);\n")
	r := NewInsertReader(strings.NewReader(b.String()), standard.encoding, standard.stdStrings)
	for _, want := range []string{"a", "b"} {
		if target, err := r.Next(); err != nil || target.Table != want {
			t.Fatalf("got %+v, %v, want %s", target, err, want)
		}
		if _, err := io.ReadFull(r, make([]byte, 4)); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if _, err := r.Next(); err != io.EOF {
			t.Fatalf("behind the last: %v", err)
		}
	}
}

// TestInsertMemory reads many rows, and one of 50 MB.
func TestInsertMemory(t *testing.T) {
	row := "INSERT INTO s.a VALUES (1, 'some text', NULL, true, B'01', E'x\\\\', DEFAULT);\n"
	data := strings.Repeat(row, 50000)
	r := NewInsertReader(strings.NewReader(data), standard.encoding, standard.stdStrings)
	if _, err := r.Next(); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 64<<10)
	read := func() { // fills the buffers
		if _, err := r.Read(buf); err != nil {
			t.Fatal(err)
		}
	}
	read()
	if n := testing.AllocsPerRun(10, read); n > 0 {
		t.Errorf("%v allocations for %d bytes of rows", n, len(buf))
	}
	big := strings.Repeat("x", 50<<20)
	got, err := readInserts(strings.NewReader("INSERT INTO s.a VALUES (1, '"+big+"');\nINSERT INTO s.a VALUES (2, 'y');\n"), standard)
	if err != nil || got != "s.a [] 2 []\n1\t"+big+"\n2\ty\n\\.\n" {
		t.Errorf("a row of 50 MB became %d bytes, %v", len(got), err)
	}
}

// FuzzInsert reads garbage: by the byte it must give the same as at once, and
// rows must have as many fields as their run says.
func FuzzInsert(f *testing.F) {
	f.Add([]byte("INSERT INTO s.t (a) VALUES (1), ('x''y') ON CONFLICT DO NOTHING;\nINSERT INTO s.u VALUES (DEFAULT, NULL, true, B'1', E'\\n');\n"), true)
	f.Add([]byte("SET standard_conforming_strings = off;\n-- x\nINSERT INTO t DEFAULT VALUES;\nINSERT INTO t VALUES ('\\'', -1.5e+3);"), false)
	f.Fuzz(func(t *testing.T, data []byte, std bool) {
		h := written{stdStrings: std}
		got, err := readInserts(bytes.NewReader(data), h)
		slow, slowErr := readInserts(iotest.OneByteReader(bytes.NewReader(data)), h)
		if (err == nil) != (slowErr == nil) || err == nil && got != slow {
			t.Fatalf("at once %q, %v; by the byte %q, %v", got, err, slow, slowErr)
		}
		r := NewInsertReader(bytes.NewReader(data), h.encoding, h.stdStrings)
		for {
			target, err := r.Next()
			if err != nil {
				break
			}
			rows, err := io.ReadAll(r)
			if err != nil {
				break
			}
			lines := strings.Split(strings.TrimSuffix(string(rows), "\\.\n"), "\n")
			for _, line := range lines[:len(lines)-1] {
				if n := target.Width - len(target.Defaults); n > 0 && strings.Count(line, "\t")+1 != n {
					t.Fatalf("%q has not %d fields", line, n)
				}
			}
		}
	})
}
