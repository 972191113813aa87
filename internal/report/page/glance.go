package page

import (
	"slices"
	"strings"
	"time"

	"daybefore/internal/report"
	"daybefore/internal/verdict"
)

// Glance is what the page of all drills shows of one run: little enough that
// those of many runs can be kept and read again. Its texts are clean.
type Glance struct {
	Run        string          `json:"run"`
	Outcome    verdict.Outcome `json:"outcome"`
	Newest     bool            `json:"newest"` // the newest backup was drilled
	At         time.Time       `json:"at"`
	TakenAt    time.Time       `json:"taken_at,omitzero"`
	SizeBytes  int64           `json:"size_bytes,omitempty"`  // 0: not known
	RecoveryMS int64           `json:"recovery_ms,omitempty"` // 0: not restored
	Rows       int64           `json:"rows,omitempty"`
	Says       string          `json:"says"`
	Why        string          `json:"why,omitempty"`  // of what did not pass
	Hint       string          `json:"hint,omitempty"` // what to do about it
	Promised   string          `json:"promised,omitempty"`
	Within     string          `json:"within,omitempty"` // how long ago the last pass may be
	Muted      []string        `json:"muted,omitempty"`  // of which people asked not to be told
	// What the run is evidence of, what was promised besides, and what people
	// accepted.
	Controls []string `json:"controls,omitempty"`
	Promises []string `json:"promises,omitempty"`
	Accepted []string `json:"accepted,omitempty"`
	// Past are the passes that the run knew of, newest first: a machine that
	// begins with an empty disk has no others.
	Past []verdict.Trend `json:"past,omitempty"`
}

// Version is that of a Glance: another one is made of a report in another way.
const Version = 2

// Runs is how many runs of a drill the page of all drills shows at most.
const Runs = 30

// mostWords is how long a text on the page of all drills is at most, in
// characters; the run's own page has it in full.
const mostWords = 400

// GlanceOf is what is shown of a report.
func GlanceOf(r *verdict.Report) Glance {
	v := report.ViewOf(r)
	g := Glance{
		Run: report.Clean(r.Run), Outcome: r.Outcome, Newest: r.Backup.IsNewest(), At: r.StartedAt,
		TakenAt: r.Backup.TakenAt, SizeBytes: r.Backup.SizeBytes, Rows: r.Rows(), Says: v.Plain,
		Promised: v.Promised, Past: r.Trend, Within: r.ProvenWithin, Controls: cleaned(r.Controls),
	}
	for _, m := range v.Muted {
		g.Muted = append(g.Muted, short("muted: "+m.What+" "+m.Says))
	}
	if len(r.Controls) > 0 { // nobody else asks
		g.Promises, g.Accepted = promises(r), acceptances(v)
	}
	if r.Recovery != nil {
		g.RecoveryMS = r.Recovery.TotalMS
	}
	for _, f := range v.Findings {
		if f.Outcome == r.Outcome && f.Outcome != verdict.Skipped {
			g.Why = short(f.What + ": " + said(f))
			g.Hint = short(f.Hint)
			break
		}
	}
	return g
}

// said is what a finding says, in a line.
func said(f report.Finding) string {
	if f.Message == "" {
		return f.Compared
	}
	return strings.Join(strings.Fields(f.Message), " ")
}

func short(s string) string {
	r := []rune(s)
	if len(r) <= mostWords {
		return s
	}
	return string(r[:mostWords]) + " …"
}

// passed reports whether the run proves something of the newest backup.
func (g Glance) passed() bool {
	return g.Newest && (g.Outcome == verdict.Pass || g.Outcome == verdict.Warn)
}

// passesOf are the passes among the runs, which come newest first, and behind
// them those that the newest run knew of and that are not kept here.
func passesOf(runs ...Glance) []Glance {
	var passes []Glance
	have := map[string]bool{}
	for _, g := range runs {
		if g.passed() {
			passes = append(passes, g)
			have[g.Run] = true
		}
	}
	if len(runs) > 0 {
		for _, t := range runs[0].Past {
			if !have[t.Run] {
				passes = append(passes, Glance{Run: report.Clean(t.Run), Outcome: verdict.Pass, Newest: true,
					At: report.RunTime(t.Run), SizeBytes: t.SizeBytes, RecoveryMS: t.RecoveryMS, Rows: t.Rows})
			}
		}
	}
	slices.SortStableFunc(passes, func(a, b Glance) int { return b.At.Compare(a.At) })
	return passes[:min(len(passes), Runs)]
}
