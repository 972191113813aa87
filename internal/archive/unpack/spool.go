// Package unpack is where what was packed goes: into a file, or as the members of
// a tar into a directory, as far as the disk has room. It knows nothing of what
// they are, and never writes outside of where it is told to.
package unpack

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"daybefore/internal/machine"
	"daybefore/internal/verdict"
)

// Spool is a file that an archive is unpacked to.
type Spool struct {
	*os.File
	*space
}

// space is the room on the disk that a backup is unpacked to.
type space struct {
	name    string // of the backup
	dir     string
	written int64
	looked  int64 // what was written when the disk was last looked at
	of      func(dir string) (machine.Space, error)
}

const (
	lookEvery = 64 << 20
	leaveFree = 256 << 20 // of a disk, for all else that lives on it; of a small one a twentieth
)

func newSpace(name, dir string) *space { return &space{name: name, dir: dir, of: machine.SpaceOf} }

// NewSpool makes a file of mode 0600 in dir, whose name begins with "archive-",
// for the backup that errors call by its name.
func NewSpool(name, dir string) (*Spool, error) {
	f, err := os.CreateTemp(dir, "archive-*")
	if err != nil {
		return nil, fmt.Errorf("unpack %s: %w", name, err)
	}
	return &Spool{File: f, space: newSpace(name, filepath.Dir(f.Name()))}, nil
}

// room ends the unpacking before the disk is full, which others need too.
func (s *space) room() error {
	if s.written-s.looked < lookEvery {
		return nil
	}
	s.looked = s.written
	left, err := s.of(s.dir)
	if err == nil && left.Free < min(leaveFree, left.Size/20) {
		err = verdict.Errorf(verdict.CodeDiskSpace, roomHint,
			"unpack %s: ended after %d MiB, since only %d MiB are left where it is unpacked", s.name, s.written>>20,
			left.Free>>20)
	}
	return err
}

const roomHint = "free space for the whole unpacked archive where temporary files go, or set TMPDIR"

// Write is io.Writer's.
func (s *Spool) Write(p []byte) (int, error) { return s.write(s.File, p) }

// write writes to a file on the disk.
func (s *space) write(f *os.File, p []byte) (int, error) {
	n, err := f.Write(p)
	s.written += int64(n)
	if err == nil {
		err = s.room()
	}
	return n, s.explain(err)
}

func (s *space) explain(err error) error {
	p, ok := errors.AsType[*verdict.Problem](err)
	switch {
	case err == nil:
		return nil
	case ok:
		return p
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return verdict.Errorf(verdict.CodeDiskSpace, roomHint, "unpack %s: %w", s.name, err)
	}
	return fmt.Errorf("unpack %s: %w", s.name, err)
}

// Finish closes the file, and removes it where err, or the closing, says that
// what is in it is not whole.
func (s *Spool) Finish(err error) error {
	if closed := s.explain(s.Close()); err == nil {
		err = closed
	}
	if err != nil {
		os.Remove(s.File.Name())
	}
	return err
}
