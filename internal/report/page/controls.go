package page

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"daybefore/internal/report"
	"daybefore/internal/verdict"
)

// mostEpisodes, mostAccepted and mostMuted are how many a cell of the table of
// controls names.
const (
	mostEpisodes = 5
	mostAccepted = 5
	mostMuted    = 5
)

// promiseWords stand before what a check expects, where that is no sentence about
// backups by itself.
var promiseWords = map[verdict.Code]string{
	verdict.CodeBackupAge: "the newest backup ", verdict.CodeCadence: "",
	verdict.CodeOldestAtLeast: "backups that reach back ", verdict.CodeRecoveryTime: "",
}

// promises are what the drill file says of how old a backup may be, and of how
// long it takes.
func promises(r *verdict.Report) (all []string) {
	for _, c := range r.Checks {
		word, is := promiseWords[c.Code]
		if is && c.Expected != "" {
			all = append(all, short(report.Clean(word+c.Expected)))
		}
	}
	return all
}

// acceptances are the changes that a person wanted, as a run shows them.
func acceptances(v report.View) (all []string) {
	for _, a := range v.Accepted {
		all = append(all, short(a.What+": "+a.Says))
	}
	for _, f := range v.Findings {
		if f.Accepted != "" {
			all = append(all, short(f.What+": "+f.Accepted))
		}
	}
	return all
}

// controls is the table of what the drills are evidence of: a row for each
// control and drill. It has no rows where no drill file names any.
func controls(drills []Drill) report.Sheet {
	sheet := report.Sheet{Title: "Controls"}
	for _, d := range drills {
		runs := d.ofNewest()
		if len(runs) == 0 {
			continue
		}
		for _, control := range runs[0].Controls {
			sheet.Rows = append(sheet.Rows, []string{control, report.Clean(d.Name), promised(runs), shown(runs),
				cmp.Or(strings.Join(episodes(runs), "; "), "never"), cmp.Or(strings.Join(wanted(runs), "; "), "nothing")})
		}
	}
	if sheet.Rows == nil {
		return sheet
	}
	slices.SortStableFunc(sheet.Rows, func(a, b []string) int {
		return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1]))
	})
	head := []string{"Control", "Drill", "Promised", "Shown", "Failed, and mended", "Accepted, or muted"}
	sheet.Rows = slices.Insert(sheet.Rows, 0, head)
	return sheet
}

// promised is what the newest run says of it that came so far.
func promised(runs []Glance) string {
	all := []string{"the newest backup brings its data back, as declared"}
	said := slices.IndexFunc(runs, func(g Glance) bool { return len(g.Promises) > 0 })
	if said >= 0 {
		all = append(all, runs[said].Promises...)
	}
	return strings.Join(all, "; ")
}

// shown says how often it was. The runs come newest first.
func shown(runs []Glance) string {
	passed := 0
	for _, g := range runs {
		if g.passed() {
			passed++
		}
	}
	return fmt.Sprintf("%d of %s passed since %s", passed, report.Counted(len(runs), "drill"),
		report.PlainTime(runs[len(runs)-1].At))
}

// episodes are from when to when no drill passed, the newest first.
func episodes(runs []Glance) (all []string) {
	mended := "not mended yet"
	for i, g := range runs {
		if g.passed() {
			mended = "mended " + report.PlainTime(g.At)
			continue
		}
		if i+1 < len(runs) && !runs[i+1].passed() { // it began earlier
			continue
		}
		all = append(all, fmt.Sprintf("%s (%s), %s", report.PlainTime(g.At), report.Word(g.Outcome), mended))
	}
	return atMost(all, mostEpisodes)
}

// wanted is what people accepted in any of the runs, and what they asked not to
// be told of.
func wanted(runs []Glance) []string {
	accepted := each(runs, func(g Glance) []string { return g.Accepted })
	muted := each(runs, func(g Glance) []string { return g.Muted })
	return slices.Concat(atMost(accepted, mostAccepted), atMost(muted, mostMuted))
}

// each is what the runs say, each once.
func each(runs []Glance, says func(Glance) []string) (all []string) {
	for _, g := range runs {
		for _, s := range says(g) {
			if !slices.Contains(all, s) {
				all = append(all, s)
			}
		}
	}
	return all
}

// atMost is the first of a list, and how many more there are.
func atMost(all []string, most int) []string {
	if len(all) <= most {
		return all
	}
	return append(slices.Clone(all[:most]), fmt.Sprintf("and %d more", len(all)-most))
}
