package packed

import (
	"bufio"
	"errors"
	"io"

	"github.com/klauspost/compress/gzip"
)

var gzipCodec = Codec{
	Name: "gzip", Suffixes: []string{".gz", ".gzip", ".tgz"},
	begins: magic("\x1f\x8b"),
	open:   newGzip,
}

// gzipStream reads one member of a gzip file after the other, each with its own CRC.
type gzipStream struct {
	member *gzip.Reader // not embedded: its WriteTo would end with its member
	in     *bufio.Reader
	err    error // sticky
}

// newGzip reads the header of the first member.
func newGzip(in *bufio.Reader) (Stream, error) {
	z, err := gzip.NewReader(in)
	if err != nil {
		return nil, err
	}
	z.Multistream(false)
	return &gzipStream{member: z, in: in}, nil
}

// Read is io.Reader's.
func (m *gzipStream) Read(p []byte) (int, error) {
	for m.err == nil {
		n, err := m.member.Read(p)
		if n > 0 || !errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return n, err
		}
		m.err = m.next()
	}
	return 0, m.err
}

// next begins another member; io.EOF if there is none.
func (m *gzipStream) next() error {
	b, err := m.in.Peek(1)
	switch {
	case err != nil:
		return err
	case b[0] == 0:
		return Padding(m.in)
	}
	if err := m.member.Reset(m.in); err != nil {
		return early(err)
	}
	m.member.Multistream(false)
	return nil
}

func (m *gzipStream) Close() {}

func (m *gzipStream) Summed() bool { return true }
