package drill

import (
	"errors"
	"slices"
	"syscall"

	"daybefore/internal/verdict"
)

// full are the kernel's words for a disk that takes no more, and short those
// for what else a machine can lack: it is not a bug of ours, nor the backup's.
var (
	full  = []error{syscall.ENOSPC, syscall.EDQUOT}
	short = []error{
		syscall.ENOMEM, syscall.EAGAIN, syscall.EMFILE, syscall.ENFILE, syscall.EROFS, syscall.EACCES, syscall.EPERM,
		syscall.EIO, syscall.ESTALE, syscall.EFBIG, syscall.ENOENT, syscall.ENOTDIR, syscall.ENXIO,
	}
)

// ofMachine returns an error as a problem. Of one that no room knew, the
// kernel's reason says whether the machine gave out.
func ofMachine(err error) *verdict.Problem {
	var known *verdict.Problem
	is := func(reason error) bool { return errors.Is(err, reason) }
	switch {
	case errors.As(err, &known):
	case slices.ContainsFunc(full, is):
		return verdict.Errorf(verdict.CodeDiskSpace,
			"make room where drills work (TMPDIR), then run the drill again", "the disk is full: %w", err)
	case slices.ContainsFunc(short, is):
		return verdict.Errorf(verdict.CodeSandbox,
			"this machine refused what the drill needs: look at ulimit -a, memory and file "+
				"systems, then run the drill again",
			"the drill could not work here: %w", err)
	}
	return verdict.AsProblem(err)
}
