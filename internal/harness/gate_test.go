package harness_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"daybefore/internal/harness"
	"daybefore/internal/sandbox"
	"daybefore/internal/verdict"
)

// A passing report opens the gate only as long as the backup is as young as
// declared, which is asked anew each time.
func TestTheGateJudgesTheAgeAgain(t *testing.T) {
	t.Parallel()
	const fixed = "as_of: 2026-03-04T05:00:00Z"
	for _, c := range []struct {
		asOf string
		code int // a day and a half later
		says string
	}{
		{fixed, verdict.ExitOK, "gate demo is open: its newest backup has been restored\n"},
		{"as_of: now", verdict.ExitFail, "gate demo stays shut: fail at choose (backup_age): "},
	} {
		t.Run(c.asOf, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			p.demo(sandbox.Local)
			p.editDemo(func(text string) string { return strings.Replace(text, fixed, c.asOf, 1) })

			now := time.Date(2026, 3, 4, 5, 0, 0, 0, time.UTC)
			var out bytes.Buffer
			h := &harness.Home{Dir: p.dir, Stdout: &out, Stderr: &out, Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler)}
			gate := harness.GateOptions{Name: "demo", Within: "7d"}
			if err := h.Gate(t.Context(), gate); err != nil {
				t.Fatalf("%v\n%s", err, &out)
			}
			if r := p.latest("demo"); r.Outcome != verdict.Pass {
				t.Fatalf("%s\n%s", r.Outcome, &out)
			}

			now = now.Add(36 * time.Hour)
			out.Reset()
			code, said := verdict.ExitOK, ""
			if err := h.Gate(t.Context(), gate); err != nil {
				exit := (*verdict.Exit)(nil)
				if !errors.As(err, &exit) {
					t.Fatal(err)
				}
				code, said = exit.Code, exit.Reason
			}
			if code != c.code || !strings.Contains(out.String()+said, c.says) || strings.Contains(said, "\n") {
				t.Errorf("code %d, want %d, and %q\n%s%s", code, c.code, c.says, &out, said)
			}
		})
	}
}
