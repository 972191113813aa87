// Package folder knows which files of a folder are drill files, and reads them.
// It never looks at what they say.
package folder

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Most is far more than any drill file: a backup given by mistake is not
// read into memory.
const Most = 4 << 20

// Hidden reports whether a file is none of the user's: an editor's, or put aside.
func Hidden(name string) bool { return strings.HasPrefix(name, ".") }

// IsDrillFile reports whether a file is called as a drill file is.
func IsDrillFile(name string) bool {
	return slices.Contains([]string{".yaml", ".yml"}, filepath.Ext(name))
}

// NameOf is what the drill of a file is called.
func NameOf(path string) string {
	base := filepath.Base(path)
	return strings.TrimSuffix(base, filepath.Ext(base))
}

// Readable is what to do about a file that could not be read.
func Readable(path string, err error) string {
	target, link := os.Readlink(path)
	switch {
	case errors.Is(err, os.ErrPermission):
		return "let this user read it"
	case link == nil && errors.Is(err, os.ErrNotExist):
		return "it is a link to " + target + ", which is not there: put the file back, or remove the link"
	}
	return "give the path of a drill file, such as drills/demo.yaml"
}

// Read reads a drill file, and nothing that is none.
func Read(path string) ([]byte, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, errors.New(path + " is not a file") // opening a pipe would wait for its writer
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, Most+1))
	if err == nil && len(data) > Most {
		err = errors.New("it is larger than 4 MiB, so it is not a drill file")
	}
	return data, err
}
