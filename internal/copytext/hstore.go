package copytext

import (
	"bytes"
	"errors"
)

// ErrHstore is returned for text that is no hstore as hstore_out writes it.
var ErrHstore = errors.New("not an hstore")

// HstoreRewriter rewrites the values of hstores. The zero value is ready; it
// holds buffers, so that one serves one goroutine.
type HstoreRewriter struct {
	Key        func(quoted []byte) // is shown each key, as it is written; may be nil
	value, out []byte
}

// Append appends the hstore to dst with f's answer in the place of each value
// that is not null. Keys, order and nulls stay. f gets the unquoted value,
// valid until it returns, and appends its replacement to what it is given.
func (r *HstoreRewriter) Append(dst, s []byte, f func(dst, value []byte) ([]byte, error)) ([]byte, error) {
	for more := len(s) > 0; more; {
		rest, ok := skipQuoted(s)
		if !ok || !bytes.HasPrefix(rest, []byte("=>")) {
			return dst, ErrHstore
		}
		if r.Key != nil {
			r.Key(s[:len(s)-len(rest)])
		}
		rest = rest[len("=>"):]
		dst = append(dst, s[:len(s)-len(rest)]...)
		s = rest
		var err error
		dst, s, err = r.replace(dst, s, f)
		if err != nil {
			return dst, err
		}
		s, more = bytes.CutPrefix(s, []byte(", "))
		if more {
			dst = append(dst, ", "...)
		}
	}
	if len(s) > 0 {
		return dst, ErrHstore
	}
	return dst, nil
}

// replace appends what stands for the value at the beginning of s, and returns
// what follows the value.
func (r *HstoreRewriter) replace(dst, s []byte, f func(dst, value []byte) ([]byte, error)) (_, rest []byte, err error) {
	if after, null := bytes.CutPrefix(s, []byte("NULL")); null {
		return append(dst, "NULL"...), after, nil
	}
	if len(s) == 0 || s[0] != '"' {
		return dst, s, ErrHstore
	}
	r.value, rest, err = unquote(r.value[:0], s[1:])
	if err != nil {
		return dst, s, ErrHstore
	}
	r.out, err = f(r.out[:0], r.value)
	if err != nil {
		return dst, s, err
	}
	dst = append(dst, '"')
	for _, c := range r.out {
		if c == '"' || c == '\\' {
			dst = append(dst, '\\')
		}
		dst = append(dst, c)
	}
	return append(dst, '"'), rest, nil
}

// skipQuoted returns what follows a quoted text.
func skipQuoted(s []byte) (rest []byte, ok bool) {
	if len(s) == 0 || s[0] != '"' {
		return s, false
	}
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return s[i+1:], true
		}
	}
	return s, false
}
