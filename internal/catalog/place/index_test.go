package place

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"daybefore/internal/spec"
)

// pages are what servers write, shortened, of a folder with the files a b.dump
// and <c>.dump and the folder sub.
var pages = map[string]string{
	"apache": `<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 3.2 Final//EN"><html><head><title>Index of /b</title></head><body><h1>Index of /b</h1>
<table><tr><th><a href="?C=N;O=D">Name</a></th><th><a href="?C=M;O=A">Last modified</a></th></tr>
<tr><td><a href="/">Parent Directory</a></td></tr>
<tr><td><img src="/icons/unknown.gif"></td><td><a href="a%20b.dump">a b.dump</a></td><td>2026-11-20 03:00</td><td>1.2M</td></tr>
<tr><td><a href="%3cc%3e.dump">&lt;c&gt;.dump</a></td></tr><tr><td><a href="sub/">sub/</a></td></tr></table>
<address>Apache/2.4.57 (Debian) Server at localhost Port 80</address></body></html>`,
	"nginx": "<html>\r\n<head><title>Index of /b/</title></head><body><h1>Index of /b/</h1><hr><pre><a href=\"../\">../</a>\r\n" +
		`<a href="sub/">sub/</a>     20-Nov-2026 03:00     -` + "\r\n" + `<a href="a%20b.dump">a b.dump</a>  20-Nov-2026 03:00   12` + "\r\n" +
		`<a href="%3Cc%3E.dump">&lt;c&gt;.dump</a></pre><hr></body></html>`,
	"lighttpd": `<html><head><title>Index of /b/</title></head><body><h2>Index of /b/</h2><div class="list"><table><tbody>
<tr class="d"><td class="n"><a href="../">..</a>/</td></tr><tr class="d"><td class="n"><a href="sub/">sub</a>/</td></tr>
<tr><td class="n"><a href="a%20b.dump">a b.dump</a></td><td class="m">2026-Nov-20 03:00:00</td><td class="s">0.1K</td></tr>
<tr><td class="n"><a href="%3cc%3e.dump">&lt;c&gt;.dump</a></td></tr></tbody></table></div></body></html>`,
	"caddy": `<html><head><title>b</title></head><body><h1><a href="/">/</a><a href="/b/">b</a></h1><input type="text" id="filter">
<a href="./sub/"><span class="name">sub</span></a><a href="./a%20b.dump"><span class="name">a b.dump</span></a>
<a href="./%3Cc%3E.dump">c</a><a href="./?sort=name&order=asc">Name</a>Served with <a href="https://caddyserver.com">Caddy</a></body></html>`,
	"python": `<title>Directory listing for /b/</title><h1>Directory listing for /b/</h1><hr><ul><li><a href="a%20b.dump">a b.dump</a></li>
<li><a href="%3Cc%3E.dump">&lt;c&gt;.dump</a></li><li><a href="sub/">sub/</a></li></ul>`,
	"go": `<!doctype html><meta name="viewport" content="width=device-width"><pre>
<a href="a%20b.dump">a b.dump</a>
<a href="%3Cc%3E.dump">&lt;c&gt;.dump</a>
<a href="sub/">sub/</a></pre>`,
}

func TestLinks(t *testing.T) {
	t.Parallel()
	at, err := url.Parse("https://host/b/")
	if err != nil {
		t.Fatal(err)
	}
	for server, page := range pages {
		all, sure := links([]byte(page), at)
		found := map[string]NotFile{}
		for _, o := range all {
			found[o.Name] = o.Not
			if o.Not == "" && o.Size != Unsized {
				t.Errorf("%s: the size of %s is taken for exact", server, o.Name)
			}
		}
		if len(all) != 3 || found["sub"] != Folder || found["a b.dump"] != "" || found["<c>.dump"] != "" {
			t.Errorf("%s: %v", server, all)
		}
		if !sure && server != "caddy" { // which is asked for JSON
			t.Errorf("the page of %s is not taken for a list", server)
		}
	}
	for name, page := range map[string]string{
		"a login":     `<html><title>Sign in</title><form action="/login"><input name="user"></form><a href="/b/help">help</a></html>`,
		"an error":    `<html><title>Oops</title><p>Something went wrong</p></html>`,
		"a portal":    `<html><h1>Welcome</h1><a href="https://elsewhere/x">x</a><a href="news">n</a></html>`,
		"an SPA":      `<html><div id="app"></div><script src="/app.js"></script></html>`,
		"half a page": `<html><title>Sign`,
	} {
		if _, sure := links([]byte(page), at); sure {
			t.Errorf("%s is taken for a list of files", name)
		}
	}
	for _, href := range []string{"..", "../x.dump", "%2e%2e", "a/b.dump", "//other/x.dump", "https://host/x.dump", "javascript:x()",
		"x.dump?v=1", "%2Fetc", ".", "%zz", "mailto:a@b"} {
		page := `<title>Index of</title><a href="` + href + `">x</a>`
		if all, _ := links([]byte(page), at); len(all) > 0 {
			t.Errorf("%s leads to %+v", href, all)
		}
	}
	if all, _ := links([]byte(`<title>Index of</title><a href="/b/c.dump">c</a><a href="https://host/b/d">d</a>`), at); len(all) != 2 {
		t.Errorf("of absolute links: %+v", all)
	}
}

func FuzzLinks(f *testing.F) {
	for _, p := range pages {
		f.Add([]byte(p))
	}
	at, _ := url.Parse("https://host/b/")
	f.Fuzz(func(t *testing.T, b []byte) {
		all, _ := links(b, at)
		for _, o := range all {
			if o.Name == "" || o.Name == ".." || o.Name == "." || strings.Contains(o.Name, "/") {
				t.Errorf("%q leads out of the folder", o.Name)
			}
		}
	})
}

// A server whose pages lead on and on is no store.
func TestPagesWithoutEnd(t *testing.T) {
	t.Parallel()
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked++
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `[{"name":".","type":"directory"},{"name":"a","type":"directory"},{"name":"b","type":"directory"}]`)
	}))
	defer server.Close()
	u, err := url.Parse(server.URL + "/")
	if err != nil {
		t.Fatal(err)
	}
	s, err := OpenWeb(spec.Source{URL: u.String()}, u)
	if err != nil {
		t.Fatal(err)
	}
	s.pages = 100
	for o, err := range s.List(t.Context(), "", true) {
		if err == nil {
			t.Fatalf("it listed %+v", o)
		}
		if !strings.Contains(err.Error(), "more than 100 folders") || asked != 100 {
			t.Errorf("after %d pages: %v", asked, err)
		}
	}
}
