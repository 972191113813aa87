package scrub

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"unicode"
	"unicode/utf8"

	"github.com/brianvoe/gofakeit/v7/data"
)

// The transforms, as drill files name them.
const (
	email     = "email"      // <16 characters, 80 bits>@example.invalid
	name      = "name"       // a first name, and a last name where the value has several words
	phone     = "phone"      // other digits in the same places
	text      = "text"       // other letters and digits in the same places
	hash128   = "hash"       // 32 hexadecimal digits
	setNull   = "set_null"   // null
	constant  = "constant"   // the rule's value; null stays null
	noise     = "number"     // a number near the value
	dateShift = "date_shift" // a day near the value's, at the same time of day
)

// lossy tells whether two values may become one.
func lossy(transform string) bool {
	switch transform {
	case name, phone, text, constant, noise, dateShift:
		return true
	}
	return false
}

// keepsShape tells whether what a transform makes depends on more than that
// there is a value: whether a CHECK holds then depends on the value too.
func keepsShape(transform string) bool {
	switch transform {
	case phone, text, noise, dateShift:
		return true
	}
	return false
}

const (
	emailBytes  = 10
	emailDomain = "@example.invalid"
	emailLength = emailBytes*8/5 + len(emailDomain)
	hashBytes   = 16
	hashLength  = 2 * hashBytes
)

var emailAlphabet = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

var firstNames, lastNames = plainNames(data.Person["first"]), plainNames(data.Person["last"])

// plainNames leaves out names that a CHECK or a client might stumble over.
func plainNames(all []string) []string {
	var plain []string
	for _, n := range all {
		if letters(n) {
			plain = append(plain, n)
		}
	}
	return plain
}

func letters(s string) bool {
	for i := range len(s) {
		if c := s[i] | 0x20; c < 'a' || 'z' < c {
			return false
		}
	}
	return s != ""
}

// recipe is a rule made ready for one column.
type recipe struct {
	transform string
	domain    []byte // with its zero byte
	normal    normal
	value     []byte  // constant: in the encoding of the rows
	percent   float64 // number
	largest   uint64  // number: the type's largest; 0: none
	days      int     // date_shift
	span      dateSpan
	limit     int  // name: characters; 0: none
	asciiOnly bool // text and phone: the rows' encoding is not Unicode
}

// masker applies recipes; one serves one goroutine.
type masker struct {
	*keyed
	norm, digits []byte
}

// append appends what the recipe makes of a value, which is UTF-8 and not
// empty, to dst; normalised is the value without what does not tell it from
// others.
func (m *masker) append(dst []byte, r *recipe, value, normalised []byte) ([]byte, error) {
	if r.transform == constant {
		return append(dst, r.value...), nil
	}
	digest := m.digest(r.domain, normalised)
	switch r.transform {
	case email:
		return append(emailAlphabet.AppendEncode(dst, digest[:emailBytes]), emailDomain...), nil
	case hash128:
		return hex.AppendEncode(dst, digest[:hashBytes]), nil
	case name:
		return appendName(dst, digest, normalised, r.limit), nil
	case phone, text:
		random := m.bytes(digest, len(value))
		return appendShape(dst, value, &random, r.transform == phone, r.asciiOnly), nil
	case noise:
		return m.appendNumber(dst, value, number(digest[:]), r.percent, r.largest)
	case dateShift:
		return appendDate(dst, value, number(digest[:]), r.days, r.span)
	}
	return dst, errUnknownTransform
}

// appendName gives a first name to a single word and a full name to several,
// cut to limit characters if there is one.
func appendName(dst []byte, digest *[sha256.Size]byte, value []byte, limit int) []byte {
	start := len(dst)
	dst = append(dst, firstNames[scale(number(digest[:]), uint64(len(firstNames)))]...)
	if severalWords(value) {
		dst = append(append(dst, ' '), lastNames[scale(number(digest[8:]), uint64(len(lastNames)))]...)
	}
	if limit > 0 && len(dst)-start > limit {
		dst = dst[:start+limit]
		if dst[len(dst)-1] == ' ' {
			dst = dst[:len(dst)-1]
		}
	}
	return dst
}

func severalWords(value []byte) bool {
	value = trimSpace(value)
	for i := 0; i < len(value); {
		r, size := utf8.DecodeRune(value[i:])
		if unicode.IsSpace(r) {
			return true
		}
		i += size
	}
	return false
}

// appendShape replaces letters by ASCII letters of the same case and digits by
// digits, one for one; other characters stay. A phone number's first digit
// stays zero, or not zero.
func appendShape(dst, value []byte, random *randomBytes, isPhone, asciiOnly bool) []byte {
	first := true
	for i := 0; i < len(value); {
		r, size := rune(value[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRune(value[i:])
		}
		switch {
		case unicode.IsDigit(r) || unicode.IsNumber(r):
			dst = append(dst, shapeDigit(r, random, isPhone && first))
			first = false
		case unicode.IsUpper(r) || unicode.IsTitle(r):
			dst = append(dst, 'A'+random.below(26))
		case unicode.IsLetter(r) || unicode.IsMark(r) || r == utf8.RuneError && size <= 1:
			dst = append(dst, 'a'+random.below(26))
		case asciiOnly && r >= utf8.RuneSelf:
			dst = append(dst, '.')
		default:
			dst = append(dst, value[i:i+size]...)
		}
		i += size
	}
	return dst
}

func shapeDigit(r rune, random *randomBytes, first bool) byte {
	switch {
	case first && r == '0':
		return '0'
	case first:
		return '1' + random.below(9)
	}
	return '0' + random.below(10)
}
