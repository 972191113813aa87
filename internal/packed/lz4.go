package packed

import (
	"bufio"
	"errors"
	"io"
	"math"

	"github.com/pierrec/lz4/v4"
)

const (
	lz4Magic  = "\x04\x22\x4d\x18"
	lz4Legacy = "\x02\x21\x4c\x18" // lz4 -l, and before 2013
)

var lz4Codec = Codec{
	Name: "lz4", Suffixes: []string{".lz4", ".tlz4"},
	begins: func(head []byte) bool {
		return begins(head, lz4Magic) || begins(head, lz4Legacy) || skippable(head) && lz4After(head)
	},
	open: newLZ4,
}

// lz4After reports whether a frame of lz4 follows those without data, which
// zstd has too.
func lz4After(head []byte) bool {
	head = afterSkippable(head)
	return len(head) > 0 && (begins(head, lz4Magic) || begins(head, lz4Legacy))
}

// lz4Stream reads one frame of an lz4 file after the other, each with a decoder
// that sees nothing else.
type lz4Stream struct {
	decoder *lz4.Reader
	frames  *lz4Frames
	err     error // sticky
}

// newLZ4 reads nothing yet.
func newLZ4(in *bufio.Reader) (Stream, error) {
	frames := &lz4Frames{follower: follower{in: in}}
	frames.look = frames.frame
	decoder := lz4.NewReader(frames)
	if err := decoder.Apply(lz4.ConcurrencyOption(1)); err != nil {
		return nil, err
	}
	return &lz4Stream{decoder: decoder, frames: frames}, nil
}

// Read is io.Reader's.
func (l *lz4Stream) Read(p []byte) (int, error) {
	for l.err == nil {
		n, err := l.decoder.Read(p)
		if err != nil {
			l.err = l.next(err)
		}
		if n > 0 {
			return n, nil
		}
	}
	return 0, l.err
}

// next begins another frame where the decoder ended well; io.EOF if there is none.
func (l *lz4Stream) next(err error) error {
	f := l.frames
	switch {
	case !errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return f.judge(err)
	case f.err == nil || !f.over:
		return f.judge(err) // the decoder is content, and its frame is not: cut
	case f.open.Load():
		return io.ErrUnexpectedEOF
	}
	f.over = false
	f.err = nil
	_, err = f.in.Peek(1)
	if err != nil {
		return err
	}
	f.look = f.frame
	l.decoder.Reset(f)
	return nil
}

func (l *lz4Stream) Close() {}

// Summed reports whether each frame so far has a checksum of its content or of
// its blocks.
func (l *lz4Stream) Summed() bool { return !l.frames.unsummed.Load() }

// lz4Frames ends after each frame (lz4_Frame_format.md), so that the next one
// is looked at before it is decoded.
type lz4Frames struct {
	follower
	over     bool  // a frame has ended, and not been followed yet
	blockSum int64 // bytes of a block's checksum
	sum      int64 // bytes of the checksum of the frame being read
}

// frame looks at the beginning of a frame.
func (f *lz4Frames) frame() error {
	head, err := f.in.Peek(1)
	switch {
	case len(head) == 0:
		return err
	case head[0] == 0:
		return Padding(f.in)
	}
	f.open.Store(true)
	head, ok, err := f.peek(4)
	switch {
	case !ok:
		return err
	case begins(head, lz4Legacy):
		f.unsummed.Store(true)
		f.left = 4
		f.look = f.legacyBlock
	case skippable(head):
		return f.skipped()
	case begins(head, lz4Magic):
		return f.header()
	default:
		f.left = math.MaxInt64
	}
	return nil
}

// skipped looks at a frame that holds no data, of which the decoder need not know.
func (f *lz4Frames) skipped() error {
	head, ok, err := f.peek(8)
	if !ok {
		return err
	}
	if _, err := io.CopyN(io.Discard, f.in, 8+int64(word(head[4:]))); err != nil {
		return early(err)
	}
	f.open.Store(false)
	return nil
}

// header looks at what a frame says of itself.
func (f *lz4Frames) header() error {
	const content, dictionary, blockSums, contentSize = 1 << 2, 1, 1 << 4, 1 << 3
	head, ok, err := f.peek(6)
	if !ok {
		return err
	}
	flags := head[4]
	f.left = 7
	f.sum = 0
	f.blockSum = 0
	if flags&contentSize != 0 {
		f.left += 8
	}
	if flags&dictionary != 0 {
		f.left += 4
		f.method.Store(true)
	}
	if flags&content != 0 {
		f.sum = 4
	}
	if flags&blockSums != 0 {
		f.blockSum = 4
	}
	if f.sum+f.blockSum == 0 {
		f.unsummed.Store(true)
	}
	f.look = f.block
	return nil
}

// block looks at the four bytes before a block, or at the end of them.
func (f *lz4Frames) block() error {
	const unpacked = 1 << 31
	head, ok, err := f.peek(4)
	if !ok {
		return err
	}
	size := int64(word(head) &^ unpacked)
	if size == 0 && word(head) == 0 {
		f.left = 4 + f.sum
		f.look = f.ended
		return nil
	}
	f.left = 4 + size + f.blockSum
	return nil
}

// legacyBlock looks at the four bytes before a block of an old frame, which ends
// where the file does, or another frame begins.
func (f *lz4Frames) legacyBlock() error {
	head, err := f.in.Peek(4)
	switch {
	case len(head) == 0 && errors.Is(err, io.EOF), len(head) == 4 && word(head) == 0:
		return f.ended()
	case len(head) < 4:
		f.left = math.MaxInt64
		return nil
	case begins(head, lz4Magic), begins(head, lz4Legacy), skippable(head):
		return f.ended()
	}
	f.left = 4 + int64(word(head))
	return nil
}

// ended is reached after a frame's last byte: to the decoder, the file ends here.
func (f *lz4Frames) ended() error {
	f.open.Store(false)
	f.over = true
	return io.EOF
}
