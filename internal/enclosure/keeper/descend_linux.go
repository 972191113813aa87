package keeper

import (
	"os"
	"strconv"
	"syscall"
	"time"
)

// endPause lets processes end that were told to: one that waits for a disk takes
// its time.
const endPause = time.Millisecond

// endDescendants ends all that came of this process, where the kernel does not
// do so by itself. What loses its parent becomes this one's child; so a round
// is done when nobody is left, and what is stopped first has no time for more.
func endDescendants(int) {
	for {
		below := descendants()
		if len(below) == 0 {
			return
		}
		for _, signal := range []syscall.Signal{syscall.SIGSTOP, syscall.SIGKILL} {
			for _, pid := range below {
				_ = syscall.Kill(pid, signal)
			}
		}
		for {
			if pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); pid <= 0 || err != nil {
				break
			}
		}
		time.Sleep(endPause)
	}
}

// descendants are the living processes below this one.
func descendants() (below []int) {
	parents := map[int]int{}
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if parent, alive := parentOf(pid); alive {
			parents[pid] = parent
		}
	}
	self := os.Getpid()
	for pid := range parents {
		for at, deep := pid, 0; at > 1 && deep < len(parents); at, deep = parents[at], deep+1 {
			if parents[at] == self {
				below = append(below, pid)
				break
			}
		}
	}
	return below
}

// parentOf reads a process' parent, unless it is dead. The name of a program
// may hold anything, parentheses too.
func parentOf(pid int) (parent int, alive bool) {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	at := len(stat) - 1
	for at >= 0 && stat[at] != ')' {
		at--
	}
	if err != nil || at < 0 {
		return 0, false
	}
	fields := split(string(stat[at+1:]), ' ') // the first is empty
	if len(fields) < 3 || fields[1] == "Z" || fields[1] == "X" {
		return 0, false
	}
	parent, err = strconv.Atoi(fields[2])
	return parent, err == nil
}
