// Package crypt opens what backups are encrypted with: age, OpenPGP, and
// whatever a declared command decrypts. It streams, and gives io.EOF only after
// bytes that it knows to be whole and unaltered, or that a command called so by
// its status. It never puts a key or a passphrase into an error, onto a command
// line or into a file, and knows nothing of what is in the plain text.
//
// A cipher is a file and a row of Ciphers.
package crypt

import (
	"bufio"
	"context"
	"errors"
	"io"

	"daybefore/internal/verdict"
)

// Cipher is one way of encrypting a file.
type Cipher struct {
	Name string // as a report has it

	begins func(head []byte) bool
	open   func(ctx context.Context, in *bufio.Reader, keys *Keys) (Stream, error)
}

// Ciphers are those that are told by their first bytes.
var Ciphers = []Cipher{ageCipher, openPGPCipher}

// Of returns the cipher of a file that begins with head.
func Of(head []byte) (Cipher, bool) {
	for _, c := range Ciphers {
		if c.begins(head) {
			return c, true
		}
	}
	return Cipher{}, false
}

// Open reads the header and finds the key that opens it; keys may be nil. Its
// error and those of the stream are *verdict.Problem and wrap one of ErrNoKey,
// ErrWrongKey, ErrAltered and ErrEither, or say that the file asks for what this
// version does not do. What goes wrong with in itself is for the caller to tell,
// and so is the end of ctx. The stream is to be closed; until then in is read by
// it alone, in a goroutine of its own.
func (c Cipher) Open(ctx context.Context, in *bufio.Reader, keys *Keys) (Stream, error) {
	if keys == nil {
		keys = &Keys{}
	}
	return c.open(ctx, in, keys)
}

// Stream is what is in an encrypted file. It gives io.EOF only where the file's
// end was reached and all of it is authentic.
type Stream interface {
	io.Reader
	Close() error
	// Key is the public fingerprint of the key that opened it: an age recipient,
	// the fingerprint of an SSH or OpenPGP key. Empty where none is told.
	Key() string
	// Summed reports whether the cipher itself vouches for all that was read so far.
	Summed() bool
}

// Why a file could not be decrypted.
var (
	ErrNoKey    = errors.New("the drill file names no key for it")
	ErrWrongKey = errors.New("no key that the drill file names opens it")
	// ErrAltered says that the file is not what was encrypted: bytes were changed, or
	// its end is missing. The right key was there, or none is needed to tell.
	ErrAltered = errors.New("it is not what was encrypted")
	// ErrEither says that nobody can tell the wrong key from a damaged file.
	ErrEither = errors.New("either the key is not the right one, or the backup was cut or altered")
)

const (
	hintCut = "the backup job, its encryption or its upload broke off: look at the job's own exit status, free disk " +
		"space and log, then take a new backup"
	hintAltered = "the bytes were changed after they were encrypted, by damage or on purpose: compare checksums where " +
		"the backup is written and where it is stored, then take a new one"
	hintUnsupported = "let a program decrypt it: name it under source.decrypt.command"
)

// noKey is the error of a file for which no key is declared.
func noKey(cipher, key string) error {
	return verdict.Errorf(verdict.CodeDecrypt, "name the key under source.decrypt."+key+
		", or the program that decrypts it under source.decrypt.command", "it is encrypted with %s, and %w", cipher, ErrNoKey)
}

// cut is the error of a file that ends too early, whatever the key is.
func cut(cipher, where string) error {
	return verdict.Failf(verdict.CodeTruncated, hintCut, "%w with %s: it ends too early, %s", ErrAltered, cipher, where)
}

// altered is the error of a file that its key opened, and that is not whole.
func altered(cipher, what string) error {
	return verdict.Failf(verdict.CodeCorrupt, hintAltered, "%w with %s: %s", ErrAltered, cipher, what)
}

// unsupported is the error of a file that asks for what is not done here.
func unsupported(hint, format string, args ...any) error {
	return verdict.Errorf(verdict.CodeUnsupported, hint, format, args...)
}

// early reports whether an error says that nothing more came.
func early(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }
