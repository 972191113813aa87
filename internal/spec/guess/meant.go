package guess

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// Alternatives joins words as a sentence does: a, b or c.
func Alternatives(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

// Shown quotes what was written, cut to a length that fits into a line.
func Shown(s string) string {
	const most = 60
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return fmt.Sprintf("%q", s)
}

// mostMeant is how many names are suggested at once.
const mostMeant = 3

// DidYouMean suggests those of the known words that are Near or, where none
// is, the one with the fewest letters to change, or says otherwise. Words of
// other digits are never suggested: they are not what was meant.
func DidYouMean(written string, known []string, otherwise string) string {
	meant := nearest(written, known)
	if len(meant) == 0 {
		return otherwise
	}
	return Meant(meant)
}

// Nearest is the known word that the written one was most likely meant to be;
// empty where none is near.
func Nearest(written string, known []string) string {
	meant := nearest(written, known)
	if len(meant) == 0 {
		return ""
	}
	return meant[0]
}

// nearest are the known words that are Near or, where none is, the one with
// the fewest letters to change.
func nearest(written string, known []string) (meant []string) {
	for _, k := range known {
		if k != written && Near(written, k) {
			meant = append(meant, k)
		}
	}
	if len(meant) == 0 {
		meant = misspelled(written, known)
	}
	return meant
}

// Meant asks whether one of these names was meant. It names a few of many, and
// a dot stands for what would move a terminal's cursor.
func Meant(names []string) string {
	var some []string
	for _, name := range names[:min(len(names), mostMeant)] {
		some = append(some, strings.Map(visible, strings.ToValidUTF8(name, "\uFFFD")))
	}
	return "did you mean " + Alternatives(some) + "?"
}

func visible(r rune) rune {
	if unicode.IsPrint(r) {
		return r
	}
	return '·'
}

// misspelled is the known word that is nearest by its letters, if one is.
func misspelled(written string, known []string) []string {
	if len(written) < 3 { // everything short is near everything short
		return nil
	}
	var best []string
	least := len(written)
	for _, k := range known {
		a, b := apart(strings.ToLower(written), strings.ToLower(k))
		d := distance(a, b)
		// two letters of five: emial
		if d < least && d <= (len(a)+1)/3 && slices.Equal(Numbers(written), Numbers(k)) {
			best = []string{k}
			least = d
		}
	}
	return best
}

// apart are two names without the schema, or the section, that both begin with:
// that it is right makes the rest no nearer.
func apart(a, b string) (string, string) {
	for {
		first, rest, dotted := strings.Cut(a, ".")
		other, cut := strings.CutPrefix(b, first+".")
		if !dotted || !cut {
			return a, b
		}
		a, b = rest, other
	}
}

// distance is Levenshtein's: how many single letters to add, drop or change, or
// pairs of them to swap.
func distance(a, b string) int {
	const tooLong = 64 // no key is: a long text is far from all of them
	if len(a) > tooLong || len(b) > tooLong {
		return tooLong
	}
	older := make([]int, len(b)+1)
	old := make([]int, len(b)+1)
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		older, old, row = old, row, older
		row[0] = i + 1
		for j := range len(b) {
			change := old[j]
			if a[i] != b[j] {
				change++
			}
			row[j+1] = min(change, row[j]+1, old[j+1]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], older[j-1]+1)
			}
		}
	}
	return row[len(b)]
}
