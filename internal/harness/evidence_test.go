package harness_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"daybefore/internal/evidence"
	"daybefore/internal/history"
	"daybefore/internal/sandbox"
	"daybefore/internal/verdict"
)

// signing is a new key, as openssl writes the private half and the public one.
func signing(t testing.TB) (private, public string) {
	t.Helper()
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	inner, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	outer, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: inner})), string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: outer}))
}

// ended runs the binary, which must end with a code and say so many things.
func (p *place) ended(code int, line string, says ...string) *process {
	p.t.Helper()
	pr := p.start(strings.Fields(line)...)
	if got := pr.end(); got != code {
		p.t.Errorf("%s: code %d, want %d\n%s", line, got, code, pr.said())
	}
	for _, s := range says {
		if !strings.Contains(pr.said(), s) {
			p.t.Errorf("%s does not say %q\n%s", line, s, pr.said())
		}
	}
	return pr
}

// runs are those that are kept of the demo, the oldest first.
func (p *place) runs() []string {
	p.t.Helper()
	found, err := filepath.Glob(filepath.Join(p.dir, "reports", "demo", "2*-*"))
	if err != nil {
		p.t.Fatal(err)
	}
	return found
}

// Each report is signed and chained, here and in the store, also of a failure;
// its numbers go to Prometheus; and neither that nor what refuses them changes
// what a drill came to.
func TestEvidenceAndMetrics(t *testing.T) {
	t.Parallel()
	var hangs atomic.Bool
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // else nobody notices that the drill went away
		if hangs.Load() {
			<-r.Context().Done()
		}
		w.WriteHeader(http.StatusForbidden)
	}))
	defer gateway.Close()
	p := newPlace(t)
	p.demo(sandbox.Local)
	numbers := filepath.Join(p.dir, "numbers")
	p.editDemo(func(text string) string {
		return text + "\nhistory: file:../past/\nsign: {key_env: DRILL_SIGNING_KEY, controls: [SOC 2 A1.2]}\n" +
			"metrics: {textfile: " + numbers + ", pushgateway_env: DRILL_PUSHGATEWAY_URL}\n"
	})
	if err := os.Mkdir(filepath.Join(p.dir, "past"), 0o755); err != nil {
		t.Fatal(err)
	}
	p.env = []string{"DRILL_SIGNING_KEY=a passphrase", "DRILL_PUSHGATEWAY_URL=" + strings.Replace(gateway.URL, "//", "//me:hunter2@", 1)}
	p.ended(11, "drill", "DRILL_SIGNING_KEY does not hold an ed25519 private key", "openssl genpkey -algorithm ed25519")
	if err := os.RemoveAll(filepath.Join(p.dir, "reports")); err != nil { // that drill's, which nothing signed
		t.Fatal(err)
	}

	private, public := signing(t)
	p.write("public.pem", public)
	p.env[0] = "DRILL_SIGNING_KEY=" + private
	said := p.ended(0, "drill", "metrics.textfile: ", "make the folder", "metrics.pushgateway_env: push to the Pushgateway at 127.0.0.1",
		"answers 403 Forbidden; the verdict stands").said()
	if strings.Contains(said, "hunter2") || strings.Contains(said, strings.Split(private, "\n")[1]) {
		t.Errorf("a secret is told:\n%s", said)
	}
	if err := os.Mkdir(numbers, 0o755); err != nil {
		t.Fatal(err)
	}
	p.ended(10, "drill -before=2026-03-03T00:00Z") // too old for what is declared
	file := filepath.Join(numbers, "daybefore_demo.prom")
	if _, err := os.Stat(file); err == nil {
		t.Error("the drill of another backup than the newest wrote metrics")
	}
	p.othersDrill(private, 33)
	p.spoil()
	hangs.Store(true)
	p.ended(10, "drill", "metrics.pushgateway_env: push to the Pushgateway at 127.0.0.1", "it does not answer; the verdict stands")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(text, []byte(`daybefore_drill_outcome{drill="demo",outcome="fail"} 1`)) ||
		!bytes.Contains(text, []byte(`daybefore_last_success_timestamp_seconds{drill="demo"} 1.`)) {
		t.Errorf("of a failure after a pass it says\n%s", text)
	}
	p.ended(0, "verify -name=demo", "demo: intact\n  3 reports signed on ")
	p.ended(0, "verify -name=demo -key=public.pem", "demo: intact")
	page, err := os.ReadFile(filepath.Join(p.dir, "reports", "index.html"))
	if err != nil || !bytes.Contains(page, []byte("SOC 2 A1.2")) {
		t.Errorf("the page of all drills has no table of controls (%v)", err)
	}
	p.spoilEvidence()
}

// othersDrill has newer runs of so many other machines in the store that all share.
func (p *place) othersDrill(private string, machines int) {
	p.t.Helper()
	block, _ := pem.Decode([]byte(private))
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		p.t.Fatal(err)
	}
	for i := range machines {
		at := time.Now().UTC().Add(time.Duration(i+1) * time.Minute)
		r := &verdict.Report{Schema: verdict.Schema, Drill: "demo", Run: history.NewRunID(at), Outcome: verdict.Fail, StartedAt: at, FinishedAt: at}
		file, err := history.File(r)
		if err != nil {
			p.t.Fatal(err)
		}
		envelope, err := evidence.Seal(r, file, key.(ed25519.PrivateKey), fmt.Sprintf("another%d", i), nil)
		if err == nil {
			err = history.Save(filepath.Join(p.dir, "past"), r, map[string][]byte{evidence.File: envelope})
		}
		if err != nil {
			p.t.Fatal(err)
		}
	}
}

// spoilEvidence changes what is kept of three runs, and has each told.
func (p *place) spoilEvidence() {
	p.t.Helper()
	runs := p.runs()
	failed := filepath.Base(runs[2])
	report := filepath.Join(runs[2], "report.json")
	text, err := os.ReadFile(report)
	if err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(report, bytes.Replace(text, []byte(`"outcome": "fail"`), []byte(`"outcome": "pass"`), 1), 0o644); err != nil {
		p.t.Fatal(err)
	}
	d := document(p.t, p.ended(10, "verify -name=demo -json", "the evidence is not intact: demo: 1 broken link"))
	if e := d.Evidence; len(e) != 1 || e[0].Intact || len(e[0].Faults) != 1 || e[0].Faults[0].Run != failed ||
		!strings.Contains(e[0].Faults[0].What, "was changed after it was signed as fail") {
		p.t.Errorf("of a changed report it says %+v", e)
	}
	if err := os.WriteFile(report, text, 0o644); err != nil {
		p.t.Fatal(err)
	}
	middle := filepath.Base(runs[1])
	for _, c := range []struct {
		dir  string
		code int
	}{{"reports", 0}, {"past", 10}} { // what is gone here alone is in the store
		if err := os.RemoveAll(filepath.Join(p.dir, c.dir, "demo", middle)); err != nil {
			p.t.Fatal(err)
		}
		p.ended(c.code, "verify -name=demo")
	}
	p.ended(10, "verify -name=demo", "broken at the run "+failed+": it follows the run "+middle+", whose evidence.json is gone")
	_, other := signing(p.t)
	p.write("public.pem", other)
	p.ended(10, "verify -name=demo -key=public.pem", "another key signed it")
	p.env[0] = "DRILL_SIGNING_KEY="
	p.ended(11, "verify -name=demo", "no key is here to verify with", "DRILL_SIGNING_KEY")
	p.ended(11, "verify", "-name is required")
}
