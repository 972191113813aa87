//go:build unix

package keeper

import (
	"errors"
	"io"
	"os"
	"runtime"
	"syscall"
	"time"
)

// A keeper is this binary with another name, and nothing of it is initialized
// but what this room needs.
func init() {
	if len(os.Args) == 1 && os.Args[0] == Marker {
		runtime.LockOSThread() // what a thread gives up, its program never has
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
	Plan
	lifeline, report *os.File
	child            int           // the program's number
	ending           chan struct{} // has room for one: who begins the end
}

// keep starts the program of the plan, and returns the status to end with.
func keep() int {
	if err := keepFiles(); err != nil {
		return NotSetUp
	}
	k := keeper{lifeline: os.NewFile(lifelineFD, "lifeline"), report: os.NewFile(reportFD, "report"),
		ending: make(chan struct{}, 1)}
	if err := k.begin(); err != nil {
		k.tellFailure(err)
		return NotSetUp
	}
	k.tell(Told{Started: true})
	go k.hold()
	if !k.Deadline.IsZero() {
		time.AfterFunc(time.Until(k.Deadline), func() { k.stop("deadline") })
	}
	if k.Degree >= Enclosed {
		go k.watch()
	}
	return k.reap()
}

func (k *keeper) begin() error {
	file := os.NewFile(planFD, "plan")
	written, err := io.ReadAll(file)
	file.Close()
	if err != nil {
		return try("read the plan", err)
	}
	k.Plan, err = decode(written)
	if err != nil {
		return try("read the plan", err)
	}
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
	attr := &syscall.ProcAttr{Dir: k.Dir, Env: k.Env, Files: []uintptr{0, 1, 2},
		Sys: &syscall.SysProcAttr{Setpgid: true}}
	if k.Account != nil {
		attr.Sys.Credential = &syscall.Credential{Uid: uint32(k.Account.UID), Gid: uint32(k.Account.GID)}
	}
	k.child, err = syscall.ForkExec(path, k.Args, attr)
	return try("start "+k.Args[0], err)
}

// find looks for the program along its own PATH.
func (k *keeper) find() (string, error) {
	name := k.Args[0]
	for _, c := range name {
		if c == '/' {
			return name, nil
		}
	}
	for _, v := range k.Env {
		if len(v) < 5 || v[:5] != "PATH=" {
			continue
		}
		for _, dir := range split(v[5:], ':') {
			path := dir + "/" + name
			if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
				return path, nil
			}
		}
	}
	return "", syscall.ENOENT
}

// split cuts a text at a byte.
func split(s string, at byte) (parts []string) {
	begin := 0
	for i := range len(s) {
		if s[i] == at {
			parts = append(parts, s[begin:i])
			begin = i + 1
		}
	}
	return append(parts, s[begin:])
}

// tell tells the caller how it goes, if there still is one.
func (k *keeper) tell(t Told) { _, _ = k.report.Write(t.encode()) }

func (k *keeper) tellFailure(err error) {
	t := Told{Step: err.Error()}
	if f, ok := errors.AsType[*failure](err); ok {
		if number, ok := errors.AsType[syscall.Errno](f.err); ok {
			t = Told{Step: f.step, Errno: number}
		}
	}
	k.tell(t)
}

// hold ends all when the caller is gone.
func (k *keeper) hold() {
	_, _ = io.Copy(io.Discard, k.lifeline)
	k.stop("")
}

// stop ends all, and says why.
func (k *keeper) stop(why string) {
	if why != "" {
		k.tell(Told{Ended: why})
	}
	os.Exit(k.end(128 + int(syscall.SIGKILL)))
}

// end ends all that the keeper keeps, and returns the status to end with. Who comes
// second waits for the end that the first one brings: that is the one that was told.
func (k *keeper) end(code int) int {
	k.ending <- struct{}{}
	if k.Degree == Watched {
		endDescendants(k.child)
	}
	return code
}

// reap waits for the program, buries what else ends meanwhile, and returns the
// status to end with.
func (k *keeper) reap() int {
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			return k.end(NotSetUp) // without a child: unless stop buries it, that cannot be
		case pid == k.child:
			code := status.ExitStatus()
			if status.Signaled() {
				code = 128 + int(status.Signal())
			}
			return k.end(code)
		}
	}
}
