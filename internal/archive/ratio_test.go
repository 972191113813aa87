package archive

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"daybefore/internal/packed"
	"daybefore/internal/verdict"
)

// letters is a whole plain dump with a row of so many letters.
func letters(n int) []byte {
	return []byte("--\n-- PostgreSQL database dump\n--\n\n-- Dumped from database version 15.1\n-- Dumped by pg_dump version 15.1\n\n" +
		"CREATE TABLE public.a (\n    t text\n);\n\nCOPY public.a (t) FROM stdin;\n" + strings.Repeat(strings.Repeat("a", 999)+"\n", n/1000) +
		"\\.\n\n--\n-- PostgreSQL database dump complete\n--\n\n")
}

// What unpacks to more than a dump does is told before it fills the disk, and
// is no fault that is known of the backup. What is allowed is read.
func TestMaxRatio(t *testing.T) {
	t.Parallel()
	const size = packed.LeastBound + 1<<20
	bomb := letters(size)
	padded := append([]byte(readFile(t, small[0])), make([]byte, size)...)
	for name, c := range map[string]struct {
		file  []byte
		ratio int64
		told  bool
	}{
		"gzip":                  {gzipped(t, bomb), 1, true},
		"gzip, allowed":         {gzipped(t, bomb), 2000, false},
		"zstd":                  {zstded(t, bomb), 200, true},
		"zeros behind the end":  {gzipped(t, padded), 1, true},
		"below the least bound": {gzipped(t, letters(1<<20)), 1, false},
		"no limit":              {zstded(t, letters(1<<20)), 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path := filepath.Join(dir, "backup")
			if err := os.WriteFile(path, c.file, 0o600); err != nil {
				t.Fatal(err)
			}
			a, err := Open(t.Context(), path, Options{Dir: t.TempDir(), MaxRatio: c.ratio})
			if !c.told {
				if err != nil {
					t.Fatal(err)
				}
				os.Remove(a.Path)
				return
			}
			wantProblem(t, err, verdict.Error, verdict.CodeMaxRatio, "unpack to more than 64 MiB")
			if hint := verdict.AsProblem(err).Hint; !strings.Contains(hint, "source.max_ratio") {
				t.Error(hint)
			}
		})
	}
}

// No more is written than the bound allows, and what was written is removed.
func TestWhatIsTooMuchIsNotWritten(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	spools := t.TempDir()
	path := filepath.Join(dir, "backup")
	if err := os.WriteFile(path, gzipped(t, append([]byte(readFile(t, small[0])), make([]byte, packed.LeastBound)...)), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), path, Options{Dir: spools, MaxRatio: 1})
	wantProblem(t, err, verdict.Error, verdict.CodeMaxRatio, "backup")
	left, err := os.ReadDir(spools)
	if err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
	for size, want := range map[int64]int64{0: packed.LeastBound, 1 << 20: 200 << 20, 1 << 62: 1<<63 - 1} {
		if got := packed.Bound(size, 200); got != want {
			t.Errorf("%d bytes may unpack to %d, want %d", size, got, want)
		}
	}
	r := &packed.Bounded{R: bytes.NewReader(make([]byte, 100)), Bound: 60}
	buf := make([]byte, 40)
	for i, want := range []int{40, 0, 0} {
		if n, err := r.Read(buf); n != want || (err == nil) != (want > 0) {
			t.Errorf("read %d: %d, %v", i, n, err)
		}
	}
}
