//go:build unix

package enclosure

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A keeper is this binary with another name, and nothing of it is initialized
// but what this room needs.
func init() {
	if len(os.Args) == 1 && os.Args[0] == marker {
		runtime.LockOSThread() // what a thread gives up, its program never has
		debug.SetGCPercent(-1) // it needs next to nothing
		debug.SetMemoryLimit(64 << 20)
		os.Exit(keep())
	}
}

// failure is a step of a keeper that failed.
type failure struct {
	step string
	err  error
}

func (f *failure) Error() string { return f.step + ": " + f.err.Error() }

// try names what failed, if it did.
func try(step string, err error) error {
	if err == nil {
		return nil
	}
	if _, named := errors.AsType[*failure](err); named {
		return err
	}
	return &failure{step, err}
}

// inOrder takes steps until one fails.
func inOrder(steps ...func() error) error {
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// keeper keeps one program.
type keeper struct {
	plan
	lifeline, report *os.File
	child            int // the program's number
}

// keep starts the program of the plan, and returns the status to end with.
func keep() int {
	if err := keepFiles(); err != nil {
		return notSetUp
	}
	k := keeper{lifeline: os.NewFile(lifelineFD, "lifeline"), report: os.NewFile(reportFD, "report")}
	if err := k.begin(); err != nil {
		k.tellFailure(err)
		return notSetUp
	}
	k.tell(told{Started: true})
	go k.hold()
	if !k.Deadline.IsZero() {
		time.AfterFunc(time.Until(k.Deadline), func() { k.stop(AtDeadline) })
	}
	if k.Degree >= NoNetwork {
		go k.watch()
	}
	return k.reap()
}

func (k *keeper) begin() error {
	file := os.NewFile(planFD, "plan")
	if err := json.NewDecoder(file).Decode(&k.plan); err != nil {
		return try("read the plan", err)
	}
	file.Close()
	return inOrder(k.setUp, k.confine, k.start, k.stepDown)
}

// start starts the program.
func (k *keeper) start() error {
	path, err := k.find()
	if err != nil {
		return try("find "+k.Args[0], err)
	}
	if k.Degree == Watched {
		if err := adopt(); err != nil {
			return try("stay the parent of all", err)
		}
	}
	attr := &syscall.ProcAttr{Dir: k.Dir, Env: k.Env, Files: []uintptr{0, 1, 2}, Sys: &syscall.SysProcAttr{Setpgid: true}}
	if k.Account != nil {
		attr.Sys.Credential = &syscall.Credential{Uid: uint32(k.Account.UID), Gid: uint32(k.Account.GID)}
	}
	k.child, err = syscall.ForkExec(path, k.Args, attr)
	return try("start "+k.Args[0], err)
}

// find looks for the program along its own PATH.
func (k *keeper) find() (string, error) {
	name := k.Args[0]
	if strings.Contains(name, "/") {
		return name, nil
	}
	for _, v := range k.Env {
		dirs, ok := strings.CutPrefix(v, "PATH=")
		if !ok {
			continue
		}
		for _, dir := range filepath.SplitList(dirs) {
			path := filepath.Join(dir, name)
			if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
				return path, nil
			}
		}
	}
	return "", exec.ErrNotFound
}

// tell tells the caller how it goes, if there still is one.
func (k *keeper) tell(t told) { _ = json.NewEncoder(k.report).Encode(t) }

func (k *keeper) tellFailure(err error) {
	f, ok := errors.AsType[*failure](err)
	if !ok {
		f = &failure{"set a program apart", err}
	}
	t := told{Step: f.step, Err: f.err.Error()}
	if number, ok := errors.AsType[syscall.Errno](f.err); ok {
		t.Errno = number
	}
	k.tell(t)
}

// hold ends all when the caller is gone.
func (k *keeper) hold() {
	_, _ = io.Copy(io.Discard, k.lifeline)
	k.stop(OfItself)
}

// stop ends all, and says why.
func (k *keeper) stop(why Cause) {
	if why != OfItself {
		k.tell(told{Ended: why})
	}
	k.exit(128 + int(unix.SIGKILL))
}

// exit ends the keeper, and all with it.
func (k *keeper) exit(code int) {
	if k.Degree == Watched {
		endDescendants(k.child)
	}
	os.Exit(code)
}

// reap waits for the program, and buries what else ends meanwhile.
func (k *keeper) reap() int {
	for {
		var status unix.WaitStatus
		pid, err := unix.Wait4(-1, &status, 0, nil)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return notSetUp // it has no child, which cannot be
		case pid == k.child:
			code := status.ExitStatus()
			if status.Signaled() {
				code = 128 + int(status.Signal())
			}
			k.exit(code)
		}
	}
}
