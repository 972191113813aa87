package catalog

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// preallocate reserves the file's blocks, so that a full disk is noticed before
// the download; a file system that cannot only sets the size.
func preallocate(f *os.File, size int64) error {
	if size == 0 {
		return nil
	}
	err := unix.Fallocate(int(f.Fd()), 0, 0, size)
	if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENOSYS) {
		return f.Truncate(size)
	}
	return err
}
