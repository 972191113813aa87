package bench

import (
	"bytes"
	"strings"
	"testing"
)

func TestFilterIsJudgedByItsBenchmarks(t *testing.T) {
	t.Parallel()
	const output = `goos: linux
BenchmarkTransform/digest-2  8180362   %DIGEST% ns/op
BenchmarkTransform/email-2   6453716   160 ns/op   0 B/op   0 allocs/op
BenchmarkTransform/name-16   6453716   180.5 ns/op   0 B/op   0 allocs/op
BenchmarkWatch/copied-2      10   1000 ns/op
BenchmarkWatch/watched       10   1900 ns/op
BenchmarkDocument/valid-2    10   1000 ns/op   177.37 MB/s
BenchmarkDocument/keep-2     10   500 ns/op
BenchmarkDocument/redact-2   10   719 ns/op
BenchmarkDocument/watch-2    10   9000 ns/op
BenchmarkEscaped/valid-2     10   1000 ns/op
BenchmarkEscaped/keep-2      10   9000 ns/op
BenchmarkEscaped/redact-2    10   9000 ns/op
BenchmarkContacts/valid-2    10   1000 ns/op
BenchmarkContacts/keep-2     10   9000 ns/op
BenchmarkContacts/redact-2   10   9000 ns/op
PASS
`
	for hmac, want := range map[string][]string{
		"150": nil,
		"50":  {"a keyed e-mail / a bare digest 3.20 (limit 3.00)", "a realistic name / a bare digest 3.61 (limit 3.00)"},
	} {
		all := map[string][]float64{}
		if err := parseBenchmarks(strings.NewReader(strings.ReplaceAll(output, "%DIGEST%", hmac)), all); err != nil {
			t.Fatal(err)
		}
		var table bytes.Buffer
		broken, err := printFilter(&table, all)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Join(broken, ";") != strings.Join(want, ";") || strings.Contains(table.String(), "BROKEN") != (want != nil) {
			t.Errorf("%s: %q\n%s", hmac, broken, &table)
		}
	}
	if _, err := printFilter(&bytes.Buffer{}, map[string][]float64{"Transform/email": {1}}); err == nil {
		t.Error("a benchmark that did not run was not missed")
	}
}
