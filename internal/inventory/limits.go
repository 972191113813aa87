package inventory

import (
	"fmt"
	"iter"
	"time"

	"daybefore/internal/catalog"
	"daybefore/internal/spec"
	"daybefore/internal/spec/amount"
	"daybefore/internal/spec/calendar"
	"daybefore/internal/verdict"
)

// judgeLeast compares a value with its lower limits. Where it misses one, the
// text says so: short is what it is short of the limit by.
func judgeLeast[T int64 | time.Duration](c *verdict.Check, l spec.Least[T], v T, observed, hint string,
	show func(T) string, text func(short, limit T) string) {
	switch {
	case l.WarnBelow == 0:
		c.Expected = "at least " + show(l.FailBelow)
	case l.FailBelow == 0:
		c.Expected = "at least " + show(l.WarnBelow) + " (warn)"
	default:
		c.Expected = fmt.Sprintf("at least %s (warn), %s (fail)", show(l.WarnBelow), show(l.FailBelow))
	}
	switch {
	case l.FailBelow > 0 && v < l.FailBelow:
		c.Say(verdict.Fail, observed, hint, "%s", text(l.FailBelow-v, l.FailBelow))
	case v < l.WarnBelow:
		c.Say(verdict.Warn, observed, hint, "%s", text(l.WarnBelow-v, l.WarnBelow))
	default:
		c.Pass(observed)
	}
}

func minBackups(l spec.Least[int64], all []catalog.Entry) verdict.Check {
	c := verdict.Check{ID: "min_backups", Code: verdict.CodeMinBackups}
	n := int64(len(all))
	judgeLeast(&c, l, n, counted(n),
		"find out what removed the others (a rotation, a clean-up, a person) and stop it before it removes more; if "+
			"fewer are meant, lower inventory.min_backups",
		counted, func(short, limit int64) string {
			return fmt.Sprintf("the store holds %s, %d fewer than the %d that must be there", counted(n), short, limit)
		})
	return c
}

// counted writes a number of backups.
func counted(n int64) string { return verdict.Count(n, "backup") }

func minSize(l spec.Least[int64], newest catalog.Backup) verdict.Check {
	c := verdict.Check{ID: "min_size", Code: verdict.CodeMinSize}
	judgeLeast(&c, l, newest.Size, amount.Size(newest.Size),
		"a dump that failed, or one of the wrong or an empty server, is small: look at the backup job's own output "+
			"of that night; the one before it is the last good one",
		amount.Size, func(_, limit int64) string {
			return fmt.Sprintf("the newest backup, %s, has %s, and must have %s at least", newest.Name,
				amount.Size(newest.Size), amount.Size(limit))
		})
	return c
}

func oldestAtLeast(l spec.Least[time.Duration], all []catalog.Entry, at time.Time) verdict.Check {
	c := verdict.Check{ID: "oldest_at_least", Code: verdict.CodeOldestAtLeast}
	oldest := all[len(all)-1]
	old := at.Sub(oldest.TakenAt).Truncate(time.Second)
	observed := fmt.Sprintf("%s (taken %s)", amount.Span(old), taken(oldest.TakenAt, oldest.Until))
	judgeLeast(&c, l, old, observed,
		"older ones were removed too early, or were never made: look at what rotates the backups; one that deletes "+
			"after just so long leaves the oldest a little younger",
		amount.Span, func(short, limit time.Duration) string {
			return fmt.Sprintf("the oldest backup is %s old, %s less than the %s for which backups are to be kept",
				amount.Span(old), amount.Span(short), amount.Span(limit))
		})
	return c
}

// gap is a time without a backup.
type gap struct {
	before, after catalog.Entry
	wide          time.Duration // as far as it is judged
}

// whole is from one backup to the other.
func (g gap) whole() time.Duration { return g.after.TakenAt.Sub(g.before.TakenAt) }

// gaps are those between backups, as far as they lie after since; the latest
// first. Between names that tell days they are counted by the calendar, in
// which a day of 25 hours is a day.
func gaps(all []catalog.Entry, since time.Time, days *time.Location) iter.Seq[gap] {
	return func(yield func(gap) bool) {
		for i := range len(all) - 1 {
			from, to := all[i+1].TakenAt, all[i].TakenAt
			if !to.After(since) {
				return
			}
			if from.Before(since) {
				from = since
			}
			wide := to.Sub(from)
			if days != nil {
				wide = onCalendar(to.In(days)).Sub(onCalendar(from.In(days)))
			}
			if !yield(gap{before: all[i+1], after: all[i], wide: wide}) {
				return
			}
		}
	}
}

// onCalendar is what a calendar and a clock on the wall say. Of a day's first
// moment that is midnight, also where the clocks went on at midnight.
func onCalendar(at time.Time) time.Time {
	wall := calendar.InZone(at, time.UTC)
	if calendar.Day.Begin(at, at.Location()).Equal(at) {
		wall = calendar.Day.Begin(wall, time.UTC)
	}
	return wall
}

// cadence judges whether backups came as often as declared. What was missed
// cannot be made up, so a gap can be accepted: then it and older ones are no
// finding any more.
func cadence(d spec.Cadence, retention time.Duration, all []catalog.Entry, o Options) verdict.Check {
	c := verdict.Check{ID: "cadence", Code: verdict.CodeCadence, Expected: "a backup every " + amount.Span(d.Every)}
	if d.Tolerance > 0 {
		c.Expected += ", at most " + amount.Span(d.Tolerance) + " late"
	}
	var since time.Time
	if retention > 0 {
		since = o.At.Add(-retention)
		c.Expected += ", for the last " + amount.Span(retention)
	}
	accepted := o.Past.AcceptedFor(c.ID)
	var widest, worst gap
	wide := 0
	for g := range gaps(all, since, o.Days) {
		if g.wide > widest.wide {
			widest = g
		}
		switch {
		case g.wide <= d.Widest():
		case accepted != nil && g.after.TakenAt.Format(time.RFC3339) <= accepted.To:
			c.Accepted = accepted.Note()
		default:
			wide++
			if g.wide > worst.wide {
				worst = g
			}
			if c.Change == nil {
				c.Change = changeOf(g)
			}
		}
	}
	judgeGaps(&c, d, all, since, widest, worst, wide)
	return c
}

// changeOf is what a person accepts of a gap: that it was, and when it ended.
func changeOf(g gap) *verdict.Change {
	return &verdict.Change{Baseline: g.before.Name, From: g.before.TakenAt.Format(time.RFC3339),
		To: g.after.TakenAt.Format(time.RFC3339)}
}

func judgeGaps(c *verdict.Check, d spec.Cadence, all []catalog.Entry, since time.Time, widest, worst gap, wide int) {
	outcome := verdict.Outcome(d.Severity)
	const find = "find out why the backup job did not run then, or what removed its files"
	switch {
	case !all[0].TakenAt.After(since):
		c.Say(outcome, "none since "+since.UTC().Format(minute),
			"the backup job does not run, or does not reach this store any more: start it, and take a backup now",
			"no backup was taken since %s; the newest is %s", since.UTC().Format(minute), all[0].Name)
	case wide > 0:
		others := ""
		if wide > 1 {
			others = fmt.Sprintf("; %d gaps are too wide, this is the widest", wide)
		}
		c.Say(outcome, "a gap of "+amount.Span(worst.whole()),
			find+"; what was missed cannot be made up: once you know why, accept it:\n"+
				`bin/drill accept -name=DRILL -check=cadence -why="…"`,
			"no backup was taken for %s, between %s and %s (allowed: %s)%s", amount.Span(worst.whole()),
			worst.before.TakenAt.Format(minute), worst.after.TakenAt.Format(minute), amount.Span(d.Widest()), others)
	case len(all) < 2:
		c.Say(verdict.Skipped, counted(int64(len(all))),
			"nothing is wrong yet; the next backup makes a gap to be judged",
			"there is only one backup, so there is no gap between two")
	default:
		c.Pass("no gap wider than " + amount.Span(widest.wide))
	}
}
