//go:build unix

package enclosure

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"daybefore/internal/enclosure/keeper"
)

// outputDelay is how long output may take that is still in a pipe when all who
// wrote have ended: whoever reads it may have to wait for a server, on a machine
// that has much to do.
const outputDelay = time.Minute

// startsWithin is how long a keeper may take until its program runs.
const startsWithin = time.Minute

// plan is what a keeper is told, and where its program writes.
type plan struct {
	keeper.Plan
	stdout, stderr io.Writer
}

// plan is the keeper's, without a user namespace unless only that gives the
// right to the others.
func (c Command) plan() (plan, error) {
	filters, err := seccompFilters()
	return plan{stdout: c.Stdout, stderr: c.Stderr, Plan: keeper.Plan{
		Args: c.Args, Env: c.Env, Dir: c.Dir, Account: c.Account, Keeper: c.Keeper, Degree: c.Degree, Root: c.Root,
		Programs: c.Programs, Binds: c.Binds, Limits: c.Limits, Deadline: c.Deadline,
		Filters: filters, Users: c.Degree > Watched && os.Geteuid() != 0,
	}}, err
}

// Process is a program that was started.
type Process struct {
	cmd      *exec.Cmd
	degree   Degree
	lifeline *os.File
	report   *os.File
	heard    *bufio.Reader // of report
	done     chan struct{} // closed when all of it has ended
	end      End           // to be read then
	err      error
}

// Start starts a program, and returns once it runs. The error is a *Refused
// where this machine does not give the degree.
func (c Command) Start() (*Process, error) {
	p, err := c.plan()
	if err != nil {
		return nil, err
	}
	started, err := p.start()
	if _, refused := errors.AsType[*Refused](err); refused && !p.Users && c.Degree > Watched {
		p.Users = true // a root without the rights of one, such as a container's
		if again, e := p.start(); e == nil {
			return again, nil
		}
	}
	return started, err
}

func (p plan) start() (_ *Process, err error) {
	pipes, err := openPipes(3)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			pipes.close()
		}
	}()
	cmd := exec.Command(thisProgram())
	cmd.Args = []string{keeper.Marker}
	cmd.Env = []string{"GOTRACEBACK=none"}
	cmd.Dir = "/"
	cmd.Stdout, cmd.Stderr = p.stdout, p.stderr
	cmd.ExtraFiles = []*os.File{pipes[0].r, pipes[1].r, pipes[2].w}
	cmd.SysProcAttr = p.attributes()
	cmd.WaitDelay = outputDelay
	if err := cmd.Start(); err != nil {
		return nil, p.refusal("start a process in namespaces of its own", err)
	}
	for _, f := range cmd.ExtraFiles {
		f.Close()
	}
	_, err = pipes[0].w.Write(p.Encode())
	if err := errors.Join(err, pipes[0].w.Close()); err != nil {
		_ = cmd.Process.Kill()
		return nil, errors.Join(fmt.Errorf("tell the keeper what to start: %w", err), cmd.Wait())
	}
	// Whatever it waits for, a file system that does not answer, is waited for no longer.
	late := time.AfterFunc(startsWithin, func() { _ = cmd.Process.Kill() })
	defer late.Stop()
	q := &Process{cmd: cmd, degree: p.Degree, lifeline: pipes[1].w, report: pipes[2].r,
		heard: bufio.NewReader(pipes[2].r), done: make(chan struct{})}
	if err := q.awaitStart(p); err != nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // its status says less
		return nil, err
	}
	go q.attend()
	return q, nil
}

// ends are those of a pipe.
type ends struct{ r, w *os.File }

type openedPipes []ends

func openPipes(n int) (all openedPipes, err error) {
	for range n {
		r, w, err := os.Pipe()
		if err != nil {
			all.close()
			return nil, err
		}
		all = append(all, ends{r, w})
	}
	return all, nil
}

func (o openedPipes) close() {
	for _, e := range o {
		e.r.Close()
		e.w.Close()
	}
}

// refusal makes an error a *Refused where it is one: by the number of what a
// kernel says that has, or lets one have, no such thing.
func (p plan) refusal(step string, err error) error {
	if p.Degree > Watched {
		for _, no := range []error{syscall.EPERM, syscall.EACCES, syscall.ENOSYS, syscall.EINVAL, syscall.ENOSPC,
			syscall.EUSERS} {
			if errors.Is(err, no) {
				return &Refused{p.Degree, step, err}
			}
		}
	}
	return fmt.Errorf("%s: %w", step, err)
}

// hear waits for the keeper's next word. At its end there is none.
func (q *Process) hear() (keeper.Told, error) {
	line, err := q.heard.ReadBytes('\n')
	if err != nil {
		return keeper.Told{}, err
	}
	return keeper.DecodeTold(line[:len(line)-1])
}

// awaitStart waits until the program runs.
func (q *Process) awaitStart(p plan) error {
	told, err := q.hear()
	switch {
	case err != nil:
		return p.refusal("set a program apart", fmt.Errorf("its keeper ended without a word (%w)", err))
	case told.Started:
		return nil
	case told.Errno != 0 && isPlain(told.Step):
		return fmt.Errorf("%s: %w", told.Step, told.Errno)
	case told.Errno != 0:
		return p.refusal(told.Step, told.Errno)
	}
	return errors.New(told.Step)
}

// isPlain reports whether a keeper's step is about the program itself, so that
// its failure says nothing of the degrees that this machine gives.
func isPlain(step string) bool {
	return strings.HasPrefix(step, "find ") || strings.HasPrefix(step, "start ")
}

// attend waits for the end of the keeper, with which all has ended.
func (q *Process) attend() {
	defer close(q.done)
	told, _ := q.hear()
	q.end.Cause = Cause(told.Ended)
	err := q.cmd.Wait()
	q.lifeline.Close()
	q.report.Close()
	exit, ok := errors.AsType[*exec.ExitError](err)
	switch {
	case !ok:
		q.err = err
	case exit.Sys().(syscall.WaitStatus).Signaled():
		q.end.Code = 128 + int(exit.Sys().(syscall.WaitStatus).Signal())
	default:
		q.end.Code = exit.ExitCode()
	}
}

// Done is closed when the program and all that it started have ended.
func (q *Process) Done() <-chan struct{} { return q.done }

// Wait waits until the program and all that it started have ended. The error
// is of what was to be written meanwhile.
func (q *Process) Wait() (End, error) {
	<-q.done
	return q.end, q.err
}

// Kill ends the program and all that it started, at once. It may be called
// again.
func (q *Process) Kill() {
	select {
	case <-q.done:
	default:
		if q.degree > Watched {
			_ = q.cmd.Process.Kill() // and the kernel all else
			return
		}
		q.lifeline.Close() // then the keeper sees to all else
	}
}

// PID is the keeper's number on this machine.
func (q *Process) PID() int { return q.cmd.Process.Pid }
