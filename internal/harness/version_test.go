package harness

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// What makes another program of a build gives it another name, and nothing
// else does.
func TestSourcesName(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
		digest, err := sourcesOf(dir)
		if err != nil && name == "targets/a.go" {
			t.Fatal(err)
		}
		return digest
	}
	for _, name := range []string{"go.mod", "go.sum", "internal/a.go", "cmd/a.go", "scenarios/a.go", "targets/a.go"} {
		write(name, "one")
	}
	before := write("internal/start.sh", "one")
	for _, name := range []string{"internal/a_test.go", "cmd/drill/mage_output_file.go", "magefiles/dev.go", "drills/shop.yaml", "README.md"} {
		if got := write(name, "two"); got != before {
			t.Errorf("%s makes another harness", name)
		}
	}
	for _, name := range []string{"go.sum", "internal/a.go", "internal/start.sh", "scenarios/b.go"} {
		if got := write(name, "two"); got == before {
			t.Errorf("%s makes no other harness", name)
		}
		before = write(name, "three")
	}
	if _, err := sourcesOf(t.TempDir()); err == nil {
		t.Error("a folder without sources has a name")
	}
	if v := version(); len(v) <= len(Release+"+exe.") {
		t.Errorf("a program that build did not compile is called %q", v)
	}
}
