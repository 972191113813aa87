package testneed

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"daybefore/internal/machine"
)

// CopySources copies what the targets are compiled from, and the drills, out of
// the checkout at root. Mage writes a file beside the targets and removes it
// again, which another Mage, the go command or another package's test, at work
// in the checkout at the same time, would stumble over.
func CopySources(root, to string) error {
	for _, dir := range []string{"cmd", "drills", "internal", "magefiles", "scenarios", "targets"} {
		if err := os.CopyFS(filepath.Join(to, dir), os.DirFS(filepath.Join(root, dir))); err != nil {
			return err
		}
	}
	if err := os.Mkdir(filepath.Join(to, "tools"), 0o755); err != nil {
		return err
	}
	var failed error
	for _, name := range []string{"go.mod", "go.sum", "tools/go.mod", "tools/go.sum"} {
		text, err := os.ReadFile(filepath.Join(root, name))
		failed = errors.Join(failed, err, os.WriteFile(filepath.Join(to, name), text, 0o644))
	}
	return failed
}

// magesFile is what Mage writes beside the targets that it compiles.
const magesFile = "mage_output_file.go"

// CopyDrill compiles the targets of the checkout at root, as the build target
// does but from a copy of the sources, and copies the binary. It is compiled
// once for the tests of all packages, and kept in the user's cache folder until
// the sources are others.
func CopyDrill(root, to string) error {
	dir, err := drillCache()
	if err != nil {
		return err
	}
	unlock, err := machine.Lock(dir + ".lock")
	if err != nil {
		return err
	}
	defer unlock()
	path, err := compiled(root, dir)
	if err != nil {
		return err
	}
	if err := os.Remove(to); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if os.Link(path, to) == nil {
		return nil
	}
	program, err := os.ReadFile(path) // to is on another file system
	if err != nil {
		return err
	}
	return os.WriteFile(to, program, 0o755)
}

// drillCache is the folder of the binary; the one above it is there.
func drillCache() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "daybefore-tools")
	return filepath.Join(dir, "drill"), os.MkdirAll(dir, 0o700)
}

// compiled is the path of the binary below dir, which holds no other one and is
// locked.
func compiled(root, dir string) (string, error) {
	digest, err := digestOf(root)
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, digest, "drill")
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	if err := os.RemoveAll(dir); err != nil {
		return "", err
	}
	fresh := filepath.Join(dir, "new")
	if err := CopySources(root, filepath.Join(fresh, "sources")); err != nil {
		return "", fmt.Errorf("copy the sources: %w", err)
	}
	cmd := exec.Command("go", "tool", "mage", "-d", "cmd/drill", "-keep", "-compile", filepath.Join(fresh, "drill"))
	cmd.Dir = filepath.Join(fresh, "sources")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("compile the targets: %w\n%s", err, out)
	}
	return path, os.Rename(fresh, filepath.Join(dir, digest))
}

// digestOf names the sources at root, and the Go that compiles them.
func digestOf(root string) (string, error) {
	digest := sha256.New()
	fmt.Fprintln(digest, runtime.Version(), os.Getenv("GOFLAGS"))
	for _, top := range []string{"go.mod", "go.sum", "cmd", "internal", "scenarios", "targets"} {
		err := filepath.WalkDir(filepath.Join(root, top), func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() || strings.HasSuffix(path, "_test.go") || d.Name() == magesFile {
				return err
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			name, err := filepath.Rel(root, path)
			fmt.Fprintf(digest, "%s %x\n", name, sha256.Sum256(text))
			return err
		})
		if err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(digest.Sum(nil))[:16], nil
}
