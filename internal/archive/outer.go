package archive

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"

	"daybefore/internal/machine"
	"daybefore/internal/packed"
	"daybefore/internal/verdict"
)

const (
	sniffSize     = 32 << 10
	progressEvery = 1 << 20

	// maxBehind is how far a decompressed stream is read after what ended its
	// reading, only to hear whether its bytes are whole; maxPeekBehind the same
	// for the first bytes alone.
	maxBehind     = 1 << 40
	maxPeekBehind = 64 << 20
)

// source is the file as it came from the store. It tells progress, ends when
// its context does, and keeps its own errors apart from the decompressor's.
type source struct {
	ctx      context.Context
	r        io.Reader
	done     int64
	told     int64
	total    int64
	bound    int64 // bytes that it may unpack to; 0: any number
	progress func(done, total int64)
	err      error
}

func (s *source) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		s.err = context.Cause(s.ctx)
		return 0, s.err
	}
	n, err := s.r.Read(p)
	s.done += int64(n)
	if s.progress != nil && (s.done-s.told >= progressEvery || err != nil) {
		s.told = s.done
		s.progress(s.done, s.total)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

// unwrapped is the archive within the file.
type unwrapped struct {
	io.Reader
	compression Compression
	plain       bool        // it is a script
	converted   bool        // its line ends look as if they had been converted
	refused     error       // what came out of a decompressor is no backup, unless it is damaged
	summed      func() bool // whether checksums cover all that was read so far
	close       func()
}

func (u *unwrapped) Close() {
	if u.close != nil {
		u.close()
	}
}

// unwrap looks at the first bytes and takes an outer compression off. What
// comes out begins as a custom archive or a script does, or is so short that it
// may have.
func unwrap(name string, src *source) (*unwrapped, error) {
	in := bufio.NewReaderSize(src, readBuffer)
	head, err := sniffed(in, src)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	u := &unwrapped{Reader: in, compression: outerOf(head), converted: isConverted(head),
		summed: func() bool { return false }}
	if u.compression == None {
		u.plain = scripted(head)
		return u, refuse(name, "", head)
	}
	skipped := skippable(head)
	if err := u.open(name, in, src); err != nil {
		return nil, u.blame(name, err)
	}
	out := bufio.NewReaderSize(u.Reader, readBuffer)
	head, err = out.Peek(sniffSize)
	u.Reader = out
	if len(head) == 0 && err != nil && !errors.Is(err, io.EOF) {
		u.Close()
		return nil, u.blame(name, err)
	}
	if len(head) == 0 && skipped {
		u.Close()
		return nil, verdict.Truncated("read %s: its zstd stream ends after %d bytes, before any data", name, src.done)
	}
	u.refused = refuse(name, string(u.compression), head)
	u.plain, u.converted = scripted(head), u.converted || isConverted(head)
	return u, nil
}

// outranked is what is wrong with the backup where err ended its reading: the
// decompressor's word if it has one. Whatever was made of damaged bytes, the
// checksum at their end tells that they are. At most limit bytes are read on;
// whole reports whether they were all, and their sums well.
func (u *unwrapped) outranked(err error, limit int64) (worst error, whole bool) {
	var p *verdict.Problem
	if err == nil || u.compression == None || !errors.As(err, &p) || p.Code == verdict.CodeDiskSpace {
		return err, false
	}
	_, outer := io.CopyN(io.Discard, u, limit)
	if errors.As(outer, &p) && p.Outcome == verdict.Fail {
		return outer, false
	}
	return err, errors.Is(outer, io.EOF)
}

// sniffed returns the first bytes, fewer if there are no more.
func sniffed(in *bufio.Reader, src *source) ([]byte, error) {
	head, _ := in.Peek(sniffSize)
	return head, src.err
}

func (u *unwrapped) open(name string, in *bufio.Reader, src *source) error {
	o := &compression{name: name, compression: u.compression, src: src}
	switch u.compression {
	case Gzip:
		z, err := packed.NewGzip(in)
		if err != nil {
			return o.explain(err)
		}
		o.r = z
		u.summed = func() bool { return true }
	case Zstd:
		z, err := packed.NewZstd(in)
		if err != nil {
			return o.explain(err)
		}
		o.r, u.close, u.summed = z, z.Close, z.Summed
	}
	o.r = &packed.Bounded{R: o.r, Bound: src.bound}
	u.Reader = o
	return nil
}

// compression explains a decompressor's errors as what they mean for the backup.
type compression struct {
	name        string
	compression Compression
	src         *source
	r           io.Reader
}

func (o *compression) Read(p []byte) (int, error) {
	n, err := o.r.Read(p)
	if err == nil || errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return n, err
	}
	return n, o.explain(err)
}

func (o *compression) explain(err error) error {
	switch {
	case o.src.err != nil:
		return fmt.Errorf("read %s: %w", o.name, o.src.err)
	case errors.Is(err, packed.ErrTooMuch):
		return verdict.Errorf(verdict.CodeMaxRatio,
			"if such backups are wanted (long runs of one letter), raise source.max_ratio; else "+
				"find out what wrote this one",
			"read %s: its %d bytes unpack to more than %d MiB, which dumps of real rows hardly ever "+
				"do; the rest was left packed",
			o.name, o.src.total, o.src.bound>>20)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return verdict.Truncated("read %s: its %s stream ends too early, after %d bytes", o.name, o.compression,
			o.src.done)
	case errors.Is(err, packed.ErrTooWide):
		return verdict.Errorf(verdict.CodeUnsupported,
			"compress backups without zstd --long, or with a window of at most 27 (128 MiB)",
			"read %s: its zstd stream needs a window of more than %d MiB", o.name, packed.MaxWindow>>20)
	}
	return verdict.Corrupt("read %s: its %s stream is damaged, or followed by something else, near byte %d: %w", o.name,
		o.compression, o.src.done, err)
}

// spool is the unpacked archive.
type spool struct {
	*os.File
	name    string // of the backup
	written int64
	looked  int64 // what was written when the disk was last looked at
	space   func(dir string) (machine.Space, error)
}

const (
	lookEvery = 64 << 20
	leaveFree = 256 << 20 // of a disk, for all else that lives on it; of a small one a twentieth
)

func newSpool(name, dir string) (*spool, error) {
	f, err := os.CreateTemp(dir, "archive-*")
	if err != nil {
		return nil, fmt.Errorf("unpack %s: %w", name, err)
	}
	return &spool{File: f, name: name, space: machine.SpaceOf}, nil
}

// room ends the unpacking before the disk is full, which others need too.
func (s *spool) room() error {
	if s.written-s.looked < lookEvery {
		return nil
	}
	s.looked = s.written
	left, err := s.space(filepath.Dir(s.Name()))
	if err == nil && left.Free < min(leaveFree, left.Size/20) {
		err = verdict.Errorf(verdict.CodeDiskSpace, roomHint,
			"unpack %s: ended after %d MiB, since only %d MiB are left where it is unpacked", s.name, s.written>>20,
			left.Free>>20)
	}
	return err
}

const roomHint = "free space for the whole unpacked archive where temporary files go, or set TMPDIR"

func (s *spool) Write(p []byte) (int, error) {
	n, err := s.File.Write(p)
	s.written += int64(n)
	if err == nil {
		err = s.room()
	}
	return n, s.explain(err)
}

func (s *spool) explain(err error) error {
	p, ok := errors.AsType[*verdict.Problem](err)
	switch {
	case err == nil:
		return nil
	case ok:
		return p
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return verdict.Errorf(verdict.CodeDiskSpace, roomHint, "unpack %s: %w", s.name, err)
	}
	return fmt.Errorf("unpack %s: %w", s.name, err)
}

// finish closes the file, and removes it unless the archive in it is whole.
func (s *spool) finish(err error) error {
	if closed := s.explain(s.Close()); err == nil {
		err = closed
	}
	if err != nil {
		os.Remove(s.Name())
	}
	return err
}
