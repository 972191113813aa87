package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/pkg/stdcopy"
	containertypes "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
	tclog "github.com/testcontainers/testcontainers-go/log"

	"daybefore/internal/verdict"
)

const (
	insideStart    = "/daybefore/start"
	insideShare    = "/daybefore/share"
	insideRun      = "/daybefore/run"
	insideOut      = "/daybefore/out"
	insidePassfile = "/tmp/daybefore-pgpass"
	containerUser  = "postgres"

	// maxProcesses holds a fork bomb in a backup.
	maxProcesses = 2048
	minShm       = 256 * mib
	// createGrace is how long a creation may go on after Ctrl-C, so that
	// there is an answer that says what to remove.
	createGrace = 3 * time.Second
	// execPoll is the pause until the engine knows how a program ended.
	execPoll = 10 * time.Millisecond
	// signalTimeout is how long it is tried to send a program a signal.
	signalTimeout = 3 * time.Second
	// heedEach is the pause between two looks whether the engine answers, and
	// mostUnanswered how many may fail in a row.
	heedEach       = 15 * time.Second
	mostUnanswered = 2
)

// errForgotten is how a program ended that was told to, and for whose end
// nobody waits.
var errForgotten = errors.New("it did not end when told to")

// container is a server in a container without a network.
type container struct {
	*base
	engine *engine
	name   string
	begun  time.Time
	life   context.Context // until the container is gone
	end    context.CancelFunc
	tunnel *tunnel // nil where directories are shared
}

func startContainer(ctx context.Context, o Options) (Box, error) {
	e, img, err := findContainer(ctx, o)
	if isSilence(err) {
		return nil, startProblem(Container, err)
	}
	if err != nil {
		return nil, verdict.Errorf(verdict.CodeSandbox,
			"start Docker and get the image (docker pull, or go tool mage image), or set sandbox.kind: local",
			"start the container sandbox: %w", err)
	}
	img.why = "as declared; " + img.why
	return startFound(ctx, o, e, img)
}

// startFound starts the server from an image that the engine has, and closes
// the engine in the end.
func startFound(ctx context.Context, o Options, e *engine, img dbImage) (_ Box, err error) {
	c := &container{base: newBase(o, insideShare), engine: e, name: "daybefore-" + randomHex(8), begun: time.Now()}
	c.base.launch = func(cmd Command) (*program, error) { return c.exec(cmd, "") }
	c.base.gone, c.base.oomKilled = c.notRunning, c.oomKilled
	c.life, c.end = context.WithCancel(context.WithoutCancel(ctx))
	c.info = verdict.Sandbox{Kind: Container, Why: img.why, Warning: img.warning, Image: img.ref, Isolation: Enclosed}
	defer func() {
		if err != nil {
			ctx, cancel := closing(ctx)
			defer cancel()
			if !c.engine.silent.Load() {
				c.cluster.drop()
			}
			err = errors.Join(startProblem(Container, err), c.Close(ctx))
		}
	}()
	if o.Tunnel || e.isElsewhere() {
		c.tunnel = &tunnel{engine: e, life: c.life, name: c.name, share: o.Work.share(), sent: map[string]fileState{}}
		c.db.dial, c.bringLog = c.tunnel.dial, c.fetchLog
	} else {
		c.cluster = keptCluster(o, Container, img.id, img.data)
	}
	o.Progress("starting " + img.ref)
	if err := c.prepare(img); err != nil {
		return nil, err
	}
	if err := c.create(ctx, o, img); err != nil {
		return nil, err
	}
	if c.tunnel != nil {
		if err := c.canBridge(ctx); err != nil {
			return nil, err
		}
	}
	if err := c.awaitServer(ctx); err != nil {
		return nil, err
	}
	return c, nil
}

// prepare lays out the directories for an account of the container that this
// machine does not know. Around them is the caller's own 0700.
func (c *container) prepare(img dbImage) error {
	if err := c.furnish(); err != nil {
		return err
	}
	if err := makeFile(filepath.Join(c.work.Path(), imageFile), []byte(img.ref), 0o600); err != nil {
		return err
	}
	for _, dir := range []string{c.work.start(), c.work.share()} {
		if err := os.Chmod(dir, 0o755); err != nil {
			return err
		}
	}
	return os.Chmod(c.work.run(), 0o777)
}

// create creates and starts the container, and makes sure that it has no
// network.
func (c *container) create(ctx context.Context, o Options, img dbImage) error {
	ctx, stop := lingering(ctx, createGrace)
	defer stop()
	_, err := await(ctx, c.engine, createTimeout, "make and start a container", func(ctx context.Context) (any, error) {
		created, err := testcontainers.GenericContainer(ctx, testcontainers.GenericContainerRequest{
			ContainerRequest: c.request(o, img),
			Logger:           tclog.NewNoopLogger(),
		})
		if err == nil && c.tunnel != nil {
			err = c.tunnel.furnish(ctx)
		}
		if err == nil {
			err = created.Start(ctx)
		}
		return nil, err
	}, nil)
	if err != nil {
		if strings.Contains(err.Error(), "bind source path does not exist") {
			return fmt.Errorf("the engine does not see this machine's directory %s, so it is elsewhere: %w", c.work.Path(), err)
		}
		return err
	}
	found, err := c.engine.inspect(ctx, c.name)
	if err != nil {
		return fmt.Errorf("look at the container: %w%s", err, c.afterword())
	}
	go c.watch()
	go c.heed()
	if mode := found.Container.HostConfig.NetworkMode; !mode.IsNone() {
		return verdict.Errorf(verdict.CodeIsolation, "look for what overrides the network of containers",
			"the container was asked to have no network, and has %q", mode)
	}
	return nil
}

// afterword is what the server said, behind another error.
func (c *container) afterword() string {
	if said := c.said(); said != nil {
		return ": " + said.Error()
	}
	return ""
}

func (c *container) request(o Options, img dbImage) testcontainers.ContainerRequest {
	m := newMachine(o, o.Memory, c.engine.info.NCPU)
	if m.memory == 0 {
		m.memory = max(c.engine.info.MemTotal/2, gib/2)
	}
	command := slices.Concat(
		// The first process is a shell, since timeout(1) of coreutils 9.10
		// refuses to be it.
		[]string{"sh", "-c", `"$@" & wait "$!"`, "sh", "timeout"}, timeoutArgs(o.Deadline),
		[]string{"sh", path.Join(insideStart, scriptName), img.data, insideRun, path.Join(insideStart, passwordName), insidePassfile, path.Join(insideStart, clusterName)},
		m.settings(c.db.cluster, insideRun))
	return testcontainers.ContainerRequest{
		Image:      img.ref,
		Name:       c.name,
		Labels:     labels(o),
		Entrypoint: command[:1],
		Cmd:        command[1:],
		ConfigModifier: func(cfg *containertypes.Config) {
			cfg.User = containerUser
		},
		HostConfigModifier: func(host *containertypes.HostConfig) { c.confine(host, m.memory) },
	}
}

// confine takes from the container everything that the server does not need.
func (c *container) confine(host *containertypes.HostConfig, memory int64) {
	processes := int64(maxProcesses)
	host.NetworkMode = "none"
	// When it ends itself it goes with its volume; unless the server's last
	// words are in there, which are fetched first.
	host.AutoRemove = c.tunnel == nil
	host.CapDrop = []string{"ALL"}
	host.SecurityOpt = []string{"no-new-privileges"}
	if slices.ContainsFunc(c.engine.info.SecurityOptions, func(s string) bool { return strings.Contains(s, "name=selinux") }) {
		// The directories belong to the caller and keep their label.
		host.SecurityOpt = append(host.SecurityOpt, "label=disable")
	}
	host.LogConfig = containertypes.LogConfig{Type: "none"}
	host.ShmSize = max(minShm, memory/4) // the default of 64 MB breaks parallel index builds
	host.Resources.Memory = memory
	host.Resources.PidsLimit = &processes
	if c.tunnel != nil {
		return
	}
	host.Mounts = []mount.Mount{
		{Type: mount.TypeBind, Source: c.work.start(), Target: insideStart, ReadOnly: true},
		{Type: mount.TypeBind, Source: c.work.share(), Target: insideShare, ReadOnly: true},
		{Type: mount.TypeBind, Source: c.work.run(), Target: insideRun},
	}
}

// lingering returns a context that ends a while after ctx does.
func lingering(ctx context.Context, grace time.Duration) (context.Context, context.CancelFunc) {
	later, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		select {
		case <-later.Done():
		case <-time.After(grace):
			cancel(context.Cause(ctx))
		}
	})
	return later, func() { stop(); cancel(nil) }
}

// watch notices when the container ends, by itself or not.
func (c *container) watch() {
	waiting := c.engine.ContainerWait(c.life, c.name, client.ContainerWaitOptions{Condition: containertypes.WaitConditionNotRunning})
	select {
	case result := <-waiting.Result:
		c.died(fmt.Sprintf("status %d", result.StatusCode), int(result.StatusCode))
	case err := <-waiting.Error:
		c.died("the engine says no more of its container: "+err.Error(), 0)
	}
}

// heed notices when the engine does not answer any more, which ends no
// connection and no program.
func (c *container) heed() {
	for unanswered := 0; unanswered < mostUnanswered; {
		select {
		case <-c.dead:
			return
		case <-c.life.Done():
			return
		case <-time.After(heedEach):
		}
		_, err := await(c.life, c.engine, engineTimeout, "give a sign of life", func(ctx context.Context) (client.PingResult, error) {
			return c.engine.Ping(ctx, client.PingOptions{})
		}, nil)
		unanswered++
		if !isSilence(err) {
			unanswered = 0
		}
	}
	c.ends(verdict.Errorf(verdict.CodeSandbox, mendEngine,
		"the container engine does not answer any more"))
}

// notRunning asks the engine whether the container has ended, of which watch
// will hear too, perhaps a moment later.
func (c *container) notRunning() bool {
	found, err := c.engine.inspect(c.life, c.name)
	if err != nil {
		return errdefs.IsNotFound(err)
	}
	return !found.Container.State.Running
}

// fetchLog brings the log here from where it is not shared. A log that is
// gone with its container is not missed.
func (c *container) fetchLog() {
	_, _ = await(c.life, c.engine, engineTimeout, "hand out the server's log", func(ctx context.Context) (any, error) {
		return nil, c.tunnel.fetchLog(ctx, filepath.Join(c.work.run(), logName))
	}, nil)
}

// The wrapped program leaves its number, to be killed by, and becomes itself.
const (
	plainExec = `echo $$ >"$1"; shift 2; exec "$@"`
	// pipedExec opens the pipe and takes its name away, so that no later
	// reader can be given the output of a program that was forgotten.
	pipedExec = `echo $$ >"$1"; f=$2; shift 2; exec >"$f"; rm -f -- "$f"; exec "$@"`
	// killExec ends the program's whole group, as which an exec begins.
	killExec = `p=$(cat "$1") && { kill -"$2" "-$p" || kill -"$2" "$p"; }`
)

// exec starts a program inside; with a pipe's name, its output goes there.
func (c *container) exec(cmd Command, pipe string) (*program, error) {
	pidName := "pid-" + randomHex(8)
	script := plainExec
	if pipe != "" {
		script = pipedExec
	}
	if c.tunnel != nil {
		if err := c.tunnel.sendShare(c.life); err != nil {
			return nil, err
		}
	}
	wrapped := append([]string{"sh", "-c", script, "sh", path.Join(insideRun, pidName), path.Join(insideRun, pipe)}, cmd.Args...)
	attached, id, err := c.attach(c.life, wrapped, cmd.Stdout != nil)
	if err != nil {
		return nil, err
	}
	p := newProgram()
	life, forget := context.WithCancelCause(c.life)
	p.kill = func() {
		c.kill(p, pidName)
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
		os.Remove(filepath.Join(c.work.run(), pidName))
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
func (c *container) attach(ctx context.Context, argv []string, stdout bool) (client.HijackedResponse, string, error) {
	return c.engine.runIn(ctx, c.name, client.ExecCreateOptions{
		User: containerUser, WorkingDir: insideRun, Cmd: argv,
		Env:          programEnv(insideRun, insidePassfile, c.db.options()),
		AttachStdout: stdout, AttachStderr: true,
	})
}

// runIn starts a command in a container, and returns the connection that
// carries what it reads and writes, and its name. The connection outlives ctx.
func (e *engine) runIn(ctx context.Context, container string, o client.ExecCreateOptions) (client.HijackedResponse, string, error) {
	created, err := await(ctx, e, engineTimeout, "make ready a program", func(ctx context.Context) (client.ExecCreateResult, error) {
		return e.ExecCreate(ctx, container, o)
	}, nil)
	if err != nil {
		return client.HijackedResponse{}, "", err
	}
	attached, err := await(ctx, e, engineTimeout, "start a program", func(ctx context.Context) (client.ExecAttachResult, error) {
		return e.ExecAttach(context.WithoutCancel(ctx), created.ID, client.ExecAttachOptions{})
	}, func(late client.ExecAttachResult) { late.Close() })
	return attached.HijackedResponse, created.ID, err
}

// execStatus returns how a program ended whose output has ended, with copyErr.
func (c *container) execStatus(ctx context.Context, name, id string, copyErr error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, engineTimeout, errors.New("the engine went on saying that it runs"))
	defer cancel()
	for {
		state, err := await(ctx, c.engine, engineTimeout, "say how a program ended", func(ctx context.Context) (client.ExecInspectResult, error) {
			return c.engine.ExecInspect(ctx, id, client.ExecInspectOptions{})
		}, nil)
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

// kill ends a program inside: with its container, or by its number. An engine
// that does not answer is not asked for long: with the container the program
// ends too.
func (c *container) kill(p *program, pidName string) {
	for _, signal := range []string{"TERM", "KILL"} {
		ctx, cancel := context.WithTimeoutCause(c.life, signalTimeout, &silence{"end a program", signalTimeout})
		again := time.After(killAfter)
		for !c.signal(ctx, p, pidName, signal) {
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

// signal sends a signal to a program and tells whether that was possible, or
// is not needed any more.
func (c *container) signal(ctx context.Context, p *program, pidName, signal string) bool {
	select {
	case <-p.ended:
		return true
	default:
	}
	attached, id, err := c.attach(ctx, []string{"sh", "-c", killExec, "sh", path.Join(insideRun, pidName), signal}, false)
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
// directory: read through the engine it would cost more than the restore.
func (c *container) Stream(ctx context.Context, cmd Command) (Stream, error) {
	if c.tunnel != nil {
		return c.streamThroughEngine(ctx, cmd)
	}
	name := "pipe-" + randomHex(8)
	r, holder, err := makePipe(filepath.Join(c.work.run(), name))
	if err != nil {
		return nil, fmt.Errorf("make a pipe for %s: %w", cmd.Args[0], err)
	}
	p, err := c.begin(ctx, cmd, func(cmd Command) (*program, error) { return c.exec(cmd, name) })
	if err != nil {
		os.Remove(filepath.Join(c.work.run(), name))
		return nil, errors.Join(err, holder.Close(), r.Close())
	}
	go func() {
		<-p.ended
		holder.Close()
		os.Remove(filepath.Join(c.work.run(), name)) // of a writer that never came so far
	}()
	return newStream(p, r), nil
}

// streamThroughEngine starts a program whose standard output comes over the
// engine's connection.
func (c *container) streamThroughEngine(ctx context.Context, cmd Command) (Stream, error) {
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

// Close removes the container with everything in it.
func (c *container) Close(ctx context.Context) error {
	if c == nil {
		return nil
	}
	first := c.beginClosing()
	if err := c.engine.remove(ctx, c.name); err != nil {
		c.end() // nobody waits for its programs
		return fmt.Errorf("end the container sandbox: %w", err)
	}
	if err := c.waitPrograms(ctx); err != nil {
		return err
	}
	c.end()
	if first {
		return c.engine.Close()
	}
	return nil
}

// timeoutArgs are the arguments of timeout(1) before the command: an orderly
// end at the deadline, and a hard one soon after.
func timeoutArgs(deadline time.Time) []string {
	seconds := max(1, int64(math.Ceil(time.Until(deadline).Seconds())))
	return []string{"-s", "INT", "-k", "10", strconv.FormatInt(seconds, 10)}
}
