package restore

import (
	"fmt"
	"slices"
	"strings"

	"daybefore/internal/verdict"
)

// shown is how many messages a check quotes; the count tells the rest.
const shown = 5

// Checks returns what the restore found so far, in the order it found it.
func (s *Session) Checks() []verdict.Check {
	checks := slices.Clone(s.checks)
	checks = append(checks, s.errorsCheck(), s.warningsCheck())
	if s.empty() {
		checks = append(checks, noRowsCheck)
	}
	for _, c := range []*verdict.Check{s.orderCheck(), s.dependentCheck(), s.leftOutCheck()} {
		if c != nil {
			checks = append(checks, *c)
		}
	}
	return append(checks, s.droppedChecks()...)
}

// empty tells a backup without a single row: the schema alone was dumped, or
// an instance that nobody had written to. It is known before anything is
// loaded where the archive has no rows, else once they are counted, unless the
// drill file left some out.
func (s *Session) empty() bool {
	switch {
	case s.archive.HoldsLargeObjects():
		return false
	case len(s.lists.rows)+len(s.lists.excluded) == 0:
		return true
	}
	return s.held != nil && len(s.lists.excluded) == 0 &&
		!slices.ContainsFunc(s.tables, func(t *table) bool { return t.passed > 0 })
}

var noRowsCheck = verdict.Check{
	ID: "rows_held", Stage: verdict.StageRestore, Code: verdict.CodeRowsHeld, Outcome: verdict.Fail,
	Expected: ">= 1", Observed: "0", Message: "the backup holds no rows at all",
	Hint: "was the schema alone dumped, an empty instance, or by a role that may not see the rows (row-level security)? look at the backup job",
}

// errorsCheck: errors that were declared as known are a warning, more of them
// a failure.
func (s *Session) errorsCheck() verdict.Check {
	said := s.said.all(failure)
	c := verdict.Check{
		ID: "restore_errors", Stage: verdict.StageRestore, Code: verdict.CodeRestoreErrors, Outcome: verdict.Pass,
		Expected: fmt.Sprintf("<= %d", s.opts.AllowedErrors), Observed: fmt.Sprint(len(said)), Message: quote(said),
	}
	if len(said) > 0 {
		c.Outcome = verdict.Warn
		c.Hint = "these errors are known and declared under expectations.restore.errors"
	}
	if s.Failing() {
		c.Outcome = verdict.Fail
		c.Hint = "a real restore would meet the same errors; what they are about is missing or half there"
	}
	if s.Failing() && s.explained >= len(said) {
		c.Outcome = verdict.Error
		c.Hint = "a real restore need not meet these errors: what the scrub's rules made of the rows may be why"
	}
	if len(said) > 0 && len(s.said.all(trouble)) > 0 {
		c.Outcome = verdict.Error
		c.Hint = "the machine gave out, and these errors may only follow from it"
	}
	return c
}

// Failing tells whether there were more errors than were declared as known.
func (s *Session) Failing() bool { return int64(len(s.said.all(failure))) > s.opts.AllowedErrors }

// Explain says of how many errors it is known that they need not be the
// backup's, and returns whether that is all of them.
func (s *Session) Explain(n int) bool {
	s.explained = n
	return n >= len(s.said.all(failure))
}

func (s *Session) warningsCheck() verdict.Check {
	said := s.said.all(warning)
	c := verdict.Check{
		ID: "restore_warnings", Stage: verdict.StageRestore, Code: verdict.CodeRestoreWarnings, Outcome: verdict.Pass,
		Expected: "0", Observed: fmt.Sprint(len(said)), Message: quote(said),
	}
	if len(said) == 0 {
		return c
	}
	switch s.opts.Warnings {
	case "ignore":
	case "fail":
		c.Outcome = verdict.Fail
	default:
		c.Outcome = verdict.Warn
	}
	c.Hint = "expectations.restore.warnings says whether warnings matter: ignore, warn or fail"
	return c
}

// leftOutCheck says what was not brought back on purpose. It is no finding,
// and no proof either.
func (s *Session) leftOutCheck() *verdict.Check {
	if len(s.lists.leftOut) == 0 {
		return nil
	}
	var names []string
	for _, e := range s.lists.leftOut {
		names = append(names, strings.TrimSpace(e.Desc+" "+e.Tag))
	}
	return &verdict.Check{
		ID: "left_out", Stage: verdict.StageRestore, Code: verdict.CodeLeftOut, Outcome: verdict.Skipped,
		Expected: "", Observed: fmt.Sprint(len(names)),
		Message: "left out on purpose: " + list(names),
		Hint:    "foreign tables' rows, statistics, security labels, and what the drill file leaves out, are never brought into a sandbox",
	}
}

func quote(said []message) string {
	var texts []string
	for _, m := range said {
		if m.entry != "" {
			texts = append(texts, m.entry+": "+m.text)
		} else {
			texts = append(texts, m.text)
		}
	}
	if len(texts) > shown {
		texts = append(texts[:shown], fmt.Sprintf("and %d more", len(texts)-shown))
	}
	return strings.Join(texts, "; ")
}

// list writes names, each once, and no more than can be read.
func list(names []string) string {
	slices.Sort(names)
	names = slices.Compact(names)
	if len(names) > shown {
		names = append(names[:shown], fmt.Sprintf("and %d more", len(names)-shown))
	}
	return strings.Join(names, ", ")
}
