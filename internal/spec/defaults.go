package spec

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"daybefore/internal/spec/folder"
	"daybefore/internal/spec/tree"
)

// defaults are what drills/defaults.yaml says of all drill files beside it.
type defaults struct {
	root     *tree.Node // nil: nothing
	mistakes Mistakes   // its own, which each of the files has too
}

// isDefaults reports whether a file is that of the defaults, and so no drill's.
func isDefaults(name string) bool {
	return folder.NameOf(name) == "defaults" && folder.IsDrillFile(name)
}

// readDefaults reads those of a folder.
func readDefaults(dir string) *defaults {
	var found []string
	for _, name := range []string{"defaults.yaml", "defaults.yml"} {
		path := filepath.Join(dir, name)
		_, err := os.Lstat(path)
		if !errors.Is(err, fs.ErrNotExist) {
			found = append(found, path)
		}
	}
	if len(found) == 0 {
		return &defaults{}
	}
	d := &mistakeList{file: found[0]}
	if len(found) > 1 {
		d.refuse(Pos{Line: 1, Column: 1}, "keep one of the files", "there are defaults in %s too", found[1])
	}
	root := readTree(d, found[0])
	if root != nil {
		decode(d, root, true)
		checker{mistakeList: d}.permitted(root)
		root = root.Without("databases")
	}
	return &defaults{root: root, mistakes: d.mistakes.sorted()}
}

// DefaultRules are the lines of the list scrub.rules of the defaults beside a drill
// file, indented by four; none where they hold no such list. A drill file with a
// list of its own repeats what is to stay.
func DefaultRules(path string) []string {
	rules := readDefaults(filepath.Dir(path)).root.Find("scrub").Find("rules")
	if rules == nil || rules.Kind != tree.List || len(rules.Items) == 0 {
		return nil
	}
	section := &tree.Node{Kind: tree.Mapping, Keys: []tree.Entry{{Key: tree.Node{Text: "rules"}, Value: rules}}}
	var lines []string
	for line := range strings.Lines(string(section.YAML(nil))) {
		lines = append(lines, "  "+strings.TrimSuffix(line, "\n"))
	}
	return lines[1:]
}

// readTree reads the file of the defaults; nil where it holds nothing, or cannot
// be read.
func readTree(d *mistakeList, path string) *tree.Node {
	data, err := folder.Read(path)
	if err != nil {
		d.refuse(Pos{}, folder.Readable(path, err), "read drill file: %v", err)
		return nil
	}
	return parse(d, path, data)
}

// parse gives the file's tree; nil where it holds nothing, or is no YAML.
func parse(d *mistakeList, name string, data []byte) *tree.Node {
	root, err := tree.Parse(name, data)
	if f, ok := errors.AsType[*tree.Fault](err); ok {
		d.refuse(f.At, f.Hint, "%s", f.Message)
	}
	return root
}

// Whoever reviews a drill file must see in it what lets a real value pass. So
// defaults hold none of these keys, nor these values of others.
var (
	openKeys = regexp.MustCompile(`^scrub\.(keep|drop|leak_scan\.(allow|detectors)|rules(\..*)?\.preserve)$`)
	openWays = map[string]string{"scrub.large_objects": "preserve", "scrub.rules.unmatched_paths": "keep"}
)

// NotInDefaults reports whether defaults may not hold a key, or one of these
// values of it. The path has no places in lists.
func NotInDefaults(path string, written ...string) bool {
	return path == "databases" || openKeys.MatchString(path) ||
		openWays[path] != "" && slices.Contains(written, openWays[path])
}

// permitted refuses what defaults may not say.
func (c checker) permitted(root *tree.Node) {
	const hint = "move it into the drill files that need it, where a reviewer sees it"
	root.Visit(func(path string, e tree.Entry) {
		switch {
		case !NotInDefaults(path, e.Value.Text):
		case path == "databases":
			c.refuse(e.Key.At, "move it into a drill file", "databases: defaults do not say which drills there are")
		case NotInDefaults(path):
			c.refuse(e.Key.At, hint, "%s lets real values pass, and so may not come from defaults", path)
		default:
			c.refuse(e.Value.At, hint, "%s: %s lets real values pass, and so may not come from defaults", path, e.Value.Text)
		}
	})
}
