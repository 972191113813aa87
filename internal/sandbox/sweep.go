package sandbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/moby/moby/client"
)

// Labels of a sandbox's container, by which a sweep judges it.
const (
	labelOwner    = "daybefore.owner"    // the machine and its temporary directory
	labelLock     = "daybefore.lock"     // path of the work directory's lock
	labelDeadline = "daybefore.deadline" // RFC 3339
	labelDrill    = "daybefore.drill"
)

// freshAge is how long a work directory may take from its making to its lock.
const freshAge = time.Minute

func labels(o Options) map[string]string {
	return map[string]string{
		labelOwner:    owner(),
		labelLock:     filepath.Join(o.Work.Path(), lockName),
		labelDeadline: o.Deadline.UTC().Format(time.RFC3339),
		labelDrill:    o.Drill,
	}
}

// Sweep removes what drills left behind that were killed: containers, local
// servers and work directories. What a living process of this machine owns
// stays, and so does what another machine put on a shared engine, until its
// deadline. It returns what it removed. That there is no engine is no error; one
// that does not answer is.
func Sweep(ctx context.Context, log *slog.Logger) (removed []string, err error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	removed, err = sweepContainers(ctx, log)
	dirs, dirErr := sweepDirectories(ctx, log)
	return append(removed, dirs...), errors.Join(err, dirErr)
}

func sweepContainers(ctx context.Context, log *slog.Logger) (removed []string, err error) {
	e, err := connectEngine(ctx)
	if isSilence(err) {
		return nil, fmt.Errorf("look for containers that drills left: %w", err)
	}
	if err != nil {
		log.Debug("no containers swept", "because", err)
		return nil, nil
	}
	defer e.Close()
	list, err := await(ctx, e, engineTimeout, "list its containers", func(ctx context.Context) (client.ContainerListResult, error) {
		return e.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: client.Filters{}.Add("label", labelOwner)})
	}, nil)
	if err != nil {
		return nil, fmt.Errorf("list what drills left: %w", err)
	}
	for _, c := range list.Items {
		if !abandoned(c.Labels, time.Now()) {
			continue
		}
		if e := e.remove(ctx, c.ID); e != nil {
			err = errors.Join(err, e)
			if isSilence(e) {
				break // nor would it remove the others
			}
			continue
		}
		name := "container " + strings.TrimPrefix(strings.Join(c.Names, ","), "/")
		log.Info("removed what a killed drill left", "what", name, "drill", c.Labels[labelDrill])
		removed = append(removed, name)
	}
	return removed, err
}

// abandoned tells whether nobody owns a container with these labels any more.
func abandoned(labels map[string]string, now time.Time) bool {
	deadline, err := time.Parse(time.RFC3339, labels[labelDeadline])
	if err != nil || now.After(deadline.Add(freshAge)) {
		return true // it should have ended itself
	}
	if labels[labelOwner] != owner() {
		return false
	}
	lock, err := os.OpenFile(labels[labelLock], os.O_RDWR, 0)
	if err != nil {
		return errors.Is(err, os.ErrNotExist)
	}
	defer lock.Close()
	return flock(lock) == nil
}

func sweepDirectories(ctx context.Context, log *slog.Logger) (removed []string, err error) {
	entries, err := os.ReadDir(os.TempDir())
	if err != nil {
		return nil, fmt.Errorf("look for what drills left: %w", err)
	}
	for _, entry := range entries {
		path := filepath.Join(os.TempDir(), entry.Name())
		if !entry.IsDir() || !isWorkdir(entry.Name()) {
			continue
		}
		gone, e := sweepDirectory(ctx, path)
		if e != nil {
			err = errors.Join(err, fmt.Errorf("remove %s: %w", path, e))
		}
		if gone {
			log.Info("removed what a killed drill left", "what", path)
			removed = append(removed, path)
		}
	}
	return removed, err
}

// sweepDirectory removes a work directory, unless it is in use or somebody
// else's. What ran in it ended with its drill.
func sweepDirectory(ctx context.Context, path string) (gone bool, err error) {
	lock, err := os.OpenFile(filepath.Join(path, lockName), os.O_RDWR, 0)
	switch {
	case errors.Is(err, os.ErrPermission):
		return false, nil
	case errors.Is(err, os.ErrNotExist):
		// Killed between its making and its lock, or in the middle of its
		// removal; or made at this very moment.
		info, err := os.Stat(path)
		if err != nil || time.Since(info.ModTime()) < freshAge {
			return false, nil
		}
	case err != nil:
		return false, err
	default:
		defer lock.Close()
		if flock(lock) != nil || !stillThere(lock) {
			return false, nil
		}
	}
	ctx, cancel := context.WithTimeout(ctx, createTimeout)
	defer cancel()
	if err := removeWork(ctx, path); err != nil {
		return false, err
	}
	return true, nil
}

// stillThere tells whether an open lock is the one that its name leads to,
// and not one that another sweep has removed meanwhile.
func stillThere(lock *os.File) bool {
	mine, err := lock.Stat()
	if err != nil {
		return false
	}
	named, err := os.Stat(lock.Name())
	return err == nil && os.SameFile(mine, named)
}
