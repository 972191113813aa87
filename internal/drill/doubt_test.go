package drill_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"daybefore/internal/pgtest"
	"daybefore/internal/sandbox"
	"daybefore/internal/verdict"
)

// A side file that vouches for nothing is an error, and hides no backup that is
// bad by itself: a full disk cuts off both.
func TestAUselessSumHidesNoBadBackup(t *testing.T) {
	t.Parallel()
	source := pgtest.Server(t)
	source.Exec("postgres", "CREATE TABLE plain (id int); INSERT INTO plain VALUES (1)")
	dump := source.Dump("postgres")
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write(dump); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	gz := packed.Bytes()
	const other = "3f2b0c0e6c1d4f5a9b8c7d6e5f4a3b2c1d0e9f8a7b6c5d4e3f2a1b0c9d8e7f6a"
	for name, c := range map[string]struct {
		data            []byte
		side, sum, want string
	}{
		"cut off, an empty sum":                {gz[:len(gz)-9], "x-2026-11-28.sql.gz.sha256", "", "fail truncated"},
		"cut off, a sum of what is within":     {gz[:len(gz)-9], "x-2026-11-28.sql.sha256", other, "fail truncated"},
		"cut off, a sum of another file":       {gz[:len(gz)-9], "x-2026-11-28.sql.gz.sha256", other + "  y.sql.gz", "fail truncated"},
		"whole, an empty sum":                  {gz, "x-2026-11-28.sql.gz.sha256", "", "error checksum"},
		"whole, another sum of what is within": {gz, "x-2026-11-28.sql.sha256", other, "error checksum"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := t.TempDir()
			for file, content := range map[string][]byte{"x-2026-11-28.sql.gz": c.data, c.side: []byte(c.sum)} {
				if err := os.WriteFile(filepath.Join(store, file), content, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			r := run(t, t.Context(), load(t, sandbox.Local, fmt.Sprintf(`
version: 1
source: {url: "file://%s", name: "x-{time}.sql.gz", time: 2006-01-02, timezone: UTC}
expectations: {tables: [{table: public.plain, row_count: {min: 1}}]}
`, store)))
			s := stageOf(r, verdict.StageFetch)
			if got := fmt.Sprintf("%s %s", s.Outcome, s.Code); got != c.want {
				t.Errorf("%s: %s\n%s", got, s.Message, worst(r))
			}
			if slices.ContainsFunc(r.Checks, func(c verdict.Check) bool { return c.ID == "side_file" }) {
				t.Error("that no sum was compared is told twice")
			}
		})
	}
}
