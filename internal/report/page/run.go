package page

import (
	"io"
	"slices"
	"time"

	"daybefore/internal/report"
	"daybefore/internal/verdict"
)

// mostOpen is how many findings are shown before the rest is folded away.
const mostOpen = 5

// run is what the page of a run shows.
type run struct {
	report.View
	Name     string // of the drill
	Run      string
	Outcome  verdict.Outcome
	Began    time.Time
	Finished time.Time
	Newest   bool
	Numbers  []number
	Advice   []report.Finding // what to do about the outcome, the worst first
	Folded   []report.Finding // findings beyond those that are open
	Charts   []chart
}

// number is one of the few figures that people look for first.
type number struct{ What, Value, Note string }

// Run writes the page of one drill's report.
func Run(w io.Writer, r *verdict.Report) error {
	p := run{
		View: report.ViewOf(r), Name: report.Clean(r.Drill), Run: report.Clean(r.Run), Outcome: r.Outcome,
		Began: r.StartedAt, Finished: r.FinishedAt, Newest: r.Backup.IsNewest(),
	}
	p.Numbers = numbers(r, p.View)
	p.Advice = advice(p.Findings, r.Outcome)
	if len(p.Findings) > mostOpen {
		p.Findings, p.Folded = p.Findings[:mostOpen], p.Findings[mostOpen:]
	}
	p.Charts = charts("run", passesOf(GlanceOf(r)))
	return render(w, runPage, p)
}

// numbers are the figures of a run; those that are not known are left out.
func numbers(r *verdict.Report, v report.View) []number {
	var known []number
	if v.Age != "" {
		known = append(known, number{"Age of the backup", v.Age, "what was written since then would be lost"})
	}
	if r.Recovery != nil {
		note := "fetching and restoring, on the machine that drilled"
		if v.Promised != "" {
			note = "promised: " + v.Promised
		}
		took := time.Duration(r.Recovery.TotalMS) * time.Millisecond
		known = append(known, number{"Time to have the data back", report.Took(took), note})
	}
	if rows := r.Rows(); rows > 0 {
		known = append(known, number{"Rows that came back", report.Count(rows),
			"in " + report.Counted(len(r.Tables), "table")})
	}
	if b := r.Backup; b.Name != "" && !b.Unsized {
		known = append(known, number{"Size of the backup", report.Size(b.SizeBytes), ""})
	}
	return known
}

// advice is what is to be done about the outcome: a finding with a hint each,
// no hint twice.
func advice(findings []report.Finding, outcome verdict.Outcome) []report.Finding {
	const most = 3
	var wanted []report.Finding
	given := map[string]bool{}
	for _, f := range findings {
		if f.Outcome != outcome || f.Hint == "" || given[f.Hint] {
			continue
		}
		given[f.Hint] = true
		wanted = append(wanted, f)
	}
	return slices.Clip(wanted[:min(most, len(wanted))])
}
