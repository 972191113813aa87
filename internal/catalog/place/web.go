package place

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"os"
	"path"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"daybefore/internal/program"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

const (
	answerTimeout = 30 * time.Second // until an answer's header
	idleTimeout   = 5 * time.Second
	connections   = 64
	mostPage      = 256 << 20 // bytes of a list
	mostRedirects = 10
	mostPages     = 10_000 // of folders that one list goes into
)

// Web is a folder of a web server, or one file of it.
type Web struct {
	base    *url.URL // the folder's, or the one that the file lies in; without a query
	file    *url.URL // nil: a folder
	key     string   // of the drill file, which names the URL
	listing string   // of a folder: the file that lists it; "": the server's page
	header  http.Header
	client  *http.Client
	retry   retry
	pages   int // are read for a list at most
	doubt   atomic.Pointer[string]

	mu    sync.Mutex
	inOne map[string]bool // objects of which the server sends no ranges
}

// OpenWeb is the folder, or the file where the URL does not end in a slash.
// Problem: CodeSpec, CodeCredentialsMissing.
func OpenWeb(src spec.Source, u *url.URL) (*Web, error) {
	if u.Host == "" {
		return nil, verdict.Errorf(verdict.CodeSpec, "write source.url as https://host/dir/",
			"open the store: source.url names no host")
	}
	if u.Scheme == "http" && !src.Insecure && !spec.Loopback(u.Hostname()) {
		return nil, verdict.Errorf(verdict.CodeSpec, "write https://, or source.insecure: true where that is wanted",
			"open the store: http lets anybody on the way read the backups and put others in their place")
	}
	s := &Web{base: u, key: "source.url", listing: src.Listing, retry: hurried, pages: mostPages,
		inOne: map[string]bool{}}
	s.client = &http.Client{Transport: newTransport(), CheckRedirect: redirects(src.Insecure)}
	if !strings.HasSuffix(u.Path, "/") {
		s.file = u
		s.base = u.ResolveReference(&url.URL{Path: "./"})
	}
	var err error
	s.header, err = authorization(src)
	return s, err
}

// OpenPresigned is the one file that a variable names by its URL, whose query
// is its key.
func OpenPresigned(src spec.Source) (*Web, error) {
	text := strings.TrimSpace(os.Getenv(src.URLEnv))
	if text == "" {
		return nil, verdict.Errorf(verdict.CodeCredentialsMissing, "set it to the URL of the backup",
			"open the store: the environment variable %s, which source.url_env names, is not set", src.URLEnv)
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.User != nil || strings.HasSuffix(u.Path, "/") {
		return nil, verdict.Errorf(verdict.CodeSpec, "set it to https://host/file?…",
			"open the store: %s does not hold the URL of a file of a web server", src.URLEnv)
	}
	s, err := OpenWeb(src, u)
	if s != nil {
		s.key = "source.url_env"
	}
	return s, err
}

func newTransport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.ResponseHeaderTimeout = answerTimeout
	t.MaxIdleConnsPerHost = connections
	t.MaxIdleConns = connections
	t.IdleConnTimeout = idleTimeout
	t.DisableCompression = true // the bytes as they are stored
	return t
}

// redirects follows as long as nobody on the way can read along who could not
// before. Go sends credentials to no other host.
func redirects(insecure bool) func(*http.Request, []*http.Request) error {
	return func(to *http.Request, via []*http.Request) error {
		from := via[len(via)-1].URL
		switch {
		case len(via) >= mostRedirects:
			return fmt.Errorf("it leads on %d times", len(via))
		case to.URL.Scheme == "http" && from.Scheme == "https" && !insecure:
			return verdict.Errorf(verdict.CodeStoreUnreachable, "let the server lead on to https, or write its new URL",
				"the server leads on to %s, which is not encrypted", to.URL.Host)
		}
		return nil
	}
}

// authorization is the header with the credentials that the source names.
func authorization(src spec.Source) (http.Header, error) {
	h := http.Header{}
	secret := func(name, key string) (string, error) {
		value, set := os.LookupEnv(name)
		if !set || value == "" {
			return "", verdict.Errorf(verdict.CodeCredentialsMissing, "set it, or remove "+key,
				"open the store: the environment variable %s, which %s names, is not set", name, key)
		}
		return strings.TrimSpace(value), nil
	}
	if src.TokenEnv != "" {
		token, err := secret(src.TokenEnv, "source.token_env")
		h.Set("Authorization", "Bearer "+token)
		return h, err
	}
	if src.User != "" {
		password, err := secret(src.PasswordEnv, "source.password_env")
		r := http.Request{Header: h}
		r.SetBasicAuth(src.User, password)
		return h, err
	}
	return h, nil
}

// URL is the folder's, also of the one file.
func (s *Web) URL() string { return s.base.String() }

// Close ends idle connections.
func (s *Web) Close() error {
	s.client.CloseIdleConnections()
	return nil
}

// Place is the server's machine, or what stands before it.
func (s *Web) Place(context.Context) (Place, error) {
	host := s.base.Hostname()
	return Place{Hosts: []string{host}, What: "the web server " + host}, nil
}

// Doubt is why the page that was read may be no list.
func (s *Web) Doubt() string {
	if d := s.doubt.Load(); d != nil {
		return *d
	}
	return ""
}

// InOne is so of what the server sends no ranges of, as Stat found.
func (s *Web) InOne(o Object) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.inOne[o.Name]
}

func (s *Web) fileURL(name string) *url.URL {
	if s.file != nil && name == path.Base(s.file.Path) {
		return s.file // with its query
	}
	return s.base.JoinPath(escaped(name))
}

// escaped is a name as a URL's path, in which dots and doubled slashes stay.
func escaped(name string) string {
	parts := strings.Split(name, "/")
	for i, part := range parts {
		parts[i] = url.PathEscape(part)
	}
	return strings.Join(parts, "/")
}

// get sends a request. Its error is plain where another try may help.
func (s *Web) get(ctx context.Context, doing string, u *url.URL, set http.Header) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, verdict.Errorf(verdict.CodeSpec, "correct source.url", "%s: it is no URL", doing)
	}
	for _, h := range []http.Header{s.header, set} {
		for key, values := range h {
			r.Header[key] = values
		}
	}
	return send(s.client, r, s, doing)
}

// noAnswer is an error of the way to the server, without the URL, whose query
// may be a key.
func (s *Web) noAnswer(ctx context.Context, doing string, err error) error {
	if stop := Stopped(ctx, doing); stop != nil {
		return stop
	}
	var p *verdict.Problem
	if errors.As(err, &p) {
		return &verdict.Problem{Outcome: p.Outcome, Code: p.Code, Hint: p.Hint, Err: fmt.Errorf("%s: %w", doing, p)}
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	var unknown x509.UnknownAuthorityError
	var other x509.HostnameError
	var invalid x509.CertificateInvalidError
	var plain tls.RecordHeaderError
	if errors.As(err, &plain) || errors.Is(err, http.ErrSchemeMismatch) {
		return verdict.Errorf(verdict.CodeStoreUnreachable, "is the port in "+s.key+" right? It may not speak TLS",
			"%s: what answers does not speak TLS: %w", doing, err)
	}
	if errors.As(err, &unknown) || errors.As(err, &other) || errors.As(err, &invalid) {
		return verdict.Errorf(verdict.CodeHostKey, "look at the server's certificate; one of an authority of your own is "+
			"made known by SSL_CERT_FILE", "%s: the server does not prove who it is: %w", doing, err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// refusal is the error of an answer that is no success: a Problem where it will
// stay the same.
func (s *Web) refusal(doing string, answer *http.Response) error {
	hint := "is source.url right?"
	code := verdict.CodeStoreUnreachable
	status := answer.StatusCode
	switch {
	case status == http.StatusUnauthorized, status == http.StatusForbidden, status == http.StatusProxyAuthRequired:
		code = verdict.CodeCredentialsRefused
		hint = "give what the server asks for by source.token_env, or user and password_env; a presigned URL ends at " +
			"its time"
	case status == http.StatusRequestTimeout, status == http.StatusTooManyRequests, status >= 500:
		return fmt.Errorf("%s: the server answered %s", doing, answer.Status)
	}
	return verdict.Errorf(code, hint, "%s: the server answered %s", doing, answer.Status)
}

// WholeFolders makes it a Whole.
func (s *Web) WholeFolders() {}

// List reads the server's page, the file that lists, or asks for the one file.
func (s *Web) List(ctx context.Context, prefix string, deep bool) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		if s.file == nil && s.listing == "" {
			w := webWalk{prefix: prefix, deep: deep, seen: map[string]bool{}}
			s.walk(ctx, "", &w, yield)
			return
		}
		all, err := s.listed(ctx, prefix)
		if err != nil {
			yield(Object{}, err)
			return
		}
		flat(all, prefix, deep, yield)
	}
}

// listed is the one file, or those that the listing names.
func (s *Web) listed(ctx context.Context, prefix string) ([]Object, error) {
	if s.file != nil {
		return s.alone(ctx, prefix)
	}
	doing := "list " + s.URL() + " by " + s.listing
	b, _, err := s.page(ctx, doing, s.base.ResolveReference(&url.URL{Path: s.listing}), nil)
	if err != nil {
		return nil, err
	}
	entries, told, err := parseList(b)
	if err != nil {
		return nil, verdict.Errorf(verdict.CodeStoreUnreachable, listHint, "%s: it is no list: %w; it begins %s", doing, err,
			beginning(b, program.Command{}.Mask))
	}
	if err := tooMany(doing, len(entries)); err != nil {
		return nil, err
	}
	doubt := ""
	if !told {
		doubt = s.listing + " holds lines that may be names or anything else"
	}
	s.doubt.Store(&doubt)
	all := s.relative(entries)
	return all, unclean(doing, verdict.CodeStoreUnreachable, all, program.Command{}.Mask)
}

// alone is the one file, and the file beside it that holds its sum, where such
// are looked for.
func (s *Web) alone(ctx context.Context, prefix string) ([]Object, error) {
	name := path.Base(s.file.Path)
	names := []string{name}
	if strings.HasSuffix(prefix, ".") && s.file.RawQuery == "" {
		names = append(names, name+".sha256")
	}
	var all []Object
	for _, name := range names {
		o, err := s.Stat(ctx, Object{Name: name})
		var p *verdict.Problem
		switch {
		case errors.As(err, &p) && p.Code == verdict.CodeChangedMeanwhile && name == names[0]:
			return nil, verdict.Errorf(verdict.CodeStoreUnreachable, "is "+s.key+" right? It names this one file",
				"ask about %s%s: the server answered 404: there is no such file", s.URL(), name)
		case errors.As(err, &p) && p.Code == verdict.CodeChangedMeanwhile: // no file lies beside it
		case err != nil:
			return nil, err
		default:
			all = append(all, o)
		}
	}
	return all, nil
}

// relative are the entries of a list with names below the store's URL. Sizes
// and versions are the server's to tell.
func (s *Web) relative(entries []entry) []Object {
	var all []Object
	for _, o := range objects(entries) {
		o.Name = strings.TrimPrefix(strings.TrimPrefix(o.Name, s.base.String()), "./")
		o.Size = Unsized
		if o.Name != "" && !strings.Contains(o.Name, "://") { // another server's
			all = append(all, o)
		}
	}
	return all
}

// page reads a whole answer that is no backup.
func (s *Web) page(ctx context.Context, doing string, u *url.URL, set http.Header) ([]byte, http.Header, error) {
	type answered struct {
		body   []byte
		header http.Header
	}
	a, err := again(ctx, s.retry, doing, func() (answered, error) {
		answer, err := s.get(ctx, doing, u, set)
		if err != nil {
			return answered{}, err
		}
		defer answer.Body.Close()
		b, err := io.ReadAll(io.LimitReader(answer.Body, mostPage+1))
		if err != nil {
			return answered{}, s.noAnswer(ctx, doing, err)
		}
		if len(b) > mostPage {
			err = verdict.Errorf(verdict.CodeStoreUnreachable, "is source.url right?", "%s: it has no end", doing)
		}
		return answered{b, answer.Header}, err
	})
	return a.body, a.header, err
}

// Stat asks for an object's first byte: the answer tells its size, its version,
// and whether the server sends ranges. A presigned URL allows no other request.
func (s *Web) Stat(ctx context.Context, o Object) (Object, error) {
	doing := "ask about " + s.URL() + o.Name
	return again(ctx, s.retry, doing, func() (Object, error) {
		answer, err := s.get(ctx, doing, s.fileURL(o.Name), http.Header{"Range": {"bytes=0-0"}})
		if answer == nil {
			return o, err
		}
		defer answer.Body.Close()
		switch answer.StatusCode {
		case http.StatusNotFound, http.StatusGone:
			return o, WasChanged(s, o, "it was removed")
		case http.StatusRequestedRangeNotSatisfiable: // of an empty file
			if _, total, ok := contentRange(answer.Header); ok && total == 0 {
				return s.told(o, answer, 0, false), nil
			}
		case http.StatusPartialContent:
			if first, total, ok := contentRange(answer.Header); ok && first == 0 && total > 0 {
				return s.told(o, answer, total, false), nil
			}
			err = verdict.Errorf(verdict.CodeFetch, proxyHint, "%s: the server sends a part, and does not say of what", doing)
		case http.StatusOK:
			return s.told(o, answer, answer.ContentLength, answer.ContentLength != 0), nil
		}
		return o, err
	})
}

const proxyHint = "is there a proxy before the server that changes requests or answers?"

// told fills in what an answer tells of an object.
func (s *Web) told(o Object, answer *http.Response, size int64, inOne bool) Object {
	o.Size = size
	if size < 0 {
		o.Size = Unsized
	}
	o.ETag = versionOf(answer.Header)
	o.ModTime, _ = http.ParseTime(answer.Header.Get("Last-Modified"))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inOne[o.Name] = inOne
	return o
}

// versionOf is what an answer tells a version by; "" where that is nothing.
func versionOf(h http.Header) string {
	if etag := h.Get("ETag"); etag != "" {
		return strings.ReplaceAll(etag, `"`, "")
	}
	if at, err := http.ParseTime(h.Get("Last-Modified")); err == nil {
		return Weak + strconv.FormatInt(at.Unix(), 10)
	}
	return ""
}

// contentRange reads "bytes 0-99/1234", and "bytes */1234" as from -1.
func contentRange(h http.Header) (first, total int64, ok bool) {
	text, ok := strings.CutPrefix(h.Get("Content-Range"), "bytes ")
	if !ok {
		return 0, 0, false
	}
	span, all, _ := strings.Cut(text, "/")
	total, err := strconv.ParseInt(all, 10, 64)
	if err != nil {
		return 0, 0, false
	}
	if span == "*" {
		return -1, total, true
	}
	from, _, _ := strings.Cut(span, "-")
	first, err = strconv.ParseInt(from, 10, 64)
	return first, total, err == nil
}

// ReadRange asks for a range; of a server that knows none it takes all, and
// leaves out what lies before.
func (s *Web) ReadRange(ctx context.Context, o Object, offset, length int64) (io.ReadCloser, error) {
	if length == 0 {
		return http.NoBody, Stopped(ctx, "read "+s.URL()+o.Name)
	}
	set := http.Header{}
	if length > 0 {
		set.Set("Range", fmt.Sprintf("bytes=%d-%d", offset, offset+length-1))
	}
	doing := "read " + s.URL() + o.Name
	answer, err := s.get(ctx, doing, s.fileURL(o.Name), set)
	if answer == nil {
		return nil, err
	}
	switch answer.StatusCode {
	case http.StatusNotFound, http.StatusGone:
		return nil, WasChanged(s, o, "it was removed")
	case http.StatusRequestedRangeNotSatisfiable:
		return nil, WasChanged(s, o, "it became shorter")
	}
	if err != nil {
		return nil, err
	}
	body, err := s.checked(answer, o, offset, length)
	if err != nil {
		return nil, errors.Join(err, answer.Body.Close())
	}
	return body, nil
}

// checked looks whether the answer is of the version that was listed, and of
// the range that was asked for.
func (s *Web) checked(answer *http.Response, o Object, offset, length int64) (io.ReadCloser, error) {
	total := answer.ContentLength
	first := int64(0)
	if answer.StatusCode == http.StatusPartialContent {
		var ok bool
		first, total, ok = contentRange(answer.Header)
		if !ok || first != offset || length < 0 {
			return nil, verdict.Errorf(verdict.CodeFetch, proxyHint, "read %s%s: asked for %d bytes from %d on, the server "+
				"sent %s", s.URL(), o.Name, length, offset, verdict.Printable(answer.Header.Get("Content-Range")))
		}
	}
	version := versionOf(answer.Header)
	if o.ETag != "" && version != o.ETag || o.Size >= 0 && total >= 0 && total != o.Size {
		return nil, WasChanged(s, o, "it was replaced")
	}
	if length < 0 && total < 0 && !endsItself(answer) {
		return nil, verdict.Errorf(verdict.CodeUnsupported, "let the server send Content-Length, or chunks",
			"read %s%s: the server does not say how long it is, so that nobody sees where it breaks off", s.URL(), o.Name)
	}
	if skip := offset - first; skip > 0 {
		if _, err := io.CopyN(io.Discard, answer.Body, skip); err != nil {
			return nil, fmt.Errorf("read %s%s: %w", s.URL(), o.Name, err)
		}
	}
	if length < 0 {
		return answer.Body, nil
	}
	return struct {
		io.Reader
		io.Closer
	}{io.LimitReader(answer.Body, length), answer.Body}, nil
}

// endsItself reports whether the end of an answer without a length can be told
// from a broken connection.
func endsItself(answer *http.Response) bool {
	return answer.ProtoMajor >= 2 || len(answer.TransferEncoding) > 0
}
