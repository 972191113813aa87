package words

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

var written = map[string]lists{
	"de_DE": deDE, "en_US": enUS, "es_ES": esES, "fr_FR": frFR, "it_IT": itIT, "nl_NL": nlNL,
	"pl_PL": plPL, "pt_BR": ptBR, "sv_SE": svSE, "uk_UA": ukUA,
}

func TestLists(t *testing.T) {
	t.Parallel()
	if want, got := len(Locales()), len(written); got != want {
		t.Fatalf("%d locales, of which %d are looked at", want, got)
	}
	for name, l := range written {
		const many = 50
		for what, list := range map[string]string{"first": l.first, "last": l.last, "cities": l.cities, "streets": l.streets, "forms": l.forms} {
			words := split(list)
			if len(words) < many && what != "forms" {
				t.Errorf("%s: %d %s, fewer than %d", name, len(words), what, many)
			}
			slices.Sort(words)
			for i, w := range words {
				switch {
				case i > 0 && w == words[i-1] && name+what != "en_USstreets": // of which some are more common
					t.Errorf("%s: %s has %q twice", name, what, w)
				case !plausible(w):
					t.Errorf("%s: %s has %q", name, what, w)
				case strings.IndexFunc(w, scriptOf(name)) < 0:
					t.Errorf("%s: %s has %q, in another script", name, what, w)
				}
			}
		}
	}
}

func scriptOf(locale string) func(rune) bool {
	return func(r rune) bool {
		if locale == "uk_UA" {
			return unicode.Is(unicode.Cyrillic, r)
		}
		return unicode.Is(unicode.Latin, r)
	}
}

// plausible reports whether a word is one that anybody would write so.
func plausible(w string) bool {
	strange := func(r rune) bool { return !unicode.IsLetter(r) && !strings.ContainsRune(" '-.&", r) }
	return w != "" && strings.TrimSpace(w) == w && !strings.Contains(w, "  ") && norm.NFC.IsNormalString(w) && strings.IndexFunc(w, strange) < 0
}

func phrasesOf(l *Locale) map[string]Phrase {
	return map[string]Phrase{"first name": l.FirstName, "last name": l.LastName, "name": l.Name, "street": l.Street, "city": l.City, "company": l.Company}
}

// TestPhrases: what is said of a phrase is true of whatever is drawn.
func TestPhrases(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for _, name := range Locales() {
		l := Of(name)
		known := inText(l.Characters + digits)
		for what, p := range phrasesOf(l) {
			telling := inText(strings.Join(p.Telling(), "") + digits)
			seen := map[string]bool{}
			longest := p.Longest()
			for range 5000 {
				got := string(p.Append(nil, &[4]uint64{random.Uint64(), random.Uint64(), random.Uint64(), random.Uint64()}))
				seen[got] = true
				if n := utf8.RuneCountInString(got); n > longest {
					t.Fatalf("%s, %s: %q has %d characters, more than %d", name, what, got, n, longest)
				}
				for _, r := range got {
					if !telling[r] || !known[r] {
						t.Fatalf("%s, %s: %q has %q, which is not in what is telling, or not among the locale's characters", name, what, got, r)
					}
				}
			}
			if len(seen) < 50 {
				t.Errorf("%s, %s: only %d different ones", name, what, len(seen))
			}
		}
	}
}

// digits: of the numbers of houses only the least and the most are telling.
const digits = "0123456789"

func inText(text string) map[rune]bool {
	all := map[rune]bool{}
	for _, r := range text {
		all[r] = true
	}
	return all
}

// TestDraws: equal numbers make equal phrases, and a name's parts are drawn
// each by its own.
func TestDraws(t *testing.T) {
	t.Parallel()
	least := &[4]uint64{}
	most := &[4]uint64{^uint64(0), ^uint64(0), ^uint64(0), ^uint64(0)}
	for _, test := range []struct{ locale, least, most string }{
		{"de_DE", "Anna Müller|Hauptstraße 1|Berlin|Müller & Müller GmbH", "Tilda Zander|Bachstraße 199|Konstanz|Zander & Zander GmbH & Co. KG"},
		{"es_ES", "María García|Calle Mayor, 1|Madrid|García y García, S.L.", "Jimena Toledo|Carretera de Madrid, 199|Reus|Toledo y Toledo, S. Coop."},
		{"fr_FR", "Marie Martin|1 rue de la République|Paris|Martin et Martin SARL", "Félix Leblanc|199 route de Paris|Gap|Leblanc et Leblanc et Fils"},
		{"pl_PL", "Anna Nowak|ul. Polna 1|Warszawa|Nowak i Nowak sp. z o.o.", "Leon Szymczak|ul. Morska 199|Żary|Szymczak i Szymczak sp. k."},
		{"uk_UA", "Олена Шевченко|вул. Шевченка, 1|Київ|Шевченко і Шевченко, ТОВ", "Гнат Ярошенко|вул. Тиха, 199|Трускавець|Ярошенко і Ярошенко, АТ"},
	} {
		l := Of(test.locale)
		for random, want := range map[*[4]uint64]string{least: test.least, most: test.most} {
			var got []string
			for _, p := range []Phrase{l.Name, l.Street, l.City, l.Company} {
				got = append(got, string(p.Append(nil, random)))
			}
			if strings.Join(got, "|") != want {
				t.Errorf("%s: %s, want %s", test.locale, strings.Join(got, "|"), want)
			}
		}
	}
	for _, name := range Locales() {
		l := Of(name)
		random := &[4]uint64{1 << 60, 5 << 60, 9 << 60, 13 << 60}
		first := l.FirstName.Append(nil, random)
		last := l.LastName.Append(nil, random)
		if full := l.Name.Append(nil, random); string(full) != string(first)+" "+string(last) {
			t.Errorf("%s: %s is not %s %s", name, full, first, last)
		}
	}
}

func TestUnknown(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "de", "de-DE", "xx_XX"} {
		if Of(name) != nil {
			t.Errorf("%q is a locale", name)
		}
	}
}
