package drill_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"daybefore/internal/drill"
	"daybefore/internal/history"
	"daybefore/internal/sandbox"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

func checkOf(t *testing.T, r *verdict.Report, id string) verdict.Check {
	t.Helper()
	i := slices.IndexFunc(r.Checks, func(c verdict.Check) bool { return c.ID == id })
	if i < 0 {
		t.Fatalf("the report has no check %s\n%s", id, worst(r))
	}
	return r.Checks[i]
}

// What one drill says of itself is what the next is compared with.
func TestADrillIsComparedWithItsPast(t *testing.T) {
	t.Parallel()
	d := load(t, sandbox.Local, "")
	d.Expectations.Recovery = &spec.Age{FailAfter: time.Hour}
	with := func(p history.Past) func(*drill.Request) { return func(req *drill.Request) { req.Past = p } }
	first := run(t, t.Context(), d)
	const rows, mark = "row_count_change:bot.messages", "max_regression:bot.messages"
	for _, id := range []string{rows, mark} {
		if c := checkOf(t, first, id); c.Outcome != verdict.Skipped || !strings.Contains(c.Message, "no history yet") {
			t.Errorf("in a first run %s is %s: %s", id, c.Outcome, c.Message)
		}
	}
	if first.LastGood == nil || *first.LastGood != (verdict.LastGood{}) {
		t.Errorf("before a first run: %+v", first.LastGood)
	}
	if first.Outcome != verdict.Pass || len(first.Trend) > 0 || len(first.Marks) != 1 || first.Marks[0].Newest != "2026-03-04T03:00:00.000000Z" {
		t.Fatalf("%s, %+v, %+v\n%s", first.Outcome, first.Trend, first.Marks, worst(first))
	}
	rec := first.Recovery
	if rec == nil || rec.DataMS <= 0 || rec.TotalMS != rec.FetchMS+rec.PreDataMS+rec.DataMS+rec.PostDataMS {
		t.Errorf("recovery: %+v", rec)
	}
	if c := checkOf(t, first, "recovery_time"); c.Outcome != verdict.Pass {
		t.Errorf("%+v", c)
	}

	second := run(t, t.Context(), d, with(history.Past{Passing: []*verdict.Report{first}}))
	if second.Outcome != verdict.Pass || len(second.Trend) != 1 || second.Trend[0].RecoveryMS != rec.TotalMS {
		t.Errorf("%s, %+v\n%s", second.Outcome, second.Trend, worst(second))
	}
	if want := (verdict.LastGood{Backup: first.Backup.Name, SizeBytes: first.Backup.SizeBytes, SHA256: first.Backup.SHA256, Run: first.Run,
		DrilledAt: first.StartedAt}); second.LastGood == nil || *second.LastGood != want {
		t.Errorf("%+v, want %+v", second.LastGood, want)
	}
	for _, id := range []string{rows, mark} {
		if c := checkOf(t, second, id); c.Outcome != verdict.Pass {
			t.Errorf("%+v", c)
		}
	}

	later := *first
	later.Checks = nil
	later.Marks = []verdict.Mark{{Table: "bot.messages", Column: "sent_at", Newest: "2026-03-04T03:00:01Z"}}
	later.Tables = []verdict.Table{{Name: "bot.messages", RowsHeld: 5000}}
	third := run(t, t.Context(), d, with(history.Past{Passing: []*verdict.Report{&later},
		Damaged: slices.Repeat([]string{"read the report x: it is not JSON"}, 44)}))
	if c := checkOf(t, third, "history"); strings.Count(c.Message, "it is not JSON") != 3 || !strings.HasSuffix(c.Message, "; and 41 more") ||
		c.Observed != "44 damaged" {
		t.Errorf("%+v", c)
	}
	if third.Outcome != verdict.Fail {
		t.Errorf("%s\n%s", third.Outcome, worst(third))
	}
	for id, want := range map[string]verdict.Outcome{rows: verdict.Fail, mark: verdict.Fail, "history": verdict.Warn} {
		c := checkOf(t, third, id)
		if c.Outcome != want {
			t.Errorf("want %s: %+v", want, c)
		}
		if line := "bin/drill accept -name=" + d.Name + " -check=" + id + ` -why="…"`; want == verdict.Fail && !strings.HasSuffix(c.Hint, line) {
			t.Errorf("no line to copy, %s: %s", line, c.Hint)
		}
	}
}

// A past that cannot be read keeps nobody from knowing what is wrong with the
// backup, and never looks like a first run.
func TestAnUnreadPastIsAnError(t *testing.T) {
	t.Parallel()
	r := run(t, t.Context(), load(t, sandbox.Local, ""), func(req *drill.Request) {
		req.Past = history.Past{Problem: verdict.Errorf(verdict.CodeHistory, "mount it", "the disk is gone")}
	})
	if r.LastGood != nil {
		t.Errorf("it says that no drill ever passed: %+v", r.LastGood)
	}
	if c := checkOf(t, r, "history"); r.Outcome != verdict.Error || c.Outcome != verdict.Error || c.Hint != "mount it" {
		t.Errorf("%s: %+v", r.Outcome, c)
	}
	if c := checkOf(t, r, "row_count_change:bot.messages"); c.Outcome != verdict.Skipped || strings.Contains(c.Message, "no history yet") {
		t.Errorf("%+v", c)
	}
	if c := checkOf(t, r, "row_count:bot.messages"); c.Outcome != verdict.Pass {
		t.Errorf("%+v", c)
	}
}
