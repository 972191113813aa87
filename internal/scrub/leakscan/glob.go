package leakscan

import "strings"

// FoldedGlob is a pattern that is compared without the case of ASCII letters,
// as people write e-mail addresses.
type FoldedGlob []string // what stands between the stars, lower-case

// NewFoldedGlob reads a pattern, in which a star stands for any text.
func NewFoldedGlob(pattern string) FoldedGlob {
	return strings.Split(string(AppendFolded(nil, []byte(pattern))), "*")
}

// Match reports whether the value is of the pattern.
func (g FoldedGlob) Match(value []byte) bool {
	if len(g) == 1 {
		return len(value) == len(g[0]) && foldedPrefix(value, g[0])
	}
	first, middle, last := g[0], g[1:len(g)-1], g[len(g)-1]
	if !foldedPrefix(value, first) {
		return false
	}
	value = value[len(first):]
	for _, part := range middle {
		i := foldedIndex(value, part)
		if i < 0 {
			return false
		}
		value = value[i+len(part):]
	}
	return len(value) >= len(last) && foldedPrefix(value[len(value)-len(last):], last)
}

// MatchAny reports whether the value is of one of the patterns.
func MatchAny(patterns []FoldedGlob, value []byte) bool {
	for _, g := range patterns {
		if g.Match(value) {
			return true
		}
	}
	return false
}

func foldedIndex(value []byte, part string) int {
	for i := range len(value) - len(part) + 1 {
		if foldedPrefix(value[i:], part) {
			return i
		}
	}
	return -1
}

func foldedPrefix(value []byte, prefix string) bool {
	if len(value) < len(prefix) {
		return false
	}
	for i := range len(prefix) {
		c := value[i]
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		if c != prefix[i] {
			return false
		}
	}
	return true
}
