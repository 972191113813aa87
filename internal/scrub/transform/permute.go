package transform

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"strconv"

	"daybefore/internal/scrub/schema"
)

// Permute makes another value of the same shape, by a keyed permutation of all
// values of that shape: different values stay different, always.
const Permute = "permute"

// permuteSamples are keys as people have them.
var permuteSamples = append([]string{
	"123-45-6789", "44051401359", "AB123456C", "K-1234567", "a", "A", "ada", "ADA",
	"8d8b3a52-6b1c-4a52-9b8e-0d6f3c1a2b4d", "DE75512108001245126199", "10115", "SW1A 1AA",
}, append(phoneSamples, textSamples...)...)

func init() {
	register(Permute, kind{
		fits:       anyOf(schema.Type.IsText, isWhole, isDay, schema.Type.IsAddress, schema.Type.IsMAC),
		keepsShape: true, samples: permuteSamples, write: writePermutedText, of: permuteOf,
	})
}

// isWhole reports whether a type's values are written digit by digit: a float's
// last digits are not what was written.
func isWhole(t schema.Type) bool { return t.Is("int2", "int4", "int8", "numeric") }

// isDay reports whether a type's values name a day without a time zone, under
// which two days may be one moment.
func isDay(t schema.Type) bool { return t.Is("date", "timestamp") }

// permuteOf is the permutation for values of a type.
func permuteOf(t schema.Type, text *kind) *kind {
	out := *text
	switch {
	case isWhole(t):
		out.samples, out.write = numberSamples, writePermutedNumber
	case isDay(t):
		out.samples, out.write = DateSamples, writePermutedDay
	case t.IsAddress():
		out.samples, out.write = []string{"192.0.2.7", "198.51.100.0/24", "2001:db8::7"}, writePermutedAddress
	case t.IsMAC():
		out.samples, out.write = kinds[MAC].samples, writePermutedMAC
	}
	return &out
}

// permuteRounds are those of FF1.
const permuteRounds = 10

// place is one sign of a value that becomes another: which of how many it is.
type place struct{ digit, radix uint16 }

// permuting is what a Masker permutes in.
type permuting struct {
	places  []place
	shape   []byte // all of a value but its places' digits
	message []byte
	deck    []uint16
	blocks  map[rune]*letterBlock
}

// permute replaces the digits of the places by a permutation of all that these
// can hold under one shape: a Feistel network over two halves, as in FF1 (NIST
// SP 800-38G), whose halves are added to place by place, and whose round
// function is the PRF that all digests are. A single place is drawn from a
// shuffled deck instead.
func (m *Masker) permute(r *Recipe) {
	p := &m.permuting
	switch len(p.places) {
	case 0:
		return
	case 1:
		m.drawPlace(r, &p.places[0])
		return
	}
	left, right := p.places[:len(p.places)/2], p.places[len(p.places)/2:]
	for round := range byte(permuteRounds) {
		random := m.roundOf(r, round, right)
		for i := range left {
			at := &left[i]
			at.digit = uint16((uint64(at.digit) + scale(random.word(), uint64(at.radix))) % uint64(at.radix))
		}
		left, right = right, left
	}
}

// roundOf is what a round adds to the one half, by the other.
func (m *Masker) roundOf(r *Recipe, round byte, other []place) Random {
	p := &m.permuting
	p.message = binary.BigEndian.AppendUint32(append(p.message[:0], round), uint32(len(p.shape)))
	p.message = append(p.message, p.shape...)
	for _, at := range other {
		p.message = binary.BigEndian.AppendUint16(p.message, at.digit)
	}
	return newRandomBytes(m.Digest(r.domain, p.message))
}

// drawPlace is the permutation of a single place.
func (m *Masker) drawPlace(r *Recipe, at *place) {
	p := &m.permuting
	random := m.roundOf(r, permuteRounds, nil)
	p.deck = p.deck[:0]
	for i := range at.radix {
		p.deck = append(p.deck, i)
	}
	for i := len(p.deck) - 1; i > 0; i-- {
		j := scale(random.word(), uint64(i+1))
		p.deck[i], p.deck[j] = p.deck[j], p.deck[i]
	}
	at.digit = p.deck[at.digit]
}

func (p *permuting) begin(form string) {
	p.places = p.places[:0]
	p.shape = append(p.shape[:0], form...)
}

// add takes a sign as one of a radix.
func (p *permuting) add(digit, radix int) {
	p.places = append(p.places, place{uint16(digit), uint16(radix)})
}

// addDigit takes a decimal digit: with notZero it is none, and stays none.
func (p *permuting) addDigit(c byte, notZero bool) {
	if notZero {
		p.add(int(c-'1'), 9)
		p.shape = append(p.shape, '1')
		return
	}
	p.add(int(c-'0'), 10)
	p.shape = append(p.shape, '0')
}

// digitAt is the decimal digit of a place.
func (p *permuting) digitAt(i int) byte {
	at := p.places[i]
	if at.radix == 9 {
		return '1' + byte(at.digit)
	}
	return '0' + byte(at.digit)
}

// Magnitudes at which an integer type ends. A number stays on its side of them,
// whatever its own type is: so both sides of a foreign key between two types
// become equal.
var integerEnds = []struct{ positive, negative string }{
	{"32767", "32768"}, {"2147483647", "2147483648"}, {"9223372036854775807", "9223372036854775808"},
}

// writePermutedNumber keeps the sign, the number of digits and the point. Zeros
// that end a fraction mean nothing, and stay.
func writePermutedNumber(m *Masker, dst []byte, r *Recipe, in input) ([]byte, error) {
	value := in.normalized
	switch string(value) {
	case "NaN", "Infinity", "-Infinity":
		return append(dst, value...), nil
	}
	rest, negative := bytes.CutPrefix(value, []byte("-"))
	whole, fraction, hasFraction := bytes.Cut(rest, []byte("."))
	if len(whole) == 0 || digitsOf(whole) != len(whole) || digitsOf(fraction) != len(fraction) {
		return dst, errNotANumber
	}
	told := bytes.TrimRight(fraction, "0")
	p := &m.permuting
	p.begin("")
	if negative {
		dst = append(dst, '-')
		p.shape = append(p.shape, '-')
	}
	if whole[0] == '0' {
		p.shape = append(p.shape, "00"...)
		whole = whole[:1]
	} else {
		for i, c := range whole {
			p.addDigit(c, i == 0)
		}
	}
	ofWhole := len(p.places)
	if len(told) > 0 {
		p.shape = append(p.shape, '.')
	}
	for i, c := range told {
		p.addDigit(c, i == len(told)-1)
	}
	start := len(dst)
	was := beyondInteger(whole, negative, len(told))
	for done := false; !done; done = beyondInteger(dst[start:], negative, len(told)) == was {
		dst = dst[:start]
		m.permute(r)
		if ofWhole == 0 {
			dst = append(dst, '0')
		}
		for i := range ofWhole {
			dst = append(dst, p.digitAt(i))
		}
	}
	if hasFraction {
		dst = append(dst, '.')
	}
	for i := range told {
		dst = append(dst, p.digitAt(ofWhole+i))
	}
	return append(dst, fraction[len(told):]...), nil
}

// beyondInteger reports whether a number lies beyond the integer type whose
// largest has as many digits.
func beyondInteger(digits []byte, negative bool, fraction int) bool {
	for _, end := range integerEnds {
		largest := end.positive
		if negative {
			largest = end.negative
		}
		if len(digits) == len(largest) && fraction == 0 {
			return string(digits) > largest
		}
	}
	return false
}

// writePermutedDay gives another day of the same year; the time of day stays.
func writePermutedDay(m *Masker, dst []byte, r *Recipe, in input) ([]byte, error) {
	d, err := readDate(in.normalized)
	if err != nil || d.infinite {
		return append(dst, d.rest...), err
	}
	first := max(daysOf(d.year, 1, 1), r.span.first)
	last := min(daysOf(d.year+1, 1, 1)-1, r.span.last)
	day := daysOf(d.year, d.month, d.day)
	if day < first || day > last { // the first and the last days that there are
		return append(dst, in.normalized...), nil
	}
	p := &m.permuting
	p.begin("day of ")
	p.shape = strconv.AppendInt(p.shape, d.year, 10)
	p.add(int(day-first), int(last-first+1))
	m.permute(r)
	d.year, d.month, d.day = dateOf(first + int64(p.places[0].digit))
	return d.append(dst), nil
}

// writePermutedAddress gives another address of the same family and netmask; of
// a network, another network.
func writePermutedAddress(m *Masker, dst []byte, r *Recipe, in input) ([]byte, error) {
	host, netmask, masked := bytes.Cut(in.normalized, []byte("/"))
	a, err := netip.ParseAddr(string(host))
	if err != nil {
		return dst, errNotAnAddress
	}
	bits := a.BitLen()
	if r.network && masked {
		n, err := strconv.Atoi(string(netmask))
		if err != nil || n < 0 || n > bits {
			return dst, errNotAnAddress
		}
		bits = n
	}
	p := &m.permuting
	p.begin("address of ")
	p.shape = append(append(strconv.AppendInt(p.shape, int64(a.BitLen()), 10), '/'), netmask...)
	address := a.AsSlice()
	for i := range bits {
		p.add(int(address[i/8]>>(7-i%8)&1), 2)
	}
	m.permute(r)
	for i := range bits {
		bit := byte(1) << (7 - i%8)
		address[i/8] &^= bit
		address[i/8] |= byte(p.places[i].digit) * bit
	}
	a, _ = netip.AddrFromSlice(address) // as long as it was
	dst = a.AppendTo(dst)
	if masked {
		dst = append(append(dst, '/'), netmask...)
	}
	return dst, nil
}

// writePermutedMAC replaces all digits of a MAC address as the server writes it.
func writePermutedMAC(m *Masker, dst []byte, r *Recipe, in input) ([]byte, error) {
	const digits = "0123456789abcdef"
	p := &m.permuting
	p.begin("mac ")
	for _, c := range in.normalized {
		if c == ':' {
			p.shape = append(p.shape, c)
			continue
		}
		digit := bytes.IndexByte([]byte(digits), c)
		if digit < 0 {
			return dst, errNotAMAC
		}
		p.shape = append(p.shape, '0')
		p.add(digit, len(digits))
	}
	m.permute(r)
	next := 0
	for _, c := range in.normalized {
		if c != ':' {
			c = digits[p.places[next].digit]
			next++
		}
		dst = append(dst, c)
	}
	return dst, nil
}
