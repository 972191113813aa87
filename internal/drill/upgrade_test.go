package drill_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"daybefore/internal/pgtest"
	"daybefore/internal/sandbox"
	"daybefore/internal/spec"
	"daybefore/internal/testneed"
	"daybefore/internal/verdict"
)

// drillInto is a drill of one dump, into a server of a version.
func drillInto(t *testing.T, dump []byte, restore string) *spec.Drill {
	t.Helper()
	store := t.TempDir()
	if err := os.WriteFile(filepath.Join(store, "x-20260103T000000Z.dump"), dump, 0o600); err != nil {
		t.Fatal(err)
	}
	return load(t, sandbox.Container, fmt.Sprintf(`
version: 1
source: {url: "file://%s", name: "x-{time}.dump", time: 20060102T150405Z, time_tolerance: 200000h}
restore: {%s}
expectations: {roles: [postgres], restore: {errors: 2}, tables: [{table: public.t, row_count: {min: 1}}]}
`, store, restore))
}

// checkNamed is a check of a report; the zero one where there is none.
func checkNamed(r *verdict.Report, id string) verdict.Check {
	i := slices.IndexFunc(r.Checks, func(c verdict.Check) bool { return c.ID == id })
	if i < 0 {
		return verdict.Check{}
	}
	return r.Checks[i]
}

// A rehearsal says what the later server refuses, and which versions change.
func TestAnUpgradeRehearsal(t *testing.T) {
	t.Parallel()
	testneed.Image(t, "postgres:15")
	testneed.Image(t, "postgres:18")
	source := pgtest.Container(t, "postgres:15")
	source.Exec("postgres", "CREATE DATABASE up TEMPLATE template0 ENCODING 'UTF8' LOCALE 'en_US.utf8'")
	source.Exec("up", `CREATE EXTENSION pgcrypto; CREATE TABLE t (id int, word varchar); INSERT INTO t VALUES (1, 'a');
		CREATE VIEW removed AS SELECT buffers_backend FROM pg_stat_bgwriter; CREATE VIEW stays AS SELECT 1 AS one`)
	r := run(t, t.Context(), drillInto(t, source.Dump("-Fc", "up"), "into: 18"))
	if r.Outcome != verdict.Warn {
		t.Errorf("%s\n%s", r.Outcome, worst(r))
	}
	for id, want := range map[string]string{
		"upgrade:extensions": "pgcrypto 1.3, here 1.4",
		"upgrade:collations": "libc 2.36, here 2.4",
		"upgrade:refused":    "2 errors",
	} {
		if c := checkNamed(r, id); !strings.HasPrefix(c.Observed, want) {
			t.Errorf("%s: %+v, want %s", id, c, want)
		}
	}
	if c := checkNamed(r, "upgrade:refused"); !strings.Contains(c.Message, "VIEW removed") || strings.Contains(c.Message, "stays") {
		t.Errorf("%+v", c)
	}
}

// Where the wanted version cannot be had, or makes no sense, nothing is said of
// the backup, and the message says what to get or write.
func TestVersionsThatCannotBeRestoredInto(t *testing.T) {
	t.Parallel()
	testneed.Image(t, "postgres:15")
	testneed.Image(t, "postgres:17")
	source := pgtest.Container(t, "postgres:15")
	source.Exec("postgres", "CREATE TABLE t (id int); INSERT INTO t VALUES (1)")
	custom, plain := source.Dump("-Fc", "postgres"), source.Dump("-Fp", "postgres")
	version, _, _ := strings.Cut(source.Query("postgres", "SHOW server_version"), " ")
	later := []byte("29" + version[2:])
	for name, c := range map[string]struct {
		dump    []byte
		restore string
		code    verdict.Code
		words   string
	}{
		"an older one":          {custom, "into: 14", verdict.CodeSpec, "restore.into: 15 or a later version"},
		"one without an image":  {custom, "into: 16", verdict.CodeSandbox, "go tool mage image 16"},
		"newer than all images": {bytes.ReplaceAll(custom, []byte(version), later), "jobs: 1", verdict.CodeSandbox, "postgres:29"},
		"the same in plain":     {bytes.ReplaceAll(plain, []byte(version), later), "jobs: 1", verdict.CodeSandbox, "postgres:29"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := run(t, t.Context(), drillInto(t, c.dump, c.restore))
			i := slices.IndexFunc(r.Stages, func(s verdict.Stage) bool { return s.Name == verdict.StageSandbox })
			if s := r.Stages[i]; r.Outcome != verdict.Error || s.Code != c.code || !strings.Contains(s.Message+s.Hint, c.words) {
				t.Errorf("%s: %+v\n%s", r.Outcome, s, worst(r))
			}
		})
	}
}
