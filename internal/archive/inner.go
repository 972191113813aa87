package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/klauspost/compress/zlib"
)

// CheckData reads the data of entries and compares it with the checksum that
// zlib keeps of each block. pg_restore does so for what it loads; this is for
// what it does not, and for rows that somebody refuses before their end. The
// error is a *verdict.Problem, Fail with CodeCorrupt, where a block is damaged.
// An archive whose blocks have no sum, and a script, pass unread; a directory,
// since Open has read it so.
func (a *Archive) CheckData(ctx context.Context, entries ...Entry) error {
	for i, part := range a.Parts {
		own := slices.DeleteFunc(slices.Clone(entries), func(e Entry) bool { return e.part != i })
		if err := part.CheckData(ctx, own...); err != nil {
			return err
		}
	}
	if a.Parts != nil {
		return nil
	}
	if a.Format != Custom || a.DataCompression != string(Gzip) {
		return nil
	}
	f, err := os.Open(a.Path)
	if err != nil {
		return fmt.Errorf("read the archive once more: %w", err)
	}
	defer f.Close()
	for _, e := range entries {
		if !e.HadData {
			continue
		}
		d, err := a.atBlock(ctx, f, e)
		if err != nil {
			return fmt.Errorf("read the archive once more: %w", err)
		}
		if err := d.inflateBlock(e); err != nil {
			return err
		}
	}
	return nil
}

// atBlock stands at the chunks of an entry's data in the archive's file, behind the
// block's kind and id.
func (a *Archive) atBlock(ctx context.Context, f *os.File, e Entry) (*decoder, error) {
	_, err := f.Seek(e.offset.pos, io.SeekStart)
	if err != nil {
		return nil, err
	}
	d := newDecoder(filepath.Base(a.Path), &source{ctx: ctx, r: f})
	d.pos, d.intSize = e.offset.pos, a.intSize
	d.what = "data of entry " + e.name()
	d.byte()
	d.int()
	return d, nil
}

// inflateBlock reads the chunks of one block, or of each large object of one.
func (d *decoder) inflateBlock(e Entry) error {
	if e.Desc != "BLOBS" {
		d.inflate()
		return d.err
	}
	for d.err == nil && d.int() != 0 {
		d.inflate()
	}
	return d.err
}

// inflate reads chunks as the zlib stream that they are; there may be none.
func (d *decoder) inflate() {
	c := &chunkReader{d: d}
	z, err := zlib.NewReader(c)
	if err == nil {
		_, err = io.Copy(io.Discard, z)
	}
	if err == nil || errors.Is(err, io.EOF) && !c.begun {
		_, err = io.Copy(io.Discard, c)
	}
	if err != nil && d.err == nil {
		d.corrupt("the compressed data is damaged, or its checksum does not fit: %v", err)
	}
}

// chunkReader reads what the chunks of a block hold, up to the length 0.
type chunkReader struct {
	d     *decoder
	left  int64
	begun bool
	ended bool
}

func (c *chunkReader) Read(p []byte) (int, error) {
	if c.left == 0 && !c.ended {
		c.left = c.d.int()
		c.ended, c.begun = c.left == 0, c.begun || c.left > 0
	}
	switch {
	case c.d.err != nil:
		return 0, c.d.err
	case c.ended:
		return 0, io.EOF
	case c.left < 0 || c.left > maxString:
		c.d.corrupt("a chunk claims a length of %d bytes", c.left)
		return 0, c.d.err
	}
	n, err := c.d.r.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	c.d.pos += int64(n)
	if err != nil {
		c.d.broken(err)
	}
	return n, err
}
