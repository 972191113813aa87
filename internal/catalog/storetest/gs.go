package storetest

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"daybefore/internal/s3test"
	"daybefore/internal/testneed"
)

// GS is a bucket of a server that speaks the API of Google's.
type GS struct {
	Endpoint string
	Bucket   string
}

// googleServer is a running one. It is kept, since it ends with who holds it.
type googleServer struct {
	endpoint string
	running  *s3test.Server
}

// google is one server for all tests of a process, with which it ends.
var google = sync.OnceValues(func() (googleServer, error) {
	binary, err := s3test.GoogleBinary(context.Background(), "")
	if err != nil {
		return googleServer{}, err
	}
	listen, err := s3test.FreeAddr()
	if err != nil {
		return googleServer{}, err
	}
	running, err := s3test.StartGoogle(context.Background(), binary, listen)
	return googleServer{"http://" + listen, running}, err
})

// StartGS gives the test an empty bucket. Where no server can be built, the
// test is left out, or fails under testneed.All.
func StartGS(t testing.TB) *GS {
	t.Helper()
	server, err := google()
	if err != nil {
		testneed.Missing(t, "a server of Google's API: %v", err)
	}
	g := &GS{Endpoint: server.endpoint, Bucket: "b" + strings.ToLower(rand.Text())}
	g.send(t, http.MethodPost, "/storage/v1/b", fmt.Appendf(nil, `{"name": %q}`, g.Bucket))
	return g
}

// Put writes an object.
func (g *GS) Put(t testing.TB, name string, data []byte) {
	t.Helper()
	g.send(t, http.MethodPost, "/upload/storage/v1/b/"+g.Bucket+"/o?uploadType=media&name="+url.QueryEscape(name), data)
}

// Delete removes an object.
func (g *GS) Delete(t testing.TB, name string) {
	t.Helper()
	g.send(t, http.MethodDelete, "/storage/v1/b/"+g.Bucket+"/o/"+url.PathEscape(name), nil)
}

func (g *GS) send(t testing.TB, method, path string, body []byte) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, g.Endpoint+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(answer.Body)
	if answer.StatusCode/100 != 2 {
		t.Fatalf("%s %s: %s %s", method, path, answer.Status, text)
	}
}
