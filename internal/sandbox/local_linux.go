package sandbox

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// apart sets a program apart: its own process group, so that a Ctrl-C meant
// for the harness does not end it half-way; the account; and, where noNetwork
// is set, a network namespace without any interface that is up.
func apart(account *syscall.Credential, noNetwork bool) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true, Credential: account}
	if !noNetwork {
		return attr
	}
	attr.Cloneflags = syscall.CLONE_NEWNET
	if account == nil {
		// Only within a user namespace may anybody but root do this. The
		// ids stay as they are: PostgreSQL refuses to see itself as root.
		attr.Cloneflags |= syscall.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: os.Geteuid(), HostID: os.Geteuid(), Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: os.Getegid(), HostID: os.Getegid(), Size: 1}}
	}
	return attr
}

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

var leaveNetwork sync.Map // of whether it is possible, by being root or not

// canLeaveNetwork tries whether this kernel lets a program have a network
// namespace of its own.
func canLeaveNetwork(account *syscall.Credential) bool {
	try := func() bool {
		cmd := exec.Command("true")
		cmd.SysProcAttr = apart(account, true)
		return cmd.Run() == nil
	}
	known, _ := leaveNetwork.LoadOrStore(account != nil, sync.OnceValue(try))
	return known.(func() bool)()
}

// inNetworkOfItsOwn looks whether a process really is in another network
// namespace than this one.
func inNetworkOfItsOwn(pid int) bool {
	mine, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		return false
	}
	its, err := os.Readlink("/proc/" + strconv.Itoa(pid) + "/ns/net")
	return err == nil && its != mine
}

// machineMemory returns the machine's memory in bytes.
func machineMemory() int64 {
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		return gib
	}
	return int64(info.Totalram) * int64(info.Unit)
}

// ours are the names of programs that work in a sandbox's run directory. A
// person who looks around there in a shell is not one of them.
var ours = []string{"timeout", "initdb", "postgres", "pg_restore", "psql"}

// killUnder kills, by number, whatever works in a data directory below local,
// and the sandbox's own programs that work in run. It returns how many it saw
// that it may kill.
func killUnder(local, run string) int {
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	killed := 0
	for _, dir := range dirs {
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err != nil || pid == os.Getpid() {
			continue
		}
		cwd, err := os.Readlink(filepath.Join(dir, "cwd"))
		if err != nil || !within(cwd, local) && !(within(cwd, run) && isOurs(dir, run)) {
			continue
		}
		if syscall.Kill(pid, syscall.SIGKILL) == nil {
			killed++
		}
	}
	return killed
}

// within tells whether a directory, which may be gone already, is dir or
// below it.
func within(cwd, dir string) bool {
	cwd = strings.TrimSuffix(cwd, " (deleted)")
	return cwd == dir || strings.HasPrefix(cwd, dir+"/")
}

// isOurs tells whether a process is one of the sandbox's own, or its start
// script.
func isOurs(proc, run string) bool {
	name, err := os.ReadFile(filepath.Join(proc, "comm"))
	if err != nil {
		return false
	}
	if slices.Contains(ours, strings.TrimSpace(string(name))) {
		return true
	}
	cmdline, err := os.ReadFile(filepath.Join(proc, "cmdline"))
	script := filepath.Join(filepath.Dir(run), startName, scriptName)
	return err == nil && slices.Contains(strings.Split(string(cmdline), "\x00"), script)
}
