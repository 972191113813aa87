package detect

import "unicode"

// Known reports whether a name is made of nothing but words that names of columns
// are made of, in any of the languages, and few digits: so it is no value of
// anybody's, and may be told.
func Known(name string) bool {
	if vocab().knowsNothingOf(name) {
		return false
	}
	const few = 2
	digits := 0
	for _, r := range name {
		if unicode.IsDigit(r) {
			digits++
		}
	}
	words := splitWords(name)
	for _, word := range words {
		for _, w := range vocab().cut(word) {
			if !vocab().all.hasSingular(w) {
				return false
			}
		}
	}
	return len(words) > 0 && digits <= few
}
