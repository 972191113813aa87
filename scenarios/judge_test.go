package scenarios

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"daybefore/internal/verdict"
)

// report makes a report with one stage and one check that came to outcome.
func report(outcome verdict.Outcome, stage string, code verdict.Code, check string) *verdict.Report {
	return &verdict.Report{
		Outcome: outcome,
		Stages:  []verdict.Stage{{Name: verdict.StageChoose, Outcome: verdict.Pass}, {Name: stage, Outcome: outcome, Code: code}},
		Checks:  []verdict.Check{{ID: check, Stage: stage, Code: code, Outcome: outcome}},
	}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	rows := failedCheck(verdict.CodeRowCount, "row_count:public.people")
	age := Want{Outcome: verdict.Warn, Stage: verdict.StageChoose, Code: verdict.CodeBackupAge}
	passed := report(verdict.Pass, verdict.StageExpect, "", "row_count:public.people")
	alone := alone(verdict.CodeRowCount, rows.Check)
	two := report(verdict.Fail, verdict.StageExpect, verdict.CodeRowCount, rows.Check)
	two.Checks = append(two.Checks, verdict.Check{ID: "roles", Stage: verdict.StageExpect, Outcome: verdict.Warn})
	for _, tc := range []struct {
		name   string
		want   Want
		report *verdict.Report
		catch  Catch
	}{
		{"the very check", rows, report(verdict.Fail, verdict.StageExpect, verdict.CodeRowCount, "row_count:public.people"), ByOwn},
		{"another check", rows, report(verdict.Fail, verdict.StageExpect, verdict.CodeRowCount, "row_count:public.orders"), ByAnother},
		{"another code", rows, report(verdict.Fail, verdict.StageExpect, verdict.CodeFreshness, "row_count:public.people"), ByAnother},
		{"another stage", rows, report(verdict.Fail, verdict.StageRestore, verdict.CodeRowCount, "row_count:public.people"), ByAnother},
		{"not verified instead of failed", rows, report(verdict.Error, verdict.StageExpect, verdict.CodeRowCount, "row_count:public.people"), ByAnother},
		{"only a warning, so nobody is woken", rows, report(verdict.Warn, verdict.StageExpect, verdict.CodeRowCount, "row_count:public.people"), Missed},
		{"a pass instead of a failure", rows, passed, Missed},
		{"a pass instead of a warning", age, passed, Missed},
		{"another warning", age, report(verdict.Warn, verdict.StageChoose, verdict.CodeTimeMismatch, ""), ByAnother},
		{"the very stage", age, report(verdict.Warn, verdict.StageChoose, verdict.CodeBackupAge, ""), ByOwn},
		{"the very check, alone", alone, report(verdict.Fail, verdict.StageExpect, verdict.CodeRowCount, rows.Check), ByOwn},
		{"the very check, and another", rows, two, ByOwn},
		{"the very check, and another where none may be", alone, two, ByAnother},
		{"nothing broken, nothing found", pass, passed, ByOwn},
		{"nothing broken, a warning found", pass, report(verdict.Warn, verdict.StageRestore, verdict.CodeRoles, "roles"), FalseAlarm},
		{"nothing broken, a failure found", pass, report(verdict.Fail, verdict.StageRestore, verdict.CodeRoles, "roles"), FalseAlarm},
		{"nothing broken, a stage skipped", pass, &verdict.Report{Outcome: verdict.Pass, Stages: []verdict.Stage{
			{Name: verdict.StageChoose, Outcome: verdict.Pass}, {Name: verdict.StageExpect, Outcome: verdict.Skipped}}}, FalseAlarm},
	} {
		if got := judge(tc.want, tc.report); got != tc.catch {
			t.Errorf("%s: judged %q, want %q", tc.name, got, tc.catch)
		}
	}
}

func TestResultEndsWithItsCode(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		catches []Catch
		code    int
	}{
		{[]Catch{ByOwn, ByOwn}, verdict.ExitOK},
		{[]Catch{ByOwn, Missed}, verdict.ExitFail},
		{[]Catch{ByAnother, ByOwn}, verdict.ExitFail},
		{[]Catch{FalseAlarm}, verdict.ExitFail},
		{[]Catch{NotRun, Missed}, verdict.ExitFail},
		{[]Catch{ByOwn, NotRun}, verdict.ExitError},
	} {
		var r Result
		for _, c := range tc.catches {
			r = append(r, Finding{Catch: c})
		}
		if got := exitCode(r.Err()); got != tc.code {
			t.Errorf("%v: ended with %d, want %d", tc.catches, got, tc.code)
		}
	}
}

func TestTableFitsAndExplains(t *testing.T) {
	t.Parallel()
	var r Result
	for _, sc := range All() {
		f := Finding{Scenario: sc, Catch: ByOwn}
		switch sc.Name {
		case "truncated by one byte":
			f.Catch = ByAnother
			f.Report = report(verdict.Fail, verdict.StageFetch, verdict.CodeChecksum, "checksum")
		case "truncated by half":
			f.Catch = Missed
			f.Report = report(verdict.Pass, verdict.StageExpect, "", "")
		case "emptied":
			f.Catch = NotRun
			f.Err = errors.New("no sandbox")
		}
		r = append(r, f)
	}
	var out bytes.Buffer
	if err := r.print(&out); err != nil {
		t.Fatal(err)
	}
	table, _, _ := strings.Cut(out.String(), "\n\n")
	for line := range strings.Lines(table) {
		if n := len([]rune(strings.TrimRight(line, "\n"))); n > 80 {
			t.Errorf("a line of %d columns: %q", n, line)
		}
	}
	for _, want := range []string{
		"caught by another: truncated by one byte\n  wanted: fail fetch truncated\n  found:  fail fetch checksum",
		"MISSED: truncated by half\n  wanted: fail fetch truncated\n  found:  pass",
		"not run: no sandbox",
		"1 caught by another, 1 MISSED, 1 not run",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("not printed: %q, but\n%s", want, out.String())
		}
	}
	for _, f := range r {
		if !strings.Contains(table, f.Scenario.Name) {
			t.Errorf("%q is not in the table, or was broken in two", f.Scenario.Name)
		}
	}
}

func TestScenariosAreTold(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, sc := range All() {
		if names[sc.Name] {
			t.Errorf("two scenarios are called %q", sc.Name)
		}
		names[sc.Name] = true
		if (sc.Want.Stage == "") != (sc.Want.Outcome == verdict.Pass) {
			t.Errorf("%s: names stage %q with outcome %q", sc.Name, sc.Want.Stage, sc.Want.Outcome)
		}
	}
}
