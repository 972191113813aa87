package harness

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"daybefore/internal/history"
	"daybefore/internal/report"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// MuteOptions say of which check nobody is to be told, why, and until when.
type MuteOptions struct {
	Name  string // the drill
	Check string // the check's id, or stage and its name, as the report says it
	Why   string
	Until string // a time, or how long; now ends it
}

// ended is the time until which nothing is muted any longer.
const ended = "now"

// Mute quiets what channels are told of one check. It changes no verdict, no exit
// code and no heartbeat; reports show it, and it ends by itself.
func (h *Home) Mute(ctx context.Context, o MuteOptions) error {
	why := strings.Join(strings.Fields(o.Why), " ")
	switch {
	case o.Name == "", o.Check == "", o.Until == "", why == "" && o.Until != ended:
		return cannot("mute: -name, -check, -why and -until are required, such as -until=7d: reports will show all of them")
	case len(why) > mostWhy:
		return cannot("mute: the reason has %d bytes: say it in %d", len(why), mostWhy)
	}
	now := h.Now().UTC()
	until, err := mutedUntil(o.Until, now)
	if err != nil {
		return err
	}
	ctx, stop := h.interruptible(ctx)
	defer stop()
	rec, last, err := h.lastReport(ctx, "mute", "nothing was muted", o.Name)
	if err != nil {
		return err
	}
	defer rec.close()
	err = mutable(last, o.Check)
	if err != nil {
		return err
	}
	return h.mute(ctx, rec, verdict.Muted{Check: o.Check, Why: why, Who: whoami(), At: now, Until: until})
}

// mute keeps it here and in the store.
func (h *Home) mute(ctx context.Context, rec *record, m verdict.Muted) error {
	name, b, err := history.Mute(rec.dir, rec.drill, m, rec.keys...)
	if err != nil {
		return cannot("%v", err)
	}
	h.Document.Muted = &m
	if m.Until.After(m.At) {
		fmt.Fprintf(h.Stdout, "muted until %s: %s of %s, by %s: %s\nwhat it finds counts all the same\n",
			report.Instant(m.Until), m.Check, rec.drill, m.Who, m.Why)
	} else {
		fmt.Fprintf(h.Stdout, "not muted: %s of %s\n", m.Check, rec.drill)
	}
	err = rec.keep(ctx, func(ctx context.Context, s history.Store) error {
		return history.NoteTo(ctx, s, rec.drill, name, b)
	})
	if err != nil {
		return cannot("muted on this machine only: %v", notKept(rec.drill, err, true))
	}
	return nil
}

// mutedUntil reads until when.
func mutedUntil(text string, now time.Time) (time.Time, error) {
	until, err := timeIn(text, time.UTC)
	span, noSpan := spec.ParseDuration(text)
	switch {
	case text == ended:
		return now, nil
	case noSpan == nil:
		until = now.Add(span)
	case err != nil:
		return until, cannot("mute -until=%s: it takes a time or a span, such as -until=2026-12-05 or -until=7d",
			shown(text))
	}
	switch {
	case !until.After(now):
		return until, cannot("mute -until=%s: that is over; -until=now ends what is muted", shown(text))
	case until.Sub(now) > history.MostMuted:
		return until, cannot("mute -until=%s: 30 days at most: what stays longer is to be mended, or declared otherwise in the "+
			"drill file", shown(text))
	}
	return until.UTC(), nil
}

// mutable refuses a check that the last report does not know, which nobody would
// miss.
func mutable(r *verdict.Report, check string) error {
	var known, found []string
	for _, c := range r.Checks {
		known = append(known, c.ID)
	}
	for _, f := range report.ViewOf(r).Findings {
		known = append(known, f.What)
		if f.Outcome != verdict.Skipped {
			found = append(found, f.What)
		}
	}
	if slices.Contains(known, check) {
		return nil
	}
	return cannot("nothing was muted: the last report (%s) has no check %s; it found: %s", r.Run, shown(check),
		cmp.Or(strings.Join(found, ", "), "nothing"))
}
