package sandbox

import (
	"os"

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

// machineMemory returns the machine's memory in bytes.
func machineMemory() int64 {
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		return gib
	}
	return int64(info.Totalram) * int64(info.Unit)
}
