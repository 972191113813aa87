package pgtext

import (
	"bytes"
	"math"
	"strconv"
	"unsafe"
)

// sinceLiterals is the version whose numbers may be 0x1f, 0o17, 0b1 and 1_000.
const sinceLiterals = 16

func (r *Reader) int2(_ *Type, s []byte) bool { return r.integer(s, 1<<15) }
func (r *Reader) int4(_ *Type, s []byte) bool { return r.integer(s, 1<<31) }
func (r *Reader) int8(_ *Type, s []byte) bool { return r.integer(s, 1<<63) }

// oid takes negative numbers of 32 bits too, and as C writes them since 16
// (uint32in_subr).
func (r *Reader) oid(_ *Type, s []byte) bool {
	if bytes.IndexByte(s, '_') >= 0 {
		return false
	}
	s = trim(s)
	if r.Major >= sinceLiterals && len(s) > 1 && s[0] == '0' && isDigit(s[1]) {
		return octal(s)
	}
	n, negative, ok := r.magnitude(s)
	return ok && n < 1<<32 && (!negative || n <= 1<<31)
}

func octal(s []byte) bool {
	for _, c := range s {
		if !isOctal(c) {
			return false
		}
	}
	return true
}

// integer reads what is at least -limit and below limit (pg_strtoint32_safe).
func (r *Reader) integer(s []byte, limit uint64) bool {
	n, negative, ok := r.magnitude(s)
	return ok && (n < limit || negative && n == limit)
}

func (r *Reader) magnitude(s []byte) (n uint64, negative, ok bool) {
	s = trim(s)
	if len(s) > 0 && (s[0] == '-' || s[0] == '+') {
		negative, s = s[0] == '-', s[1:]
	}
	base := byte(10)
	if r.Major >= sinceLiterals && len(s) > 2 && s[0] == '0' {
		base = baseOf(s[1])
		if base != 10 {
			s = s[2:]
			if s[0] == '_' {
				s = s[1:]
			}
		}
	}
	if len(s) == 0 || s[len(s)-1] == '_' || s[0] == '_' {
		return 0, negative, false
	}
	for i, c := range s {
		if c == '_' && r.Major >= sinceLiterals && hexDigit(s[i+1]) < base {
			continue
		}
		d := hexDigit(c)
		if d >= base || n > (math.MaxUint64-uint64(d))/uint64(base) {
			return 0, negative, false
		}
		n = n*uint64(base) + uint64(d)
	}
	return n, negative, true
}

func baseOf(c byte) byte {
	switch c | 0x20 {
	case 'x':
		return 16
	case 'o':
		return 8
	case 'b':
		return 2
	}
	return 10
}

func (r *Reader) float4(_ *Type, s []byte) bool { return float(s, 32) }
func (r *Reader) float8(_ *Type, s []byte) bool { return float(s, 64) }

// float reads what strtod does, within the range of so many bits.
func float(s []byte, bits int) bool {
	s = trim(s)
	body := s
	if len(body) > 0 && (body[0] == '-' || body[0] == '+') {
		body = body[1:]
	}
	if len(body) == 0 {
		return false
	}
	if c := body[0] | 0x20; c == 'n' || c == 'i' {
		return fold(body, "nan") || fold(body, "infinity") || fold(body, "inf") ||
			len(body) > 5 && fold(body[:4], "nan(") && body[len(body)-1] == ')'
	}
	if len(body) > 2 && body[0] == '0' && body[1]|0x20 == 'x' {
		return hexFloat(body[2:])
	}
	d, ok := parseDecimal(body, false)
	if !ok {
		return false
	}
	if digits := d.whole + d.fraction; digits <= 15 && d.exponent == 0 {
		return true // within any range
	}
	f, err := strconv.ParseFloat(unsafe.String(unsafe.SliceData(body), len(body)), bits)
	return err == nil && (f != 0 || d.zero)
}

// hexFloat reads what stands after 0x: digits, a point, and a power of two.
func hexFloat(s []byte) bool {
	digits, point := 0, false
	for len(s) > 0 && (hexDigit(s[0]) != 255 || s[0] == '.' && !point) {
		if s[0] == '.' {
			point = true
		} else {
			digits++
		}
		s = s[1:]
	}
	if digits == 0 || len(s) == 0 {
		return digits > 0
	}
	if s[0]|0x20 != 'p' {
		return false
	}
	s = s[1:]
	if len(s) > 0 && (s[0] == '+' || s[0] == '-') {
		s = s[1:]
	}
	return len(s) > 0 && digitsEnd(s, 0) == len(s)
}

// decimal is what a decimal number is made of.
type decimal struct {
	digits          []byte // as written: with a point and underscores
	whole, fraction int    // digits before and after the point
	exponent        int
	zero            bool
}

// parseDecimal takes all of s, without its sign, for a number.
func parseDecimal(s []byte, underscores bool) (d decimal, ok bool) {
	d.zero = true
	i, point := 0, false
	for ; i < len(s); i++ {
		c := s[i]
		switch {
		case isDigit(c):
			d.zero = d.zero && c == '0'
			if point {
				d.fraction++
			} else {
				d.whole++
			}
			continue
		case c == '.' && !point:
			point = true
			continue
		case c == '_' && underscores && i > 0 && isDigit(s[i-1]) && i+1 < len(s) && isDigit(s[i+1]):
			continue
		}
		break
	}
	d.digits = s[:i]
	if d.whole+d.fraction == 0 {
		return d, false
	}
	if i < len(s) {
		d.exponent, ok = parseExponent(s[i:], underscores)
		return d, ok
	}
	return d, true
}

// mostExponent is beyond what any number can have, so that sums of it and a
// length are in the range of an int.
const mostExponent = 1 << 30

func parseExponent(s []byte, underscores bool) (n int, ok bool) {
	if s[0]|0x20 != 'e' {
		return 0, false
	}
	s = s[1:]
	if !underscores { // strtol skips blanks
		s = skipSpace(s)
	}
	negative := false
	if len(s) > 0 && (s[0] == '-' || s[0] == '+') {
		negative, s = s[0] == '-', s[1:]
	}
	if len(s) == 0 || s[0] == '_' || s[len(s)-1] == '_' {
		return 0, false
	}
	for _, c := range s {
		if c == '_' && underscores {
			continue
		}
		if !isDigit(c) {
			return 0, false
		}
		n = min(n*10+int(c-'0'), mostExponent)
	}
	if negative {
		n = -n
	}
	return n, true
}

// header is VARHDRSZ, which typmods of lengths contain.
const header = 4

// Limits of numeric without a modifier: digits before and after the point.
const (
	mostWhole    = 131072
	mostFraction = 16383
)

func (r *Reader) numeric(t *Type, s []byte) bool {
	s = trim(s)
	if fold(s, "nan") {
		return true
	}
	if len(s) > 0 && (s[0] == '-' || s[0] == '+') {
		s = s[1:]
	}
	if r.Major >= 14 && (fold(s, "inf") || fold(s, "infinity")) {
		return t.typmod < header
	}
	literals := r.Major >= sinceLiterals
	if literals && len(s) > 2 && s[0] == '0' && baseOf(s[1]) != 10 {
		return r.literal(s)
	}
	d, ok := parseDecimal(s, literals)
	if !ok {
		return false
	}
	if t.typmod < header {
		return d.zero || d.before() <= mostWhole && d.fraction-d.exponent <= mostFraction
	}
	precision := int((t.typmod - header) >> 16 & 0xffff)
	scale := int((t.typmod-header)&0x7ff^1024) - 1024
	return d.within(precision, scale)
}

// literal knows hexadecimal, octal and binary numbers by their digits alone.
func (r *Reader) literal(s []byte) bool {
	base := baseOf(s[1])
	for _, c := range s[2:] {
		if hexDigit(c) >= base && c != '_' {
			return false
		}
	}
	return s[len(s)-1] != '_'
}

// before is how many digits the number has before its point, without leading
// zeros; of 0.05 it is -1.
func (d *decimal) before() int {
	n := d.whole
	for _, c := range d.digits {
		if isDigit(c) {
			if c != '0' {
				break
			}
			n--
		}
	}
	return n + d.exponent
}

// within reports whether the number, rounded to so many digits after the point,
// has at most so many in all.
func (d *decimal) within(precision, scale int) bool {
	if d.zero {
		return true
	}
	before := d.before()
	if before != precision-scale {
		if before < precision-scale {
			return true // rounded up it has one more
		}
		return before+scale < 0 // so small that nothing is left of it
	}
	return !d.roundsUp(before + scale)
}

// roundsUp reports whether the first so many digits that are not leading zeros
// are nines, and what follows them rounds up.
func (d *decimal) roundsUp(keep int) bool {
	if keep < 0 {
		return false
	}
	leading := true
	for _, c := range d.digits {
		if !isDigit(c) || leading && c == '0' {
			continue
		}
		leading = false
		if keep == 0 {
			return c >= '5'
		}
		if c != '9' {
			return false
		}
		keep--
	}
	return false
}

// money knows no locale, since the dump's may be another than any server's: it
// wants nothing but separators between digits, and at the ends at most a few
// letters, as of a currency.
func (r *Reader) money(_ *Type, s []byte) bool {
	first := bytes.IndexFunc(s, isDigitRune)
	last := bytes.LastIndexFunc(s, isDigitRune)
	if first < 0 {
		return currency(s)
	}
	for _, c := range s[first:last] {
		if !isDigit(c) && c < 0x80 && !oneOf(c, ".,' ") {
			return false
		}
	}
	return currency(s[:first]) && currency(s[last+1:])
}

func isDigitRune(c rune) bool { return '0' <= c && c <= '9' }

// currency reports whether a sign of money may be so.
func currency(s []byte) bool {
	const most = 16
	for _, c := range s {
		if c < 0x80 && !isAlpha(c) && !isSpace(c) && !oneOf(c, "$().,-+") {
			return false
		}
	}
	return len(s) <= most
}
