package metrics

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"daybefore/internal/testneed"
	"daybefore/internal/verdict"
)

var at = time.Date(2026, 11, 30, 3, 15, 0, 0, time.UTC)

// full is a report in which nothing is missing.
func full() *verdict.Report {
	r := &verdict.Report{
		Drill: "shop@eu", Run: "20261130T031500Z-3f2a", Outcome: verdict.Pass, StartedAt: at, FinishedAt: at.Add(time.Minute),
		DurationMS: 60_000, Recovery: &verdict.Recovery{TotalMS: 42_500},
		Backup:    verdict.Backup{Name: "shop.dump", TakenAt: at.Add(-2 * time.Hour), SizeBytes: 1 << 20},
		Inventory: verdict.Inventory{Backups: 7, Bytes: 7 << 20},
		Stages:    []verdict.Stage{{Name: verdict.StageFetch, Outcome: verdict.Pass, DurationMS: 1500}, {Name: verdict.StageExpect, Outcome: verdict.Skipped}},
		Checks:    []verdict.Check{{Outcome: verdict.Pass}, {Outcome: verdict.Pass}, {Outcome: verdict.Warn}},
		Scrub:     verdict.Scrub{Columns: []verdict.ScrubColumn{{Rows: 40}, {Rows: 2}}},
		Tables:    []verdict.Table{{Name: "public.a\"b\\c\nd\xff", RowsHeld: 5000}},
	}
	for i := range 2 * mostTables {
		r.Tables = append(r.Tables, verdict.Table{Name: fmt.Sprintf("public.t%03d", i), RowsHeld: int64(i)})
	}
	return r
}

func text(t *testing.T, r *verdict.Report, past Past) string {
	t.Helper()
	b, err := Text(r, past)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// promtool runs Prometheus' own.
func promtool(t *testing.T, stdin string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), testneed.Debian(t, "prometheus").Program(t, "promtool"), args...)
	cmd.Dir = examples
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if err != nil || args[0] == "check" && args[1] == "metrics" && len(out) > 0 {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

var examples = filepath.Join("..", "..", "docs", "examples", "prometheus")

// Prometheus' own judge has nothing to say against what is written, whatever a
// report lacks.
func TestPromtoolTakesMetrics(t *testing.T) {
	t.Parallel()
	promtool(t, text(t, full(), Past{}), "check", "metrics")
	promtool(t, text(t, &verdict.Report{Drill: "shop", Outcome: verdict.Error}, Past{Unknown: true}), "check", "metrics")
}

// Each number is what the report says, and what is not known is not there.
func TestText(t *testing.T) {
	t.Parallel()
	said := text(t, full(), Past{LastPass: at.Add(-time.Hour)})
	for _, line := range []string{
		`daybefore_drill_outcome{drill="shop@eu",outcome="pass"} 1`,
		`daybefore_drill_outcome{drill="shop@eu",outcome="fail"} 0`,
		fmt.Sprintf(`daybefore_last_success_timestamp_seconds{drill="shop@eu"} %v`, float64(at.Unix()+60)),
		`daybefore_drill_duration_seconds{drill="shop@eu"} 60`,
		`daybefore_stage_duration_seconds{drill="shop@eu",stage="fetch"} 1.5`,
		`daybefore_recovery_seconds{drill="shop@eu"} 42.5`,
		`daybefore_backup_age_seconds{drill="shop@eu"} 7200`,
		`daybefore_backup_size_bytes{drill="shop@eu"} 1.048576e+06`,
		`daybefore_store_backups{drill="shop@eu"} 7`,
		`daybefore_tables{drill="shop@eu"} 201`,
		`daybefore_rows{drill="shop@eu"} 24900`,
		`daybefore_table_rows{drill="shop@eu",table="public.a\"b\\c\nd?"} 5000`,
		`daybefore_table_rows{drill="shop@eu",table="public.t199"} 199`,
		`daybefore_scrubbed_values{drill="shop@eu"} 42`,
		`daybefore_checks{drill="shop@eu",outcome="pass"} 2`,
	} {
		if !strings.Contains(said, line+"\n") {
			t.Errorf("%s is missing in\n%s", line, said)
		}
	}
	if n := strings.Count(said, "\ndaybefore_table_rows{"); n != mostTables {
		t.Errorf("%d tables have a series of their own", n)
	}
	if strings.Contains(said, `stage="expect"`) {
		t.Error("a stage that never began has a duration")
	}
	lost := text(t, &verdict.Report{Drill: "shop", Outcome: verdict.Fail}, Past{Unknown: true})
	for _, name := range []string{"last_success", "recovery", "backup_", "store_", "tables", "rows", "scrubbed"} {
		if strings.Contains(lost, "daybefore_"+name) {
			t.Errorf("of a drill that knows nothing, %s is told:\n%s", name, lost)
		}
	}
}

// A drill that does not pass leaves the last success where it was.
func TestLastSuccess(t *testing.T) {
	t.Parallel()
	const name = `daybefore_last_success_timestamp_seconds{drill="shop@eu"} `
	before := Past{LastPass: at.Add(-24 * time.Hour)}
	for outcome, want := range map[verdict.Outcome]int64{
		verdict.Pass: at.Unix() + 60, verdict.Warn: at.Unix() + 60, verdict.Fail: before.LastPass.Unix(), verdict.Error: before.LastPass.Unix(),
		verdict.Skipped: before.LastPass.Unix(),
	} {
		r := full()
		r.Outcome = outcome
		if said := text(t, r, before); !strings.Contains(said, fmt.Sprintf("%s%v\n", name, float64(want))) {
			t.Errorf("%s: want %d in\n%s", outcome, want, said[:600])
		}
	}
	r := full()
	r.Outcome = verdict.Fail
	if said := text(t, r, Past{}); !strings.Contains(said, name+"0\n") {
		t.Error("a drill that never passed does not say so")
	}
}

// The rules in docs/examples are good, and each alert is tried firing and not
// firing.
func TestAlerts(t *testing.T) {
	t.Parallel()
	promtool(t, "", "check", "rules", "alerts.yml")
	promtool(t, "", "test", "rules", "alerts_test.yml")
	var rules struct {
		Groups []struct{ Rules []struct{ Alert string } }
	}
	var tries struct {
		Tests []struct {
			AlertRuleTest []struct {
				Alertname string
				ExpAlerts []any `yaml:"exp_alerts"`
			} `yaml:"alert_rule_test"`
		}
	}
	for name, into := range map[string]any{"alerts.yml": &rules, "alerts_test.yml": &tries} {
		if err := yaml.Unmarshal([]byte(example(t, name)), into); err != nil {
			t.Fatal(name, err)
		}
	}
	fires := map[string][]bool{}
	for _, test := range tries.Tests {
		for _, a := range test.AlertRuleTest {
			fires[a.Alertname] = append(fires[a.Alertname], len(a.ExpAlerts) > 0)
		}
	}
	for _, r := range rules.Groups[0].Rules {
		if !slices.Contains(fires[r.Alert], true) || !slices.Contains(fires[r.Alert], false) {
			t.Errorf("%s is not tried both firing and not firing", r.Alert)
		}
	}
	if first := rules.Groups[0].Rules[0].Alert; first != "NoDrillHasPassed" {
		t.Errorf("the first alert is %s", first)
	}
}

func example(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(examples, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Alerts and the dashboard ask for metrics that there are, and the page for
// people names all of them.
func TestNamesInExamples(t *testing.T) {
	t.Parallel()
	names := regexp.MustCompile(`daybefore_[a-z_]+`)
	known := names.FindAllString(text(t, full(), Past{}), -1)
	for _, file := range []string{"alerts.yml", "alerts_test.yml", "dashboard.json"} {
		for _, name := range names.FindAllString(example(t, file), -1) {
			if !slices.Contains(known, name) {
				t.Errorf("%s asks for %s, which there is not", file, name)
			}
		}
	}
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "metrics.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range known {
		if !strings.Contains(string(page), "`"+name) {
			t.Errorf("docs/metrics.md does not name %s", name)
		}
	}
}

// A real Pushgateway takes what is written, in the place of what it had.
func TestPush(t *testing.T) {
	t.Parallel()
	gateway := pushgateway(t)
	if err := Push(t.Context(), gateway, "shop@eu", []byte(text(t, full(), Past{}))); err != nil {
		t.Fatal(err)
	}
	said := get(t, gateway+"/metrics")
	if !strings.Contains(said, `daybefore_drill_outcome{drill="shop@eu",instance="",job="daybefore",outcome="pass"} 1`) ||
		!strings.Contains(said, "daybefore_table_rows{") {
		t.Errorf("the Pushgateway has\n%s", said)
	}
	failed := &verdict.Report{Drill: "shop@eu", Outcome: verdict.Fail}
	if err := Push(t.Context(), gateway, "shop@eu", []byte(text(t, failed, Past{}))); err != nil {
		t.Fatal(err)
	}
	said = get(t, gateway+"/metrics")
	if strings.Contains(said, "daybefore_table_rows{") || !strings.Contains(said, `job="daybefore",outcome="fail"} 1`) {
		t.Errorf("what was pushed before is still there:\n%s", said)
	}
	err := Push(t.Context(), gateway, "shop@eu", []byte("no metrics"))
	if err == nil || !strings.Contains(err.Error(), "400") {
		t.Errorf("what is no metric was taken: %v", err)
	}
}

// pushgateway starts a real one.
func pushgateway(t *testing.T) (url string) {
	t.Helper()
	program := testneed.Debian(t, "prometheus-pushgateway").Program(t, "prometheus-pushgateway")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	var log bytes.Buffer
	cmd := exec.CommandContext(t.Context(), program, "--web.listen-address="+address)
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	for range 600 {
		answer, err := http.Get("http://" + address + "/-/ready")
		if err == nil {
			answer.Body.Close()
			return "http://" + address
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("the Pushgateway does not answer:\n%s", &log)
	return ""
}

func get(t *testing.T, url string) string {
	t.Helper()
	answer, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// What a Pushgateway refuses is told without its URL, and what may pass is tried
// again until the time is up.
func TestPushFails(t *testing.T) {
	t.Parallel()
	hang := make(chan struct{})
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it followed") }))
	defer elsewhere.Close()
	busy := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		if user != "me" || password != "hunter2" {
			t.Error("the password did not arrive")
		}
		switch strings.Split(r.URL.Path, "/")[1] {
		case "busy":
			busy++
			if busy == 1 {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
		case "moved":
			http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
		case "hangs":
			<-hang
		default:
			w.WriteHeader(http.StatusForbidden)
		}
	}))
	defer server.Close()
	defer close(hang)
	base := strings.Replace(server.URL, "http://", "http://me:hunter2@", 1)
	for path, want := range map[string]string{
		"/busy": "", "/no": "answers 403", "/moved": "leads on to another place", "/hangs": "push to the Pushgateway at 127.0.0.1",
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		if path == "/hangs" {
			cancel()
		}
		err := Push(ctx, base+path, "shop", []byte("a 1\n"))
		cancel()
		said := fmt.Sprint(err)
		if want == "" && err != nil || !strings.Contains(said, want) || strings.Contains(said, "hunter2") {
			t.Errorf("%s: %q, want %q", path, said, want)
		}
	}
	spoken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			_, err = io.WriteString(conn, "HTTP/1.1 418 \x1b[2Jall is well\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
			err = errors.Join(err, conn.Close())
		}
		if err != nil {
			t.Error(err)
		}
	}))
	defer spoken.Close()
	if said := fmt.Sprint(Push(t.Context(), spoken.URL, "shop", nil)); !strings.HasSuffix(said, "it answers 418 I'm a teapot") {
		t.Errorf("of an answer in words of its own: %q", said)
	}
	if err := Push(t.Context(), "http://me:hunter2@[", "shop", nil); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("a URL that is none: %v", err)
	}
	if err := Push(t.Context(), "http://me:hunter2@127.0.0.1:1", "shop", nil); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("nobody listens: %v", err)
	}
}
