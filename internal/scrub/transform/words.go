package transform

import (
	"bytes"
	"slices"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding"

	"daybefore/internal/copytext"
	"daybefore/internal/locale"
	"daybefore/internal/scrub/schema"
	"daybefore/internal/spec"
)

const (
	Name      = "name"       // a first name, and a last name where the value has several words
	FirstName = "first_name" // a first name
	LastName  = "last_name"  // a last name
	Company   = "company"    // a company that is called after two people
	Street    = "street"     // a number and a street
	City      = "city"       // a city's name
)

func init() {
	register(Name, kind{fits: schema.Type.IsText, words: fullName, write: writeName})
	for name, phrase := range map[string]func(*locale.Locale) locale.Phrase{
		FirstName: func(l *locale.Locale) locale.Phrase { return l.FirstName },
		LastName:  func(l *locale.Locale) locale.Phrase { return l.LastName },
		Company:   func(l *locale.Locale) locale.Phrase { return l.Company },
		Street:    func(l *locale.Locale) locale.Phrase { return l.Street },
		City:      func(l *locale.Locale) locale.Phrase { return l.City },
	} {
		register(name, kind{fits: schema.Type.IsText, words: phrase, write: writeWords})
	}
}

func fullName(l *locale.Locale) locale.Phrase { return l.Name }

// writeWords draws what the transform takes from the recipe's locale.
func writeWords(m *Masker, dst []byte, r *Recipe, in input) ([]byte, error) {
	return m.appendPhrase(dst, r, r.words(r.locale), in.digest)
}

// writeName gives a first name to a single word and a full name to several.
func writeName(m *Masker, dst []byte, r *Recipe, in input) ([]byte, error) {
	phrase := r.locale.FirstName
	if severalWords(in.normalized) {
		phrase = r.locale.Name
	}
	return m.appendPhrase(dst, r, phrase, in.digest)
}

func (m *Masker) appendPhrase(dst []byte, r *Recipe, phrase locale.Phrase, digest *Digest) ([]byte, error) {
	words := newRandomBytes(digest)
	random := [...]uint64{words.word(), words.word(), words.word(), words.word()}
	start := len(dst)
	return m.encoded(CutTo(phrase.Append(dst, &random), start, r.limit), start, r.code)
}

// phrases are all that a recipe of words can write.
func (r *Recipe) phrases() []locale.Phrase {
	if r.name == Name {
		return []locale.Phrase{r.locale.FirstName, r.locale.Name}
	}
	return []locale.Phrase{r.words(r.locale)}
}

// extremes are what a recipe of words writes, as far as a constraint could tell
// one from another by its length or its characters.
func (m *Masker) extremes(r *Recipe) []string {
	var all []string
	for _, phrase := range r.phrases() {
		for _, text := range phrase.Extremes() {
			if out, err := m.encoded(CutTo([]byte(text), 0, r.limit), 0, r.code); err == nil {
				all = append(all, string(out))
			}
		}
	}
	return all
}

// encoded writes what dst holds from start on, which is UTF-8, as the rows are
// written.
func (m *Masker) encoded(dst []byte, start int, code encoding.Encoding) ([]byte, error) {
	if code == nil || !copytext.HasHighBytes(dst[start:]) {
		return dst, nil
	}
	if m.encoder == nil {
		m.encoder = code.NewEncoder()
	}
	m.unicode = append(m.unicode[:0], dst[start:]...)
	m.encoder.Reset()
	n, _, err := m.encoder.Transform(dst[start:], m.unicode, true)
	return dst[:start+n], err
}

// WritesWords reports whether the rule's transform, one in its template or one
// of its paths and fields takes words of a locale.
func WritesWords(r *spec.Rule) bool {
	if slices.ContainsFunc(r.JSON, func(p spec.PathRule) bool { return WritesWords(&p.Rule) }) ||
		slices.ContainsFunc(r.Fields, func(f spec.FieldRule) bool { return WritesWords(&f.Rule) }) {
		return true
	}
	if r.Transform == Template && r.Value != nil {
		parts, _ := spec.ParseTemplate(*r.Value)
		for _, part := range parts {
			if t := kinds[part.Transform]; t != nil && t.words != nil {
				return true
			}
		}
	}
	t := kinds[r.Transform]
	return t != nil && t.words != nil
}

// CutTo cuts what dst holds from start on to limit characters, if there is a
// limit, and leaves no blank at its end.
func CutTo(dst []byte, start, limit int) []byte {
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
	value = bytes.TrimSpace(value)
	for i := 0; i < len(value); {
		r, size := utf8.DecodeRune(value[i:])
		if unicode.IsSpace(r) {
			return true
		}
		i += size
	}
	return false
}
