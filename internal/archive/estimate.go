package archive

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/zlib"

	"daybefore/internal/packed"
)

// estimated is how much of an entry's rows is unpacked to tell about all of them.
const estimated = 256 << 10

// Estimate is about how many bytes and lines an entry's data unpack to, by their
// beginning: how well data are packed differs by ten times and more between tables.
// It is false where that cannot be told.
func (a *Archive) Estimate(ctx context.Context, e Entry) (size, lines int64, ok bool) {
	if a.Parts != nil {
		return a.Parts[e.part].Estimate(ctx, e)
	}
	if a.Format != Custom || !e.HadData || e.DataSize == 0 {
		return 0, 0, false
	}
	f, err := os.Open(a.Path)
	if err != nil {
		return 0, 0, false // who restores it will tell
	}
	defer f.Close()
	if _, err := f.Seek(e.offset.pos, io.SeekStart); err != nil {
		return 0, 0, false
	}
	d := newDecoder(filepath.Base(a.Path), &source{ctx: ctx, r: f})
	d.pos, d.intSize = e.offset.pos, a.intSize
	d.byte()
	d.int()
	stored := &counted{r: &chunkReader{d: d}}
	head := make([]byte, estimated)
	n := 0
	rows, err := unpackedRows(a.DataCompression, stored)
	if err == nil {
		n, _ = io.ReadFull(rows, head)
	}
	if n == 0 || stored.n == 0 {
		return 0, 0, false
	}
	of := float64(e.DataSize) / float64(min(stored.n, e.DataSize))
	return int64(of * float64(n)), int64(of * float64(bytes.Count(head[:n], []byte{'\n'}))), true
}

// unpackedRows reads what the chunks of a block hold.
func unpackedRows(compression string, r io.Reader) (io.Reader, error) {
	switch compression {
	case "none":
		return r, nil
	case string(Gzip):
		return zlib.NewReader(r)
	}
	in := bufio.NewReader(r)
	head, err := in.Peek(4)
	if err != nil {
		return nil, err
	}
	codec, ok := packed.Of(head)
	if !ok {
		return nil, fmt.Errorf("rows under %s", compression)
	}
	return codec.Open(in)
}

// counted counts what is read.
type counted struct {
	r io.Reader
	n int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}
