package place

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"iter"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"

	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

const (
	googleAPI   = "https://storage.googleapis.com"
	googleScope = "https://www.googleapis.com/auth/devstorage.read_only"
	googleWait  = 20 * time.Second // for a token
)

// GS is a folder of a bucket of Google Cloud Storage, or of a server that
// speaks its JSON API.
type GS struct {
	api       string // the server's URL
	bucket    string
	prefix    string // of the folder
	anonymous bool
	client    *http.Client
	retry     retry
}

// OpenGS is the folder of a bucket. Problems: CodeSpec, CodeCredentialsMissing.
func OpenGS(ctx context.Context, src spec.Source, u *url.URL) (*GS, error) {
	if u.Host == "" {
		return nil, verdict.Errorf(verdict.CodeSpec, "write source.url as gs://bucket/prefix/",
			"open the store: source.url names no bucket")
	}
	s := &GS{bucket: u.Host, anonymous: src.Anonymous, retry: hurried,
		api: strings.TrimSuffix(cmp.Or(src.Endpoint, emulator(), googleAPI), "/")}
	if prefix := strings.Trim(u.Path, "/"); prefix != "" {
		s.prefix = prefix + "/"
	}
	s.client = &http.Client{Transport: newTransport()}
	if src.Anonymous {
		return s, nil
	}
	tokens, err := s.tokens(ctx)
	if err != nil {
		return nil, err
	}
	s.client.Transport = &oauth2.Transport{Source: tokens, Base: s.client.Transport}
	return s, nil
}

// emulator is the server that Google's own clients ask where the environment
// names one.
func emulator() string {
	host := os.Getenv("STORAGE_EMULATOR_HOST")
	if host != "" && !strings.Contains(host, "://") {
		host = "http://" + host
	}
	return host
}

// tokens finds the application default credentials: a file that the environment
// names, the one that gcloud writes, or the machine's own account.
func (s *GS) tokens(ctx context.Context) (oauth2.TokenSource, error) {
	path := os.Getenv("GOOGLE_APPLICATION_CREDENTIALS")
	given := path != ""
	if !given {
		path = gcloudFile()
	}
	text, err := os.ReadFile(path)
	switch {
	case err == nil:
		return s.fromFile(ctx, path, text)
	case given:
		return nil, verdict.Errorf(verdict.CodeCredentialsMissing, "correct GOOGLE_APPLICATION_CREDENTIALS",
			"open %s: %w", s.URL(), err)
	case onGoogle():
		return google.ComputeTokenSource("", googleScope), nil
	}
	return nil, verdict.Errorf(verdict.CodeCredentialsMissing,
		"set GOOGLE_APPLICATION_CREDENTIALS to a file with a service account's key, or run gcloud auth "+
			"application-default login; for a public bucket set source.anonymous: true",
		"open %s: no credentials were found", s.URL())
}

func gcloudFile() string {
	if dir := os.Getenv("CLOUDSDK_CONFIG"); dir != "" {
		return filepath.Join(dir, "application_default_credentials.json")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return filepath.Join(home, ".config", "gcloud", "application_default_credentials.json")
}

// fromFile reads a file of credentials of any kind that Google writes.
func (s *GS) fromFile(ctx context.Context, path string, text []byte) (oauth2.TokenSource, error) {
	var kind struct {
		Type google.CredentialsType `json:"type"`
	}
	err := json.Unmarshal(text, &kind)
	if err == nil {
		ctx = context.WithValue(ctx, oauth2.HTTPClient, &http.Client{Transport: newTransport(), Timeout: googleWait})
		var found *google.Credentials
		found, err = google.CredentialsFromJSONWithType(context.WithoutCancel(ctx), text, kind.Type, googleScope)
		if err == nil {
			return found.TokenSource, nil
		}
	}
	return nil, verdict.Errorf(verdict.CodeCredentialsMissing, "let Google write the file anew",
		"open %s: %s holds no credentials of Google's", s.URL(), path) // the error may quote it
}

// onGoogle reports whether this machine is one of Google's: elsewhere nobody
// answers at the address of its metadata, or somebody who should not be asked.
func onGoogle() bool {
	if os.Getenv("GCE_METADATA_HOST") != "" || os.Getenv("K_SERVICE") != "" || os.Getenv("CLOUD_RUN_JOB") != "" {
		return true
	}
	name, err := os.ReadFile("/sys/class/dmi/id/product_name")
	return err == nil && strings.Contains(string(name), "Google")
}

// URL is the bucket's folder.
func (s *GS) URL() string {
	return (&url.URL{Scheme: "gs", Host: s.bucket, Path: "/" + s.prefix}).String()
}

// Close ends idle connections.
func (s *GS) Close() error {
	s.client.CloseIdleConnections()
	return nil
}

// Place is the server that is asked.
func (s *GS) Place(context.Context) (Place, error) {
	u, err := url.Parse(s.api)
	if err != nil {
		return Place{}, verdict.Errorf(verdict.CodeSpec, "correct source.endpoint", "find the server of %s: %w", s.URL(), err)
	}
	what := "the server " + u.Hostname()
	if s.api == googleAPI {
		what = "Google Cloud Storage, at " + u.Hostname()
	}
	return Place{Hosts: []string{u.Hostname()}, What: what}, nil
}

// gsPage is a page of a list.
type gsPage struct {
	Kind     string `json:"kind"`
	Items    []gsObject
	Prefixes []string
	Next     string `json:"nextPageToken"`
}

type gsObject struct {
	Name       string
	Size       string
	Generation string
	Updated    time.Time
	CRC32C     string // in base64
	Encoding   string `json:"contentEncoding"`
}

// sum is what the bucket keeps of the bytes. What is kept under gzip may be
// handed out unpacked.
func (o gsObject) sum() Sum {
	raw, err := base64.StdEncoding.DecodeString(o.CRC32C)
	if err != nil || len(raw) != crc32.Size || o.Encoding != "" {
		return Sum{}
	}
	return Sum{Kind: "CRC-32C", Hex: hex.EncodeToString(raw)}
}

// List reads the bucket's list, page by page.
func (s *GS) List(ctx context.Context, prefix string, deep bool) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		q := url.Values{"prefix": {s.prefix + prefix},
			"fields": {"kind,nextPageToken,prefixes,items(name,size,generation,updated,crc32c,contentEncoding)"}}
		if !deep {
			q.Set("delimiter", "/")
		}
		seen := map[string]bool{}
		for {
			p, err := s.page(ctx, q)
			if err == nil && p.Next != "" && seen[p.Next] {
				err = verdict.Errorf(verdict.CodeStoreUnreachable, proxyHint,
					"list %s: the server answers with the same page again, so that the list has no end", s.URL())
			}
			if err != nil {
				yield(Object{}, err)
				return
			}
			if !s.yieldAll(p, yield) || p.Next == "" {
				return
			}
			seen[p.Next] = true
			q.Set("pageToken", p.Next)
		}
	}
}

func (s *GS) yieldAll(p gsPage, yield func(Object, error) bool) bool {
	for _, folder := range p.Prefixes {
		name := strings.TrimSuffix(strings.TrimPrefix(folder, s.prefix), "/")
		if !yield(Object{Name: name, Not: Folder}, nil) {
			return false
		}
	}
	for _, item := range p.Items {
		name := strings.TrimPrefix(item.Name, s.prefix)
		if name == "" || strings.HasSuffix(name, "/") {
			continue // the empty object that marks a folder
		}
		size, err := strconv.ParseInt(cmp.Or(item.Size, "0"), 10, 64)
		if err != nil || size < 0 || item.Generation == "" {
			yield(Object{}, verdict.Errorf(verdict.CodeStoreUnreachable, proxyHint,
				"list %s: %s is listed with the size %q and the generation %q", s.URL(), name, item.Size, item.Generation))
			return false
		}
		if !yield(Object{Name: name, Size: size, ETag: item.Generation, ModTime: item.Updated, Sum: item.sum()}, nil) {
			return false
		}
	}
	return true
}

func (s *GS) page(ctx context.Context, q url.Values) (gsPage, error) {
	doing := "list " + s.URL()
	return again(ctx, s.retry, doing, func() (gsPage, error) {
		answer, err := s.get(ctx, doing, "/o?"+q.Encode(), nil)
		if err != nil {
			return gsPage{}, err
		}
		defer answer.Body.Close()
		b, err := io.ReadAll(io.LimitReader(answer.Body, mostPage))
		if err != nil {
			return gsPage{}, s.noAnswer(ctx, doing, err)
		}
		var p gsPage
		if err := json.Unmarshal(b, &p); err != nil || p.Kind != "storage#objects" {
			return gsPage{}, fmt.Errorf("%s: what answered sent no list of a bucket: is it a proxy's page?", doing)
		}
		return p, nil
	})
}

// get sends a request about the bucket. Its error is plain where another try
// may help.
func (s *GS) get(ctx context.Context, doing, rest string, set http.Header) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.api+"/storage/v1/b/"+url.PathEscape(s.bucket)+rest, nil)
	if err != nil {
		return nil, verdict.Errorf(verdict.CodeSpec, "correct source.endpoint", "%s: it is no URL", doing)
	}
	for key, values := range set {
		r.Header[key] = values
	}
	return send(s.client, r, s, doing)
}

func (s *GS) noAnswer(ctx context.Context, doing string, err error) error {
	if stop := Stopped(ctx, doing); stop != nil {
		return stop
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	if said := noToken(err); said != "" {
		return verdict.Errorf(verdict.CodeCredentialsRefused, "was the account or its key removed, or is this machine's "+
			"clock wrong?", "%s: Google gave no token for these credentials: %s", doing, verdict.Printable(said))
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// noToken is what was said by who refused a token; "" where nobody did.
func noToken(err error) string {
	if e, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		return cmp.Or(e.ErrorDescription, e.ErrorCode, e.Response.Status)
	}
	_, network := errors.AsType[*net.OpError](err)
	if text := err.Error(); !network && strings.HasPrefix(text, "oauth2") {
		return text
	}
	return ""
}

// refusal is the error of an answer that is no success: a Problem where it will
// stay the same.
func (s *GS) refusal(doing string, answer *http.Response) error {
	status := answer.StatusCode
	said := answer.Status
	var body struct {
		Error struct{ Message string }
	}
	text, err := io.ReadAll(io.LimitReader(answer.Body, 64<<10))
	if err == nil && json.Unmarshal(text, &body) == nil && body.Error.Message != "" {
		said = fmt.Sprintf("%d %s", status, verdict.Printable(body.Error.Message))
	}
	code := verdict.CodeStoreUnreachable
	hint := "is source.endpoint the address of a server of Google's API?"
	switch {
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		code = verdict.CodeCredentialsRefused
		hint = "the account needs storage.objects.list and storage.objects.get on the bucket (Storage Object Viewer)"
		if s.anonymous {
			hint = "the bucket is not public: unset source.anonymous and give credentials"
		}
	case status == http.StatusNotFound:
		hint = "the bucket does not exist there: look at source.url, and whether it was deleted"
	case status == http.StatusRequestTimeout || status == http.StatusTooManyRequests || status >= 500:
		return fmt.Errorf("%s: the server answered %s", doing, said)
	}
	return verdict.Errorf(code, hint, "%s: the server answered %s", doing, said)
}

// ReadRange asks for a range of one generation, as it is stored: without a
// header that allows gzip, the server unpacks what was stored under it.
func (s *GS) ReadRange(ctx context.Context, o Object, offset, length int64) (io.ReadCloser, error) {
	doing := "read " + s.URL() + o.Name
	if length == 0 {
		return http.NoBody, Stopped(ctx, doing)
	}
	if length < 0 {
		length = o.Size - offset
	}
	q := url.Values{"alt": {"media"}}
	if o.ETag != "" {
		q.Set("generation", o.ETag)
	}
	answer, err := s.get(ctx, doing, "/o/"+url.PathEscape(s.prefix+o.Name)+"?"+q.Encode(), http.Header{
		"Accept-Encoding": {"gzip"}, "Range": {fmt.Sprintf("bytes=%d-%d", offset, offset+length-1)}})
	if answer == nil {
		return nil, err
	}
	switch answer.StatusCode {
	case http.StatusNotFound, http.StatusPreconditionFailed:
		return nil, WasChanged(s, o, "it was replaced or removed")
	case http.StatusRequestedRangeNotSatisfiable:
		return nil, WasChanged(s, o, "it became shorter")
	}
	if err != nil {
		return nil, err
	}
	if err := s.checkAnswer(answer, o, offset, length); err != nil {
		return nil, errors.Join(err, answer.Body.Close())
	}
	return answer.Body, nil
}

// checkAnswer guards against servers and proxies that know no generation or no
// Range: they answer with other bytes, and with no error.
func (s *GS) checkAnswer(answer *http.Response, o Object, offset, length int64) error {
	if g := answer.Header.Get("X-Goog-Generation"); g != "" && g != o.ETag && o.ETag != "" {
		return WasChanged(s, o, "it was replaced")
	}
	first, total, ok := contentRange(answer.Header)
	switch {
	case answer.StatusCode == http.StatusOK && offset == 0 && answer.ContentLength == length:
		return nil
	case ok && first == offset && total == o.Size && (answer.ContentLength < 0 || answer.ContentLength == length):
		return nil
	case ok && first == offset && total != o.Size:
		return WasChanged(s, o, "it was replaced")
	}
	return verdict.Errorf(verdict.CodeFetch, proxyHint,
		"read %s%s: asked for %d bytes from %d on, the server sent %s (%d bytes)",
		s.URL(), o.Name, length, offset, verdict.Printable(answer.Header.Get("Content-Range")), answer.ContentLength)
}
