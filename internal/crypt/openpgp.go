package crypt

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/ProtonMail/go-crypto/openpgp"
	pgperrors "github.com/ProtonMail/go-crypto/openpgp/errors"
	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"daybefore/internal/verdict"
)

var openPGPCipher = Cipher{Name: "openpgp", begins: beginsOpenPGP, open: openOpenPGP}

func init() {
	packet.V5Disabled = false // GnuPG 2.3 and later write its packets for a passphrase under --force-ocb
}

// beginsOpenPGP tells ASCII armor, and the packets that encrypted messages begin
// with (RFC 9580): session keys (tags 1 and 3) with their versions.
func beginsOpenPGP(head []byte) bool {
	if bytes.HasPrefix(head, []byte(armorBegin)) {
		return true
	}
	if len(head) < 4 {
		return false
	}
	switch head[0] {
	case 0x84, 0xc1: // public-key session key: length of one byte, or of two, and the version
		return head[2] == 3 || head[2] == 6 || head[0] == 0xc1 && head[1] >= 192 && (head[3] == 3 || head[3] == 6)
	case 0x85: // the same, two-byte length
		return head[3] == 3
	case 0x8c, 0xc3: // passphrase session key
		return head[2] >= 4 && head[2] <= 6
	}
	return false
}

// parseRing reads private keys and unlocks them.
func parseRing(name string, text, passphrase []byte) (openpgp.EntityList, error) {
	read := openpgp.ReadKeyRing
	if bytes.Contains(text, []byte("-----BEGIN PGP")) {
		read = openpgp.ReadArmoredKeyRing
	}
	ring, err := read(bytes.NewReader(text))
	if err != nil || len(ring.DecryptionKeys()) == 0 && !holdsPrivate(ring) {
		return nil, badKey("it holds what gpg --export-secret-keys writes", "%s: it holds no private OpenPGP key", name)
	}
	for _, e := range ring {
		if err := e.DecryptPrivateKeys(passphrase); err != nil {
			if len(passphrase) == 0 {
				return nil, badKey("name the variable with its passphrase under source.decrypt.openpgp_passphrase_env",
					"%s: the private key is locked by a passphrase", name)
			}
			return nil, badKey("put the key's passphrase into the variable of source.decrypt.openpgp_passphrase_env",
				"%s: the passphrase does not unlock the private key", name)
		}
	}
	return ring, nil
}

func holdsPrivate(ring openpgp.EntityList) bool {
	for _, e := range ring {
		if e.PrivateKey != nil {
			return true
		}
		for _, sub := range e.Subkeys {
			if sub.PrivateKey != nil {
				return true
			}
		}
	}
	return false
}

// message is an OpenPGP message that is being opened.
type message struct {
	in        *bufio.Reader
	keys      *Keys
	body      *packet.Reader
	trailer   func() error // judges what stands after the last packet
	forKeys   []*packet.EncryptedKey
	forPhrase []*packet.SymmetricKeyEncrypted
}

// openOpenPGP decrypts one message, armored or not.
func openOpenPGP(_ context.Context, in *bufio.Reader, keys *Keys) (Stream, error) {
	m := &message{in: in, keys: keys}
	if err := m.begin(); err != nil {
		return nil, err
	}
	data, err := m.envelope()
	if err != nil {
		return nil, err
	}
	k, err := m.sessionKey(data)
	if err != nil {
		return nil, err
	}
	plain, err := m.decrypt(data, k)
	if err != nil {
		return nil, err
	}
	return opened{plain, k.public}, nil
}

// envelope reads the packets before the data, which hold its key.
func (m *message) envelope() (packet.EncryptedDataPacket, error) {
	for {
		p, err := m.body.Next()
		if err != nil {
			return nil, m.damagedHead(err)
		}
		switch p := p.(type) {
		case *packet.EncryptedKey:
			m.forKeys = append(m.forKeys, p)
		case *packet.SymmetricKeyEncrypted:
			m.forPhrase = append(m.forPhrase, p)
		case *packet.SymmetricallyEncrypted:
			if !p.IntegrityProtected {
				return nil, unsupported("let gpg decrypt it: source.decrypt.command [gpg, --batch, --ignore-mdc-error, "+
					"--decrypt]; better, encrypt with gpg 2", "it is encrypted with OpenPGP and without any protection "+
					"against changes (no MDC)")
			}
			return p, nil
		case *packet.AEADEncrypted:
			return p, nil
		default:
			return nil, altered("openpgp", "its packets are not those of an encrypted message")
		}
	}
}

// damagedHead is the error of packets that cannot be read, whatever the key is.
func (m *message) damagedHead(err error) error {
	_, lacking := errors.AsType[pgperrors.UnsupportedError](err)
	switch {
	case early(err):
		return cut("openpgp", "before its data")
	case lacking:
		return unsupported(hintUnsupported, "it is encrypted in a way of OpenPGP's that is not known here: %w", err)
	}
	return altered("openpgp", "its packets cannot be read")
}

// session is a key that may open the data.
type session struct {
	cipher packet.CipherFunction
	key    []byte
	public string // fingerprint of who opened it; empty for a passphrase
	sure   bool   // the packet that held the key vouches for it
}

// sessionKey finds the key of the data.
func (m *message) sessionKey(data packet.EncryptedDataPacket) (session, error) {
	var ours bool
	for _, p := range m.forKeys {
		for _, k := range m.candidates(p) {
			ours = ours || p.KeyId != 0 || len(p.KeyFingerprint) > 0
			if p.Decrypt(k.PrivateKey, nil) == nil {
				return session{cipher: p.CipherFunc, key: p.Key, sure: true,
					public: fmt.Sprintf("%X", k.Entity.PrimaryKey.Fingerprint)}, nil
			}
		}
	}
	if ours {
		return session{}, m.neither("the key is the one it was encrypted for, and does not open it")
	}
	if len(m.forPhrase) > 0 && len(m.keys.symmetric) > 0 {
		return m.byPhrase(data)
	}
	return session{}, m.noSession()
}

// candidates are the declared keys that a session key may be for.
func (m *message) candidates(p *packet.EncryptedKey) (keys []openpgp.Key) {
	for _, k := range m.keys.ring.DecryptionKeys() {
		if k.PrivateKey == nil || k.PrivateKey.Encrypted || k.PrivateKey.Dummy() {
			continue
		}
		same := p.KeyId == 0 || p.KeyId == k.PublicKey.KeyId
		if p.Version == 6 && len(p.KeyFingerprint) > 0 {
			same = bytes.Equal(p.KeyFingerprint, k.PublicKey.Fingerprint)
		}
		if same {
			keys = append(keys, k)
		}
	}
	return keys
}

// byPhrase finds the key of the data by the passphrase. Where nothing vouches for
// it, the first bytes of the data tell most wrong ones.
func (m *message) byPhrase(data packet.EncryptedDataPacket) (session, error) {
	mdc, _ := data.(*packet.SymmetricallyEncrypted)
	for _, p := range m.forPhrase {
		key, cipher, err := p.Decrypt(m.keys.symmetric)
		if err != nil {
			continue
		}
		s := session{cipher: cipher, key: key, sure: p.Version > 4}
		if mdc == nil || mdc.Version != 1 || s.fits(mdc) {
			return s, nil
		}
	}
	return session{}, m.neither("its first bytes do not fit the passphrase")
}

// neither is the error of a message of which nobody can tell whether the key is
// wrong or the bytes.
func (m *message) neither(what string) error {
	return verdict.Errorf(verdict.CodeDecrypt,
		"try the same key with gpg --decrypt on another backup: if it opens that one, this one is damaged",
		"it is encrypted with openpgp, and %s: %w", what, ErrEither)
}

// noSession is the error of a message for which no key is declared, or another.
func (m *message) noSession() error {
	var wanted, declared []string
	for _, p := range m.forKeys {
		wanted = append(wanted, fmt.Sprintf("%016X", p.KeyId))
	}
	for _, e := range m.keys.ring {
		declared = append(declared, fmt.Sprintf("%X", e.PrimaryKey.Fingerprint))
	}
	switch {
	case len(m.forPhrase) > 0 && len(m.forKeys) == 0:
		return noKey("openpgp and a passphrase", "openpgp_passphrase_env")
	case len(declared) > 0:
		return verdict.Errorf(verdict.CodeDecrypt, "declare the private key that the backup job encrypts for; a header "+
			"that was damaged looks the same", "it is encrypted with openpgp for the keys %s, and %w: the keys named are %s",
			list(wanted), ErrWrongKey, list(declared))
	}
	return noKey("openpgp", "openpgp_key_env or openpgp_key_file")
}

// plainBody is the data of a message: what is read of it is passed on, and its end
// is one only once all is authentic.
type plainBody struct {
	m       *message
	literal io.Reader
	data    io.ReadCloser // decrypted packets, to their end
	sure    bool
}

func (b *plainBody) Read(p []byte) (int, error) {
	n, err := b.literal.Read(p)
	switch {
	case err == nil:
		return n, nil
	case !errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return n, b.broken(err)
	}
	if n > 0 {
		return n, nil
	}
	return 0, b.end()
}

// end reads what follows the data, signatures among it, and has all of it checked.
func (b *plainBody) end() error {
	if _, err := io.Copy(io.Discard, b.data); err != nil {
		return b.broken(err)
	}
	if err := b.data.Close(); err != nil {
		return b.broken(err)
	}
	if err := b.m.trailer(); err != nil {
		return err
	}
	return io.EOF
}

// broken is why the data is not whole. Packets that end too early do so whatever
// the key is.
func (b *plainBody) broken(err error) error {
	if _, ended := io.Copy(io.Discard, b.data); ended != nil {
		err = ended
	}
	switch {
	case early(err) && b.m.ended():
		return cut("openpgp", "within its data")
	case !b.sure:
		return b.m.neither("its data does not authenticate")
	}
	return altered("openpgp", "its data does not authenticate")
}

// ended reports whether nothing is left of the file.
func (m *message) ended() bool {
	_, err := m.in.Peek(1)
	return err != nil
}
