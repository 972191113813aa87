package jsontext

import (
	"bytes"
	"encoding/json"
	"unicode/utf16"
	"unicode/utf8"
)

// AppendUnquoted appends what a string stands for that is written between its
// quotes. Half a surrogate pair becomes U+FFFD.
func AppendUnquoted(dst, s []byte) []byte {
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			dst = append(dst, s[i])
			continue
		}
		i++
		switch s[i] {
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			r, n := codePoint(s[i+1:])
			dst = utf8.AppendRune(dst, r)
			i += n
		default:
			dst = append(dst, s[i])
		}
	}
	return dst
}

// codePoint reads what follows \u, and the second half of a surrogate pair.
func codePoint(s []byte) (r rune, n int) {
	r, n = codeUnit(s)
	if rest := s[n:]; utf16.IsSurrogate(r) && bytes.HasPrefix(rest, []byte(`\u`)) {
		low, m := codeUnit(rest[len(`\u`):])
		if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
			return pair, n + len(`\u`) + m
		}
	}
	return r, n
}

// codeUnit reads up to four hexadecimal digits.
func codeUnit(s []byte) (r rune, n int) {
	for n < min(4, len(s)) {
		c := s[n]
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return r, n
		}
		r = r<<4 | rune(c)
		n++
	}
	return r, n
}

// AppendQuoted appends a text as a JSON string.
func AppendQuoted(dst, value []byte) []byte {
	dst = append(dst, '"')
	if Verbatim(value) {
		return append(append(dst, value...), '"')
	}
	done := 0
	for i, c := range value {
		if c != '"' && c != '\\' && c >= 0x20 {
			continue
		}
		dst = append(dst, value[done:i]...)
		done = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, `\n`...)
		case '\t':
			dst = append(dst, `\t`...)
		default:
			dst = append(dst, `\u00`...)
			dst = append(dst, "0123456789abcdef"[c>>4], "0123456789abcdef"[c&15])
		}
	}
	return append(append(dst, value[done:]...), '"')
}

// Constant is the text where it is JSON itself, else a string of it.
func Constant(value string) string {
	if json.Valid([]byte(value)) {
		return value
	}
	return string(AppendQuoted(nil, []byte(value)))
}
