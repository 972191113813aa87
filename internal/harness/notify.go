package harness

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"daybefore/internal/history"
	"daybefore/internal/notify"
	"daybefore/internal/report"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// herald tells people of one drill of the newest backup. Nil tells nobody.
type herald struct {
	home   *Home
	notify spec.Notify
	heart  *notify.Heart
	passed bool // is what was told
}

// herald says what will keep people from being told, and that the drill begins.
// Of another backup's drill nobody is told: it proves nothing about the newest.
func (h *Home) herald(ctx context.Context, f spec.Loaded, screen *report.Screen, q request) *herald {
	if f.Drill == nil || !f.Drill.Notify.Declared() || q.choice != (choice{}) {
		return nil
	}
	n := f.Drill.Notify
	screen.Aside(func() {
		for _, fault := range notify.Faults(n) {
			fmt.Fprintf(h.Stderr, "warning: %s: %s; the drill goes on\n", f.Name, notify.Says(fault))
		}
	})
	return &herald{home: h, notify: n, heart: notify.Begin(ctx, n, f.Name, q.run)}
}

// tell tells what the drill came to, and writes into the report what became of
// that. A drill that was interrupted says nothing: a monitor that knows of its
// start misses its end.
func (t *herald) tell(ctx context.Context, r *verdict.Report) {
	if t == nil {
		return
	}
	if r.Interrupted() || ctx.Err() != nil {
		t.heart.Stop()
		return
	}
	t.passed = verdict.ExitCode(r) == verdict.ExitOK
	r.Notified = t.heart.End(ctx, t.passed, inLines(r))
}

// correct tells a monitor that what it was told is no longer so: the report could
// not be kept, which nobody knew before.
func (t *herald) correct(ctx context.Context, r *verdict.Report) {
	if t == nil || t.passed == (verdict.ExitCode(r) == verdict.ExitOK) || r.Interrupted() {
		return
	}
	_ = t.heart.End(ctx, !t.passed, r.Drill+": "+whereReport(r)+"\n") // the process tells it too
}

// noteUntold keeps who was not told of a drill, for the last line.
func (h *Home) noteUntold(r *verdict.Report) {
	for _, n := range r.Notified {
		if n.Failed != "" {
			h.untold = append(h.untold, r.Drill+": "+notify.Says(n))
		}
	}
}

// lastLine adds who was not told to the line with which the process ends, or is
// that line. How it ends stays as it is.
func (h *Home) lastLine(err error) error {
	if len(h.untold) == 0 {
		return err
	}
	says := "not everybody was told: " + strings.Join(h.untold, "; ")
	exit, ok := errors.AsType[*verdict.Exit](err)
	if !ok {
		fmt.Fprintf(h.Stderr, "warning: %s\n", says)
		return err
	}
	return &verdict.Exit{Code: exit.Code, Reason: exit.Reason + "; " + says}
}

// testHeartbeat pings the monitor of a new drill, and says whether that arrived.
func (h *Home) testHeartbeat(ctx context.Context, f spec.Loaded) {
	if f.Drill == nil || f.Drill.Notify.HeartbeatEnv == "" {
		return
	}
	err := notify.Test(ctx, f.Drill.Notify, f.Name, history.NewRunID(h.Now()))
	says := "a test ping arrived at the monitor of " + f.Drill.Notify.HeartbeatEnv
	if err != nil {
		says = "no test ping arrived: " + notify.Why(f.Drill.Notify, err)
	}
	h.say("heartbeat ", says)
}

// inLines is a report in a few lines of plain text.
func inLines(r *verdict.Report) string {
	const most = 5
	v := report.ViewOf(r)
	lines := []string{report.Word(r.Outcome) + "  " + v.Headline}
	for i, f := range v.Findings {
		if i == most {
			lines = append(lines, fmt.Sprintf("and %d more", len(v.Findings)-most))
			break
		}
		if f.Outcome != verdict.Skipped {
			lines = append(lines, report.Word(f.Outcome)+"  "+f.What+": "+strings.Join(strings.Fields(f.Message), " "))
		}
	}
	return strings.Join(lines, "\n") + "\n"
}
