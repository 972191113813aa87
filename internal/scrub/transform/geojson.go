package transform

import (
	"encoding/json"
	"errors"

	"daybefore/internal/jsontext"
)

var errNotAGeoJSON = errors.New("not a geometry of GeoJSON")

// geoJSONTexts are all texts that a geometry may hold (RFC 7946): with any other it may
// say something about somebody.
var geoJSONTexts = map[string]bool{
	"type": true, "coordinates": true, "geometries": true, "bbox": true,
	"Point": true, "LineString": true, "Polygon": true, "MultiPoint": true, "MultiLineString": true,
	"MultiPolygon": true, "GeometryCollection": true,
}

// eachNumber appends a geometry of GeoJSON with f's answer in the place of each number.
func eachNumber(dst, doc []byte, f func(dst, number []byte) ([]byte, error)) ([]byte, error) {
	if len(doc) == 0 || doc[0] != '{' || !json.Valid(doc) {
		return dst, errNotAGeoJSON
	}
	var err error
	for i := 0; i < len(doc); {
		end := i + 1
		c := doc[i]
		switch {
		case c == '"':
			end, _ = jsontext.TextEnd(doc, i+1)
			if !geoJSONTexts[string(doc[i+1:end-1])] {
				return dst, errNotAGeoJSON
			}
		case c == '-' || '0' <= c && c <= '9':
			end = jsontext.NumberEnd(doc, i)
			dst, err = f(dst, doc[i:end])
			if err != nil {
				return dst, err
			}
			i = end
			continue
		}
		dst = append(dst, doc[i:end]...)
		i = end
	}
	return dst, nil
}

// isGeoJSON reports whether a text is a point of GeoJSON on the globe.
func isGeoJSON(text []byte) bool {
	const longest = 256
	if len(text) > longest || len(text) == 0 || text[0] != '{' {
		return false
	}
	numbers := 0
	_, err := eachNumber(nil, text, func(dst, number []byte) ([]byte, error) {
		_, places := decimalOf(number)
		numbers++
		if numbers <= 2 && (places == 0 || !IsDegrees(number)) {
			return dst, errNotAPosition
		}
		return dst, nil
	})
	return err == nil && (numbers == 2 || numbers == 3) // the third is a height
}

// appendGeoJSON moves all coordinates of a geometry.
func (m *Masker) appendGeoJSON(dst, doc []byte, r *Recipe) ([]byte, error) {
	of := *r
	of.plainNumber = true
	return eachNumber(dst, doc, func(dst, number []byte) ([]byte, error) {
		return m.appendPosition(dst, number, &of, nil, m.DigestOf(r, number))
	})
}
