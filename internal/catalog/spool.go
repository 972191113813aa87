package catalog

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"daybefore/internal/catalog/place"
)

// chunk is the size of each worker's buffer, in bytes: memory is bounded by
// (connections + 1) chunks, whatever the part's size.
const chunk = 256 << 10

// spoolFile fills a file part by part, several at once, while one follower hashes
// what is complete from the beginning on, out of the page cache.
type spoolFile struct {
	store  Store
	object Object
	file   *os.File
	o      FetchOptions

	next atomic.Int64 // the next part to be fetched

	mu     sync.Mutex
	grown  *sync.Cond
	got    []int64 // bytes in the file, of each part
	done   int64   // of all
	waited error   // a program that was waited for when the context ended; else nil
}

// fill writes the object into f, and its bytes in their order into sum, and
// returns its size.
func fill(ctx context.Context, store Store, object Object, f *os.File, sum io.Writer, o FetchOptions) (int64, error) {
	if object.Size == place.Unsized {
		return fillOpen(ctx, store, object, f, sum, o)
	}
	if object.Size >= 0 && object.Size <= chunk {
		return object.Size, fillSmall(ctx, store, object, f, sum, o)
	}
	if inOne(store, object) {
		o.Parallel = 1
		o.PartSize = max(object.Size, 1)
	}
	return object.Size, fillParts(ctx, store, object, f, sum, o)
}

// chunks are buffers that files share which are fetched one after the other.
var chunks = sync.Pool{New: func() any { return new([chunk]byte) }}

// fillSmall is fill of an object that fits into one buffer: a directory archive
// has thousands of them.
func fillSmall(ctx context.Context, store Store, object Object, f *os.File, sum io.Writer, o FetchOptions) error {
	buf := chunks.Get().(*[chunk]byte)
	defer chunks.Put(buf)
	r := newResumed(ctx, store, object, 0, object.Size, o.policy)
	defer r.Close()
	p := buf[:object.Size]
	if _, err := io.ReadFull(r, p); err != nil {
		return err
	}
	if _, err := f.WriteAt(p, 0); err != nil {
		return err
	}
	_, _ = sum.Write(p) // a hash does not fail
	if len(p) > 0 {
		o.Progress(object.Size, object.Size)
	}
	return nil
}

// fillParts is fill of an object whose size is known.
func fillParts(ctx context.Context, store Store, object Object, f *os.File, sum io.Writer, o FetchOptions) error {
	if err := preallocate(f, object.Size); err != nil {
		return fmt.Errorf("reserve %d bytes in %s: %w", object.Size, f.Name(), err)
	}
	parts := (object.Size + o.PartSize - 1) / o.PartSize
	s := &spoolFile{store: store, object: object, file: f, o: o, got: make([]int64, parts)}
	s.grown = sync.NewCond(&s.mu)

	g, all := errgroup.WithContext(ctx)
	defer context.AfterFunc(all, s.wake)()
	for range min(int64(o.Parallel), parts) {
		g.Go(func() error { return s.fetchParts(all) })
	}
	g.Go(func() error { return s.follow(all, sum) })
	err := g.Wait()
	if ctx.Err() != nil && s.waited != nil {
		return s.waited // who hashes may have noticed first
	}
	return err
}

// roomEvery is how many bytes of an object of unknown size are written before
// it is looked once more whether there is room for as many.
const roomEvery = 64 << 20

// fillOpen is fill of an object whose size is known at its end only.
func fillOpen(
	ctx context.Context, store Store, object Object, f *os.File, sum io.Writer, o FetchOptions,
) (int64, error) {
	r := newWhole(ctx, store, object, o.policy)
	defer r.Close()
	buf := make([]byte, chunk)
	done := int64(0)
	checked := int64(-roomEvery)
	for {
		if done-checked >= roomEvery {
			if err := enoughRoom("fetch "+store.URL()+object.Name, roomEvery, o); err != nil {
				return 0, err
			}
			checked = done
		}
		n, err := r.Read(buf)
		if _, failed := f.Write(buf[:n]); failed != nil {
			return 0, failed
		}
		_, _ = sum.Write(buf[:n]) // a hash does not fail
		done += int64(n)
		if n > 0 {
			o.Progress(done, done)
		}
		if err == io.EOF {
			return done, nil
		}
		if err != nil {
			return 0, err
		}
	}
}

// extent gives a part's place in the file.
func (s *spoolFile) extent(part int64) (offset, length int64) {
	offset = part * s.o.PartSize
	return offset, min(s.o.PartSize, s.object.Size-offset)
}

// fetchParts takes parts in their order, so that the follower is never far
// behind, until none is left.
func (s *spoolFile) fetchParts(ctx context.Context) error {
	buf := make([]byte, chunk)
	for {
		part := s.next.Add(1) - 1
		if part >= int64(len(s.got)) {
			return nil
		}
		if err := s.fetchPart(ctx, part, buf); err != nil {
			s.keepWaited(err)
			return err
		}
	}
}

func (s *spoolFile) fetchPart(ctx context.Context, part int64, buf []byte) error {
	offset, length := s.extent(part)
	r := newResumed(ctx, s.store, s.object, offset, length, s.o.policy)
	defer r.Close()
	for {
		n, err := r.Read(buf)
		if _, failed := s.file.WriteAt(buf[:n], offset); failed != nil {
			return failed
		}
		offset += int64(n)
		s.grew(part, int64(n))
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// keepWaited remembers a program that was waited for.
func (s *spoolFile) keepWaited(err error) {
	if !place.Waited(err) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waited = err
}

func (s *spoolFile) grew(part, n int64) {
	if n == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got[part] += n
	s.done += n
	s.o.Progress(s.done, s.object.Size)
	s.grown.Broadcast()
}

func (s *spoolFile) wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.grown.Broadcast()
}

// follow hashes the file from the beginning to the end, as it grows.
func (s *spoolFile) follow(ctx context.Context, sum io.Writer) error {
	buf := make([]byte, chunk)
	for part := range int64(len(s.got)) {
		offset, length := s.extent(part)
		for hashed := int64(0); hashed < length; {
			ready, err := s.await(ctx, part, hashed)
			if err != nil {
				return err
			}
			for hashed < ready {
				p := buf[:min(chunk, ready-hashed)]
				if _, err := s.file.ReadAt(p, offset+hashed); err != nil {
					return fmt.Errorf("read back %s: %w", s.file.Name(), err)
				}
				_, _ = sum.Write(p) // a hash does not fail
				hashed += int64(len(p))
			}
		}
	}
	return nil
}

// await blocks until more than hashed bytes of the part are in the file.
func (s *spoolFile) await(ctx context.Context, part, hashed int64) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.got[part] <= hashed {
		if err := stopped(ctx, "hash "+s.file.Name()); err != nil {
			return 0, err
		}
		s.grown.Wait()
	}
	return s.got[part], nil
}
