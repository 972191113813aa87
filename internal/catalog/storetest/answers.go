package storetest

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"testing"
)

// Behind is the server as it is seen through a proxy that changes its answers:
// one that lies, as caches and gateways do. It ends with the test.
func (s *Server) Behind(t testing.TB, change func(*http.Response) error) *Server {
	t.Helper()
	target, err := url.Parse(s.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	// Requests are signed for the host that was asked, which SetURL leaves as it is.
	proxy := &httputil.ReverseProxy{ModifyResponse: change, Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = r.In.Host
	}}
	front := httptest.NewServer(proxy)
	t.Cleanup(front.Close)
	behind := *s
	behind.Endpoint = front.URL
	return &behind
}

// Body reads an answer's body, and lets it be read again.
func Body(r *http.Response) ([]byte, error) {
	b, err := io.ReadAll(r.Body)
	if err == nil {
		SetBody(r, b)
	}
	return b, err
}

// SetBody gives an answer another body.
func SetBody(r *http.Response, b []byte) {
	r.Body = io.NopCloser(bytes.NewReader(b))
	r.ContentLength = int64(len(b))
	r.Header.Set("Content-Length", strconv.Itoa(len(b)))
}
