package history

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"

	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// glancesFile holds what was made of a drill's reports. It is made again where
// it is missing.
const glancesFile = ".glances.json"

// glances is that file. A run is written once, so what was made of it stays
// right until it is made in another way.
type glances[T any] struct {
	Version int          `json:"version"`
	Runs    map[string]T `json:"runs"`
}

// Glances gives what of makes of the newest reports of a drill, newest first and
// most at most, and names those that cannot be used. It is kept beside the
// reports, so that each is read once: another version of what is made has a
// number of its own.
func Glances[T any](dir, drill string, version, most int, of func(*verdict.Report) T) (all []T, damaged []string, err error) {
	root, err := openDrill(dir, drill)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	defer root.Close()
	runs, err := runsIn(root)
	if err != nil {
		return nil, nil, err
	}
	known := knownGlances[T](root, version)
	now := glances[T]{Version: version, Runs: map[string]T{}}
	fresh := false
	for _, run := range runs[:min(most, len(runs))] {
		g, ok := known[run]
		if !ok {
			r, err := readRun(root, drill, run)
			if err != nil {
				damaged = append(damaged, err.Error())
				continue
			}
			g, fresh = of(r), true
		}
		now.Runs[run] = g
		all = append(all, g)
	}
	if fresh {
		keepGlances(dir, drill, now)
	}
	return all, damaged, nil
}

// runsIn names the folders of runs, newest first.
func runsIn(root *os.Root) ([]string, error) {
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return nil, fmt.Errorf("list the reports in %s: %w", root.Name(), err)
	}
	var runs []string
	for _, e := range entries {
		if e.IsDir() && checkName("the run", e.Name()) == nil {
			runs = append(runs, e.Name())
		}
	}
	slices.Reverse(runs)
	return runs, nil
}

// knownGlances is what was kept; nothing where it is not of this version, or no
// longer whole.
func knownGlances[T any](root *os.Root, version int) map[string]T {
	b, err := readFile(root, glancesFile)
	if err != nil {
		return nil
	}
	var g glances[T]
	if json.Unmarshal(b, &g) != nil || g.Version != version {
		return nil
	}
	return g.Runs
}

// keepGlances saves the work of the next time. Where that cannot be, it is done
// again.
func keepGlances[T any](dir, drill string, g glances[T]) {
	b, err := json.Marshal(g)
	if err != nil {
		return
	}
	_ = change(dir, drill, func(root *os.Root) error { return replace(root, glancesFile, b) })
}

// Recent gives the newest reports of a drill in the store, newest first and most
// at most.
func Recent(ctx context.Context, s Store, drill string, most int, keys ...spec.Key) ([]Kept, error) {
	sh := &shelf{drill: drill, keys: keys, store: s, here: map[string]bool{}, there: map[string]bool{}}
	if err := sh.listThere(ctx); err != nil {
		return nil, err
	}
	sh.sort()
	return sh.kept(ctx, sh.runs[:min(most, len(sh.runs))])
}

// Renew puts a file beside the folders of the drills, in the place of the one
// that is there. Processes that do so at once take turns from before render is
// called, so that the last one knows of all that the others kept.
func Renew(dir, name string, render func() ([]byte, error)) error {
	if err := checkName("the file", name); err != nil {
		return err
	}
	if err := renew(dir, name, render); err != nil {
		return fmt.Errorf("write %s: %w; %s", path.Join(dir, name), err, hintFor(err))
	}
	return nil
}

func renew(dir, name string, render func() ([]byte, error)) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	return inTurn(root, func(root *os.Root) error {
		b, err := render()
		if err != nil {
			return err
		}
		return replace(root, name, b)
	})
}
