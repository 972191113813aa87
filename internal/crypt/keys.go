package crypt

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"filippo.io/age"
	"github.com/ProtonMail/go-crypto/openpgp"

	"daybefore/internal/verdict"
)

// Declared is what a drill file says of keys. Nothing that prints it shows one.
type Declared struct {
	AgeIdentity       []byte // secret keys, one a line, or an SSH private key
	AgeIdentityFile   string
	AgePassphrase     []byte
	OpenPGPKey        []byte // private keys, armored or not
	OpenPGPKeyFile    string
	OpenPGPPassphrase []byte // of the private key, and of files encrypted with a passphrase alone
	Command           []string
	Env               []string // variables that the command gets, by name
}

// Format implements fmt.Formatter.
func (Declared) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, "(keys)") }

// Keys are what opens encrypted backups. Safe for concurrent use. Nothing that
// prints them shows one.
type Keys struct {
	identities []identity // of age, each with its public name
	passphrase *age.ScryptIdentity
	ring       openpgp.EntityList // unlocked
	symmetric  []byte             // passphrase of OpenPGP
	command    []string
	env        []string
}

// Format implements fmt.Formatter.
func (*Keys) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, "(keys)") }

// NewKeys reads the keys that are declared. The error is a *verdict.Problem that
// names the key of the drill file, and never what was found there.
func NewKeys(d Declared) (*Keys, error) {
	k := &Keys{symmetric: d.OpenPGPPassphrase, command: d.Command, env: d.Env}
	if len(d.AgePassphrase) > 0 {
		k.passphrase = newPassphrase(d.AgePassphrase)
	}
	if k.Command() {
		if _, err := exec.LookPath(d.Command[0]); err != nil {
			return nil, badKey("install it, or write its path", "source.decrypt.command: %s cannot be run: %w",
				verdict.Printable(d.Command[0]), errors.Unwrap(err))
		}
	}
	text, name, err := either(d.AgeIdentity, d.AgeIdentityFile, "age_identity")
	if err != nil {
		return nil, err
	}
	if text != nil {
		k.identities, err = parseIdentities(name, text)
		if err != nil {
			return nil, err
		}
	}
	text, name, err = either(d.OpenPGPKey, d.OpenPGPKeyFile, "openpgp_key")
	if err != nil {
		return nil, err
	}
	if text != nil {
		k.ring, err = parseRing(name, text, d.OpenPGPPassphrase)
	}
	return k, err
}

// Command reports whether a command was declared, which then gets every backup,
// whatever its first bytes are.
func (k *Keys) Command() bool { return k != nil && len(k.command) > 0 }

// Of returns the cipher of a stream that begins with head: the declared command
// for a file's own stream, and else what head tells. k may be nil.
func (k *Keys) Of(head []byte, first bool) (Cipher, bool) {
	if first && k.Command() {
		return commandCipher, true
	}
	return Of(head)
}

// either is the text of a key that a variable or a file holds, and what the drill
// file calls where it stands; nil for none.
func either(value []byte, path, key string) (text []byte, name string, err error) {
	if path == "" {
		return value, "source.decrypt." + key + "_env", nil
	}
	name = "source.decrypt." + key + "_file"
	text, err = readKey(path)
	if err != nil {
		var p *verdict.Problem
		if errors.As(err, &p) {
			return nil, name, verdict.Errorf(p.Code, p.Hint, "%s: %w", name, err)
		}
		return nil, name, badKey("name a file that this user may read", "%s: %w", name, err)
	}
	return text, name, nil
}

const mostKey = 1 << 20 // bytes of a key's file

// readKey reads a file that holds a secret. As ssh does, it refuses one of this
// user's that others may read or write.
func readKey(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	owner, known := info.Sys().(*syscall.Stat_t)
	mine := !known || int(owner.Uid) == os.Getuid()
	if mine && info.Mode().Perm()&0o077 != 0 {
		return nil, badKey("chmod 600 "+verdict.Printable(path),
			"%s has mode %04o: others than its owner may reach the key in it",
			verdict.Printable(filepath.Base(path)), info.Mode().Perm())
	}
	text, err := io.ReadAll(io.LimitReader(f, mostKey+1))
	switch {
	case err != nil:
		return nil, err
	case len(text) > mostKey:
		return nil, fmt.Errorf("%s is too large to be a key", verdict.Printable(filepath.Base(path)))
	}
	return text, nil
}

// badKey is the error of a key that cannot be used.
func badKey(hint, format string, args ...any) error {
	return verdict.Errorf(verdict.CodeDecrypt, hint, format, args...)
}
