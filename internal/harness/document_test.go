package harness_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"daybefore/internal/harness"
	"daybefore/internal/sandbox"
	"daybefore/internal/verdict"
)

// document is what a target under -json wrote: one value, and nothing after it.
func document(t testing.TB, pr *process) (d harness.Document) {
	t.Helper()
	in := json.NewDecoder(&pr.stdout)
	in.DisallowUnknownFields()
	if err := in.Decode(&d); err != nil {
		t.Fatalf("%q: %v\n%s", pr.Args, err, pr.said())
	}
	if more, err := io.ReadAll(io.MultiReader(in.Buffered(), &pr.stdout)); err != nil || strings.TrimSpace(string(more)) != "" {
		t.Errorf("%q wrote more than a document: %q, %v", pr.Args, more, err)
	}
	return d
}

// Under -json every target writes one document, whatever it came to, and its
// words elsewhere.
func TestDocuments(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.demo(sandbox.Local)
	bare := newPlace(t)
	all := func(d harness.Document) bool { return len(d.Targets) == len(harness.UserTargets) }
	nothing := func(d harness.Document) bool { return len(d.Reports) == 0 && d.Reason != "" }
	one := func(d harness.Document, o verdict.Outcome) bool {
		return len(d.Reports) == 1 && d.Reports[0].Outcome == o
	}
	shown := map[string]bool{}
	for _, c := range []struct {
		line string
		at   *place
		code int
		says func(harness.Document) bool
	}{
		{"", p, 0, all}, {"help", p, 0, all},
		{"version", p, 0, func(d harness.Document) bool { return d.HarnessVersion != "" }},
		{"drills", p, 0, func(d harness.Document) bool { return len(d.Drills) == 1 && d.Drills[0].Last == nil }},
		{"validate", p, 0, func(d harness.Document) bool { return len(d.Files) == 1 && len(d.Files[0].Mistakes) == 0 }},
		{"show", p, 0, func(d harness.Document) bool { return len(d.Shown) == 1 && d.Shown[0].Keys[0].Line > 0 }},
		{"inventory", p, 0, func(d harness.Document) bool { return one(d, verdict.Pass) }},
		{"scrub:show -name=demo", p, 0, func(d harness.Document) bool { return len(d.Shapes) > 14 && d.Shapes[0].Before.Longest > 0 }},
		{"scrub:draft -name=demo", p, 0, func(d harness.Document) bool { return strings.HasPrefix(d.Draft.YAML, "# Drafted from ") }},
		{"gate -name=demo", p, 0, func(d harness.Document) bool {
			return d.Gates[0].Open && d.Gates[0].Drilled != "" && one(d, verdict.Pass)
		}},
		{"gate -name=demo", p, 0, func(d harness.Document) bool {
			return d.Gates[0].Open && d.Gates[0].Drilled == "" && len(d.Reports) == 0
		}},
		{"report", p, 0, func(d harness.Document) bool { return strings.HasSuffix(d.Written, "index.html") }},
		{"runbook -name=demo", p, 0, func(d harness.Document) bool { return strings.HasSuffix(d.Written, "RECOVERY.md") }},
		{"init -name=demo", p, 0, func(d harness.Document) bool { return d.Written == "" && len(d.Questions) == 0 }},
		{"clean", p, 0, func(d harness.Document) bool { return d.Removed != nil }},
		{"drill", p, 10, func(d harness.Document) bool { return one(d, verdict.Fail) }},
		{"witness -name=demo", p, 10, func(d harness.Document) bool { return one(d, verdict.Fail) }},
		{"mute -name=demo -check=x -why=y -until=1d", p, 11, nothing},
		{"accept -name=demo -check=x -why=y", p, 11, nothing}, {"baseline -name=demo", p, 10, func(d harness.Document) bool { return one(d, verdict.Fail) }},
		{"verify -name=demo", p, 11, nothing}, {"image 17 -packages=x", p, 11, nothing},
		{"build", bare, 11, nothing}, {"scenarios", bare, 11, func(d harness.Document) bool { return d.Scenarios[0].Result == "not run" }},
		{"drill", bare, 11, nothing}, {"gaet", bare, 11, nothing}, {"drill -name=", bare, 11, nothing},
	} {
		if c.code == 10 && c.line == "drill" {
			p.spoil()
		}
		pr := c.at.start(append(strings.Fields(c.line), "-json")...)
		code := pr.end()
		d := document(t, pr)
		target, _, _ := strings.Cut(c.line, " ")
		shown[target] = true
		if code != c.code || d.ExitCode != c.code || (d.Reason == "") != (code == 0) || d.Schema != 1 || !c.says(d) {
			t.Errorf("%s: code %d, want %d: %+v\n%s", c.line, code, c.code, d, pr.said())
		}
		if code == 0 && target != "" && d.Target != target {
			t.Errorf("%s calls itself %s", target, d.Target)
		}
	}
	for _, target := range harness.UserTargets {
		if !shown[target.Name] {
			t.Errorf("%s was not asked for a document", target.Name)
		}
	}
}

// A document that cannot be written is no pass.
func TestADocumentThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("this system has no /dev/full")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	p := newPlace(t)
	p.demo(sandbox.Local)
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"validate", "-json"}, "Error: write the document that -json asks for: write /dev/stdout: no space left"},
		{[]string{"drill", "-name=nope", "-json"}, "nor could it be written as JSON"},
	} {
		cmd := exec.Command(binary(t), c.args...)
		cmd.Stdout = full
		pr := p.startCmd(cmd)
		if code := pr.end(); code != 11 || !strings.Contains(pr.stderr.String(), c.says) {
			t.Errorf("%q: %d\n%s", slices.Clone(c.args), code, pr.said())
		}
	}
}
