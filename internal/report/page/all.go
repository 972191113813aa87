package page

import (
	"cmp"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"

	"daybefore/internal/report"
	"daybefore/internal/verdict"
)

// Drill is what is kept of one drill.
type Drill struct {
	Name  string
	Runs  []Glance // newest first
	Notes []string // such as reports that cannot be read
	// Page reports whether the page of a run lies where this one leads to; nil: none does.
	Page func(drill, run string) bool
}

// All is what the page of all drills is made of.
type All struct {
	Made   time.Time
	From   string // the store of past reports; empty: this machine's folder
	Drills []Drill
	Notes  []string // what keeps the page from telling all
}

// all is what that page shows.
type all struct {
	Made   time.Time
	From   string
	Title  string
	Plain  string
	Worst  verdict.Outcome
	Counts []tally
	Soon   []soon
	Cards  []card
	// of what the drills are evidence; without rows: of nothing
	Controls report.Sheet
	Rules    []string
	Notes    []string
}

// tally is how many drills came to an outcome.
type tally struct {
	Outcome verdict.Outcome
	N       int
}

// soon is what may break next.
type soon struct{ Name, Anchor, Says string }

// card is one drill on the page.
type card struct {
	Name    string
	Anchor  string
	Href    string // of the newest run's page; empty: it is not here
	Last    Glance // the newest run of a newest backup
	Facts   []report.Line
	Charts  []chart
	Strip   []Glance // oldest first
	StripIs string   // the same in words
	Soon    []string
	Notes   []string
}

// Write writes the page.
func (a All) Write(w io.Writer) error {
	p := all{Made: a.Made, From: report.Clean(a.From), Rules: Rules, Notes: cleaned(a.Notes)}
	drills := slices.DeleteFunc(slices.Clone(a.Drills), a.outlived)
	p.Controls = controls(drills)
	for i, d := range drills {
		c := d.card(fmt.Sprintf("drill-%d", i), a.Made)
		p.Cards = append(p.Cards, c)
	}
	slices.SortStableFunc(p.Cards, func(a, b card) int {
		return cmp.Or(rank(a.Last.Outcome)-rank(b.Last.Outcome), len(b.Soon)-len(a.Soon), cmp.Compare(a.Name, b.Name))
	})
	for _, c := range p.Cards {
		for _, says := range c.Soon {
			p.Soon = append(p.Soon, soon{c.Name, c.Anchor, says})
		}
	}
	p.count()
	return render(w, allPage, p)
}

// outlived reports whether a drill stands for databases that were not known when
// it ran, and one of which ran since.
func (a All) outlived(d Drill) bool {
	return len(d.Runs) > 0 && slices.ContainsFunc(a.Drills, func(of Drill) bool {
		return strings.HasPrefix(of.Name, d.Name+"@") && len(of.Runs) > 0 && of.Runs[0].At.After(d.Runs[0].At)
	})
}

var worstFirst = []verdict.Outcome{verdict.Fail, verdict.Error, verdict.Skipped, verdict.Warn, verdict.Pass}

// rank sorts an outcome that is none of the known ones before all others.
func rank(o verdict.Outcome) int { return slices.Index(worstFirst, o) }

func cleaned(texts []string) []string {
	var clean []string
	for _, s := range texts {
		clean = append(clean, report.Clean(s))
	}
	return clean
}

// card is what the page shows of a drill.
func (d Drill) card(anchor string, now time.Time) card {
	c := card{Name: report.Clean(d.Name), Anchor: anchor, Notes: cleaned(d.Notes)}
	runs := d.ofNewest()
	c.Last = Glance{Outcome: verdict.Skipped, Says: "Nothing is known of its newest backup: no drill of it is kept."}
	if len(runs) > 0 {
		c.Last = runs[0]
		if d.Page != nil && d.Page(d.Name, runs[0].Run) {
			c.Href = "./" + url.PathEscape(d.Name) + "/" + url.PathEscape(runs[0].Run) + "/report.html"
		}
	}
	passes := passesOf(runs...)
	c.Last = c.Last.overdue(passes, now)
	c.Facts = facts(c.Last, passes, now)
	c.Charts = charts(anchor, passes)
	c.Soon = outlook(passes, now)
	c.Strip = slices.Clone(runs[:min(len(runs), Runs)])
	slices.Reverse(c.Strip)
	c.StripIs = inWords(c.Strip)
	return c
}

// ofNewest are the runs that drilled the newest backup.
func (d Drill) ofNewest() []Glance {
	return slices.DeleteFunc(slices.Clone(d.Runs), func(g Glance) bool { return !g.Newest })
}

// facts are what people ask first of a drill.
func facts(last Glance, passes []Glance, now time.Time) []report.Line {
	passed := "never, as far as is kept"
	if len(passes) > 0 {
		passed = ago(passes[0].At, now)
	}
	lines := []report.Line{{What: "Last pass", Says: passed}}
	if !last.At.IsZero() && !last.passed() {
		lines = append(lines, report.Line{What: "Last drill", Says: ago(last.At, now)})
	}
	if !last.TakenAt.IsZero() {
		lines = append(lines, report.Line{What: "Newest backup", Says: "taken " + ago(last.TakenAt, now)})
	}
	if last.Promised != "" {
		lines = append(lines, report.Line{What: "Promised", Says: last.Promised})
	}
	return lines
}

// ago is how long ago something was, and when.
func ago(at, now time.Time) string {
	if at.IsZero() {
		return "at an unknown time"
	}
	if at.After(now) {
		return "in the future, " + report.PlainTime(at)
	}
	return report.Age(now.Sub(at)) + " ago, " + report.PlainTime(at)
}

// inWords tells what the runs came to.
func inWords(runs []Glance) string {
	n := map[verdict.Outcome]int{}
	for _, g := range runs {
		n[g.Outcome]++
	}
	var says []string
	for _, o := range worstFirst {
		if n[o] > 0 {
			says = append(says, fmt.Sprintf("%d %s", n[o], o))
		}
	}
	return fmt.Sprintf("The last %s: %s", report.Counted(len(runs), "run"), strings.Join(says, ", "))
}

// count says how all drills are, in a sentence and in numbers.
func (p *all) count() {
	n := map[verdict.Outcome][]string{}
	for _, c := range p.Cards {
		n[c.Last.Outcome] = append(n[c.Last.Outcome], c.Name)
	}
	p.Worst = verdict.Skipped
	if len(p.Cards) > 0 {
		p.Worst = p.Cards[0].Last.Outcome
	}
	var title []string
	for _, o := range worstFirst {
		if len(n[o]) > 0 {
			p.Counts = append(p.Counts, tally{o, len(n[o])})
			title = append(title, fmt.Sprintf("%d %s", len(n[o]), o))
		}
	}
	p.Title = cmp.Or(strings.Join(title, ", "), "none yet")
	unknown := len(n[verdict.Error]) + len(n[verdict.Skipped])
	p.Plain = plainly(len(p.Cards), n[verdict.Fail], unknown)
}

// plainly says how many backups bring their data back.
func plainly(drills int, failed []string, unknown int) string {
	switch {
	case drills == 0:
		return "No drill has run yet."
	case len(failed) == 0 && unknown == 0 && drills == 1:
		return "The newest backup brings its data back."
	case len(failed) == 0 && unknown == 0:
		return fmt.Sprintf("All %d newest backups bring their data back.", drills)
	}
	var says []string
	if len(failed) > 0 {
		says = append(says, fmt.Sprintf("%d of %s failed: %s.", len(failed), report.Counted(drills, "drill"), some(failed)))
	}
	if unknown > 0 {
		says = append(says, fmt.Sprintf("Of %d of %s it is not known whether the newest backup brings its data back.",
			unknown, report.Counted(drills, "drill")))
	}
	return strings.Join(says, " ")
}

// some is as many names as fit into a sentence.
func some(names []string) string {
	const most = 5
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}
