package archive

import (
	"errors"
	"fmt"

	"daybefore/internal/crypt"
	"daybefore/internal/packed"
	"daybefore/internal/verdict"
)

// decrypt takes a cipher off.
func (c *chain) decrypt(cipher crypt.Cipher, keys *crypt.Keys) error {
	l := &link{what: cipher.Name, encrypted: true, summed: func() bool { return false }}
	in := c.Reader
	c.add(l)
	plain, err := cipher.Open(c.src.ctx, in, keys)
	if err != nil {
		l.keep(l.explain(err))
		return l.fault()
	}
	l.key = plain.Key()
	l.r = &packed.Bounded{R: plain, Bound: c.src.bound}
	l.close = func() { _ = plain.Close() }
	l.summed = plain.Summed
	return nil
}

// explainCipher passes on what a cipher says of the backup.
func (l *link) explainCipher(err error) error {
	if p, ok := errors.AsType[*verdict.Problem](err); ok {
		return fmt.Errorf("read %s: %w", l.name, p)
	}
	return fmt.Errorf("read %s: decrypt it with %s: %w", l.name, l.what, err)
}

// keyMissing reports whether an error says that nothing here opens the backup,
// which no later byte of it can change.
func keyMissing(err error) bool {
	return errors.Is(err, crypt.ErrNoKey) || errors.Is(err, crypt.ErrWrongKey)
}

// inDoubt is err, unless it blames bytes that a command wrote: with the wrong key
// many write garbage and end well.
func (c *chain) inDoubt(err error) error {
	if err == nil || len(c.links) == 0 || c.top().what != crypt.CommandName {
		return err
	}
	if verdict.AsProblem(err).Outcome != verdict.Fail {
		return err
	}
	return verdict.Errorf(verdict.CodeDecrypt,
		"run the command by hand on the same file, and look at the first bytes that it writes",
		"%w: %w", err, crypt.ErrEither)
}
