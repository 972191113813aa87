package history

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"daybefore/internal/verdict"
)

func TestGlances(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	read := 0
	runs := func(version, most int) (string, []string) {
		t.Helper()
		all, damaged, err := Glances(dir, "shop", version, most, func(r *verdict.Report) string {
			read++
			return r.Run
		})
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(all, " "), damaged
	}
	if got, _ := runs(1, 9); got != "" {
		t.Errorf("before the first report: %s", got)
	}
	one, two, three := report(1), report(2), report(3)
	keep(t, dir, one)
	keep(t, dir, two)
	keep(t, dir, three)
	newest := three.Run + " " + two.Run
	for _, c := range []struct {
		version, read int
		what          string
	}{{1, 2, "each report once"}, {1, 2, "nothing again"}, {2, 4, "all again for another version"}} {
		if got, _ := runs(c.version, 2); got != newest || read != c.read {
			t.Errorf("%s: %s after %d reads, want %s after %d", c.what, got, read, newest, c.read)
		}
	}
	write(t, "{", dir, "shop", one.Run, ReportFile)
	write(t, "no JSON", dir, "shop", glancesFile)
	if got, damaged := runs(2, 9); got != newest || len(damaged) != 1 || !strings.Contains(damaged[0], one.Run) {
		t.Errorf("%s, damaged %q", got, damaged)
	}
}

// A folder that cannot be written costs time, and nothing else.
func TestGlancesThatCannotBeKept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := report(1)
	keep(t, dir, r)
	if err := os.Mkdir(filepath.Join(dir, "shop", glancesFile), 0o755); err != nil {
		t.Fatal(err)
	}
	all, damaged, err := Glances(dir, "shop", 1, 9, func(r *verdict.Report) string { return r.Run })
	if err != nil || len(all) != 1 || all[0] != r.Run || len(damaged) != 0 {
		t.Errorf("%q, %q, %v", all, damaged, err)
	}
}

// Whoever writes last has seen what everybody kept before.
func TestRenewAtOnce(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "reports") // not there yet
	const writers = 8
	var writing sync.WaitGroup
	for i := range writers {
		writing.Go(func() {
			keep(t, dir, report(i))
			err := Renew(dir, "index.html", func() ([]byte, error) {
				kept, _ := all(dir)
				return []byte(strings.Join(kept, "\n")), nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	writing.Wait()
	text, err := os.ReadFile(filepath.Join(dir, "index.html"))
	if err != nil || strings.Count(string(text), "Z-") != writers {
		t.Errorf("%s, %v", text, err)
	}
	if err := Renew(dir, "index.html", func() ([]byte, error) { return nil, errors.New("no words") }); err == nil || !strings.Contains(err.Error(), "no words") {
		t.Errorf("what cannot be made: %v", err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, tempStart+"*")); len(left) > 0 || err != nil {
		t.Errorf("left behind: %q, %v", left, err)
	}
}

func TestDrillsOfAFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	keep(t, dir, report(1))
	write(t, "", dir, "index.html")
	write(t, "", dir, ".git", "config")
	if names, err := Drills(t.Context(), dir, nil, ""); err != nil || strings.Join(names, " ") != "shop" {
		t.Errorf("%q, %v", names, err)
	}
	if names, err := Drills(t.Context(), filepath.Join(dir, "none"), nil, ""); err != nil || len(names) > 0 {
		t.Errorf("of no folder: %q, %v", names, err)
	}
}
