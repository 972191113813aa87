package spec

import (
	"regexp"
	"slices"
	"strings"
	"unicode"

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
	one, other := wordsOf(folded(a)), wordsOf(folded(b))
	return slices.EqualFunc(one, other, func(a, b string) bool {
		return a == b || isPlural(a, b) || isPlural(b, a)
	})
}

// Near reports whether two tables are one but for what Near says and their
// schema, or for where a dot stands within quotes. Schemas of other digits
// keep tables apart, as those of two years do.
func (n Name) Near(other Name) bool {
	if !slices.Equal(numbersIn(n.String()), numbersIn(other.String())) {
		return false
	}
	return Near(n.Table, other.Table) ||
		Near(n.Schema+"."+n.Table, other.Table) || Near(n.Table, other.Schema+"."+other.Table)
}

var quotes = strings.NewReplacer(`"`, "", "`", "", "'", "", "[", "", "]", "")

func folded(name string) string {
	return strings.ToLower(norm.NFC.String(strings.TrimSpace(quotes.Replace(name))))
}

var words = regexp.MustCompile(`[\pL\pM]+|[^\pL\pM]+`)

// wordsOf splits a name into runs of letters and what stands between them.
func wordsOf(name string) []string { return words.FindAllString(name, -1) }

var numbers = regexp.MustCompile(`\p{Nd}+`)

func numbersIn(name string) []string { return numbers.FindAllString(name, -1) }

// plurals by how a word ends, and how more of them do.
var plurals = [][2]string{
	{"y", "ies"}, {"f", "ves"}, {"fe", "ves"}, {"is", "es"}, {"um", "a"}, {"on", "a"}, {"ix", "ices"}, {"ex", "ices"},
	{"person", "people"}, {"child", "children"}, {"man", "men"}, {"foot", "feet"}, {"mouse", "mice"}, {"quiz", "quizzes"},
}

// isPlural reports whether many is the English plural of one, both in lower
// case.
func isPlural(one, many string) bool {
	if len(one) < 2 || !strings.ContainsFunc(one, unicode.IsLetter) {
		return false
	}
	return many == one+"s" || many == one+"es" || slices.ContainsFunc(plurals, func(ends [2]string) bool {
		stem, ok := strings.CutSuffix(one, ends[0])
		return ok && many == stem+ends[1]
	})
}
