package sandbox

import (
	"os"
	"path/filepath"
	"slices"
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
			var e *engine
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
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), workPrefix+"x")
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			tt.lay(t, dir)
			gone, err := sweepDirectory(t.Context(), dir)
			if err != nil || gone != tt.gone {
				t.Errorf("swept: %v, %v; want %v", gone, err, tt.gone)
			}
			if _, err := os.Stat(dir); os.IsNotExist(err) != tt.gone {
				t.Errorf("afterwards: %v", err)
			}
		})
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
	soon, past := now.Add(time.Hour).Format(time.RFC3339), now.Add(-time.Hour).Format(time.RFC3339)
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
