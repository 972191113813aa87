package leakscan

import (
	"bytes"
	"context"
	"fmt"
	"hash/maphash"
	"testing"

	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"daybefore/internal/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// The bytes of SQL_ASCII may be no text: they are looked at as they are.
func TestAftermathOfAnyBytes(t *testing.T) {
	t.Parallel()
	conn := pgtest.DB(t)
	const name = "scrub_any_bytes"
	for _, sql := range []string{"drop database if exists " + name, "create database " + name + " encoding 'SQL_ASCII' locale 'C' template template0"} {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { conn.Exec(context.Background(), "drop database "+name) })
	scan, err := Connect(t.Context(), func(ctx context.Context) (*pgx.Conn, error) {
		cfg := conn.Config().Copy()
		cfg.Database = name
		return pgx.ConnectConfig(ctx, cfg)
	})
	if err != nil {
		t.Fatal(err)
	}
	defer scan.Close(t.Context())
	var out bytes.Buffer
	if _, err := scan.PgConn().CopyTo(t.Context(), &out, `COPY (SELECT E'\xf6') TO STDOUT`); err != nil || out.String() != "\xf6\n" {
		t.Errorf("%q, %v", out.String(), err)
	}
}

// A sample stays in its bounds, holds different values only, and finds what it
// holds.
func TestSample(t *testing.T) {
	s := NewSampler(maphash.MakeSeed(), 100)
	s.Forms = true
	for i := range 10000 {
		s.Add(fmt.Appendf(nil, "value number %d", i/2))
		if len(s.kept) > 200 {
			t.Fatal("out of bounds")
		}
	}
	s.Add([]byte("short"))
	kept := lowest(s.kept, 100)
	if len(kept) != 100 {
		t.Fatalf("%d kept", len(kept))
	}
	value := []byte("value number 17")
	n := testing.AllocsPerRun(100, func() { s.Add(value) })
	if n != 0 {
		t.Errorf("%v allocations a value", n)
	}
}

// A name is found with the family name in front, and in both of Unicode's forms.
func TestSampleOfNames(t *testing.T) {
	t.Parallel()
	seed := maphash.MakeSeed()
	s := NewSampler(seed, 100)
	s.Forms = true
	for _, name := range []string{"Ada Lovelace", "Jürgen Zqmüller", "Zqsmith, Anna Maria", "in progress", "Zqbyron Ltd, a firm"} {
		s.Add([]byte(name))
	}
	o := NewOverlap(seed, 100, map[string][]*Sampler{"people.name": {s}})
	for text, want := range map[string]bool{
		"by Lovelace, Ada on Monday": true, "by ADA LOVELACE": true, "see lovelace, ada": true,
		"von Ju\u0308rgen Zqmu\u0308ller am": true, "Zqmüller, Jürgen": true, "Zqmu\u0308ller, Ju\u0308rgen": true, "Jürgen Zqmüller": true,
		"by Anna Maria Zqsmith": true, "progress, in": false, "Lovelace Ada": false, "Lovelaces, Ada": false, "a firm Zqbyron Ltd": false,
	} {
		if got := o.Holds([]byte(text)); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
	if o.values != 5 {
		t.Errorf("%d values", o.values)
	}
}

// Folding is the same eight bytes at a time, whatever stands beside ASCII's letters.
func TestAppendFolded(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		value := rapid.SliceOf(rapid.Byte()).Draw(rt, "value")
		if rapid.Bool().Draw(rt, "ASCII") {
			for i := range value {
				value[i] &= 0x7f
			}
		}
		want := []byte("X")
		for _, c := range value {
			if 'A' <= c && c <= 'Z' {
				c += 'a' - 'A'
			}
			want = append(want, c)
		}
		if got := AppendFolded([]byte("X"), value); !bytes.Equal(got, want) {
			rt.Fatalf("%q became %q", value, got)
		}
	})
}
