package leakscan

import (
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"strings"
	"testing"

	"daybefore/internal/copytext"
	"daybefore/internal/detect"
	"daybefore/internal/scrub/schema"
)

// watched are a watcher of columns as a shop's tables have them, its people, and rows
// without a hit, with where their fields end.
func watched(people *People) (w *Watcher, rows [][]byte, ends [][]int) {
	table := &schema.Table{Name: schema.Name{Schema: "public", Table: "clean"}}
	var columns []*schema.Column
	scanners := map[*schema.Column]detect.Scanner{}
	for _, name := range []string{"state", "link", "lines", "code"} {
		c := &schema.Column{Table: table, Name: name, SQL: "text", Base: schema.Type{Schema: "pg_catalog", Name: "text", Kind: "b"}}
		columns = append(columns, c)
		scanners[c] = detect.NewScanner(detect.All).Named(name)
	}
	w = NewWatcher(columns, scanners, Rows{
		Charset: copytext.ASCIISafe, Decode: &copytext.Decoder{}, People: people,
		Found: func(*schema.Column, detect.Hit) bool { return true },
	})
	words := strings.Fields("the parcel arrived on Monday and its box was open so please send a new one to our office before the end of this week")
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 4096 {
		var text []byte
		for len(text) < 120 {
			text = append(append(text, words[random.IntN(len(words))]...), ' ')
		}
		row := fmt.Appendf(nil, "shipped\thttps://example.com/p/%s/%d\t%s\tDE-%d", words[i%20], i*31, text, random.IntN(1e6))
		rows = append(rows, row)
		ends = append(ends, copytext.ASCIISafe.AppendEnds(nil, row))
	}
	return w, rows, ends
}

// BenchmarkPeople: counting names may cost a tenth of what the detectors do.
func BenchmarkPeople(b *testing.B) {
	for _, who := range []struct {
		name   string
		people *People
	}{{"nobody", nil}, {"people", NewPeople(maphash.MakeSeed())}} {
		b.Run(who.name, func(b *testing.B) {
			w, rows, ends := watched(who.people)
			b.ReportAllocs()
			for b.Loop() {
				for i, row := range rows {
					if _, err := w.Look(row, ends[i]); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}

// Names that stand in the first rows, or in any part of many, are met: what is
// sampled is even.
func TestPeopleAmongManyRows(t *testing.T) {
	t.Parallel()
	for _, of := range []int{100, 100_000} {
		people := NewPeople(maphash.MakeSeed())
		w, _, _ := watched(people)
		for i := range of {
			row := fmt.Appendf(nil, "x\ty\tAda %s\t%d", strings.Repeat("Smith ", 1+i%2)+[]string{"Miller", "Jones", "Brown"}[i%3]+string(rune('a'+i/3%26)), i)
			if _, err := w.Look(row, copytext.ASCIISafe.AppendEnds(nil, row)); err != nil {
				t.Fatal(err)
			}
		}
		found := people.Found()
		if len(found) != 1 {
			t.Fatalf("%d rows: %v", of, found)
		}
		for at, names := range found {
			if at.Column.Name != "lines" || names.Count < 20 || names.Few {
				t.Errorf("%d rows: %s, %+v", of, at.Column.Name, names)
			}
		}
	}
}

// A null is no value, and several blocks of one column are counted together.
func TestPeopleInBlocks(t *testing.T) {
	t.Parallel()
	people := NewPeople(maphash.MakeSeed())
	w, _, _ := watched(people)
	other := NewWatcher([]*schema.Column{w.fields[0].column}, map[*schema.Column]detect.Scanner{w.fields[0].column: w.fields[0].scanner},
		Rows{Charset: copytext.ASCIISafe, Decode: &copytext.Decoder{}, People: people, Found: w.found})
	for i := range 12 {
		for part, v := range map[*Watcher]string{other: "Anna Miller", w: "Ada Smith"} {
			row := fmt.Appendf(nil, "%s%c", v, 'a'+i)
			if part == w {
				row = append(row, "\t\\N\t\\N\t\\N"...)
			}
			if len(people.Found()) > 0 && i < 10 {
				t.Fatalf("%d values of each are too few", i)
			}
			if _, err := part.Look(row, copytext.ASCIISafe.AppendEnds(nil, row)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for at, counter := range people.counters {
		if _, values := counter.Sampled(); (values > 0) != (at.Column.Name == "state") {
			t.Errorf("%s: %d values", at.Column.Name, values)
		}
	}
	if found := people.Found(); found[PeoplePlace{Column: w.fields[0].column.Root()}].Count != 24 || len(found) != 1 {
		t.Errorf("%v", found)
	}
}
