package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// watch looks, several times a second, at what a process and all that it starts
// take of this machine.
type watch struct {
	pid  int
	end  chan struct{}
	done sync.WaitGroup

	before map[string]bool // the processes that ran when it began
	memory int64           // of all processes that were started since, at most, in bytes
	peak   int64           // resident memory of the process, at most
	ownCPU float64         // seconds of the process itself, when it was last seen
}

// watchTime is seldom enough that looking at some hundred processes costs next
// to nothing.
const watchTime = 250 * time.Millisecond

// startWatch begins before the process is started, so that its memory counts.
func startWatch() *watch {
	before := map[string]bool{}
	for _, dir := range processes() {
		before[dir] = true
	}
	return &watch{before: before, end: make(chan struct{})}
}

func (w *watch) of(pid int) {
	w.pid = pid
	w.done.Go(func() {
		tick := time.NewTicker(watchTime)
		defer tick.Stop()
		for {
			w.look()
			select {
			case <-tick.C:
			case <-w.end:
				return
			}
		}
	})
}

func (w *watch) look() {
	w.memory = max(w.memory, w.memoryNow())
	w.peak = max(w.peak, kilobytesOf(fmt.Sprintf("/proc/%d/status", w.pid), "VmHWM"))
	w.ownCPU = max(w.ownCPU, ownCPU(w.pid))
}

// stop ends it: what it saw may be read from then on.
func (w *watch) stop() {
	close(w.end)
	w.done.Wait()
}

// memoryNow is the memory of all processes that were started since the watch
// began, servers in containers of this machine's engine among them: what each
// has for itself, and once what the children of one process share, as a
// server's buffers are. Programs' texts and caches of files do not count.
func (w *watch) memoryNow() (bytes int64) {
	shared := map[string]int64{}
	for _, dir := range processes() {
		if w.before[dir] {
			continue
		}
		status, err := os.ReadFile(dir + "/status")
		if err != nil {
			continue // it has ended
		}
		bytes += kilobytesIn(string(status), "RssAnon")
		parent := fieldIn(string(status), "PPid")
		shared[parent] = max(shared[parent], kilobytesIn(string(status), "RssShmem"))
	}
	for _, n := range shared {
		bytes += n
	}
	return bytes
}

// processes are the folders of all that run.
func processes() []string {
	dirs, _ := filepath.Glob("/proc/[0-9]*") // errs for a bad pattern only
	return dirs
}

// kilobytesOf is a value of a file of "key: n kB" lines, in bytes.
func kilobytesOf(path, key string) int64 { return kilobytes(field(path, key)) }

// kilobytesIn is the same of such a file's text.
func kilobytesIn(text, key string) int64 { return kilobytes(fieldIn(text, key)) }

func kilobytes(value string) int64 {
	n, _ := strconv.ParseInt(strings.TrimSuffix(value, " kB"), 10, 64)
	return n * 1024
}

// ownCPU is the CPU time, in seconds, of a process without its children.
func ownCPU(pid int) float64 {
	return statOf(fmt.Sprintf("/proc/%d", pid)).own
}

// childrenCPU is the CPU time, in seconds, of all living processes that pid
// has started, directly or not, with that of their own children that ended.
func childrenCPU(pid int) (seconds float64) {
	children := map[int][]processStat{}
	for _, dir := range processes() {
		s := statOf(dir)
		children[s.parent] = append(children[s.parent], s)
	}
	var add func(pid int)
	add = func(pid int) {
		for _, s := range children[pid] {
			seconds += s.own + s.ended
			add(s.pid)
		}
	}
	add(pid)
	return seconds
}

// processStat is what /proc/PID/stat tells.
type processStat struct {
	pid, parent int
	own, ended  float64 // CPU seconds of the process, and of its children that have ended
}

// statOf reads it from a process's folder; zero values where it has ended.
func statOf(dir string) (s processStat) {
	text, err := os.ReadFile(dir + "/stat")
	if err != nil {
		return processStat{}
	}
	_, rest, _ := strings.Cut(string(text), ") ") // the program's name may hold blanks
	fields := strings.Fields(rest)
	if len(fields) < 15 {
		return processStat{}
	}
	number := func(text string) int {
		n, _ := strconv.Atoi(text)
		return n
	}
	ticks := func(user, system string) float64 {
		return (time.Duration(number(user)+number(system)) * clockTick).Seconds()
	}
	return processStat{
		pid: number(filepath.Base(dir)), parent: number(fields[1]),
		own: ticks(fields[11], fields[12]), ended: ticks(fields[13], fields[14]),
	}
}
