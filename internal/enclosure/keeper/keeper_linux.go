package keeper

import (
	"os"
	"strconv"
	"syscall"
	"unsafe"
)

// keepFiles keeps all that the keeper has open from its program, whoever left
// it open.
func keepFiles() error {
	if _, _, number := syscall.Syscall(sysCloseRange, planFD, ^uintptr(0)>>1, closeRangeCloexec); number == 0 {
		return nil
	}
	entries, err := os.ReadDir("/proc/self/fd") // before Linux 5.11
	for _, e := range entries {
		if fd, wrong := strconv.Atoi(e.Name()); wrong == nil && fd >= planFD {
			syscall.CloseOnExec(fd)
		}
	}
	return err
}

// adopt makes the keeper the parent of whatever loses its own.
func adopt() error { return prctl(prSetChildSubreaper, 1, 0) }

// setUp makes the world that the program sees. Where that took rights within a
// user namespace, the keeper becomes itself once more, without them: one thread
// can give up no other's.
func (k *keeper) setUp() error {
	if k.Dropped {
		return nil
	}
	// The kernel ends all this before anything that is the user's.
	_ = os.WriteFile("/proc/self/oom_score_adj", []byte("1000"), 0)
	if k.Degree >= NoNetwork {
		loopback()
		_ = syscall.Sethostname([]byte("sandbox"))
	}
	if k.Degree < Enclosed {
		return nil
	}
	self, err := openSelf()
	if err != nil {
		return try("find this program", err)
	}
	if err := k.buildRoot(); err != nil {
		return err
	}
	if !k.Users || os.Geteuid() == 0 {
		return nil
	}
	return k.again(self)
}

// openSelf opens this program, under a number beyond those that a keeper
// inherits.
func openSelf() (int, error) {
	fd, err := syscall.Open("/proc/self/exe", oPath|syscall.O_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	defer syscall.Close(fd)
	above, _, number := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_DUPFD_CLOEXEC, reportFD+1)
	if number != 0 {
		return 0, number
	}
	return int(above), nil
}

// again lets the keeper begin once more, without the rights that it took.
func (k *keeper) again(self int) error {
	k.Dropped = true
	if err := dropBounds(); err != nil {
		return err
	}
	plan, err := inMemoryFile(k.Encode())
	if err != nil {
		return try("pass the plan on", err)
	}
	if err := prctl(prCapAmbient, prCapAmbientClearAll, 0); err != nil {
		return try("give up rights", err)
	}
	for from, to := range map[int]int{plan: planFD, lifelineFD: lifelineFD, reportFD: reportFD} {
		if err := inherit(from, to); err != nil {
			return try("pass the plan on", err)
		}
	}
	return try("begin again", execAt(self, []string{Marker}, []string{"GOTRACEBACK=none"}))
}

// inMemoryFile holds a text, to be read from its beginning. A pipe would not do:
// it takes as little as a page from who has many of them, and nobody reads yet.
func inMemoryFile(content []byte) (int, error) {
	name := [...]byte{'p', 'l', 'a', 'n', 0}
	fd, _, number := syscall.Syscall(sysMemfdCreate, uintptr(unsafe.Pointer(&name[0])), mfdCloexec, 0)
	if number != 0 {
		return 0, number
	}
	for rest := content; len(rest) > 0; {
		n, err := syscall.Write(int(fd), rest)
		if err != nil {
			return 0, err
		}
		rest = rest[n:]
	}
	_, err := syscall.Seek(int(fd), 0, 0)
	return int(fd), err
}

// inherit lets the next program have a file under a number.
func inherit(from, to int) error {
	if from != to {
		return syscall.Dup3(from, to, 0)
	}
	if _, _, number := syscall.Syscall(syscall.SYS_FCNTL, uintptr(to), syscall.F_SETFD, 0); number != 0 {
		return number
	}
	return nil
}

// confine sets what the program and all that it starts will have to keep to.
func (k *keeper) confine() error {
	return inOrder(k.limit, dropBounds, k.filterCalls)
}

// limit sets the limits of one process, which its children inherit.
func (k *keeper) limit() error {
	set := func(resource int, most int64) error {
		var now syscall.Rlimit
		if err := syscall.Getrlimit(resource, &now); err != nil {
			return err
		}
		n := min(uint64(most), now.Max)
		return syscall.Setrlimit(resource, &syscall.Rlimit{Cur: n, Max: n})
	}
	limits := map[int]int64{syscall.RLIMIT_CORE: 0}
	if k.Limits.Memory > 0 {
		limits[syscall.RLIMIT_DATA] = max(k.Limits.Memory, leastData)
	}
	if k.Limits.Processes > 0 && k.countsApart() {
		limits[rlimitNproc] = k.Limits.Processes
	}
	if k.Limits.Files > 0 {
		limits[syscall.RLIMIT_NOFILE] = k.Limits.Files
	}
	for resource, most := range limits {
		if err := set(resource, most); err != nil {
			return try("set limits", err)
		}
	}
	return nil
}

// leastData is what the keeper itself may need, in bytes.
const leastData = 128 << 20

// countsApart reports whether the kernel counts this program's processes, and
// not all that its account has elsewhere: an account of its own, or a user
// namespace since Linux 5.14.
func (k *keeper) countsApart() bool {
	if k.Account != nil {
		return true
	}
	var name syscall.Utsname
	if !k.Users || syscall.Uname(&name) != nil {
		return false
	}
	var version [2]int // major and minor
	part := 0
	for _, c := range name.Release {
		switch {
		case c >= '0' && c <= '9':
			version[part] = version[part]*10 + int(c-'0')
		case c == '.' && part == 0:
			part++
		default:
			return version[0] > 5 || version[0] == 5 && version[1] >= 14
		}
	}
	return false
}

// dropBounds takes from the program every right that an executable could give
// it back.
func dropBounds() error {
	for right := uintptr(0); right <= capLast; right++ {
		if right == capSetUID || right == capSetGID {
			continue // by which it gets its account
		}
		_ = prctl(prCapBoundsDrop, right, 0) // refused where there is none to take
	}
	return nil
}

// stepDown makes the keeper one whom the program cannot touch, and who can
// touch little.
func (k *keeper) stepDown() error {
	if k.Degree >= NoNetwork && k.Keeper != nil {
		if err := inOrder(
			func() error { return syscall.Setgroups(nil) },
			func() error { return syscall.Setresgid(k.Keeper.GID, k.Keeper.GID, k.Keeper.GID) },
			func() error { return syscall.Setresuid(k.Keeper.UID, k.Keeper.UID, k.Keeper.UID) },
		); err != nil {
			return try("become another account", err)
		}
	}
	return try("close its memory to others", prctl(prSetDumpable, 0, 0))
}

// filterCalls denies calls to this process and to all that it starts, and
// whatever right an executable would give: for good.
func (k *keeper) filterCalls() error {
	if err := prctl(prSetNoNewPrivs, 1, 0); err != nil {
		return try("give up new rights", err)
	}
	for _, f := range k.Filters {
		program := syscall.SockFprog{Len: uint16(len(f) / syscall.SizeofSockFilter),
			Filter: (*syscall.SockFilter)(unsafe.Pointer(unsafe.SliceData(f)))}
		_, _, number := syscall.Syscall(sysSeccomp, seccompSetModeFilter, seccompFlagTSync,
			uintptr(unsafe.Pointer(&program)))
		if number != 0 {
			return try("filter calls", number)
		}
	}
	return nil
}
