package sandbox

import (
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// shortTemp is a temporary directory for helpers, whose sockets need a short
// path that another account can pass through.
func shortTemp(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "sw")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// A sweep of one folder takes what nobody owns there, and looks into no other.
func TestSweepInAFolder(t *testing.T) {
	t.Parallel()
	swept := t.TempDir()
	other := t.TempDir()
	abandon := func(dir string) string {
		w, err := NewWorkdirIn(dir)
		if err != nil {
			t.Fatal(err)
		}
		if filepath.Dir(w.Path()) != dir {
			t.Errorf("%s is not in %s", w.Path(), dir)
		}
		if err := w.lock.Close(); err != nil {
			t.Fatal(err)
		}
		return w.Path()
	}
	gone := abandon(swept)
	stays := abandon(other)
	living, err := NewWorkdirIn(swept)
	if err != nil {
		t.Fatal(err)
	}
	defer living.Close()
	removed, err := sweepDirectories(t.Context(), slog.New(slog.DiscardHandler), swept)
	if err != nil || !slices.Equal(removed, []string{gone}) {
		t.Errorf("the sweep removed %q, want %s: %v", removed, gone, err)
	}
	for path, want := range map[string]bool{gone: false, stays: true, living.Path(): true} {
		if exists(path) != want {
			t.Errorf("%s is there: %v", path, !want)
		}
	}
}

// TestSweep kills a drill, and looks that the next sweep takes away all that
// it left, and nothing of a drill that lives.
func TestSweep(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{Container, Local} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			need(t, Options{Kind: kind, Image: imageFor(kind)})
			tmp := shortTemp(t)
			living, cmd, in := hold(t, kind, tmp)
			killed, victim, _ := hold(t, kind, tmp)
			var e *containerEngine
			var volumes []string
			if kind == Container {
				e = testEngine(t)
				volumes = volumesOf(t, e, killed.Container)
			}
			if removed := sweepElsewhere(t, tmp); len(removed) > 0 {
				t.Errorf("the sweep removed %q while both drills live", removed)
			}

			if err := victim.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			victim.Wait()
			if kind == Local {
				eventually(t, "the server ends with the drill", func() bool { return len(workingUnder(t, killed.Work)) == 0 })
			}
			removed := sweepElsewhere(t, tmp)
			if !slices.Contains(removed, killed.Work) {
				t.Errorf("the sweep removed %q, not %s", removed, killed.Work)
			}
			if _, err := os.Stat(killed.Work); !os.IsNotExist(err) {
				t.Errorf("%s is still there", killed.Work)
			}
			if pids := workingUnder(t, killed.Work); len(pids) > 0 {
				t.Errorf("processes left behind: %v", pids)
			}
			if e != nil {
				gone(t, e, killed.Container, volumes)
				gone(t, e, killed.Container+"-programs", nil)
			}
			if again := sweepElsewhere(t, tmp); len(again) > 0 {
				t.Errorf("a second sweep still finds %q", again)
			}

			if _, err := os.Stat(living.Work); err != nil {
				t.Errorf("the living drill's directory: %v", err)
			}
			if kind == Container {
				volumesOf(t, e, living.Container) // it is there
			} else if len(workingUnder(t, living.Work)) == 0 {
				t.Error("the living drill's server is gone")
			}
			in.Close()
			if err := cmd.Wait(); err != nil {
				t.Errorf("the living drill could not end well: %v", err)
			}
			if left, _ := os.ReadDir(tmp); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

// TestSweepEngine sweeps what a drill left on an engine that shares no folders: its
// volume too, and also where only one of the two containers is there, as one that
// was killed between the two starts leaves it.
func TestSweepEngine(t *testing.T) {
	t.Parallel()
	need(t, Options{Kind: Container, Image: imageFor(Container)})
	tmp := shortTemp(t)
	killed, victim, _ := hold(t, tunnelKind, tmp)
	e := testEngine(t)
	volumes := volumesOf(t, e, killed.Container)
	if !slices.Contains(volumes, killed.Container+"-run") {
		t.Errorf("the socket lies in none of the volumes %q", volumes)
	}
	if err := victim.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	victim.Wait()
	if err := e.remove(t.Context(), killed.Container+"-programs"); err != nil {
		t.Fatal(err)
	}
	removed := sweepElsewhere(t, tmp)
	for _, want := range []string{"container " + killed.Container, "volume " + killed.Container + "-run", killed.Work} {
		if !slices.Contains(removed, want) {
			t.Errorf("the sweep removed %q, not %s", removed, want)
		}
	}
	gone(t, e, killed.Container, volumes)
	if again := sweepElsewhere(t, tmp); len(again) > 0 {
		t.Errorf("a second sweep still finds %q", again)
	}
}

func TestSweepDirectory(t *testing.T) {
	t.Parallel()
	old := time.Now().Add(-2 * freshAge)
	for _, tt := range []struct {
		name string
		lay  func(t *testing.T, dir string)
		gone bool
	}{
		{"made at this moment", func(t *testing.T, dir string) {}, false},
		{"killed before its lock", func(t *testing.T, dir string) { chtimes(t, dir, old) }, true},
		{"abandoned", func(t *testing.T, dir string) { touch(t, filepath.Join(dir, lockName)) }, true},
		{"in use", func(t *testing.T, dir string) {
			f := touch(t, filepath.Join(dir, lockName))
			if err := flock(f); err != nil {
				t.Fatal(err)
			}
		}, false},
		{"no work directory, though it is called so", func(t *testing.T, dir string) {
			touch(t, filepath.Join(dir, "mine"))
			chtimes(t, dir, old)
		}, false},
		{"a link as its lock", func(t *testing.T, dir string) {
			lay(t, os.Symlink("../outside", filepath.Join(dir, lockName)))
			chtimes(t, dir, old)
		}, false},
		{"a broken link as its lock", func(t *testing.T, dir string) {
			lay(t, os.Symlink("nowhere", filepath.Join(dir, lockName)))
			chtimes(t, dir, old)
		}, false},
		{"a pipe as its lock", func(t *testing.T, dir string) {
			lay(t, syscall.Mkfifo(filepath.Join(dir, lockName), 0o600))
			chtimes(t, dir, old)
		}, false},
		{"a folder as its lock", func(t *testing.T, dir string) {
			lay(t, os.Mkdir(filepath.Join(dir, lockName), 0o700))
			chtimes(t, dir, old)
		}, false},
		{"a link to a folder that looks abandoned", func(t *testing.T, dir string) {
			lay(t, os.Rename(dir, dir+"2"))
			touch(t, filepath.Join(dir+"2", lockName))
			lay(t, os.Symlink(dir+"2", dir))
		}, false},
		{"another account's", func(t *testing.T, dir string) {
			asRoot(t)
			touch(t, filepath.Join(dir, lockName))
			lay(t, os.Chown(dir, 12345, 12345))
		}, false},
		{"another account's, and empty", func(t *testing.T, dir string) {
			asRoot(t)
			chtimes(t, dir, old)
			lay(t, os.Chown(dir, 12345, 12345))
		}, false},
		{"another account's lock", func(t *testing.T, dir string) {
			asRoot(t)
			lay(t, os.Chown(touch(t, filepath.Join(dir, lockName)).Name(), 12345, 12345))
		}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), workPrefix+"x")
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			outside := touch(t, filepath.Join(filepath.Dir(dir), "outside")).Name()
			tt.lay(t, dir)
			gone, err := sweepDirectory(t.Context(), dir)
			if err != nil || gone != tt.gone {
				t.Errorf("swept: %v, %v; want %v", gone, err, tt.gone)
			}
			if _, err := os.Lstat(dir); os.IsNotExist(err) != tt.gone {
				t.Errorf("afterwards: %v", err)
			}
			if _, err := os.Stat(outside); err != nil {
				t.Error(err)
			}
		})
	}
}

func lay(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// asRoot leaves a test out that gives files to another account.
func asRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root may give a file away")
	}
}

func touch(t *testing.T, path string) *os.File {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func chtimes(t *testing.T, path string, at time.Time) {
	t.Helper()
	if err := os.Chtimes(path, at, at); err != nil {
		t.Fatal(err)
	}
}

func TestAbandoned(t *testing.T) {
	t.Parallel()
	now := time.Now()
	soon := now.Add(time.Hour).Format(time.RFC3339)
	past := now.Add(-time.Hour).Format(time.RFC3339)
	free := touch(t, filepath.Join(t.TempDir(), "free")).Name()
	held := touch(t, filepath.Join(t.TempDir(), "held"))
	if err := flock(held); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, owner, lock, deadline string
		want                        bool
	}{
		{"a living drill's", owner(), held.Name(), soon, false},
		{"a killed drill's", owner(), free, soon, true},
		{"a killed drill's whose directory is gone", owner(), free + "x", soon, true},
		{"another machine's", "elsewhere", free, soon, false},
		{"another machine's, past its deadline", "elsewhere", free, past, true},
		{"one that should have ended itself", owner(), held.Name(), past, true},
	} {
		labels := map[string]string{labelOwner: tt.owner, labelLock: tt.lock, labelDeadline: tt.deadline}
		if got := abandoned(labels, now); got != tt.want {
			t.Errorf("%s: abandoned %v, want %v", tt.name, got, tt.want)
		}
	}
}

// TestWorkdirNames takes for a work directory what is called exactly so.
func TestWorkdirNames(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		workPrefix + "0123456789ab": true, newPrefix + "0123456789ab": true, workPrefix + randomHex(6): true,
		workPrefix + "down": false, workPrefix + "0123456789abc": false, workPrefix + "0123456789AB": false,
		"x" + workPrefix + "0123456789ab": false, workPrefix + "0123456789ab\n": false, workPrefix: false,
		strings.TrimPrefix(newPrefix, ".") + "0123456789ab": false,
	} {
		if got := isWorkdir(name); got != want {
			t.Errorf("%q: %v, want %v", name, got, want)
		}
	}
}
