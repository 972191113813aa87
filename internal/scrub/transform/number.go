package transform

import (
	"bytes"
	"errors"
	"math"
	"math/bits"
	"strconv"

	"daybefore/internal/scrub/schema"
)

const (
	Number = "number" // a number near the value and not it, or the foot of its bucket
	Money  = "money"  // an amount near the value, in the same form
)

var numberSamples = []string{"1", "2", "3", "5", "10", "50", "99", "100", "1000", "12345", "-1", "-10", "-100"}

func init() {
	register(Number, kind{
		fits: anyOf(schema.Type.IsNumber, schema.Type.IsNumberRange), keepsShape: true,
		samples: numberSamples, write: writeNumber,
	})
	register(Money, kind{
		fits: anyOf(schema.Type.IsText, schema.Type.IsNumber, schema.Type.IsMoney), keepsShape: true,
		samples: numberSamples, write: writeMoney,
	})
}

var errNotANumber = errors.New("not a number")

// exactDigits is how many digits of a number the noise is reckoned with; the
// rest are replaced.
const exactDigits = 19

// appendNoise appends a number at most percent, and at least one in the last
// digit, away from the one that value spells, picked by random: 0 is the lowest,
// all ones the highest. It has the same sign, the same digits after the point,
// no more digits before it, and is not above largest, if that is not 0. Zero, NaN
// and the infinities stay.
func (m *Masker) appendNoise(dst, value []byte, random uint64, percent float64, largest uint64) ([]byte, error) {
	switch string(value) {
	case "NaN", "Infinity", "-Infinity":
		return append(dst, value...), nil
	}
	rest := value
	if len(rest) > 0 && (rest[0] == '-' || rest[0] == '+') {
		dst = append(dst, rest[0])
		rest = rest[1:]
	}
	whole := digitsOf(rest)
	rest = rest[whole:]
	m.digits = append(m.digits[:0], value[len(value)-len(rest)-whole:len(value)-len(rest)]...)
	if len(rest) > 0 && rest[0] == '.' {
		n := digitsOf(rest[1:])
		m.digits = append(m.digits, rest[1:1+n]...)
		rest = rest[1+n:]
	}
	if len(m.digits) == 0 || !isExponent(rest) {
		return dst, errNotANumber
	}
	perturb(m.digits, random, percent, largest, isNearEnd(rest))
	dst = appendWhole(dst, m.digits[:whole])
	if whole < len(m.digits) {
		dst = append(append(dst, '.'), m.digits[whole:]...)
	}
	return append(dst, rest...), nil
}

func digitsOf(s []byte) int {
	n := 0
	for n < len(s) && '0' <= s[n] && s[n] <= '9' {
		n++
	}
	return n
}

// isNearEnd reports whether the number with this exponent is so close to a float's end
// that more would be too much.
func isNearEnd(exponent []byte) bool {
	const most = 30 // of a float4 38
	if len(exponent) == 0 {
		return false
	}
	n, err := strconv.Atoi(string(exponent[1:]))
	return err != nil || n >= most
}

func isExponent(s []byte) bool {
	if len(s) == 0 {
		return true
	}
	if s[0] != 'e' && s[0] != 'E' {
		return false
	}
	s = s[1:]
	if len(s) > 0 && (s[0] == '-' || s[0] == '+') {
		s = s[1:]
	}
	return len(s) > 0 && digitsOf(s) == len(s)
}

// perturb changes the digits in place.
func perturb(digits []byte, random uint64, percent float64, largest uint64, onlyDown bool) {
	for len(digits) > 0 && digits[0] == '0' {
		digits = digits[1:]
	}
	if len(digits) == 0 {
		return
	}
	n := min(len(digits), exactDigits)
	value := uint64(0)
	for _, d := range digits[:n] {
		value = value*10 + uint64(d-'0')
	}
	limit := uint64(math.Pow10(n)) - 1
	if largest > 0 && largest < limit && n == len(digits) {
		limit = largest
	}
	value = nearby(value, limit, random, percent, onlyDown)
	for i := n - 1; i >= 0; i-- {
		digits[i] = '0' + byte(value%10)
		value /= 10
	}
	for i := n; i < len(digits); i++ {
		random = random*6364136223846793005 + 1442695040888963407
		digits[i] = '0' + byte(scale(random, 10))
	}
}

// nearby is a number from 1 to limit, at most percent and at least one away from
// value, save where it has no other.
func nearby(value, limit, random uint64, percent float64, onlyDown bool) uint64 {
	span := max(1, uint64(float64(value)*min(percent, 100)/100))
	step := scale(random, 2*span)
	up, down := uint64(0), uint64(0)
	if step < span {
		down = span - step
	} else {
		up = step - span + 1
	}
	fits := func(up uint64) bool { return !onlyDown && value < limit && up <= limit-value }
	switch {
	case up > 0 && fits(up):
		return value + up
	case value == 1 && fits(1): // zero would be another sign
		return value + 1
	}
	return max(1, value-min(max(up, down), value))
}

// appendWhole appends the digits before the point without leading zeros.
func appendWhole(dst, digits []byte) []byte {
	for len(digits) > 1 && digits[0] == '0' {
		digits = digits[1:]
	}
	return append(dst, digits...)
}

func writeNumber(m *Masker, dst []byte, r *Recipe, in input) ([]byte, error) {
	if r.bucket > 0 {
		return m.appendBucket(dst, in.value, r.bucket)
	}
	digest := in.digest
	if plain := withoutZeros(in.normalized); r.folded && len(plain) < len(in.normalized) {
		digest = m.Digest(r.domain, plain) // as a column of another scale writes it
	}
	return m.appendNoise(dst, in.value, leading(digest[:]), r.percent, r.largest)
}

// withoutZeros is a decimal without those that end it behind the point.
func withoutZeros(value []byte) []byte {
	if bytes.IndexByte(value, '.') < 0 || bytes.ContainsAny(value, "eE") {
		return value
	}
	return bytes.TrimSuffix(bytes.TrimRight(value, "0"), []byte("."))
}

// appendBucket appends the number's foot: the nearest multiple of bucket that
// is not farther from zero, with as many digits after the point as before, all
// zero. NaN and the infinities stay.
func (m *Masker) appendBucket(dst, value []byte, bucket uint64) ([]byte, error) {
	switch string(value) {
	case "NaN", "Infinity", "-Infinity":
		return append(dst, value...), nil
	}
	rest, negative := bytes.CutPrefix(value, []byte("-"))
	whole := digitsOf(rest)
	m.digits = append(m.digits[:0], rest[:whole]...)
	rest = rest[whole:]
	fraction := 0
	if len(rest) > 0 && rest[0] == '.' {
		fraction = digitsOf(rest[1:])
		rest = rest[1+fraction:]
	}
	switch {
	case whole+fraction == 0 || !isExponent(rest):
		return dst, errNotANumber
	case len(rest) > 0:
		return appendFloatBucket(dst, value, bucket)
	}
	footOf(m.digits, bucket)
	if negative && !allZero(m.digits) {
		dst = append(dst, '-')
	}
	if whole == 0 {
		dst = append(dst, '0')
	}
	dst = appendWhole(dst, m.digits)
	for i := range fraction {
		if i == 0 {
			dst = append(dst, '.')
		}
		dst = append(dst, '0')
	}
	return dst, nil
}

// footOf takes the remainder of the division by bucket off the digits, however
// many there are.
func footOf(digits []byte, bucket uint64) {
	remainder := uint64(0)
	for _, d := range digits {
		hi, lo := bits.Mul64(remainder, 10)
		lo, carry := bits.Add64(lo, uint64(d-'0'), 0)
		_, remainder = bits.Div64((hi+carry)%bucket, lo, bucket)
	}
	borrow := uint64(0)
	for i := len(digits) - 1; i >= 0; i-- {
		d := uint64(digits[i] - '0')
		off := remainder%10 + borrow
		remainder /= 10
		borrow = 0
		if d < off {
			d += 10
			borrow = 1
		}
		digits[i] = '0' + byte(d-off)
	}
}

func allZero(digits []byte) bool { return len(bytes.Trim(digits, "0")) == 0 }

// appendFloatBucket is for what a float writes with an exponent.
func appendFloatBucket(dst, value []byte, bucket uint64) ([]byte, error) {
	f, err := strconv.ParseFloat(string(value), 64)
	if err != nil {
		return dst, errNotANumber
	}
	foot := math.Trunc(f/float64(bucket)) * float64(bucket)
	if foot == 0 {
		return append(dst, '0'), nil // not -0
	}
	return strconv.AppendFloat(dst, foot, 'g', -1, 64), nil
}

// writeMoney is noise for an amount in any form: $1,234.50 or 1.234,50 EUR.
func writeMoney(m *Masker, dst []byte, r *Recipe, in input) ([]byte, error) {
	if r.plainNumber {
		return writeNumber(m, dst, r, in)
	}
	const currency = 3 // letters
	letters := 0
	m.digits = m.digits[:0]
	for _, c := range in.value {
		switch {
		case '0' <= c && c <= '9':
			m.digits = append(m.digits, c)
		case 'a' <= c|0x20 && c|0x20 <= 'z':
			letters++
		}
	}
	if len(m.digits) == 0 || letters > currency {
		return dst, errNotANumber
	}
	perturb(m.digits, leading(in.digest[:]), r.percent, r.largest, false)
	next := 0
	for _, c := range in.value {
		if '0' <= c && c <= '9' {
			c = m.digits[next]
			next++
		}
		dst = append(dst, c)
	}
	return dst, nil
}

// StaysNumber reports whether the transform leaves a number one, in a document too.
func (r *Recipe) StaysNumber() bool { return r.name == Number || r.name == Money || r.name == Position }

// AppendNumber is append for a number that must stay one, whatever it stands in.
func (m *Masker) AppendNumber(dst []byte, r *Recipe, value []byte) ([]byte, error) {
	if r.name == Position {
		return m.appendPosition(dst, value, r, nil, m.DigestOf(r, value))
	}
	return writeNumber(m, dst, r, input{value: value, normalized: value, digest: m.Digest(r.domain, value)})
}
