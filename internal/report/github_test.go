package report

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"daybefore/internal/verdict"
)

func annotated(t *testing.T, all ...Drilled) string {
	t.Helper()
	var b bytes.Buffer
	if err := Annotations(&b, all); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestAnnotationsGolden(t *testing.T) {
	t.Parallel()
	for name, r := range fixtures() {
		golden(t, name+".annotations", annotated(t, Drilled{r, declared}))
	}
}

// What the runner reads is what was meant: no name of a backup ends a command
// or begins one.
func TestAnnotationsAreCommands(t *testing.T) {
	t.Parallel()
	command := regexp.MustCompile(`^::(error|warning) file=[^:,]+,line=[0-9]+,title=[^:,]+::[^\r\n]+$`)
	for name, r := range fixtures() {
		for line := range strings.Lines(annotated(t, Drilled{r, declared})) {
			if !command.MatchString(strings.TrimSuffix(line, "\n")) {
				t.Errorf("%s: %q", name, line)
			}
		}
	}
	odd := failing()
	odd.Drill = "50%,a:b"
	if got := annotated(t, Drilled{odd, Source{File: "a,b:c%.yaml"}}); !strings.HasPrefix(got, "::error file=a%2Cb%3Ac%25.yaml,title=FAIL 50%25%2Ca%3Ab%3A ") {
		t.Error(got)
	}
	if got := annotated(t, Drilled{odd, Source{}}); !strings.HasPrefix(got, "::error title=") {
		t.Error(got)
	}
}

// A mistake of the defaults is shown in their file.
func TestAnnotationsOfMistakes(t *testing.T) {
	t.Parallel()
	r := &verdict.Report{Drill: "shop", Outcome: verdict.Error, Stages: []verdict.Stage{{Name: verdict.StageChoose, Outcome: verdict.Error,
		Code: verdict.CodeSpec, Message: "../drills/defaults.yaml:1:10: soon\n../drills/shop.yaml:3:1: later"}}}
	got := annotated(t, Drilled{r, Source{File: "ops/drills/shop.yaml"}})
	for _, want := range []string{"file=ops/drills/defaults.yaml,line=1,", "file=ops/drills/shop.yaml,line=3,"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
	if got := annotated(t, Drilled{r, Source{}}); strings.Contains(got, "file=") {
		t.Error(got)
	}
}

// GitHub shows ten of a level, which are the worst.
func TestAnnotationsAreFew(t *testing.T) {
	t.Parallel()
	many := unreachable()
	many.Outcome = verdict.Warn
	for i := range 40 {
		many.Checks = append(many.Checks, verdict.Check{ID: fmt.Sprint("row_count:t", i), Outcome: verdict.Warn, Message: "few"})
	}
	got := annotated(t, Drilled{many, declared}, Drilled{failing(), declared})
	if n := strings.Count(got, "::warning "); n != 10 || !strings.HasPrefix(got, "::error file=drills/demo.yaml,line=1,title=FAIL demo%3A restore_errors::") {
		t.Errorf("%d\n%s", n, got)
	}
}

// The summary begins with a table of all, and each report follows, the worst
// first, as long as there is room.
func TestSummary(t *testing.T) {
	t.Parallel()
	all := []Drilled{{passing(), declared}, {failing(), declared}}
	whole, err := Summary(all, MarkdownLimit)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "summary.md", string(whole))
	for _, room := range []int{len(whole) - 1, len(whole) / 2, 400} {
		less, err := Summary(all, room)
		if err != nil || len(less) > room || !strings.HasSuffix(string(less), markdownRest) {
			t.Errorf("in %d bytes: %d, %v", room, len(less), err)
		}
	}
	if _, err := Summary(all, 10); err == nil {
		t.Error("ten bytes were enough")
	}
}
