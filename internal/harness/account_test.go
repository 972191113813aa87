package harness_test

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"daybefore/internal/sandbox"
	"daybefore/internal/testneed"
	"daybefore/internal/verdict"
)

const noDocker = "DOCKER_HOST=unix:///nonexistent"

// A drill needs no root: a member of the group that may speak to the engine
// gets a container, and anybody a local server.
func TestAsAnotherAccount(t *testing.T) {
	kinds(t, func(t *testing.T, kind string) {
		testneed.Root(t)
		setpriv := testneed.Program(t, "setpriv")
		nobody, err := user.Lookup("nobody")
		if err != nil {
			testneed.Missing(t, "the account nobody: %v", err)
		}
		p := newPlace(t)
		p.demo(kind)
		p.give(nobody)
		args := []string{"--reuid=" + nobody.Uid, "--regid=" + nobody.Gid, "--clear-groups", "--no-new-privs"}
		env := []string{"HOME=" + p.dir}
		if kind == sandbox.Container {
			args[2] = "--groups=" + socketGroup(t)
		} else {
			env = append(env, noDocker)
		}
		cmd := exec.Command(setpriv, append(args, binary(t), "drill")...)
		cmd.Env = p.environ(env...)
		pr := p.startCmd(cmd)
		if code := pr.end(); code != 0 {
			t.Fatalf("ended with %d\n%s", code, pr.said())
		}
		r := p.latest("demo")
		if r.Outcome != verdict.Pass || r.Sandbox.Kind != kind {
			t.Errorf("%s in %+v", r.Outcome, r.Sandbox)
		}
		t.Logf("%s, %s: %s", r.Outcome, r.Sandbox.Isolation, r.Sandbox.Why)
		p.nothingLeft()
	})
}

// give makes everything in the place another account's.
func (p *place) give(to *user.User) {
	p.t.Helper()
	uid, _ := strconv.Atoi(to.Uid)
	gid, _ := strconv.Atoi(to.Gid)
	err := filepath.Walk(filepath.Dir(p.dir), func(path string, _ os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, uid, gid)
	})
	if err != nil {
		p.t.Fatal(err)
	}
}

// socketGroup is the group that may speak to the engine.
func socketGroup(t *testing.T) string {
	t.Helper()
	info, err := os.Stat("/var/run/docker.sock")
	if err != nil {
		testneed.Missing(t, "the engine's socket: %v", err)
	}
	if info.Mode()&0o060 != 0o060 {
		testneed.Missing(t, "a group that may speak to the engine (its socket has mode %v)", info.Mode().Perm())
	}
	return strconv.Itoa(int(info.Sys().(*syscall.Stat_t).Gid))
}

// Where Docker does not answer, auto takes a local server and says why; where
// there is none either, the drill says what to install.
func TestWithoutDocker(t *testing.T) {
	t.Parallel()
	t.Run("local server", func(t *testing.T) {
		t.Parallel()
		p := newPlace(t)
		p.demo(sandbox.Auto)
		cmd := exec.Command(binary(t), "drill")
		cmd.Env = p.environ(noDocker)
		pr := p.startCmd(cmd)
		if code := pr.end(); code != 0 {
			t.Fatalf("ended with %d\n%s", code, pr.said())
		}
		s := p.latest("demo").Sandbox
		if s.Kind != sandbox.Local || !strings.HasPrefix(s.Why, "no container, because ") || !strings.Contains(s.Why, "/nonexistent") {
			t.Errorf("%+v", s)
		}
	})
	t.Run("nothing at all", func(t *testing.T) {
		t.Parallel()
		testneed.Root(t)
		p := newPlace(t)
		p.demo(sandbox.Auto)
		// In a mount namespace where the servers' folders are empty.
		hide := `for d in /usr/lib/postgresql /usr/pgsql-*; do [ ! -d "$d" ] || mount -t tmpfs none "$d" || exit 99; done; exec "$0" drill`
		cmd := exec.Command(testneed.Program(t, "unshare"), "-m", "sh", "-c", hide, binary(t))
		cmd.Env = p.environ(noDocker, "PATH=/usr/bin:/bin:/usr/sbin:/sbin")
		pr := p.startCmd(cmd)
		code := pr.end()
		if code == 1 && strings.Contains(pr.said(), "unshare") || code == 99 {
			testneed.Missing(t, "a mount namespace: %s", pr.said())
		}
		if code != verdict.ExitError {
			t.Errorf("ended with %d\n%s", code, pr.said())
		}
		s := stageOf(p.latest("demo"), verdict.StageSandbox)
		for _, word := range []string{"no Docker engine answers", "no PostgreSQL server binaries"} {
			if !strings.Contains(s.Message, word) {
				t.Errorf("%q does not say %q", s.Message, word)
			}
		}
		if s.Outcome != verdict.Error || s.Code != verdict.CodeSandbox || !strings.Contains(s.Hint, "install") {
			t.Errorf("%+v", s)
		}
		p.nothingLeft()
	})
	t.Run("a server that is too old", func(t *testing.T) {
		t.Parallel()
		p := newPlace(t)
		dump, err := os.ReadFile(filepath.Join(repository, "internal/archive/testdata/small-17.dump"))
		if err != nil {
			t.Fatal(err)
		}
		const header = 200 // bytes, in which the versions stand
		p.write("b/nightly.dump", strings.ReplaceAll(string(dump[:header]), "17.", "29.")+string(dump[header:]))
		p.write("drills/old.yaml", fmt.Sprintf(oneTable, "file:../b/", "auto"))
		cmd := exec.Command(binary(t), "drill")
		cmd.Env = p.environ(noDocker)
		pr := p.startCmd(cmd)
		if code := pr.end(); code != verdict.ExitError {
			t.Errorf("ended with %d\n%s", code, pr.said())
		}
		if s := stageOf(p.latest("old"), verdict.StageSandbox); !strings.Contains(s.Message, "the backup needs PostgreSQL 29 or higher") {
			t.Errorf("%+v", s)
		}
	})
}

// oneTable is the drill file of any database, at a URL, for a kind.
const oneTable = `version: 1
source: {url: %q, name: nightly.dump, timezone: UTC}
sandbox: {kind: %s}
expectations:
  tables: [{table: public.work}]
`
