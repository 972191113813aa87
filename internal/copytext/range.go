package copytext

import (
	"bytes"
	"errors"
)

// ErrRange is returned for text that is no range literal.
var ErrRange = errors.New("not a range literal")

// Range is a range's text taken apart. A bound that is not there is infinite.
type Range struct {
	Empty              bool
	Lower, Upper       []byte
	HasLower, HasUpper bool
	Open, Close        byte // [ or (, and ] or )
}

// RangeReader reads range literals. The zero value is ready; it holds the
// bounds of the range read last, so that one serves one goroutine.
type RangeReader struct {
	lower, upper []byte
}

// Read takes the range at the beginning of s and returns what follows it. The
// bounds are unquoted, and valid until the next call.
func (r *RangeReader) Read(s []byte) (_ Range, rest []byte, err error) {
	const empty = "empty"
	if len(s) >= len(empty) && bytes.EqualFold(s[:len(empty)], []byte(empty)) {
		return Range{Empty: true}, s[len(empty):], nil
	}
	if len(s) == 0 || s[0] != '[' && s[0] != '(' {
		return Range{}, s, ErrRange
	}
	out := Range{Open: s[0]}
	r.lower, out.HasLower, rest, err = bound(r.lower[:0], s[1:])
	if err != nil || rest[0] != ',' {
		return Range{}, s, ErrRange
	}
	r.upper, out.HasUpper, rest, err = bound(r.upper[:0], rest[1:])
	if err != nil || rest[0] == ',' {
		return Range{}, s, ErrRange
	}
	out.Lower, out.Upper, out.Close = r.lower, r.upper, rest[0]
	return out, rest[1:], nil
}

// bound reads up to the comma or bracket that ends a bound, which is left at
// the beginning of rest.
func bound(value, s []byte) (out []byte, there bool, rest []byte, err error) {
	quoted := false
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '\\':
			i++
			if i == len(s) {
				return value, there, s, ErrRange
			}
			value = append(value, s[i])
			there = true
		case c == '"' && quoted && i+1 < len(s) && s[i+1] == '"':
			i++
			value = append(value, c)
		case c == '"':
			quoted, there = !quoted, true
		case !quoted && (c == ',' || c == ')' || c == ']'):
			return value, there, s[i:], nil
		case !quoted && (c == '(' || c == '['):
			return value, there, s, ErrRange
		default:
			value = append(value, c)
			there = true
		}
	}
	return value, there, s, ErrRange
}

// AppendRange appends a range as range_out writes it.
func AppendRange(dst []byte, r Range) []byte {
	if r.Empty {
		return append(dst, "empty"...)
	}
	dst = append(dst, r.Open)
	if r.HasLower {
		dst = AppendDoubled(dst, r.Lower)
	}
	dst = append(dst, ',')
	if r.HasUpper {
		dst = AppendDoubled(dst, r.Upper)
	}
	return append(dst, r.Close)
}

// AppendDoubled quotes as ranges and composites do: quotes and backslashes
// inside are doubled.
func AppendDoubled(dst, value []byte) []byte {
	if len(value) > 0 && !bytes.ContainsAny(value, "\"\\()[], \t\n\r\v\f") {
		return append(dst, value...)
	}
	dst = append(dst, '"')
	for _, c := range value {
		if c == '"' || c == '\\' {
			dst = append(dst, c)
		}
		dst = append(dst, c)
	}
	return append(dst, '"')
}
