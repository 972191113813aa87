package bench

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"strconv"
	"strings"

	"daybefore/internal/machine"
	"daybefore/internal/verdict"
)

// filterPromises are what the parts of the scrub may cost, as multiples of
// what cannot be done without: Go benchmarks of internal/scrub. What has no
// limit is only shown.
var filterPromises = []struct {
	what, of, to string
	limit        float64
}{
	{"a keyed e-mail / a bare digest", "Transform/email", "Transform/digest", 3},
	{"a realistic name / a bare digest", "Transform/name", "Transform/digest", 3},
	{"rows split, looked at by all detectors and copied / split and copied", "Watch/watched", "Watch/copied", 2},
	{"an order with three paths, the rest kept / validated by encoding/json", "Document/keep", "Document/valid", 0.72},
	{"an order with three paths, the rest redacted / validated by encoding/json", "Document/redact", "Document/valid",
		0.72},
	{"the same, the rest kept and looked at by all detectors", "Document/watch", "Document/valid", 0},
	{"an order with escapes, the rest kept / validated by encoding/json", "Escaped/keep", "Escaped/valid", 0},
	{"the same, the rest redacted", "Escaped/redact", "Escaped/valid", 0},
	{"a list of people, 17 values by three paths, the rest kept / validated by encoding/json", "Contacts/keep",
		"Contacts/valid", 0},
	{"the same, the rest redacted", "Contacts/redact", "Contacts/valid", 0},
}

// filterBenchmarks picks those of the promises.
const filterBenchmarks = "^Benchmark(Transform|Watch|Document|Escaped|Contacts)$/" +
	"^(digest|email|name|copied|watched|valid|keep|redact|watch)$"

// Filter runs the benchmarks of the scrub's parts, in turns, and compares
// them. Its error carries the process's exit code, as Run's does.
func Filter(ctx context.Context, o Options) error {
	ctx, stop := machine.Interruptible(ctx)
	defer stop()
	if o.Rounds == 0 {
		o.Rounds = 5
	}
	all := map[string][]float64{}
	for range o.Rounds {
		if err := o.benchmarks(ctx, all); err != nil {
			return unmeasured(ctx, "%v", err)
		}
	}
	broken, err := printFilter(o.Stdout, all)
	switch {
	case err != nil:
		return unmeasured(ctx, "%v", err)
	case len(broken) > 0:
		return &verdict.Exit{Code: verdict.ExitFail, Reason: "dev:filter: over the limit: " + strings.Join(broken, "; ")}
	}
	return nil
}

// benchmarks runs each once, and adds its nanoseconds.
func (o Options) benchmarks(ctx context.Context, all map[string][]float64) error {
	cmd := exec.CommandContext(ctx, "go", "test", "-run=^$", "-bench="+filterBenchmarks, "-benchtime=200ms",
		"./internal/scrub/...")
	cmd.Dir, cmd.Stderr = o.Dir, o.Stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("run the scrub's benchmarks: %w\n%s", err, out)
	}
	return parseBenchmarks(bytes.NewReader(out), all)
}

// benchmarkLine is a line of go test's output: BenchmarkName-2  100  12.3 ns/op.
var benchmarkLine = regexp.MustCompile(`^Benchmark(\S+?)(?:-\d+)?\s+\d+\s+([\d.]+) ns/op`)

func parseBenchmarks(r io.Reader, all map[string][]float64) error {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		m := benchmarkLine.FindStringSubmatch(lines.Text())
		if m == nil {
			continue
		}
		ns, err := strconv.ParseFloat(m[2], 64)
		if err != nil {
			return err
		}
		all[m[1]] = append(all[m[1]], ns)
	}
	return lines.Err()
}

// printFilter writes the table and tells which limits are broken.
func printFilter(w io.Writer, all map[string][]float64) (broken []string, err error) {
	var rows [][]string
	for _, p := range filterPromises {
		of, to := all[p.of], all[p.to]
		if len(of) == 0 || len(of) != len(to) {
			return nil, fmt.Errorf("compare %s with %s: %d and %d results", p.of, p.to, len(of), len(to))
		}
		var ratios []float64
		for i := range of {
			ratios = append(ratios, of[i]/to[i])
		}
		s := spread(ratios)
		limit := fmt.Sprintf("%.2f", p.limit)
		word := "kept"
		switch {
		case p.limit == 0:
			limit, word = "", ""
		case s.Median > p.limit:
			word = "BROKEN"
			broken = append(broken, fmt.Sprintf("%s %.2f (limit %.2f)", p.what, s.Median, p.limit))
		}
		rows = append(rows, []string{p.what, s.text("%.2f", 1), limit, word})
	}
	return broken, writeTable(w, []string{"median of the rounds", "found", "limit", ""}, rows)
}
