package transform

import (
	"encoding/binary"
	"slices"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding"
)

// alphabet is what a character may become: one of its own kind.
type alphabet struct {
	id    uint32
	runes []rune // ascending
}

// Alphabets of ASCII, and of a value's first digit that is not zero.
var (
	lowerLetters = newAlphabet('a', 'z')
	upperLetters = newAlphabet('A', 'Z')
	decimals     = newAlphabet('0', '9')
	firstDigits  = newAlphabet('1', '9')
)

func newAlphabet(first, last rune) *alphabet {
	a := &alphabet{id: uint32(first)}
	for r := first; r <= last; r++ {
		a.runes = append(a.runes, r)
	}
	return a
}

// letterBlock is 256 characters of Unicode, each with its alphabet: those of
// the block that are of its category, so that none needs more bytes than it has.
type letterBlock [256]*alphabet

// letterCategories are those whose characters tell something.
var letterCategories = []*unicode.RangeTable{
	unicode.Lu, unicode.Ll, unicode.Lt, unicode.Lm, unicode.Lo, unicode.Mn, unicode.Mc, unicode.Me,
	unicode.Nd, unicode.Nl, unicode.No, unicode.So,
}

// newLetterBlock leaves out what the rows' encoding lacks; nil is Unicode.
func newLetterBlock(first rune, code encoding.Encoding) *letterBlock {
	var block letterBlock
	alphabets := make([]*alphabet, len(letterCategories))
	for i := range block {
		r := first + rune(i)
		category := slices.IndexFunc(letterCategories, func(t *unicode.RangeTable) bool { return unicode.Is(t, r) })
		if r < utf8.RuneSelf || category < 0 || !encodes(code, r) {
			continue
		}
		if alphabets[category] == nil {
			alphabets[category] = &alphabet{id: uint32(r)}
		}
		block[i] = alphabets[category]
		block[i].runes = append(block[i].runes, r)
	}
	return &block
}

// encodes reports whether an encoding has a character, and reads it again as
// the same.
func encodes(code encoding.Encoding, r rune) bool {
	if code == nil {
		return true
	}
	written, err := code.NewEncoder().String(string(r))
	if err != nil {
		return false
	}
	read, err := code.NewDecoder().String(written)
	return err == nil && read == string(r)
}

// alphabetOf is that of a character; nil where it stays. A Masker serves rows
// of one encoding.
func (p *permuting) alphabetOf(r rune, code encoding.Encoding) *alphabet {
	switch {
	case 'a' <= r && r <= 'z':
		return lowerLetters
	case 'A' <= r && r <= 'Z':
		return upperLetters
	case '0' <= r && r <= '9':
		return decimals
	case r < utf8.RuneSelf || r == utf8.RuneError:
		return nil
	}
	first := r &^ 0xff
	block := p.blocks[first]
	if block == nil {
		if p.blocks == nil {
			p.blocks = map[rune]*letterBlock{}
		}
		block = newLetterBlock(first, code)
		p.blocks[first] = block
	}
	return block[r-first]
}

// writePermutedText replaces each letter by one of its case and each digit by a
// digit, those of other scripts by others of theirs. The first digit stays
// zero, or not zero; all other signs stay.
func writePermutedText(m *Masker, dst []byte, r *Recipe, in input) ([]byte, error) {
	p := &m.permuting
	p.begin("")
	eachSign(p, in.normalized, r.code, func(a *alphabet, sign []byte, at rune) {
		if a == nil {
			p.shape = append(p.shape, sign...)
			return
		}
		digit, _ := slices.BinarySearch(a.runes, at)
		p.add(digit, len(a.runes))
		p.shape = binary.BigEndian.AppendUint32(p.shape, a.id)
	})
	m.permute(r)
	start := len(dst)
	next := 0
	eachSign(p, in.normalized, r.code, func(a *alphabet, sign []byte, _ rune) {
		if a == nil {
			dst = append(dst, sign...)
			return
		}
		dst = utf8.AppendRune(dst, a.runes[p.places[next].digit])
		next++
	})
	return m.encoded(dst, start, r.code)
}

// eachSign shows each character of a value with its alphabet.
func eachSign(p *permuting, value []byte, code encoding.Encoding, do func(a *alphabet, sign []byte, at rune)) {
	digitSeen := false
	for len(value) > 0 {
		at, size := utf8.DecodeRune(value)
		a := p.alphabetOf(at, code)
		if a == decimals && !digitSeen {
			digitSeen = true
			a = firstDigits
			if at == '0' {
				a = nil
			}
		}
		if a != nil && len(a.runes) == 1 { // the only one of its kind
			a = nil
		}
		do(a, value[:size], at)
		value = value[size:]
	}
}
