package pgtext

import "encoding/binary"

func (r *Reader) json(_ *Type, s []byte) bool  { return r.document(s, false) }
func (r *Reader) jsonb(_ *Type, s []byte) bool { return r.document(s, true) }

// What may come next in a document.
const (
	aValue = iota
	aValueOrEnd
	aKey
	aKeyOrEnd
	aCommaOrEnd
)

// document reads one JSON value (pg_parse_json). What is stored as jsonb must
// also be text, and its numbers numerics.
func (r *Reader) document(s []byte, text bool) bool {
	r.nested = r.nested[:0]
	for next, i := aValue, 0; ; {
		i = afterJSONBlanks(s, i)
		if i == len(s) {
			return next == aCommaOrEnd && len(r.nested) == 0
		}
		c := s[i]
		switch {
		case next == aCommaOrEnd:
			if len(r.nested) == 0 {
				return false
			}
			in := r.nested[len(r.nested)-1]
			switch {
			case c == ',' && in == '{':
				next = aKey
			case c == ',':
				next = aValue
			case c == in+2: // } and ]
				r.nested = r.nested[:len(r.nested)-1]
			default:
				return false
			}
			i++
		case next == aKeyOrEnd && c == '}', next == aValueOrEnd && c == ']':
			r.nested, next = r.nested[:len(r.nested)-1], aCommaOrEnd
			i++
		case next == aKey || next == aKeyOrEnd:
			i = jsonKey(s, i, text)
			if i < 0 {
				return false
			}
			next = aValue
		case c == '{':
			r.nested = append(r.nested, c)
			next = aKeyOrEnd
			i++
		case c == '[':
			r.nested = append(r.nested, c)
			next = aValueOrEnd
			i++
		default:
			i = r.scalar(s, i, text)
			if i < 0 {
				return false
			}
			next = aCommaOrEnd
		}
	}
}

func afterJSONBlanks(s []byte, i int) int {
	for i < len(s) && (s[i] == ' ' || s[i] == '\n' || s[i] == '\t' || s[i] == '\r') {
		i++
	}
	return i
}

// jsonKey is where the value of the key at i begins; -1 if there is none.
func jsonKey(s []byte, i int, text bool) int {
	if s[i] != '"' {
		return -1
	}
	i = jsonString(s, i+1, text)
	if i < 0 {
		return -1
	}
	i = afterJSONBlanks(s, i)
	if i == len(s) || s[i] != ':' {
		return -1
	}
	return i + 1
}

// scalar is where the string, number or word at i ends; -1 if it is none.
func (r *Reader) scalar(s []byte, i int, text bool) int {
	c := s[i]
	switch {
	case c == '"':
		return jsonString(s, i+1, text)
	case c == '-' || isDigit(c):
		return r.jsonNumber(s, i, text)
	}
	for _, word := range []string{"true", "false", "null"} {
		if end := i + len(word); end <= len(s) && string(s[i:end]) == word && (end == len(s) || !inJSONWord(s[end])) {
			return end
		}
	}
	return -1
}

// inJSONWord tells the bytes that belong to the word before them.
func inJSONWord(c byte) bool { return isAlpha(c) || isDigit(c) || c == '_' || c >= 0x80 }

// jsonNumber follows json_lex_number, which takes letters after a number for
// a part of it.
func (r *Reader) jsonNumber(s []byte, i int, text bool) int {
	start, large := i, false
	if s[i] == '-' {
		i++
	}
	from := i
	i = digitsEnd(s, i)
	if i == from || s[from] == '0' && i > from+1 {
		return -1
	}
	if i < len(s) && s[i] == '.' {
		from = i + 1
		i = digitsEnd(s, from)
		if i == from {
			return -1
		}
	}
	if i < len(s) && s[i]|0x20 == 'e' {
		large = true
		i++
		if i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		from = i
		i = digitsEnd(s, i)
		if i == from {
			return -1
		}
	}
	if i < len(s) && inJSONWord(s[i]) {
		return -1
	}
	large = large || i-start > mostFraction
	if text && large && !r.numeric(unlimited, s[start:i]) {
		return -1
	}
	return i
}

var unlimited = &Type{typmod: -1}

func digitsEnd(s []byte, i int) int {
	for i < len(s) && isDigit(s[i]) {
		i++
	}
	return i
}

// jsonString is what follows the string whose first byte is at i; -1 if it does
// not end, holds a control character, or an escape that is none.
func jsonString(s []byte, i int, text bool) int {
	for i < len(s) {
		for i+8 <= len(s) && ordinary(eight(s[i:])) {
			i += 8
		}
		if i == len(s) {
			break
		}
		c := s[i]
		switch {
		case c == '"':
			return i + 1
		case c < ' ':
			return -1
		case c != '\\':
			i++
			continue
		}
		i++
		if i == len(s) {
			return -1
		}
		switch s[i] {
		case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
			i++
		case 'u':
			i = jsonUnicode(s, i+1, text)
			if i < 0 {
				return -1
			}
		default:
			return -1
		}
	}
	return -1
}

func eight(s []byte) uint64 { return binary.LittleEndian.Uint64(s) }

// ordinary reports whether none of eight bytes is a quote, a backslash or below a
// blank. Of the latter it is sure only up to the first.
func ordinary(word uint64) bool {
	const each, high = 0x0101010101010101, 0x8080808080808080
	quotes, slashes := word^each*'"', word^each*'\\'
	return ((quotes-each)&^quotes|(slashes-each)&^slashes|(word-each*' ')&^word)&high == 0
}

// jsonUnicode is what follows \u's four digits at i and, in jsonb, the second
// half of the pair that they may begin. jsonb holds no \u0000 and no half.
func jsonUnicode(s []byte, i int, text bool) int {
	code := hex4(s, i)
	if code < 0 {
		return -1
	}
	i += 4
	switch {
	case !text:
		return i
	case code == 0 || 0xdc00 <= code && code <= 0xdfff:
		return -1
	case code < 0xd800 || code > 0xdbff:
		return i
	}
	if i+2 > len(s) || s[i] != '\\' || s[i+1] != 'u' {
		return -1
	}
	if low := hex4(s, i+2); low < 0xdc00 || low > 0xdfff {
		return -1
	}
	return i + 6
}

func hex4(s []byte, i int) int {
	if i+4 > len(s) {
		return -1
	}
	n := 0
	for _, c := range s[i : i+4] {
		d := hexDigit(c)
		if d == 255 {
			return -1
		}
		n = n<<4 | int(d)
	}
	return n
}
