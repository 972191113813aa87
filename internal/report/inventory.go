package report

import (
	"fmt"
	"io"
	"slices"

	"daybefore/internal/verdict"
)

// Inventory writes what was found of a store of backups, for a person: a
// report whose drill went no further than to choose the newest.
func Inventory(w io.Writer, r *verdict.Report, o Options) error {
	p := &page{width: o.width(), color: o.Color}
	p.hanging(p.paint(r.Outcome)+"  ", storeHeadline(r))
	p.checks(r.Checks)
	p.findings(findings(r))
	p.blank()
	for _, f := range storeFacts(r) {
		if f.value == "" {
			continue
		}
		p.hanging(fmt.Sprintf("%-7s ", f.key), f.value)
	}
	p.blank()
	if p.err != nil {
		return fmt.Errorf("render the inventory of %s: %w", r.Drill, p.err)
	}
	_, err := w.Write(p.Bytes())
	return err
}

// storeHeadline says in a sentence how the store is, without the outcome's word.
func storeHeadline(r *verdict.Report) string {
	says := "the store of backups is as declared"
	switch {
	case r.Interrupted():
		says = "interrupted before the store was judged"
	case r.Outcome == verdict.Warn:
		says += ", with " + counted(tally(r)[verdict.Warn], "warning")
	case r.Outcome == verdict.Fail:
		says = "the store of backups is not as declared"
	case r.Outcome == verdict.Error && r.Backup.Name == "":
		says = "could not look into the store; this says nothing about the backups"
	case r.Outcome == verdict.Error && onlyDue(r):
		says += ", and no drill of its newest backup has passed as lately as promised"
	case r.Outcome == verdict.Error:
		says = "could not look at all that is declared of the store"
	case len(r.Checks) == 0:
		says = "the newest backup is there and begins like one; nothing else is declared under inventory"
	}
	return clean(r.Drill) + ": " + says
}

// onlyDue reports whether nothing is wrong but that the drill is due.
func onlyDue(r *verdict.Report) bool {
	return !slices.ContainsFunc(findings(r), func(f finding) bool {
		return f.Code != verdict.CodeProvenWithin && (f.Outcome == verdict.Fail || f.Outcome == verdict.Error)
	})
}

// checks shows all of them, also those that are told in full below.
func (p *page) checks(all []verdict.Check) {
	if len(all) == 0 {
		return
	}
	var rows [][]string
	for _, c := range all {
		rows = append(rows, []string{clean(c.ID), p.paint(c.Outcome), clean(c.Expected), clean(c.Observed)})
	}
	p.blank()
	p.table(grid{header: []string{"CHECK", "OUTCOME", "EXPECTED", "OBSERVED"}, rows: rows})
}

// storeFacts say what was looked at.
func storeFacts(r *verdict.Report) []fact {
	facts := []fact{{"store", clean(r.Backup.Store)}, {"holds", held(r.Inventory)}}
	if b := r.Backup; b.Name != "" {
		facts = append(facts, fact{"newest", clean(b.Name) + ", " + backupTime(b) + ", " + backupSize(b)})
	}
	return append(facts,
		fact{"judged", instant(judgedAt(r)) + ", in " + tookMS(r.DurationMS) + "; nothing was fetched or restored"})
}

// held says how much a store holds; empty where nobody looked.
func held(v verdict.Inventory) string {
	if v.Backups == 0 {
		return ""
	}
	taken := instant(v.OldestAt)
	if last := instant(v.NewestAt); last != taken {
		taken += " to " + last
	}
	return fmt.Sprintf("%s, %s, taken %s", counted(v.Backups, "backup"), heldSize(v), taken)
}

// heldSize is the sum of the sizes that the store tells, and of how many.
func heldSize(v verdict.Inventory) string {
	told := v.Backups - v.Unsized
	switch {
	case v.Unsized == 0:
		return size(v.Bytes)
	case v.Backups == 1:
		return notTold
	case told == 0:
		return "sizes not told"
	case told == 1:
		return size(v.Bytes) + " in the 1 whose size is told"
	}
	return size(v.Bytes) + " in the " + count(told) + " whose sizes are told"
}

const notTold = "size not told"

// backupSize is the size of a backup. One that a store does not tell is no 0.
func backupSize(b verdict.Backup) string {
	if b.Unsized {
		return notTold
	}
	return size(b.SizeBytes)
}
