package detect

// beginnings are how words begin: their first three bytes, hashed. Most texts begin like
// no word, and are told so without a look into any set of words.
type beginnings [1 << 9]uint64

// startLength is how much of a word is looked at. Shorter words begin like none.
const startLength = 3

func (s *beginnings) add(word string) {
	if len(word) >= startLength {
		n := hashedStart(word)
		s[n>>6] |= 1 << (n & 63)
	}
}

// mayBegin reports whether a text may begin with a word that was added.
func (s *beginnings) mayBegin(text string) bool {
	if len(text) < startLength {
		return false
	}
	n := hashedStart(text)
	return s[n>>6]&(1<<(n&63)) != 0
}

// hashedStart keeps five bits of each byte: those that tell letters apart.
func hashedStart(word string) uint {
	return uint(word[0]&31)<<10 | uint(word[1]&31)<<5 | uint(word[2]&31)
}
