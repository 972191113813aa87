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
	var all []number
	if v.Age != "" {
		all = append(all, number{"Age of the backup", v.Age, "what was written since then would be lost"})
	}
	if r.Recovery != nil {
		note := "fetching and restoring, on the machine that drilled"
		if v.Promised != "" {
			note = "promised: " + v.Promised
		}
		took := time.Duration(r.Recovery.TotalMS) * time.Millisecond
		all = append(all, number{"Time to have the data back", report.Took(took), note})
	}
	if rows := r.Rows(); rows > 0 {
		all = append(all, number{"Rows that came back", report.Count(rows),
			"in " + report.Counted(len(r.Tables), "table")})
	}
	if b := r.Backup; b.Name != "" && !b.Unsized {
		all = append(all, number{"Size of the backup", report.Size(b.SizeBytes), ""})
	}
	return all
}

// advice is what is to be done about the outcome: a finding with a hint each,
// no hint twice.
func advice(all []report.Finding, outcome verdict.Outcome) []report.Finding {
	const most = 3
	var wanted []report.Finding
	said := map[string]bool{}
	for _, f := range all {
		if f.Outcome != outcome || f.Hint == "" || said[f.Hint] {
			continue
		}
		said[f.Hint] = true
		wanted = append(wanted, f)
	}
	return slices.Clip(wanted[:min(most, len(wanted))])
}
