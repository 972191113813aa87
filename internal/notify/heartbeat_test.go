package notify_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"daybefore/internal/notify"
	"daybefore/internal/spec"
)

const secret = "0d338dcc-a054-41ec-b909-0242ac120002" // of an address

var isUUID = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// monitor takes pings as Healthchecks.io's Pinging API does, and no others.
type monitor struct {
	*httptest.Server
	mu    sync.Mutex
	pings []string // word, run and body
}

func newMonitor(t *testing.T) *monitor {
	m := &monitor{}
	m.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m.mu.Lock()
		defer m.mu.Unlock()
		word, ours := strings.CutPrefix(r.URL.Path, "/ping/"+secret)
		if !ours {
			w.WriteHeader(http.StatusNotFound)
			io.WriteString(w, "not found")
			return
		}
		known := slices.Contains([]string{"", "/start", "/fail", "/log"}, word)
		rid := r.URL.Query().Get("rid")
		body, _ := io.ReadAll(r.Body)
		if !known || r.Method != http.MethodPost || !isUUID.MatchString(rid) || r.URL.Query().Get("create") != "1" {
			t.Errorf("%s %s", r.Method, r.URL)
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		m.pings = append(m.pings, word+" "+rid+" "+string(body))
		io.WriteString(w, "OK")
	}))
	t.Cleanup(m.Close)
	return m
}

// A monitor hears of start, success and failure, in that order and under one run.
func TestHeartbeat(t *testing.T) {
	t.Parallel()
	m := newMonitor(t)
	n := spec.Notify{HeartbeatEnv: "PING", Heartbeat: spec.Key(m.URL + "/ping/" + secret + "/?create=1")}
	for _, run := range []struct {
		passed bool
		word   string
		what   string
	}{{true, "", "success"}, {false, "/fail", "failure"}} {
		m.pings = nil
		told := notify.Begin(t.Context(), n, "shop", run.what).End(t.Context(), run.passed, "shop: how it went\n")
		if told.Failed != "" || !slices.Equal(told.Told, []string{run.what}) || told.By != "heartbeat (PING)" {
			t.Errorf("%+v", told)
		}
		if len(m.pings) != 2 {
			t.Fatalf("%q", m.pings)
		}
		start, end := strings.SplitN(m.pings[0], " ", 3), strings.SplitN(m.pings[1], " ", 3)
		if start[0] != "/start" || end[0] != run.word || start[1] != end[1] || start[2] != "" || end[2] != "shop: how it went\n" {
			t.Errorf("%q", m.pings)
		}
	}
	if err := notify.Test(t.Context(), n, "shop", "1"); err != nil || !strings.HasPrefix(m.pings[len(m.pings)-1], "/log ") {
		t.Errorf("%v, %q", err, m.pings)
	}
}

// A plain monitor is pinged at its URL as it is, after a pass and never else.
func TestPlainHeartbeat(t *testing.T) {
	t.Parallel()
	var got []string
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got = append(got, r.Method+" "+r.RequestURI)
	}))
	t.Cleanup(s.Close)
	n := spec.Notify{HeartbeatEnv: "PING", Plain: true, Heartbeat: spec.Key(s.URL + "/api/push/x?status=up&msg=OK")}
	if told := notify.Begin(t.Context(), n, "shop", "1").End(t.Context(), false, "bad"); len(got) != 0 || told.Failed != "" {
		t.Errorf("%q, %+v", got, told)
	}
	notify.Begin(t.Context(), n, "shop", "2").End(t.Context(), true, "good")
	if !slices.Equal(got, []string{"GET /api/push/x?status=up&msg=OK"}) {
		t.Errorf("%q", got)
	}
}

// A ping of the start that hangs costs the one of the end nothing.
func TestAStartThatHangs(t *testing.T) {
	t.Parallel()
	m := newMonitor(t)
	ended := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/start") {
			<-ended
			return
		}
		m.Config.Handler.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	t.Cleanup(func() { close(ended) })
	n := spec.Notify{HeartbeatEnv: "PING", Heartbeat: spec.Key(s.URL + "/ping/" + secret + "/?create=1")}
	ctx, cancel := context.WithTimeout(t.Context(), 4500*time.Millisecond) // before the ping of the start gives up
	defer cancel()
	told := notify.Begin(t.Context(), n, "shop", "1").End(ctx, true, "")
	if !slices.Equal(told.Told, []string{"success"}) || !strings.HasPrefix(told.Failed, "the start of the drill: ") || len(m.pings) != 1 {
		t.Errorf("%+v, %q", told, m.pings)
	}
}

// What a monitor does not take is no ping, though it answers 200.
func TestAPingThatIsNotTaken(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "OK (not found)") }))
	t.Cleanup(s.Close)
	n := spec.Notify{HeartbeatEnv: "PING", Heartbeat: spec.Key(s.URL + "/" + secret)}
	told := notify.Begin(t.Context(), n, "shop", "1").End(t.Context(), true, "")
	if told.Failed != "the monitor did not take it: OK (not found)" || told.Hint == "" {
		t.Errorf("%+v", told)
	}
}
