package harness

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"daybefore/internal/history"
	"daybefore/internal/notify"
	"daybefore/internal/report"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// herald tells people of one drill of the newest backup. Nil tells nobody.
type herald struct {
	notify spec.Notify
	heart  *notify.Heart      // may be nil
	before []verdict.Notified // what people know, once it is read
	unread error              // why that is not known
	read   chan struct{}      // closed when it is read
	cancel context.CancelFunc // of reading it
	passed bool               // is what was told
	spent  time.Duration      // on telling it
}

// knownTime is how long a drill that is over waits to learn what people know.
const knownTime = 2 * time.Second

// mostDelay is how long people being told may delay a drill, all in all.
const mostDelay = 9 * time.Second

// herald says what will keep people from being told, and that the drill begins.
// Of another backup's drill nobody is told: it proves nothing about the newest.
func (h *Home) herald(ctx context.Context, f spec.Loaded, rec *record, screen *report.Screen, q request) *herald {
	n := f.Notify
	if !n.Declared() || q.choice != (choice{}) {
		return nil
	}
	faults := notify.Faults(n)
	if len(faults) > 0 {
		screen.Aside(func() {
			for _, fault := range faults {
				fmt.Fprintf(h.Stderr, "warning: %s: %s; the drill goes on\n", f.Name, notify.Says(fault))
			}
		})
	}
	t := &herald{notify: n, heart: notify.Begin(ctx, n, f.Name, q.run), read: make(chan struct{})}
	ctx, t.cancel = context.WithCancel(ctx)
	go func() {
		defer close(t.read)
		t.before, t.unread = rec.notified(ctx)
	}()
	return t
}

// notified is what people know of the drill, by past reports.
func (rec *record) notified(ctx context.Context) ([]verdict.Notified, error) {
	problem := rec.keyless()
	switch {
	case rec.err != nil:
		return nil, rec.err
	case problem != nil:
		return nil, problem
	}
	ctx, cancel := context.WithTimeout(ctx, readPastTime)
	defer cancel()
	return history.Told(ctx, rec.dir, rec.store, rec.drill, rec.keys...)
}

// stopReading ends the reading of what people know, which reads from a store that is
// closed next.
func (t *herald) stopReading() {
	t.cancel()
	<-t.read
}

// tell tells what the drill came to, and writes into the report what became of
// that. A drill that was interrupted says nothing: a monitor that knows of its
// start misses its end.
func (t *herald) tell(ctx context.Context, r *verdict.Report) {
	if t == nil {
		return
	}
	defer t.stopReading()
	if r.Interrupted() || ctx.Err() != nil {
		t.heart.Stop()
		return
	}
	begun := time.Now()
	news := newsOf(r)
	select {
	case <-t.read:
	case <-time.After(knownTime): // past reports are read for the drill too, so that this is rare
		t.stopReading()
	}
	news.Before, news.Unread = t.before, t.unread != nil // then they are told again
	t.passed = verdict.ExitCode(r) == verdict.ExitOK
	r.Notified = notify.Tell(ctx, t.notify, t.heart, news)
	t.spent = time.Since(begun)
}

// newsOf is what a report says, for people.
func newsOf(r *verdict.Report) notify.News {
	v := report.ViewOf(r)
	news := notify.News{Report: r, Headline: v.Headline}
	for _, f := range v.Findings {
		news.Findings = append(news.Findings, notify.Finding{
			Code: f.Code, Outcome: f.Outcome, What: f.What, Hint: f.Hint, Says: strings.Join(strings.Fields(f.Message), " "),
		})
	}
	for _, m := range r.Muted {
		news.Muted = append(news.Muted, report.Clean(m.Check))
	}
	return news
}

// correct tells all that what they were told is no longer so: the report of a pass
// could not be kept, which nobody knew before.
func (t *herald) correct(ctx context.Context, r *verdict.Report) {
	if t == nil || !t.passed || r.Interrupted() || verdict.ExitCode(r) == verdict.ExitOK {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, mostDelay-t.spent)
	defer cancel()
	news := notify.News{Report: r, Headline: r.Drill + ": the report of a pass could not be kept"}
	news.Findings = []notify.Finding{{
		Code: verdict.CodeHistory, Outcome: r.Outcome, What: "report",
		Says: "it is not where it was to be, so nothing proves the pass",
		Hint: "see why in the output of the run, and drill again",
	}}
	_ = notify.Correct(ctx, t.notify, t.heart, news, r.Notified) // the process tells it too
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
