package report

import (
	"slices"
	"strings"
	"time"

	"daybefore/internal/verdict"
)

// View is what a report says, for a page that lays it out itself. Every text in
// it is clean, and still needs the escaping of the page's own format.
type View struct {
	Plain    string // whether the backup is good, for who knows nothing of databases
	Headline string // the same with the backup's name, age and size
	Age      string // of the backup; empty where none was drilled, or its time is not known
	Apart    string // how the backup's code was not set apart; mostly empty
	LastPass time.Time
	LastGood string    // the backup of that drill; empty where it is not known, or this one passed
	Findings []Finding // what did not simply pass, the worst first
	Stages   []Stage
	Accepted []Line // changes that a person wanted
	Muted    []Line // checks of which people asked not to be told
	Kept     []Line // what looks personal and was let through on purpose
	Facts    []Line
	Sheets   []Sheet
	Promised string // the recovery time that the drill file promises; empty: none
}

// Line is something with what there is to say of it.
type Line struct{ What, Says string }

// Finding is what a check or a stage found, and what to do.
type Finding struct {
	Outcome  verdict.Outcome
	Code     verdict.Code
	What     string
	Where    string // stage and code
	Compared string
	Message  string // may have several lines
	Accepted string
	Hint     string
	Copy     string // lines below the hint, to be copied
}

// Stage is one step of the drill.
type Stage struct {
	Name    string
	Outcome verdict.Outcome
	Took    string // empty where it did not begin
}

// Sheet is a table with a title. The first row is its header.
type Sheet struct {
	Title string
	Rows  [][]string
	More  int // rows that only report.json holds
}

// mostRows is more than anybody reads of one table on a page.
const mostRows = 1000

// ViewOf is what a report says.
func ViewOf(r *verdict.Report) View {
	v := View{
		Plain: inPlainWords(r), Headline: headline(r), Apart: setApart(r.Sandbox), LastPass: lastPass(r),
		Promised: promised(r),
	}
	if r.LastGood != nil && lastGood(r) != "" {
		v.LastGood = clean(r.LastGood.Backup)
	}
	if b := r.Backup; b.Name != "" && !b.TakenAt.IsZero() {
		v.Age = age(judgedAt(r).Sub(b.TakenAt))
	}
	for _, f := range findings(r) {
		v.Findings = append(v.Findings, viewOfFinding(f))
	}
	for _, s := range r.Stages {
		took := tookMS(s.DurationMS)
		if s.Outcome == verdict.Skipped {
			took = ""
		}
		v.Stages = append(v.Stages, Stage{clean(s.Name), s.Outcome, took})
	}
	for _, c := range r.Checks {
		says := acceptance(c)
		if says != "" && c.Outcome == verdict.Pass { // findings say it themselves
			v.Accepted = append(v.Accepted, Line{clean(c.ID), says})
		}
	}
	for _, m := range r.Muted {
		v.Muted = append(v.Muted, Line{clean(m.Check), muted(m)})
	}
	for _, line := range keptAsItIs(r.Scrub) {
		v.Kept = append(v.Kept, Line{clean(line[0]), clean(line[1])})
	}
	for _, f := range headFacts(r) {
		v.Facts = append(v.Facts, Line{f.key, f.value})
	}
	v.Sheets = sheets(r)
	return v
}

func viewOfFinding(f finding) Finding {
	hint, lines, _ := strings.Cut(f.Hint, "\n")
	where := clean(f.Stage)
	if f.Code != "" {
		where += ", " + clean(string(f.Code))
	}
	return Finding{
		Outcome: f.Outcome, Code: f.Code, What: clean(f.what), Where: where, Compared: compared(f.Check),
		Message: cleanLines(f.Message), Accepted: acceptance(f.Check), Hint: clean(hint), Copy: cleanLines(lines),
	}
}

// sheets are the report's tables, those that hold anything.
func sheets(r *verdict.Report) []Sheet {
	all := []Sheet{
		{Title: "What outside records say", Rows: witnessRows(r)},
		{Title: "Checks that passed", Rows: passedRows(r)},
		{Title: "Tables", Rows: tableRows(r)},
		{Title: "Code of the backup's own", Rows: codeRows(r)},
		{Title: "Scrub: " + scrubbed(r.Scrub), Rows: scrubRows(r.Scrub)},
	}
	for _, e := range r.LatestEvents {
		all = append(all, Sheet{Title: "Latest in " + e.Table, Rows: eventRows(e)})
	}
	all = append(all, Sheet{Title: passesAsItIs(r.Scrub), Rows: passedAsItIsRows(r.Scrub)})
	all = slices.DeleteFunc(all, func(s Sheet) bool { return len(s.Rows) < 2 })
	for i, s := range all {
		all[i] = s.tidy()
	}
	return all
}

// tidy makes a sheet clean, even and not too long.
func (s Sheet) tidy() Sheet {
	s.Title = clean(s.Title)
	s.More = max(0, len(s.Rows)-1-mostRows)
	g := grid{header: s.Rows[0], rows: s.Rows[1 : len(s.Rows)-s.More]}
	g.even()
	s.Rows = [][]string{cleanAll(g.header)}
	for _, row := range g.rows {
		s.Rows = append(s.Rows, cleanAll(row))
	}
	return s
}

// witnessRows are counts: keys stand in the findings, as the drill file allows.
func witnessRows(r *verdict.Report) [][]string {
	rows := [][]string{{"Witness", "Outcome", "Expected", "Found", "Missing", "Unusable", "Newer than the backup"}}
	outcomes := witnessOutcomes(r)
	for _, v := range r.Witnesses {
		rows = append(rows, []string{v.Name, outcomeWord(outcomes[v.Name]), count(v.Expected), count(v.Found),
			count(v.Missing), count(v.Damaged), count(v.Newer)})
	}
	return rows
}

// lastPass is when the last drill that passed began; zero where none is known.
func lastPass(r *verdict.Report) time.Time {
	if r.Outcome == verdict.Pass || r.Outcome == verdict.Warn {
		return r.StartedAt
	}
	switch {
	case r.LastGood != nil:
		return r.LastGood.DrilledAt
	case len(r.Trend) == 0: // of harnesses before 0.2
		return time.Time{}
	}
	return RunTime(r.Trend[0].Run)
}

// RunTime is when a run began, by its id; zero where that does not tell.
func RunTime(run string) time.Time {
	text, _, _ := strings.Cut(run, "-")
	at, err := time.Parse("20060102T150405Z", text)
	if err != nil {
		return time.Time{}
	}
	return at
}

// promised is the recovery time that the drill file promises; empty where it
// promises none, or the restore did not come to its end.
func promised(r *verdict.Report) string {
	for _, c := range r.Checks {
		if c.Code == verdict.CodeRecoveryTime {
			return clean(c.Expected)
		}
	}
	return ""
}

// inPlainWords says in a sentence, or two, whether the backup brings the data back. It
// tells the cases apart as headline does, for readers who know neither the
// words of databases nor those of drills.
func inPlainWords(r *verdict.Report) string {
	backup := plainBackup(r.Backup)
	drilled := r.Backup.Name != ""
	switch {
	case r.Interrupted() && drilled:
		return "The drill was stopped before it could tell whether " + backup + " brings the data back."
	case r.Interrupted():
		return "The drill was stopped before it had chosen a backup."
	case r.Outcome == verdict.Pass:
		return sentence(backup + " brings the data back")
	case r.Outcome == verdict.Warn:
		return sentence(backup+" brings the data back") + " There is something to look at: " +
			counted(tally(r)[verdict.Warn], "warning") + "."
	case r.Outcome == verdict.Fail && failsOnly(r, verdict.Code.AboutStore):
		return sentence(backup + " brings the data back, but the store of backups is not as it should be")
	case r.Outcome == verdict.Fail && failsOnly(r, func(c verdict.Code) bool { return c == verdict.CodeCodeRan }):
		return sentence(backup + " brings the data back, but runs code that the last drill that passed did not have")
	case r.Outcome == verdict.Fail && drilled:
		return sentence(backup + " would not bring the data back as it should")
	case r.Outcome == verdict.Fail:
		return sentence(noneDrilled(r))
	case r.Outcome == verdict.Error && drilled:
		return "It is not known whether " + backup + " brings the data back: the drill could not find out."
	case r.Outcome == verdict.Error:
		return "It is not known whether the backups bring the data back: the drill could not find out."
	}
	return "Nothing was drilled, so nothing is known of the backups."
}

func sentence(s string) string { return strings.ToUpper(s[:1]) + s[1:] + "." }

// plainBackup names the backup by its time, as people do.
func plainBackup(b verdict.Backup) string {
	what := whichBackup(b)
	if b.Chosen == "local" {
		what = "the backup from this machine"
	}
	switch {
	case b.TakenAt.IsZero():
		return what
	case !b.TakenUntil.IsZero() && b.TakenUntil.Sub(b.TakenAt) > time.Hour:
		return what + " (of " + b.TakenAt.UTC().Format("2 January 2006") + ")"
	}
	return what + " (of " + PlainTime(b.TakenAt) + ")"
}

// PlainTime writes a point in time as people say it.
func PlainTime(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") }

// The pages write numbers, times and names as all renderings do.

// Count writes a number with its thousands apart: 20,431.
func Count(n int64) string { return count(n) }

// Counted writes a number with its noun: 1 row, 2,000 rows.
func Counted(n int, noun string) string { return counted(n, noun) }

// Size writes bytes in decimal units: 312.4 KB.
func Size(bytes int64) string { return size(bytes) }

// Took writes a duration as people say it: 0.4 s, 1m 04s.
func Took(d time.Duration) string { return durationText(d) }

// Age writes how long ago something was, roughly: 12m, 5h, 3d.
func Age(d time.Duration) string { return age(d) }

// Instant writes a point in time.
func Instant(t time.Time) string { return instant(t) }

// Clean makes a text safe to show on one line.
func Clean(s string) string { return clean(s) }

// Escape is Clean for a page of Markdown, in which no text of a report is markup.
func Escape(s string) string { return escape(clean(s)) }

// Word is an outcome as it is shown.
func Word(o verdict.Outcome) string { return outcomeWord(o) }
