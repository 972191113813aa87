package drill

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"daybefore/internal/archive"
	"daybefore/internal/catalog"
	"daybefore/internal/inventory"
	"daybefore/internal/spec"
	"daybefore/internal/spec/amount"
	"daybefore/internal/spec/calendar"
	"daybefore/internal/verdict"
)

// choose finds the newest backup and reads its header out of the store, so
// that an old dump under a new name is known before it is fetched.
func (r *run) choose(ctx context.Context) error {
	return r.stage(ctx, verdict.StageChoose, func(ctx context.Context) (err error) {
		r.judgePast()
		r.judgeProven()
		r.keys, err = keysOf(r.Drill.Source.Decrypt)
		if err != nil {
			return err
		}
		if err := r.pick(ctx); err != nil {
			return err
		}
		unfit := r.peek(ctx) // first, since a header may tell the time better than the name
		b := &r.report.Backup
		b.Name = r.backup.Name
		b.ETag = r.backup.ETag
		b.TakenAt = r.backup.TakenAt
		b.Unsized = r.backup.Size == catalog.Unsized // until it is fetched
		b.SizeBytes = max(0, r.backup.Size)
		if n := len(r.backup.Objects); n > 1 {
			b.Files = n
		}
		if r.backup.Until.After(b.TakenAt) {
			b.TakenUntil = r.backup.Until
		}
		r.setAsOf()
		if r.report.Backup.IsNewest() {
			r.judgeStore(ctx)
		}
		return unfit
	})
}

// judgeStore judges the store in which the newest was chosen. Of another one's
// drill it is no concern.
func (r *run) judgeStore(ctx context.Context) {
	r.report.Inventory = inventory.Of(r.backup.All)
	o := inventory.Options{At: r.ageAt(), Past: r.Past, Peek: r.peekTime(ctx), Days: days(r.Drill.Source)}
	r.checks(inventory.Judge(ctx, r.store, r.Drill.Inventory, r.backup, o)...)
	r.checks(unfinished(r.backup.Unfinished, r.Now)...)
}

// days is the zone whose days the backups' names tell; nil where they tell
// moments.
func days(src spec.Source) *time.Location {
	switch {
	case src.Unit() < calendar.Day:
		return nil
	case src.Location == nil:
		return time.UTC
	}
	return src.Location
}

// peekTime reads out of a backup's first bytes when it was taken.
func (r *run) peekTime(ctx context.Context) func(io.Reader) (time.Time, error) {
	return func(first io.Reader) (time.Time, error) {
		h, err := archive.Peek(ctx, first, r.keys)
		if err == nil && h.Created.IsZero() {
			err = verdict.Errorf(verdict.CodeSpec,
				"put {time} into source.name: a plain dump does not say when it was taken",
				"read the time out of the header: there is none")
		}
		return h.Created, err
	}
}

// peek reads the headers, and compares their times with the name's. Where one
// belongs to another time, the parts are not of one backup.
func (r *run) peek(ctx context.Context) error {
	heads := r.backup.Heads()
	all, err := r.headers(ctx, heads)
	if err != nil {
		return err
	}
	h := telling(all)
	h.Encryption, h.Key = archive.Encryptions(all)
	r.header = h
	b := &r.report.Backup
	b.Format = string(h.Format)
	b.Compression = h.Packing()
	b.Encryption = h.Encryption
	b.Key = h.Key
	b.Database = h.Database
	b.ServerVersion, b.DumpVersion, b.Encoding = h.ServerVersion, h.DumpVersion, h.Encoding
	if r.backup.TimeFrom != catalog.FromName {
		return nil
	}
	for i, o := range heads {
		if all[i].Created.IsZero() {
			continue
		}
		part := r.backup
		if len(heads) > 1 {
			part.Name = o.Name
		}
		if err := sameTime(part, all[i].Created, r.Drill.Source); err != nil {
			return err
		}
	}
	if !h.Created.IsZero() {
		r.backup = takenBy(r.backup, h.Created, r.Drill.Source)
	}
	return nil
}

// headers are the headers of the backup, one a part.
func (r *run) headers(ctx context.Context, heads []catalog.Object) ([]archive.Header, error) {
	all := make([]archive.Header, len(heads))
	for i, o := range heads {
		h, err := r.headerOf(ctx, o)
		if err != nil {
			return nil, err
		}
		all[i] = h
	}
	return all, nil
}

// telling is the header of the first part that tells a server's version, or of
// the first.
func telling(all []archive.Header) archive.Header {
	for _, h := range all {
		if h.ServerMajor != 0 {
			return h
		}
	}
	return all[0]
}

func (r *run) headerOf(ctx context.Context, o catalog.Object) (archive.Header, error) {
	first := catalog.HeaderReader(ctx, r.store, o)
	defer first.Close()
	h, err := archive.Peek(ctx, first, r.keys)
	if err != nil {
		if verdict.AsProblem(err).Outcome == verdict.Fail {
			err = cmp.Or(catalog.HeaderAsStored(ctx, r.store, o), catalog.StillWritten(ctx, r.store, r.backup), err)
		}
		return h, fmt.Errorf("read the header of %s: %w", o.Name, err)
	}
	return h, nil
}

// takenBy is the backup with its header's time, where the name tells no more
// than an hour or a day, and the header's zone is known.
func takenBy(b catalog.Backup, created time.Time, src spec.Source) catalog.Backup {
	if src.Location == nil || !b.Until.After(b.TakenAt) {
		return b
	}
	b.TakenAt = calendar.InZone(created, src.Location).UTC()
	b.TimeFrom = catalog.FromHeader
	b.Until = b.TakenAt
	b.All = slices.Clone(b.All)
	b.All[0].Until = b.TakenAt // its TakenAt is compared with the names of others
	return b
}

// sameTime compares a name's time with the header's, which is the dumping
// machine's local time: in the declared zone or, where none is, in any. A name
// that tells a day stands for all of it.
func sameTime(b catalog.Backup, created time.Time, src spec.Source) error {
	zone := src.Location
	if zone == nil {
		zone = time.UTC
	}
	header := calendar.InZone(created, zone)
	apart := beside(b, header)
	if apart.Abs() <= src.TimeTolerance {
		return nil
	}
	return verdict.Failf(verdict.CodeTimeMismatch, mismatchHint(apart),
		"%s: its name says %s and its header %s (%s apart, allowed %s)", b.Name,
		timeInName(b), header.UTC().Format(time.RFC3339), apart.Abs().Round(time.Second), src.TimeTolerance)
}

// beside is how far a time lies outside of what a backup's name tells; below
// zero before it.
func beside(b catalog.Backup, at time.Time) time.Duration {
	switch {
	case at.Before(b.TakenAt):
		return at.Sub(b.TakenAt)
	case at.After(b.Until) && b.Until.After(b.TakenAt):
		return at.Sub(b.Until)
	case b.Until.After(b.TakenAt):
		return 0
	}
	return at.Sub(b.TakenAt)
}

// timeInName is the time that a backup's name tells.
func timeInName(b catalog.Backup) string {
	from := b.TakenAt.Format(time.RFC3339)
	if !b.Until.After(b.TakenAt) {
		return from
	}
	return from + " to " + b.Until.Format(time.RFC3339)
}

// Zones lie at most so far from UTC, and whole quarters of an hour; between
// the time in a name and pg_dump's beginning lie seconds, or a few minutes.
const (
	furthestZone = 14 * time.Hour
	zoneStep     = 15 * time.Minute
	nameAndBegin = 2 * time.Minute
)

// mismatchHint says what may have put name and header apart, the header being
// so much later, or earlier: first of all another zone, where they are as far
// apart as zones are.
func mismatchHint(apart time.Duration) string {
	cause := "an older dump has a newer name, or the name's time is not when it was taken; if it tells when a " +
		"long dump ended, set source.time_tolerance to how long it takes"
	if apart > 0 {
		cause = "a newer dump was written under an older name, or the name's time is not when the dump began, or a " +
			"clock is wrong: find out what names the files"
	}
	apart = apart.Abs()
	zones := apart.Round(zoneStep)
	if zones == 0 || zones > furthestZone || (apart-zones).Abs() > nameAndBegin {
		return cause
	}
	return fmt.Sprintf("they are %s apart, as the clocks of two time zones are: is the dumping machine in another "+
		"zone? then set source.timezone; else %s", amount.Span(zones), cause)
}

// setAsOf resolves what freshness is judged against.
func (r *run) setAsOf() {
	e := r.Drill.Expectations
	mode := e.AsOf
	if mode == spec.AsOfNow && r.older() { // by now nothing in it can be fresh
		mode = spec.AsOfBackup
	}
	switch mode {
	case spec.AsOfNow:
		r.asOf = r.Now
	case spec.AsOfFixed:
		r.asOf = e.AsOfTime
	default:
		r.asOf, r.asOfUntil = r.backup.TakenAt, r.backup.Until
		if r.Now.After(r.asOf) && r.Now.Before(r.asOfUntil) { // it was taken by now
			r.asOfUntil = r.Now
		}
	}
	r.report.AsOf = mode + " " + r.asOf.UTC().Format(time.RFC3339)
}

// ageAt is when a backup's age is judged: now, since against its own time it
// is always young; or the fixed time of a drill that is judged as of one.
func (r *run) ageAt() time.Time {
	if r.Drill.Expectations.AsOf == spec.AsOfFixed {
		return r.asOf
	}
	return r.Now
}
