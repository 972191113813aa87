package bench

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"daybefore/internal/machine"
	"daybefore/internal/sandbox"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

const (
	overheadRounds = 7
	// overheadLimit is what the demo's drill may take, as a multiple of the
	// same by hand.
	overheadLimit = 1.1
	// startLimit is in milliseconds.
	startLimit = 100
)

// Overhead compares the demo's drill, by the compiled binary, with a script
// that does the same by hand, and shows where each millisecond goes. Its
// error carries the process's exit code, as Run's does.
func Overhead(ctx context.Context, o Options) (err error) {
	o.Rounds = cmp.Or(o.Rounds, overheadRounds)
	o = o.withDefaults()
	ctx, stop := machine.Interruptible(ctx)
	defer stop()
	o.Scale = defaultScale // it has none
	if err := o.check(); err != nil {
		return unmeasured(ctx, "%v", err)
	}
	if _, err := sandbox.SweepIn(ctx, o.Log, o.tmp); err != nil {
		o.Log.Warn("sweep what an earlier process left", "err", err)
	}
	b, err := o.prepareOverhead(ctx)
	if err != nil {
		return unmeasured(ctx, "%v", err)
	}
	defer func() { err = errors.Join(err, b.work.Close()) }()
	if err := b.measure(ctx, o); err != nil {
		return unmeasured(ctx, "%v", err)
	}
	if err := b.print(o.Stdout); err != nil {
		return unmeasured(ctx, "print the table: %v", err)
	}
	return b.verdict()
}

// overhead is the demo, ready to be drilled and to be restored by hand.
type overhead struct {
	work   *sandbox.Workdir // swept if this process is killed
	dir    string           // in it: a home of its own, with the binary and the demo's drill file
	binary string
	name   string // the drill's, which no other process uses
	report *verdict.Report
	byHand byHand
	// firstUse is how long the first drill took, for which nothing was kept:
	// milliseconds.
	firstUse float64

	starts []float64 // milliseconds from here on
	drills []drilled
	hands  []handed
}

// drilled is one run of the binary.
type drilled struct {
	total    float64
	report   *verdict.Report
	timeline []moment
}

// moment is when something had happened, in milliseconds since the process
// was started.
type moment struct {
	at   float64
	what string
}

// prepareOverhead compiles the binary, and drills once: that tells which kind
// of sandbox and which image there is, brings everything into memory, and shows
// what the first use of a machine costs, which makes a cluster to be kept.
func (o Options) prepareOverhead(ctx context.Context) (_ *overhead, err error) {
	w, err := sandbox.NewWorkdirIn(o.tmp)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.Close())
		}
	}()
	binary := filepath.Join(w.Spool(), "drill")
	b := &overhead{work: w, dir: w.Spool(), binary: binary, name: "overhead-" + filepath.Base(w.Path())}
	fmt.Fprintln(o.Stderr, "compiling the binary")
	if err := o.Compile(ctx, binary); err != nil {
		return nil, fmt.Errorf("compile the binary: %w", err)
	}
	d, err := b.copyDemo(o)
	if err != nil {
		return nil, err
	}
	first, err := b.drill(ctx)
	if err != nil {
		return nil, err
	}
	b.report, b.firstUse = first.report, first.total
	b.byHand, err = newByHand(w, first.report, d)
	return b, err
}

// copyDemo makes the demo a drill of the kind that was asked for.
func (b *overhead) copyDemo(o Options) (*spec.Drill, error) {
	drills, err := filepath.Abs(filepath.Join(o.Dir, "drills"))
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join(drills, "demo.yaml"))
	if err != nil {
		return nil, err
	}
	home := filepath.Join(b.dir, "drills")
	if err := os.Mkdir(home, 0o755); err != nil {
		return nil, err
	}
	if err := os.Symlink(filepath.Join(drills, "demo"), filepath.Join(home, "demo")); err != nil {
		return nil, err
	}
	file := filepath.Join(home, b.name+".yaml")
	text = []byte(strings.Replace(string(text), "kind: auto", "kind: "+o.Kind, 1))
	if err := os.WriteFile(file, text, 0o644); err != nil {
		return nil, err
	}
	return spec.Load(file)
}

// measure runs both ways in turn, beginning each round with the other.
func (b *overhead) measure(ctx context.Context, o Options) error {
	for round := range o.Rounds {
		steps := []func() error{
			func() error {
				d, err := b.drill(ctx)
				b.drills = append(b.drills, d)
				return err
			},
			func() error {
				h, err := b.byHand.run(ctx)
				b.hands = append(b.hands, h)
				return err
			},
		}
		if round%2 == 1 {
			slices.Reverse(steps)
		}
		for _, step := range append(steps, func() error { return b.start(ctx) }) {
			if err := step(); err != nil {
				return fmt.Errorf("round %d: %w", round+1, err)
			}
		}
		fmt.Fprintf(o.Stderr, "round %d of %d: by hand %4.0f ms, the drill %4.0f ms, its binary's start %3.0f ms\n",
			round+1, o.Rounds,
			b.hands[round].total, b.drills[round].total, b.starts[round])
	}
	return nil
}

// command runs the binary at its home.
func (b *overhead) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, b.binary, args...)
	cmd.Dir = b.dir
	cmd.Env = append(os.Environ(), "DRILL_HOME="+b.dir, "TMPDIR="+filepath.Dir(b.work.Path()),
		"XDG_CACHE_HOME="+filepath.Join(b.dir, "cache"), // where no cluster is kept yet
		workerEnv+"=") // it may be a worker that asks
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a Ctrl-C is passed on once
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = cleanTime
	return cmd
}

// start measures a target that does next to nothing: it lists the drills.
func (b *overhead) start(ctx context.Context) error {
	begun := time.Now()
	if err := b.command(ctx, "drills").Run(); err != nil {
		return fmt.Errorf("list the drills: %w", err)
	}
	b.starts = append(b.starts, ms(time.Since(begun)))
	return nil
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// drill runs the demo's drill, listening to what its log and the engine say.
func (b *overhead) drill(ctx context.Context) (drilled, error) {
	log := &logTimes{}
	cmd := b.command(ctx, "drill", "-name="+b.name)
	cmd.Env = append(cmd.Env, "DRILL_LOG=debug")
	cmd.Stderr = log
	events := listen(ctx, b.name)
	begun := time.Now()
	err := cmd.Run()
	total := time.Since(begun)
	moments := append(events(), log.moments...)
	if err != nil {
		return drilled{}, fmt.Errorf("drill the demo: %w", err)
	}
	r, err := b.latest()
	if err != nil {
		return drilled{}, err
	}
	d := drilled{total: ms(total), report: r}
	for _, m := range append(moments, seen{begun.Add(total), "the process has ended"}) {
		d.timeline = append(d.timeline, moment{ms(m.at.Sub(begun)), m.what})
	}
	slices.SortStableFunc(d.timeline, func(x, y moment) int { return cmp.Compare(x.at, y.at) })
	return d, nil
}

func (b *overhead) latest() (*verdict.Report, error) {
	text, err := os.ReadFile(filepath.Join(b.dir, "reports", b.name, "latest.json"))
	if err != nil {
		return nil, err
	}
	var r verdict.Report
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, fmt.Errorf("read the drill's report: %w", err)
	}
	if r.Outcome != verdict.Pass && r.Outcome != verdict.Warn {
		return nil, fmt.Errorf("the demo's drill came to %s", r.Outcome)
	}
	return &r, nil
}

// ratios are the drill's times over those by hand, round by round.
func (b *overhead) ratios() Spread {
	var all []float64
	for i := range b.drills {
		all = append(all, b.drills[i].total/b.hands[i].total)
	}
	return spread(all)
}

func (b *overhead) verdict() error {
	var broken []string
	if r := b.ratios().Median; r > overheadLimit {
		broken = append(broken,
			fmt.Sprintf("the demo's drill takes %.2f times what it takes by hand (limit %.2f)", r, overheadLimit))
	}
	if s := spread(b.starts).Median; s > startLimit {
		broken = append(broken, fmt.Sprintf("the binary starts in %.0f ms (limit %d ms)", s, startLimit))
	}
	if broken == nil {
		return nil
	}
	return &verdict.Exit{Code: verdict.ExitFail, Reason: "dev:overhead: " + strings.Join(broken, "; ")}
}

// print writes what was measured, and the timeline of the drill in the middle.
func (b *overhead) print(w io.Writer) error {
	s := b.report.Sandbox
	fmt.Fprintf(w, "the demo's drill in a %s, PostgreSQL %s %s; %d rounds; milliseconds\n\n", s.Kind, s.ServerVersion,
		s.Image, len(b.drills))
	totals := [][]string{
		{"by hand, one script", spread(each(b.hands, func(h handed) float64 { return h.total })).text("%.0f", 1), ""},
		{"the drill, compiled", spread(each(b.drills, func(d drilled) float64 { return d.total })).text("%.0f", 1), ""},
		{"the drill / by hand", b.ratios().text("%.2f", 1), fmt.Sprintf("%.2f", overheadLimit)},
		{"its first use here", fmt.Sprintf("%.0f", b.firstUse), ""},
		{"the binary's start", spread(b.starts).text("%.0f", 1), fmt.Sprint(startLimit)},
	}
	if err := writeTable(w, []string{"", "median", "limit"}, totals); err != nil {
		return err
	}
	fmt.Fprintln(w)
	if err := writeTable(w, []string{"by hand", "took"}, b.handSteps()); err != nil {
		return err
	}
	fmt.Fprintln(w)
	if err := writeTable(w, []string{"the drill's stages", "took"}, b.stages()); err != nil {
		return err
	}
	fmt.Fprintln(w)
	return writeTable(w, []string{"the drill in the middle", "after", "since the last"}, b.middle())
}

func each[T any](of []T, measure func(T) float64) []float64 {
	var all []float64
	for _, v := range of {
		all = append(all, measure(v))
	}
	return all
}

func (b *overhead) handSteps() [][]string {
	var rows [][]string
	for i, step := range b.hands[0].steps {
		lasted := each(b.hands, func(h handed) float64 { return h.steps[min(i, len(h.steps)-1)].at })
		rows = append(rows, []string{step.what, spread(lasted).text("%.0f", 1)})
	}
	return rows
}

// stages are the report's; they overlap, and need not add up.
func (b *overhead) stages() [][]string {
	var rows [][]string
	for i, stage := range b.report.Stages {
		lasted := each(b.drills, func(d drilled) float64 { return float64(d.report.Stages[i].DurationMS) })
		rows = append(rows, []string{stage.Name, spread(lasted).text("%.0f", 1)})
	}
	outside := each(b.drills, func(d drilled) float64 { return d.total - float64(d.report.DurationMS) })
	return append(rows, []string{"outside of the drill: start, sweep, report", spread(outside).text("%.0f", 1)})
}

func (b *overhead) middle() [][]string {
	byTotal := slices.SortedFunc(slices.Values(b.drills),
		func(x, y drilled) int { return cmp.Compare(x.total, y.total) })
	var rows [][]string
	last := 0.0
	for _, m := range byTotal[len(byTotal)/2].timeline {
		rows = append(rows, []string{m.what, fmt.Sprintf("%.0f", m.at), fmt.Sprintf("%.0f", m.at-last)})
		last = m.at
	}
	return rows
}

// errNoBackup says that the demo is not where it should be.
var errNoBackup = errors.New("the drill's report names no backup")
