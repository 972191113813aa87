package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"daybefore/internal/verdict"
)

type junitSuites struct {
	XMLName xml.Name `xml:"testsuites"`
	junitCounts
	Suite junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name      string `xml:"name,attr"`
	Timestamp string `xml:"timestamp,attr"`
	junitCounts
	Properties []junitProperty `xml:"properties>property,omitempty"`
	Cases      []junitCase     `xml:"testcase"`
}

type junitCounts struct {
	Tests    int    `xml:"tests,attr"`
	Failures int    `xml:"failures,attr"`
	Errors   int    `xml:"errors,attr"`
	Skipped  int    `xml:"skipped,attr"`
	Time     string `xml:"time,attr"` // seconds
}

type junitProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type junitCase struct {
	Classname string        `xml:"classname,attr"`
	Name      string        `xml:"name,attr"`
	Time      string        `xml:"time,attr"`
	File      string        `xml:"file,attr,omitempty"` // the drill file
	Line      int           `xml:"line,attr,omitempty"` // that declares it
	Failure   *junitMessage `xml:"failure"`
	Error     *junitMessage `xml:"error"`
	Skipped   *junitMessage `xml:"skipped"`
	SystemOut string        `xml:"system-out,omitempty"`
}

type junitMessage struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr,omitempty"`
	Text    string `xml:",chardata"`
}

// Source is a drill file, so that a finding leads to the line that declared it.
type Source struct {
	File string // as it is named from the top of the repository; empty: it is not known
	// Place is what declares a check: this file or that of the defaults, and the
	// line from 1; nil: not known
	Place func(verdict.Check) (file string, line int)
}

func (s Source) place(c verdict.Check) (file string, line int) {
	if s.File == "" || s.Place == nil {
		return s.File, 0
	}
	return s.Place(c)
}

// JUnit writes the report as one suite of JUnit XML: a case a stage and a case
// a check. A stage whose outcome is a check's own is not counted again. What
// could not be verified is an error, never a failure, and a report that proves
// nothing never looks green. No text stands in a case twice: some readers show
// the message and the text (Jenkins), some the text alone (GitLab).
func JUnit(w io.Writer, r *verdict.Report, src Source) error {
	s := junitSuite{Name: clean(r.Drill), Timestamp: r.StartedAt.UTC().Format("2006-01-02T15:04:05")}
	s.Time = seconds(r.DurationMS)
	for _, f := range headFacts(r) {
		s.Properties = append(s.Properties, junitProperty{f.key, f.value})
	}
	c := junitCases{suite: &s, source: src, seen: map[string]int{}}
	for _, stage := range r.Stages {
		c.stage(r, stage)
	}
	for _, check := range r.Checks {
		c.add("check "+check.ID, 0, check)
	}
	c.whole(r)
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(junitSuites{junitCounts: s.junitCounts, Suite: s}); err != nil {
		return fmt.Errorf("render the report of %s as JUnit: %w", r.Drill, err)
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func seconds(ms int64) string { return fmt.Sprintf("%.3f", time.Duration(ms*1e6).Seconds()) }

// junitCases adds cases to a suite under names of their own, and counts them.
type junitCases struct {
	suite  *junitSuite
	source Source
	seen   map[string]int
}

func (c *junitCases) stage(r *verdict.Report, s verdict.Stage) {
	as := verdict.Check{Stage: s.Name, Code: s.Code, Outcome: s.Outcome, Message: s.Message, Hint: s.Hint}
	if id := explains(r, s); id != "" && s.Outcome != verdict.Pass {
		as = verdict.Check{Outcome: verdict.Pass, Message: string(s.Outcome) + ", see check " + id}
	}
	c.add("stage "+s.Name, s.DurationMS, as)
}

// whole adds a case for the drill itself where no other case says its outcome.
func (c *junitCases) whole(r *verdict.Report) {
	n := c.suite.junitCounts
	switch {
	case r.Outcome == verdict.Pass, r.Outcome == verdict.Warn:
	case r.Outcome == verdict.Fail && n.Failures > 0:
	case r.Outcome == verdict.Error && n.Errors > 0:
	case r.Outcome == verdict.Fail:
		c.add("drill", 0, verdict.Check{Outcome: verdict.Fail, Message: headline(r)})
	default: // all skipped, or an outcome nobody knows
		c.add("drill", 0, verdict.Check{Outcome: verdict.Error, Message: headline(r)})
	}
}

func (c *junitCases) add(name string, ms int64, of verdict.Check) {
	file, line := c.source.place(of)
	k := junitCase{Classname: c.suite.Name, Name: c.unique(clean(name)), Time: seconds(ms), File: clean(file), Line: line}
	text := strings.Join(inFull(of), "\n")
	m := &junitMessage{Message: cameTo(of), Type: clean(string(of.Code)), Text: text}
	c.suite.Tests++
	switch of.Outcome {
	case verdict.Pass:
		k.SystemOut = text
	case verdict.Warn:
		k.SystemOut = "WARN\n" + text
	case verdict.Skipped:
		k.Skipped = m
		c.suite.Skipped++
	case verdict.Fail:
		k.Failure = m
		c.suite.Failures++
	default:
		k.Error = m
		c.suite.Errors++
	}
	c.suite.Cases = append(c.suite.Cases, k)
}

// unique numbers a name that was there before: readers keep one case a name.
func (c *junitCases) unique(name string) string {
	for {
		c.seen[name]++
		n := c.seen[name]
		if n == 1 {
			return name
		}
		name = fmt.Sprintf("%s (%d)", name, n)
	}
}

// cameTo is what became of a check in a few words: fail at expect (row_count).
func cameTo(c verdict.Check) string {
	says := string(c.Outcome)
	if c.Stage != "" {
		says += " at " + c.Stage
	}
	if c.Code != "" {
		says += " (" + string(c.Code) + ")"
	}
	return clean(says)
}

// inFull is all that a check says, one thing a line.
func inFull(c verdict.Check) []string {
	var lines []string
	if says := compared(c); says != "" {
		lines = append(lines, says)
	}
	if c.Message != "" {
		lines = append(lines, cleanLines(c.Message))
	}
	if says := acceptance(c); says != "" {
		lines = append(lines, "accepted: "+says)
	}
	if c.Hint != "" {
		lines = append(lines, "-> "+cleanLines(c.Hint))
	}
	return lines
}
