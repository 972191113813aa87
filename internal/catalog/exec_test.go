package catalog

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

func shell(script string) []string { return []string{"sh", "-c", script, "sh", "{name}"} }

// script is a program of two scripts; the second is told the name as $1.
func script(list, fetch string) spec.Source {
	src := timed("shop-{time}.dump")
	src.Exec = &spec.Exec{List: []string{"sh", "-c", list}, Fetch: shell(fetch)}
	return src
}

const oneBackup = "echo shop-20261120T030000Z.dump"

// Each way in which a program does not do its work is an error, and says how.
func TestProgramsThatDoNotList(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		list string
		code verdict.Code
		says string
	}{
		"nothing": {"true", verdict.CodeProgram, "ended with status 0 and wrote nothing"},
		"a status": {"echo shop-20261120T030000Z.dump; echo 'no route to host' >&2; exit 7", verdict.CodeProgram,
			"status 7; its last words: no route to host"},
		"garbage":           {"echo Welcome to backupctl; echo 12 things", verdict.CodeNoBackup, "may be names or anything else; found \"12 things\""},
		"binary":            {"head -c 1000 /dev/urandom", verdict.CodeProgram, "no usable name"},
		"broken JSON":       {`printf '[{"name":"shop-20261120T030000Z.dump"'`, verdict.CodeProgram, "what the program wrote is no list"},
		"an error in JSON":  {`echo '{"error":"denied"}'`, verdict.CodeProgram, "what the program wrote is no list"},
		"a name twice":      {oneBackup + ";" + oneBackup, verdict.CodeProgram, "twice"},
		"a name with a NUL": {`printf '["a\\u0000b"]'`, verdict.CodeProgram, "no usable name"},
		"no end":            {"yes", verdict.CodeProgram, "it wrote too much"},
		"flood and failure": {"yes flood | head -c 5000000 >&2; echo end >&2; exit 1", verdict.CodeProgram, "end"},
		"killed":            {"kill -9 $$", verdict.CodeProgram, `signal "killed"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			src := script(tc.list, "exit 1")
			_, err := Choose(t.Context(), opened(t, src), src, nil)
			wantProblem(t, err, verdict.Error, tc.code, tc.says, "exec:sh/")
		})
	}
	src := timed("x")
	src.Exec = &spec.Exec{List: []string{"no-such-program"}, Fetch: []string{"cat", "{name}"}}
	_, err := Choose(t.Context(), opened(t, src), timed("shop-{time}.dump"), nil)
	wantProblem(t, err, verdict.Error, verdict.CodeProgram, "no-such-program cannot be run")
	src.Exec.Env = []string{"DRILL_IS_NOT_SET"}
	_, err = Open(t.Context(), src)
	wantProblem(t, err, verdict.Error, verdict.CodeCredentialsMissing, "DRILL_IS_NOT_SET")
	empty := script("echo '[]'", "exit 1")
	_, err = Choose(t.Context(), opened(t, empty), empty, nil)
	wantProblem(t, err, verdict.Fail, verdict.CodeNoBackup, "no file at all")
	if hint := verdict.AsProblem(err).Hint; !strings.Contains(hint, "source.exec.list") || strings.Contains(hint, "source.url") {
		t.Errorf("the hint of an empty list: %s", hint)
	}
	for _, list := range []string{"echo '[]'", `echo '[{"name":"blog.dump"}]'`, "echo blog.dump 12 2026-11-20T03:00:00Z"} {
		src := script(list, "exit 1")
		_, err := Choose(t.Context(), opened(t, src), src, nil)
		wantProblem(t, err, verdict.Fail, verdict.CodeNoBackup) // a list, and no backup in it
	}
}

// What a program writes in the place of a list may hold what it was given in the
// environment, and keys in URLs.
func TestSecretsInWhatIsNoList(t *testing.T) {
	t.Setenv("DRILL_TOKEN", `hunter2"hunter2`)
	for name, tc := range map[string]struct{ list, says string }{
		"a page":          {`echo "denied: token $DRILL_TOKEN"; echo bye`, `found "bye", "denied: token ***"`},
		"broken JSON":     {`printf '[{"name": "%s' "$DRILL_TOKEN"`, `it begins "[{\"name\": \"***"`},
		"cut in a secret": {`printf '[{"name": "%60s%s' x "$DRILL_TOKEN"`, `x***"`},
		"JSON of a page":  {`echo '{"error": "hunter2\"hunter2/x"}'`, `it begins "{\"error\": \"***/x\"}`},
		"a size":          {`echo '[{"name": "https://x/?sig=hunter2", "size": "hunter2\"hunter2/x"}]'`, `"https://x/?***" has the size ***/x`},
		"twice":           {`for i in 1 2; do echo "$DRILL_TOKEN"; done`, "holds *** twice"},
		"two names":       {`echo "SHOP_20261120T030000Z.dump"; echo "https://me:hunter2@host/x?se=1&sig=hunter2"`, `"https://***@host/x?***"`},
		"a near name":     {`echo '["SHOP_20261120T030000Z.dump", "hunter2\"hunter2"]'`, `"SHOP_20261120T030000Z.dump"`},
		"a request":       {`echo "GET /x?se=1&sig=hunter2 failed"; echo y`, `"GET /x?*** failed"`},
		"no time":         {`echo "shop-$DRILL_TOKEN.dump"`, `"shop-***.dump" matches`},
	} {
		src := script(tc.list, "exit 1")
		src.Exec.Env = []string{"DRILL_TOKEN"}
		_, err := Choose(t.Context(), opened(t, src), src, nil)
		if err == nil {
			t.Fatalf("%s: no error", name)
		}
		p := verdict.AsProblem(err)
		if text := err.Error() + " " + p.Hint; strings.Contains(text, "hunter2") || !strings.Contains(text, tc.says) {
			t.Errorf("%s: %s", name, text)
		}
	}
}

func TestProgramsThatDoNotFetch(t *testing.T) {
	t.Parallel()
	const sized = "echo shop-20261120T030000Z.dump 100000 2026-11-20T03:00:00Z"
	for name, tc := range map[string]struct{ list, fetch, says string }{
		"dies in the middle":            {oneBackup, "head -c 70000 /dev/zero; echo 'disk gone' >&2; exit 5", "status 5; its last words: disk gone"},
		"dies after the last byte":      {sized, "head -c 100000 /dev/zero; exit 5", "status 5"},
		"too little":                    {sized, "head -c 70000 /dev/zero", "wrote 70000 bytes, of 100000 that its list says"},
		"too much":                      {sized, "head -c 100001 /dev/zero", "more than the 100000 bytes"},
		"no end":                        {sized, "cat /dev/zero", "more than the 100000 bytes"},
		"dies at once":                  {oneBackup, "exit 5", "status 5"},
		"dies at once, of a known size": {sized, "exit 5", "status 5"},
		"floods":                        {oneBackup, "yes | head -c 5000000 >&2; echo the end >&2; exit 1", "the end"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			src := script(tc.list, tc.fetch)
			store := opened(t, src)
			b, err := Choose(t.Context(), store, src, nil)
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			_, err = Fetch(t.Context(), store, b, FetchOptions{Dir: dir})
			wantProblem(t, err, verdict.Error, verdict.CodeProgram, tc.says, "shop-20261120T030000Z.dump")
			wantFiles(t, dir, 0)
		})
	}
}

// A program's whole output is taken, whether its list tells the size or not,
// and its header by itself.
func TestAProgram(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data := append([]byte(shopTime), noise(3<<20)...)
	name := "shop `id` $(id) 'x'\n-20261120T030000Z.dump"
	if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, size := range []string{"", fmt.Sprintf(`,"size":%d`, len(data))} {
		src := timed("shop*{time}.dump")
		list := fmt.Sprintf(`[{"name":%q%s}]`, name, size)
		src.Exec = &spec.Exec{List: []string{"printf", "%s", list}, Fetch: []string{"cat", dir + "/{name}"}}
		store := opened(t, src)
		b, err := Choose(t.Context(), store, src, nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(b.All) != 1 || b.All[0].Size != b.Size || (b.Size == Unsized) != (size == "") {
			t.Errorf("a size of %d, in the list %+v", b.Size, b.All)
		}
		r := HeaderReader(t.Context(), store, b.Object)
		if taken, err := textHeader(r); err != nil || taken.Day() != 20 {
			t.Errorf("%v, %v", taken, err)
		}
		r.Close()
		got, err := Fetch(t.Context(), store, b, FetchOptions{Dir: t.TempDir()})
		if err != nil || got.SHA256 != sum(data) || got.Size != int64(len(data)) {
			t.Errorf("%+v, %v", got, err)
		}
	}
	src := script(`echo '[{"name":"-rf.dump"}]'`, "true")
	store := opened(t, src)
	_, err := read(t, store, Object{Name: "-rf.dump", Size: Unsized}, 0, Unsized)
	wantProblem(t, err, verdict.Error, verdict.CodeProgram, "take it for an option")
}

// run runs a program by hand, to make what is then drilled.
func run(t *testing.T, stdin []byte, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
	cmd.Stdin = bytes.NewReader(stdin)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// preset drills what a real program keeps: two snapshots with a shop.dump, the
// newer one of newest.
func preset(t *testing.T, e spec.Exec, newest []byte) {
	t.Helper()
	src := spec.Source{Exec: &e, Name: "{time}_*", TimeLayout: "20060102T150405Z"}
	store := opened(t, src)
	b, err := Choose(t.Context(), store, src, textHeader)
	if err != nil {
		t.Fatal(err)
	}
	if len(b.All) != 2 || time.Since(b.TakenAt) > time.Hour || b.TakenAt.After(time.Now()) {
		t.Errorf("chose %+v", b)
	}
	got, err := Fetch(t.Context(), store, b, FetchOptions{Dir: t.TempDir()})
	if err != nil || got.SHA256 != sum(newest) {
		t.Errorf("%+v, %v", got, err)
	}
	e.File = "none.dump"
	src.Exec = &e
	store = opened(t, src)
	b, err = Choose(t.Context(), store, src, nil)
	if err == nil { // borg's list does not say which files there are
		_, err = Fetch(t.Context(), store, b, FetchOptions{Dir: t.TempDir()})
	}
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("of a file that is not there: %v", err)
	}
}

func TestRestic(t *testing.T) {
	needed(t, "restic")
	repo := t.TempDir()
	t.Setenv("RESTIC_REPOSITORY", repo)
	t.Setenv("RESTIC_PASSWORD", "hunter2-hunter2")
	t.Setenv("RESTIC_CACHE_DIR", t.TempDir())
	run(t, nil, "restic", "init")
	newest := append([]byte("2026-11-21 03:00:00"), noise(2<<20)...)
	run(t, []byte(shopTime), "restic", "backup", "--stdin", "--stdin-filename", "shop.dump", "--time", time.Now().Add(-30*time.Minute).Format(time.DateTime))
	run(t, newest, "restic", "backup", "--stdin", "--stdin-filename", "shop.dump")
	run(t, newest, "restic", "backup", "--stdin", "--stdin-filename", "blog.dump")
	e := spec.Exec{Preset: spec.PresetRestic, File: "shop.dump", Env: []string{"RESTIC_REPOSITORY", "RESTIC_PASSWORD", "RESTIC_CACHE_DIR"}}
	preset(t, e, newest)
	t.Setenv("RESTIC_PASSWORD", "wrong-password")
	src := spec.Source{Exec: &e, Name: "{time}_*", TimeLayout: "20060102T150405Z"}
	_, err := Choose(t.Context(), opened(t, src), src, nil)
	wantProblem(t, err, verdict.Error, verdict.CodeProgram, "wrong password")
	if strings.Contains(err.Error(), "wrong-password") {
		t.Errorf("the password is shown: %v", err)
	}
}

// rclone takes a tenth of a second each time it is run, so not every test of a
// store is made with it: a program's lists and bytes were tried before.
func TestRclone(t *testing.T) {
	for name, run := range map[string]func(*testing.T, fixture){
		"lists": testList, "chooses in folders": testChooseInFolders, "fetches": testFetch, "keeps odd names": testOddNames,
	} {
		t.Run(name, func(t *testing.T) { run(t, newRcloneFixture(t)) })
	}
}

func TestBorg(t *testing.T) {
	needed(t, "borgbackup")
	repo := filepath.Join(t.TempDir(), "repo")
	t.Setenv("BORG_REPO", repo)
	t.Setenv("BORG_PASSPHRASE", "hunter2-hunter2")
	t.Setenv("BORG_BASE_DIR", t.TempDir())
	run(t, nil, "borg", "init", "--encryption", "repokey")
	newest := append([]byte("2026-11-21 03:00:00"), noise(2<<20)...)
	run(t, []byte(shopTime), "borg", "create", "--stdin-name", "shop.dump", "--timestamp",
		time.Now().UTC().Add(-30*time.Minute).Format("2006-01-02T15:04:05"), "::shop-1", "-")
	run(t, newest, "borg", "create", "--stdin-name", "shop.dump", "::shop-2", "-")
	e := spec.Exec{Preset: spec.PresetBorg, File: "shop.dump", Env: []string{"BORG_REPO", "BORG_PASSPHRASE", "BORG_BASE_DIR", "PYTHONPATH", "LD_LIBRARY_PATH"}}
	for _, name := range []string{"PYTHONPATH", "LD_LIBRARY_PATH"} {
		t.Setenv(name, os.Getenv(name))
	}
	preset(t, e, newest)
	e.Env = e.Env[2:]
	e.Repository = filepath.Join(t.TempDir(), "none")
	src := spec.Source{Exec: &e, Name: "{time}_*", TimeLayout: "20060102T150405Z"}
	_, err := Choose(t.Context(), opened(t, src), src, nil)
	wantProblem(t, err, verdict.Error, verdict.CodeProgram, "exist")
}
