package copytext

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func fields(cs Charset, row []byte) []string {
	var out []string
	for f := cs.Split(row); ; {
		field, ok := f.Next()
		if !ok {
			return out
		}
		out = append(out, string(field))
	}
}

func fieldsByEnds(cs Charset, row []byte) []string {
	var out []string
	from := 0
	for _, end := range cs.AppendEnds(nil, row) {
		out = append(out, string(row[from:end]))
		from = end + 1
	}
	return out
}

// Every byte at every place of a word, and backslashes before it.
func TestEndsAreThoseOfSplit(t *testing.T) {
	t.Parallel()
	for _, cs := range []Charset{ASCIISafe, ShiftJIS, DoubleByte} {
		rapid.Check(t, func(t *rapid.T) {
			row := rapid.SliceOfN(rapid.OneOf(rapid.Byte(), rapid.SampledFrom([]byte("\t\t\t\x08\x0a\x89\x88\\\\ab"))), 0, 40).Draw(t, "row")
			if diff := cmp.Diff(fields(cs, row), fieldsByEnds(cs, row)); diff != "" {
				t.Fatal(diff)
			}
		})
	}
}

func TestSplit(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, row string
		cs        Charset
		want      []string
	}{
		{name: "empty line", row: "", want: []string{""}},
		{name: "two empty", row: "\t", want: []string{"", ""}},
		{name: "null and value", row: "1\t\\N\t\\\\N", want: []string{"1", `\N`, `\\N`}},
		{name: "escaped tab", row: "a\\\tb\tc", want: []string{"a\\\tb", "c"}},
		{name: "escaped backslash before tab", row: "a\\\\\tb", want: []string{`a\\`, "b"}},
		{name: "shift-jis second byte", row: "\x83\x5c\tb", cs: ShiftJIS, want: []string{"\x83\x5c", "b"}},
		{name: "shift-jis one-byte katakana", row: "\xb1\\\tb", cs: ShiftJIS, want: []string{"\xb1\\\tb"}},
		{name: "gb18030 four bytes", row: "\x81\x30\x81\x5c\tb", cs: DoubleByte, want: []string{"\x81\x30\x81\x5c", "b"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, fields(tt.cs, []byte(tt.row))); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(tt.want, fieldsByEnds(tt.cs, []byte(tt.row))); diff != "" {
				t.Error("by their ends:", diff)
			}
			if tt.cs == ASCIISafe && Count([]byte(tt.row)) != len(tt.want) {
				t.Errorf("Count = %d, want %d", Count([]byte(tt.row)), len(tt.want))
			}
		})
	}
}

func TestUnescape(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ field, want string }{
		{`plain`, "plain"}, {``, ""},
		{`\b\f\n\r\t\v\\`, "\b\f\n\r\t\v\\"},
		{`\101\60\0615\777`, "A0" + "15" + "\xff"},
		{`\x41\xA\xaG\xg\x`, "A\n\nG" + "xg" + "x"},
		{`\\N`, `\N`}, {`a\Nb`, "aNb"}, {`\"\.`, `".`},
	} {
		got, err := AppendUnescaped([]byte("before:"), []byte(tt.field))
		if err != nil || string(got) != "before:"+tt.want {
			t.Errorf("%q: got %q, %v; want %q", tt.field, got, err, tt.want)
		}
	}
	if _, err := AppendUnescaped(nil, []byte(`half\`)); !errors.Is(err, ErrBackslash) {
		t.Errorf("a field that ends in an escape: %v", err)
	}
	if got, err := ShiftJIS.AppendUnescaped(nil, []byte("\x83\x5cn\\n")); err != nil || string(got) != "\x83\x5cn\n" {
		t.Errorf("shift-jis: %q, %v", got, err)
	}
}

func TestNull(t *testing.T) {
	t.Parallel()
	for field, want := range map[string]bool{`\N`: true, `\\N`: false, `N`: false, ``: false, `\n`: false, `\NN`: false} {
		if IsNull([]byte(field)) != want {
			t.Errorf("IsNull(%q) = %v", field, !want)
		}
	}
}

func TestOpen(t *testing.T) {
	t.Parallel()
	for row, want := range map[string]bool{``: false, `a`: false, `a\`: true, `a\\`: false, `a\\\`: true, `\`: true} {
		if Open([]byte(row)) != want {
			t.Errorf("Open(%q) = %v", row, !want)
		}
	}
	if ShiftJIS.Open([]byte("\x83\x5c")) || !ShiftJIS.Open([]byte("\x83\x5c\x5c")) || ShiftJIS.Open([]byte("\x83\x5c\x5c\x5c")) {
		t.Error("a two-byte character's second byte is no escape")
	}
}

func TestArray(t *testing.T) {
	t.Parallel()
	mark := func(dst, e []byte) ([]byte, error) { return append(append(dst, '!'), e...), nil }
	for _, tt := range []struct{ in, want string }{
		{`{}`, `{}`}, {`{a}`, `{!a}`}, {`{ a , NULL,null }`, `{!a,NULL,NULL}`},
		{`{"a b","c\"d","e\\f","NULL",""}`, `{"!a b","!c\"d","!e\\f",!NULL,!}`},
		{`{{a,b},{c,NULL}}`, `{{!a,!b},{!c,NULL}}`},
		{`[0:1]={a,b}`, `[0:1]={!a,!b}`}, {`[1:1][-2:-1]={{a,b}}`, `[1:1][-2:-1]={{!a,!b}}`},
		{`{n\ull}`, `{!null}`}, {`{\ a\ }`, `{"! a "}`}, {`{"a,b","c{}"}`, `{"!a,b","!c{}"}`},
	} {
		var r ArrayRewriter
		got, err := r.Append(nil, []byte(tt.in), ',', mark)
		if err != nil || string(got) != tt.want {
			t.Errorf("%s: got %s, %v; want %s", tt.in, got, err, tt.want)
		}
	}
	var r ArrayRewriter
	if got, err := r.Append(nil, []byte(`{(1,1),(0,0);(2,2),(1,1)}`), ';', mark); err != nil || string(got) != `{!(1,1),(0,0);!(2,2),(1,1)}` {
		t.Errorf("box: %s, %v", got, err)
	}
	for _, bad := range []string{``, `a`, `{`, `}`, `{a`, `{a,}`, `{,a}`, `{a}}`, `{a}b`, `{"a}`, `{"a"b}`, `{a"b"}`, `{a\`, `{"a\`, `[0:1]{a}`, `[x]={a}`,
		`[0:1`, `{a{b}}`} {
		if got, err := r.Append(nil, []byte(bad), ',', mark); !errors.Is(err, ErrArray) {
			t.Errorf("%s: got %s, %v; want ErrArray", bad, got, err)
		}
	}
	stop := errors.New("stop")
	if _, err := r.Append(nil, []byte(`{a,b}`), ',', func(d, _ []byte) ([]byte, error) { return d, stop }); !errors.Is(err, stop) {
		t.Errorf("f's error: %v", err)
	}
}

// Any value, escaped and put between others, comes back as it was.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.SliceOf(rapid.Byte()), 1, 8).Draw(t, "values")
		var row []byte
		for i, v := range values {
			if i > 0 {
				row = append(row, '\t')
			}
			row = AppendEscaped(row, v)
		}
		if bytes.ContainsRune(row, '\n') || Open(row) {
			t.Fatalf("%q is no row", row)
		}
		var got [][]byte
		for f := Split(row); ; {
			field, ok := f.Next()
			if !ok {
				break
			}
			if IsNull(field) {
				t.Fatal("a value became a null")
			}
			v, err := AppendUnescaped([]byte{}, field)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, v)
		}
		if !slices.EqualFunc(values, got, bytes.Equal) {
			t.Fatalf("%q became %q", values, got)
		}
	})
}

// Elements that are rewritten to themselves come back as they were, and a
// second pass changes nothing more.
func TestArrayRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.SliceOf(rapid.Byte()), 1, 8).Draw(t, "values")
		literal := []byte("{")
		for i, v := range values {
			if i > 0 {
				literal = append(literal, ',')
			}
			literal = AppendElement(literal, v, ',')
		}
		literal = append(literal, '}')
		var r ArrayRewriter
		var got [][]byte
		out, err := r.Append(nil, literal, ',', func(dst, e []byte) ([]byte, error) {
			got = append(got, bytes.Clone(e))
			return append(dst, e...), nil
		})
		if err != nil || !bytes.Equal(out, literal) || !slices.EqualFunc(values, got, bytes.Equal) {
			t.Fatalf("%q of %q became %q of %q: %v", literal, values, out, got, err)
		}
	})
}

func FuzzRow(f *testing.F) {
	f.Add([]byte("1\ta\\tb\t\\N\t\\\\N"))
	f.Add([]byte("a\\\tb\\"))
	f.Fuzz(func(t *testing.T, row []byte) {
		all := fields(ASCIISafe, row)
		if len(all) != Count(row) {
			t.Fatalf("%d fields, Count %d", len(all), Count(row))
		}
		joined := []byte{}
		for i, field := range all {
			if i > 0 {
				joined = append(joined, '\t')
			}
			joined = append(joined, field...)
			v, err := AppendUnescaped(nil, []byte(field))
			if err != nil {
				continue
			}
			again, err := AppendUnescaped(nil, AppendEscaped(nil, v))
			if err != nil || !bytes.Equal(v, again) {
				t.Fatalf("%q: %q became %q, %v", field, v, again, err)
			}
		}
		if !bytes.Equal(joined, row) {
			t.Fatalf("%q split and joined is %q", row, joined)
		}
		for _, cs := range []Charset{ShiftJIS, DoubleByte} {
			fields(cs, row)
			cs.Open(row)
			cs.AppendUnescaped(nil, row)
		}
	})
}

func FuzzArray(f *testing.F) {
	f.Add([]byte(`[0:1]={a,"b\"c"}`))
	f.Add([]byte(`{{NULL," x "},{\ y,""}}`))
	f.Fuzz(func(t *testing.T, literal []byte) {
		same := func(dst, e []byte) ([]byte, error) { return append(dst, e...), nil }
		var r ArrayRewriter
		once, err := r.Append(nil, literal, ',', same)
		if err != nil {
			return
		}
		twice, err := r.Append(nil, once, ',', same)
		if err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("%q became %q and then %q, %v", literal, once, twice, err)
		}
	})
}

var benchRow = []byte("1042\tada@example.com\tAda Lovelace\t+44 20 7946 0000\t{\"a b\",c,NULL}\tline one\\nline two\\tand " +
	"more\t2026-11-20 03:15:00+00\t\\N\t12.50\tt")

func BenchmarkRow(b *testing.B) {
	b.ReportAllocs()
	b.SetBytes(int64(len(benchRow)))
	var value, out []byte
	for b.Loop() {
		out = out[:0]
		for f := Split(benchRow); ; {
			field, ok := f.Next()
			if !ok {
				break
			}
			value, _ = AppendUnescaped(value[:0], field)
			out = AppendEscaped(out, value)
		}
	}
}

func BenchmarkArray(b *testing.B) {
	b.ReportAllocs()
	var r ArrayRewriter
	var out []byte
	in := []byte(`{"Ada L.",grace,NULL,"say \"hi\""}`)
	same := func(dst, e []byte) ([]byte, error) { return append(dst, e...), nil }
	for b.Loop() {
		out, _ = r.Append(out[:0], in, ',', same)
	}
}

func TestNoAllocations(t *testing.T) {
	var value, out []byte
	var r ArrayRewriter
	same := func(dst, e []byte) ([]byte, error) { return append(dst, e...), nil }
	work := func() {
		out = out[:0]
		for f := Split(benchRow); ; {
			field, ok := f.Next()
			if !ok {
				break
			}
			value, _ = AppendUnescaped(value[:0], field)
			out = AppendEscaped(out, value)
		}
		out, _ = r.Append(out[:0], []byte(`{"a b",c,NULL}`), ',', same)
	}
	work()
	if n := testing.AllocsPerRun(100, work); n != 0 {
		t.Errorf("%v allocations a row", n)
	}
}
