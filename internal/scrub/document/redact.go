package document

import (
	"daybefore/internal/scrub/transform"

	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"math/bits"

	"github.com/cespare/xxhash/v2"

	"daybefore/internal/jsontext"
	"daybefore/internal/octets"
)

// redactValue rewrites the value that begins at i, into which no path leads,
// and returns where it ends; -1 for none. Like valueEnd, of which it has the
// form, it is what most of a document passes through.
func (d *Rewriter) redactValue(i, depth int) int {
	if i >= len(d.src) {
		return -1
	}
	c := d.src[i]
	switch {
	case c == '"':
		return d.redactString(i + 1)
	case c == '-' || c-'0' <= 9:
		end := jsontext.NumberEnd(d.src, i)
		if end > 0 {
			d.redactDigits(i, end)
		}
		return end
	case c != '{' && c != '[':
		return jsontext.LiteralEnd(d.src, i)
	case depth >= jsontext.Deepest:
		return jsontext.EmptyEnd(d.src, i)
	}
	return d.redactMembers(i, depth+1)
}

// redactMembers rewrites the object or array that begins at i, whose members
// stand at a depth, and returns where it ends; -1 for none.
func (d *Rewriter) redactMembers(i, depth int) int {
	s := d.src
	opened := s[i]
	closes := opened + 2 // of either bracket in ASCII
	i = jsontext.AfterBlanks(s, i+1)
	if i < len(s) && s[i] == closes {
		return i + 1
	}
	for {
		if opened == '{' {
			if i >= len(s) || s[i] != '"' {
				return -1
			}
			end, simple, _ := jsontext.LabelEnd(s, i+1)
			if !(simple && end-i <= longestLabel) && !d.redactKey(i, end) {
				return -1
			}
			i = jsontext.ColonEnd(s, end)
			if i < 0 {
				return -1
			}
		}
		if i < len(s) && s[i] == '"' {
			i = d.redactString(i + 1)
		} else {
			i = d.redactValue(i, depth)
		}
		if i < 0 {
			return -1
		}
		if jsontext.OneBlank(s, i, ',') {
			i += 2
			continue
		}
		i = jsontext.AfterBlanks(s, i)
		if i >= len(s) {
			return -1
		}
		switch s[i] {
		case ',':
			i = jsontext.AfterBlanks(s, i+1)
		case closes:
			return i + 1
		default:
			return -1
		}
	}
}

// redactKey judges the key that stands from i to end and is not simple; ok is
// false for one that does not end.
func (d *Rewriter) redactKey(i, end int) (ok bool) {
	if end < 0 {
		return false
	}
	if !d.mayStay(d.src[i+1 : end-1]) {
		d.replaceKey(i, end, d.Redact)
	}
	return true
}

// redactMember rewrites the member whose key stands from i to end, and returns
// where it ends; -1 for none.
func (d *Rewriter) redactMember(i, end int, simple bool, depth int) int {
	if !(simple && end-i <= longestLabel) && !d.redactKey(i, end) {
		return -1
	}
	i = jsontext.ColonEnd(d.src, end)
	if i < 0 {
		return -1
	}
	return d.redactValue(i, depth)
}

// redactString gives the string whose quote is before from other letters and
// digits, and returns where it ends; -1 if it does not. What is looked for in
// eight bytes and what becomes of them come from one look at them.
func (d *Rewriter) redactString(from int) int {
	s := d.src
	i := from
	for ; i+8 <= len(s); i += 8 {
		word := octets.Load(s[i:])
		random := d.words.next()
		shaped := redactDigitsOf(redactLettersOf(word, random), random)
		stops := redactStops(word)
		if stops == 0 {
			d.put(i, shaped)
			continue
		}
		n := bits.TrailingZeros64(stops) / 8
		if s[i+n] != '"' {
			return d.redactOddString(from)
		}
		d.put(i, first(n, shaped, word))
		if d.Sample != nil {
			d.Sample(s[from : i+n])
		}
		return i + n + 1
	}
	return d.redactTail(from, i)
}

// redactTail is redactString at i, behind which there is no whole word any more:
// most documents end with a text.
func (d *Rewriter) redactTail(from, i int) int {
	var tail [8]byte
	left := copy(tail[:], d.src[i:])
	word := octets.Load(tail[:])
	random := d.words.next()
	n := bits.TrailingZeros64(redactStops(word)) / 8 // of the zeros, if of nothing else
	if n >= left || tail[n] != '"' {
		return d.redactOddString(from)
	}
	binary.LittleEndian.PutUint64(tail[:], redactDigitsOf(redactLettersOf(word, random), random))
	if i+n > d.copied {
		d.ahead(i)
	}
	copy(d.dst[len(d.dst)-(d.copied-i):], tail[:n])
	if d.Sample != nil {
		d.Sample(d.src[from : i+n])
	}
	return i + n + 1
}

// redactStops sets the highest bit of the bytes of a word before which
// redactString halts: quotes, backslashes, control characters and what is no
// ASCII. Behind the first, others may be marked too.
func redactStops(word uint64) uint64 {
	quotes, slashes := word^octets.Each*'"', word^octets.Each*'\\'
	return ((word - octets.Each*' ') | (quotes - octets.Each) | (slashes - octets.Each) | word) & octets.High
}

// first is a word whose first n bytes, seven at most, are those of one word and
// the others those of another.
func first(n int, word, other uint64) uint64 {
	mask := uint64(1)<<(8*n) - 1
	return word&mask | other&^mask
}

// put puts eight bytes in the place of as many in src, to which dst goes ahead.
func (d *Rewriter) put(i int, word uint64) {
	if i+8 > d.copied {
		d.ahead(i)
	}
	binary.LittleEndian.PutUint64(d.dst[len(d.dst)-(d.copied-i):], word)
}

// ahead copies so much at once that what stays between two strings costs
// nothing, and so little that it may be in vain.
func (d *Rewriter) ahead(i int) {
	const window = 512
	end := min(i+window, len(d.src))
	d.dst = append(d.dst, d.src[d.copied:end]...)
	d.copied = end
}

// redactOddString is redactString for what is not all ASCII, or escaped.
func (d *Rewriter) redactOddString(from int) int {
	end, _ := jsontext.TextEnd(d.src, from)
	if end < 0 {
		return -1
	}
	value := d.unescaped(d.src[from : end-1])
	d.sampled(value)
	d.out = d.Redact.AppendShape(d.out[:0], value, d.words.bytes())
	d.quote(from-1, end)
	return end
}

// redactDigits gives a number other digits: its first one stays zero or not
// zero, its exponent as it is.
func (d *Rewriter) redactDigits(from, end int) {
	s := d.src
	if s[from] == '-' {
		from++
	}
	if from+8 > len(s) || end-from > 8 {
		d.copy(from, end)
		d.dst = transform.AppendDigits(d.dst, s[from:end], d.words.bytes())
		return
	}
	word := octets.Load(s[from:])
	random := d.words.next()
	shaped := redactDigitsOf(word, random)
	n := end - from
	if stops := octets.Equal(word|0x20*octets.Each, 'e'); stops != 0 {
		n = min(n, bits.TrailingZeros64(stops)/8)
	}
	shaped = shaped&^0xff | uint64(shapeFirstOf(byte(word), byte(random)))
	if n < 8 {
		shaped = first(n, shaped, word)
	}
	d.put(from, shaped)
}

// redactLettersOf replaces the letters of eight bytes up to the first that is
// no ASCII, by what five bits of a random byte choose: so they fit their bytes,
// and all eight are reckoned as one number.
func redactLettersOf(word, random uint64) uint64 {
	letters := octets.Ranged(word|0x20*octets.Each, 'a', 'z')
	ones := letters >> 7 // 'A' and 'a' are one more than their upper bits
	places := letters>>2 - ones
	random &= 0x1f * octets.Each
	other := random - (random*3+0xf*octets.Each)>>4&(7*octets.Each) // of 32, 26
	return word&^places + ones + other&places
}

// redactDigitsOf does likewise with digits.
func redactDigitsOf(word, random uint64) uint64 {
	digits := octets.Ranged(word, '0', '9')
	places := digits>>3 - digits>>7
	other := random & (0x1f * octets.Each) * 5 >> 4 // of 32, 10
	return word&^places | other&places
}

func shapeFirstOf(c, random byte) byte {
	if c == '0' {
		return '0'
	}
	return '1' + byte(uint16(random)*9>>8)
}

// wordStream gives as many words as a document needs, all fixed by a digest.
// They are those of wyrand.
type wordStream struct {
	state, flip uint64
	random      transform.Random
}

func (w *wordStream) next() uint64 {
	w.state += 0xa0761d6478bd642f
	hi, lo := bits.Mul64(w.state, w.state^w.flip)
	return hi ^ lo
}

// bytes is for what is not rewritten word by word, valid until the next call.
func (w *wordStream) bytes() *transform.Random {
	w.random = transform.SeededRandom(w.next(), w.next())
	return &w.random
}

// seed makes the words the same for equal documents: a block cipher, whose key
// is the key's digest, makes them of their hash. A digest of all their bytes
// would cost as much as the rest; and two documents that share letters by
// chance, or by somebody's art, tell nothing of either.
func (d *Rewriter) seed() {
	if d.cipher == nil {
		d.cipher = newCipher(d.mask.DigestOf(d.Cipher, nil))
	}
	clear(d.block[:])
	binary.LittleEndian.PutUint64(d.block[:], xxhash.Sum64(d.src))
	d.cipher.Encrypt(d.block[:], d.block[:])
	d.words.state = binary.LittleEndian.Uint64(d.block[:])
	d.words.flip = binary.LittleEndian.Uint64(d.block[8:])
}

func newCipher(key *transform.Digest) cipher.Block {
	c, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // of a key's length, which is right
	}
	return c
}
