package program

import (
	"errors"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
)

// feed writes Command.Stdin into the program. Where that breaks, the program is
// ended: it would take the end of a pipe for the end of the input.
type feed struct {
	source      io.Reader
	read, write *os.File // nil where there is no input
	kill        func()
	count       atomic.Int64
	done        chan struct{}
	closing     sync.Once

	mu  sync.Mutex
	err error
}

func newFeed(source io.Reader, kill func()) (*feed, error) {
	f := &feed{source: source, kill: kill, done: make(chan struct{})}
	if source == nil {
		return f, nil
	}
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	widen(read)
	f.read = read
	f.write = write
	return f, nil
}

// end is the program's end of the pipe; nil is an empty input.
func (f *feed) end() io.Reader {
	if f.read == nil {
		return nil
	}
	return f.read
}

// begin begins to write, or gives up where the program did not start.
func (f *feed) begin(started bool) {
	if f.read == nil {
		close(f.done)
		return
	}
	f.read.Close() // the program has its own
	if !started {
		f.write.Close()
		close(f.done)
		return
	}
	go f.run()
}

func (f *feed) run() {
	defer close(f.done)
	defer f.closing.Do(func() { f.write.Close() })
	buf := make([]byte, 128<<10)
	for {
		n, err := f.source.Read(buf)
		if n > 0 {
			if _, failed := f.write.Write(buf[:n]); failed != nil {
				f.failed(failed, true)
				return
			}
			f.count.Add(int64(n))
		}
		if err == io.EOF {
			return
		}
		if err != nil {
			f.failed(err, false)
			return
		}
	}
}

// failed remembers an error. A program that closed its input has its reason,
// which its status tells.
func (f *feed) failed(err error, writing bool) {
	if writing && (errors.Is(err, syscall.EPIPE) || errors.Is(err, os.ErrClosed)) {
		return
	}
	f.mu.Lock()
	f.err = err
	f.mu.Unlock()
	f.kill()
}

func (f *feed) broken() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

func (f *feed) taken() int64 { return f.count.Load() }

// close waits until the source is read no more.
func (f *feed) close() {
	if f.write != nil {
		f.closing.Do(func() { f.write.Close() })
	}
	<-f.done
}
