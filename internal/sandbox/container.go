package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/containerd/errdefs"
	containertypes "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"

	"daybefore/internal/machine"
	"daybefore/internal/verdict"
)

// createGrace is how long a creation may go on after Ctrl-C, so that there is
// an answer that says what to remove. With lastTry it is what an interrupted
// drill has for its sandbox. Tests wait longer, on machines that are slower.
var createGrace = 2 * time.Second

const (
	// execPoll is the pause until the engine knows how a program ended.
	execPoll = 10 * time.Millisecond
	// signalTimeout is how long it is tried to send a program a signal.
	signalTimeout = 3 * time.Second
	// heedEach is the pause between two looks whether the engine answers, and
	// mostUnanswered how many may fail in a row.
	heedEach       = 15 * time.Second
	mostUnanswered = 2
	// engineDiskEach is the pause between two looks at the disk of an engine
	// that is elsewhere.
	engineDiskEach = 5 * time.Second
)

// errForgotten is how a program ended that was told to, and for whose end
// nobody waits.
var errForgotten = errors.New("it did not end when told to")

// containerBox is a server in a container without a network, and its programs in
// another, which neither sees nor is seen by it.
type containerBox struct {
	*base
	engine *containerEngine
	name   string            // of the server's container; that of the programs is called after it
	labels map[string]string // of both, and of a volume
	begun  time.Time
	server atomic.Pointer[string] // the engine's name of the server's process; nil: not yet started
	life   context.Context        // until the containers are gone
	end    context.CancelFunc
	tunnel *tunnel // nil where directories are shared
}

func startContainer(ctx context.Context, o Options) (Box, error) {
	e, img, err := findContainer(ctx, o)
	if isSilence(err) {
		return nil, startProblem(Container, err)
	}
	if err != nil {
		return nil, verdict.Errorf(verdict.CodeSandbox, hintContainer(err)+", or set sandbox.kind: local",
			"start the container sandbox: %w", err)
	}
	img.why = "kind as declared; " + img.why
	return startFound(ctx, o, e, img)
}

// hintContainer says what gives a container: an engine without the image lacks
// something else than a machine without an engine.
func hintContainer(err error) string {
	missing, ok := errors.AsType[*noImageError](err)
	switch {
	case ok && imageMajor(missing.ref) > 0 && strings.HasPrefix(missing.ref, imageName+":"):
		return fmt.Sprintf("get the image (docker pull %s or, without a registry, go tool mage image %d)", missing.ref,
			imageMajor(missing.ref))
	case ok:
		return fmt.Sprintf("get the image (docker pull %s), or correct sandbox.image", missing.ref)
	case strings.Contains(err.Error(), "permission denied"): // which testcontainers tells in words alone
		return "let this account use the container engine (the group docker, or DOCKER_HOST)"
	}
	return "start Docker, or install it"
}

// startFound starts the server from an image that the engine has, and closes
// the engine in the end.
func startFound(ctx context.Context, o Options, e *containerEngine, img dbImage) (_ Box, err error) {
	c := &containerBox{base: newBase(o, shareInside), engine: e, name: "daybefore-" + randomHex(8), labels: labelsOf(o),
		begun: time.Now()}
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
		c.goThroughEngine()
	} else {
		c.cluster = clusterFor(o, Container, img.id, img.data)
	}
	o.Progress("starting " + img.ref)
	if err := c.prepare(img); err != nil {
		return nil, err
	}
	if err := c.createSeen(ctx, o, img); err != nil {
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
	if err := c.shutRun(ctx); err != nil {
		return nil, fmt.Errorf("close the socket's directory to the server: %w", err)
	}
	if err := c.guardDisks(o.Disk); err != nil {
		return nil, err
	}
	return c, nil
}

// errUnseen says that the engine's machine has not this machine's directories,
// though its socket is here: as where the harness is in a container itself.
var errUnseen = errors.New("the engine does not see this machine's directories")

// goThroughEngine reaches containers that share no directory with this machine,
// in which no cluster is kept either.
func (c *containerBox) goThroughEngine() {
	c.tunnel = c.newTunnel()
	c.db.dial, c.bringLog = c.tunnel.dial, c.fetchLog
	c.cluster = cachedCluster{}
}

// prepare lays out the directories for an account of the containers that this
// machine does not know. Around them is the caller's own 0700.
func (c *containerBox) prepare(img dbImage) error {
	if err := c.furnish(); err != nil {
		return err
	}
	if err := makeFile(filepath.Join(c.work.share(), passfileName), []byte("*:*:*:*:"+c.db.password+"\n"),
		0o644); err != nil {
		return err
	}
	if err := makeFile(filepath.Join(c.work.Path(), imageFile), []byte(img.ref), 0o600); err != nil {
		return err
	}
	for dir, mode := range map[string]os.FileMode{c.work.start(): 0o755, c.work.share(): 0o755, c.work.run(): 0o777,
		c.work.out(): 0o777} {
		if err := os.Chmod(dir, mode); err != nil {
			return err
		}
	}
	return nil
}

// shutRun keeps the server's account from making anything more beside its
// socket and its log, before any of a backup's code runs: a tree there would be
// one that this account cannot remove. What is sent to a container and is not
// needed any more goes too.
func (c *containerBox) shutRun(ctx context.Context) error {
	if c.tunnel != nil {
		return c.asRoot(ctx, "sh", "-c", "chmod 0755 "+insideRun+" && rm -f "+path.Join(insideStart, passwordName))
	}
	return os.Chmod(c.work.run(), 0o755)
}

// createSeen is create, through the engine where it turns out not to see this
// machine's directories: only its own answer tells.
func (c *containerBox) createSeen(ctx context.Context, o Options, img dbImage) error {
	err := c.create(ctx, o, img)
	if c.tunnel != nil || !errors.Is(err, errUnseen) {
		return err
	}
	o.Log.Debug("the containers are reached through the engine", "because", err)
	c.goThroughEngine()
	return c.create(ctx, o, img)
}

// create starts both containers, at the same time, and the server in its own.
func (c *containerBox) create(ctx context.Context, o Options, img dbImage) error {
	ctx, stop := machine.Lingering(ctx, createGrace)
	defer stop()
	m := newMeans(o, o.Memory, c.engine.info.NCPU)
	if m.memory == 0 {
		m.memory = max(c.engine.info.MemTotal/2, gib/2)
	}
	server, programs := c.cells(img, m.memory)
	m.memory = server.memory
	other := make(chan error, 1)
	go func() { other <- c.createCell(ctx, img, programs) }()
	err := c.createCell(ctx, img, server)
	if err == nil {
		err = c.startServer(ctx, img, m)
	}
	if e := <-other; err == nil { // else it is likely the same, told twice
		err = e
	}
	if err != nil {
		return err
	}
	go c.heed()
	return nil
}

// createCell makes and starts a container, and makes sure that it has no network.
func (c *containerBox) createCell(ctx context.Context, img dbImage, r cell) error {
	_, err := await(ctx, c.engine, createTimeout, "make and start a container", func(ctx context.Context) (any, error) {
		created, err := testcontainers.GenericContainer(ctx, c.request(img, r, c.deadline))
		if err == nil && c.tunnel != nil {
			err = c.tunnel.furnish(ctx, r.name)
		}
		if err == nil {
			err = created.Start(ctx)
		}
		return nil, err
	}, nil)
	if err != nil {
		if strings.Contains(err.Error(), "bind source path does not exist") {
			return fmt.Errorf("%w: %w", errUnseen, err)
		}
		return err
	}
	found, err := c.engine.inspect(ctx, r.name)
	if err != nil {
		return fmt.Errorf("look at the container: %w%s", err, c.afterword())
	}
	go c.watch(r.name)
	if mode := found.Container.HostConfig.NetworkMode; !mode.IsNone() {
		return verdict.Errorf(verdict.CodeIsolation, "look for what overrides the network of containers",
			"the container was asked to have no network, and has %q", mode)
	}
	return nil
}

// keepGoing waits for the server with an output that none of its processes has,
// so that this ends with the server alone.
const keepGoing = `sh "$@" >/dev/null 2>&1; exit "$?"`

// startServer starts the server in its container, with the image's account for
// it, which no process there can leave.
func (c *containerBox) startServer(ctx context.Context, img dbImage, m means) error {
	data := img.data
	theirs := []string{} // what a volume's root gives away
	if !img.keepsData(data) {
		data = path.Join(insideData, "data")
		theirs = append(theirs, insideData)
	}
	if c.tunnel != nil {
		theirs = append(theirs, insideRun)
	}
	for _, dir := range theirs {
		if err := c.asRoot(ctx, "chmod", "0777", dir); err != nil {
			return err
		}
	}
	attached, id, err := c.engine.runIn(ctx, c.name, client.ExecCreateOptions{
		User: containerUser, WorkingDir: insideRun, AttachStdout: true,
		Cmd: slices.Concat([]string{"sh", "-c", keepGoing, "sh", path.Join(insideStart, scriptName), data, insideRun,
			path.Join(insideStart, passwordName), path.Join(insideStart, clusterName)},
			m.settings(c.db.cluster, insideRun)),
	})
	if err != nil {
		return fmt.Errorf("start the server: %w", err)
	}
	c.server.Store(&id)
	go c.watchServer(attached, id)
	return nil
}

// asRoot runs a program on the volumes of the server's container, which belong
// to the engine's root. It has no capability either.
func (c *containerBox) asRoot(ctx context.Context, argv ...string) error {
	attached, id, err := c.engine.runIn(ctx, c.name,
		client.ExecCreateOptions{User: "0:0", AttachStderr: true, Cmd: argv})
	if err == nil {
		defer context.AfterFunc(ctx, attached.Close)() // an engine may never say that it ended
		io.Copy(io.Discard, attached.Reader)
		attached.Close()
		err = c.execStatus(ctx, argv[0], id, nil)
	}
	if err != nil {
		return fmt.Errorf("prepare the container's volumes: %w", err)
	}
	return nil
}

// guardDisks looks after the disks that the server can fill: of the engine,
// where its data are, and of the work directory. One that this machine does not
// see is looked at from inside, which takes a program each time.
func (c *containerBox) guardDisks(most int64) error {
	dirs := []string{c.work.Path()}
	if _, err := machine.SpaceOf(c.engine.info.DockerRootDir); c.tunnel == nil && err == nil {
		dirs = append(dirs, c.engine.info.DockerRootDir)
	} else {
		then, err := c.engineSpace()
		if err != nil {
			return fmt.Errorf("look at the engine's disk: %w", err)
		}
		go c.watchEngineDisk(disk{"the container engine", then}, most)
	}
	return c.watchDisks(most, c.endAll, dirs...)
}

// watchEngineDisk is watchDisks for the disk of an engine that is elsewhere.
func (c *containerBox) watchEngineDisk(d disk, most int64) {
	for {
		select {
		case <-c.dead:
			return
		case <-time.After(engineDiskEach):
		}
		now, err := c.engineSpace()
		if err != nil {
			continue // what ails it is told by others
		}
		if full := d.take(now, most); full != nil {
			c.ends(full)
			c.endAll()
			return
		}
	}
}

// engineSpace is what the engine's disk has left, as the programs see it, beside
// which nothing of a backup's runs.
func (c *containerBox) engineSpace() (machine.Space, error) {
	var out strings.Builder
	if err := c.Run(c.life,
		Command{Args: []string{"stat", "-f", "-c", "%S %b %a %c %d", "/"}, Stdout: &out}); err != nil {
		return machine.Space{}, err
	}
	var block, size, free, most, files int64
	if _, err := fmt.Sscan(out.String(), &block, &size, &free, &most, &files); err != nil {
		return machine.Space{}, fmt.Errorf("stat said something unexpected: %w", err)
	}
	return machine.Space{Free: free * block, Size: size * block, Files: files, Most: most}, nil
}

// endAll ends what runs inside, at once, and gives back what it took.
func (c *containerBox) endAll() {
	ctx, cancel := context.WithTimeout(c.life, closeTimeout)
	defer cancel()
	_ = c.remove(ctx) // Close does it again, and tells
}

// afterword is what the server said, after another error.
func (c *containerBox) afterword() string {
	if said := c.said(); said != nil {
		return ": " + said.Error()
	}
	return ""
}

// watch notices when a container ends, by itself or not.
func (c *containerBox) watch(name string) {
	waiting := c.engine.ContainerWait(c.life, name,
		client.ContainerWaitOptions{Condition: containertypes.WaitConditionNotRunning})
	select {
	case result := <-waiting.Result:
		c.died(fmt.Sprintf("status %d", result.StatusCode), int(result.StatusCode))
	case err := <-waiting.Error:
		c.died("the engine no longer reports on its container: "+err.Error(), 0)
	}
}

// watchServer notices when the server ends. What ends with its container is
// told by who watches that.
func (c *containerBox) watchServer(attached client.HijackedResponse, id string) {
	io.Copy(io.Discard, attached.Reader)
	attached.Close()
	c.tellServer(id)
}

// tellServer tells how the server ended.
func (c *containerBox) tellServer(id string) {
	err := c.execStatus(c.life, "the server", id, nil)
	if exit, ok := errors.AsType[*ExitError](err); ok || err == nil {
		code := 0
		if ok {
			code = exit.Code
		}
		c.died(fmt.Sprintf("status %d", code), code)
	}
}

// heed notices when the engine does not answer any more, which ends no
// connection and no program.
func (c *containerBox) heed() {
	for unanswered := 0; unanswered < mostUnanswered; {
		select {
		case <-c.dead:
			return
		case <-c.life.Done():
			return
		case <-time.After(heedEach):
		}
		_, err := await(c.life, c.engine, engineTimeout, "give a sign of life",
			func(ctx context.Context) (client.PingResult, error) {
				return c.engine.Ping(ctx, client.PingOptions{})
			}, nil)
		unanswered++
		if !isSilence(err) {
			unanswered = 0
		}
	}
	c.ends(verdict.Errorf(verdict.CodeSandbox, hintEngine,
		"the container engine does not answer any more"))
}

// notRunning asks the engine whether the server or a container has ended, of
// which those that watch will hear too, perhaps a moment later.
func (c *containerBox) notRunning() bool {
	for _, name := range []string{c.name, c.programsName()} {
		found, err := c.engine.inspect(c.life, name)
		if err != nil && !errdefs.IsNotFound(err) {
			return false
		}
		if err != nil || !found.Container.State.Running {
			return true
		}
	}
	id := c.server.Load()
	if id == nil {
		return false
	}
	state, err := c.engine.execState(c.life, *id)
	return err == nil && !state.Running
}

// fetchLog brings the log here from where it is not shared. A log that is
// gone with its container is not missed.
func (c *containerBox) fetchLog() {
	_, _ = await(c.life, c.engine, engineTimeout, "hand out the server's log", func(ctx context.Context) (any, error) {
		return nil, c.tunnel.fetchLog(ctx, filepath.Join(c.work.run(), logName))
	}, nil)
}

// Close removes both containers with everything in them.
func (c *containerBox) Close(ctx context.Context) error {
	if c == nil {
		return nil
	}
	first := c.beginClosing()
	if err := c.remove(ctx); err != nil {
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

// remove removes both containers, at the same time, and then the volume that
// they shared, if there is one.
func (c *containerBox) remove(ctx context.Context) error {
	other := make(chan error, 1)
	go func() { other <- c.engine.remove(ctx, c.programsName()) }()
	err := c.engine.remove(ctx, c.name)
	if e := <-other; !isSilence(err) { // else it is the same, told twice
		err = errors.Join(err, e)
	}
	if err == nil && c.tunnel != nil {
		err = c.engine.removeVolume(ctx, c.runVolume())
	}
	return err
}
