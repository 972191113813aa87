package draft

import (
	"cmp"
	"fmt"
	"strings"

	"daybefore/internal/scrub"
	"daybefore/internal/scrub/propose"
	"daybefore/internal/scrub/schema"
	"daybefore/internal/verdict"
)

// byRoot joins what was seen of each column and all that is inherited from it.
func (s *Survey) byRoot() map[*schema.Column]*evidence {
	all := map[*schema.Column]*evidence{}
	for _, l := range s.scanners {
		for _, v := range l.views {
			root := v.column.Root()
			if all[root] == nil {
				all[root] = &evidence{}
			}
			all[root].join(&v.evidence)
		}
	}
	return all
}

// passed is what passes as it is under a plan by the drill file's rules and those
// that are proposed.
func (s *Survey) passed(plan *scrub.Plan, proposed []propose.Proposal) []verdict.ScrubPassed {
	seen := map[string]*evidence{}
	for root, e := range s.byRoot() {
		seen[root.String()] = e
	}
	drafted := map[string]bool{}
	for _, m := range proposed {
		drafted[m.Root.String()] = true
	}
	all := plan.Report().Passed
	for i := range all {
		one := &all[i]
		if e := seen[one.Column]; e != nil {
			one.Rows = e.rows
			one.LooksLike = e.kinds.Words()
		}
		if drafted[one.Column] && one.DecidedBy == verdict.DecidedByRule {
			one.DecidedBy = verdict.DecidedByDraft
		}
	}
	return all
}

// passedLines are comments below the rules, a line for each column.
func (d *Draft) passedLines() []string {
	if len(d.Passed) == 0 {
		return nil
	}
	passes := " pass as they are"
	if len(d.Passed) == 1 {
		passes = " passes as it is"
	}
	lines := []string{"  # " + verdict.Count(int64(len(d.Passed)), "column") + passes +
		". Write a rule for each that is personal after all:"}
	for _, c := range d.Passed {
		looks := cmp.Or(strings.Join(c.LooksLike, ", "), "no value seen")
		rows := verdict.Count(c.Rows, "row")
		line := fmt.Sprintf("%s (%s): %s, %s; decided by %s", c.Column, c.Type, rows, looks, c.DecidedBy)
		lines = append(lines, "  #   "+oneLine(line))
	}
	return lines
}
