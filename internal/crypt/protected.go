package crypt

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha1"
	"crypto/subtle"
	"errors"
	"hash"
	"io"

	pgperrors "github.com/ProtonMail/go-crypto/openpgp/errors"
)

// protected decrypts OpenPGP data that ends with a hash of itself (RFC 9580,
// 5.13.1). The library does the same, byte by byte, at a fifth of the speed. Its
// Close says whether the hash agrees.
type protected struct {
	block  cipher.Block
	in     io.Reader
	raw    []byte // cipher text
	feed   []byte // its last block
	plain  []byte // what was decrypted; the end of it may be the hash
	unread []byte // of plain
	sum    hash.Hash
	begun  bool
	err    error // sticky: how the data ended
	agrees bool
}

const (
	prefixSize  = aes.BlockSize + 2
	trailerSize = 2 + sha1.Size // the packet that holds the hash
)

// trailerHead begins the packet that holds the hash: tag 19, and its length.
var trailerHead = []byte{0xd3, sha1.Size}

func newProtected(block cipher.Block, in io.Reader) *protected {
	return &protected{block: block, in: in, sum: sha1.New(), raw: make([]byte, aheadSize),
		feed: make([]byte, aes.BlockSize), plain: make([]byte, 0, aheadSize+trailerSize)}
}

// Read gives io.EOF at the end of the data, whether the hash agrees or not.
func (d *protected) Read(p []byte) (int, error) {
	for len(d.unread) == 0 {
		if d.err != nil {
			return 0, d.err
		}
		d.fill()
	}
	n := copy(p, d.unread)
	d.unread = d.unread[n:]
	return n, nil
}

// fill decrypts the next bytes. As many as the hash takes are held back until
// others follow.
func (d *protected) fill() {
	held := copy(d.plain[:cap(d.plain)], d.plain[max(0, len(d.plain)-trailerSize):])
	n, err := readFull(d.in, d.raw)
	d.plain = d.plain[:held+n]
	decryptCFB(d.block, d.feed, d.plain[held:], d.raw[:n])
	if !d.begun && len(d.plain) >= prefixSize {
		d.begun = true
		d.sum.Write(d.plain[:prefixSize])
		d.plain = append(d.plain[:0], d.plain[prefixSize:]...)
	}
	d.unread = d.plain[:max(0, len(d.plain)-trailerSize)]
	d.sum.Write(d.unread)
	if err == nil {
		return
	}
	d.err = err
	if errors.Is(err, io.EOF) && d.begun && len(d.plain) >= trailerSize {
		d.agrees = d.judge(d.plain[len(d.plain)-trailerSize:])
	}
}

// judge reports whether the trailer holds the hash of all before it.
func (d *protected) judge(trailer []byte) bool {
	d.sum.Write(trailer[:len(trailerHead)])
	return string(trailer[:len(trailerHead)]) == string(trailerHead) &&
		subtle.ConstantTimeCompare(d.sum.Sum(nil), trailer[len(trailerHead):]) == 1
}

// Close is to be called once all was read.
func (d *protected) Close() error {
	if !d.agrees {
		return pgperrors.ErrMDCHashMismatch
	}
	return nil
}

// readFull fills p. The error is r's own: io.EOF only where r ended by itself.
func readFull(r io.Reader, p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var more int
		more, err = r.Read(p[n:])
		n += more
	}
	if n == len(p) && errors.Is(err, io.EOF) {
		err = nil // the next call has it
	}
	return n, err
}

// decryptCFB decrypts src into dst, which do not overlap. feed is the block of
// cipher text before src, and then its last one. All but the last call of a stream
// are of whole blocks.
func decryptCFB(block cipher.Block, feed, dst, src []byte) {
	const size = aes.BlockSize
	if len(src) == 0 {
		return
	}
	last := (len(src) - 1) / size * size // where the last block begins
	var end [size]byte
	before := feed
	for at := 0; at < last; at += size {
		block.Encrypt(dst[at:at+size], before)
		before = src[at : at+size]
	}
	block.Encrypt(end[:], before)
	copy(dst[last:], end[:])
	subtle.XORBytes(dst, dst, src)
	if len(src)-last == size {
		copy(feed, src[last:])
	}
}
