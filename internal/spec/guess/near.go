// Package guess says which of the known names a wrong one was meant to be: a
// key, a table, a role, an option. It only asks: it never takes one name for
// another, and never suggests one of other digits.
package guess

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Alike reports whether two names are one but for case and quotes: shop,
// "Shop".
func Alike(a, b string) bool { return folded(a) == folded(b) }

// Near reports whether two names are one but for case, quotes and the plural
// of their words, as a drill file may get a name wrong: order, "Orders". Other
// letters are another name, and so are other digits: events_2026_10 and
// events_2026_11 are two tables.
func Near(a, b string) bool {
	if a != "" && b != "" && isLetter(a[0]) && isLetter(b[0]) && a[0]|0x20 != b[0]|0x20 {
		return false // as most are, at once
	}
	a = folded(a)
	b = folded(b)
	for a != "" && b != "" {
		var one, other string
		one, a = cutWord(a)
		other, b = cutWord(b)
		if one != other && !isPlural(one, other) && !isPlural(other, one) {
			return false
		}
	}
	return a == b
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

var quotes = strings.NewReplacer(`"`, "", "`", "", "'", "", "[", "", "]", "")

func folded(name string) string {
	return strings.ToLower(norm.NFC.String(strings.TrimSpace(quotes.Replace(name))))
}

// cutWord takes a run of letters, or of what stands between them, off a name.
func cutWord(name string) (word, rest string) {
	first, _ := utf8.DecodeRuneInString(name)
	end := strings.IndexFunc(name, func(r rune) bool { return isPart(r) != isPart(first) })
	if end < 0 {
		return name, ""
	}
	return name[:end], name[end:]
}

func isPart(r rune) bool { return unicode.IsLetter(r) || unicode.IsMark(r) }

var numbers = regexp.MustCompile(`\p{Nd}+`)

// Numbers are the numbers in a name, in their order.
func Numbers(name string) []string { return numbers.FindAllString(name, -1) }

// plurals by how a word ends, and how more of them do.
var plurals = [][2]string{
	{"y", "ies"}, {"f", "ves"}, {"fe", "ves"}, {"is", "es"}, {"ix", "ices"}, {"ex", "ices"},
	{"person", "people"}, {"child", "children"}, {"man", "men"}, {"foot", "feet"}, {"mouse", "mice"},
	{"quiz", "quizzes"},
}

// isPlural reports whether many is the English plural of one, both in lower
// case.
func isPlural(one, many string) bool {
	last, _ := utf8.DecodeLastRuneInString(one)
	if len(one) < 2 || !isPart(last) {
		return false
	}
	if rest, ok := strings.CutPrefix(many, one); ok && (rest == "s" || rest == "es") {
		return true
	}
	return slices.ContainsFunc(plurals, func(ends [2]string) bool {
		stem, ok := strings.CutSuffix(one, ends[0])
		return ok && many == stem+ends[1]
	})
}
