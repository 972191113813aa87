package place

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// Nobody is led from a server that proves who it is to one that does not.
func TestNoRedirectToPlainText(t *testing.T) {
	t.Parallel()
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("backup")) }))
	t.Cleanup(plain.Close)
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, plain.URL+r.URL.Path, http.StatusFound)
	}))
	t.Cleanup(server.Close)
	u, err := url.Parse(server.URL + "/shop.dump")
	if err != nil {
		t.Fatal(err)
	}
	for _, insecure := range []bool{false, true} {
		s, err := OpenWeb(spec.Source{Insecure: insecure}, u)
		if err != nil {
			t.Fatal(err)
		}
		s.client.Transport = server.Client().Transport
		_, err = s.Stat(t.Context(), Object{Name: "shop.dump"})
		refused := err != nil && verdict.AsProblem(err).Code == verdict.CodeStoreUnreachable && strings.Contains(err.Error(), "not encrypted")
		if refused == insecure || insecure && err != nil {
			t.Errorf("insecure %v: %v", insecure, err)
		}
	}
	u.Scheme = "http"
	u.Host = "backups.example.com"
	_, err = OpenWeb(spec.Source{}, u)
	if err == nil || verdict.AsProblem(err).Code != verdict.CodeSpec {
		t.Errorf("plain http to another machine: %v", err)
	}
}
