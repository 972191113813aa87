package testneed

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// One binary does for all who ask while the sources are the same. What Mage
// writes while it compiles lies in the copy, not in the checkout.
func TestDrillIsCompiledOnceAndElsewhere(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..")
	var kept []os.FileInfo
	for _, name := range []string{"one", "two"} {
		to := filepath.Join(t.TempDir(), name)
		if err := CopyDrill(root, to); err != nil {
			t.Fatal(err)
		}
		if said, err := exec.CommandContext(t.Context(), to, "version").Output(); err != nil || !strings.HasPrefix(string(said), "daybefore ") {
			t.Errorf("%s says %q, %v", to, said, err)
		}
		dir, dirErr := drillCache()
		digest, digestErr := digestOf(root)
		info, err := os.Stat(filepath.Join(dir, digest, "drill"))
		if err := errors.Join(dirErr, digestErr, err); err != nil {
			t.Fatal(err)
		}
		kept = append(kept, info)
		if _, err := os.Stat(filepath.Join(dir, digest, "sources", "cmd", "drill", magesFile)); err != nil {
			t.Error(err)
		}
	}
	if !os.SameFile(kept[0], kept[1]) {
		t.Error("it was compiled again")
	}
}

// A binary is kept no longer than its sources are as they were.
func TestDigestOfSources(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		digest, err := digestOf(root)
		if err != nil && name == "targets/a.go" {
			t.Fatal(err)
		}
		return digest
	}
	for _, name := range []string{"go.mod", "go.sum", "cmd/a.go", "internal/a.go", "scenarios/a.go", "targets/a.go"} {
		write(name, "one")
	}
	before := write("internal/a.sh", "one")
	for _, name := range []string{"internal/a_test.go", "cmd/drill/" + magesFile, "drills/demo.yaml"} {
		if write(name, "two") != before {
			t.Errorf("%s makes another binary", name)
		}
	}
	for _, name := range []string{"go.sum", "internal/a.go", "internal/a.sh", "targets/b.go"} {
		if after := write(name, "two"); after == before {
			t.Errorf("%s makes no other binary", name)
		}
		before = write(name, "three")
	}
}
