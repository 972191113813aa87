package spec

import "strings"

// alternatives joins words as a sentence does: a, b or c.
func alternatives(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

// DidYouMean suggests the nearest of the known words, or says otherwise where
// none is near.
func DidYouMean(written string, known []string, otherwise string) string {
	best := Nearest(written, known)
	if best == "" {
		return otherwise
	}
	return "did you mean " + best + "?"
}

// Nearest is the known word that the written one was most likely meant to be;
// empty where none is near.
func Nearest(written string, known []string) string {
	if len(written) < 3 { // everything short is near everything short
		return ""
	}
	best, least := "", (len(written)+1)/3+1 // two letters of five: emial
	for _, k := range known {
		if d := distance(strings.ToLower(written), strings.ToLower(k)); d < least {
			best, least = k, d
		}
	}
	return best
}

// distance is Levenshtein's: how many single letters to add, drop or change, or
// pairs of them to swap.
func distance(a, b string) int {
	const tooLong = 64 // no key is: a long text is far from all of them
	if len(a) > tooLong || len(b) > tooLong {
		return tooLong
	}
	older, old, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
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
