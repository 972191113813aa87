package sandbox

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"syscall"

	"daybefore/internal/verdict"
)

const (
	workPrefix = "drill-"
	// newPrefix is a work directory's name until its lock is held, so that a
	// sweep never sees one that looks abandoned and is not.
	newPrefix = ".new-drill-"
	lockName  = "lock"

	spoolName = "spool"
	startName = "start"
	shareName = "share"
	runName   = "run"
	outName   = "out"
	localName = "local"
	rootName  = "root"

	socketName = ".s.PGSQL.5432"
	// maxSocketPath is what a Unix socket's address can hold.
	maxSocketPath = 107
)

// Workdir is a drill's private directory. It is locked as long as this
// process lives, however it ends, which is how a sweep tells what is in use.
//
//	lock    held by the process
//	spool/  the caller's own
//	image   of which the container is, if there is one
//	start/  what the server's start needs: the script, the password, a cluster
//	share/  what programs may read and the server never sees: the archive, lists
//	run/    what the server may write: the socket, its log
//	out/    what programs may write and the server never sees: pipes, numbers
//	local/  the data directory of a local cluster
//	root/   empty; the root of what runs in a local sandbox is built on it
//
// What the sandbox may write and what this process writes by name are apart,
// since a link planted by a backup must not lead this process anywhere.
type Workdir struct {
	path string
	lock *os.File
}

// NewWorkdir makes a work directory below os.TempDir(). The error is a
// *verdict.Problem.
func NewWorkdir() (*Workdir, error) { return NewWorkdirIn(os.TempDir()) }

// NewWorkdirIn is NewWorkdir below another folder.
func NewWorkdirIn(dir string) (*Workdir, error) {
	name := randomHex(6)
	path := filepath.Join(dir, workPrefix+name)
	if longest := filepath.Join(path, runName, socketName); len(longest) > maxSocketPath {
		return nil, verdict.Errorf(verdict.CodeSandbox, "set TMPDIR to a shorter path",
			"make a work directory: the socket's path %s has %d bytes, and no more than %d are possible", longest,
			len(longest), maxSocketPath)
	}
	fresh := filepath.Join(dir, newPrefix+name)
	if err := os.Mkdir(fresh, 0o700); err != nil {
		return nil, noWorkdir(dir, err)
	}
	w, err := furnish(fresh, path)
	if err != nil {
		os.RemoveAll(fresh)
		return nil, noWorkdir(dir, err)
	}
	return w, nil
}

// noWorkdir says that there is no place to work in.
func noWorkdir(dir string, err error) *verdict.Problem {
	code := verdict.CodeSandbox
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		code = verdict.CodeDiskSpace
	}
	return verdict.Errorf(code,
		"make "+dir+" a folder with room that may be written, or set TMPDIR to another",
		"make a work directory: %w", err)
}

// furnish locks and fills a fresh directory, then gives it its name.
func furnish(fresh, path string) (*Workdir, error) {
	lock, err := os.OpenFile(filepath.Join(fresh, lockName), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	if err := flock(lock); err != nil {
		lock.Close()
		return nil, err
	}
	for _, sub := range []string{spoolName, startName, shareName, runName, outName, rootName} {
		if err := os.Mkdir(filepath.Join(fresh, sub), 0o700); err != nil {
			lock.Close()
			return nil, err
		}
	}
	if err := os.Rename(fresh, path); err != nil {
		lock.Close()
		return nil, err
	}
	return &Workdir{path: path, lock: lock}, nil
}

// Path is the directory itself.
func (w *Workdir) Path() string { return w.path }

// Spool is a directory that nobody but the caller can read.
func (w *Workdir) Spool() string { return filepath.Join(w.path, spoolName) }

func (w *Workdir) start() string { return filepath.Join(w.path, startName) }
func (w *Workdir) share() string { return filepath.Join(w.path, shareName) }
func (w *Workdir) run() string   { return filepath.Join(w.path, runName) }
func (w *Workdir) out() string   { return filepath.Join(w.path, outName) }
func (w *Workdir) local() string { return filepath.Join(w.path, localName) }
func (w *Workdir) root() string  { return filepath.Join(w.path, rootName) }

// Close removes the directory and gives up its lock. It may be called again.
// Where something cannot be removed, the directory and the lock's file stay, for
// a sweep to find.
func (w *Workdir) Close() error {
	if w == nil || w.lock == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), removeTimeout)
	defer cancel()
	err := removeWork(ctx, w.path)
	if err != nil {
		err = fmt.Errorf("remove the work directory %s: %w", w.path, err)
	}
	err = errors.Join(err, w.lock.Close())
	w.lock = nil
	return err
}

// errInUse says that a living process holds the lock.
var errInUse = errors.New("in use")

// flock takes the lock, or returns errInUse.
func flock(f *os.File) error {
	for {
		switch err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err {
		case syscall.EINTR:
		case syscall.EWOULDBLOCK:
			return errInUse
		default:
			return err
		}
	}
}

// randomHex returns n random bytes, as hexadecimal digits.
func randomHex(n int) string {
	b := make([]byte, n)
	rand.Read(b)
	return hex.EncodeToString(b)
}

// workdirName is what a work directory is called, whoever made it.
var workdirName = regexp.MustCompile(`^(?:\.new-)?drill-[0-9a-f]{12}$`)

// isWorkdir reports whether a file name is that of a work directory.
func isWorkdir(name string) bool { return workdirName.MatchString(name) }
