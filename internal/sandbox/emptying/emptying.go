// Package emptying removes trees of files that the code of a backup may have
// laid to stay: deep, wide, shut by their modes, or with links to elsewhere. It
// must never touch what a link leads to or what is mounted, and tells in a few
// short lines what stays and why.
package emptying

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	// toldCauses is how many causes are told why something stays, and toldName
	// how many bytes of a name.
	toldCauses = 3
	toldName   = 160
)

// RemoveTree removes what path names, with all in it, however deep that is, also
// where a mode keeps its owner out. It follows no link and leaves alone what is
// mounted. The error says what stays and why, in a line for each of few causes.
func RemoveTree(ctx context.Context, path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.IsDir() {
		if err := emptyDir(ctx, path, info); err != nil {
			return err
		}
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// emptyDir removes all that is in a directory.
func emptyDir(ctx context.Context, path string, info fs.FileInfo) error {
	if info.Mode().Perm()&0o700 != 0o700 {
		if err := os.Chmod(path, info.Mode().Perm()|0o700); err != nil {
			return err
		}
	}
	top, err := openDir(unix.AT_FDCWD, path)
	if err != nil {
		return &fs.PathError{Op: "open", Path: path, Err: err}
	}
	defer unix.Close(top)
	e := emptying{path: path, top: top, prefix: ".gone-" + rand.Text() + "-", names: make([]byte, 64<<10)}
	e.clear(ctx, top, "")
	for len(e.raised) > 0 && ctx.Err() == nil {
		last := len(e.raised) - 1
		dir := e.raised[last]
		e.raised = e.raised[:last]
		e.empty(ctx, dir)
	}
	if ctx.Err() != nil {
		return fmt.Errorf("empty %s: %w", toldPath(path), context.Cause(ctx))
	}
	return e.stays.err()
}

// emptying is the emptying of a directory. Each folder in it is moved up to the
// top before it is emptied, so that no path grows, however deep it lay, and no
// descriptor is held for what is above it.
type emptying struct {
	path   string
	top    int      // its descriptor
	prefix string   // of the names of what was moved up, which nobody else gives
	raised []string // what was moved up and is not yet empty
	moved  int
	names  []byte // as a folder gives them
	stays  staying
}

// empty empties and removes a folder that was moved up.
func (e *emptying) empty(ctx context.Context, dir string) {
	fd, err := openDir(e.top, dir)
	if err != nil {
		e.stays.add(e.told(dir), err)
		return
	}
	before := e.stays.count
	e.clear(ctx, fd, dir)
	unix.Close(fd)
	if err := unix.Unlinkat(e.top, dir, unix.AT_REMOVEDIR); err != nil && e.stays.count == before {
		e.stays.add(e.told(dir), err)
	}
}

// clear removes the files of an open folder and moves its folders up. As the
// names that a file system gives may change while some go, they are read again
// until there is nothing more to be gained.
func (e *emptying) clear(ctx context.Context, fd int, dir string) {
	for ctx.Err() == nil {
		stays := staying{}
		gone, err := e.sweep(ctx, fd, dir, &stays)
		if err != nil {
			stays.add(e.told(dir), err)
		}
		if gone == 0 {
			e.stays.join(&stays)
			return
		}
	}
}

// sweep goes over a folder once, and returns how many names are gone from it.
func (e *emptying) sweep(ctx context.Context, fd int, dir string, stays *staying) (gone int, err error) {
	if _, err := unix.Seek(fd, 0, io.SeekStart); err != nil {
		return 0, err
	}
	var names []string
	for ctx.Err() == nil {
		n, err := unix.ReadDirent(fd, e.names)
		if err != nil || n == 0 {
			return gone, err
		}
		_, _, names = unix.ParseDirent(e.names[:n], -1, names[:0])
		for _, name := range names {
			if strings.HasPrefix(name, e.prefix) {
				continue // it has its turn
			}
			if err := e.take(fd, name); err != nil {
				stays.add(e.told(filepath.Join(dir, name)), err)
				continue
			}
			gone++
		}
	}
	return gone, nil
}

// take takes a name out of its folder. A folder goes to the top, unless it can
// be neither read nor opened to be, which is then told by its own name; what is
// mounted cannot be moved, and so nothing in it is touched.
func (e *emptying) take(fd int, name string) error {
	err := unix.Unlinkat(fd, name, 0)
	if err != unix.EISDIR && err != unix.EPERM { // the second is what other systems say of a folder
		return unlessGone(err)
	}
	if e := unix.Unlinkat(fd, name, unix.AT_REMOVEDIR); e == unix.ENOTDIR {
		return err
	} else if e == nil || e == unix.EBUSY {
		return e
	}
	inner, err := openDir(fd, name)
	if err != nil {
		return err
	}
	unix.Close(inner)
	raised := e.prefix + strconv.Itoa(e.moved)
	err = unix.Renameat(fd, name, e.top, raised)
	if err == unix.EACCES && chmodDir(fd, name) == nil {
		err = unix.Renameat(fd, name, e.top, raised)
	}
	if err != nil {
		return err
	}
	e.moved++
	e.raised = append(e.raised, raised)
	return nil
}

func unlessGone(err error) error {
	if err == unix.ENOENT {
		return nil
	}
	return err
}

// openDir opens a folder to be read, and no link to one, also where its mode
// keeps its owner out.
func openDir(at int, name string) (int, error) {
	const flags = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC
	fd, err := unix.Openat(at, name, flags, 0)
	if err == unix.EACCES && chmodDir(at, name) == nil {
		return unix.Openat(at, name, flags, 0)
	}
	return fd, err
}

// chmodDir lets the owner of a folder into it, and follows no link: older
// kernels know no way to that but to look first.
func chmodDir(at int, name string) error {
	err := unix.Fchmodat(at, name, 0o700, unix.AT_SYMLINK_NOFOLLOW)
	if err != unix.EOPNOTSUPP {
		return err
	}
	var st unix.Stat_t
	if err := unix.Fstatat(at, name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFDIR {
		return unix.ENOTDIR
	}
	return unix.Fchmodat(at, name, 0o700, 0)
}

// told is a name as it is told.
func (e *emptying) told(name string) string { return toldPath(filepath.Join(e.path, name)) }

// toldPath is a path on one line, without what a terminal would obey, and cut to
// its head and its tail if it is long.
func toldPath(path string) string {
	if len(path) > toldName {
		path = path[:toldName/2] + "…" + path[len(path)-toldName/2:]
	}
	quoted := strconv.Quote(path)
	if quoted == `"`+path+`"` {
		return path
	}
	return quoted
}

// staying is what could not be removed, and why, as far as that is told.
type staying struct {
	count int
	why   []error
}

func (s *staying) add(name string, err error) {
	s.count++
	if len(s.why) == toldCauses {
		return
	}
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		err = path.Err
	} else if link, ok := errors.AsType[*os.LinkError](err); ok {
		err = link.Err
	}
	s.why = append(s.why, fmt.Errorf("%s: %w", name, err))
}

func (s *staying) join(more *staying) {
	s.count += more.count
	s.why = append(s.why, more.why[:min(len(more.why), toldCauses-len(s.why))]...)
}

func (s *staying) err() error {
	err := errors.Join(s.why...)
	if more := s.count - len(s.why); more > 0 {
		err = fmt.Errorf("%w\nand %d more", err, more)
	}
	return err
}
