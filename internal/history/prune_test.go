package history

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// pruned writes a run for each letter, the newest first: p passed, n passed with
// another backup than the newest, f failed, x is damaged; P passed, W warned and F failed
// with one and the same backup; o tells somebody of what is bad, u adds to that, and q says that nothing is. It gives what is left of them
// once they are pruned.
func pruned(t *testing.T, runs string, keepRuns int, keys ...spec.Key) string {
	t.Helper()
	dir := t.TempDir()
	letters := map[string]string{}
	for i, letter := range runs {
		r := report(1000 - i)
		if strings.ContainsRune("PWF", letter) {
			r.Backup.Name = "shop-20261129.dump"
		}
		switch letter {
		case 'f', 'F':
			r.Outcome = verdict.Fail
		case 'W':
			r.Outcome = verdict.Warn
		case 'o', 'u':
			r.Outcome = verdict.Fail
			r.Notified = []verdict.Notified{{By: "slack (X)", Open: []verdict.Open{{Code: verdict.CodeRowCount}}, Unread: letter == 'u'}}
		case 'q':
			r.Outcome = verdict.Fail
			r.Notified = []verdict.Notified{{By: "slack (X)"}}
		case 'n':
			r.Backup.Chosen = "named"
		}
		if err := Save(dir, r, nil, keys...); err != nil {
			t.Fatal(err)
		}
		if letter == 'x' {
			write(t, "{", dir, "shop", r.Run, ReportFile)
		}
		letters[r.Run] = string(letter)
	}
	write(t, "mine", dir, "shop", "before-the-move", "notes.txt")
	if err := Prune(t.Context(), dir, "shop", keepRuns, keys...); err != nil {
		t.Fatal(err)
	}
	return left(t, filepath.Join(dir, "shop"), letters)
}

func left(t *testing.T, dir string, letters map[string]string) (all string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	others := 0
	for _, e := range entries {
		if letter, ok := letters[e.Name()]; ok {
			all = letter + all
		} else {
			others++
		}
		if strings.HasPrefix(e.Name(), tempStart) {
			t.Errorf("left behind: %s", e.Name())
		}
	}
	if want := 3; others != want { // the lock, the latest, and a person's own folder
		t.Errorf("there are %d others, want %d", others, want)
	}
	return all
}

func TestPrune(t *testing.T) {
	t.Parallel()
	p := func(n int) string { return strings.Repeat("p", n) }
	f := func(n int) string { return strings.Repeat("f", n) }
	for i, c := range []struct {
		runs string
		keep int
		want string
	}{
		{p(3), 5, p(3)},
		{p(40), 35, p(35)},
		{p(40), 5, p(30)},               // the last 30 passes are compared with
		{f(40), 5, f(5)},                // nothing is compared with a failure
		{"fp" + f(8), 1, "fp"},          // and the pass before it stays
		{"pf" + p(40), 1, "pf" + p(29)}, // a pass never outlives the failure after it
		{"p" + strings.Repeat("n", 5) + "x", 2, "pn"},
		{"PfFf", 1, "PfF"}, // nor the failure before it, of the same backup
		{"PfWf", 1, "PfW"}, // as a gate that is strict asks
		{"P" + p(29) + "pF" + "f", 1, "P" + p(30) + "F"},
		{p(30) + "PFf", 1, p(30)}, // both go at once
		{"fF", 1, "f"},
		{"fffoo", 1, "fffo"}, // people must be told when it is over
		{"fuffo" + f(2), 1, "fuffo"},
		{"fqoo", 1, "f"}, // as they were
	} {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			if got := pruned(t, c.runs, c.keep); got != c.want {
				t.Errorf("of %s are left %s, want %s", c.runs, got, c.want)
			}
		})
	}
}

// With keys, only what one of them signed is compared with.
func TestPruneSigned(t *testing.T) {
	t.Parallel()
	key := spec.Key(strings.Repeat("k", 32))
	if got := pruned(t, strings.Repeat("p", 34), 2, key); got != strings.Repeat("p", 30) {
		t.Errorf("of 34 signed passes are left %s", got)
	}
}

func TestPruneNothing(t *testing.T) {
	t.Parallel()
	if err := Prune(t.Context(), t.TempDir(), "shop", 1); err != nil {
		t.Error(err)
	}
}

// What people know stands in the newest report that says all of it, and in those since.
func TestTold(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for i, n := range []verdict.Notified{{By: "d", Unread: true}, {By: "c"}, {By: "b", Unread: true}, {By: "a"}} {
		r := report(100 - i)
		r.Notified = []verdict.Notified{n}
		if n.By == "c" {
			r.Backup.Chosen = "named"
		}
		if err := Save(dir, r, nil); err != nil {
			t.Fatal(err)
		}
	}
	var who string
	told, err := Told(t.Context(), dir, nil, "shop")
	for _, n := range told {
		who += n.By
	}
	if err != nil || who != "dba" {
		t.Errorf("%v, %+v", err, told)
	}
}
