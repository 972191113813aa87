package scrub

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"math/bits"
	prng "math/rand/v2"
	"unicode"
	"unicode/utf8"

	"daybefore/internal/scrub/schema"
)

// KeySize is the least number of bytes of a key.
const KeySize = 32

// newKey makes a key for one run, which nobody ever sees.
func newKey() []byte {
	key := make([]byte, KeySize)
	rand.Read(key)
	return key
}

// keyed turns values into digests with HMAC-SHA-256; one serves one goroutine.
type keyed struct {
	mac hash.Hash
	sum [sha256.Size]byte
	all []byte // that is hashed: written at once it costs less
}

func newKeyed(key []byte) *keyed {
	return &keyed{mac: hmac.New(sha256.New, key)}
}

// digest is HMAC(key, domain 0x00 value), valid until the next call. domain
// comes with its zero byte.
func (k *keyed) digest(domain, value []byte) *[sha256.Size]byte {
	k.mac.Reset()
	k.all = append(append(k.all[:0], domain...), value...)
	k.mac.Write(k.all)
	k.mac.Sum(k.sum[:0])
	return &k.sum
}

// domainOf is the name under which equal values become equal: the link's, or
// the column's own.
func domainOf(link string, c *schema.Column) []byte {
	if link != "" {
		return append([]byte("link "+link), 0)
	}
	root := c.Root()
	return append([]byte("column "+root.String()), 0)
}

// fingerprintSize is the length of a fingerprint in bytes: enough for a
// person to tell two values apart, too little to be of use elsewhere.
const fingerprintSize = 8

func fingerprint(key []byte, value string) string {
	sum := newKeyed(key).digest([]byte("fingerprint\x00"), []byte(value))
	return hex.EncodeToString(sum[:fingerprintSize])
}

// randomBytes gives as many bytes as a value needs, all fixed by its digest:
// first the digest itself, then a generator that the digest seeds. Neither
// says more than the digest, which a hash column shows anyway.
type randomBytes struct {
	digest  [sha256.Size]byte
	more    prng.PCG
	used    int // words of the digest
	current uint64
	left    int // bytes of it
}

func newRandomBytes(digest *[sha256.Size]byte) randomBytes { return randomBytes{digest: *digest} }

// seededBytes are those of a generator that two words seed.
func seededBytes(a, b uint64) randomBytes {
	r := randomBytes{used: 1 + sha256.Size/8}
	r.more.Seed(a, b)
	return r
}

func (r *randomBytes) next() byte {
	if r.left == 0 {
		r.current, r.left = r.word(), 8
	}
	b := byte(r.current)
	r.current >>= 8
	r.left--
	return b
}

// word gives eight bytes that next has not given, and will not give.
func (r *randomBytes) word() uint64 {
	const word, words = 8, sha256.Size / 8
	if r.used < words {
		r.used++
		return number(r.digest[(r.used-1)*word:])
	}
	if r.used == words {
		r.used++
		r.more.Seed(number(r.digest[:]), number(r.digest[word:]))
	}
	return r.more.Uint64()
}

// below gives a number from 0 to n-1.
func (r *randomBytes) below(n byte) byte { return byte(uint16(r.next()) * uint16(n) >> 8) }

// number is what the first eight bytes of a digest spell.
func number(digest []byte) uint64 { return binary.LittleEndian.Uint64(digest) }

// scale maps random evenly to 0 … n-1: 0 to the first, all ones to the last.
func scale(random, n uint64) uint64 {
	hi, _ := bits.Mul64(random, n)
	return hi
}

// normal says what is taken off a value before it is hashed.
type normal struct {
	trim, lower bool
	blanks      bool // char(n): trailing blanks mean nothing
}

// append appends the normalised value to dst.
func (n normal) append(dst, value []byte) []byte {
	if n.blanks {
		for len(value) > 0 && value[len(value)-1] == ' ' {
			value = value[:len(value)-1]
		}
	}
	if n.trim {
		value = bytes.TrimSpace(value)
	}
	if !n.lower {
		return append(dst, value...)
	}
	for len(value) > 0 {
		if c := value[0]; c < utf8.RuneSelf {
			if 'A' <= c && c <= 'Z' {
				c += 'a' - 'A'
			}
			dst, value = append(dst, c), value[1:]
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

// normalise takes off a value what its recipe says; valid until the next call.
func (m *masker) normalise(r *recipe, value []byte) []byte {
	if r.normal == (normal{}) {
		return value
	}
	m.norm = r.normal.append(m.norm[:0], value)
	return m.norm
}

// digestOf is the digest of a value under the recipe's link or column, valid until
// the next call.
func (m *masker) digestOf(r *recipe, value []byte) *[sha256.Size]byte {
	return m.digest(r.domain, value)
}

// setPerson has what date_shift makes depend on a value of the same row, which
// the recipe of its column says how to hash, until clearPerson.
func (m *masker) setPerson(r *recipe, normalised []byte) {
	m.seed = number(m.digest(r.domain, normalised)[:])
	m.person = &m.seed
}

func (m *masker) clearPerson() { m.person = nil }
