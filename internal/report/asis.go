package report

import (
	"cmp"
	"strings"

	"daybefore/internal/verdict"
)

// keptHeading stands above what is personal and was let through on purpose.
const keptHeading = "KEPT AS IT IS: what looks personal, and why it stays"

// keptAsItIs are the lines below it, a column or table each: what it is, and why.
func keptAsItIs(s verdict.Scrub) (all [][2]string) {
	for _, c := range s.Preserve {
		what := c.Column
		if c.LooksLike != "" {
			what += " (" + c.LooksLike + ")"
		}
		all = append(all, [2]string{what, c.Why})
	}
	for _, k := range s.Kept {
		if k.Rows > 0 {
			what := k.Table + " (" + counted(k.Rows, "row") + " under keep)"
			all = append(all, [2]string{what, cmp.Or(k.Why, "no why is given")})
		}
	}
	return all
}

func (p *page) kept(s verdict.Scrub) {
	all := keptAsItIs(s)
	if len(all) == 0 {
		return
	}
	p.heading(keptHeading)
	for _, line := range all[:min(len(all), most)] {
		p.hanging("  ", clean(line[0])+": "+clean(line[1]))
	}
	p.more(len(all) - most)
}

func (m *markdown) kept(s verdict.Scrub) {
	all := keptAsItIs(s)
	if len(all) == 0 {
		return
	}
	m.block("\n### " + keptHeading + "\n\n")
	rows := [][]string{{"What", "Why"}}
	for _, line := range all {
		rows = append(rows, line[:])
	}
	m.rows(rows)
}

// passesAsItIs says in a line how much passes, and who decided; empty where
// nothing does.
func passesAsItIs(s verdict.Scrub) string {
	if len(s.Passed) == 0 {
		return ""
	}
	by := map[string]int{}
	for _, c := range s.Passed {
		by[c.DecidedBy]++
	}
	pass := " pass as they are"
	if len(s.Passed) == 1 {
		pass = " passes as it is"
	}
	says := counted(len(s.Passed), "column") + pass + ": " + count(by[verdict.DecidedByRule]) + " by rule, " +
		count(by[verdict.DecidedByNobody]) + " undecided"
	if by[verdict.DecidedByNobody] > 0 {
		says += " (no rule names them)"
	}
	return says
}

func passedAsItIsRows(s verdict.Scrub) [][]string {
	rows := [][]string{{"Column", "Type", "Rows", "Values look like", "Decided by", "Why"}}
	for _, c := range s.Passed {
		looks := strings.Join(c.LooksLike, ", ")
		rows = append(rows, []string{c.Column, c.Type, count(c.Rows), looks, c.DecidedBy, c.Why})
	}
	return rows
}
