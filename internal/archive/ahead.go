package archive

import (
	"bufio"
	"io"
	"sync"
)

// ahead reads in a goroutine of its own, so that a decompressor works while what
// it gave is looked at and written.
type ahead struct {
	blocks  chan block
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
	aheadBlock  = 256 << 10
	aheadBlocks = 4
)

// readAhead lets what is within be read before it is asked for.
func (c *chain) readAhead() {
	c.front = newAhead(c.Reader)
	c.Reader = bufio.NewReaderSize(c.front, readBuffer)
}

func newAhead(r io.Reader) *ahead {
	a := &ahead{blocks: make(chan block, aheadBlocks), free: make(chan []byte, aheadBlocks), stopped: make(chan struct{})}
	for range aheadBlocks {
		a.free <- make([]byte, aheadBlock)
	}
	a.ended.Go(func() { a.fill(r) })
	return a
}

// fill reads until the end, or until nobody wants more.
func (a *ahead) fill(r io.Reader) {
	defer close(a.blocks)
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
		a.blocks <- b // never waits: there are as many blocks as there is room
		if b.err != nil {
			return
		}
	}
}

// Read is io.Reader's.
func (a *ahead) Read(p []byte) (int, error) {
	for len(a.rest) == 0 {
		if a.current.err != nil {
			return 0, a.current.err
		}
		if a.current.buf != nil {
			a.free <- a.current.buf
		}
		b, more := <-a.blocks
		if !more {
			return 0, io.ErrClosedPipe
		}
		a.current, a.rest = b, b.buf[:b.n]
	}
	n := copy(p, a.rest)
	a.rest = a.rest[n:]
	return n, nil
}

// stop ends the reading, and waits for its end. A nil ahead has none.
func (a *ahead) stop() {
	if a == nil {
		return
	}
	a.once.Do(func() { close(a.stopped) })
	a.ended.Wait()
}
