package archive

import (
	"context"
	"errors"
	"fmt"
	"io"

	"daybefore/internal/packed"
	"daybefore/internal/verdict"
)

// Keys tell and open what a backup is encrypted with.
type Keys interface {
	// Of returns what opens a stream that begins with head, if it is encrypted.
	// The first stream is the file's own, which a declared command takes whatever
	// its head says.
	Of(head []byte, first bool) (Cipher, bool)
}

// Cipher is one way of encrypting a file, with the keys that open it.
type Cipher interface {
	Name() string // as a report has it
	Open(ctx context.Context, in io.Reader) (Plaintext, error)
}

// Plaintext is what is in an encrypted file. An error of its own is a
// *verdict.Problem, which says whether it is the file that is bad. One that also
// has Summed() bool reports so whether all that was read so far is authentic.
type Plaintext interface {
	io.Reader
	Close() error
	Key() string // the public fingerprint of what opened it; empty where none is told
}

// decrypt takes a cipher off.
func (c *chain) decrypt(cipher Cipher) error {
	l := &link{what: cipher.Name(), cipher: noPlaintext{}, summed: func() bool { return false }}
	in := c.Reader
	c.add(l)
	plain, err := cipher.Open(c.src.ctx, in)
	if err != nil {
		l.keep(l.explain(err))
		return l.fault()
	}
	l.cipher = plain
	l.r = &packed.Bounded{R: plain, Bound: c.src.bound}
	l.close = func() { _ = plain.Close() }
	if authentic, ok := plain.(interface{ Summed() bool }); ok {
		l.summed = authentic.Summed
	}
	return nil
}

// noPlaintext stands for that of a file that could not be opened.
type noPlaintext struct{ Plaintext }

func (noPlaintext) Key() string { return "" }

// explainCipher passes on what a cipher says of the backup.
func (l *link) explainCipher(err error) error {
	if p, ok := errors.AsType[*verdict.Problem](err); ok {
		return fmt.Errorf("read %s: %w", l.name, p)
	}
	return fmt.Errorf("read %s: decrypt it with %s: %w", l.name, l.what, err)
}
