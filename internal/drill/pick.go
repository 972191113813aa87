package drill

import (
	"context"
	"fmt"
	"time"

	"daybefore/internal/catalog"
	"daybefore/internal/verdict"
)

// older reports whether another backup than a newest is asked for: it is not
// judged against now, nor against what past drills found in newer ones.
func (q Request) older() bool {
	return q.Local != "" || q.Choice.By != "" && q.Choice.By != catalog.ByNewest
}

// Chosen is which backup is asked for, as the report has it.
func (q Request) Chosen() string {
	switch {
	case q.Local != "":
		return "local"
	case q.Copy > 0:
		return fmt.Sprintf("copy %d", q.Copy)
	case q.older():
		return string(q.Choice.By)
	}
	return string(catalog.ByNewest)
}

// pick opens the store that is asked for, and chooses a backup in it.
func (r *run) pick(ctx context.Context) (err error) {
	src := r.Drill.Source
	b := &r.report.Backup
	copies := r.Drill.Inventory.Copies
	switch {
	case r.Local != "":
		r.store, r.backup, err = catalog.Local(ctx, r.Local, src, r.peekTime(ctx))
		if err != nil {
			return err
		}
		b.Store = r.store.URL()
		b.ChosenWhy = r.backup.Why
		return nil
	case r.Copy > len(copies):
		return verdict.Errorf(verdict.CodeSpec, "list it under inventory.copies, or give a number that is there",
			"-copy=%d: inventory.copies lists %d", r.Copy, len(copies))
	case r.Copy > 0:
		src = copies[r.Copy-1].Source
		b.ChosenWhy = "the newest of the copy in " + copies[r.Copy-1].Name
	}
	r.store, err = catalog.Open(ctx, src)
	if err != nil {
		return err
	}
	b.Store = r.store.URL()
	chosen, err := catalog.ChooseBy(ctx, r.store, src, r.Choice, r.peekTime(ctx))
	if r.older() {
		b.ChosenWhy = chosen.Why
	}
	if err != nil { // what was chosen and cannot be drilled is known for drilled now, by its name
		b.Name, b.ETag, b.TakenAt = chosen.Name, chosen.ETag, chosen.TakenAt
		b.SizeBytes = max(0, chosen.Size)
		return r.noBackup(err)
	}
	r.backup = chosen
	if r.backup.Parts == nil { // the mark of several tells all
		b.Version, err = catalog.VersionOf(ctx, r.store, r.backup.Object)
	}
	return err
}

// An upload may take some hours. What was written to lately may still be.
const (
	longestUpload = 6 * time.Hour
	lately        = 15 * time.Minute
)

// unfinished are the checks about newer backups than the newest that are not
// there as a whole.
func unfinished(all []catalog.Unfinished, now time.Time) []verdict.Check {
	var checks []verdict.Check
	for _, u := range all {
		c := verdict.Check{ID: "unfinished:" + u.Name, Stage: verdict.StageChoose, Code: verdict.CodeUnfinished,
			Expected: "no newer backup that is not whole"}
		since := u.Since.UTC().Format(time.RFC3339)
		age := now.Sub(u.Since)
		switch {
		case u.Deleted:
			c.Say(verdict.Warn, "deleted", "find out what deleted it; removing the delete marker brings it back",
				"%s is newer than what was drilled, and %s since %s", u.Name, u.What, since)
		case age < lately, u.Upload && age < longestUpload:
			c.Say(verdict.Skipped, "on its way", "nothing is to be done: the next drill will be of it",
				"%s is newer than what was drilled, and is %s (%s)", u.Name, u.What, since)
		default:
			c.Say(verdict.Warn, "broken off", "find out why the backup job or its upload broke off, and remove what is left",
				"%s is newer than what was drilled, and is %s, since %s", u.Name, u.What, since)
		}
		checks = append(checks, c)
	}
	return checks
}
