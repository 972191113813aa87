package detect

import (
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Family is what a column's type can hold, as far as names matter.
type Family uint8

// The families whose columns a name tells something about.
const (
	Text   Family = iota
	Number        // whole or not, and money
	Time          // dates and timestamps
)

// Column says what a column's values look like by its own and its table's name
// and by its type, or nothing, and which transform would suit them.
//
// The name is cut into words, and a word that is nothing but known words run
// together is cut too. Each kind has words that tell by themselves, and words
// that tell only in tables of people or the like, or beside a word for a
// person. The last word decides first whether the column holds the value or
// something about it.
//
// Better a column too many, which costs a line with its why in the drill file,
// than one too few.
func Column(table, column string, f Family) (what, transform string) {
	if vocab().knowsNothingOf(column) {
		return "", ""
	}
	n := newName(column)
	if !n.mayTell() {
		return "", ""
	}
	n.table = vocab().apart(splitWords(table))
	if n.isAbout(f) {
		return "", ""
	}
	for i := range nameKinds {
		k := &nameKinds[i]
		if k.fits(f) && n.tells(i) {
			return k.what, k.fitting(f)
		}
	}
	return "", ""
}

// AppendShape appends a name so that Column judges it as before, with a low line in
// the place of all that stands between its letters: names that differ in their numbers
// alone have one shape.
func AppendShape(dst []byte, name []byte) []byte {
	between := false
	for _, c := range name {
		if c < 0x80 && !isLetter(c) {
			between = true
			continue
		}
		if between {
			dst = append(dst, '_')
			between = false
		}
		dst = append(dst, c)
	}
	return dst
}

func (k *nameKind) fits(f Family) bool {
	switch f {
	case Text:
		return true
	case Number:
		return k.numbers
	case Time:
		return k.dates
	}
	return false
}

// fitting is the transform to propose for a column of this family.
func (k *nameKind) fitting(f Family) string {
	switch {
	case f == Number && k.transform != "card" && k.transform != "position":
		return "number"
	case f != Number && k.transform == "number":
		return "text"
	}
	return k.transform
}

// columnName is a column's name and its table's, cut into words.
type columnName struct {
	words, table []string
	phrases      []phrase
	whole        []string // its words before what is run together was cut
}

// phrase is the words of a name from one up to another.
type phrase struct {
	text     string
	from, to int
}

// longestPhrase is how many words tell only side by side.
const longestPhrase = 4

// newName is a column's name, without its table's.
func newName(column string) columnName {
	whole := splitWords(column)
	n := columnName{words: vocab().apart(whole), whole: whole}
	for from := range n.words {
		for to := from + 1; to <= min(len(n.words), from+longestPhrase); to++ {
			n.phrases = append(n.phrases, phrase{strings.Join(n.words[from:to], "_"), from, to})
		}
	}
	return n
}

// mayTell reports whether the name holds what tells of any kind, in some table. Most
// keys of documents do not.
func (n columnName) mayTell() bool {
	k := vocab()
	if slices.ContainsFunc(n.phrases, func(p phrase) bool { return k.told.has(p.text) }) {
		return true
	}
	return slices.ContainsFunc(n.whole, k.holdsInside)
}

// isAbout reports whether the column holds something about a value: so says
// the last word, but at the end of a phrase that tells, as in marital_status.
func (n columnName) isAbout(f Family) bool {
	k := vocab()
	last := n.words[len(n.words)-1]
	if f == Number && k.amounts.has(last) {
		return true
	}
	if len(n.words) == 1 {
		return false
	}
	if k.aboutFirst.has(n.words[0]) {
		return true
	}
	return n.endsIn(k.about) || k.about.has(last) && !n.endsIn(k.told)
}

// endsIn reports whether the name ends in one of these phrases of several words.
func (n columnName) endsIn(phrases wordSet) bool {
	return slices.ContainsFunc(n.phrases, func(p phrase) bool {
		return p.to == len(n.words) && p.to-p.from > 1 && phrases.has(p.text)
	})
}

// tells reports whether the name says that the column holds values of a kind.
func (n columnName) tells(kind int) bool {
	k := &nameKinds[kind]
	if k.prose && n.inOwnWords() || k.places && n.inPlaces() {
		return false
	}
	words := vocab().kinds[kind]
	for _, p := range n.phrases {
		if words.told.has(p.text) && n.holdsFor(k, words, p) {
			return true
		}
	}
	return slices.ContainsFunc(n.whole, func(w string) bool {
		return slices.ContainsFunc(k.inside, func(stem string) bool { return strings.Contains(w, stem) })
	})
}

// holdsFor reports whether what else stands in the name and its table lets a
// phrase tell a kind.
func (n columnName) holdsFor(k *nameKind, words kindLexicon, p phrase) bool {
	before, after := n.words[:p.from], n.words[p.to:]
	if k.within != nil {
		lets := words.beside.hasSingular
		if len(before) > 0 && lets(before[len(before)-1]) || len(after) > 0 && lets(after[0]) {
			return true // guest_name is one, whatever else stands there
		}
		if !n.isTable(words.tables) && !slices.ContainsFunc(before, lets) && !slices.ContainsFunc(after, lets) {
			return false
		}
	}
	hasWeight := func(w string) bool { return !n.isLight(w) }
	return !k.alone || !slices.ContainsFunc(before, hasWeight) && !slices.ContainsFunc(after, hasWeight)
}

// isTable reports whether the table is one of these, and not one of what they
// are or may choose from.
func (n columnName) isTable(of wordSet) bool {
	if !slices.ContainsFunc(n.table, of.hasSingular) || n.inOwnWords() {
		return false
	}
	last := n.table[len(n.table)-1]
	return of.hasSingular(last) || !vocab().grades.hasSingular(last)
}

// isLight reports whether a word has no weight: it is the table's own, also
// shortened, somebody's, or such that nothing depends on it.
func (n columnName) isLight(word string) bool {
	const shortened = 3
	k := vocab()
	if k.light.has(word) || k.people.hasSingular(word) {
		return true
	}
	return slices.ContainsFunc(n.table, func(t string) bool {
		return len(word) >= shortened && strings.HasPrefix(t, word)
	})
}

// inOwnWords reports whether the table holds the product's own words. Its last
// word decides, or else its first, as in tipos_documento.
func (n columnName) inOwnWords() bool {
	k := vocab()
	if len(n.table) == 0 || k.people.hasSingular(n.table[len(n.table)-1]) {
		return false
	}
	return k.own.hasSingular(n.table[len(n.table)-1]) || k.own.hasSingular(n.table[0])
}

// inPlaces reports whether the table lists places.
func (n columnName) inPlaces() bool { return slices.ContainsFunc(n.table, vocab().places.hasSingular) }

// wordSet holds words, and phrases with _ between their words.
type wordSet map[string]struct{}

func (s wordSet) has(word string) bool {
	_, found := s[word]
	return found
}

// hasSingular reports whether the set holds a word, or more than one of it.
func (s wordSet) hasSingular(w string) bool {
	return s.has(w) || s.has(strings.TrimSuffix(w, "s")) || s.has(strings.TrimSuffix(w, "es")) ||
		s.has(strings.TrimSuffix(w, "ies")+"y")
}

func (s wordSet) add(l lexicon) {
	for _, words := range l {
		for w := range strings.FieldsSeq(words) {
			s[w] = struct{}{}
		}
	}
}

// addParts adds words, and the words of phrases.
func (s wordSet) addParts(l lexicon) {
	for _, words := range l {
		for w := range strings.FieldsFuncSeq(words, func(r rune) bool { return r == ' ' || r == '_' }) {
			s[w] = struct{}{}
		}
	}
}

func setOf(lexicons ...lexicon) wordSet {
	s := wordSet{}
	for _, l := range lexicons {
		s.add(l)
	}
	return s
}

// kindLexicon are the words of one kind.
type kindLexicon struct {
	told           wordSet
	tables, beside wordSet // empty: everywhere
}

// vocabulary is all that is known of words.
type vocabulary struct {
	kinds             []kindLexicon // as nameKinds
	people, grades    wordSet
	own, places       wordSet
	about, aboutFirst wordSet
	amounts, versions wordSet
	light             wordSet
	told              wordSet // of all kinds
	inside            []string
	insideStarts      beginnings
	all               wordSet    // the words of all, phrases in their parts
	allStarts         beginnings // of one of them, or of more than one
}

var vocab = sync.OnceValue(func() *vocabulary {
	v := &vocabulary{
		people: setOf(peopleWords), grades: setOf(gradeWords),
		own: setOf(ownWords), places: setOf(placeWords),
		about: setOf(aboutWords), aboutFirst: setOf(aboutFirst),
		amounts: setOf(amountWords), versions: setOf(versionWords),
		light: setOf(lightWords),
		all:   setOf(peopleWords, peopleTables, aboutWords, lightWords, joinedWords, ownWords, gradeWords),
		told:  wordSet{},
	}
	for _, k := range nameKinds {
		v.add(k)
	}
	for word := range v.all {
		for _, form := range []string{word, word + "s", word + "es", strings.TrimSuffix(word, "y") + "ies"} {
			v.allStarts.add(form)
		}
	}
	return v
})

func (v *vocabulary) add(k nameKind) {
	words := kindLexicon{told: setOf(k.words)}
	if k.within != nil {
		words.tables = setOf(k.within.tables...)
		words.beside = setOf(k.within.beside...)
	}
	v.kinds = append(v.kinds, words)
	v.told.add(k.words)
	v.inside = append(v.inside, k.inside...)
	v.all.addParts(k.words)
	for _, stem := range k.inside {
		v.all[stem] = struct{}{}
		v.insideStarts.add(stem)
	}
}

// apart cuts words that are nothing but known words run together.
func (v *vocabulary) apart(words []string) []string {
	var all []string
	for _, w := range words {
		all = append(all, v.cut(w)...)
	}
	return all
}

// cut cuts a word into the fewest known ones; one that is known, or does not
// consist of known ones, stays.
func (v *vocabulary) cut(word string) []string {
	const longest = 40 // names of PostgreSQL's have 63 bytes, and few words are as long
	beginsLikeNone := len(word) >= startLength && !v.mayStart(word)
	if beginsLikeNone || len(word) > longest || v.all.hasSingular(word) {
		return []string{word}
	}
	best := make([][]string, len(word)+1) // the fewest words up to here
	best[0] = []string{}
	for start := range word {
		if best[start] == nil || !v.mayStart(word[start:]) {
			continue
		}
		for end := start + 1; end <= len(word); end++ {
			part := word[start:end]
			if !v.isPart(part) {
				continue
			}
			if best[end] == nil || len(best[start])+1 <= len(best[end]) { // the longer first word, as in form_name
				best[end] = append(slices.Clip(best[start]), part)
			}
		}
	}
	if best[len(word)] == nil {
		return []string{word}
	}
	return best[len(word)]
}

// isPart reports whether a longer word may hold this one.
func (v *vocabulary) isPart(part string) bool {
	if len(part) < startLength {
		return slices.Contains(shortParts, part)
	}
	return v.all.hasSingular(part)
}

// shortParts are the words of two letters that longer ones may hold.
var shortParts = []string{"ip", "id", "no", "nr"}

// mayStart reports whether a text may begin with what isPart.
func (v *vocabulary) mayStart(text string) bool {
	return v.allStarts.mayBegin(text) || len(text) > 1 && slices.Contains(shortParts, text[:2])
}

// knowsNothingOf reports whether a name is one word in small letters that begins like
// no word and holds no stem, as most keys of documents that are values do.
func (v *vocabulary) knowsNothingOf(name string) bool {
	for i := range len(name) {
		if !isLower(name[i]) {
			return false
		}
	}
	return len(name) >= startLength && !v.mayStart(name) && !v.holdsInside(name)
}

// holdsInside reports whether a word holds a stem that tells within a longer one.
func (v *vocabulary) holdsInside(word string) bool {
	for i := range word {
		rest := word[i:]
		if v.insideStarts.mayBegin(rest) &&
			slices.ContainsFunc(v.inside, func(stem string) bool { return strings.HasPrefix(rest, stem) }) {
			return true
		}
	}
	return false
}

// splitWords cuts snake_case, camelCase and kebab-case into lower-case words
// without accents; digits end a word and are dropped.
func splitWords(s string) []string {
	if strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) {
		return splitRunes(s)
	}
	return splitASCII(s)
}

func splitRunes(s string) []string {
	var words []string
	var word []rune
	end := func() {
		if len(word) > 0 {
			words = append(words, string(word))
			word = word[:0]
		}
	}
	runes := []rune(norm.NFD.String(plainLetters.Replace(s)))
	for i, r := range runes {
		switch {
		case unicode.IsMark(r):
			continue
		case !unicode.IsLetter(r):
			end()
			continue
		case unicode.IsUpper(r) && startsWord(runes, i):
			end()
		}
		word = append(word, unicode.ToLower(r))
	}
	end()
	return words
}

// splitASCII does the same with what is written in ASCII, as most names are.
func splitASCII(s string) (words []string) {
	begin := 0
	end := func(i int) {
		if begin < i {
			words = append(words, strings.ToLower(s[begin:i]))
		}
		begin = i
	}
	for i := range len(s) {
		switch c := s[i]; {
		case !isLetter(c):
			end(i)
			begin = i + 1
		case isUpper(c) && i > 0 && (isLower(s[i-1]) || i+1 < len(s) && isLower(s[i+1])):
			end(i)
		}
	}
	end(len(s))
	return words
}

// plainLetters replaces the letters that are more than one with a mark.
var plainLetters = strings.NewReplacer("ß", "ss", "ł", "l", "Ł", "L", "ø", "o", "Ø", "O", "æ", "ae", "Æ", "AE")

// startsWord reports for an upper-case letter whether a word begins with it: as
// in userEmail and IPAddress, not in USERID.
func startsWord(runes []rune, i int) bool {
	if i == 0 {
		return false
	}
	return unicode.IsLower(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])
}
