package setup

import (
	"time"

	"daybefore/internal/catalog"
	"daybefore/internal/setup/naming"
	"daybefore/internal/spec/amount"
	"daybefore/internal/spec/calendar"
)

const day = 24 * time.Hour

// writeInventory writes what the store is expected to hold, by what it holds now.
func writeInventory(t *text, p *naming.Pattern, now time.Time) {
	r := p.Rhythm()
	all := &text{}
	if r.Every > 0 {
		writeAge(all, r, p.Layout)
		writeCadence(all, r)
	}
	writeCount(all, p.Count())
	writeSize(all, p.Files)
	writeOldest(all, p)
	heading := len(t.lines) + 2 // below a blank line
	if r.Every == 0 {
		t.askAt(heading, "how often are backups taken? %s: add backup_age and cadence", untold(p, r))
	}
	if len(all.lines) == 0 {
		return
	}
	age := now.Sub(p.Files[0].At)
	if r.Every > 0 && age > 2*r.Every {
		t.askAt(heading, "the newest backup is %s old, and one came each %s: has the backup job stopped?", about(age),
			amount.Span(r.Every))
	}
	t.add("\ninventory:")
	t.lines = append(t.lines, all.lines...)
}

// untold is why nothing tells how often backups come.
func untold(p *naming.Pattern, r naming.Rhythm) string {
	switch {
	case p.Layout == "":
		return "the names tell no times"
	case r.Widest > 0:
		return "they lie at no regular times, up to " + about(r.Widest) + " apart"
	}
	return "there are too few to tell"
}

// writeAge writes how old the newest may be.
func writeAge(t *text, r naming.Rhythm, layout string) {
	warn, fail := r.Every*5/4, r.Every*3/2
	if calendar.LayoutUnit(layout) >= calendar.Day { // a name that tells a day may mean its end
		warn, fail = r.Every+day, r.Every+2*day
	}
	t.why("  ", "one came each %s; half as late again means that one is missing", amount.Span(r.Every))
	t.add("  backup_age: {warn_after: %s, fail_after: %s}", amount.Span(warn), amount.Span(fail))
}

func writeCadence(t *text, r naming.Rhythm) {
	if r.Thins {
		t.why("  ", "no cadence: older backups are thinned out, to as much as %s apart", about(r.Widest))
		return
	}
	tolerance := max(r.Every/10, (r.Widest - r.Every + time.Minute).Truncate(time.Minute), time.Minute)
	t.why("  ", "the widest gap is %s", amount.Span(r.Widest))
	t.add("  cadence: {every: %s, tolerance: %s}", amount.Span(r.Every), amount.Span(tolerance))
}

func writeCount(t *text, count int64) {
	const few = 5
	switch {
	case count < 2:
		return
	case count < few:
		t.why("  ", "there are %d now", count)
		t.add("  min_backups: %d", count-1)
	default:
		t.why("  ", "there are %d now: a fifth fewer warns, half as many fail", count)
		t.add("  min_backups: {warn_below: %d, fail_below: %d}", (count*4+4)/5, (count+1)/2)
	}
}

// writeSize writes how small the newest may be: half of the smallest of the last ones.
func writeSize(t *text, files []naming.File) {
	const last = 7
	least := int64(-1)
	some := files[:min(last, len(files))]
	for _, f := range some {
		if f.Size != catalog.Unsized && (least < 0 || f.Size < least) {
			least = f.Size
		}
	}
	if least < 2 {
		return
	}
	t.why("  ", "half of the smallest of the newest %d: %s", len(some), amount.Size(least))
	t.add("  min_size: %s", sizeKey(least/2))
}

// sizeKey is a size as a drill file writes it, rounded down.
func sizeKey(n int64) string {
	for _, u := range []struct {
		size int64
		name string
	}{{1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}} {
		const exact = 10
		if n >= exact*u.size {
			return number(n/u.size) + u.name
		}
	}
	return number(n)
}

// writeOldest writes for how long backups are kept.
func writeOldest(t *text, p *naming.Pattern) {
	const least = 5
	if p.Layout == "" || p.Count() < least {
		return
	}
	kept := p.Files[0].At.Sub(p.Files[len(p.Files)-1].At)
	if kept < 2*day {
		return
	}
	t.why("  ", "the oldest is %s older than the newest; four fifths of that", about(kept))
	t.add("  oldest_at_least: %s", amount.Span((kept * 4 / 5).Truncate(day)))
}
