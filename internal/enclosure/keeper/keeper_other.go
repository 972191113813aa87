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

// setUp refuses any degree: only Linux lets a program be bounded, and all that
// it started be ended. So nothing below comes to pass.
func (k *keeper) setUp() error { return try("set a program apart on this system", syscall.ENOSYS) }

func (k *keeper) confine() error { return k.setUp() }

func (k *keeper) stepDown() error { return k.setUp() }

func adopt() error { return syscall.ENOSYS }

func (k *keeper) watch() {}

func endDescendants(int) {}
