package place

import (
	"io"
	"strings"
	"testing"
	"time"

	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// A program that hangs, or never begins, is ended and says so.
func TestAProgramThatHangs(t *testing.T) {
	t.Parallel()
	for name, script := range map[string]string{"in the middle": "echo half; echo waiting >&2; exec sleep 10000",
		"at once": "echo waiting >&2; exec sleep 10000"} {
		s, err := OpenExec(spec.Exec{List: []string{"sh", "-c", script}, Fetch: []string{"sh", "-c", script, "{name}"}})
		if err != nil {
			t.Fatal(err)
		}
		s.idle = time.Second
		for _, err := range s.List(t.Context(), "", false) {
			wantStalled(t, name, err)
		}
		r, err := s.ReadRange(t.Context(), Object{Name: "x", Size: Unsized}, 0, Unsized)
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.ReadAll(r)
		wantStalled(t, name, err)
		r.Close()
	}
}

func wantStalled(t *testing.T, name string, err error) {
	t.Helper()
	if err == nil {
		t.Fatalf("%s: no error", name)
	}
	p := verdict.AsProblem(err)
	if p.Code != verdict.CodeProgram || p.Outcome != verdict.Error || !strings.Contains(err.Error(), "neither wrote nor read") ||
		!strings.Contains(err.Error(), "its last words: waiting") {
		t.Errorf("%s: %v", name, err)
	}
}

// The words of presets, as their programs write them.
func TestPresetWords(t *testing.T) {
	t.Parallel()
	w, err := wordsOf(spec.Exec{Preset: spec.PresetRestic, File: "b/shop.dump", Repository: "r", Args: []string{"--tag", "db"}})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(w.fetch("20261120T030000Z_1a2b3c4d"), " "); got != "restic --no-lock --repo r --tag db dump 1a2b3c4d /b/shop.dump" {
		t.Error(got)
	}
	all, _, err := w.read([]byte(`[{"time":"2026-11-20T04:00:00.5+01:00","paths":["/b"],"id":"1a2b","short_id":"1a"},
		{"time":"2026-11-20T04:00:00Z","paths":["/bc"],"id":"3c4d","short_id":"3c"}]`))
	if err != nil || len(all) != 1 || all[0].name != "20261120T030000Z_1a" {
		t.Errorf("%+v, %v", all, err)
	}
	for _, text := range []string{"Fatal: no repository", `[{"time":"x","paths":["/b"],"id":"1","short_id":"1"}]`,
		`[{"time":"2026-11-20T04:00:00Z","paths":["/b"],"id":"1"}]`} {
		if all, told, err := w.read([]byte(text)); err == nil && told {
			t.Errorf("%s: read as %+v", text, all)
		}
	}
	if _, err := wordsOf(spec.Exec{Preset: "kopia"}); err == nil {
		t.Error("a preset that nobody knows")
	}
}
