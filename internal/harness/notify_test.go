package harness_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"daybefore/internal/drill"
	"daybefore/internal/harness"
	"daybefore/internal/sandbox"
	"daybefore/internal/testneed"
	"daybefore/internal/verdict"
)

// A token is part of an address, and stands in no output.
const token = "tok-5b1d9c07e2"

// receiver keeps what is sent to it.
type receiver struct {
	*httptest.Server
	mu   sync.Mutex
	got  []string // path and body
	does http.HandlerFunc
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		r.mu.Lock()
		r.got = append(r.got, req.URL.Path+" "+string(body))
		does := r.does
		r.mu.Unlock()
		if does != nil {
			does(w, req)
			return
		}
		io.WriteString(w, "OK")
	}))
	t.Cleanup(r.Close)
	return r
}

// took is what came since the last call.
func (r *receiver) took() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	got := r.got
	r.got = nil
	return got
}

// A monitor hears of each drill of the newest backup, and of nothing else.
func TestHeartbeats(t *testing.T) {
	t.Parallel()
	monitor := newReceiver(t)
	p := newPlace(t)
	p.demo(sandbox.Local)
	p.editDemo(func(text string) string { return text + "\nnotify: {heartbeat_env: PING}\n" })
	run := func(code int, args ...string) string {
		t.Helper()
		pr := p.start(args...)
		got := pr.end()
		if got != code || strings.Contains(pr.said(), token) {
			t.Fatalf("%q: %d, want %d\n%s", args, got, code, pr.said())
		}
		return pr.stderr.String()
	}
	heard := func(want ...string) {
		t.Helper()
		got := monitor.took()
		ok := len(got) == len(want)
		for i := 0; ok && i < len(got); i++ {
			ok = strings.HasPrefix(got[i], "/"+token+want[i])
		}
		if !ok {
			t.Errorf("the monitor heard %q, want %q", got, want)
		}
	}
	said := run(0, "drill", "-name=demo")
	const unset = "heartbeat (PING): the environment variable PING is not set; set it, or take it out of the drill file"
	if !strings.Contains(said, "warning: demo: "+unset+"; the drill goes on\n") ||
		!strings.HasSuffix(strings.TrimSpace(said), "warning: not everybody was told: demo: "+unset) {
		t.Errorf("%s", said)
	}
	r := p.latest("demo")
	if r.Outcome != verdict.Pass || len(r.Notified) != 1 || !strings.HasPrefix(r.Notified[0].Failed, "the environment variable") {
		t.Errorf("%s %+v", r.Outcome, r.Notified)
	}
	p.env = append(p.env, "PING="+monitor.URL+"/"+token)
	run(0, "drill")
	heard("/start ", " PASS demo: the newest backup (")
	run(0, "gate", "-name=demo")
	run(0, "drill", "-name=demo", "-backup=shop-20260304T031500Z.dump")
	run(0, "inventory")
	heard()
	// A file with a mistake drills nothing, which is told too.
	p.editDemo(func(text string) string { return text + "timeoot: 1m\n" })
	run(11, "drill")
	heard("/start ", "/fail ERROR demo: ")
	p.editDemo(func(text string) string { return strings.Replace(text, "timeoot: 1m\n", "", 1) })
	p.spoil()
	run(10, "drill")
	heard("/start ", "/fail FAIL demo: ")
	p.has(t, "reports", token)
}

// has fails the test if a file below a folder holds a text.
func (p *place) has(t *testing.T, dir, text string) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(p.dir, dir), func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, []byte(text)) {
			t.Errorf("%s holds %q", path, text)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A drill that has not passed for longer than promised is told by every other,
// ends inventory with an error, and is red on the page.
func TestProvenWithin(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.demo(sandbox.Local)
	p.editDemo(func(text string) string { return text + "\nproven_within: 26h\n" })
	other, err := os.ReadFile(filepath.Join(p.dir, "drills", "demo.yaml"))
	if err == nil {
		err = os.WriteFile(filepath.Join(p.dir, "drills", "never.yaml"), other, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 3, 4, 5, 0, 0, 0, time.UTC)
	var out bytes.Buffer
	h := &harness.Home{Dir: p.dir, Stdout: &out, Stderr: &out, Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler), Clusters: testneed.Clusters()}
	says := func(err error, code int, want ...string) {
		t.Helper()
		exit := &verdict.Exit{}
		if err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		for _, w := range want {
			if exit.Code != code || !strings.Contains(out.String(), w) {
				t.Errorf("code %d, want %d, and %q is not in\n%s", exit.Code, code, w, &out)
			}
		}
		out.Reset()
		h.Document = harness.Document{}
	}
	says(h.Drill(t.Context(), harness.DrillOptions{Name: "demo"}), 0, "due: never has never passed, as far as is kept (proven_within: 26h)")
	now = now.Add(25 * time.Hour)
	says(h.Inventory(t.Context(), "demo"), 0, "due: never has never passed")
	says(h.Gate(t.Context(), harness.GateOptions{Name: "demo"}), 0, "gate demo is open: its newest backup has been restored")
	now = now.Add(2 * time.Hour)
	says(h.Inventory(t.Context(), "demo"), verdict.ExitError, "no drill has passed for 1d3h")
	says(h.Drills(t.Context(), ""), 0, "due: demo has not passed for 27h (proven_within: 26h)")
	says(h.Report(t.Context(), harness.ReportOptions{}), 0, "due: demo has not passed for 27h")
	page, err := os.ReadFile(filepath.Join(p.dir, "reports", "index.html"))
	if err != nil || !strings.Contains(string(page), "No drill has passed for 27h, and one was to pass every 26h.") {
		t.Errorf("%v\n%s", err, page)
	}
	says(h.Gate(t.Context(), harness.GateOptions{Name: "demo"}), 0, "the last report is not from the last 1d2h: drilling now")
	says(h.Inventory(t.Context(), "demo,never"), verdict.ExitError, "no drill has passed, as far as is kept")
	if r := p.latest("demo"); r.ProvenWithin != "1d2h" || slices.ContainsFunc(r.Checks, func(c verdict.Check) bool { return c.ID == "proven_within" }) {
		t.Errorf("%q, and a drill that passes is no finding about itself", r.ProvenWithin)
	}
}

// Channels are told of changes, and of nothing that is muted, through real drills: the verdict is the same with and
// without, and a receiver that is down delays and changes nothing.
func TestAlerts(t *testing.T) {
	t.Parallel()
	const check = "row_count:public.products"
	hook := newReceiver(t)
	t.Cleanup(func() { os.Unsetenv("ALERTS_HOOK") })
	os.Setenv("ALERTS_HOOK", hook.URL+"/"+token)
	os.Setenv("ALERTS_DOWN", "http://127.0.0.1:1/"+token)
	p := newPlace(t)
	p.demo(sandbox.Local)
	p.editDemo(func(text string) string {
		return text + "\nnotify: {channels: [{webhook_env: ALERTS_HOOK}, {slack_env: ALERTS_DOWN, when: [every]}, {teams_env: ALERTS_UNSET}]}\n"
	})
	now := time.Date(2026, 3, 4, 5, 0, 0, 0, time.UTC)
	var out bytes.Buffer
	h := &harness.Home{Dir: p.dir, Stdout: &out, Stderr: &out, Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler), Clusters: testneed.Clusters()}
	run := func(code, messages int, told ...string) {
		t.Helper()
		out.Reset()
		now = now.Add(time.Minute)
		got, _ := exitOf(t, h.Drill(t.Context(), harness.DrillOptions{}))
		r := p.latest("demo")
		if n := len(hook.took()); got != code || n != messages || !slices.Equal(r.Notified[0].Told, told) || strings.Contains(out.String(), token) {
			t.Errorf("code %d, want %d; %d messages, want %d: %+v\n%s", got, code, n, messages, r.Notified, &out)
		}
		if down := r.Notified[1]; down.Failed != "nothing listens there: connection refused" || !strings.Contains(out.String(), "not told: slack (ALERTS_DOWN)") {
			t.Errorf("%+v\n%s", down, &out)
		}
		// It would not be told tonight: that is said before there is any news.
		if unset := r.Notified[2]; unset.Failed != "the environment variable ALERTS_UNSET is not set" {
			t.Errorf("%+v", unset)
		}
	}
	mute := func(code int, check, until, says string) {
		t.Helper()
		out.Reset()
		got, reason := exitOf(t, h.Mute(t.Context(), harness.MuteOptions{Name: "demo", Check: check, Why: "a purge", Until: until}))
		if got != code || !strings.Contains(out.String()+reason, says) {
			t.Errorf("code %d, want %d, and %q in\n%s%s", got, code, says, &out, reason)
		}
	}
	mute(11, check, "1d", "demo has no report yet")
	run(0, 0)
	mute(11, check, "31d", "30 days at most")
	mute(11, check, "2026-03-01", "that is over")
	mute(11, check, "soon", "it takes a time or a span")
	mute(11, "row_count:public.produts", "1d", "has no check")
	mute(0, check, "1d", "muted until 2026-03-05 05:01 UTC: "+check+" of demo, by ")
	p.editDemo(func(text string) string { return strings.Replace(text, "{equals: 40}", "{equals: 41}", 1) })
	run(10, 0)
	r := p.latest("demo")
	if len(r.Muted) != 1 || r.Muted[0].Why != "a purge" {
		t.Errorf("%+v", r.Muted)
	}
	for file, want := range map[string]string{"index.html": "muted: " + check + " until 2026-03-05 05:01 UTC", "demo/" + r.Run + "/report.html": ">Muted<",
		"demo/" + r.Run + "/report.md": "muted"} {
		text, err := os.ReadFile(filepath.Join(p.dir, "reports", file))
		if err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s: %v, no %q", file, err, want)
		}
	}
	now = now.Add(25 * time.Hour)
	run(10, 1, "fail row_count")
	p.editDemo(func(text string) string { return strings.Replace(text, "{equals: 41}", "{equals: 40}", 1) })
	run(0, 1, "recovered row_count")
	mute(0, check, "now", "not muted: "+check+" of demo")
	p.has(t, "reports", token)
}

// A drill that was interrupted says no more than that it began. One whose report is nowhere is no pass, and who
// heard of one, or wants to hear of errors, hears so.
func TestWhatAMonitorHearsLast(t *testing.T) {
	t.Parallel()
	monitor, hook := newReceiver(t), newReceiver(t)
	os.Setenv("LAST_PING", monitor.URL+"/"+token)
	os.Setenv("LAST_HOOK", hook.URL)
	p := newPlace(t)
	p.demo(sandbox.Local)
	p.editDemo(func(text string) string {
		return text + "\nnotify: {heartbeat_env: LAST_PING, channels: [{webhook_env: LAST_HOOK, when: [error]}]}\n"
	})
	var out bytes.Buffer
	h := &harness.Home{Dir: p.dir, Stdout: full{}, Stderr: &out, Now: afterTheDemo, Log: slog.New(slog.DiscardHandler), Clusters: testneed.Clusters()}
	if err := os.WriteFile(filepath.Join(p.dir, "reports"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	code, _ := exitOf(t, h.Drill(t.Context(), harness.DrillOptions{}))
	got := monitor.took()
	if code != verdict.ExitError || len(got) != 3 || !strings.HasPrefix(got[1], "/"+token+" PASS") || !strings.HasPrefix(got[2], "/"+token+"/fail ERROR demo: ") {
		t.Errorf("code %d, the monitor heard %q\n%s", code, got, &out)
	}
	if told := hook.took(); len(told) != 1 || !strings.Contains(told[0], `"new":[{"key":"daybefore/demo/history"`) {
		t.Errorf("a channel was told %q", told)
	}
	ctx, stop := context.WithCancelCause(t.Context())
	monitor.mu.Lock()
	monitor.does = func(http.ResponseWriter, *http.Request) { stop(drill.ErrInterrupted) }
	monitor.mu.Unlock()
	code, _ = exitOf(t, h.Drill(ctx, harness.DrillOptions{}))
	if got := monitor.took(); code != verdict.ExitInterrupted || len(got) != 1 || !strings.HasPrefix(got[0], "/"+token+"/start") {
		t.Errorf("code %d, the monitor heard %q", code, got)
	}
}

// full is a disk without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }
