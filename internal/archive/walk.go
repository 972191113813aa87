package archive

import (
	"errors"
	"fmt"
	"io"

	"daybefore/internal/packed"

	"daybefore/internal/verdict"
)

// Kinds of data blocks (pg_backup_archiver.h).
const (
	blockData  = 1
	blockBlobs = 3
)

// walk reads every data block up to its end marker. Each entry with data must
// meet its block exactly once, where the table of contents says it lies if
// it says so, and nothing may follow the last one.
func (d *decoder) walk(entries []Entry) {
	owed := map[int]*Entry{}
	for i := range entries {
		if entries[i].HadData {
			owed[entries[i].DumpID] = &entries[i]
		}
	}
	for d.err == nil && len(owed) > 0 {
		d.what = "data blocks"
		if d.atEnd() {
			d.fail(verdict.Truncated("read %s: it ends after %d bytes, before the data of %d of its "+
				"entries; the first without is %s",
				d.name, d.pos, len(owed), firstOwed(entries, owed).name()))
			return
		}
		d.block(owed)
	}
	d.what = "end"
	if d.err == nil && !d.atEnd() && !d.padded() {
		d.corrupt("more bytes follow the last data block, which end where the archive should")
	}
}

func firstOwed(entries []Entry, owed map[int]*Entry) Entry {
	for _, e := range entries {
		if owed[e.DumpID] != nil {
			return e
		}
	}
	return Entry{}
}

// atEnd reports whether the archive ends here. Asking also makes an outer
// compression check its own end.
func (d *decoder) atEnd() bool {
	if d.err != nil {
		return false
	}
	_, err := d.r.Peek(1)
	if err != nil && !errors.Is(err, io.EOF) {
		d.broken(err)
	}
	return errors.Is(err, io.EOF)
}

// padded skips zeros, which tapes and block devices put after a file and
// pg_restore does not see, and reports whether nothing else follows.
func (d *decoder) padded() bool {
	err := packed.Padding(d.r)
	switch {
	case errors.Is(err, packed.ErrAfterPadding):
		return false
	case !errors.Is(err, io.EOF):
		d.broken(err)
	}
	return true
}

// block reads one data block and takes its entry off the list of those owed.
func (d *decoder) block(owed map[int]*Entry) {
	start := d.pos
	kind := d.byte()
	id := d.int()
	if d.err != nil {
		return
	}
	e := owed[int(id)]
	switch {
	case kind != blockData && kind != blockBlobs:
		d.corrupt("a data block is of the unknown kind %d", kind)
	case e == nil:
		d.corrupt("a data block is for entry %d, which has none or had it already", id)
	case (kind == blockBlobs) != (e.Desc == "BLOBS"):
		d.corrupt("the data block of entry %s is of kind %d", e.name(), kind)
	case e.offset.state == offsetKnown && e.offset.pos != start:
		d.corrupt("the data block of entry %s begins at byte %d, and the table of contents says %d", e.name(), start,
			e.offset.pos)
	}
	if d.err != nil {
		return
	}
	e.offset.pos = start
	d.what = fmt.Sprintf("data of entry %s", e.name())
	if kind == blockData {
		e.DataSize = d.chunks()
	} else {
		e.DataSize = d.largeObjects()
	}
	delete(owed, int(id))
}

// largeObjects skips objects, each with its id before it, up to the id 0.
// Ids beyond 2^31 were written as negative numbers.
func (d *decoder) largeObjects() (size int64) {
	for d.err == nil {
		if oid := d.int(); oid == 0 {
			break
		}
		size += d.chunks()
	}
	return size
}

// chunks skips lengths and as many bytes each, up to the length 0.
func (d *decoder) chunks() (size int64) {
	for d.err == nil {
		n := d.int()
		switch {
		case d.err != nil:
			return size
		case n < 0, n > maxString:
			d.corrupt("a chunk claims a length of %d bytes", n)
		case n == 0:
			return size
		default:
			skipped, err := d.r.Discard(int(n))
			d.pos += int64(skipped)
			size += n
			if err != nil {
				d.broken(err)
			}
		}
	}
	return size
}
