package scenarios

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"

	"filippo.io/age"
	"github.com/ProtonMail/go-crypto/openpgp"

	"daybefore/internal/verdict"
)

// lock encrypts a scenario's backups.
type lock struct {
	suffix string // of an encrypted backup's name
	// make gives what encrypts, and the private key that decrypts, another each time
	make func() (seal func(io.Writer) (io.WriteCloser, error), private []byte, err error)
	key  string // of source.decrypt: names the private key's file, or a variable
}

var (
	ageLock     = lock{".age", ageKey, "age_identity_file"}
	openPGPLock = lock{".gpg", openPGPKey, "openpgp_key_file"}
	// passphraseLock has one key for both, which no file can be told to be for.
	passphraseLock = lock{".gpg", openPGPPassphrase, "openpgp_passphrase_env"}
)

func brokenCiphers() []Scenario {
	intact := func(file []byte) []byte { return file }
	cut := func(file []byte) []byte { return file[:len(file)-len(file)/3] }
	altered := func(file []byte) []byte {
		file[len(file)/2] ^= 1
		return file
	}
	var all []Scenario
	for _, c := range []struct {
		name string
		lock lock
	}{{"age", ageLock}, {"OpenPGP", openPGPLock}} {
		all = append(all,
			Scenario{"nothing broken, encrypted with " + c.name, encrypted(c.lock, intact, ownKey), pass},
			Scenario{"encrypted with " + c.name + " for another key", encrypted(c.lock, intact, otherKey),
				unverified(verdict.StageChoose, verdict.CodeDecrypt)},
			Scenario{"encrypted with " + c.name + ", and no key is named", encrypted(c.lock, intact, noKey),
				unverified(verdict.StageChoose, verdict.CodeDecrypt)},
			Scenario{"encrypted with " + c.name + ", then altered", encrypted(c.lock, altered, ownKey),
				fail(verdict.StageFetch, verdict.CodeCorrupt)},
			Scenario{"encrypted with " + c.name + ", then cut", encrypted(c.lock, cut, ownKey),
				fail(verdict.StageFetch, verdict.CodeTruncated)})
	}
	return append(all,
		Scenario{"nothing broken, encrypted with a passphrase", encrypted(passphraseLock, intact, ownKey), pass},
		Scenario{"encrypted with another passphrase", encrypted(passphraseLock, intact, otherKey),
			unverified(verdict.StageFetch, verdict.CodeDecrypt)},
		Scenario{"nothing broken, opened by a command", commanded("[gzip, -d]", intact), pass},
		Scenario{"opened by a command, and cut before", commanded("[gzip, -d]", cut),
			unverified(verdict.StageFetch, verdict.CodeDecrypt)},
		Scenario{"opened by a command that is missing", commanded("[no-such-program]", intact),
			unverified(verdict.StageChoose, verdict.CodeDecrypt)},
		Scenario{"opened by a command that writes nothing", commanded("['true']", intact),
			unverified(verdict.StageFetch, verdict.CodeDecrypt)})
}

// Which key the drill file names.
const (
	ownKey = iota
	otherKey
	noKey
)

// encrypted encrypts all backups, and then spoils the newest.
func encrypted(l lock, spoil func([]byte) []byte, which int) Break {
	return func(ctx context.Context, b *Maker, s *Store) error {
		seal, private, err := l.make()
		if err != nil {
			return err
		}
		if which == otherKey {
			_, private, err = l.make()
			if err != nil {
				return err
			}
		}
		err = both(compressed(l.suffix, sealedBy(seal)), newest(spoil))(ctx, b, s)
		if err != nil || which == noKey {
			return err
		}
		where, err := s.keep(l, private)
		return errors.Join(err, s.editDrill("  max_ratio: 200\n", "  max_ratio: 200\n  decrypt: {"+l.key+": "+where+"}\n"))
	}
}

// keep puts a key where the drill file names it: in a file, or in a variable of
// its own for the scenario's time.
func (s *Store) keep(l lock, private []byte) (where string, err error) {
	if !strings.HasSuffix(l.key, "_env") {
		const file = "backup.key"
		return file, os.WriteFile(filepath.Join(s.dir, file), private, 0o600)
	}
	where = "SCENARIO_" + rand.Text()
	s.atExit = append(s.atExit, func() { _ = os.Unsetenv(where) }) // which fails for no such name
	return where, os.Setenv(where, string(private))
}

// commanded has a command open all backups, of which the newest is spoiled.
func commanded(command string, spoil func([]byte) []byte) Break {
	return both(compressed(".enc", gzipped), newest(spoil),
		edited("  max_ratio: 200\n", "  max_ratio: 200\n  decrypt: {command: "+command+"}\n"))
}

// sealedBy encrypts as compressed compresses.
func sealedBy(seal func(io.Writer) (io.WriteCloser, error)) func([]byte) ([]byte, error) {
	return func(dump []byte) ([]byte, error) {
		var b bytes.Buffer
		w, err := seal(&b)
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(dump); err != nil {
			return nil, err
		}
		err = w.Close() // writes the end
		return b.Bytes(), err
	}
}

func ageKey() (func(io.Writer) (io.WriteCloser, error), []byte, error) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		return nil, nil, err
	}
	seal := func(w io.Writer) (io.WriteCloser, error) { return age.Encrypt(w, id.Recipient()) }
	return seal, []byte(id.String() + "\n"), nil
}

func openPGPPassphrase() (func(io.Writer) (io.WriteCloser, error), []byte, error) {
	passphrase := []byte(rand.Text())
	seal := func(w io.Writer) (io.WriteCloser, error) {
		return openpgp.SymmetricallyEncrypt(w, passphrase, nil, nil)
	}
	return seal, passphrase, nil
}

func openPGPKey() (func(io.Writer) (io.WriteCloser, error), []byte, error) {
	e, err := openpgp.NewEntity("drill", "", "drill@example.com", nil)
	if err != nil {
		return nil, nil, err
	}
	var private bytes.Buffer
	if err := e.SerializePrivate(&private, nil); err != nil {
		return nil, nil, err
	}
	seal := func(w io.Writer) (io.WriteCloser, error) {
		return openpgp.Encrypt(w, openpgp.EntityList{e}, nil, nil, nil)
	}
	return seal, private.Bytes(), nil
}
