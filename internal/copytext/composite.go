package copytext

import "errors"

// ErrComposite is returned for text that is no literal of a composite with so
// many fields.
var ErrComposite = errors.New("not a literal of the composite type")

// CompositeRewriter rewrites the fields of composite literals. The zero value
// is ready; it holds buffers, so that one serves one goroutine.
type CompositeRewriter struct {
	value, out []byte
}

// Append appends the literal, which has the given number of fields, to dst
// with f's answer in the place of each field that is not null. f gets the
// field's number, from 0, and the unquoted value, valid until it returns; it
// appends its replacement, or tells that there is to be a null.
func (r *CompositeRewriter) Append(dst, s []byte, fields int,
	f func(field int, dst, value []byte) (out []byte, null bool, err error)) ([]byte, error) {
	s = skipSpace(s)
	if len(s) == 0 || s[0] != '(' {
		return dst, ErrComposite
	}
	dst = append(dst, '(')
	s = s[1:]
	for i := range fields {
		var there, null bool
		var err error
		r.value, there, s, err = compositeField(r.value[:0], s)
		if err != nil {
			return dst, err
		}
		last := i == fields-1
		if last != (s[0] == ')') {
			return dst, ErrComposite
		}
		if there {
			r.out, null, err = f(i, r.out[:0], r.value)
			if err != nil {
				return dst, err
			}
			if !null {
				dst = AppendDoubled(dst, r.out)
			}
		}
		dst = append(dst, s[0])
		s = s[1:]
	}
	if fields == 0 {
		if len(s) == 0 || s[0] != ')' {
			return dst, ErrComposite
		}
		dst = append(dst, ')')
		s = s[1:]
	}
	if len(skipSpace(s)) > 0 {
		return dst, ErrComposite
	}
	return dst, nil
}

// compositeField reads up to the comma or parenthesis that ends a field, which
// is left at the beginning of rest; a null is not there.
func compositeField(value, s []byte) (out []byte, there bool, rest []byte, err error) {
	quoted := false
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '\\':
			i++
			if i == len(s) {
				return value, there, s, ErrComposite
			}
			value = append(value, s[i])
			there = true
		case c == '"' && quoted && i+1 < len(s) && s[i+1] == '"':
			i++
			value = append(value, c)
		case c == '"':
			quoted, there = !quoted, true
		case !quoted && (c == ',' || c == ')'):
			return value, there, s[i:], nil
		case !quoted && c == '(':
			return value, there, s, ErrComposite
		default:
			value = append(value, c)
			there = true
		}
	}
	return value, there, s, ErrComposite
}
