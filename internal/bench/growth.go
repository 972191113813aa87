package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"daybefore/internal/machine"
)

const (
	growthScales = "0.5,1,2,5,10"
	growthTables = "1000,3000,10000"
	growthRounds = 1
	// none leaves a part out.
	none       = "none"
	mostTables = 100_000

	// flatness is how far from its median over all sizes a cost may be, as a
	// share of it.
	flatness = 0.10
	// growth is how much larger a figure may be than the one that it is
	// compared with.
	growth = 1.10
	// Below these sizes the cost of a start is all that is seen.
	leastScale  = 0.5
	leastTables = 1000
)

// Grown is what Growth found: reports/bench/growth.json.
type Grown struct {
	Schema    int       `json:"schema"`
	StartedAt time.Time `json:"started_at"`
	Machine   Machine   `json:"machine"`
	Jobs      int       `json:"jobs"`
	Rounds    int       `json:"rounds"`
	Scales    []Size    `json:"scales"`
	Tables    []Size    `json:"tables"`
	Limits    []Limit   `json:"limits"`
}

// Size is a database of one size, over all rounds.
type Size struct {
	Dump    Dump      `json:"dump"`  // without the rows of each table
	Units   float64   `json:"units"` // GiB, or thousands of tables
	Ways    []Summary `json:"ways"`
	Samples []Sample  `json:"samples"`
}

// Growth measures how the cost of a drill grows with the database, and with the
// number of its tables, beside a restore by hand. It writes
// reports/bench/growth.json; its error carries the process's exit code, as
// Run's does.
func Growth(ctx context.Context, o Options) error {
	o.Rounds = cmp.Or(o.Rounds, growthRounds)
	o.Ways = string(ByHand) + "," + string(Scrubbed)
	o = o.withDefaults()
	ctx, stop := machine.Interruptible(ctx)
	defer stop()
	g, err := o.grow(ctx)
	if err != nil {
		return unmeasured(ctx, "%v", err)
	}
	g.conclude()
	if err := save(filepath.Join(o.Dir, "reports", "bench", "growth.json"), g); err != nil {
		return unmeasured(ctx, "%v", err)
	}
	if err := g.print(o.Stdout); err != nil {
		return unmeasured(ctx, "print the tables: %v", err)
	}
	return overLimit(g.Limits)
}

// grow measures all sizes, the smallest first.
func (o Options) grow(ctx context.Context) (*Grown, error) {
	shops, err := o.shops()
	if err != nil {
		return nil, err
	}
	manies, err := o.manies()
	if err != nil {
		return nil, err
	}
	if shops == nil && manies == nil {
		return nil, errors.New("-scales=none and -tables=none leave nothing to measure")
	}
	r, err := o.begin(ctx, slices.Concat(shops, manies)...)
	if err != nil {
		return nil, err
	}
	g := &Grown{Schema: r.Schema, StartedAt: r.StartedAt, Machine: r.Machine, Jobs: r.Jobs, Rounds: r.Rounds}
	g.Scales, err = o.sizes(ctx, shops, func(d Dump) float64 { return float64(d.DatabaseBytes) / gib })
	if err != nil {
		return nil, err
	}
	g.Tables, err = o.sizes(ctx, manies, func(d Dump) float64 { return float64(len(d.Rows)) / 1000 })
	return g, err
}

// sizes measures databases one after the other.
func (o Options) sizes(ctx context.Context, recipes []recipe, units func(Dump) float64) ([]Size, error) {
	all := []Size{}
	for _, r := range recipes {
		fmt.Fprintf(o.Stderr, "growth: the database %s\n", r.scale)
		d, samples, err := o.runWays(ctx, r)
		if err != nil {
			return nil, fmt.Errorf("the database %s: %w", r.scale, err)
		}
		size := Size{Dump: d, Units: units(d), Ways: summaries(samples), Samples: samples}
		size.Dump.Rows = nil
		all = append(all, size)
	}
	return all, nil
}

// shops are the databases of -scales, the smallest first.
func (o Options) shops() ([]recipe, error) {
	if o.Scales == none {
		return nil, nil
	}
	names := strings.Split(cmp.Or(o.Scales, growthScales), ",")
	slices.SortFunc(names, func(a, b string) int { return cmp.Compare(Scales[a], Scales[b]) })
	var all []recipe
	for _, name := range slices.Compact(names) {
		if err := checkScale("-scales", name); err != nil {
			return nil, err
		}
		all = append(all, shop(name))
	}
	return all, nil
}

// manies are the databases of -tables, the smallest first.
func (o Options) manies() ([]recipe, error) {
	if o.Tables == none {
		return nil, nil
	}
	var numbers []int
	for text := range strings.SplitSeq(cmp.Or(o.Tables, growthTables), ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > mostTables {
			return nil, fmt.Errorf("-tables: %q is no number from 1 to %d", text, mostTables)
		}
		numbers = append(numbers, n)
	}
	slices.Sort(numbers)
	var all []recipe
	for _, n := range slices.Compact(numbers) {
		all = append(all, many(n))
	}
	return all, nil
}

// of is what a way took.
func (s Size) of(way Way) Summary {
	i := slices.IndexFunc(s.Ways, func(w Summary) bool { return w.Way == way })
	if i < 0 {
		return Summary{}
	}
	return s.Ways[i]
}

// cpuPer is the CPU time of a scrubbed drill for each unit, in seconds.
func (s Size) cpuPer() float64 { return s.of(Scrubbed).CPU.Median / s.Units }

// peak is the most memory of the harness in any round, in megabytes.
func (s Size) peak() float64 { return s.of(Scrubbed).PeakRSS.Max / 1e6 }

// conclude fills in the limits. Costs are to be flat; memory may be less
// where there is less.
func (g *Grown) conclude() {
	if len(g.Scales) > 0 {
		counts := Scales[g.Scales[0].Dump.Scale] >= leastScale
		away := toMedian(each(g.Scales, Size.cpuPer))
		for i := range away {
			away[i] = math.Abs(away[i] - 1)
		}
		peaks := each(g.Scales, Size.peak)
		for _, l := range []Limit{
			{Name: "scrubbed, CPU per GiB, away from the median", Limit: flatness, Spread: spread(away), Counts: counts},
			{Name: "scrubbed, harness MB", Limit: harnessMB, Spread: spread(peaks), Counts: counts},
			{Name: "scrubbed, harness MB / its median", Limit: growth, Spread: spread(toMedian(peaks)), Counts: counts},
		} {
			g.Limits = append(g.Limits, l.judged(l.Spread.Max))
		}
	}
	if len(g.Tables) > 0 {
		fewest, most := g.Tables[0], g.Tables[len(g.Tables)-1]
		l := Limit{Name: "scrubbed, CPU per table, most / fewest tables", Limit: growth,
			Spread: spread([]float64{most.cpuPer() / fewest.cpuPer()}), Counts: fewest.Units*1000 >= leastTables}
		g.Limits = append(g.Limits, l.judged(l.Spread.Max))
	}
}

// toMedian are values as multiples of their median.
func toMedian(of []float64) []float64 {
	median := spread(of).Median
	return each(of, func(v float64) float64 { return v / median })
}

// print writes the tables.
func (g *Grown) print(w io.Writer) error {
	if err := g.printWhat(w); err != nil {
		return err
	}
	if err := printSizes(w, "scale", "GiB", g.Scales); err != nil {
		return err
	}
	if err := printSizes(w, "tables", "1,000", g.Tables); err != nil {
		return err
	}
	return printLimits(w, "over all sizes", g.Limits)
}

// printWhat says where was measured.
func (g *Grown) printWhat(w io.Writer) error {
	d := slices.Concat(g.Scales, g.Tables)[0].Dump
	fmt.Fprintf(w, "PostgreSQL %s, %s; %d jobs; %d rounds\n", d.ServerVersion, cmp.Or(d.Image, d.Kind), g.Jobs, g.Rounds)
	_, err := fmt.Fprintf(w, "%v\n\n", g.Machine)
	return err
}

// printSizes writes what each size took for a unit of it.
func printSizes(w io.Writer, name, unit string, sizes []Size) error {
	if len(sizes) == 0 {
		return nil
	}
	header := []string{name, unit}
	for _, what := range []string{"CPU s", "wall s"} {
		header = append(header, fmt.Sprintf("%s / %s: by_hand", what, unit), "scrubbed", "ratio")
	}
	header = append(header, "harness CPU s / "+unit, "peak MB")
	var rows [][]string
	for _, s := range sizes {
		row := []string{strings.TrimPrefix(s.Dump.Scale, manyPrefix), fmt.Sprintf("%.2f", s.Units)}
		for _, c := range []struct {
			measure func(Sample) float64
			of      func(Summary) Spread
		}{
			{cpu, func(s Summary) Spread { return s.CPU }},
			{wall, func(s Summary) Spread { return s.Wall }},
		} {
			row = append(row, c.of(s.of(ByHand)).text("%.1f", s.Units), c.of(s.of(Scrubbed)).text("%.1f", s.Units),
				spread(inRounds(s.Samples, Scrubbed, ByHand, c.measure)).text("%.2f", 1))
		}
		row = append(row, s.of(Scrubbed).HarnessCPU.text("%.2f", s.Units), s.of(Scrubbed).PeakRSS.text("%.0f", 1e6))
		rows = append(rows, row)
	}
	if err := writeTable(w, header, rows); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w)
	return err
}
