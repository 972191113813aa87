package enclosure

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// thisProgram is the one that runs, whatever became of its file.
func thisProgram() string { return "/proc/self/exe" }

// attributes are those of the keeper's process. It has no terminal, so that
// nothing of it writes to the caller's or ends with its Ctrl-C.
func (p plan) attributes() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setsid: true}
	if p.Degree >= NoNetwork {
		attr.Cloneflags = unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS
	}
	if p.Degree >= Enclosed {
		attr.Cloneflags |= unix.CLONE_NEWNS
	}
	if !p.Users {
		return attr
	}
	// Ids stay as they are: PostgreSQL refuses to see itself as root.
	attr.Cloneflags |= unix.CLONE_NEWUSER
	for _, id := range p.ids() {
		attr.UidMappings = append(attr.UidMappings, syscall.SysProcIDMap{ContainerID: id.UID, HostID: id.UID, Size: 1})
		attr.GidMappings = append(attr.GidMappings, syscall.SysProcIDMap{ContainerID: id.GID, HostID: id.GID, Size: 1})
	}
	attr.GidMappingsEnableSetgroups = os.Geteuid() == 0
	if os.Geteuid() != 0 && p.Degree >= Enclosed {
		attr.AmbientCaps = []uintptr{unix.CAP_SYS_ADMIN, unix.CAP_NET_ADMIN, unix.CAP_SETPCAP}
	}
	return attr
}

// ids are the accounts that a user namespace knows.
func (p plan) ids() []Account {
	all := []Account{{UID: os.Geteuid(), GID: os.Getegid()}}
	for _, a := range []*Account{p.Account, p.Keeper} {
		if a != nil {
			all = append(all, *a)
		}
	}
	return all
}
