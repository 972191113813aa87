package harness

import (
	"strings"
	"testing"
	"time"

	"daybefore/internal/history"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// What nothing in the store tells from another backup of its name may be another:
// equal names and sizes keep the gate shut, and the reason is said.
func TestObjectsOfNoVersion(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 20, 4, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		etag, version string
		opens         bool
	}{
		{"", "", false}, {"W/700-0", "", false}, {"W/0", "", false}, {"W/700-1700000000", "", true}, {"", "20261120T030000Z v1", true},
	} {
		b := verdict.Backup{Store: "exec:sh/", Name: "shop.dump", ETag: tc.etag, Version: tc.version, SizeBytes: 700}
		r := &verdict.Report{Drill: "shop", Backup: b, Outcome: verdict.Pass, StartedAt: at, FinishedAt: at}
		q := question{drill: &spec.Drill{Name: "shop"}, backup: b, at: at, within: time.Hour}
		why := q.refuse([]history.Kept{{Report: r, Proven: true}})
		if tc.opens != (why == "") || !tc.opens && !strings.Contains(why, "nothing in the store tells") {
			t.Errorf("%q %q: %s", tc.etag, tc.version, why)
		}
	}
}

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
		{"W/700-1", 700, 700, true}, {"5f3a-700", 700, 700, true}, {"W/1700000000", 700, 700, true},
	} {
		a := verdict.Backup{Name: "x", ETag: tc.etag, SizeBytes: tc.drilled}
		b := verdict.Backup{Name: "x", ETag: tc.etag, SizeBytes: tc.seen}
		if got := sameObject(a, b); got != tc.want {
			t.Errorf("%+v: %v", tc, got)
		}
	}
}
