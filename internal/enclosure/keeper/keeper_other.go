//go:build unix && !linux

package keeper

import "syscall"

// keepFiles keeps what the keeper has open from its program.
func keepFiles() error {
	for _, fd := range []int{planFD, lifelineFD, reportFD} {
		syscall.CloseOnExec(fd)
	}
	return nil
}

// setUp refuses what only Linux has.
func (k *keeper) setUp() error {
	if k.Degree > Watched {
		return try("set a program apart on this system", syscall.ENOSYS)
	}
	return nil
}

// confine has nothing by which this system could.
func (k *keeper) confine() error { return nil }

// adopt has nothing by which this system could.
func adopt() error { return nil }

// stepDown leaves the keeper as it is.
func (k *keeper) stepDown() error { return nil }

// watch sees nothing here.
func (k *keeper) watch() {}

// endDescendants ends the program's group, as which it began.
func endDescendants(child int) { _ = syscall.Kill(-child, syscall.SIGKILL) }
