// Package copytext reads and writes rows of PostgreSQL's COPY text format, the
// array literals inside them, and the COPY statements before them. It works on
// slices of the caller's buffers and allocates nothing per row. It knows
// nothing of servers and never guesses: what PostgreSQL would not have written
// is an error that carries no value.
package copytext

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/bits"
)

// Null is how a null is written; a value `\N` is written `\\N`.
const Null = `\N`

// ErrBackslash is returned for a field that ends inside an escape: the server
// would take the next byte of the stream, whatever it is, for a part of it.
var ErrBackslash = errors.New("a backslash escapes nothing")

// Charset says which bytes begin a two-byte character whose second byte may
// look like ASCII. Only encodings that no server uses have any, but pg_dump
// can write them (-E SJIS). The zero value is right for all others.
type Charset struct {
	lead *[256]bool
}

// The charsets with such bytes, by PostgreSQL's names of the encodings.
var (
	ASCIISafe = Charset{}
	ShiftJIS  = Charset{leads(0x81, 0x9f, 0xe0, 0xfc)} // SJIS, SHIFT_JIS_2004
	// BIG5, GBK, UHC, JOHAB; GB18030's four bytes are two such pairs
	DoubleByte = Charset{leads(0x81, 0xfe)}
)

func leads(ranges ...byte) *[256]bool {
	var t [256]bool
	for i := 0; i < len(ranges); i += 2 {
		for b := int(ranges[i]); b <= int(ranges[i+1]); b++ {
			t[b] = true
		}
	}
	return &t
}

// Fields walks over the fields of a row. The zero value has none left.
type Fields struct {
	rest []byte
	more bool
	cs   Charset
}

// Split begins a walk over the fields of a row, which is a line without its
// newline. A row has at least one field: only the caller knows whether an
// empty line is one empty field or a row of a table without columns.
func (cs Charset) Split(row []byte) Fields { return Fields{rest: row, more: true, cs: cs} }

// Split begins a walk over a row of any encoding that a server can have.
func Split(row []byte) Fields { return ASCIISafe.Split(row) }

// Next returns the next field as it is written, a slice of the row, and false
// when there are no more.
func (f *Fields) Next() ([]byte, bool) {
	if !f.more {
		return nil, false
	}
	end := f.tab()
	if end < 0 {
		f.more = false
		return f.rest, true
	}
	field := f.rest[:end]
	f.rest = f.rest[end+1:]
	return field, true
}

// tab finds the next tab that no backslash escapes; -1 for none.
func (f *Fields) tab() int {
	if f.cs.lead != nil {
		return f.wideTab()
	}
	for from := 0; ; {
		i := bytes.IndexByte(f.rest[from:], '\t')
		if i < 0 {
			return -1
		}
		from += i
		if !open(f.rest[:from]) {
			return from
		}
		from++
	}
}

// AppendEnds appends to ends where each field of a row ends: what Split walks
// over, eight bytes at a time.
func (cs Charset) AppendEnds(ends []int, row []byte) []int {
	if cs.lead != nil {
		return cs.appendWideEnds(ends, row)
	}
	i := 0
	for ; i+8 <= len(row); i += 8 {
		for tabs := tabsIn(binary.LittleEndian.Uint64(row[i:])); tabs != 0; tabs &= tabs - 1 {
			if at := i + bits.TrailingZeros64(tabs)/8; !open(row[:at]) {
				ends = append(ends, at)
			}
		}
	}
	for ; i < len(row); i++ {
		if row[i] == '\t' && !open(row[:i]) {
			ends = append(ends, i)
		}
	}
	return append(ends, len(row))
}

// Field is a field of a row, which AppendEnds cut.
func Field(row []byte, ends []int, i int) []byte {
	if i == 0 {
		return row[:ends[0]]
	}
	return row[ends[i-1]+1 : ends[i]]
}

func (cs Charset) appendWideEnds(ends []int, row []byte) []int {
	for f := cs.Split(row); ; {
		i := f.tab()
		if i < 0 {
			return append(ends, len(row))
		}
		f.rest = f.rest[i+1:]
		ends = append(ends, len(row)-len(f.rest)-1)
	}
}

// tabsIn sets the highest bit of each byte of a word that is a tab: a byte
// that is none keeps one of its bits below, or carries into its highest.
func tabsIn(word uint64) uint64 {
	const tabs, low = 0x0909090909090909, 0x7f7f7f7f7f7f7f7f
	x := word ^ tabs
	return ^((x&low + low) | x | low)
}

func (f *Fields) wideTab() int {
	for i := 0; i < len(f.rest); i++ {
		c := f.rest[i]
		switch {
		case c == '\t':
			return i
		case c == '\\' || f.cs.lead[c]:
			i++
		}
	}
	return -1
}

// open reports whether b ends in a backslash that escapes what follows.
func open(b []byte) bool {
	n := 0
	for n < len(b) && b[len(b)-1-n] == '\\' {
		n++
	}
	return n%2 == 1
}

// Open reports whether the row's last byte is a backslash that escapes the
// newline after it, so that the server would read the next line as a part of
// this row. PostgreSQL never writes that.
func (cs Charset) Open(row []byte) bool {
	if len(row) == 0 || row[len(row)-1] != '\\' {
		return false
	}
	if cs.lead == nil {
		return open(row)
	}
	for i := 0; i < len(row); i++ {
		if c := row[i]; c == '\\' || cs.lead[c] {
			i++
			if i == len(row) {
				return c == '\\'
			}
		}
	}
	return false
}

// Open is Charset.Open for any encoding that a server can have.
func Open(row []byte) bool { return ASCIISafe.Open(row) }

// Count returns the number of fields of a row, at least one.
func Count(row []byte) int {
	n := 0
	for f := Split(row); ; n++ {
		if _, ok := f.Next(); !ok {
			return n
		}
	}
}

// IsNull reports whether a field, as it is written, is a null.
func IsNull(field []byte) bool { return len(field) == 2 && field[0] == '\\' && field[1] == 'N' }

// Plain reports whether a field is its own value: nothing in it is escaped.
// The lack of it says nothing certain in a charset with two-byte characters.
func Plain(field []byte) bool { return bytes.IndexByte(field, '\\') < 0 }

// AppendUnescaped appends the value of a field that is not null to dst. It
// reads what the server reads: \b \f \n \r \t \v, one to three octal digits,
// x and one or two hexadecimal ones, and any other byte as itself.
func AppendUnescaped(dst, field []byte) ([]byte, error) {
	return ASCIISafe.AppendUnescaped(dst, field)
}

// AppendUnescaped is the function of that name for this charset.
func (cs Charset) AppendUnescaped(dst, field []byte) ([]byte, error) {
	for len(field) > 0 {
		i := cs.backslash(field)
		if i < 0 {
			return append(dst, field...), nil
		}
		dst = append(dst, field[:i]...)
		if i+1 == len(field) {
			return dst, ErrBackslash
		}
		b, n := unescape(field[i+1:])
		dst = append(dst, b)
		field = field[i+1+n:]
	}
	return dst, nil
}

func (cs Charset) backslash(b []byte) int {
	if cs.lead == nil {
		return bytes.IndexByte(b, '\\')
	}
	for i := 0; i < len(b); i++ {
		if b[i] == '\\' {
			return i
		}
		if cs.lead[b[i]] {
			i++
		}
	}
	return -1
}

// unescape reads what follows a backslash, at least one byte, and returns the
// byte it stands for and how many were read.
func unescape(s []byte) (byte, int) {
	switch c := s[0]; c {
	case 'b':
		return '\b', 1
	case 'f':
		return '\f', 1
	case 'n':
		return '\n', 1
	case 'r':
		return '\r', 1
	case 't':
		return '\t', 1
	case 'v':
		return '\v', 1
	case 'x':
		return digits(s, 1, 3, 16)
	case '0', '1', '2', '3', '4', '5', '6', '7':
		return digits(s, 0, 3, 8)
	default:
		return c, 1
	}
}

// digits reads the digits s[from:to], as many as there are; \x without any
// stands for an x.
func digits(s []byte, from, to, base int) (byte, int) {
	v, n := 0, from
	for n < min(to, len(s)) {
		d := digit(s[n])
		if d >= base {
			break
		}
		v = v*base + d
		n++
	}
	if n == from {
		return s[0], 1
	}
	return byte(v), n
}

func digit(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return 255
}

// escapes holds the letter after the backslash for each byte that COPY TO
// writes escaped.
var escapes = [256]byte{'\b': 'b', '\f': 'f', '\n': 'n', '\r': 'r', '\t': 't', '\v': 'v', '\\': '\\'}

// AppendEscaped appends a value to dst as COPY TO writes it, 16 bytes at a
// time where none is escaped. Values in a charset with two-byte characters must
// be ASCII.
func AppendEscaped(dst, value []byte) []byte {
	done := 0
	for i := 0; i < len(value); {
		if rest := value[i:]; len(rest) >= 16 &&
			!mayEscape(binary.LittleEndian.Uint64(rest), binary.LittleEndian.Uint64(rest[8:])) {
			i += 16
			continue
		}
		for end := min(i+16, len(value)); i < end; i++ {
			if e := escapes[value[i]]; e != 0 {
				dst = append(dst, value[done:i]...)
				dst = append(dst, '\\', e)
				done = i + 1
			}
		}
	}
	return append(dst, value[done:]...)
}

// mayEscape reports whether two words hold a backslash or a byte below 0x0e, as
// all others that are escaped. A byte of 0x80 and more is neither.
func mayEscape(a, b uint64) bool {
	const each, high = 0x0101010101010101, 0x8080808080808080
	slashA, slashB := a^each*'\\', b^each*'\\'
	return ((a-each*0x0e)&^a|(b-each*0x0e)&^b|(slashA-each)&^slashA|(slashB-each)&^slashB)&high != 0
}
