package bench

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"daybefore/internal/sandbox"
)

const (
	numDrills = 10
	// drillMemory is what each of them declares under sandbox.memory.
	drillMemory = 1 << 30
	// idleLimit is the wall time of several drills as a multiple of the CPU
	// seconds that they take, dealt out to all cores. The engine's are among
	// them: it makes and removes a container for each, a sixth of all.
	idleLimit = 1.10
)

// Several drills by one process of the compiled binary.
const (
	allAtOnce Way = "10 drills, -parallel=10"
	asDefault Way = "10 drills"
)

var drillsPromises = []promise{
	{"10 drills, -parallel=10: wall / (CPU of all / cores)", allAtOnce, "", idle, idleLimit, false},
	{"10 drills: wall / (CPU of all / cores)", asDefault, "", idle, idleLimit, false},
	{"10 drills, -parallel=10: memory / declared", allAtOnce, "", ofDeclared, 1, true},
	{"10 drills: memory / declared", asDefault, "", ofDeclared, 1, true},
}

// idle is 1 where no core ever waited; what else the machine did counts as
// work of the drills.
func idle(s Sample) float64 {
	return s.Wall / (cmp.Or(s.MachineCPU, s.CPU()) / float64(runtime.NumCPU()))
}

func ofDeclared(s Sample) float64 { return float64(s.Memory) / float64(s.Declared) }

// Scaling restores the database with one worker and with more, by hand and by
// a drill; and runs ten drills of a tenth of it in one process. Its error
// carries the process's exit code, as Run's does.
func Scaling(ctx context.Context, o Options) error {
	o.Rounds = cmp.Or(o.Rounds, 1)
	o = o.withDefaults()
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	r, err := o.begin(ctx, o.needs)
	if err != nil {
		return cannot(ctx, "%v", err)
	}
	if err := o.workers(ctx, r); err != nil {
		return cannot(ctx, "%v", err)
	}
	if err := o.severalDrills(ctx, r); err != nil {
		return cannot(ctx, "several drills at once: %v", err)
	}
	return o.end(ctx, r, drillsPromises, "scaling.json")
}

// workers measures one worker, two, and so on up to the machine's cores.
func (o Options) workers(ctx context.Context, r *Result) error {
	d, err := o.dump(ctx, shop(o.Scale))
	if err != nil {
		return fmt.Errorf("make the database: %w", err)
	}
	r.Dump = d.Dump
	scrubbed := drillings()[Scrubbed]
	var jobs []job
	for _, n := range numbersOfWorkers(runtime.NumCPU()) {
		byHand, drill := d.job(Way(fmt.Sprintf("%s -j%d", ByHand, n)), n), d.job(Way(fmt.Sprintf("%s -j%d", Scrubbed, n)), n)
		drill.Drilled = scrubbed
		jobs = append(jobs, byHand, drill)
	}
	r.Samples, err = o.measure(ctx, jobs)
	return err
}

// numbersOfWorkers are 1, 2, 4 … and all cores.
func numbersOfWorkers(cores int) []int {
	var all []int
	for n := 1; n < cores; n *= 2 {
		all = append(all, n)
	}
	return append(all, cores)
}

// severalDrills measures ten drills of one process, all at once and as many as
// it takes by itself.
func (o Options) severalDrills(ctx context.Context, r *Result) (err error) {
	d, err := o.dump(ctx, shop(tenth(o.Scale)))
	if err != nil {
		return fmt.Errorf("make the database: %w", err)
	}
	w, err := sandbox.NewWorkdir() // swept if this process is killed
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	binary := filepath.Join(w.Spool(), "drill")
	if err := o.compile(ctx, binary); err != nil {
		return err
	}
	home := filepath.Join(w.Spool(), "home")
	if err := writeDrills(home, d); err != nil {
		return err
	}
	for round := range o.Rounds {
		for _, way := range []Way{allAtOnce, asDefault} {
			s, err := drillAll(ctx, binary, home, way, d.Kind)
			if err != nil {
				return err
			}
			s.Round = round + 1
			r.Samples = append(r.Samples, *s)
			fmt.Fprintf(o.Stderr, "round %d of %d: %-8s %7.2f s, %7.2f CPU s\n", s.Round, o.Rounds, s.Way, s.Wall, s.CPU())
		}
	}
	return nil
}

// tenth is the largest scale that is no more than a tenth of another, or the
// smallest.
func tenth(scale string) string {
	found := ""
	for s, n := range Scales {
		if n <= Scales[scale]/10 && (found == "" || n > Scales[found]) {
			found = s
		}
	}
	return cmp.Or(found, smallest)
}

// writeDrills writes ten files that drill the same dump.
func writeDrills(home string, d *dumped) error {
	if err := os.MkdirAll(filepath.Join(home, "drills"), 0o755); err != nil {
		return err
	}
	j := d.job(Scrubbed, 0)
	j.Drilled = drillings()[Scrubbed]
	j.Memory = drillMemory
	for i := range numDrills {
		if err := os.WriteFile(filepath.Join(home, "drills", fmt.Sprintf("d%d.yaml", i)), []byte(j.drillFile()), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// drillAll runs all drills of a home.
func drillAll(ctx context.Context, binary, home string, way Way, kind string) (*Sample, error) {
	args := []string{"drill"}
	budget := sandbox.DefaultMemory()
	atOnce := min(numDrills, runtime.NumCPU()) // as harness.drillAll has it
	if way == allAtOnce {
		args, atOnce = append(args, fmt.Sprintf("-parallel=%d", numDrills)), numDrills
	}
	atOnce = max(1, min(atOnce, int(budget/drillMemory)))
	cmd := command(ctx, binary, home, args...)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	before, known := containersCPU()
	if kind == sandbox.Container && !known {
		return nil, errors.New("the CPU time of containers cannot be read here: where the engine is elsewhere, take -kind=local")
	}
	w := startWatch()
	begun, machine := time.Now(), machineCPU()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	w.of(cmd.Process.Pid)
	err := cmd.Wait()
	wall, busy := time.Since(begun), machineCPU()-machine
	w.stop()
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, lastLines(said.String()))
	}
	after, _ := containersCPU()
	local := (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds() - w.ownCPU
	return &Sample{
		Way: way, Wall: wall.Seconds(), HarnessCPU: w.ownCPU, ServerCPU: after - before + local, MachineCPU: busy, PeakRSS: w.peak,
		Memory: w.memory, Declared: int64(atOnce) * drillMemory, Steps: map[string]int64{"all": wall.Milliseconds()},
	}, nil
}

// lastLines is what explains a failure.
func lastLines(said string) string {
	lines := strings.Split(strings.TrimSpace(said), "\n")
	return strings.Join(lines[max(0, len(lines)-10):], "\n")
}

// containersCPU is the CPU time, in seconds, of all containers that ever ran
// here, as the control group above them has added it up; false where it is
// not to be found. With systemd that group holds other services too.
func containersCPU() (float64, bool) {
	for _, path := range []string{
		"cpuacct/docker/cpuacct.usage", "docker/cpu.stat", "cpuacct/system.slice/cpuacct.usage", "system.slice/cpu.stat",
	} {
		text, err := os.ReadFile(filepath.Join("/sys/fs/cgroup", path))
		if err != nil {
			continue
		}
		if seconds, err := parseCPU(string(text)); err == nil {
			return seconds, true
		}
	}
	return 0, false
}
