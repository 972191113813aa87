package report

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/olekukonko/tablewriter/pkg/twwidth"

	"daybefore/internal/verdict"
)

const (
	screen      = 24 // lines
	briefEvents = 5  // of all tables together
)

// twoLines are the facts that may take two lines; all others take one.
var twoLines = []string{"backup", "chosen", "stages"}

// brief writes a report that fits on a screen where nothing is wrong. What
// failed stands first, and in full.
func (p *page) brief(r *verdict.Report, o Options) {
	p.head(r)
	p.findings(slices.DeleteFunc(findings(r), func(f finding) bool { return f.Outcome == verdict.Skipped }))
	for _, says := range whoWasNot(r) {
		p.hanging(p.paint(verdict.Warn)+"  ", clean("not told: "+says))
	}
	p.blank()
	for _, f := range p.briefFacts(r, o) {
		p.briefly(f)
	}
	last := 1 // the blank below
	if o.Kept != "" {
		last++
	}
	left := screen - last - bytes.Count(p.Bytes(), []byte("\n"))
	for _, f := range recent(r.LatestEvents, max(1, min(left, briefEvents))) {
		p.briefly(f)
	}
	if o.Kept != "" {
		p.hanging("report    ", clean(o.Kept))
	}
	p.blank()
}

// briefly writes a fact in a line or two; a longer one is cut.
func (p *page) briefly(f fact) {
	label := fmt.Sprintf("%-9s ", f.key)
	room := p.width - len(label)
	if !slices.Contains(twoLines, f.key) {
		p.hanging(label, cut(f.value, room))
		return
	}
	lines := wrap(f.value, room)
	p.hanging(label, lines[0])
	if len(lines) > 1 {
		p.hanging(strings.Repeat(" ", len(label)), cut(strings.Join(lines[1:], " "), room))
	}
}

// cut is a text that takes no more than so many columns: of a longer one its
// beginning, and a mark that there was more.
func cut(s string, width int) string {
	if twwidth.Width(s) <= width {
		return s
	}
	return strings.TrimRight(twwidth.Truncate(s, width-1), " ") + "…"
}

// briefFacts are a line or two each. Values are clean.
func (p *page) briefFacts(r *verdict.Report, o Options) []fact {
	var all []fact
	add := func(key, value string) {
		if value != "" {
			all = append(all, fact{key, value})
		}
	}
	add("backup", briefBackup(r.Backup, o))
	add("chosen", clean(chosen(r.Backup)))
	if t := r.Recovery; t != nil {
		add("recovery", tookMS(t.TotalMS)+" to have the data back")
	}
	add("stages", p.stageTimes(r.Stages))
	add("sandbox", clean(briefSandbox(r.Sandbox)))
	add("tables", briefTables(r.Tables))
	add("rows", briefRows(r.Tables))
	add("scrubbed", briefScrubbed(r.Scrub))
	if r.Scrub.Stored {
		add("stored", storedReal)
	}
	add("as it is", briefAsItIs(r.Scrub))
	add("checks", briefChecks(r))
	add("accepted", briefAccepted(r.Checks))
	for _, one := range mutes(r) {
		add("muted", one)
	}
	add("skipped", briefSkipped(r.Checks))
	return all
}

// briefBackup says where the backup lies, of when it is and what made it. The
// headline has its name and size.
func briefBackup(b verdict.Backup, o Options) string {
	var parts []string
	for _, part := range []string{o.place(b.Store), backupTime(b), labelled("database", b.Database),
		labelled("from PostgreSQL", b.ServerVersion)} {
		if part != "" {
			parts = append(parts, clean(part))
		}
	}
	return strings.Join(parts, ", ")
}

func briefSandbox(s verdict.Sandbox) string {
	apart, _, _ := strings.Cut(isolation(s.Isolation), ": ") // of the reason enough is known
	parts := []string{strings.TrimSpace(s.Kind + " " + s.Image), labelled("PostgreSQL", s.ServerVersion), apart}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), ", ")
}

// stageTimes is how long each stage took, and what it came to where it did not
// pass.
func (p *page) stageTimes(all []verdict.Stage) string {
	var took, skipped []string
	for _, s := range all {
		switch s.Outcome {
		case verdict.Skipped:
			skipped = append(skipped, clean(s.Name))
		case verdict.Pass:
			took = append(took, clean(s.Name)+" "+tookMS(s.DurationMS))
		default:
			took = append(took, clean(s.Name)+" "+tookMS(s.DurationMS)+" "+p.paint(s.Outcome))
		}
	}
	says := strings.Join(took, ", ")
	if len(skipped) > 0 {
		says += "; skipped: " + strings.Join(skipped, ", ")
	}
	return strings.TrimPrefix(says, "; ")
}

func briefTables(all []verdict.Table) string {
	if len(all) == 0 {
		return ""
	}
	excluded := 0
	for _, t := range all {
		if t.Excluded {
			excluded++
		}
	}
	says := counted(len(all), "table")
	if excluded > 0 {
		says += ", of which " + count(excluded) + " without rows, as declared"
	}
	return says
}

// briefRows is how many rows the tables hold, and how many were loaded where
// that is another number.
func briefRows(all []verdict.Table) string {
	if len(all) == 0 {
		return ""
	}
	var loaded, now int64
	for _, t := range all {
		loaded += t.RowsPassed
		now += t.RowsHeld
	}
	if loaded != now {
		return counted(now, "row") + " held, of " + count(loaded) + " loaded"
	}
	return counted(now, "row")
}

// briefScrubbed is how much was rewritten, or let through on purpose.
func briefScrubbed(s verdict.Scrub) string {
	var parts []string
	if len(s.Columns) > 0 {
		parts = append(parts, counted(rewritten(s), "value")+" in "+counted(len(s.Columns), "column"))
	}
	kept := keptRows(s)
	if kept > 0 {
		parts = append(parts, counted(kept, "row")+" kept")
	}
	if len(s.Preserve) > 0 {
		parts = append(parts, counted(len(s.Preserve), "column")+" preserved")
	}
	return strings.Join(parts, "; ")
}

// briefAsItIs is how many columns that can hold text pass, and who decided.
func briefAsItIs(s verdict.Scrub) string {
	if len(s.Passed) == 0 {
		return ""
	}
	undecided := 0
	for _, c := range s.Passed {
		if c.DecidedBy == verdict.DecidedByNobody {
			undecided++
		}
	}
	return counted(len(s.Passed), "column") + " unchanged, " + count(undecided) + " of them without a rule"
}

func briefChecks(r *verdict.Report) string {
	n := map[verdict.Outcome]int{}
	for _, c := range r.Checks {
		n[c.Outcome]++
	}
	var parts []string
	for _, o := range []verdict.Outcome{verdict.Pass, verdict.Fail, verdict.Error, verdict.Warn} {
		if o == verdict.Pass && n[o] > 0 {
			parts = append(parts, count(n[o])+" passed")
		} else if n[o] > 0 {
			parts = append(parts, count(n[o])+" "+string(o))
		}
	}
	return strings.Join(parts, ", ")
}

// briefAccepted names the checks whose change a person wanted.
func briefAccepted(all []verdict.Check) string {
	var ids []string
	for _, c := range all {
		if c.Accepted != nil {
			ids = append(ids, clean(c.ID))
		}
	}
	if len(ids) == 0 {
		return ""
	}
	return counted(len(ids), "change") + ": " + strings.Join(ids, ", ")
}

// briefSkipped is how many checks were skipped, by reason, the most first. A
// message begins with its reason, up to the first colon.
func briefSkipped(all []verdict.Check) string {
	by := map[string]int{}
	var reasons []string
	for _, c := range all {
		if c.Outcome != verdict.Skipped {
			continue
		}
		reason, _, _ := strings.Cut(cmp.Or(c.Message, c.ID), ": ")
		if by[reason] == 0 {
			reasons = append(reasons, reason)
		}
		by[reason]++
	}
	slices.SortStableFunc(reasons, func(a, b string) int { return cmp.Compare(by[b], by[a]) })
	for i, reason := range reasons {
		reasons[i] = count(by[reason]) + " (" + clean(reason) + ")"
	}
	return strings.Join(reasons, ", ")
}

// recent are so many of the newest rows, at most: of every table one, then of
// each another.
func recent(all []verdict.Events, limit int) []fact {
	var lines []fact
	for depth := 0; len(lines) < limit; depth++ {
		before := len(lines)
		for _, e := range all {
			if depth < len(e.Rows) && len(lines) < limit {
				lines = append(lines, fact{"", clean(e.Table) + ": " + cells(e, depth)})
			}
		}
		if len(lines) == before {
			break
		}
	}
	if len(lines) > 0 {
		lines[0].key = "latest"
	}
	return lines
}

// cells are a row's values, each behind its column's name.
func cells(e verdict.Events, row int) string {
	var parts []string
	for i, value := range e.Rows[row] {
		if i < len(e.Columns) {
			value = e.Columns[i] + " " + value
		}
		parts = append(parts, clean(value))
	}
	return strings.Join(parts, ", ")
}
