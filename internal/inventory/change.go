package inventory

import (
	"daybefore/internal/expect/drift"
	"daybefore/internal/history"
	"daybefore/internal/spec"
	"daybefore/internal/spec/amount"
	"daybefore/internal/verdict"
)

// sum is what may collapse.
type sum struct {
	name string
	of   func(verdict.Inventory) (n int64, told bool)
	show func(int64) string
	less string
}

var (
	byCount = sum{"backups", countOf, counted, "fewer"}
	byBytes = sum{"bytes", bytesOf, amount.Size, "less"}
)

// countOf is false of reports by older harnesses, which did not count.
func countOf(v verdict.Inventory) (int64, bool) { return v.Backups, v.Backups > 0 }

// bytesOf is false where a size was not told; older harnesses took it for 0.
func bytesOf(v verdict.Inventory) (int64, bool) {
	return v.Bytes, v.Backups > 0 && v.Unsized == 0 && v.Bytes > 0
}

// collapsedBytes judges by the bytes of all backups, which not every store
// tells: a sum that lacks some is never compared.
func collapsedBytes(d spec.Drift, now verdict.Inventory, past history.Past) verdict.Check {
	if now.Unsized == 0 {
		return collapsed(d, now, past, byBytes)
	}
	c := verdict.Check{ID: "collapse:" + byBytes.name, Code: verdict.CodeCollapse}
	c.Say(verdict.Skipped, notTold, hintSizes, "not judged: the store does not tell the sizes of %d of %s",
		now.Unsized, counted(now.Backups))
	return c
}

// collapsed judges whether backups vanished since the last drill that passed.
func collapsed(d spec.Drift, now verdict.Inventory, past history.Past, s sum) verdict.Check {
	c := verdict.Check{ID: "collapse:" + s.name, Code: verdict.CodeCollapse}
	value, _ := s.of(now)
	drift.Judge(&c, d, past, drift.Measured{
		Value: value, Subject: "the store holds", Show: s.show, Less: s.less, More: "more",
		Dropped: "something removes backups: stop whatever prunes this store now, before it goes on, and find out " +
			"what it took for superfluous",
		Of: func(r *verdict.Report) (int64, bool) { return s.of(r.Inventory) },
	})
	return c
}

// sizeChange compares the newest backup's size with those of past drills.
func sizeChange(d spec.Drift, size int64, past history.Past) verdict.Check {
	c := verdict.Check{ID: "size_change", Code: verdict.CodeSizeChange}
	drift.Judge(&c, d, past, drift.Measured{
		Value: size, Subject: "the newest backup has", Show: amount.Size, Less: "less", More: "more",
		Dropped: "find out what it lacks: tables or databases that are no longer dumped, rows that were deleted, a " +
			"dump that broke off, a stronger compression",
		Risen: "find out what grew: a table that nothing cleans up, a compression that was " +
			"lost, data that came in twice",
		Of: func(r *verdict.Report) (int64, bool) { return r.Backup.SizeBytes, r.Backup.SizeBytes > 0 },
	})
	return c
}
