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
	if len(written) < 3 { // everything short is near everything short
		return otherwise
	}
	best, least := "", (len(written)+1)/3+1 // two letters of five: emial
	for _, k := range known {
		if d := distance(strings.ToLower(written), strings.ToLower(k)); d < least {
			best, least = k, d
		}
	}
	if best == "" {
		return otherwise
	}
	return "did you mean " + best + "?"
}

// distance is Levenshtein's: how many single letters to add, drop or change.
func distance(a, b string) int {
	const tooLong = 64 // no key is: a long text is far from all of them
	if len(a) > tooLong || len(b) > tooLong {
		return tooLong
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
