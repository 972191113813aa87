package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"daybefore/internal/sandbox"
)

// stopwatch measures one way in a process that does nothing else.
type stopwatch struct {
	way      Way
	begun    time.Time
	last     time.Time
	self     float64 // CPU seconds of this process when it began
	children float64
	steps    map[string]int64
	wall     float64
	harness  float64
	server   float64 // CPU seconds of the server, and of programs beside it
	machine  float64 // CPU seconds of all that runs, when it began
	busy     float64 // CPU seconds of all that ran meanwhile
	peak     int64
	err      error
	stopped  bool
}

func newStopwatch(way Way) *stopwatch {
	now := time.Now()
	return &stopwatch{way: way, begun: now, last: now, steps: map[string]int64{},
		self: usedCPU(syscall.RUSAGE_SELF), children: usedCPU(syscall.RUSAGE_CHILDREN), machine: machineCPU()}
}

// step keeps the time since the last step under a name.
func (s *stopwatch) step(name string) {
	now := time.Now()
	s.steps[name] = now.Sub(s.last).Milliseconds()
	s.last = now
}

// stop stops the clock while the sandbox still runs, and asks it for the CPU
// time that it took.
func (s *stopwatch) stop(ctx context.Context, box sandbox.Box) {
	s.wall = time.Since(s.begun).Seconds()
	s.harness = usedCPU(syscall.RUSAGE_SELF) - s.self
	s.busy = machineCPU() - s.machine
	s.peak = peakRSS()
	s.stopped = true
	s.server = startedCPU() - s.children
	if box != nil && box.Info().Kind == sandbox.Container {
		var inside float64
		inside, s.err = containerCPU(ctx, box)
		s.server += inside
	}
}

// sample is what was measured when the clock was stopped. What a local server
// needs to end is not in it: the kernel ends an enclosure without telling what
// it took.
func (s *stopwatch) sample() (*Sample, error) {
	if !s.stopped {
		return nil, errors.New("the way ended before its last count")
	}
	if s.err != nil {
		return nil, fmt.Errorf("measure the sandbox's CPU time: %w", s.err)
	}
	return &Sample{Way: s.way, Wall: s.wall, HarnessCPU: s.harness, ServerCPU: s.server, MachineCPU: s.busy,
		PeakRSS: s.peak, Steps: s.steps}, nil
}

// usedCPU is the CPU time, in seconds, of this process or of its children
// that have ended.
func usedCPU(who int) float64 {
	var u syscall.Rusage
	if syscall.Getrusage(who, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}

// clockTick is how long a tick of /proc/stat is, on every Linux that Go runs on.
const clockTick = 10 * time.Millisecond

// machineCPU is the CPU time, in seconds, that all processes of the machine
// have used since it was started; 0 where that is not known.
func machineCPU() float64 {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	line, _, _ := strings.Cut(string(text), "\n")
	fields := strings.Fields(line)
	if len(fields) < 8 || fields[0] != "cpu" {
		return 0
	}
	var ticks int64
	for i, f := range fields[1:8] { // user, nice, system, idle, iowait, irq, softirq
		if n, err := strconv.ParseInt(f, 10, 64); err == nil && i != 3 && i != 4 {
			ticks += n
		}
	}
	return (time.Duration(ticks) * clockTick).Seconds()
}

// peakRSS is the most memory, in bytes, that this process ever held. Linux
// counts in ru_maxrss what the parent held when it started this process, so
// there another source is asked.
func peakRSS() int64 {
	if peak := kilobytesOf("/proc/self/status", "VmHWM"); peak > 0 {
		return peak
	}
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	if runtime.GOOS == "darwin" {
		return u.Maxrss
	}
	return u.Maxrss * 1024
}

// readCPU shows the container's own control group, of version 1 or 2, as it
// is seen from inside.
const readCPU = `cat /sys/fs/cgroup/cpuacct/cpuacct.usage 2>/dev/null || cat /sys/fs/cgroup/cpu.stat`

// containerCPU asks the sandbox for the CPU time of all that ever ran in it: in
// the container of its programs, and in that of its server.
func containerCPU(ctx context.Context, box sandbox.Box) (sum float64, err error) {
	for _, beside := range []bool{false, true} {
		var out bytes.Buffer
		if err := box.Run(ctx,
			sandbox.Command{Args: []string{"sh", "-c", readCPU}, Stdout: &out, Beside: beside}); err != nil {
			return 0, err
		}
		seconds, err := parseCPU(out.String())
		if err != nil {
			return 0, err
		}
		sum += seconds
	}
	return sum, nil
}

// startedCPU is the CPU time, in seconds, of all that this process has started,
// ended or not; of what lives, 0 where the system does not tell.
func startedCPU() float64 {
	for {
		ended := usedCPU(syscall.RUSAGE_CHILDREN)
		living := childrenCPU(os.Getpid())
		// One that is waited for meanwhile would be in neither.
		if usedCPU(syscall.RUSAGE_CHILDREN) == ended {
			return ended + living
		}
	}
}

// parseCPU reads cpuacct.usage (nanoseconds) or cpu.stat (microseconds).
func parseCPU(text string) (seconds float64, err error) {
	if nanos, err := strconv.ParseUint(strings.TrimSpace(text), 10, 64); err == nil {
		return float64(nanos) / 1e9, nil
	}
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, "usage_usec "); ok {
			micros, err := strconv.ParseUint(strings.TrimSpace(rest), 10, 64)
			return float64(micros) / 1e6, err
		}
	}
	return 0, errors.New("the control group shows no CPU time")
}
