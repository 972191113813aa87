package sandbox

import (
	"os"
	"path/filepath"
	"testing"
)

// TestLeastLimit reads what both versions of control groups write, and what
// limits nothing.
func TestLeastLimit(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{
		"1073741824\n": gib, "max\n": 4 * gib, "9223372036854771712\n": 4 * gib, "0\n": 4 * gib, "": 4 * gib, "much": 4 * gib,
	} {
		file := filepath.Join(t.TempDir(), "limit")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := leastLimit(4*gib, filepath.Join(t.TempDir(), "absent"), file); got != want {
			t.Errorf("%q: %d, not %d", text, got, want)
		}
	}
}
