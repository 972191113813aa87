package bench

import (
	"bytes"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"daybefore/internal/sandbox"
)

func TestGodebug(t *testing.T) {
	t.Setenv("GODEBUG", "")
	if got := godebug([]string{"sha"}); got != "GODEBUG=cpu.sha=off" {
		t.Error(got)
	}
	t.Setenv("GODEBUG", "gctrace=0")
	if got := godebug([]string{"sha", "aes"}); got != "GODEBUG=gctrace=0,cpu.sha=off,cpu.aes=off" {
		t.Error(got)
	}
}

func TestUnmasked(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	u := &unmasked{to: &out}
	for _, part := range []string{"one\nGODEBUG sys/", "cpu: unknown cpu feature \"", "sha", "\"\nGODEBUG: two\nthr", "ee"} {
		if _, err := u.Write([]byte(part)); err != nil {
			t.Fatal(err)
		}
	}
	if err := u.end(); err != nil || out.String() != "one\nGODEBUG: two\nthree" {
		t.Errorf("%q, %v", &out, err)
	}
}

// Drills run without what was masked, and the result says so; the library that
// does not know the feature says nothing.
func TestMask(t *testing.T) {
	t.Parallel()
	if runtime.GOARCH != "amd64" {
		t.Skip("the runtime calls it sha there only")
	}
	needLocal(t)
	o, tmp := withDump(t, sandbox.Local)
	o.Ways, o.Mask = "by_hand,scrubbed", "sha,aes"
	var out, said bytes.Buffer
	o.Stdout, o.Stderr = &out, &said
	if err := Run(t.Context(), o); err != nil {
		t.Fatalf("%v\n%s", err, &said)
	}
	leftBehind(t, tmp)
	if r := read(t, o); !slices.Equal(r.Masked, []string{"sha", "aes"}) || !strings.Contains(out.String(), "drills did without the processor's sha, aes\n") {
		t.Errorf("%v\n%s", r.Masked, &out)
	}
	if strings.Contains(said.String(), "GODEBUG") {
		t.Error(&said)
	}
}

// The jobs of drills alone are masked.
func TestMaskedJobs(t *testing.T) {
	t.Parallel()
	jobs, err := (Options{Mask: "sha", Ways: "by_hand,plain"}).jobs(&dumped{Dump: Dump{Kind: sandbox.Local}}, shop(smallest))
	if err != nil || fmt.Sprint(jobs[0].Masked, jobs[1].Masked) != "[] [sha]" {
		t.Errorf("%+v, %v", jobs, err)
	}
}
