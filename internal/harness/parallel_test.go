package harness_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"log/slog"

	"daybefore/internal/harness"
	"daybefore/internal/history"
	"daybefore/internal/verdict"
)

// Several drills at once: each is reported whole, a bad one does not stop the
// others, and the memory that they may use is shared.
func TestDrillsInParallel(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	demo, err := os.ReadFile("../../drills/demo.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(demo), "kind: auto", "kind: local", 1)
	if err := os.CopyFS(filepath.Join(home, "drills", "demo"), os.DirFS("../../drills/demo")); err != nil {
		t.Fatal(err)
	}
	const drills = 4
	for i := range drills {
		if i == 1 {
			text = strings.Replace(text, "database: shop", "database: another", 1)
		} else {
			text = strings.Replace(text, "database: another", "database: shop", 1)
		}
		if err := os.WriteFile(filepath.Join(home, "drills", fmt.Sprintf("d%d.yaml", i)), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	h := &harness.Home{Dir: home, Stdout: &out, Stderr: io.Discard, Now: time.Now, Log: slog.New(slog.DiscardHandler)}
	err = h.Drill(t.Context(), harness.DrillOptions{Parallel: drills})
	if exit, ok := err.(*verdict.Exit); !ok || exit.Code != verdict.ExitFail {
		t.Errorf("ended with %v", err)
	}
	for i := range drills {
		name := fmt.Sprintf("d%d", i)
		r, err := history.Latest(filepath.Join(home, "reports"), name)
		if err != nil {
			t.Fatal(err)
		}
		want := verdict.Pass
		if i == 1 {
			want = verdict.Fail
		}
		if r.Outcome != want {
			t.Errorf("%s: %s", name, r.Outcome)
		}
		// One report at a time: its last line follows its first.
		if first, last := strings.Index(out.String(), " "+name+": "), strings.LastIndex(out.String(), "reports/"+name+"/"); first < 0 || last < first {
			t.Errorf("%s is not in the output as a whole", name)
		} else if n := strings.Count(out.String()[first:last], "\nstages "); n != 1 {
			t.Errorf("%s: %d reports between its first and its last line", name, n)
		}
	}
	if err := h.Drill(t.Context(), harness.DrillOptions{Parallel: -1}); err == nil || !strings.Contains(err.Error(), "-parallel=-1") {
		t.Errorf("-parallel=-1: %v", err)
	}
}
