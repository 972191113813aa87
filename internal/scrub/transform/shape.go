package transform

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/bits"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"daybefore/internal/detect"
	"daybefore/internal/octets"
	"daybefore/internal/scrub/schema"
)

const (
	Text     = "text"     // other letters and digits in the same places
	Phone    = "phone"    // other digits in the same places
	Postcode = "postcode" // other letters and digits in the same places; the first digit zero or not as it was
	Token    = "token"    // letters and digits, as many as the value has and at least 16
	IBAN     = "iban"     // the same country and form, with valid check digits
	Card     = "card"     // the same first digit and form, with a valid check digit
)

var phoneSamples = []string{
	"+491712345678", "+49 171 2345678", "+1 (555) 010-1234", "01712345678", "0171-2345678", "(555) 010-1234",
	"555-010-1234", "5550101234", "123456789",
}

func init() {
	register(Text, kind{fits: schema.Type.IsText, keepsShape: true, write: writeShape})
	register(Phone, kind{fits: schema.Type.IsText, keepsShape: true, samples: phoneSamples, write: writeNumberShape})
	register(Postcode, kind{
		fits: schema.Type.IsText, keepsShape: true,
		samples: []string{"10115", "SW1A 1AA", "1010 AB", "00-950", "75001"}, write: writeNumberShape,
	})
	register(Token, kind{fits: schema.Type.IsText, length: leastToken, keepsShape: true, write: writeToken})
	register(IBAN, kind{
		fits: schema.Type.IsText, keepsShape: true,
		samples: []string{"DE75512108001245126199", "GB33BUKB20201555555555", "NL91 ABNA 0417 1643 00"},
		write:   writeIBAN,
	})
	register(Card, kind{
		fits: anyOf(schema.Type.IsText, schema.Type.IsDecimal), keepsShape: true,
		samples: []string{"4111111111111111", "378282246310005"}, write: writeCard,
	})
}

var (
	errNotAnIBAN = errors.New("not an IBAN")
	errNotACard  = errors.New("not a card number")
)

func writeShape(m *Masker, dst []byte, r *Recipe, in input) ([]byte, error) {
	random := newRandomBytes(in.digest)
	return appendShape(dst, in.value, &random, false, r.code != nil), nil
}

// writeNumberShape is writeShape for what begins with a digit that says
// something: it stays zero, or not zero.
func writeNumberShape(m *Masker, dst []byte, r *Recipe, in input) ([]byte, error) {
	random := newRandomBytes(in.digest)
	return appendShape(dst, in.value, &random, true, r.code != nil), nil
}

// shape is what becomes of a byte: one of so many that begin with the first,
// or itself.
type shape struct{ first, many byte }

var shapeOf = func() (t [utf8.RuneSelf]shape) {
	for c := range t {
		t[c].first = byte(c)
	}
	for c := byte('a'); c <= 'z'; c++ {
		t[c] = shape{'a', 26}
		t[c-'a'+'A'] = shape{'A', 26}
	}
	for c := '0'; c <= '9'; c++ {
		t[c] = shape{'0', 10}
	}
	return t
}()

// appendShape replaces letters by ASCII letters of the same case and digits by
// digits, one for one; other characters stay. With keepZero the first digit
// stays zero, or not zero.
func appendShape(dst, value []byte, random *Random, keepZero, asciiOnly bool) []byte {
	if keepZero {
		if i := bytes.IndexFunc(value, unicode.IsNumber); i >= 0 {
			r, size := utf8.DecodeRune(value[i:])
			dst = appendShape(dst, value[:i], random, false, asciiOnly)
			dst = append(dst, shapeFirst(r, random))
			value = value[i+size:]
		}
	}
	start := len(dst)
	dst = append(append(dst, value...), wordOfZeros[:]...)
	for i := start; i < start+len(value); i += 8 {
		word, random8 := octets.Load(dst[i:]), random.word()
		if word&octets.High != 0 {
			n := narrowBytes(word)
			binary.LittleEndian.PutUint64(dst[i:], shapeWord(word, random8))
			return appendWideShape(dst[:i+n], value[i-start+n:], random, asciiOnly)
		}
		binary.LittleEndian.PutUint64(dst[i:], shapeWord(word, random8))
	}
	return dst[:start+len(value)]
}

// wordOfZeros lets the last bytes of a value be read as a word.
var wordOfZeros [8]byte

// narrowBytes is how many bytes of a word stand before the first one that is
// no ASCII.
func narrowBytes(word uint64) int { return bits.TrailingZeros64(word&octets.High) / 8 }

// shapeWord replaces the letters and digits among the ASCII of eight bytes, as
// shapeOf says: 26 or 10 times a random byte, of which the upper half counts.
func shapeWord(word, random uint64) uint64 {
	const (
		even    = 0x00ff00ff00ff00ff
		odd     = even << 8
		low     = 0x7f * octets.Each
		byCase  = 0x20 * octets.Each
		letter  = 'A' * octets.Each
		numeral = '0' * octets.Each
	)
	ascii := word & low
	letters := spanned(ascii|byCase, 'a', 'z')
	digits := spanned(ascii, '0', '9')
	first, second := random&even, random&odd>>8
	newLetters := letter + word&byCase + (first*26&odd>>8 | second*26&odd)
	newDigits := numeral + (first*10&odd>>8 | second*10&odd)
	return word&^(letters|digits) | newLetters&letters | newDigits&digits
}

// spanned is all ones in the bytes of a word from first to last; all are ASCII.
func spanned(word uint64, first, last byte) uint64 {
	return octets.Ranged(word, first, last) >> 7 * 0xff
}

// appendWideShape is appendShape for what holds more than ASCII.
func appendWideShape(dst, value []byte, random *Random, asciiOnly bool) []byte {
	wide := wideShapes()
	for i := 0; i < len(value); {
		if c := value[i]; c < utf8.RuneSelf {
			s := shapeOf[c]
			dst = append(dst, s.first+random.below(s.many))
			i++
			continue
		}
		r, size := utf8.DecodeRune(value[i:])
		s := shape{'a', 26}
		switch {
		case int(r) < len(wide):
			s = wide[r]
		case r != utf8.RuneError || size > 1:
			s = wideShape(r)
		}
		switch {
		case s.many > 0:
			dst = append(dst, s.first+random.below(s.many))
		case asciiOnly:
			dst = append(dst, '.')
		default:
			dst = append(dst, value[i:i+size]...)
		}
		i += size
	}
	return dst
}

// wideShapes is wideShape of the scripts that are met most, up to where the
// ideographs begin: unicode's own tables take ten times as long. It is made
// when the first such character is met.
var wideShapes = sync.OnceValue(func() *[0x3000]shape {
	var t [0x3000]shape
	for r := range t {
		t[r] = wideShape(rune(r))
	}
	return &t
})

// wideShape is what becomes of a character; that of none stays.
func wideShape(r rune) shape {
	switch {
	case unicode.IsNumber(r):
		return shape{'0', 10}
	case unicode.IsUpper(r) || unicode.IsTitle(r):
		return shape{'A', 26}
	case unicode.IsLetter(r) || unicode.IsMark(r):
		return shape{'a', 26}
	case 0x1F110 <= r && r <= 0x1F1FF: // letters in circles and squares, and those of flags
		return shape{'A', 26}
	case unicode.IsSymbol(r): // such as a letter in a circle, or two that are a unit
		return symbolShape(r)
	}
	return shape{}
}

// symbolShape is what becomes of the first letter or number in what a symbol
// is made of (UAX #15, NFKD); a symbol in which there is none stays.
func symbolShape(r rune) shape {
	for _, within := range norm.NFKD.String(string(r)) {
		if within != r && (unicode.IsLetter(within) || unicode.IsNumber(within)) {
			return wideShape(within)
		}
	}
	return shape{}
}

func shapeFirst(r rune, random *Random) byte {
	if r == '0' {
		return '0'
	}
	return '1' + random.below(9)
}

const (
	tokenAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	leastToken    = 16 // characters: 95 bits
)

func writeToken(m *Masker, dst []byte, _ *Recipe, in input) ([]byte, error) {
	n := max(leastToken, utf8.RuneCount(in.value))
	random := newRandomBytes(in.digest)
	for range n {
		dst = append(dst, tokenAlphabet[random.below(byte(len(tokenAlphabet)))])
	}
	return dst, nil
}

// writeIBAN keeps the country and the form, blanks and all, and makes the
// check digits valid.
func writeIBAN(m *Masker, dst []byte, _ *Recipe, in input) ([]byte, error) {
	const least, most, head = 15, 34, 4
	random := newRandomBytes(in.digest)
	start := len(dst)
	seen := 0
	var check [2]int // where the check digits stand in dst
	for _, c := range in.value {
		isLetter := 'a' <= c|0x20 && c|0x20 <= 'z'
		isDigit := '0' <= c && c <= '9'
		switch {
		case c == ' ':
			dst = append(dst, c)
			continue
		case seen < 2 && !isLetter, (seen == 2 || seen == 3) && !isDigit, !isLetter && !isDigit:
			return dst, errNotAnIBAN
		case seen < 2:
		case seen < head:
			check[seen-2] = len(dst)
		case isDigit:
			c = '0' + random.below(10)
		default:
			c = c&0x20 | 'A' + random.below(26)
		}
		dst = append(dst, c)
		seen++
	}
	if seen < least || seen > most {
		return dst, errNotAnIBAN
	}
	dst[check[0]] = '0'
	dst[check[1]] = '0'
	sum := 98 - detect.IBANRest(dst[start:])
	dst[check[0]] += byte(sum / 10)
	dst[check[1]] += byte(sum % 10)
	return dst, nil
}

// writeCard keeps the first digit, which tells the network, and the form, and
// makes the last digit valid after Luhn.
func writeCard(m *Masker, dst []byte, _ *Recipe, in input) ([]byte, error) {
	const least, most = 12, 19
	random := newRandomBytes(in.digest)
	start := len(dst)
	digits := 0
	last := 0
	for _, c := range in.value {
		switch {
		case '0' <= c && c <= '9':
			if digits > 0 {
				c = '0' + random.below(10)
			}
			digits++
			last = len(dst)
		case c != ' ' && c != '-':
			return dst, errNotACard
		}
		dst = append(dst, c)
	}
	if digits < least || digits > most {
		return dst, errNotACard
	}
	dst[last] = '0'
	dst[last] = '0' + byte((10-detect.Luhn(dst[start:]))%10)
	return dst, nil
}

// AppendDigits replaces a number's digits one for one; a leading zero, the
// point and the exponent stay.
func AppendDigits(dst, value []byte, random *Random) []byte {
	first := true
	for i, c := range value {
		switch {
		case c == 'e' || c == 'E':
			return append(dst, value[i:]...)
		case '0' <= c && c <= '9' && first:
			c = shapeFirst(rune(c), random)
			first = false
		case '0' <= c && c <= '9':
			c = '0' + random.below(10)
		}
		dst = append(dst, c)
	}
	return dst
}

// AppendDigits is appendDigits by the recipe's digest of the value.
func (m *Masker) AppendDigits(dst []byte, r *Recipe, value []byte) []byte {
	if r.name == Permute {
		if out, err := writePermutedNumber(m, dst, r, input{normalized: value}); err == nil {
			return out
		}
	}
	random := newRandomBytes(m.Digest(r.domain, value))
	return AppendDigits(dst, value, &random)
}

// ReplacesDigits reports whether a number that is no text is rewritten digit for
// digit: where the shape of a text would be kept.
func (r *Recipe) ReplacesDigits() bool {
	return r.keepsShape && r.name != Password && r.name != Token
}

// AppendShape gives a text other letters and digits, as the transform text does,
// by bytes of the caller's.
func (r *Recipe) AppendShape(dst, value []byte, random *Random) []byte {
	return appendShape(dst, value, random, false, r.code != nil)
}
