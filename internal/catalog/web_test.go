package catalog

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"daybefore/internal/catalog/storetest"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// answering is a web server of one handler.
func answering(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

func opened(t *testing.T, src spec.Source) Store {
	t.Helper()
	store, err := Open(t.Context(), src)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return store
}

// anyFile is a source of the one file that its URL names.
func anyFile(src spec.Source) spec.Source {
	src.Name = "*"
	return src
}

const shopTime = "2026-11-20 03:00:00"

var shopWritten = time.Date(2026, 11, 20, 3, 0, 0, 0, time.UTC)

func TestOneFileOfAWebServer(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data := append([]byte(shopTime), noise(300_000)...)
	for name, b := range map[string][]byte{"shop.dump": data, "shop.dump.sha256": []byte(sum(data)), "other.dump": data[1:]} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, ranges := range []bool{true, false} {
		src := anyFile(spec.Source{URL: storetest.StartWeb(t, dir, ranges).URL + "/shop.dump"})
		store := opened(t, src)
		b, err := Choose(t.Context(), store, src, textHeader)
		if err != nil || b.Name != "shop.dump" || b.Size != int64(len(data)) || b.ETag == "" || len(b.All) != 1 {
			t.Fatalf("chose %+v, %v", b, err)
		}
		got, err := Fetch(t.Context(), store, b, FetchOptions{Dir: t.TempDir(), Checksum: ChecksumRequired, PartSize: 64 << 10})
		if err != nil || !got.ChecksumVerified || got.SHA256 != sum(data) {
			t.Errorf("%+v, %v", got, err)
		}
	}
	src := anyFile(spec.Source{URL: storetest.StartWeb(t, dir, true).URL + "/none.dump"})
	_, err := Choose(t.Context(), opened(t, src), src, textHeader)
	wantProblem(t, err, verdict.Error, verdict.CodeStoreUnreachable, "/none.dump: the server answered 404")
	r, err := OpenRecord(t.Context(), spec.Source{URL: strings.Replace(src.URL, "none", "other", 1)}, "witness.url")
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
}

// A port that speaks plain HTTP is not taken for a server with a wrong certificate.
func TestHTTPSToAPlainPort(t *testing.T) {
	t.Parallel()
	server := answering(t, func(http.ResponseWriter, *http.Request) {})
	src := anyFile(spec.Source{URL: "https" + strings.TrimPrefix(server, "http") + "/shop.dump"})
	_, err := Choose(t.Context(), opened(t, src), src, textHeader)
	wantProblem(t, err, verdict.Error, verdict.CodeStoreUnreachable, "does not speak TLS")
}

// A connection that breaks is taken up at the same byte, with ranges and without.
func TestAWebServerThatBreaksOff(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data := noise(1 << 20)
	if err := os.WriteFile(filepath.Join(dir, "x"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, ranges := range []bool{true, false} {
		server := storetest.StartWeb(t, dir, ranges)
		store := opened(t, spec.Source{URL: server.URL + "/"})
		server.Cut(3, 200_000)
		got, err := fetch(t, store, "x", FetchOptions{Dir: t.TempDir(), PartSize: 512 << 10})
		if err != nil || got.SHA256 != sum(data) {
			t.Errorf("ranges %v: %+v, %v", ranges, got, err)
		}
		server.Cut(1000, 200_000)
		_, err = fetch(t, store, "x", FetchOptions{Dir: t.TempDir(), PartSize: 512 << 10, Parallel: 1})
		if !ranges { // each try begins at the first byte, and breaks at the same one
			wantProblem(t, err, verdict.Error, verdict.CodeFetch, "broke off")
		}
	}
}

func TestCredentialsOfWebServers(t *testing.T) {
	t.Setenv("DRILL_TOKEN", "t0ken-of-the-store")
	t.Setenv("DRILL_PASSWORD", "hunter2-hunter2")
	var asked []string
	guarded := func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Header.Get("Authorization"))
		user, password, _ := r.BasicAuth()
		if r.Header.Get("Authorization") != "Bearer t0ken-of-the-store" && user+password != "mehunter2-hunter2" {
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		http.ServeContent(w, r, "x.dump", shopWritten, strings.NewReader(shopTime))
	}
	url := answering(t, guarded) + "/x.dump"
	for _, src := range []spec.Source{{URL: url, TokenEnv: "DRILL_TOKEN"}, {URL: url, User: "me", PasswordEnv: "DRILL_PASSWORD"}} {
		if b, err := Choose(t.Context(), opened(t, src), anyFile(src), textHeader); err != nil || b.Size != int64(len(shopTime)) {
			t.Errorf("%+v: %+v, %v", src, b, err)
		}
	}
	for _, src := range []spec.Source{{URL: url}, {URL: url, User: "you", PasswordEnv: "DRILL_PASSWORD"}} {
		_, err := Choose(t.Context(), opened(t, src), anyFile(src), textHeader)
		wantProblem(t, err, verdict.Error, verdict.CodeCredentialsRefused, "401 Unauthorized", "x.dump")
		if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the password is shown: %v", err)
		}
	}
	_, err := Open(t.Context(), spec.Source{URL: url, TokenEnv: "DRILL_NO_TOKEN"})
	wantProblem(t, err, verdict.Error, verdict.CodeCredentialsMissing, "DRILL_NO_TOKEN", "source.token_env")

	elsewhere := answering(t, guarded)
	leads := answering(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, strings.Replace(elsewhere, "127.0.0.1", "localhost", 1)+"/x.dump", http.StatusFound)
	})
	asked = nil
	src := spec.Source{URL: leads + "/x.dump", TokenEnv: "DRILL_TOKEN"}
	_, err = Choose(t.Context(), opened(t, src), anyFile(src), textHeader)
	wantProblem(t, err, verdict.Error, verdict.CodeCredentialsRefused)
	if len(asked) == 0 || strings.Join(asked, "") != "" {
		t.Errorf("another server was told the token: %q", asked)
	}
}

func TestPresigned(t *testing.T) {
	const key = "X-Amz-Signature=5ec4e7"
	url := answering(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || r.URL.RawQuery != key {
			http.Error(w, "no", http.StatusForbidden)
			return
		}
		if strings.HasSuffix(r.URL.Path, "none.dump") {
			http.NotFound(w, r)
			return
		}
		http.ServeContent(w, r, "", shopWritten, strings.NewReader(shopTime))
	})
	t.Setenv("DRILL_BACKUP_URL", url+"/b/shop.dump?"+key)
	src := anyFile(spec.Source{URLEnv: "DRILL_BACKUP_URL"})
	store := opened(t, src)
	b, err := Choose(t.Context(), store, src, textHeader)
	if err != nil || b.Name != "shop.dump" || store.URL() != url+"/b/" {
		t.Fatalf("chose %+v from %s, %v", b, store.URL(), err)
	}
	if _, err := Fetch(t.Context(), store, b, FetchOptions{Dir: t.TempDir()}); err != nil {
		t.Error(err)
	}
	t.Setenv("DRILL_BACKUP_URL", url+"/b/shop.dump?X-Amz-Signature=0ld")
	_, err = Choose(t.Context(), opened(t, src), src, textHeader)
	wantProblem(t, err, verdict.Error, verdict.CodeCredentialsRefused, "403 Forbidden")
	if strings.Contains(fmt.Sprint(err), "0ld") {
		t.Errorf("the key is shown: %v", err)
	}
	t.Setenv("DRILL_BACKUP_URL", url+"/b/none.dump?"+key)
	_, err = Choose(t.Context(), opened(t, src), src, textHeader)
	wantProblem(t, err, verdict.Error, verdict.CodeStoreUnreachable, "/b/none.dump: the server answered 404")
	if hint := verdict.AsProblem(err).Hint; !strings.Contains(hint, "source.url_env") || strings.Contains(err.Error(), key) {
		t.Errorf("%v; %s", err, hint)
	}
	t.Setenv("DRILL_BACKUP_URL", "http://127.0.0.1:1/shop.dump?"+key)
	_, err = Choose(t.Context(), opened(t, src), src, textHeader)
	wantProblem(t, err, verdict.Error, verdict.CodeStoreUnreachable, "connection refused")
	if strings.Contains(fmt.Sprint(err), "5ec4e7") {
		t.Errorf("the key is shown: %v", err)
	}
	t.Setenv("DRILL_BACKUP_URL", "ftp://x")
	_, err = Open(t.Context(), src)
	wantProblem(t, err, verdict.Error, verdict.CodeSpec, "DRILL_BACKUP_URL")
}

// What a web server may send instead of a list or of a file, and what that means.
func TestStrangeWebServers(t *testing.T) {
	t.Parallel()
	page := func(kind, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			fmt.Fprint(w, body)
		}
	}
	for name, tc := range map[string]struct {
		h    http.HandlerFunc
		src  spec.Source
		code verdict.Code
		says string
	}{
		"a login":       {page("text/html", `<title>Sign in</title><form></form>`), spec.Source{}, verdict.CodeNoBackup, "does not look like a list of files"},
		"no page":       {page("image/png", "\x89PNG"), spec.Source{}, verdict.CodeStoreUnreachable, "image/png"},
		"broken JSON":   {page("application/json", `[{"na`), spec.Source{}, verdict.CodeStoreUnreachable, "no list"},
		"no such thing": {http.NotFound, spec.Source{}, verdict.CodeStoreUnreachable, "404"},
		"names of nothing": {page("text/plain", "Error: the disk is not mounted\n"), spec.Source{Listing: "list.txt"}, verdict.CodeNoBackup,
			"may be names or anything else"},
		"a broken listing": {page("text/plain", "{"), spec.Source{Listing: "list.txt"}, verdict.CodeStoreUnreachable, "it is no list"},
		"a circle": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) }, spec.Source{},
			verdict.CodeStoreUnreachable, "leads on"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.src.URL = answering(t, tc.h) + "/"
			tc.src.Name, tc.src.TimeLayout = "shop-{time}.dump", "20060102T150405Z"
			_, err := Choose(t.Context(), opened(t, tc.src), tc.src, nil)
			wantProblem(t, err, verdict.Error, tc.code, tc.says, tc.src.URL)
		})
	}
}

// An answer without a length: its end is one only if the server says so.
func TestAnswersWithoutALength(t *testing.T) {
	t.Parallel()
	body := shopTime + strings.Repeat("x", 100_000)
	chunked := answering(t, func(w http.ResponseWriter, _ *http.Request) {
		for part := range len(body) / 1000 {
			fmt.Fprint(w, body[part*1000:min(len(body), part*1000+1000)])
			w.(http.Flusher).Flush()
		}
		fmt.Fprint(w, body[len(body)/1000*1000:])
	})
	src := anyFile(spec.Source{URL: chunked + "/x.dump"})
	store := opened(t, src)
	b, err := Choose(t.Context(), store, src, textHeader)
	if err != nil || b.Size != Unsized {
		t.Fatalf("chose %+v, %v", b, err)
	}
	if got, err := Fetch(t.Context(), store, b, FetchOptions{Dir: t.TempDir()}); err != nil || got.SHA256 != sum([]byte(body)) ||
		got.Size != int64(len(body)) {
		t.Errorf("%+v, %v", got, err)
	}

	for name, end := range map[string]func(http.ResponseWriter){
		"broken off": func(http.ResponseWriter) { panic(http.ErrAbortHandler) },
		"just closed": func(w http.ResponseWriter) {
			conn, buffered, err := w.(http.Hijacker).Hijack()
			if err == nil {
				fmt.Fprint(buffered, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"+body)
				buffered.Flush()
				conn.Close()
			}
		},
	} {
		cut := answering(t, func(w http.ResponseWriter, _ *http.Request) {
			if name == "broken off" {
				fmt.Fprint(w, body)
				w.(http.Flusher).Flush()
			}
			end(w)
		})
		store := opened(t, spec.Source{URL: cut + "/x.dump"})
		_, err := Fetch(t.Context(), store, Backup{Object: Object{Name: "x.dump", Size: Unsized}}, FetchOptions{Dir: t.TempDir(), policy: quick})
		if err == nil || outcome(err) != verdict.Error {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A file that lists the backups, in whatever form.
func TestListingFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"names.txt":                  "shop-20261119T030000Z.dump\nsub/x\n./shop-20261120T030000Z.dump\n",
		"full.txt":                   "shop-20261119T030000Z.dump 1 2026-11-20T03:00:00Z\nshop-20261120T030000Z.dump 999 2026-11-20T03:00:00Z\n",
		"list.json":                  `[{"name":"shop-20261119T030000Z.dump"},{"name":"shop-20261120T030000Z.dump","size":7}]`,
		"shop-20261119T030000Z.dump": "old", "shop-20261120T030000Z.dump": "new!",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	server := storetest.StartWeb(t, dir, true)
	for _, listing := range []string{"names.txt", "full.txt", "list.json"} {
		src := timed("shop-{time}.dump")
		src.URL, src.Listing = server.URL+"/", listing
		store := opened(t, src)
		b, err := Choose(t.Context(), store, src, nil)
		if err != nil || b.Name != "shop-20261120T030000Z.dump" || b.Size != 4 || len(b.All) != 2 {
			t.Fatalf("%s: chose %+v, %v", listing, b, err)
		}
		if got, err := Fetch(t.Context(), store, b, FetchOptions{Dir: t.TempDir()}); err != nil || got.SHA256 != sum([]byte("new!")) {
			t.Errorf("%s: %+v, %v", listing, got, err)
		}
	}
}

func TestACertificateOfNobody(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.FileServer(http.Dir(t.TempDir())))
	t.Cleanup(server.Close)
	src := timed("shop-{time}.dump")
	src.URL = server.URL + "/"
	_, err := Choose(t.Context(), opened(t, src), src, nil)
	wantProblem(t, err, verdict.Error, verdict.CodeHostKey, "does not prove who it is")
}
