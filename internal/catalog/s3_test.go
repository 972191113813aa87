package catalog

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"daybefore/internal/catalog/storetest"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// firstError lists the store that src names, and returns what went wrong.
func firstError(t *testing.T, src spec.Source, opts ...loadOption) error {
	t.Helper()
	u, err := parseURL(src.URL)
	if err != nil {
		return err
	}
	store, err := openS3(t.Context(), src, u, opts...)
	if err != nil {
		return err
	}
	defer store.Close()
	store.policy = quick
	for _, err := range store.List(t.Context(), "", true) {
		if err != nil {
			return err
		}
	}
	return nil
}

func wantNoSecret(t *testing.T, err error, secrets ...string) {
	t.Helper()
	text := err.Error() + verdict.AsProblem(err).Hint
	for _, s := range secrets {
		if strings.Contains(text, s) {
			t.Errorf("the error holds a credential: %s", text)
		}
	}
}

func TestS3Refusals(t *testing.T) {
	t.Parallel()
	server := storetest.S3(t)
	const otherKey, otherSecret = "AKNOSUCHKEY000000000", "not-the-secret-of-this-store-0000000000"

	t.Run("wrong secret", func(t *testing.T) {
		err := firstError(t, serverSource(server, ""), withKeys(server.AccessKey, otherSecret))
		wantProblem(t, err, verdict.Error, verdict.CodeCredentialsRefused, "s3://backups/", "SignatureDoesNotMatch")
		wantNoSecret(t, err, server.AccessKey, server.SecretKey, otherSecret)
	})
	t.Run("unknown key", func(t *testing.T) {
		err := firstError(t, serverSource(server, ""), withKeys(otherKey, otherSecret))
		wantProblem(t, err, verdict.Error, verdict.CodeCredentialsRefused, "No user exists")
		wantNoSecret(t, err, otherKey, otherSecret)
	})
	t.Run("no credentials", func(t *testing.T) {
		err := firstError(t, serverSource(server, ""))
		wantProblem(t, err, verdict.Error, verdict.CodeCredentialsMissing, "s3://backups/")
		if hint := verdict.AsProblem(err).Hint; !strings.Contains(hint, "AWS_SECRET_ACCESS_KEY") || !strings.Contains(hint, "source.anonymous") {
			t.Errorf("the hint does not say what to set: %s", hint)
		}
	})
	t.Run("anonymous, not public", func(t *testing.T) {
		src := serverSource(server, "")
		src.Anonymous = true
		err := firstError(t, src)
		wantProblem(t, err, verdict.Error, verdict.CodeCredentialsRefused)
		if hint := verdict.AsProblem(err).Hint; !strings.Contains(hint, "source.anonymous") {
			t.Errorf("hint: %s", hint)
		}
	})
	t.Run("no such bucket", func(t *testing.T) {
		src := serverSource(server, "")
		src.URL = "s3://no-such-bucket/nightly/"
		err := firstError(t, src, withKeys(server.AccessKey, server.SecretKey))
		wantProblem(t, err, verdict.Error, verdict.CodeStoreUnreachable, "s3://no-such-bucket/nightly/", "NoSuchBucket")
	})
	t.Run("other region", func(t *testing.T) {
		src := serverSource(server, "")
		src.Region = "eu-central-1"
		err := firstError(t, src, withKeys(server.AccessKey, server.SecretKey))
		wantProblem(t, err, verdict.Error, verdict.CodeSpec)
		if hint := verdict.AsProblem(err).Hint; !strings.Contains(hint, "source.region") {
			t.Errorf("hint: %s", hint)
		}
	})
	t.Run("no region of a history beside a folder", func(t *testing.T) {
		wrong := serverSource(server, "")
		wrong.Region = "eu-central-1"
		u, err := parseURL(wrong.URL)
		if err != nil {
			t.Fatal(err)
		}
		store, err := openS3(t.Context(), wrong, u, withKeys(server.AccessKey, server.SecretKey))
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		_, err = (&Shelf{store: store, key: "history", noKeys: true, listed: map[string]Object{}}).Names(t.Context(), "")
		wantProblem(t, err, verdict.Error, verdict.CodeSpec)
		if hint := verdict.AsProblem(err).Hint; strings.Contains(hint, "source.") || !strings.Contains(hint, "AWS_REGION") {
			t.Errorf("hint: %s", hint)
		}
		src := serverSource(server, "")
		src.NoKeys, src.Region = true, "eu-central-1"
		shelf, err := OpenShelf(t.Context(), src)
		if err == nil {
			t.Fatal("opened without keys")
		}
		wantProblem(t, err, verdict.Error, verdict.CodeCredentialsMissing)
		if hint := verdict.AsProblem(err).Hint; strings.Contains(hint, "source.") || !strings.Contains(hint, "AWS_SECRET_ACCESS_KEY") {
			t.Errorf("hint: %s, %v", hint, shelf)
		}
		if got := hintFor(regionHint, "history", "", true); got != "set AWS_REGION to the bucket's own region" {
			t.Errorf("hint: %s", got)
		}
	})
	t.Run("a page in the place of another", func(t *testing.T) {
		source := serverSource(server, "pages/")
		u, err := parseURL(source.URL)
		if err != nil {
			t.Fatal(err)
		}
		store, err := openS3(t.Context(), source, u, withKeys(server.AccessKey, server.SecretKey))
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		shelf := &Shelf{store: store, key: "runbook.copy_to", listed: map[string]Object{}}
		for _, text := range []string{"one", "two"} {
			err := shelf.Replace(t.Context(), "shop/RECOVERY.md", []byte(text))
			if err == nil {
				_, err = shelf.Names(t.Context(), "")
			}
			if got, unread := shelf.Get(t.Context(), "shop/RECOVERY.md", 9); err != nil || unread != nil || string(got) != text {
				t.Errorf("%q stands there, %v, %v", got, err, unread)
			}
		}
		if err := shelf.Put(t.Context(), "shop/RECOVERY.md", nil); !errors.Is(err, fs.ErrExist) {
			t.Errorf("a report took its place: %v", err)
		}
	})
	t.Run("no region", func(t *testing.T) {
		err := firstError(t, spec.Source{URL: "s3://backups/"}, withKeys(server.AccessKey, server.SecretKey))
		wantProblem(t, err, verdict.Error, verdict.CodeSpec, "region")
	})
}

func TestS3Anonymous(t *testing.T) {
	t.Parallel()
	server := storetest.S3(t)
	if err := errors.Join(server.Put(t.Context(), "x", []byte("public")), server.Publish(t.Context())); err != nil {
		t.Fatal(err)
	}
	src := serverSource(server, "")
	src.Anonymous = true
	store, err := Open(t.Context(), src)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if got, err := read(t, store, list(t, store, "", false)["x"], 0, 6); err != nil || string(got) != "public" {
		t.Errorf("read %q, %v", got, err)
	}
}

func TestS3Unreachable(t *testing.T) {
	t.Parallel()
	const nobodys = "http://127.0.0.1:1" // a port found free may be another's a moment later
	err := firstError(t, spec.Source{URL: "s3://backups/", Endpoint: nobodys, PathStyle: true}, withKeys("AKEXAMPLE", "secret-of-nobody"))
	wantProblem(t, err, verdict.Error, verdict.CodeStoreUnreachable, "s3://backups/", "connection refused")
	wantNoSecret(t, err, "AKEXAMPLE", "secret-of-nobody")
}

// TestNoList: what answers but is no S3 server is never taken for an empty
// bucket. No real S3 server shows this fault.
func TestNoList(t *testing.T) {
	t.Parallel()
	for _, page := range []string{"", "<html><body>please log in</body></html>", "please log in", "{}"} {
		portal := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, page) }))
		err := firstError(t, spec.Source{URL: "s3://backups/", Endpoint: portal.URL, PathStyle: true, Anonymous: true})
		portal.Close()
		if err == nil {
			t.Errorf("%q was taken for an empty bucket", page)
			continue
		}
		wantProblem(t, err, verdict.Error, verdict.CodeStoreUnreachable, "s3://backups/")
		t.Log(err)
	}
}

// TestMetadataAddress: without credentials nobody is asked for some, unless the
// machine is one of Amazon's.
func TestMetadataAddress(t *testing.T) {
	if onEC2() {
		t.Skip("this machine is one of Amazon's")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var asked atomic.Int32
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			asked.Add(1)
			conn.Close()
		}
	}()
	t.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://"+l.Addr().String())
	for disabled, want := range map[string]bool{"": false, "true": false, "false": true} {
		asked.Store(0)
		t.Setenv("AWS_EC2_METADATA_DISABLED", disabled)
		err := firstError(t, spec.Source{URL: "s3://backups/", Region: "eu-central-1"})
		wantProblem(t, err, verdict.Error, verdict.CodeCredentialsMissing)
		if got := asked.Load() > 0; got != want {
			t.Errorf("AWS_EC2_METADATA_DISABLED=%q: asked is %v, want %v", disabled, got, want)
		}
	}
}

// TestEnvironment uses the store as a user does: credentials in the environment.
func TestEnvironment(t *testing.T) {
	server := storetest.S3(t)
	for _, kv := range server.Environ() {
		name, value, _ := strings.Cut(kv, "=")
		t.Setenv(name, value)
	}
	store, err := Open(t.Context(), serverSource(server, "nightly"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	wantNames(t, list(t, store, "", true))
	t.Setenv("AWS_PROFILE", "no-such-profile")
	_, err = Open(t.Context(), serverSource(server, "nightly"))
	wantProblem(t, err, verdict.Error, verdict.CodeCredentialsMissing, "no-such-profile")
	wantNoSecret(t, err, server.AccessKey, server.SecretKey)
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	const secret = "hunter2hunter2"
	for _, src := range []spec.Source{
		{URL: "s3://AKEXAMPLE:" + secret + "@bucket/"},
		{URL: "s3://bucket/?secret=" + secret},
		{URL: "s3://bucket/#" + secret},
		{URL: "s3://bucket:" + secret + "%zz/"},
		{URL: "s3:///prefix/"},
		{URL: "s3://bucket/", Endpoint: "https://me:" + secret + "@s3.example.com"},
		{URL: "s3://bucket/", Endpoint: "s3.example.com"},
		{URL: "ftp://example.com/"},
		{URL: "file://example.com/dir/"},
		{URL: "file://"},
		{URL: "/dir"},
		{},
	} {
		store, err := Open(t.Context(), src)
		wantProblem(t, err, verdict.Error, verdict.CodeSpec)
		if store != nil { // a nil pointer in it would be closed by whoever opened it
			t.Errorf("%s: there is a store beside the error", src.URL)
		}
		wantNoSecret(t, err, secret)
	}
}

// faultyFetch fetches 40 parts while the server's way is broken by hurt.
func faultyFetch(t *testing.T, hurt func(*storetest.Server)) (server *storetest.Server, data []byte, got Spooled, dir string, err error) {
	t.Helper()
	server = storetest.S3(t)
	data = noise(10 << 20)
	if err := server.Put(t.Context(), "x", data); err != nil {
		t.Fatal(err)
	}
	store := openServer(t, server, "")
	object := list(t, store, "x", false)["x"]
	hurt(server)
	dir = t.TempDir()
	got, err = Fetch(t.Context(), store, Backup{Object: object},
		FetchOptions{Dir: dir, PartSize: 256 << 10, Parallel: 3, policy: quick.notWaiting(2 * time.Second)})
	return server, data, got, dir, err
}

func TestResume(t *testing.T) {
	t.Parallel()
	for name, hurt := range map[string]func(*storetest.Server){
		"broken connections":    func(s *storetest.Server) { s.Cut(20, 100_001) },
		"silent connections":    func(s *storetest.Server) { s.Silence(3, 150_000) },
		"broken before a byte":  func(s *storetest.Server) { s.Cut(2, 0) },
		"broken in the headers": func(s *storetest.Server) { s.Cut(2, 50) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, data, got, _, err := faultyFetch(t, hurt)
			if err != nil {
				t.Fatal(err)
			}
			spooled, err := os.ReadFile(got.Path)
			if err != nil || !bytes.Equal(spooled, data) || got.SHA256 != sum(data) {
				t.Errorf("the spool holds other bytes (%v)", err)
			}
			if left := server.FaultsLeft(); left != 0 {
				t.Errorf("%d faults were not met: the test shows less than it says", left)
			}
		})
	}
}

func TestBrokenForGood(t *testing.T) {
	t.Parallel()
	server := storetest.S3(t)
	if err := server.Put(t.Context(), "x", noise(10<<20)); err != nil {
		t.Fatal(err)
	}
	store := openServer(t, server, "")
	object := list(t, store, "x", false)["x"]
	dir := t.TempDir()
	_, err := Fetch(t.Context(), store, Backup{Object: object}, FetchOptions{Dir: dir, PartSize: 256 << 10, policy: quick,
		Progress: func(int64, int64) { server.Cut(1_000_000, 0) }})
	wantProblem(t, err, verdict.Error, verdict.CodeFetch, "s3://backups/x", "broke off at byte", "4 tries")
	wantFiles(t, dir, 0)
}

// TestListBroken: a list that breaks off is never taken for the whole list.
func TestListBroken(t *testing.T) {
	t.Parallel()
	server := storetest.S3(t)
	for _, name := range []string{"shop-1", "shop-2"} {
		if err := server.Put(t.Context(), name, nil); err != nil {
			t.Fatal(err)
		}
	}
	for _, after := range []int64{0, 50, 500} { // before the headers, within, and within the body
		store := openServer(t, server, "")
		server.Cut(1_000_000, after)
		b, err := Choose(t.Context(), store, spec.Source{Name: "shop-{time}", TimeLayout: "2"}, nil)
		if err == nil {
			t.Fatalf("cut after %d bytes: chose %q", after, b.Name)
		}
		wantProblem(t, err, verdict.Error, verdict.CodeStoreUnreachable, "s3://backups/")
		server.Cut(0, 0)
	}
}

// TestStalledForGood: a store that falls silent does not hang the drill.
func TestStalledForGood(t *testing.T) {
	t.Parallel()
	server := storetest.S3(t)
	if err := server.Put(t.Context(), "x", noise(1000)); err != nil {
		t.Fatal(err)
	}
	store := openServer(t, server, "")
	object := list(t, store, "x", false)["x"]
	for _, after := range []int64{0, 30} { // before the headers, and within
		server.Silence(1_000_000, after)
		r := newResumed(t.Context(), store, object, 0, object.Size, quick.notWaiting(500*time.Millisecond))
		_, err := io.ReadAll(r)
		wantProblem(t, err, verdict.Error, verdict.CodeFetch, "byte 0 of 1000", "fell silent")
		r.Close()
	}
}

// TestHeaderBroken: trouble on the way is no finding about the backup.
func TestHeaderBroken(t *testing.T) {
	t.Parallel()
	server := storetest.S3(t)
	if err := server.Put(t.Context(), "x.dump", []byte("2026-11-21 03:00:00 and more")); err != nil {
		t.Fatal(err)
	}
	store := openServer(t, server, "")
	object := list(t, store, "", false)["x.dump"]
	server.Cut(1_000_000, 0)
	_, err := peekOne(t.Context(), impatient{store}, object, func(r io.Reader) (time.Time, error) {
		_, err := textHeader(r)
		return time.Time{}, verdict.Failf(verdict.CodeNotAnArchive, "", "as a peek might say that sees no more than an end: %v", err)
	}, "")
	if outcome(err) != verdict.Error {
		t.Errorf("want an error, got %v", err)
	}
}

// impatient makes the first trouble a Problem, so that a test need not outwait
// the tries.
type impatient struct{ Store }

func (s impatient) ReadRange(ctx context.Context, o Object, offset, length int64) (io.ReadCloser, error) {
	r, err := s.Store.ReadRange(ctx, o, offset, length)
	if err != nil && !isProblem(err) {
		err = verdict.Errorf(verdict.CodeFetch, "wait", "%w", err)
	}
	return r, err
}

// TestCancelMidway: the spool is gone, and the end is no Problem.
func TestCancelMidway(t *testing.T) {
	t.Parallel()
	server := storetest.S3(t)
	if err := server.Put(t.Context(), "x", noise(5<<20)); err != nil {
		t.Fatal(err)
	}
	store := openServer(t, server, "")
	object := list(t, store, "x", false)["x"]
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	_, err := Fetch(ctx, store, Backup{Object: object}, FetchOptions{Dir: dir, PartSize: 256 << 10, Progress: func(done, _ int64) {
		if done > 1<<20 {
			cancel()
		}
	}})
	wantCanceled(t, err)
	wantFiles(t, dir, 0)
}

// TestMemory: a quarter of a gigabyte passes through a few megabytes.
func TestMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it moves 256 MB")
	}
	const size, limit = 256 << 20, 32 << 20
	defer debug.SetGCPercent(debug.SetGCPercent(100)) // dev:test sets another
	server := storetest.S3(t)
	if err := server.Put(t.Context(), "x", make([]byte, size)); err != nil {
		t.Fatal(err)
	}
	store := openServer(t, server, "")
	object := list(t, store, "x", false)["x"]
	runtime.GC()
	var before, now runtime.MemStats
	runtime.ReadMemStats(&before)
	var peak uint64
	began := time.Now()
	_, err := Fetch(t.Context(), store, Backup{Object: object}, FetchOptions{Dir: t.TempDir(), Progress: func(done, _ int64) {
		if done%(8<<20) < 64<<10 {
			runtime.ReadMemStats(&now)
			peak = max(peak, now.HeapInuse)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d MB in %v, heap %d MB at most", size>>20, time.Since(began).Round(time.Millisecond), peak>>20)
	if peak > before.HeapInuse+limit {
		t.Errorf("the heap grew from %d to %d bytes", before.HeapInuse, peak)
	}
}
