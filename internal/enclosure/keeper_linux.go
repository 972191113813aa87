package enclosure

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// keepFiles keeps all that the keeper has open from its program, whoever left
// it open.
func keepFiles() error {
	err := unix.CloseRange(planFD, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC)
	if err == nil {
		return nil
	}
	entries, err := os.ReadDir("/proc/self/fd") // before Linux 5.11
	for _, e := range entries {
		if fd, wrong := strconv.Atoi(e.Name()); wrong == nil && fd >= planFD {
			unix.CloseOnExec(fd)
		}
	}
	return err
}

// adopt makes the keeper the parent of whatever loses its own.
func adopt() error { return unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) }

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
		_ = unix.Sethostname([]byte("sandbox"))
	}
	if k.Degree < Enclosed {
		return nil
	}
	self, err := unix.Open("/proc/self/exe", unix.O_PATH|unix.O_CLOEXEC, 0)
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

// again lets the keeper begin once more, without the rights that it took.
func (k *keeper) again(self int) error {
	k.Dropped = true
	written, err := json.Marshal(k.plan)
	if err != nil {
		return try("pass the plan on", err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		return try("pass the plan on", err)
	}
	if _, err := w.Write(written); err != nil {
		return try("pass the plan on", err)
	}
	w.Close()
	if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); err != nil {
		return try("give up rights", err)
	}
	for from, to := range map[int]int{int(r.Fd()): planFD, lifelineFD: lifelineFD, reportFD: reportFD} {
		if err := inherit(from, to); err != nil {
			return try("pass the plan on", err)
		}
	}
	return try("begin again", execAt(self, []string{marker}, []string{"GOTRACEBACK=none"}))
}

// inherit lets the next program have a file under a number.
func inherit(from, to int) error {
	if from != to {
		return unix.Dup3(from, to, 0)
	}
	_, err := unix.FcntlInt(uintptr(to), unix.F_SETFD, 0)
	return err
}

// confine sets what the program and all that it starts will have to keep to.
func (k *keeper) confine() error {
	return inOrder(k.limit, dropBounds, func() error { return try("filter calls", filterCalls()) })
}

// limit sets the limits of one process, which its children inherit.
func (k *keeper) limit() error {
	set := func(resource int, most int64) error {
		var now unix.Rlimit
		if err := unix.Getrlimit(resource, &now); err != nil {
			return err
		}
		n := min(uint64(most), now.Max)
		return syscall.Setrlimit(resource, &syscall.Rlimit{Cur: n, Max: n})
	}
	limits := map[int]int64{unix.RLIMIT_CORE: 0}
	if k.Memory > 0 {
		limits[unix.RLIMIT_DATA] = max(k.Memory, leastData)
	}
	if k.Processes > 0 && k.countsApart() {
		limits[unix.RLIMIT_NPROC] = k.Processes
	}
	if k.Files > 0 {
		limits[unix.RLIMIT_NOFILE] = k.Files
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
	var name unix.Utsname
	if !k.Users || unix.Uname(&name) != nil {
		return false
	}
	var major, minor int
	_, _ = fmt.Sscanf(unix.ByteSliceToString(name.Release[:]), "%d.%d", &major, &minor)
	return major > 5 || major == 5 && minor >= 14
}

// dropBounds takes from the program every right that an executable could give
// it back.
func dropBounds() error {
	for right := uintptr(0); right <= unix.CAP_LAST_CAP; right++ {
		if right == unix.CAP_SETUID || right == unix.CAP_SETGID {
			continue // by which it gets its account
		}
		_ = unix.Prctl(unix.PR_CAPBSET_DROP, right, 0, 0, 0) // refused where there is none to take
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
	return try("close its memory to others", unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0))
}
