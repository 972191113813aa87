package harness_test

import (
	"os/exec"
	"path/filepath"
	"testing"

	"daybefore/internal/sandbox"
	"daybefore/internal/testneed"
)

// A fresh clone drills its demo with nothing but Go and a place to restore.
func TestAFreshClone(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles a clone")
	}
	t.Parallel()
	git := testneed.Program(t, "git")
	if err := exec.Command(git, "-C", repository, "rev-parse", "HEAD").Run(); err != nil {
		testneed.Missing(t, "a git checkout: %v", err)
	}
	p := newPlace(t)
	clone := filepath.Join(p.dir, "clone")
	from, err := filepath.Abs(repository)
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(git, "clone", "-q", from, clone).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	c := &place{t: t, dir: clone, tmp: p.tmp}
	for kind, env := range map[string]string{sandbox.Container: "DRILL_LOG=", sandbox.Local: noDocker} {
		if kind == sandbox.Container && exec.Command("docker", "image", "inspect", "postgres:15").Run() != nil {
			t.Log("left out: with Docker, since the image postgres:15 is not here")
			continue
		}
		cmd := exec.Command("go", "tool", "mage", "drill")
		cmd.Env = p.environ("DRILL_HOME=", env)
		cmd.Dir = clone
		pr := p.startCmd(cmd)
		if code := pr.end(); code != 0 {
			t.Fatalf("%s: ended with %d\n%s", kind, code, pr.said())
		}
		if r := c.latest("demo"); r.Sandbox.Kind != kind {
			t.Errorf("drilled in %+v, want %s", r.Sandbox, kind)
		}
	}
	p.nothingLeft()
	if out, err := exec.Command(git, "-C", clone, "status", "--porcelain").CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("a drill changed the checkout: %v\n%s", err, out)
	}
}
