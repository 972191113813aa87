package inventory

import (
	"fmt"
	"time"

	"daybefore/internal/catalog"
	"daybefore/internal/spec"
	"daybefore/internal/spec/amount"
	"daybefore/internal/verdict"
)

// clocksApart is how much the clocks of two machines may differ.
const clocksApart = 5 * time.Minute

// backupAge judges how old the newest backup is at a moment. One from the
// future is a failure: its time is wrong, so that its age is not known, and it
// would stay the newest for ever. Where only its day is known, it is as old as
// the day's beginning: no limit is kept by a guess.
func backupAge(age spec.Age, newest catalog.Backup, at time.Time) verdict.Check {
	c := verdict.Check{ID: "backup_age", Code: verdict.CodeBackupAge, Expected: youngEnough(age)}
	old := at.Sub(newest.TakenAt).Truncate(time.Second)
	observed := fmt.Sprintf("%s old (taken %s)", amount.Span(old), taken(newest.TakenAt, newest.Until))
	const late = "look at the backup job and at what carries its files to the store: nothing newer has arrived"
	switch {
	case old < -clocksApart:
		c.Say(verdict.Fail, amount.Span(-old)+" in the future",
			"a wrong clock or time zone where backups are taken (source.timezone), or a wrong name",
			"the newest backup says that it was taken %s after %s", amount.Span(-old), at.UTC().Format(minute))
	case age.FailAfter > 0 && old > age.FailAfter:
		c.Say(verdict.Fail, observed, late, "the newest backup is %s older than the %s allowed",
			amount.Span(old-age.FailAfter), amount.Span(age.FailAfter))
	case age.WarnAfter > 0 && old > age.WarnAfter:
		c.Say(verdict.Warn, observed, late, "the newest backup is %s older than the %s after which it warns",
			amount.Span(old-age.WarnAfter), amount.Span(age.WarnAfter))
	default:
		c.Pass(observed)
	}
	return c
}

// taken writes when a backup was taken, as far as it is known.
func taken(from, until time.Time) string {
	text := from.UTC().Format(minute)
	if until.After(from) {
		text += " or later: its name says no more"
	}
	return text
}

func youngEnough(age spec.Age) string {
	switch {
	case age.FailAfter == 0:
		return fmt.Sprintf("at most %s old (warn)", amount.Span(age.WarnAfter))
	case age.WarnAfter == 0:
		return fmt.Sprintf("at most %s old", amount.Span(age.FailAfter))
	}
	return fmt.Sprintf("at most %s (warn), %s (fail) old", amount.Span(age.WarnAfter), amount.Span(age.FailAfter))
}
