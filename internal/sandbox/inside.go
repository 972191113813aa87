package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"syscall"
	"time"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/client"
)

// The wrapped program leaves its number, to be killed by, and becomes itself.
const (
	plainExec = `echo $$ >"$1"; shift 2; exec "$@"`
	// pipedExec opens the pipe and takes its name away, so that no later
	// reader can be given the output of a program that was forgotten.
	pipedExec = `echo $$ >"$1"; f=$2; shift 2; exec >"$f"; rm -f -- "$f"; exec "$@"`
	// ownPassfile makes the password's file that libpq takes: one that nobody
	// else may read. Of two that make it at once, either is right.
	ownPassfile = `[ -s "$PGPASSFILE" ] || { (umask 077; cat ` + shareInside + "/" + passfileName +
		` >"$PGPASSFILE.$$") && mv -f "$PGPASSFILE.$$" "$PGPASSFILE"; } || exit; `
	// killExec ends the program's whole group, as which an exec begins.
	killExec = `p=$(cat "$1") && { kill -"$2" "-$p" || kill -"$2" "$p"; }`
)

// insideProgram is a place where a program runs.
type insideProgram struct {
	container string
	dir       string // its working directory
	numbers   string // where programs leave their numbers
	prologue  string
}

// insideOf is where a command runs. What is beside the server has no password.
func (c *containerBox) insideOf(cmd Command) insideProgram {
	if cmd.Beside {
		return insideProgram{c.name, insideRun, "/tmp", ""}
	}
	return insideProgram{c.programsName(), insideOut, insideOut, ownPassfile}
}

// exec starts a program inside; with a pipe's name, its output goes there.
func (c *containerBox) exec(cmd Command, pipe string) (*program, error) {
	in := c.insideOf(cmd)
	number := "pid-" + randomHex(8)
	script := plainExec
	if pipe != "" {
		script = pipedExec
	}
	if c.tunnel != nil && !cmd.Beside {
		if err := c.tunnel.sendShare(c.life); err != nil {
			return nil, err
		}
	}
	numberFile := path.Join(in.numbers, number)
	wrapped := append([]string{"sh", "-c", in.prologue + script, "sh", numberFile, path.Join(insideOut, pipe)},
		cmd.Args...)
	attached, id, err := c.attach(c.life, in, wrapped, cmd.Stdout != nil)
	if err != nil {
		return nil, err
	}
	p := newProgram()
	life, forget := context.WithCancelCause(c.life)
	p.kill = func() {
		c.kill(p, in, numberFile)
		forget(errForgotten)
		attached.Close() // whatever it is, nobody listens to it any more
	}
	go func() {
		defer forget(nil)
		stderr := &lineWriter{tell: cmd.Stderr}
		_, err := stdcopy.StdCopy(orDiscard(cmd.Stdout), stderr, attached.Reader)
		stderr.close()
		attached.Close()
		p.status = c.execStatus(life, cmd.Args[0], id, err)
		os.Remove(filepath.Join(c.work.out(), number))
		close(p.ended)
	}()
	return p, nil
}

func orDiscard(w io.Writer) io.Writer {
	if w == nil {
		return io.Discard
	}
	return w
}

// attach starts a command and returns the connection that carries its output.
func (c *containerBox) attach(ctx context.Context, in insideProgram, argv []string,
	stdout bool) (client.HijackedResponse, string,
	error) {
	return c.engine.runIn(ctx, in.container, client.ExecCreateOptions{
		User: containerUser, WorkingDir: in.dir, Cmd: argv,
		Env:          programEnv(insideRun, insidePassfile, c.db.options()),
		AttachStdout: stdout, AttachStderr: true,
	})
}

// runIn starts a command in a container, and returns the connection that
// carries what it reads and writes, and its name. The connection outlives ctx.
func (e *containerEngine) runIn(ctx context.Context, container string,
	o client.ExecCreateOptions) (client.HijackedResponse,
	string, error) {
	created, err := await(ctx, e, engineTimeout, "make ready a program",
		func(ctx context.Context) (client.ExecCreateResult, error) {
			return e.ExecCreate(ctx, container, o)
		}, nil)
	if err != nil {
		return client.HijackedResponse{}, "", err
	}
	attached, err := await(ctx, e, engineTimeout, "start a program",
		func(ctx context.Context) (client.ExecAttachResult, error) {
			return e.ExecAttach(context.WithoutCancel(ctx), created.ID, client.ExecAttachOptions{})
		}, func(late client.ExecAttachResult) { late.Close() })
	return attached.HijackedResponse, created.ID, err
}

// execStatus returns how a program ended whose output has ended, with copyErr.
func (c *containerBox) execStatus(ctx context.Context, name, id string, copyErr error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, engineTimeout, errors.New("the engine went on saying that it runs"))
	defer cancel()
	for {
		state, err := c.engine.execState(ctx, id)
		switch {
		case err != nil:
			return fmt.Errorf("its end was not seen: %w", err)
		case state.Running:
		case state.ExitCode != 0:
			return &ExitError{Program: name, Code: state.ExitCode}
		case copyErr != nil:
			return fmt.Errorf("its output was cut off: %w", copyErr)
		default:
			return nil
		}
		select {
		case <-time.After(execPoll):
		case <-c.dead:
			return c.deadErr
		}
	}
}

// execState asks whether a program still runs, and how it ended.
func (e *containerEngine) execState(ctx context.Context, id string) (client.ExecInspectResult, error) {
	return await(ctx, e, engineTimeout, "say how a program ended",
		func(ctx context.Context) (client.ExecInspectResult, error) {
			return e.ExecInspect(ctx, id, client.ExecInspectOptions{})
		}, nil)
}

// kill ends a program inside: with its container, or by its number. An engine
// that does not answer is not asked for long: with the container the program
// ends too.
func (c *containerBox) kill(p *program, in insideProgram, numberFile string) {
	for _, signal := range []string{"TERM", "KILL"} {
		ctx, cancel := context.WithTimeoutCause(c.life, signalTimeout, &silence{"end a program", signalTimeout})
		again := time.After(killAfter)
		for !c.signal(ctx, p, in, numberFile, signal) {
			select { // it has not yet left its number
			case <-p.ended:
			case <-c.dead:
			case <-ctx.Done():
			case <-time.After(execPoll):
				continue
			}
			break
		}
		cancel()
		if c.engine.silent.Load() {
			return
		}
		select {
		case <-p.ended:
			return
		case <-again:
		}
	}
}

// signal sends a signal to a program and reports whether that was possible, or
// is not needed any more.
func (c *containerBox) signal(ctx context.Context, p *program, in insideProgram, numberFile, signal string) bool {
	select {
	case <-p.ended:
		return true
	default:
	}
	attached, id, err := c.attach(ctx, in, []string{"sh", "-c", killExec, "sh", numberFile, signal}, false)
	if err != nil {
		return false
	}
	defer attached.Close()
	stop := context.AfterFunc(ctx, attached.Close)
	defer stop()
	io.Copy(io.Discard, attached.Reader)
	return c.execStatus(ctx, "kill", id, nil) == nil
}

// Stream starts a program whose standard output is a named pipe in the shared
// directory of the programs: read through the engine it would cost more than the restore.
func (c *containerBox) Stream(ctx context.Context, cmd Command) (Stream, error) {
	if c.tunnel != nil {
		return c.streamThroughEngine(ctx, cmd)
	}
	name := "pipe-" + randomHex(8)
	r, holder, err := makePipe(filepath.Join(c.work.out(), name))
	if err != nil {
		return nil, fmt.Errorf("make a pipe for %s: %w", cmd.Args[0], err)
	}
	p, err := c.begin(ctx, cmd, func(cmd Command) (*program, error) { return c.exec(cmd, name) })
	if err != nil {
		os.Remove(filepath.Join(c.work.out(), name))
		return nil, errors.Join(err, holder.Close(), r.Close())
	}
	go func() {
		<-p.ended
		holder.Close()
		os.Remove(filepath.Join(c.work.out(), name)) // of a writer that never came so far
	}()
	return newStream(p, r), nil
}

// streamThroughEngine starts a program whose standard output comes over the
// engine's connection.
func (c *containerBox) streamThroughEngine(ctx context.Context, cmd Command) (Stream, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("run %s in the sandbox: %w", cmd.Args[0], err)
	}
	cmd.Stdout = w
	p, err := c.begin(ctx, cmd, c.launch)
	if err != nil {
		return nil, errors.Join(err, r.Close(), w.Close())
	}
	go func() {
		<-p.ended
		w.Close()
	}()
	return newStream(p, r), nil
}

// makePipe makes a named pipe and opens both its ends. As long as the holder
// is open the reader waits, also for a writer that has not come yet; once it
// is closed the reader sees the end, also if no writer ever came.
func makePipe(name string) (r, holder *os.File, err error) {
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		return nil, nil, err
	}
	defer func() {
		if err != nil {
			os.Remove(name)
		}
	}()
	r, err = os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return nil, nil, err
	}
	holder, err = os.OpenFile(name, os.O_WRONLY|syscall.O_NONBLOCK|syscall.O_NOFOLLOW, 0)
	if err != nil {
		r.Close()
		return nil, nil, err
	}
	widenPipe(r)
	info, err := r.Stat()
	if err == nil && info.Mode().Type() != os.ModeNamedPipe {
		err = errors.New("something else came in its place")
	}
	if err == nil {
		err = r.Chmod(0o622) // the container's account may write
	}
	if err != nil {
		r.Close()
		holder.Close()
		return nil, nil, err
	}
	return r, holder, nil
}
