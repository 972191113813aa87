package catalog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go/logging"
	"github.com/cenkalti/backoff/v5"

	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

const (
	dialTimeout       = 10 * time.Second
	answerTimeout     = 30 * time.Second // until a response's header
	credentialTimeout = 20 * time.Second
	idleTimeout       = 5 * time.Second
	connections       = 16
)

// s3Store is a folder of a bucket.
type s3Store struct {
	url        string
	anonymous  bool
	client     *s3.Client
	bucketName string
	prefix     string            // of the folder
	secrets    *strings.Replacer // taken out of every error
	policy     retryPolicy       // of lists
}

// loadOption changes how the SDK finds its configuration; for tests.
type loadOption = func(*config.LoadOptions) error

func openS3(ctx context.Context, src spec.Source, u *url.URL, opts ...loadOption) (*s3Store, error) {
	if u.Host == "" {
		return nil, verdict.Errorf(verdict.CodeSpec, "write source.url as s3://bucket/prefix/",
			"open the store: source.url names no bucket")
	}
	endpoint, err := checkEndpoint(src.Endpoint)
	if err != nil {
		return nil, err
	}
	s := &s3Store{
		url:       (&url.URL{Scheme: "s3", Host: u.Host, Path: "/" + folderPath(u.Path)}).String(),
		anonymous: src.Anonymous,
		policy:    hurried,
	}
	cfg, err := s.loadConfig(ctx, src, opts)
	if err != nil {
		return nil, err
	}
	s.client = s3.NewFromConfig(cfg, func(o *s3.Options) {
		o.BaseEndpoint = declaredOr(endpoint, o.BaseEndpoint)
		o.UsePathStyle = src.PathStyle
		// page and resumed know better where to go on
		o.Retryer = aws.NopRetryer{}
		o.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired // other servers' answers lack them
		o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired // and some refuse them
	})
	s.bucketName = u.Host
	s.prefix = folderPath(u.Path)
	return s, nil
}

// declaredOr keeps the SDK's own endpoint (AWS_ENDPOINT_URL) where none is declared.
func declaredOr(endpoint string, otherwise *string) *string {
	if endpoint == "" {
		return otherwise
	}
	return &endpoint
}

func checkEndpoint(endpoint string) (string, error) {
	if endpoint == "" {
		return "", nil
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", verdict.Errorf(verdict.CodeSpec, "write source.endpoint as https://host",
			"open the store: source.endpoint is not an http or https URL")
	}
	if u.User != nil {
		return "", verdict.Errorf(verdict.CodeSpec,
			"take the credentials out of source.endpoint and put them into the environment",
			"open the store: source.endpoint holds credentials")
	}
	return endpoint, nil
}

// newHTTPClient has a limit on every wait that precedes the body; a body that
// falls silent is the reader's to notice. It is the SDK's own kind of client,
// which honors AWS_CA_BUNDLE.
func newHTTPClient() *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().
		WithDialerOptions(func(d *net.Dialer) { d.Timeout = dialTimeout }).
		WithTransportOptions(func(t *http.Transport) {
			t.ResponseHeaderTimeout = answerTimeout
			t.MaxIdleConnsPerHost = connections
			t.IdleConnTimeout = idleTimeout // the SDK offers no way to close them
		})
}

func (s *s3Store) loadConfig(ctx context.Context, src spec.Source, opts []loadOption) (aws.Config, error) {
	opts = append([]loadOption{
		config.WithHTTPClient(newHTTPClient()),
		config.WithLogger(logging.Nop{}), // the SDK's own goes to stderr, amid the report
	}, opts...)
	if src.Region != "" {
		opts = append(opts, config.WithRegion(src.Region))
	}
	if os.Getenv("AWS_EC2_METADATA_DISABLED") == "" && !onEC2() {
		// Elsewhere nobody answers at the metadata address, or somebody who
		// should not be asked.
		opts = append(opts, config.WithEC2IMDSClientEnableState(imds.ClientDisabled))
	}
	if src.Profile != "" {
		opts = append(opts, config.WithSharedConfigProfile(src.Profile))
	}
	if src.Anonymous {
		opts = append(opts, config.WithCredentialsProvider(aws.AnonymousCredentials{}))
	}
	s.secrets = secretsOf(aws.Credentials{})
	cfg, err := config.LoadDefaultConfig(ctx, opts...)
	if err != nil {
		return cfg, s.noCredentials(ctx, err)
	}
	if !src.Anonymous {
		if err := s.findCredentials(ctx, cfg.Credentials); err != nil {
			return cfg, err
		}
	}
	if cfg.Region == "" {
		if src.Endpoint == "" && cfg.BaseEndpoint == nil {
			return cfg, verdict.Errorf(verdict.CodeSpec, "set source.region, or AWS_REGION",
				"open %s: the bucket's region is not known", s.url)
		}
		cfg.Region = "us-east-1" // what other S3 servers expect
	}
	return cfg, nil
}

func (s *s3Store) findCredentials(ctx context.Context, provider aws.CredentialsProvider) error {
	ctx, cancel := context.WithTimeout(ctx, credentialTimeout)
	defer cancel()
	creds, err := provider.Retrieve(ctx)
	if err != nil {
		return s.noCredentials(ctx, err)
	}
	s.secrets = secretsOf(creds)
	return nil
}

func (s *s3Store) noCredentials(ctx context.Context, err error) error {
	if errors.Is(context.Cause(ctx), context.Canceled) {
		return stopped(ctx, "open "+s.url)
	}
	return verdict.Errorf(verdict.CodeCredentialsMissing,
		"set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"+anonymousHint,
		"open %s: no usable credentials were found: %s", s.url, s.hide(innermost(err)))
}

// onEC2 reports whether this machine is one of Amazon's, by its firmware.
func onEC2() bool {
	for _, file := range []string{"sys_vendor", "bios_vendor", "bios_version"} {
		text, err := os.ReadFile("/sys/class/dmi/id/" + file)
		if err == nil && strings.Contains(strings.ToLower(string(text)), "amazon") {
			return true
		}
	}
	return false
}

// secretsOf replaces the credentials, and those in the environment, by "…".
func secretsOf(creds aws.Credentials) *strings.Replacer {
	var pairs []string
	for _, secret := range []string{creds.AccessKeyID, creds.SecretAccessKey, creds.SessionToken,
		os.Getenv("AWS_ACCESS_KEY_ID"), os.Getenv("AWS_SECRET_ACCESS_KEY"), os.Getenv("AWS_SESSION_TOKEN")} {
		if secret != "" {
			pairs = append(pairs, secret, "…")
		}
	}
	return strings.NewReplacer(pairs...)
}

func (s *s3Store) hide(err error) string { return s.secrets.Replace(err.Error()) }

func (s *s3Store) URL() string { return s.url }

// Close does nothing: idle connections end by themselves.
func (s *s3Store) Close() error { return nil }

func (s *s3Store) List(ctx context.Context, prefix string, deep bool) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		in := &s3.ListObjectsV2Input{Bucket: &s.bucketName, Prefix: aws.String(s.prefix + prefix)}
		if !deep {
			in.Delimiter = aws.String("/")
		}
		seen := newPages()
		for {
			l, err := s.page(ctx, in, seen)
			if err != nil {
				yield(Object{}, s.listProblem(ctx, err))
				return
			}
			if !s.yieldAll(l, yield) || !aws.ToBool(l.IsTruncated) {
				return
			}
			in.ContinuationToken = l.NextContinuationToken
		}
	}
}

// yieldAll yields what stands on a page, and reports whether the list goes on.
func (s *s3Store) yieldAll(l *s3.ListObjectsV2Output, yield func(Object, error) bool) bool {
	for _, d := range l.CommonPrefixes {
		name := strings.TrimSuffix(strings.TrimPrefix(aws.ToString(d.Prefix), s.prefix), "/")
		if !yield(Object{Name: name, Not: Folder}, nil) {
			return false
		}
	}
	for _, item := range l.Contents {
		o := s.object(item)
		if o.Name == "" || strings.HasSuffix(o.Name, "/") {
			continue // the empty object that marks a folder
		}
		if o.Size < 0 {
			yield(Object{}, verdict.Errorf(verdict.CodeStoreUnreachable,
				"is there a proxy before the store that changes its answers?",
				"list %s: %s is listed with %d bytes", s.url, o.Name, o.Size))
			return false
		}
		if !yield(o, nil) {
			return false
		}
	}
	return true
}

// hurried is for lists, which come first: a store that is not there should be
// known in seconds.
var hurried = retryPolicy{tries: 4, first: 500 * time.Millisecond, max: 5 * time.Second}

// page reads a page of a list, again where it could not be read.
func (s *s3Store) page(ctx context.Context, in *s3.ListObjectsV2Input, seen *pages) (*s3.ListObjectsV2Output, error) {
	return backoff.Retry(ctx, func() (*s3.ListObjectsV2Output, error) {
		l, err := s.client.ListObjectsV2(ctx, in)
		if err == nil {
			err = seen.add(l)
		}
		if err != nil && (isProblem(err) || s.refusal("", err) != nil) {
			return nil, backoff.Permanent(err)
		}
		return l, err
	}, backoff.WithBackOff(s.policy.backOff()), backoff.WithMaxTries(s.policy.tries), backoff.WithMaxElapsedTime(0))
}

// errNoList is of an answer that is no list, such as a proxy's page: the SDK
// reads an empty bucket in it, which would be taken for the loss of all backups.
var errNoList = errors.New("what answered sent no list of a bucket: is it an S3 server, or a proxy's page?")

// pages are what a list has come to so far. Servers and proxies that lose the
// place where a list goes on answer with the same page for ever, or with an end
// that is none.
type pages struct {
	tokens, firsts map[string]bool
}

func newPages() *pages { return &pages{tokens: map[string]bool{}, firsts: map[string]bool{}} }

const listHint = "is there a proxy or a cache before the store that changes requests or answers? another S3 server " +
	"may need an update"

// add refuses a page that is none, or does not lead on.
func (p *pages) add(l *s3.ListObjectsV2Output) error {
	if l.Name == nil && l.IsTruncated == nil {
		return errNoList
	}
	token := aws.ToString(l.NextContinuationToken)
	first := firstOf(l)
	again := p.firsts[first] || p.tokens[token] && token != ""
	p.firsts[first], p.tokens[token] = first != "", true
	switch {
	case again:
		return verdict.Errorf(verdict.CodeStoreUnreachable, listHint,
			"the server answers with the same page of the list again, so that the list has no end")
	case aws.ToBool(l.IsTruncated) && token == "":
		return verdict.Errorf(verdict.CodeStoreUnreachable, listHint,
			"the server says that the list goes on, and not where")
	}
	return nil
}

// firstOf is the first name on a page.
func firstOf(l *s3.ListObjectsV2Output) string {
	first := ""
	for _, o := range l.Contents[:min(1, len(l.Contents))] {
		first = "object " + aws.ToString(o.Key)
	}
	for _, d := range l.CommonPrefixes[:min(1, len(l.CommonPrefixes))] {
		first += " folder " + aws.ToString(d.Prefix)
	}
	return first
}

func (s *s3Store) object(item types.Object) Object {
	return Object{
		Name:    strings.TrimPrefix(aws.ToString(item.Key), s.prefix),
		Size:    aws.ToInt64(item.Size),
		ModTime: aws.ToTime(item.LastModified),
		ETag:    trimETag(aws.ToString(item.ETag)),
	}
}

func trimETag(etag string) string { return strings.Trim(etag, `"`) }

func (s *s3Store) ReadRange(ctx context.Context, o Object, offset, length int64) (io.ReadCloser, error) {
	if length == 0 {
		return http.NoBody, nil
	}
	in := &s3.GetObjectInput{
		Bucket: &s.bucketName,
		Key:    aws.String(s.prefix + o.Name),
		Range:  aws.String(fmt.Sprintf("bytes=%d-%d", offset, offset+length-1)),
	}
	if o.ETag != "" {
		in.IfMatch = aws.String(`"` + o.ETag + `"`) // this version of the object only
	}
	out, err := s.client.GetObject(ctx, in)
	if err != nil {
		return nil, s.readProblem(ctx, o, err)
	}
	if err := s.checkAnswer(out, o, offset, length); err != nil {
		return nil, errors.Join(err, out.Body.Close())
	}
	return out.Body, nil
}

// checkAnswer looks after servers and proxies that know no If-Match or no
// Range: they answer with other bytes, and with no error.
func (s *s3Store) checkAnswer(out *s3.GetObjectOutput, o Object, offset, length int64) error {
	if etag := trimETag(aws.ToString(out.ETag)); etag != o.ETag && etag != "" {
		return wasChanged(s, o, "the object was replaced")
	}
	got := aws.ToString(out.ContentRange)
	sent := aws.ToInt64(out.ContentLength)
	asked := fmt.Sprintf("bytes %d-%d", offset, offset+length-1)
	switch {
	case out.ContentLength != nil && sent != length:
	case got == fmt.Sprintf("%s/%d", asked, o.Size), got == asked+"/*":
		return nil
	case got == "" && offset == 0 && length == o.Size && out.ContentLength != nil: // all of it, as it was asked for
		return nil
	}
	if got == "" {
		got = "no range"
	}
	return verdict.Errorf(verdict.CodeFetch, "is there a proxy before the store that changes requests or answers, or "+
		"drops the Range header?",
		"read %s%s: asked for %s, the server sent %d bytes (%s)", s.url, o.Name, asked, sent, got)
}
