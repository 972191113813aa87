package folder

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// Stray is a file or folder that looks like a drill file and is none.
type Stray struct {
	Path    string
	Message string // why it is none
	Hint    string
}

// String is path: why; the hint.
func (s Stray) String() string { return s.Path + ": " + s.Message + "; " + s.Hint }

// Drill files lie at most so deep by mistake, among at most so many entries:
// what lies below may be a store of backups.
const (
	deepest     = 4
	mostEntries = 20_000
)

// Strays gives what spec.LoadAll leaves out of a folder though its author may think
// that it is drilled: drill files in folders below it, and such with an ending
// that is nearly the right one. Hidden files, and what editors and people put
// aside (shop.yaml~, shop.yaml.bak), are none. What cannot be looked into is
// left out.
func Strays(dir string) []Stray {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var strays []Stray
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		switch {
		case Hidden(e.Name()):
		case isFolder(path, e):
			strays = append(strays, straysBelow(dir, path)...)
		case misnamed(e.Name()):
			strays = append(strays,
				Stray{path, "not drilled: its name does not end in .yaml", "rename it to " + renamed(path)})
		}
	}
	return strays
}

// isFolder follows a link: what it leads to may be a folder of drill files.
func isFolder(path string, e fs.DirEntry) bool {
	if e.Type()&fs.ModeSymlink == 0 {
		return e.IsDir()
	}
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// nearlyYAML are endings that a drill file gets by mistake: in large letters,
// or by a program that shows no endings and adds its own.
var nearlyYAML = regexp.MustCompile(`(?i)\.ya?ml(\.txt)?$`)

// misnamed reports whether a file's ending is nearly that of a drill file.
func misnamed(name string) bool { return nearlyYAML.MatchString(name) && !IsDrillFile(name) }

// renamed is what a drill file at path should be called: where it is, or
// beside the others.
func renamed(path string) string {
	dir, name := filepath.Split(nearlyYAML.ReplaceAllString(path, ""))
	return filepath.Join(dir, strings.ToLower(name)+".yaml")
}

// straysBelow looks for drill files in a folder of drills/. The folder itself
// may be a link; links below it are not followed.
func straysBelow(dir, folder string) (strays []Stray) {
	real, err := filepath.EvalSymlinks(folder)
	if err != nil {
		return nil
	}
	seen := 0
	_ = filepath.WalkDir(real, func(path string, e fs.DirEntry, err error) error {
		seen++
		below := strings.TrimPrefix(path, real)
		switch {
		case seen > mostEntries:
			return fs.SkipAll
		case err != nil: // a folder that is not for this user, such as of backups
			return fs.SkipDir
		case e.IsDir() && below != "" &&
			(Hidden(e.Name()) || strings.Count(below, string(filepath.Separator)) > deepest):
			return fs.SkipDir
		case !e.IsDir() && !Hidden(e.Name()) && nearlyYAML.MatchString(e.Name()) && likeADrill(path):
			strays = append(strays, Stray{folder + below, "not drilled: only files that lie in " + dir + " itself are",
				"move it to " + renamed(filepath.Join(dir, e.Name()))})
		}
		return nil
	})
	if IsDrillFile(folder) {
		strays = append(strays,
			Stray{folder, "not drilled: it is a folder, and is called as a drill file",
				"rename it, or put a drill file in its place"})
	}
	return strays
}

// drillKey is a line of a drill file that hardly any other YAML has.
var drillKey = regexp.MustCompile(`(?m)^\s*\{?\s*["']?(source|expectations|scrub)["']?\s*:`)

// likeADrill reports whether a file is probably meant as a drill; what cannot
// be read may be.
func likeADrill(path string) bool {
	content, err := Read(path)
	return err != nil || drillKey.Match(content)
}
