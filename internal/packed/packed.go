// Package packed takes gzip and zstd off a stream, as far as its end and the
// zeros after it. Whoever reads a backup's bytes reads them through it, so that
// what one takes for whole no other calls damaged. It never calls a stream whole
// that ended early, and knows nothing of what is in it.
package packed

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// MaxWindow is the most memory that zstd may ask for: what the zstd program
// itself accepts unless told otherwise.
const MaxWindow = 128 << 20

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

// Gzip reads one member of a gzip file after the other, each with its own CRC.
type Gzip struct {
	member *gzip.Reader // not embedded: its WriteTo would end with its member
	in     *bufio.Reader
	err    error // sticky
}

// NewGzip reads the header of the first member.
func NewGzip(in *bufio.Reader) (*Gzip, error) {
	z, err := gzip.NewReader(in)
	if err != nil {
		return nil, err
	}
	z.Multistream(false)
	return &Gzip{member: z, in: in}, nil
}

// Read is io.Reader's. An end that comes too early is io.ErrUnexpectedEOF.
func (m *Gzip) Read(p []byte) (int, error) {
	for m.err == nil {
		n, err := m.member.Read(p)
		if n > 0 || !errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return n, err
		}
		m.err = m.next()
	}
	return 0, m.err
}

// next begins another member; io.EOF if there is none.
func (m *Gzip) next() error {
	b, err := m.in.Peek(1)
	switch {
	case err != nil:
		return err
	case b[0] == 0:
		return Padding(m.in)
	}
	if err := m.member.Reset(m.in); err != nil {
		return err
	}
	m.member.Multistream(false)
	return nil
}

// ErrTooWide says that a zstd stream needs a larger window than MaxWindow, which
// says nothing about its bytes.
var ErrTooWide = fmt.Errorf("it needs a window of more than %d MiB", MaxWindow>>20)

// Zstd reads one frame of a zstd file after the other.
type Zstd struct {
	decoder *zstd.Decoder // not embedded: its WriteTo would pass by Read
	frames  *zstdFrames
}

// NewZstd reads nothing yet. The caller closes it.
func NewZstd(in *bufio.Reader) (*Zstd, error) {
	frames := &zstdFrames{in: in}
	z, err := zstd.NewReader(frames, zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(MaxWindow),
		zstd.WithDecoderConcurrency(1))
	return &Zstd{z, frames}, err
}

// Read is io.Reader's. The decoder says of damaged blocks, too, that they need
// too much: that is ErrTooWide only where the frame's header says so.
func (z *Zstd) Read(p []byte) (int, error) {
	n, err := z.decoder.Read(p)
	if errors.Is(err, zstd.ErrWindowSizeExceeded) && z.frames.wide {
		err = ErrTooWide
	}
	return n, err
}

// Close frees what the decoder holds.
func (z *Zstd) Close() { z.decoder.Close() }

// Summed reports whether each frame so far has a checksum.
func (z *Zstd) Summed() bool { return !z.frames.unsummed }

// zstdFrames hands the bytes of a zstd file on to its decoder, and looks on the
// way at each frame's header: whether a checksum stands at its end (RFC 8878).
// What it does not know it hands on: the decoder says what is wrong.
type zstdFrames struct {
	in       *bufio.Reader
	left     int64 // bytes to be handed on before there is something to look at
	inFrame  bool
	sum      int64 // bytes of the checksum of the frame being read
	unsummed bool  // a frame had none
	wide     bool  // a frame asks for a window of more than MaxWindow, and its blocks may be such
}

func (f *zstdFrames) Read(p []byte) (int, error) {
	for f.left == 0 {
		look := f.frame
		if f.inFrame {
			look = f.block
		}
		if err := look(); err != nil {
			return 0, err
		}
	}
	n, err := f.in.Read(p[:min(int64(len(p)), f.left)])
	f.left -= int64(n)
	return n, err
}

// frame looks at the beginning of a frame.
func (f *zstdFrames) frame() error {
	head, err := f.in.Peek(zstd.HeaderMaxSize)
	if len(head) == 0 {
		return err
	}
	if head[0] == 0 {
		return Padding(f.in)
	}
	var h zstd.Header
	err = h.Decode(head)
	switch {
	case err != nil:
		f.left = math.MaxInt64
	case h.Skippable:
		f.left = int64(h.HeaderSize) + int64(h.SkippableSize)
	default:
		f.left, f.inFrame, f.sum = int64(h.HeaderSize), true, 0
		if h.HasCheckSum {
			f.sum = 4
		}
		f.unsummed = f.unsummed || !h.HasCheckSum
		f.wide = !h.SingleSegment && h.WindowSize > MaxWindow && f.blocksFollow(h.HeaderSize)
	}
	return nil
}

// blocksFollow reports whether what follows a header looks like blocks, as far as
// is read already: none is of the reserved kind, or larger than one may be.
func (f *zstdFrames) blocksFollow(at int) bool {
	const maxBlock, reserved = 128 << 10, 3
	head, _ := f.in.Peek(f.in.Size())
	for at+3 <= len(head) {
		last, kind, size := blockHead(head[at:])
		if kind == reserved || size > maxBlock {
			return false
		}
		if last {
			return true
		}
		at += 3 + int(size)
	}
	return true
}

// blockHead reads the three bytes before a block: whether it is the last, of
// which kind it is, and how many bytes stand for it.
func blockHead(b []byte) (last bool, kind uint32, size int64) {
	const runLength = 1
	word := uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16
	kind, size = word>>1&3, int64(word>>3)
	if kind == runLength {
		size = 1
	}
	return word&1 != 0, kind, size
}

// block looks at the three bytes before a block.
func (f *zstdFrames) block() error {
	head, err := f.in.Peek(3)
	if len(head) < 3 {
		f.left = math.MaxInt64
		return ignoreEnd(err, len(head))
	}
	last, _, size := blockHead(head)
	f.left = 3 + size
	if last {
		f.left += f.sum
		f.inFrame = false
	}
	return nil
}

// ignoreEnd leaves an end that comes too early to the decoder, which tells it.
func ignoreEnd(err error, n int) error {
	if n > 0 || errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
