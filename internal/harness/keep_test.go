package harness

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"daybefore/internal/evidence"
	"daybefore/internal/history"
	"daybefore/internal/verdict"
)

// Two homes on one host, which may share a store and take no turns, have a chain
// each; and one has the same chain however it is reached.
func TestMachine(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	names := map[string]string{}
	for _, home := range []string{"one", "two"} {
		if err := os.MkdirAll(filepath.Join(dir, home, "reports"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("one", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	for _, home := range []string{"one", "two", "link", "none"} {
		h := &Home{Dir: filepath.Join(dir, home)}
		name, err := h.machine()
		if err != nil {
			t.Fatal(err)
		}
		names[home] = name
	}
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	if names["one"] == names["two"] || names["one"] != names["link"] || !strings.HasPrefix(names["one"], host+"/") ||
		strings.Contains(names["one"], dir) {
		t.Errorf("the machines are %v", names)
	}
}

// silent is a store that does not answer.
type silent struct{ history.Store }

func (silent) Names(context.Context, string) ([]string, error) {
	return nil, errors.New("it does not answer")
}

// Where the store does not answer, an envelope follows the last one that is here.
func TestSealWithoutTheStore(t *testing.T) {
	t.Parallel()
	h := &Home{Dir: t.TempDir()}
	rec := &record{dir: h.reportsDir(), drill: "shop", store: silent{}}
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, ed25519.SeedSize))
	var kept []evidence.Kept
	for i, wrong := range []string{"may begin a chain anew: read past reports: it does not answer", ""} {
		at := time.Date(2026, 11, 21, 3, 15, i, 0, time.UTC)
		r := &verdict.Report{Schema: verdict.Schema, Drill: "shop", Run: history.NewRunID(at), Outcome: verdict.Pass, StartedAt: at}
		files, err := h.seal(t.Context(), r, rec, key)
		if (err != nil) != (wrong != "") || err != nil && !strings.Contains(err.Error(), wrong) {
			t.Errorf("%v, want %q", err, wrong)
		}
		if err := history.Save(h.reportsDir(), r, files); err != nil {
			t.Fatal(err)
		}
		file, err := history.File(r)
		if err != nil {
			t.Fatal(err)
		}
		kept = append(kept, evidence.Kept{Run: r.Run, Envelopes: [][]byte{files[evidence.File]}, Reports: []evidence.Report{evidence.ReportOf(file)}})
	}
	audit := evidence.Keys{key.Public().(ed25519.PublicKey)}.Verify("shop", kept)
	if len(audit.Faults) > 0 || len(audit.Chains) != 1 {
		t.Errorf("%+v", audit)
	}
}
