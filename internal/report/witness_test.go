package report

import (
	"io"
	"testing"
	"time"

	"daybefore/internal/verdict"
)

func TestWitnessGolden(t *testing.T) {
	t.Parallel()
	p := fixtures()["pass"]
	taken := p.Backup.TakenAt
	of := func(o verdict.Outcome, message string, all ...verdict.Witness) *verdict.Report {
		r := &verdict.Report{
			Schema: verdict.Schema, Drill: "shop", Run: p.Run, Outcome: o, StartedAt: p.StartedAt, DurationMS: 7210, Backup: p.Backup, Witnesses: all,
			Stages: []verdict.Stage{{Name: verdict.StageExpect, Outcome: o, Code: verdict.CodeWitness, Message: message, Hint: "look these lines up"}},
		}
		for _, w := range all {
			r.Checks = append(r.Checks, verdict.Check{ID: "witness:" + w.Name, Stage: verdict.StageExpect, Code: verdict.CodeWitness, Outcome: o,
				Expected: "its records", Observed: "some", Message: message, Hint: "look these lines up"})
		}
		return r
	}
	good := verdict.Witness{Name: "admin_log", Table: "public.events", Until: taken, Expected: 12345, Found: 12345}
	newer, lost := good, good
	newer.Newer = 6
	newer.NewerFrom = taken.Add(time.Minute)
	newer.NewerTo = taken.Add(101 * time.Minute)
	lost.Found = 12343
	lost.Missing = 2
	lost.MissingKeys = []string{"line 17: id 4711", "line 18: id 4712"}
	lost.MissingFrom = taken.Add(-10 * time.Hour)
	lost.MissingTo = taken.Add(-time.Hour)
	for name, r := range map[string]*verdict.Report{
		"pass": of(verdict.Pass, "", newer), "nothing": of(verdict.Pass, "", good),
		"fail":  of(verdict.Fail, "public.events lacks 2 of the 12345 records of the witness admin_log", lost),
		"error": of(verdict.Error, "read the witness admin_log: there is no such file"),
	} {
		golden(t, "witness."+name+".txt", rendered(t, func(w io.Writer, r *verdict.Report) error { return Witness(w, r, Options{}) }, r))
	}
}
