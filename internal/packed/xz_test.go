package packed

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"io"
	"runtime"
	"testing"
)

// dictionary makes the first block of an xz file ask for another size, as its
// number stands in the format.
func dictionary(data []byte, size byte) []byte {
	data = bytes.Clone(data)
	head := data[xzHead:]
	length := (int(head[0]) + 1) * 4
	at := bytes.Index(head[:length], []byte{lzma2, 1})
	head[at+2] = size
	binary.LittleEndian.PutUint32(head[length-4:], crc32.ChecksumIEEE(head[:length-4]))
	return data
}

// What a header claims is not allocated before it is known to be in bounds, in
// no block of no stream.
func TestDictionaryIsBoundedFirst(t *testing.T) {
	text := read(t, "text.xz")
	data := append(bytes.Clone(text), dictionary(text, 40)...) // 4 GiB
	before := allocated()
	got, _, err := unpack("xz", data)
	if grown := allocated() - before; err != ErrTooWide || grown > 64<<20 {
		t.Errorf("%v, %d bytes, and %d MiB were allocated", err, len(got), grown>>20)
	}
	if _, _, err := unpack("xz", text[:xzHead]); err != io.ErrUnexpectedEOF {
		t.Errorf("a file that ends before its first block: %v", err)
	}
}

func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}
