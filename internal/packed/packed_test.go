package packed

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

func gzipped(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := io.WriteString(z, text); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func framed(t *testing.T, text string, o ...zstd.EOption) []byte {
	t.Helper()
	z, err := zstd.NewWriter(nil, o...)
	if err != nil {
		t.Fatal(err)
	}
	return z.EncodeAll([]byte(text), nil)
}

// Members and frames are one stream, also for who copies from it.
func TestAllMembersAreRead(t *testing.T) {
	t.Parallel()
	zeros := make([]byte, 512)
	for name, c := range map[string]struct {
		data []byte
		open func(*bufio.Reader) (io.Reader, error)
		want error
	}{
		"gzip":                    {append(gzipped(t, "one "), gzipped(t, "two")...), openGzip, nil},
		"gzip before zeros":       {append(append(gzipped(t, "one "), gzipped(t, "two")...), zeros...), openGzip, nil},
		"gzip, zeros, and more":   {append(append(gzipped(t, "one two"), zeros...), 'x'), openGzip, ErrAfterPadding},
		"zstd":                    {append(framed(t, "one "), framed(t, "two")...), openZstd, nil},
		"zstd before zeros":       {append(append(framed(t, "one "), framed(t, "two")...), zeros...), openZstd, nil},
		"zstd of too wide a view": {wide(framed(t, "one two", zstd.WithSingleSegment(false))), openZstd, ErrTooWide},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := c.open(bufio.NewReader(bytes.NewReader(c.data)))
			if err != nil {
				t.Fatal(err)
			}
			var b bytes.Buffer
			_, err = io.Copy(&b, r)
			if !errors.Is(err, c.want) || c.want == nil && (err != nil || b.String() != "one two") {
				t.Errorf("%q, %v", b.String(), err)
			}
		})
	}
}

func openGzip(in *bufio.Reader) (io.Reader, error) { return NewGzip(in) }
func openZstd(in *bufio.Reader) (io.Reader, error) { return NewZstd(in) }

// wide makes the header of a frame ask for a window of 512 MiB (RFC 8878,
// 3.1.1.1.2).
func wide(frame []byte) []byte {
	frame = bytes.Clone(frame)
	frame[5] = (29 - 10) << 3
	return frame
}
