// Package detect is the one list of what a sensitive value looks like: by the
// words of a column's name, and by content where a checksum or a rigid syntax
// tells. It knows neither rows nor servers, keeps nothing of what it is shown
// and never repeats it.
package detect

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Kind is what the content of a value was told to be.
type Kind uint8

// The kinds that content tells. Names, addresses and dates of birth have no
// syntax: see Named.
const (
	Email      Kind = iota
	Phone           // E.164, with its plus sign; of North America also with the area in brackets
	Card            // a payment card: length, issuer and Luhn
	IBAN            // length by country, and modulo 97
	IP              // IPv4, IPv6 and MAC addresses
	NationalID      // official numbers with a checksum, or of rigid syntax
	Secret          // keys, tokens and password hashes of rigid syntax
	kinds
)

var kindNames = [kinds]string{"email", "phone", "card", "iban", "ip", "national_id", "secret"}

// String is the kind's name as drill files write it.
func (k Kind) String() string { return kindNames[k] }

var kindWords = [kinds]string{"an e-mail address", "a phone number", "a card number", "an IBAN", "a network address",
	"an official number", "a secret"}

// Words say what the value looks like, as in "holds …".
func (k Kind) Words() string { return kindWords[k] }

// Names are the names of all kinds, as drill files write them.
func Names() []string { return slices.Clone(kindNames[:]) }

// Kinds are all of them.
func Kinds() []Kind { return []Kind{Email, Phone, Card, IBAN, IP, NationalID, Secret} }

// Set holds kinds.
type Set uint16

// All holds every kind.
const All = Set(1<<kinds - 1)

// Of is the set of these kinds.
func Of(all ...Kind) Set {
	var s Set
	for _, k := range all {
		s |= 1 << k
	}
	return s
}

// Named is the set of the kinds of these names.
func Named(names ...string) (Set, error) {
	var s Set
	for _, n := range names {
		i := slices.Index(kindNames[:], n)
		if i < 0 {
			return 0, fmt.Errorf("%q is not a detector: there are %s", n, strings.Join(kindNames[:], ", "))
		}
		s |= 1 << i
	}
	return s, nil
}

// Has tells whether the set holds a kind.
func (s Set) Has(k Kind) bool { return s&(1<<k) != 0 }

// Hit is a place in a text, from its byte From up to To.
type Hit struct {
	Kind     Kind
	From, To int
}

// Scanner looks for some kinds. It may be used by several goroutines at once;
// copies are well.
type Scanner struct {
	set   Set
	allow []*regexp.Regexp
}

// NewScanner makes a scanner for kinds, without the hits that one of the
// patterns matches.
func NewScanner(set Set, allow ...*regexp.Regexp) Scanner { return Scanner{set, allow} }

// Only is a scanner for those of its kinds that are also among these.
func (s Scanner) Only(kinds ...Kind) Scanner { return Scanner{s.set & Of(kinds...), s.allow} }

// Named is the scanner for a column of this name: where the name says version
// or release, four numbers between dots are one, and no network address.
func (s Scanner) Named(column string) Scanner {
	if words := splitWords(column); len(words) > 0 && known().versions.has(words[len(words)-1]) {
		s.set &^= Of(IP)
	}
	return s
}

// Looks tells whether the scanner looks for anything.
func (s Scanner) Looks() bool { return s.set != 0 }

// Shortest is the length of the shortest text that holds anything: a@b.de.
const Shortest = 6

// CardDigits are the digits of the shortest card number.
const CardDigits = minCard

// Find returns the first hit of the first kind found in a text, as a whole or
// between word boundaries. It allocates nothing unless it meets something of
// the shape that it looks for.
func (s Scanner) Find(text []byte) (Hit, bool) {
	if len(text) < Shortest {
		return Hit{}, false
	}
	n := count(text)
	if n == (counts{}) {
		return Hit{}, false
	}
	in := search{counts: n}
	for _, kind := range order {
		if !s.set.Has(kind) || !n.worth(kind, len(text)) {
			continue
		}
		if at, end := s.next(kind, text, 0, &in); at >= 0 {
			return Hit{kind, at, end}, true
		}
	}
	return Hit{}, false
}

// Each tells all hits of every kind in a text. Those of two kinds may overlap:
// what hides one of them elsewhere must not hide the other.
func (s Scanner) Each(text []byte, tell func(Hit)) {
	if len(text) < Shortest {
		return
	}
	in := search{counts: count(text)}
	for _, kind := range order {
		if !s.set.Has(kind) || !in.worth(kind, len(text)) {
			continue
		}
		for at, end := s.next(kind, text, 0, &in); at >= 0; at, end = s.next(kind, text, end, &in) {
			tell(Hit{kind, at, end})
		}
	}
}

// next is the first hit of one kind at or behind from that nobody allows; -1
// for none.
func (s Scanner) next(k Kind, text []byte, from int, in *search) (at, end int) {
	for from < len(text) {
		at, end = in.next(k, text, from)
		if at < 0 || !s.allowed(text[at:end]) {
			return at, end
		}
		from = end
	}
	return -1, -1
}

func (s Scanner) allowed(found []byte) bool {
	for _, a := range s.allow {
		if a.Match(found) {
			return true
		}
	}
	return false
}

// order is that in which kinds are looked for: a password in a connection's URL
// looks like an address.
var order = [...]Kind{Secret, Email, Phone, IBAN, Card, NationalID, IP}

// search is what is known of one text. A kind of which several signs tell
// remembers where each of them is met next: to look from every hit to the end
// again would take a time that grows by the square.
type search struct {
	counts
	secrets [len(markers)]finding
	emails  [len(ats)]finding
	phones  [len(openings)]finding
}

// finding is the next place of a sign; last is 0 where nobody has looked, and
// below where there is none. No value of a row is longer than these reach, and
// of every text that is looked at all of them are cleared first.
type finding struct{ first, last int32 }

// seek looks for the next place at or behind from, by next, unless it is known.
func (f *finding) seek(sign byte, text []byte, from int,
	next func(text []byte, from int, sign byte) (first, last int)) {
	if f.last < 0 || f.last > 0 && int(f.first) >= from {
		return
	}
	first, last := next(text, from, sign)
	if last == 0 {
		last = -1
	}
	*f = finding{int32(first), int32(last)}
}

// before takes the place if it is nearer than what was found until now; at is
// -1 where nothing was.
func (f *finding) before(at, end int) (int, int) {
	if f.last > 0 && (at < 0 || int(f.first) < at) {
		return int(f.first), int(f.last)
	}
	return at, end
}

// next is the first hit of a kind at or behind from; -1 for none.
func (s *search) next(k Kind, text []byte, from int) (at, end int) {
	switch k {
	case Secret:
		return s.nextSecret(text, from)
	case Email:
		return s.nextEmail(text, from)
	case Phone:
		return s.nextPhone(text, from)
	case IBAN:
		return nextIBAN(text, from)
	case Card:
		return nextCard(text, from)
	case NationalID:
		return nextOfficial(text, from)
	case IP:
		return nextAddress(text, from)
	}
	return -1, -1
}

// worth tells whether a text of which this was counted can hold any.
func (n *counts) worth(k Kind, length int) bool {
	switch k {
	case Email:
		return n.ats > 0 && n.dots > 0
	case Secret:
		return length >= awsLength && n.capitals+n.joints+n.dashes+n.ats+n.colons > 0
	case Phone:
		return n.pluses > 0 && n.digits >= minPhone || n.dashes > 0 && n.digits >= bracketDigits
	case IBAN:
		return n.digits >= minIBANDigits
	case Card:
		return n.digits >= minCard
	case NationalID:
		return n.digits >= minOfficialDigits
	case IP:
		return n.dots >= 3 && n.digits >= 4 || n.colons >= 3
	}
	return false
}

// counts says how many of the bytes are there without which nothing is found.
type counts struct {
	digits, pluses, dots, colons, dashes int
	ats                                  int // @, and % that may stand for one
	joints                               int // _, $ and =
	capitals                             int // the letters that tell prefixes of secrets
}

// Shifts of the counters that are packed into one word.
const (
	digitsAt = 8 * iota
	atsAt
	plusesAt
	dotsAt
	colonsAt
	dashesAt
	jointsAt
	capitalsAt
)

// lanes adds one to the counter of a byte: eight counters of eight bits.
var lanes = func() (t [256]uint64) {
	for c := '0'; c <= '9'; c++ {
		t[c] = 1 << digitsAt
	}
	for c, shift := range map[byte]int{'@': atsAt, '%': atsAt, '+': plusesAt, '.': dotsAt, ':': colonsAt, '-': dashesAt,
		'_': jointsAt, '$': jointsAt, '=': jointsAt,
		'K': capitalsAt, 'S': capitalsAt, 'G': capitalsAt, 'J': capitalsAt, 'z': capitalsAt} {
		t[c] = 1 << shift
	}
	return t
}()

// count counts in one pass, one addition a byte.
func count(text []byte) (n counts) {
	const most = 255 // before a counter overflows
	for len(text) > most {
		n.add(sum(text[:most]))
		text = text[most:]
	}
	n.add(sum(text))
	return n
}

func sum(text []byte) uint64 {
	var a, b, c, d uint64
	for len(text) >= 8 {
		a += lanes[text[0]] + lanes[text[4]]
		b += lanes[text[1]] + lanes[text[5]]
		c += lanes[text[2]] + lanes[text[6]]
		d += lanes[text[3]] + lanes[text[7]]
		text = text[8:]
	}
	for _, x := range text {
		a += lanes[x]
	}
	return a + b + c + d
}

func (n *counts) add(packed uint64) {
	if packed == 0 {
		return
	}
	lane := func(shift int) int { return int(packed >> shift & 0xff) }
	n.digits += lane(digitsAt)
	n.ats += lane(atsAt)
	n.pluses += lane(plusesAt)
	n.dots += lane(dotsAt)
	n.colons += lane(colonsAt)
	n.dashes += lane(dashesAt)
	n.joints += lane(jointsAt)
	n.capitals += lane(capitalsAt)
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
func isUpper(c byte) bool { return 'A' <= c && c <= 'Z' }
func isLetter(c byte) bool {
	c |= 0x20
	return 'a' <= c && c <= 'z'
}

// isWord tells the bytes that make up words; those of other scripts do.
func isWord(c byte) bool { return isDigit(c) || isLetter(c) || c >= 0x80 }

// starts tells whether a word may begin at i.
func starts(text []byte, i int) bool { return i == 0 || !isWord(text[i-1]) }

// ends tells whether a word may end before i.
func ends(text []byte, i int) bool { return i == len(text) || !isWord(text[i]) }
