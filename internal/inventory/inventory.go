// Package inventory judges the store that backups lie in: how many it holds,
// how large and how far apart, what became of them since the last drill that
// passed, where they lie, what protects them, and whether their copies are
// alike. It must never read a backup, or say whether one restores.
package inventory

import (
	"context"
	"slices"
	"sync"
	"time"

	"daybefore/internal/catalog"
	"daybefore/internal/history"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// Options say how to judge.
type Options struct {
	At   time.Time        // when ages are judged
	Past history.Past     // what is compared with; the zero value: a first run
	Peek catalog.PeekFunc // for copies whose names tell no time
	Days *time.Location   // the zone whose days the names tell; nil: they tell moments
}

// Of sums up what a store holds; all is in the order of catalog.Backup.
func Of(all []catalog.Entry) verdict.Inventory {
	v := verdict.Inventory{Backups: int64(len(all))}
	for _, e := range all {
		if e.Size == catalog.Unsized {
			v.Unsized++
			continue
		}
		v.Bytes += e.Size
	}
	if len(all) > 0 {
		v.NewestAt, v.OldestAt = all[0].TakenAt, all[len(all)-1].TakenAt
	}
	return v
}

// Judge returns a check for all that is declared of the store in which this
// backup is the newest, in the order of the drill file. What cannot be found
// out is an error of its own check.
func Judge(ctx context.Context, store catalog.Store, inv spec.Inventory, newest catalog.Backup,
	o Options) []verdict.Check {
	var questions []func() []verdict.Check
	if inv.OffSite != nil {
		questions = append(questions, func() []verdict.Check { return offSite(ctx, *inv.OffSite, store, thisMachine) })
	}
	for _, kind := range inv.Protection {
		questions = append(questions,
			func() []verdict.Check { return []verdict.Check{protection(ctx, kind, store, newest, o.At)} })
	}
	for _, second := range inv.Copies {
		questions = append(questions,
			func() []verdict.Check { return []verdict.Check{copied(ctx, second, store, newest, o)} })
	}
	if inv.Catalogue != nil {
		questions = append(questions,
			func() []verdict.Check { return catalogued(ctx, *inv.Catalogue, inv.Retention(), store, newest, o) })
	}
	answers := make([][]verdict.Check, len(questions))
	var asking sync.WaitGroup
	for i, ask := range questions {
		asking.Go(func() { answers[i] = ask() })
	}
	asking.Wait()
	checks := append(fromList(inv, newest, o), slices.Concat(answers...)...)
	for i := range checks {
		checks[i].Stage = verdict.StageChoose
	}
	return checks
}

// fromList judges what the list of the backups tells by itself.
func fromList(inv spec.Inventory, newest catalog.Backup, o Options) []verdict.Check {
	var checks []verdict.Check
	add := func(c verdict.Check) { checks = append(checks, c) }
	if inv.BackupAge != nil {
		add(backupAge(*inv.BackupAge, newest, o.At))
	}
	if inv.Cadence != nil {
		add(cadence(*inv.Cadence, inv.Retention(), newest.All, o))
	}
	if inv.MinBackups.Declared() {
		add(minBackups(inv.MinBackups, newest.All))
	}
	if inv.MinSize.Declared() {
		add(ofSize(newest, verdict.Check{ID: "min_size", Code: verdict.CodeMinSize},
			func() verdict.Check { return minSize(inv.MinSize, newest) }))
	}
	if inv.OldestAtLeast.Declared() {
		add(oldestAtLeast(inv.OldestAtLeast, newest.All, o.At))
	}
	if inv.Collapse != nil {
		add(collapsed(*inv.Collapse, Of(newest.All), o.Past, byCount))
		add(collapsedBytes(*inv.Collapse, Of(newest.All), o.Past))
	}
	if inv.SizeChange != nil {
		add(ofSize(newest, verdict.Check{ID: "size_change", Code: verdict.CodeSizeChange},
			func() verdict.Check { return sizeChange(*inv.SizeChange, newest.Size, o.Past) }))
	}
	return checks
}

const (
	notTold   = "not told"
	hintSizes = "let source.exec.list tell sizes, as lines name size time or as JSON; a web server's page tells none"
)

// ofSize judges by the newest's size, which some programs do not tell.
func ofSize(newest catalog.Backup, c verdict.Check, judge func() verdict.Check) verdict.Check {
	if newest.Size != catalog.Unsized {
		return judge()
	}
	c.Say(verdict.Skipped, notTold, hintSizes,
		"not judged: the store does not tell how large %s is", newest.Name)
	return c
}

// fill makes a check tell what kept it from knowing, or what it is to fail for.
// Its code stays: another's would seem to be about the store itself.
func fill(c *verdict.Check, err error) {
	code := c.Code
	c.Take(verdict.AsProblem(err))
	c.Code = code
}

// minute writes a point in time.
const minute = "2006-01-02 15:04 MST"
