package archive

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"daybefore/internal/pgtest"
)

// What a table's rows unpack to is told by their beginning, however they are packed.
func TestEstimate(t *testing.T) {
	t.Parallel()
	source := pgtest.Server(t)
	const rows = 100_000
	source.Exec("postgres", fmt.Sprintf("create table t as select i, repeat('x', 20) as a, md5(i::text) as b "+
		"from generate_series(100001, %d) i", 100_000+rows))
	const bytes = rows * (6 + 1 + 20 + 1 + 32 + 1)
	for _, compression := range []string{"-Z0", "-Z6"} {
		file := filepath.Join(t.TempDir(), "t.dump")
		if err := os.WriteFile(file, source.Dump("-Fc", compression, "postgres"), 0o600); err != nil {
			t.Fatal(err)
		}
		a, err := Open(t.Context(), file, Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range a.Entries {
			size, lines, ok := a.Estimate(t.Context(), e)
			isRows := e.Desc == "TABLE DATA"
			if ok != isRows {
				t.Errorf("%s: %s: %t", compression, e.Desc, ok)
			}
			if isRows && (size < bytes*8/10 || size > bytes*12/10 || lines < rows*8/10 || lines > rows*12/10) {
				t.Errorf("%s: %d bytes and %d lines, want about %d and %d", compression, size, lines, bytes, rows)
			}
		}
	}
}
