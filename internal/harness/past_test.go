package harness_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"daybefore/internal/catalog/storetest"
	"daybefore/internal/sandbox"
	"daybefore/internal/verdict"
)

// A runner whose disk is empty knows from the bucket what passed before. Where
// the bucket does not answer, that is an error, and the backup is drilled all
// the same.
func TestHistoryInABucket(t *testing.T) {
	t.Parallel()
	server := storetest.S3(t)
	p := newPlace(t)
	p.demo(sandbox.Local)
	p.editDemo(func(text string) string {
		return "history: {url: 's3://" + server.Bucket + "/past/', key_env: REPORT_KEY}\n" + text
	})
	run := func(code int, args ...string) *process {
		cmd := p.start(args...)
		t.Helper()
		if got := cmd.end(); got != code {
			t.Fatalf("exit code %d, want %d\n%s", got, code, cmd.said())
		}
		return cmd
	}
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": server.AccessKey, "AWS_SECRET_ACCESS_KEY": server.SecretKey,
		"AWS_ENDPOINT_URL": server.Endpoint, "AWS_REGION": server.Region,
	} {
		p.env = append(p.env, name+"="+value)
	}
	const key = "4f1c0a9be2d37586a1b2c3d4e5f60718"
	for args, want := range map[string]string{
		"drill": "history.key_env: the environment variable REPORT_KEY is not set", "inventory": "REPORT_KEY of history.key_env is not set",
		"accept -name=demo -check=x -why=y": "could not be signed: the environment variable",
	} {
		said := strings.Join(strings.Fields(run(verdict.ExitError, strings.Fields(args)...).said()), " ") // lines are folded
		if !strings.Contains(said, want) {
			t.Errorf("%s without the key: %q is not in %s", args, want, said)
		}
	}
	p.env = append(p.env, "REPORT_KEY="+key)
	run(verdict.ExitOK, "drill")
	if err := os.RemoveAll(filepath.Join(p.dir, "reports")); err != nil {
		t.Fatal(err)
	}
	if gate := run(verdict.ExitOK, "gate", "-name=demo"); strings.Contains(gate.said(), "drilling now") {
		t.Errorf("the gate knows nothing of the bucket\n%s", gate.said())
	}
	p.env = append(p.env, "REPORT_KEY=c0ffee11223344556677889900aabbcc,"+key) // a new one, and the old one is trusted
	run(verdict.ExitOK, "drill")
	if r := p.latest("demo"); len(r.Trend) != 1 {
		t.Errorf("the trend: %+v", r.Trend)
	}
	p.env = append(p.env, "AWS_ENDPOINT_URL=http://127.0.0.1:1") // nobody listens there
	said := run(verdict.ExitError, "drill").said()
	for _, want := range []string{"keep what is known of demo in the history", "the local copy under reports/ is complete"} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is not in\n%s", want, said)
		}
	}
	r := p.latest("demo")
	if s := stageOf(r, verdict.StageChoose); s.Outcome != verdict.Error || s.Code != verdict.CodeHistory ||
		stageOf(r, verdict.StageExpect).Outcome != verdict.Pass {
		t.Errorf("%+v", r.Stages)
	}
	if strings.Contains(said, server.SecretKey) || strings.Contains(said, key) {
		t.Error("the secret key is printed")
	}
}
