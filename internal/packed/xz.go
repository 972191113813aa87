package packed

import (
	"bufio"
	"encoding/binary"
	"hash/crc32"
	"math"

	"github.com/ulikunitz/xz"
	"github.com/ulikunitz/xz/lzma"
)

const xzMagic = "\xfd7zXZ\x00"

var xzCodec = Codec{
	Name: "xz", Suffixes: []string{".xz", ".txz"},
	begins: magic(xzMagic),
	open:   newXZ,
}

// xzStream reads one stream of an xz file after the other.
type xzStream struct {
	blocks *xzBlocks
	r      *xz.Reader // nil until something is read
}

// newXZ reads nothing yet.
func newXZ(in *bufio.Reader) (Stream, error) {
	blocks := &xzBlocks{follower: follower{in: in}}
	blocks.look = blocks.stream
	return &xzStream{blocks: blocks}, nil
}

// Read is io.Reader's.
func (x *xzStream) Read(p []byte) (n int, err error) {
	if x.r == nil {
		x.r, err = xz.NewReader(x.blocks)
		if err != nil {
			x.r = nil
			return 0, x.blocks.judge(err)
		}
	}
	n, err = x.r.Read(p)
	return n, x.blocks.judge(err)
}

func (x *xzStream) Close() {}

// Summed reports whether each stream so far was written with checksums.
func (x *xzStream) Summed() bool { return !x.blocks.unsummed.Load() }

// xzBlocks looks at the headers of an xz file (xz-file-format.txt, version
// 1.2.1), above all at how large a dictionary a block asks for before the decoder
// allocates it.
type xzBlocks struct {
	follower
	sum     int64 // bytes of a block's checksum
	at      int64 // bytes of the block's compressed data so far
	records uint64
	zeros   int64 // after a stream
}

const (
	xzHead = 12 // bytes of a stream's header, and of its footer
	lzma2  = 0x21
)

// xzSums are the lengths of the kinds of checksums.
var xzSums = [16]int64{0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64}

// stream looks at the beginning of a stream, or at the zeros before it.
func (b *xzBlocks) stream() error {
	next, err := b.in.Peek(1)
	switch {
	case len(next) == 0:
		return err
	case next[0] == 0:
		return b.padding()
	case b.zeros%4 != 0:
		return ErrAfterPadding
	}
	b.open.Store(true)
	head, ok, err := b.peek(xzHead)
	if !ok {
		return err
	}
	b.sum = xzSums[head[7]&15]
	if b.sum == 0 {
		b.unsummed.Store(true)
	}
	b.left = xzHead
	b.look = b.block
	return nil
}

// padding skips zeros, of which the decoder need not know.
func (b *xzBlocks) padding() error {
	for {
		next, err := b.in.Peek(1)
		switch {
		case len(next) == 0:
			return err
		case next[0] != 0 && !begins(next, xzMagic):
			return ErrAfterPadding
		case next[0] != 0:
			return nil
		}
		b.zeros++
		if _, err := b.in.Discard(1); err != nil {
			return err
		}
	}
}

// block looks at a block's header, or at the index after the last one.
func (b *xzBlocks) block() error {
	head, ok, err := b.peek(1)
	switch {
	case !ok:
		return err
	case head[0] == 0:
		return b.index()
	}
	size := (int(head[0]) + 1) * 4
	head, ok, err = b.peek(size)
	if !ok {
		return err
	}
	b.left = int64(size)
	b.at = 0
	b.look = b.chunk
	if crc32.ChecksumIEEE(head[:size-4]) == word(head[size-4:]) {
		b.filters(head[:size-4])
	}
	return nil
}

// filters looks at what a block's header, which is whole, asks for.
func (b *xzBlocks) filters(head []byte) {
	const hasPacked, hasUnpacked = 0x40, 0x80
	flags, rest := head[1], head[2:]
	for _, flag := range []byte{hasPacked, hasUnpacked} {
		if flags&flag != 0 {
			_, rest = uvarint(rest)
		}
	}
	id, rest := uvarint(rest)
	length, rest := uvarint(rest)
	if flags&3 != 0 || id != lzma2 || length != 1 || len(rest) == 0 {
		b.method.Store(true)
		return
	}
	size, err := lzma.DecodeDictCap(rest[0])
	if err == nil && size > MaxWindow {
		b.tooWide.Store(true)
		b.left = 0
		b.look = func() error { return ErrTooWide }
	}
}

func uvarint(b []byte) (n uint64, rest []byte) {
	n, size := binary.Uvarint(b)
	return n, b[max(0, size):]
}

// chunk looks at a chunk of LZMA2, or at the end of them.
func (b *xzBlocks) chunk() error {
	head, ok, err := b.peek(1)
	if !ok {
		return err
	}
	size := 3 // control, and the size less one
	control := head[0]
	switch {
	case control == 0:
		padding := -(b.at + 1) & 3
		b.left = 1 + padding + b.sum
		b.look = b.block
		return nil
	case control >= 0xc0:
		size = 6
	case control >= 0x80:
		size = 5
	case control > 2:
		b.left = math.MaxInt64
		return nil
	}
	head, ok, err = b.peek(size)
	if !ok {
		return err
	}
	length := binary.BigEndian.Uint16(head[1:])
	if size > 3 {
		length = binary.BigEndian.Uint16(head[3:])
	}
	b.left = int64(size) + int64(length) + 1
	b.at += b.left
	return nil
}

// index looks at how many records follow.
func (b *xzBlocks) index() error {
	n, size, ok, err := b.uvarint(1)
	if !ok {
		return err
	}
	b.records = n
	b.left = size
	b.at = size
	b.look = b.record
	return nil
}

// record looks at one record of the index, or at what ends a stream.
func (b *xzBlocks) record() error {
	if b.records == 0 {
		padding := -b.at & 3
		b.left = padding + 4 + xzHead
		b.look = b.ended
		return nil
	}
	_, first, ok, err := b.uvarint(0)
	if !ok {
		return err
	}
	_, both, ok, err := b.uvarint(int(first))
	if !ok {
		return err
	}
	b.records--
	b.left = both
	b.at += both
	return nil
}

// uvarint reads a number that stands so many bytes further on, and says how many
// bytes there are up to its end.
func (b *xzBlocks) uvarint(at int) (n uint64, end int64, ok bool, err error) {
	const most = 9
	for size := 1; size <= most; size++ {
		head, ok, err := b.peek(at + size)
		if !ok {
			return 0, 0, false, err
		}
		if head[at+size-1] < 0x80 {
			n, _ = binary.Uvarint(head[at:])
			return n, int64(at + size), true, nil
		}
	}
	b.left = math.MaxInt64
	return 0, 0, false, nil
}

// ended is reached after a stream's last byte.
func (b *xzBlocks) ended() error {
	b.open.Store(false)
	b.zeros = 0
	b.look = b.stream
	return nil
}
