package bench

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"daybefore/internal/sandbox"
	"daybefore/internal/spec"
)

// Two databases and two numbers of tables are measured and none is judged,
// since at such sizes a start is most of it.
func TestGrowth(t *testing.T) {
	t.Parallel()
	needLocal(t)
	o, tmp := withDump(t, sandbox.Local)
	o.Scales, o.Tables = smallest, "50,20"
	var out, said bytes.Buffer
	o.Stdout, o.Stderr = &out, &said
	if err := Growth(t.Context(), o); err != nil {
		t.Fatalf("%v\n%s", err, &said)
	}
	leftBehind(t, tmp)
	text, err := os.ReadFile(filepath.Join(o.Dir, "reports", "bench", "growth.json"))
	if err != nil {
		t.Fatal(err)
	}
	var g Grown
	if err := json.Unmarshal(text, &g); err != nil {
		t.Fatal(err)
	}
	if len(g.Scales) != 1 || len(g.Tables) != 2 || g.Tables[0].Units != 0.02 || g.Tables[1].Units != 0.05 || len(g.Limits) != 4 {
		t.Errorf("%+v", g)
	}
	for _, s := range append(g.Scales, g.Tables...) {
		if len(s.Samples) != 2 || s.Units <= 0 || s.cpuPer() <= 0 || s.peak() <= 0 || s.Dump.Rows != nil {
			t.Errorf("not measured: %+v", s)
		}
	}
	for _, want := range []string{"CPU s / GiB: by_hand", "CPU s / 1,000: by_hand", "most / fewest tables", "not judged"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the tables lack %q:\n%s", want, &out)
		}
	}
}

// sizeOf is a size whose scrubbed drill took so many CPU seconds for a unit.
func sizeOf(scale string, units, cpuPer float64, peak int64) Size {
	samples := []Sample{{Round: 1, Way: Scrubbed, Wall: 1, ServerCPU: units * cpuPer, PeakRSS: peak}}
	return Size{Dump: Dump{Scale: scale}, Units: units, Ways: summaries(samples), Samples: samples}
}

func TestGrownIsJudged(t *testing.T) {
	t.Parallel()
	const flat, memory, growing, tables = "scrubbed, CPU per GiB, away from the median", "scrubbed, harness MB",
		"scrubbed, harness MB / its median", "scrubbed, CPU per table, most / fewest tables"
	for name, c := range map[string]struct {
		g    Grown
		want map[string]bool
	}{
		"flat": {
			Grown{Scales: []Size{sizeOf("0.5", 1, 10.5, 30e6), sizeOf("1", 2, 10, 50e6), sizeOf("10", 20, 9.5, 54e6)},
				Tables: []Size{sizeOf("tables-1000", 1, 10, 30e6), sizeOf("tables-10000", 10, 10.5, 300e6)}},
			map[string]bool{flat: false, memory: false, growing: false, tables: false},
		},
		"growing": {
			Grown{Scales: []Size{sizeOf("0.5", 1, 8.8, 50e6), sizeOf("1", 2, 10, 50e6), sizeOf("10", 20, 10, 65e6)},
				Tables: []Size{sizeOf("tables-1000", 1, 10, 30e6), sizeOf("tables-10000", 10, 11.5, 30e6)}},
			map[string]bool{flat: true, memory: true, growing: true, tables: true},
		},
		"too small": {Grown{Scales: []Size{sizeOf("0.05", 1, 50, 90e6), sizeOf("1", 2, 10, 10e6)},
			Tables: []Size{sizeOf("tables-50", 0.05, 1, 1), sizeOf("tables-10000", 10, 2, 1)}}, map[string]bool{}},
		"one part": {Grown{Scales: []Size{sizeOf("1", 1, 10, 1e6)}}, map[string]bool{flat: false, memory: false, growing: false}},
	} {
		c.g.conclude()
		if diff := cmp.Diff(c.want, brokenOf(c.g.Limits)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestGrowthRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		o    Options
		want string
	}{
		{Options{Scales: "1,3"}, "-scales=3 is not known; there are: 0.01,"},
		{Options{Tables: "1000,0"}, `-tables: "0" is no number from 1 to 100000`},
		{Options{Tables: "many"}, `-tables: "many" is no number`},
		{Options{Scales: none, Tables: none}, "leave nothing to measure"},
		{Options{Kind: "vm"}, "-kind=vm"},
		{Options{room: func(string) (uint64, int64, bool) { return 1, 10 * gib, true }}, "iB of room, and there are 10.0 GiB ("},
	} {
		c.o.Dir, c.o.Cache = t.TempDir(), t.TempDir()
		refusedBy(t, Growth, c.o, c.want)
	}
}

// What is kept adds up; what is restored is gone before the next.
func TestNeedsOfSeveral(t *testing.T) {
	t.Parallel()
	needs := Options{Ways: "by_hand,scrubbed"}.needs(Machine{}, shop("1"), shop("2"), many(1000))
	want := []int64{3*archiveBytes + 1000*manyArchiveBytes, 2 * archiveBytes, 2*filledBytes + fixedBytes}
	for i, n := range needs {
		if n.bytes != want[i] {
			t.Errorf("%s: %d bytes, want %d", n.what, n.bytes, want[i])
		}
	}
}

// The drill file of ten thousand tables is one that a drill takes.
func TestManyTables(t *testing.T) {
	t.Parallel()
	const n = 10_000
	r := many(n)
	if len(r.rows) != n || strings.Count(r.text, "add foreign key") != n/10 || strings.Contains(r.text, "%!") {
		t.Errorf("%d tables, %d foreign keys", len(r.rows), strings.Count(r.text, "add foreign key"))
	}
	j := (&dumped{Dump: Dump{Kind: sandbox.Local, Rows: r.rows}, archive: "/backups/tables/bench.dump"}).job(Scrubbed, 2)
	j.Drilled = r.drillings()[Scrubbed]
	file := filepath.Join(t.TempDir(), "bench.yaml")
	if err := os.WriteFile(file, []byte(j.drillFile()), 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := spec.Load(file)
	if err != nil || len(d.Expectations.Tables) != n {
		t.Errorf("%v", err)
	}
}
