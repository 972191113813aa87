package sandbox

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"

	"daybefore/internal/testneed"
	"daybefore/internal/verdict"
)

// testLife is the deadline of a test's sandbox: as long as all tests of a
// package may take, so that none ends under its test however loaded the machine
// is; and an end for what a test that is itself killed leaves.
const testLife = 25 * time.Minute

// helperTask makes this test binary do a task of its own instead of testing:
// it is the drill that is killed, and the next one that sweeps.
const helperTask = "SANDBOX_TEST_TASK"

func TestMain(m *testing.M) {
	var err error
	switch task, kind, _ := strings.Cut(os.Getenv(helperTask), " "); task {
	case "":
		createGrace, lastTry = time.Minute, time.Minute
		os.Exit(m.Run())
	case "hold":
		err = holdBox(kind)
	case "foreign":
		err = leaveForeign(kind)
	case "stall":
		err = stallAll(kind)
	case "joined":
		err = startJoined()
	case "freeze":
		err = freezeAndDie()
	case "remove":
		err = removeWithFew(kind)
	case "sweep":
		err = sweepAndTell()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// held is what a helper says about the sandbox that it holds.
type held struct{ Work, Container string }

// tunnelKind is a container whose engine is taken to be elsewhere.
const tunnelKind = "tunnel"

func holdBox(kind string) error {
	w, err := NewWorkdir()
	if err != nil {
		return err
	}
	o := Options{Kind: kind, Image: imageFor(kind), Work: w, Deadline: time.Now().Add(testLife)}
	if kind == tunnelKind {
		o.Kind = Container
		o.Image = imageFor(Container)
		o.Tunnel = true
	}
	b, err := Start(context.Background(), o)
	if err != nil {
		return err
	}
	h := held{Work: w.Path()}
	if c, ok := b.(*containerBox); ok {
		h.Container = c.name
	}
	if err := json.NewEncoder(os.Stdout).Encode(h); err != nil {
		return err
	}
	io.Copy(io.Discard, os.Stdin) // until told, or killed
	if err := b.Close(context.Background()); err != nil {
		return err
	}
	return w.Close()
}

func sweepAndTell() error {
	removed, err := Sweep(context.Background(), nil)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(removed)
}

// helper is this test binary at another task, with a temporary directory of
// its own, so that tests which sweep at the same time do not meet.
func helper(t *testing.T, task, tmp string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), helperTask+"="+task, "TMPDIR="+tmp)
	cmd.Stderr = &lineWriter{tell: func(line string) { t.Log(task + ": " + line) }}
	return cmd
}

// hold starts a helper that holds a sandbox until its standard input ends.
func hold(t *testing.T, kind, tmp string) (held, *exec.Cmd, io.Closer) {
	t.Helper()
	cmd := helper(t, "hold "+kind, tmp)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		t.Fatalf("the helper started no sandbox: %v", err)
	}
	var h held
	if err := json.Unmarshal(line, &h); err != nil {
		t.Fatal(err)
	}
	return h, cmd, in
}

func sweepElsewhere(t *testing.T, tmp string) (removed []string) {
	t.Helper()
	out, err := helper(t, "sweep", tmp).Output()
	if err != nil {
		t.Fatalf("sweep: %v", err)
	}
	if err := json.Unmarshal(out, &removed); err != nil {
		t.Fatal(err)
	}
	return removed
}

// imageFor is the image that tests of a kind use.
func imageFor(kind string) string {
	if kind == Container {
		return "postgres:17"
	}
	return ""
}

// need leaves a test out where the kind cannot run.
func need(t testing.TB, o Options) {
	t.Helper()
	switch o.Kind {
	case Container:
		testneed.Image(t, o.Image)
	case Local:
		if _, err := findBinaries(0); err != nil {
			testneed.Missing(t, "PostgreSQL server binaries (Debian: apt install postgresql): %v", err)
		}
	}
}

// workdir makes a work directory that must be gone after the test.
func workdir(t testing.TB) *Workdir {
	t.Helper()
	w, err := NewWorkdir()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(w.Path()); !os.IsNotExist(err) {
			t.Errorf("%s is still there (%v)", w.Path(), err)
		}
	})
	return w
}

// start starts a sandbox that is closed with the test.
func start(t testing.TB, o Options) Box {
	t.Helper()
	need(t, o)
	if o.Work == nil {
		o.Work = workdir(t)
	}
	if o.Deadline.IsZero() {
		o.Deadline = time.Now().Add(testLife)
	}
	o.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	o.Drill = t.Name()
	b, err := Start(t.Context(), o)
	return closedWith(t, b, err)
}

// closedWith closes a sandbox with the test, and leaves a test out where the
// machine does not isolate local ones.
func closedWith(t testing.TB, b Box, err error) Box {
	t.Helper()
	if p, ok := errors.AsType[*verdict.Problem](err); ok && p.Code == verdict.CodeIsolation {
		testneed.Missing(t, "isolation for local sandboxes: %v; %s", err, p.Hint)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeBox(t, b) })
	return b
}

func closeBox(t testing.TB, b Box) {
	t.Helper()
	if err := b.Close(context.WithoutCancel(t.Context())); err != nil {
		t.Error(err)
	}
}

// baseOf returns what both kinds have in common.
func baseOf(b Box) *base {
	switch b := b.(type) {
	case *containerBox:
		return b.base
	case *local:
		return b.base
	}
	panic("another kind")
}

// testEngine is the engine, for looking at what a sandbox left there.
func testEngine(t testing.TB) *containerEngine {
	t.Helper()
	e, err := connectEngine(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

// volumesOf names the volumes of a container.
func volumesOf(t testing.TB, e *containerEngine, name string) (volumes []string) {
	t.Helper()
	found, err := e.ContainerInspect(t.Context(), name, client.ContainerInspectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range found.Container.Mounts {
		if m.Type == "volume" {
			volumes = append(volumes, m.Name)
		}
	}
	if len(volumes) == 0 {
		t.Error("the server's data lie in no volume of their own")
	}
	return volumes
}

// gone checks that a container and its volumes are. A volume goes a moment
// after its container where the engine removes both by itself.
func gone(t testing.TB, e *containerEngine, name string, volumes []string) {
	t.Helper()
	if _, err := e.ContainerInspect(t.Context(), name, client.ContainerInspectOptions{}); err == nil {
		t.Errorf("the container %s is still there", name)
	}
	for _, v := range volumes {
		eventually(t, "the volume "+v+" is gone", func() bool {
			_, err := e.VolumeInspect(t.Context(), v, client.VolumeInspectOptions{})
			return errdefs.IsNotFound(err)
		})
	}
}

// workingUnder lists the processes that work in a work directory, or were lent
// a part of it.
func workingUnder(t testing.TB, dir string) (pids []int) {
	t.Helper()
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	for _, proc := range dirs {
		cwd, _ := os.Readlink(filepath.Join(proc, "cwd"))
		mounts, _ := os.ReadFile(filepath.Join(proc, "mountinfo"))
		if strings.HasPrefix(cwd, dir+"/") || strings.Contains(string(mounts), "/"+filepath.Base(dir)+"/") {
			pid, _ := strconv.Atoi(filepath.Base(proc))
			pids = append(pids, pid)
		}
	}
	return pids
}

// eventually waits until a condition holds that must come to hold by itself,
// soon unless the machine is loaded.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); !holds(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("in vain: %s", what)
		}
	}
}

// withLabel names the containers whose label begins so.
func withLabel(t testing.TB, e *containerEngine, label, prefix string) (names []string) {
	t.Helper()
	list, err := e.ContainerList(t.Context(), client.ContainerListOptions{All: true, Filters: client.Filters{}.Add("label", label)})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range list.Items {
		if strings.HasPrefix(c.Labels[label], prefix+"/") {
			names = append(names, strings.Join(c.Names, ","))
		}
	}
	return names
}
