package sandbox

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"daybefore/internal/testneed"
)

// litter are files as a backup's function can leave them: in a directory that
// nobody but their account enters, and in one that not even that does.
const litter = `mkdir -p a/b c && touch a/b/x c/x && chmod 700 a/b a && chmod 000 c`

// leaveForeign litters one sandbox and removes it, then another, which it leaves.
func leaveForeign(kind string) error {
	ways := []bool{false, true}
	if kind == Container {
		ways = ways[:1] // what a sweep does is the same, and takes as long
	}
	for _, leave := range ways {
		w, err := NewWorkdir()
		if err != nil {
			return err
		}
		b, err := Start(context.Background(), Options{Kind: kind, Image: imageFor(kind), Work: w, Deadline: time.Now().Add(testLife)})
		if err != nil {
			return err
		}
		// A container's server can make nothing beside its socket, and the
		// programs of a local one nothing at all.
		where := Command{Args: []string{"sh", "-c", litter}, Beside: kind == Local}
		if err := b.Run(context.Background(), where); err != nil {
			return err
		}
		if leave {
			return nil
		}
		if err := b.Close(context.Background()); err != nil {
			return err
		}
		if err := w.Close(); err != nil {
			return err
		}
		if _, err := os.Stat(w.Path()); !os.IsNotExist(err) {
			return fmt.Errorf("%s is still there", w.Path())
		}
	}
	return nil
}

// TestForeignFiles removes, as a user of no power, what a sandbox's account
// left where nobody else may enter: at its end, and in a sweep.
func TestForeignFiles(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{Container, Local} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			need(t, Options{Kind: kind, Image: imageFor(kind)})
			tmp := shortTemp(t)
			for _, task := range []string{"foreign " + kind, "sweep"} {
				cmd := powerless(t, helper(t, task, tmp), tmp)
				if out, err := cmd.Output(); err != nil {
					t.Fatalf("%s: %v %s", task, err, out)
				}
			}
			left, err := filepath.Glob(filepath.Join(tmp, workPrefix+"*"))
			if err != nil || len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

// powerlessAccount is one that every Linux has, and that runs no server here.
const powerlessAccount = "games"

// powerless lets root run a helper as a user who may do nothing but use the
// engine; any other caller is one.
func powerless(t *testing.T, cmd *exec.Cmd, tmp string) *exec.Cmd {
	t.Helper()
	if os.Geteuid() != 0 {
		return cmd
	}
	account, err := lookUp(powerlessAccount)
	if err != nil {
		testneed.Missing(t, "an account of no power: %v", err)
	}
	group := uint32(account.GID)
	if info, err := os.Stat("/var/run/docker.sock"); err == nil {
		group = info.Sys().(*syscall.Stat_t).Gid
	}
	// The directory that go test works in is root's alone.
	program := filepath.Join(tmp, "helper")
	if _, err := os.Stat(program); err != nil {
		copied(t, program, cmd.Path)
		if err := os.Chown(tmp, account.UID, int(group)); err != nil {
			t.Fatal(err)
		}
	}
	cmd.Path, cmd.Dir = program, tmp
	cmd.Env = append(cmd.Env, "HOME="+tmp)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(account.UID), Gid: group}}
	return cmd
}

func copied(t *testing.T, to, from string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestWhatStaysIsTold names what cannot be removed, and leaves the lock for a
// sweep to find it by.
func TestWhatStaysIsTold(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root may make a file that stays")
	}
	w, err := NewWorkdir()
	if err != nil {
		t.Fatal(err)
	}
	fixed := filepath.Join(w.run(), "fixed")
	if err := os.Mkdir(fixed, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", fixed, "tmpfs", 0, "size=64k"); err != nil {
		t.Skipf("no file system can be mounted here: %v", err)
	}
	free := func() { _ = syscall.Unmount(fixed, syscall.MNT_DETACH); os.RemoveAll(w.Path()) }
	t.Cleanup(free)
	if err := w.Close(); err == nil || !strings.Contains(err.Error(), fixed) {
		t.Errorf("not told by name: %v", err)
	}
	if gone, err := sweepDirectory(t.Context(), w.Path()); gone || err == nil || !strings.Contains(err.Error(), fixed) {
		t.Errorf("the sweep says %v, %v", gone, err)
	}
	if err := syscall.Unmount(fixed, 0); err != nil {
		t.Fatal(err)
	}
	if gone, err := sweepDirectory(t.Context(), w.Path()); !gone || err != nil {
		t.Errorf("afterwards the sweep says %v, %v", gone, err)
	}
}
