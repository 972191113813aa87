package sandbox

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"daybefore/internal/verdict"
)

func TestNewWorkdir(t *testing.T) {
	w := workdir(t)
	if info, err := os.Stat(w.Path()); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	other, err := os.OpenFile(filepath.Join(w.Path(), lockName), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := flock(other); err != errInUse {
		t.Errorf("the lock can be taken twice: %v", err)
	}

	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), strings.Repeat("x", maxSocketPath)))
	for place, hint := range map[string]string{
		filepath.Join(t.TempDir(), strings.Repeat("x", maxSocketPath)): "set TMPDIR to a shorter path",
		"/none":           "or set TMPDIR to another",
		"/proc":           "or set TMPDIR to another",
		"/etc/os-release": "or set TMPDIR to another",
	} {
		t.Setenv("TMPDIR", place)
		_, err := NewWorkdir()
		if p, ok := errors.AsType[*verdict.Problem](err); !ok || p.Code != verdict.CodeSandbox || !strings.Contains(p.Hint, hint) {
			t.Errorf("a work directory in %s: %+v", place, p)
		}
	}
	var none *Workdir
	if err := none.Close(); err != nil {
		t.Error(err)
	}
}

func TestLineWriter(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", maxLine+10)
	for _, tt := range []struct {
		writes, lines []string
	}{
		{[]string{"a\nb\n"}, []string{"a", "b"}},
		{[]string{"a", "b\n", "\nc"}, []string{"ab", "", "c"}},
		{[]string{"a\r\n", "b\r"}, []string{"a", "b"}},
		{[]string{long, long, "\nb\n"}, []string{long[:maxLine], "b"}},
		{nil, nil},
	} {
		var got []string
		w := &lineWriter{tell: func(line string) { got = append(got, line) }}
		for _, s := range tt.writes {
			if n, err := w.Write([]byte(s)); n != len(s) || err != nil {
				t.Errorf("wrote %d of %d, %v", n, len(s), err)
			}
		}
		w.close()
		if !slices.Equal(got, tt.lines) {
			t.Errorf("%.40q: got %.40q, want %.40q", tt.writes, got, tt.lines)
		}
	}
}

const serverLog = "script: a word\n" + serverStarts + "\n" +
	"postmaster: LOG:  starting\n" +
	"client backend: LOG:  secret\n\tpostmaster: secret\n" +
	"parallel worker: ERROR:  secret\nsecret without a prefix\n" +
	"postmaster: LOG:  server process (PID 7) was terminated by signal 9: Killed\n\tand so on\n" +
	"client backend: FATAL:  secret\n"

func TestFirstWords(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(content string) string {
		path := filepath.Join(dir, randomHex(4))
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(write("elsewhere\n"), link); err != nil {
		t.Fatal(err)
	}
	const killed = "postmaster: LOG:  server process (PID 7) was terminated by signal 9: Killed\n\tand so on"
	for name, tt := range map[string]struct{ path, want string }{
		"of the script":    {write("initdb: error: no room\n"), "initdb: error: no room"},
		"of the server":    {write(serverLog), "postmaster: LOG:  starting\n" + killed},
		"of a long log":    {write(serverLog + strings.Repeat("client backend: LOG:  secret\n", 1000) + killed + "\n"), killed},
		"empty":            {write(""), ""},
		"not there":        {filepath.Join(dir, "none"), ""},
		"a planted link":   {link, ""},
		"a planted folder": {dir, ""},
	} {
		if got := firstWords(tt.path); got != tt.want {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
}

// Once anything may have run, whoever wrote a line of the log, none is told but
// in words of PostgreSQL's, with nothing in them.
func TestLastWords(t *testing.T) {
	t.Parallel()
	const planted = "real.person@secretcorp.example"
	for line, want := range map[string]string{
		"postmaster: LOG:  server process (PID 4711) was terminated by signal 9: Killed": "postmaster: LOG:  server process (PID …) was " +
			"terminated by signal 9: Killed",
		"postmaster: LOG:  terminating any other active server processes": "postmaster: LOG:  terminating any " +
			"other active server processes",
		"postmaster: LOG:  shutting down because restart_after_crash is off": "postmaster: LOG:  shutting down " +
			"because restart_after_crash is off",
		`postmaster: FATAL:  could not access file "mylib": No such file or directory`: `postmaster: FATAL:  could not access file "mylib": No such file or ` +
			`directory`,
		`postmaster: FATAL:  could not access file "` + planted +
			`": No such file or directory`: "postmaster: FATAL:  could not access file …: No such file or directory",
		`postmaster: FATAL:  could not write to file "pg_wal/xlogtemp.7": No space left on device`: "postmaster: FATAL:  could not write to file " +
			"…: No space left on device",
		`startup: PANIC:  could not locate a valid checkpoint record`: `startup: PANIC:  could not locate a valid checkpoint record`,
		"postmaster: LOG:  " + planted:                                "and 1 line that is not shown",
		"postmaster: LOG:  \x1b[31mred":                               "and 1 line that is not shown",
		"postmaster: DETAIL:  Failed process was running: " + planted: "and 1 line that is not shown",
		"client backend: ERROR:  out of memory":                       "and 1 line that is not shown",
		"initdb: error: " + planted:                                   "and 1 line that is not shown",
		planted + "\n" + planted:                                      "and 2 lines that are not shown",
		"postmaster: LOG:  out of memory\n\t" +
			planted: "postmaster: LOG:  out of memory\nand 1 line that is not shown",
		planted + "\n-- server starts": "and 1 line that is not shown",
		"":                             "",
	} {
		path := filepath.Join(t.TempDir(), "log")
		if err := os.WriteFile(path, []byte(line+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		got := lastWords(path, phraseNames([]string{"mylib"}))
		if got != want {
			t.Errorf("%q is told as %q, want %q", line, got, want)
		}
	}
}

// FuzzOwnLines looks that whatever stands in a log, no line that a session
// wrote is kept.
func FuzzOwnLines(f *testing.F) {
	f.Add(serverLog)
	f.Add("\tx\npostmaster: \nclient backend: \n\t\n")
	f.Fuzz(func(t *testing.T, log string) {
		own := false
		for line := range strings.Lines(ownLines(log)) {
			starts := hasAnyPrefix(line, ownBackends)
			if !starts && !strings.HasPrefix(line, "\t") || !starts && !own {
				t.Errorf("kept %q of %q", line, log)
			}
			own = true
		}
	})
}

func TestPassable(t *testing.T) {
	t.Parallel()
	dir := shortTemp(t)
	if err := passable(dir); err != nil {
		t.Error(err)
	}
	closed := filepath.Join(dir, "closed")
	open := filepath.Join(closed, "open")
	for path, mode := range map[string]os.FileMode{closed: 0o700, open: 0o755} {
		if err := os.MkdirAll(path, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := passable(open); err == nil || !strings.Contains(err.Error(), "cannot enter "+closed+" ") {
		t.Errorf("below a directory that is closed to others: %v", err)
	}
}
