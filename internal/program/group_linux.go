package program

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// attributes put the program into a process group of its own, which a Ctrl-C
// at the terminal does not reach, and end it with us if we are killed.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// pipeSize is how much a pipe holds: the usual 64 KiB cost a change of process
// each.
const pipeSize = 1 << 20

// widen makes a pipe hold more, where the kernel allows that.
func widen(f *os.File) {
	raw, err := f.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		_, _ = unix.FcntlInt(fd, unix.F_SETPIPE_SZ, pipeSize)
	})
}
