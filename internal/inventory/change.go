package inventory

import (
	"daybefore/internal/expect/drift"
	"daybefore/internal/history"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// sum is what may collapse.
type sum struct {
	name string
	of   func(verdict.Inventory) int64
	show func(int64) string
	less string
}

var (
	byCount = sum{"backups", func(v verdict.Inventory) int64 { return v.Backups }, counted, "fewer"}
	byBytes = sum{"bytes", func(v verdict.Inventory) int64 { return v.Bytes }, bytesText, "less"}
)

// collapsed judges whether backups vanished since the last drill that passed.
func collapsed(d spec.Drift, now verdict.Inventory, past history.Past, s sum) verdict.Check {
	c := verdict.Check{ID: "collapse:" + s.name, Code: verdict.CodeCollapse}
	drift.Judge(&c, d, past, drift.Measured{
		Value: s.of(now), Subject: "the store holds", Show: s.show, Less: s.less, More: "more",
		Dropped: "something removes backups: stop whatever prunes this store now, before it goes on, and find out " +
			"what it took for superfluous",
		Of: func(r *verdict.Report) (int64, bool) {
			return s.of(r.Inventory), r.Inventory.Backups > 0 // older harnesses did not count
		},
	})
	return c
}

// sizeChange compares the newest backup's size with those of past drills.
func sizeChange(d spec.Drift, size int64, past history.Past) verdict.Check {
	c := verdict.Check{ID: "size_change", Code: verdict.CodeSizeChange}
	drift.Judge(&c, d, past, drift.Measured{
		Value: size, Subject: "the newest backup has", Show: bytesText, Less: "less", More: "more",
		Dropped: "find out what it lacks: tables or databases that are no longer dumped, rows that were deleted, a " +
			"dump that broke off, a stronger compression",
		Risen: "find out what grew: a table that nothing cleans up, a compression that was " +
			"lost, data that came in twice",
		Of: func(r *verdict.Report) (int64, bool) { return r.Backup.SizeBytes, r.Backup.SizeBytes > 0 },
	})
	return c
}
