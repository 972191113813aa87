package harness

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"daybefore/internal/drill"
	"daybefore/internal/history"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

const (
	theKey   = "4f1c0a9be2d37586a1b2c3d4e5f60718"
	otherKey = "c0ffee11223344556677889900aabbcc"
)

// watched is a gate before the demo's backups, and all that may be done to what
// it looks at: by whoever writes to the history, the folder of reports and the
// store.
type watched struct {
	t     *testing.T
	h     *Home
	d     *spec.Drill
	here  string // the drill's folder of reports
	there string // and in the history
	dump  string // the newest backup
	keys  []spec.Key
	at    time.Time
}

// newWatched makes one with these keys, the first of which signs; without any,
// reports are not signed.
func newWatched(t *testing.T, keys string) *watched {
	t.Helper()
	dir := t.TempDir()
	w := &watched{t: t, here: filepath.Join(dir, "reports", "demo"), there: filepath.Join(dir, "past", "demo"), at: time.Now().UTC().Truncate(time.Second),
		dump: filepath.Join(dir, "drills", "demo", "backups", "shop-20260304T031500Z.dump")}
	text, err := os.ReadFile("../../drills/demo.yaml")
	w.must(err, os.CopyFS(filepath.Join(dir, "drills", "demo"), os.DirFS("../../drills/demo")),
		os.MkdirAll(w.here, 0o700), os.MkdirAll(w.there, 0o700))
	past := "history: file:../past/\n"
	if keys != "" {
		past = "history: {url: 'file:../past/', key_env: REPORT_KEY}\n"
	}
	path := filepath.Join(dir, "drills", "demo.yaml")
	w.must(os.WriteFile(path, append([]byte(past), text...), 0o600))
	// The baseline's path counts from the folder that holds drills/.
	w.d, err = spec.Loader{LookupEnv: func(string) (string, bool) { return keys, keys != "" }}.Load(path)
	w.must(err)
	w.keys = w.d.History.Keys
	w.h = &Home{Dir: dir, Stdout: io.Discard, Stderr: io.Discard, Now: func() time.Time { return w.at }, Log: slog.New(slog.DiscardHandler)}
	return w
}

func (w *watched) must(errs ...error) {
	w.t.Helper()
	if err := errors.Join(errs...); err != nil {
		w.t.Fatal(err)
	}
}

// ask is why the gate does not open; empty where it does.
func (w *watched) ask() string { return w.asked(false) }

func (w *watched) asked(strict bool) string {
	w.t.Helper()
	rec := w.h.record(w.t.Context(), w.d)
	defer rec.close()
	return w.h.notProven(w.t.Context(), rec, w.d, 24*time.Hour, strict)
}

// report is that of a drill of the newest backup, so long ago.
func (w *watched) report(ago time.Duration, outcome verdict.Outcome) *verdict.Report {
	w.t.Helper()
	r := drill.Newest(w.t.Context(), w.h.inventoryRequest(history.Past{}, w.d))
	begun := w.at.Add(-ago)
	r.Run = history.NewRunID(begun)
	r.Outcome = outcome
	r.StartedAt = begun
	r.FinishedAt = begun.Add(time.Minute)
	r.Checks = nil
	r.Stages = []verdict.Stage{{Name: verdict.StageExpect, Outcome: outcome}}
	if outcome == verdict.Fail || outcome == verdict.Warn {
		r.Stages[0].Code = verdict.CodeRowCountChange
		r.Checks = []verdict.Check{{ID: changeID, Stage: verdict.StageExpect, Code: verdict.CodeRowCountChange, Outcome: outcome,
			Change: &verdict.Change{Baseline: "before", From: "9", To: "5"}}}
	}
	return r
}

const changeID = "row_count_change:bot.messages"

// keep keeps a report in the history, and returns its file there.
func (w *watched) keep(r *verdict.Report, keys ...spec.Key) string {
	w.t.Helper()
	rec := w.h.record(w.t.Context(), w.d)
	defer rec.close()
	w.must(rec.keep(w.t.Context(), func(ctx context.Context, s history.Store) error { return history.SaveTo(ctx, s, r, nil, keys...) }))
	return filepath.Join(w.there, r.Run, "report.json")
}

// passed and failed keep honest reports; the file is the history's.
func (w *watched) passed(ago time.Duration) string {
	return w.keep(w.report(ago, verdict.Pass), w.keys...)
}
func (w *watched) failed(ago time.Duration) string {
	return w.keep(w.report(ago, verdict.Fail), w.keys...)
}

func (w *watched) read(file string) string {
	w.t.Helper()
	b, err := os.ReadFile(file)
	w.must(err)
	return string(b)
}

func (w *watched) write(file, text string) {
	w.t.Helper()
	w.must(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, []byte(text), 0o600))
}

// forge rewrites a file.
func (w *watched) forge(file, old, with string) {
	w.t.Helper()
	text := w.read(file)
	if !strings.Contains(text, old) {
		w.t.Fatalf("%q is not in %s", old, text)
	}
	w.write(file, strings.ReplaceAll(text, old, with))
}

// accept keeps an acceptance in the history.
func (w *watched) accept(run, check string, keys ...spec.Key) {
	w.t.Helper()
	w.keepAcceptance(history.Acceptance{Check: check, Run: run, To: "1"}, keys...)
}

// acceptChange keeps one of what the check of failed found, or of something else.
func (w *watched) acceptChange(run, baseline, from, to string) {
	w.t.Helper()
	w.keepAcceptance(history.Acceptance{Check: changeID, Run: run, Baseline: baseline, From: from, To: to}, w.keys...)
}

func (w *watched) keepAcceptance(a history.Acceptance, keys ...spec.Key) {
	w.t.Helper()
	a.Drill, a.At = "demo", w.at
	name, b, err := history.Accept(w.t.TempDir(), a, keys...)
	w.must(err)
	w.write(filepath.Join(w.there, name), string(b))
}

var lastMember = regexp.MustCompile(`,\n  "keyed_hash": "[^"]*"\n}\n$`)

// withHash is a text that ends in the keyed hash of another.
func withHash(text, of string) string {
	return strings.TrimSuffix(lastMember.ReplaceAllString(text, "\n}\n"), "\n}\n") + lastMember.FindString(of)
}

const (
	signedByNobody = "no report is signed"
	cannotBeUsed   = "cannot be used"
	failedBefore   = "this backup failed in the run"
	another        = "is not the one that was drilled"
)

// Whoever writes to the history, and has no key, does not open the gate.
func TestTricksWithTheHistory(t *testing.T) {
	t.Parallel()
	pass, fail := `"outcome": "pass"`, `"outcome": "fail"`
	for name, c := range map[string]struct {
		do   func(w *watched)
		want string // in the reason
	}{
		"a pass that nobody signed":      {func(w *watched) { w.keep(w.report(time.Hour, verdict.Pass)) }, signedByNobody},
		"a pass that another key signed": {func(w *watched) { w.keep(w.report(time.Hour, verdict.Pass), spec.Key(otherKey)) }, signedByNobody},
		"a failure made a pass":          {func(w *watched) { w.forge(w.failed(time.Hour), fail, pass) }, cannotBeUsed},
		"a failure made a pass, the hash off": {func(w *watched) {
			file := w.failed(time.Hour)
			w.write(file, lastMember.ReplaceAllString(strings.ReplaceAll(w.read(file), fail, pass), "\n}\n"))
		}, signedByNobody},
		"the hash of a pass under a failure made a pass": {func(w *watched) {
			good := w.passed(2 * time.Hour)
			bad := w.failed(time.Hour)
			w.write(bad, withHash(strings.ReplaceAll(w.read(bad), fail, pass), w.read(good)))
			w.must(os.RemoveAll(filepath.Dir(good)))
		}, cannotBeUsed},
		"another key's hash under our key's id": {func(w *watched) {
			file := w.keep(w.report(time.Hour, verdict.Pass), spec.Key(otherKey))
			ours := w.passed(2 * time.Hour)
			id := regexp.MustCompile(`"keyed_hash": "[0-9a-f]{16}`)
			w.forge(file, id.FindString(w.read(file)), id.FindString(w.read(ours)))
			w.must(os.RemoveAll(filepath.Dir(ours)))
		}, cannotBeUsed},
		"a report of an older object under a newer run": {func(w *watched) {
			w.write(filepath.Join(w.there, history.NewRunID(w.at), "report.json"), w.read(w.passed(time.Hour)))
		}, cannotBeUsed},
		"and its run rewritten": {func(w *watched) {
			file := w.passed(30 * time.Hour)
			run := history.NewRunID(w.at)
			w.write(filepath.Join(w.there, run, "report.json"), strings.ReplaceAll(w.read(file), filepath.Base(filepath.Dir(file)), run))
		}, cannotBeUsed},
		"a member twice": {func(w *watched) {
			w.forge(w.failed(time.Hour), ",\n  \"keyed_hash\"", ",\n  \"outcome\": \"pass\",\n  \"keyed_hash\"")
		}, cannotBeUsed},
		"a member twice, behind the hash": {func(w *watched) {
			file := w.failed(time.Hour)
			w.write(file, strings.TrimSuffix(w.read(file), "\n}\n")+",\n  \"outcome\": \"pass\"\n}\n")
		}, signedByNobody},
		"an unknown member":       {func(w *watched) { w.forge(w.passed(time.Hour), `"drill": "demo"`, `"trust": true, "drill": "demo"`) }, cannotBeUsed},
		"white space":             {func(w *watched) { w.forge(w.passed(time.Hour), `"drill": "demo"`, `"drill":  "demo"`) }, cannotBeUsed},
		"white space behind it":   {func(w *watched) { f := w.passed(time.Hour); w.write(f, w.read(f)+"\n") }, signedByNobody},
		"two reports in one file": {func(w *watched) { f := w.passed(time.Hour); w.write(f, w.read(f)+w.read(f)) }, cannotBeUsed},
		"a hash under a hash": {func(w *watched) {
			f := w.passed(time.Hour)
			w.write(f, strings.TrimSuffix(w.read(f), "\n}\n")+lastMember.FindString(w.read(f)))
		}, cannotBeUsed},
		"a report that is cut": {func(w *watched) { f := w.passed(time.Hour); w.write(f, w.read(f)[:300]) }, cannotBeUsed},
		"an empty report":      {func(w *watched) { w.write(w.passed(time.Hour), "") }, cannotBeUsed},
		"an empty hash": {func(w *watched) {
			f := w.passed(time.Hour)
			w.write(f, withHash(w.read(f), ",\n  \"keyed_hash\": \"\"\n}\n"))
		}, signedByNobody},
		"capital digits": {func(w *watched) {
			f := w.passed(time.Hour)
			h := lastMember.FindString(w.read(f))
			w.forge(f, h[20:], strings.ToUpper(h[20:]))
		}, signedByNobody},
		"another outcome's word": {func(w *watched) { w.forge(w.keep(w.report(time.Hour, verdict.Pass)), pass, `"outcome": "PASS"`) }, cannotBeUsed},
		"another schema":         {func(w *watched) { w.forge(w.keep(w.report(time.Hour, verdict.Pass)), `"schema": 1`, `"schema": 0`) }, cannotBeUsed},
		"a folder as the report": {func(w *watched) {
			f := w.passed(time.Hour)
			w.must(os.Remove(f), os.MkdirAll(filepath.Join(f, "report.json"), 0o700))
		}, "no report yet"},
		"the report of another drill": {func(w *watched) {
			r := w.report(time.Hour, verdict.Pass)
			r.Drill = "bot"
			file := w.keep(r, w.keys...)
			w.write(file, w.read(filepath.Join(filepath.Dir(w.there), "bot", r.Run, "report.json")))
		}, cannotBeUsed},
		"and its name rewritten": {func(w *watched) {
			r := w.report(time.Hour, verdict.Pass)
			r.Drill = "bot"
			file := w.keep(r, w.keys...)
			w.write(file, strings.ReplaceAll(w.read(filepath.Join(filepath.Dir(w.there), "bot", r.Run, "report.json")), `"drill": "bot"`, `"drill": "demo"`))
		}, cannotBeUsed},
		"an acceptance's hash": {func(w *watched) {
			name, b, err := history.Accept(w.t.TempDir(), history.Acceptance{Drill: "demo", Check: "x", At: w.at}, w.keys...)
			w.must(err)
			w.write(filepath.Join(w.there, name), string(b))
			file := w.keep(w.report(time.Hour, verdict.Pass))
			w.write(file, withHash(w.read(file), string(b)))
		}, cannotBeUsed},
		"only the copy of the newest": {func(w *watched) {
			f := w.passed(time.Hour)
			w.must(os.Rename(f, filepath.Join(w.there, "latest.json")))
		}, "no report yet"},
		"a pass here that nobody signed": {func(w *watched) {
			w.must(history.Save(filepath.Dir(w.here), w.report(time.Hour, verdict.Pass), nil))
		}, signedByNobody},
		"a failure, its hash spoiled, beside an older pass": {func(w *watched) {
			w.passed(2 * time.Hour)
			w.forge(w.failed(time.Hour), `"drill": "demo"`, `"drill":  "demo"`)
		}, cannotBeUsed},
		"a failure that nobody signed, beside a pass": {func(w *watched) { w.passed(time.Hour); w.keep(w.report(2*time.Hour, verdict.Fail)) }, failedBefore},
		"an acceptance that nobody signed": {func(w *watched) {
			w.passed(time.Hour)
			w.accept(filepath.Base(filepath.Dir(w.failed(2*time.Hour))), changeID)
		}, failedBefore},
		"an acceptance that another key signed": {func(w *watched) {
			w.passed(time.Hour)
			w.accept(filepath.Base(filepath.Dir(w.failed(2*time.Hour))), changeID, spec.Key(otherKey))
		}, failedBefore},
		"a report through a link out of the history": {func(w *watched) {
			file := w.passed(time.Hour)
			elsewhere := filepath.Join(w.t.TempDir(), "report.json")
			w.must(os.Rename(file, elsewhere), os.Symlink(elsewhere, file))
		}, "no report yet"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWatched(t, theKey)
			c.do(w)
			if why := w.ask(); !strings.Contains(why, c.want) || strings.Contains(why, theKey) {
				t.Errorf("the gate: %q, want %q", why, c.want)
			}
		})
	}
}

// What is signed opens the gate only where it says what the gate asks.
func TestWhatASignedReportOpens(t *testing.T) {
	t.Parallel()
	change := func(with func(w *watched, r *verdict.Report)) func(*watched) {
		return func(w *watched) {
			r := w.report(time.Hour, verdict.Pass)
			with(w, r)
			w.keep(r, w.keys...)
		}
	}
	then := time.Date(2026, 3, 4, 3, 15, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		do   func(w *watched)
		want string // in the reason; empty: it opens
	}{
		"a pass":             {func(w *watched) { w.passed(time.Hour) }, ""},
		"a warning":          {func(w *watched) { w.keep(w.report(time.Hour, verdict.Warn), w.keys...) }, ""},
		"a failure":          {func(w *watched) { w.failed(time.Hour) }, failedBefore},
		"an error":           {func(w *watched) { w.keep(w.report(time.Hour, verdict.Error), w.keys...) }, "did not pass"},
		"skipped":            {func(w *watched) { w.keep(w.report(time.Hour, verdict.Skipped), w.keys...) }, "did not pass"},
		"nothing":            {func(*watched) {}, "there is no report yet"},
		"too old":            {func(w *watched) { w.passed(25 * time.Hour) }, "not from the last 1d"},
		"from the future":    {func(w *watched) { w.passed(-time.Hour) }, "not from the last 1d"},
		"another drill file": {change(func(_ *watched, r *verdict.Report) { r.DrillSHA256 = strings.Repeat("0", 64) }), "the drill file has changed"},
		"another harness":    {change(func(_ *watched, r *verdict.Report) { r.HarnessVersion += "x" }), "another harness's"},
		"another store":      {change(func(_ *watched, r *verdict.Report) { r.Backup.Store += "x/" }), another},
		"another name":       {change(func(_ *watched, r *verdict.Report) { r.Backup.Name = "shop-20260303T031500Z.dump" }), another},
		"another size":       {change(func(_ *watched, r *verdict.Report) { r.Backup.SizeBytes++ }), another},
		"another time":       {change(func(_ *watched, r *verdict.Report) { r.Backup.TakenAt = r.Backup.TakenAt.Add(time.Second) }), another},
		"another version":    {change(func(_ *watched, r *verdict.Report) { r.Backup.Version = "2026-03-04T03:15:00Z v1" }), another},
		"a report of before change times were told": {change(func(_ *watched, r *verdict.Report) {
			r.Backup.ETag = r.Backup.ETag[:strings.LastIndex(r.Backup.ETag, "-")]
		}), another},
		"a failure before a pass":      {func(w *watched) { w.failed(2 * time.Hour); w.passed(time.Hour) }, failedBefore},
		"a failure behind a pass":      {func(w *watched) { w.passed(2 * time.Hour); w.failed(time.Hour) }, failedBefore},
		"a failure long before a pass": {func(w *watched) { w.failed(40 * 24 * time.Hour); w.passed(time.Hour) }, failedBefore},
		"an error behind a pass":       {func(w *watched) { w.passed(2 * time.Hour); w.keep(w.report(time.Hour, verdict.Error), w.keys...) }, ""},
		"a failure of another harness": {func(w *watched) {
			r := w.report(2*time.Hour, verdict.Fail)
			r.HarnessVersion = "0"
			w.keep(r, w.keys...)
			w.passed(time.Hour)
		}, ""},
		"a failure of another object": {func(w *watched) {
			r := w.report(2*time.Hour, verdict.Fail)
			r.Backup.ETag = "x"
			w.keep(r, w.keys...)
			w.passed(time.Hour)
		}, ""},
		"a failure of the store alone": {func(w *watched) { w.keep(w.ofStore(), w.keys...); w.passed(time.Hour) }, ""},
		"a failure of a stage alone": {func(w *watched) {
			r := w.report(2*time.Hour, verdict.Fail)
			r.Checks = nil
			w.keep(r, w.keys...)
			w.passed(time.Hour)
		}, failedBefore},
		"a failure that was accepted": {func(w *watched) {
			w.accept(filepath.Base(filepath.Dir(w.failed(2*time.Hour))), changeID, w.keys...)
			w.passed(time.Hour)
		}, ""},
		"an accepted failure alone": {func(w *watched) { w.accept(filepath.Base(filepath.Dir(w.failed(2*time.Hour))), changeID, w.keys...) }, "did not pass"},
		"another check that was accepted": {func(w *watched) {
			w.accept(filepath.Base(filepath.Dir(w.failed(2*time.Hour))), "row_count_change:x", w.keys...)
			w.passed(time.Hour)
		}, failedBefore},
		"another run in which the same was accepted": {func(w *watched) {
			w.failed(2 * time.Hour)
			w.acceptChange("another", "before", "9", "5")
			w.passed(time.Hour)
		}, ""},
		"another run in which more was accepted": {func(w *watched) {
			w.failed(2 * time.Hour)
			w.acceptChange("another", "before", "9", "6")
			w.passed(time.Hour)
		}, failedBefore},
		"another run in which a change from elsewhere was accepted": {func(w *watched) {
			w.failed(2 * time.Hour)
			w.acceptChange("another", "before that", "9", "5")
			w.passed(time.Hour)
		}, failedBefore},
		"another run that was accepted": {func(w *watched) {
			w.failed(2 * time.Hour)
			w.accept("another", changeID, w.keys...)
			w.passed(time.Hour)
		}, failedBefore},
		"an older key behind the new one": {func(w *watched) {
			w.keep(w.report(time.Hour, verdict.Pass), spec.Key(otherKey))
			w.d.History.Keys = []spec.Key{spec.Key(theKey), spec.Key(otherKey)}
		}, ""},
		"a key that is no longer trusted": {func(w *watched) { w.passed(time.Hour); w.d.History.Keys = []spec.Key{spec.Key(otherKey)} }, signedByNobody},
		"a history that is not there": {func(w *watched) { w.passed(time.Hour); w.must(os.RemoveAll(filepath.Dir(w.there))) },
			"past reports cannot be read"},
		"written in place, time set back": {func(w *watched) { w.passed(time.Hour); w.spoil(w.dump, then) }, another},
		"renamed over, time set back": {func(w *watched) {
			w.passed(time.Hour)
			w.spoil(w.dump+".new", then)
			w.must(os.Rename(w.dump+".new", w.dump))
		}, another},
		"the file copied and put back": {func(w *watched) {
			w.passed(time.Hour)
			w.must(os.Rename(w.dump, w.dump+".x"))
			w.write(w.dump, w.read(w.dump+".x"))
		}, another},
		"a link to the file, elsewhere": {func(w *watched) {
			w.passed(time.Hour)
			to := filepath.Join(w.t.TempDir(), "x")
			w.must(os.Rename(w.dump, to), os.Symlink(to, w.dump))
		}, "leads out of the store"},
		"a newer backup": {func(w *watched) {
			w.passed(time.Hour)
			w.write(strings.Replace(w.dump, "031500", "033000", 1), w.read(w.dump))
		}, "is not the one that was drilled"},
		"the newest backup gone": {func(w *watched) { w.passed(time.Hour); w.must(os.Remove(w.dump)) }, another},
		"an older one renamed to be newer": {func(w *watched) {
			w.passed(time.Hour)
			w.must(os.Rename(w.dump, strings.Replace(w.dump, "031500", "033000", 1)))
		}, another},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWatched(t, theKey)
			w.must(os.Chtimes(w.dump, then, then))
			c.do(w)
			if why := w.ask(); c.want == "" && why != "" || !strings.Contains(why, c.want) {
				t.Errorf("the gate: %q, want %q", why, c.want)
			}
		})
	}
	w := newWatched(t, theKey)
	w.keep(w.report(2*time.Hour, verdict.Warn), w.keys...)
	w.passed(time.Hour)
	if strict, lax := w.asked(true), w.ask(); !strings.Contains(strict, "had warnings") || lax != "" {
		t.Errorf("strict: %q, else %q", strict, lax)
	}
}

// ofStore is a report that failed for how the store was then.
func (w *watched) ofStore() *verdict.Report {
	r := w.report(2*time.Hour, verdict.Fail)
	r.Stages = []verdict.Stage{{Name: verdict.StageChoose, Outcome: verdict.Fail, Code: verdict.CodeMinBackups}}
	r.Checks = []verdict.Check{{ID: "min_backups", Stage: verdict.StageChoose, Code: verdict.CodeMinBackups, Outcome: verdict.Fail}}
	return r
}

// spoil writes a file of the dump's size and time that is another dump.
func (w *watched) spoil(file string, at time.Time) {
	w.t.Helper()
	text := []byte(w.read(w.dump))
	text[len(text)-1] ^= 1
	w.must(os.WriteFile(file, text, 0o600), os.Chtimes(file, at, at))
}

// Without a key this machine's reports are trusted, and no others.
func TestWithoutAKeyThisMachineIsTrusted(t *testing.T) {
	t.Parallel()
	save := func(w *watched, r *verdict.Report) { w.must(history.Save(filepath.Dir(w.here), r, nil)) }
	for name, c := range map[string]struct {
		do   func(w *watched)
		want string
	}{
		"a pass here":                {func(w *watched) { save(w, w.report(time.Hour, verdict.Pass)) }, ""},
		"a pass elsewhere":           {func(w *watched) { w.passed(time.Hour) }, "there is no report of this machine"},
		"a pass elsewhere, signed":   {func(w *watched) { w.keep(w.report(time.Hour, verdict.Pass), spec.Key(theKey)) }, "there is no report of this machine"},
		"one run here and elsewhere": {func(w *watched) { r := w.report(time.Hour, verdict.Pass); save(w, r); w.keep(r) }, ""},
		"a failure elsewhere":        {func(w *watched) { save(w, w.report(time.Hour, verdict.Pass)); w.failed(2 * time.Hour) }, failedBefore},
		"a failure accepted elsewhere": {func(w *watched) {
			save(w, w.report(time.Hour, verdict.Pass))
			w.accept(filepath.Base(filepath.Dir(w.failed(2*time.Hour))), changeID)
		}, failedBefore},
		"a failure accepted here": {func(w *watched) {
			save(w, w.report(time.Hour, verdict.Pass))
			run := filepath.Base(filepath.Dir(w.failed(2 * time.Hour)))
			_, _, err := history.Accept(filepath.Dir(w.here), history.Acceptance{Drill: "demo", Check: changeID, Run: run, To: "1", At: w.at})
			w.must(err)
		}, ""},
		"the report here emptied, a pass elsewhere": {func(w *watched) {
			r := w.report(time.Hour, verdict.Fail)
			save(w, r)
			w.write(filepath.Join(w.here, r.Run, "report.json"), "")
			r.Outcome, r.Checks, r.Stages = verdict.Pass, nil, nil
			w.keep(r)
		}, "there is no report of this machine"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWatched(t, "")
			c.do(w)
			if why := w.ask(); c.want == "" && why != "" || !strings.Contains(why, c.want) {
				t.Errorf("the gate: %q, want %q", why, c.want)
			}
		})
	}
}

// A signed report is JSON as any other, with one member more, and tells nothing
// of the key.
func TestASignedReportIsAReport(t *testing.T) {
	t.Parallel()
	w := newWatched(t, theKey)
	r := w.report(time.Hour, verdict.Pass)
	text := w.read(w.keep(r, w.keys...))
	var members map[string]any
	w.must(json.Unmarshal([]byte(text), &members))
	if _, there := members["keyed_hash"]; !there || members["run"] != r.Run || strings.Contains(text, theKey) {
		t.Errorf("%s", text)
	}
	if _, err := os.Stat(w.here); err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}
