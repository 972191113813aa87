package history

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/cenkalti/backoff/v5"
	"golang.org/x/sys/unix"

	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

const (
	lockFile  = ".lock"
	tempStart = ".tmp-" // what a killed process leaves; no reader looks at it

	lockWait = 10 * time.Second // a holder writes a few small files
	lockPoll = 20 * time.Millisecond
)

// Save keeps a report, and its other renderings by file name, as one folder
// that is there wholly or not at all; then makes it the latest, unless it is of
// another backup than the newest, or a report of a later start already is. Several processes may save at once. A run that
// is kept already is refused (fs.ErrExist). The first of the keys signs it; without
// one it is not signed. An error says where and what to do.
func Save(dir string, r *verdict.Report, others map[string][]byte, keys ...spec.Key) error {
	if err := save(dir, r, others, keys); err != nil {
		return fmt.Errorf("keep the report of %s under %s: %w; %s", r.Drill, dir, err, hintFor(err))
	}
	return nil
}

// File is a report as it is kept, to the byte: signed by the first of the keys.
func File(r *verdict.Report, keys ...spec.Key) ([]byte, error) {
	b, err := r.JSON()
	if err != nil {
		return nil, err
	}
	return sign(signedReport, b, keys), nil
}

func save(dir string, r *verdict.Report, others map[string][]byte, keys []spec.Key) error {
	if err := checkName("the run", r.Run); err != nil {
		return err
	}
	b, err := File(r, keys...)
	if err != nil {
		return err
	}
	files := maps.Clone(others)
	if files == nil {
		files = map[string][]byte{}
	}
	files[ReportFile] = b
	return change(dir, r.Drill, func(root *os.Root) error {
		if err := placeRun(root, r.Run, files); err != nil {
			return err
		}
		if !r.Backup.IsNewest() {
			return nil // it tells nothing of how the nightly backup is
		}
		return placeLatest(root, r, b)
	})
}

// change lets one process at a time put something into a drill's folder, which
// it makes and tidies first.
func change(dir, drill string, put func(root *os.Root) error) error {
	root, err := makeDrill(dir, drill)
	if err != nil {
		return err
	}
	defer root.Close()
	return inTurn(root, put)
}

// inTurn lets one process at a time put something into a folder, which it tidies
// first.
func inTurn(root *os.Root, put func(root *os.Root) error) error {
	unlock, err := lock(context.Background(), root, lockFile, lockWait)
	if err != nil {
		return err
	}
	defer unlock()
	sweep(root)
	return put(root)
}

// hintFor is what to do about a report that could not be kept.
func hintFor(err error) string {
	switch {
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return "let this user write there"
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return "make room on that file system"
	case errors.Is(err, fs.ErrExist):
		return "a run is kept once: keep it under another run id"
	case errors.Is(err, errLocked):
		return "find the process that holds the lock, and end it"
	}
	return "make sure that it is a directory that this user can write"
}

var errLocked = errors.New("another process holds the lock")

// lock waits for its turn among the processes that do something of this name in
// the folder of one drill, for so long or until the context ends. The lock is the
// kernel's, so it ends with its holder, however that ends.
func lock(ctx context.Context, root *os.Root, name string, wait time.Duration) (unlock func(), err error) {
	f, err := root.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	try := func() (struct{}, error) {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err != nil && !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) {
			err = backoff.Permanent(err)
		}
		return struct{}{}, err
	}
	_, err = backoff.Retry(ctx, try,
		backoff.WithBackOff(backoff.NewConstantBackOff(lockPoll)), backoff.WithMaxElapsedTime(wait))
	if err != nil {
		f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) || ctx.Err() != nil {
			err = errLocked
		}
		return nil, fmt.Errorf("lock %s: %w", filepath.Join(root.Name(), name), err)
	}
	return func() { f.Close() }, nil
}

// sweep removes what a killed process left half written; under the lock,
// nobody else is writing. What cannot be removed harms no reader.
func sweep(root *os.Root) {
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), tempStart) {
			_ = root.RemoveAll(e.Name())
		}
	}
}

// placeRun writes the files of a run into a folder that appears under its name
// only once everything in it is on disk.
func placeRun(root *os.Root, run string, files map[string][]byte) (err error) {
	if _, err := root.Lstat(run); err == nil {
		return fmt.Errorf("the run %s: %w", run, fs.ErrExist)
	}
	temp := tempStart + run
	if err := root.Mkdir(temp, 0o755); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = root.RemoveAll(temp)
		}
	}()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := checkName("the file", name); err != nil {
			return err
		}
		if err := writeSynced(root, filepath.Join(temp, name), files[name]); err != nil {
			return err
		}
	}
	if err := syncDir(root, temp); err != nil {
		return err
	}
	if err := root.Rename(temp, run); err != nil {
		return err
	}
	return syncDir(root, ".")
}

// placeLatest makes r the latest report, unless one of a later start is.
// Where the latest cannot be read, the newest run that can be, and is of a newest
// backup, takes its place.
func placeLatest(root *os.Root, r *verdict.Report, b []byte) error {
	latest, err := startOf(root, latestFile)
	if err != nil {
		for past, err := range localRuns(root, r.Drill) {
			if err == nil && !past.Backup.IsNewest() {
				continue
			}
			if err == nil && past.StartedAt.After(r.StartedAt) {
				b, err = readFile(root, filepath.Join(past.Run, ReportFile))
				if err != nil {
					return err
				}
			}
			if err == nil {
				break
			}
		}
	}
	if latest.After(r.StartedAt) {
		return nil
	}
	return replace(root, latestFile, b)
}

// replace puts a file in the place of what has its name.
func replace(root *os.Root, name string, b []byte) error {
	temp := tempStart + name
	if err := writeSynced(root, temp, b); err != nil {
		return err
	}
	if err := root.Rename(temp, name); err != nil {
		return err
	}
	return syncDir(root, ".")
}

func writeSynced(root *os.Root, name string, b []byte) error {
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

func syncDir(root *os.Root, name string) error {
	d, err := root.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
