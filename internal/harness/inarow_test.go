package harness_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"daybefore/internal/harness"
	"daybefore/internal/sandbox"
	"daybefore/internal/testneed"
)

// inARowEnv makes this test binary a process that drills often.
const inARowEnv = "HARNESS_TEST_IN_A_ROW"

const (
	settling = 5 * time.Second // for what ends on its own soon after a drill,
	staying  = time.Minute     // and what is there so long after the last one stays
)

// inARow is how many drills there are. What each of them leaves shows after the
// second.
func inARow() int {
	if testneed.Matrix() {
		return 10
	}
	return 4
}

// A process that drills some times keeps no connection, file or goroutine of
// any of them, and nothing else of them is left either.
func TestDrillsInARow(t *testing.T) {
	kinds(t, func(t *testing.T, kind string) {
		p := newPlace(t)
		p.demo(kind)
		self, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		events := watchVolumes(t, p)
		cmd := exec.Command(self)
		cmd.Env = p.environ(inARowEnv + "=" + p.dir)
		pr := p.startCmd(cmd)
		if code := pr.end(); code != 0 {
			t.Errorf("ended with %d\n%s", code, pr.said())
		}
		t.Log(strings.TrimSpace(pr.stdout.String()))
		volumes := events()
		if kind == sandbox.Container && len(volumes) == 0 {
			t.Error("no volume was seen, so this test shows nothing of them")
		}
		p.nothingLeft(volumes...)
	})
}

// drillInARow runs in a process of its own: it drills, and compares what the
// process holds after the first drill and after the last.
func drillInARow() int {
	var out bytes.Buffer
	h := &harness.Home{Dir: os.Getenv(inARowEnv), Stdout: &out, Stderr: os.Stderr, Now: time.Now, Log: slog.New(slog.DiscardHandler)}
	drill := func() bool {
		if err := h.Drill(context.Background(), harness.DrillOptions{Name: "demo"}); err != nil {
			fmt.Printf("%v\n%s", err, out.Bytes())
			return false
		}
		return true
	}
	if !drill() { // the first may open what is kept on purpose
		return 1
	}
	before := settled(held{}, settling)
	for range inARow() - 1 {
		if !drill() {
			return 1
		}
	}
	after := settled(before, staying)
	fmt.Printf("open files and connections: %d, then %d; goroutines: %d, then %d\n", before.files, after.files, before.goroutines, after.goroutines)
	if after.files > before.files || after.goroutines > before.goroutines {
		stacks := make([]byte, 1<<20)
		fmt.Fprintf(os.Stderr, "%s\n", stacks[:runtime.Stack(stacks, true)])
		return 1
	}
	return 0
}

// held is what a process holds.
type held struct{ files, goroutines int }

// settled counts until there is no more than before, or for so long.
func settled(before held, most time.Duration) (now held) {
	for end := time.Now().Add(most); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		fds, _ := filepath.Glob("/proc/self/fd/*")
		now = held{files: len(fds), goroutines: runtime.NumGoroutine()}
		if now.files <= before.files && now.goroutines <= before.goroutines {
			break
		}
	}
	return now
}

// watchVolumes looks at the place's containers from now on. What it returns
// tells, in the end, which volumes they had.
func watchVolumes(t *testing.T, p *place) func() []string {
	t.Helper()
	seen := map[string]bool{}
	done := make(chan struct{})
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			for _, v := range p.volumes() {
				seen[v] = true
			}
			select {
			case <-done:
				return
			case <-time.After(300 * time.Millisecond):
			}
		}
	}()
	return func() (names []string) {
		close(done)
		<-stopped
		for v := range seen {
			names = append(names, v)
		}
		return names
	}
}
