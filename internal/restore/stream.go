package restore

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"daybefore/internal/verdict"
)

// A rewrite turns one row of COPY text, without its newline, into what is
// sent to the server, appended to dst.
type rewriteFunc = func(dst, row []byte) ([]byte, error)

// Sizes of the buffers between pg_restore and the server. The first holds
// several reads of a pipe; the second is what pgconn asks for at a time.
const (
	readSize  = 256 << 10
	writeSize = 64 << 10
	// keepSize is the largest buffer that outlives a table with long rows.
	// Within one it stays: where a row is long the next may be, and buffers made
	// anew for each are garbage that takes more room than they do.
	keepSize = 4 << 20
)

// maxRow is how long a line of COPY text can be: the server holds it in one
// buffer, of MaxAllocSize (src/include/utils/memutils.h), as pg_dump's did.
const maxRow = 1<<30 - 1

// errLongRow is a row that no server has written, and none would read.
func errLongRow(row int64) error {
	return verdict.Failf(verdict.CodeCorrupt,
		"the ends of rows are lost, so the backup is damaged: take another one, and look at how this one was stored",
		"row %d is longer than 1 GiB (PostgreSQL's limit)", row)
}

// errLine is what remains of a line that is longer than any row.
var errLine = errors.New("a line is longer than 1 GiB (PostgreSQL's limit of a row)")

// errNoEnd is what remains of a block that stopped before its end marker.
var errNoEnd = errors.New(`the rows stopped before the marker \. that ends them`)

// dumpStream reads what `pg_restore -f -` writes for TABLE DATA entries: SET
// statements and comments, and for each entry its COPY statement, its rows
// and the end marker. It knows which COPY statements must come, in which
// order, to the byte: nothing in a row, a name or a comment can pass for one.
type dumpStream struct {
	src   io.Reader
	most  int    // bytes of a line; 0: maxRow
	buf   []byte // buf[r:w] is read and not yet used
	r, w  int
	err   error // of src, sticky
	bytes int64 // of rows, as they came
}

func newDumpStream(src io.Reader) *dumpStream {
	return &dumpStream{src: src, buf: make([]byte, readSize)}
}

// reset begins with another source, in the same buffer.
func (d *dumpStream) reset(src io.Reader) *dumpStream {
	d.src, d.r, d.w, d.err = src, 0, 0, nil
	if len(d.buf) > keepSize {
		d.buf = make([]byte, readSize)
	}
	return d
}

// fill reads once more behind what is buffered, making room first.
func (d *dumpStream) fill() error {
	if d.err != nil {
		return d.err
	}
	switch {
	case d.r == d.w:
		d.r, d.w = 0, 0
	case d.w == len(d.buf) && d.r >= len(d.buf)/2:
		d.w = copy(d.buf, d.buf[d.r:d.w])
		d.r = 0
	case d.w == len(d.buf):
		grown := make([]byte, min(len(d.buf)+max(readSize, len(d.buf)/2), max(d.longest(), len(d.buf))+readSize))
		d.w = copy(grown, d.buf[d.r:d.w])
		d.r, d.buf = 0, grown
	}
	n, err := d.src.Read(d.buf[d.w:])
	d.w += n
	if err != nil {
		d.err = err
	}
	if n > 0 {
		return nil
	}
	return err
}

func (d *dumpStream) longest() int { return cmp.Or(d.most, maxRow) }

// line returns the next line without its newline, valid until the next call.
func (d *dumpStream) line() ([]byte, error) {
	for seen := 0; ; {
		if i := bytes.IndexByte(d.buf[d.r+seen:d.w], '\n'); i >= 0 {
			line := d.buf[d.r : d.r+seen+i]
			if len(line) > d.longest() {
				return nil, errLine
			}
			d.r += len(line) + 1
			return line, nil
		}
		seen = d.w - d.r
		if seen > d.longest() {
			return nil, errLine
		}
		if err := d.fill(); err != nil {
			if err == io.EOF && seen > 0 {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
	}
}

// hasPrefix reports whether prefix is next, reading as far as needed to know.
func (d *dumpStream) hasPrefix(prefix string) (bool, error) {
	for {
		n := min(d.w-d.r, len(prefix))
		if string(d.buf[d.r:d.r+n]) != prefix[:n] {
			return false, nil
		}
		if n == len(prefix) {
			return true, nil
		}
		if err := d.fill(); err != nil {
			if err == io.EOF {
				return false, nil
			}
			return false, err
		}
	}
}

// next skips to the rows of the entry whose COPY statement is given, which
// must be the next one. Only what pg_restore itself writes between entries
// may stand before it.
func (d *dumpStream) next(copyStmt string) error {
	for {
		found, err := d.hasPrefix(copyStmt)
		if err != nil {
			return err
		}
		if found {
			d.r += len(copyStmt)
			return nil
		}
		line, err := d.line()
		if err != nil {
			if err == io.EOF {
				return errors.New("pg_restore ended before this table's rows")
			}
			return err
		}
		if !between(line) {
			return fmt.Errorf("pg_restore wrote something other than this table's COPY statement "+
				"(%d bytes beginning with %q)",
				len(line), firstWord(line))
		}
	}
}

// end reads to the end of the stream, where no further rows may come.
func (d *dumpStream) end() error {
	for {
		line, err := d.line()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if !between(line) {
			return fmt.Errorf("pg_restore wrote more than was asked for (%d bytes beginning with %q)", len(line),
				firstWord(line))
		}
	}
}

// between reports whether a line may stand between two entries.
func between(line []byte) bool {
	line = bytes.TrimRight(line, "\r")
	return len(line) == 0 ||
		bytes.HasPrefix(line, []byte("--")) ||
		bytes.HasPrefix(line, []byte("SET ")) ||
		bytes.HasPrefix(line, []byte("SELECT pg_catalog.set_config(")) ||
		bytes.HasPrefix(line, []byte(`\restrict `)) ||
		bytes.HasPrefix(line, []byte(`\unrestrict `))
}

// firstWord gives at most one keyword of a line: never a value.
func firstWord(line []byte) string {
	i := 0
	for i < len(line) && i < 12 && (line[i] >= 'A' && line[i] <= 'Z' || line[i] >= 'a' && line[i] <= 'z') {
		i++
	}
	return string(line[:i])
}

// block is the rows of one entry, on their way to the server: an io.Reader
// of rewritten rows that ends with io.EOF behind `\.` and with another error
// anywhere else.
type block struct {
	d       *dumpStream
	rewrite rewriteFunc
	rows    int64
	out     []byte // rewritten, not yet handed out
	off     int
	inRow   bool // passing: the output ends inside a row
	passed  int  // passing: bytes of that row
	done    bool
	err     error // what ended it early
	moved   func(rows, size int64)
	reading sync.Mutex // held by Read, which another goroutine may be in
	stopped bool       // nobody wants more
}

// stop waits for a Read that is under way, and lets no other begin. CopyFrom
// returns from a connection that broke while its goroutine still reads: behind
// this, nothing more is rewritten, counted or found.
func (b *block) stop() {
	b.reading.Lock()
	defer b.reading.Unlock()
	b.stopped = true
}

// Read fills p as long as there are rows: what it returns becomes a message to
// the server, and each costs a system call on either side.
func (b *block) Read(p []byte) (n int, err error) {
	b.reading.Lock()
	defer b.reading.Unlock()
	if b.stopped {
		return 0, io.ErrClosedPipe
	}
	for n < len(p) {
		if b.off == len(b.out) {
			if b.err != nil || b.done {
				break
			}
			b.refill()
			continue
		}
		copied := copy(p[n:], b.out[b.off:])
		n += copied
		b.off += copied
	}
	switch {
	case n > 0 || len(p) == 0:
		return n, nil
	case b.err != nil:
		return 0, b.err
	}
	return 0, io.EOF
}

// refill brings the next rows into the output, which is used up.
func (b *block) refill() {
	b.out, b.off = b.out[:0], 0
	rows, read := b.rows, b.d.bytes
	if b.rewrite == nil {
		b.err = b.pass()
	} else {
		b.err = b.rewriteSome()
	}
	if b.moved != nil {
		b.moved(b.rows-rows, b.d.bytes-read)
	}
}

// drain reads the block to its end without using the rows, so that the next
// entry can be read after a table that the server refused.
func (b *block) drain() error {
	b.rewrite, b.out, b.off = nil, b.out[:0], 0
	for !b.done && b.err == nil {
		b.out = b.out[:0]
		b.err = b.pass()
	}
	return b.err
}

const endMarker = "\\.\n"

// pass hands on what is buffered as it is: whole rows, or a part of one that
// is longer than what is buffered.
func (b *block) pass() error {
	d := b.d
	if d.r == d.w {
		if err := d.fill(); err != nil {
			return noEnd(err)
		}
	}
	chunk := d.buf[d.r:d.w]
	if b.inRow {
		i := bytes.IndexByte(chunk, '\n')
		b.inRow = i < 0
		return b.passPart(cmp.Or(i+1, len(chunk)))
	}
	last := bytes.LastIndexByte(chunk, '\n')
	if last < 0 {
		if len(chunk) < len(endMarker) { // may yet become the end marker
			return noEnd(d.fill())
		}
		b.inRow, b.passed = true, 0
		return b.passPart(len(chunk))
	}
	chunk = chunk[:last+1]
	if end := markerAt(chunk); end >= 0 {
		b.take(end)
		d.r += len(endMarker)
		b.done = true
		return nil
	}
	b.take(len(chunk))
	return nil
}

// passPart hands on a part of a row, as long as it can be one.
func (b *block) passPart(n int) error {
	b.passed += n
	if b.passed > b.d.longest()+1 { // and its newline
		return errLongRow(b.rows + 1)
	}
	b.take(n)
	return nil
}

// take moves n bytes from the stream to the output, and counts the rows that
// end in them.
func (b *block) take(n int) {
	chunk := b.d.buf[b.d.r : b.d.r+n]
	b.rows += int64(bytes.Count(chunk, []byte{'\n'}))
	b.out = append(b.out, chunk...)
	b.d.r += n
	b.d.bytes += int64(n)
}

// markerAt finds the end marker at the start of a line of whole lines.
func markerAt(lines []byte) int {
	if bytes.HasPrefix(lines, []byte(endMarker)) {
		return 0
	}
	if i := bytes.Index(lines, []byte("\n"+endMarker)); i >= 0 {
		return i + 1
	}
	return -1
}

// rewriteSome rewrites rows until a write's worth of output is there.
func (b *block) rewriteSome() error {
	for len(b.out) < writeSize {
		row, err := b.d.line()
		if err == errLine {
			return errLongRow(b.rows + 1)
		}
		if err != nil {
			return noEnd(err)
		}
		if len(row) == 2 && row[0] == '\\' && row[1] == '.' {
			b.done = true
			return nil
		}
		b.rows++
		b.d.bytes += int64(len(row)) + 1
		if len(row) > keepSize {
			b.out = slices.Grow(b.out, len(row)+len(row)/8)
		}
		b.out, err = b.rewrite(b.out, row)
		if err != nil {
			return err
		}
		b.out = append(b.out, '\n')
	}
	return nil
}

func noEnd(err error) error {
	if err == nil {
		return nil
	}
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return errNoEnd
	}
	return fmt.Errorf("%w: %w", errNoEnd, err)
}
