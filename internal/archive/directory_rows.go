package archive

import (
	"bytes"

	"daybefore/internal/verdict"
)

// How pg_dump ends the file of a table's rows (pg_dump.c, dumpTableData_copy and
// dumpTableData_insert): nothing else tells of one that is not packed whether it
// is whole.
const (
	copyEnds    = "\\.\n\n\n"
	insertsEnd  = ";\n\n\n"
	noneInserts = "\n\n"
)

// rowsLook looks at the rows of a table as they pass: how they end, and whether
// they have as many fields as the table has columns, so that those of another
// table are told.
type rowsLook struct {
	columns     int // -1: not told
	size        int64
	lines, tabs int64
	last        []byte // bytes that passed last, as many as the longest end has
}

func (r *rowsLook) at(b []byte) {
	r.size += int64(len(b))
	if r.columns >= 0 {
		r.lines += int64(bytes.Count(b, []byte{'\n'}))
		r.tabs += int64(bytes.Count(b, []byte{'\t'}))
	}
	const keep = len("\n" + copyEnds)
	r.last = append(r.last, b[max(0, len(b)-keep):]...)
	r.last = r.last[max(0, len(r.last)-keep):]
}

// is reports whether this short text was all that passed.
func (r *rowsLook) is(text string) bool { return r.size == int64(len(text)) && string(r.last) == text }

// end judges the rows of an entry after their last byte.
func (r *rowsLook) end(name string, e *Entry) error {
	if e.CopyStmt == "" {
		if bytes.HasSuffix(r.last, []byte(insertsEnd)) || r.is(noneInserts) {
			return nil
		}
		return verdict.Truncated("read %s: the INSERT statements of entry %s do not end as pg_dump ends them",
			name, e.name())
	}
	if !bytes.HasSuffix(r.last, []byte("\n"+copyEnds)) && !r.is(copyEnds) {
		return verdict.Truncated("read %s: the rows of entry %s end after %d bytes without the mark that ends them",
			name, e.name(), r.size)
	}
	rows := r.lines - int64(bytes.Count([]byte(copyEnds), []byte{'\n'}))
	if r.columns >= 0 && r.tabs != rows*int64(max(0, r.columns-1)) {
		return verdict.Corrupt("read %s: its %d rows do not have the %d columns of entry %s: it holds another table's",
			name, rows, r.columns, e.name())
	}
	return nil
}
