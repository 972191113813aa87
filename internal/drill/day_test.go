package drill_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"daybefore/internal/drill"
	"daybefore/internal/pgtest"
	"daybefore/internal/sandbox"
	"daybefore/internal/spec"
	"daybefore/internal/spec/calendar"
	"daybefore/internal/verdict"
)

// daily is the demo's drill of backups that are named by their day, judged in a
// zone as of the backup's own time, in a store that holds the dump of 3:15 on
// the fourth of March under these names.
func daily(t *testing.T, zone string, names ...string) *spec.Drill {
	t.Helper()
	dump, err := os.ReadFile("../../drills/demo/backups/shop-20260304T031500Z.dump")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("../../drills/demo.yaml")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "daily.yaml")
	for _, replace := range [][2]string{
		{"name: shop-{time}.dump", "name: shop-{time}*.dump"}, {"time: 20060102T150405Z", "time: 2006-01-02"}, {"timezone: UTC\n  # How far",
			"timezone: " + zone + "\n  # How far"},
		{"url: file:demo/backups/", "url: file:" + filepath.Join(dir, "store") + "/"}, {"checksum: required", "checksum: if_present"},
		{"as_of: 2026-03-04T05:00:00Z", "as_of: backup"},
		{"baseline: drills/demo/schema.json, ", "baseline: " + mustAbs(t, "../../drills/demo/schema.json") + ", "},
		{"url: file:demo/admin.jsonl", "url: file:" + mustAbs(t, "../../drills/demo/admin.jsonl")},
	} {
		if strings.Count(string(text), replace[0]) != 1 {
			t.Fatalf("the demo does not say %q once", replace[0])
		}
		text = []byte(strings.Replace(string(text), replace[0], replace[1], 1))
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "store"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(dir, "store", name), dump, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d, err := spec.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	d.Sandbox.Kind = sandbox.Local
	d.Inventory = spec.Inventory{BackupAge: &spec.Age{FailAfter: 24 * time.Hour}}
	return d
}

func mustAbs(t *testing.T, path string) string {
	t.Helper()
	abs, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return abs
}

// A name that tells the day stands for all of it: the header's time counts, and
// the dump of another day is an old one under a new name.
func TestANameOfADay(t *testing.T) {
	t.Parallel()
	taken := time.Date(2026, 3, 4, 3, 15, 0, 0, time.UTC)
	for _, c := range []struct {
		name, zone string
		backups    []string
		after      time.Duration // now, after the dump
		want       verdict.Outcome
		code       verdict.Code
		says       string
	}{
		{"its day", "UTC", []string{"shop-2026-03-04.dump"}, 20 * time.Hour, verdict.Pass, "", ""},
		{"by its header too old", "UTC", []string{"shop-2026-03-04.dump"}, 25 * time.Hour, verdict.Fail, verdict.CodeBackupAge, "1h older than the 1d allowed"},
		{"the next day's name", "UTC", []string{"shop-2026-03-05.dump"}, 22 * time.Hour, verdict.Fail, verdict.CodeTimeMismatch,
			"2026-03-05T00:00:00Z to 2026-03-06T00:00:00Z and its header 2026-03-04"},
		{"the day before's name", "UTC", []string{"shop-2026-03-03.dump"}, time.Hour, verdict.Fail, verdict.CodeTimeMismatch, "3h15m0s apart"},
		{"the day of another zone", "Asia/Tokyo", []string{"shop-2026-03-04.dump"}, time.Hour, verdict.Pass, "", ""},
		{"two of one day", "UTC", []string{"shop-2026-03-04.a.dump", "shop-2026-03-04.b.dump"}, time.Hour, verdict.Error, verdict.CodeSpec,
			`"shop-2026-03-04.a.dump" and "shop-2026-03-04.b.dump"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := daily(t, c.zone, c.backups...)
			r := drill.Newest(t.Context(), drill.Request{Drill: d, Run: "test", Now: taken.Add(c.after), Version: "test"})
			s := r.Stages[0]
			if r.Outcome != c.want || s.Code != c.code || !strings.Contains(s.Message, c.says) {
				t.Errorf("%s\n%s", r.Outcome, worst(r))
			}
			header := calendar.InZone(taken, d.Source.Location)
			if c.want == verdict.Pass && (!r.Backup.TakenAt.Equal(header) || !r.Backup.TakenUntil.IsZero() || !strings.HasSuffix(r.AsOf,
				header.UTC().Format(time.RFC3339))) {
				t.Errorf("taken %s to %s, as of %s", r.Backup.TakenAt, r.Backup.TakenUntil, r.AsOf)
			}
			if c.code == verdict.CodeTimeMismatch && strings.Contains(s.Hint, "an older dump") != strings.Contains(c.backups[0], "05") {
				t.Errorf("hint %q", s.Hint)
			}
		})
	}
}

const plainDay = `
version: 1
source: {url: "file://%s", name: "shop-{time}.sql", time: 2006-01-02, timezone: UTC}
inventory: {backup_age: {fail_after: 1d}}
expectations:
  tables:
    - {table: public.that_day, freshness: {column: at, fail_after: 6h}}
    - {table: public.evening_before, freshness: {column: at, fail_after: 6h}}
    - {table: public.day_before, freshness: {column: at, fail_after: 1d}}
    - {table: public.next_day, freshness: {column: at, fail_after: 6h}}
scrub: {rules: [{column: "public.*.at", preserve: true, why: "a time"}]}
`

// A plain dump tells no time, so that its name's day is all that is known.
func TestAPlainDumpOfADay(t *testing.T) {
	t.Parallel()
	source := pgtest.Server(t)
	source.Exec("postgres", `create database shop`)
	for table, at := range map[string]string{"that_day": "2026-11-20 15:00Z", "evening_before": "2026-11-19 20:00Z", "day_before": "2026-11-18 20:00Z",
		"next_day": "2026-11-21 01:00Z"} {
		source.Exec("shop", fmt.Sprintf("create table %s (at timestamptz); insert into %[1]s values ('%s')", table, at))
	}
	store := t.TempDir()
	if err := os.WriteFile(filepath.Join(store, "shop-2026-11-20.sql"), source.Dump("-Fp", "shop"), 0o600); err != nil {
		t.Fatal(err)
	}
	d := load(t, sandbox.Local, fmt.Sprintf(plainDay, store))
	r := run(t, t.Context(), d, func(req *drill.Request) { req.Now = time.Date(2026, 11, 21, 2, 0, 0, 0, time.UTC) })
	want := map[string]verdict.Outcome{
		"backup_age": verdict.Fail, "side_file": verdict.Skipped, "freshness:public.that_day": verdict.Pass, "freshness:public.evening_before": verdict.Warn,
		"freshness:public.day_before": verdict.Fail, "freshness:public.next_day": verdict.Fail,
	}
	for _, c := range r.Checks {
		if outcome, ok := want[c.ID]; ok && c.Outcome != outcome {
			t.Errorf("%s: %s, %s", c.ID, c.Outcome, c.Message)
		}
		if c.ID == "side_file" && (!strings.Contains(c.Message, "damage to the whole script") || !strings.Contains(c.Hint,
			"sha256sum shop-2026-11-20.sql > shop-2026-11-20.sql.sha256")) {
			t.Errorf("%+v", c)
		}
		delete(want, c.ID)
	}
	if len(want) > 0 {
		t.Errorf("not judged: %v\n%s", want, worst(r))
	}
	begin := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	if !r.Backup.TakenAt.Equal(begin) || !r.Backup.TakenUntil.Equal(begin.AddDate(0, 0, 1)) {
		t.Errorf("%+v", r.Backup)
	}
}
