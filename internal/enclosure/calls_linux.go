package enclosure

import (
	"runtime"
	"unsafe"

	"github.com/elastic/go-seccomp-bpf"
	"github.com/elastic/go-seccomp-bpf/arch"
	"golang.org/x/sys/unix"
)

// denied are calls that no program of a restore needs, and by which code got
// more than it was given before: mounts and namespaces, other processes'
// memory, the kernel's own keys, programs and modules, and files that are in no
// file system, whose memory no limit counts.
var denied = []string{
	"mount", "umount2", "pivot_root", "chroot", "move_mount", "open_tree", "fsopen", "fsconfig", "fsmount", "fspick",
	"mount_setattr", "setns", "unshare", "open_by_handle_at", "name_to_handle_at", "swapon", "swapoff", "quotactl",
	"ptrace", "process_vm_readv", "process_vm_writev", "kcmp", "pidfd_getfd", "process_madvise",
	"add_key", "request_key", "keyctl", "bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "io_uring_enter",
	"io_uring_register", "init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load", "reboot",
	"acct", "syslog", "settimeofday", "clock_settime", "clock_adjtime", "adjtimex", "sethostname", "setdomainname",
	"memfd_create", "memfd_secret", "vhangup", "fanotify_init", "lookup_dcookie", "iopl", "ioperm", "nfsservctl",
}

// namespaces are the flags of clone by which a process would get its own.
const namespaces = unix.CLONE_NEWUSER | unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_NEWIPC |
	unix.CLONE_NEWUTS | unix.CLONE_NEWCGROUP

// families are those of sockets that a program may have.
var families = []uint64{unix.AF_UNIX, unix.AF_INET, unix.AF_INET6, unix.AF_NETLINK}

// filterCalls denies calls to this process and all that it starts, and whatever
// right an executable would give: for good.
func filterCalls() error {
	known, err := arch.GetInfo("")
	if err != nil {
		return err
	}
	const (
		no    = seccomp.ActionErrno | seccomp.Action(unix.EPERM)
		never = seccomp.ActionErrno | seccomp.Action(unix.ENOSYS)
	)
	flags := uint32(0) // of clone, whose first argument they are but on s390x
	if runtime.GOARCH == "s390x" {
		flags = 1
	}
	other := seccomp.NameWithConditions{Name: "socket"}
	for _, family := range families {
		other.Conditions = append(other.Conditions, seccomp.Condition{Argument: 0, Operation: seccomp.NotEqual, Value: family})
	}
	filter := seccomp.Filter{
		NoNewPrivs: true, Flag: seccomp.FilterFlagTSync,
		Policy: seccomp.Policy{DefaultAction: seccomp.ActionAllow, Syscalls: []seccomp.SyscallGroup{
			// Its flags lie in memory, where no filter sees them. Libraries then
			// take clone.
			{Names: have(known, "clone3"), Action: never},
			{Names: have(known, denied...), Action: no},
			{Action: no, NamesWithCondtions: []seccomp.NameWithConditions{
				{Name: "clone", Conditions: seccomp.ArgumentConditions{{Argument: flags, Operation: seccomp.BitsSet, Value: namespaces}}},
				other,
			}},
		}},
	}
	if err := seccomp.LoadFilter(filter); err != nil {
		return err
	}
	return onlyThis(uint32(known.ID))
}

// have leaves out calls that this processor's kernel does not have.
func have(known *arch.Info, names ...string) (here []string) {
	for _, name := range names {
		if _, ok := known.SyscallNames[name]; ok {
			here = append(here, name)
		}
	}
	return here
}

// onlyThis denies calls as programs of another word size make them, which have
// other numbers.
func onlyThis(architecture uint32) error {
	const archOffset = 4
	steps := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: archOffset},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jt: 1, K: architecture},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_KILL_PROCESS},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	program := unix.SockFprog{Len: uint16(len(steps)), Filter: &steps[0]}
	_, _, number := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&program)))
	if number != 0 {
		return number
	}
	return nil
}
