package catalog

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"daybefore/internal/catalog/storetest"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// A store that nobody answers for is told as such, wherever it lies.
func TestPlacesThatDoNotAnswer(t *testing.T) {
	t.Parallel()
	server := storetest.StartSSHD(t)
	for _, src := range []spec.Source{
		{URL: "gs://bucket/", Endpoint: "http://127.0.0.1:1", Anonymous: true},
		{URL: "s3://bucket/", Endpoint: "http://127.0.0.1:1", Anonymous: true, PathStyle: true},
		{URL: "https://127.0.0.1:1/dir/"},
		{URL: "https://127.0.0.1:1/file"},
		{URL: "sftp://me@127.0.0.1:1/dir/", KeyFile: server.KeyFile, KnownHosts: server.KnownHosts},
	} {
		t.Run(src.URL, func(t *testing.T) {
			t.Parallel()
			src.Name = "x"
			_, err := Choose(t.Context(), opened(t, src), src, nil)
			wantProblem(t, err, verdict.Error, verdict.CodeStoreUnreachable, strings.TrimSuffix(src.URL, "file"), "connection refused")
			if twice := strings.Count(err.Error(), "list "); twice > 1 {
				t.Errorf("it says twice what was being done: %v", err)
			}
		})
	}
}

func TestCredentialsOfGoogle(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", "")
	src := spec.Source{URL: "gs://bucket/nightly", Name: "x"}
	_, err := Open(t.Context(), src)
	wantProblem(t, err, verdict.Error, verdict.CodeCredentialsMissing, "gs://bucket/nightly/", "no credentials were found")
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", filepath.Join(home, "none.json"))
	_, err = Open(t.Context(), src)
	wantProblem(t, err, verdict.Error, verdict.CodeCredentialsMissing, "none.json")
	file := filepath.Join(home, "key.json")
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", file)
	for _, text := range []string{"my secret", `{"type":"secret kind"}`, `{"type":"service_account","private_key":"secret"}`} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		store, err := Open(t.Context(), src)
		if err == nil { // the key is first looked at when it is used
			_, err = Choose(t.Context(), store, src, nil)
		}
		if err == nil || outcome(err) != verdict.Error || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", text, err)
		}
	}

	token := answering(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.FormValue("refresh_token"), "revoked") {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"error":"invalid_grant","error_description":"Token has been expired or revoked."}`)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"access_token":"t0ken","token_type":"Bearer","expires_in":3600}`)
	})
	api := answering(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer t0ken" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		fmt.Fprint(w, `{"kind":"storage#objects","items":[{"name":"nightly/x","size":"3","generation":"7"}]}`)
	})
	src.Endpoint = api
	for secret, want := range map[string]verdict.Code{"good": "", "revoked": verdict.CodeCredentialsRefused} {
		text := fmt.Sprintf(`{"type":"external_account_authorized_user","audience":"a","refresh_token":%q,"token_url":%q,"client_id":"i",
			"client_secret":"s","token_info_url":%[2]q}`, secret, token)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		store := opened(t, src)
		var got verdict.Code
		for _, err := range store.List(t.Context(), "", false) {
			if err != nil {
				got = verdict.AsProblem(err).Code
			}
		}
		if got != want {
			t.Errorf("%s: %s, want %s", secret, got, want)
		}
	}
}

// What a server of Google's API may answer, and what that means.
func TestStrangeBuckets(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		status int
		body   string
		code   verdict.Code
		says   string
	}{
		"denied":        {403, `{"error":{"code":403,"message":"me@x does not have storage.objects.list access"}}`, verdict.CodeCredentialsRefused, "does not have"},
		"no bucket":     {404, `{"error":{"message":"The specified bucket does not exist."}}`, verdict.CodeStoreUnreachable, "does not exist"},
		"no JSON":       {200, "<html>sign in</html>", verdict.CodeStoreUnreachable, "a proxy's page"},
		"another JSON":  {200, "{}", verdict.CodeStoreUnreachable, "a proxy's page"},
		"a strange key": {200, `{"kind":"storage#objects","items":[{"name":"x","size":"-3","generation":"7"}]}`, verdict.CodeStoreUnreachable, `size "-3"`},
		"no generation": {200, `{"kind":"storage#objects","items":[{"name":"x","size":"3"}]}`, verdict.CodeStoreUnreachable, "generation"},
		"a circle":      {200, `{"kind":"storage#objects","nextPageToken":"again"}`, verdict.CodeStoreUnreachable, "no end"},
		"broken":        {500, "oops", verdict.CodeStoreUnreachable, "500"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			endpoint := answering(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(tc.status)
				fmt.Fprint(w, tc.body)
			})
			src := spec.Source{URL: "gs://bucket/", Endpoint: endpoint, Anonymous: true, Name: "x"}
			_, err := Choose(t.Context(), opened(t, src), src, nil)
			wantProblem(t, err, verdict.Error, tc.code, tc.says, "gs://bucket/")
		})
	}
	for name, answer := range map[string]http.HandlerFunc{
		"no range": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, strings.Repeat("x", 100)) },
		"another range": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Range", "bytes 0-9/100")
			w.WriteHeader(http.StatusPartialContent)
			fmt.Fprint(w, strings.Repeat("x", 10))
		},
		"another version": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Goog-Generation", "8")
			http.ServeContent(w, r, "", shopWritten, strings.NewReader(strings.Repeat("x", 100)))
		},
	} {
		src := spec.Source{URL: "gs://bucket/", Endpoint: answering(t, answer), Anonymous: true}
		_, err := read(t, opened(t, src), Object{Name: "x", Size: 100, ETag: "7"}, 10, 20)
		if err == nil || outcome(err) != verdict.Error || !isProblem(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What is stored under gzip comes as it is stored.
func TestGoogleUnpacksNothing(t *testing.T) {
	t.Parallel()
	endpoint := answering(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "gzip" || r.URL.Query().Get("generation") != "7" {
			http.Error(w, "unpacked", http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Encoding", "gzip")
		http.ServeContent(w, r, "", shopWritten, strings.NewReader("\x1f\x8bno gzip at all"))
	})
	src := spec.Source{URL: "gs://bucket/", Endpoint: endpoint, Anonymous: true}
	got, err := read(t, opened(t, src), Object{Name: "x", Size: 16, ETag: "7"}, 0, 16)
	if err != nil || string(got) != "\x1f\x8bno gzip at all" {
		t.Errorf("%q, %v", got, err)
	}
}
