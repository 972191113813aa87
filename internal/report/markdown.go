package report

import (
	"fmt"
	"html"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"daybefore/internal/verdict"
)

// MarkdownLimit is how many bytes Markdown writes at most: GitHub refuses a
// step summary of 1 MiB, and other drills may stand in the same one.
const MarkdownLimit = 1<<20 - 64<<10

// markdownRest ends a page that is full; some room stays for it and for what
// must be closed before it.
const markdownRest = "\n_The report is longer than a page takes; report.json holds all of it._\n"

// Markdown writes the report as GitHub's Markdown, such as a step summary
// shows: the verdict, what needs attention in full, the rest folded away. No
// value from the backup can be markup in it.
func Markdown(w io.Writer, r *verdict.Report) error {
	m := &markdown{}
	m.block("## " + badges[r.Outcome] + outcomeWord(r.Outcome) + " " + escape(headline(r)) + "\n")
	if says := lastGood(r); says != "" {
		m.block("\n" + escape(says) + "\n")
	}
	if says := setApart(r.Sandbox); says != "" {
		m.block("\n**" + escape(says) + "**\n")
	}
	for _, f := range findings(r) {
		m.finding(f)
	}
	for _, c := range r.Checks {
		if says := acceptance(c); says != "" && c.Outcome == verdict.Pass { // findings say it in full
			m.block("\n**Accepted: " + escape(clean(c.ID)) + "**" + newLine + escape(says) + "\n")
		}
	}
	m.kept(r.Scrub)
	m.stages(r)
	m.folded("Checks that passed", passedRows(r))
	m.folded("Tables", tableRows(r))
	m.folded("Code of the backup's own", codeRows(r))
	m.folded("Scrub: "+scrubbed(r.Scrub), scrubRows(r.Scrub))
	for _, e := range r.LatestEvents {
		m.folded("Latest in "+e.Table, eventRows(e))
	}
	m.folded("Where and what", factRows(r))
	m.folded(passesAsItIs(r.Scrub), passedAsItIsRows(r.Scrub))
	if m.full {
		m.b.WriteString(markdownRest)
	}
	_, err := io.WriteString(w, m.b.String())
	return err
}

var badges = map[verdict.Outcome]string{
	verdict.Pass: "✅ ", verdict.Warn: "⚠️ ", verdict.Fail: "❌ ", verdict.Error: "❓ ", verdict.Skipped: "➖ ",
}

// markdown collects blocks until the page is full.
type markdown struct {
	b    strings.Builder
	full bool
}

// block adds a text wholly, or tells that it has no room.
func (m *markdown) block(text string) bool {
	if m.full || m.b.Len()+len(text)+2*len(markdownRest) > MarkdownLimit {
		m.full = true
		return false
	}
	m.b.WriteString(text)
	return true
}

// newLine begins a line of a paragraph. A line that began with the text itself
// could be a list or an underline to Markdown.
const newLine = "<br>\n&nbsp;&nbsp; "

// mostText is more than anybody reads of one message on a page.
const mostText = 64 << 10

func (m *markdown) finding(f finding) {
	c := f.Check
	text := "\n**" + badges[c.Outcome] + outcomeWord(c.Outcome) + " " + escape(clean(f.what)) + "**"
	if c.Code != "" {
		text += " (" + escape(clean(c.Stage+", "+string(c.Code))) + ")"
	}
	for _, line := range inFull(c) {
		if len(line) > mostText {
			line = strings.ToValidUTF8(line[:mostText], "") + " … (report.json has it in full)"
		}
		text += newLine + strings.ReplaceAll(escape(line), "\n", newLine)
	}
	m.block(text + "\n")
}

func (m *markdown) stages(r *verdict.Report) {
	rows := [][]string{{"Stage", "Outcome", "Took"}}
	for _, s := range r.Stages {
		rows = append(rows, []string{s.Name, badges[s.Outcome] + outcomeWord(s.Outcome), tookMS(s.DurationMS)})
	}
	if len(rows) > 1 {
		m.block("\n")
		m.rows(rows)
	}
}

// folded adds a table that opens on a click. The first row is its header, and
// a table without other rows is left out.
func (m *markdown) folded(title string, rows [][]string) {
	const begin, end = "\n<details><summary>%s</summary>\n\n", "\n</details>\n"
	if len(rows) < 2 || !m.block(fmt.Sprintf(begin, html.EscapeString(clean(title)))) {
		return
	}
	m.rows(rows)
	m.b.WriteString(end) // even on a full page: what was opened must end
}

func (m *markdown) rows(rows [][]string) {
	g := grid{header: rows[0], rows: rows[1:]}
	g.even()
	for i, row := range append([][]string{g.header}, g.rows...) {
		escaped := make([]string, len(row))
		for j, cell := range row {
			escaped[j] = escape(clean(cell))
		}
		line := "| " + strings.Join(escaped, " | ") + " |\n"
		if i == 0 {
			line += strings.Repeat("| --- ", len(row)) + "|\n"
		}
		if !m.block(line) {
			return
		}
	}
}

// mostCode is how much of the backup's own code a page names.
const mostCode = 20

// codeRows are what the backup brings and a restore runs, what is new first.
func codeRows(r *verdict.Report) [][]string {
	rows := [][]string{{"Code", "Language", "Hash", "Used by", "New"}}
	for _, c := range r.CodeRan[:min(len(r.CodeRan), mostCode)] {
		isNew := ""
		if c.New {
			isNew = "new"
		}
		rows = append(rows, []string{c.Function, c.Language, c.SHA256, strings.Join(c.UsedBy, ", "), isNew})
	}
	if more := len(r.CodeRan) - mostCode; more > 0 {
		rows = append(rows, []string{fmt.Sprintf("and %d more, all in report.json", more), "", "", "", ""})
	}
	return rows
}

func passedRows(r *verdict.Report) [][]string {
	rows := [][]string{{"Check", "Expected", "Observed"}}
	for _, c := range passed(r) {
		rows = append(rows, []string{c.ID, c.Expected, c.Observed})
	}
	return rows
}

func tableRows(r *verdict.Report) [][]string {
	rows := [][]string{{"Table", "Rows loaded", "Rows held", " "}}
	for _, t := range r.Tables {
		rows = append(rows, []string{t.Name, count(t.RowsPassed), count(t.RowsHeld), heldNote(t)})
	}
	return rows
}

func scrubRows(s verdict.Scrub) [][]string {
	rows := [][]string{{"Column", "Transform", "Values", "Nulls"}}
	for _, c := range s.Columns {
		rows = append(rows, []string{c.Column, c.Transform, count(c.Rows), nulls(c)})
	}
	return rows
}

func eventRows(e verdict.Events) [][]string {
	if len(e.Rows) == 0 {
		return [][]string{{"Rows"}, {"none"}}
	}
	return append([][]string{e.Columns}, e.Rows...)
}

func factRows(r *verdict.Report) [][]string {
	rows := [][]string{{"What", "Value"}}
	for _, f := range headFacts(r) {
		rows = append(rows, []string{f.key, f.value})
	}
	return rows
}

// escape makes a text plain to Markdown, inside and outside of tables. What
// stands within a word stays readable in the source too.
func escape(s string) string {
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == '&' || r == '<' || r == '>' || r == '|': // a cell ends at |, whatever stands before it
			fmt.Fprintf(&b, "&#%d;", r)
		case r == '@': // as a comment, a page would call whoever has that name
			b.WriteString("@\u200b")
		case r == '_' && withinWord(s, i):
			b.WriteRune(r)
		case strings.ContainsRune("\\`*_[]~#$!", r):
			b.WriteString("\\" + string(r))
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func withinWord(s string, i int) bool {
	before, _ := utf8.DecodeLastRuneInString(s[:i])
	after, _ := utf8.DecodeRuneInString(s[i+1:])
	return unicode.IsLetter(before) && unicode.IsLetter(after)
}
