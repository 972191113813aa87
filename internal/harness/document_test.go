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
func document(t *testing.T, pr *process) (d harness.Document) {
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
	held := map[string]func(harness.Document) bool{
		"":           func(d harness.Document) bool { return len(d.Targets) == len(harness.UserTargets) },
		"help":       func(d harness.Document) bool { return len(d.Targets) == len(harness.UserTargets) },
		"drills":     func(d harness.Document) bool { return len(d.Drills) == 1 && d.Drills[0].Last == nil },
		"validate":   func(d harness.Document) bool { return len(d.Files) == 1 && len(d.Files[0].Mistakes) == 0 },
		"version":    func(d harness.Document) bool { return d.HarnessVersion != "" },
		"inventory":  func(d harness.Document) bool { return len(d.Reports) == 1 && len(d.Reports[0].Stages) == 1 },
		"scrub:show": func(d harness.Document) bool { return len(d.Shapes) == 14 && d.Shapes[0].Before.Longest > 0 },
		"scrub:draft": func(d harness.Document) bool {
			return d.Draft != nil && strings.HasPrefix(d.Draft.YAML, "# Drafted from ")
		},
		"drill":   func(d harness.Document) bool { return len(d.Reports) == 1 && d.Reports[0].Outcome == verdict.Pass },
		"gate":    func(d harness.Document) bool { return d.Gate != nil && d.Gate.Open && d.Gate.Drilled == "" },
		"witness": func(d harness.Document) bool { return len(d.Reports) == 1 && len(d.Reports[0].Witnesses) == 1 },
		"clean":   func(d harness.Document) bool { return d.Removed != nil },
	}
	shown := map[string]bool{"": true}
	for _, c := range []struct {
		line string
		at   *place
		code int
	}{
		{"-json", p, 0}, {"help", p, 0}, {"drills", p, 0}, {"validate", p, 0}, {"version", p, 0}, {"inventory", p, 0},
		{"scrub:show -name=demo", p, 0}, {"scrub:draft -name=demo", p, 0}, {"drill", p, 0}, {"gate -name=demo", p, 0}, {"witness -name=demo", p, 0},
		{"clean", p, 0},
		{"accept -name=demo -check=x -why=y", p, 11}, {"baseline -name=demo", p, 11}, {"image 17 -packages=x", p, 11},
		{"build", bare, 11}, {"scenarios", bare, 11}, {"drill", bare, 11}, {"gaet", bare, 11}, {"drill -name=", bare, 11},
	} {
		args := strings.Fields(c.line)
		target := strings.TrimPrefix(args[0], "-json")
		cmd := exec.Command(binary(t), append(args, "-json")...)
		if target == "" {
			cmd.Args = cmd.Args[:2]
		}
		cmd.Env = c.at.environ()
		pr := p.startCmd(cmd)
		code := pr.end()
		d := document(t, pr)
		shown[target] = true
		if code != c.code || d.ExitCode != c.code || (d.Reason == "") != (code == 0) || d.Schema != 1 {
			t.Errorf("%s: code %d, want %d: %+v\n%s", c.line, code, c.code, d, pr.said())
		}
		if code == 0 && (!held[target](d) || target != "" && d.Target != target) {
			t.Errorf("%s: %+v", c.line, d)
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
