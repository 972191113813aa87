package jsontext

import (
	"bytes"
	"iter"
)

// Texts are the strings of a document, as they are written between their quotes;
// each with the place where the value begins that it is the key of, -1 for one
// that is no key.
func Texts(doc []byte) iter.Seq2[[]byte, int] {
	return func(yield func([]byte, int) bool) {
		for at := 0; ; {
			quote := bytes.IndexByte(doc[at:], '"')
			if quote < 0 {
				return
			}
			from := at + quote + 1
			end, _ := TextEnd(doc, from)
			if end < 0 || !yield(doc[from:end-1], ColonEnd(doc, end)) {
				return
			}
			at = end
		}
	}
}

// Members are the keys of a document at any depth, each with its value, both as
// they are written, strings between their quotes. The value is nil where it is
// an object or an array of such. True, false, null and empty arrays are left out.
func Members(doc []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(key, value []byte) bool) {
		for key, at := range Texts(doc) {
			if at < 0 {
				continue
			}
			for at < len(doc) && (doc[at] == '[' || isBlank(doc[at])) {
				at++
			}
			from, end := at, at
			switch {
			case at == len(doc) || doc[at] == '{':
				if !yield(key, nil) {
					return
				}
				continue
			case doc[at] == '"':
				from++
				end, _ = TextEnd(doc, from)
				end--
			case doc[at] == '-' || doc[at]-'0' <= 9:
				end = NumberEnd(doc, at)
			default:
				continue
			}
			if end >= from && !yield(key, doc[from:end]) {
				return
			}
		}
	}
}
