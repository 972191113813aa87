package transform

import (
	"regexp/syntax"
	"slices"
	"strings"
)

// longestSample is how much of a pattern's repetitions is worth a sample.
const longestSample = 256

// matching is a short text that a regular expression finds, empty for what is
// none: a CHECK that wants a form accepts it.
func matching(pattern string) string {
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return ""
	}
	var b strings.Builder
	writeMatching(&b, re)
	return b.String()
}

func writeMatching(b *strings.Builder, re *syntax.Regexp) {
	switch re.Op {
	case syntax.OpLiteral:
		b.WriteString(string(re.Rune))
	case syntax.OpCharClass:
		b.WriteRune(oneOf(re.Rune))
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		b.WriteByte('a')
	case syntax.OpCapture, syntax.OpConcat:
		for _, sub := range re.Sub {
			writeMatching(b, sub)
		}
	case syntax.OpPlus, syntax.OpAlternate:
		writeMatching(b, re.Sub[0])
	case syntax.OpRepeat:
		for range re.Min {
			if b.Len() < longestSample {
				writeMatching(b, re.Sub[0])
			}
		}
	}
}

// oneOf is a character of a class, given by pairs: a usual one, if it has any.
func oneOf(class []rune) rune {
	for _, usual := range "1aA-_ " {
		for pair := range slices.Chunk(class, 2) {
			if pair[0] <= usual && usual <= pair[1] {
				return usual
			}
		}
	}
	if len(class) == 0 {
		return 'a'
	}
	return class[0]
}
