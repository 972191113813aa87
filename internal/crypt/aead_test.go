package crypt

import (
	"bytes"
	"fmt"
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
	var b bytes.Buffer
	config := &packet.Config{AEADConfig: &packet.AEADConfig{}, DefaultCipher: packet.CipherAES256}
	w, err := openpgp.SymmetricallyEncrypt(&b, []byte(passphrase), nil, config)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	keys := newKeys(t, Declared{OpenPGPPassphrase: []byte(passphrase)})
	got, s, err := decrypt(t, b.Bytes(), keys)
	if err != nil || !bytes.Equal(got, text) || !s.Summed() {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
	_, _, err = decrypt(t, b.Bytes(), newKeys(t, Declared{OpenPGPPassphrase: []byte(anotherPhrase)}))
	judged(t, err, ErrEither, verdict.Error, verdict.CodeDecrypt)
	for at := 300; at < b.Len(); at += b.Len() / 40 {
		_, _, err = decrypt(t, b.Bytes()[:at], keys)
		written{}.bad(t, fmt.Sprintf("cut at %d", at), err, true)
		changed := bytes.Clone(b.Bytes())
		changed[at] ^= 1
		_, _, err = decrypt(t, changed, keys)
		written{}.bad(t, fmt.Sprintf("changed at %d", at), err, true)
	}
}
