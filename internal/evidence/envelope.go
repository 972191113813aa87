package evidence

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"

	"daybefore/internal/verdict"
)

// Link is a place in the chain of one machine and drill.
type Link struct {
	Predicate
	sum string // of the envelope's file
}

// Seal states what a report came to, of which file is what is kept, and signs
// it. It follows the link before, which is nil for the first.
func Seal(r *verdict.Report, file []byte, key ed25519.PrivateKey, machine string, before *Link) ([]byte, error) {
	payload, err := verdict.Encode(state(r, file, machine, before), "")
	if err != nil {
		return nil, err
	}
	signer, err := dsse.NewEnvelopeSigner(signer{key})
	if err != nil {
		return nil, err
	}
	envelope, err := signer.SignPayload(context.Background(), payloadType, payload)
	if err != nil {
		return nil, fmt.Errorf("sign the statement: %w", err)
	}
	return verdict.Encode(envelope, "  ")
}

const (
	// mostLinks of a machine are looked through for the one that the next follows:
	// more than end while one drill runs. Those of other machines between them do
	// not count.
	mostLinks = 32
	// mostCopies bounds what is read of a store that many machines share.
	mostCopies = 2000
)

// Last is the link that the next envelope of a machine follows, of those that
// are kept, which come newest first; nil where there is none. Whose key signed it
// is for verify to ask. The error says why there may be one all the same.
func Last(machine string, kept iter.Seq2[[]byte, error]) (last *Link, err error) {
	links, copies := 0, 0
	for b, err := range kept {
		if err != nil {
			return last, err
		}
		copies++
		_, s, err := read(b)
		if err == nil && s.Predicate.Machine == machine {
			links++
			if last == nil || s.Predicate.Number > last.Number {
				last = &Link{Predicate: s.Predicate, sum: sum(b)}
			}
		}
		switch {
		case links == mostLinks:
			return last, nil
		case copies == mostCopies && last == nil:
			return nil, fmt.Errorf("none of the newest %d envelopes is of %s", copies, machine)
		case copies == mostCopies:
			return last, nil
		}
	}
	return last, nil
}

// read takes an envelope apart, and proves nothing.
func read(b []byte) (*dsse.Envelope, Statement, error) {
	var e dsse.Envelope
	var s Statement
	if err := json.Unmarshal(b, &e); err != nil {
		return nil, s, fmt.Errorf("it is no DSSE envelope: %w", err)
	}
	payload, err := e.DecodeB64Payload()
	if err != nil {
		return nil, s, fmt.Errorf("it is no DSSE envelope: %w", err)
	}
	if err := json.Unmarshal(payload, &s); err != nil {
		return nil, s, fmt.Errorf("its payload is no statement: %w", err)
	}
	if e.PayloadType != payloadType || s.Type != statementType || s.PredicateType != PredicateType {
		return nil, s, errors.New("it states something else than what a drill came to")
	}
	return &e, s, nil
}

// Keys are the public keys that evidence is verified with, one at least.
type Keys []ed25519.PublicKey

// KeysOf reads public keys in PEM, as openssl pkey -pubout writes them; several
// stand one after the other.
func KeysOf(text []byte) (keys Keys, err error) {
	for {
		var block *pem.Block
		block, text = pem.Decode(text)
		if block == nil {
			break
		}
		parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
		key, ok := parsed.(ed25519.PublicKey)
		if err != nil || !ok {
			return nil, fmt.Errorf("%s in it is no ed25519 public key", verdict.Printable(block.Type))
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, errors.New("it holds no public key in PEM")
	}
	return keys, nil
}

var (
	errForeign = errors.New("another key signed it")
	errForged  = errors.New("its signature does not fit: it was changed after it was signed, or never signed")
)

// open gives what one of the keys signed.
func (keys Keys) open(b []byte) (Statement, error) {
	e, s, err := read(b)
	if err != nil {
		return s, err
	}
	var verifiers []dsse.Verifier
	var ids []string
	for _, key := range keys {
		v := verifier{key}
		id, _ := v.KeyID() // of a key that was read it never fails
		ids = append(ids, id)
		verifiers = append(verifiers, v)
	}
	v, err := dsse.NewEnvelopeVerifier(verifiers...)
	if err != nil {
		return s, err
	}
	if _, err := v.Verify(context.Background(), e); err == nil {
		return s, nil
	}
	known := func(sig dsse.Signature) bool { return slices.Contains(ids, sig.KeyID) }
	if len(e.Signatures) > 0 && !slices.ContainsFunc(e.Signatures, known) {
		return s, errForeign
	}
	return s, errForged
}

// signer is a private key, for dsse.
type signer struct{ key ed25519.PrivateKey }

func (s signer) Sign(_ context.Context, data []byte) ([]byte, error) {
	return s.key.Sign(nil, data, crypto.Hash(0))
}

func (s signer) KeyID() (string, error) { return KeyID(s.key.Public().(ed25519.PublicKey)) }

// verifier is a public key, for dsse.
type verifier struct{ key ed25519.PublicKey }

func (v verifier) Verify(_ context.Context, data, sig []byte) error {
	if !ed25519.Verify(v.key, data, sig) {
		return errForged
	}
	return nil
}

func (v verifier) KeyID() (string, error)   { return KeyID(v.key) }
func (v verifier) Public() crypto.PublicKey { return v.key }

// KeyID is a key's public fingerprint, as ssh-keygen -l shows it.
func KeyID(key ed25519.PublicKey) (string, error) { return dsse.SHA256KeyID(key) }
