package scenarios

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"

	"daybefore/internal/verdict"
)

// print writes the table of how each break was met, then what is to be said
// of those that were not caught by their own finding.
func (r Result) print(w io.Writer) error {
	table := tablewriter.NewTable(w,
		tablewriter.WithRenderer(renderer.NewBlueprint(tw.Rendition{
			Borders:  tw.BorderNone,
			Settings: tw.Settings{Separators: tw.SeparatorsNone, Lines: tw.Lines{ShowHeaderLine: tw.On}},
		})),
		tablewriter.WithHeaderAutoFormat(tw.Off),
		tablewriter.WithAlignment(tw.Alignment{tw.AlignLeft, tw.AlignLeft, tw.AlignRight}),
		tablewriter.WithColumnWidths(tw.Mapper[int, int]{0: 51, 1: 19, 2: 8}))
	table.Header("break", "result", "time")
	for _, f := range r {
		if err := table.Append(f.Scenario.Name, string(f.Catch), fmt.Sprintf("%.1f s", f.Took.Seconds())); err != nil {
			return fmt.Errorf("print the scenarios: %w", err)
		}
	}
	if err := table.Render(); err != nil {
		return fmt.Errorf("print the scenarios: %w", err)
	}
	_, err := io.WriteString(w, r.explain()+r.sum())
	return err
}

// explain says, of each scenario that was not caught by its own finding, what
// was to be found and what was.
func (r Result) explain() string {
	var b strings.Builder
	for _, f := range r {
		switch f.Catch {
		case ByOwn:
		case NotRun:
			fmt.Fprintf(&b, "\n%s: %v\n", f.Catch, f.Err)
		default:
			fmt.Fprintf(&b, "\n%s: %s\n  wanted: %s\n", f.Catch, f.Scenario.Name, f.Scenario.Want)
			for _, found := range findings(f.Report) {
				fmt.Fprintf(&b, "  found:  %s\n", found)
			}
		}
	}
	return b.String()
}

func (r Result) sum() string {
	parts := []string{fmt.Sprintf("\n%d scenarios: %d caught by their own finding", len(r), r.Count(ByOwn))}
	for _, c := range []Catch{ByAnother, Missed, FalseAlarm, NotRun} {
		if n := r.Count(c); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, c))
		}
	}
	return strings.Join(parts, ", ") + "\n"
}

// findings are what a report holds beside passes: the checks, and the stages
// that speak for themselves.
func findings(r *verdict.Report) []string {
	unremarkable := []verdict.Outcome{verdict.Pass, verdict.Skipped}
	var found []string
	for _, s := range r.Stages {
		if slices.Contains(unremarkable, s.Outcome) {
			continue
		}
		before := len(found)
		for _, c := range r.Checks {
			if c.Stage == s.Name && !slices.Contains(unremarkable, c.Outcome) {
				found = append(found,
					fmt.Sprintf("%s %s %s: %s", c.Outcome, c.Stage, c.ID, cmp.Or(c.Message, c.Observed)))
			}
		}
		if len(found) == before {
			found = append(found, fmt.Sprintf("%s %s %s: %s", s.Outcome, s.Name, s.Code, s.Message))
		}
	}
	if len(found) == 0 {
		return []string{string(r.Outcome)}
	}
	return found
}
