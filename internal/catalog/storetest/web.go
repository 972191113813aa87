package storetest

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
)

// Web is Go's own file server over a folder, on loopback.
type Web struct {
	*httptest.Server
	Requests atomic.Int64
	cuts     atomic.Int64
	after    atomic.Int64
}

// StartWeb starts a server for the test. Without ranges it answers with all of
// a file, whatever is asked for.
func StartWeb(t testing.TB, dir string, ranges bool) *Web {
	w := &Web{}
	files := http.FileServer(http.Dir(dir))
	w.Server = httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		w.Requests.Add(1)
		if !ranges {
			r.Header.Del("Range")
			out = rangeless{out}
		}
		if w.cuts.Load() > 0 {
			out = &cutting{ResponseWriter: out, web: w}
		}
		files.ServeHTTP(out, r)
	}))
	t.Cleanup(w.Close)
	return w
}

// Cut breaks the next so many answers that are longer than after bytes there.
func (w *Web) Cut(answers, after int64) {
	w.after.Store(after)
	w.cuts.Store(answers)
}

// rangeless says nothing of ranges.
type rangeless struct{ http.ResponseWriter }

func (r rangeless) WriteHeader(status int) {
	r.Header().Del("Accept-Ranges")
	r.ResponseWriter.WriteHeader(status)
}

type cutting struct {
	http.ResponseWriter
	web  *Web
	sent int64
}

func (c *cutting) Write(p []byte) (int, error) {
	n, err := c.ResponseWriter.Write(p)
	c.sent += int64(n)
	if c.sent > c.web.after.Load() && c.web.cuts.Add(-1) >= 0 {
		panic(http.ErrAbortHandler)
	}
	return n, err
}
