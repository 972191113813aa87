package testneed

import (
	"errors"
	"os"
	"path/filepath"
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
