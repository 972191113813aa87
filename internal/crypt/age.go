package crypt

import (
	"bufio"
	"bytes"
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"filippo.io/age"
	"filippo.io/age/agessh"
	"filippo.io/age/armor"
	"golang.org/x/crypto/ssh"

	"daybefore/internal/readahead"
	"daybefore/internal/verdict"
)

var ageCipher = Cipher{Name: "age", begins: beginsAge, open: openAge}

const (
	ageIntro = "age-encryption.org/"
	ageV1    = ageIntro + "v1\n"

	// maxWorkFactor bounds what a passphrase costs: 2^20 is 1 GiB of memory and some
	// seconds. age itself writes 18, which is 256 MiB.
	maxWorkFactor = 20
)

func beginsAge(head []byte) bool {
	return bytes.HasPrefix(head, []byte(ageIntro)) || bytes.HasPrefix(head, []byte(armor.Header))
}

// identity is a secret key of age's and what it is called in public.
type identity struct {
	age.Identity
	public string
}

// parseIdentities reads secret keys as age's own key files have them, or an SSH
// private key.
func parseIdentities(name string, text []byte) ([]identity, error) {
	const hint = "it holds what age-keygen writes, or an SSH private key without a passphrase"
	if bytes.Contains(text, []byte("PRIVATE KEY-----")) {
		one, err := sshIdentity(text)
		if err != nil {
			return nil, badKey(hint, "%s: it holds no SSH private key that can be read without a passphrase", name)
		}
		return []identity{one}, nil
	}
	all, err := age.ParseIdentities(bytes.NewReader(text))
	if err != nil { // which is not told: it quotes the line
		return nil, badKey(hint, "%s: it holds no age identity", name)
	}
	var named []identity
	for _, one := range all {
		named = append(named, identity{one, recipient(one)})
	}
	return named, nil
}

// recipient is the public name of a secret key.
func recipient(one age.Identity) string {
	switch one := one.(type) {
	case *age.X25519Identity:
		return one.Recipient().String()
	case *age.HybridIdentity:
		return one.Recipient().String()
	}
	return ""
}

func sshIdentity(text []byte) (identity, error) {
	one, err := agessh.ParseIdentity(text)
	if err != nil {
		return identity{}, err
	}
	raw, err := ssh.ParseRawPrivateKey(text)
	if err != nil {
		return identity{}, err
	}
	private, ok := raw.(interface{ Public() crypto.PublicKey })
	if !ok {
		return identity{}, errors.New("it has no public key")
	}
	public, err := ssh.NewPublicKey(private.Public())
	if err != nil {
		return identity{}, err
	}
	return identity{one, ssh.FingerprintSHA256(public)}, nil
}

func newPassphrase(text []byte) *age.ScryptIdentity {
	one, err := age.NewScryptIdentity(string(text))
	if err != nil { // of an empty one
		panic(err)
	}
	one.SetMaxWorkFactor(maxWorkFactor)
	return one
}

// openAge decrypts one file of age's, armored or not.
func openAge(_ context.Context, in *bufio.Reader, keys *Keys) (Stream, error) {
	head, _ := in.Peek(len(ageV1))
	var src io.Reader = in
	if bytes.HasPrefix(head, []byte(armor.Header[:len(ageV1)])) {
		src = armor.NewReader(in)
	} else if len(head) == len(ageV1) && string(head) != ageV1 {
		return nil, unsupported(hintUnsupported, "it is encrypted with another version of age than v1")
	}
	attempts := keys.attempts()
	var tried []age.Identity
	for _, a := range attempts {
		tried = append(tried, a)
	}
	if tried == nil {
		return nil, keyless(src)
	}
	plain, err := age.Decrypt(src, tried...)
	if err != nil {
		return nil, notOpened(err, attempts)
	}
	i := slices.IndexFunc(attempts, func(a *attempt) bool { return a.opened })
	return opened{readahead.New(&ageBody{plain, in}), attempts[i].public}, nil
}

// attempt is a secret key that remembers what came of it.
type attempt struct {
	identity
	stanzas []string // how the file is encrypted, once it was tried
	opened  bool     // it opened the header
	refused error    // why it did not even try
}

func (k *Keys) attempts() []*attempt {
	var all []*attempt
	for _, one := range k.identities {
		all = append(all, &attempt{identity: one})
	}
	if k.passphrase != nil {
		all = append(all, &attempt{identity: identity{Identity: k.passphrase}})
	}
	return all
}

var errCostly = errors.New("its passphrase costs too much memory")

// Unwrap is age.Identity's.
func (a *attempt) Unwrap(stanzas []*age.Stanza) ([]byte, error) {
	a.stanzas = nil
	for _, s := range stanzas {
		a.stanzas = append(a.stanzas, s.Type)
		if s.Type == "scrypt" && costly(s) {
			a.refused = errCostly
			return nil, a.refused
		}
	}
	key, err := a.Identity.Unwrap(stanzas)
	switch {
	case err == nil:
		a.opened = true
	case !errors.Is(err, age.ErrIncorrectIdentity):
		a.refused = err
	}
	return key, err
}

func costly(s *age.Stanza) bool {
	if len(s.Args) != 2 {
		return false
	}
	factor, err := strconv.Atoi(s.Args[1])
	return err == nil && factor > maxWorkFactor
}

// keyless is the error of a file for which no key of age's is declared: it says
// which kind is needed.
func keyless(src io.Reader) error {
	a := &attempt{identity: identity{Identity: noIdentity{}}}
	_, err := age.Decrypt(src, a)
	if a.stanzas == nil {
		return notOpened(err, []*attempt{a})
	}
	return noKey("age", wantedKey(a.stanzas))
}

func wantedKey(stanzas []string) string {
	if slices.Contains(stanzas, "scrypt") {
		return "age_passphrase_env"
	}
	return "age_identity_env or age_identity_file"
}

// noIdentity opens nothing.
type noIdentity struct{}

func (noIdentity) Unwrap([]*age.Stanza) ([]byte, error) { return nil, age.ErrIncorrectIdentity }

// notOpened is why a header did not open.
func notOpened(err error, attempts []*attempt) error {
	var wrong *age.NoIdentityMatchError
	is := func(yes func(*attempt) bool) bool { return slices.ContainsFunc(attempts, yes) }
	switch {
	case is(func(a *attempt) bool { return errors.Is(a.refused, errCostly) }):
		return unsupported("encrypt it for an identity (age -r), or with age's own work factor, 18",
			"its passphrase was given a work factor of more than %d, which takes more than %d MiB of memory",
			maxWorkFactor, 1<<maxWorkFactor>>10)
	case errors.As(err, &wrong):
		return wrongIdentity(wrong.StanzaTypes, attempts)
	case early(err):
		return cut("age", "within its header")
	case is(func(a *attempt) bool { return a.opened }):
		return altered("age", "its header was changed")
	}
	return altered("age", "its header cannot be read")
}

// wrongIdentity is the error of a file that no declared key opens.
func wrongIdentity(stanzas []string, attempts []*attempt) error {
	var declared []string
	for _, a := range attempts {
		if a.public != "" {
			declared = append(declared, a.public)
		}
	}
	slices.Sort(stanzas)
	stanzas = slices.Compact(stanzas)
	var shown []string
	for _, s := range stanzas {
		shown = append(shown, verdict.Printable(s))
	}
	hint := "declare the key that the backup job encrypts for; a header that was damaged looks the same"
	if slices.Contains(stanzas, "scrypt") {
		return verdict.Errorf(verdict.CodeDecrypt, "put the backup job's passphrase into the variable of "+
			"source.decrypt.age_passphrase_env; a header that was damaged looks the same",
			"it is encrypted with age and a passphrase, and %w", ErrWrongKey)
	}
	return verdict.Errorf(verdict.CodeDecrypt, hint,
		"it is encrypted with age for others (%s), and %w: the keys named are %s",
		list(shown), ErrWrongKey, list(declared))
}

// ageBody is the plain text.
type ageBody struct {
	plain io.Reader
	in    *bufio.Reader
}

func (b *ageBody) Read(p []byte) (int, error) {
	n, err := b.plain.Read(p)
	if err == nil || errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return n, err
	}
	if _, none := b.in.Peek(1); none != nil {
		return n, cut("age", "or its last 64 KiB were changed")
	}
	return n, altered("age", "64 KiB of it do not authenticate, or something follows its end")
}

func list(words []string) string {
	if len(words) == 0 {
		return "none"
	}
	return fmt.Sprint(words)
}
