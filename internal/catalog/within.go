package catalog

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// errLeadsOut says that a name is a link to something outside of the store.
var errLeadsOut = errors.New("a link that leads out of the store")

// folderView is a store's folder while it is looked at. Nothing that is
// reached through root lies outside, whatever links are put there meanwhile.
type folderView struct {
	store *fileStore
	root  *os.Root
}

// enter opens the store's folder, which may be a link itself. The caller
// closes it.
func (s *fileStore) enter() (*folderView, error) {
	root, err := os.OpenRoot(s.dir)
	if info, statErr := os.Stat(s.dir); err != nil && statErr == nil && !info.IsDir() {
		err = &fs.PathError{Op: "open", Path: s.dir, Err: syscall.ENOTDIR} // which OpenRoot says in words alone
	}
	if err != nil {
		return nil, err
	}
	return &folderView{store: s, root: root}, nil
}

func (in *folderView) close() { _ = in.root.Close() } // what was written is closed

// object tells of a name that is no folder; ok is false where it was removed
// while it was listed. What is no regular file is an object too: it may stand
// for the newest backup, and a broken newest is never passed over.
func (in *folderView) object(name string, link bool) (o Object, ok bool, err error) {
	info, err := in.stat(name, link)
	switch {
	case errors.Is(err, errLeadsOut):
		return Object{Name: name, Not: OutsideLink}, true, nil
	case errors.Is(err, fs.ErrNotExist) && link:
		return in.dangling(name)
	case errors.Is(err, fs.ErrNotExist):
		return Object{}, false, nil
	case err != nil:
		return Object{}, false, err
	case info.IsDir():
		return Object{Name: name, Not: Folder}, true, nil
	case !info.Mode().IsRegular():
		return Object{Name: name, Not: SpecialFile}, true, nil
	}
	return Object{Name: name, Size: info.Size(), ETag: fileETag(info), ModTime: info.ModTime()}, true, nil
}

// dangling tells of a link whose end is not there, if it is still there itself.
func (in *folderView) dangling(name string) (o Object, ok bool, err error) {
	_, err = in.root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return Object{}, false, nil
	}
	return Object{Name: name, Not: DanglingLink}, err == nil, err
}

func (in *folderView) stat(name string, link bool) (fs.FileInfo, error) {
	switch {
	case !link:
		return in.root.Lstat(name)
	case in.store.follow:
		return os.Stat(in.store.path(name))
	}
	target, err := in.target(name)
	if err != nil {
		return nil, err
	}
	return in.root.Stat(target)
}

// target is the name within the store of what a name leads to: through
// absolute links too, which os.Root alone would refuse. Where a link is put
// there between this and the opening, os.Root refuses what leads out.
func (in *folderView) target(name string) (string, error) {
	dir, err := filepath.EvalSymlinks(in.store.dir)
	if err != nil {
		return "", err
	}
	full, err := filepath.EvalSymlinks(filepath.Join(dir, name))
	if errors.Is(err, fs.ErrNotExist) && !in.dangles(dir, name) {
		err = fmt.Errorf("%s: %w", name, errLeadsOut)
	}
	if err != nil {
		return "", err
	}
	within, err := filepath.Rel(dir, full)
	if err != nil || !filepath.IsLocal(within) {
		return "", fmt.Errorf("%s: %w", name, errLeadsOut)
	}
	return within, nil
}

// mostLinks is how many links in a row are followed, as Linux does.
const mostLinks = 40

// dangles reports whether a name, or what it leads to, is missing within the
// store, which lies in dir. Whether something is there outside of it is never
// asked: who writes into the store would learn it from the drill.
func (in *folderView) dangles(dir, name string) bool {
	for range mostLinks {
		if _, err := in.root.Stat(name); errors.Is(err, fs.ErrNotExist) {
			return true
		}
		to, err := in.root.Readlink(name)
		if err != nil {
			return false
		}
		if !filepath.IsAbs(to) { // else os.Root does not follow it
			to = filepath.Join(dir, filepath.Dir(name), to)
		}
		within, err := filepath.Rel(dir, to)
		if err != nil || !filepath.IsLocal(within) {
			return false
		}
		name = within
	}
	return false
}

// open opens a file for reading. A pipe that took its place is not waited for.
func (s *fileStore) open(name string) (*os.File, error) {
	const how = os.O_RDONLY | syscall.O_NONBLOCK
	if s.follow {
		return os.OpenFile(s.path(name), how, 0)
	}
	in, err := s.enter()
	if err != nil {
		return nil, err
	}
	defer in.close()
	target, err := in.target(filepath.FromSlash(name))
	if err != nil {
		return nil, err
	}
	return in.root.OpenFile(target, how, 0)
}

// put writes a file that is there wholly or not at all, and nowhere but in the
// store's folder, also where links out of it are followed by who reads. Again
// lets it take the place of another.
func (in *folderView) put(name string, b []byte, again bool) error {
	dir := filepath.Dir(name)
	if err := in.root.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	temp := filepath.Join(dir, ".tmp-"+rand.Text())
	f, err := in.root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	defer in.root.Remove(temp)
	_, err = f.Write(b)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if again {
		return in.root.Rename(temp, name)
	}
	return in.root.Link(temp, name) // unlike a renaming it replaces nothing
}
