package scrub

import (
	"crypto/sha256"
	"strconv"
	"unicode"
	"unicode/utf8"

	"github.com/brianvoe/gofakeit/v7/data"
)

// The lists that made-up people, places and companies are taken from.
var (
	firstNames   = plainWords(data.Person["first"])
	lastNames    = plainWords(data.Person["last"])
	cities       = plainWords(data.Address["city"])
	streetKinds  = plainWords(data.Address["street_name"])
	companyForms = plainWords(data.Company["suffix"])
)

// plainWords leaves out what a CHECK or a client might stumble over.
func plainWords(all []string) []string {
	var plain []string
	for _, w := range all {
		if letters(w) {
			plain = append(plain, w)
		}
	}
	return plain
}

// letters tells whether s is made of ASCII letters, and of blanks between them.
func letters(s string) bool {
	for i := range len(s) {
		if c := s[i] | 0x20; (c < 'a' || 'z' < c) && (s[i] != ' ' || i == 0) {
			return false
		}
	}
	return s != ""
}

func longest(words []string) int {
	n := 0
	for _, w := range words {
		n = max(n, len(w))
	}
	return n
}

// pick takes a word by eight bytes of the digest, of which there are four
// times eight.
func pick(words []string, digest *[sha256.Size]byte, eight int) string {
	return words[scale(number(digest[8*eight:]), uint64(len(words)))]
}

// writeName gives a first name to a single word and a full name to several.
func writeName(_ *masker, dst []byte, r *recipe, in input) ([]byte, error) {
	start := len(dst)
	dst = append(dst, pick(firstNames, in.digest, 0)...)
	if severalWords(in.normalised) {
		dst = append(append(dst, ' '), pick(lastNames, in.digest, 1)...)
	}
	return cutTo(dst, start, r.limit), nil
}

func writeFirstName(_ *masker, dst []byte, r *recipe, in input) ([]byte, error) {
	return cutTo(append(dst, pick(firstNames, in.digest, 0)...), len(dst), r.limit), nil
}

func writeLastName(_ *masker, dst []byte, r *recipe, in input) ([]byte, error) {
	return cutTo(append(dst, pick(lastNames, in.digest, 1)...), len(dst), r.limit), nil
}

// writeCompany calls it after two people: the library's companies are real.
func writeCompany(_ *masker, dst []byte, r *recipe, in input) ([]byte, error) {
	start := len(dst)
	dst = append(append(dst, pick(lastNames, in.digest, 0)...), '-')
	dst = append(append(dst, pick(lastNames, in.digest, 1)...), ' ')
	return cutTo(append(dst, pick(companyForms, in.digest, 2)...), start, r.limit), nil
}

func writeStreet(_ *masker, dst []byte, r *recipe, in input) ([]byte, error) {
	const houses = 199
	start := len(dst)
	dst = append(strconv.AppendUint(dst, 1+scale(number(in.digest[:]), houses), 10), ' ')
	dst = append(append(dst, pick(lastNames, in.digest, 1)...), ' ')
	return cutTo(append(dst, pick(streetKinds, in.digest, 2)...), start, r.limit), nil
}

func writeCity(_ *masker, dst []byte, r *recipe, in input) ([]byte, error) {
	return cutTo(append(dst, pick(cities, in.digest, 0)...), len(dst), r.limit), nil
}

// cutTo cuts what dst holds from start on to limit characters, if there is a
// limit, and leaves no blank at its end.
func cutTo(dst []byte, start, limit int) []byte {
	if limit <= 0 || len(dst)-start <= limit {
		return dst
	}
	end := start
	for range limit {
		if end == len(dst) {
			return dst
		}
		_, size := utf8.DecodeRune(dst[end:])
		end += size
	}
	for end > start && dst[end-1] == ' ' {
		end--
	}
	return dst[:end]
}

func severalWords(value []byte) bool {
	value = trimSpace(value)
	for i := 0; i < len(value); {
		r, size := utf8.DecodeRune(value[i:])
		if unicode.IsSpace(r) {
			return true
		}
		i += size
	}
	return false
}
