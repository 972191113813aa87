package report

import (
	"fmt"
	"io"
	"strings"
	"time"

	"daybefore/internal/verdict"
)

// Witness writes what outside records say of a backup, for a person: what it
// lacks, and what a restore of it would lose.
func Witness(w io.Writer, r *verdict.Report, o Options) error {
	p := &page{width: o.width(), color: o.Color}
	p.hanging(p.paint(r.Outcome)+"  ", witnessHeadline(r))
	p.witnesses(r)
	p.findings(findings(r))
	p.blank()
	for _, f := range witnessFacts(r) {
		p.hanging(fmt.Sprintf("%-7s ", f.key), f.value)
	}
	p.blank()
	if p.err != nil {
		return fmt.Errorf("render what witnesses say of %s: %w", r.Drill, p.err)
	}
	_, err := w.Write(p.Bytes())
	return err
}

// witnessHeadline answers in a sentence what a restore would lose.
func witnessHeadline(r *verdict.Report) string {
	var missing, newer int64
	for _, v := range r.Witnesses {
		missing, newer = missing+v.Missing, newer+v.Newer
	}
	backup := theBackup(r)
	var says string
	switch {
	case r.Interrupted():
		says = "interrupted before the witnesses were heard"
	case r.Outcome == verdict.Fail && missing > 0:
		says = backup + " lacks " + counted(missing, "record") + " that it should hold"
	case r.Outcome == verdict.Fail:
		says = backup + " would not bring back what the witnesses name"
	case r.Outcome == verdict.Error && newer > 0:
		return clean(r.Drill) + ": could not tell all that a restore of " + backup + " would lose; " +
			counted(newer, "newer record") + " at least"
	case r.Outcome == verdict.Error:
		says = "could not tell what a restore would lose"
	case r.Outcome == verdict.Skipped:
		says = backup + ": the witnesses name nothing that is as old"
	case missing > 0:
		says = backup + " lacks " + counted(missing, "record") + ", which is allowed"
	default:
		says = backup + " holds all that the witnesses name up to its time"
	}
	if newer > 0 {
		says += "; a restore of it would lose " + counted(newer, "newer record")
	}
	return clean(r.Drill) + ": " + says
}

func (p *page) witnesses(r *verdict.Report) {
	if len(r.Witnesses) == 0 {
		return
	}
	outcomes := witnessOutcomes(r)
	g := grid{header: []string{"WITNESS", "OUTCOME", "EXPECTED", "FOUND", "MISSING", "UNUSABLE", "NEWER"},
		right: []int{2, 3, 4, 5, 6}}
	for _, v := range r.Witnesses {
		g.rows = append(g.rows,
			[]string{clean(v.Name), p.paint(outcomes[v.Name]), count(v.Expected), count(v.Found), count(v.Missing),
				count(v.Damaged), count(v.Newer)})
	}
	p.blank()
	p.table(g)
}

// witnessOutcomes are those of their checks, by the witness's name.
func witnessOutcomes(r *verdict.Report) map[string]verdict.Outcome {
	outcomes := map[string]verdict.Outcome{}
	for _, c := range r.Checks {
		if name, ok := strings.CutPrefix(c.ID, "witness:"); ok {
			outcomes[name] = c.Outcome
		}
	}
	return outcomes
}

// witnessFacts say what would be lost; what is missing too, where no finding
// tells it.
func witnessFacts(r *verdict.Report) []fact {
	var all []fact
	outcomes := witnessOutcomes(r)
	if b := r.Backup; b.Name != "" {
		all = append(all, fact{"backup", clean(object(b)) + ", " + backupTime(b) + ", " + backupSize(b)})
	}
	for _, v := range r.Witnesses {
		if v.Newer > 0 {
			all = append(all, fact{"lost", fmt.Sprintf("%s in %s, of %s: what %s names that is newer than the backup",
				counted(v.Newer, "record"), clean(v.Table), span(v.NewerFrom, v.NewerTo), clean(v.Name))})
		}
		if o := outcomes[v.Name]; v.Missing > 0 && o != verdict.Fail && o != verdict.Warn {
			all = append(all, fact{"missing", fmt.Sprintf("%s in %s, of %s: %s",
				counted(v.Missing, "record"), clean(v.Table), span(v.MissingFrom, v.MissingTo),
				clean(strings.Join(v.MissingKeys, "; ")))})
		}
	}
	return append(all, fact{"judged", "in " + tookMS(r.DurationMS) + "; nothing is kept"})
}

// span says from when to when, and how long that is.
func span(from, to time.Time) string {
	if from.Equal(to) {
		return instant(from)
	}
	return fmt.Sprintf("%s to %s (%s)", instant(from), instant(to), durationText(to.Sub(from)))
}
