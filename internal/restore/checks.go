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
	for _, c := range []*verdict.Check{
		s.settingsCheck(), s.unfilledCheck(), s.emptyCheck(), s.orderCheck(), s.dependentCheck(), s.leftOutCheck(),
	} {
		if c != nil {
			checks = append(checks, *c)
		}
	}
	checks = append(checks, s.providerChecks()...)
	return append(checks, s.droppedChecks()...)
}

func (s *Session) emptyCheck() *verdict.Check {
	if !s.empty() {
		return nil
	}
	c := noRowsCheck
	return &c
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
		!slices.ContainsFunc(s.tables, func(t *tableLoad) bool { return t.passed > 0 })
}

var noRowsCheck = verdict.Check{
	ID: "rows_held", Stage: verdict.StageRestore, Code: verdict.CodeRowsHeld, Outcome: verdict.Fail,
	Expected: ">= 1", Observed: "0", Message: "the backup holds no rows at all",
	Hint: "was the schema alone dumped, an empty instance, or by a role that may not see the rows (row-level " +
		"security)? look at the backup job",
}

// errorsCheck: errors that were declared as known are a warning, more of them
// a failure, unless it is known of each that it need not be the backup's.
func (s *Session) errorsCheck() verdict.Check {
	said, number := s.attribute(), s.said.number(failure)
	c := verdict.Check{
		ID: "restore_errors", Stage: verdict.StageRestore, Code: verdict.CodeRestoreErrors, Outcome: verdict.Pass,
		Expected: fmt.Sprintf("<= %d", s.opts.AllowedErrors), Observed: fmt.Sprint(number),
		Message: s.quote(said, number),
	}
	causes, others := causesOf(said)
	others += number - len(said) // of which nothing is known
	switch {
	case number == 0:
	case s.said.number(trouble) > 0:
		c.Outcome = verdict.Error
		c.Hint = "the machine gave out, and these errors may only follow from it"
	case !s.Failing():
		c.Outcome = verdict.Warn
		c.Hint = "these errors are known and declared under expectations.restore.errors"
	case others > s.explained:
		c.Outcome = verdict.Fail
		c.Hint = "the objects named are missing or incomplete; pg_restore or psql by hand, into an empty database of " +
			"the same version, shows the same errors"
		if len(causes) > 0 || s.explained > 0 {
			c.Hint = fmt.Sprintf("of %d errors, %d may be the drill's own (%s); the others are the backup's, "+
				"as far as is known: %s", number, number-others+s.explained,
				strings.Join(s.ownDoing(causes), "; "), s.quote(unexplained(said), others))
		}
	default:
		c.Outcome = verdict.Error
		c.Hint = "a real restore need not meet these errors: " + strings.Join(s.ownDoing(causes), "; ")
	}
	return c
}

// causesOf returns the causes of errors, each once, and how many have none.
func causesOf(said []message) (causes []cause, others int) {
	for _, m := range said {
		switch {
		case m.cause == "":
			others++
		case !slices.Contains(causes, m.cause):
			causes = append(causes, m.cause)
		}
	}
	return causes, others
}

func unexplained(said []message) []message {
	return slices.DeleteFunc(slices.Clone(said), func(m message) bool { return m.cause != "" })
}

// ownDoing says what of the errors is owed to the drill, and the hint of each.
func (s *Session) ownDoing(causes []cause) (words []string) {
	for _, c := range causes {
		words = append(words, string(c)+": "+remedies[c])
	}
	if s.explained > 0 {
		words = append(words, "what the scrub's rules made of the rows may be why")
	}
	return words
}

// Failing reports whether there were more errors than were declared as known.
func (s *Session) Failing() bool { return int64(s.said.number(failure)) > s.opts.AllowedErrors }

// Explain takes the objects, as schema.table.name, that need not be missing by
// the backup's fault, and returns whether all errors are explained: by them,
// or by what the drill left out or its sandbox lacks.
func (s *Session) Explain(objects []string) bool {
	said := s.attribute()
	s.explained = 0
	for _, o := range objects {
		if !slices.ContainsFunc(said,
			func(m message) bool { return m.cause != "" && strings.HasSuffix(o, "."+s.about(m).name.table) }) {
			s.explained++
		}
	}
	_, others := causesOf(said)
	return s.explained >= others+s.said.number(failure)-len(said)
}

// Refused are the tables, by schema and name, whose rows the server refused for
// a cause that is not the backup's.
func (s *Session) Refused() (tables [][2]string) {
	for _, m := range s.attribute() {
		if o := s.about(m); m.cause != "" && o.kind == "TABLE DATA" {
			tables = append(tables, [2]string{o.name.schema, o.name.table})
		}
	}
	return tables
}

func (s *Session) warningsCheck() verdict.Check {
	said, number := s.said.all(warning), s.said.number(warning)
	c := verdict.Check{
		ID: "restore_warnings", Stage: verdict.StageRestore, Code: verdict.CodeRestoreWarnings, Outcome: verdict.Pass,
		Expected: "0", Observed: fmt.Sprint(number), Message: s.quote(said, number),
	}
	if number == 0 {
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
		Message: "left out on purpose: " + shortList(names),
		Hint: "foreign tables' rows, statistics, security labels, and what the drill file leaves out, are " +
			"never restored into a sandbox",
	}
}

// shortList writes names, each once, and no more than can be read.
func shortList(names []string) string {
	slices.Sort(names)
	names = slices.Compact(names)
	return strings.Join(verdict.Few(names, shown), ", ")
}
