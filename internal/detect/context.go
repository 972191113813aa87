package detect

import "bytes"

// contextWords holds words in lower case.
type contextWords map[string]bool

func contextOf(text string) contextWords {
	set := contextWords{}
	for w := range bytes.FieldsSeq([]byte(text)) {
		set[string(w)] = true
	}
	return set
}

// Bounds of what stands beside a value: on the same line, so many bytes before it and behind it.
const (
	reachBefore = 48
	reachBehind = 16
)

// beside reports whether one of the words stands near what lies from at to end. A name in capitals and small letters is
// several words (remoteAddr), as is one with underscores.
func (set contextWords) beside(text []byte, at, end int) bool {
	before := text[max(0, at-reachBefore):at]
	before = before[bytes.LastIndexByte(before, '\n')+1:]
	behind := text[end:min(len(text), end+reachBehind)]
	if i := bytes.IndexByte(behind, '\n'); i >= 0 {
		behind = behind[:i]
	}
	return set.in(before) || set.in(behind)
}

func (set contextWords) in(text []byte) bool {
	var word [24]byte
	n := 0
	for i, c := range text {
		switch {
		case !isLetter(c) && c < 0x80:
			if n > 1 && set[string(word[:n])] {
				return true
			}
			n = 0
			continue
		case isUpper(c) && i > 0 && !isUpper(text[i-1]):
			if n > 1 && set[string(word[:n])] {
				return true
			}
			n = 0
		}
		if c < 0x80 {
			c |= 0x20
		}
		if n < len(word) {
			word[n] = c
			n++
		}
	}
	return n > 1 && set[string(word[:n])]
}
