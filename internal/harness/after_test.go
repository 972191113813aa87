package harness_test

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"daybefore/internal/catalog/storetest"
	"daybefore/internal/pgtest"
	"daybefore/internal/sandbox"
	"daybefore/internal/verdict"
)

// People are told while metrics are pushed: here each waits for the other.
func TestMetricsBesidePeople(t *testing.T) {
	t.Parallel()
	var hooked, pushed sync.Once
	told, written := make(chan struct{}), make(chan struct{})
	waits := func(mine *sync.Once, begun, other chan struct{}) string {
		s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body) // else nobody notices that the drill went away
			mine.Do(func() { close(begun) })
			select {
			case <-other:
			case <-r.Context().Done():
			}
		}))
		t.Cleanup(s.Close)
		return s.URL
	}
	hook, gateway := waits(&hooked, told, written), waits(&pushed, written, told)
	p := newPlace(t)
	p.demo(sandbox.Local)
	p.editDemo(func(text string) string {
		return text + "\nnotify: {channels: [{webhook_env: THE_HOOK, when: [every]}]}\nmetrics: {pushgateway_env: THE_GATEWAY}\n"
	})
	p.env = []string{"THE_HOOK=" + hook, "THE_GATEWAY=" + gateway}
	said := p.ended(0, "drill").said()
	if strings.Contains(said, "warning") || len(p.latest("demo").Notified) != 1 {
		t.Errorf("one waited for the other:\n%s", said)
	}
}

// An interrupted drill pushes nothing, and waits for no store and no other process
// that keeps it from ending.
func TestAnInterruptedDrillWaitsForNobody(t *testing.T) {
	t.Parallel()
	gateway := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("an interrupted drill pushed")
	}))
	defer gateway.Close()
	p := newPlace(t)
	db := newSlow(pgtest.Server(t), forever).drill(p, "shop", sandbox.Local, 0)
	s3 := storetest.S3(t)
	file := filepath.Join(p.dir, "drills", "shop.yaml")
	text, err := os.ReadFile(file)
	private, _ := signing(t)
	p.write("drills/shop.yaml", string(text)+fmt.Sprintf(`
history: "s3://%s/past/"
sign: {key_env: SIGNING_KEY}
metrics: {textfile: %s, pushgateway_env: THE_GATEWAY}
`, s3.Bucket, p.dir))
	err = cmp.Or(err, os.MkdirAll(filepath.Join(p.dir, "reports", "shop"), 0o755))
	if err != nil {
		t.Fatal(err)
	}
	held, err := os.Create(filepath.Join(p.dir, "reports", "shop", ".chain.lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	cmd := exec.Command(binary(t), "drill")
	cmd.Env = p.environ(append(s3.Environ(), "SIGNING_KEY="+private, "THE_GATEWAY="+gateway.URL,
		"AWS_ENDPOINT_URL="+s3.Endpoint, "AWS_REGION="+s3.Region)...)
	pr := p.startCmd(cmd)
	if !db.busy(pr, "COPY") {
		t.Fatalf("it ended before it could be interrupted\n%s", pr.said())
	}
	s3.Silence(1000, 0)
	err = unix.Flock(int(held.Fd()), unix.LOCK_EX)
	if err != nil {
		t.Fatal(err)
	}
	interrupt(t, p, pr, syscall.SIGTERM, verdict.StageRestore)
	for _, says := range []string{"another process may have signed at the same time", "in the history"} {
		if !strings.Contains(pr.said(), says) {
			t.Errorf("it does not say %q, so that this test shows nothing\n%s", says, pr.said())
		}
	}
	numbers, err := os.ReadFile(filepath.Join(p.dir, "daybefore_shop.prom"))
	if err != nil || !bytes.Contains(numbers, []byte(`outcome="error"} 1`)) {
		t.Errorf("its file of metrics: %v\n%s", err, numbers)
	}
}
