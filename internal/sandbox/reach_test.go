package sandbox

import (
	"context"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"daybefore/internal/testneed"
	"daybefore/internal/verdict"
)

// probe is what the author of a backup tries.
//
//go:embed testdata/probe.pl
var probe string

// granted are what the author of a backup can do in a kind of sandbox of all
// that the probe tries. Nothing else may be.
var granted = map[string][]string{
	Local: {},
	// The engine's own way: the accounts are the image's, core files stay in the
	// container, its processes are counted by a control group that it does not
	// show, and some engines' filter lets a socket of that family be made.
	Container: {"see the machine's accounts", "leave a core", "have as many processes as it likes", "reach a virtual machine's host"},
}

// TestReach runs the probe as the server does a backup's code, in each kind, and
// for the local one also as an ordinary user.
func TestReach(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{Container, Local} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			testReach(t, kind)
		})
	}
	t.Run("as an ordinary user", func(t *testing.T) {
		t.Parallel()
		testneed.Root(t)
		need(t, Options{Kind: Local})
		tmp := shortTemp(t)
		cmd := powerless(t, exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestReach$/^local$", "-test.v"), tmp)
		cmd.Env = append(cmd.Env, "TMPDIR="+tmp, "PATH="+os.Getenv("PATH"), testneed.All+"="+os.Getenv(testneed.All))
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "--- PASS: TestReach/local") {
			t.Errorf("%v\n%s", err, out)
		}
	})
}

func testReach(t *testing.T, kind string) {
	b := start(t, Options{Kind: kind, Image: imageFor(kind)})
	const mark = "a-real-value-of-the-backup"
	dir := shortTemp(t)
	planted := filepath.Join(dir, "planted")
	for _, path := range []string{b.HostPath("archive"), planted} {
		if err := makeFile(path, []byte(mark), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	socket := filepath.Join(dir, "socket")
	abstract := "daybefore-test-" + randomHex(8)
	var port string
	for _, at := range [][2]string{{"unix", socket}, {"unix", "@" + abstract}, {"tcp", "127.0.0.1:0"}} {
		l, err := net.Listen(at[0], at[1])
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		if at[0] == "tcp" {
			_, port, _ = net.SplitHostPort(l.Addr().String())
		}
	}
	if err := os.Chmod(socket, 0o777); err != nil {
		t.Fatal(err)
	}
	args := []string{mark, planted, socket, abstract, port, fmt.Sprint(os.Getpid()), fmt.Sprint(sharedMemory(t))}
	if l, ok := b.(*local); ok {
		args = append(args, l.bin.lent()...)
	}
	tried := map[string]string{}
	for _, line := range besideServer(t, b, perl(probe, args...)) {
		what, did, _ := strings.Cut(line, "\t")
		tried[what] = did
	}
	may := map[string]bool{}
	for _, what := range granted[kind] {
		may[what] = true
	}
	if want := strings.Count(probe, "\ntried("); len(tried) != want {
		t.Errorf("the probe tried %d things, and not %d: %q", len(tried), want, tried)
	}
	for what, did := range tried {
		if did != "no" && !may[what] {
			t.Errorf("the backup's code can %s", what)
		}
	}
	if kind == Local {
		probeTells(t, args)
	}
}

// probeTells looks that the probe can tell: in the least degree, much of what it
// tries can be done.
func probeTells(t *testing.T, args []string) {
	out := strings.Join(besideServer(t, startAt(t, NoListener), perl(probe, args...)), "\n")
	for _, what := range []string{"read a file of the machine", "see the machine's accounts", "reach a socket by its path", "reach a socket without one",
		"reach the machine's loopback", "share memory with the machine", "see the drill"} {
		if !strings.Contains(out, what+"\tyes") {
			t.Errorf("where nothing keeps it in, the probe cannot %s:\n%s", what, out)
		}
	}
}

// sharedMemory is the key of memory that anybody on the machine may share.
func sharedMemory(t *testing.T) int {
	const mayAll = 0o666
	key := rand.IntN(math.MaxInt32-1) + 1
	id, err := unix.SysvShmGet(key, os.Getpagesize(), unix.IPC_CREAT|unix.IPC_EXCL|mayAll)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = unix.SysvShmCtl(id, unix.IPC_RMID, nil) })
	return key
}

// perl is a shell's command that runs a script.
func perl(script string, args ...string) string {
	quoted := "'" + strings.Join(args, "' '") + "'"
	return "echo " + base64.StdEncoding.EncodeToString([]byte(script)) + " | base64 -d | perl - " + quoted
}

// besideServer runs a shell's command as the code of a backup does, and returns
// the lines that it wrote.
func besideServer(t *testing.T, b Box, command string) (lines []string) {
	t.Helper()
	conn, err := b.DB().Connect(t.Context(), "postgres")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	if _, err := conn.Exec(t.Context(), "create temp table said (line text)"); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), "copy said from program "+Literal(command)+" (format csv, delimiter E'\\x01', quote E'\\x02')"); err != nil {
		t.Fatal(err)
	}
	if err := conn.QueryRow(t.Context(), "select coalesce(array_agg(line), '{}') from said").Scan(&lines); err != nil {
		t.Fatal(err)
	}
	return lines
}

// TestEndsBeyondLimits lets the code of a backup take more memory and more disk
// than it may, and looks that the drill is told so.
func TestEndsBeyondLimits(t *testing.T) {
	t.Parallel()
	need(t, Options{Kind: Local})
	for name, bomb := range map[string]struct {
		o       Options
		disk    int64
		command string
		code    verdict.Code
		says    string
	}{
		"memory": {Options{Memory: 128 * mib}, 0, `for i in 1 2 3; do perl -e '$x = "x" x (50 << 20); sleep 60' & done; wait`,
			verdict.CodeSandbox, "held more than 128 MB of memory"},
		"disk": {Options{}, 64 * mib, `head -c 200000000 /dev/zero >/daybefore/run/x; sleep 60`,
			verdict.CodeDiskSpace, "sandbox.disk allows 64 MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bomb.o.Kind = Local
			b := start(t, bomb.o)
			l := b.(*local)
			if bomb.disk > 0 { // from now on, since the start takes more or less, and others write too
				if err := l.watchDisks(bomb.disk, l.server.Kill, l.work.run()); err != nil {
					t.Fatal(err)
				}
			}
			conn, err := b.DB().Connect(t.Context(), "postgres")
			if err == nil {
				defer conn.Close(context.WithoutCancel(t.Context()))
				_, err = conn.Exec(t.Context(), "copy (select 1) to program "+Literal(bomb.command))
			}
			p, ok := errors.AsType[*verdict.Problem](b.Why(t.Context(), err))
			if !ok || p.Code != bomb.code || p.Outcome != verdict.Error || !strings.Contains(p.Error(), bomb.says) {
				t.Errorf("ended with %v (%v), want that it says %q", p, err, bomb.says)
			}
		})
	}
}

// TestNothingOutlives leaves a child that left its session, its folder and its
// parents, and closes the sandbox. What the server's sessions share, which may
// be rows, lies where it goes with the sandbox.
func TestNothingOutlives(t *testing.T) {
	t.Parallel()
	need(t, Options{Kind: Local})
	const leave = `cd /; setsid perl -e 'exit if fork; $0 = "%s"; $SIG{TERM} = "IGNORE"; sleep 600' >/dev/null 2>&1 </dev/null &`
	for _, d := range degrees {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			b := startAt(t, d.name)
			mark := "outlives-" + randomHex(8)
			besideServer(t, b, fmt.Sprintf(leave, mark))
			eventually(t, "the child is there", func() bool { return len(named(mark)) > 0 })
			l := b.(*local)
			shared, err := filepath.Glob(filepath.Join(l.work.local(), "data", "pg_dynshmem", "*"))
			if err != nil || (len(shared) > 0) != (d.name != Enclosed) {
				t.Errorf("in the cluster is shared %q, %v", shared, err)
			}
			closeBox(t, b)
			if left := named(mark); len(left) > 0 {
				t.Errorf("it outlives the sandbox: %v", left)
			}
		})
	}
}

// TestEachSeesItsPart looks what of the work directory the server and the
// programs of a local sandbox are lent, which of it to be written, and that they
// are two accounts where there are several.
func TestEachSeesItsPart(t *testing.T) {
	t.Parallel()
	b := start(t, Options{Kind: Local})
	if b.Info().Isolation != Enclosed {
		testneed.Missing(t, "isolation for local sandboxes: %v", b.Info().Reach)
	}
	const script = `id -u; while read -r _ _ _ _ at flags _; do case $at in /daybefore/*) echo "$at ${flags%%,*}" ;; esac; done </proc/self/mountinfo | sort`
	var out strings.Builder
	if err := b.Run(t.Context(), Command{Args: []string{"sh", "-c", script}, Stdout: &out}); err != nil {
		t.Fatal(err)
	}
	server, lent, _ := strings.Cut(asCode(t, b, script), "\n")
	if want := "/daybefore/local rw\n/daybefore/run rw\n/daybefore/start ro"; lent != want {
		t.Errorf("the server is lent %q, want %q", lent, want)
	}
	programs, lent, _ := strings.Cut(strings.TrimSpace(out.String()), "\n")
	if want := "/daybefore/out rw\n/daybefore/run ro\n/daybefore/share ro"; lent != want {
		t.Errorf("the programs are lent %q, want %q", lent, want)
	}
	if b.(*local).accounts != nil && server == programs {
		t.Errorf("server and programs are one account: %s", server)
	}
}

// TestDiskIsWatched lets a sandbox take more of a disk than the drill file
// allows, from its start on.
func TestDiskIsWatched(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{Container, Local} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			o := Options{Kind: kind, Image: imageFor(kind), Work: workdir(t), Deadline: time.Now().Add(testLife), Disk: mib}
			need(t, o)
			b, err := Start(t.Context(), o)
			if err == nil {
				closedWith(t, b, nil)
				err = b.Run(t.Context(), Command{Args: []string{"psql", "-d", "postgres", "-c",
					"create table t as select repeat('x', 1000) from generate_series(1, 100000); select pg_sleep(60)"}})
				err = b.Why(t.Context(), err)
			}
			if p, ok := errors.AsType[*verdict.Problem](err); !ok || p.Code != verdict.CodeDiskSpace ||
				!strings.Contains(p.Error(), "sandbox.disk allows 1 MiB") {
				t.Errorf("ended with %v", err)
			}
		})
	}
}

// startAt starts a local sandbox in a degree, as if no better one were to be had.
func startAt(t *testing.T, name string) Box {
	t.Helper()
	o := Options{Work: workdir(t), Isolation: name, Deadline: time.Now().Add(testLife)}.withDefaults()
	bin, err := findBinaries(0)
	if err != nil {
		t.Fatal(err)
	}
	least := slices.IndexFunc(degrees, func(d enclosureDegree) bool { return d.name == name })
	b, err := startAmong(t.Context(), o, bin, degrees[least:])
	b = closedWith(t, b, err)
	if got := b.Info().Isolation; got != name {
		t.Fatalf("isolation %s", got)
	}
	return b
}

// named lists the processes that call themselves so.
func named(name string) (pids []string) {
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, f := range files {
		if cmdline, err := os.ReadFile(f); err == nil && strings.HasPrefix(string(cmdline), name) {
			pids = append(pids, filepath.Base(filepath.Dir(f)))
		}
	}
	return pids
}

// TestLifeline kills drills, and looks that their sandboxes end by themselves:
// also where the code stopped all that it could.
func TestLifeline(t *testing.T) {
	t.Parallel()
	need(t, Options{Kind: Local})
	h, victim, _ := hold(t, Local, shortTemp(t))
	if len(workingUnder(t, h.Work)) == 0 {
		t.Fatal("nothing works in the sandbox")
	}
	for _, pid := range workingUnder(t, h.Work) {
		if comm, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid)); err == nil && strings.TrimSpace(string(comm)) == "postgres" {
			_ = syscall.Kill(pid, syscall.SIGSTOP)
		}
	}
	if err := victim.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	victim.Wait()
	eventually(t, "the sandbox ends with its drill", func() bool { return len(workingUnder(t, h.Work)) == 0 })
	if err := os.RemoveAll(h.Work); err != nil {
		t.Error(err)
	}
}
