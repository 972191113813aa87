package history

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"path"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"daybefore/internal/verdict"
)

// Copy is a file of a run as it is kept in one place.
type Copy struct {
	Run   string
	Bytes []byte
	Err   error // a DamagedError: it is there, and cannot be read
}

// Copies gives the files of one name that are kept of a drill's runs, as they
// are: the newest run's first, and of each run that of this machine before that
// of the store. An error means that the others could not be read.
func Copies(ctx context.Context, dir string, s Store, drill, file string) iter.Seq2[Copy, error] {
	return func(yield func(Copy, error) bool) {
		root, err := openDrill(dir, drill)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			yield(Copy{}, err)
			return
		}
		sh := &shelf{drill: drill, root: root, store: s, here: map[string]bool{}}
		defer sh.close()
		places, err := sh.placesOf(ctx, file)
		if err != nil {
			yield(Copy{}, unread(err))
			return
		}
		for batch := range slices.Chunk(places, atOnce) {
			copies, err := sh.copies(ctx, batch, file)
			if err != nil {
				yield(Copy{}, unread(err))
				return
			}
			for _, c := range copies {
				if !yield(c, nil) {
					return
				}
			}
		}
	}
}

// copyAt is where a copy lies.
type copyAt struct {
	run  string
	here bool
}

// placesOf finds the copies of a file.
func (sh *shelf) placesOf(ctx context.Context, file string) (all []copyAt, err error) {
	if err := sh.listHere(); err != nil {
		return nil, err
	}
	there := map[string]bool{}
	if sh.store != nil {
		names, err := sh.store.Names(ctx, sh.drill+"/")
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			there[name] = true
		}
	}
	runs := slices.Clone(sh.runs)
	for name := range there { // of which report.json may be gone
		folder, last := path.Split(name)
		run := path.Base(folder)
		if last == file && path.Join(sh.drill, run, file) == name && checkName("the run", run) == nil {
			runs = append(runs, run)
		}
	}
	slices.Sort(runs)
	for _, run := range slices.Backward(slices.Compact(runs)) {
		if sh.root != nil {
			_, err := sh.root.Lstat(path.Join(run, file))
			if !errors.Is(err, fs.ErrNotExist) {
				all = append(all, copyAt{run, true})
			}
		}
		if there[path.Join(sh.drill, run, file)] {
			all = append(all, copyAt{run, false})
		}
	}
	return all, nil
}

// copies reads several at once.
func (sh *shelf) copies(ctx context.Context, of []copyAt, file string) ([]Copy, error) {
	found := make([]Copy, len(of))
	work, ctx := errgroup.WithContext(ctx)
	for i, at := range of {
		work.Go(func() (err error) {
			found[i], err = sh.copyOf(ctx, at, file)
			return err
		})
	}
	err := work.Wait()
	return found, err
}

func (sh *shelf) copyOf(ctx context.Context, at copyAt, file string) (Copy, error) {
	c := Copy{Run: at.run}
	name := path.Join(at.run, file)
	var err error
	if at.here {
		c.Bytes, err = readFile(sh.root, name)
		if err != nil {
			c.Err = damaged(sh.root, name, err)
		}
		return c, nil
	}
	c.Bytes, err = sh.store.Get(ctx, path.Join(sh.drill, name), maxReport)
	var unreachable *verdict.Problem
	switch {
	case errors.As(err, &unreachable) || ctx.Err() != nil:
		return c, err
	case err != nil:
		c.Err = &DamagedError{Path: sh.store.URL() + path.Join(sh.drill, name), Err: err}
	}
	return c, nil
}

// What is chained is kept by one process after the other, each of which may wait
// for a store.
const (
	chainFile = ".chain.lock"
	chainWait = time.Minute
)

// Chained lets one process at a time keep what names the file that was kept
// before it. Where no turn can be had before the context ends, it is kept all the
// same, and the error says why that may have been two at once.
func Chained(ctx context.Context, dir, drill string, keep func()) error {
	unlock := func() {}
	root, err := makeDrill(dir, drill)
	if err == nil {
		defer root.Close()
		var free func()
		free, err = lock(ctx, root, chainFile, chainWait)
		if err == nil {
			unlock = free
		}
	}
	keep()
	unlock()
	return err
}
