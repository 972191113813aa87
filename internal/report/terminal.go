package report

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/fatih/color"
	"github.com/olekukonko/tablewriter/pkg/twwidth"

	"daybefore/internal/verdict"
)

// Options say what the terminal can show, and what of it is wanted.
type Options struct {
	Width   int    // columns; 0: 80, less than 40: 40
	Color   bool   // colors repeat what the words say, never more
	Verbose bool   // all of a report, not what fits on a screen
	Kept    string // the page with all of it, as the reader would type its path; empty: there is none
	Folder  string // an absolute path: what lies below it is named from there; empty: nothing is
}

// place is where something lies, as the reader would type it.
func (o Options) place(url string) string {
	path, ok := strings.CutPrefix(url, "file://"+o.Folder+"/")
	if !ok || o.Folder == "" {
		return url
	}
	return cmp.Or(path, "./")
}

func (o Options) width() int {
	if o.Width == 0 {
		return 80
	}
	return max(o.Width, 40)
}

// most is how many lines of one table a person reads; the rest is in the JSON.
const most = 40

// Terminal writes a report for a person: the verdict, what needs attention in
// full, then what else there is to know, in a few lines or, if it is verbose,
// whole.
func Terminal(w io.Writer, r *verdict.Report, o Options) error {
	p := &page{width: o.width(), color: o.Color}
	if o.Verbose {
		p.whole(r, o)
	} else {
		p.brief(r, o)
	}
	if p.err != nil {
		return fmt.Errorf("render the report of %s: %w", r.Drill, p.err)
	}
	_, err := w.Write(p.Bytes())
	return err
}

// whole writes all that a person can read, and the verdict again where the eye
// is when the scrolling stops.
func (p *page) whole(r *verdict.Report, o Options) {
	p.head(r)
	p.stages(r)
	p.findings(findings(r))
	p.accepted(r)
	p.passed(r)
	p.tables(r)
	p.kept(r.Scrub)
	p.scrub(r.Scrub)
	p.events(r.LatestEvents)
	p.facts(r, o)
	p.blank()
	p.hanging(p.paint(r.Outcome)+"  ", closing(r))
	p.blank() // the next drill's report may follow
}

// head is the verdict, and what nobody may overlook beside it.
func (p *page) head(r *verdict.Report) {
	p.hanging(p.paint(r.Outcome)+"  ", headline(r))
	for _, says := range []string{lastGood(r), setApart(r.Sandbox)} {
		if says != "" {
			p.hanging("", says)
		}
	}
}

// closing names what is to be looked at, for who sees the last line only.
func closing(r *verdict.Report) string {
	text := clean(r.Drill) + ", in " + tookMS(r.DurationMS)
	n := tally(r)
	if n[verdict.Pass] > 0 {
		text += ", " + counted(n[verdict.Pass], "check") + " passed"
	}
	for _, o := range []verdict.Outcome{verdict.Fail, verdict.Error, verdict.Warn} {
		if n[o] > 0 {
			text += ", " + count(n[o]) + " " + string(o)
		}
	}
	if worst := worstFindings(r); len(worst) > 0 {
		text += ": " + strings.Join(worst[:min(len(worst), 3)], ", ")
		if len(worst) > 3 {
			text += " and more"
		}
	}
	return text
}

// worstFindings are the names of the findings that have the drill's outcome.
func worstFindings(r *verdict.Report) []string {
	var names []string
	for _, f := range findings(r) {
		if f.Outcome == r.Outcome && f.Outcome != verdict.Skipped {
			names = append(names, clean(f.what))
		}
	}
	return names
}

// page collects what will be printed.
type page struct {
	bytes.Buffer
	width int
	color bool
	err   error // the first that a table met
}

var paints = map[verdict.Outcome]*color.Color{
	verdict.Pass: always(color.FgGreen, color.Bold), verdict.Warn: always(color.FgYellow, color.Bold),
	verdict.Fail: always(color.FgRed, color.Bold), verdict.Error: always(color.FgMagenta, color.Bold),
	verdict.Skipped: always(color.Faint),
}

// always is a color that does not look at the environment: the caller has.
func always(attributes ...color.Attribute) *color.Color {
	c := color.New(attributes...)
	c.EnableColor()
	return c
}

func (p *page) paint(o verdict.Outcome) string {
	if c := paints[o]; p.color && c != nil {
		return c.Sprint(outcomeWord(o))
	}
	return outcomeWord(o)
}

func (p *page) blank() { p.WriteByte('\n') }

func (p *page) heading(text string) {
	p.blank()
	if p.color {
		text = always(color.Bold).Sprint(text)
	}
	p.hanging("", text)
}

// hanging writes a text after a label; the lines after the first begin below
// the text.
func (p *page) hanging(label, text string) {
	indent := twwidth.Width(label)
	for i, line := range wrap(text, p.width-indent) {
		if i > 0 {
			label = strings.Repeat(" ", indent)
		}
		p.WriteString(strings.TrimRight(label+line, " ") + "\n")
	}
}

// Hanging writes a text after a label, as wide as the terminal; the lines after
// the first begin below the text.
func Hanging(w io.Writer, o Options, label, text string) error {
	p := &page{width: o.width()}
	p.hanging(label, text)
	_, err := w.Write(p.Bytes())
	return err
}

func (p *page) stages(r *verdict.Report) {
	if len(r.Stages) == 0 {
		return
	}
	var rows [][]string
	for _, s := range r.Stages {
		duration := tookMS(s.DurationMS)
		if s.Outcome == verdict.Skipped {
			duration = ""
		}
		rows = append(rows, []string{clean(s.Name), p.paint(s.Outcome), duration, clean(string(s.Code))})
	}
	p.blank()
	p.table(grid{header: []string{"STAGE", "OUTCOME", "TOOK", ""}, rows: rows, right: []int{2}})
}

// few is how many findings of one kind are shown each by itself.
const few = 3

// findings shows each in full: people act on these words. Many of one kind
// are shown together, with what they have in common said once.
func (p *page) findings(all []finding) {
	for len(all) > 0 {
		n := alike(all)
		if n > few {
			p.group(all[:n])
		} else {
			n = 1
			p.finding(all[0])
		}
		all = all[n:]
	}
}

// alike counts the checks at the head of the list that are of one kind.
func alike(all []finding) int {
	first := all[0]
	n := slices.IndexFunc(all, func(f finding) bool {
		return f.ID == "" || f.Code != first.Code || f.Stage != first.Stage || f.Outcome != first.Outcome
	})
	if n < 0 {
		return len(all)
	}
	return n
}

func (p *page) finding(f finding) {
	p.blank()
	where := ""
	if f.ID != "" {
		where = " (" + clean(f.Stage) + ")"
	}
	label := p.paint(f.Outcome) + "  "
	p.hanging(label, clean(f.what)+where)
	indent := strings.Repeat(" ", twwidth.Width(label))
	if says := compared(f.Check); says != "" {
		p.hanging(indent, says)
	}
	if f.Message != "" {
		p.hanging(indent, cleanLines(f.Message))
	}
	if f.Hint != "" {
		p.hint(indent, f.Hint)
	}
}

func (p *page) group(found []finding) {
	p.blank()
	label := p.paint(found[0].Outcome) + "  "
	p.hanging(label, fmt.Sprintf("%d times %s (%s)", len(found), clean(string(found[0].Code)), clean(found[0].Stage)))
	indent := strings.Repeat(" ", twwidth.Width(label))
	for _, same := range byAdvice(found) {
		for _, f := range same {
			text := f.Message
			if text == "" {
				text = strings.TrimSpace(f.what + " " + compared(f.Check))
			}
			p.hanging(indent+"- ", cleanLines(text))
		}
		for i, f := range same {
			advice, lines, _ := strings.Cut(f.Hint, "\n")
			if i == 0 && advice != "" {
				p.hint(indent, advice)
			}
			if lines != "" {
				p.hint(indent, "\n"+lines)
			}
		}
	}
}

// byAdvice puts findings together for which the same is to be done, so that
// it stands below them, and below no other.
func byAdvice(found []finding) [][]finding {
	var all [][]finding
	at := map[string]int{}
	for _, f := range found {
		advice, _, _ := strings.Cut(f.Hint, "\n")
		i, known := at[advice]
		if !known {
			i = len(all)
			at[advice] = i
			all = append(all, nil)
		}
		all[i] = append(all[i], f)
	}
	return all
}

// hint writes advice, and below it lines that are there to be copied: a line
// of YAML that begins with a dash goes on after its dash, where YAML takes it
// for one line still.
func (p *page) hint(indent, text string) {
	advice, lines, _ := strings.Cut(text, "\n")
	if advice != "" {
		p.hanging(indent+"-> ", cleanLines(advice))
	}
	if lines == "" {
		return
	}
	for line := range strings.SplitSeq(cleanLines(lines), "\n") {
		label := indent + "   "
		if rest, ok := strings.CutPrefix(line, "- "); ok {
			label, line = label+"- ", rest
		}
		p.hanging(label, line)
	}
}

// compared says what was expected and what was found, as far as a check knows.
func compared(c verdict.Check) string {
	expected := labelled("expected", clean(c.Expected))
	observed := labelled("observed", clean(c.Observed))
	if expected != "" && observed != "" {
		return expected + ", " + observed
	}
	return expected + observed
}

func (p *page) accepted(r *verdict.Report) {
	headed := false
	for _, c := range r.Checks {
		if says := acceptance(c); says != "" {
			if !headed {
				p.heading("ACCEPTED, and compared with from then on")
			}
			headed = true
			p.hanging("  ", clean(c.ID)+": "+says)
		}
	}
}

func (p *page) passed(r *verdict.Report) {
	checks := passed(r)
	if len(checks) == 0 {
		return
	}
	var rows [][]string
	for _, c := range checks[:min(len(checks), most)] {
		rows = append(rows, []string{clean(c.ID), clean(c.Expected), clean(c.Observed)})
	}
	p.blank()
	p.table(grid{header: []string{"PASSED", "EXPECTED", "OBSERVED"}, rows: rows})
	p.more(len(checks) - len(rows))
}

func (p *page) more(n int) {
	if n > 0 {
		p.hanging("  ", fmt.Sprintf("and %s more, all in report.json", count(n)))
	}
}

func (p *page) tables(r *verdict.Report) {
	if len(r.Tables) == 0 {
		return
	}
	var rows [][]string
	left := 0
	for _, t := range r.Tables {
		if len(rows) >= most && heldNote(t) != "DIFFERS" {
			left++
			continue
		}
		rows = append(rows, []string{clean(t.Name), count(t.RowsPassed), count(t.RowsHeld), heldNote(t)})
	}
	p.blank()
	p.table(grid{header: []string{"TABLE", "ROWS LOADED", "ROWS HELD", ""}, rows: rows, right: []int{1, 2}})
	p.more(left)
}

func (p *page) scrub(s verdict.Scrub) {
	if says := scrubbed(s); says != "" {
		p.heading("SCRUBBED: " + says)
	}
	var rows [][]string
	for _, c := range s.Columns[:min(len(s.Columns), most)] {
		rows = append(rows, []string{clean(c.Column), clean(c.Transform), count(c.Rows), nulls(c)})
	}
	if len(rows) > 0 {
		p.table(grid{"  ", []string{"COLUMN", "TRANSFORM", "VALUES", "NULLS"}, rows, []int{2, 3}})
		p.more(len(s.Columns) - len(rows))
	}
	if says := passesAsItIs(s); says != "" {
		p.blank()
		p.hanging("", says+"; see report.md")
	}
}

// nulls are those of a column, in and out where they differ.
func nulls(c verdict.ScrubColumn) string {
	if c.NullsIn == c.NullsOut {
		return count(c.NullsIn)
	}
	return count(c.NullsIn) + " -> " + count(c.NullsOut)
}

func (p *page) events(all []verdict.Events) {
	for _, e := range all {
		p.heading("LATEST in " + clean(e.Table))
		if len(e.Rows) == 0 {
			p.hanging("  ", "no rows")
			continue
		}
		rows := make([][]string, len(e.Rows))
		for i, row := range e.Rows {
			rows[i] = cleanAll(row)
		}
		p.table(grid{indent: "  ", header: cleanAll(e.Columns), rows: rows})
	}
}

func cleanAll(texts []string) []string {
	out := make([]string, len(texts))
	for i, s := range texts {
		out[i] = clean(s)
	}
	return out
}

func (p *page) facts(r *verdict.Report, o Options) {
	p.blank()
	for _, f := range headFacts(r) {
		p.hanging(fmt.Sprintf("%-11s ", f.key), o.place(f.value))
	}
}

// Listing is one drill for Drills.
type Listing struct {
	Name string
	Last *verdict.Report // nil: none yet
	Note string          // what is wrong with its file or its last report
}

// Drills writes a table of drills: what each came to, when, with which backup.
func Drills(w io.Writer, list []Listing, now time.Time, o Options) error {
	p := &page{width: o.width(), color: o.Color}
	if len(list) == 0 {
		p.hanging("", "there is no drill file in drills/: copy drills/demo.yaml and change it")
	} else {
		rows := make([][]string, len(list))
		for i, l := range list {
			rows[i] = p.listed(l, now)
		}
		p.table(grid{header: []string{"DRILL", "LAST", "RAN", "TOOK", "BACKUP"}, rows: rows, right: []int{3}})
	}
	for _, l := range list {
		if l.Note != "" {
			p.blank()
			p.hanging(clean(l.Name)+": ", cleanLines(l.Note))
		}
	}
	if p.err != nil {
		return fmt.Errorf("render the list of drills: %w", p.err)
	}
	_, err := w.Write(p.Bytes())
	return err
}

func (p *page) listed(l Listing, now time.Time) []string {
	switch {
	case l.Last == nil && l.Note != "":
		return []string{clean(l.Name), "see below", "", "", ""}
	case l.Last == nil:
		return []string{clean(l.Name), "never ran", "", "", ""}
	}
	r := l.Last
	backup := "none"
	if r.Backup.Name != "" {
		backup = clean(r.Backup.Name)
	}
	return []string{clean(l.Name), p.paint(r.Outcome), ago(now.Sub(r.FinishedAt)), tookMS(r.DurationMS), backup}
}

func ago(d time.Duration) string {
	if d < 0 {
		return age(d)
	}
	return age(d) + " ago"
}
