package catalog

import (
	"net/http"
	"testing"

	"daybefore/internal/catalog/storetest"
	"daybefore/internal/verdict"
)

// TestBucketsTellWhatIsNotThere: half an upload and what was deleted are told,
// if they are newer than the newest.
func TestBucketsTellWhatIsNotThere(t *testing.T) {
	t.Parallel()
	server := storetest.S3(t)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(server.Version(t.Context(), true))
	for _, name := range []string{"20", "21", "23"} {
		must(server.Put(t.Context(), "nightly/shop-202611"+name+"T030000Z.dump", []byte(name)))
	}
	must(server.Delete(t.Context(), "nightly/shop-20261120T030000Z.dump"))
	must(server.Delete(t.Context(), "nightly/shop-20261123T030000Z.dump"))
	must(server.Begin(t.Context(), "nightly/shop-20261119T030000Z.dump", []byte("old")))
	must(server.Begin(t.Context(), "nightly/shop-20261122T030000Z.dump", []byte("half")))
	must(server.Begin(t.Context(), "nightly/blog-20261122T030000Z.dump", []byte("another's")))
	store := openServer(t, server, "nightly/")
	b, err := Choose(t.Context(), store, timed("shop-{time}.dump"), nil)
	if err != nil || b.Name != "shop-20261121T030000Z.dump" || len(b.Unfinished) != 2 {
		t.Fatalf("%s beside %+v, %v", b.Name, b.Unfinished, err)
	}
	up, gone := b.Unfinished[0], b.Unfinished[1]
	if up.Name != "shop-20261122T030000Z.dump" || !up.Upload || up.Since.IsZero() {
		t.Errorf("half an upload: %+v", up)
	}
	if gone.Name != "shop-20261123T030000Z.dump" || !gone.Deleted || gone.Since.IsZero() {
		t.Errorf("what was deleted: %+v", gone)
	}
}

// TestArchiveTiers: what must be brought back first is told before it is read.
func TestArchiveTiers(t *testing.T) {
	t.Parallel()
	server := storetest.S3(t)
	if err := server.Put(t.Context(), "shop-20261121T030000Z.dump", []byte("x")); err != nil {
		t.Fatal(err)
	}
	for restored, says := range map[string]string{
		"":                       "from which nothing can be read at once",
		`ongoing-request="true"`: "is being brought back",
		`ongoing-request="false", expiry-date="Fri, 21 Dec 2029 00:00:00 GMT"`: "",
	} {
		frozen := server.Behind(t, func(r *http.Response) error {
			if r.Request.Method == http.MethodHead {
				r.Header.Set("X-Amz-Storage-Class", "DEEP_ARCHIVE")
				if restored != "" {
					r.Header.Set("X-Amz-Restore", restored)
				}
			}
			return edit(`<StorageClass>STANDARD</StorageClass>`, `<StorageClass>DEEP_ARCHIVE</StorageClass>`)(r)
		})
		_, err := Choose(t.Context(), openServer(t, frozen, ""), timed("shop-{time}.dump"), nil)
		if says == "" {
			if err != nil {
				t.Errorf("brought back: %v", err)
			}
			continue
		}
		wantProblem(t, err, verdict.Error, verdict.CodeFetch, "archive tier DEEP_ARCHIVE", says)
	}
}
