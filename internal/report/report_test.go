package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/olekukonko/tablewriter/pkg/twwidth"
	"pgregory.net/rapid"

	"daybefore/internal/verdict"
)

var colors = regexp.MustCompile("\x1b\\[[0-9;]*m")

func plainly(t *testing.T, r *verdict.Report, width int) string {
	t.Helper()
	return rendered(t, terminal(Options{Width: width, Verbose: true}), r)
}

func briefly(t *testing.T, r *verdict.Report, width int) string {
	t.Helper()
	return rendered(t, terminal(Options{Width: width, Kept: "reports/shop/20261121T031500Z-3f2a/report.md"}), r)
}

// However much was restored, a drill that passed fits on a screen.
func TestAPassFitsOnAScreen(t *testing.T) {
	t.Parallel()
	r := passing()
	long := strings.Repeat("x", 63)
	r.Backup.Store = "s3://" + long + "/" + long + "/nightly/"
	r.Backup.Database, r.Backup.Name = long, long+"-20261120.dump"
	r.Backup.Chosen, r.Backup.ChosenWhy = "named", "asked for by its name"
	r.Sandbox.Reach = []string{"it reaches this machine's network, and so all that listens there"}
	r.LatestEvents = nil
	for i := range 200 {
		name := fmt.Sprint(long, ".", long, i)
		r.Tables = append(r.Tables, verdict.Table{Name: name, RowsPassed: 1 << 40, RowsHeld: 1 << 40})
		r.Scrub.Columns = append(r.Scrub.Columns, verdict.ScrubColumn{Column: name, Rows: 1 << 40})
		r.LatestEvents = append(r.LatestEvents, verdict.Events{Table: name, Columns: []string{"id", long}, Rows: [][]string{{long, long}, {long, long}}})
		r.Checks = append(r.Checks,
			verdict.Check{ID: "row_count:" + name, Outcome: verdict.Pass, Accepted: &verdict.Accepted{Why: long}},
			verdict.Check{ID: "order_dependent:" + name, Outcome: verdict.Skipped, Message: fmt.Sprint(long, i)})
	}
	if n := strings.Count(briefly(t, r, 80), "\n"); n > 24 {
		t.Errorf("%d lines:\n%s", n, briefly(t, r, 80))
	}
}

// The newest rows are of every table some, and of one table all that there is room for.
func TestRecentRows(t *testing.T) {
	t.Parallel()
	rows := func(table string, n int) (e verdict.Events) {
		e.Table, e.Columns = table, []string{"id"}
		for i := range n {
			e.Rows = append(e.Rows, []string{fmt.Sprint(i)})
		}
		return e
	}
	for want, events := range map[string][]verdict.Events{
		"": {rows("a", 0)},
		"a: id 0|a: id 1|a: id 2|a: id 3|a: id 4": {rows("a", 9)},
		"a: id 0|b: id 0|a: id 1":                 {rows("a", 2), rows("b", 1)},
		"a: id 0|b: id 0|c: id 0|a: id 1|b: id 1": {rows("a", 9), rows("b", 9), rows("c", 9)},
	} {
		var got []string
		for _, f := range recent(events, 5) {
			got = append(got, f.value)
		}
		if strings.Join(got, "|") != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// A place is named as the reader would type it.
func TestPlaces(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"file:///srv/drills/demo/": "drills/demo/", "file:///srv/": "./", "file:///srv2/x/": "file:///srv2/x/", "s3://srv/x/": "s3://srv/x/",
	} {
		if got := (Options{Folder: "/srv"}).place(url); got != want {
			t.Errorf("%s: %q, want %q", url, got, want)
		}
		if got := (Options{}).place(url); got != url {
			t.Errorf("%q of %q, in no folder", got, url)
		}
	}
}

// A store that is not as declared says nothing against the newest backup, if
// that was restored.
func TestHeadlineTellsStoreFromBackup(t *testing.T) {
	t.Parallel()
	const store, backup = "restores, but the store of backups is not as declared", "would not bring the data back as declared"
	of := func(checks ...verdict.Check) *verdict.Report {
		r := passing()
		for _, c := range checks {
			spoil(r, c)
		}
		return r
	}
	rows := verdict.Check{ID: "row_count:public.users", Stage: "expect", Code: verdict.CodeRowCount, Outcome: verdict.Fail, Message: "too few"}
	unknown := rows
	unknown.Outcome = verdict.Error
	for name, c := range map[string]struct {
		r    *verdict.Report
		want string
	}{
		"the store": {of(collapsing()), store}, "both": {of(collapsing(), rows), backup}, "not known": {of(collapsing(), unknown), backup},
		"not restored": {looked(collapsing()), store},
	} {
		if name == "not restored" {
			c.r.Stages = append(c.r.Stages, verdict.Stage{Name: "fetch", Outcome: verdict.Skipped})
			c.want = backup
		}
		if got := headline(c.r); !strings.HasSuffix(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestTerminalFits(t *testing.T) {
	t.Parallel()
	for name, r := range fixtures() {
		for _, width := range []int{40, 60, 80, 120, 200} {
			for line := range strings.Lines(plainly(t, r, width) + briefly(t, r, width)) {
				if w := twwidth.Width(strings.TrimSuffix(line, "\n")); w > width {
					t.Errorf("%s at %d columns: a line of %d: %q", name, width, w, line)
				}
				if strings.HasSuffix(line, " \n") {
					t.Errorf("%s: spaces at the end of %q", name, line)
				}
			}
		}
	}
}

// A message may be long, and no word of it is lost at any width.
func TestTerminalCutsNothing(t *testing.T) {
	t.Parallel()
	squeeze := func(s string) string { return strings.Join(strings.Fields(strings.ReplaceAll(s, "->", "")), "") }
	for name, r := range fixtures() {
		for _, width := range []int{40, 80} {
			shown := squeeze(plainly(t, r, width))
			first := squeeze(briefly(t, r, width))
			for _, c := range r.Checks {
				if c.Outcome == verdict.Pass {
					continue
				}
				for _, text := range []string{c.ID, c.Expected, c.Observed} {
					if name == "undecided" { // shown together, by their messages
						break
					}
					if !strings.Contains(shown, squeeze(clean(text))) {
						t.Errorf("%s at %d columns lacks %q", name, width, text)
					}
				}
				for _, text := range append(strings.Split(c.Hint, "\n"), c.Message) {
					if !strings.Contains(shown, squeeze(cleanLines(text))) {
						t.Errorf("%s at %d columns lacks %q", name, width, text)
					}
					if c.Outcome != verdict.Skipped && !strings.Contains(first, squeeze(cleanLines(text))) {
						t.Errorf("%s at %d columns, in brief, lacks %q", name, width, text)
					}
				}
			}
			for _, s := range r.Stages {
				if s.Outcome != verdict.Pass && !strings.Contains(shown, squeeze(cleanLines(s.Message))) {
					t.Errorf("%s at %d columns lacks the stage's %q", name, width, s.Message)
				}
			}
		}
	}
}

// Colors repeat what the words say.
func TestColorSaysNothingMore(t *testing.T) {
	t.Parallel()
	for name, r := range fixtures() {
		colored := rendered(t, renderings["color.txt"], r)
		if !strings.Contains(colored, "\x1b[") {
			t.Errorf("%s has no color", name)
		}
		if diff := cmp.Diff(plainly(t, r, 80), colors.ReplaceAllString(colored, "")); diff != "" {
			t.Errorf("%s without its colors is another:\n%s", name, diff)
		}
		brief := rendered(t, terminal(Options{Color: true}), r)
		if diff := cmp.Diff(rendered(t, terminal(Options{}), r), colors.ReplaceAllString(brief, "")); diff != "" {
			t.Errorf("%s in brief, without its colors, is another:\n%s", name, diff)
		}
	}
}

// mayStand reports whether a character may stand in what people print or read:
// no control character but the newline, no mark that turns the writing.
func mayStand(r rune) bool {
	return r == '\n' || !unicode.IsControl(r) && !unicode.Is(unicode.Bidi_Control, r)
}

func TestNothingIsObeyed(t *testing.T) {
	t.Parallel()
	r := hostile()
	for ending, render := range renderings {
		text := rendered(t, render, r)
		if ending == "color.txt" {
			text = colors.ReplaceAllString(text, "")
		}
		if !utf8.ValidString(text) {
			t.Errorf("%s is no UTF-8", ending)
		}
		for i, c := range text {
			if !mayStand(c) && (ending != "json" || unicode.IsControl(c)) {
				t.Errorf("%s: %U stands in %q", ending, c, text[max(0, i-20):i+1])
			}
		}
		if ending != "json" {
			for line := range strings.Lines(text) {
				if strings.HasPrefix(line, "PASS  ") {
					t.Errorf("%s: the backup wrote a verdict of its own: %q", ending, line)
				}
			}
		}
	}
	if md := rendered(t, Markdown, r); strings.Contains(md, "<script") || strings.Contains(md, "](") && !strings.Contains(md, `\](`) {
		t.Errorf("markup of the backup's stands in the page:\n%s", md)
	}
}

func TestMarkdownTablesAreEven(t *testing.T) {
	t.Parallel()
	for name, r := range fixtures() {
		cells := 0
		for line := range strings.Lines(rendered(t, Markdown, r)) {
			n := strings.Count(line, "|")
			if !strings.HasPrefix(line, "|") {
				if n > 0 && !strings.HasPrefix(line, "<details>") {
					t.Errorf("%s: a | outside of a table: %q", name, line)
				}
				cells = 0
				continue
			}
			if cells != 0 && n != cells {
				t.Errorf("%s: a row of %d cells among those of %d: %q", name, n-1, cells-1, line)
			}
			cells = n
		}
	}
}

func TestMarkdownFitsAPage(t *testing.T) {
	t.Parallel()
	r := failing()
	for i := range 20_000 {
		r.Checks = append(r.Checks, verdict.Check{ID: fmt.Sprintf("row_count:public.t%d", i), Outcome: verdict.Pass, Observed: strings.Repeat("|", 40)})
	}
	md := rendered(t, Markdown, r)
	if len(md) > 1<<20-1 || !strings.HasSuffix(md, markdownRest) {
		t.Errorf("%d bytes, ending in %q", len(md), md[len(md)-80:])
	}
	if strings.Count(md, "<details>") != strings.Count(md, "</details>") {
		t.Error("a fold stays open")
	}
	if !strings.Contains(md, "the objects named are missing") {
		t.Error("a finding gave way to checks that passed")
	}
	r.Checks = nil
	for range 30 {
		r.Checks = append(r.Checks, verdict.Check{ID: "x", Outcome: verdict.Fail, Message: strings.Repeat("ä|", 100_000)})
	}
	md = rendered(t, Markdown, r)
	if len(md) > 1<<20-1 || !utf8.ValidString(md) || !strings.Contains(md, "in full") {
		t.Errorf("%d bytes of huge messages", len(md))
	}
}

// told is what a case says; a reader may show both, or the text alone.
type told struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// junit is what a reader takes out of the file.
type junit struct {
	Suites []struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Errors   int `xml:"errors,attr"`
		Skipped  int `xml:"skipped,attr"`
		Cases    []struct {
			Name      string  `xml:"name,attr"`
			Classname string  `xml:"classname,attr"`
			Time      float64 `xml:"time,attr"`
			File      string  `xml:"file,attr"`
			Line      int     `xml:"line,attr"`
			Failure   *told   `xml:"failure"`
			Error     *told   `xml:"error"`
			Skipped   *told   `xml:"skipped"`
		} `xml:"testcase"`
	} `xml:"testsuite"`
}

func TestJUnitCountsAndNames(t *testing.T) {
	t.Parallel()
	for name, r := range fixtures() {
		checkJUnit(t, name, r)
	}
	for _, o := range []verdict.Outcome{"", "passed", verdict.Skipped, verdict.Error, verdict.Fail} {
		checkJUnit(t, "only "+string(o), &verdict.Report{Drill: "x", Outcome: o})
	}
	twice := passing()
	twice.Checks = append(twice.Checks, twice.Checks...)
	twice.Checks = append(twice.Checks, verdict.Check{ID: twice.Checks[0].ID + " (2)", Outcome: verdict.Pass})
	checkJUnit(t, "the same ids again", twice)
}

func checkJUnit(t *testing.T, name string, r *verdict.Report) {
	t.Helper()
	var got junit
	text := rendered(t, renderings["junit.xml"], r)
	if err := xml.Unmarshal([]byte(text), &got); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, text)
	}
	s := got.Suites[0]
	names := map[string]bool{}
	failures, errs, skips := 0, 0, 0
	for _, c := range s.Cases {
		if names[c.Name] {
			t.Errorf("%s: two cases called %q", name, c.Name)
		}
		names[c.Name] = true
		if c.Classname != clean(r.Drill) || c.File != "drills/demo.yaml" || c.Line == 0 {
			t.Errorf("%s: class %q, %s:%d", name, c.Classname, c.File, c.Line)
		}
		for _, m := range []*told{c.Failure, c.Error, c.Skipped} {
			if m != nil && (m.Message == "" || strings.Contains(m.Text, m.Message)) {
				t.Errorf("%s: %s says %q twice, or nothing", name, c.Name, m.Message)
			}
		}
		for n, is := range map[*int]bool{&failures: c.Failure != nil, &errs: c.Error != nil, &skips: c.Skipped != nil} {
			if is {
				*n++
			}
		}
	}
	if s.Tests != len(s.Cases) || s.Failures != failures || s.Errors != errs || s.Skipped != skips {
		t.Errorf("%s: says %d %d %d %d, holds %d %d %d %d", name, s.Tests, s.Failures, s.Errors, s.Skipped, len(s.Cases), failures, errs, skips)
	}
	green := failures+errs == 0
	if proves := r.Outcome == verdict.Pass || r.Outcome == verdict.Warn; green != proves {
		t.Errorf("%s: outcome %s with %d failures and %d errors", name, r.Outcome, failures, errs)
	}
	if (failures > 0) != (r.Outcome == verdict.Fail) {
		t.Errorf("%s: outcome %s with %d failures: error is never shown as fail", name, r.Outcome, failures)
	}
}

func TestJSONIsTheReport(t *testing.T) {
	t.Parallel()
	for name, want := range fixtures() {
		text := rendered(t, JSON, want)
		var got verdict.Report
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(text, "null") && !strings.Contains(text, "set_null") {
			t.Errorf("%s holds null", name)
		}
		if name == "hostile" {
			continue // what is no UTF-8 cannot come back
		}
		if diff := cmp.Diff(want, &got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s does not come back:\n%s", name, diff)
		}
	}
}

// Rendering reads: a report is the same afterwards, for the next renderer.
func TestRenderingChangesNothing(t *testing.T) {
	t.Parallel()
	for name, want := range fixtures() {
		r := fixtures()[name]
		for ending, render := range renderings {
			rendered(t, render, r)
			if diff := cmp.Diff(want, r); diff != "" {
				t.Errorf("%s changed %s:\n%s", ending, name, diff)
			}
		}
	}
}

func TestManyRows(t *testing.T) {
	t.Parallel()
	r := passing()
	r.Tables, r.Checks = nil, nil
	for i := range 100 {
		r.Tables = append(r.Tables, verdict.Table{Name: fmt.Sprintf("public.t%d", i), RowsPassed: 1, RowsHeld: 1})
		r.Checks = append(r.Checks, verdict.Check{ID: fmt.Sprintf("row_count:public.t%d", i), Outcome: verdict.Pass})
	}
	r.Tables[99].RowsHeld = 0
	text := plainly(t, r, 80)
	if !strings.Contains(text, "public.t99") || !strings.Contains(text, "DIFFERS") {
		t.Error("a table that differs is not shown")
	}
	if n := strings.Count(text, "more, all in report.json"); n != 2 {
		t.Errorf("%d tables say that there is more", n)
	}
}

// More columns than a line holds: one line a value.
func TestManyColumns(t *testing.T) {
	t.Parallel()
	r := passing()
	var columns, row []string
	for i := range 20 {
		columns = append(columns, fmt.Sprintf("column_%d", i))
		row = append(row, fmt.Sprintf("a value of column %d", i))
	}
	r.LatestEvents = []verdict.Events{{Table: "public.wide", Columns: columns, Rows: [][]string{row, row}}, {Table: "public.empty", Columns: columns}}
	text := plainly(t, r, 80)
	for i, c := range columns {
		if !strings.Contains(text, "  "+c+": "+row[i]+"\n") {
			t.Errorf("%s is not shown", c)
		}
	}
	if !strings.Contains(text, "LATEST in public.empty\n  no rows") {
		t.Error("an empty table is not told")
	}
}

func TestBrokenWriter(t *testing.T) {
	t.Parallel()
	full := errors.New("no room")
	for ending, render := range renderings {
		if err := render(failingWriter{full}, passing()); !errors.Is(err, full) {
			t.Errorf("%s: %v", ending, err)
		}
	}
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }

func TestHumanForms(t *testing.T) {
	t.Parallel()
	for want, got := range map[string]string{
		"0 ms": durationText(-time.Second), "12 ms": durationText(12 * time.Millisecond), "2.9 s": durationText(2900 * time.Millisecond),
		"9.9 s": durationText(9949 * time.Millisecond), "10 s": durationText(9960 * time.Millisecond), "1m 00s": durationText(59_700 * time.Millisecond),
		"1m 04s": durationText(64 * time.Second), "2h 05m": durationText(125 * time.Minute), "1h 00m": durationText(3599_800 * time.Millisecond),
		"0 bytes": size(0), "999 bytes": size(999), "312.4 KB": size(312_417), "1 MB": size(1_000_000), "2.9 GB": size(2_900_000_000),
		"0m": age(0), "59m": age(time.Hour - 1), "47h": age(48*time.Hour - 1), "3d": age(80 * time.Hour), "from the future": age(-1),
		"1 row": counted(1, "row"), "2,000 rows": counted(2000, "row"), "0 rows": counted(0, "row"),
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestJudgedAt(t *testing.T) {
	t.Parallel()
	r := passing()
	r.Backup.TakenAt = began.AddDate(-1, 0, 0)
	r.AsOf = "fixed " + began.AddDate(-1, 0, 0).Add(7*time.Hour).Format(time.RFC3339)
	if text := headline(r); !strings.Contains(text, "7h old") {
		t.Errorf("a demo's age is not judged as of its fixed time: %s", text)
	}
	r.AsOf = "now " + began.Format(time.RFC3339)
	if text := headline(r); !strings.Contains(text, "365d old") {
		t.Error(text)
	}
}

// Whatever stands in a text, each of its lines fits, and all of it is there.
func TestWrap(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := cleanLines(rapid.String().Draw(t, "text"))
		width := rapid.IntRange(2, 60).Draw(t, "width")
		lines := wrap(text, width)
		for _, line := range lines {
			if w := twwidth.Width(line); w > width {
				t.Errorf("%d columns of %d: %q", w, width, line)
			}
		}
		squeeze := func(s string) string { return strings.Join(strings.Fields(s), "") }
		if got, want := squeeze(strings.Join(lines, "")), squeeze(text); got != want {
			t.Errorf("%q became %q", want, got)
		}
	})
}

// A mark without a letter takes no room, and is no nothing.
func TestWrapKeepsMarksWithoutWidth(t *testing.T) {
	t.Parallel()
	if got := strings.Join(wrap("aa \u0300", 2), "|"); got != "aa|\u0300" {
		t.Errorf("%q", got)
	}
}

// A word of megabytes, as a hostile backup may hold, is wrapped in one pass.
func TestWrapLongWord(t *testing.T) {
	t.Parallel()
	const megabytes = 4 << 20
	if lines := wrap(strings.Repeat("x", megabytes), 64); len(lines) != megabytes/64 {
		t.Errorf("%d lines", len(lines))
	}
}

func FuzzClean(f *testing.F) {
	f.Add(evil)
	f.Add("größe 日本語 \u2028 \ufffd \xf0\x9f")
	f.Fuzz(func(t *testing.T, s string) {
		for _, c := range clean(s) {
			if c == '\n' || !mayStand(c) {
				t.Errorf("%q keeps %U", s, c)
			}
		}
		for _, c := range cleanLines(s) {
			if !mayStand(c) {
				t.Errorf("%q keeps %U", s, c)
			}
		}
	})
}

// Whatever a name or value holds, every rendering is made, and XML stays XML.
func TestAnyText(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")) + rapid.String().Draw(t, "text")
		r := passing()
		r.Backup.Name, r.Checks[0].Message, r.Checks[0].Outcome = s, s, verdict.Fail
		r.LatestEvents[0].Rows[0][0] = s
		for ending, render := range renderings {
			var b bytes.Buffer
			if err := render(&b, r); err != nil {
				t.Errorf("%s: %v", ending, err)
			}
			if ending == "junit.xml" {
				if err := xml.Unmarshal(b.Bytes(), new(junit)); err != nil {
					t.Errorf("%q: %v", s, err)
				}
			}
		}
	})
}

// Of many findings of one kind, what is to be done stands below those that it
// is for.
func TestAdviceStandsBelowWhatItIsFor(t *testing.T) {
	t.Parallel()
	r := passing()
	for i, hint := range []string{"take each away", "choose another", "take each away", "add:\n- {a: b}", "add:\n- {c: d}"} {
		spoil(r, verdict.Check{ID: fmt.Sprintf("rule_unfit:c%d", i), Stage: "scrub", Code: verdict.CodeRuleUnfit, Outcome: verdict.Error,
			Message: fmt.Sprintf("column %d is odd", i), Hint: hint})
	}
	const want = `
       - column 0 is odd
       - column 2 is odd
       -> take each away
       - column 1 is odd
       -> choose another
       - column 3 is odd
       - column 4 is odd
       -> add:
          - {a: b}
          - {c: d}
`
	if got := plainly(t, r, 80); !strings.Contains(got, want) {
		t.Error(got)
	}
}

// Where only its day is known, a backup is not said to be of midnight.
func TestABackupOfADay(t *testing.T) {
	t.Parallel()
	b := verdict.Backup{TakenAt: began, Checksum: "unpacked"}
	if got := backupTime(b); got != "taken "+instant(began) {
		t.Errorf("%q", got)
	}
	b.TakenUntil = began.AddDate(0, 0, 1)
	if got := backupTime(b); got != "taken between "+instant(began)+" and "+instant(b.TakenUntil) {
		t.Errorf("%q", got)
	}
	if got := checksum(b); got != "verified by the unpacked file's sum" {
		t.Errorf("%q", got)
	}
}

// The last good backup may have the name of the bad one, and be no longer there.
func TestLastGoodThatIsNoLongerThere(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		then verdict.LastGood
		want string
	}{
		"another":       {verdict.LastGood{Backup: "b", SizeBytes: 9}, "last good: b, drilled"},
		"the same":      {verdict.LastGood{Backup: "a", SizeBytes: 100, SHA256: "00"}, "last good: a, drilled"},
		"of other size": {verdict.LastGood{Backup: "a", SizeBytes: 2_000}, "last good: a as it was then (2 KB), which is no longer there, drilled"},
		"of other sum":  {verdict.LastGood{Backup: "a", SizeBytes: 100, SHA256: "11"}, "which is no longer there"},
		"without a sum": {verdict.LastGood{Backup: "a", SizeBytes: 100}, "last good: a, drilled"},
	} {
		c.then.DrilledAt = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
		r := &verdict.Report{Outcome: verdict.Fail, LastGood: &c.then, Backup: verdict.Backup{Name: "a", SizeBytes: 100, SHA256: "00"}}
		if got := lastGood(r); !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// A drill that is due is no fault of the store.
func TestADueDrillIsNoFaultOfTheStore(t *testing.T) {
	t.Parallel()
	due := verdict.Check{ID: "proven_within", Stage: verdict.StageChoose, Code: verdict.CodeProvenWithin, Outcome: verdict.Error}
	r := &verdict.Report{Drill: "shop", Outcome: verdict.Error, Backup: verdict.Backup{Name: "a"}, Checks: []verdict.Check{due},
		Stages: []verdict.Stage{{Name: verdict.StageChoose, Outcome: verdict.Error, Code: verdict.CodeProvenWithin}}}
	if got := storeHeadline(r); got != "shop: the store of backups is as declared, and no drill of its newest backup has passed as lately as promised" {
		t.Error(got)
	}
	r.Checks = append(r.Checks, verdict.Check{ID: "copies", Stage: verdict.StageChoose, Code: verdict.CodeCopies, Outcome: verdict.Error})
	if got := storeHeadline(r); !strings.Contains(got, "could not look at all") {
		t.Error(got)
	}
}
