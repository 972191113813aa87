// Package harness is what the targets call, one function a target: it reads
// drills/, writes reports/, and says with which code the process should end. It
// never judges a backup itself: that is for the rooms below.
package harness

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/term"

	"daybefore/internal/drill"
	"daybefore/internal/machine"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// Home is where a harness works: the folder that holds drills/ and reports/,
// and the streams it talks to. Open fills it for a process.
type Home struct {
	Dir    string
	Stdout io.Writer // tables; under -json the same as Stderr
	Stderr io.Writer // progress, log, one-line reasons
	// Answers are those of a person at a terminal; nil: nobody is there to be asked.
	Answers io.Reader
	Now     func() time.Time
	Log     *slog.Logger
	Tunnel  bool // see drill.Request
	// Clusters is the folder of sandbox.Options; empty: none is kept.
	Clusters string

	Verbose  bool     // a drill's report is printed whole
	Document Document // what the target came to, for -json

	printing sync.Mutex             // one report at a time
	kept     atomic.Bool            // a report was, of which the page of all drills does not know
	untold   []string               // who was not told of a drill, and why
	files    map[string]spec.Loaded // the drills that were read, by name
}

// Open is the home of this process: the working directory, or DRILL_HOME.
// DRILL_LOG=debug makes it say more; DRILL_TUNNEL=1 reaches containers as if
// the engine were on another machine.
func Open() *Home {
	machine.CollectEarly()
	level := slog.LevelWarn
	if os.Getenv("DRILL_LOG") == "debug" {
		level = slog.LevelDebug
	}
	stdout := os.Stdout
	if asDocument {
		stdout = os.Stderr
	}
	var answers io.Reader
	if term.IsTerminal(int(os.Stdin.Fd())) && term.IsTerminal(int(os.Stderr.Fd())) {
		answers = os.Stdin
	}
	return &Home{
		Dir: home(), Stdout: stdout, Stderr: os.Stderr, Answers: answers,
		Now: time.Now, Tunnel: os.Getenv("DRILL_TUNNEL") == "1", Clusters: Clusters(),
		// Mage discards the default logger unless it is run with -v.
		Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level})),
	}
}

// home is DRILL_HOME or the working folder, as one would type it here, since
// messages name the files below it.
func home() string {
	dir := os.Getenv("DRILL_HOME")
	here, err := os.Getwd()
	if dir == "" || err != nil {
		return cmp.Or(dir, ".")
	}
	return near(here, dir)
}

// Clusters is where drills keep clusters that were made once: a folder in the
// user's cache; empty where there is no such thing, as for some CI runners.
func Clusters() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "daybefore", "clusters")
}

// cannot is an Exit for whatever kept the harness from verifying anything.
func cannot(format string, args ...any) *verdict.Exit {
	return &verdict.Exit{Code: verdict.ExitError, Reason: fmt.Sprintf(format, args...)}
}

// interruptible returns a context that Ctrl-C, SIGTERM or the loss of the
// terminal ends with the cause that makes a drill report itself as
// interrupted. Until stop is called, neither another Ctrl-C nor a reader of
// the output who goes away ends the process: there may be a sandbox to remove.
func (h *Home) interruptible(ctx context.Context) (_ context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	signals := make(chan os.Signal, 1)
	broken := make(chan os.Signal, 1)
	notify := func() {
		// Mage listens too, and at a second Ctrl-C ends the process at once.
		signal.Reset(os.Interrupt)
		signal.Notify(signals, machine.EndSignals()...)
	}
	notify()
	signal.Notify(broken, syscall.SIGPIPE) // nobody listens: the write fails, and that is all
	go func() {
		select {
		case <-signals:
			notify() // had Mage only begun to listen after the first time
			cancel(drill.ErrInterrupted)
			fmt.Fprintln(h.Stderr, "interrupted: ending what runs and removing what it made")
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		signal.Stop(broken)
		cancel(nil)
	}
}

func (h *Home) drillsDir() string  { return filepath.Join(h.Dir, "drills") }
func (h *Home) reportsDir() string { return filepath.Join(h.Dir, "reports") }
