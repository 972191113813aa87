package metrics

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/prometheus/common/expfmt"
)

// tryTime is how long one request may take.
const tryTime = 3 * time.Second

// Push puts the text in the place of what a Pushgateway had of the drill, and
// tries again until the context ends. Its URL may hold a user and a password, and
// is never repeated in an error.
func Push(ctx context.Context, gateway, drill string, text []byte) error {
	u, err := url.Parse(gateway)
	if err != nil {
		return errors.New("the Pushgateway's URL is none") // err would repeat it
	}
	u = u.JoinPath("metrics", "job", "daybefore", "drill", url.PathEscape(drill))
	transport := http.DefaultTransport.(*http.Transport).Clone()
	defer transport.CloseIdleConnections()
	client := &http.Client{Timeout: tryTime, Transport: transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	var last error
	_, err = backoff.Retry(ctx, func() (struct{}, error) {
		last = put(ctx, client, u, text)
		return struct{}{}, last
	}, backoff.WithMaxTries(4))
	if err == nil {
		return nil
	}
	// Once the time is up, what the last try came to says more than that.
	return fmt.Errorf("push to the Pushgateway at %s: %w", u.Host, last)
}

// put sends the text once. What another try cannot change is permanent.
func put(ctx context.Context, client *http.Client, u *url.URL, text []byte) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPut, u.String(), bytes.NewReader(text))
	if err != nil {
		return backoff.Permanent(errors.New("its URL cannot be asked"))
	}
	r.Header.Set("Content-Type", string(expfmt.NewFormat(expfmt.TypeTextPlain)))
	answer, err := client.Do(r)
	if err != nil {
		return withoutURL(err)
	}
	defer answer.Body.Close()
	// answer.Status is in the words of whoever answers.
	status := strings.TrimSpace(fmt.Sprintf("%d %s", answer.StatusCode, http.StatusText(answer.StatusCode)))
	switch {
	case answer.StatusCode/100 == 2:
		return nil
	case answer.StatusCode/100 == 3:
		return backoff.Permanent(fmt.Errorf("it leads on to another place (%s): write that one's URL", status))
	case answer.StatusCode/100 == 4 && answer.StatusCode != http.StatusTooManyRequests:
		return backoff.Permanent(fmt.Errorf("it answers %s", status))
	}
	return fmt.Errorf("it answers %s", status)
}

// withoutURL is what went wrong, without the URL of which it came.
func withoutURL(err error) error {
	u, ok := errors.AsType[*url.Error](err)
	switch {
	case !ok:
		return err
	case u.Timeout():
		return errors.New("it does not answer")
	}
	return u.Err
}
