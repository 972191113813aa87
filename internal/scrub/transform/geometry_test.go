package transform

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"daybefore/internal/scrub/schema"
	"daybefore/internal/spec"
)

// wkb is a geometry of numbers: words are uint32, all else float64.
func wkb(order binary.AppendByteOrder, parts ...any) []byte {
	var b []byte
	for _, p := range parts {
		switch p := p.(type) {
		case int:
			b = order.AppendUint32(b, uint32(p))
		case float64:
			b = order.AppendUint64(b, math.Float64bits(p))
		case []byte:
			b = append(b, p...)
		}
	}
	if order.String() == binary.LittleEndian.String() {
		return append([]byte{1}, b...)
	}
	return append([]byte{0}, b...)
}

// points are the coordinates of a geometry.
func points(t *testing.T, b []byte) (all [][2]float64) {
	t.Helper()
	err := walkGeometry(b, func(x, y []byte, order binary.ByteOrder) error {
		all = append(all, [2]float64{coordinateOf(x, order), coordinateOf(y, order)})
		return nil
	})
	if err != nil {
		t.Fatalf("%x: %v", b, err)
	}
	return all
}

const lon, lat = 13.404954, 52.520008

var geometries = map[string][]byte{
	"point":           wkb(binary.LittleEndian, 1, lon, lat),
	"big endian":      wkb(binary.BigEndian, 1, lon, lat),
	"with SRID":       wkb(binary.LittleEndian, 1|geometryHasSRID, 4326, lon, lat),
	"with height":     wkb(binary.LittleEndian, 1|geometryHasZ, lon, lat, 34.0),
	"with all":        wkb(binary.LittleEndian, 1|geometryHasZ|geometryHasM|geometryHasSRID, 4326, lon, lat, 34.0, 7.0),
	"ISO with height": wkb(binary.LittleEndian, 1001, lon, lat, 34.0),
	"ISO with all":    wkb(binary.BigEndian, 3001, lon, lat, 34.0, 7.0),
	"line":            wkb(binary.LittleEndian, 2, 2, lon, lat, lon+1, lat),
	"polygon":         wkb(binary.LittleEndian, 3, 1, 4, lon, lat, lon+1, lat, lon, lat+1, lon, lat),
	"points":          wkb(binary.LittleEndian, 4, 2, wkb(binary.LittleEndian, 1, lon, lat), wkb(binary.BigEndian, 1, lon, lat)),
	"collection":      wkb(binary.LittleEndian, 7|geometryHasSRID, 4326, 1, wkb(binary.LittleEndian, 2, 1, lon, lat)),
}

// All points of a geometry move, as degrees of a column of numbers do; the rest stays.
func TestGeometryMoves(t *testing.T) {
	t.Parallel()
	types := map[string]*schema.Column{"text": columnOf("text"), "bytea": columnOf("bytea"), "geometry": columnOf("geometry")}
	types["geometry"].Base.Schema = "public"
	for what, b := range geometries {
		for typ, c := range types {
			r := New(c, &spec.Rule{Transform: Position, Link: "home"}, domain("link home"), Env{})
			value := strings.ToUpper(hex.EncodeToString(b))
			if typ == "bytea" {
				value = `\x` + hex.EncodeToString(b)
			}
			out := movedBy(t, r, value)
			if len(out) != len(value) || typ == "bytea" != strings.HasPrefix(out, `\x`) || typ != "bytea" && out != strings.ToUpper(out) {
				t.Errorf("%s, %s: %s", what, typ, out)
			}
			made, err := hex.DecodeString(strings.TrimPrefix(out, `\x`))
			if err != nil {
				t.Fatal(err)
			}
			before, after := points(t, b), points(t, made)
			if len(before) == 0 || len(before) != len(after) {
				t.Fatalf("%s: %v became %v", what, before, after)
			}
			for i := range before {
				for axis := range 2 {
					far := math.Abs(after[i][axis]-before[i][axis]) * metersPerDegree
					if far < 0.99*defaultMeters || far > 2.01*defaultMeters {
						t.Errorf("%s, %s: %v became %v", what, typ, before[i], after[i])
					}
				}
				if before[i] == before[0] && after[i] != after[0] {
					t.Errorf("%s: one place became two: %v", what, after)
				}
			}
			if i := bytes.Index(b, binary.LittleEndian.AppendUint64(nil, math.Float64bits(34))); i > 0 && !bytes.Equal(b[i:], made[i:]) {
				t.Errorf("%s: the height is another", what)
			}
		}
	}
	text := movedBy(t, positionOf("text", 0), fmt.Sprint(lat))
	alone := points(t, []byte(unhex(t, movedBy(t, positionOf("text", 0), hex.EncodeToString(geometries["point"])))))[0][1]
	if math.Abs(degree(t, text)-alone) > 1e-5 {
		t.Errorf("%s as a text, %v in a geometry", text, alone)
	}
}

func unhex(t *testing.T, s string) string {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// What is no geometry to its last byte is none: a text becomes another text, and a
// geometry an error.
func TestNoGeometry(t *testing.T) {
	t.Parallel()
	point := geometries["point"]
	for what, b := range map[string][]byte{
		"cut": point[:len(point)-1], "longer": append(bytes.Clone(point), 0), "of no kind": wkb(binary.LittleEndian, 99, lon, lat),
		"without points": wkb(binary.LittleEndian, 2, 1<<30), "empty": {1, 1, 0, 0, 0}, "of no order": append([]byte{7}, point[1:]...),
		"too deep": deep(deepestGeometry + 1),
	} {
		value := hex.EncodeToString(b)
		if out := movedBy(t, positionOf("text", 0), value); out == value || len(out) != len(value) {
			t.Errorf("%s: %s became %s", what, value, out)
		}
		if IsPlace([]byte(value)) {
			t.Errorf("%s is taken for a place", what)
		}
		if out := movedBy(t, positionOf("bytea", 0), `\x`+value); !strings.HasPrefix(out, `\x`) || strings.Contains(out, value) {
			t.Errorf("%s: the bytes %s became %s", what, value, out)
		}
		c := columnOf("geometry")
		c.Base.Schema = "public"
		r := New(c, &spec.Rule{Transform: Position}, domain("x"), Env{})
		if out, err := NewMasker(testKey).Append(nil, r, []byte(value), []byte(value)); err == nil || strings.Contains(err.Error(), value) {
			t.Errorf("%s: %s, %v", what, out, err)
		}
	}
}

func deep(n int) []byte {
	b := geometries["point"]
	for range n {
		b = wkb(binary.LittleEndian, 7, 1, b)
	}
	return b
}

func TestGeoJSONMoves(t *testing.T) {
	t.Parallel()
	for value, moves := range map[string]bool{
		`{"type":"Point","coordinates":[13.404954,52.520008]}`:                                                                                     true,
		`{"coordinates": [ 13.404954, 52.520008, 34.0 ], "type": "Point"}`:                                                                         true,
		`{"type":"GeometryCollection","geometries":[{"type":"Point","coordinates":[13.404954,52.520008]}],"bbox":[13.404954,52.520008,14.1,53.2]}`: true,
		`{"type":"Point","coordinates":[13.404954,52.520008],"name":"Ada"}`:                                                                        false,
		`{"type":"Point","coordinates":[13.404954,52.520008]`:                                                                                      false,
		`[13.404954,52.520008,1]`: false,
	} {
		out := movedBy(t, positionOf("text", 0), value)
		if strings.Contains(out, "13.404954") || strings.Contains(out, "52.520008") || strings.Contains(out, "Ada") {
			t.Errorf("%s became %s", value, out)
		}
		if moves != (json.Valid([]byte(out)) && strings.Contains(out, `"coordinates"`)) {
			t.Errorf("%s became %s", value, out)
		}
	}
}

func TestIsPlaceInOtherForms(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		hex.EncodeToString(geometries["point"]): true, `\x` + hex.EncodeToString(geometries["big endian"]): true,
		strings.ToUpper(hex.EncodeToString(geometries["with all"])):                   true,
		hex.EncodeToString(geometries["line"]):                                        false,
		hex.EncodeToString(wkb(binary.LittleEndian, 1, 5_700_000.5, 400_000.0)):       false,
		hex.EncodeToString(wkb(binary.LittleEndian, 1, 5.0, 4.0)):                     false,
		`{"type": "Point", "coordinates": [13.404954, 52.520008]}`:                    true,
		`{"type": "Point", "coordinates": [13, 52]}`:                                  false,
		`{"type": "LineString", "coordinates": [[13.4, 52.5], [13.5, 52.6]]}`:         false,
		`{"type": "Point", "coordinates": [13.404954, 52.520008], "name": "the inn"}`: false,
		"0101": false, "": false, "{}": false,
	} {
		if got := IsPlace([]byte(text)); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}

func FuzzGeometry(f *testing.F) {
	for _, b := range geometries {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		before := len(b)
		_ = walkGeometry(b, func(x, y []byte, _ binary.ByteOrder) error { x[0], y[7] = 1, 2; return nil })
		if len(b) != before {
			t.Fatal("it has another length")
		}
	})
}
