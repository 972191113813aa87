// Package witness reads outside records of what happened: JSON lines or CSV,
// bare or under gzip or zstd, told by their content. It reads a stream of any
// length in bounded memory. It judges nothing, and must never repeat a value of a
// record that cannot be used.
package witness

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"daybefore/internal/verdict"
)

const (
	// longest is how long one record may be, in bytes.
	longest = 16 << 20
	// maxWindow is what the zstd program itself accepts unless told otherwise.
	maxWindow = 128 << 20
)

// ClockGrace is how far the clock of whoever wrote a record may be ahead: what
// callers add to the present for Options.Now.
const ClockGrace = 5 * time.Minute

// Options say what to read of each record.
type Options struct {
	Name   string    // the file's, whose ending helps where its content says nothing
	Fields []string  // that hold the key
	At     string    // the field that tells when
	Clock  Clock     // how
	Now    time.Time // no record is of a later time
}

// Record is one thing that happened.
type Record struct {
	Line int64    // where it begins, counted from 1
	Key  []string // by Options.Fields
	At   time.Time
}

// Fault is why a record cannot be used, without any value of it. It does not
// end the reading.
type Fault struct {
	Line int64
	What string
	Hint string
}

func (f *Fault) Error() string { return fmt.Sprintf("line %d %s", f.Line, f.What) }

// Reader reads records.
type Reader struct {
	format  format
	options Options
	close   func()
}

// format is how records are written.
type format interface {
	// next gives the fields of the next record, valid until the next call; its
	// error is a *Fault, io.EOF, or what ends the reading.
	next() (line int64, field func(name string) (string, error), err error)
}

// Each reads all records, one after another, and tells of those that cannot be
// used. An error of take ends it.
func Each(from io.Reader, o Options, take func(Record) error, damaged func(*Fault)) error {
	records, err := Open(from, o)
	if err != nil {
		return err
	}
	defer records.Close()
	for {
		record, err := records.Next()
		var fault *Fault
		switch {
		case err == io.EOF:
			return nil
		case errors.As(err, &fault):
			damaged(fault)
		case err != nil:
			return err
		default:
			if err := take(record); err != nil {
				return err
			}
		}
	}
}

// Open finds out what the bytes are. Its error, as that of Next, is a
// *verdict.Problem of outcome error where they are no records.
func Open(r io.Reader, o Options) (*Reader, error) {
	plain, end, err := unpacked(r)
	if err != nil {
		return nil, err
	}
	in := bufio.NewReaderSize(plain, 64<<10)
	out := &Reader{options: o, close: end}
	out.format, err = formatOf(in, o)
	if err != nil {
		end()
		return nil, err
	}
	return out, nil
}

// Close frees what reading needs. The bytes' own reader is the caller's.
func (r *Reader) Close() { r.close() }

// Next gives the next record, io.EOF after the last. After a *Fault there may
// be more.
func (r *Reader) Next() (Record, error) {
	line, field, err := r.format.next()
	if err != nil {
		return Record{}, unread(err)
	}
	record := Record{Line: line, Key: make([]string, len(r.options.Fields))}
	for i, name := range r.options.Fields {
		record.Key[i], err = field(name)
		if err != nil {
			return Record{}, &Fault{line, fmt.Sprintf("holds no key: its %s %v", name, err),
				"look at what wrote it, and at key in the drill file"}
		}
		if strings.ContainsRune(record.Key[i], 0) {
			return Record{}, &Fault{line, "holds a zero byte in its " + name + ", which no column does",
				"look at what wrote it"}
		}
	}
	at, err := field(r.options.At)
	if err != nil {
		return Record{}, &Fault{line, fmt.Sprintf("holds no time: its %s %v", r.options.At, err),
			"look at what wrote it, and at at in the drill file"}
	}
	record.At, err = r.options.Clock.read(at)
	if err != nil {
		return Record{}, &Fault{line, fmt.Sprintf("holds no time that can be read: its %s %v", r.options.At, err),
			r.options.Clock.hint()}
	}
	if record.At.After(r.options.Now) {
		return Record{}, &Fault{line, "holds a time in the future",
			"a wrong clock, zone or unit where it was written, or in the drill file"}
	}
	return record, nil
}

// Why a field tells nothing.
var (
	errAbsent = errors.New("is missing")
	errEmpty  = errors.New("is empty")
	errNested = errors.New("holds a list or an object")
)

// unpacked takes a compression off.
func unpacked(r io.Reader) (_ io.Reader, end func(), err error) {
	in := bufio.NewReader(r)
	head, err := in.Peek(4)
	if err != nil && err != io.EOF {
		return nil, nil, unread(err)
	}
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, nil, unread(err)
		}
		return z, func() {}, nil
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(in, zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow),
			zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, nil, unread(err)
		}
		return z, z.Close, nil
	}
	return in, func() {}, nil
}

// unread says what it means that no more can be read: a fault and the end are
// as they are, and so is what the store knows.
func unread(err error) error {
	var fault *Fault
	var known *verdict.Problem
	if err == io.EOF || errors.As(err, &fault) || errors.As(err, &known) {
		return err
	}
	return verdict.Errorf(verdict.CodeWitness, "was it written to its end? if it is compressed, try to unpack it",
		"it cannot be read on: %w", err)
}

const notRecords = "write one JSON object a line, or CSV whose first line names its columns"

// formatOf tells JSON lines from CSV: the first byte that is no blank, then
// the file's name.
func formatOf(in *bufio.Reader, o Options) (format, error) {
	if mark, _ := in.Peek(3); string(mark) == "\ufeff" {
		in.Discard(len(mark))
	}
	head, err := in.Peek(512)
	if err != nil && err != io.EOF && len(head) == 0 {
		return nil, unread(err)
	}
	head = bytes.TrimLeft(head, " \t\r\n")
	ending := strings.ToLower(strings.NewReplacer(".gz", "", ".zst", "").Replace(o.Name))
	switch {
	case len(head) > 0 && head[0] == '[':
		return nil, verdict.Errorf(verdict.CodeWitness, "write one object a line: jq -c '.[]' does so",
			"it is one JSON list, which would have to be read as a whole")
	case len(head) > 0 && head[0] == '{', len(head) == 0, strings.HasSuffix(ending, ".jsonl"),
		strings.HasSuffix(ending, ".ndjson"):
		return newLines(in), nil
	case bytes.IndexByte(head, 0) >= 0:
		return nil, verdict.Errorf(verdict.CodeWitness, notRecords, "it is neither JSON lines nor CSV")
	}
	return newCSV(in, o)
}
