package sandbox

import (
	"cmp"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"daybefore/internal/machine"
	"daybefore/internal/told"
	"daybefore/internal/verdict"
)

//go:embed start.sh
var startScript []byte

const (
	scriptName   = "start.sh"
	passwordName = "password"
	logName      = "log"
	passfileName = "pgpass" // with the password, among what programs are given

	// insideRoot is where those that are enclosed find what they are lent.
	insideRoot = "/daybefore"
	// maxFiles is how many files a process of the sandbox may have open.
	maxFiles = 4096

	// pollFirst and pollMost bound the pause between two attempts to reach a
	// server that is starting.
	pollFirst = 2 * time.Millisecond
	pollMost  = 10 * time.Millisecond

	// invalidPassword is refused for good: a kept cluster begins with another.
	invalidPassword = "28P01"

	// killAfter is how long a program may take to end when told to.
	killAfter = 2 * time.Second
	// closeTimeout bounds the end of a sandbox that did not start.
	closeTimeout = 15 * time.Second
	// timedOut is the status of timeout(1) when time is up.
	timedOut = 124
	// notBegun, and the one above it, are the statuses of a program that could
	// not be started.
	notBegun = 126
)

// base is what both kinds have in common.
type base struct {
	work        *Workdir
	preload     []string // named in the drill file
	insideShare string
	db          *DB
	info        verdict.Sandbox
	deadline    time.Time
	major       int // the least that will do; 0: any
	cluster     cachedCluster
	first       string // the superuser's password until the server has answered
	sentences   *told.Sentences

	launch func(c Command) (*program, error) // starts a program
	// asks whether the kernel ended a process of it for want of memory; nil: nobody to ask
	oomKilled func() bool
	// asks whether the server has ended, also before that is told; nil: nobody to ask
	gone     func() bool
	used     atomic.Bool // the server has answered: from now on anything may have run in it
	bringLog func()      // brings the server's log here; nil: it lies here

	dead    chan struct{} // closed when the server has ended, or nobody can know
	once    sync.Once     // of its closing
	deadErr error         // why; to be read when dead is closed

	mu       sync.Mutex
	closing  bool // it is meant to end
	programs sync.WaitGroup
}

// errClosed is what a sandbox answers that was closed.
var errClosed = errors.New("the sandbox was closed")

func newBase(o Options, insideShare string) *base {
	b := &base{
		work: o.Work, preload: o.Preload, insideShare: insideShare, deadline: o.Deadline, major: o.Major,
		db:   &DB{socketDir: o.Work.run(), password: randomHex(32), cluster: "daybefore-" + randomHex(16)},
		dead: make(chan struct{}),
	}
	b.sentences = told.NewSentences(b.readPrograms)
	return b
}

func (b *base) DB() *DB                       { return b.db }
func (b *base) Info() verdict.Sandbox         { return b.info }
func (b *base) HostPath(name string) string   { return filepath.Join(b.work.share(), name) }
func (b *base) InsidePath(name string) string { return path.Join(b.insideShare, name) }
func (b *base) Sentences() *told.Sentences    { return b.sentences }

// furnish writes what the start script needs. The modes are for a directory
// that only its owners can enter.
func (b *base) furnish() error {
	err := b.cluster.hand(filepath.Join(b.work.start(), clusterName), filepath.Join(b.work.run(), clusterName))
	if err != nil {
		return err
	}
	b.first = cmp.Or(b.cluster.password, randomHex(32))
	for _, f := range []struct {
		path    string
		content []byte
		mode    os.FileMode
	}{
		{filepath.Join(b.work.start(), scriptName), startScript, 0o644},
		{filepath.Join(b.work.start(), passwordName), []byte(b.first + "\n"), 0o644},
		{filepath.Join(b.work.run(), logName), nil, 0o666},
	} {
		if err := makeFile(f.path, f.content, f.mode); err != nil {
			return err
		}
	}
	return nil
}

// makeFile writes a file with its mode, whatever the umask.
func makeFile(name string, content []byte, mode os.FileMode) error {
	if err := os.WriteFile(name, content, mode); err != nil {
		return err
	}
	return os.Chmod(name, mode)
}

// awaitServer returns once the server has answered over its socket, and
// notices at once when it has died instead.
func (b *base) awaitServer(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout,
		fmt.Errorf("the server did not answer within %v", startTimeout))
	defer cancel()
	var refused error
	first := *b.db
	first.password = b.first
	for pause := pollFirst; ; pause = min(2*pause, pollMost) {
		conn, err := first.Connect(ctx, "template1") // the one that every cluster has
		if err == nil {
			if err := b.db.lock(ctx, conn); err != nil {
				return errors.Join(err, conn.Close(ctx))
			}
			b.info.ServerVersion, _, _ = strings.Cut(conn.PgConn().ParameterStatus("server_version"), " ")
			if err := b.db.learn(ctx, conn, b.serverMajor()); err != nil {
				return errors.Join(err, conn.Close(ctx))
			}
			b.cluster.take(filepath.Join(b.work.run(), clusterName), b.first)
			b.used.Store(true)
			return errors.Join(conn.Close(ctx), b.clearStart(), b.newEnough())
		}
		_, wrong := errors.AsType[*verdict.Problem](err)
		if refusal, ok := errors.AsType[*pgconn.PgError](err); wrong || ok && refusal.Code == invalidPassword {
			return err
		}
		if ctx.Err() == nil {
			refused = err
		}
		select {
		case <-b.dead:
			return b.deadErr
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), refused, b.said())
		case <-time.After(pause):
		}
	}
}

// clearStart removes what only the start needed.
func (b *base) clearStart() error {
	for _, name := range []string{passwordName, clusterName} {
		if err := os.Remove(filepath.Join(b.work.start(), name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// newEnough makes sure that the server is not older than the backup, as one
// from an image that was named may be: pg_restore would refuse the archive.
func (b *base) newEnough() error {
	if major := b.serverMajor(); major == 0 || major >= b.major {
		return nil
	}
	return verdict.Errorf(verdict.CodeSandbox,
		fmt.Sprintf("name an image of PostgreSQL %d or later under sandbox.image, or none", b.major),
		"%s holds PostgreSQL %s, and the backup needs %d or later", b.info.Image, b.info.ServerVersion, b.major)
}

// serverMajor is the server's; 0 where its version cannot be read.
func (b *base) serverMajor() int { return b.info.Major() }

// died is called when the server has ended, with what is known of it.
func (b *base) died(status string, code int) {
	if b.isClosing() {
		b.ends(errClosed)
		return
	}
	b.ends(b.whyDead(status, code))
}

// ends tells all that wait for the server, or use it, why it is no more. Who
// calls first is right.
func (b *base) ends(why error) {
	b.once.Do(func() {
		b.deadErr = why
		close(b.dead)
	})
}

func (b *base) isClosing() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.closing
}

// beginClosing lets no more programs in, and reports whether it is the first time.
func (b *base) beginClosing() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	first := !b.closing
	b.closing = true
	return first
}

// enter counts a program in, unless the sandbox is closed or dead.
func (b *base) enter() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closing {
		return errClosed
	}
	select {
	case <-b.dead:
		return b.deadErr
	default:
	}
	b.programs.Add(1)
	return nil
}

func (b *base) whyDead(status string, code int) error {
	if code == timedOut || !time.Now().Before(b.deadline) {
		return verdict.Errorf(verdict.CodeTimeout,
			"give the drill more time under timeout, or find out what takes so long",
			"the sandbox ended itself at its deadline, %s", b.deadline.UTC().Format(time.RFC3339))
	}
	hint := "look for the machine's memory and disk, then run the drill again"
	if b.starved() {
		status, hint = status+", and the kernel had ended a process for want of memory", moreMemory
	}
	said := b.said()
	place := ""
	found := verdict.CodeSandbox
	if isFull(b.work.Path()) || said != nil && strings.Contains(said.Error(), syscall.ENOSPC.Error()) {
		found, place = verdict.CodeDiskSpace, ", and its disk is full"
		hint = "make room where the sandbox keeps its data, then run the drill again"
	}
	if said != nil && len(b.preload) > 0 && noLibrary.MatchString(said.Error()) {
		hint = "name an image under sandbox.image whose server has each library of " +
			"sandbox.preload, or correct the names there"
	}
	if said != nil && strings.Contains(said.Error(), "could not look up effective user ID") {
		hint = "run the drill as an account that has a name on this machine (in a container: without --user), " +
			"or where its sandbox is enclosed"
	}
	if said != nil {
		return verdict.Errorf(found, hint, "the sandbox's server ended by itself (%s)%s: %w", status, place, said)
	}
	return verdict.Errorf(found, hint, "the sandbox's server ended by itself (%s)%s", status, place)
}

// leastRoom is what a disk has left, in bytes, that is not full.
const leastRoom = 1 * mib

// isFull reports whether the disk of a directory has no room. A server that dies
// of it can often not even write so into its log.
func isFull(dir string) bool {
	now, err := machine.SpaceOf(dir)
	return err == nil && now.Free < leastRoom
}

// noLibrary is what a server says that cannot load a library at its start.
var noLibrary = regexp.MustCompile(`could not (?:access|load) (?:file|library)|incompatible library`)

// said returns the end of the server's log as an error, or nil.
func (b *base) said() error {
	if b.bringLog != nil && !b.isClosing() {
		b.bringLog()
	}
	log := filepath.Join(b.work.run(), logName)
	lines := ""
	if b.used.Load() {
		lines = lastWords(log, phraseNames(b.preload))
	} else {
		lines = firstWords(log)
	}
	if lines == "" {
		return nil
	}
	return errors.New(lines)
}

// Run runs a program to its end.
func (b *base) Run(ctx context.Context, c Command) error {
	p, err := b.begin(ctx, c, b.launch)
	if err != nil {
		return err
	}
	return p.Wait()
}

// begin starts a program and sees to it that it ends with ctx or the server.
func (b *base) begin(ctx context.Context, c Command, launch func(Command) (*program, error)) (*program, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("run %s in the sandbox: %w", c.Args[0], context.Cause(ctx))
	}
	if err := b.enter(); err != nil {
		return nil, fmt.Errorf("run %s in the sandbox: %w", c.Args[0], err)
	}
	p, err := launch(c)
	if err != nil {
		b.programs.Done()
		return nil, fmt.Errorf("run %s in the sandbox: %w", c.Args[0], b.reason(ctx, err))
	}
	go func() {
		defer b.programs.Done()
		select {
		case <-p.ended:
		case <-ctx.Done():
			p.kill()
		case <-b.dead:
			p.kill()
		}
		<-p.ended
		p.err = b.explain(ctx, c.Args[0], p)
		close(p.done)
	}()
	return p, nil
}

// explain says why a program ended as it did: a status of its own says less
// than that it was told to stop, or that the server died under it.
func (b *base) explain(ctx context.Context, name string, p *program) error {
	err := p.status
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return fmt.Errorf("run %s in the sandbox: %w", name, context.Cause(ctx))
	}
	if !p.closed.Load() && wasKilled(err) {
		// Perhaps together with the server, whose end is told separately.
		select {
		case <-b.dead:
		case <-time.After(killAfter):
		}
	}
	return fmt.Errorf("run %s in the sandbox: %w", name, b.reason(ctx, err))
}

// reason is why a program failed: the server's end where that has come, else
// what the program or the engine said. An engine speaks of a container that is
// not running before whoever waits for its end has heard of it, and has fetched
// the server's last words.
func (b *base) reason(ctx context.Context, err error) error {
	select {
	case <-b.dead:
		return b.deadErr
	default:
	}
	if b.gone == nil || !b.gone() {
		return err
	}
	select {
	case <-b.dead:
	case <-ctx.Done():
		return err
	case <-time.After(engineTimeout):
		b.died("its end was not told", 0)
	}
	return b.deadErr
}

// wasKilled reports whether a program ended by a signal or in a way unknown, or
// never began, which is what an engine says of a container that is ending.
func wasKilled(err error) bool {
	exit, ok := errors.AsType[*ExitError](err)
	return err != nil && (!ok || exit.Code >= notBegun)
}

// program is one that runs inside.
type program struct {
	ended  chan struct{} // closed when it has ended
	status error         // how, by its exit status; to be read when ended is closed
	kill   func()        // may be called at any time, and again
	closed atomic.Bool   // its stream's reader has had enough

	done chan struct{} // closed after ended, when err is known
	err  error         // how it ended, with the reason
}

func newProgram() *program {
	return &program{ended: make(chan struct{}), done: make(chan struct{})}
}

// Wait waits for the program's end and says how it ended.
func (p *program) Wait() error {
	<-p.done
	return p.err
}

// stream is a program and the reading end of its standard output.
type stream struct {
	*program
	out *os.File
}

// newStream also sees to it that a reader does not wait for what a child of a
// killed program might still write.
func newStream(p *program, out *os.File) *stream {
	go func() {
		<-p.done
		if wasKilled(p.err) {
			out.SetReadDeadline(time.Now().Add(killAfter))
		}
	}()
	return &stream{program: p, out: out}
}

func (s *stream) Read(p []byte) (int, error) { return s.out.Read(p) }

func (s *stream) Close() error {
	s.closed.Store(true)
	err := s.out.Close()
	if errors.Is(err, os.ErrClosed) {
		err = nil
	}
	s.kill()
	<-s.done
	return err
}

// waitPrograms waits until no program runs any more, or ctx ends.
func (b *base) waitPrograms(ctx context.Context) error {
	none := make(chan struct{})
	go func() { b.programs.Wait(); close(none) }()
	select {
	case <-none:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for the sandbox's programs to end: %w", context.Cause(ctx))
	}
}
