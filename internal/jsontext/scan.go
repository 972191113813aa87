// Package jsontext says where JSON values begin and end, and reads and writes
// strings. It must never build a value, or decide what becomes of one: that is
// its callers' part.
package jsontext

import (
	"math/bits"

	"daybefore/internal/octets"
)

// Deepest is how far documents may nest: further than a server's stack goes.
const Deepest = 100_000

// isBlank reports whether a byte may stand between values.
func isBlank(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }

// AfterBlanks is where the blanks that begin at i end. There is seldom more
// than one.
func AfterBlanks(s []byte, i int) int {
	for i < len(s) && s[i] <= ' ' && isBlank(s[i]) {
		i++
	}
	return i
}

// TextEnd is where the string ends whose quote is before i, after its own
// quote; -1 if it does not. escaped reports whether it holds a backslash.
func TextEnd(s []byte, i int) (end int, escaped bool) {
	for i+8 <= len(s) {
		word := octets.Load(s[i:])
		quotes, slashes := word^octets.Each*'"', word^octets.Each*'\\'
		stops := ((quotes-octets.Each)&^quotes | (slashes-octets.Each)&^slashes) & octets.High
		if stops == 0 {
			i += 8
			continue
		}
		i += bits.TrailingZeros64(stops) / 8
		if s[i] == '"' {
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

// LabelEnd is TextEnd for a key, which is simple where all of it are letters and
// low lines. Most keys are, and one look at eight bytes finds both
// that and the quote.
func LabelEnd(s []byte, i int) (end int, simple, escaped bool) {
	for ; i+8 <= len(s); i += 8 {
		if stops := notInLabel(octets.Load(s[i:])); stops != 0 {
			i += bits.TrailingZeros64(stops) / 8
			break
		}
	}
	if i < len(s) && s[i] == '"' {
		return i + 1, true, false
	}
	end, escaped = TextEnd(s, i)
	return end, false, escaped
}

// notInLabel sets the highest bit of the bytes of a word that are neither
// letters nor low lines. Behind the first that is no ASCII, they are marked as
// it falls.
func notInLabel(word uint64) uint64 {
	letters := word | 0x20*octets.Each
	below, above := ^(letters + (0x80-'a')*octets.Each), letters+(0x7f-'z')*octets.Each
	noLine := word ^ '_'*octets.Each + 0x7f*octets.Each
	return (below | above&noLine | word) & octets.High
}

// NumberEnd is where the number that begins at i ends; -1 for none.
func NumberEnd(s []byte, i int) int {
	if i < len(s) && s[i] == '-' {
		i++
	}
	whole := i
	i = digitsEnd(s, i)
	if i == whole || i > whole+1 && s[whole] == '0' {
		return -1
	}
	if i < len(s) && s[i] == '.' {
		fraction := i + 1
		i = digitsEnd(s, fraction)
		if i == fraction {
			return -1
		}
	}
	if i < len(s) && s[i]|0x20 == 'e' {
		i++
		if i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		power := i
		i = digitsEnd(s, i)
		if i == power {
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

// LiteralEnd is where true, false or null ends, which hold nothing of anybody.
func LiteralEnd(s []byte, i int) int {
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
	if end := i + len(word); end <= len(s) && string(s[i:end]) == word {
		return end
	}
	return -1
}

// ValueEnd is where the value that begins at i ends; -1 for none, or for one
// that nests deeper than Deepest. depth is how deep it stands itself.
func ValueEnd(s []byte, i, depth int) int { return (*Memo)(nil).ValueEnd(s, i, depth) }

// ValueEnd is likewise, and shows the keys within the value on the way, also of one
// that has no end. m may be nil.
func (m *Memo) ValueEnd(s []byte, i, depth int) int {
	if i >= len(s) {
		return -1
	}
	c := s[i]
	switch {
	case c == '"':
		end, _ := TextEnd(s, i+1)
		return end
	case c == '-' || c-'0' <= 9:
		return NumberEnd(s, i)
	case c != '{' && c != '[':
		return LiteralEnd(s, i)
	case depth >= Deepest:
		return EmptyEnd(s, i)
	}
	return m.membersEnd(s, i, depth+1)
}

// EmptyEnd is where an object or an array without members ends; -1 for others.
func EmptyEnd(s []byte, i int) int {
	if end := AfterBlanks(s, i+1); end < len(s) && s[end] == s[i]+2 {
		return end + 1
	}
	return -1
}

// membersEnd is where the object or array that begins at i ends, whose members
// stand at a depth; -1 for none. Most of a document passes here: what is met
// most is looked for first, and without a call.
func (m *Memo) membersEnd(s []byte, i, depth int) int {
	opened := s[i]
	closes := opened + 2 // of either bracket in ASCII
	i = AfterBlanks(s, i+1)
	if i < len(s) && s[i] == closes {
		return i + 1
	}
	for {
		if opened == '{' {
			i = m.keyEnd(s, i)
			if i < 0 {
				return -1
			}
		}
		if i < len(s) && s[i] == '"' {
			i, _ = TextEnd(s, i+1)
		} else {
			i = m.ValueEnd(s, i, depth)
		}
		if i < 0 {
			return -1
		}
		i = AfterBlanks(s, i)
		if i >= len(s) {
			return -1
		}
		switch s[i] {
		case ',':
			i = AfterBlanks(s, i+1)
		case closes:
			return i + 1
		default:
			return -1
		}
	}
}

// keyEnd is where the value begins whose key begins at i; -1 for none.
func (m *Memo) keyEnd(s []byte, i int) int {
	if i >= len(s) || s[i] != '"' {
		return -1
	}
	if m != nil {
		return m.seenEnd(s, i+1)
	}
	i, _ = TextEnd(s, i+1)
	if i < 0 {
		return -1
	}
	return ColonEnd(s, i)
}

// seenEnd is keyEnd for a key whose first quote is before from, which is shown unless
// it is remembered.
func (m *Memo) seenEnd(s []byte, from int) int {
	if end := m.next(s, from); end > 0 {
		return ColonEnd(s, end)
	}
	end, _ := TextEnd(s, from)
	if end < 0 {
		return -1
	}
	value := ColonEnd(s, end)
	if value >= 0 && !m.Has(s, from, end-1) && m.show(from, end-1, value) {
		m.Add(s, from, end-1)
	}
	return value
}

// OneBlank reports whether sign stands at i, and after it one blank and what is
// none: so jsonb writes colons and commas.
func OneBlank(s []byte, i int, sign byte) bool {
	return i+2 < len(s) && s[i] == sign && s[i+1] == ' ' && s[i+2] > ' '
}

// ColonEnd is where the value begins whose key ends at i; -1 for none.
func ColonEnd(s []byte, i int) int {
	if OneBlank(s, i, ':') {
		return i + 2
	}
	i = AfterBlanks(s, i)
	if i >= len(s) || s[i] != ':' {
		return -1
	}
	return AfterBlanks(s, i+1)
}

// Next is where the next member or element begins after the one that ends at
// i, or what holds them ends; -1 if neither is there.
func Next(s []byte, i int, closes byte) (next int, more bool) {
	if i < 0 {
		return -1, false
	}
	if OneBlank(s, i, ',') {
		return i + 2, true
	}
	i = AfterBlanks(s, i)
	if i >= len(s) {
		return -1, false
	}
	switch s[i] {
	case ',':
		return AfterBlanks(s, i+1), true
	case closes:
		return i + 1, false
	}
	return -1, false
}

// Verbatim reports whether a JSON string holds a text as it is.
func Verbatim(s []byte) bool {
	for len(s) >= 8 {
		if word := octets.Load(s); octets.Under(word, ' ')|octets.Equal(word, '"')|octets.Equal(word, '\\') != 0 {
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
