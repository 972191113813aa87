package packed

import (
	"bufio"
	"compress/bzip2"
	"errors"
	"io"
)

var bzip2Codec = Codec{
	Name: "bzip2", Suffixes: []string{".bz2", ".bzip2", ".tbz", ".tbz2"},
	begins: beginsBzip2,
	open:   newBzip2,
}

// beginsBzip2 looks at the first block's mark too, or that of an empty file's
// end: the letters before it are text as well.
func beginsBzip2(head []byte) bool {
	const level = 3 // the letter that says how large blocks are
	if !begins(head, "BZh") {
		return false
	}
	if len(head) <= level {
		return true
	}
	rest := head[level+1:]
	return head[level] >= '1' && head[level] <= '9' &&
		(len(rest) == 0 || begins(rest, "\x31\x41\x59\x26\x53\x59") || begins(rest, "\x17\x72\x45\x38\x50\x90"))
}

// bzip2Stream reads one stream of a bzip2 file after the other, each with its own CRC.
type bzip2Stream struct {
	r   io.Reader
	in  *bufio.Reader
	err error // sticky
	// last is the byte that was read last: where another stream should begin, the
	// decoder's only word for zeros is that they are none.
	last byte
}

func newBzip2(in *bufio.Reader) (Stream, error) {
	s := &bzip2Stream{in: in}
	s.r = bzip2.NewReader(s.bytes())
	return s, nil
}

// errNoStream is what the decoder says where something else follows a stream.
const errNoStream = bzip2.StructuralError("bad magic value in continuation file")

// Read is io.Reader's.
func (s *bzip2Stream) Read(p []byte) (n int, err error) {
	for s.err == nil && n == 0 && len(p) > 0 {
		n, err = s.r.Read(p)
		structural, _ := errors.AsType[bzip2.StructuralError](err)
		if structural == errNoStream && s.last == 0 {
			err = Padding(s.in)
		}
		s.err = err
	}
	if n > 0 {
		return n, nil
	}
	return 0, s.err
}

func (s *bzip2Stream) Close() {}

func (s *bzip2Stream) Summed() bool { return true }

// bytes hands single bytes on, so that nothing after the end is read away.
func (s *bzip2Stream) bytes() io.Reader { return &bzip2Bytes{s} }

type bzip2Bytes struct{ s *bzip2Stream }

func (b *bzip2Bytes) ReadByte() (byte, error) {
	c, err := b.s.in.ReadByte()
	b.s.last = c
	return c, err
}

func (b *bzip2Bytes) Read(p []byte) (int, error) { return b.s.in.Read(p) }
