package spec

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var inBackquotes = regexp.MustCompile("`([^`]*)`")

// The page's table has every transform once, and says of each what the table here
// says.
func TestPageOfTransformsIsCurrent(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/scrub.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "\n| transform | makes | keeps apart | for |\n|---|---|---|---|\n")
	table, _, _ = strings.Cut(table, "\n\n")
	var told []string
	for _, line := range strings.Split(table, "\n") {
		cells := strings.Split(strings.Trim(line, "|"), "|")
		if len(cells) != 4 {
			t.Fatalf("not a row of four cells: %s", line)
		}
		names, parameters, _ := strings.Cut(cells[0], " with ")
		for _, name := range inBackquotes.FindAllStringSubmatch(names, -1) {
			told = append(told, name[1])
			rowIsCurrent(t, name[1], parameters, strings.TrimSpace(cells[2]), strings.TrimSpace(cells[3]))
		}
	}
	slices.Sort(told)
	if known := slices.Sorted(slices.Values(TransformNames())); !slices.Equal(told, known) {
		t.Errorf("the page tells of %q, a drill file may name %q", told, known)
	}
}

// The page says of each transform, once, what it does not hide.
func TestPageSaysWhatIsNotHidden(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/scrub.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "\n| transform | does not hide |\n|---|---|\n")
	table, _, _ = strings.Cut(table, "\n\n")
	var told []string
	for line := range strings.Lines(table) {
		names, hides, found := strings.Cut(strings.Trim(line, "|\n "), "|")
		if !found || strings.TrimSpace(hides) == "" {
			t.Errorf("%s says nothing", line)
		}
		for _, name := range inBackquotes.FindAllStringSubmatch(names, -1) {
			told = append(told, name[1])
		}
	}
	slices.Sort(told)
	if known := slices.Sorted(slices.Values(TransformNames())); !slices.Equal(told, known) {
		t.Errorf("the page tells of %q, a drill file may name %q", told, known)
	}
}

// rowIsCurrent compares what the page says of a transform with its row.
func rowIsCurrent(t *testing.T, name, parameters, apart, types string) {
	t.Helper()
	row, _ := TransformNamed(name)
	if want := map[string]string{"template": "with one that does", "set_null": "all are gone"}[name]; want != "" {
		if apart != want {
			t.Errorf("%s keeps apart %q, and not %q", name, apart, want)
		}
	} else if row.Apart != (apart == "yes") || !row.Apart && apart != "" {
		t.Errorf("%s keeps values apart: %q on the page, %v in the table", name, apart, row.Apart)
	}
	if row.For != types {
		t.Errorf("%s is for %q on the page, for %q in the table", name, types, row.For)
	}
	for _, p := range row.Needs {
		if !strings.Contains(parameters, "`"+p.Key) {
			t.Errorf("the page does not say that %s needs %s", name, p.Key)
		}
	}
}

// What a row says a rule needs is among what it takes, and is asked for.
func TestNeedsOfTransforms(t *testing.T) {
	t.Parallel()
	for _, row := range Transforms {
		for _, p := range row.Needs {
			if !row.takes(p.Key) {
				t.Errorf("%s needs %s, and does not take it", row.Name, p.Key)
			}
			path := write(t, t.TempDir(), "shop.yaml", drillFile(rule("{column: a.b.c, transform: "+row.Name+"}")))
			want := row.Name + " without " + p.named()
			if _, err := (Loader{}).Load(path); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v, want %s", err, want)
			}
		}
	}
}
