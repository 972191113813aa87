package transform

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"

	"daybefore/internal/scrub/schema"
)

// Position makes a place some kilometers away of one in degrees.
const Position = "position"

const (
	defaultMeters = 5000
	// metersPerDegree are those of a latitude, and of a longitude at the equator.
	metersPerDegree = 111_320.0
	pole            = 90
	antimeridian    = 180
)

// Digits behind the point. With two of them a decimalDegrees is told to a kilometer; more
// than mostPlaces are beyond what a float holds, and than what anybody measures.
const (
	fewPlaces   = 2
	freePlaces  = 5
	mostPlaces  = 15
	floatPlaces = 7
)

var (
	positionSamples = []string{"51.477928", "-0.001545", "13.404954", "-78.467834", "0", "9"}
	pairSamples     = []string{"51.477928,-0.001545", "-0.180653, -78.467834", "POINT(13.404954 52.520008)"}
	pointSamples    = []string{"(51.477928,-0.001545)", "(-0.180653,-78.467834)", "(9,7)"}
	// A point, one with the number of WGS 84, and lines and polygons with it and without.
	geometrySamples = []string{
		"0101000000BF620D17B9CF2A405B608F8994424A40", "0101000020E6100000BF620D17B9CF2A405B608F8994424A40",
		"010200000002000000BF620D17B9CF2A405B608F8994424A40BF620D17B9CF2A40000000000000F03F",
		"0102000020E610000002000000BF620D17B9CF2A405B608F8994424A40BF620D17B9CF2A40000000000000F03F",
		"01030000000100000004000000" + triangleSample, "0103000020E61000000100000004000000" + triangleSample,
	}
)

const triangleSample = "00000000000000000000000000000000" + "000000000000F03F0000000000000000" +
	"000000000000F03F000000000000F03F" + "00000000000000000000000000000000"

func init() {
	register(Position, kind{
		fits: anyOf(schema.Type.IsText, schema.Type.IsDecimal, schema.Type.IsFloat, schema.Type.IsPoint,
			schema.Type.IsGeometry, schema.Type.IsBytes),
		keepsShape: true, samples: positionSamples, write: writePosition,
	})
}

var errNotAPosition = errors.New("not a position in degrees")

// degrees says how a column writes them.
type degrees struct {
	places int // behind the point, of a type that fixes them; -1: as the value has them
	float  int // bits of a floating-point number; 0: it is none
}

func degreesOf(c *schema.Column) degrees {
	const single, double = 32, 64
	switch {
	case c.Base.Is("float4"):
		return degrees{-1, single}
	case c.Base.Is("float8"), c.Base.IsPoint():
		return degrees{-1, double}
	}
	var precision, places int
	if n, _ := fmt.Sscanf(c.SQL, "numeric(%d,%d)", &precision, &places); n > 0 {
		return degrees{max(places, 0), 0}
	}
	return degrees{-1, 0}
}

// ofPositions is the transform with the samples of a type.
func ofPositions(position *kind, t schema.Type) *kind {
	out := *position
	switch {
	case t.IsText():
		out.samples = append(pairSamples[:len(pairSamples):len(pairSamples)], positionSamples...)
	case t.IsPoint():
		out.samples = pointSamples
	case t.IsGeometry():
		out.samples = geometrySamples
	case t.IsBytes():
		out.samples = []string{`\x` + geometrySamples[0], `\x` + geometrySamples[1]}
	}
	return &out
}

func writePosition(m *Masker, dst []byte, r *Recipe, in input) ([]byte, error) {
	switch {
	case len(r.lead) > 0: // bytes, which may be anything
		if made, err := m.appendGeometry(dst, in.value, r); err == nil {
			return made, nil
		}
		return writeHash(m, dst, r, in)
	case !r.plainNumber:
		return m.appendAnyPlace(dst, in.value, r)
	case isNowhere(in.value):
		return append(dst, in.value...), nil
	}
	return m.appendPosition(dst, in.value, r, nil, in.digest)
}

// appendAnyPlace moves a place in whichever form a text has it.
func (m *Masker) appendAnyPlace(dst, value []byte, r *Recipe) ([]byte, error) {
	start := len(dst)
	if made, err := m.appendPlace(dst, value, r); err == nil {
		return made, nil
	}
	if made, err := m.appendGeometry(dst[:start], value, r); err == nil {
		return made, nil
	}
	made, err := m.appendGeoJSON(dst[:start], value, r)
	if err != nil {
		return dst[:start], errNotAPosition
	}
	return made, nil
}

// appendPosition moves a number that stands alone. What is no latitude or longitude in
// degrees, such as the meters of a grid, gets noise.
func (m *Masker) appendPosition(
	dst, value []byte, r *Recipe, fixed *uint64, digest *Digest,
) ([]byte, error) {
	made, rest, err := m.appendDegrees(dst, value, r, fixed)
	if err == nil && len(rest) == 0 {
		return made, nil
	}
	random := leading(digest[:])
	if fixed != nil {
		random = *fixed
	}
	return m.appendNoise(dst, value, random, defaultPercent, 0)
}

func isNowhere(value []byte) bool {
	switch string(value) {
	case "NaN", "Infinity", "-Infinity":
		return true
	}
	return false
}

// IsDegrees reports whether a number is a latitude or longitude in degrees.
func IsDegrees(number []byte) bool {
	at, err := strconv.ParseFloat(string(number), 64)
	return err == nil && math.Abs(at) <= antimeridian
}

// IsPlace reports whether a text is a latitude and a longitude in degrees, with digits
// after the points, in one of the forms that Position takes: well-known binary in
// hexadecimal digits and GeoJSON among them. Two numbers, such as a size, are not
// enough.
func IsPlace(text []byte) bool {
	rest := bytes.TrimSpace(text)
	if isGeometry(rest) || isGeoJSON(rest) {
		return true
	}
	if bytes.HasPrefix(rest, []byte("SRID=")) {
		_, rest, _ = bytes.Cut(rest, []byte(";"))
	}
	if word := []byte("POINT"); len(rest) >= len(word) && bytes.EqualFold(rest[:len(word)], word) {
		rest = rest[len(word):]
	}
	numbers := 0
	for len(rest) > 0 {
		if bytes.IndexByte([]byte(" ,;()[]"), rest[0]) >= 0 {
			rest = rest[1:]
			continue
		}
		const measured = 3 // digits: a hundred meters
		size, places := decimalOf(rest)
		if size == 0 || places < measured || !IsDegrees(rest[:size]) {
			return false
		}
		numbers++
		rest = rest[size:]
	}
	return numbers == 2
}

// appendPlace moves the one or two numbers of a text: 51.5, -0.1; (51.5,-0.1);
// POINT(-0.1 51.5). Each moves by itself, as one in a column of its own would.
func (m *Masker) appendPlace(dst, value []byte, r *Recipe) (_ []byte, err error) {
	start := len(dst)
	rest := value
	if bytes.HasPrefix(rest, []byte("SRID=")) {
		if end := bytes.IndexByte(rest, ';'); end > 0 {
			dst = append(dst, rest[:end+1]...)
			rest = rest[end+1:]
		}
	}
	if word := []byte("POINT"); len(rest) >= len(word) && bytes.EqualFold(rest[:len(word)], word) {
		dst = append(dst, rest[:len(word)]...)
		rest = rest[len(word):]
	}
	numbers := 0
	for len(rest) > 0 {
		if c := rest[0]; bytes.IndexByte([]byte(" ,;()[]"), c) >= 0 {
			dst = append(dst, c)
			rest = rest[1:]
			continue
		}
		size, _ := decimalOf(rest)
		if r.degrees.float > 0 && size > 0 { // of a point, which may be any
			dst, err = m.appendPosition(dst, rest[:size], r, nil, m.DigestOf(r, rest[:size]))
			rest = rest[size:]
		} else {
			dst, rest, err = m.appendDegrees(dst, rest, r, nil)
		}
		if err != nil {
			return dst[:start], err
		}
		numbers++
		if len(rest) > 0 && bytes.IndexByte([]byte(" ,;)]"), rest[0]) < 0 {
			return dst[:start], errNotAPosition
		}
	}
	if numbers == 0 || numbers > 2 {
		return dst[:start], errNotAPosition
	}
	return dst, nil
}

// appendDegrees moves the number with which a text begins, and returns what follows.
// How far it moves its cell decides, not the value: of many places near one another
// no mean tells where they are. fixed takes the place of chance, if it is not nil.
func (m *Masker) appendDegrees(dst, text []byte, r *Recipe, fixed *uint64) (_, rest []byte, err error) {
	size, places := decimalOf(text)
	if size == 0 {
		return dst, text, errNotAPosition
	}
	at, err := strconv.ParseFloat(string(text[:size]), 64)
	if err != nil || math.Abs(at) > antimeridian || r.plainNumber && size < len(text) {
		return dst, text, errNotAPosition
	}
	cell := r.meters / metersPerDegree
	var random uint64
	if fixed != nil {
		random = *fixed
	} else {
		random = m.randomOf(r, int64(math.Floor(at/cell)))
	}
	switch {
	case r.degrees.places >= 0:
		places = r.degrees.places
	case r.degrees.float > 0:
		places = min(places, floatPlaces)
		fallthrough
	default:
		if places < fewPlaces {
			places = freePlaces
		}
	}
	return r.degrees.append(dst, moved(at, cell, random, min(places, mostPlaces)), places), text[size:], nil
}

// randomOf is what a cell is moved by, of all columns of a link alike.
func (m *Masker) randomOf(r *Recipe, cell int64) uint64 {
	var text [8]byte
	binary.BigEndian.PutUint64(text[:], uint64(cell))
	return leading(m.Digest(r.domain, text[:])[:])
}

// moved is a place from one to two cells away, in units of the last of its digits,
// and at least one of these. What lies on the globe stays there.
func moved(at, cell float64, random uint64, places int) decimalDegrees {
	units := math.Pow10(places)
	far := max(1, math.Ceil(cell*(1+float64(random<<1)/math.MaxUint64)*units))
	if random>>63 == 0 {
		far = -far
	}
	here := math.Round(at * units)
	limit := float64(antimeridian)
	if math.Abs(at) <= pole { // it may be a latitude
		limit = pole
	}
	if math.Abs(here+far) > limit*units {
		far = -far
	}
	return decimalDegrees{int64(here + far), places}
}

// decimalDegrees is a number in units of its last digit.
type decimalDegrees struct {
	units  int64
	places int
}

// append writes a place as the column's type does; with further zeros, where it has
// more digits.
func (d degrees) append(dst []byte, p decimalDegrees, places int) []byte {
	if d.float > 0 {
		return strconv.AppendFloat(dst, float64(p.units)/math.Pow10(p.places), 'g', -1, d.float)
	}
	units := p.units
	if units < 0 {
		dst = append(dst, '-')
		units = -units
	}
	one := int64(math.Pow10(p.places))
	dst = strconv.AppendInt(dst, units/one, 10)
	if places == 0 {
		return dst
	}
	point := len(dst)
	dst = strconv.AppendInt(dst, one+units%one, 10) // the one in front keeps zeros
	dst[point] = '.'
	return append(dst, bytes.Repeat([]byte("0"), places-p.places)...)
}

// decimalOf is how long the number is with which a text begins, and how many digits
// it has behind the point.
func decimalOf(text []byte) (size, places int) {
	if len(text) > 0 && (text[0] == '-' || text[0] == '+') {
		size++
	}
	whole := digitsOf(text[size:])
	size += whole
	if size < len(text) && text[size] == '.' {
		places = digitsOf(text[size+1:])
		size += 1 + places
	}
	if whole+places == 0 {
		return 0, 0
	}
	if n := exponentOf(text[size:]); n > 0 {
		return size + n, floatPlaces
	}
	return size, places
}

// exponentOf is how long the exponent of a float is with which a text begins; 0 for
// none.
func exponentOf(text []byte) int {
	if len(text) == 0 || text[0]|0x20 != 'e' {
		return 0
	}
	sign := 1
	if len(text) > 1 && (text[1] == '-' || text[1] == '+') {
		sign++
	}
	if n := digitsOf(text[sign:]); n > 0 {
		return sign + n
	}
	return 0
}
