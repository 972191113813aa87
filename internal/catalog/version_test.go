package catalog

import (
	"strings"
	"testing"
	"time"

	"daybefore/internal/catalog/storetest"
	"daybefore/internal/verdict"
)

// An object of the same bytes, or of others with the same ETag, is another if
// it was put there at another time or is another version.
func TestVersionOf(t *testing.T) {
	t.Parallel()
	server := storetest.S3(t)
	if err := server.Version(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	store := openServer(t, server, "")
	put := func(text string) (Object, string) {
		t.Helper()
		if err := server.Put(t.Context(), "x", []byte(text)); err != nil {
			t.Fatal(err)
		}
		o := list(t, store, "x", false)["x"]
		v, err := VersionOf(t.Context(), store, o)
		if err != nil {
			t.Fatal(err)
		}
		return o, v
	}
	first, version := put("good")
	if again, err := VersionOf(t.Context(), store, first); err != nil || again != version {
		t.Errorf("untouched, it is another: %q, %q, %v", version, again, err)
	}
	taken, id, found := strings.Cut(version, " ")
	if at, err := time.Parse(time.RFC3339Nano, taken); !found || id == "" || err != nil || at.IsZero() {
		t.Errorf("%q tells no time and version", version)
	}
	second, other := put("good") // the same bytes, as two dumps of one MD5 would be
	if second.ETag != first.ETag || other == version {
		t.Errorf("ETags %s and %s, versions %q and %q", first.ETag, second.ETag, version, other)
	}
	if err := server.Put(t.Context(), "x", []byte("evil")); err != nil {
		t.Fatal(err)
	}
	_, err := VersionOf(t.Context(), store, first)
	wantProblem(t, err, verdict.Error, verdict.CodeChangedMeanwhile, "the object was replaced")
	if v, err := VersionOf(t.Context(), openDir(t, t.TempDir()), first); v != "" || err != nil {
		t.Errorf("of a folder: %q, %v", v, err)
	}
}
