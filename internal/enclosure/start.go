//go:build unix

package enclosure

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

const (
	// marker is what a keeper's own name is, by which it knows what it is.
	marker = "daybefore: keeper"

	// What a keeper inherits: its plan, the pipe with whose end it ends, and the
	// pipe by which it tells how it goes.
	planFD, lifelineFD, reportFD = 3, 4, 5

	// notSetUp is the status of a keeper that could not start its program.
	notSetUp = 125
	// outputDelay is how long output may take that is still in a pipe when all
	// who wrote have ended.
	outputDelay = 2 * time.Second
)

// plan is what a keeper is told.
type plan struct {
	Command
	Users   bool // it has a user namespace of its own
	Dropped bool // it has built its world, and given up the rights that it took
}

// told is what a keeper writes: how it goes.
type told struct {
	Started bool          `json:",omitempty"`
	Ended   Cause         `json:",omitempty"` // by the keeper
	Step    string        `json:",omitempty"` // that failed
	Errno   syscall.Errno `json:",omitempty"`
	Err     string        `json:",omitempty"` // where there is no number
}

// Process is a program that was started.
type Process struct {
	cmd      *exec.Cmd
	lifeline *os.File
	report   *os.File
	heard    *json.Decoder // of report
	done     chan struct{} // closed when all of it has ended
	end      End           // to be read then
	err      error
}

// Start starts a program, and returns once it runs. The error is a *Refused
// where this machine does not give the degree.
func (c Command) Start() (*Process, error) {
	p := plan{Command: c, Users: c.Degree > Watched && os.Geteuid() != 0}
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
	written, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
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
	cmd.Args, cmd.Env, cmd.Dir = []string{marker}, []string{"GOTRACEBACK=none"}, "/"
	cmd.Stdout, cmd.Stderr = p.Stdout, p.Stderr
	cmd.ExtraFiles = []*os.File{pipes[0].r, pipes[1].r, pipes[2].w}
	cmd.SysProcAttr = p.attributes()
	cmd.WaitDelay = outputDelay
	if err := cmd.Start(); err != nil {
		return nil, p.refusal("start a process in namespaces of its own", err)
	}
	for _, f := range append(cmd.ExtraFiles, nil)[:3] {
		f.Close()
	}
	_, err = pipes[0].w.Write(written)
	if err := errors.Join(err, pipes[0].w.Close()); err != nil {
		_ = cmd.Process.Kill()
		return nil, errors.Join(fmt.Errorf("tell the keeper what to start: %w", err), cmd.Wait())
	}
	q := &Process{cmd: cmd, lifeline: pipes[1].w, report: pipes[2].r, heard: json.NewDecoder(pipes[2].r), done: make(chan struct{})}
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
		for _, no := range []error{syscall.EPERM, syscall.EACCES, syscall.ENOSYS, syscall.EINVAL, syscall.ENOSPC, syscall.EUSERS} {
			if errors.Is(err, no) {
				return &Refused{p.Degree, step, err}
			}
		}
	}
	return fmt.Errorf("%s: %w", step, err)
}

// awaitStart waits until the program runs.
func (q *Process) awaitStart(p plan) error {
	var t told
	if err := q.heard.Decode(&t); err != nil {
		return p.refusal("set a program apart", fmt.Errorf("its keeper ended without a word (%w)", err))
	}
	if t.Started {
		return nil
	}
	var err error = errors.New(t.Err)
	if t.Errno != 0 {
		err = t.Errno
	}
	return p.refusal(t.Step, err)
}

// attend waits for the end of the keeper, with which all has ended.
func (q *Process) attend() {
	defer close(q.done)
	var t told
	_ = q.heard.Decode(&t) // at its end there is nothing
	q.end.Cause = t.Ended
	err := q.cmd.Wait()
	q.lifeline.Close()
	q.report.Close()
	switch exit, ok := errors.AsType[*exec.ExitError](err); {
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
		_ = q.cmd.Process.Kill()
	}
}

// PID is the keeper's number on this machine.
func (q *Process) PID() int { return q.cmd.Process.Pid }
