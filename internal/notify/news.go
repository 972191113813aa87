package notify

import (
	"fmt"
	"maps"
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
	Muted    []string           // of whose findings nobody wants to hear
	Before   []verdict.Notified // what past reports say that they know
	Unread   bool               // that could not be read: they may know more than Before
}

// Finding is a check or a stage that did not pass.
type Finding struct {
	Code    verdict.Code
	Outcome verdict.Outcome
	What    string // the check's id, or the stage
	Says    string
	Hint    string
}

// incident is all that was found under one code: what one person looks at.
type incident struct {
	key      string // the same for each drill that finds it
	code     verdict.Code
	outcome  verdict.Outcome // of the worst finding
	findings []Finding       // first those that are news
}

// Key names the incident of a drill's code to receivers that keep incidents: from
// drill to drill, and from machine to machine, the same.
func Key(drill string, code verdict.Code) string { return "daybefore/" + drill + "/" + string(code) }

// message is what one channel is told.
type message struct {
	News
	fresh  []incident // of which it does not know all, or not how bad it is
	still  []incident // that it knows of
	over   []verdict.Code
	before []verdict.Open // that it knew of as bad
	open   []verdict.Open // that it knows of as bad once it is told
	last   bool           // no later drill knows of it, or says that it is over
}

// message is what a channel is to be told, and knows then. What it knows of as bad
// stays so until a drill passes: one that ended early says nothing of the rest.
func (n News) message(c spec.Channel) message {
	m := message{News: n, before: n.knows(c.Name())}
	passed := n.Report.Outcome == verdict.Pass || n.Report.Outcome == verdict.Warn
	stays := n.incidents(c.When, true) // with those that are muted: nobody said that they are over
	for _, o := range m.before {
		switch {
		case !passed:
			m.open = note(m.open, o.Code, o.Checks)
		case slices.ContainsFunc(stays, func(i incident) bool { return i.code == o.Code }):
			m.open = note(m.open, o.Code, nil)
		case slices.Contains(c.When, spec.WhenRecovered):
			m.over = append(m.over, o.Code)
		}
	}
	for _, i := range n.incidents(c.When, false) {
		if i.newsFirst(checksOf(m.before, i.code)) {
			m.fresh = append(m.fresh, i)
		} else {
			m.still = append(m.still, i)
		}
		m.open = note(m.open, i.code, i.checks())
	}
	return m
}

// knows is what a channel knows of as bad. A muted check is not of it, so that what
// is bad when the mute ends is told; its code is, so that it is resolved.
func (n News) knows(channel string) (all []verdict.Open) {
	for _, b := range n.Before {
		if b.By != channel {
			continue
		}
		for _, o := range b.Open {
			all = note(all, o.Code, o.Checks)
		}
	}
	for _, o := range all {
		maps.DeleteFunc(o.Checks, func(check string, _ verdict.Outcome) bool { return slices.Contains(n.Muted, check) })
	}
	return all
}

// note adds to what is open a code with some of its checks, each at its worst.
func note(all []verdict.Open, code verdict.Code, checks map[string]verdict.Outcome) []verdict.Open {
	if !slices.ContainsFunc(all, func(o verdict.Open) bool { return o.Code == code }) {
		all = append(all, verdict.Open{Code: code, Checks: map[string]verdict.Outcome{}})
	}
	known := checksOf(all, code)
	for check, outcome := range checks {
		known[check] = verdict.Worst(known[check], outcome)
	}
	return all
}

// checksOf are those of a code that is open; nil where it is not.
func checksOf(all []verdict.Open, code verdict.Code) map[string]verdict.Outcome {
	for _, o := range all {
		if o.Code == code {
			return o.Checks
		}
	}
	return nil
}

// correction is what a channel is told of a drill that is not what it was told. No
// code is over either: the next drill may take it for known, and tell nobody.
func (n News) correction(told []string) message {
	m := message{News: n, last: true}
	for _, was := range told {
		code, over := strings.CutPrefix(was, isOver)
		if over {
			again := n.Findings[0]
			again.Code = verdict.Code(code)
			again.Says = "that " + code + " recovered is not proven"
			m.Findings = append(slices.Clip(m.Findings), again)
		}
	}
	m.fresh = m.incidents([]string{string(n.Report.Outcome)}, true)
	return m
}

// unsure is what a channel may know of as bad where telling it failed: it may have
// taken the message, or a part, and answered too late. Its next drill tells it all.
func (m message) unsure() []verdict.Open {
	all := m.before
	for _, i := range m.fresh {
		all = note(all, i.code, nil)
	}
	return all
}

// incidents are the findings of the outcomes that a channel is told of, by code in
// their order.
func (n News) incidents(when []string, muted bool) []incident {
	var all []incident
	for _, f := range n.Findings {
		if !slices.Contains(when, string(f.Outcome)) || !muted && slices.Contains(n.Muted, f.What) {
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

// newsFirst reports whether any finding is worse than what was told of its check,
// and puts these first.
func (i *incident) newsFirst(told map[string]verdict.Outcome) bool {
	var news, known []Finding
	for _, f := range i.findings {
		if verdict.Worst(f.Outcome, told[f.What]) != told[f.What] {
			news = append(news, f)
		} else {
			known = append(known, f)
		}
	}
	i.findings = slices.Concat(news, known)
	return len(news) > 0
}

// checks are what its findings came to.
func (i incident) checks() map[string]verdict.Outcome {
	all := map[string]verdict.Outcome{}
	for _, f := range i.findings {
		all[f.What] = verdict.Worst(all[f.What], f.Outcome)
	}
	return all
}

// hasNews reports whether a channel is to be told anything.
func (m message) hasNews(c spec.Channel) bool {
	return len(m.fresh)+len(m.over) > 0 || slices.Contains(c.When, spec.WhenEvery)
}

// isOver stands before a code that ended, in what told says.
const isOver = "recovered "

// told says for the report what was told.
func (m message) told() []string {
	var all []string
	for _, i := range m.fresh {
		all = append(all, string(i.outcome)+" "+string(i.code))
	}
	for _, code := range m.over {
		all = append(all, isOver+string(code))
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
