package harness

import (
	"context"
	"path/filepath"
	"strings"
	"time"

	"daybefore/internal/catalog"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// What -pick takes.
const (
	pickRandom   = string(catalog.ByChance)
	pickUnproven = string(catalog.ByProof)
)

// proofCounts is how long a backup that was proven is not picked again: within
// it each is proven once.
const proofCounts = 30 * 24 * time.Hour

// choice is the backup that is asked for; the zero value is the newest.
type choice struct {
	name   string
	before string
	pick   string
	copy   int
	local  string // a file's path
}

// choice reads which backup is asked for.
func (o DrillOptions) choice(files []spec.Loaded) (choice, error) {
	c := choice{name: o.Backup, before: o.Before, pick: o.Pick, copy: o.Copy}
	asked := 0
	for _, given := range []bool{c.name != "", c.before != "", c.pick != "", c.copy != 0} {
		if given {
			asked++
		}
	}
	switch {
	case asked > 1:
		return c, cannot("drill: -backup, -before, -pick and -copy each say which backup it is: keep one of them")
	case c.pick != "" && c.pick != pickRandom && c.pick != pickUnproven:
		return c, cannot("drill -pick=%s: it takes %s or %s", shown(c.pick), pickRandom, pickUnproven)
	case c.copy < 0:
		return c, cannot("drill -copy=%d: give 1 for the first of inventory.copies", c.copy)
	case c.name != "" && len(files) != 1:
		return c, cannot("drill -backup=%s: say of which drill it is, as in: %s", shell(c.name),
			command("drill -name=shop -backup="+shell(c.name)))
	}
	if _, err := timeIn(c.before, time.UTC); err != nil && c.before != "" {
		return c, cannot("drill -before=%s: it takes a time, such as -before=2026-11-29 or -before=2026-11-29T06:00Z",
			shown(c.before))
	}
	if isPath(c.name) {
		path, err := filepath.Abs(c.name)
		if err != nil {
			return c, cannot("drill -backup=%s: %v", shown(c.name), err)
		}
		c.local = path
		c.name = ""
	}
	return c, nil
}

// isPath reports whether a backup is a file of this machine: names in a store
// begin neither with a slash nor with a dot and a slash.
func isPath(name string) bool {
	return filepath.IsAbs(name) || name == "." || name == ".." || strings.HasPrefix(name, "./") ||
		strings.HasPrefix(name, "../")
}

// Times that a person writes, in the zone of the backups unless they tell one.
var timeLayouts = []string{time.RFC3339, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05", "2006-01-02T15:04",
	"2006-01-02 15:04:05", "2006-01-02 15:04", time.DateOnly}

func timeIn(text string, zone *time.Location) (t time.Time, err error) {
	for _, layout := range timeLayouts {
		t, err = time.ParseInLocation(layout, text, zone)
		if err == nil {
			return t, nil
		}
	}
	return t, err
}

// forDrill is the choice in the words of one drill.
func (c choice) forDrill(ctx context.Context, d *spec.Drill, rec *record, now time.Time) (catalog.Choice, error) {
	switch {
	case c.name != "":
		return catalog.Choice{By: catalog.ByName, Name: c.name}, nil
	case c.before != "":
		zone := d.Source.Location
		if zone == nil {
			zone = time.UTC
		}
		at, err := timeIn(c.before, zone)
		return catalog.Choice{By: catalog.ByTime, Before: at}, err
	case c.pick == pickRandom:
		return catalog.Choice{By: catalog.ByChance}, nil
	case c.pick == pickUnproven:
		drilled, err := rec.drilled(ctx, now)
		return catalog.Choice{By: catalog.ByProof, Drilled: drilled}, err
	}
	return catalog.Choice{}, nil
}

// drilled tells of each backup when it was last drilled within the time that
// counts, and whether that proved it, by the reports that somebody vouches for.
func (rec *record) drilled(ctx context.Context, now time.Time) (func(catalog.Entry) (time.Time, bool), error) {
	kept, err := rec.since(ctx, now.Add(-proofCounts))
	if err != nil {
		p := verdict.AsProblem(err)
		return nil, verdict.Errorf(verdict.CodeHistory, p.Hint,
			"pick a backup that was not proven lately: past reports cannot be read: %w", err)
	}
	type drill struct {
		at     time.Time
		etag   string
		proven bool
	}
	of := map[string][]drill{}
	for _, k := range kept {
		if k.Err != nil || !k.Proven {
			continue
		}
		r := k.Report
		if r.Backup.Chosen == "local" || strings.HasPrefix(r.Backup.Chosen, "copy ") { // of another place
			continue
		}
		passed := r.Outcome == verdict.Pass || r.Outcome == verdict.Warn
		of[r.Backup.Name] = append(of[r.Backup.Name], drill{r.StartedAt, r.Backup.ETag, passed})
	}
	return func(e catalog.Entry) (last time.Time, proven bool) {
		for _, d := range of[e.Name] {
			if d.etag != e.ETag && d.etag != "" && e.ETag != "" {
				continue // another one of the same name
			}
			if d.at.After(last) {
				last = d.at
			}
			proven = proven || d.proven
		}
		return last, proven
	}, nil
}
