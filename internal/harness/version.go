package harness

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// Release is the version that CHANGELOG.md speaks of.
const Release = "0.1.0"

// sourceSum is put in by the build target: a digest of what it compiled.
var sourceSum string

// Version prints which harness this is, as its reports name it.
func (h *Home) Version() error {
	_, err := fmt.Fprintln(h.Stdout, "daybefore", version())
	return err
}

// version names the build, so that a report tells which harness made it: the
// release and the sources or, where the build target did not compile it, the
// program itself. Two builds of different sources never have one name.
var version = sync.OnceValue(func() string {
	if sourceSum != "" {
		return nameOf(sourceSum)
	}
	digest := sha256.New()
	path, err := os.Executable()
	if err == nil {
		err = addFile(digest, path)
	}
	if err != nil { // as where the program was removed meanwhile: no name that another build has
		return fmt.Sprintf("%s+process.%d", Release, os.Getpid())
	}
	return Release + "+exe." + short(digest)
})

// nameOf names a build by its sources.
func nameOf(sources string) string { return Release + "+src." + sources }

func short(digest hash.Hash) string { return hex.EncodeToString(digest.Sum(nil))[:12] }

func addFile(digest hash.Hash, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(digest, f)
	return err
}

// sourcesOf is a digest of all files below dir that a build is made of. Tests
// are none, nor is the file that Mage puts beside the binary's main meanwhile.
func sourcesOf(dir string) (string, error) {
	digest := sha256.New()
	for _, top := range []string{"go.mod", "go.sum", "cmd", "internal", "scenarios", "targets"} {
		err := filepath.WalkDir(filepath.Join(dir, top), func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() || strings.HasSuffix(path, "_test.go") ||
				d.Name() == "mage_output_file.go" {
				return err
			}
			name, err := filepath.Rel(dir, path)
			if err != nil {
				return err
			}
			content := sha256.New()
			if err := addFile(content, path); err != nil {
				return err
			}
			fmt.Fprintf(digest, "%x %s\n", content.Sum(nil), filepath.ToSlash(name))
			return nil
		})
		if err != nil {
			return "", err
		}
	}
	return short(digest), nil
}
