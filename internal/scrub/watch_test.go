package scrub

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"daybefore/internal/copytext"
	"daybefore/internal/detect"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// A value that looks sensitive ends the load of a column that no rule names,
// in whatever it is written, and is told by place and never by itself.
func TestLeakEndsTheLoad(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, ddl, rows, place, what string
		scan                         spec.LeakScan
	}{
		{"text", "create table t (id int, tag text)", "insert into t values (1, 'x'), (2, 'ada@example.com')", "public.t.tag", "an e-mail address", spec.LeakScan{}},
		{"behind an escape", "create table t (id int, tag text)", `insert into t values (2, E'one\n4111111111111111\ttwo')`, "public.t.tag", "a card number", spec.LeakScan{}},
		{"array", "create table t (id int, tags varchar(40)[])", `insert into t values (2, array['a "b', 'ada@example.com'])`, "public.t.tags", "an e-mail address", spec.LeakScan{}},
		{"domain", "create domain d as varchar(40); create table t (id int, tag d)", "insert into t values (2, 'DE89 3704 0044 0532 0130 00')", "public.t.tag", "an IBAN", spec.LeakScan{}},
		{"bigint", "create table t (id int, ref bigint)", "insert into t values (2, 4111111111111111)", "public.t.ref", "a card number", spec.LeakScan{}},
		{"numeric", "create table t (id int, ref numeric)", "insert into t values (2, 4111111111111111)", "public.t.ref", "a card number", spec.LeakScan{}},
		{"partition", "create table t (id int, tag text) partition by range (id); create table t_1 partition of t for values from (0) to (9)", "insert into t values (2, '203.0.113.7')", "public.t.tag", "a network address", spec.LeakScan{}},
		{"some rows of all", "create table t (id int, tag text)", "insert into t select i, 'ada@example.com' from generate_series(1, 50) i", "public.t.tag", "an e-mail address", spec.LeakScan{Percent: 10}},
		{"one detector", "create table t (id int, tag text)", "insert into t values (1, 'ada@example.com'), (2, '4111111111111111')", "public.t.tag", "a card number", spec.LeakScan{Detectors: []string{"card"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := situation{ddl: tt.ddl, scan: tt.scan}
			conn, p, checks := s.plan(t)
			if len(checks) > 0 {
				t.Fatal(checks)
			}
			if _, err := conn.Exec(t.Context(), tt.rows); err != nil {
				t.Fatal(err)
			}
			var err error
			for _, table := range []string{"t", "t_1"} {
				if p.loaded[p.cat.byName[tableName{"public", table}]] != nil && err == nil {
					_, err = tryThrough(t, conn, p, "public", table)
				}
			}
			var problem *verdict.Problem
			if !errors.Is(err, ErrLeak) || !errors.As(err, &problem) || problem.Code != verdict.CodeUnmatched || problem.Outcome != verdict.Error {
				t.Fatalf("the load went on: %v", err)
			}
			found := p.Checks()
			if len(found) != 1 || found[0].ID != "unmatched:"+tt.place || found[0].Outcome != verdict.Error || found[0].Observed != "1 value looked like "+tt.what || found[0].Hint == "" {
				t.Errorf("%+v", found)
			}
			if said := fmt.Sprint(err, found); strings.Contains(said, "example.com") || strings.Contains(said, "4111") {
				t.Errorf("a value is told: %s", said)
			}
		})
	}
}

// What no leak is, passes; and how much was looked at is told.
func TestNoLeak(t *testing.T) {
	t.Parallel()
	s := situation{
		ddl:         `create table t (id int, tag text, mail_to text, day timestamptz, ref bigint, small numeric(10,2), preserved_memo text)`,
		definitions: []string{"ALTER TABLE ONLY public.t ADD CONSTRAINT t_pkey PRIMARY KEY (ref);"},
		rules:       rules(t, "public.t.mail_to email", "public.t.preserved_memo preserve"),
		scan:        spec.LeakScan{Allow: []*regexp.Regexp{regexp.MustCompile(`@ourco\.example$`)}},
	}
	conn, p, checks := s.plan(t)
	if len(checks) > 0 {
		t.Fatal(checks)
	}
	if _, err := conn.Exec(t.Context(), `insert into t values (1, 'boss@ourco.example', 'ada@example.com', now(), 4111111111111111, 1.5, 'ada@example.com'), (2, null, null, null, 2, null, null)`); err != nil {
		t.Fatal(err)
	}
	out := through(t, conn, p, "public", "t")
	if !bytes.Contains(out, []byte("boss@ourco.example")) || bytes.Count(out, []byte("ada@example.com")) != 1 {
		t.Errorf("%s", out)
	}
	if c := p.Checks()[0]; c.ID != "leak_scan" || c.Outcome != verdict.Pass || c.Observed != "0 of 2 values in 1 column" {
		t.Errorf("%+v", c)
	}
}

// The words of the drill file are the detectors' own.
func TestDetectorsAreNamed(t *testing.T) {
	t.Parallel()
	schema, err := spec.Schema()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range detect.Names() {
		if !bytes.Contains(schema, []byte(`"`+name+`"`)) {
			t.Errorf("no drill file can name the detector %s", name)
		}
	}
}

// cleanRows are rows of text without a hit, as a shop's tables have them.
func cleanRows() [][]byte {
	words := strings.Fields("the parcel arrived on Monday and its box was open so please send a new one to our office before the end of this week thanks a lot kind regards from all of us")
	random := rand.New(rand.NewPCG(1, 2))
	var rows [][]byte
	for i := range 256 {
		var text []byte
		for len(text) < 120 {
			text = append(append(text, words[random.IntN(len(words))]...), ' ')
		}
		rows = append(rows, fmt.Appendf(nil, "%d\tshipped\thttps://example.com/p/%s/%d\t%s\t2026-03-04 03:15:00.12+00\tDE-%d\t%d\tt", i*7919, words[i%20], i*31, text, i%97, random.IntN(1e6)))
	}
	return rows
}

func cleanPlan(t testing.TB, scan spec.LeakScan) func(dst, row []byte) ([]byte, error) {
	columns := []string{"id", "state", "link", "lines", "day", "code", "points", "ok"}
	s := situation{ddl: "create table clean (id int, state text, link text, lines text, day timestamptz, code text, points int, ok bool)", scan: scan}
	_, p, checks := s.plan(t)
	if len(checks) > 0 {
		t.Fatal(checks)
	}
	rewrite, err := p.Filter("public", "clean", columns)
	if err != nil {
		t.Fatal(err)
	}
	return rewrite
}

// BenchmarkWatch: the detectors may cost as much as splitting and copying.
func BenchmarkWatch(b *testing.B) {
	rows := cleanRows()
	size := 0
	for _, r := range rows {
		size += len(r)
	}
	run := func(name string, f func(dst, row []byte) ([]byte, error)) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(size))
			b.ReportAllocs()
			var out []byte
			for b.Loop() {
				out = out[:0]
				for _, row := range rows {
					var err error
					if out, err = f(out, row); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
	run("copied", func(dst, row []byte) ([]byte, error) {
		for f := copytext.Split(row); ; {
			field, ok := f.Next()
			if !ok {
				return dst, nil
			}
			dst = append(append(dst, field...), '\t')
		}
	})
	run("watched", cleanPlan(b, spec.LeakScan{}))
	run("tenth", cleanPlan(b, spec.LeakScan{Percent: 10}))
}

func TestWatchAllocatesNothing(t *testing.T) {
	rewrite, rows := cleanPlan(t, spec.LeakScan{}), cleanRows()
	out := make([]byte, 0, 1<<20)
	n := testing.AllocsPerRun(20, func() {
		out = out[:0]
		for _, row := range rows {
			var err error
			if out, err = rewrite(out, row); err != nil {
				t.Fatal(err)
			}
		}
	})
	if n != 0 {
		t.Errorf("%v allocations in %d rows", n, len(rows))
	}
}
