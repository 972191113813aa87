package page

import (
	"fmt"
	"slices"
	"time"

	"daybefore/internal/report"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// The rules by which the page of all drills says what may break next. They judge
// no backup, and change no verdict: each compares the last pass with those
// before it, in one number.
const (
	leastPasses = 4  // the newest, and three to compare it with
	usualPasses = 7  // of those before it
	fallPercent = 20 // of size or rows
	growPercent = 50 // of recovery time
	growLeast   = 10 * time.Second
	lateTimes   = 2 // the usual time between two passes
	lateLeast   = 26 * time.Hour
)

// Rules says them to the reader of the page.
var Rules = []string{
	fmt.Sprintf("The last pass is older than %d hours, and older than twice the usual time between two passes.",
		lateLeast/time.Hour),
	fmt.Sprintf("The backup, or its number of rows, is %d %% smaller than usual.", fallPercent),
	fmt.Sprintf("To have the data back took %d %% longer than usual, and %d seconds longer at least.", growPercent,
		growLeast/time.Second),
	fmt.Sprintf("Usual is the middle of the %d passes before the last one; with fewer than %d of them nothing is said.",
		usualPasses, leastPasses-1),
}

// outlook says what may break next, a sentence each. The passes come newest
// first.
func outlook(passes []Glance, now time.Time) []string {
	var says []string
	add := func(text string) {
		if text != "" {
			says = append(says, text)
		}
	}
	add(late(passes, now))
	add(fallen("the backup", passes, func(g Glance) int64 { return g.SizeBytes }, report.Size))
	add(fallen("the number of rows", passes, func(g Glance) int64 { return g.Rows }, report.Count))
	add(slower(passes))
	return says
}

// late says that the last pass grows old.
func late(passes []Glance, now time.Time) string {
	if len(passes) < leastPasses {
		return ""
	}
	var gaps []int64
	for i, g := range passes[:min(len(passes)-1, usualPasses)] {
		gaps = append(gaps, int64(g.At.Sub(passes[i+1].At)))
	}
	usual := time.Duration(middle(gaps))
	since := now.Sub(passes[0].At)
	if since < lateLeast || since < lateTimes*usual {
		return ""
	}
	return fmt.Sprintf("has not passed for %s; usually it passes every %s", report.Age(since), report.Age(usual))
}

// overdue is the last run as it counts now: where no drill has passed for longer
// than the drill file promises, nothing is known of the newest backup.
func (g Glance) overdue(passes []Glance, now time.Time) Glance {
	within, err := spec.ParseDuration(g.Within)
	if err != nil { // nothing is promised
		return g
	}
	says := "No drill has passed, as far as is kept"
	if len(passes) > 0 {
		since := now.Sub(passes[0].At)
		if since <= within {
			return g
		}
		says = "No drill has passed for " + report.Age(since)
	}
	says += ", and one was to pass every " + report.Age(within) + "."
	if g.passed() {
		g.Says = says + " What is said of an older backup says nothing of the newest."
		g.Why = ""
		g.Hint = "Find out why the drill did not run, and run it."
	} else {
		g.Says += " " + says
	}
	g.Outcome = verdict.Worst(g.Outcome, verdict.Error)
	return g
}

// fallen says that a number is smaller than usual.
func fallen(what string, passes []Glance, of func(Glance) int64, write func(int64) string) string {
	now, usual, ok := compare(passes, of)
	if !ok || now*100 > usual*(100-fallPercent) {
		return ""
	}
	return fmt.Sprintf("%s fell to %s; usual is %s", what, write(now), write(usual))
}

// slower says that it takes longer than usual to have the data back.
func slower(passes []Glance) string {
	now, usual, ok := compare(passes, func(g Glance) int64 { return g.RecoveryMS })
	more := time.Duration(now-usual) * time.Millisecond
	if !ok || now*100 < usual*(100+growPercent) || more < growLeast {
		return ""
	}
	took := func(ms int64) string { return report.Took(time.Duration(ms) * time.Millisecond) }
	return fmt.Sprintf("it took %s to have the data back; usual are %s", took(now), took(usual))
}

// compare gives a number of the newest pass and what is usual; not ok where
// either is not known.
func compare(passes []Glance, of func(Glance) int64) (now, usual int64, ok bool) {
	if len(passes) == 0 || of(passes[0]) == 0 {
		return 0, 0, false
	}
	var before []int64
	for _, g := range passes[1:] {
		if n := of(g); n > 0 && len(before) < usualPasses {
			before = append(before, n)
		}
	}
	if len(before) < leastPasses-1 {
		return 0, 0, false
	}
	return of(passes[0]), middle(before), true
}

// middle is the median, the lower of two. There is at least one number.
func middle(of []int64) int64 {
	sorted := slices.Sorted(slices.Values(of))
	return sorted[(len(sorted)-1)/2]
}
