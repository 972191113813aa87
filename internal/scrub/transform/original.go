package transform

import (
	"bytes"
	"strings"

	"daybefore/internal/copytext"
	"daybefore/internal/pgtext"
)

// Originals looks at values before they are replaced: nobody else will, and a
// restore by hand would be refused for what is wrong with them. One serves one
// goroutine.
type Originals struct {
	reader  *pgtext.Reader
	valid   func([]byte) bool // the encoding's; nil: every byte is
	types   []*pgtext.Type    // by field; nil: of any type
	charset copytext.Charset
	decode  *copytext.Decoder
	raw     []byte
}

// NewOriginals looks at fields of these types as a server of that version would,
// in rows of that encoding.
func NewOriginals(server pgtext.Server, rows copytext.Encoding, decode *copytext.Decoder,
	types []*pgtext.Type) *Originals {
	return &Originals{
		reader: pgtext.NewReader(server), valid: pgtext.Valid(strings.ToUpper(rows.Name)),
		types: types, charset: rows.Charset, decode: decode,
	}
}

// damage is what is wrong with a value of a backup, without it.
type damage string

func (d damage) Error() string { return string(d) }

// What the server refuses in the text of a row, whatever type it is of.
const (
	illFormed  damage = "bytes that are no text in the encoding of the rows"
	zeroByte   damage = "a zero byte, which no text may hold"
	bareReturn damage = "a carriage return that is not written as COPY writes it"
	endWithin  damage = `the marker \. that ends the rows, within a row`
)

// Row looks at what stands in a row as it is written.
func (o *Originals) Row(row []byte) error {
	switch {
	case o.valid != nil && !o.valid(row):
		return illFormed
	case bytes.IndexByte(row, 0) >= 0:
		return zeroByte
	case bytes.IndexByte(row, '\r') >= 0:
		return bareReturn
	}
	return nil
}

// Field looks at a field that is not null.
func (o *Originals) Field(i int, field []byte) (err error) {
	value := field
	if !copytext.Plain(field) {
		if endsWithin(field) && o.charset == copytext.ASCIISafe {
			return endWithin
		}
		o.raw, err = o.charset.AppendUnescaped(o.raw[:0], field)
		if err != nil {
			return err
		}
		value = o.raw
		if copytext.HasHighBytes(value) != copytext.HasHighBytes(field) && o.valid != nil && !o.valid(value) {
			return illFormed
		}
		if bytes.IndexByte(value, 0) >= 0 {
			return zeroByte
		}
	}
	t := o.types[i]
	if t != nil && !o.reader.Accepts(t, o.decode.Decode(value)) {
		return damage("a value that is not a valid " + t.What())
	}
	return nil
}

// endsWithin reports whether a point is escaped.
func endsWithin(field []byte) bool {
	for i := bytes.IndexByte(field, '\\'); i >= 0 && i+1 < len(field); {
		if field[i+1] == '.' {
			return true
		}
		next := bytes.IndexByte(field[i+2:], '\\')
		if next < 0 {
			return false
		}
		i += 2 + next
	}
	return false
}
