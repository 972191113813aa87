package bench

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// processes are the folders of all that run.
func processes() []string {
	dirs, _ := filepath.Glob("/proc/[0-9]*") // errs for a bad pattern only
	return dirs
}

// kilobytesOf is a value of a file of "key: n kB" lines, in bytes.
func kilobytesOf(path, key string) int64 {
	n, _ := strconv.ParseInt(strings.TrimSuffix(field(path, key), " kB"), 10, 64)
	return n * 1024
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
