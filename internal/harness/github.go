package harness

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"daybefore/internal/report"
	"daybefore/internal/spec/tree"
	"daybefore/internal/verdict"
)

// onGitHub reports whether a job of GitHub's runs this.
func onGitHub() bool { return os.Getenv("GITHUB_ACTIONS") == "true" }

// disarm keeps GitHub's runner from taking a line for a command until rearm is
// called: what a drill prints may begin as the author of a backup wished.
func (h *Home) disarm() (rearm func()) {
	if !onGitHub() {
		return func() {}
	}
	word := rand.Text()
	fmt.Fprintf(h.Stdout, "::stop-commands::%s\n", word)
	return func() { fmt.Fprintf(h.Stdout, "::%s::\n", word) }
}

// mostSummary is what GitHub takes of one step.
const mostSummary = 1<<20 - 1

// tellGitHub shows what was found beside the drill file's lines, and as the
// step's summary. What cannot be shown is told, and changes no verdict.
func (h *Home) tellGitHub() {
	if !onGitHub() || len(h.Document.Reports) == 0 {
		return
	}
	var all []report.Drilled
	for _, r := range h.Document.Reports {
		all = append(all, report.Drilled{Report: r, Source: h.source(r.Drill)})
	}
	err := report.Annotations(h.Stdout, all)
	if err != nil {
		fmt.Fprintf(h.Stderr, "warning: the annotations could not be written: %v\n", err)
	}
	path := os.Getenv("GITHUB_STEP_SUMMARY")
	if path == "" {
		return
	}
	err = addSummary(path, all)
	if err != nil {
		fmt.Fprintf(h.Stderr, "warning: the step's summary lacks what was drilled: %v; reports/ has it\n", err)
	}
}

// addSummary adds the reports to what the step's summary holds already.
func addSummary(path string, all []report.Drilled) error {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	text, err := report.Summary(all, mostSummary-int(min(info.Size(), mostSummary)))
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return cmp.Or(err, f.Close())
}

// source is the drill file of that name, with the places that declare its checks.
func (h *Home) source(drill string) report.Source {
	f, known := h.files[drill]
	if !known {
		return report.Source{}
	}
	file := inRepository(f.Path)
	return report.Source{File: file, Place: func(c verdict.Check) (string, int) {
		at := tree.Declared(f.Effective, c.ID, sections[c.Stage]...)
		if at.File != "" {
			return inRepository(at.File), at.Line
		}
		return file, at.Line
	}}
}

// sections are where a drill file says what a stage is to do.
var sections = map[string][]string{
	verdict.StageChoose:  {"inventory", "source"},
	verdict.StageFetch:   {"source"},
	verdict.StageSandbox: {"sandbox"},
	verdict.StageRestore: {"restore", "sandbox"},
	verdict.StageScrub:   {"scrub"},
	verdict.StageExpect:  {"expectations"},
}

// inRepository names a path from the top of the repository that a CI job has
// checked out, as its pages do.
func inRepository(path string) string {
	top := cmp.Or(os.Getenv("GITHUB_WORKSPACE"), os.Getenv("CI_PROJECT_DIR"))
	absolute, err := filepath.Abs(path)
	if top == "" || err != nil {
		return filepath.ToSlash(path)
	}
	return filepath.ToSlash(near(top, absolute))
}

// near is a path as one would type it in a folder: relative to it, if it lies
// below it.
func near(folder, path string) string {
	relative, err := filepath.Rel(folder, path)
	if err != nil || relative == ".." || strings.HasPrefix(relative, ".."+string(filepath.Separator)) {
		return path
	}
	return relative
}
