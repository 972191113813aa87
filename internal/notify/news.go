package notify

import (
	"fmt"
	"slices"
	"strings"

	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// News is what is to be told of one drill. Its texts are clean, and still need
// what makes them harmless for each receiver.
type News struct {
	Report   *verdict.Report
	Headline string             // what the drill came to, in a sentence
	Findings []Finding          // what did not pass, the worst first
	Before   []verdict.Notified // what the last report with such says that they know
}

// Finding is a check or a stage that did not pass.
type Finding struct {
	Code    verdict.Code
	Outcome verdict.Outcome
	What    string // the check's id, or the stage
	Says    string
	Hint    string
	Muted   bool // nobody wants to hear of it
}

// incident is all that was found under one code: what one person looks at.
type incident struct {
	key      string // the same for each drill that finds it
	code     verdict.Code
	outcome  verdict.Outcome // of the worst finding
	findings []Finding
}

// Key names the incident of a drill's code to receivers that keep incidents: from
// drill to drill, and from machine to machine, the same.
func Key(drill string, code verdict.Code) string { return "daybefore/" + drill + "/" + string(code) }

// message is what one channel is told.
type message struct {
	News
	fresh  []incident // that it does not know of
	still  []incident // that it knows of
	over   []verdict.Code
	before []verdict.Code // that it knew of as bad
	open   []verdict.Code // that it knows of as bad once it is told
}

// message is what a channel is to be told, and knows then. What it knows of as bad
// stays so until a drill passes: one that ended early says nothing of the rest.
func (n News) message(c spec.Channel) message {
	m := message{News: n}
	for _, b := range n.Before {
		if b.By == c.Name() {
			m.before = b.Open
		}
	}
	bad := n.incidents(c.When, false)
	var stays []verdict.Code // those that are muted too: nobody said that they are over
	for _, i := range n.incidents(c.When, true) {
		stays = append(stays, i.code)
	}
	for _, i := range bad {
		if slices.Contains(m.before, i.code) {
			m.still = append(m.still, i)
		} else {
			m.fresh = append(m.fresh, i)
			m.open = append(m.open, i.code)
		}
	}
	passed := n.Report.Outcome == verdict.Pass || n.Report.Outcome == verdict.Warn
	for _, code := range m.before {
		switch {
		case !passed, slices.Contains(stays, code):
			m.open = append(m.open, code)
		case slices.Contains(c.When, spec.WhenRecovered):
			m.over = append(m.over, code)
		}
	}
	return m
}

// incidents are the findings of the outcomes that a channel is told of, by code in
// their order.
func (n News) incidents(when []string, muted bool) []incident {
	var all []incident
	for _, f := range n.Findings {
		if !slices.Contains(when, string(f.Outcome)) || f.Muted && !muted {
			continue
		}
		i := slices.IndexFunc(all, func(i incident) bool { return i.code == f.Code })
		if i < 0 {
			i = len(all)
			all = append(all, incident{key: Key(n.Report.Drill, f.Code), code: f.Code, outcome: f.Outcome})
		}
		all[i].findings = append(all[i].findings, f)
	}
	return all
}

// hasNews reports whether a channel is to be told anything.
func (m message) hasNews(c spec.Channel) bool {
	return len(m.fresh)+len(m.over) > 0 || slices.Contains(c.When, spec.WhenEvery)
}

// told says for the report what was told.
func (m message) told() []string {
	var all []string
	for _, i := range m.fresh {
		all = append(all, string(i.outcome)+" "+string(i.code))
	}
	for _, code := range m.over {
		all = append(all, "recovered "+string(code))
	}
	if len(all) == 0 && len(m.still) == 0 {
		all = append(all, string(m.Report.Outcome))
	}
	return all
}

const mostLines = 5 // findings that a message shows

// title is the message in one line.
func (m message) title() string { return m.word() + " " + m.Headline }

// word is the outcome; that it is good again, where that is the news.
func (m message) word() string {
	if len(m.fresh) == 0 && len(m.over) > 0 {
		return "RECOVERED"
	}
	return strings.ToUpper(string(m.Report.Outcome))
}

// lines are what follows the title, in plain text.
func (m message) lines() []string {
	var lines []string
	for _, i := range m.fresh {
		lines = append(lines, i.lines()...)
	}
	if len(lines) > mostLines {
		lines = append(lines[:mostLines], fmt.Sprintf("and %d more, see the report", len(lines)-mostLines))
	}
	if len(m.fresh) > 0 && m.fresh[0].hint() != "" {
		lines = append(lines, "what to do: "+m.fresh[0].hint())
	}
	if len(m.still) > 0 {
		var codes []string
		for _, i := range m.still {
			codes = append(codes, string(i.code))
		}
		lines = append(lines, "as before: "+strings.Join(codes, ", "))
	}
	for _, code := range m.over {
		lines = append(lines, "recovered: "+string(code))
	}
	return append(lines, "run "+m.Report.Run)
}

// mostFindings are as many of one incident as anybody reads.
const mostFindings = 20

// lines are the incident's findings, one a line.
func (i incident) lines() []string {
	var lines []string
	for n, f := range i.findings {
		if n == mostFindings {
			return append(lines, fmt.Sprintf("and %d more, see the report", len(i.findings)-n))
		}
		lines = append(lines, f.What+": "+f.Says)
	}
	return lines
}

// hint is what to do about it first.
func (i incident) hint() string { return i.findings[0].Hint }

// text is the drill in a few lines, for a monitor.
func (n News) text() string {
	m := message{News: n, fresh: n.incidents([]string{spec.WhenFail, spec.WhenError, spec.WhenWarn}, true)}
	return m.title() + "\n" + strings.Join(m.lines(), "\n") + "\n"
}

// cut is a text of at most so many bytes, whole letters all.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most-len("…")], "") + "…"
}
