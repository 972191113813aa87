package archive

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"

	"daybefore/internal/crypt"
	"daybefore/internal/packed"
	"daybefore/internal/readahead"
	"daybefore/internal/verdict"
)

const (
	sniffSize     = 32 << 10
	progressEvery = 1 << 20

	// mostLinks is how deep a backup may be packed and encrypted.
	mostLinks = 3

	// maxAfter is how far a decompressed stream is read after what ended its
	// reading, only to hear whether its bytes are whole; maxPeekAfter the same
	// for the first bytes alone.
	maxAfter     = 1 << 40
	maxPeekAfter = 64 << 20
)

// source is the file as it came from the store. It tells progress, ends when
// its context does, and keeps its own errors apart from the decompressor's.
type source struct {
	ctx      context.Context
	r        io.Reader
	done     atomic.Int64
	told     int64
	total    int64
	bound    int64 // bytes that it may unpack to; 0: any number
	progress func(done, total int64)
	trouble
}

func (s *source) Read(p []byte) (int, error) {
	if s.ctx.Err() != nil {
		err := context.Cause(s.ctx)
		s.keep(err)
		return 0, err
	}
	n, err := s.r.Read(p)
	done := s.done.Add(int64(n))
	if s.progress != nil && (done-s.told >= progressEvery || err != nil) {
		s.told = done
		s.progress(done, s.total)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		s.keep(err)
	}
	return n, err
}

// trouble is why something that is read gave no more, which may be asked for by
// another goroutine than the one that reads.
type trouble struct{ err atomic.Pointer[error] }

func (t *trouble) keep(err error) { t.err.CompareAndSwap(nil, &err) }

func (t *trouble) fault() error {
	if err := t.err.Load(); err != nil {
		return *err
	}
	return nil
}

// chain is the archive within the file, and what was taken off the file to get
// there: at most mostLinks ciphers and compressions.
type chain struct {
	*bufio.Reader // of what is within
	name          string
	src           *source
	links         []*link           // the file's own first
	head          []byte            // the first bytes of what is within
	front         *readahead.Reader // reads what is within while what came is looked at; may be nil
	converted     bool              // its line ends look as if they had been converted
	refused       error             // what came out of the last link is no backup, unless it is damaged
}

// link is one cipher or compression, and what was in it.
type link struct {
	name      string // of the backup
	what      string // "gzip"
	encrypted bool   // it is a cipher
	key       string // public fingerprint of what opened it; may be empty
	src       *source
	below     interface{ fault() error }
	r         io.Reader
	out       *bufio.Reader
	summed    func() bool // whether checksums cover all that was read so far
	close     func()
	trouble
}

// readAhead lets what is within be read before it is asked for.
func (c *chain) readAhead() {
	c.front = readahead.New(c.Reader)
	c.Reader = bufio.NewReaderSize(c.front, readBuffer)
}

// stopAhead ends what readAhead began.
func (c *chain) stopAhead() {
	if c.front != nil {
		_ = c.front.Close() // it is always nil
	}
}

// Close ends what the links hold, the innermost first.
func (c *chain) Close() {
	c.stopAhead()
	for i := len(c.links) - 1; i >= 0; i-- {
		c.links[i].end()
	}
}

// end closes a link once.
func (l *link) end() {
	if l.close != nil {
		l.close()
		l.close = nil
	}
}

// unwrap looks at the first bytes, takes off what lies around the archive, and
// looks again. What comes out begins as an archive, a script or a tar does, or
// is so short that it may have.
func unwrap(name string, src *source, keys *crypt.Keys) (*chain, error) {
	c := &chain{Reader: bufio.NewReaderSize(src, readBuffer), name: name, src: src}
	if err := c.sniff(); err != nil {
		return nil, err
	}
	for {
		open := c.next(keys)
		if open == nil {
			break
		}
		if len(c.links) == mostLinks {
			c.refused = verdict.Errorf(verdict.CodeUnsupported, "pack and encrypt backups once",
				"read %s: it is packed or encrypted more than %d times over", name, mostLinks)
			return c, nil
		}
		outside := c.head
		if err := open(); err != nil {
			return c.ended(err)
		}
		if err := c.sniff(); err != nil {
			return c.ended(err)
		}
		if len(c.head) == 0 && packed.MayEndEarly(outside) {
			return c.ended(verdict.Truncated("read %s: its %s stream ends after %d bytes, before any data", name,
				c.top().what, src.done.Load()))
		}
	}
	c.refused = c.inDoubt(refuse(name, c.around(), c.head))
	return c, nil
}

// ended is what a chain is worth that broke while it was made: where something
// lies around what broke, that may be why.
func (c *chain) ended(err error) (*chain, error) {
	if len(c.links) == 0 {
		return nil, c.blame(err)
	}
	c.refused = err
	return c, nil
}

// sniff looks at the first bytes; there may be fewer. The error is why there are none.
func (c *chain) sniff() error {
	head, err := c.Peek(sniffSize)
	c.head = bytes.Clone(head) // what was peeked at is overwritten by what comes
	c.converted = c.converted || isConverted(head)
	switch {
	case c.src.fault() != nil:
		return fmt.Errorf("read %s: %w", c.name, c.src.fault())
	case len(head) == 0 && err != nil && !errors.Is(err, io.EOF):
		return err
	}
	return nil
}

// next is what opens the next link; nil where none is needed.
func (c *chain) next(keys *crypt.Keys) func() error {
	cipher, is := keys.Of(c.head, len(c.links) == 0)
	if is {
		return func() error { return c.decrypt(cipher, keys) }
	}
	codec, is := packed.Of(c.head)
	if is {
		return func() error { return c.unpackBy(codec) }
	}
	return nil
}

// top is the innermost link.
func (c *chain) top() *link { return c.links[len(c.links)-1] }

// add puts a link on the chain.
func (c *chain) add(l *link) {
	l.name = c.name
	l.src = c.src
	l.below = c.src
	if len(c.links) > 0 {
		l.below = c.top()
	}
	l.out = bufio.NewReaderSize(l, readBuffer)
	c.links = append(c.links, l)
	c.Reader = l.out
}

func (c *chain) unpackBy(codec packed.Codec) error {
	l := &link{what: codec.Name}
	in := c.Reader
	c.add(l)
	stream, err := codec.Open(in)
	if err != nil {
		l.keep(l.explain(err))
		return l.fault()
	}
	l.r = &packed.Bounded{R: stream, Bound: c.src.bound}
	l.close = stream.Close
	l.summed = stream.Summed
	return nil
}

// around names what lies around the archive, the file's own first: "gzip", "age
// around zstd"; empty for nothing.
func (c *chain) around() string { return strings.Join(c.names(), " around ") }

// names are the ciphers and compressions around the archive, from outside.
func (c *chain) names() []string {
	var names []string
	for _, l := range c.links {
		names = append(names, l.what)
	}
	return names
}

// compression names the compressions around the archive.
func (c *chain) compression() Compression {
	var names []string
	for _, l := range c.links {
		if !l.encrypted {
			names = append(names, l.what)
		}
	}
	if names == nil {
		return None
	}
	return Compression(strings.Join(names, " around "))
}

// tell writes into a header what lies around the archive.
func (c *chain) tell(h *Header) {
	h.Compression = c.compression()
	for _, l := range c.links {
		if l.encrypted {
			h.Encryption = l.what
			h.Key = l.key
		}
	}
}

// summed reports whether checksums of one link cover all that is within.
func (c *chain) summed() bool {
	for _, l := range c.links {
		if l.summed() {
			return true
		}
	}
	return false
}

// outranked is what is wrong with the backup where err ended its reading: the
// word of the outermost link that has one. Whatever was made of damaged bytes,
// the checksum at their end tells that they are. At most limit bytes of each are
// read on; whole reports whether they were all, and their sums well.
func (c *chain) outranked(err error, limit int64) (worst error, whole bool) {
	p, ok := errors.AsType[*verdict.Problem](err)
	if !ok || len(c.links) == 0 || p.Code == verdict.CodeDiskSpace {
		return err, false
	}
	c.stopAhead()
	worst, whole = err, true
	for i := len(c.links) - 1; i >= 0; i-- {
		l := c.links[i]
		_, outer := io.CopyN(io.Discard, l.out, limit)
		l.end()
		if l.outranks() {
			worst = l.fault()
		}
		whole = whole && errors.Is(outer, io.EOF) && l.fault() == nil
	}
	return worst, whole
}

// outranks reports whether what a link says is to be believed whatever else is
// said of the bytes within: that they are not what they were.
func (l *link) outranks() bool {
	p, ok := errors.AsType[*verdict.Problem](l.fault())
	return ok && (p.Outcome == verdict.Fail || l.encrypted)
}

// Read is io.Reader's. What goes wrong below is told as it is.
func (l *link) Read(p []byte) (int, error) {
	if err := l.fault(); err != nil {
		return 0, err
	}
	n, err := l.r.Read(p)
	if err == nil || errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) && l.below.fault() == nil {
		return n, err
	}
	l.keep(l.explain(err))
	return n, l.fault()
}

// explain says what a decompressor's error means for the backup.
func (l *link) explain(err error) error {
	below := l.below.fault()
	switch {
	case below != nil && l.below == l.src:
		return fmt.Errorf("read %s: %w", l.name, below)
	case below != nil:
		return below
	case errors.Is(err, packed.ErrTooMuch):
		return verdict.Errorf(verdict.CodeMaxRatio,
			"if such backups are wanted (long runs of one letter), raise source.max_ratio; else "+
				"find out what wrote this one",
			"read %s: its %d bytes unpack to more than %d MiB, which dumps of real rows hardly ever "+
				"do; the rest was left packed",
			l.name, l.src.total, l.src.bound>>20)
	case l.encrypted:
		return l.explainCipher(err)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return verdict.Truncated("read %s: its %s stream ends too early, after %d bytes", l.name, l.what,
			l.src.done.Load())
	case errors.Is(err, packed.ErrTooWide):
		return verdict.Errorf(verdict.CodeUnsupported, l.narrower(),
			"read %s: its %s stream needs a window of more than %d MiB", l.name, l.what, packed.MaxWindow>>20)
	case errors.Is(err, packed.ErrMethod):
		return verdict.Errorf(verdict.CodeUnsupported, "compress backups without a dictionary, and by "+l.what+
			"'s own methods alone", "read %s: its %s stream cannot be unpacked here: %w", l.name, l.what, err)
	}
	return verdict.Corrupt("read %s: its %s stream is damaged, or followed by something else, near byte %d: %w", l.name,
		l.what, l.src.done.Load(), err)
}

// narrower says how to pack a backup that asks for too much memory.
func (l *link) narrower() string {
	if l.what == string(Zstd) {
		return "compress backups without zstd --long, or with a window of at most 29 (512 MiB)"
	}
	return "compress backups with a dictionary of at most 512 MiB"
}
