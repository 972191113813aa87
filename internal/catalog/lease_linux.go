package catalog

import (
	"errors"
	"syscall"

	"golang.org/x/sys/unix"
)

// beingWritten reports whether a program of this machine has a file open to
// write to it: then the kernel gives no lease for reading. Where it gives none
// for another reason, nobody knows.
func (s *fileStore) beingWritten(name string) bool {
	f, err := s.open(name)
	if err != nil {
		return false
	}
	defer f.Close()
	_, err = unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_RDLCK)
	if err != nil {
		return errors.Is(err, syscall.EAGAIN)
	}
	_, _ = unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_UNLCK) // it ends with the descriptor too
	return false
}
