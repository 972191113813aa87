package crypt

import (
	"bytes"
	"fmt"
	"io"
	"testing"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"daybefore/internal/verdict"
)

// What RFC 9580 made of OpenPGP, which Debian's GnuPG does not write: chunks that
// authenticate each for itself, and a passphrase's packet that does.
func TestAEAD(t *testing.T) {
	t.Parallel()
	text := dumpLike(600 << 10)
	config := &packet.Config{AEADConfig: &packet.AEADConfig{}, DefaultCipher: packet.CipherAES256}
	file := sealed(t, text, func(w io.Writer) (io.WriteCloser, error) {
		return openpgp.SymmetricallyEncrypt(w, []byte(passphrase), nil, config)
	})
	keys := newKeys(t, Declared{OpenPGPPassphrase: []byte(passphrase)})
	got, s, err := decrypt(t, file, keys)
	if err != nil || !bytes.Equal(got, text) || !s.Summed() {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
	_, _, err = decrypt(t, file, newKeys(t, Declared{OpenPGPPassphrase: []byte(anotherPhrase)}))
	judged(t, err, ErrEither, verdict.Error, verdict.CodeDecrypt)
	for at := 300; at < len(file); at += len(file) / 40 {
		_, _, err = decrypt(t, file[:at], keys)
		written{}.bad(t, fmt.Sprintf("cut at %d", at), err, true)
		changed := bytes.Clone(file)
		changed[at] ^= 1
		_, _, err = decrypt(t, changed, keys)
		written{}.bad(t, fmt.Sprintf("changed at %d", at), err, true)
	}
}
