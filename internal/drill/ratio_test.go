package drill_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"daybefore/internal/packed"
	"daybefore/internal/sandbox"
	"daybefore/internal/verdict"
)

// bomb is a plain dump under gzip that unpacks to more than the least bound.
func bomb(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := fmt.Fprintf(w, "--\n-- PostgreSQL database dump\n--\n\nCREATE TABLE public.t (a text);\n\nCOPY public.t (a) FROM stdin;\n%s\\.\n\n"+
		"--\n-- PostgreSQL database dump complete\n--\n", bytes.Repeat([]byte("aaaaaaaaaaaaaaa\n"), packed.LeastBound/16+1))
	if err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// What max_ratio forbids is not unpacked, neither to be restored nor for the sum
// of what is in it.
func TestTooMuchIsNotUnpacked(t *testing.T) {
	t.Parallel()
	dump := bomb(t)
	for name, c := range map[string]struct {
		beside string
		code   verdict.Code
		says   string
	}{
		"alone":                 {"", verdict.CodeMaxRatio, "unpack to more than 64 MiB"},
		"beside the sum inside": {strings.Repeat("0", 64) + "  a-20261128.sql\n", verdict.CodeChecksum, "which was not unpacked to its end"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := t.TempDir()
			for file, content := range map[string][]byte{"a-20261128.sql.gz": dump, "a-20261128.sql.gz.sha256": []byte(c.beside)} {
				if len(content) == 0 {
					continue
				}
				if err := os.WriteFile(filepath.Join(store, file), content, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			r := run(t, t.Context(), load(t, sandbox.Local, fmt.Sprintf(`
version: 1
source: {url: "file://%s", name: "a-{time}.sql.gz", time: "20060102", time_tolerance: 999999h, timezone: UTC, max_ratio: 1}
expectations:
  tables: [{table: public.t}]
%s`, store, allPasses)))
			told := false
			for _, s := range r.Stages {
				told = told || s.Outcome == verdict.Error && s.Code == c.code && strings.Contains(s.Message, c.says)
			}
			if r.Outcome != verdict.Error || !told {
				t.Errorf("%s\n%s", r.Outcome, worst(r))
			}
		})
	}
}
