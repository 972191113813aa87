package sandbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/moby/moby/client"
)

// Labels of a sandbox's containers and volume, by which a sweep judges it.
const (
	labelOwner    = "daybefore.owner"    // the machine and its temporary directory
	labelLock     = "daybefore.lock"     // path of the work directory's lock
	labelDeadline = "daybefore.deadline" // RFC 3339
	labelDrill    = "daybefore.drill"
)

// freshAge is how long a work directory may take from its making to its lock.
const freshAge = time.Minute

func labelsOf(o Options) map[string]string {
	return map[string]string{
		labelOwner:    owner(),
		labelLock:     filepath.Join(o.Work.Path(), lockName),
		labelDeadline: o.Deadline.UTC().Format(time.RFC3339),
		labelDrill:    o.Drill,
	}
}

// Sweep removes what drills left behind that were killed: containers, volumes,
// local servers and work directories of this account. What a living process of this machine owns
// stays, and so does what another machine put on a shared engine, until its
// deadline. It returns what it removed. That there is no engine is no error; one
// that does not answer is.
func Sweep(ctx context.Context, log *slog.Logger) (removed []string, err error) {
	return SweepIn(ctx, log, os.TempDir())
}

// SweepIn is Sweep with the work directories below another folder.
func SweepIn(ctx context.Context, log *slog.Logger, dir string) (removed []string, err error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	removed, err = sweepEngine(ctx, log)
	dirs, dirErr := sweepDirectories(ctx, log, dir)
	return append(removed, dirs...), errors.Join(err, dirErr)
}

// sweepEngine removes containers and then what volumes they had in common.
func sweepEngine(ctx context.Context, log *slog.Logger) (removed []string, err error) {
	e, err := connectEngine(ctx)
	if isSilence(err) {
		return nil, fmt.Errorf("look for containers that drills left: %w", err)
	}
	if err != nil {
		log.Debug("no containers swept", "because", err)
		return nil, nil
	}
	defer e.Close()
	removed, err = e.sweepContainers(ctx, log)
	if isSilence(err) {
		return removed, err
	}
	volumes, volumeErr := e.sweepVolumes(ctx, log)
	return append(removed, volumes...), errors.Join(err, volumeErr)
}

// leftover is something in the engine that may be what a killed drill left.
type leftover struct {
	what   string // as it is told
	labels map[string]string
	remove func(context.Context) error
}

func (e *containerEngine) sweepContainers(ctx context.Context, log *slog.Logger) (removed []string, err error) {
	list, err := await(ctx, e, engineTimeout, "list its containers",
		func(ctx context.Context) (client.ContainerListResult, error) {
			return e.ContainerList(ctx,
				client.ContainerListOptions{All: true, Filters: client.Filters{}.Add("label", labelOwner)})
		}, nil)
	if err != nil {
		return nil, fmt.Errorf("list what drills left: %w", err)
	}
	var all []leftover
	for _, c := range list.Items {
		name := strings.TrimPrefix(strings.Join(c.Names, ","), "/")
		all = append(all,
			leftover{"container " + name, c.Labels, func(ctx context.Context) error { return e.remove(ctx, c.ID) }})
	}
	return removeAbandoned(ctx, log, all)
}

func (e *containerEngine) sweepVolumes(ctx context.Context, log *slog.Logger) (removed []string, err error) {
	list, err := await(ctx, e, engineTimeout, "list its volumes",
		func(ctx context.Context) (client.VolumeListResult, error) {
			return e.VolumeList(ctx, client.VolumeListOptions{Filters: client.Filters{}.Add("label", labelOwner)})
		}, nil)
	if err != nil {
		return nil, fmt.Errorf("list what drills left: %w", err)
	}
	var all []leftover
	for _, v := range list.Items {
		all = append(all,
			leftover{"volume " + v.Name, v.Labels,
				func(ctx context.Context) error { return e.removeVolume(ctx, v.Name) }})
	}
	return removeAbandoned(ctx, log, all)
}

// removeAbandoned removes what nobody owns any more. It returns what is gone.
func removeAbandoned(ctx context.Context, log *slog.Logger, all []leftover) (removed []string, err error) {
	for _, l := range all {
		if !abandoned(l.labels, time.Now()) {
			continue
		}
		if e := l.remove(ctx); e != nil {
			err = errors.Join(err, e)
			if isSilence(e) {
				break // nor would it remove the others
			}
			continue
		}
		log.Info("removed what a killed drill left", "what", l.what, "drill", l.labels[labelDrill])
		removed = append(removed, l.what)
	}
	return removed, err
}

// abandoned reports whether nobody owns what has these labels any more.
func abandoned(labels map[string]string, now time.Time) bool {
	deadline, err := time.Parse(time.RFC3339, labels[labelDeadline])
	if err != nil || now.After(deadline.Add(freshAge)) {
		return true // it should have ended itself
	}
	if labels[labelOwner] != owner() {
		return false
	}
	lock, err := openLock(labels[labelLock])
	if err != nil {
		return errors.Is(err, os.ErrNotExist)
	}
	defer lock.Close()
	return flock(lock) == nil
}

// errNoLock says that a lock's name leads to something else than a lock of ours.
var errNoLock = errors.New("no lock of this account")

// openLock opens the lock of a work directory of this account, and nothing that
// another may have put in its place.
func openLock(path string) (*os.File, error) {
	lock, err := os.OpenFile(path, os.O_RDWR|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if errors.Is(err, syscall.ELOOP) || errors.Is(err, syscall.EISDIR) || errors.Is(err, syscall.ENXIO) {
		return nil, errNoLock
	}
	if err != nil {
		return nil, err
	}
	if info, err := lock.Stat(); err != nil || !info.Mode().IsRegular() || !isOwn(info) {
		lock.Close()
		return nil, errNoLock
	}
	return lock, nil
}

// isOwn reports whether a file belongs to the account of this process.
func isOwn(info os.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(st.Uid) == os.Geteuid()
}

func sweepDirectories(ctx context.Context, log *slog.Logger, dir string) (removed []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("look for what drills left: %w", err)
	}
	for _, entry := range entries {
		path := filepath.Join(dir, entry.Name())
		if !entry.IsDir() || !isWorkdir(entry.Name()) {
			continue
		}
		gone, e := sweepDirectory(ctx, path)
		if e != nil {
			err = errors.Join(err, fmt.Errorf("%s stays: %w", path, e))
		}
		if gone {
			log.Info("removed what a killed drill left", "what", path)
			removed = append(removed, path)
		}
	}
	return removed, err
}

// sweepDirectory removes a work directory, unless it is in use or somebody
// else's. What ran in it ended with its drill. Without a lock nothing tells that
// it is a work directory: it goes if it is empty, as one is left that was killed
// right after its making, or at the very end of its removal.
func sweepDirectory(ctx context.Context, path string) (gone bool, err error) {
	info, err := os.Lstat(path)
	if err != nil || !info.IsDir() || !isOwn(info) {
		return false, nil
	}
	lock, err := openLock(filepath.Join(path, lockName))
	switch {
	case errors.Is(err, errNoLock):
		return false, nil
	case errors.Is(err, os.ErrNotExist):
		if time.Since(info.ModTime()) < freshAge { // made at this very moment
			return false, nil
		}
		return os.Remove(path) == nil, nil
	case err != nil:
		return false, err
	}
	defer lock.Close()
	if flock(lock) != nil || !stillThere(lock) {
		return false, nil
	}
	ctx, cancel := context.WithTimeout(ctx, removeTimeout)
	defer cancel()
	if err := removeWork(ctx, path); err != nil {
		return false, err
	}
	return true, nil
}

// stillThere reports whether an open lock is the one that its name leads to,
// and not one that another sweep has removed meanwhile.
func stillThere(lock *os.File) bool {
	mine, err := lock.Stat()
	if err != nil {
		return false
	}
	named, err := os.Lstat(lock.Name())
	return err == nil && os.SameFile(mine, named)
}
