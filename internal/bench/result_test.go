package bench

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"daybefore/internal/verdict"
)

func TestSpread(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		of   []float64
		want Spread
	}{
		{nil, Spread{}},
		{[]float64{2}, Spread{2, 2, 2}},
		{[]float64{3, 1}, Spread{2, 1, 3}},
		{[]float64{9, 1, 2}, Spread{2, 1, 9}},
	} {
		if got := spread(c.of); got != c.want {
			t.Errorf("%v: %+v, want %+v", c.of, got, c.want)
		}
	}
}

// A ratio is that of one round, and the median that of the ratios: not the
// ratio of medians, which a slow round of the machine would spoil.
func TestConclude(t *testing.T) {
	t.Parallel()
	sample := func(round int, way Way, wall, cpu float64, peak int64) Sample {
		return Sample{Round: round, Way: way, Wall: wall, ServerCPU: cpu / 2, HarnessCPU: cpu / 2, PeakRSS: peak}
	}
	r := &Result{Dump: Dump{Scale: "1"}, Samples: []Sample{
		sample(1, ByHand, 10, 10, 1e6), sample(1, Usual, 40, 1, 1e6), sample(1, Scrubbed, 10, 9.6, 50e6), sample(1, Plain, 8, 8, 1e6),
		sample(2, Plain, 100, 8, 1e6), sample(2, ByHand, 100, 10, 1e6), sample(2, Usual, 400, 1, 1e6), sample(2, Scrubbed, 90, 9.7, 65e6),
		sample(3, Scrubbed, 19, 9, 50e6), sample(3, Plain, 16, 8, 1e6), sample(3, ByHand, 20, 10, 1e6), sample(3, Usual, 50, 1, 1e6),
	}}
	r.conclude()
	want := map[string]bool{
		"scrubbed / by_hand, CPU": true, "scrubbed / by_hand, wall": false, "plain / by_hand, CPU": false,
		"plain / by_hand, wall": false, "scrubbed / usual, wall": false, "scrubbed, harness MB": true, "plain, harness MB": false,
	}
	if diff := cmp.Diff(want, brokenOf(r.Limits)); diff != "" {
		t.Error(diff)
	}
	if got := r.Limits[1].Spread; math.Abs(got.Median-0.95) > 1e-9 || got.Min != 0.9 || got.Max != 1 {
		t.Errorf("scrubbed / by_hand, wall: %+v", got)
	}
	if got := r.Ways[0]; got.Way != ByHand || got.Wall != (Spread{20, 10, 100}) {
		t.Errorf("by hand: %+v", got)
	}
}

// brokenOf are the limits that count, and whether each is broken.
func brokenOf(limits []Limit) map[string]bool {
	all := map[string]bool{}
	for _, l := range limits {
		if l.Counts {
			all[l.Name] = l.Broken
		}
	}
	return all
}

// A limit counts where it says: the restore alone of a small database, all
// others from scale 1 on. Elsewhere none is broken, and all are shown.
func TestConcludeAtScale(t *testing.T) {
	t.Parallel()
	for scale, want := range map[string]map[string]bool{
		"0.1": {},
		"0.2": {"restore alone, scrubbed / by_hand": true, "restore alone, plain / by_hand": false},
		"0.5": {},
		"2":   {"scrubbed / by_hand, CPU": true, "scrubbed / by_hand, wall": true, "plain / by_hand, CPU": true, "plain / by_hand, wall": true, "scrubbed, harness MB": false, "plain, harness MB": false},
	} {
		r := &Result{Dump: Dump{Scale: scale}, Samples: []Sample{
			{Round: 1, Way: ByHand, Wall: 1, ServerCPU: 1, Steps: map[string]int64{"pg_restore": 1000, "count": 9000}},
			{Round: 1, Way: Scrubbed, Wall: 2, ServerCPU: 2, Steps: map[string]int64{"restore": 11001, "sandbox": 1}},
			{Round: 1, Way: Plain, Wall: 2, ServerCPU: 2, Steps: map[string]int64{"restore": 11000}},
		}}
		r.conclude()
		if diff := cmp.Diff(want, brokenOf(r.Limits)); diff != "" {
			t.Errorf("scale %s: %s", scale, diff)
		}
		if len(r.Limits) != 8 {
			t.Errorf("scale %s: %d limits are shown", scale, len(r.Limits))
		}
	}
}

// What was not measured breaks no limit, and keeps none.
func TestConcludeLeavesOut(t *testing.T) {
	t.Parallel()
	r := &Result{Samples: []Sample{{Round: 1, Way: ByHand, Wall: 1, ServerCPU: 1}, {Round: 1, Way: Plain, Wall: 2, ServerCPU: 1}}}
	r.conclude()
	var names []string
	for _, l := range r.Limits {
		names = append(names, l.Name)
	}
	want := []string{"plain / by_hand, CPU", "plain / by_hand, wall", "restore alone, plain / by_hand", "plain, harness MB"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Error(diff)
	}
}

func TestOverLimit(t *testing.T) {
	t.Parallel()
	l := Limit{Name: "a", Limit: 1, Spread: Spread{2, 1, 3}}
	if err := overLimit([]Limit{l.judged(2)}); err != nil {
		t.Errorf("what does not count was judged: %v", err)
	}
	l.Counts = true
	err := overLimit([]Limit{l.judged(1), l.judged(2)})
	if exitCode(err) != verdict.ExitFail || !strings.HasSuffix(err.Error(), "over the limit: a 2.00 (1.00–3.00) (limit 1.00)") {
		t.Errorf("%v", err)
	}
	if err := overLimit([]Limit{l.judged(1)}); err != nil {
		t.Error(err)
	}
}

func TestParseCPU(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]float64{
		"24058020\n": 0.02405802,
		"nr_periods 0\nusage_usec 1500000\nuser_usec 1\n": 1.5,
	} {
		if got, err := parseCPU(text); err != nil || got != want {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "-1", "usage_usec x", "user_usec 7"} {
		if got, err := parseCPU(text); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func FuzzParseCPU(f *testing.F) {
	f.Add("24058020\n")
	f.Add("usage_usec 1500000\n")
	f.Fuzz(func(t *testing.T, text string) {
		if got, err := parseCPU(text); err == nil && got < 0 {
			t.Errorf("%v seconds", got)
		}
	})
}

func TestParseLog(t *testing.T) {
	t.Parallel()
	got, ok := parseLog(`time=2026-11-21T06:40:16.123Z level=DEBUG msg=stage drill=demo stage=fetch outcome=pass ms=4`)
	want := seen{time.Date(2026, 11, 21, 6, 40, 16, 123e6, time.UTC), "stage fetch: a part ended"}
	if !ok || !got.at.Equal(want.at) || got.what != want.what {
		t.Errorf("%+v", got)
	}
	if got, ok := parseLog(`time=2026-11-21T06:40:16.123+01:00 level=WARN msg="a \"word\" of it" stage=x`); !ok || got.what != `a "word" of it` {
		t.Errorf("%+v", got)
	}
	for _, line := range []string{"", "stage", "time= msg=x", "time=2026-11-21T06:40:16Z level=INFO"} {
		if got, ok := parseLog(line); ok {
			t.Errorf("%q: %+v", line, got)
		}
	}
	l := &logTimes{}
	for _, part := range []string{"time=2026-11-21T06:40:16Z msg=o", "ne\ntime=2026-11-21T06:40:17Z msg=two\ntime="} {
		l.Write([]byte(part))
	}
	if len(l.moments) != 2 || l.moments[0].what != "one" || l.moments[1].what != "two" {
		t.Errorf("%+v", l.moments)
	}
}

func FuzzParseLog(f *testing.F) {
	f.Add(`time=2026-11-21T06:40:16.123Z level=DEBUG msg="a \" b" stage=fetch`)
	f.Fuzz(func(t *testing.T, line string) {
		if got, ok := parseLog(line); ok && got.what == "" {
			t.Errorf("%q says nothing", line)
		}
	})
}

func TestSteps(t *testing.T) {
	t.Parallel()
	got := stepsOf("step docker run at 100.500000\nnoise\nstep x at \nstep counts at 101.000000\n", time.Unix(100, 0))
	if len(got) != 2 || got[0].what != "docker run" || got[0].at != 500 || got[1].at != 500 {
		t.Errorf("%+v", got)
	}
}

func TestProgramOf(t *testing.T) {
	t.Parallel()
	for command, want := range map[string]string{
		` sh -c echo $$ >"$1"; exec "$@" sh /daybefore/run/pid-1 /daybefore/run pg_restore -v -L /daybefore/share/list-pre-data /x`: "pg_restore list-pre-data",
		" pg_restore -l": "pg_restore",
		" pg_restore -L": "pg_restore",
		" cat x":         "",
	} {
		if got := programOf(command); got != want {
			t.Errorf("%q: %q, want %q", command, got, want)
		}
	}
}

// Every scale makes whole tables, whose numbers of rows the foreign keys of
// the others know.
func TestSlices(t *testing.T) {
	t.Parallel()
	for name, scale := range Scales {
		for _, table := range tables {
			n := table.numRows(scale)
			if sql := table.slice(scale, 1, n); n < 1 || strings.Contains(sql, "$") || strings.Contains(sql, "%!") {
				t.Errorf("scale %s, %s: %d rows by %s", name, table.name, n, sql)
			}
		}
	}
}
