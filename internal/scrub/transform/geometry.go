package transform

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math"
	"strconv"
)

var errNotAGeometry = errors.New("not a geometry in well-known binary form")

// Bits and multiples of a geometry's kind: PostGIS sets bits (EWKB), ISO adds thousands.
const (
	geometryHasZ    = 1 << 31
	geometryHasM    = 1 << 30
	geometryHasSRID = 1 << 29
	geometryISO     = 1000
)

// The kinds of geometries, by what follows: pairs of coordinates, counts of pairs, or
// counts of others.
const (
	kindPoint = iota + 1
	kindLine
	kindPolygon
	kindMultiPoint
	kindMultiLine
	kindMultiPolygon
	kindCollection
	kindCircular
	kindCompound
	kindCurvePolygon
	kindMultiCurve
	kindMultiSurface
	_ // an abstract curve
	_ // and surface, of which there are none
	kindPolyhedral
	kindTIN
	kindTriangle
)

// deepestGeometry is how deep geometries hold others.
const deepestGeometry = 32

// geometry walks through the bytes of one and shows each pair of coordinates.
type geometry struct {
	rest  []byte
	order binary.ByteOrder
	point func(x, y []byte, order binary.ByteOrder) error
}

// walkGeometry shows point the coordinates of a geometry, which it may overwrite.
func walkGeometry(b []byte, point func(x, y []byte, order binary.ByteOrder) error) error {
	g := geometry{rest: b, point: point}
	if err := g.one(0); err != nil {
		return err
	}
	if len(g.rest) > 0 {
		return errNotAGeometry
	}
	return nil
}

func (g *geometry) one(depth int) error {
	if depth > deepestGeometry || len(g.rest) == 0 {
		return errNotAGeometry
	}
	switch g.rest[0] {
	case 0:
		g.order = binary.BigEndian
	case 1:
		g.order = binary.LittleEndian
	default:
		return errNotAGeometry
	}
	g.rest = g.rest[1:]
	word, err := g.number()
	if err != nil {
		return err
	}
	form, size := kindOf(word)
	if word&geometryHasSRID != 0 {
		if _, err := g.number(); err != nil {
			return err
		}
	}
	switch form {
	case kindPoint:
		return g.points(1, size)
	case kindLine, kindCircular:
		return g.counted(func() error { return g.points(1, size) })
	case kindPolygon, kindTriangle:
		return g.counted(func() error {
			return g.counted(func() error { return g.points(1, size) })
		})
	case kindMultiPoint, kindMultiLine, kindMultiPolygon, kindCollection, kindCompound, kindCurvePolygon, kindMultiCurve,
		kindMultiSurface, kindPolyhedral, kindTIN:
		return g.counted(func() error { return g.one(depth + 1) })
	}
	return errNotAGeometry
}

// kindOf is a geometry's kind without its bits, and the bytes of each of its points.
func kindOf(word uint32) (form uint32, size int) {
	const coordinate = 8
	size = 2 * coordinate
	if word&geometryHasZ != 0 {
		size += coordinate
	}
	if word&geometryHasM != 0 {
		size += coordinate
	}
	form = word &^ (geometryHasZ | geometryHasM | geometryHasSRID)
	switch form / geometryISO { // Z, M, and both
	case 1, 2:
		size += coordinate
	case 3:
		size += 2 * coordinate
	}
	return form % geometryISO, size
}

func (g *geometry) number() (uint32, error) {
	const size = 4
	if len(g.rest) < size {
		return 0, errNotAGeometry
	}
	n := g.order.Uint32(g.rest)
	g.rest = g.rest[size:]
	return n, nil
}

// counted reads how many there are, and each of them.
func (g *geometry) counted(each func() error) error {
	n, err := g.number()
	for ; err == nil && n > 0; n-- {
		if len(g.rest) == 0 {
			return errNotAGeometry
		}
		err = each()
	}
	return err
}

func (g *geometry) points(n, size int) error {
	const coordinate = 8
	for range n {
		if len(g.rest) < size {
			return errNotAGeometry
		}
		err := g.point(g.rest[:coordinate], g.rest[coordinate:2*coordinate], g.order)
		if err != nil {
			return err
		}
		g.rest = g.rest[size:]
	}
	return nil
}

// geometryBytes are those of a geometry in hexadecimal digits, after a bytea's \x or
// not; nil for what is none.
func geometryBytes(dst, text []byte) []byte {
	const shortest = 2 * (1 + 4)
	text, _ = bytes.CutPrefix(text, []byte(`\x`))
	if len(text) < shortest || text[0] != '0' || text[1] != '0' && text[1] != '1' {
		return nil
	}
	dst, err := hex.AppendDecode(dst, text)
	if err != nil {
		return nil
	}
	return dst
}

// isGeometry reports whether a text is a point on the globe as databases write it.
func isGeometry(text []byte) bool {
	const longest = 128 // of a point with all that may belong to it
	if len(text) > longest {
		return false
	}
	var buffer [longest]byte
	b := geometryBytes(buffer[:0], text)
	points := 0
	err := walkGeometry(b, func(x, y []byte, order binary.ByteOrder) error {
		points++
		if !onGlobe(coordinateOf(x, order), coordinateOf(y, order)) {
			return errNotAGeometry
		}
		return nil
	})
	return err == nil && points == 1
}

func coordinateOf(b []byte, order binary.ByteOrder) float64 {
	return math.Float64frombits(order.Uint64(b))
}

// onGlobe reports whether two numbers are a place's degrees, and not both whole.
func onGlobe(x, y float64) bool {
	return math.Abs(x) <= antimeridian && math.Abs(y) <= antimeridian && (x != math.Trunc(x) || y != math.Trunc(y))
}

// appendGeometry moves all points of a geometry, each coordinate as one in a column of
// its own would be. What height and measure say stays.
func (m *Masker) appendGeometry(dst, value []byte, r *Recipe) ([]byte, error) {
	b := geometryBytes(nil, value)
	if b == nil {
		return dst, errNotAGeometry
	}
	err := walkGeometry(b, func(x, y []byte, order binary.ByteOrder) error {
		for _, at := range [][]byte{x, y} {
			made, err := m.movedCoordinate(coordinateOf(at, order), r)
			if err != nil {
				return err
			}
			order.PutUint64(at, math.Float64bits(made))
		}
		return nil
	})
	if err != nil {
		return dst, err
	}
	text, isBytea := bytes.CutPrefix(value, []byte(`\x`))
	if isBytea {
		dst = append(dst, `\x`...)
	}
	start := len(dst)
	dst = hex.AppendEncode(dst, b)
	if bytes.ContainsAny(text, "ABCDEF") {
		copy(dst[start:], bytes.ToUpper(dst[start:]))
	}
	return dst, nil
}

// movedCoordinate is a number of degrees that moved; one of another measure gets noise.
func (m *Masker) movedCoordinate(at float64, r *Recipe) (float64, error) {
	if math.IsNaN(at) || math.IsInf(at, 0) { // of an empty point
		return at, nil
	}
	const double = 64
	text := strconv.AppendFloat(nil, at, 'f', -1, double)
	of := *r
	of.degrees = degrees{-1, double}
	of.plainNumber = true
	made, err := m.appendPosition(nil, text, &of, nil, m.DigestOf(r, text))
	if err != nil {
		return 0, err
	}
	return strconv.ParseFloat(string(made), double)
}
