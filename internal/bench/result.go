package bench

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"

	"daybefore/internal/verdict"
)

// resultSchema is the version of latest.json; keys are added, never renamed.
const resultSchema = 1

// Result is what a bench found: reports/bench/latest.json.
type Result struct {
	Schema    int       `json:"schema"`
	StartedAt time.Time `json:"started_at"`
	Machine   Machine   `json:"machine"`
	Dump      Dump      `json:"dump"`
	Jobs      int       `json:"jobs"`
	Masked    []string  `json:"masked,omitempty"` // features of the processor that drills did without
	Rounds    int       `json:"rounds"`
	Ways      []Summary `json:"ways"`
	Limits    []Limit   `json:"limits"`
	Samples   []Sample  `json:"samples"`
}

// Spread is a median, with the least and the most.
type Spread struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
}

// Summary is one way over all rounds: seconds and bytes.
type Summary struct {
	Way        Way    `json:"way"`
	Wall       Spread `json:"wall_s"`
	CPU        Spread `json:"cpu_s"` // server and harness
	HarnessCPU Spread `json:"harness_cpu_s"`
	MachineCPU Spread `json:"machine_cpu_s"` // all that ran meanwhile
	PeakRSS    Spread `json:"harness_peak_bytes"`
}

// Limit is what was promised of a way: a ratio to another in the same round,
// or megabytes.
type Limit struct {
	Name   string  `json:"name"`
	Limit  float64 `json:"limit"`
	Spread Spread  `json:"spread"`
	Counts bool    `json:"counts"` // at this scale; elsewhere it is only shown
	Broken bool    `json:"broken"`
}

// judged is the limit with its verdict on what was found, where it counts.
func (l Limit) judged(found float64) Limit {
	l.Broken = l.Counts && found > l.Limit
	return l
}

// promise is a limit before it is measured.
type promise struct {
	name     string
	of, to   Way // to is empty: a figure by itself
	measure  func(Sample) float64
	limit    float64
	judgeMax bool                     // by the worst round instead of the median
	counts   func(scale float64) bool // where it is judged
}

func wall(s Sample) float64      { return s.Wall }
func cpu(s Sample) float64       { return s.CPU() }
func megabytes(s Sample) float64 { return float64(s.PeakRSS) / 1e6 }

// restoring is how long the restore alone took, in milliseconds: without the
// server's start, and what is done before and after. A drill counts within it, and
// so the counts by hand belong to it.
func restoring(s Sample) float64 {
	return float64(cmp.Or(s.Steps["restore"], s.Steps["pg_restore"]+s.Steps["count"]))
}

// large is from where on the costs that are fixed weigh less than the limits
// allow for.
func large(scale float64) bool { return scale >= 1 }

// small is where they weigh most, and the restore alone is judged.
func small(scale float64) bool { return scale == smallScale }

const harnessMB = 64

var promises = []promise{
	{"scrubbed / by_hand, CPU", Scrubbed, ByHand, cpu, 0.95, false, large},
	{"scrubbed / by_hand, wall", Scrubbed, ByHand, wall, 0.95, false, large},
	{"plain / by_hand, CPU", Plain, ByHand, cpu, 0.80, false, large},
	{"plain / by_hand, wall", Plain, ByHand, wall, 0.80, false, large},
	{"scrubbed / usual, wall", Scrubbed, Usual, wall, 0.30, false, large},
	{"watched / by_hand, CPU", Watched, ByHand, cpu, 1.10, false, large},
	{"restore alone, scrubbed / by_hand", Scrubbed, ByHand, restoring, 1.10, false, small},
	{"restore alone, plain / by_hand", Plain, ByHand, restoring, 1.10, false, small},
	{"scrubbed, harness MB", Scrubbed, "", megabytes, harnessMB, true, large},
	{"plain, harness MB", Plain, "", megabytes, harnessMB, true, large},
	{"watched, harness MB", Watched, "", megabytes, harnessMB, true, large},
	{"tunnel, harness MB", Tunnel, "", megabytes, harnessMB, true, large},
}

// spread takes the median of an even number as the mean of the middle two.
func spread(of []float64) Spread {
	if len(of) == 0 {
		return Spread{}
	}
	sorted := slices.Sorted(slices.Values(of))
	n := len(sorted)
	return Spread{Median: (sorted[(n-1)/2] + sorted[n/2]) / 2, Min: sorted[0], Max: sorted[n-1]}
}

// conclude fills in what follows from the samples.
func (r *Result) conclude() {
	r.Ways = summaries(r.Samples)
	for _, p := range promises {
		found := inRounds(r.Samples, p.of, p.to, p.measure)
		if len(found) == 0 {
			continue // a way that was left out
		}
		l := Limit{Name: p.name, Limit: p.limit, Spread: spread(found), Counts: p.counts(Scales[r.Dump.Scale])}
		if p.judgeMax {
			l = l.judged(l.Spread.Max)
		} else {
			l = l.judged(l.Spread.Median)
		}
		r.Limits = append(r.Limits, l)
	}
}

// summaries are the ways of the samples, in their order.
func summaries(samples []Sample) (all []Summary) {
	var ways []Way
	for _, s := range samples {
		if !slices.Contains(ways, s.Way) {
			ways = append(ways, s.Way)
		}
	}
	for _, way := range ways {
		over := func(measure func(Sample) float64) Spread { return spread(inRounds(samples, way, "", measure)) }
		all = append(all, Summary{
			Way: way, Wall: over(wall), CPU: over(cpu),
			HarnessCPU: over(func(s Sample) float64 { return s.HarnessCPU }),
			MachineCPU: over(func(s Sample) float64 { return s.MachineCPU }),
			PeakRSS:    over(func(s Sample) float64 { return float64(s.PeakRSS) }),
		})
	}
	return all
}

// inRounds is a measure of a way in every round, or its ratio to another way's
// in the same round.
func inRounds(samples []Sample, way, to Way, measure func(Sample) float64) []float64 {
	var all []float64
	for _, s := range samples {
		if s.Way != way {
			continue
		}
		if to == "" {
			all = append(all, measure(s))
			continue
		}
		i := slices.IndexFunc(samples, func(other Sample) bool { return other.Round == s.Round && other.Way == to })
		if i >= 0 {
			all = append(all, measure(s)/measure(samples[i]))
		}
	}
	return all
}

// overLimit is the verdict of what broke a limit; nil where nothing did.
func overLimit(limits []Limit) error {
	var broken []string
	for _, l := range limits {
		if l.Broken {
			broken = append(broken, fmt.Sprintf("%s %s (limit %.2f)", l.Name, l.Spread.text("%.2f", 1), l.Limit))
		}
	}
	if broken == nil {
		return nil
	}
	return &verdict.Exit{Code: verdict.ExitFail, Reason: "bench: over the limit: " + strings.Join(broken, "; ")}
}

// save writes a result at once or not at all.
func save(path string, result any) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("keep the figures: %w", err)
	}
	if err := writeJSON(path, result); err != nil {
		return fmt.Errorf("keep the figures: %w", err)
	}
	return nil
}

// printWhat says what was measured.
func (r *Result) printWhat(w io.Writer) {
	d := r.Dump
	var rows int64
	for _, n := range d.Rows {
		rows += n
	}
	fmt.Fprintf(w, "%s, %d rows in %d tables, %d of %d columns scrubbed; archive %s (custom, %s)\n",
		inGiB(d.DatabaseBytes), rows, len(d.Rows), d.Scrubbed, d.Columns, inGiB(d.ArchiveBytes), d.Compression)
	fmt.Fprintf(w, "PostgreSQL %s, %s; %d jobs; %d rounds\n", d.ServerVersion, cmp.Or(d.Image, d.Kind), r.Jobs,
		r.Rounds)
	if len(r.Masked) > 0 {
		fmt.Fprintf(w, "drills did without the processor's %s\n", strings.Join(r.Masked, ", "))
	}
}

// print writes the tables.
func (r *Result) print(w io.Writer) error {
	r.printWhat(w)
	fmt.Fprintf(w, "%v\n\n", r.Machine)
	rowsOut := [][]string{}
	for _, s := range r.Ways {
		rowsOut = append(rowsOut, []string{string(s.Way), s.Wall.text("%.1f", 1), s.CPU.text("%.1f", 1),
			s.HarnessCPU.text("%.1f", 1), s.MachineCPU.text("%.1f", 1), s.PeakRSS.text("%.0f", 1e6)})
	}
	if err := writeTable(w, []string{"way", "wall s", "CPU s", "of it harness", "whole machine", "harness peak MB"},
		rowsOut); err != nil {
		return err
	}
	fmt.Fprintln(w)
	return printLimits(w, "median of the rounds", r.Limits)
}

// printLimits writes what was promised. Of what does not count here, it says so.
func printLimits(w io.Writer, title string, limits []Limit) error {
	rowsOut := [][]string{}
	for _, l := range limits {
		word := "kept"
		switch {
		case !l.Counts:
			word = "not judged"
		case l.Broken:
			word = "BROKEN"
		}
		rowsOut = append(rowsOut, []string{l.Name, l.Spread.text("%.2f", 1), fmt.Sprintf("%.2f", l.Limit), word})
	}
	return writeTable(w, []string{title, "found", "limit", ""}, rowsOut)
}

// text is the median, with the least and the most where there are several.
func (s Spread) text(format string, unit float64) string {
	one := func(v float64) string { return fmt.Sprintf(format, v/unit) }
	if s.Min == s.Max {
		return one(s.Median)
	}
	return one(s.Median) + " (" + one(s.Min) + "–" + one(s.Max) + ")"
}

// writeTable writes a table without lines, numbers to the right.
func writeTable(w io.Writer, header []string, rows [][]string) error {
	align := make(tw.Alignment, len(header))
	for i := range align {
		align[i] = tw.AlignRight
	}
	align[0] = tw.AlignLeft
	t := tablewriter.NewTable(w,
		tablewriter.WithRenderer(renderer.NewBlueprint(tw.Rendition{Borders: tw.BorderNone, Settings: tw.Settings{
			Separators: tw.SeparatorsNone, Lines: tw.LinesNone}})),
		tablewriter.WithHeaderAutoFormat(tw.Off),
		tablewriter.WithHeaderAlignmentConfig(tw.CellAlignment{PerColumn: align}),
		tablewriter.WithRowAlignmentConfig(tw.CellAlignment{PerColumn: align}))
	t.Header(header)
	for _, row := range rows {
		if err := t.Append(row); err != nil {
			return err
		}
	}
	return t.Render()
}
