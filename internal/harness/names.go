package harness

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"daybefore/internal/spec"
	"daybefore/internal/spec/folder"
	"daybefore/internal/spec/guess"
)

// mostNames are as many drills as are named where one is missing.
const mostNames = 20

// load reads the drills: all of them, or those that wanted names, by name or
// glob, with commas between. What lies in drills/ and is none though it looks
// like one is told on stderr.
func (h *Home) load(ctx context.Context, wanted string, loader spec.Loader) ([]spec.Loaded, error) {
	files, err := h.loadFiles(loader)
	if err != nil {
		return nil, err
	}
	files, err = h.told(ctx, files, wanted)
	if err != nil {
		return nil, err
	}
	return choose(files, wanted)
}

// loadFiles reads the drill files, and asks no store for databases.
func (h *Home) loadFiles(loader spec.Loader) ([]spec.Loaded, error) {
	files, strays, err := h.loadAll(loader)
	if err != nil {
		return nil, err
	}
	for _, s := range strays {
		fmt.Fprintf(h.Stderr, "warning: %v\n", s)
	}
	return files, nil
}

// loadOne reads one drill, for the target that is named.
func (h *Home) loadOne(ctx context.Context, target, name string, loader spec.Loader) (spec.Loaded, error) {
	all, err := h.loadOf(ctx, target, name, loader)
	if err != nil {
		return spec.Loaded{}, err
	}
	if len(all) > 1 {
		return spec.Loaded{}, cannot("%s takes one drill, and %s has one of each database: say which, as in -name=%s (%s)",
			target, name, all[0].Name, someNames(all, helpWidth))
	}
	return all[0], nil
}

// loadOf reads the drill of that name, or those of all databases of a file.
func (h *Home) loadOf(ctx context.Context, target, name string, loader spec.Loader) ([]spec.Loaded, error) {
	files, strays, err := h.loadAll(loader)
	if err != nil {
		return nil, err
	}
	files, err = h.told(ctx, files, name)
	if err != nil {
		return nil, err
	}
	var all []spec.Loaded
	for _, f := range files {
		if slices.Contains(namesOf(f), name) {
			all = append(all, f)
		}
	}
	switch {
	case len(all) > 0:
		return all, nil
	case strings.ContainsAny(name, ",*?["):
		return nil, cannot("%s takes one drill, and -name=%s may be several: call it for each", target, shell(name))
	}
	for _, s := range strays {
		fmt.Fprintf(h.Stderr, "warning: %v\n", s)
	}
	return nil, cannot("%s", noDrill(name, files))
}

// namesOf are what a drill may be called by: its own name, or its file's, which
// is that of all its databases, or this one with the database as it is written.
func namesOf(f spec.Loaded) []string {
	all := []string{f.Name, f.File()}
	if f.Database != "" {
		all = append(all, f.File()+"@"+f.Database)
	}
	return all
}

// loadAll reads all drill files; there is at least one.
func (h *Home) loadAll(loader spec.Loader) ([]spec.Loaded, []folder.Stray, error) {
	files, err := loader.LoadAll(h.drillsDir())
	switch {
	case errors.Is(err, os.ErrNotExist), err == nil && len(files) == 0:
		for _, s := range folder.Strays(h.drillsDir()) {
			fmt.Fprintf(h.Stderr, "warning: %v\n", s)
		}
		return nil, nil,
			cannot("no drill file: %s has no .yaml; run this in the folder that holds drills/ or set DRILL_HOME, or "+
				"write the first one: %s", h.drillsDir(), command("init -url=URL -name=NAME"))
	case err != nil:
		return nil, nil, cannot("read the drill files: %v", err)
	}
	return files, folder.Strays(h.drillsDir()), nil
}

// choose gives the drills that are wanted, each once, in their order; all where
// nothing is said. A name or glob that none has is an error, which tells the
// nearest.
func choose(files []spec.Loaded, wanted string) ([]spec.Loaded, error) {
	if wanted == "" {
		return files, nil
	}
	chosen := make([]bool, len(files))
	var missing []string
	for pattern := range strings.SplitSeq(wanted, ",") {
		pattern = strings.TrimSpace(pattern)
		if pattern == "" {
			return nil, cannot("-name=%s holds an empty name: was a variable not set? If not, leave out the comma",
				shell(wanted))
		}
		found := false
		for i, f := range files {
			is, err := isCalled(f, pattern)
			if err != nil {
				return nil, cannot("-name=%s is not a glob: close its brackets, as in -name='shop[12]'", shell(pattern))
			}
			chosen[i] = chosen[i] || is
			found = found || is
		}
		if !found {
			missing = append(missing, noDrill(pattern, files))
		}
	}
	if len(missing) > 0 {
		return nil, cannot("%s", strings.Join(missing, "; "))
	}
	var all []spec.Loaded
	for i, f := range files {
		if chosen[i] {
			all = append(all, f)
		}
	}
	return all, nil
}

// isCalled reports whether a name or glob is the drill's. One of several
// databases that are not known is called as any of them may be.
func isCalled(f spec.Loaded, pattern string) (bool, error) {
	if f.Several != nil {
		pattern, _, _ = strings.Cut(pattern, "@")
	}
	for _, name := range namesOf(f) {
		matches, err := path.Match(pattern, name)
		if err != nil || matches || name == pattern {
			return matches || name == pattern, err
		}
	}
	return false, nil
}

// noDrill says that no drill is called so, and what the nearest is.
func noDrill(pattern string, files []spec.Loaded) string {
	var names, near []string
	for _, f := range files {
		names = append(names, f.Name)
		near = append(near, f.Name, f.File())
	}
	says := "no drill is called " + shown(pattern)
	written := filepath.Base(pattern) // who gave the file
	for _, ending := range []string{".yaml", ".yml"} {
		written = strings.TrimSuffix(written, ending)
	}
	if strings.ContainsAny(pattern, "*?[") {
		says = "no drill's name is like " + shown(pattern)
		written = strings.Trim(written, "*?[]")
	}
	meant := guess.Nearest(written, near)
	if meant != "" {
		says += ": did you mean " + meant + "? There are: "
	} else {
		says += "; there are: "
	}
	more := ""
	if len(names) > mostNames {
		more = fmt.Sprintf(" and %d more", len(names)-mostNames)
		names = names[:mostNames]
	}
	return says + strings.Join(names, ", ") + more
}
