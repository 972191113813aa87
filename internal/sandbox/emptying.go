package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

const (
	// batchNames is how many names of a directory are held at a time.
	batchNames = 1024
	// toldCauses is how many causes are told why something stays, and toldName
	// how many bytes of a name.
	toldCauses = 3
	toldName   = 160
)

// removeTree removes what path names, with all in it, however deep that is, also
// where a mode keeps its owner out. It follows no link and leaves alone what is
// mounted. The error says what stays and why, in a line for each of few causes.
func removeTree(ctx context.Context, path string) error {
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
	root, err := os.OpenRoot(path)
	if err != nil {
		return err
	}
	defer root.Close()
	e := emptying{root: root, prefix: ".gone-" + randomHex(8) + "-"}
	e.clear(ctx, ".")
	for len(e.raised) > 0 && ctx.Err() == nil {
		last := len(e.raised) - 1
		dir := e.raised[last]
		e.raised = e.raised[:last]
		e.clear(ctx, dir)
		e.remove(dir)
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
	root   *os.Root
	prefix string   // of the names of what was moved up, which nobody else gives
	raised []string // what was moved up and is not yet empty
	moved  int
	stays  staying
}

// clear removes the files of a folder and moves its folders up. As the names
// that a file system gives may change while some go, it is read again until
// there is nothing more to be gained.
func (e *emptying) clear(ctx context.Context, dir string) {
	for ctx.Err() == nil {
		stays := staying{}
		gone, err := e.sweep(ctx, dir, &stays)
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
func (e *emptying) sweep(ctx context.Context, dir string, stays *staying) (gone int, err error) {
	f, err := e.open(dir)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	for ctx.Err() == nil {
		entries, err := f.ReadDir(batchNames)
		for _, entry := range entries {
			if strings.HasPrefix(entry.Name(), e.prefix) {
				continue // it has its turn
			}
			name := filepath.Join(dir, entry.Name())
			if err := e.take(name, entry.IsDir()); err != nil {
				stays.add(e.told(name), err)
				continue
			}
			gone++
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return gone, err
		}
	}
	return gone, nil
}

// open opens a folder to be read, also where its mode keeps its owner out.
func (e *emptying) open(dir string) (*os.File, error) {
	f, err := e.root.Open(dir)
	if errors.Is(err, fs.ErrPermission) && e.root.Chmod(dir, 0o700) == nil {
		f, err = e.root.Open(dir)
	}
	return f, err
}

// take takes a name out of its folder.
func (e *emptying) take(name string, isDir bool) error {
	err := e.root.Remove(name)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if !isDir {
		return err
	}
	f, err := e.open(name)
	if err != nil {
		return err // of another's: it keeps its name
	}
	f.Close()
	raised := e.prefix + strconv.Itoa(e.moved)
	err = e.root.Rename(name, raised)
	if errors.Is(err, fs.ErrPermission) && e.root.Chmod(name, 0o700) == nil {
		err = e.root.Rename(name, raised)
	}
	if err != nil { // perhaps something is mounted there
		return err
	}
	e.moved++
	e.raised = append(e.raised, raised)
	return nil
}

// remove removes a folder that was emptied; why it is not empty was told.
func (e *emptying) remove(dir string) {
	if err := e.root.Remove(dir); err != nil && e.stays.count == 0 {
		e.stays.add(e.told(dir), err)
	}
}

// told is a name as it is told.
func (e *emptying) told(name string) string { return toldPath(filepath.Join(e.root.Name(), name)) }

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
