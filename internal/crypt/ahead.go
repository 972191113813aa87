package crypt

import (
	"io"

	"github.com/klauspost/readahead"
)

// A cipher decrypts while what reads it unpacks: so much is held between them.
const (
	aheadBuffers = 4
	aheadSize    = 256 << 10
)

// ahead reads r in a goroutine of its own. Close waits until r is read no more.
func ahead(r io.Reader) io.ReadCloser {
	a, err := readahead.NewReaderSize(r, aheadBuffers, aheadSize)
	if err != nil { // of the constants above
		panic(err)
	}
	return a
}

// opened is the plain text of a cipher that authenticates it.
type opened struct {
	io.ReadCloser
	key string
}

func (o opened) Key() string { return o.key }

// Summed is true: no byte passes that is not vouched for, or the end is an error.
func (o opened) Summed() bool { return true }
