package crypt

import "io"

// pieceSize is how much is decrypted at once, in bytes.
const pieceSize = 256 << 10

// opened is the plain text of a cipher that authenticates it.
type opened struct {
	io.ReadCloser
	key string
}

func (o opened) Key() string { return o.key }

// Summed is true: no byte passes that is not vouched for, or the end is an error.
func (o opened) Summed() bool { return true }
