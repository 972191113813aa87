package notify

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/cenkalti/backoff/v5"

	"daybefore/internal/verdict"
)

// request is one that is sent until it arrives, or it is known that it never will.
type request struct {
	method string // empty: POST
	url    *url.URL
	kind   string // of the body; empty: JSON
	header map[string]string
	body   []byte
	secret string // a key in the body; may be empty
}

const mostAnswer = 4 << 10 // bytes of an answer that are read

// attemptTime is how long one attempt may take, so that one that hangs leaves
// time for another.
const attemptTime = 2 * time.Second

// client follows no redirect: where it leads, nobody said that the key may go.
var client = &http.Client{
	Transport:     http.DefaultTransport,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// send sends a request and gives the beginning of the answer.
func send(ctx context.Context, r request) (string, error) {
	return retried(ctx, func(ctx context.Context) (string, error) { return attempt(ctx, r) })
}

// retried tries until it works, or another try would not help.
func retried[T any](ctx context.Context, try func(context.Context) (T, error)) (T, error) {
	waits := backoff.NewExponentialBackOff()
	waits.InitialInterval = 200 * time.Millisecond
	return backoff.Retry(ctx, func() (T, error) {
		ctx, cancel := context.WithTimeout(ctx, attemptTime)
		defer cancel()
		out, err := try(ctx)
		_, final := errors.AsType[*untold](err)
		if final {
			err = backoff.Permanent(err)
		}
		return out, err
	}, backoff.WithBackOff(waits), backoff.WithMaxTries(4), backoff.WithMaxElapsedTime(0))
}

// attempt sends a request once. An error that is final is an *untold.
func attempt(ctx context.Context, r request) (string, error) {
	method := r.method
	if method == "" {
		method = http.MethodPost
	}
	var body io.Reader
	if method != http.MethodGet {
		body = bytes.NewReader(r.body)
	}
	req, err := http.NewRequestWithContext(ctx, method, r.url.String(), body)
	if err != nil {
		return "", &untold{"no request can be made of its address", "look at the variable that holds it"}
	}
	req.Header.Set("User-Agent", "daybefore")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if r.kind != "" && body != nil {
		req.Header.Set("Content-Type", r.kind)
	}
	for name, value := range r.header {
		req.Header.Set(name, value)
	}
	resp, err := client.Do(req)
	if err != nil {
		return "", sorted(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, mostAnswer))
	if err != nil {
		return "", sorted(err)
	}
	return string(text), judge(resp.StatusCode, hidden(string(text), r))
}

// refusal is an answer that another try may change.
type refusal struct{ untold }

// judge says what an answer's status means.
func judge(status int, says string) error {
	if status/100 == 2 {
		return nil
	}
	why := fmt.Sprintf("it answered %d %s", status, http.StatusText(status))
	if says != "" {
		why += ": " + says
	}
	switch {
	case status/100 == 3:
		return &untold{fmt.Sprintf("it leads on to another address (%d), which was not followed", status),
			"set the address that it leads to, if that is trusted"}
	case status == http.StatusTooManyRequests, status == http.StatusRequestTimeout, status/100 == 5:
		return &refusal{untold{why, "it may be overloaded or down: look at the receiver"}}
	case status == http.StatusNotFound, status == http.StatusGone:
		return &untold{why, "was the webhook or the check removed there? set the address anew"}
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return &untold{why, "set the key or the address anew, as the receiver shows it"}
	}
	return &untold{why, "look at the address, and at what the receiver takes"}
}

// hidden is what an answer says, in one line, without any part of the request's
// address or key. An address with a password may come back in too many forms.
func hidden(says string, r request) string {
	if r.url.User != nil {
		return ""
	}
	parts := []string{r.secret, r.url.String(), r.url.RequestURI(), r.url.Path, r.url.RawQuery, r.url.Host,
		r.url.Hostname()}
	for _, text := range []string{r.url.Path, r.url.EscapedPath(), r.url.RawQuery} {
		parts = append(parts, strings.FieldsFunc(text, func(c rune) bool { return strings.ContainsRune("/&=", c) })...)
	}
	for _, all := range r.url.Query() {
		parts = append(parts, all...)
	}
	for _, value := range r.header {
		parts = append(parts, value)
	}
	return without(says, parts...)
}

// shortestSecret is how many letters a word has at least that may be one.
const shortestSecret = 6

// without is a foreign text in one line, with no secret in it.
func without(says string, secrets ...string) string {
	slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) })
	for _, s := range secrets {
		if len(s) >= shortestSecret {
			says = strings.ReplaceAll(says, s, "…")
		}
	}
	return verdict.Printable(strings.Join(strings.Fields(says), " "))
}

// sorted is what a connection's error means: an *untold if another try is
// pointless. Its words are ours alone, since Go's tell the address.
func sorted(err error) error {
	var unknown x509.UnknownAuthorityError
	var other x509.HostnameError
	var invalid x509.CertificateInvalidError
	var record tls.RecordHeaderError
	const trust = "mend the receiver's certificate, or let this machine trust who signed it"
	switch {
	case errors.As(err, &unknown):
		return &untold{"its certificate is signed by nobody whom this machine trusts", trust}
	case errors.As(err, &other):
		return &untold{"its certificate is of another host", "is the address right? else mend the receiver's certificate"}
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return &untold{"its certificate has expired, or is not valid yet", "renew it; and look at this machine's clock"}
	case errors.As(err, &invalid):
		return &untold{"its certificate is not valid", trust}
	case errors.As(err, &record):
		return &untold{"it does not speak TLS there", "look at the port and the scheme of the address"}
	}
	return err
}

// because is why somebody was not told, in words of ours.
func because(err error) *untold {
	var dns *net.DNSError
	known, final := errors.AsType[*untold](err)
	refused, answered := errors.AsType[*refusal](err)
	const reachable = "is it up, and reachable from here?"
	switch {
	case final:
		return known
	case answered:
		return &refused.untold
	case errors.As(err, &dns):
		return &untold{"the name of its host does not resolve", "look at the address, and at this machine's DNS"}
	case errors.Is(err, syscall.ECONNREFUSED):
		return &untold{"nothing listens there: connection refused", reachable}
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return &untold{"there is no way to it from this machine", reachable}
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded),
		errors.Is(err, context.Canceled):
		return &untold{"it did not answer in time", reachable}
	}
	return &untold{"the connection to it broke off", reachable}
}

func (r *refusal) Error() string { return r.why }
