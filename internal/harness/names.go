package harness

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"daybefore/internal/spec"
	"daybefore/internal/spec/guess"
)

// mostNames are as many drills as are named where one is missing.
const mostNames = 20

// load reads the drill files: all of them, or those that wanted names, by
// name or glob, with commas between. What lies in drills/ and is none though
// it looks like one is told on stderr.
func (h *Home) load(wanted string, loader spec.Loader) ([]spec.Loaded, error) {
	files, strays, err := h.loadAll(loader)
	if err != nil {
		return nil, err
	}
	for _, s := range strays {
		fmt.Fprintf(h.Stderr, "warning: %v\n", s)
	}
	if wanted == "" {
		return files, nil
	}
	return choose(files, wanted)
}

// loadOne reads the drill file of one drill, for the target that is named.
func (h *Home) loadOne(target, name string, loader spec.Loader) (spec.Loaded, error) {
	files, strays, err := h.loadAll(loader)
	if err != nil {
		return spec.Loaded{}, err
	}
	i := slices.IndexFunc(files, func(f spec.Loaded) bool { return f.Name == name })
	switch {
	case i >= 0:
		return files[i], nil
	case strings.ContainsAny(name, ",*?["):
		return spec.Loaded{}, cannot("%s takes one drill, and -name=%s may be several: call it for each", target,
			shell(name))
	}
	for _, s := range strays {
		fmt.Fprintf(h.Stderr, "warning: %v\n", s)
	}
	return spec.Loaded{}, cannot("%s", noDrill(name, files))
}

// loadAll reads all drill files; there is at least one.
func (h *Home) loadAll(loader spec.Loader) ([]spec.Loaded, []spec.Stray, error) {
	files, err := loader.LoadAll(h.drillsDir())
	switch {
	case errors.Is(err, os.ErrNotExist), err == nil && len(files) == 0:
		for _, s := range spec.Strays(h.drillsDir()) {
			fmt.Fprintf(h.Stderr, "warning: %v\n", s)
		}
		return nil, nil,
			cannot("no drill file: %s has no .yaml; run this in the folder that holds drills/ or set DRILL_HOME, or "+
				"write the first one: %s", h.drillsDir(), command("init -url=URL -name=NAME"))
	case err != nil:
		return nil, nil, cannot("read the drill files: %v", err)
	}
	return files, spec.Strays(h.drillsDir()), nil
}

// choose gives the files that are wanted, each once, in their order. A name or
// glob that none has is an error, which tells the nearest.
func choose(files []spec.Loaded, wanted string) ([]spec.Loaded, error) {
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
			matches, err := path.Match(pattern, f.Name)
			if err != nil {
				return nil, cannot("-name=%s is not a glob: close its brackets, as in -name='shop[12]'", shell(pattern))
			}
			if matches || f.Name == pattern {
				chosen[i], found = true, true
			}
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

// noDrill says that no drill is called so, and what the nearest is.
func noDrill(pattern string, files []spec.Loaded) string {
	var names []string
	for _, f := range files {
		names = append(names, f.Name)
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
	if near := guess.Nearest(written, names); near != "" {
		says += ": did you mean " + near + "? There are: "
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
