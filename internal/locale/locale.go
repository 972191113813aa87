// Package locale holds what made-up people, streets, cities and companies are
// called, for several locales. It knows words and how they are put together. It
// must never know what they replace: equal numbers make equal phrases, whoever
// asks.
package locale

import (
	"maps"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// Default is the locale of a rule for which none is named.
const Default = "en_US"

// Locale is how things are called in one language of one country.
type Locale struct {
	FirstName, LastName, Name, Street, City, Company Phrase

	Characters string // all that a phrase can hold, each once
}

// locales are made when first asked for; each has a file of its own.
var locales = map[string]func() *Locale{
	Default: sync.OnceValue(enUS.locale),
	"de_DE": sync.OnceValue(deDE.locale),
	"es_ES": sync.OnceValue(esES.locale),
	"fr_FR": sync.OnceValue(frFR.locale),
	"it_IT": sync.OnceValue(itIT.locale),
	"nl_NL": sync.OnceValue(nlNL.locale),
	"pl_PL": sync.OnceValue(plPL.locale),
	"pt_BR": sync.OnceValue(ptBR.locale),
	"sv_SE": sync.OnceValue(svSE.locale),
	"uk_UA": sync.OnceValue(ukUA.locale),
}

// Locales are the names of all, sorted: language and country as in the names
// of the C library's locales.
func Locales() []string { return slices.Sorted(maps.Keys(locales)) }

// Of finds a locale by its name; nil if there is none.
func Of(name string) *Locale {
	if found := locales[name]; found != nil {
		return found()
	}
	return nil
}

// Phrase is a text of which parts are drawn. It is not changed once made, and
// may be used by several goroutines at once.
type Phrase []phrasePart

// phrasePart is a text that stays, or one that is drawn: a word of a list, or the
// number of a house.
type phrasePart struct {
	text  string
	words []string
	house bool
	draw  int // by which of the random numbers
}

const houses = 199 // they are numbered from 1

// Append appends the phrase to dst, in UTF-8; equal numbers make equal phrases.
func (p Phrase) Append(dst []byte, random *[4]uint64) []byte {
	for i := range p {
		part := &p[i]
		switch {
		case part.house:
			dst = strconv.AppendUint(dst, 1+below(random[part.draw], houses), 10)
		case part.words != nil:
			dst = append(dst, part.words[below(random[part.draw], uint64(len(part.words)))]...)
		default:
			dst = append(dst, part.text...)
		}
	}
	return dst
}

// below spreads random evenly over 0 … n-1.
func below(random, n uint64) uint64 {
	hi, _ := bits.Mul64(random, n)
	return hi
}

// Longest is how many characters the phrase has at most.
func (p Phrase) Longest() int {
	n := 0
	for _, part := range p {
		n += utf8.RuneCountInString(part.longest())
	}
	return n
}

func (p phrasePart) longest() string {
	switch {
	case p.house:
		return strconv.Itoa(houses)
	case p.words != nil:
		return slices.MaxFunc(p.words, byLength)
	}
	return p.text
}

func byLength(a, b string) int { return utf8.RuneCountInString(a) - utf8.RuneCountInString(b) }

// Extremes are phrases in which every character stands that the phrase can
// hold, with the shortest and the longest words: what refuses some phrases
// refuses one of these, if it goes by length or by characters.
func (p Phrase) Extremes() []string {
	var all []string
	for i, part := range p {
		for _, word := range part.extremes() {
			all = append(all, p.with(i, word))
		}
	}
	return all
}

// with is the phrase with a word as the part i, and the first words elsewhere.
func (p Phrase) with(i int, word string) string {
	var b strings.Builder
	for j, part := range p {
		switch {
		case j == i:
			b.WriteString(word)
		case part.house:
			b.WriteString("1")
		case part.words != nil:
			b.WriteString(part.words[0])
		default:
			b.WriteString(part.text)
		}
	}
	return b.String()
}

func (p phrasePart) extremes() []string {
	switch {
	case p.house:
		return []string{"1", strconv.Itoa(houses)}
	case p.words == nil:
		return nil
	}
	all := []string{slices.MinFunc(p.words, byLength), slices.MaxFunc(p.words, byLength)}
	seen := strings.Join(all, "")
	for _, w := range p.words {
		if strings.Trim(w, seen) != "" {
			all = append(all, w)
			seen = seen + w
		}
	}
	return all
}

// characters are all that phrases can hold, each once.
func characters(phrases ...Phrase) string {
	seen := map[rune]bool{}
	for _, p := range phrases {
		for _, text := range p.Extremes() {
			for _, r := range text {
				seen[r] = true
			}
		}
	}
	return string(slices.Sorted(maps.Keys(seen)))
}

// lists are what a locale is made of: words between commas, and how streets
// and companies are put together of {house}, {street}, {last} and {form}.
type lists struct {
	first, last, cities, streets, forms string
	street, company                     string
}

func (l lists) locale() *Locale {
	return newLocale(map[string][]string{
		"first": split(l.first), "last": split(l.last), "street": split(l.streets), "form": split(l.forms),
		"city": split(l.cities),
	}, l.street, l.company)
}

func split(list string) []string {
	words := strings.Split(list, ",")
	for i, w := range words {
		words[i] = strings.TrimSpace(w)
	}
	return words
}

func newLocale(words map[string][]string, street, company string) *Locale {
	last := phrase("{last}", words)
	last[0].draw = 1 // as in a full name: a template may hold both
	l := &Locale{
		FirstName: phrase("{first}", words), LastName: last, Name: phrase("{first} {last}", words),
		Street: phrase(street, words), City: phrase("{city}", words), Company: phrase(company, words),
	}
	l.Characters = characters(l.Name, l.Street, l.City, l.Company)
	return l
}

// phrase reads {words} between what stays. Each that is drawn has the next
// random number.
func phrase(pattern string, words map[string][]string) Phrase {
	var p Phrase
	draw := 0
	for pattern != "" {
		text, rest, found := strings.Cut(pattern, "{")
		if text != "" {
			p = append(p, phrasePart{text: text})
		}
		if !found {
			break
		}
		name, after, _ := strings.Cut(rest, "}")
		p = append(p, phrasePart{words: words[name], house: name == "house", draw: draw})
		draw, pattern = draw+1, after
	}
	return p
}
