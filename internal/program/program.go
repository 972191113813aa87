// Package program runs a foreign program for the rooms that need one: a place
// that only a program reaches, a cipher that only a program opens. Arguments
// are a list and nothing goes through a shell; it gets what is named of the
// environment; it is ended, with all that it started, when its reader is closed
// or its context ends. It never takes output for whole whose program did not end
// well, and never puts an argument or a value of the environment into an error.
package program

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"time"
)

// Command is a program and how it is run.
type Command struct {
	Args  []string      // the program, found as a shell finds it, and its arguments
	Env   []string      // names of variables that it gets besides Ordinary
	Set   []string      // variables that it gets, as NAME=value
	Stdin io.Reader     // may be nil: it reads an empty input
	Idle  time.Duration // how long it may neither write nor read anything; 0: DefaultIdle
}

// DefaultIdle is how long a program may neither write nor read anything.
const DefaultIdle = 5 * time.Minute

const (
	grace     = 2 * time.Second        // between asking a program to end and ending it
	lastBytes = 500 * time.Millisecond // how long stderr is waited for once the program has ended
)

// Running is a program at work. It is read by one goroutine.
type Running struct {
	name   string
	ctx    context.Context
	cmd    *exec.Cmd
	out    *os.File
	idle   time.Duration
	words  *words
	feed   *feed
	exited chan struct{} // closed once the program has ended
	ended  error         // how; nil for status 0
	unhook func() bool
	result error // what Read gives from now on
	killed atomic.Bool
	once   sync.Once
}

// Start starts a program. The caller reads its output to the end, or as far as
// it cares, and closes it. The error is a *Failure where the program is not
// there.
func Start(ctx context.Context, c Command) (*Running, error) {
	if len(c.Args) == 0 || c.Args[0] == "" {
		return nil, errors.New("run a program: none is named")
	}
	r := &Running{name: c.Args[0], ctx: ctx, idle: c.Idle, exited: make(chan struct{})}
	if r.idle <= 0 {
		r.idle = DefaultIdle
	}
	if ctx.Err() != nil {
		return nil, fmt.Errorf("run %s: %w", r.name, context.Cause(ctx))
	}
	r.cmd = exec.Command(c.Args[0], c.Args[1:]...)
	r.cmd.Env = environment(c)
	r.cmd.SysProcAttr = attributes()
	if err := r.start(c); err != nil {
		return nil, r.notStarted(err)
	}
	r.unhook = context.AfterFunc(ctx, r.kill)
	return r, nil
}

// start makes the pipes and starts the program with them.
func (r *Running) start(c Command) error {
	out, outEnd, err := os.Pipe()
	if err != nil {
		return err
	}
	defer outEnd.Close()
	said, saidEnd, err := os.Pipe()
	if err != nil {
		out.Close()
		return err
	}
	defer saidEnd.Close()
	widen(out)
	r.cmd.Stdout = outEnd
	r.cmd.Stderr = saidEnd
	r.feed, err = newFeed(c.Stdin, r.kill)
	if err == nil {
		r.cmd.Stdin = r.feed.end()
		err = r.cmd.Start()
		r.feed.begin(err == nil)
	}
	if err != nil {
		out.Close()
		said.Close()
		return err
	}
	r.out = out
	r.words = listen(said, secrets(c))
	go r.wait()
	return nil
}

func (r *Running) wait() {
	r.ended = r.cmd.Wait()
	close(r.exited)
}

// Read reads the program's output. It gives io.EOF only once the program has
// ended with status 0 and closed its output; else a *Failure, which wraps why the
// context ended where it did, or the error of Command.Stdin if that broke.
func (r *Running) Read(p []byte) (int, error) {
	if r.result != nil {
		return 0, r.result
	}
	for {
		taken := r.feed.taken()
		if err := r.out.SetReadDeadline(time.Now().Add(r.patience())); err != nil {
			return 0, err
		}
		n, err := r.out.Read(p)
		if n > 0 || err == nil {
			return n, nil
		}
		if errors.Is(err, os.ErrDeadlineExceeded) && r.feed.taken() != taken && !r.killed.Load() {
			continue // it reads, and has nothing to write yet
		}
		r.result = r.finish(err)
		return 0, r.result
	}
}

// patience is how long output is waited for: once the program is being ended,
// only as long as that takes, since what it set apart may hold the pipe.
func (r *Running) patience() time.Duration {
	if r.killed.Load() {
		return min(grace, r.idle)
	}
	return r.idle
}

// finish is what Read gives after the last byte.
func (r *Running) finish(err error) error {
	stalled := errors.Is(err, os.ErrDeadlineExceeded)
	if !stalled {
		stalled = !r.endsWithin(r.idle)
	}
	if stalled {
		r.kill()
	}
	<-r.exited
	r.killAll()
	r.words.await(lastBytes)
	broken := r.feed.broken()
	switch {
	case r.ctx.Err() != nil:
		return r.stopped()
	case broken != nil:
		return broken
	case stalled:
		return r.failure(Stalled, fmt.Sprintf("neither wrote nor read anything for %s, and was ended", r.idle))
	case err != io.EOF:
		return fmt.Errorf("read the output of %s: %w", r.name, err)
	}
	return r.judge()
}

// endsWithin waits for the program's end, as long as it may be silent.
func (r *Running) endsWithin(d time.Duration) bool {
	select {
	case <-r.exited:
		return true
	case <-time.After(d):
		return false
	}
}

// judge turns how the program ended into what Read gives.
func (r *Running) judge() error {
	if r.ended == nil {
		return io.EOF
	}
	return r.failure(Ended, describe(r.ended))
}

// stopped is the error of a program that was ended because its context was.
func (r *Running) stopped() error {
	f := r.failure(Stopped, "had not ended, and was ended")
	f.Cause = context.Cause(r.ctx)
	return f
}

func (r *Running) failure(kind Kind, what string) *Failure {
	return &Failure{Kind: kind, Program: r.name, What: what, LastWords: r.words.last()}
}

// notStarted is the error of a program that could not be started.
func (r *Running) notStarted(err error) error {
	for _, missing := range []error{exec.ErrNotFound, exec.ErrDot, fs.ErrNotExist, fs.ErrPermission} {
		if errors.Is(err, missing) {
			return &Failure{Kind: Missing, Program: r.name, What: "cannot be run: " + reason(err)}
		}
	}
	return fmt.Errorf("start %s: %w", r.name, err)
}

// LastWords are the last lines that the program has written to its standard
// error so far, cleaned. They may hold what the program read.
func (r *Running) LastWords() string { return r.words.last() }

// Close ends the program, with all that it started, if it has not ended. It
// waits until nothing of it reads Command.Stdin any more.
func (r *Running) Close() error {
	r.once.Do(func() {
		r.unhook()
		select {
		case <-r.exited:
		default:
			r.kill()
		}
		<-r.exited
		r.killAll()
		r.feed.close()
		r.out.Close()
		r.words.await(lastBytes)
		r.words.close()
		if r.result == nil {
			r.result = fmt.Errorf("read the output of %s: %w", r.name, fs.ErrClosed)
		}
	})
	return nil
}

// kill asks the program to end, and ends it if it does not heed. It does not
// wait.
func (r *Running) kill() {
	if r.killed.Swap(true) {
		return
	}
	r.signalEnd()
	go func() {
		if !r.endsWithin(grace) {
			r.killAll()
		}
		_ = r.out.SetReadDeadline(time.Now()) // ends a Read that began before; a closed pipe needs none
	}()
}

// ErrTooMuch says that a program wrote more than Output takes.
var ErrTooMuch = errors.New("it wrote too much")

// Output runs a program to its end and gives what it wrote, at most so many
// bytes. Errors: as of Start and Read; ErrTooMuch, wrapped.
func Output(ctx context.Context, c Command, most int64) ([]byte, error) {
	r, err := Start(ctx, c)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, most+1))
	switch {
	case err != nil:
		return nil, err
	case int64(len(b)) > most:
		return nil, fmt.Errorf("run %s: %w: more than %d bytes", r.name, ErrTooMuch, most)
	}
	return b, nil
}
