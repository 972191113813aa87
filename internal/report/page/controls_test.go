package page

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"daybefore/internal/verdict"
)

// An auditor reads from one table what was promised, how often it was shown,
// when it failed and was mended, and who accepted or muted what.
func TestControls(t *testing.T) {
	t.Parallel()
	a := All{Made: night.Add(time.Hour), Drills: []Drill{
		{Name: "shop", Runs: nights("ppefpwfp")}, {Name: "blog", Runs: nights("fp")}, {Name: "none", Runs: nights("p")}, {Name: "never"},
	}}
	shop, blog := a.Drills[0].Runs, a.Drills[1].Runs
	shop[0].Controls, shop[1].Promises = []string{"SOC 2 A1.2", "ISO 27001 A.8.13"}, []string{"the newest backup at most 1d old"}
	blog[0].Controls = []string{"SOC 2 A1.2"}
	shop[0].Accepted, shop[1].Accepted = []string{"row_count_change:a.b: 2 -> 1, by me: <purged>"}, []string{"row_count_change:a.b: 2 -> 1, by me: <purged>"}
	shop[1].Muted, shop[2].Muted = []string{"muted: leak_scan until Monday, by me: known"}, []string{"muted: leak_scan until Monday, by me: known"}
	a.Drills[0].Runs = append(shop, Glance{Outcome: verdict.Fail, At: night.AddDate(0, 0, -20)}) // of another backup
	const declared = "the newest backup brings its data back, as declared"
	ofShop := []string{"shop", declared + "; the newest backup at most 1d old", "5 of 8 drills passed since 14 November 2026, 03:15 UTC",
		"18 November 2026, 03:15 UTC (FAIL), mended 20 November 2026, 03:15 UTC; 15 November 2026, 03:15 UTC (FAIL), mended 16 November 2026, 03:15 UTC",
		"row_count_change:a.b: 2 -> 1, by me: <purged>; muted: leak_scan until Monday, by me: known"}
	want := [][]string{
		{"Control", "Drill", "Promised", "Shown", "Failed, and mended", "Accepted, or muted"},
		append([]string{"ISO 27001 A.8.13"}, ofShop...),
		{"SOC 2 A1.2", "blog", declared, "1 of 2 drills passed since 20 November 2026, 03:15 UTC", "21 November 2026, 03:15 UTC (FAIL), not mended yet", "nothing"},
		append([]string{"SOC 2 A1.2"}, ofShop...),
	}
	if diff := cmp.Diff(want, controls(a.Drills).Rows); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	text := allPageOf(t, a)
	if !strings.Contains(text, "by me: &lt;purged&gt;") || !strings.Contains(text, `id="controls"`) {
		t.Error("the table does not stand on the page")
	}
	if none := allPageOf(t, All{Made: night, Drills: a.Drills[2:]}); strings.Contains(none, `id="controls"`) {
		t.Error("there is a table of no controls")
	}
}

// What a report says of a control comes with its glance.
func TestControlsOfAReport(t *testing.T) {
	t.Parallel()
	r := &verdict.Report{Outcome: verdict.Pass, Controls: []string{"DORA\u202e 12"}, Checks: []verdict.Check{
		{ID: "backup_age", Code: verdict.CodeBackupAge, Outcome: verdict.Pass, Expected: "at most 1d old"},
		{ID: "row_count:a.b", Code: verdict.CodeRowCount, Outcome: verdict.Pass, Expected: ">= 1"},
		{ID: "row_count_change:a.b", Outcome: verdict.Pass, Accepted: &verdict.Accepted{From: "2", To: "1", Why: "purged", Who: "me", At: night}},
	}}
	g := GlanceOf(r)
	if len(g.Controls) != 1 || strings.Contains(g.Controls[0], "\u202e") {
		t.Errorf("the controls are %q", g.Controls)
	}
	if diff := cmp.Diff([]string{"the newest backup at most 1d old"}, g.Promises); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if len(g.Accepted) != 1 || !strings.Contains(g.Accepted[0], "purged") || !strings.Contains(g.Accepted[0], "by me") {
		t.Errorf("accepted: %q", g.Accepted)
	}
	r.Controls = nil
	if g := GlanceOf(r); g.Promises != nil || g.Accepted != nil {
		t.Errorf("of no control, the glance keeps %q and %q", g.Promises, g.Accepted)
	}
}
