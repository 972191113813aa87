package archive

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"
)

// What is read ahead is what would have been read, with the error at its end; and
// it can be stopped anywhere.
func TestAhead(t *testing.T) {
	t.Parallel()
	data := bytes.Repeat([]byte("0123456789abcdef"), 3*aheadBlock/16+5)
	for _, c := range []struct {
		r    io.Reader
		want error
	}{
		{bytes.NewReader(data), nil},
		{iotest.HalfReader(bytes.NewReader(data)), nil},
		{iotest.DataErrReader(bytes.NewReader(data)), nil},
		{io.MultiReader(bytes.NewReader(data), iotest.ErrReader(io.ErrUnexpectedEOF)), io.ErrUnexpectedEOF},
	} {
		a := newAhead(c.r)
		got, err := io.ReadAll(iotest.OneByteReader(io.LimitReader(a, 100)))
		rest, failed := io.ReadAll(a)
		if err != nil || !errors.Is(failed, c.want) || !bytes.Equal(append(got, rest...), data) {
			t.Errorf("%d of %d bytes, %v, %v", len(got)+len(rest), len(data), err, failed)
		}
		a.stop()
		a = newAhead(bytes.NewReader(data))
		_, _ = a.Read(make([]byte, 10))
		a.stop()
		a.stop()
	}
}
