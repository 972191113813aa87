package harness

import (
	"testing"

	"daybefore/internal/verdict"
)

// A size that is not known before the fetch keeps the gate shut, unless what
// marks the backup is the backup's alone.
func TestObjectsOfUnknownSize(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		etag          string
		drilled, seen int64
		want          bool
	}{
		{"20261120T030000Z_1a2b", 700, 0, true}, {"20261120T030000Z_1a2b", 700, 701, false}, {"", 700, 0, false}, {"W/-1-0", 700, 0, false},
		{"W/700-1", 700, 700, true}, {"", 700, 700, true},
	} {
		a := verdict.Backup{Name: "x", ETag: tc.etag, SizeBytes: tc.drilled}
		b := verdict.Backup{Name: "x", ETag: tc.etag, SizeBytes: tc.seen}
		if got := sameObject(a, b); got != tc.want {
			t.Errorf("%+v: %v", tc, got)
		}
	}
}
