package transform

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"math/bits"
	prng "math/rand/v2"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"daybefore/internal/copytext"
)

// KeySize is the least number of bytes of a key.
const KeySize = 32

// NewKey makes a key for one run, which nobody ever sees.
func NewKey() []byte {
	key := make([]byte, KeySize)
	rand.Read(key)
	return key
}

// FingerprintSize is the length of a fingerprint in bytes: enough for a
// person to tell two values apart, too little to be of use elsewhere.
const FingerprintSize = 8

func Fingerprint(key []byte, value string) string {
	print := NewKeyed(key).Fingerprint([]byte(value))
	return hex.EncodeToString(print[:])
}

// fingerprints is the domain of values that are only told apart.
var fingerprints = domain("fingerprint")

// Fingerprint stands for a value that may not be shown.
func (k *Keyed) Fingerprint(value []byte) [FingerprintSize]byte {
	return [FingerprintSize]byte(k.Digest(fingerprints, value)[:])
}

// KeyFingerprint tells two keys apart, and two ways of using one: of both the
// pseudonyms differ. Nobody can tell the key by it.
func KeyFingerprint(key []byte) string {
	print := NewKeyed(key).Digest(domain("key"), nil)
	return keyVersion + ":" + hex.EncodeToString(print[:FingerprintSize])
}

// Random gives as many bytes as a value needs, all fixed by its digest:
// first the digest itself, then a generator that the digest seeds. Neither
// says more than the digest, which a hash column shows anyway.
type Random struct {
	digest  Digest
	more    prng.PCG
	used    int // words of the digest
	current uint64
	left    int // bytes of it
}

func newRandomBytes(digest *Digest) Random { return Random{digest: *digest} }

// SeededRandom are those of a generator that two words seed.
func SeededRandom(a, b uint64) Random {
	r := Random{used: 1 + DigestSize/8}
	r.more.Seed(a, b)
	return r
}

func (r *Random) next() byte {
	if r.left == 0 {
		r.current = r.word()
		r.left = 8
	}
	b := byte(r.current)
	r.current >>= 8
	r.left--
	return b
}

// word gives eight bytes that next has not given, and will not give.
func (r *Random) word() uint64 {
	const word, words = 8, DigestSize / 8
	if r.used < words {
		r.used++
		return leading(r.digest[(r.used-1)*word:])
	}
	if r.used == words {
		r.used++
		r.more.Seed(leading(r.digest[:]), leading(r.digest[word:]))
	}
	return r.more.Uint64()
}

// below gives a number from 0 to n-1.
func (r *Random) below(n byte) byte { return byte(uint16(r.next()) * uint16(n) >> 8) }

// leading is what the first eight bytes of a digest spell.
func leading(digest []byte) uint64 { return binary.LittleEndian.Uint64(digest) }

// scale maps random evenly to 0 … n-1: 0 to the first, all ones to the last.
func scale(random, n uint64) uint64 {
	hi, _ := bits.Mul64(random, n)
	return hi
}

// Normal says what is taken off a value before it is hashed.
type Normal struct {
	Trim, Lower bool
	Composed    bool // accents are one with their letters: NFC
	Blanks      bool // char(n): trailing blanks mean nothing
}

// Append appends the normalized value to dst.
func (n Normal) Append(dst, value []byte) []byte {
	if n.Blanks {
		for len(value) > 0 && value[len(value)-1] == ' ' {
			value = value[:len(value)-1]
		}
	}
	if n.Trim {
		value = bytes.TrimSpace(value)
	}
	if n.Composed && copytext.HasHighBytes(value) && !norm.NFC.IsNormal(value) {
		value = norm.NFC.Bytes(value)
	}
	if !n.Lower {
		return append(dst, value...)
	}
	for len(value) > 0 {
		if c := value[0]; c < utf8.RuneSelf {
			if 'A' <= c && c <= 'Z' {
				c += 'a' - 'A'
			}
			dst = append(dst, c)
			value = value[1:]
			continue
		}
		r, size := utf8.DecodeRune(value)
		switch {
		case r == utf8.RuneError && size <= 1:
			dst = append(dst, value[0])
		default:
			dst = utf8.AppendRune(dst, unicode.ToLower(r))
		}
		value = value[size:]
	}
	return dst
}

// Normalize takes off a value what its recipe says; valid until the next call.
func (m *Masker) Normalize(r *Recipe, value []byte) []byte {
	if r.normal == (Normal{}) {
		return value
	}
	m.norm = r.normal.Append(m.norm[:0], value)
	return m.norm
}

// DigestOf is the digest of a value under the recipe's link or column, valid until
// the next call.
func (m *Masker) DigestOf(r *Recipe, value []byte) *Digest {
	return m.Digest(r.domain, value)
}

// SetPerson has what date_shift makes depend on a value of the same row, which
// the recipe of its column says how to hash, until ClearPerson.
func (m *Masker) SetPerson(r *Recipe, normalized []byte) {
	m.seed = leading(m.Digest(r.domain, normalized)[:])
	m.person = &m.seed
}

func (m *Masker) ClearPerson() { m.person = nil }
