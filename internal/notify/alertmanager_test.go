package notify_test

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"daybefore/internal/debian"
	"daybefore/internal/spec"
	"daybefore/internal/testneed"
)

// realAlertmanager starts Debian's, which tells a webhook what it would tell people.
func realAlertmanager(t *testing.T, hook string) (url string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("Debian's finds its templates below /usr only, where root alone may lay them")
	}
	p := testneed.Debian(t, "prometheus-alertmanager")
	dir := t.TempDir()
	config := filepath.Join(dir, "am.yml")
	text := "route: {receiver: us, group_by: ['...'], group_wait: 10ms, group_interval: 10ms, repeat_interval: 1h}\n" +
		"receivers: [{name: us, webhook_configs: [{url: '" + hook + "', send_resolved: true}]}]\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	argv := debian.Over([]debian.Package{p.Package}, "prometheus-alertmanager", "--config.file="+config, "--storage.path="+dir,
		"--web.listen-address="+address, "--cluster.listen-address=")
	cmd := exec.Command(argv[0], argv[1:]...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	url = "http://" + address
	until(t, "Alertmanager is ready", func() bool {
		resp, err := http.Get(url + "/-/ready")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
	return url
}

// until waits for what will come, as long as a loaded machine may take.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// A real Alertmanager fires an alert a code, keeps it while it fires, tells people of it once, and resolves it with the pass.
func TestAlertmanager(t *testing.T) {
	t.Parallel()
	people := newReceiver(t)
	url := realAlertmanager(t, people.URL)
	active := func() (codes []string) {
		resp, err := http.Get(url + "/api/v2/alerts")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		var all []struct {
			Labels map[string]string
			EndsAt time.Time
		}
		body, _ := io.ReadAll(resp.Body)
		if err := json.Unmarshal(body, &all); err != nil {
			t.Fatalf("%v: %s", err, body)
		}
		for _, a := range all {
			if a.Labels["alertname"] != "RestoreDrill" || a.Labels["drill"] != "shop" || time.Until(a.EndsAt) < 30*24*time.Hour {
				t.Errorf("%+v", a)
			}
			codes = append(codes, a.Labels["code"])
		}
		slices.Sort(codes)
		return codes
	}
	both := []string{"freshness", "row_count"}
	want := map[string][]string{"fail": both[1:], "still": both[1:], "more": both, "early end": both, "pass": nil, "pass again": nil}
	heard := func(status string) (n int) {
		people.mu.Lock()
		defer people.mu.Unlock()
		for _, b := range people.bodies {
			n += strings.Count(string(b), `"alerts":[{"status":"`+status+`"`)
		}
		return n
	}
	told := map[string][2]int{"fail": {1, 0}, "still": {1, 0}, "more": {2, 0}, "early end": {2, 0}, "pass": {2, 2}, "pass again": {2, 2}}
	nights(t, spec.Notify{Channels: []spec.Channel{{Kind: spec.ChannelAlertmanager, URL: url, When: usual}}}, func(night string) {
		if got := active(); !slices.Equal(got, want[night]) {
			t.Errorf("%s: active: %v, want %v", night, got, want[night])
		}
		until(t, "people heard of "+night, func() bool { return heard("firing") >= told[night][0] && heard("resolved") >= told[night][1] })
	})
	if heard("firing") != 2 || heard("resolved") != 2 {
		t.Errorf("people heard %d and %d times", heard("firing"), heard("resolved"))
	}
}
