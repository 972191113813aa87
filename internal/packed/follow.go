package packed

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"sync/atomic"
)

// follower hands the bytes of a packed file on to a decoder, and looks on the way
// at its headers, so that what the decoder does not tell is known: what has no
// checksum, what asks for too much, and whether the file ended where it may.
// It hands on what it does not understand: the decoder says what is wrong.
//
// The decoder may read in a goroutine of its own.
type follower struct {
	in   *bufio.Reader
	look func() error // sets left, and what to look at next
	left int64        // bytes to be handed on before there is something to look at
	err  error        // sticky: why look gave up

	open     atomic.Bool // something began that has not ended
	unsummed atomic.Bool // something had no checksum
	tooWide  atomic.Bool // it asks for more than MaxWindow
	method   atomic.Bool // it asks for what is not known here
}

func (f *follower) Read(p []byte) (int, error) {
	for f.left == 0 && f.err == nil {
		f.err = f.look()
	}
	if f.left == 0 {
		return 0, f.err
	}
	n, err := f.in.Read(p[:min(int64(len(p)), f.left)])
	f.left -= int64(n)
	return n, err
}

// ReadByte is for decoders that would otherwise ask for bytes by a slice each.
func (f *follower) ReadByte() (byte, error) {
	if f.left == 0 {
		var b [1]byte
		_, err := io.ReadFull(f, b[:])
		return b[0], err
	}
	b, err := f.in.ReadByte()
	if err == nil {
		f.left--
	}
	return b, err
}

// peek returns the next n bytes, or leaves all that follows to the decoder where
// there are not so many. The error is the input's own.
func (f *follower) peek(n int) (head []byte, ok bool, err error) {
	head, err = f.in.Peek(n)
	if len(head) == n {
		return head, true, nil
	}
	f.left = math.MaxInt64
	if err != nil && (len(head) > 0 || errors.Is(err, io.EOF)) {
		err = nil
	}
	return head, false, err
}

// word is the number that four bytes stand for.
func word(b []byte) uint32 { return binary.LittleEndian.Uint32(b) }

// judge is what an error of the decoder means, and its end.
func (f *follower) judge(err error) error {
	switch {
	case err == nil:
		return nil
	case f.err != nil && !errors.Is(f.err, io.EOF):
		return f.err
	case f.tooWide.Load():
		return ErrTooWide
	case f.method.Load():
		return ErrMethod
	case errors.Is(err, io.EOF) && f.open.Load():
		return io.ErrUnexpectedEOF
	}
	return err
}
