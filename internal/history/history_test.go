package history

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"daybefore/internal/verdict"
)

var night = time.Date(2026, 11, 21, 3, 15, 0, 0, time.UTC)

// report is one that started so many minutes after night.
func report(minutes int) *verdict.Report {
	at := night.Add(time.Duration(minutes) * time.Minute)
	return &verdict.Report{
		Schema: verdict.Schema, Drill: "shop", Run: NewRunID(at), Outcome: verdict.Pass, StartedAt: at,
		FinishedAt: at.Add(time.Minute), Checks: []verdict.Check{{ID: "row_count:public.orders", Outcome: verdict.Pass}},
	}
}

func keep(t *testing.T, dir string, r *verdict.Report) {
	t.Helper()
	if err := Save(dir, r, map[string][]byte{"junit.xml": []byte("<testsuites/>")}); err != nil {
		t.Fatal(err)
	}
}

func latest(t *testing.T, dir string) string {
	t.Helper()
	r, err := Latest(dir, "shop")
	if err != nil {
		t.Fatal(err)
	}
	return r.Run
}

func all(dir string) (runs []string, errs []error) {
	for r, err := range All(dir, "shop") {
		if err != nil {
			errs = append(errs, err)
			continue
		}
		runs = append(runs, r.Run)
	}
	return runs, errs
}

func write(t *testing.T, text string, elem ...string) string {
	t.Helper()
	path := filepath.Join(elem...)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSaveAndRead(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "reports") // does not exist yet
	if _, err := Latest(dir, "shop"); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("before the first report: %v", err)
	}
	if runs, errs := all(dir); len(runs)+len(errs) != 0 {
		t.Fatalf("before the first report: %v %v", runs, errs)
	}
	want := report(0)
	keep(t, dir, want)
	got, err := Latest(dir, "shop")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
	run, err := os.ReadFile(filepath.Join(dir, "shop", want.Run, "report.json"))
	if err != nil {
		t.Fatal(err)
	}
	copied, err := os.ReadFile(filepath.Join(dir, "shop", "latest.json"))
	if err != nil || string(copied) != string(run) {
		t.Errorf("latest.json is no copy of the run's (%v)", err)
	}
	if b, err := os.ReadFile(filepath.Join(dir, "shop", want.Run, "junit.xml")); err != nil || string(b) != "<testsuites/>" {
		t.Errorf("the other rendering: %q, %v", b, err)
	}
	if _, err := Latest(dir, "bot"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("another drill: %v", err)
	}
}

func TestNewestFirst(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var want []string
	for _, minutes := range []int{20, 0, 30, 10} {
		r := report(minutes)
		keep(t, dir, r)
		want = append(want, r.Run)
	}
	slices.Sort(want)
	slices.Reverse(want)
	got, errs := all(dir)
	if !slices.Equal(got, want) || len(errs) > 0 {
		t.Errorf("%v (%v), want %v", got, errs, want)
	}
	if l := latest(t, dir); l != want[0] {
		t.Errorf("the latest is %s, want %s", l, want[0])
	}
	if b, err := os.ReadFile(filepath.Join(dir, "shop", "latest.json")); err != nil || !strings.Contains(string(b), want[0]) {
		t.Errorf("an earlier start took the place of the newest in latest.json: %v", err)
	}
	for range All(dir, "shop") {
		break // a caller may stop early
	}
}

// A drill of another backup than the newest is kept, and is not the latest: whoever
// watches that file's age would not see that the nightly drill stopped.
func TestTheLatestIsOfANewest(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	nightly, before := report(0), report(-60)
	keep(t, dir, before)
	keep(t, dir, nightly)
	path := filepath.Join(dir, "shop", latestFile)
	for i, chosen := range []string{"named", "random", "copy 1", "local"} {
		other := report(10 + i)
		other.Backup.Chosen = chosen
		keep(t, dir, other)
		if l := latest(t, dir); l != nightly.Run {
			t.Errorf("%s: the latest is %s", chosen, l)
		}
		b, err := os.ReadFile(path)
		if err != nil || !strings.Contains(string(b), nightly.Run) {
			t.Errorf("%s: latest.json is not the newest's (%v)", chosen, err)
		}
	}
	write(t, "{", path) // then the newest that can be read takes its place
	keep(t, dir, report(-30))
	b, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(b), nightly.Run) {
		t.Errorf("a damaged latest.json is replaced by %s (%v)", b, err)
	}
}

func TestRunIsKeptOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := report(0)
	keep(t, dir, r)
	again := *r
	again.Outcome = verdict.Fail
	if err := Save(dir, &again, nil); !errors.Is(err, fs.ErrExist) {
		t.Fatalf("a second report of one run: %v", err)
	}
	if got, err := Latest(dir, "shop"); err != nil || got.Outcome != verdict.Pass {
		t.Errorf("the first was overwritten: %v %v", got, err)
	}
}

// Concurrent processes lose nothing, and the newest wins in any order.
func TestConcurrentSaves(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const n = 24
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			if err := Save(dir, report((i*7)%n), nil); err != nil {
				t.Error(err)
			}
			// A reader never meets half a report.
			if _, errs := all(dir); len(errs) > 0 {
				t.Error(errs)
			}
			if _, err := Latest(dir, "shop"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	runs, errs := all(dir)
	if len(runs) != n || len(errs) > 0 {
		t.Errorf("%d of %d kept (%v)", len(runs), n, errs)
	}
	if l := latest(t, dir); l != runs[0] {
		t.Errorf("the latest is %s, want %s", l, runs[0])
	}
	leftOver, err := filepath.Glob(filepath.Join(dir, "shop", tempStart+"*"))
	if err != nil || len(leftOver) > 0 {
		t.Errorf("left over: %v %v", leftOver, err)
	}
}

func TestDamagedReportsAreNamed(t *testing.T) {
	t.Parallel()
	whole, err := report(5).JSON()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, text, want string
		is               error
	}{
		{"empty", "", "not JSON", nil},
		{"cut in half", string(whole[:len(whole)/2]), "not JSON", nil},
		{"not a report", "[]", "not JSON", nil},
		{"of the next schema", `{"schema": 2}`, "this harness reads 1", ErrSchema},
		{"of no schema", `{}`, "schema", ErrSchema},
		{"of another type", `{"schema": 1, "drill": 7}`, "not a report", nil},
		{"unknown outcome", `{"schema": 1, "drill": "shop", "outcome": "passed"}`, `"passed"`, nil},
		{"no start", `{"schema": 1, "drill": "shop", "outcome": "pass"}`, "started", nil},
		{"another drill's", strings.Replace(string(whole), `"shop"`, `"bot"`, 1), `"bot"`, nil},
		{"another run's", string(whole), "run", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			older := report(0)
			newer := report(10)
			keep(t, dir, older)
			keep(t, dir, newer)
			path := write(t, c.text, dir, "shop", "20261121T032000Z-beef", "report.json")
			runs, errs := all(dir)
			if !slices.Equal(runs, []string{newer.Run, older.Run}) {
				t.Errorf("the others: %v", runs)
			}
			if len(errs) != 1 {
				t.Fatalf("errors: %v", errs)
			}
			var d *DamagedError
			if !errors.As(errs[0], &d) || d.Path != path || !strings.Contains(errs[0].Error(), c.want) {
				t.Errorf("%v; want it to name %s and %q", errs[0], path, c.want)
			}
			if c.is != nil && !errors.Is(errs[0], c.is) {
				t.Errorf("%v is not %v", errs[0], c.is)
			}
		})
	}
}

func TestFolderWithoutReportIsNamed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	keep(t, dir, report(0))
	if err := os.Mkdir(filepath.Join(dir, "shop", "20261121T032000Z-beef"), 0o755); err != nil {
		t.Fatal(err)
	}
	if runs, errs := all(dir); len(runs) != 1 || len(errs) != 1 {
		t.Errorf("%v %v", runs, errs)
	}
	// It is newer than what can be read, so nothing is known of the latest.
	_, err := Latest(dir, "shop")
	var d *DamagedError
	if !errors.As(err, &d) {
		t.Errorf("an older report stands in for a damaged one: %v", err)
	}
}

func TestLatestIsHealed(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{"damaged": "{", "missing": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			newest := report(10)
			keep(t, dir, newest)
			path := write(t, text, dir, "shop", "latest.json")
			if name == "missing" {
				if err := os.Remove(path); err != nil {
					t.Fatal(err)
				}
				if l := latest(t, dir); l != newest.Run {
					t.Errorf("without a copy the latest is %s, want %s", l, newest.Run)
				}
			} else if _, err := Latest(dir, "shop"); err == nil {
				t.Error("a damaged latest.json goes unnoticed")
			}
			keep(t, dir, report(0))
			if l := latest(t, dir); l != newest.Run {
				t.Errorf("healed with %s, want the newest %s", l, newest.Run)
			}
			b, err := os.ReadFile(path)
			if err != nil || !strings.Contains(string(b), newest.Run) {
				t.Errorf("latest.json: %v\n%s", err, b)
			}
		})
	}
}

// A process killed between the run and its copy leaves the copy behind.
func TestRunNewerThanItsCopy(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	keep(t, dir, report(0))
	old, err := os.ReadFile(filepath.Join(dir, "shop", "latest.json"))
	if err != nil {
		t.Fatal(err)
	}
	newest := report(10)
	keep(t, dir, newest)
	write(t, string(old), dir, "shop", "latest.json")
	if l := latest(t, dir); l != newest.Run {
		t.Errorf("the latest is %s, want %s", l, newest.Run)
	}
}

func TestNewerSchemaStaysLatest(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	keep(t, dir, report(0))
	future := `{"schema": 2, "started_at": "2027-01-01T00:00:00Z"}`
	path := write(t, future, dir, "shop", "latest.json")
	keep(t, dir, report(10))
	if b, err := os.ReadFile(path); err != nil || string(b) != future {
		t.Errorf("an older harness replaced a newer one's latest report: %s %v", b, err)
	}
	if _, err := Latest(dir, "shop"); !errors.Is(err, ErrSchema) {
		t.Errorf("%v is not %v", err, ErrSchema)
	}
}

func TestNamesCannotEscape(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", ".", "..", "../shop", "a/b", `a\b`, "/etc", ".hidden", "a\nb", "a\x00b"} {
		dir := filepath.Join(t.TempDir(), "reports")
		r := report(0)
		r.Drill = name
		if err := Save(dir, r, nil); err == nil {
			t.Errorf("the drill %q was saved", name)
		}
		if _, err := Latest(dir, name); err == nil || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the drill %q: %v", name, err)
		}
		r = report(0)
		r.Run = name
		if err := Save(dir, r, nil); err == nil {
			t.Errorf("the run %q was saved", name)
		}
		if err := Save(dir, report(1), map[string][]byte{name: nil}); err == nil {
			t.Errorf("the file %q was saved", name)
		}
	}
}

func TestLinksCannotEscape(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	outside := t.TempDir()
	if err := os.Symlink(outside, filepath.Join(dir, "shop")); err != nil {
		t.Fatal(err)
	}
	if err := Save(dir, report(0), nil); err == nil {
		t.Error("a report was written through a link out of the directory")
	}
	if entries, err := os.ReadDir(outside); err != nil || len(entries) > 0 {
		t.Errorf("outside: %v %v", entries, err)
	}
}

func TestCannotWrite(t *testing.T) {
	t.Parallel()
	file := write(t, "", t.TempDir(), "reports")
	err := Save(file, report(0), nil)
	if err == nil || !strings.Contains(err.Error(), file) || !strings.Contains(err.Error(), "make sure that it is a directory") {
		t.Errorf("no path or no hint: %v", err)
	}
}

// A write that fails midway: the report is an error, and nothing of it is
// taken for a report afterwards.
func TestHalfWritten(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	keep(t, dir, report(0))
	tooLong := strings.Repeat("x", 300) // no file system takes it; it comes after report.json
	if err := Save(dir, report(10), map[string][]byte{tooLong: nil}); !errors.Is(err, syscall.ENAMETOOLONG) {
		t.Fatalf("%v", err)
	}
	if runs, errs := all(dir); len(runs) != 1 || len(errs) > 0 {
		t.Errorf("half a report is left: %v %v", runs, errs)
	}
	if entries, err := os.ReadDir(filepath.Join(dir, "shop")); err != nil || len(entries) != 3 {
		t.Errorf("more than the lock, the latest and one run: %v %v", entries, err)
	}
	keep(t, dir, report(20))
}

func TestHint(t *testing.T) {
	t.Parallel()
	for err, want := range map[error]string{
		syscall.ENOSPC: "make room", syscall.EDQUOT: "make room", syscall.EROFS: "let this user write",
		fs.ErrPermission: "let this user write", fs.ErrExist: "another run id", errLocked: "holds the lock",
	} {
		if got := hintFor(&fs.PathError{Op: "write", Path: "x", Err: err}); !strings.Contains(got, want) {
			t.Errorf("%v: %q, want %q", err, got, want)
		}
	}
}

func TestLeftoversAreSwept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	half := write(t, "{", dir, "shop", tempStart+"20261121T031500Z-dead", "report.json")
	write(t, "{", dir, "shop", tempStart+"latest.json")
	keep(t, dir, report(0))
	if _, err := os.Stat(half); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what a killed process left is still there: %v", err)
	}
	if runs, errs := all(dir); len(runs) != 1 || len(errs) > 0 {
		t.Errorf("%v %v", runs, errs)
	}
}

func TestLockedForTooLong(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	keep(t, dir, report(0))
	root, err := openDrill(dir, "shop")
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	unlock, err := lock(t.Context(), root, lockFile, lockWait)
	if err != nil {
		t.Fatal(err)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	for ctx, wait := range map[context.Context]time.Duration{t.Context(): 3 * lockPoll, over: time.Hour} {
		if _, err := lock(ctx, root, lockFile, wait); !errors.Is(err, errLocked) || !strings.Contains(err.Error(), filepath.Join(dir, "shop", ".lock")) {
			t.Errorf("%v", err)
		}
	}
	unlock()
	keep(t, dir, report(10))
}

func TestNewRunID(t *testing.T) {
	t.Parallel()
	id := NewRunID(time.Date(2026, 11, 21, 4, 15, 0, 0, time.FixedZone("CET", 3600)))
	if !regexp.MustCompile(`^20261121T031500Z-000[0-9a-f]{3}$`).MatchString(id) {
		t.Error(id)
	}
	before := NewRunID(night.Add(998 * time.Millisecond))
	after := NewRunID(night.Add(999 * time.Millisecond))
	if before >= after {
		t.Errorf("%s sorts behind %s, which began a millisecond later", before, after)
	}
	seen := map[string]bool{}
	for range 50 {
		seen[NewRunID(night)] = true
	}
	if len(seen) < 40 {
		t.Errorf("of 50 runs in one second only %d have their own id", len(seen))
	}
}

// Whatever the bytes of a report are, reading it neither panics nor vouches
// for what it does not know.
func FuzzDecode(f *testing.F) {
	whole, err := report(0).JSON()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add([]byte(`{"schema":1,"outcome":"pass","started_at":"2026-11-21T03:15:00Z","stages":null}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := decode(b)
		if err != nil {
			return
		}
		if r.Schema != verdict.Schema || r.StartedAt.IsZero() {
			t.Errorf("taken for a report: %s", b)
		}
		if _, err := r.JSON(); err != nil {
			t.Errorf("read, and cannot be written: %v", err)
		}
		_ = fmt.Sprint(r)
	})
}
