package enclosure

import (
	"encoding/binary"
	"runtime"
	"sync"

	"github.com/elastic/go-seccomp-bpf"
	"github.com/elastic/go-seccomp-bpf/arch"
	"golang.org/x/net/bpf"
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

// seccompFilters deny calls to a program and all that it starts, as instructions that
// lie in memory as the kernel reads them.
var seccompFilters = sync.OnceValues(func() ([][]byte, error) {
	known, err := arch.GetInfo("")
	if err != nil {
		return nil, err
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
		other.Conditions = append(other.Conditions,
			seccomp.Condition{Argument: 0, Operation: seccomp.NotEqual, Value: family})
	}
	policy := seccomp.Policy{DefaultAction: seccomp.ActionAllow, Syscalls: []seccomp.SyscallGroup{
		// Its flags lie in memory, where no filter sees them. Libraries then take
		// clone.
		{Names: have(known, "clone3"), Action: never},
		{Names: have(known, denied...), Action: no},
		{Action: no, NamesWithCondtions: []seccomp.NameWithConditions{
			{Name: "clone",
				Conditions: seccomp.ArgumentConditions{{Argument: flags, Operation: seccomp.BitsSet,
					Value: namespaces}}},
			other,
			// Limits of another process, such as the keeper, which as an ordinary
			// user has the program's account.
			{Name: "prlimit64",
				Conditions: seccomp.ArgumentConditions{{Argument: 0, Operation: seccomp.NotEqual, Value: 0}}},
		}},
	}}
	steps, err := policy.Assemble()
	if err != nil {
		return nil, err
	}
	assembled, err := bpf.Assemble(steps)
	if err != nil {
		return nil, err
	}
	var calls []byte
	for _, s := range assembled {
		calls = instruction(calls, s.Op, s.Jt, s.Jf, s.K)
	}
	return [][]byte{calls, onlyThis(uint32(known.ID))}, nil
})

// instruction appends one, as the kernel reads it.
func instruction(to []byte, op uint16, jt, jf uint8, k uint32) []byte {
	to = binary.NativeEndian.AppendUint16(to, op)
	return binary.NativeEndian.AppendUint32(append(to, jt, jf), k)
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
func onlyThis(architecture uint32) (steps []byte) {
	const archOffset = 4
	steps = instruction(steps, unix.BPF_LD|unix.BPF_W|unix.BPF_ABS, 0, 0, archOffset)
	steps = instruction(steps, unix.BPF_JMP|unix.BPF_JEQ|unix.BPF_K, 1, 0, architecture)
	steps = instruction(steps, unix.BPF_RET|unix.BPF_K, 0, 0, unix.SECCOMP_RET_KILL_PROCESS)
	return instruction(steps, unix.BPF_RET|unix.BPF_K, 0, 0, unix.SECCOMP_RET_ALLOW)
}
