package leakscan

import (
	"daybefore/internal/copytext"
	"daybefore/internal/scrub/schema"
)

const sightBytes = 4096 // of a value

// Cut is as much of a value as is looked at.
func Cut(value []byte) []byte { return value[:min(len(value), sightBytes)] }

// SightReader reads fields of rows for a Sight. One serves one goroutine.
type SightReader struct {
	charset copytext.Charset
	decode  *copytext.Decoder
	array   copytext.ArrayRewriter
	raw     []byte
	out     []byte
}

// NewSightReader reads rows of that encoding.
func NewSightReader(charset copytext.Charset, decode *copytext.Decoder) *SightReader {
	return &SightReader{charset: charset, decode: decode}
}

// Add shows a sight a field of a column that is not null, an array element by
// element.
func (r *SightReader) Add(s *Sight, c *schema.Column, field []byte) {
	value := Cut(field)
	if !copytext.Plain(value) {
		r.raw, _ = r.charset.AppendUnescaped(r.raw[:0], value) // of a value that was cut, as far as it goes
		value = r.raw
	}
	if c.Array && r.charset == copytext.ASCIISafe { // else braces cannot be told from letters
		r.out, _ = r.array.Append(r.out[:0], value, c.Delim, func(dst, element []byte) ([]byte, error) {
			s.Add(r.decode.Decode(element))
			return dst, nil
		})
		return
	}
	s.Add(r.decode.Decode(value))
}
