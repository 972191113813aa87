package detect

import (
	"bytes"
	"cmp"
	"slices"
	"unicode"
	"unicode/utf8"
)

// Form is what a text is like in kind, whatever it says.
type Form uint8

// The forms.
const (
	Empty     Form = iota // nothing, or blanks
	Digits                // numbers, dates and times: digits and what stands between them
	Words                 // letters of any script
	Codes                 // one word of letters, digits and signs
	Texts                 // words among which digits and signs stand
	Documents             // JSON, XML, YAML, what PHP serializes
	Bytes                 // no text
	forms
)

var formNames = [forms]string{"empty", "digits", "words", "codes", "texts", "documents", "bytes"}

// String is a word for values of the form.
func (f Form) String() string { return formNames[f] }

// longestForm is how much of a value its form is told by.
const longestForm = 256

// FormOf tells the form of a value in UTF-8, by its beginning.
func FormOf(value []byte) Form {
	value = bytes.TrimSpace(beginningOf(value))
	if len(value) == 0 {
		return Empty
	}
	if isDocument(value) {
		return Documents
	}
	var letters, digits, blanks, signs int
	for len(value) > 0 {
		r, size := utf8.DecodeRune(value)
		value = value[size:]
		switch {
		case r == utf8.RuneError && size == 1, r < ' ' && r != '\t' && r != '\n' && r != '\r':
			return Bytes
		case unicode.IsLetter(r), unicode.IsMark(r):
			letters++
		case unicode.IsDigit(r):
			digits++
		case unicode.IsSpace(r):
			blanks++
		case !withinWords(r):
			signs++
		}
	}
	switch {
	case letters == 0 && digits > 0:
		return Digits
	case digits+signs == 0 && letters > 0:
		return Words
	case blanks == 0:
		return Codes
	}
	return Texts
}

// beginningOf is as much of a value as is looked at, without half a character.
func beginningOf(value []byte) []byte {
	if len(value) <= longestForm {
		return value
	}
	end := longestForm
	for end > longestForm-utf8.UTFMax && !utf8.RuneStart(value[end]) {
		end--
	}
	return value[:end]
}

// withinWords are the signs that people write among words.
func withinWords(r rune) bool {
	switch r {
	case '.', ',', '-', '\'', '’', '&', '(', ')', '!', '?', ';', '"':
		return true
	}
	return false
}

var phpBeginnings = [][]byte{[]byte("a:"), []byte("O:"), []byte("s:")}

// isDocument reports whether a text begins as documents do.
func isDocument(value []byte) bool {
	first := value[0]
	switch {
	case first == '{', first == '<':
		return len(value) > 1
	case first == '[':
		return len(value) > 1 && bytes.IndexByte([]byte(`"{[]0123456789-tfn `), value[1]) >= 0
	case bytes.HasPrefix(value, []byte("---\n")):
		return true
	}
	return slices.ContainsFunc(phpBeginnings, func(b []byte) bool {
		rest, ok := bytes.CutPrefix(value, b)
		return ok && len(rest) > 1 && rest[0]-'0' <= 9 && bytes.IndexByte(rest, ':') > 0
	})
}

// FormCounts count values by their forms. The zero value has none.
type FormCounts [forms]int64

// Add takes a value in UTF-8.
func (c *FormCounts) Add(value []byte) { c[FormOf(value)]++ }

// Join takes what another has counted.
func (c *FormCounts) Join(other FormCounts) {
	for f, n := range other {
		c[f] += n
	}
}

// Words are the forms of the values, the most frequent first. A form that
// fewer than one in fifty has is left out.
func (c *FormCounts) Words() []string {
	const rare = 50
	var total int64
	for _, n := range c {
		total += n
	}
	var all []Form
	for f := range forms {
		if c[f]*rare >= total && c[f] > 0 {
			all = append(all, f)
		}
	}
	slices.SortStableFunc(all, func(a, b Form) int { return cmp.Compare(c[b], c[a]) })
	var words []string
	for _, f := range all {
		words = append(words, f.String())
	}
	return words
}
