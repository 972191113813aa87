package sandbox

import (
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// pipeSize is what a pipe may hold for whom it has no limits; without a word it
// holds a sixteenth, and whoever writes waits for the reader as much more often.
const pipeSize = 1 << 20

// widenPipe makes a pipe hold more. Where it may not, it works as it is.
func widenPipe(end *os.File) {
	raw, err := end.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) { _, _ = unix.FcntlInt(fd, unix.F_SETPIPE_SZ, pipeSize) })
}

// memoryLimits are the files with what a container may hold, in both versions
// of control groups, as they stand in the container itself.
var memoryLimits = []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}

// MachineMemory returns the machine's memory in bytes, or what its container may
// hold of it.
func MachineMemory() int64 {
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		return gib
	}
	return leastLimit(int64(info.Totalram)*int64(info.Unit), memoryLimits...)
}

// leastLimit is the lowest of a size and of those in files; a file that is not
// there or holds no number, such as "max", limits nothing.
func leastLimit(size int64, files ...string) int64 {
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		limit, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
		if err == nil && limit > 0 {
			size = min(size, limit)
		}
	}
	return size
}
