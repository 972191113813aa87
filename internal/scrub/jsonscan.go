package scrub

import (
	"encoding/binary"
	"math/bits"
)

// Words of eight bytes, for looking at as many at once.
const (
	eachByte = 0x0101010101010101
	highBits = 0x80 * eachByte
)

func load(s []byte) uint64 { return binary.LittleEndian.Uint64(s) }

// under sets the highest bit of the bytes of a word that are below c, which is
// 128 at most. Behind the first that is, others may be marked too.
func under(word uint64, c byte) uint64 { return (word - eachByte*uint64(c)) &^ word & highBits }

// equal does likewise with bytes that are c.
func equal(word uint64, c byte) uint64 { return under(word^eachByte*uint64(c), 1) }

// isBlank tells the bytes that may stand between values.
func isBlank(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }

// afterBlanks is where the blanks that begin at i end. There is seldom more
// than one.
func afterBlanks(s []byte, i int) int {
	for i < len(s) && s[i] <= ' ' && isBlank(s[i]) {
		i++
	}
	return i
}

// textEnd is where the string ends whose quote is before i, behind its own
// quote; -1 if it does not. escaped tells whether it holds a backslash.
func textEnd(s []byte, i int) (end int, escaped bool) {
	for i+8 <= len(s) {
		word := load(s[i:])
		quotes, slashes := word^eachByte*'"', word^eachByte*'\\'
		stops := ((quotes-eachByte)&^quotes | (slashes-eachByte)&^slashes) & highBits
		if stops == 0 {
			i += 8
			continue
		}
		if i += bits.TrailingZeros64(stops) / 8; s[i] == '"' {
			return i + 1, escaped
		}
		i, escaped = i+2, true
	}
	for ; i < len(s); i++ {
		switch s[i] {
		case '"':
			return i + 1, escaped
		case '\\':
			i, escaped = i+1, true
		}
	}
	return -1, escaped
}

// labelEnd is textEnd for a key, which it tells to be simple where all of it are
// letters and low lines. Most keys are, and one look at eight bytes finds both
// that and the quote.
func labelEnd(s []byte, i int) (end int, simple, escaped bool) {
	for ; i+8 <= len(s); i += 8 {
		if stops := notInLabel(load(s[i:])); stops != 0 {
			i += bits.TrailingZeros64(stops) / 8
			break
		}
	}
	if i < len(s) && s[i] == '"' {
		return i + 1, true, false
	}
	end, escaped = textEnd(s, i)
	return end, false, escaped
}

// notInLabel sets the highest bit of the bytes of a word that are neither
// letters nor low lines. Behind the first that is no ASCII, they are marked as
// it falls.
func notInLabel(word uint64) uint64 {
	letters := word | 0x20*eachByte
	below, above := ^(letters + (0x80-'a')*eachByte), letters+(0x7f-'z')*eachByte
	noLine := word ^ '_'*eachByte + 0x7f*eachByte
	return (below | above&noLine | word) & highBits
}

// ranged sets the highest bit of the bytes of a word that are from first to
// last, as long as all before them are ASCII.
func ranged(word uint64, first, last byte) uint64 {
	return (word + eachByte*uint64(0x80-first)) &^ (word + eachByte*uint64(0x7f-last)) & highBits
}

// numeralEnd is where the number that begins at i ends; -1 for none.
func numeralEnd(s []byte, i int) int {
	if i < len(s) && s[i] == '-' {
		i++
	}
	whole := i
	if i = digitsEnd(s, i); i == whole || i > whole+1 && s[whole] == '0' {
		return -1
	}
	if i < len(s) && s[i] == '.' {
		fraction := i + 1
		if i = digitsEnd(s, fraction); i == fraction {
			return -1
		}
	}
	if i < len(s) && s[i]|0x20 == 'e' {
		if i++; i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		power := i
		if i = digitsEnd(s, i); i == power {
			return -1
		}
	}
	return i
}

func digitsEnd(s []byte, i int) int {
	for i < len(s) && s[i]-'0' <= 9 {
		i++
	}
	return i
}

// wordEnd is where true, false or null ends, which hold nothing of anybody.
func wordEnd(s []byte, i int) int {
	if i >= len(s) {
		return -1
	}
	word := "null"
	switch s[i] {
	case 't':
		word = "true"
	case 'f':
		word = "false"
	}
	if !hasPrefix(s[i:], word) {
		return -1
	}
	return i + len(word)
}

// valueEnd is where the value that begins at i ends; -1 for none, or for one
// that nests deeper than deepest. depth is how deep it stands itself.
func valueEnd(s []byte, i, depth int) int {
	if i >= len(s) {
		return -1
	}
	switch c := s[i]; {
	case c == '"':
		end, _ := textEnd(s, i+1)
		return end
	case c == '-' || c-'0' <= 9:
		return numeralEnd(s, i)
	case c != '{' && c != '[':
		return wordEnd(s, i)
	case depth >= deepest:
		return emptyEnd(s, i)
	}
	return membersEnd(s, i, depth+1)
}

// emptyEnd is where an object or an array without members ends; -1 for others.
func emptyEnd(s []byte, i int) int {
	if end := afterBlanks(s, i+1); end < len(s) && s[end] == s[i]+2 {
		return end + 1
	}
	return -1
}

// membersEnd is where the object or array that begins at i ends, whose members
// stand at a depth; -1 for none. Most of a document passes here: what is met
// most is looked for first, and without a call.
func membersEnd(s []byte, i, depth int) int {
	opened := s[i]
	closes := opened + 2 // of either bracket in ASCII
	if i = afterBlanks(s, i+1); i < len(s) && s[i] == closes {
		return i + 1
	}
	for {
		if opened == '{' {
			if i = keyEnd(s, i); i < 0 {
				return -1
			}
		}
		if i < len(s) && s[i] == '"' {
			i, _ = textEnd(s, i+1)
		} else {
			i = valueEnd(s, i, depth)
		}
		if i < 0 {
			return -1
		}
		if i = afterBlanks(s, i); i >= len(s) {
			return -1
		}
		switch s[i] {
		case ',':
			i = afterBlanks(s, i+1)
		case closes:
			return i + 1
		default:
			return -1
		}
	}
}

// keyEnd is where the value begins whose key begins at i; -1 for none.
func keyEnd(s []byte, i int) int {
	if i >= len(s) || s[i] != '"' {
		return -1
	}
	if i, _ = textEnd(s, i+1); i < 0 {
		return -1
	}
	return colonEnd(s, i)
}

// oneBlank tells whether sign stands at i, and behind it one blank and what is
// none: so jsonb writes colons and commas.
func oneBlank(s []byte, i int, sign byte) bool {
	return i+2 < len(s) && s[i] == sign && s[i+1] == ' ' && s[i+2] > ' '
}

// colonEnd is where the value begins whose key ends at i; -1 for none.
func colonEnd(s []byte, i int) int {
	if oneBlank(s, i, ':') {
		return i + 2
	}
	if i = afterBlanks(s, i); i >= len(s) || s[i] != ':' {
		return -1
	}
	return afterBlanks(s, i+1)
}

// nextAt is where the next member or element begins behind the one that ends at
// i, or what holds them ends; -1 if neither is there.
func nextAt(s []byte, i int, closes byte) (next int, more bool) {
	if i < 0 {
		return -1, false
	}
	if oneBlank(s, i, ',') {
		return i + 2, true
	}
	if i = afterBlanks(s, i); i >= len(s) {
		return -1, false
	}
	switch s[i] {
	case ',':
		return afterBlanks(s, i+1), true
	case closes:
		return i + 1, false
	}
	return -1, false
}

// verbatim tells whether a JSON string holds a text as it is.
func verbatim(s []byte) bool {
	for len(s) >= 8 {
		if word := load(s); under(word, ' ')|equal(word, '"')|equal(word, '\\') != 0 {
			return false
		}
		s = s[8:]
	}
	for _, c := range s {
		if c < ' ' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}
