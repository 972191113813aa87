package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"daybefore/internal/sandbox"
	"daybefore/internal/testneed"
	"daybefore/internal/verdict"
)

// cacheDir is that of the dumps: a database is made once for all tests.
var cacheDir string

func TestMain(m *testing.M) {
	BecomeWorker()
	os.Exit(func() int {
		var err error
		cacheDir, err = os.MkdirTemp("", "bench-")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(cacheDir)
		if err := os.Chmod(cacheDir, 0o755); err != nil { // a server's account reads a dump
			panic(err)
		}
		return m.Run()
	}())
}

// kinds runs a test with every kind of sandbox.
func kinds(t *testing.T, test func(t *testing.T, kind string)) {
	t.Parallel()
	t.Run("container", func(t *testing.T) {
		t.Parallel()
		testneed.Image(t, "postgres:17")
		test(t, sandbox.Container)
	})
	t.Run("local", func(t *testing.T) {
		t.Parallel()
		needLocal(t)
		test(t, sandbox.Local)
	})
}

func needLocal(t *testing.T) {
	t.Helper()
	if found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb"); len(found) == 0 {
		testneed.Program(t, "initdb")
	}
}

// home is options whose temporary files all lie in a folder that the test can
// look into; a socket's path must be short.
func home(t *testing.T, kind string) (Options, string) {
	t.Helper()
	tmp, err := os.MkdirTemp(testneed.ShortTemp(), "bt")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(tmp) })
	if err := os.Chmod(tmp, 0o755); err != nil { // a server's account comes through
		t.Fatal(err)
	}
	return Options{
		Dir: t.TempDir(), Scale: smallest, Rounds: 1, Kind: kind, Cache: filepath.Join(cacheDir, kind),
		Stderr: t.Output(), Stdout: io.Discard, tmp: tmp,
	}, tmp
}

// making is how the first bench of a kind makes the database, for all of them.
type making struct {
	once sync.Once
	said bytes.Buffer
	err  error
}

var makings = map[string]*making{sandbox.Container: {}, sandbox.Local: {}}

// withDump is home with a dump in its cache.
func withDump(t *testing.T, kind string) (Options, string) {
	t.Helper()
	o, tmp := home(t, kind)
	m := makings[kind]
	m.once.Do(func() {
		first := o
		first.Stderr = &m.said
		first = first.withDefaults()
		_, m.err = first.dump(context.Background(), shop(o.Scale))
	})
	if m.err != nil {
		t.Fatalf("%v\n%s", m.err, &m.said)
	}
	if !strings.Contains(m.said.String(), "making the database") {
		t.Error("the first bench did not make the database")
	}
	return o, tmp
}

// leftBehind looks for files in dir, and for containers that belong to it.
func leftBehind(t *testing.T, dir string) {
	t.Helper()
	left, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range left {
		t.Errorf("left behind: %s", e.Name())
	}
	locks, err := exec.Command("docker", "ps", "-a", "--filter", "label="+labelDrill, "--format", `{{.Names}} {{.Label "daybefore.lock"}}`).Output()
	if err == nil && strings.Contains(string(locks), dir) {
		t.Errorf("left behind, of %s: %s", dir, locks)
	}
}

func exitCode(err error) int {
	var e *verdict.Exit
	if err == nil {
		return 0
	}
	if errors.As(err, &e) {
		return e.ExitStatus()
	}
	return -1
}

func TestRun(t *testing.T) {
	kinds(t, func(t *testing.T, kind string) {
		o, tmp := withDump(t, kind)
		bin := t.TempDir()
		if err := os.WriteFile(filepath.Join(bin, peerPrefix+"test"), []byte("#!/bin/sh\ntest -s \"$1\" && test \"$2\" -gt 0\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		o.path = bin
		o.Peers = true
		var out, said bytes.Buffer
		o.Stdout, o.Stderr = &out, &said
		if err := Run(t.Context(), o); err != nil {
			t.Fatalf("%v\n%s", err, &said)
		}
		leftBehind(t, tmp)
		r := read(t, o)
		ways := slices.Clone(Ways)
		if kind == sandbox.Local {
			ways = slices.DeleteFunc(ways, func(w Way) bool { return w == Tunnel })
		}
		if len(r.Samples) != len(ways)+1 || r.Dump.Kind != kind || r.Dump.Scrubbed*4 != r.Dump.Columns {
			t.Errorf("%d samples of a %s, %d of %d columns scrubbed", len(r.Samples), r.Dump.Kind, r.Dump.Scrubbed, r.Dump.Columns)
		}
		for _, s := range r.Samples {
			isPeer := strings.HasPrefix(string(s.Way), peerPrefix)
			if s.Wall <= 0 || s.PeakRSS < mib || len(s.Steps) == 0 || !isPeer && (s.ServerCPU <= 0 || s.HarnessCPU <= 0) {
				t.Errorf("not measured: %+v", s)
			}
			// To store rows takes several times what it takes to rewrite them, and
			// more than to look at each of them besides.
			least := 2 * s.HarnessCPU
			if s.Way == Watched {
				least = s.HarnessCPU
			}
			if !isPeer && s.ServerCPU < least {
				t.Errorf("%s: of the server's CPU time only a part was measured: %+v", s.Way, s)
			}
		}
		for _, want := range append(ways, "scrubbed / by_hand, CPU", "restore alone, plain / by_hand", "not judged", peerPrefix+"test") {
			if !strings.Contains(out.String(), string(want)) {
				t.Errorf("the table lacks %q:\n%s", want, &out)
			}
		}
		if strings.Contains(said.String(), "making the database") {
			t.Errorf("the database was made again: %s", &said)
		}
		again(t, o)
	})
}

// again takes the dump from a cache, unless it was tampered with there.
func again(t *testing.T, o Options) {
	t.Helper()
	others := o.Cache
	o.Cache = t.TempDir()
	if err := os.CopyFS(o.Cache, os.DirFS(others)); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	o.Stderr = &said
	o = o.withDefaults()
	d, err := o.dump(t.Context(), shop(o.Scale))
	if err != nil {
		t.Fatal(err)
	}
	if said.Len() > 0 {
		t.Errorf("the database was made again: %s", &said)
	}
	if err := os.Truncate(d.archive, d.ArchiveBytes+1); err != nil {
		t.Fatal(err)
	}
	if _, err := cached(filepath.Dir(d.archive), d.Dump); err == nil || !strings.Contains(err.Error(), "not what was written there") {
		t.Errorf("a dump that was changed was taken: %v", err)
	}
}

func read(t *testing.T, o Options) (r Result) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(o.Dir, "reports", "bench", "latest.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// A bench that is interrupted, while it makes the database or while it
// measures, leaves nothing behind.
func TestInterrupted(t *testing.T) {
	kinds(t, func(t *testing.T, kind string) {
		for _, at := range []string{"round 1 of", "making the database"} {
			t.Run(at, func(t *testing.T) {
				t.Parallel()
				o, tmp := withDump(t, kind)
				if at == "making the database" {
					o.Cache = t.TempDir()
				}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				o.Stderr = writerFunc(func(p []byte) {
					if strings.Contains(string(p), at) {
						go cancelAtWork(tmp, cancel)
					}
				})
				if code := exitCode(Run(ctx, o)); code != verdict.ExitInterrupted {
					t.Errorf("exit code %d", code)
				}
				leftBehind(t, tmp)
				if parts, _ := filepath.Glob(filepath.Join(o.Cache, "*", "*.part")); len(parts) > 0 {
					t.Errorf("left behind: %v", parts)
				}
			})
		}
	})
}

// cancelAtWork cancels as soon as there is a work directory with a server in it.
func cancelAtWork(tmp string, cancel context.CancelFunc) {
	defer cancel()
	for range 30_000 { // and after minutes at the latest
		if found, _ := filepath.Glob(filepath.Join(tmp, "drill-*", "run", ".s.PGSQL*")); len(found) > 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

type writerFunc func(p []byte)

func (f writerFunc) Write(p []byte) (int, error) {
	f(p)
	return len(p), nil
}

// A worker whose starter is gone ends its work.
func TestWorkerAlone(t *testing.T) {
	t.Parallel()
	r, w := io.Pipe()
	var out bytes.Buffer
	ended := make(chan error, 1)
	go func() { ended <- serve(r, &out) }()
	slow := filepath.Join(t.TempDir(), peerPrefix+"slow")
	if err := os.WriteFile(slow, []byte("#!/bin/sh\nexec sleep 600\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := json.NewEncoder(w).Encode(job{Way: peerPrefix + "slow", Peer: slow}); err != nil {
		t.Fatal(err)
	}
	w.Close()
	select {
	case err := <-ended:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(time.Minute):
		t.Fatal("it works on")
	}
	var s Sample
	if err := json.Unmarshal(out.Bytes(), &s); err != nil || s.Failed == "" {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		o    Options
		want string
	}{
		{Options{Scale: "3"}, "-scale=3 is not known; there are: 0.01, 0.05, 0.1, 0.2, 0.5, 1,"},
		{Options{Kind: "vm"}, "-kind=vm"},
		{Options{Rounds: -1}, "-rounds=-1"},
		{Options{Mask: "sha,gctrace=1"}, `-mask: "gctrace=1" is no feature of a processor`},
		{Options{Mask: "SHA"}, `-mask: "SHA" is no feature`},
		{Options{Mask: "abacus"}, `-mask: Go's runtime does not leave out abacus here: GODEBUG: unknown cpu feature "abacus"`},
		{Options{Ways: "by_hand, magic"}, `-ways: "magic" is not known; there are: [by_hand by_hand_default usual scrubbed plain watched tunnel]`},
	} {
		c.o.Dir = t.TempDir()
		refused(t, c.o, c.want)
	}
}

func refused(t *testing.T, o Options, want string) {
	t.Helper()
	refusedBy(t, Run, o, want)
}

func refusedBy(t *testing.T, measure func(context.Context, Options) error, o Options, want string) {
	t.Helper()
	err := measure(t.Context(), o)
	if err == nil || !strings.Contains(err.Error(), want) || exitCode(err) != verdict.ExitError {
		t.Errorf("%v (exit code %d), want %q", err, exitCode(err), want)
	}
}

// A machine without the room is told how much is needed, and then nothing is
// begun.
func TestNoRoom(t *testing.T) {
	t.Parallel()
	var said bytes.Buffer
	o := Options{Dir: t.TempDir(), Cache: t.TempDir(), Stderr: &said, room: func(string) (uint64, int64, bool) { return 1, 100 * mib, true }}
	refused(t, o, "iB of room, and there are 100 MiB (")
	refused(t, o, "for the restored database in ")
	if left, _ := os.ReadDir(o.Cache); len(left) > 0 || said.Len() > 0 {
		t.Errorf("it began: %v %s", left, &said)
	}
}

// What the ways will write is added up on each file system.
func TestEnoughRoom(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	o := Options{}.withDefaults()
	if err := o.enoughRoom([]need{{"a dump", dir, 1}, {"a copy", filepath.Join(dir, "not", "there"), 1}}); err != nil {
		t.Error(err)
	}
	err := o.enoughRoom([]need{{"a dump", dir, 1 << 59}, {"a copy", filepath.Join(dir, "not", "there"), 1 << 59}})
	if err == nil || !strings.Contains(err.Error(), "needs 1073741824.0 GiB") {
		t.Errorf("%v", err)
	}
}

func TestNeedsGrowWithTheScale(t *testing.T) {
	t.Parallel()
	total := func(scale, kind string) (n int64) {
		for _, need := range (Options{Kind: kind}).needs(Machine{}, shop(scale)) {
			n += need.bytes
		}
		return n
	}
	if small, large := total(smallest, sandbox.Local), total("1", sandbox.Container); small > 1*gib || large < 10*gib {
		t.Errorf("%d and %d bytes", small, large)
	}
}
