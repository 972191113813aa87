package harness

import (
	"context"
	"fmt"
	"strings"

	"daybefore/internal/drill"
	"daybefore/internal/history"
	"daybefore/internal/report"
	"daybefore/internal/scrub/draft"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// ScrubDraft writes the scrub section for a drill's newest backup to stdout,
// to be reviewed: a rule for each column that looks sensitive and has none.
func (h *Home) ScrubDraft(ctx context.Context, name string) error {
	var section *draft.Draft
	r, err := h.look(ctx, "scrub:draft", name, func(ctx context.Context, req drill.Request) *verdict.Report {
		var r *verdict.Report
		section, r = drill.Draft(ctx, req, nil)
		return r
	})
	switch {
	case err != nil:
		return err
	case section == nil:
		return h.couldNot("draft the scrub of "+name, r)
	case section.Columns == 0:
		return cannot("draft the scrub of %s: %s has no column whose rows are loaded", name, r.Backup.Name)
	}
	text := drafted(section, r)
	h.Document.Draft = &DraftText{Backup: r.Backup.Name, YAML: text, Tables: section.Tables, Rows: section.Rows,
		Columns: section.Columns, Rules: section.Rules}
	_, err = fmt.Fprint(h.Stdout, text)
	return err
}

// ScrubShow prints, for each column under a rule, what its values are like in
// the newest backup and what the scrub makes of them: numbers, and no value.
func (h *Home) ScrubShow(ctx context.Context, name string) error {
	var shapes []verdict.Shapes
	r, err := h.look(ctx, "scrub:show", name, func(ctx context.Context, req drill.Request) *verdict.Report {
		var r *verdict.Report
		shapes, r = drill.Shapes(ctx, req)
		return r
	})
	switch {
	case err != nil:
		return err
	case shapes == nil:
		return h.couldNot("show the scrub of "+name, r)
	case len(shapes) == 0:
		return cannot("show the scrub of %s: no column of %s is under a rule; %s proposes some", name,
			r.Backup.Name, command("scrub:draft -name="+name))
	}
	for _, s := range shapes {
		h.Document.Shapes = append(h.Document.Shapes, ColumnShapes{Column: s.Table + "." + s.Column,
			Transform: s.Transform, Link: s.Link, Rows: s.Rows, Before: shapeOf(s.Before), After: shapeOf(s.After)})
	}
	return report.Shapes(h.Stdout, r, shapes, h.terminal())
}

func shapeOf(s verdict.Shape) ColumnShape {
	return ColumnShape{Nulls: s.Nulls, Shortest: s.Shortest, Median: s.Median, Longest: s.Longest,
		Different: s.Different, Estimated: s.Estimated, Characters: append([]string{}, s.Characters.Words()...)}
}

// look runs what looks at one drill's newest backup, and is no drill: no report
// is kept.
func (h *Home) look(ctx context.Context, target, name string,
	run func(context.Context, drill.Request) *verdict.Report) (*verdict.Report, error) {
	if name == "" {
		return nil, cannot("%s: -name is required: it looks at one backup", target)
	}
	ctx, stop := h.interruptible(ctx)
	defer stop()
	// A key would change nothing of what is shown.
	f, err := h.loadOne(ctx, target, name, spec.Loader{WithoutSecrets: true})
	if err != nil {
		return nil, err
	}
	if f.Err != nil {
		fmt.Fprintln(h.Stderr, f.Err)
		return nil, cannot("%s %s: %s", target, f.Name, notLoaded(f))
	}
	h.sweep(ctx)
	progress := report.NewScreen(h.Stderr).Progress(f.Name)
	defer progress.Close()
	now := h.Now()
	return run(ctx, drill.Request{
		Drill: f.Drill, Run: history.NewRunID(now), Now: now, Version: version(), Log: h.Log, Tunnel: h.Tunnel,
		Clusters: h.Clusters, Progress: progress.Update,
	}), nil
}

// couldNot shows what kept something from being done, on stderr, and is how
// the process ends then. No report is kept: nothing was drilled.
func (h *Home) couldNot(what string, r *verdict.Report) error {
	if err := report.Terminal(h.Stderr, r, h.terminal()); err != nil {
		h.Log.Warn("print what was found", "err", err)
	}
	h.Document.Reports = []*verdict.Report{r}
	code := verdict.ExitCode(r)
	if code == verdict.ExitOK {
		code = verdict.ExitError
	}
	return &verdict.Exit{Code: code, Reason: fmt.Sprintf("could not %s: %s", what, whereReport(r))}
}

// drafted is a draft as it is printed: with what a reviewer should know in
// front.
func drafted(d *draft.Draft, r *verdict.Report) string {
	var b strings.Builder
	say := func(format string, args ...any) {
		b.WriteString("# " + strings.TrimSpace(fmt.Sprintf(format, args...)) + "\n")
	}
	say("Drafted from %s: %s of %s, of %s all that have no rule. Review every line.", r.Backup.Name,
		verdict.Count(d.Rows, "row"), verdict.Count(d.Tables, "table"), verdict.Count(d.Columns, "column"))
	if d.Ruled > 0 {
		say("The drill file has rules for %s: put these lines below them, as they are.", verdict.Count(d.Ruled, "column"))
	}
	for _, note := range d.Notes() {
		say("Left to you: %s", note)
	}
	for _, passing := range d.Passing {
		say("Passes as it is, look at it first: %s", passing)
	}
	if d.Rules == 0 {
		say("No column without a rule looks sensitive, by its name, its type or its content.")
	} else {
		say("How sure a line is: high, where the content says so too; medium, where one thing says " +
			"so; low, where little does.")
		say("A column without personal data: preserve: true and a why, instead of the transform.")
	}
	if d.Ruled > 0 {
		b.WriteString(d.Additions())
	} else {
		b.WriteString(d.YAML())
	}
	return b.String()
}
