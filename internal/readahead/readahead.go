// Package readahead reads a stream before it is asked for, so that what unpacks
// or decrypts works while what it gave is looked at. It holds a megabyte and never
// more, and changes neither the bytes nor the error at their end.
package readahead

import (
	"io"
	"sync"
)

// Reader reads in a goroutine of its own, which Close ends. It is not safe for
// concurrent use.
type Reader struct {
	filled  chan block
	free    chan []byte
	stopped chan struct{}
	once    sync.Once
	ended   sync.WaitGroup
	current block
	rest    []byte
}

// block is what was read at once, and how the reading ended with it.
type block struct {
	buf []byte
	n   int
	err error
}

const (
	blockSize = 256 << 10
	blocks    = 4
)

// New begins to read r.
func New(r io.Reader) *Reader {
	a := &Reader{filled: make(chan block, blocks), free: make(chan []byte, blocks), stopped: make(chan struct{})}
	for range blocks {
		a.free <- make([]byte, blockSize)
	}
	a.ended.Go(func() { a.fill(r) })
	return a
}

// fill reads until the end, or until nobody wants more.
func (a *Reader) fill(r io.Reader) {
	defer close(a.filled)
	for {
		var b block
		select {
		case <-a.stopped:
			return
		case b.buf = <-a.free:
		}
		for b.n < len(b.buf) && b.err == nil {
			var n int
			n, b.err = r.Read(b.buf[b.n:])
			b.n += n
		}
		a.filled <- b // never waits: there are as many blocks as there is room
		if b.err != nil {
			return
		}
	}
}

// Read is io.Reader's.
func (a *Reader) Read(p []byte) (int, error) {
	for len(a.rest) == 0 {
		if a.current.err != nil {
			return 0, a.current.err
		}
		if a.current.buf != nil {
			a.free <- a.current.buf
		}
		b, more := <-a.filled
		if !more {
			return 0, io.ErrClosedPipe
		}
		a.current, a.rest = b, b.buf[:b.n]
	}
	n := copy(p, a.rest)
	a.rest = a.rest[n:]
	return n, nil
}

// Close ends the reading, and waits until r is read no more. It may be called
// more than once. The error is nil.
func (a *Reader) Close() error {
	a.once.Do(func() { close(a.stopped) })
	a.ended.Wait()
	return nil
}
