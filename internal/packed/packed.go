// Package packed takes gzip, zstd, xz, bzip2 and lz4 off a stream, as far as its
// end and the zeros after it. Whoever reads a backup's bytes reads them through
// it, so that none calls damaged what another takes for whole. It never calls a
// stream whole that ended early, and knows nothing of what is in it.
//
// A codec is a file and a row of Codecs.
package packed

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
)

// Codec is one way of packing a file.
type Codec struct {
	Name     string   // as a report has it
	Suffixes []string // that names of such files end with, the usual one first

	begins func(head []byte) bool
	open   func(in *bufio.Reader) (Stream, error)
}

// Codecs are all that are known, told by their first bytes.
var Codecs = []Codec{gzipCodec, zstdCodec, xzCodec, bzip2Codec, lz4Codec}

// Of returns the codec of a file that begins with head. A file that ends within
// the bytes that tell counts as begun: it is a cut one.
func Of(head []byte) (Codec, bool) {
	for _, c := range Codecs {
		if c.begins(head) {
			return c, true
		}
	}
	return Codec{}, false
}

// MayEndEarly reports whether a packed file that begins with head may end before
// any data, and its format does not tell that something is missing.
func MayEndEarly(head []byte) bool { return skippable(head) || begins(head, lz4Legacy) }

// Open reads the first header, or nothing yet. An end that comes too early is
// io.ErrUnexpectedEOF, here and in the stream's Read; ErrTooMuch, ErrTooWide and
// ErrMethod say nothing about the bytes; any other error is damage, unless it is
// that of in. The stream is to be closed.
func (c Codec) Open(in *bufio.Reader) (Stream, error) {
	s, err := c.open(in)
	if err != nil {
		return nil, early(err)
	}
	return s, nil
}

// Stream is what is in a packed file.
type Stream interface {
	io.Reader
	Close()
	// Summed reports whether checksums cover all that was read so far.
	Summed() bool
}

// MaxWindow is the most memory that a file may ask for to look back on what was
// unpacked: what zstd --long=29 needs. The file's own header says how much it is,
// and that much is taken.
const MaxWindow = 512 << 20

// ErrTooWide says that a stream needs a larger window than MaxWindow, which says
// nothing about its bytes.
var ErrTooWide = fmt.Errorf("it needs a window of more than %d MiB", MaxWindow>>20)

// ErrMethod says that a stream was packed in a way that is not read here, such
// as with a dictionary or a filter for programs, which says nothing about its bytes.
var ErrMethod = errors.New("it was packed with a dictionary or a filter that is not known here")

// ErrAfterPadding is what stands after zeros that end a compressed stream.
var ErrAfterPadding = errors.New("something follows the zeros after its end")

// LeastBound is what any packed file may unpack to, in bytes.
const LeastBound = 64 << 20

// Bound is how many bytes a packed file of so many may unpack to; 0: any
// number, where ratio is 0.
func Bound(size, ratio int64) int64 {
	if ratio > 0 && size > math.MaxInt64/ratio {
		return math.MaxInt64
	}
	if ratio > 0 {
		return max(size*ratio, LeastBound)
	}
	return 0
}

// ErrTooMuch says that a packed file unpacks to more than its bound.
var ErrTooMuch = errors.New("it unpacks to more than source.max_ratio allows")

// Bounded reads what is unpacked, as far as the bound and no further; 0: all.
type Bounded struct {
	R     io.Reader
	Bound int64
	read  int64
}

// Read is io.Reader's. The error is ErrTooMuch from the first read on that goes
// beyond the bound.
func (b *Bounded) Read(p []byte) (int, error) {
	if b.Bound > 0 && b.read > b.Bound {
		return 0, ErrTooMuch
	}
	n, err := b.R.Read(p)
	b.read += int64(n)
	if b.Bound > 0 && b.read > b.Bound {
		return 0, ErrTooMuch
	}
	return n, err
}

// Padding skips zeros, as tapes and block devices put them after a file, and
// returns io.EOF where nothing but they follow.
func Padding(in *bufio.Reader) error {
	for {
		b, err := in.ReadByte()
		switch {
		case err != nil:
			return err
		case b != 0:
			return ErrAfterPadding
		}
	}
}

// early is err, and io.ErrUnexpectedEOF where it says that nothing more came.
func early(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// magic tells files by their first bytes.
func magic(mark string) func(head []byte) bool {
	return func(head []byte) bool { return begins(head, mark) }
}

// begins reports whether head starts with mark, or ends before it could.
func begins(head []byte, mark string) bool {
	n := min(len(head), len(mark))
	return n > 0 && string(head[:n]) == mark[:n]
}
