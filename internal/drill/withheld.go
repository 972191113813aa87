package drill

import (
	"reflect"
	"slices"
	"strings"

	"daybefore/internal/detect"
	"daybefore/internal/verdict"
)

// Names are values where somebody made a role, a schema or a table for each
// customer, and called it by the customer's address or number. Wherever a report
// would print one, a mark with its keyed fingerprint stands instead, so that two
// of them stay two. A name that the drill file says is told.

// withheldNames are the archive's names of which a detector is certain, the
// longest first, since one may be part of another.
func (r *run) withheldNames() []string {
	scanner := detect.NewScanner(detect.All, r.Drill.Scrub.LeakScan.Allow...)
	said := ""
	seen := map[string]bool{}
	var all []string
	for name := range r.archive.Names() {
		if r.names.Knows(name) || seen[name] {
			continue
		}
		seen[name] = true
		h, found := scanner.Find([]byte(name))
		if !found || h.Confidence != detect.Certain {
			continue
		}
		if said == "" {
			said = r.drillTexts()
		}
		if !strings.Contains(said, name) {
			all = append(all, name)
		}
	}
	slices.SortFunc(all, func(a, b string) int { return len(b) - len(a) })
	return all
}

// drillTexts are all texts of the drill file that names may stand in.
func (r *run) drillTexts() string {
	var b strings.Builder
	for _, part := range r.drillParts() {
		eachText(reflect.ValueOf(part), func(text string) { b.WriteString(text + "\n") })
	}
	return b.String()
}

// tellable makes texts such as may be told: with marks in the place of names
// that are withheld, and of whatever else looks sensitive.
func (r *run) tellable() func(texts ...*string) {
	var pairs []string
	for _, name := range r.withheld {
		pairs = append(pairs, name, r.names.Instead(name))
	}
	withhold := strings.NewReplacer(pairs...)
	return func(texts ...*string) {
		for _, text := range texts {
			*text = r.vouched(withhold.Replace(*text))
		}
	}
}

// eachName tells of every place of a report where a name of the backup stands by
// itself.
func eachName(rep *verdict.Report, do func(names ...*string)) {
	for i := range rep.Tables {
		do(&rep.Tables[i].Name)
	}
	for i := range rep.RolesCreated {
		do(&rep.RolesCreated[i])
	}
	for i := range rep.Backup.OtherDatabases {
		do(&rep.Backup.OtherDatabases[i])
	}
	for i := range rep.CodeRan {
		do(&rep.CodeRan[i].Function)
		for j := range rep.CodeRan[i].UsedBy {
			do(&rep.CodeRan[i].UsedBy[j])
		}
	}
	for i := range rep.Scrub.Columns {
		do(&rep.Scrub.Columns[i].Column)
	}
	for i := range rep.Scrub.Kept {
		do(&rep.Scrub.Kept[i].Table)
	}
	for i := range rep.Scrub.Preserve {
		do(&rep.Scrub.Preserve[i].Column)
		do(&rep.Scrub.Preserve[i].LooksLike)
	}
	for i := range rep.Scrub.Passed {
		do(&rep.Scrub.Passed[i].Column)
		do(&rep.Scrub.Passed[i].Type)
	}
}
