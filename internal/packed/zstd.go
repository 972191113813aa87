package packed

import (
	"bufio"
	"errors"
	"math"

	"github.com/klauspost/compress/zstd"
)

var zstdCodec = Codec{
	Name: "zstd", Suffixes: []string{".zst", ".zstd", ".tzst"},
	begins: func(head []byte) bool { return begins(head, "\x28\xb5\x2f\xfd") || skippable(head) && !lz4After(head) },
	open:   newZstd,
}

// skippable tells a frame that holds no data, as pzstd writes first.
func skippable(head []byte) bool {
	return len(head) > 1 && head[0]&0xf0 == 0x50 && begins(head[1:], "\x2a\x4d\x18")
}

// afterSkippable is what follows the frames without data that a file begins
// with, as far as it is there.
func afterSkippable(head []byte) []byte {
	const frameHead = 8
	for skippable(head) {
		if len(head) < frameHead {
			return nil
		}
		size := uint64(frameHead) + uint64(word(head[4:]))
		if size >= uint64(len(head)) {
			return nil
		}
		head = head[size:]
	}
	return head
}

// zstdStream reads one frame of a zstd file after the other.
type zstdStream struct {
	decoder *zstd.Decoder // not embedded: its WriteTo would pass by Read
	frames  *zstdFrames
}

// newZstd reads nothing yet.
func newZstd(in *bufio.Reader) (Stream, error) {
	frames := &zstdFrames{follower: follower{in: in}}
	frames.look = frames.frame
	z, err := zstd.NewReader(frames, zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(MaxWindow),
		zstd.WithDecoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	return &zstdStream{z, frames}, nil
}

// Read is io.Reader's. The decoder says of damaged blocks, too, that they need
// too much: that is ErrTooWide only where the frame's header says so.
func (z *zstdStream) Read(p []byte) (int, error) {
	n, err := z.decoder.Read(p)
	if z.frames.tooWide.Load() && !errors.Is(err, zstd.ErrWindowSizeExceeded) {
		return n, err
	}
	return n, z.frames.judge(err)
}

// Close frees what the decoder holds.
func (z *zstdStream) Close() { z.decoder.Close() }

// Summed reports whether each frame so far has a checksum.
func (z *zstdStream) Summed() bool { return !z.frames.unsummed.Load() }

// zstdFrames looks at each frame's header: whether a checksum stands at its end
// (RFC 8878).
type zstdFrames struct {
	follower
	sum int64 // bytes of the checksum of the frame being read
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
	f.open.Store(true)
	var h zstd.Header
	err = h.Decode(head)
	switch {
	case err != nil:
		f.left = math.MaxInt64
	case h.Skippable:
		f.left = int64(h.HeaderSize) + int64(h.SkippableSize)
		f.look = f.ended
	default:
		f.begin(h)
	}
	return nil
}

func (f *zstdFrames) begin(h zstd.Header) {
	f.left = int64(h.HeaderSize)
	f.sum = 0
	if h.HasCheckSum {
		f.sum = 4
	} else {
		f.unsummed.Store(true)
	}
	f.look = f.block
	follow := f.blocksFollow(h.HeaderSize)
	f.tooWide.Store(!h.SingleSegment && h.WindowSize > MaxWindow && follow)
	f.method.Store(h.DictionaryID != 0 && follow)
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
	head := uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16
	kind, size = head>>1&3, int64(head>>3)
	if kind == runLength {
		size = 1
	}
	return head&1 != 0, kind, size
}

// block looks at the three bytes before a block.
func (f *zstdFrames) block() error {
	head, ok, err := f.peek(3)
	if !ok {
		return err
	}
	last, _, size := blockHead(head)
	f.left = 3 + size
	if last {
		f.left += f.sum
		f.look = f.ended
	}
	return nil
}

// ended is reached after a frame's last byte.
func (f *zstdFrames) ended() error {
	f.open.Store(false)
	f.look = f.frame
	return nil
}
