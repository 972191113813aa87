// Package bench measures what a drill costs beside a restore done by hand: on
// the same machine and image, with the same server, in rounds whose order
// rotates, each way in a process of its own. It must never make a way look
// better than a person would meet it: what is measured begins with the local
// archive and ends with the last count, the server's start included.
package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"daybefore/internal/machine"
	"daybefore/internal/sandbox"
	"daybefore/internal/verdict"
)

// Options say what to measure. Dir is required, and so is Compile for Overhead.
type Options struct {
	Dir    string    // the harness's folder: reports/bench/latest.json lies below it
	Stdout io.Writer // the table
	Stderr io.Writer // how far it is
	Log    *slog.Logger
	Now    func() time.Time

	// Compile writes the binary that users run into a file.
	Compile func(ctx context.Context, to string) error

	Scale  string // of the database, one of Scales; empty: 1, which is about 3 GB
	Scales string // for Growth: several, with commas between; empty: 0.5 to 10
	Tables string // for Growth: numbers of tables, with commas between; empty: 1,000 to 10,000
	Rounds int    // each measures every way once; 0: 5
	Kind   string // auto (also when empty), container or local
	Ways   string // some of Ways, with commas between; empty: all
	Peers  bool   // also the other harnesses that are installed
	Mask   string // features of the processor that drills do without, with commas between; empty: none
	Cache  string // where dumps are kept; empty: the user's cache folder

	tmp  string                                                // for work directories; empty: os.TempDir()
	path string                                                // where peers are looked for; empty: PATH
	room func(dir string) (device uint64, free int64, ok bool) // nil: as the system tells
}

// Scales are the sizes of the database that can be asked for. At 1 it is
// about 3 GB. Each promise knows at which of them it counts.
var Scales = map[string]float64{"0.01": 0.01, "0.05": 0.05, "0.1": 0.1, "0.2": smallScale, "0.5": 0.5, "1": 1, "2": 2,
	"5": 5, "10": 10}

const (
	defaultScale  = "1"
	smallScale    = 0.2
	smallest      = "0.01"
	defaultRounds = 5
	// closeTime is enough to remove ten thousand tables; after a signal
	// cleanTime ends it.
	closeTime = 2 * time.Minute
	// cleanTime is how long after a signal a way may take to remove its server.
	cleanTime = 8 * time.Second
)

// unmeasured is how a measurement ends that could not be made, or was interrupted.
func unmeasured(ctx context.Context, format string, args ...any) error {
	if ctx.Err() != nil {
		return &verdict.Exit{Code: verdict.ExitInterrupted, Reason: "bench: interrupted"}
	}
	return &verdict.Exit{Code: verdict.ExitError, Reason: "bench: " + fmt.Sprintf(format, args...)}
}

// Run measures, prints the table and writes reports/bench/latest.json. Its
// error carries the process's exit code: 10 where a limit is broken that counts
// at the scale, 11 where nothing could be measured, 12 after a signal.
func Run(ctx context.Context, o Options) error {
	o = o.withDefaults()
	ctx, stop := machine.Interruptible(ctx)
	defer stop()
	database := shop(o.Scale)
	r, err := o.begin(ctx, database)
	if err != nil {
		return unmeasured(ctx, "%v", err)
	}
	r.Dump, r.Samples, err = o.runWays(ctx, database)
	if err != nil {
		return unmeasured(ctx, "%v", err)
	}
	return o.end(ctx, r)
}

// runWays takes the dump of a database through all ways in all rounds.
func (o Options) runWays(ctx context.Context, r recipe) (Dump, []Sample, error) {
	d, err := o.dump(ctx, r)
	if err != nil {
		return Dump{}, nil, fmt.Errorf("make the database: %w", err)
	}
	jobs, err := o.jobs(d, r)
	if err != nil {
		return Dump{}, nil, err
	}
	samples, err := o.measure(ctx, jobs)
	return d.Dump, samples, err
}

// begin refuses what cannot be measured before anything is begun, and removes
// what an earlier process left.
func (o Options) begin(ctx context.Context, recipes ...recipe) (*Result, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	if err := o.checkMask(ctx); err != nil {
		return nil, err
	}
	m := describeMachine(ctx)
	if err := o.enoughRoom(o.needs(m, recipes...)); err != nil {
		return nil, err
	}
	if _, err := sandbox.SweepIn(ctx, o.Log, o.tmp); err != nil {
		o.Log.Warn("sweep what an earlier process left", "err", err)
	}
	return &Result{Schema: resultSchema, StartedAt: o.Now().UTC(), Machine: m, Rounds: o.Rounds,
		Masked: o.masks(), Jobs: runtime.NumCPU()}, nil
}

// end judges, keeps and prints a result.
func (o Options) end(ctx context.Context, r *Result) error {
	r.conclude()
	if err := save(filepath.Join(o.Dir, "reports", "bench", "latest.json"), r); err != nil {
		return unmeasured(ctx, "%v", err)
	}
	if err := r.print(o.Stdout); err != nil {
		return unmeasured(ctx, "print the table: %v", err)
	}
	return overLimit(r.Limits)
}

func (o Options) withDefaults() Options {
	o.Scale = cmp.Or(o.Scale, defaultScale)
	o.Rounds = cmp.Or(o.Rounds, defaultRounds)
	o.Kind = cmp.Or(o.Kind, sandbox.Auto)
	o.tmp = cmp.Or(o.tmp, os.TempDir())
	o.path = cmp.Or(o.path, os.Getenv("PATH"))
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Stdout == nil {
		o.Stdout = io.Discard
	}
	if o.Stderr == nil {
		o.Stderr = io.Discard
	}
	if o.room == nil {
		o.room = roomIn
	}
	if dir, err := os.UserCacheDir(); err == nil && o.Cache == "" {
		o.Cache = filepath.Join(dir, "daybefore", "bench")
	}
	return o
}

func (o Options) check() error {
	if err := checkScale("-scale", o.Scale); err != nil {
		return err
	}
	if !slices.Contains([]string{sandbox.Auto, sandbox.Container, sandbox.Local}, o.Kind) {
		return fmt.Errorf("-kind=%s is not known; there are: auto, container, local", o.Kind)
	}
	for _, way := range o.ways() {
		if !slices.Contains(Ways, way) {
			return fmt.Errorf("-ways: %q is not known; there are: %v", way, Ways)
		}
	}
	if o.Rounds < 0 {
		return fmt.Errorf("-rounds=%d: at least 1", o.Rounds)
	}
	if o.Cache == "" {
		return errors.New("there is no folder to keep the dump in: set XDG_CACHE_HOME or HOME")
	}
	return nil
}

// checkScale refuses what is none of Scales.
func checkScale(option, scale string) error {
	_, ok := Scales[scale]
	if ok {
		return nil
	}
	known := slices.SortedFunc(maps.Keys(Scales), func(a, b string) int { return cmp.Compare(Scales[a], Scales[b]) })
	return fmt.Errorf("%s=%s is not known; there are: %s (1 is about 3 GB)", option, scale, strings.Join(known, ", "))
}

// ways are those that were asked for.
func (o Options) ways() []Way {
	if o.Ways == "" {
		return slices.Clone(Ways)
	}
	var ways []Way
	for name := range strings.SplitSeq(o.Ways, ",") {
		ways = append(ways, Way(strings.TrimSpace(name)))
	}
	return ways
}

// jobs are the ways that were asked for. Where the server is no container, no
// engine is between.
func (o Options) jobs(d *dumped, r recipe) ([]job, error) {
	ways := o.ways()
	drillings := r.drillings()
	if d.Kind != sandbox.Container {
		if o.Ways != "" && slices.Contains(ways, Tunnel) {
			return nil, fmt.Errorf("-ways: %s is through a container's engine, and the sandbox is %s", Tunnel, d.Kind)
		}
		ways = slices.DeleteFunc(ways, func(w Way) bool { return w == Tunnel })
	}
	var peers map[Way]string
	if o.Peers {
		peers = findPeers(o.path)
		if len(peers) == 0 {
			fmt.Fprintf(o.Stderr, "peers: none installed (a program in PATH called %sNAME)\n", peerPrefix)
		}
		ways = append(ways, slices.Sorted(maps.Keys(peers))...)
	}
	var jobs []job
	for _, way := range ways {
		j := d.job(way, runtime.NumCPU())
		j.Drilled = drillings[way]
		if j.Drilled != nil {
			j.Masked = o.masks()
		}
		j.Peer = peers[way]
		j.Tmp = o.tmp
		jobs = append(jobs, j)
	}
	return jobs, nil
}

// job restores the dump by hand, unless it is made a drill.
func (d *dumped) job(way Way, jobs int) job {
	return job{Way: way, Kind: d.Kind, Image: d.Image, Jobs: jobs, Archive: d.archive, Rows: d.Rows,
		Clusters: clusters(filepath.Dir(filepath.Dir(d.archive)))}
}

// measure runs all jobs in every round, beginning each round with another, so
// that none always follows the same one.
func (o Options) measure(ctx context.Context, jobs []job) (samples []Sample, err error) {
	w, err := sandbox.NewWorkdirIn(o.tmp) // swept if this process is killed
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	for round := range o.Rounds {
		for i := range jobs {
			j := jobs[(i+round)%len(jobs)]
			j.Scratch = w.Spool()
			s, err := runWorker(ctx, j, o.Stderr)
			if err != nil {
				return nil, fmt.Errorf("round %d, %s: %w", round+1, j.Way, err)
			}
			s.Round = round + 1
			samples = append(samples, *s)
			fmt.Fprintf(o.Stderr, "round %d of %d: %-15s %7.2f s, %7.2f CPU s\n", s.Round, o.Rounds, s.Way, s.Wall,
				s.CPU())
		}
	}
	return samples, nil
}
