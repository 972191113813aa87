// Package sandbox starts a disposable PostgreSQL server that nobody else can
// reach: in a container without a network, or as a local cluster. It must
// never connect to any other server, and leaves nothing behind.
//
// A backup is foreign code that runs as superuser. Both kinds hold it in, apart
// from the machine and from the programs that read the backup itself. Where a
// local one is allowed less, its report says so, and it is for backups whose
// origin is trusted.
package sandbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"daybefore/internal/told"
	"daybefore/internal/verdict"
)

// Kinds of sandbox, as a drill file names them.
const (
	Auto      = "auto"
	Container = "container"
	Local     = "local"
)

// Degrees of isolation, the better one first.
const (
	Enclosed   = "enclosed"    // sees no process, file, socket and network of the machine but its own
	NoNetwork  = "no_network"  // no network interface but a loopback of its own
	NoListener = "no_listener" // the server listens on no TCP port
)

const (
	// defaultLifetime is when a sandbox ends itself that was given no deadline.
	defaultLifetime = 6 * time.Hour
	// startTimeout bounds initdb and the server's start on a slow machine.
	startTimeout = 3 * time.Minute
)

// Options say what is wanted. Work is required; the zero value of everything
// else has a meaning.
type Options struct {
	Kind      string    // Auto (also when empty), Container or Local
	Image     string    // for containers; empty: postgres:<Major>
	Major     int       // of the server: the higher of the header's two; 0: any
	Memory    int64     // bytes that the sandbox may use; 0: half of the machine's
	Disk      int64     // bytes that its disks may lose while it is there; 0: all but what is always kept free
	Jobs      int       // connections and programs that will work in parallel
	Isolation string    // the least that is good enough; empty: Enclosed
	Preload   []string  // libraries that the server loads at its start; what would run jobs in them is told not to
	Database  string    // that will be restored, where it is known: pg_cron keeps to one; may be empty
	Deadline  time.Time // the sandbox ends itself then; zero: in six hours
	Work      *Workdir  // the drill's private directory, for one sandbox
	Drill     string    // for labels
	// folder of this user's where clusters are kept that were made once; empty: each start makes its own
	Clusters string
	// reach the container through the engine, as is done by itself where no directory can be shared
	Tunnel bool
	// keep PostgreSQL's own settings, but for how the server is reached and what its log leaves out: for the
	// bench, which compares with servers as they are installed. Sessions are those of every sandbox (no jit).
	Defaults bool
	Log      *slog.Logger // nil: silent
	Progress func(string) // told, in a few words, what takes long; may be nil
}

// Box is a running sandbox. Its methods may be called concurrently.
type Box interface {
	// DB is the way to the server.
	DB() *DB

	// Run runs a program of the sandbox's own PostgreSQL version to its end.
	// An exit status other than 0 is an *ExitError.
	Run(ctx context.Context, c Command) error

	// Stream starts a program and hands out its standard output while it
	// runs. The program is killed when ctx ends.
	Stream(ctx context.Context, c Command) (Stream, error)

	// HostPath is where this process finds the shared file name, and
	// InsidePath where the sandbox's programs do, which may read it only.
	HostPath(name string) string
	InsidePath(name string) string

	// Why returns why err came about, where the end of the server or of a
	// connection to it is the cause, as a *verdict.Problem; else err itself.
	Why(ctx context.Context, err error) error

	// Sentences are what the server and its programs say: read from them when
	// the first message is to be told, where no code of a backup reaches them.
	Sentences() *told.Sentences

	// Info is what the report says about the sandbox.
	Info() verdict.Sandbox

	// Close ends the server and removes everything but the work directory.
	// It may be called again, and needs a context that is not yet done.
	Close(ctx context.Context) error
}

// Command is a program that runs inside. It finds the server by its
// environment, so that `pg_restore -d name` needs no more arguments.
type Command struct {
	Args   []string  // the program's name and its arguments
	Stdout io.Writer // nil: discarded; not used by Stream
	// beside the server, where the backup's code runs, and not among the programs, which alone see shared files
	Beside bool
	Stderr func(line string) // called for each line, one at a time; nil: discarded
}

// Stream is the standard output of a program that runs inside.
type Stream interface {
	// Read reads until the program has ended: io.EOF says nothing about
	// how, which Wait does.
	io.Reader

	// Wait waits until the program has ended, and says how: nil for status
	// 0, else an *ExitError or what else became of it.
	Wait() error

	// Close kills the program if it still runs. It may be called again.
	Close() error
}

// ExitError is the status, not 0, of a program that ran inside. Of one that
// was killed it is 128 and the signal's number.
type ExitError struct {
	Program string
	Code    int
}

func (e *ExitError) Error() string {
	return fmt.Sprintf("%s ended with status %d", e.Program, e.Code)
}

// DefaultMemory is what a local cluster may use that was given no limit, and
// what all drills of this machine together should keep to: half of it.
func DefaultMemory() int64 { return MachineMemory() / 2 }

// Start starts a sandbox and returns it once its server has answered and
// shown that it is the one that was started. Where it fails nothing is left
// running. The error is a *verdict.Problem.
func Start(ctx context.Context, o Options) (Box, error) {
	if o.Work == nil {
		return nil, verdict.Errorf(verdict.CodeInternal, "report this",
			"start a sandbox: it was given no work directory")
	}
	o = o.withDefaults()
	switch o.Isolation {
	case Enclosed, NoNetwork, NoListener:
	default:
		return nil, verdict.Errorf(verdict.CodeSpec, "write enclosed, no_network or no_listener",
			"sandbox isolation %q: no such degree", o.Isolation)
	}
	begun := time.Now()
	if !begun.Before(o.Deadline) {
		return nil, verdict.Errorf(verdict.CodeTimeout, "give the drill more time under timeout",
			"start a sandbox: its deadline, %s, has passed", o.Deadline.UTC().Format(time.RFC3339))
	}
	box, err := startKind(ctx, o)
	if err != nil {
		return nil, err
	}
	info := box.Info()
	o.Log.Debug("sandbox started", "kind", info.Kind, "why", info.Why, "image", info.Image, "server",
		info.ServerVersion,
		"isolation", info.Isolation, "took", time.Since(begun))
	return box, nil
}

func startKind(ctx context.Context, o Options) (Box, error) {
	switch o.Kind {
	case Container:
		return startContainer(ctx, o)
	case Local:
		return startLocal(ctx, o)
	case Auto:
		return startAuto(ctx, o)
	}
	return nil, verdict.Errorf(verdict.CodeSpec, "write auto, container or local", "sandbox kind %q: no such kind",
		o.Kind)
}

func (o Options) withDefaults() Options {
	o.Kind, o.Isolation = cmp.Or(o.Kind, Auto), cmp.Or(o.Isolation, Enclosed)
	o.Jobs = max(o.Jobs, 1)
	if o.Deadline.IsZero() {
		o.Deadline = time.Now().Add(defaultLifetime)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	return o
}

// startAuto takes a container if the engine answers and has, or can get, the
// image; else a local cluster.
func startAuto(ctx context.Context, o Options) (Box, error) {
	engine, found, noContainer := findContainer(ctx, o)
	if noContainer == nil {
		return startFound(ctx, o, engine, found)
	}
	if ctx.Err() != nil {
		return nil, startProblem(Container, context.Cause(ctx))
	}
	bin, noLocal := findBinaries(o.Major)
	if noLocal != nil {
		return nil, verdict.Errorf(verdict.CodeSandbox, hintWithout(noLocal, hintContainer(noContainer)),
			"start a sandbox: no container, because %w; no local server, because %w", noContainer, noLocal)
	}
	bin.why = fmt.Sprintf("no container, because %s; %s", noContainer, bin.why)
	bin.instead = true
	return startBinaries(ctx, o, bin)
}

// startProblem is a sandbox that did not start, as a finding of the drill.
func startProblem(kind string, err error) *verdict.Problem {
	p := verdict.Errorf(verdict.CodeSandbox,
		"this says nothing about the backup; fix the sandbox and run the drill again",
		"start the %s sandbox: %w", kind, err)
	if isSilence(err) {
		p.Hint = hintEngine
	}
	if inner, ok := errors.AsType[*verdict.Problem](err); ok {
		p.Outcome, p.Code, p.Hint = inner.Outcome, inner.Code, inner.Hint
	}
	return p
}
