package debian

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// What lies over the machine is found there by its command, and by nobody else.
func TestOver(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("mounts, which root alone may")
	}
	one := Package{t.TempDir()}
	two := Package{t.TempDir()}
	for path, text := range map[string]string{
		filepath.Join(one.Root, "usr/bin/daybefore-one"):  "#!/bin/sh\nexec daybefore-two\n",
		filepath.Join(two.Root, "usr/sbin/daybefore-two"): "#!/bin/sh\necho two; test -e /usr/bin/env\n",
	} {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	argv := Over([]Package{one, two}, "sh", "-c", `"$0" && command -v "$0"`, "daybefore-one")
	out, err := exec.CommandContext(t.Context(), argv[0], argv[1:]...).CombinedOutput()
	if err != nil || string(out) != "two\n/usr/bin/daybefore-one\n" {
		t.Errorf("%v: %q", err, out)
	}
	if path, err := exec.LookPath("daybefore-one"); err == nil {
		t.Errorf("it is in %s", path)
	}
	if got := strings.Join(Over(nil, "go", "test"), " "); got != "go test" {
		t.Errorf("without packages: %s", got)
	}
}
