package enclosure

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

var (
	// systemDirs hold the programs and libraries of a machine.
	systemDirs = []string{"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"}
	// systemFiles are what programs read of a machine beside, and who reads it:
	// the loader, whatever tells local time, Debian's links to programs, and text
	// search, whose dictionaries Debian's packages make there.
	systemFiles = []string{"/etc/ld.so.cache", "/etc/localtime", "/etc/timezone", "/etc/alternatives", "/var/cache/postgresql"}
	devices     = []string{"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"}
	// inMemory are a world's own file systems that its programs may write.
	inMemory = []string{"/tmp", "/dev/shm"}
)

// mostFiles is how many files each of the file systems in memory can take.
const mostFiles = "100k"

// buildRoot makes a root of the world's own, with nothing in it but what a
// program needs, and forgets that of the machine.
func (k *keeper) buildRoot() error {
	return inOrder(
		func() error {
			return try("keep its mounts to itself", unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""))
		},
		func() error { return try("mount a root of its own", k.mountTmpfs("/", 0o755, 1<<20)) },
		k.bindSystem, k.furnishEtc, k.furnishDev,
		func() error { return try("mount a /tmp of its own", k.mountTmpfs("/tmp", 0o1777, k.Temporary)) },
		k.mountProc, k.bindLent,
		func() error { return try("close its root", restrict(k.Root, unix.MOUNT_ATTR_RDONLY, false)) },
		k.enterRoot,
	)
}

// at is where a path of the world is on the machine, until it is entered.
func (k *keeper) at(path string) string { return filepath.Join(k.Root, path) }

// mountTmpfs mounts a file system in memory, of so many bytes; 0: half of the
// machine's, as is the kernel's way.
func (k *keeper) mountTmpfs(path string, mode os.FileMode, size int64) error {
	if err := os.MkdirAll(k.at(path), 0o755); err != nil {
		return err
	}
	options := fmt.Sprintf("mode=%o,nr_inodes=%s", mode, mostFiles)
	if size > 0 {
		options += fmt.Sprintf(",size=%d", size)
	}
	flags := uintptr(unix.MS_NOSUID | unix.MS_NODEV)
	if path != "/" {
		flags |= unix.MS_NOEXEC
	}
	return unix.Mount("tmpfs", k.at(path), "tmpfs", flags, options)
}

func (k *keeper) bindSystem() error {
	for _, dir := range append(append([]string{}, systemDirs...), append(systemFiles, k.Programs...)...) {
		info, err := os.Lstat(dir)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err == nil && info.Mode().Type() == os.ModeSymlink && filepath.Dir(dir) == "/" {
			var to string
			if to, err = os.Readlink(dir); err == nil {
				err = os.Symlink(to, k.at(dir))
			}
		} else if err == nil {
			err = k.bind(Bind{Source: dir, Target: dir}, unix.MOUNT_ATTR_NODEV)
		}
		if err != nil {
			return try("lend "+dir, err)
		}
	}
	return nil
}

// furnishEtc writes the little of /etc without which programs do not know who
// they are.
func (k *keeper) furnishEtc() error {
	uid, gid := os.Geteuid(), os.Getegid()
	if k.Account != nil {
		uid, gid = k.Account.UID, k.Account.GID
	}
	for name, content := range map[string]string{
		"passwd":        fmt.Sprintf("root:x:0:0::/:/bin/sh\nsandbox:x:%d:%d::/:/bin/sh\n", uid, gid),
		"group":         fmt.Sprintf("root:x:0:\nsandbox:x:%d:\n", gid),
		"hosts":         "127.0.0.1 localhost\n::1 localhost\n",
		"nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
	} {
		if err := os.MkdirAll(k.at("/etc"), 0o755); err != nil {
			return try("furnish /etc", err)
		}
		if err := os.WriteFile(k.at("/etc/"+name), []byte(content), 0o644); err != nil {
			return try("furnish /etc", err)
		}
	}
	return nil
}

func (k *keeper) furnishDev() error {
	for _, device := range devices {
		if err := k.bind(Bind{Source: device, Target: device, Writable: true}, unix.MOUNT_ATTR_NOEXEC); err != nil {
			return try("lend "+device, err)
		}
	}
	for name, to := range map[string]string{"fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2"} {
		if err := os.Symlink(to, k.at("/dev/"+name)); err != nil {
			return try("furnish /dev", err)
		}
	}
	return try("mount a /dev/shm of its own", k.mountTmpfs("/dev/shm", 0o1777, k.Temporary))
}

// mountProc shows the processes of the world. Where the machine hides parts of
// its own /proc, as that of a container does, it lets nobody have another; then
// there is none.
func (k *keeper) mountProc() error {
	if err := os.Mkdir(k.at("/proc"), 0o755); err != nil {
		return try("mount a /proc of its own", err)
	}
	err := unix.Mount("proc", k.at("/proc"), "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "")
	if errors.Is(err, unix.EPERM) {
		return nil
	}
	return try("mount a /proc of its own", err)
}

func (k *keeper) bindLent() error {
	for _, b := range k.Binds {
		if err := k.bind(b, unix.MOUNT_ATTR_NODEV|unix.MOUNT_ATTR_NOEXEC); err != nil {
			return try("lend "+b.Target, err)
		}
	}
	return nil
}

// bind shows a directory or a file of the machine in the world.
func (k *keeper) bind(b Bind, flags uint64) error {
	info, err := os.Stat(b.Source)
	if err != nil {
		return err
	}
	to := k.at(b.Target)
	if info.IsDir() {
		err = os.MkdirAll(to, 0o755)
	} else if err = os.MkdirAll(filepath.Dir(to), 0o755); err == nil {
		err = os.WriteFile(to, nil, 0o600)
	}
	if err != nil {
		return err
	}
	if err := unix.Mount(b.Source, to, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return err
	}
	flags |= unix.MOUNT_ATTR_NOSUID
	if !b.Writable {
		flags |= unix.MOUNT_ATTR_RDONLY
	}
	return restrict(to, flags, true)
}

// restrict adds flags to a mount, and, where below is set, to all that is
// mounted below it.
func restrict(path string, flags uint64, below bool) error {
	how := uint(0)
	if below {
		how = unix.AT_RECURSIVE
	}
	err := unix.MountSetattr(unix.AT_FDCWD, path, how, &unix.MountAttr{Attr_set: flags})
	if !errors.Is(err, unix.ENOSYS) {
		return err
	}
	mounts := []string{path}
	if below {
		if mounts, err = mountsBelow(path); err != nil {
			return err
		}
	}
	for _, m := range mounts { // before Linux 5.12
		if err := remount(m, flags); err != nil {
			return err
		}
	}
	return nil
}

// remount adds flags to a mount, and keeps those that it has, of which a user
// namespace may take none away.
func remount(path string, flags uint64) error {
	var s unix.Statfs_t
	if err := unix.Statfs(path, &s); err != nil {
		return err
	}
	all := uintptr(unix.MS_BIND | unix.MS_REMOUNT)
	for _, f := range []struct {
		attr uint64
		had  int64
		flag uintptr
	}{
		{unix.MOUNT_ATTR_RDONLY, unix.ST_RDONLY, unix.MS_RDONLY},
		{unix.MOUNT_ATTR_NOSUID, unix.ST_NOSUID, unix.MS_NOSUID},
		{unix.MOUNT_ATTR_NODEV, unix.ST_NODEV, unix.MS_NODEV},
		{unix.MOUNT_ATTR_NOEXEC, unix.ST_NOEXEC, unix.MS_NOEXEC},
		{0, unix.ST_NOATIME, unix.MS_NOATIME},
		{0, unix.ST_NODIRATIME, unix.MS_NODIRATIME},
		{0, unix.ST_RELATIME, unix.MS_RELATIME},
	} {
		if flags&f.attr != 0 || int64(s.Flags)&f.had != 0 {
			all |= f.flag
		}
	}
	return unix.Mount("", path, "", all, "")
}

// mountsBelow lists a mount and those below it.
func mountsBelow(path string) (all []string, err error) {
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	unescape := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 5 {
			continue
		}
		if at := unescape.Replace(fields[4]); at == path || strings.HasPrefix(at, path+"/") {
			all = append(all, at)
		}
	}
	return all, lines.Err()
}

// enterRoot makes the world's root the only one.
func (k *keeper) enterRoot() error {
	return try("enter its root", inOrder(
		func() error { return unix.Chdir(k.Root) },
		func() error { return unix.PivotRoot(".", ".") },
		func() error { return unix.Unmount(".", unix.MNT_DETACH) },
		func() error { return unix.Chdir("/") },
	))
}

// loopback brings up the one interface of a network of its own, which servers
// before PostgreSQL 15 count by. Without the right to it stays down.
func loopback() {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	request, err := unix.NewIfreq("lo")
	if err != nil {
		return
	}
	request.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	_ = unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, request)
}

// execAt becomes a program that is open, and may have no name here.
func execAt(fd int, args, env []string) error {
	argv, err := syscall.SlicePtrFromStrings(args)
	if err != nil {
		return err
	}
	envv, err := syscall.SlicePtrFromStrings(env)
	if err != nil {
		return err
	}
	empty := [1]byte{}
	_, _, number := unix.RawSyscall6(unix.SYS_EXECVEAT, uintptr(fd), uintptr(unsafe.Pointer(&empty[0])),
		uintptr(unsafe.Pointer(&argv[0])), uintptr(unsafe.Pointer(&envv[0])), unix.AT_EMPTY_PATH, 0)
	return number
}
