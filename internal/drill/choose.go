package drill

import (
	"context"
	"fmt"
	"io"
	"time"

	"daybefore/internal/archive"
	"daybefore/internal/catalog"
	"daybefore/internal/inventory"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// choose finds the newest backup and reads its header out of the store, so
// that an old dump under a new name is known before it is fetched.
func (r *run) choose(ctx context.Context) error {
	return r.stage(ctx, verdict.StageChoose, func(ctx context.Context) (err error) {
		r.judgePast()
		src := r.Drill.Source
		if r.store, err = catalog.Open(ctx, src); err != nil {
			return err
		}
		r.report.Backup.Store = r.store.URL()
		if r.backup, err = catalog.Choose(ctx, r.store, src, peekTime); err != nil {
			return err
		}
		b := &r.report.Backup
		b.Name, b.SizeBytes, b.ETag, b.TakenAt = r.backup.Name, r.backup.Size, r.backup.ETag, r.backup.TakenAt
		r.setAsOf()
		r.report.Inventory = inventory.Of(r.backup.All)
		r.checks(inventory.Judge(ctx, r.store, r.Drill.Inventory, r.backup, inventory.Options{At: r.ageAt(), Past: r.Past, Peek: peekTime})...)
		return r.peek(ctx)
	})
}

func peekTime(first io.Reader) (time.Time, error) {
	h, err := archive.Peek(first)
	if err == nil && h.Created.IsZero() {
		err = verdict.Errorf(verdict.CodeSpec, "put {time} into source.name: a plain dump does not say when it was taken",
			"read the time out of the header: there is none")
	}
	return h.Created, err
}

// peek reads the header, and compares its time with the name's.
func (r *run) peek(ctx context.Context) error {
	first := catalog.HeaderReader(ctx, r.store, r.backup.Object)
	defer first.Close()
	h, err := archive.Peek(first)
	if err != nil {
		return fmt.Errorf("read the header of %s: %w", r.backup.Name, err)
	}
	r.header = h
	b := &r.report.Backup
	b.Format, b.Compression, b.Database = string(h.Format), h.Packing(), h.Database
	b.ServerVersion, b.DumpVersion, b.Encoding = h.ServerVersion, h.DumpVersion, h.Encoding
	if r.backup.TimeFrom != catalog.FromName || h.Created.IsZero() {
		return nil
	}
	return sameTime(r.backup, h.Created, r.Drill.Source)
}

// sameTime compares a name's time with the header's, which is the dumping
// machine's local time: in the declared zone or, where none is, in any.
func sameTime(b catalog.Backup, created time.Time, src spec.Source) error {
	zone := src.Location
	if zone == nil {
		zone = time.UTC
	}
	header := spec.InZone(created, zone)
	apart := header.Sub(b.TakenAt).Abs()
	if apart <= src.TimeTolerance {
		return nil
	}
	return verdict.Failf(verdict.CodeTimeMismatch, mismatchHint(apart),
		"%s: its name says %s and its header %s (%s apart, allowed %s)", b.Name,
		b.TakenAt.Format(time.RFC3339), header.UTC().Format(time.RFC3339), apart.Round(time.Second), src.TimeTolerance)
}

// Zones lie at most so far from UTC, and whole quarters of an hour; between
// the time in a name and pg_dump's beginning lie seconds, or a few minutes.
const (
	furthestZone = 14 * time.Hour
	zoneStep     = 15 * time.Minute
	nameAndBegin = 2 * time.Minute
)

// mismatchHint says what may have put name and header apart: first of all
// another zone, where they are as far apart as zones are.
func mismatchHint(apart time.Duration) string {
	const older = "an older dump lies under a newer name, or the name's time is not when it was taken"
	zones := apart.Round(zoneStep)
	if zones == 0 || zones > furthestZone || (apart-zones).Abs() > nameAndBegin {
		return older
	}
	return fmt.Sprintf("they are %s apart, as the clocks of two time zones are: is the dumping machine in another zone? then set source.timezone; else %s", spec.Span(zones), older)
}

// setAsOf resolves what freshness is judged against.
func (r *run) setAsOf() {
	e := r.Drill.Expectations
	switch e.AsOf {
	case spec.AsOfNow:
		r.asOf = r.Now
	case spec.AsOfFixed:
		r.asOf = e.AsOfTime
	default:
		r.asOf = r.backup.TakenAt
	}
	r.report.AsOf = e.AsOf + " " + r.asOf.UTC().Format(time.RFC3339)
}

// ageAt is when a backup's age is judged: now, since against its own time it
// is always young; or the fixed time of a drill that is judged as of one.
func (r *run) ageAt() time.Time {
	if r.Drill.Expectations.AsOf == spec.AsOfFixed {
		return r.asOf
	}
	return r.Now
}
