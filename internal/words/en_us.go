package words

import "github.com/brianvoe/gofakeit/v7/data"

// enUS has gofakeit's words. Its companies are real, so that these are called
// after two people.
func enUS() *Locale {
	return newLocale(map[string][]string{
		"first": plain(data.Person["first"]), "last": plain(data.Person["last"]), "city": plain(data.Address["city"]),
		"kind": plain(data.Address["street_name"]), "form": plain(data.Company["suffix"]),
	}, "{house} {last} {kind}", "{last}-{last} {form}")
}

// plain leaves out what a CHECK or a client might stumble over.
func plain(all []string) []string {
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
