//go:build linux

package enclosure

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"daybefore/internal/testneed"
)

// accounts counts those that were given: the processes of one account are
// limited together, and one test forks as often as it can.
var accounts atomic.Int32

func init() { accounts.Store(0x70000001) }

// command is a shell's script in a degree, whose output goes to out.
func command(t *testing.T, degree Degree, out *bytes.Buffer, script string) Command {
	c := Command{
		Args: []string{"sh", "-c", script}, Env: []string{"PATH=/usr/bin:/bin", "GIVEN=1"}, Dir: "/", Degree: degree, Root: t.TempDir(),
		Stdout: out, Stderr: out, Limits: Limits{Memory: 256 << 20, Processes: 60, Files: 256, Temporary: 4 << 20},
	}
	if os.Geteuid() == 0 {
		id := int(accounts.Add(2))
		c.Account, c.Keeper = &Account{UID: id, GID: id}, &Account{UID: id + 1, GID: id + 1}
	}
	return c
}

// started starts a command, or leaves the test out where the machine refuses.
func started(t *testing.T, c Command) *Process {
	t.Helper()
	p, err := c.Start()
	if refused, ok := errors.AsType[*Refused](err); ok {
		testneed.Missing(t, "namespaces of one's own: %v", refused)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	return p
}

func eachDegree(t *testing.T, test func(t *testing.T, d Degree)) {
	for d, name := range []string{"watched", "no network", "enclosed"} {
		t.Run(name, func(t *testing.T) { test(t, Degree(d)) })
	}
}

// TestEnds looks that a program's end is told as it was, and with which output.
func TestEnds(t *testing.T) {
	t.Parallel()
	eachDegree(t, func(t *testing.T, d Degree) {
		for script, code := range map[string]int{"echo out": 0, "echo out; exit 3": 3, "echo out; kill -9 $$": 137, "sleep 600 & echo out; exit 125": 125} {
			var out bytes.Buffer
			if end, err := started(t, command(t, d, &out, script)).Wait(); err != nil || end != (End{Code: code}) || out.String() != "out\n" {
				t.Errorf("%s: %+v, %v, %q", script, end, err, out.String())
			}
		}
		c := command(t, d, nil, "")
		c.Stdout = nil
		c.Stderr = nil
		c.Args = []string{"nosuchprogram"}
		if _, err := c.Start(); err == nil || !strings.Contains(err.Error(), "find nosuchprogram: no such file") {
			t.Errorf("a program that is not there: %v", err)
		}
	})
}

// TestUmask starts a program where the caller makes files for itself alone, as
// hardened accounts do. It is the whole process' umask, so that no other test runs
// beside this.
func TestUmask(t *testing.T) {
	before := unix.Umask(0o077)
	defer unix.Umask(before)
	var out bytes.Buffer
	c := command(t, Enclosed, &out, "echo out >/dev/null; read -r first </etc/passwd; echo x >/tmp/x; echo $first")
	if end, err := started(t, c).Wait(); err != nil || end != (End{}) || out.String() != "root:x:0:0::/:/bin/sh\n" {
		t.Errorf("%+v, %v, %q", end, err, out.String())
	}
}

// TestGivesNothing looks that no variable and no file of the caller's is there.
func TestGivesNothing(t *testing.T) {
	t.Parallel()
	left, err := os.Open(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	defer left.Close()
	// Whoever started the caller may have left it files that every program gets.
	if _, err := unix.FcntlInt(left.Fd(), unix.F_SETFD, 0); err != nil {
		t.Fatal(err)
	}
	eachDegree(t, func(t *testing.T, d Degree) {
		var out bytes.Buffer
		c := command(t, d, &out, "env | grep -v -e ^PWD= -e ^_= -e ^SHLVL= -e ^OLDPWD=; ls /proc/self/fd | wc -w")
		if _, err := started(t, c).Wait(); err != nil || strings.TrimSpace(out.String()) != "PATH=/usr/bin:/bin\nGIVEN=1\n4" &&
			strings.TrimSpace(out.String()) != "GIVEN=1\nPATH=/usr/bin:/bin\n4" {
			t.Errorf("it was given %q, %v", out.String(), err)
		}
	})
}

// TestLimits lets programs take all that they can.
func TestLimits(t *testing.T) {
	t.Parallel()
	const many = `for (1 .. 200) { my $p = fork; if (!defined $p) { print "refused\n"; last } sleep 60 unless $p }`
	for name, tt := range map[string]struct {
		script string
		cause  Cause  // of its end
		says   string // where it goes on
	}{
		"memory of one":     {`perl -e '$x = "x" x (600 << 20)' 2>/dev/null || echo refused`, OfItself, "refused"},
		"memory of many":    {`for i in 1 2 3 4; do perl -e '$x = "x" x (60 << 20); sleep 60' & done; wait`, Starved, ""},
		"memory in files":   {`for i in /tmp /dev/shm; do head -c 9000000 /dev/zero 2>/dev/null >$i/x || echo refused; done`, OfItself, "refused\nrefused"},
		"processes":         {`perl -e '` + many + `'; exit 0`, OfItself, "refused"},
		"files that it has": {`perl -e 'for (1 .. 500) { open($f[$_], "<", "/dev/null") or do { print "refused\n"; last } }'`, OfItself, "refused"},
		"calls":             {`unshare -U true 2>/dev/null || echo refused`, OfItself, "refused"},
		"limits of others":  {`ulimit -n 100 && (prlimit --pid $$ --nofile=50 2>/dev/null || echo refused)`, OfItself, "refused"},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			end, err := started(t, command(t, Enclosed, &out, tt.script)).Wait()
			if err != nil || end.Cause != tt.cause || strings.TrimSpace(out.String()) != tt.says {
				t.Errorf("%+v, %v, %q", end, err, out.String())
			}
		})
	}
}

// TestDeadline looks that a program ends at its time, whatever it does.
func TestDeadline(t *testing.T) {
	t.Parallel()
	eachDegree(t, func(t *testing.T, d Degree) {
		c := command(t, d, nil, "trap '' TERM INT; kill -STOP 1 $PPID 2>/dev/null; setsid sleep 600 & sleep 600")
		c.Stdout = nil
		c.Stderr = nil
		c.Deadline = time.Now().Add(time.Second)
		if end, err := started(t, c).Wait(); err != nil || end != (End{Code: 137, Cause: AtDeadline}) {
			t.Errorf("%+v, %v", end, err)
		}
	})
}

// TestNothingOutlives leaves children in every way, and looks that the end of the
// program is that of all.
func TestNothingOutlives(t *testing.T) {
	t.Parallel()
	eachDegree(t, func(t *testing.T, d Degree) {
		mark := fmt.Sprintf("outlives-%d-%d", os.Getpid(), d)
		var out bytes.Buffer
		script := fmt.Sprintf(
			`for i in 1 2; do setsid perl -e 'exit if fork; fork; $0 = "%s"; $SIG{TERM} = "IGNORE"; sleep 600' >/dev/null 2>&1 & done; wait; echo left`, mark,
		)
		if _, err := started(t, command(t, d, &out, script)).Wait(); err != nil || out.String() != "left\n" {
			t.Errorf("%v, %q", err, out.String())
		}
		files, err := filepath.Glob("/proc/[0-9]*/cmdline")
		if err != nil || len(files) == 0 {
			t.Fatalf("no process is seen: %v", err)
		}
		for _, f := range files {
			if cmdline, err := os.ReadFile(f); err == nil && bytes.HasPrefix(cmdline, []byte(mark)) {
				t.Errorf("%s outlives it", f)
			}
		}
	})
}

// TestKeeperStepsDown looks that, once its program runs, a keeper that began as
// root is another account, and one that the program is not.
func TestKeeperStepsDown(t *testing.T) {
	t.Parallel()
	testneed.Root(t)
	var out bytes.Buffer
	c := command(t, Enclosed, &out, "")
	c.Args[2] = fmt.Sprintf("until grep -q '^Uid:.%d' /proc/1/status; do sleep 0.02; done", c.Keeper.UID)
	c.Deadline = time.Now().Add(20 * time.Second)
	if end, err := started(t, c).Wait(); err != nil || end != (End{}) {
		t.Errorf("%+v, %v, %q", end, err, out.String())
	}
}
