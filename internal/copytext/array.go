package copytext

import (
	"bytes"
	"errors"
)

// ErrArray is returned for text that is no array literal.
var ErrArray = errors.New("not an array literal")

// ArrayRewriter rewrites the elements of array literals. The zero value is
// ready; it holds buffers, so that one serves one goroutine.
type ArrayRewriter struct {
	value, out []byte
}

// Append appends the array literal to dst with f's answer in the place of each
// element that is not null. Bounds such as [0:1]=, nesting, order and nulls
// stay. f gets the unquoted element, valid until it returns, and appends its
// replacement to what it is given. delim is the element type's delimiter: a
// comma, but for box a semicolon.
func (r *ArrayRewriter) Append(dst, array []byte, delim byte, f func(dst, element []byte) ([]byte, error)) ([]byte,
	error) {
	body, err := skipBounds(array)
	if err != nil {
		return dst, err
	}
	dst = append(dst, array[:len(array)-len(body)]...)
	depth, expectElement := 0, true
	for first := true; first || depth > 0; first = false {
		body = skipSpace(body)
		if len(body) == 0 {
			return dst, ErrArray
		}
		c := body[0]
		switch {
		case c == '{' && expectElement:
			depth++
			dst = append(dst, c)
			body = body[1:]
			if rest := skipSpace(body); len(rest) > 0 && rest[0] == '}' {
				body, expectElement = rest, false
			}
		case first:
			return dst, ErrArray
		case c == '}' && !expectElement:
			depth--
			dst = append(dst, c)
			body = body[1:]
		case c == delim && !expectElement:
			expectElement = true
			dst = append(dst, c)
			body = body[1:]
		case expectElement:
			dst, body, err = r.element(dst, body, delim, f)
			if err != nil {
				return dst, err
			}
			expectElement = false
		default:
			return dst, ErrArray
		}
	}
	if len(skipSpace(body)) > 0 {
		return dst, ErrArray
	}
	return dst, nil
}

// element rewrites the element at the beginning of s and returns what is left.
func (r *ArrayRewriter) element(dst, s []byte, delim byte, f func(dst, element []byte) ([]byte, error)) (out,
	rest []byte, err error) {
	var null bool
	if s[0] == '"' {
		r.value, rest, err = unquote(r.value[:0], s[1:])
	} else {
		r.value, rest, null, err = bare(r.value[:0], s, delim)
	}
	if err != nil {
		return dst, rest, err
	}
	if null {
		return append(dst, "NULL"...), rest, nil
	}
	r.out, err = f(r.out[:0], r.value)
	if err != nil {
		return dst, rest, err
	}
	return AppendElement(dst, r.out, delim), rest, nil
}

// unquote reads a quoted element after its opening quote.
func unquote(value, s []byte) (out, rest []byte, err error) {
	for {
		i := bytes.IndexAny(s, `"\`)
		if i < 0 || s[i] == '\\' && i+1 == len(s) {
			return value, s, ErrArray
		}
		value = append(value, s[:i]...)
		if s[i] == '"' {
			return value, s[i+1:], nil
		}
		value = append(value, s[i+1])
		s = s[i+2:]
	}
}

// bare reads an element without quotes: NULL in any case is a null, unless a
// backslash is in it; blanks around it do not belong to it.
func bare(value, s []byte, delim byte) (out, rest []byte, null bool, err error) {
	keep, escaped := 0, false // keep: the length without trailing blanks
	i := 0
scan:
	for ; i < len(s); i++ {
		c := s[i]
		switch {
		case c == delim || c == '}':
			break scan
		case c == '{' || c == '"':
			return value, s, false, ErrArray
		case c == '\\':
			i++
			if i == len(s) {
				return value, s, false, ErrArray
			}
			value = append(value, s[i])
			escaped = true
			keep = len(value)
		default:
			value = append(value, c)
			if !space(c) {
				keep = len(value)
			}
		}
	}
	value = value[:keep]
	if i == len(s) || keep == 0 {
		return value, s, false, ErrArray
	}
	return value, s[i:], !escaped && isNullWord(value), nil
}

// AppendElement appends one element, quoted where array_out would quote it.
func AppendElement(dst, value []byte, delim byte) []byte {
	if !needsQuotes(value, delim) {
		return append(dst, value...)
	}
	dst = append(dst, '"')
	for _, c := range value {
		if c == '"' || c == '\\' {
			dst = append(dst, '\\')
		}
		dst = append(dst, c)
	}
	return append(dst, '"')
}

func needsQuotes(value []byte, delim byte) bool {
	if len(value) == 0 || isNullWord(value) {
		return true
	}
	for _, c := range value {
		switch c {
		case '"', '\\', '{', '}', delim:
			return true
		}
		if space(c) {
			return true
		}
	}
	return false
}

func isNullWord(v []byte) bool {
	return len(v) == 4 && v[0]|0x20 == 'n' && v[1]|0x20 == 'u' && v[2]|0x20 == 'l' && v[3]|0x20 == 'l'
}

// space tells the blanks of array_in, which are those of the C locale.
func space(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }

func skipSpace(s []byte) []byte {
	for len(s) > 0 && space(s[0]) {
		s = s[1:]
	}
	return s
}

// skipBounds returns what follows bounds such as [1:2][-1:0]=, if there are any.
func skipBounds(s []byte) ([]byte, error) {
	rest := skipSpace(s)
	if len(rest) == 0 || rest[0] != '[' {
		return s, nil
	}
	for len(rest) > 0 && rest[0] == '[' {
		end := bytes.IndexByte(rest, ']')
		if end < 2 || len(bytes.Trim(rest[1:end], "0123456789+-:")) > 0 {
			return s, ErrArray
		}
		rest = skipSpace(rest[end+1:])
	}
	if len(rest) == 0 || rest[0] != '=' {
		return s, ErrArray
	}
	return rest[1:], nil
}
