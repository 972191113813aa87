package catalog

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/crypto/blake2b"

	"daybefore/internal/catalog/storetest"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// TestMain takes away whatever credentials the caller's shell has.
func TestMain(m *testing.M) {
	for _, kv := range os.Environ() {
		if name, _, _ := strings.Cut(kv, "="); strings.HasPrefix(name, "AWS_") {
			os.Unsetenv(name)
		}
	}
	os.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	os.Setenv("AWS_CONFIG_FILE", os.DevNull)
	os.Setenv("AWS_SHARED_CREDENTIALS_FILE", os.DevNull)
	os.Exit(m.Run())
}

// quick gives up at once where a connection breaks. One that is silent is
// waited for, since on a loaded machine the server may be.
var quick = retryPolicy{tries: 4, first: time.Millisecond, max: 10 * time.Millisecond, stall: 2 * time.Minute}

// notWaiting is for connections that are silent on purpose.
func (p retryPolicy) notWaiting(stall time.Duration) retryPolicy {
	p.stall = stall
	return p
}

// fixture is a store under test and the means to change what it holds.
type fixture struct {
	store  Store
	loose  bool // whoever reads cannot know which version that is: a program's
	put    func(t *testing.T, name string, data []byte)
	remove func(t *testing.T, name string)
}

func (f fixture) putAll(t *testing.T, names ...string) {
	t.Helper()
	for _, n := range names {
		f.put(t, n, []byte(n))
	}
}

// implementations is every kind of store; each call gives an empty one.
var implementations = map[string]func(t *testing.T) fixture{
	"file":             newFileFixture,
	"s3":               func(t *testing.T) fixture { return newS3Fixture(t, "") },
	"s3 with a prefix": func(t *testing.T) fixture { return newS3Fixture(t, "nightly/db 1") },

	"https":                func(t *testing.T) fixture { return newWebFixture(t, true) },
	"https without ranges": func(t *testing.T) fixture { return newWebFixture(t, false) },
	"sftp":                 newSFTPFixture,
	"exec":                 newExecFixture,
	"gs":                   func(t *testing.T) fixture { return newGSFixture(t, "") },
	"gs with a prefix":     func(t *testing.T) fixture { return newGSFixture(t, "nightly/db 1") },
}

// ofPins are the tests of what a program's store cannot promise.
var ofPins = []string{"pins the version", "says when an object is gone", "says when the object changes midway"}

func newFileFixture(t *testing.T) fixture {
	dir := t.TempDir()
	return inFolder(t, dir, spec.Source{URL: "file://" + dir})
}

// inFolder is a store of what lies in a folder, however it is reached. What is
// written there has a time of its own, by which some places tell versions.
func inFolder(t *testing.T, dir string, src spec.Source) fixture {
	t.Helper()
	store, err := Open(t.Context(), src)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	var written atomic.Int64
	began := time.Now().Add(-30 * time.Minute)
	return fixture{
		store: store,
		put: func(t *testing.T, name string, data []byte) {
			path := filepath.Join(dir, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, data, 0o644); err != nil {
				t.Fatal(err)
			}
			at := began.Add(time.Duration(written.Add(1)) * time.Second)
			if err := os.Chtimes(path, at, at); err != nil {
				t.Fatal(err)
			}
		},
		remove: func(t *testing.T, name string) {
			if err := os.Remove(filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		},
	}
}

func newS3Fixture(t *testing.T, prefix string) fixture {
	server := storetest.S3(t)
	if prefix != "" {
		if err := server.Put(t.Context(), "elsewhere.dump", []byte("not below the prefix")); err != nil {
			t.Fatal(err)
		}
	}
	key := func(name string) string { return strings.TrimPrefix(prefix+"/"+name, "/") }
	return fixture{
		store: openServer(t, server, prefix),
		put: func(t *testing.T, name string, data []byte) {
			if err := server.Put(t.Context(), key(name), data); err != nil {
				t.Fatal(err)
			}
		},
		remove: func(t *testing.T, name string) {
			if err := server.Delete(t.Context(), key(name)); err != nil {
				t.Fatal(err)
			}
		},
	}
}

func serverSource(s *storetest.Server, prefix string) spec.Source {
	return spec.Source{URL: "s3://" + s.Bucket + "/" + strings.ReplaceAll(prefix, " ", "%20"), Endpoint: s.Endpoint, Region: s.Region, PathStyle: true}
}

func withKeys(access, secret string) loadOption {
	return config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider(access, secret, ""))
}

func openServer(t *testing.T, s *storetest.Server, prefix string) Store {
	t.Helper()
	src := serverSource(s, prefix)
	u, err := parseURL(src.URL)
	if err != nil {
		t.Fatal(err)
	}
	store, err := openS3(t.Context(), src, u, withKeys(s.AccessKey, s.SecretKey))
	if err != nil {
		t.Fatal(err)
	}
	store.policy = quick
	t.Cleanup(func() { store.Close() })
	return store
}

// noise is data of which every part can be told from every other.
func noise(size int) []byte {
	data := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(data)
	return data
}

func list(t *testing.T, s Store, prefix string, deep bool) map[string]Object {
	t.Helper()
	all := map[string]Object{}
	for o, err := range s.List(t.Context(), prefix, deep) {
		if err != nil {
			t.Fatal(err)
		}
		if _, twice := all[o.Name]; twice {
			t.Errorf("%s was listed twice", o.Name)
		}
		all[o.Name], err = exact(t.Context(), s, o)
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func names(all map[string]Object) []string {
	var n []string
	for name := range all {
		n = append(n, name)
	}
	slices.Sort(n)
	return n
}

func wantNames(t *testing.T, got map[string]Object, want ...string) {
	t.Helper()
	if !slices.Equal(names(got), want) {
		t.Errorf("listed %q, want %q", names(got), want)
	}
}

func read(t *testing.T, s Store, o Object, offset, length int64) ([]byte, error) {
	t.Helper()
	r, err := s.ReadRange(t.Context(), o, offset, length)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// wantProblem ends the test unless err is a Problem of that outcome and code
// whose text holds every part.
func wantProblem(t *testing.T, err error, outcome verdict.Outcome, code verdict.Code, parts ...string) {
	t.Helper()
	var p *verdict.Problem
	if !errors.As(err, &p) {
		t.Fatalf("want a Problem %s %s, got %v", outcome, code, err)
	}
	if p.Outcome != outcome || p.Code != code {
		t.Fatalf("want %s %s, got %s %s: %v", outcome, code, p.Outcome, p.Code, err)
	}
	if p.Hint == "" {
		t.Errorf("%s has no hint: %v", code, err)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error does not say %q: %v", part, err)
		}
	}
}

func TestStore(t *testing.T) {
	t.Parallel()
	tests := map[string]func(t *testing.T, f fixture){
		"lists its own folder, or all below":      testList,
		"lists more than a page":                  testManyObjects,
		"lists what an early break leaves":        testBreak,
		"reads ranges":                            testRanges,
		"pins the version":                        testPin,
		"says when an object is gone":             testGone,
		"stops with its context":                  testContext,
		"keeps odd names":                         testOddNames,
		"chooses the newest by name":              testChooseByName,
		"chooses the newest in folders":           testChooseInFolders,
		"chooses the newest by header":            testChooseByHeader,
		"passes over no folder":                   testFolders,
		"takes directories and parts as one":      testSets,
		"reads the sums of many":                  testSums,
		"says what is there when nothing matches": testNoBackup,
		"says what nearly matches":                testNearBackup,
		"tells two of one day apart":              testSameTime,
		"tells two of one second apart":           testSameSecond,
		"fetches":                                 testFetch,
		"tells what lies beside":                  testBeside,
		"honors side files":                       testSideFiles,
		"says when the object changes midway":     testChangesMidway,
		"reads a record":                          testRecord,
	}
	for kind, open := range implementations {
		for name, run := range tests {
			t.Run(kind+"/"+name, func(t *testing.T) {
				t.Parallel()
				f := open(t)
				if f.loose && slices.Contains(ofPins, name) {
					return
				}
				run(t, f)
			})
		}
	}
}

func testList(t *testing.T, f fixture) {
	wantNames(t, list(t, f.store, "", true))
	f.putAll(t, "a-1.dump", "a-2.dump", "b.dump", "a-sub/x.dump", "sub/deeper/y.dump")
	wantNames(t, list(t, f.store, "", false), "a-1.dump", "a-2.dump", "a-sub", "b.dump", "sub")
	wantNames(t, list(t, f.store, "a-", false), "a-1.dump", "a-2.dump", "a-sub")
	for name, o := range list(t, f.store, "", false) {
		if (o.Not == Folder) != strings.HasSuffix(name, "sub") || o.Not != "" && o.Not != Folder {
			t.Errorf("listed %+v", o)
		}
	}
	wantNames(t, list(t, f.store, "", true), "a-1.dump", "a-2.dump", "a-sub/x.dump", "b.dump", "sub/deeper/y.dump")
	wantNames(t, list(t, f.store, "sub/d", true), "sub/deeper/y.dump")
	wantNames(t, list(t, f.store, "none", true))
	o := list(t, f.store, "b", false)["b.dump"]
	if o.Size != int64(len("b.dump")) || o.ETag == "" || strings.Contains(o.ETag, `"`) || time.Since(o.ModTime) > time.Hour {
		t.Errorf("listed %+v", o)
	}
	if !strings.HasSuffix(f.store.URL(), "/") {
		t.Errorf("URL %q has no slash at its end", f.store.URL())
	}
}

func testManyObjects(t *testing.T, f fixture) {
	const many = 1203 // a page of S3 has 1000
	for i := range many {
		f.put(t, fmt.Sprintf("shop-%05d.dump", i), nil)
	}
	if got := len(list(t, f.store, "shop-", false)); got != many {
		t.Errorf("listed %d of %d objects", got, many)
	}
}

func testBreak(t *testing.T, f fixture) {
	f.putAll(t, "a", "b", "c")
	seen := 0
	for range f.store.List(t.Context(), "", false) {
		seen++
		break
	}
	if seen != 1 {
		t.Errorf("saw %d objects", seen)
	}
}

func testRanges(t *testing.T, f fixture) {
	data := noise(100_000)
	f.put(t, "x", data)
	o := list(t, f.store, "x", false)["x"]
	for _, r := range [][2]int64{{0, 100_000}, {0, 1}, {1, 1}, {99_999, 1}, {50_000, 50_000}, {7, 70_000}, {0, 0}, {100_000, 0}} {
		got, err := read(t, f.store, o, r[0], r[1])
		if err != nil || !bytes.Equal(got, data[r[0]:r[0]+r[1]]) {
			t.Errorf("range %v: %d bytes, %v; want other bytes", r, len(got), err)
		}
	}
	f.put(t, "empty", nil)
	if got, err := read(t, f.store, list(t, f.store, "empty", false)["empty"], 0, 0); err != nil || len(got) != 0 {
		t.Errorf("the empty object: %q, %v", got, err)
	}
}

func testPin(t *testing.T, f fixture) {
	f.put(t, "x", []byte("the first version"))
	o := list(t, f.store, "x", false)["x"]
	f.put(t, "x", []byte("the other version")) // as long as the first
	for _, offset := range []int64{0, 4} {
		got, err := read(t, f.store, o, offset, 5)
		if err == nil {
			t.Fatalf("read %q of another version", got)
		}
		wantProblem(t, err, verdict.Error, verdict.CodeChangedMeanwhile, f.store.URL()+"x", "replaced")
	}
	o = list(t, f.store, "x", false)["x"]
	if got, err := read(t, f.store, o, 0, 3); err != nil || string(got) != "the" {
		t.Errorf("the new version: %q, %v", got, err)
	}
}

func testGone(t *testing.T, f fixture) {
	f.put(t, "x", []byte("x"))
	o := list(t, f.store, "x", false)["x"]
	f.remove(t, "x")
	_, err := read(t, f.store, o, 0, 1)
	wantProblem(t, err, verdict.Error, verdict.CodeChangedMeanwhile, "x")
}

func testContext(t *testing.T, f fixture) {
	f.put(t, "x", noise(1000))
	o := list(t, f.store, "x", false)["x"]
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := f.store.ReadRange(ctx, o, 0, 1000)
	wantCanceled(t, err)
	for _, err := range f.store.List(ctx, "", true) {
		wantCanceled(t, err)
	}
	_, err = Fetch(ctx, f.store, Backup{Object: o}, FetchOptions{Dir: t.TempDir()})
	wantCanceled(t, err)
	_, err = Choose(ctx, f.store, spec.Source{Name: "x"}, nil)
	wantCanceled(t, err)
}

func wantCanceled(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, context.Canceled) || isProblem(err) {
		t.Errorf("want a plain error that wraps context.Canceled, got %v", err)
	}
}

func testOddNames(t *testing.T, f fixture) {
	odd := []string{"a b.dump", "a+b&c=d.dump", "ä-€.dump", "100%.dump", "q?x#y.dump", "[1]{2}.dump"}
	f.putAll(t, odd...)
	slices.Sort(odd)
	all := list(t, f.store, "", false)
	wantNames(t, all, odd...)
	for name, o := range all {
		if got, err := read(t, f.store, o, 0, o.Size); err != nil || string(got) != name {
			t.Errorf("%q holds %q, %v", name, got, err)
		}
	}
}

// named are the names of the backups, in their order.
func named(all []Entry) string {
	var names []string
	for _, e := range all {
		names = append(names, e.Name)
	}
	return strings.Join(names, " ")
}

func timed(name string) spec.Source { return spec.Source{Name: name, TimeLayout: "20060102T150405Z"} }

func testChooseByName(t *testing.T, f fixture) {
	f.putAll(t, "shop-20261120T030000Z.dump", "shop-20261119T030000Z.dump", "blog-20261121T030000Z.dump",
		"shop-20261121T030000Z.dump.sha256", "shop-20261121T030000Z.dump.part", "shop-latest.dump", "shop-20261122T030000Z.json")
	f.put(t, "shop-20261120T040000Z.dump", nil) // broken, and the newest
	f.put(t, "shop-20261118T030000Z.dump", []byte("old, but written last"))
	b, err := Choose(t.Context(), f.store, timed("shop-{time}.dump"), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := time.Date(2026, 11, 20, 4, 0, 0, 0, time.UTC)
	if b.Name != "shop-20261120T040000Z.dump" || b.Size != 0 || !b.TakenAt.Equal(want) || b.TakenAt.Location() != time.UTC || b.TimeFrom != FromName ||
		named(b.All) != "shop-20261120T040000Z.dump shop-20261120T030000Z.dump shop-20261119T030000Z.dump shop-20261118T030000Z.dump" || b.ETag == "" {
		t.Errorf("chose %+v", b)
	}

	f.putAll(t, "shop-20261199T000000Z.dump", "shop-1.dump")
	_, err = Choose(t.Context(), f.store, timed("shop-{time}.dump"), nil)
	wantProblem(t, err, verdict.Error, verdict.CodeSpec, `"shop-20261199T000000Z.dump"`, `"shop-1.dump"`, "20060102T150405Z", f.store.URL())
}

func testChooseInFolders(t *testing.T, f fixture) {
	f.putAll(t, "2026/11/20/shop.dump", "2026/11/21/shop.dump", "2026/11/21/x/shop.dump", "2026/11/22/blog.dump", "shop.dump", "notes/xi/shop/shop.dump")
	b, err := Choose(t.Context(), f.store, spec.Source{Name: "{time}/shop.dump", TimeLayout: "2006/01/02"}, nil)
	if err != nil || b.Name != "2026/11/21/shop.dump" {
		t.Errorf("chose %+v, %v", b, err)
	}
	b, err = Choose(t.Context(), f.store, spec.Source{Name: "*/*/{time}/blog.dump", TimeLayout: "02"}, nil)
	if err != nil || b.Name != "2026/11/22/blog.dump" {
		t.Errorf("chose %+v, %v", b, err)
	}
}

// testFolders: a backup in pg_dump's directory format is not passed over for
// an older file, nor is it nothing.
func testFolders(t *testing.T, f fixture) {
	const isFolder = "is a directory that holds no archive of pg_dump -Fd"
	f.putAll(t, "shop-20261121T030000Z.dump/x", "old/a/2026.dump/x", "logs/x")
	_, err := Choose(t.Context(), f.store, timed("shop-{time}.dump"), nil)
	wantProblem(t, err, verdict.Error, verdict.CodeUnsupported, "shop-20261121T030000Z.dump", isFolder)
	_, err = Choose(t.Context(), f.store, timed("blog-{time}.dump"), nil)
	wantProblem(t, err, verdict.Fail, verdict.CodeNoBackup, `"shop-20261121T030000Z.dump" (a directory)`)

	f.put(t, "shop-20261120T030000Z.dump", []byte("2026-11-20 03:00:00"))
	f.put(t, "old/a/2025.dump", []byte("2025-11-21 03:00:00"))
	for _, src := range []spec.Source{
		timed("shop-{time}.dump"), {Name: "*.dump"},
		{Name: "old/*/{time}.dump", TimeLayout: "2006"}, {Name: "old/*/*.dump"},
	} {
		_, err := Choose(t.Context(), f.store, src, textHeader)
		wantProblem(t, err, verdict.Error, verdict.CodeUnsupported, isFolder)
	}

	f.put(t, "shop-20261122T030000Z.dump", []byte("2026-11-22 03:00:00"))
	f.put(t, "l2026.txt", []byte("2026-11-22 03:00:00"))
	f.putAll(t, "l12x.txt/x")
	for name, src := range map[string]spec.Source{
		"an older folder":                    timed("shop-{time}.dump"),
		"a folder that is anybody's":         {Name: "l*"},
		"a folder whose name tells no time":  {Name: "l{time}.txt", TimeLayout: "2006"},
		"a folder above the backup's folder": {Name: "old/*/2025.dump"},
	} {
		if b, err := Choose(t.Context(), f.store, src, textHeader); err != nil || b.Not != "" {
			t.Errorf("%s: %+v, %v", name, b, err)
		}
	}
}

// textHeader reads a time from a backup that begins with one.
func textHeader(r io.Reader) (time.Time, error) {
	text := make([]byte, len(time.DateTime))
	if _, err := io.ReadFull(r, text); err != nil {
		return time.Time{}, fmt.Errorf("found %q: %w", text, err)
	}
	return time.Parse(time.DateTime, string(text))
}

func testChooseByHeader(t *testing.T, f fixture) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	src := spec.Source{Name: "*.dump", Location: berlin}
	for i := range 20 {
		f.put(t, fmt.Sprintf("%02d.dump", i), fmt.Appendf(nil, "2026-11-%02d 03:00:00%s", i+1, noise(100_000)))
	}
	f.put(t, "00.dump", []byte("2026-11-21 03:00:00")) // written last, named first
	b, err := Choose(t.Context(), f.store, src, textHeader)
	if err != nil {
		t.Fatal(err)
	}
	if want := time.Date(2026, 11, 21, 2, 0, 0, 0, time.UTC); b.Name != "00.dump" || !b.TakenAt.Equal(want) || b.TimeFrom != FromHeader ||
		!strings.HasPrefix(named(b.All), "00.dump 19.dump 18.dump ") || len(b.All) != 20 {
		t.Errorf("chose %+v", b)
	}

	f.put(t, "05.dump", []byte("garbage"))
	_, err = Choose(t.Context(), f.store, src, textHeader)
	wantProblem(t, err, verdict.Fail, verdict.CodeNotAnArchive, f.store.URL()+"05.dump", "garbage")
	f.put(t, "05.dump", nil)
	_, err = Choose(t.Context(), f.store, src, textHeader)
	wantProblem(t, err, verdict.Fail, verdict.CodeNotAnArchive, "05.dump")

	b, err = Choose(t.Context(), f.store, spec.Source{Name: "01.dump"}, textHeader)
	if want := time.Date(2026, 11, 2, 3, 0, 0, 0, time.UTC); err != nil || !b.TakenAt.Equal(want) || b.TimeFrom != FromHeader {
		t.Errorf("of a single one: %+v, %v", b, err)
	}
}

func testNoBackup(t *testing.T, f fixture) {
	_, err := Choose(t.Context(), f.store, timed("shop-{time}.dump"), nil)
	wantProblem(t, err, verdict.Fail, verdict.CodeNoBackup, f.store.URL(), "no file at all")
	f.putAll(t, "blog-1.dump", "blog-2.dump", "blog-3.dump", "blog-4.dump")
	_, err = Choose(t.Context(), f.store, timed("shop-{time}.dump"), nil)
	wantProblem(t, err, verdict.Fail, verdict.CodeNoBackup, `"blog-2.dump"`, "shop-{time}.dump", "…")
	_, err = Choose(t.Context(), f.store, spec.Source{Name: "shop*"}, textHeader)
	wantProblem(t, err, verdict.Fail, verdict.CodeNoBackup, `"blog-2.dump"`)
}

func sum(data []byte) string { return fmt.Sprintf("%x", sha256.Sum256(data)) }

func fetch(t *testing.T, s Store, name string, o FetchOptions) (Spooled, error) {
	t.Helper()
	object, ok := list(t, s, name, false)[name]
	if !ok {
		t.Fatalf("%s is not listed", name)
	}
	if o.policy == (retryPolicy{}) {
		o.policy = quick
	}
	got, err := Fetch(t.Context(), s, Backup{Object: object}, o)
	if got.Doubt != nil && (err != nil || os.Remove(got.Path) != nil) {
		t.Errorf("beside the doubt %v: %+v, %v", got.Doubt, got, err)
	}
	return got, cmp.Or(err, got.Doubt)
}

func testFetch(t *testing.T, f fixture) {
	const part = 64 << 10
	for _, size := range []int{0, 1, part - 1, part, part + 1, 10*part + 17} {
		data := noise(size)
		f.put(t, "x", data)
		var last int64
		dir := t.TempDir()
		got, err := fetch(t, f.store, "x", FetchOptions{Dir: dir, PartSize: part, Parallel: 3, Progress: func(done, total int64) {
			if done <= last || total != int64(size) {
				t.Errorf("progress %d of %d after %d", done, total, last)
			}
			last = done
		}})
		if err != nil {
			t.Fatal(err)
		}
		bytesGot, err := os.ReadFile(got.Path)
		if err != nil || !bytes.Equal(bytesGot, data) {
			t.Errorf("size %d: the spool holds other bytes (%v)", size, err)
		}
		if got.SHA256 != sum(data) || got.Size != int64(size) || got.ChecksumVerified || last != int64(size) {
			t.Errorf("size %d: %+v, progress ended at %d", size, got, last)
		}
		if info, err := os.Stat(got.Path); err != nil || info.Mode() != 0o600 || filepath.Dir(got.Path) != dir {
			t.Errorf("the spool is %v, %v", info, err)
		}
	}
}

func testSideFiles(t *testing.T, f fixture) {
	data := noise(1000)
	f.put(t, "x.dump", data)
	o := FetchOptions{Dir: t.TempDir(), Checksum: ChecksumRequired}
	_, err := fetch(t, f.store, "x.dump", o)
	wantProblem(t, err, verdict.Fail, verdict.CodeChecksum, "required", "x.dump.sha256")

	f.put(t, "x.dump.sha256", []byte(strings.ToUpper(sum(data))+"  x.dump\n"))
	if got, err := fetch(t, f.store, "x.dump", o); err != nil || !got.ChecksumVerified {
		t.Errorf("%+v, %v", got, err)
	}
	f.put(t, "x.dump", append([]byte{data[0] ^ 1}, data[1:]...)) // a flipped bit
	_, err = fetch(t, f.store, "x.dump", FetchOptions{Dir: o.Dir})
	wantProblem(t, err, verdict.Fail, verdict.CodeChecksum, f.store.URL()+"x.dump", sum(data))
	f.put(t, "x.dump.sha256", nil)
	_, err = fetch(t, f.store, "x.dump", FetchOptions{Dir: o.Dir})
	wantProblem(t, err, verdict.Error, verdict.CodeChecksum, "x.dump.sha256", "it is empty")

	f.put(t, "sub/y.dump", data)
	f.put(t, "sub/y.dump.sha256sum", []byte(sum(data)))
	object := list(t, f.store, "sub/y", true)["sub/y.dump"]
	if got, err := Fetch(t.Context(), f.store, Backup{Object: object}, o); err != nil || !got.ChecksumVerified {
		t.Errorf("in a folder: %+v, %v", got, err)
	}
	wantFiles(t, o.Dir, 2)
}

// testBeside: what lies beside a backup is told as what it is. Only a sum of
// these very bytes says that they are damaged.
func testBeside(t *testing.T, f fixture) {
	inside := []byte(strings.Repeat("select 1;\n", 1000))
	gz, zst := packedBy(t, inside)
	other := sum(noise(7))
	for i, c := range []struct {
		name, side string // a suffix
		data       []byte
		text       string
		want       string // verified, unpacked, none: what is beside; or the outcome and a part of the message
	}{
		{"x.sql.gz", ".sha256", gz, sum(gz) + "  x.sql.gz", "verified"},
		{"x.sql.gz", ".sha256", gz, sum(inside) + "  x.sql", "unpacked"},
		{"x.sql.gz", ".sha256", gz, sum(inside), "unpacked"},
		{"x.sql.gz", ".sha256", append(slices.Clone(gz), 0, 0, 0), sum(inside) + "  x.sql", "unpacked"},
		{"x.sql.zst", ".sha256", append(slices.Clone(zst), 0, 0, 0), sum(inside) + "  x.sql", "unpacked"},
		{"x.sql.zst", ".sha256", zst, "SHA256 (x.sql) = " + sum(inside), "unpacked"},
		{"x.sql.gz", ".sha256", gz, other + "  x.sql", "fail of x.sql; unpacked, it has " + sum(inside)},
		{"x.sql.gz", ".sha256", gz[:len(gz)-9], sum(inside) + "  x.sql", "fail cannot be unpacked"},
		{"x.sql.gz", ".sha256", gz, other, "fail the file beside it says " + other},
		{"x.sql.gz", ".sha256", gz, other + "  x.sql.gz.tmp", "fail the file beside it says"},
		{"x.sql.gz", ".sha256", gz, other + "  -", "fail the file beside it says"},
		{"x.sql.gz", "<.sha256", gz, sum(inside) + "  x.sql", "unpacked"},
		{"x.sql.zst", "<.sha256sum", zst, sum(inside), "unpacked"},
		{"x.sql.gz", "<.sha256", gz, other + "  x.sql", "error what is in it has the SHA-256 " + sum(inside)},
		{"x.sql", ".sha256", inside, other + "  yesterday.sql", `error of another file, "yesterday.sql"`},
		{"x.sql", ".sha256", inside, sum(gz) + "  x.sql.gz", `error of another file, "x.sql.gz"`},
		{"x.sql", ".sha256", inside, sum(inside) + "  renamed.sql", "verified"},
		{"x.sql", ".SHA256", inside, sum(inside), "verified"},
		{"x.sql", ".sha256", inside, strings.Repeat("0a", 16) + "  x.sql", "fail its MD5 is "},
		{"x.sql", ".sha256", inside, "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n" + sum(inside), "error it is signed"},
		{"x.sql", ".sha256", inside, "\x89\x02\x33\x04\x00\x01\x08", "error it is binary"},
		{"x.sql", ".sha256", inside, strings.Repeat("a", maxSideFile+1), "error which no side file has"},
		{"x.sql", ".sha256", inside, "", "error still being written"},
		{"x.sql", ".sha256", inside, "<html>", "error line 1 is no sum"},
		{"x.sql", ".md5", inside, fmt.Sprintf("%X *x.sql\r\n", md5.Sum(inside)), "verified"},
		{"x.sql", ".sha1", inside, fmt.Sprintf("SHA1 (x.sql) = %x", sha1.Sum(inside)), "verified"},
		{"x.sql", ".sha512", inside, fmt.Sprintf("%x", sha512.Sum512(inside)), "verified"},
		{"x.sql", ".b2", inside, fmt.Sprintf("%x  x.sql", blake2b.Sum512(inside)), "verified"},
		{"x.sql", ".b2", inside, fmt.Sprintf("%x  x.sql", sha512.Sum512(inside)), "fail its BLAKE2b is "},
		{"x.sql.gz", ".md5", gz, fmt.Sprintf("%x", md5.Sum(inside)), "unpacked"},
		{"x.sql", "<.sha256", inside, sum(inside), "verified"},
		{"x.sql", "<.sha256", inside, other + "  x.sql", "fail the file beside it says"},
		{"x.sql", "<.sha256", inside, other, "error not of which file"},
		{"x.sql", "<.sha256", inside, other + "  x.pdf", "none x.sha256 (of another file)"},
		{"x.sql", ".b3", inside, "0", "none x.sql.b3 (a BLAKE3 sum)"},
		{"x.sql", ".sha256.asc", inside, "0", "none x.sql.sha256.asc (a signature)"},
		{"x.sql", ".sha512sum", inside, "0", "error line 1 is no sum"},
		{"x.sql", ".json", inside, "0", "none "},
	} {
		name := fmt.Sprintf("%02d-%s", i, c.name)
		f.put(t, name, c.data)
		beside := name + c.side
		if side, inner := strings.CutPrefix(c.side, "<"); inner {
			beside = strings.TrimSuffix(name, filepath.Ext(name)) + side
		}
		f.put(t, beside, []byte(strings.ReplaceAll(c.text, "  x.", fmt.Sprintf("  %02d-x.", i))))
		got, err := fetch(t, f.store, name, FetchOptions{Dir: t.TempDir()})
		if outcome, part, _ := strings.Cut(c.want, " "); outcome == "fail" || outcome == "error" {
			part = strings.Replace(part, "of x.", fmt.Sprintf("of %02d-x.", i), 1)
			part = strings.Replace(part, `"x.`, fmt.Sprintf(`"%02d-x.`, i), 1)
			wantProblem(t, err, verdict.Outcome(outcome), verdict.CodeChecksum, part)
			continue
		}
		said := "none " + strings.TrimPrefix(got.Unread, fmt.Sprintf("%02d-", i))
		if got.ChecksumVerified {
			said = "verified"
		} else if got.Unpacked {
			said = "unpacked"
		}
		if err != nil || said != c.want {
			t.Errorf("%s%s holding %.30q: %s, %v; want %s", c.name, c.side, c.text, said, err, c.want)
		}
	}
	f.put(t, "y.dump", inside)
	f.put(t, "y.dump.b3", []byte("0"))
	_, err := fetch(t, f.store, "y.dump", FetchOptions{Dir: t.TempDir(), Checksum: ChecksumRequired})
	wantProblem(t, err, verdict.Error, verdict.CodeChecksum, "only y.dump.b3 (a BLAKE3 sum)")
	f.putAll(t, "z.dump", "z.dump.sha256/sum")
	_, err = fetch(t, f.store, "z.dump", FetchOptions{Dir: t.TempDir()})
	wantProblem(t, err, verdict.Error, verdict.CodeChecksum, "it is a directory")
}

// packedBy gives data under gzip and under zstd.
func packedBy(t *testing.T, data []byte) (gz, zst []byte) {
	t.Helper()
	var g, z bytes.Buffer
	w := gzip.NewWriter(&g)
	e, err := zstd.NewWriter(&z)
	if err != nil {
		t.Fatal(err)
	}
	for _, to := range []io.WriteCloser{w, e} {
		if _, err := to.Write(data); err != nil {
			t.Fatal(err)
		}
		if err := to.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return g.Bytes(), z.Bytes()
}

// wantFiles looks whether failures left files behind.
func wantFiles(t *testing.T, dir string, want int) {
	t.Helper()
	found, err := os.ReadDir(dir)
	if err != nil || len(found) != want {
		t.Errorf("%d files are in the spool's directory, want %d (%v)", len(found), want, err)
	}
}

func testChangesMidway(t *testing.T, f fixture) {
	const part = 64 << 10
	data := noise(20 * part)
	f.put(t, "x", data)
	dir := t.TempDir()
	replaced := false
	_, err := fetch(t, f.store, "x", FetchOptions{Dir: dir, PartSize: part, Parallel: 1, Progress: func(done, _ int64) {
		if done > 5*part && !replaced {
			replaced = true
			f.put(t, "x", noise(21 * part)[part:])
		}
	}})
	wantProblem(t, err, verdict.Error, verdict.CodeChangedMeanwhile, f.store.URL()+"x")
	wantFiles(t, dir, 0)
}
