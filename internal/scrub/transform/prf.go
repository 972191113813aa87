package transform

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"unique"

	"daybefore/internal/scrub/schema"
)

// DigestSize is the length of a digest in bytes: a block of AES.
const DigestSize = aes.BlockSize

// Digest is what stands for a value under a key: 128 bits, of which nobody
// without the key can tell those of any value.
type Digest [DigestSize]byte

// Domain is the name under which equal values become equal: a link's, or a
// column's own. Equal domains compare as equal; the zero one has no name.
type Domain struct{ name unique.Handle[string] }

// DomainOf is the domain of a link or, where that is empty, of a column.
func DomainOf(link string, c *schema.Column) Domain {
	if link != "" {
		return domain("link " + link)
	}
	return domain("column " + c.Root().String())
}

func domain(name string) Domain { return Domain{unique.Make(name)} }

func (d Domain) String() string {
	if d == (Domain{}) {
		return ""
	}
	return d.name.Value()
}

// Within is a domain of its own for a part of what another is for, or one use.
func (d Domain) Within(part string) Domain { return domain(d.String() + "\x00" + part) }

// keyVersion names the way from a key to a pseudonym. Another way needs
// another name, which makes other pseudonyms and another fingerprint of the key.
const keyVersion = "v2"

// prf is AES-CMAC (NIST SP 800-38B, RFC 4493) under the key of one domain, a
// pseudorandom function of texts of any length.
type prf struct {
	block cipher.Block
	whole Digest // K1: added to a last block that is full
	part  Digest // K2: to one that is not
}

// newPRF makes it of a key of AES.
func newPRF(key []byte) (*prf, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	p := &prf{block: block}
	block.Encrypt(p.whole[:], p.whole[:])
	p.whole = p.whole.doubled()
	p.part = p.whole.doubled()
	return p, nil
}

// doubled is a block times x in the field of 2^128 elements (SP 800-38B, 5.3).
func (d Digest) doubled() (out Digest) {
	const reduction = 0x87
	high, low := binary.BigEndian.Uint64(d[:8]), binary.BigEndian.Uint64(d[8:])
	binary.BigEndian.PutUint64(out[:8], high<<1|low>>63)
	binary.BigEndian.PutUint64(out[8:], low<<1^high>>63*reduction)
	return out
}

// xor adds the first block of a text.
func (d *Digest) xor(text []byte) {
	at := binary.LittleEndian
	at.PutUint64(d[:8], at.Uint64(d[:8])^at.Uint64(text))
	at.PutUint64(d[8:], at.Uint64(d[8:])^at.Uint64(text[8:]))
}

// sum leaves the digest of a text in out.
func (p *prf) sum(out *Digest, text []byte) {
	*out = Digest{}
	for len(text) > DigestSize {
		out.xor(text)
		p.block.Encrypt(out[:], out[:])
		text = text[DigestSize:]
	}
	added := &p.whole
	if len(text) < DigestSize {
		added = &p.part
		var last Digest
		last[copy(last[:], text)] = 0x80
		text = last[:]
	}
	out.xor(text)
	out.xor(added[:])
	p.block.Encrypt(out[:], out[:])
}

// Keyed turns values into digests; one serves one goroutine.
type Keyed struct {
	master []byte
	prfs   map[Domain]*prf
	sum    Digest
}

// NewKeyed takes a key of any length, of which KeySize bytes should be random.
func NewKeyed(key []byte) *Keyed {
	master, err := hkdf.Extract(sha256.New, key, []byte("daybefore "+keyVersion))
	if err != nil {
		panic(err) // of a hash that FIPS 140 does not know, which SHA-256 is not
	}
	return &Keyed{master: master, prfs: map[Domain]*prf{}}
}

// Digest is that of a value in a domain, valid until the next call.
func (k *Keyed) Digest(of Domain, value []byte) *Digest {
	p := k.prfs[of]
	if p == nil {
		p = k.derive(of)
		k.prfs[of] = p
	}
	p.sum(&k.sum, value)
	return &k.sum
}

// derive makes a domain's own key by HKDF (RFC 5869).
func (k *Keyed) derive(of Domain) *prf {
	key, err := hkdf.Expand(sha256.New, k.master, of.String(), aes.BlockSize)
	if err != nil {
		panic(err) // of a length, which is right
	}
	p, err := newPRF(key)
	if err != nil {
		panic(err) // likewise
	}
	return p
}
