package page

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"daybefore/internal/verdict"
)

var night = time.Date(2026, 11, 21, 3, 15, 0, 0, time.UTC)

// reportOf is one of the reports whose other renderings are kept as they are.
func reportOf(t *testing.T, name string) *verdict.Report {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var r verdict.Report
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	return &r
}

// hostile are names that a backup may hold to have its way with a page.
var hostile = []string{
	"<script>alert(1)</script>", `"><img src=x onerror=alert(1)>`, "javascript:alert(1)", "</style><script>alert(1)</script>",
	"</title><svg onload=alert(1)>", "{{.Name}}", "a|b", "\u202egnp.exe", "\u05d0\u05d1\u05d2 \u0627\u0644\u0639", strings.Repeat("identifier", 20),
	strings.Repeat("W", 200), "日本語のテーブル", "&lt;b&gt;", "'; DROP TABLE x; --", "-->", "]]>",
}

// tricked is a report that holds each of them wherever a name can stand.
func tricked(t *testing.T) *verdict.Report {
	t.Helper()
	r := reportOf(t, "hostile")
	r.LatestEvents = []verdict.Events{{Table: hostile[0], Columns: hostile, Rows: [][]string{hostile, hostile[:3]}}}
	for _, name := range hostile {
		r.Tables = append(r.Tables, verdict.Table{Name: name, RowsPassed: 1e15, RowsHeld: 1e15})
		r.RolesCreated = append(r.RolesCreated, name)
		r.Scrub.Preserve = append(r.Scrub.Preserve, verdict.ScrubPreserved{Column: name, Why: name, LooksLike: name})
		r.Witnesses = append(r.Witnesses, verdict.Witness{Name: name, Table: name, Expected: 1e15, Missing: 1})
		r.Checks = append(r.Checks, verdict.Check{ID: name, Stage: name, Code: verdict.Code(name), Outcome: verdict.Fail, Expected: name,
			Observed: name, Message: name + "\n" + name, Hint: name + "\n- {column: " + name + "}"})
	}
	r.Backup.Name, r.Backup.Store = strings.Join(hostile[:4], "/"), "s3://"+strings.Repeat("b", 200)+"/"
	r.LastGood = &verdict.LastGood{Backup: r.Backup.Name, Run: r.Run, DrilledAt: r.StartedAt}
	r.Sandbox.Reach = hostile[:3]
	r.Trend = trend(9)
	return r
}

// trend is what the last passes said, the newest first.
func trend(n int) (all []verdict.Trend) {
	for i := range n {
		at := night.AddDate(0, 0, -1-i)
		all = append(all, verdict.Trend{Run: at.Format("20060102T150405Z") + "-77aa", RecoveryMS: int64(41_000 - 900*i + 3000*(i%3)),
			SizeBytes: int64(312_417_000 - 2e6*i), Rows: int64(20_431 - 113*i)})
	}
	return all
}

func runPageOf(t *testing.T, r *verdict.Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := Run(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func allPageOf(t *testing.T, a All) string {
	t.Helper()
	var b bytes.Buffer
	if err := a.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// nights are runs, the newest first, each a day apart.
func nights(outcomes string) (all []Glance) {
	for i, letter := range outcomes {
		at := night.AddDate(0, 0, -i)
		g := Glance{Run: at.Format("20060102T150405Z") + "-3f2a", Newest: true, At: at, TakenAt: at.Add(-5 * time.Hour),
			Outcome: map[rune]verdict.Outcome{'p': verdict.Pass, 'w': verdict.Warn, 'f': verdict.Fail, 'e': verdict.Error}[letter]}
		g.Says = "The newest backup (of 20 November 2026, 22:15 UTC) brings the data back."
		if g.passed() {
			g.SizeBytes, g.RecoveryMS, g.Rows = int64(312e6-1e6*i), int64(41_000-500*i), int64(20_431-100*i)
		} else {
			g.Says = "The newest backup (of 20 November 2026, 22:15 UTC) would not bring the data back as it should."
			g.Why, g.Hint = `restore_errors: relation "rates" does not exist`, "a real restore would hit the same errors; the objects named are missing"
		}
		all = append(all, g)
	}
	return all
}

func lying(string, string) bool { return true }

// shops are drills in every state.
func shops() All {
	a := All{Made: night.Add(31 * time.Hour), Notes: []string{"The reports of drill x cannot be read: permission denied"}}
	for _, d := range []struct{ name, runs string }{
		{"shop", "ppppppppppppppppppfpppppppppwppp"}, {"blog", "fppppp"}, {"billing", "eeppw"}, {"search", "wppppppp"}, {"new", "p"}, {"none", ""},
	} {
		a.Drills = append(a.Drills, Drill{Name: d.name, Runs: nights(d.runs), Page: lying})
	}
	shrunk := nights("pppppp")
	shrunk[0].SizeBytes, shrunk[0].RecoveryMS, shrunk[0].Promised = 90e6, 400_000, "the data back in 30m (warn), 2h (fail)"
	a.Drills = append(a.Drills, Drill{Name: "shrunk", Runs: shrunk})
	for _, name := range hostile {
		tricky := nights("fp")
		tricky[0].Controls, tricky[0].Promises, tricky[0].Accepted = []string{name}, []string{name}, []string{name}
		tricky[0].Says, tricky[0].Why, tricky[0].Hint, tricky[0].Promised = name, name, name, name
		a.Drills = append(a.Drills, Drill{Name: name, Runs: tricky, Page: lying, Notes: []string{name}})
	}
	return a
}

// A real browser shows each page on a telephone, a tablet and a desk, by day and
// by night: nothing is said on its console, nothing reaches out of the page, and
// every text can be read.
func TestPagesInABrowser(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	pages := map[string]string{
		"all": allPageOf(t, shops()), "all-none": allPageOf(t, All{Made: night}), "tricked": runPageOf(t, tricked(t)),
		"all-good": allPageOf(t, All{Made: night.Add(time.Hour), From: "s3://shop-reports/drills/", Drills: []Drill{{Name: "shop", Runs: nights("pppppppppp")}, {Name: "blog", Runs: nights("pppp")}}}),
	}
	for _, name := range []string{"pass", "warn", "fail", "error", "interrupted", "undecided", "spec", "skipped"} {
		r := reportOf(t, name)
		r.Trend = trend(10)
		pages[name] = runPageOf(t, r)
	}
	for name, text := range pages {
		b.open(name, text)
		b.script(name, "built.js")
		b.tabThrough(name)
		evaluate[int](b, `document.querySelectorAll('details').forEach(d => d.open = true), 0`)
		backs := map[string]bool{}
		for _, theme := range []string{"light", "dark"} {
			b.theme(theme)
			for _, width := range widths {
				b.do(chromedp.EmulateViewport(width, 900))
				look := fmt.Sprintf("%s-%s-%d", name, theme, width)
				b.script(look, "look.js")
				b.picture(look)
			}
			backs[evaluate[string](b, `getComputedStyle(document.body).backgroundColor`)] = true
		}
		if len(backs) != 2 {
			t.Errorf("%s: by night it is as bright as by day", name)
		}
		b.quiet(name)
	}
	b.printed(runPageOf(t, reportOf(t, "pass")))
}

// printed fails where what is folded away is not printed.
func (b *browser) printed(text string) {
	b.t.Helper()
	b.open("printed", text)
	const shown = `[...document.querySelectorAll('details td')].every(e => e.checkVisibility({contentVisibilityAuto: true}) && e.getBoundingClientRect().height > 0)`
	if evaluate[bool](b, shown) {
		b.t.Error("nothing is folded away on the screen")
	}
	b.media(emulation.SetEmulatedMediaParams{Media: "print"})
	b.drawn()
	if !evaluate[bool](b, shown) {
		b.t.Error("what is folded away is not printed")
	}
}
