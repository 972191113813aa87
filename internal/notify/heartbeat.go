package notify

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"

	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// Heart pings a monitor of jobs about one drill. Nil does nothing.
type Heart struct {
	n       spec.Notify
	url     *url.URL
	run     string // the drill's run, as the monitor wants it
	err     error  // why it cannot ping at all
	started chan struct{}
	cancel  context.CancelFunc
	failed  error // of the ping of the start, once it is over
}

// startTime is how long the end waits for the ping of the start, so that it leaves
// time for its own.
const startTime = 2 * time.Second

func heartbeatName(n spec.Notify) string { return "heartbeat (" + n.HeartbeatEnv + ")" }

// Begin says that a drill begins, beside it. It returns at once; nil where the
// drill file names no monitor.
func Begin(ctx context.Context, n spec.Notify, drill, run string) *Heart {
	if n.HeartbeatEnv == "" {
		return nil
	}
	h := &Heart{n: n, run: uuid.NewSHA1(uuid.NameSpaceURL, []byte(drill+"/"+run)).String(), started: make(chan struct{})}
	h.url, h.err = address(n.HeartbeatEnv, n.Heartbeat, n.Insecure)
	ctx, h.cancel = context.WithTimeout(ctx, patience)
	if h.err != nil || n.Plain {
		close(h.started)
		return h
	}
	go func() {
		defer close(h.started)
		h.failed = h.ping(ctx, "start", "")
	}()
	return h
}

// Stop ends the ping of the start, of a drill that is to be told no further.
func (h *Heart) Stop() {
	if h == nil {
		return
	}
	h.cancel()
	<-h.started
}

// End says what the drill came to, in a line or several. It waits for the ping of
// the start, since a monitor takes what comes last.
func (h *Heart) End(ctx context.Context, passed bool, says string) verdict.Notified {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return h.end(ctx, passed, says)
}

func (h *Heart) end(ctx context.Context, passed bool, says string) verdict.Notified {
	name := heartbeatName(h.n)
	select {
	case <-h.started:
	case <-time.After(startTime):
	case <-ctx.Done():
	}
	h.Stop()
	word, what := "", "success"
	if !passed {
		word, what = "fail", "failure"
	}
	switch {
	case h.err != nil:
		return notified(name, nil, h.err)
	case h.n.Plain && !passed: // silence is what it understands
		return verdict.Notified{By: name}
	}
	err := within(ctx, func(ctx context.Context) error { return h.ping(ctx, word, says) })
	told := notified(name, []string{what}, err)
	if err == nil && h.failed != nil {
		u := because(h.failed)
		told.Failed = "the start of the drill: " + u.why
		told.Hint = u.hint
	}
	return told
}

// Why is the error of Test in a line.
func Why(n spec.Notify, err error) string { return Says(notified(heartbeatName(n), nil, err)) }

// ping tells the monitor one thing. Healthchecks.io takes 100 kB of words.
func (h *Heart) ping(ctx context.Context, word, says string) error {
	u := *h.url
	method := http.MethodGet
	if !h.n.Plain {
		method = http.MethodPost
		u = *u.JoinPath(word)
		u.Path = strings.TrimSuffix(u.Path, "/")
		q := u.Query()
		q.Set("rid", h.run)
		u.RawQuery = q.Encode()
	}
	answer, err := send(ctx, request{method: method, url: &u, kind: "text/plain; charset=utf-8", body: []byte(says)})
	if err == nil && !h.n.Plain && strings.HasPrefix(answer, "OK (") {
		return &untold{"the monitor did not take it: " + verdict.Printable(answer), "does the check still exist there?"}
	}
	return err
}

// Test pings a monitor once, which the words of Healthchecks.io let it log without
// taking it for a drill, and says why that did not arrive.
func Test(ctx context.Context, n spec.Notify, drill, run string) error {
	h := &Heart{n: n, run: uuid.NewSHA1(uuid.NameSpaceURL, []byte(drill+"/"+run)).String()}
	h.url, h.err = address(n.HeartbeatEnv, n.Heartbeat, n.Insecure)
	if h.err != nil {
		return h.err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return within(ctx, func(ctx context.Context) error {
		return h.ping(ctx, "log", "a test of daybefore, for the drill "+drill)
	})
}
