// Package stream reads the rows of a dump as COPY text, one table after the
// other, and hands them on as they are or rewritten. It must never take anything
// but the end marker for the end of a table's rows, nor a row, a name or a
// comment for the beginning of others; it knows no server and no archive.
package stream

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

// Rewrite turns one row of COPY text, without its newline, into what is
// sent to the server, appended to dst.
type Rewrite = func(dst, row []byte) ([]byte, error)

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

// ErrNoEnd is what remains of a block that stopped before its end marker.
var ErrNoEnd = errors.New(`the rows stopped before the marker \. that ends them`)

// Dump reads what `pg_restore -f -` writes for TABLE DATA entries: SET
// statements and comments, and for each entry its COPY statement, its rows
// and the end marker. It knows which COPY statements must come, in which
// order, to the byte: nothing in a row, a name or a comment can pass for one.
type Dump struct {
	src   io.Reader
	most  int    // bytes of a line; 0: maxRow
	buf   []byte // buf[r:w] is read and not yet used
	r, w  int
	err   error // of src, sticky
	bytes int64 // of rows, as they came
}

// New is the dump that a reader brings.
func New(src io.Reader) *Dump {
	return &Dump{src: src, buf: make([]byte, readSize)}
}

// Reset begins with another source, in the same buffer.
func (d *Dump) Reset(src io.Reader) *Dump {
	d.src, d.r, d.w, d.err = src, 0, 0, nil
	if len(d.buf) > keepSize {
		d.buf = make([]byte, readSize)
	}
	return d
}

// fill reads once more after what is buffered, making room first.
func (d *Dump) fill() error {
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

func (d *Dump) longest() int { return cmp.Or(d.most, maxRow) }

// line returns the next line without its newline, valid until the next call.
func (d *Dump) line() ([]byte, error) {
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
func (d *Dump) hasPrefix(prefix string) (bool, error) {
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

// Next skips to the rows of the entry whose COPY statement is given, which
// must be the next one. Only what pg_restore itself writes between entries
// may stand before it.
func (d *Dump) Next(copyStmt string) error {
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
				"(%d bytes beginning with %q)", len(line), firstWord(line))
		}
	}
}

// End reads to the end of the stream, where no further rows may come.
func (d *Dump) End() error {
	for {
		line, err := d.line()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if !between(line) {
			return fmt.Errorf("pg_restore wrote more than was asked for (%d bytes beginning with %q)",
				len(line), firstWord(line))
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

// Block is the rows of one entry, on their way to the server: an io.Reader
// of rewritten rows that ends with io.EOF after `\.` and with another error
// anywhere else.
type Block struct {
	Dump    *Dump
	Rewrite Rewrite                // may be nil: the rows stay as they are
	Moved   func(rows, size int64) // may be nil; it is told how many more were read, in rows and bytes

	Rows int64 // so far
	Done bool  // the end marker was read
	Err  error // what ended it early

	out     []byte // rewritten, not yet handed out
	off     int
	inRow   bool       // passing: the output ends inside a row
	passed  int        // passing: bytes of that row
	reading sync.Mutex // held by Read, which another goroutine may be in
	stopped bool       // nobody wants more
}

// Stop waits for a Read that is under way, and lets no other begin. CopyFrom
// returns from a connection that broke while its goroutine still reads: after
// this, nothing more is rewritten, counted or found.
func (b *Block) Stop() {
	b.reading.Lock()
	defer b.reading.Unlock()
	b.stopped = true
}

// Read fills p as long as there are rows: what it returns becomes a message to
// the server, and each costs a system call on either side.
func (b *Block) Read(p []byte) (n int, err error) {
	b.reading.Lock()
	defer b.reading.Unlock()
	if b.stopped {
		return 0, io.ErrClosedPipe
	}
	for n < len(p) {
		if b.off == len(b.out) {
			if b.Err != nil || b.Done {
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
	case b.Err != nil:
		return 0, b.Err
	}
	return 0, io.EOF
}

// refill brings the next rows into the output, which is used up.
func (b *Block) refill() {
	b.out, b.off = b.out[:0], 0
	rows := b.Rows
	read := b.Dump.bytes
	if b.Rewrite == nil {
		b.Err = b.pass()
	} else {
		b.Err = b.rewriteSome()
	}
	if b.Moved != nil {
		b.Moved(b.Rows-rows, b.Dump.bytes-read)
	}
}

// Drain reads the block to its end without using the rows, so that the next
// entry can be read after a table that the server refused.
func (b *Block) Drain() error {
	b.Rewrite = nil
	b.out = b.out[:0]
	b.off = 0
	for !b.Done && b.Err == nil {
		b.out = b.out[:0]
		b.Err = b.pass()
	}
	return b.Err
}

// EndMarker is the line that ends a table's rows.
const EndMarker = "\\.\n"

// pass hands on what is buffered as it is: whole rows, or a part of one that
// is longer than what is buffered.
func (b *Block) pass() error {
	d := b.Dump
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
		if len(chunk) < len(EndMarker) { // may yet become the end marker
			return noEnd(d.fill())
		}
		b.inRow, b.passed = true, 0
		return b.passPart(len(chunk))
	}
	chunk = chunk[:last+1]
	if end := markerAt(chunk); end >= 0 {
		b.take(end)
		d.r += len(EndMarker)
		b.Done = true
		return nil
	}
	b.take(len(chunk))
	return nil
}

// passPart hands on a part of a row, as long as it can be one.
func (b *Block) passPart(n int) error {
	b.passed += n
	if b.passed > b.Dump.longest()+1 { // and its newline
		return errLongRow(b.Rows + 1)
	}
	b.take(n)
	return nil
}

// take moves n bytes from the stream to the output, and counts the rows that
// end in them.
func (b *Block) take(n int) {
	chunk := b.Dump.buf[b.Dump.r : b.Dump.r+n]
	b.Rows += int64(bytes.Count(chunk, []byte{'\n'}))
	b.out = append(b.out, chunk...)
	b.Dump.r += n
	b.Dump.bytes += int64(n)
}

// markerAt finds the end marker at the start of a line of whole lines.
func markerAt(lines []byte) int {
	if bytes.HasPrefix(lines, []byte(EndMarker)) {
		return 0
	}
	if i := bytes.Index(lines, []byte("\n"+EndMarker)); i >= 0 {
		return i + 1
	}
	return -1
}

// rewriteSome rewrites rows until a write's worth of output is there.
func (b *Block) rewriteSome() error {
	for len(b.out) < writeSize {
		row, err := b.Dump.line()
		if err == errLine {
			return errLongRow(b.Rows + 1)
		}
		if err != nil {
			return noEnd(err)
		}
		if len(row) == 2 && row[0] == '\\' && row[1] == '.' {
			b.Done = true
			return nil
		}
		b.Rows++
		b.Dump.bytes += int64(len(row)) + 1
		if len(row) > keepSize {
			b.out = slices.Grow(b.out, len(row)+len(row)/8)
		}
		b.out, err = b.Rewrite(b.out, row)
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
		return ErrNoEnd
	}
	return fmt.Errorf("%w: %w", ErrNoEnd, err)
}
