package catalog

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"daybefore/internal/catalog/storetest"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

func isList(r *http.Response) bool { return r.Request.URL.Query().Has("list-type") }

// edit changes the lists that the server answers with.
func edit(pattern, with string) func(*http.Response) error {
	re := regexp.MustCompile(pattern)
	return func(r *http.Response) error {
		if !isList(r) {
			return nil
		}
		b, err := storetest.Body(r)
		if err == nil {
			storetest.SetBody(r, re.ReplaceAll(b, []byte(with)))
		}
		return err
	}
}

// TestListsThatLie: a list that never ends, or does not say where it goes on,
// is an error at once, and neither the loss of backups nor a wait for the
// drill's time to run out.
func TestListsThatLie(t *testing.T) {
	t.Parallel()
	server := storetest.S3(t)
	for i := range 3 {
		if err := server.Put(t.Context(), fmt.Sprintf("shop-2026112%dT030000Z.dump", i), nil); err != nil {
			t.Fatal(err)
		}
	}
	const truncated = `<IsTruncated>true</IsTruncated>`
	var pages atomic.Int64
	for name, c := range map[string]struct {
		change func(*http.Response) error
		says   string
	}{
		"the same token again": {edit(`<IsTruncated>false</IsTruncated>`, truncated+`<NextContinuationToken>more</NextContinuationToken>`), "has no end"},
		"a new token each time": {func(r *http.Response) error {
			return edit(`<IsTruncated>false</IsTruncated>`, fmt.Sprintf("%s<NextContinuationToken>more%d</NextContinuationToken>", truncated, pages.Add(1)))(r)
		}, "has no end"},
		"no token":           {edit(`<IsTruncated>false</IsTruncated>`, truncated), "and not where"},
		"a size below zero":  {edit(`<Size>0</Size>`, `<Size>-5</Size>`), "listed with -5 bytes"},
		"no list":            {edit(`(?s).*`, `<html>502</html>`), ""},
		"a list that is cut": {edit(`(?s)</ListBucketResult>.*`, ``), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := openServer(t, server.Behind(t, c.change), "")
			b, err := Choose(t.Context(), store, timed("shop-{time}.dump"), nil)
			if err == nil {
				t.Fatalf("chose %q", b.Name)
			}
			wantProblem(t, err, verdict.Error, verdict.CodeStoreUnreachable, "s3://backups/", c.says)
		})
	}
}

// ranged changes the answers to reads of an object.
func ranged(change func(r *http.Response, b []byte)) func(*http.Response) error {
	return func(r *http.Response) error {
		if isList(r) || r.Request.Method != http.MethodGet || strings.HasSuffix(r.Request.URL.Path, ".sha256") {
			return nil
		}
		b, err := storetest.Body(r)
		if err == nil {
			change(r, b)
		}
		return err
	}
}

// TestRangesThatLie: bytes that were not asked for are never taken for the
// backup's, be there a sum or none.
func TestRangesThatLie(t *testing.T) {
	t.Parallel()
	server := storetest.S3(t)
	data := noise(300_000) // more than is read at once
	for name, b := range map[string][]byte{"x": data, "s": data, "s.sha256": []byte(sum(data) + "  s\n")} {
		if err := server.Put(t.Context(), name, b); err != nil {
			t.Fatal(err)
		}
	}
	for name, change := range map[string]func(r *http.Response, b []byte){
		"all of it, without a range": func(r *http.Response, _ []byte) {
			r.StatusCode = http.StatusOK
			r.Header.Del("Content-Range")
			storetest.SetBody(r, data)
		},
		"another range":    func(r *http.Response, _ []byte) { r.Header.Set("Content-Range", "bytes 7-65542/300000") },
		"another end":      func(r *http.Response, _ []byte) { r.Header.Set("Content-Range", "bytes 0-9/300000") },
		"another length":   func(r *http.Response, b []byte) { storetest.SetBody(r, b[:100]) },
		"another total":    func(r *http.Response, _ []byte) { r.Header.Set("Content-Range", "bytes 0-65535/70000") },
		"another version":  func(r *http.Response, _ []byte) { r.Header.Set("ETag", `"`+strings.Repeat("0", 32)+`"`) },
		"no range, no end": func(r *http.Response, b []byte) { r.Header.Del("Content-Range") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := openServer(t, server.Behind(t, ranged(change)), "")
			for _, object := range []string{"x", "s"} {
				dir := t.TempDir()
				got, err := fetch(t, store, object, FetchOptions{Dir: dir, PartSize: 64 << 10, Parallel: 1})
				if err == nil {
					t.Fatalf("fetched %+v", got)
				}
				if p := verdict.AsProblem(err); p.Outcome != verdict.Error || p.Code != verdict.CodeFetch && p.Code != verdict.CodeChangedMeanwhile {
					t.Errorf("%s: %s %s: %v", object, p.Outcome, p.Code, err)
				}
				wantFiles(t, dir, 0)
			}
		})
	}
}

// TestOtherBytes: what came on a way that changes bytes says nothing of the
// backup; what the store itself holds does.
func TestOtherBytes(t *testing.T) {
	t.Parallel()
	server := storetest.S3(t)
	data := noise(300_000) // more than is read at once
	for name, b := range map[string][]byte{"x": data, "s": data, "s.sha256": []byte(sum(data))} {
		if err := server.Put(t.Context(), name, b); err != nil {
			t.Fatal(err)
		}
	}
	store := openServer(t, server.Behind(t, ranged(func(r *http.Response, b []byte) {
		if len(b) > 0 {
			b = bytes.Clone(b)
			b[0] ^= 1
		}
		storetest.SetBody(r, b)
	})), "")
	_, err := fetch(t, store, "s", FetchOptions{Dir: t.TempDir()})
	wantProblem(t, err, verdict.Error, verdict.CodeFetch, "s3://backups/s", "not those that the store says it holds")
	_, err = fetch(t, store, "x", FetchOptions{Dir: t.TempDir()})
	wantProblem(t, err, verdict.Error, verdict.CodeFetch, "s3://backups/x", "not those that the store was given")
	object := list(t, store, "x", false)["x"]
	other := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(other, data[1:], 0o600); err != nil {
		t.Fatal(err)
	}
	wantProblem(t, AsStored(t.Context(), store, object, other), verdict.Error, verdict.CodeFetch, object.ETag)
	wantProblem(t, HeaderAsStored(t.Context(), store, object), verdict.Error, verdict.CodeFetch, object.ETag)
	_, err = Choose(t.Context(), store, spec.Source{Name: "x"}, textHeader)
	wantProblem(t, err, verdict.Error, verdict.CodeFetch, object.ETag)
	straight := openServer(t, server, "")
	got, err := fetch(t, straight, "x", FetchOptions{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if err := AsStored(t.Context(), straight, object, got.Path); err != nil {
		t.Errorf("the bytes as they are stored: %v", err)
	}
}

// TestSideFilesThatLie: a side file of an impossible size is an error.
func TestSideFilesThatLie(t *testing.T) {
	t.Parallel()
	server := storetest.S3(t)
	data := noise(1000)
	for name, b := range map[string][]byte{"x": data, "x.sha256": []byte(sum(data) + "  x\n")} {
		if err := server.Put(t.Context(), name, b); err != nil {
			t.Fatal(err)
		}
	}
	for name, size := range map[string]string{"gigabytes": "5368709120", "below zero": "-1", "more than it has": "70", "less than it has": "10", "none": "0"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := openServer(t, server.Behind(t, edit(`<Size>68</Size>`, "<Size>"+size+"</Size>")), "")
			object := Object{}
			for o, err := range store.List(t.Context(), "x", false) {
				if err == nil && o.Name == "x" {
					object = o
				}
			}
			got, err := Fetch(t.Context(), store, Backup{Object: object}, FetchOptions{Dir: t.TempDir(), policy: quick})
			err = cmp.Or(err, got.Doubt)
			if err == nil || verdict.AsProblem(err).Outcome != verdict.Error || verdict.AsProblem(err).Hint == "" {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}

var errNoHeader = verdict.Errorf(verdict.CodeSpec, "put {time} into source.name", "the header tells no time")

// testSameTime: two backups whose names tell the same time are told apart by
// their headers, or not at all.
func testSameTime(t *testing.T, f fixture) {
	daily := spec.Source{Name: "shop-{time}*.dump", TimeLayout: "2006-01-02", Location: time.UTC}
	f.put(t, "shop-2026-11-28.a.dump", []byte("2026-11-28 15:00:00"))
	f.put(t, "shop-2026-11-28.b.dump", []byte("2026-11-28 03:00:00"))
	f.put(t, "shop-2026-11-27.dump", []byte("not looked into"))
	b, err := Choose(t.Context(), f.store, daily, textHeader)
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC)
	if b.Name != "shop-2026-11-28.a.dump" || !b.TakenAt.Equal(begin) || !b.Until.Equal(begin.AddDate(0, 0, 1)) || b.TimeFrom != FromName ||
		named(b.All) != "shop-2026-11-28.a.dump shop-2026-11-28.b.dump shop-2026-11-27.dump" {
		t.Errorf("chose %+v", b)
	}
	both := []string{`"shop-2026-11-28.a.dump"`, `"shop-2026-11-28.b.dump"`, "the same day"}
	_, err = Choose(t.Context(), f.store, daily, nil)
	wantProblem(t, err, verdict.Error, verdict.CodeSpec, both...)
	f.put(t, "shop-2026-11-28.b.dump", []byte("2026-11-28 15:00:00"))
	_, err = Choose(t.Context(), f.store, daily, textHeader)
	wantProblem(t, err, verdict.Error, verdict.CodeSpec, append(both, "the same second")...)
	f.put(t, "shop-2026-11-28.b.dump", []byte("cut"))
	_, err = Choose(t.Context(), f.store, daily, textHeader)
	wantProblem(t, err, verdict.Fail, verdict.CodeNotAnArchive, "shop-2026-11-28.b.dump")
}

// A second that several names tell is no better told than a day.
func testSameSecond(t *testing.T, f fixture) {
	f.put(t, "shop-20261128T030000Z.dump", []byte("2026-11-28 03:00:00"))
	f.put(t, "blog-20261128T030000Z.dump", []byte("2026-11-28 03:00:01"))
	b, err := Choose(t.Context(), f.store, timed("*-{time}.dump"), textHeader)
	if err != nil || b.Name != "blog-20261128T030000Z.dump" || !b.Until.Equal(b.TakenAt) {
		t.Errorf("chose %+v, %v", b, err)
	}
	_, err = Choose(t.Context(), f.store, timed("*-{time}.dump"), func(r io.Reader) (time.Time, error) { return time.Time{}, errNoHeader })
	wantProblem(t, err, verdict.Error, verdict.CodeSpec, `"blog-20261128T030000Z.dump" and "shop-20261128T030000Z.dump"`, "a plain dump does not say")
}
