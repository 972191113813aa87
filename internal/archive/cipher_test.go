package archive

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
	"github.com/ProtonMail/go-crypto/openpgp"

	"daybefore/internal/crypt"
	"daybefore/internal/testneed"
	"daybefore/internal/verdict"
)

// lockbox is what encrypts for a test, and the keys that open it.
type lockbox struct {
	cipher string
	seal   func(w io.Writer) (io.WriteCloser, error)
	keys   *crypt.Keys
	key    string
}

func (s lockbox) bytes(t *testing.T, text []byte) []byte {
	t.Helper()
	return written(t, text, s.seal)
}

func byAge(t *testing.T) lockbox {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	keys, err := crypt.NewKeys(crypt.Declared{AgeIdentity: []byte(id.String())})
	if err != nil {
		t.Fatal(err)
	}
	seal := func(w io.Writer) (io.WriteCloser, error) { return age.Encrypt(w, id.Recipient()) }
	return lockbox{"age", seal, keys, id.Recipient().String()}
}

func byOpenPGP(t *testing.T) lockbox {
	t.Helper()
	e, err := openpgp.NewEntity("drill", "", "drill@example.com", nil)
	if err != nil {
		t.Fatal(err)
	}
	var private bytes.Buffer
	if err := e.SerializePrivate(&private, nil); err != nil {
		t.Fatal(err)
	}
	keys, err := crypt.NewKeys(crypt.Declared{OpenPGPKey: private.Bytes()})
	if err != nil {
		t.Fatal(err)
	}
	seal := func(w io.Writer) (io.WriteCloser, error) {
		return openpgp.Encrypt(w, openpgp.EntityList{e}, nil, nil, nil)
	}
	return lockbox{"openpgp", seal, keys, strings.ToUpper(hexOf(e.PrimaryKey.Fingerprint))}
}

func hexOf(b []byte) string {
	var s strings.Builder
	for _, one := range b {
		const digits = "0123456789abcdef"
		s.WriteByte(digits[one>>4])
		s.WriteByte(digits[one&15])
	}
	return s.String()
}

// openSealed opens a file in a folder of its own, and wants nothing left of one
// that does not open.
func openSealed(t *testing.T, file []byte, name string, keys *crypt.Keys) (*Archive, error) {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "fetched")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	a, err := Open(t.Context(), path, Options{Name: name, Keys: keys})
	left, failed := os.ReadDir(dir)
	if failed != nil {
		t.Fatal(failed)
	}
	if err != nil && len(left) != 1 {
		t.Errorf("%s: %d files are left", name, len(left)-1)
	}
	return a, err
}

// Whatever a dump's format, it is read under a cipher, and under one around a
// compression.
func TestEncrypted(t *testing.T) {
	t.Parallel()
	for _, s := range []lockbox{byAge(t), byOpenPGP(t)} {
		other := map[string]lockbox{"age": byAge(t), "openpgp": byOpenPGP(t)}[s.cipher]
		for _, name := range []string{"small-17.dump", "small-17.sql", "small-17.tar"} {
			text := []byte(readFile(t, "testdata/"+name))
			for how, text := range map[string][]byte{"none": text, "gzip": gzipped(t, text), "zstd": zstded(t, text)} {
				file := s.bytes(t, text)
				a, err := openSealed(t, file, name, s.keys)
				if err != nil {
					t.Fatalf("%s %s %s: %v", name, how, s.cipher, err)
				}
				if a.Encryption != s.cipher || a.Key != s.key || string(a.Compression) != how || len(a.Entries) == 0 {
					t.Errorf("%s %s: %q %q %q", name, how, a.Encryption, a.Key, a.Compression)
				}
				h, err := Peek(t.Context(), bytes.NewReader(file), s.keys)
				if err != nil || h.Encryption != s.cipher || h.Key != s.key || h.Database != a.Database {
					t.Errorf("peek at %s %s: %+v, %v", name, how, h, err)
				}
				for keys, says := range map[*crypt.Keys]string{nil: "names no key", other.keys: "no key that the drill file names opens it"} {
					_, err := openSealed(t, file, name, keys)
					wantProblem(t, err, verdict.Error, verdict.CodeDecrypt, says)
					_, err = Peek(t.Context(), bytes.NewReader(file), keys)
					wantProblem(t, err, verdict.Error, verdict.CodeDecrypt, says)
				}
			}
		}
	}
}

// What was cut or changed anywhere after its header is a bad backup, whatever
// its format; nothing of it passes.
func TestEncryptedAndDamaged(t *testing.T) {
	t.Parallel()
	const head = 700 // bytes of a header, which a key has to open first
	places := 12
	if testneed.Matrix() {
		places = 40
	}
	for _, s := range []lockbox{byAge(t), byOpenPGP(t)} {
		for _, name := range []string{"small-17.dump", "small-17.sql", "small-17.tar"} {
			for how, text := range map[string][]byte{"bare": []byte(readFile(t, "testdata/"+name)),
				"zstd": zstded(t, []byte(readFile(t, "testdata/"+name)))} {
				file := s.bytes(t, text)
				step := max(1, len(file)/places)
				for at := 60; at < len(file); at += step {
					changed := bytes.Clone(file)
					changed[at] ^= 0x10
					for what, file := range map[string][]byte{"cut": file[:at], "changed": changed} {
						_, err := openSealed(t, file, name, s.keys)
						if err == nil || at > head && verdict.AsProblem(err).Outcome != verdict.Fail {
							t.Errorf("%s %s %s, %s at %d: %v", s.cipher, how, name, what, at, err)
						}
					}
				}
			}
		}
	}
}

// A command gets the file whatever it begins with, and its word counts.
func TestDecryptedByACommand(t *testing.T) {
	t.Parallel()
	dump := []byte(readFile(t, "testdata/small-17.dump"))
	file := gzipped(t, dump)
	by := func(args ...string) *crypt.Keys {
		keys, err := crypt.NewKeys(crypt.Declared{Command: args})
		if err != nil {
			t.Fatal(err)
		}
		return keys
	}
	a, err := openSealed(t, file, "shop.dump.enc", by("gzip", "-d"))
	if err != nil || a.Encryption != "command" || a.Key != "" || a.Compression != None {
		t.Fatalf("%v, %v", a, err)
	}
	if len(a.Notes) > 0 {
		t.Errorf("%v", a.Notes)
	}
	_, err = openSealed(t, file[:len(file)-9], "shop.dump.enc", by("gzip", "-d"))
	wantProblem(t, err, verdict.Error, verdict.CodeDecrypt, "either the key is not the right one, or the backup was cut or altered")
	_, err = openSealed(t, dump, "shop.dump.enc", by("sh", "-c", "cat; echo gone >&2; exit 3"))
	wantProblem(t, err, verdict.Error, verdict.CodeDecrypt, "ended with status 3; its last words: gone")
	_, err = openSealed(t, dump, "shop.dump.enc", by("true"))
	wantProblem(t, err, verdict.Error, verdict.CodeDecrypt, "it ended well and wrote nothing")
	_, err = openSealed(t, dump, "shop.dump.enc", by("tr", "A-Z", "b-za")) // as a cipher does with the wrong key
	wantProblem(t, err, verdict.Error, verdict.CodeDecrypt, "either the key is not the right one, or the backup was cut or altered")
}
