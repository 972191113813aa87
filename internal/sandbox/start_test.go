package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/moby/moby/client"

	"daybefore/internal/testneed"
	"daybefore/internal/verdict"
)

// refused checks that a start fails with a code and a message that says why,
// and leaves nothing behind.
func refused(t *testing.T, o Options, code verdict.Code, says ...string) {
	t.Helper()
	if o.Deadline.IsZero() {
		o.Deadline = time.Now().Add(testLife)
	}
	o.Work = workdir(t)
	b, err := Start(t.Context(), o)
	if b != nil {
		closeBox(t, b)
		t.Fatal("it started")
	}
	p, ok := errors.AsType[*verdict.Problem](err)
	if !ok || p.Code != code || p.Outcome != verdict.Error || p.Hint == "" {
		t.Errorf("refused with %#v, want code %s and a hint", p, code)
	}
	for _, s := range says {
		if !strings.Contains(fmt.Sprint(err), s) {
			t.Errorf("refused with %q, which does not say %q", err, s)
		}
	}
}

func TestStartRefuses(t *testing.T) {
	t.Parallel()
	t.Run("kind", func(t *testing.T) { refused(t, Options{Kind: "cloud"}, verdict.CodeSpec, `"cloud"`) })
	t.Run("isolation", func(t *testing.T) {
		refused(t, Options{Isolation: "some"}, verdict.CodeSpec, `"some"`)
	})
	t.Run("no such image", func(t *testing.T) {
		testneed.Docker(t)
		refused(t, Options{Kind: Container, Image: "127.0.0.1:1/nobody:1"}, verdict.CodeSandbox, "127.0.0.1:1/nobody:1", "cannot be pulled")
	})
	t.Run("binaries too old", func(t *testing.T) {
		need(t, Options{Kind: Local})
		refused(t, Options{Kind: Local, Major: 99}, verdict.CodeSandbox, "needs PostgreSQL 99", "highest installed is")
	})
	t.Run("image too old", func(t *testing.T) {
		testneed.Image(t, "postgres:15")
		refused(t, Options{Kind: Container, Image: "postgres:15", Major: 17}, verdict.CodeSandbox, "postgres:15 holds PostgreSQL 15", "needs 17 or later")
	})
	t.Run("deadline passed", func(t *testing.T) {
		need(t, Options{Kind: Local})
		refused(t, Options{Kind: Local, Deadline: time.Now().Add(-time.Second)}, verdict.CodeTimeout, "deadline")
	})
	t.Run("memory too small to start", func(t *testing.T) {
		testneed.Image(t, "postgres:17")
		refused(t, Options{Kind: Container, Image: "postgres:17", Memory: 1 << 20}, verdict.CodeSandbox, "emory")
	})
}

// TestAuto has no engine where one is declared: the server is local then, and
// the report says why.
func TestAuto(t *testing.T) {
	need(t, Options{Kind: Local})
	t.Setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
	b := start(t, Options{Kind: Auto})
	if info := b.Info(); info.Kind != Local || !strings.Contains(info.Why, "no container, because") || !strings.Contains(info.Why, "/nonexistent/docker.sock") {
		t.Errorf("info %+v", info)
	}
	refused(t, Options{Major: 99}, verdict.CodeSandbox, "no container, because", "needs PostgreSQL 99")
	refused(t, Options{Kind: Container}, verdict.CodeSandbox, "/nonexistent/docker.sock")
}

// TestStartDiesEarly has a server that cannot come up: that is noticed at
// once, told in its own words, and leaves nothing behind.
func TestStartDiesEarly(t *testing.T) {
	t.Parallel()
	t.Run(Local, func(t *testing.T) {
		t.Parallel()
		need(t, Options{Kind: Local})
		dir := shortTemp(t)
		if err := os.WriteFile(filepath.Join(dir, "initdb"), []byte("#!/bin/sh\necho >&2 initdb: error: no room\nexit 1\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		o := Options{Work: workdir(t), Deadline: time.Now().Add(testLife)}.withDefaults()
		b, err := startBinaries(t.Context(), o, binaries{dir: dir})
		earlyDeath(t, b, err, "initdb: error: no room")
	})
	for _, tunnel := range []bool{false, true} {
		t.Run(fmt.Sprintf("%s, tunnel %v", Container, tunnel), func(t *testing.T) {
			t.Parallel()
			testneed.Image(t, "postgres:17")
			own, err := connectEngine(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			o := Options{Work: workdir(t), Deadline: time.Now().Add(testLife), Tunnel: tunnel}.withDefaults()
			b, err := startFound(t.Context(), o, own, dbImage{ref: "postgres:17", data: insideStart + "/data", volumes: []string{insideStart}})
			earlyDeath(t, b, err, "initdb", insideStart+"/data")
			noContainers(t, o.Work)
		})
	}
}

// TestLateWatch has an engine that says that the server is not running before
// its end has been noticed, as a loaded machine does. That is asked about, and
// the server's last words are told all the same: to a program that cannot begin
// its work, and to one that is cut off.
func TestLateWatch(t *testing.T) {
	t.Parallel()
	for _, tunnel := range []bool{false, true} {
		t.Run(fmt.Sprintf("tunnel %v", tunnel), func(t *testing.T) {
			t.Parallel()
			b := start(t, Options{Kind: Container, Image: "postgres:17", Tunnel: tunnel}).(*containerBox)
			late := &containerBox{base: newBase(Options{Work: b.work, Deadline: b.deadline}, shareInside),
				engine: b.engine, name: b.name, life: b.life, tunnel: b.tunnel}
			late.server.Store(b.server.Load())
			late.base.launch = func(cmd Command) (*program, error) { return late.exec(cmd, "") }
			late.bringLog = b.bringLog
			var noticed sync.Once
			late.gone = func() bool {
				ended := b.notRunning()
				if ended {
					noticed.Do(func() { go late.tellServer(*b.server.Load()) })
				}
				return ended
			}
			r, w := io.Pipe()
			cut := make(chan error, 1)
			go func() {
				cut <- late.Run(t.Context(), Command{Args: []string{"sh", "-c", "echo; sleep 600"}, Stdout: w})
			}()
			r.Read(make([]byte, 1)) // it runs
			b.Run(t.Context(), Command{Beside: true, Args: []string{"sh", "-c", "kill -INT $(head -1 " + defaultData + "/postmaster.pid); sleep 600"}})
			eventually(t, "the server is gone", b.notRunning)
			earlyDeath(t, nil, late.Run(t.Context(), Command{Args: []string{"psql", "-d", "postgres", "-c", "select"}}), "fast shutdown request")
			earlyDeath(t, nil, <-cut, "fast shutdown request")
		})
	}
}

// noContainers checks that a work directory's drill left no container.
func noContainers(t *testing.T, w *Workdir) {
	t.Helper()
	label := labelLock + "=" + filepath.Join(w.Path(), lockName)
	list, err := testEngine(t).ContainerList(t.Context(), client.ContainerListOptions{
		All: true, Filters: client.Filters{}.Add("label", label)})
	if err != nil || len(list.Items) > 0 {
		t.Errorf("left behind: %v, %v", list.Items, err)
	}
}

func earlyDeath(t *testing.T, b Box, err error, says ...string) {
	t.Helper()
	if b != nil {
		t.Fatal("it started")
	}
	p, ok := errors.AsType[*verdict.Problem](err)
	if !ok || p.Code != verdict.CodeSandbox {
		t.Fatalf("died with %#v", err)
	}
	for _, s := range says {
		if !strings.Contains(err.Error(), s) {
			t.Errorf("died with %q, which does not say %q", err, s)
		}
	}
}

// TestStartCanceled stops a start at many moments: nothing may be left.
func TestStartCanceled(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{Container, Local} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			o := Options{Kind: kind, Image: imageFor(kind), Deadline: time.Now().Add(testLife)}
			need(t, o)
			for _, after := range []time.Duration{0, 50 * time.Millisecond, 200 * time.Millisecond, 500 * time.Millisecond} {
				o.Work = workdir(t)
				ctx, cancel := context.WithTimeoutCause(t.Context(), after, errStop)
				b, err := Start(ctx, o)
				cancel()
				if b != nil {
					closeBox(t, b) // it was quicker
				} else if !errors.Is(err, errStop) {
					t.Errorf("stopped after %v: %v, want the reason of the cancellation", after, err)
				}
				if pids := workingUnder(t, o.Work.Path()); len(pids) > 0 {
					t.Errorf("stopped after %v: processes left behind: %v", after, pids)
				}
				if kind == Container {
					noContainers(t, o.Work)
				}
			}
		})
	}
}

// TestHigherMajor takes the lowest higher version where the wanted one is not
// to be had, and says so.
func TestHigherMajor(t *testing.T) {
	t.Parallel()
	t.Run(Container, func(t *testing.T) {
		t.Parallel()
		testneed.Image(t, "postgres:17")
		e := testEngine(t)
		if _, err := e.localImage(t.Context(), "postgres:16"); err == nil {
			t.Skip("postgres:16 is here")
		}
		img, err := e.findImage(t.Context(), Options{Major: 16}.withDefaults())
		if err != nil {
			t.Fatal(err)
		}
		if img.ref == "postgres:16" {
			return // it could be pulled
		}
		if img.ref != "postgres:17" || !strings.Contains(img.warning, "postgres:16") {
			t.Errorf("found %+v", img)
		}
	})
	t.Run(Local, func(t *testing.T) {
		t.Parallel()
		need(t, Options{Kind: Local})
		bin, err := findBinaries(10)
		if err != nil || bin.major < 10 || (bin.major > 10) != (bin.warning != "") {
			t.Errorf("found %+v, %v", bin, err)
		}
		// pg_config and the usual places name one server: it is asked once.
		asked := map[string]bool{}
		for _, b := range installed() {
			if asked[b.dir] {
				t.Errorf("%s was asked twice", b.dir)
			}
			asked[b.dir] = true
		}
	})
}

// Where nothing can set a server apart, none is started, whatever is installed.
func TestLocalNeedsLinux(t *testing.T) {
	t.Parallel()
	if bin, err := findOn("darwin", 0); !errors.Is(err, errNeedsLinux) || bin.dir != "" {
		t.Errorf("found %+v, %v", bin, err)
	}
	for err, want := range map[error]string{
		errNeedsLinux:       "set sandbox.kind: container",
		noBinaries(17, nil): "set sandbox.kind: container, or install a PostgreSQL server",
	} {
		hint := hintWithout(err, "set sandbox.kind: container")
		if !strings.HasPrefix(hint, want) || errors.Is(err, errNeedsLinux) && hint != want {
			t.Errorf("%v: hint %q, want %q", err, hint, want)
		}
	}
}

func TestPick(t *testing.T) {
	t.Parallel()
	have := []int{15, 18, 13, 17}
	for want, picked := range map[int]int{0: 18, 9: 13, 13: 13, 14: 15, 16: 17, 18: 18, 19: 0} {
		got, ok := pick(want, have, func(n int) int { return n })
		if got != picked || ok != (picked != 0) {
			t.Errorf("of %v for %d: %d, %v; want %d", have, want, got, ok, picked)
		}
	}
	for ref, want := range map[string]int{"postgres:17": 17, "postgres:17.2-alpine": 17, "postgres:16-bookworm": 16,
		"postgres:latest": 0, "postgres:18beta1": 0, "postgres": 0, "postgres:": 0} {
		if got := imageMajor(ref); got != want {
			t.Errorf("%s: major %d, want %d", ref, got, want)
		}
	}
}

// TestPull gets the image from a real registry.
func TestPull(t *testing.T) {
	t.Parallel()
	testneed.Image(t, "postgres:17")
	program := testneed.Debian(t, "docker-registry").Program(t, "docker-registry")
	ref := startRegistry(t, program) + "/postgres:17"
	for _, args := range [][]string{{"tag", "postgres:17", ref}, {"push", "-q", ref}, {"rmi", ref}} {
		if out, err := exec.CommandContext(t.Context(), "docker", args...).CombinedOutput(); err != nil {
			t.Fatalf("docker %v: %v\n%s", args, err, out)
		}
	}
	t.Cleanup(func() { exec.Command("docker", "rmi", ref).Run() })
	var told []string
	need(t, Options{Kind: Container, Image: "postgres:17"})
	b, err := Start(t.Context(), Options{Kind: Auto, Image: ref, Work: workdir(t), Deadline: time.Now().Add(testLife),
		Progress: func(s string) { told = append(told, s) }})
	if err != nil {
		t.Fatal(err)
	}
	defer closeBox(t, b)
	if info := b.Info(); info.Kind != Container || info.Image != ref || !strings.Contains(info.Why, "was pulled") {
		t.Errorf("info %+v", info)
	}
	if len(told) == 0 || told[0] != "pulling "+ref {
		t.Errorf("told %q", told)
	}
}

// startRegistry starts a registry on a port of the loopback that it chooses and
// tells: one that was found free may be another's by the time it listens.
func startRegistry(t *testing.T, program string) (address string) {
	t.Helper()
	dir := t.TempDir()
	config := filepath.Join(dir, "config.yml")
	if err := os.WriteFile(config,
		fmt.Appendf(nil,
			"version: 0.1\nlog: {level: info, accesslog: {disabled: true}}\nstorage: {filesystem: {rootdirectory: %s}}\nhttp: {addr: "+
				"'127.0.0.1:0', secret: none}\n", dir), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "serve", config)
	listens := make(chan string, 1)
	cmd.Stderr = &lineWriter{tell: func(line string) {
		if _, told, ok := strings.Cut(line, `"listening on `); ok {
			address, _, _ := strings.Cut(told, `"`)
			listens <- address
		} else if !strings.Contains(line, "level=info") && !strings.Contains(line, "blob unknown") { // as it is with every push
			t.Log("registry: " + line)
		}
	}}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() { cmd.Process.Kill(); <-ended })
	select {
	case address = <-listens:
	case err := <-ended:
		ended <- err
		t.Fatalf("the registry ended: %v", err)
	}
	return address
}

// TestUnprivileged runs the suite again as an account that may do nothing but
// use Docker.
func TestUnprivileged(t *testing.T) {
	t.Parallel()
	testneed.Root(t)
	testneed.Docker(t)
	nobody, err := lookUp(leastAccount)
	if err != nil {
		t.Fatal(err)
	}
	docker, err := user.LookupGroup("docker")
	if err != nil {
		testneed.Missing(t, "a group docker: %v", err)
	}
	var gid uint32
	fmt.Sscan(docker.Gid, &gid)
	caller := &syscall.Credential{Uid: uint32(nobody.UID), Gid: uint32(nobody.GID), Groups: []uint32{gid}}

	dir := shortTemp(t)
	binary := filepath.Join(dir, "test")
	copyFile(t, os.Args[0], binary)
	tmp := filepath.Join(dir, "tmp")
	if err := os.Mkdir(tmp, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(tmp, nobody.UID, nobody.GID); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), binary, "-test.run", "^TestBox$/^(container_17|local)$", "-test.v")
	cmd.Dir = tmp
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + tmp, "TMPDIR=" + tmp, testneed.All + "=" + os.Getenv(testneed.All)}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: caller}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("as %s: %v\n%s", leastAccount, err, out)
	}
	for _, kind := range []string{"container_17", "local"} {
		if !strings.Contains(string(out), "--- PASS: TestBox/"+kind) {
			t.Errorf("as %s, %s did not run:\n%s", leastAccount, kind, out)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(tmp, "*drill-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(out, in)
	if err := errors.Join(err, out.Chmod(0o755), out.Close()); err != nil {
		t.Fatal(err)
	}
}
