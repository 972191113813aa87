package history_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"daybefore/internal/catalog"
	"daybefore/internal/catalog/storetest"
	"daybefore/internal/history"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

var night = time.Date(2026, 11, 21, 3, 15, 0, 0, time.UTC)

func report(drill string, minutes int, outcome verdict.Outcome) *verdict.Report {
	at := night.Add(time.Duration(minutes) * time.Minute)
	return &verdict.Report{
		Schema: verdict.Schema, Drill: drill, Run: history.NewRunID(at), Outcome: outcome, StartedAt: at, FinishedAt: at.Add(time.Minute),
	}
}

// place is a store, and a way to put a foreign file into it.
type place struct {
	history.Store
	put func(name, text string)
}

// places are a directory and a bucket: both must keep a history alike.
func places(t *testing.T) map[string]func(*testing.T) place {
	return map[string]func(*testing.T) place{
		"file": func(t *testing.T) place {
			dir := t.TempDir()
			return place{shelf(t, spec.Source{URL: "file://" + dir}), func(name, text string) {
				path := filepath.Join(dir, name)
				if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
					t.Fatal(err)
				}
			}}
		},
		"s3": func(t *testing.T) place {
			s := storetest.S3(t)
			for name, value := range map[string]string{"AWS_ACCESS_KEY_ID": s.AccessKey, "AWS_SECRET_ACCESS_KEY": s.SecretKey,
				"AWS_EC2_METADATA_DISABLED": "true"} {
				t.Setenv(name, value)
			}
			src := spec.Source{URL: "s3://" + s.Bucket + "/past/", Endpoint: s.Endpoint, PathStyle: true}
			return place{shelf(t, src), func(name, text string) {
				if err := s.Put(t.Context(), "past/"+name, []byte(text)); err != nil {
					t.Fatal(err)
				}
			}}
		},
	}
}

func shelf(t *testing.T, src spec.Source) history.Store {
	t.Helper()
	s, err := catalog.OpenShelf(t.Context(), src)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestStores(t *testing.T) { // not parallel: the bucket's keys are in the environment
	for kind, open := range places(t) {
		for name, test := range map[string]func(*testing.T, place){
			"a past without a disk": testWithoutDisk, "concurrent runs": testConcurrent, "damaged entries": testDamaged,
			"acceptances": testAcceptances, "the newest report": testNewest, "written once": testOnce, "copies of a file": testCopies,
		} {
			t.Run(kind+"/"+name, func(t *testing.T) { test(t, open(t)) })
		}
	}
}

func save(t *testing.T, s history.Store, r *verdict.Report) *verdict.Report {
	t.Helper()
	if err := history.SaveTo(t.Context(), s, r, nil); err != nil {
		t.Fatal(err)
	}
	return r
}

func localRuns(p history.Past) (runs []string) {
	for _, r := range p.Passing {
		runs = append(runs, r.Run)
	}
	return runs
}

// What one machine kept, another knows; what both know counts once.
func testWithoutDisk(t *testing.T, s place) {
	dir := t.TempDir()
	if p := history.Read(t.Context(), dir, s, "shop"); p.Problem != nil || len(p.Passing)+len(p.Damaged) > 0 {
		t.Fatalf("an empty store: %+v", p)
	}
	first := save(t, s, report("shop", 0, verdict.Pass))
	second := save(t, s, report("shop", 10, verdict.Warn))
	save(t, s, report("shop", 15, verdict.Fail))
	save(t, s, report("bot", 16, verdict.Pass))
	here := report("shop", 5, verdict.Pass)
	for _, r := range []*verdict.Report{here, second} {
		if err := history.Save(dir, r, nil); err != nil {
			t.Fatal(err)
		}
	}
	p := history.Read(t.Context(), dir, s, "shop")
	if want := []string{second.Run, here.Run, first.Run}; !slices.Equal(localRuns(p), want) || len(p.Damaged) > 0 || p.Problem != nil {
		t.Errorf("%q, want %q (%+v)", localRuns(p), want, p)
	}
	var many []string
	for i := range spec.MostPast + 3 {
		many = append(many, save(t, s, report("busy", i, verdict.Pass)).Run)
	}
	slices.Reverse(many)
	if p := history.Read(t.Context(), dir, s, "busy"); !slices.Equal(localRuns(p), many[:spec.MostPast]) {
		t.Errorf("%d runs, want the newest %d", len(p.Passing), spec.MostPast)
	}
}

func testConcurrent(t *testing.T, s place) {
	const n = 16
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			if err := history.SaveTo(t.Context(), s, report("shop", i, verdict.Pass), nil); err != nil {
				t.Error(err)
			}
			if p := history.Read(t.Context(), t.TempDir(), s, "shop"); p.Problem != nil || len(p.Damaged) > 0 {
				t.Errorf("a reader met half of it: %+v", p)
			}
		})
	}
	all.Wait()
	if p := history.Read(t.Context(), t.TempDir(), s, "shop"); len(p.Passing) != n {
		t.Errorf("%d of %d entries are left", len(p.Passing), n)
	}
}

func testDamaged(t *testing.T, s place) {
	good := save(t, s, report("shop", 0, verdict.Pass))
	foreign, err := report("bot", 1, verdict.Pass).JSON()
	if err != nil {
		t.Fatal(err)
	}
	s.put("shop/20261121T050000Z-dead/report.json", "{")
	s.put("shop/20261121T060000Z-beef/report.json", string(foreign))
	s.put("shop/accepted-20261121T070000Z-0000.json", `{"schema": 1, "drill": "bot", "check": "x", "at": "2026-11-21T07:00:00Z"}`)
	s.put("shop/notes.txt", "kept by a person")
	p := history.Read(t.Context(), t.TempDir(), s, "shop")
	if !slices.Equal(localRuns(p), []string{good.Run}) || p.Problem != nil || len(p.Accepted) > 0 {
		t.Errorf("%+v", p)
	}
	said := strings.Join(p.Damaged, "\n")
	for _, want := range []string{s.URL() + "shop/20261121T050000Z-dead/report.json", `a report of the drill "bot"`, `it is of the drill "bot"`} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is not in %s", want, said)
		}
	}
	if len(p.Damaged) != 3 {
		t.Errorf("%d damaged: %s", len(p.Damaged), said)
	}
	// What is damaged here and whole there is whole.
	dir := t.TempDir()
	if err := history.Save(dir, good, nil); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "shop", good.Run, "report.json"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if p := history.Read(t.Context(), dir, s, "shop"); !slices.Equal(localRuns(p), []string{good.Run}) {
		t.Errorf("%q", localRuns(p))
	}
}

func testAcceptances(t *testing.T, s place) {
	here := t.TempDir()
	const id = "row_count_change:public.orders"
	for i, to := range []string{"100", "40"} {
		a := history.Acceptance{Drill: "shop", Check: id, Run: "r", From: "200", To: to, Why: "purge", Who: "ada", At: night.Add(time.Duration(i) * time.Hour)}
		name, b, err := history.Accept(here, a)
		if err != nil {
			t.Fatal(err)
		}
		if err := history.NoteTo(t.Context(), s, "shop", name, b); err != nil {
			t.Fatal(err)
		}
	}
	for where, p := range map[string]history.Past{
		"here": history.Read(t.Context(), here, nil, "shop"), "elsewhere": history.Read(t.Context(), t.TempDir(), s, "shop"),
		"both": history.Read(t.Context(), here, s, "shop"),
	} {
		if len(p.Accepted) != 2 || p.AcceptedFor(id).To != "40" || p.AcceptedFor(id).Note().Why != "purge" || len(p.Damaged) > 0 {
			t.Errorf("%s: %+v", where, p)
		}
	}
}

func testNewest(t *testing.T, s place) {
	dir := t.TempDir()
	if _, err := history.Newest(t.Context(), dir, s, "shop"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("before the first report: %v", err)
	}
	if err := history.Save(dir, report("shop", 0, verdict.Pass), nil); err != nil {
		t.Fatal(err)
	}
	failed := save(t, s, report("shop", 10, verdict.Fail))
	if r, err := history.Newest(t.Context(), dir, s, "shop"); err != nil || r.Run != failed.Run {
		t.Errorf("%+v, %v", r, err)
	}
	s.put("shop/20261121T050000Z-dead/report.json", "{")
	var damaged *history.DamagedError
	if _, err := history.Newest(t.Context(), dir, s, "shop"); !errors.As(err, &damaged) {
		t.Errorf("an older report stands in for a damaged one: %v", err)
	}
}

func testOnce(t *testing.T, s place) {
	r := save(t, s, report("shop", 0, verdict.Pass))
	again := *r
	again.Outcome = verdict.Fail
	if err := history.SaveTo(t.Context(), s, &again, nil); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a second report of one run: %v", err)
	}
	if p := history.Read(t.Context(), t.TempDir(), s, "shop"); len(p.Passing) != 1 {
		t.Error("the first was replaced")
	}
	again.Drill = "../shop"
	if err := history.SaveTo(t.Context(), s, &again, nil); err == nil {
		t.Error("a drill's name led out of its folder")
	}
}

// A store that cannot be read is no empty past.
func TestUnreadableStore(t *testing.T) {
	t.Parallel()
	gone := filepath.Join(t.TempDir(), "not-mounted")
	s := shelf(t, spec.Source{URL: (&url.URL{Scheme: "file", Path: gone}).String()})
	p := history.Read(t.Context(), t.TempDir(), s, "shop")
	if p.Problem == nil || p.Problem.Outcome != verdict.Error || !strings.Contains(fmt.Sprint(p.Problem.Hint), "history") {
		t.Errorf("%+v", p.Problem)
	}
	if err := history.SaveTo(context.Background(), s, report("shop", 0, verdict.Pass), nil); err == nil {
		t.Error("a directory was made where no disk is mounted")
	}
	if _, err := os.Stat(gone); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
}
