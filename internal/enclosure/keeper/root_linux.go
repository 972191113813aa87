package keeper

import (
	"errors"
	"os"
	"strconv"
	"syscall"
	"unsafe"
)

var (
	// systemDirs hold the programs and libraries of a machine.
	systemDirs = []string{"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"}
	// systemFiles are what programs read of a machine beside, and who reads it:
	// the loader, whatever tells local time, Debian's links to programs, and text
	// search, whose dictionaries Debian's packages make there.
	systemFiles = []string{"/etc/ld.so.cache", "/etc/localtime", "/etc/timezone", "/etc/alternatives",
		"/var/cache/postgresql"}
	devices = []string{"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"}
	// inMemory are a world's own file systems that its programs may write.
	inMemory = []string{"/tmp", "/dev/shm"}
)

// mostFiles is how many files each of the file systems in memory can take.
const mostFiles = "100k"

// buildRoot makes a root of the world's own, with nothing in it but what a
// program needs, and forgets that of the machine.
func (k *keeper) buildRoot() error {
	syscall.Umask(0o022) // else the program's account could not come to what is in it
	return inOrder(
		func() error {
			return try("keep its mounts to itself", syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""))
		},
		func() error { return try("mount a root of its own", k.mountTmpfs("/", 0o755, 1<<20)) },
		k.mountInMemory, k.bindSystem, k.furnishEtc, k.furnishDev, k.mountProc, k.bindLent,
		func() error { return try("close its root", restrict(k.Root, attrRdonly, false)) },
		k.enterRoot,
	)
}

// at is where a path of the world is on the machine, until it is entered.
func (k *keeper) at(path string) string { return k.Root + path }

// mountTmpfs mounts a file system in memory, of so many bytes; 0: half of the
// machine's, as is the kernel's way.
func (k *keeper) mountTmpfs(path string, mode, size int64) error {
	if err := os.MkdirAll(k.at(path), 0o755); err != nil {
		return err
	}
	options := "nr_inodes=" + mostFiles + ",mode=" + strconv.FormatInt(mode, 8)
	if size > 0 {
		options += ",size=" + strconv.FormatInt(size, 10)
	}
	flags := uintptr(syscall.MS_NOSUID | syscall.MS_NODEV)
	if path != "/" {
		flags |= syscall.MS_NOEXEC
	}
	return syscall.Mount("tmpfs", k.at(path), "tmpfs", flags, options)
}

// mountInMemory comes before all that is lent, of which some may lie below.
func (k *keeper) mountInMemory() error {
	for _, dir := range inMemory {
		err := k.mountTmpfs(dir, 0o1777, k.Limits.Temporary)
		if err != nil {
			return try("mount a "+dir+" of its own", err)
		}
	}
	return nil
}

func (k *keeper) bindSystem() error {
	for _, dir := range append(append([]string{}, systemDirs...), append(systemFiles, k.Programs...)...) {
		info, err := os.Lstat(dir)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err == nil && info.Mode().Type() == os.ModeSymlink && directlyBelow(dir) {
			var to string
			to, err = os.Readlink(dir)
			if err == nil {
				err = os.Symlink(to, k.at(dir))
			}
		} else if err == nil {
			err = k.bind(Bind{Source: dir, Target: dir}, attrNodev)
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
	uid := os.Geteuid()
	gid := os.Getegid()
	if k.Account != nil {
		uid, gid = k.Account.UID, k.Account.GID
	}
	for name, content := range map[string]string{
		"passwd": "root:x:0:0::/:/bin/sh\nsandbox:x:" + strconv.Itoa(uid) + ":" + strconv.Itoa(gid) +
			"::/:/bin/sh\n",
		"group":         "root:x:0:\nsandbox:x:" + strconv.Itoa(gid) + ":\n",
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

// folderOf is the directory of a path.
func folderOf(path string) string {
	at := len(path) - 1
	for at > 0 && path[at] != '/' {
		at--
	}
	return path[:at]
}

// directlyBelow reports whether a path is one of the root's own entries.
func directlyBelow(path string) bool { return folderOf(path) == "" }

func (k *keeper) furnishDev() error {
	for _, device := range devices {
		if err := k.bind(Bind{Source: device, Target: device, Writable: true}, attrNoexec); err != nil {
			return try("lend "+device, err)
		}
	}
	for name, to := range map[string]string{"fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1",
		"stderr": "fd/2"} {
		if err := os.Symlink(to, k.at("/dev/"+name)); err != nil {
			return try("furnish /dev", err)
		}
	}
	return nil
}

// mountProc shows the processes of the world. Where the machine hides parts of
// its own /proc, as that of a container does, it lets nobody have another; then
// there is none.
func (k *keeper) mountProc() error {
	if err := os.Mkdir(k.at("/proc"), 0o755); err != nil {
		return try("mount a /proc of its own", err)
	}
	err := syscall.Mount("proc", k.at("/proc"), "proc", syscall.MS_NOSUID|syscall.MS_NODEV|syscall.MS_NOEXEC, "")
	if errors.Is(err, syscall.EPERM) {
		return nil
	}
	return try("mount a /proc of its own", err)
}

func (k *keeper) bindLent() error {
	for _, b := range k.Binds {
		if err := k.bind(b, attrNodev|attrNoexec); err != nil {
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
	} else {
		err = makeFile(to)
	}
	if err != nil {
		return err
	}
	if err := syscall.Mount(b.Source, to, "", syscall.MS_BIND|syscall.MS_REC, ""); err != nil {
		return err
	}
	flags |= attrNosuid
	if !b.Writable {
		flags |= attrRdonly
	}
	return restrict(to, flags, true)
}

// makeFile makes an empty file, with its folders, that another can be bound over.
func makeFile(path string) error {
	if err := os.MkdirAll(folderOf(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, nil, 0o600)
}

// restrict adds flags to a mount, and, where below is set, to all that is
// mounted below it.
func restrict(path string, flags uint64, below bool) error {
	how := uintptr(0)
	if below {
		how = atRecursive
	}
	err := mountSetattr(path, how, flags)
	if !errors.Is(err, syscall.ENOSYS) {
		return err
	}
	mounts := []string{path}
	if below {
		mounts, err = mountsBelow(path)
		if err != nil {
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
	var s syscall.Statfs_t
	if err := syscall.Statfs(path, &s); err != nil {
		return err
	}
	all := uintptr(syscall.MS_BIND | syscall.MS_REMOUNT)
	for _, f := range []struct {
		attr uint64
		had  int64
		flag uintptr
	}{
		{attrRdonly, stRdonly, syscall.MS_RDONLY},
		{attrNosuid, stNosuid, syscall.MS_NOSUID},
		{attrNodev, stNodev, syscall.MS_NODEV},
		{attrNoexec, stNoexec, syscall.MS_NOEXEC},
		{0, stNoatime, syscall.MS_NOATIME},
		{0, stNodiratime, syscall.MS_NODIRATIME},
		{0, stRelatime, syscall.MS_RELATIME},
	} {
		if flags&f.attr != 0 || int64(s.Flags)&f.had != 0 {
			all |= f.flag
		}
	}
	return syscall.Mount("", path, "", all, "")
}

// mountsBelow lists a mount and those below it.
func mountsBelow(path string) (all []string, err error) {
	info, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	for _, line := range split(string(info), '\n') {
		fields := split(line, ' ')
		if len(fields) < 5 {
			continue
		}
		if at := unescape(fields[4]); at == path || len(at) > len(path) && at[:len(path)+1] == path+"/" {
			all = append(all, at)
		}
	}
	return all, nil
}

// unescape reads a path as the kernel writes it: odd bytes as three digits.
func unescape(s string) string {
	var b []byte
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			b = append(b, (s[i+1]-'0')<<6|(s[i+2]-'0')<<3|s[i+3]-'0')
			i += 3
			continue
		}
		b = append(b, s[i])
	}
	return string(b)
}

// enterRoot makes the world's root the only one.
func (k *keeper) enterRoot() error {
	return try("enter its root", inOrder(
		func() error { return syscall.Chdir(k.Root) },
		func() error { return syscall.PivotRoot(".", ".") },
		func() error { return syscall.Unmount(".", syscall.MNT_DETACH) },
		func() error { return syscall.Chdir("/") },
	))
}

// loopback brings up the one interface of a network of its own, which servers
// before PostgreSQL 15 count by. Without the right to it stays down.
func loopback() {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return
	}
	defer syscall.Close(fd)
	request := struct {
		name  [syscall.IFNAMSIZ]byte
		flags uint16
		_     [22]byte
	}{name: [syscall.IFNAMSIZ]byte{'l', 'o'}, flags: syscall.IFF_UP | syscall.IFF_RUNNING}
	_, _, _ = syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), syscall.SIOCSIFFLAGS, uintptr(unsafe.Pointer(&request)))
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
	_, _, number := syscall.RawSyscall6(sysExecveat, uintptr(fd), uintptr(unsafe.Pointer(&empty[0])),
		uintptr(unsafe.Pointer(&argv[0])), uintptr(unsafe.Pointer(&envv[0])), atEmptyPath, 0)
	return number
}
