package report

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"daybefore/internal/verdict"
)

var update = flag.Bool("update", false, "write testdata anew from what is rendered now")

// renderings are all forms, by the ending of their golden file.
var renderings = map[string]func(io.Writer, *verdict.Report) error{
	"txt":       func(w io.Writer, r *verdict.Report) error { return Terminal(w, r, Options{Width: 80}) },
	"color.txt": func(w io.Writer, r *verdict.Report) error { return Terminal(w, r, Options{Width: 80, Color: true}) },
	"json":      JSON,
	"junit.xml": JUnit,
	"md":        Markdown,
}

func rendered(t *testing.T, render func(io.Writer, *verdict.Report) error, r *verdict.Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := render(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (go test -update writes it anew):\n%s", path, diff)
	}
}

func TestGolden(t *testing.T) {
	t.Parallel()
	for name, r := range fixtures() {
		for ending, render := range renderings {
			t.Run(fmt.Sprintf("%s.%s", name, ending), func(t *testing.T) {
				t.Parallel()
				golden(t, name+"."+ending, rendered(t, render, r))
			})
		}
	}
}

func TestDrillsGolden(t *testing.T) {
	t.Parallel()
	list := []Listing{
		{Name: "demo", Last: passing()}, {Name: "shop", Last: failing()}, {Name: "bot"},
		{Name: "archive", Last: unreachable()},
		{Name: "broken", Note: misspelled().Stages[0].Message},
		{Name: "größe", Last: hostile()},
	}
	now := began.Add(9 * 3600e9)
	golden(t, "drills.txt", rendered(t, func(w io.Writer, _ *verdict.Report) error { return Drills(w, list, now, Options{}) }, nil))
	golden(t, "drills.none.txt", rendered(t, func(w io.Writer, _ *verdict.Report) error { return Drills(w, nil, now, Options{}) }, nil))
}
