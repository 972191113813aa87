package place

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"golang.org/x/net/html"

	"daybefore/internal/program"
	"daybefore/internal/verdict"
)

// deepest is how many folders within one another are gone into.
const deepest = 32

// webWalk is one list of a server's pages.
type webWalk struct {
	prefix string
	deep   bool
	seen   map[string]bool
	pages  int // that were read
}

// tooLong is the Problem of a server whose pages lead on and on, or nil.
func (s *Web) tooLong(w *webWalk) error {
	if w.pages > s.pages {
		return verdict.Errorf(verdict.CodeStoreUnreachable,
			"let source.url, or the folder in source.name, be nearer to the backups; or list them by source.listing",
			"list %s: it has more than %d folders", s.URL(), s.pages)
	}
	return tooMany("list "+s.URL(), len(w.seen))
}

// walk yields what the server's page of a folder shows, and with deep what
// those of its folders do. It reports whether to go on.
func (s *Web) walk(ctx context.Context, folder string, w *webWalk, yield func(Object, error) bool) bool {
	w.pages++
	err := s.tooLong(w)
	var all []Object
	if err == nil {
		all, err = s.index(ctx, folder)
	}
	if err != nil {
		yield(Object{}, err)
		return false
	}
	for _, o := range all {
		o.Name = folder + o.Name
		switch {
		case w.seen[o.Name]:
			continue
		case w.deep && o.Not == Folder:
			w.seen[o.Name] = true
			inside := o.Name + "/"
			if leadsTo(inside, w.prefix) && strings.Count(inside, "/") < deepest &&
				!s.walk(ctx, inside, w, yield) {
				return false
			}
			continue
		case !strings.HasPrefix(o.Name, w.prefix):
			continue
		}
		w.seen[o.Name] = true
		if !yield(o, nil) {
			return false
		}
	}
	return true
}

// index reads the server's page of one folder.
func (s *Web) index(ctx context.Context, folder string) ([]Object, error) {
	doing := "list " + s.URL() + folder
	at := s.base
	if folder != "" {
		at = s.base.JoinPath(escaped(strings.TrimSuffix(folder, "/")) + "/")
	}
	// Caddy sends JSON to who asks for it, nginx where it is told to.
	b, header, err := s.page(ctx, doing, at, http.Header{"Accept": {"application/json, text/html;q=0.9, */*;q=0.1"}})
	if err != nil {
		return nil, err
	}
	if strings.Contains(header.Get("Content-Type"), "json") {
		entries, _, err := parseList(b)
		if err != nil {
			return nil, verdict.Errorf(verdict.CodeStoreUnreachable, pageHint, "%s: the server's JSON is no list: %w", doing,
				err)
		}
		s.doubted("")
		all := unsized(objects(entries))
		return all, unclean(doing, verdict.CodeStoreUnreachable, all, program.Command{}.Mask)
	}
	if !strings.Contains(header.Get("Content-Type"), "html") {
		return nil, verdict.Errorf(verdict.CodeStoreUnreachable, pageHint,
			"%s: the server sent %s, and no page that lists files",
			doing, verdict.Printable(header.Get("Content-Type")))
	}
	names, sure := links(b, at)
	why := ""
	if !sure {
		why = "the server's page does not look like a list of files"
	}
	s.doubted(why)
	return names, nil
}

const pageHint = "turn the server's list of files on, name a file that lists them by source.listing, " +
	"or let url name one file"

func (s *Web) doubted(why string) {
	if why != "" || s.doubt.Load() == nil {
		s.doubt.Store(&why)
	}
}

func unsized(all []Object) []Object {
	for i := range all {
		all[i].Size = Unsized
	}
	return all
}

// heading is what pages that list files are called: by Apache, nginx, lighttpd,
// Python, busybox and others.
var heading = regexp.MustCompile(`(?i)index of|directory listing|listing of|files in`)

// links are the files and folders that a page leads to, each once, if they lie
// in the page's own folder. sure is whether the page is a list of files.
func links(page []byte, at *url.URL) (all []Object, sure bool) {
	z := html.NewTokenizer(bytes.NewReader(page))
	seen := map[string]bool{}
	var title, foreign, bare bool
	var inTitle, inLink bool
	for {
		switch kind := z.Next(); kind {
		case html.ErrorToken:
			return all, title || !foreign && (len(all) > 0 || bare)
		case html.TextToken:
			text := z.Text()
			title = title || inTitle && heading.Match(text)
			foreign = foreign || bare && !inLink && len(all) == 0 && len(bytes.TrimSpace(text)) > 0
		case html.StartTagToken, html.SelfClosingTagToken, html.EndTagToken:
			token := z.Token()
			switch token.Data {
			case "title", "h1", "h2":
				inTitle = kind == html.StartTagToken
			case "form", "input", "iframe":
				foreign = true
			case "pre": // all that Go's own page of an empty folder has
				bare = true
			case "a":
				inLink = kind == html.StartTagToken
				o, within := linked(token, at)
				foreign = foreign || !within
				if o.Name != "" && !seen[o.Name] {
					seen[o.Name] = true
					all = append(all, o)
				}
			}
		}
	}
}

// linked is what an anchor leads to: an object of the folder, or nothing. within
// is false of one that leads elsewhere than to the folder, or up.
func linked(anchor html.Token, at *url.URL) (o Object, within bool) {
	for _, a := range anchor.Attr {
		if a.Key != "href" {
			continue
		}
		to, err := at.Parse(a.Val)
		if err != nil || to.Host != at.Host {
			return Object{}, false
		}
		name, leads := strings.CutPrefix(to.EscapedPath(), at.EscapedPath())
		if !leads || to.RawQuery != "" { // what sorts, and what leads up
			return Object{}, leads || strings.HasPrefix(at.EscapedPath(), strings.TrimSuffix(to.EscapedPath(), "/"))
		}
		name, folder := strings.CutSuffix(name, "/")
		name, err = url.PathUnescape(name)
		if err != nil || name == "" || strings.Contains(name, "/") || name == "." || name == ".." {
			return Object{}, true
		}
		if folder {
			return Object{Name: name, Not: Folder}, true
		}
		return Object{Name: name, Size: Unsized}, true
	}
	return Object{}, true
}
