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
	"txt":         terminal(Options{Width: 80, Kept: "reports/demo/20261121T031500Z-3f2a/report.md", Folder: "/srv"}),
	"verbose.txt": terminal(Options{Width: 80, Verbose: true}),
	"color.txt":   terminal(Options{Width: 80, Verbose: true, Color: true}),
	"json":        JSON,
	"junit.xml":   func(w io.Writer, r *verdict.Report) error { return JUnit(w, r, declared) },
	"md":          Markdown,
}

// declared is a drill file whose line 7 declares what row_count checks.
var declared = Source{File: "drills/demo.yaml", Place: func(c verdict.Check) (string, int) {
	if c.Code == verdict.CodeRowCount {
		return "drills/demo.yaml", 7
	}
	return "drills/demo.yaml", 1
}}

func terminal(o Options) func(io.Writer, *verdict.Report) error {
	return func(w io.Writer, r *verdict.Report) error { return Terminal(w, r, o) }
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

func TestInventoryGolden(t *testing.T) {
	t.Parallel()
	undeclared := looked()
	undeclared.Checks = nil
	for name, r := range map[string]*verdict.Report{
		"pass": looked(), "undeclared": undeclared, "error": unreachable(), "interrupted": interrupted(), "spec": misspelled(),
		"fail": looked(collapsing(), verdict.Check{
			ID: "collapse:bytes", Stage: "choose", Code: verdict.CodeCollapse, Outcome: verdict.Skipped, Observed: "8.3MiB", Message: "no history yet",
			Hint: "nothing is wrong",
		}),
	} {
		golden(t, "inventory."+name+".txt", rendered(t, func(w io.Writer, r *verdict.Report) error { return Inventory(w, r, Options{}) }, r))
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

func TestShapesGolden(t *testing.T) {
	t.Parallel()
	r := &verdict.Report{Drill: "shop", Backup: verdict.Backup{Name: "shop-20260304T031500Z.dump"}}
	text := verdict.LowerCase | verdict.UpperCase | verdict.Digits | verdict.Blanks | verdict.Signs | verdict.OtherScripts
	all := []verdict.Shapes{
		{Table: "public.orders", Column: "note", Transform: "set_null", Rows: 1,
			Before: verdict.Shape{Shortest: 7, Median: 7, Longest: 7, Different: 1, Characters: text}, After: verdict.Shape{Nulls: 1}},
		{Table: "public.users", Column: "email", Transform: "email", Link: "person_email", Rows: 20000,
			Before: verdict.Shape{Nulls: 17, Shortest: 9, Median: 24, Longest: 61, Different: 19720, Estimated: true,
				Characters: verdict.LowerCase | verdict.Digits | verdict.Signs},
			After: verdict.Shape{Nulls: 17, Shortest: 32, Median: 32, Longest: 32, Different: 19720, Estimated: true,
				Characters: verdict.LowerCase | verdict.Digits | verdict.Signs}},
		{Table: "public.users", Column: "country", Rows: 20000,
			Before: verdict.Shape{Shortest: 2, Median: 2, Longest: 2, Different: 31, Characters: verdict.UpperCase}},
		{Table: "public.users", Column: "nothing", Transform: "text", Rows: 0},
	}
	for name, width := range map[string]int{"shapes.txt": 80, "shapes.narrow.txt": 40} {
		var b bytes.Buffer
		if err := Shapes(&b, r, all, Options{Width: width}); err != nil {
			t.Fatal(err)
		}
		golden(t, name, b.String())
	}
}
