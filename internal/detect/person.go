package detect

import (
	"bytes"
	_ "embed"
	"hash/maphash"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// PersonWords say what a column of names looks like, as those of Column do.
const PersonWords = "a person's name"

//go:embed names/first.txt
var firstNames string

//go:embed names/last.txt
var lastNames string

// Bits of a name: of which lists it is.
const (
	isFirst = 1 << iota
	isFamily
)

// nameLists holds first and family names of all locales in lower case, with
// accents and without.
var nameLists = sync.OnceValue(func() map[string]byte {
	lists := map[string]byte{}
	for bit, text := range map[byte]string{isFirst: firstNames, isFamily: lastNames} {
		for line := range strings.Lines(text) {
			if strings.HasPrefix(line, "#") || strings.HasSuffix(line, ":\n") {
				continue
			}
			for name := range strings.FieldsSeq(line) {
				lists[name] |= bit
				lists[withoutMarks(name)] |= bit
			}
		}
	}
	return lists
})

func withoutMarks(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsMark(r) {
			return -1
		}
		return r
	}, norm.NFD.String(plainLetters.Replace(name)))
}

// Words of names that no list of names holds, and those of firms.
var (
	formsOfAddress = wordsOf("mr mrs ms mx dr prof sir dame herr frau mme mlle monsieur madame mademoiselle sr sra " +
		"srta señor señora don doña sig sig.ra signor signora dott dott.ssa dhr mevr mw pan pani fru senhor senhora " +
		"пан пані ing dipl")
	particles = wordsOf("von van vom zu zum zur de der den del della di da do dos das du la le el y e al ben bin ibn " +
		"ter ten te af av z")
	generations = wordsOf("jr sr ii iii iv phd md esq")
	legalForms  = wordsOf("gmbh ag kg ohg gbr ltd llc llp plc inc corp co sarl sas sa srl " +
		"spa snc bv nv ab oy as aps sl " +
		"ltda eireli тов фоп and und et i och")
)

func wordsOf(list string) map[string]bool {
	set := map[string]bool{}
	for w := range strings.FieldsSeq(list) {
		set[w] = true
	}
	return set
}

// Bounds in bytes: what is longer is no name, and no list of names.
const (
	longestName  = 64
	longestNames = 256
)

// likeness is how much a text looks like a person's name.
type likeness uint64

const (
	noName    likeness = iota
	someName           // one word of it is of the lists, or a form of address stands before
	wholeName          // a first name and a family name, both of the lists
)

// nameIn is how much a text looks like a person's name: a form of address and a
// name (Dr. Ada Byron), a list (Byron, Ada), or one to five words of letters of
// which one at an end is among the common first or family names of the locales;
// or like several full names with commas between (Ada Byron, Mary Miller). Alone
// it says little, since firms, towns and roses have such names too: see People.
// It allocates nothing.
func nameIn(text []byte) likeness {
	if len(text) <= longestName {
		if found := oneName(text); found != noName {
			return found
		}
	}
	if len(text) <= longestNames && areNames(text) {
		return wholeName
	}
	return noName
}

func oneName(text []byte) likeness {
	var n personName
	if !n.read(text) || n.count == 0 {
		return noName
	}
	told := false
	switch {
	case n.comma > 0:
		told = n.isList()
	case n.addressed:
		told = n.words[0].capital
	default:
		told = n.isFull()
	}
	switch {
	case told && n.isWhole():
		return wholeName
	case told:
		return someName
	}
	return noName
}

// areNames reports whether a text is nothing but two full names or more, with
// commas or semicolons between.
func areNames(text []byte) bool {
	parts := 0
	for len(text) > 0 {
		part := text
		end := bytes.IndexAny(text, ",;")
		if end >= 0 {
			part, text = text[:end], text[end+1:]
		} else {
			text = nil
		}
		part = bytes.TrimSpace(part)
		var n personName
		if len(part) > longestName || !n.read(part) || n.count < 2 || n.comma > 0 || !n.isFull() {
			return false
		}
		parts++
	}
	return parts > 1
}

// personName is a text cut into the words of a name.
type personName struct {
	words     [mostNames]nameWord
	count     int
	comma     int  // the words before the comma; 0: there is none
	addressed bool // a form of address stands before
	particle  bool // a word such as van stands after the first name
}

const mostNames = 5

// nameWord is what is known of a word.
type nameWord struct {
	lists            byte
	capital, initial bool
}

// read cuts the text; false where it is none of letters, or too long.
func (n *personName) read(text []byte) bool {
	for len(text) > 0 {
		size := wordLength(text)
		if size == 0 {
			return false
		}
		if !n.add(text[:size]) {
			return false
		}
		text = text[size:]
		if len(text) > 0 && text[0] == ',' {
			if n.comma > 0 || n.count == 0 {
				return false
			}
			n.comma = n.count
			text = text[1:]
		}
		if len(text) == 0 {
			break
		}
		if text[0] != ' ' {
			return false
		}
		text = text[1:]
	}
	return n.comma == 0 || n.comma < n.count
}

// wordLength is how many bytes the word has with which the text begins.
func wordLength(text []byte) int {
	i := 0
	for i < len(text) && text[i] != ' ' && text[i] != ',' {
		i++
	}
	return i
}

// add takes a word; false for one that no name has.
func (n *personName) add(word []byte) bool {
	var buffer [2 * longestName]byte
	low, ok := lowered(buffer[:0], word)
	if !ok {
		return false
	}
	w := nameWord{capital: isCapital(word), initial: utf8.RuneCount(low) == 1}
	switch {
	case n.count == n.comma && formsOfAddress[string(low)]:
		n.addressed = true
		return true
	case !w.capital && particles[string(low)]:
		n.particle = n.particle || n.count > 0
		return true
	case n.count > 0 && generations[string(low)]:
		return true
	case n.count == len(n.words), legalForms[string(low)]:
		return false
	}
	w.lists = listsOf(low)
	n.words[n.count] = w
	n.count++
	return true
}

// listsOf says of which lists a name is, also where its marks are characters of
// their own; of two names with a hyphen between, the first counts.
func listsOf(low []byte) byte {
	var buffer [2 * longestName]byte
	lists := nameLists()
	if found := lists[string(low)]; found != 0 {
		return found
	}
	low = appendMarkless(buffer[:0], low)
	if found := lists[string(low)]; found != 0 {
		return found
	}
	if i := slices.Index(low, '-'); i > 0 {
		return lists[string(low[:i])]
	}
	return 0
}

// lowered appends a word in lower case, without a dot at its end; false if it
// holds what is no letter, or no mark within a name.
func lowered(dst, word []byte) ([]byte, bool) {
	if len(word) > 1 && word[len(word)-1] == '.' {
		word = word[:len(word)-1]
	}
	for len(word) > 0 {
		r, size := utf8.DecodeRune(word)
		switch {
		case unicode.IsLetter(r), unicode.IsMark(r):
			dst = utf8.AppendRune(dst, unicode.ToLower(r))
		case r == '\'' || r == '’':
			dst = append(dst, '\'')
		case (r == '-' || r == '.') && len(dst) > 0:
			dst = append(dst, byte(r))
		default:
			return nil, false
		}
		word = word[size:]
	}
	return dst, true
}

// appendMarkless appends a word without the characters that are only marks.
func appendMarkless(dst, word []byte) []byte {
	for len(word) > 0 {
		r, size := utf8.DecodeRune(word)
		if !unicode.IsMark(r) {
			dst = append(dst, word[:size]...)
		}
		word = word[size:]
	}
	return dst
}

func isCapital(word []byte) bool {
	r, _ := utf8.DecodeRune(word)
	return unicode.IsUpper(r)
}

// isList reports whether it is a family name, a comma and a first name.
func (n *personName) isList() bool {
	family, first := n.words[n.comma-1], n.words[n.comma]
	if !family.capital || !first.capital {
		return false
	}
	return first.lists&isFirst != 0 || first.initial && family.lists&isFamily != 0
}

// isWhole reports whether a first and a family name of the lists stand at its ends;
// a particle tells that a family name follows.
func (n *personName) isWhole() bool {
	if n.count < 2 {
		return false
	}
	first, last := n.words[0].lists, n.words[n.count-1].lists
	if n.comma > 0 {
		first, last = n.words[n.comma].lists, n.words[n.comma-1].lists
	}
	if n.particle && n.comma == 0 {
		last |= isFamily
	}
	return first&isFirst != 0 && last&isFamily != 0 || n.comma == 0 && first&isFamily != 0 && last&isFirst != 0
}

// isFull reports whether the words are a name in the order of either end.
func (n *personName) isFull() bool {
	first, last := n.words[0], n.words[n.count-1]
	if n.count == 1 {
		return first.capital && !first.initial && first.lists != 0
	}
	if !first.capital || !last.capital { // so written, a name of which both ends are known
		return first.lists&isFirst != 0 && last.lists&isFamily != 0
	}
	return first.lists&isFirst != 0 || (first.initial || last.lists&isFirst != 0) &&
		(first.lists|last.lists)&isFamily != 0
}

// People tells whether a column's values are names of people. It keeps the
// lowest keyed hashes of its different values, so that it sees an even sample
// of them however many there are, and nothing of a value. One serves one
// goroutine.
type People struct {
	seed   maphash.Seed
	lowest []uint64 // ascending; the last bits of each are its likeness
}

const likenessBits = 3

const peopleSample = 256

// Where a column is one of names: of so many different values at least, so
// many of a hundred.
const (
	leastPeople = 20
	peopleShare = 60
)

// Where fewer values may be names: of so many at least, so many of a hundred are a
// first name with a family name.
const (
	leastFew = 3
	fewShare = 80
)

// NewPeople counts by a key. Those that are joined have the same.
func NewPeople(seed maphash.Seed) *People { return &People{seed: seed} }

// Add takes a value in UTF-8.
func (p *People) Add(value []byte) {
	if len(value) == 0 {
		return
	}
	hash := maphash.Bytes(p.seed, value[:min(len(value), longestName+1)]) &^ likenessBits
	if at, there := p.place(hash); !there && at < peopleSample {
		p.insert(at, hash|uint64(nameIn(value)))
	}
}

// Join takes what another has seen.
func (p *People) Join(other *People) {
	for _, hash := range other.lowest {
		if at, there := p.place(hash &^ likenessBits); !there && at < peopleSample {
			p.insert(at, hash)
		}
	}
}

// place is where a hash stands or would stand, and whether it does.
func (p *People) place(hash uint64) (at int, there bool) {
	n := len(p.lowest)
	if n == peopleSample && hash > p.lowest[n-1] {
		return n, false
	}
	at, _ = slices.BinarySearch(p.lowest, hash)
	return at, at < n && p.lowest[at]&^likenessBits == hash
}

func (p *People) insert(at int, hash uint64) {
	if len(p.lowest) < peopleSample {
		p.lowest = append(p.lowest, 0)
	}
	copy(p.lowest[at+1:], p.lowest[at:])
	p.lowest[at] = hash
}

// Sampled is how many different values were looked at, and how many of them
// look like names of people.
func (p *People) Sampled() (names, values int) {
	for _, hash := range p.lowest {
		if likeness(hash&likenessBits) != noName {
			names++
		}
	}
	return names, len(p.lowest)
}

// FoundFew reports whether the values are too few for Found, and four of five of at
// least three different ones are a first name with a family name.
func (p *People) FoundFew() bool {
	whole := 0
	for _, hash := range p.lowest {
		if likeness(hash&likenessBits) == wholeName {
			whole++
		}
	}
	values := len(p.lowest)
	return leastFew <= values && values < leastPeople && 100*whole >= fewShare*values
}

// Found reports whether the column is one of people's names: three of five of
// at least twenty different values look so.
func (p *People) Found() bool {
	names, values := p.Sampled()
	return values >= leastPeople && 100*names >= peopleShare*values
}
