package detect

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// labeled is a column of a public schema and what it was judged to hold: see
// testdata/names/README.md.
type labeled struct {
	table, column, kind string
	family              Family
}

const (
	harmless = "-"
	unclear  = "?" // reasonable people differ: not counted
)

func readLabeled(t *testing.T, file string) []labeled {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	families := map[string]Family{"text": Text, "number": Number, "time": Time}
	var all []labeled
	for line := range strings.Lines(string(text)) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(f) != 4 {
			t.Fatalf("%s: %q has not four fields", file, line)
		}
		family, ok := families[f[2]]
		if !ok {
			t.Fatalf("%s: %q is of no family", file, line)
		}
		all = append(all, labeled{f[0], f[1], f[3], family})
	}
	return all
}

// tally is how the detector did on labeled columns.
type tally struct {
	personal, found    int
	harmless, refused  int
	unclear, suspected int
}

func (c *tally) add(o tally) {
	c.personal += o.personal
	c.found += o.found
	c.harmless += o.harmless
	c.refused += o.refused
	c.unclear += o.unclear
	c.suspected += o.suspected
}

func (c *tally) String() string {
	return fmt.Sprintf("%4d of %4d found (%.1f %%), %3d of %4d refused wrongly (%.1f %%), %3d of %3d unclear ones",
		c.found, c.personal, percent(c.found, c.personal), c.refused, c.harmless, percent(c.refused, c.harmless),
		c.suspected, c.unclear)
}

func percent(n, of int) float64 { return 100 * float64(n) / float64(max(of, 1)) }

// measure counts, and says of what it got wrong by wrong.
func measure(columns []labeled, wrong func(c labeled, what string)) tally {
	var n tally
	for _, c := range columns {
		what, _ := Column(c.table, c.column, c.family)
		told := 0
		if what != "" {
			told = 1
		}
		switch c.kind {
		case harmless:
			n.harmless++
			n.refused += told
		case unclear:
			n.unclear++
			n.suspected += told
			continue
		default:
			n.personal++
			n.found += told
		}
		if (what != "") != (c.kind != harmless) {
			wrong(c, what)
		}
	}
	return n
}

// TestNames: nine of ten personal columns of public schemas are known by their
// names, and three of a hundred harmless ones at most are taken for personal.
// The half of the schemas that was put aside is told in sums only.
func TestNames(t *testing.T) {
	t.Parallel()
	const least, most = 90.0, 3.0
	for _, half := range []string{"tuned", "aside"} {
		files, err := filepath.Glob(filepath.Join("testdata", "names", half, "*.tsv"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d schemas, %v", half, len(files), err)
		}
		var all tally
		for _, file := range files {
			schema := strings.TrimSuffix(filepath.Base(file), ".tsv")
			n := measure(readLabeled(t, file), func(c labeled, what string) {
				if half == "tuned" {
					t.Logf("%s: %s.%s is %s, and was told as %q", schema, c.table, c.column, c.kind, what)
				}
			})
			if half == "tuned" {
				t.Logf("%-18s%v", schema, &n)
			}
			all.add(n)
		}
		t.Logf("%-18s%v", half, &all)
		if found := percent(all.found, all.personal); found < least {
			t.Errorf("%s: %.1f %% of the personal columns were found, fewer than %v", half, found, least)
		}
		if refused := percent(all.refused, all.harmless); refused > most {
			t.Errorf("%s: %.1f %% of the harmless columns were refused, more than %v", half, refused, most)
		}
	}
}
