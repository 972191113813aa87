package harness

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"daybefore/internal/catalog"
	"daybefore/internal/history"
	"daybefore/internal/report"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

func TestChoicesAreUnderstoodOrRefused(t *testing.T) {
	t.Parallel()
	one, two := make([]spec.Loaded, 1), make([]spec.Loaded, 2)
	for _, c := range []struct {
		o     DrillOptions
		files []spec.Loaded
		says  string // empty: it is understood
	}{
		{DrillOptions{}, two, ""},
		{DrillOptions{Backup: "shop-1.dump"}, one, ""},
		{DrillOptions{Backup: "./shop.dump"}, one, ""},
		{DrillOptions{Before: "2026-11-29"}, two, ""},
		{DrillOptions{Before: "2026-11-29T06:00Z"}, two, ""},
		{DrillOptions{Pick: "random"}, two, ""},
		{DrillOptions{Pick: "unproven"}, two, ""},
		{DrillOptions{Copy: 2}, two, ""},
		{DrillOptions{Backup: "shop-1.dump"}, two, "say of which drill it is"},
		{DrillOptions{Backup: "./shop.dump"}, two, "say of which drill it is"},
		{DrillOptions{Before: "yesterday"}, one, "it takes a time"},
		{DrillOptions{Pick: "oldest"}, one, "it takes random or unproven"},
		{DrillOptions{Copy: -1}, one, "give 1 for the first"},
		{DrillOptions{Pick: "random", Copy: 1}, one, "keep one of them"},
		{DrillOptions{Backup: "x", Before: "2026-11-29"}, one, "keep one of them"},
	} {
		_, err := c.o.choice(c.files)
		if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%+v: %v, want %q", c.o, err, c.says)
		}
	}
	for name, local := range map[string]bool{"./a": true, "../a": true, "/a": true, "a": false, "a/b": false, ".a": false} {
		c, err := DrillOptions{Backup: name}.choice(one)
		if err != nil || (c.local != "") != local || local && !filepath.IsAbs(c.local) {
			t.Errorf("-backup=%s: %+v, %v", name, c, err)
		}
	}
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	d := &spec.Drill{Source: spec.Source{Location: berlin}}
	q, err := choice{before: "2026-07-01 06:00"}.forDrill(t.Context(), d, nil, time.Now())
	if want := time.Date(2026, 7, 1, 4, 0, 0, 0, time.UTC); err != nil || q.By != catalog.ByTime || !q.Before.Equal(want) {
		t.Errorf("%+v, %v; want %s", q, err, want)
	}
}

// A report of another backup than the newest opens no gate, is nothing to be
// compared with, and counts for what was proven.
func TestAnotherBackupsReportOpensNothing(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 29, 6, 0, 0, 0, time.UTC)
	dir := t.TempDir()
	d := &spec.Drill{Name: "shop", SHA256: "file"}
	newest := verdict.Backup{Store: "s", Name: "shop-2", ETag: "e"}
	report := func(chosen string, at time.Time, outcome verdict.Outcome) *verdict.Report {
		r := &verdict.Report{Schema: verdict.Schema, Drill: "shop", DrillSHA256: "file", HarnessVersion: "h", Outcome: outcome,
			Run: history.NewRunID(at), StartedAt: at, FinishedAt: at, Backup: newest}
		r.Backup.Chosen = chosen
		return r
	}
	q := question{drill: d, harness: "h", backup: newest, at: now, within: 24 * time.Hour}
	for _, chosen := range []string{"named", "before", "random", "unproven", "copy 1", "local"} {
		passed := history.Kept{Run: "r", Report: report(chosen, now.Add(-time.Hour), verdict.Pass), Proven: true}
		if why := q.refuse([]history.Kept{passed}); !strings.Contains(why, "asked for") {
			t.Errorf("%s: the gate says %q", chosen, why)
		}
	}
	ofNewest := history.Kept{Run: "r", Report: report("newest", now.Add(-time.Hour), verdict.Pass), Proven: true}
	if why := q.refuse([]history.Kept{ofNewest}); why != "" {
		t.Errorf("the newest's: %s", why)
	}
	for i, r := range []*verdict.Report{
		report("newest", now.Add(-9*time.Hour), verdict.Pass), report("random", now.Add(-5*time.Hour), verdict.Pass),
		report("named", now.Add(-3*time.Hour), verdict.Fail), report("copy 1", now.Add(-time.Hour), verdict.Pass),
	} {
		r.Run = history.NewRunID(r.StartedAt)
		if i > 0 {
			r.Backup.Name = "shop-1"
		}
		if err := history.Save(dir, r, nil); err != nil {
			t.Fatal(err)
		}
	}
	past := history.Read(context.Background(), dir, nil, "shop")
	if len(past.Passing) != 1 || past.Passing[0].Backup.Chosen != "newest" {
		t.Errorf("compared with %d reports: %+v", len(past.Passing), past)
	}
	last, err := history.Newest(t.Context(), dir, nil, "shop")
	if err != nil || last.Backup.Chosen != "newest" {
		t.Errorf("the newest's last: %+v, %v", last, err)
	}
	rec := &record{dir: dir, drill: "shop"}
	drilled, err := rec.drilled(t.Context(), now)
	if err != nil {
		t.Fatal(err)
	}
	at, proven := drilled(catalog.Entry{Name: "shop-1", ETag: "e"})
	if !proven || !at.Equal(now.Add(-3*time.Hour)) {
		t.Errorf("shop-1 was drilled %s, %v", at, proven)
	}
	at, proven = drilled(catalog.Entry{Name: "shop-1", ETag: "another"})
	if proven || !at.IsZero() {
		t.Errorf("another one of that name: %s, %v", at, proven)
	}
}

// A drill of another backup that cannot begin is no report of the newest either.
func TestAChoiceThatCannotBeMadeIsOfNoNewest(t *testing.T) {
	t.Parallel()
	h, _ := pageHome(t)
	rec := &record{dir: h.reportsDir(), drill: "shop", err: errors.New("the store is away")}
	f := spec.Loaded{Name: "shop", Drill: &spec.Drill{Name: "shop"}}
	r := h.runFile(t.Context(), f, rec, report.NewScreen(io.Discard), request{choice: choice{pick: pickUnproven}, now: h.Now()})
	if r.Outcome != verdict.Error || r.Backup.IsNewest() || r.Backup.Chosen != pickUnproven {
		t.Errorf("%s, %+v, %+v", r.Outcome, r.Backup, r.Stages)
	}
}
