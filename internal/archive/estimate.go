package archive

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"

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
	d, err := a.atBlock(ctx, f, e)
	if err != nil {
		return 0, 0, false
	}
	begins := d.pos
	rows, err := unpackedRows(a.DataCompression, &chunkReader{d: d})
	if err != nil {
		return 0, 0, false
	}
	head := make([]byte, estimated)
	n, _ := io.ReadFull(rows, head)
	if n == 0 {
		return 0, 0, false
	}
	of := float64(e.DataSize) / float64(min(d.pos-begins, e.DataSize)) // d.pos has the chunks' few bytes of length too
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
