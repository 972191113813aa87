package archive

import (
	"bufio"
	"errors"
	"io"
	"math"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// errBehindPadding is what stands behind zeros that end a compressed stream.
var errBehindPadding = errors.New("something follows the zeros behind its end")

// padding skips zeros, as tapes and block devices put them behind a file, and
// returns io.EOF where nothing but they follow.
func padding(in *bufio.Reader) error {
	for {
		b, err := in.ReadByte()
		switch {
		case err != nil:
			return err
		case b != 0:
			return errBehindPadding
		}
	}
}

// gzipMembers reads one member of a gzip file after the other, each with its own CRC.
type gzipMembers struct {
	*gzip.Reader
	in  *bufio.Reader
	err error // sticky
}

func newGzipMembers(in *bufio.Reader) (*gzipMembers, error) {
	z, err := gzip.NewReader(in)
	if err != nil {
		return nil, err
	}
	z.Multistream(false)
	return &gzipMembers{Reader: z, in: in}, nil
}

func (m *gzipMembers) Read(p []byte) (int, error) {
	for m.err == nil {
		n, err := m.Reader.Read(p)
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
func (m *gzipMembers) next() error {
	switch b, err := m.in.Peek(1); {
	case err != nil:
		return err
	case b[0] == 0:
		return padding(m.in)
	}
	if err := m.Reader.Reset(m.in); err != nil {
		return err
	}
	m.Multistream(false)
	return nil
}

// zstdFrames hands the bytes of a zstd file on to its decoder, and looks on the
// way at each frame's header: whether a checksum stands at its end (RFC 8878).
// What it does not know it hands on: the decoder says what is wrong.
type zstdFrames struct {
	in       *bufio.Reader
	left     int64 // bytes to be handed on before there is something to look at
	inFrame  bool
	sum      int64 // bytes of the checksum of the frame being read
	unsummed bool  // a frame had none
	wide     bool  // a frame asks for a window of more than maxWindow, and its blocks may be such
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
		return padding(f.in)
	}
	var h zstd.Header
	switch err := h.Decode(head); {
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
		f.wide = !h.SingleSegment && h.WindowSize > maxWindow && f.blocksFollow(h.HeaderSize)
	}
	return nil
}

// blocksFollow tells whether what follows a header looks like blocks, as far as
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
