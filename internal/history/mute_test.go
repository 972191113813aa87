package history_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"daybefore/internal/history"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// Of one check the newest word counts, until its time; with keys, a signed one alone.
func TestMute(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	key, other := spec.Key("0123456789abcdef0123456789abcdef"), spec.Key("fedcba9876543210fedcba9876543210")
	now := time.Date(2026, 11, 21, 5, 0, 0, 0, time.UTC)
	mute := func(check string, at, until time.Duration, keys ...spec.Key) string {
		t.Helper()
		name, _, err := history.Mute(dir, "shop", verdict.Muted{Check: check, Why: "w", Who: "me", At: now.Add(at), Until: now.Add(until)}, keys...)
		if err != nil {
			t.Fatal(err)
		}
		return filepath.Join(dir, "shop", name)
	}
	muted := func(at time.Duration, keys ...spec.Key) (checks []string) {
		t.Helper()
		p := history.Read(t.Context(), dir, nil, "shop", keys...)
		if p.Problem != nil {
			t.Fatal(p.Problem)
		}
		for _, m := range p.MutedAt(now.Add(at)) {
			checks = append(checks, m.Check)
		}
		return checks
	}
	mute("a", 0, 48*time.Hour, key)
	mute("b", time.Second, time.Hour, key)
	mute("a", 2*time.Second, 24*time.Hour, key)
	mute("c", 3*time.Second, 24*time.Hour, other)
	last := mute("d", 4*time.Second, 24*time.Hour)
	for at, want := range map[time.Duration]int{time.Minute: 2, time.Hour: 1, 25 * time.Hour: 0} {
		if got := muted(at, key); len(got) != want {
			t.Errorf("after %s: %q", at, got)
		}
	}
	if got := muted(time.Minute); len(got) != 4 {
		t.Errorf("without a key: %q", got)
	}
	mute("a", 5*time.Second, 5*time.Second, key)
	if got := muted(time.Minute, key); len(got) != 1 || got[0] != "b" {
		t.Errorf("ended: %q", got)
	}
	text, err := os.ReadFile(last)
	if err == nil {
		err = os.WriteFile(last, text[:20], 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	if p := history.Read(t.Context(), dir, nil, "shop"); len(p.Damaged) != 1 {
		t.Errorf("%q", p.Damaged)
	}
}

// Whatever a file says, nothing is muted for longer than a month.
func TestNothingIsMutedForLong(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	p := history.Past{Muted: []verdict.Muted{{Check: "x", At: at, Until: at.AddDate(1, 0, 0)}}}
	if got := p.MutedAt(at.AddDate(0, 0, 1)); len(got) != 1 || !got[0].Until.Equal(at.Add(history.MostMuted)) {
		t.Errorf("%+v", got)
	}
	if got := p.MutedAt(at.AddDate(0, 0, 31)); len(got) != 0 {
		t.Errorf("%+v", got)
	}
	p.Muted[0].At = at.AddDate(1, 0, 0) // by another clock
	if got := p.MutedAt(at); len(got) != 1 || got[0].Until.After(at.Add(history.MostMuted)) {
		t.Errorf("%+v", got)
	}
}
