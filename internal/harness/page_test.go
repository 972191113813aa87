package harness

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"daybefore/internal/drill"
	"daybefore/internal/history"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// pageHome is a home in which nothing ran yet, and what it says on stderr.
func pageHome(t *testing.T) (*Home, *bytes.Buffer) {
	t.Helper()
	var said bytes.Buffer
	return &Home{Dir: t.TempDir(), Stdout: &said, Stderr: &said, Now: time.Now, Log: slog.New(slog.DiscardHandler)}, &said
}

// ran is a drill's report of so many hours ago.
func ran(name string, outcome verdict.Outcome, hours int) *verdict.Report {
	at := time.Now().Add(-time.Duration(hours) * time.Hour).UTC()
	return &verdict.Report{Schema: verdict.Schema, Drill: name, Run: history.NewRunID(at), Outcome: outcome, StartedAt: at, FinishedAt: at,
		Stages: []verdict.Stage{{Name: verdict.StageRestore, Outcome: outcome, Code: verdict.CodeRestoreErrors}},
		Backup: verdict.Backup{Name: "shop.dump", TakenAt: at.Add(-time.Hour)}}
}

func (h *Home) keepAndTend(t *testing.T, r *verdict.Report, keepRuns int) {
	t.Helper()
	if err := h.keepHere(r, nil, nil); err != nil {
		t.Fatal(err)
	}
	h.kept.Store(true)
	h.prune(spec.Loaded{Name: r.Drill, Drill: &spec.Drill{KeepReports: keepRuns}}, nil)
	h.tellPage()
}

func contains(t *testing.T, path string, wanted ...string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range wanted {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s lacks %q", path, want)
		}
	}
}

// After each drill there is its page, and one of all drills that leads to it.
func TestPagesAfterADrill(t *testing.T) {
	t.Parallel()
	h, said := pageHome(t)
	failed := ran("shop", verdict.Fail, 2)
	h.keepAndTend(t, failed, 0)
	h.keepAndTend(t, ran("shop", verdict.Fail, 3), 1)
	h.keepAndTend(t, ran("blog", verdict.Pass, 1), 0)
	contains(t, filepath.Join(h.reportsDir(), "index.html"), "./shop/"+failed.Run+"/report.html", "./blog/", "1 of 2 drills failed: shop.")
	contains(t, filepath.Join(h.reportsDir(), "shop", failed.Run, "report.html"), "would not bring the data back", "../../index.html")
	if runs, err := filepath.Glob(filepath.Join(h.reportsDir(), "shop", "*Z-*")); err != nil || len(runs) != 1 {
		t.Errorf("keep: 1 leaves %q, %v", runs, err)
	}
	if said.Len() > 0 {
		t.Errorf("it said %s", said)
	}
}

// The page is written once after all drills of a command, and of those that were
// drilled before it was interrupted.
func TestPageOnceAfterAll(t *testing.T) {
	t.Parallel()
	for name, runs := range map[string]int{"all": 3, "interrupted": 1} {
		for _, inTheWay := range []bool{false, true} {
			h, said := pageHome(t)
			ctx, interrupt := context.WithCancelCause(t.Context())
			h.Now = func() time.Time { // as the first of them begins
				if name == "interrupted" {
					interrupt(drill.ErrInterrupted)
				}
				return time.Now()
			}
			for _, file := range []string{"a.yaml", "b.yaml", "c.yaml"} {
				put(t, filepath.Join(h.Dir, "drills", file), "version: 2\n")
			}
			index := filepath.Join(h.reportsDir(), "index.html")
			if inTheWay {
				put(t, filepath.Join(index, "x"), "")
			}
			if err := h.Drill(ctx, DrillOptions{Parallel: 1}); err == nil {
				t.Fatalf("%s: files with mistakes pass", name)
			}
			kept, err := filepath.Glob(filepath.Join(h.reportsDir(), "*", "latest.json"))
			if err != nil || len(kept) != runs {
				t.Errorf("%s: %q, %v", name, kept, err)
			}
			warned := strings.Count(said.String(), "the verdict stands")
			if inTheWay && warned != 1 || !inTheWay && warned != 0 {
				t.Errorf("%s: %d warnings in\n%s", name, warned, said)
			}
			if !inTheWay {
				contains(t, index, "Of "+strconv.Itoa(runs)+" of "+strconv.Itoa(runs)+" drill")
			}
		}
	}
}

// After a first drill that was not good, the first of the next steps is to mend what it found.
func TestNextAfterTheFirstDrill(t *testing.T) {
	t.Parallel()
	for outcome, first := range map[verdict.Outcome]bool{verdict.Pass: false, verdict.Warn: false, verdict.Fail: true, verdict.Error: true} {
		h, said := pageHome(t)
		h.tellNext("shop", outcome)
		if got := strings.Contains(said.String(), "Next:\n  first "); got != first || !strings.Contains(said.String(), "gate -name=shop") {
			t.Errorf("%s: %s", outcome, said)
		}
	}
}

// put writes a file, and makes its folder.
func put(t *testing.T, path, text string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
		t.Fatal(err)
	}
}

// Many reports that cannot be read are counted, not all named.
func TestDamagedReportsOnThePage(t *testing.T) {
	t.Parallel()
	h, _ := pageHome(t)
	for hours := range 7 {
		r := ran("shop", verdict.Pass, hours)
		if err := h.keepHere(r, nil, nil); err != nil {
			t.Fatal(err)
		}
		if hours > 0 {
			if err := os.WriteFile(filepath.Join(h.reportsDir(), "shop", r.Run, "report.json"), []byte("{"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	here, err := h.pageOfReports(true)
	if err != nil {
		t.Fatal(err)
	}
	there, err := h.pageOfSource(t.Context(), spec.Source{URL: "file://" + h.reportsDir() + "/"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"here": string(here), "in a store": string(there)} {
		if n := strings.Count(text, "it is not JSON"); n != 3 || !strings.Contains(text, "and 3 more") {
			t.Errorf("%s: %d are named", name, n)
		}
	}
}

// A page that cannot be written is told; the report is kept all the same.
func TestPageThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	h, said := pageHome(t)
	if err := os.MkdirAll(filepath.Join(h.reportsDir(), "index.html", "in the way"), 0o755); err != nil {
		t.Fatal(err)
	}
	r := ran("shop", verdict.Pass, 1)
	h.keepAndTend(t, r, 0)
	if !strings.Contains(said.String(), "index.html") || !strings.Contains(said.String(), "the verdict stands") || r.Outcome != verdict.Pass {
		t.Errorf("%s: it said %q", r.Outcome, said)
	}
	contains(t, filepath.Join(h.reportsDir(), "shop", "latest.json"), r.Run)
}

// Many machines have one page, of the store that they share.
func TestReportOfAHistory(t *testing.T) {
	t.Parallel()
	h, said := pageHome(t)
	shared := t.TempDir()
	for _, r := range []*verdict.Report{ran("eu", verdict.Pass, 2), ran("us", verdict.Fail, 3), ran("us", verdict.Pass, 30)} {
		if err := history.Save(shared, r, nil); err != nil {
			t.Fatal(err)
		}
	}
	to := filepath.Join(t.TempDir(), "page.html")
	if err := h.Report(t.Context(), ReportOptions{History: "file://" + shared, To: to}); err != nil {
		t.Fatal(err)
	}
	contains(t, to, "1 of 2 drills failed: us.", "eu", shared, "no key is known here")
	if !strings.Contains(said.String(), "written: "+to) {
		t.Errorf("it said %q", said)
	}
	for url, want := range map[string]string{
		"https://u:geheim@host/": "credentials", "/srv/reports": "is a path", "file://" + shared + "/none/": "; ",
	} {
		err := h.Report(t.Context(), ReportOptions{History: url, To: to})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "geheim") {
			t.Errorf("%s: %v, want %s", url, err, want)
		}
	}
}

// What nobody signed counts for nothing where a key is known.
func TestSignedReportsOfAHistory(t *testing.T) {
	t.Parallel()
	h, _ := pageHome(t)
	shared := t.TempDir()
	key := spec.Key(strings.Repeat("k", 32))
	if err := history.Save(shared, ran("shop", verdict.Fail, 2), nil, key); err != nil {
		t.Fatal(err)
	}
	if err := history.Save(shared, ran("shop", verdict.Pass, 1), nil); err != nil {
		t.Fatal(err)
	}
	text, err := h.pageOfSource(t.Context(), spec.Source{URL: "file://" + shared + "/"}, map[string][]spec.Key{"shop": {key}})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "1 of 1 drill failed: shop.") || !strings.Contains(string(text), "1 report left out") {
		t.Error("a report that nobody signed counts")
	}
}

// The page of this machine's reports, made again, and elsewhere.
func TestReportOfThisMachine(t *testing.T) {
	t.Parallel()
	h, _ := pageHome(t)
	h.keepAndTend(t, ran("shop", verdict.Pass, 1), 0)
	index := filepath.Join(h.reportsDir(), "index.html")
	if err := os.Remove(index); err != nil {
		t.Fatal(err)
	}
	elsewhere := filepath.Join(t.TempDir(), "index.html")
	for _, o := range []ReportOptions{{}, {To: elsewhere}} {
		if err := h.Report(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	contains(t, index, "./shop/")
	contains(t, elsewhere, "shop")
	if text, err := os.ReadFile(elsewhere); err != nil || strings.Contains(string(text), "./shop/") {
		t.Errorf("it leads to what does not lie beside it, %v", err)
	}
	if err := h.Report(t.Context(), ReportOptions{To: filepath.Join(elsewhere, "x", "y")}); err == nil || !strings.Contains(err.Error(), "report: ") {
		t.Errorf("where no file can be: %v", err)
	}
}
