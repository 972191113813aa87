// Package detect is the one list of what a sensitive value looks like: by the
// words of a column's name, and by content where a checksum or a rigid syntax
// tells. It knows neither rows nor servers, keeps nothing of what it is shown
// and never repeats it.
package detect

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/bits"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Kind is what the content of a value was told to be.
type Kind uint8

// The kinds that content tells. Names, addresses and dates of birth have no
// syntax: see Named.
const (
	Email      Kind = iota
	Phone           // with a country's code; of North America also with the area in brackets; others by a word
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

// Has reports whether the set holds a kind.
func (s Set) Has(k Kind) bool { return s&(1<<k) != 0 }

// Confidence says how sure a hit is.
type Confidence uint8

const (
	// Certain is what a checksum, a rigid syntax or a word beside it tells.
	Certain Confidence = iota
	// Doubtful is what may be something else: a version, a part's number. One
	// of them says little of a column, several say much.
	Doubtful
)

// String is "certain" or "doubtful".
func (c Confidence) String() string {
	if c == Certain {
		return "certain"
	}
	return "doubtful"
}

// Hit is a place in a text, from its byte From up to To.
type Hit struct {
	Kind       Kind
	Confidence Confidence
	From, To   int
}

// span is a place in a text where a kind was found; to is 0 for none.
type span struct {
	at, to int
	doubt  Confidence
}

// or is the one of two places that begins first.
func (s span) or(other span) span {
	if other.to > 0 && (s.to == 0 || other.at < s.at) {
		return other
	}
	return s
}

// Scanner looks for some kinds. It is safe for concurrent use, and may be
// copied.
type Scanner struct {
	set   Set
	allow []*regexp.Regexp
}

// NewScanner makes a scanner for kinds, without the hits that one of the
// patterns matches.
func NewScanner(set Set, allow ...*regexp.Regexp) Scanner { return Scanner{set, allow} }

// Only is a scanner for those of its kinds that are also among these.
func (s Scanner) Only(these ...Kind) Scanner { return Scanner{s.set & Of(these...), s.allow} }

// Named is the scanner for a column of this name: where the name says version
// or release, four numbers between dots are one, and no network address.
func (s Scanner) Named(column string) Scanner {
	if words := splitWords(column); len(words) > 0 && vocab().versions.has(words[len(words)-1]) {
		s.set &^= Of(IP)
	}
	return s
}

// Looks reports whether the scanner looks for anything.
func (s Scanner) Looks() bool { return s.set != 0 }

// Shortest is the length of the shortest text that holds anything: a@b.de.
const Shortest = 6

// CardDigits are the digits of the shortest card number.
const CardDigits = minCard

// Find returns a hit in a text, as a whole or between word boundaries: the
// first certain one of the first kind found, else the first doubtful one. It
// allocates nothing unless it meets something of the shape that it looks for.
func (s Scanner) Find(text []byte) (Hit, bool) {
	if len(text) < Shortest {
		return Hit{}, false
	}
	n := count(text)
	if n == (counts{}) {
		return Hit{}, false
	}
	hit := s.first(text, n)
	if hit.To == 0 || hit.Confidence == Doubtful {
		if mark := n.firstMark(text); mark >= 0 {
			hit = s.firstFolded(text, mark, hit)
		}
	}
	return hit, hit.To > 0
}

// firstFolded is the first certain hit that marks hide, the first of which is
// given; else hit, or the first doubtful one.
func (s *Scanner) firstFolded(text []byte, mark int, hit Hit) Hit {
	s.eachFolded(text, mark, func(h Hit) bool {
		if hit.To == 0 || h.Confidence < hit.Confidence {
			hit = h
		}
		return hit.Confidence != Certain
	})
	return hit
}

// first is Find in a text as it stands; To is 0 for none.
func (s *Scanner) first(text []byte, n counts) (doubtful Hit) {
	worth := s.set & n.worth(text)
	if worth == 0 {
		return Hit{}
	}
	in := search{counts: n, wordless: n.others(text) < fewLetters}
	for _, kind := range order {
		if !worth.Has(kind) {
			continue
		}
		for found := s.next(kind, text, 0, &in); found.to > 0; found = s.next(kind, text, found.to, &in) {
			hit := Hit{kind, found.doubt, found.at, found.to}
			if found.doubt == Certain {
				return hit
			}
			if doubtful.To == 0 {
				doubtful = hit
			}
		}
	}
	return doubtful
}

// Each tells all hits of every kind in a text. Those of two kinds may overlap:
// what hides one of them elsewhere must not hide the other.
func (s Scanner) Each(text []byte, tell func(Hit)) {
	if len(text) < Shortest {
		return
	}
	n := count(text)
	s.each(text, n, func(h Hit) bool { tell(h); return true })
	if mark := n.firstMark(text); mark >= 0 {
		s.eachFolded(text, mark, func(h Hit) bool { tell(h); return true })
	}
}

// each tells the hits in a text as it stands, until tell returns false.
func (s *Scanner) each(text []byte, n counts, tell func(Hit) bool) bool {
	worth := s.set & n.worth(text)
	if worth == 0 {
		return true
	}
	in := search{counts: n, wordless: n.others(text) < fewLetters}
	for _, kind := range order {
		if !worth.Has(kind) {
			continue
		}
		for found := s.next(kind, text, 0, &in); found.to > 0; found = s.next(kind, text, found.to, &in) {
			if !tell(Hit{kind, found.doubt, found.at, found.to}) {
				return false
			}
		}
	}
	return true
}

// next is the first hit of one kind at or behind from that is readable and that
// nobody allows.
func (s *Scanner) next(k Kind, text []byte, from int, in *search) span {
	for from < len(text) && !in.binary {
		found := in.next(k, text, from)
		switch {
		case found.to == 0:
			return span{}
		case !readable(text, found):
			in.binary = true
			continue
		case !s.allowed(text[found.at:found.to]):
			return found
		}
		from = found.to
	}
	for from < len(text) {
		at, end := printed(text, from)
		if at < 0 {
			break
		}
		*in = search{counts: in.counts, wordless: in.wordless, binary: true}
		for from = at; from < end; {
			found := in.next(k, text[:end], from)
			if found.to == 0 {
				break
			}
			if !s.allowed(text[found.at:found.to]) {
				return found
			}
			from = found.to
		}
		from = end
	}
	return span{}
}

// leastPrinted is the length of the shortest text that is looked at among
// bytes that are none.
const leastPrinted = 12

// printed is the next run of printable ASCII, at or behind from, that is long
// enough; at is -1 for none.
func printed(text []byte, from int) (at, end int) {
	for last := from + leastPrinted - 1; last < len(text); last += leastPrinted {
		if !isPrint(text[last]) {
			continue
		}
		at, end = last, last
		for at > from && isPrint(text[at-1]) {
			at--
		}
		for end < len(text) && isPrint(text[end]) {
			end++
		}
		if end-at >= leastPrinted {
			return at, end
		}
		last = end
	}
	return -1, 0
}

// Allows reports whether one of the scanner's patterns matches what was found,
// by whomever.
func (s *Scanner) Allows(found []byte) bool { return s.allowed(found) }

func (s *Scanner) allowed(found []byte) bool {
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
	wordless  bool // it has no word that could say what a number is
	binary    bool // it is no text: only what can be printed in it is looked at
	secrets   [len(markers)]finding
	emails    [len(ats)]finding
	phones    [len(openings)]finding
	addresses [len(addressSigns)]finding
}

// finding is the next place of a sign; last is 0 where nobody has looked, and
// nowhere where there is none. No value of a row is longer than these reach,
// and of every text that is looked at all of them are cleared first.
type finding struct{ first, last uint32 }

const (
	nowhere  = 1<<32 - 1
	doubtBit = 1 << 31 // of first
)

// seek is the next place at or behind from, which next looks for unless it is
// known.
func (f *finding) seek(sign byte, text []byte, from int, next func(text []byte, from int, sign byte) span) span {
	if f.last == 0 || f.last != nowhere && int(f.first&^doubtBit) < from {
		found := next(text, from, sign)
		if found.to == 0 {
			f.last = nowhere
			return found
		}
		*f = finding{uint32(found.at) | uint32(found.doubt)*doubtBit, uint32(found.to)}
		return found
	}
	if f.last == nowhere {
		return span{}
	}
	return span{int(f.first &^ doubtBit), int(f.last), Confidence(f.first / doubtBit)}
}

// next is the first hit of a kind at or behind from.
func (s *search) next(k Kind, text []byte, from int) span {
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
		return s.nextAddress(text, from)
	}
	return span{}
}

// others are the bytes that are neither digits nor signs: letters and blanks,
// for the most part.
func (n *counts) others(text []byte) int {
	return len(text) - n.digits - n.dots - n.colons - n.signs - n.ats - n.joints - n.wide
}

// fewLetters are too few for a word that could say what a number is, and for a
// secret.
const fewLetters = 4

// worth is the set of the kinds that a text can hold.
func (n *counts) worth(text []byte) (s Set) {
	others := n.others(text)
	if n.ats > 0 && n.dots > 0 {
		s |= 1 << Email
	}
	if len(text) >= shortestSecret && others >= fewLetters &&
		(n.capitals+n.joints+n.signs+n.ats+n.colons > 0 || n.dots > 0 && n.digits >= leastTokenDigits) {
		s |= 1 << Secret
	}
	if n.digits < 2 {
		if n.colons > 2 { // an address of letters
			s |= 1 << IP
		}
		return s
	}
	if n.digits >= minPhone && (others >= fewLetters || n.signs > 0 || n.dots > 1 || text[0] == '0') {
		s |= 1 << Phone
	}
	if n.digits >= minIBANDigits && others > 1 {
		s |= 1 << IBAN
	}
	if n.digits >= minCard {
		s |= 1 << Card
	}
	if n.digits >= minOfficialDigits {
		s |= 1 << NationalID
	}
	if n.dots >= 2 && n.digits >= 4 || n.colons >= 3 || n.signs >= 5 || n.colons == 2 && isGap(text) {
		s |= 1 << IP
	}
	return s
}

// isGap reports whether two colons of a text are side by side, as in IPv6.
func isGap(text []byte) bool {
	i := bytes.IndexByte(text, ':')
	return i+1 < len(text) && text[i+1] == ':'
}

// readable reports whether what was found is text: not where bytes of a
// picture or an archive happen to look like it. Beside it are then control
// bytes, and bytes that are no UTF-8.
func readable(text []byte, found span) bool {
	const near = 64
	at, to := max(0, found.at-near), min(len(text), found.to+near)
	for at < found.at && at > 0 && !utf8.RuneStart(text[at]) {
		at++
	}
	for to < len(text) && to > found.to && !utf8.RuneStart(text[to]) {
		to--
	}
	nearby := text[at:to]
	return bytes.IndexFunc(nearby, isControl) < 0 || utf8.Valid(nearby)
}

func isControl(r rune) bool { return r < ' ' && (r < '\t' || r > '\r') && r != 0x1b || r == 0x7f }

func isPrint(c byte) bool { return ' ' <= c && c < 0x7f || '\t' <= c && c <= '\r' }

// counts says how many of the bytes are there without which nothing is found.
type counts struct {
	digits, dots, colons int
	signs                int // +, - and (
	ats                  int // @, and % that may stand for one
	joints               int // _, $ and =
	capitals             int // the letters that tell prefixes of secrets
	wide                 int // the first bytes of digits and letters that are ASCII's, but not written so
}

// Shifts of the counters that are packed into one word.
const (
	digitsAt = 8 * iota
	atsAt
	signsAt
	dotsAt
	colonsAt
	wideAt
	jointsAt
	capitalsAt
)

// lanes adds one to the counter of a byte: eight counters of eight bits.
var lanes = func() (t [256]uint64) {
	for c := '0'; c <= '9'; c++ {
		t[c] = 1 << digitsAt
	}
	for c, shift := range map[byte]int{'@': atsAt, '%': atsAt, '+': signsAt, '-': signsAt, '(': signsAt,
		'.': dotsAt, ':': colonsAt,
		'_': jointsAt, '$': jointsAt, '=': jointsAt,
		'K': capitalsAt, 'S': capitalsAt, 'G': capitalsAt, 'J': capitalsAt, 'z': capitalsAt} {
		t[c] = 1 << shift
	}
	for _, c := range wideLeads {
		t[c] = 1 << wideAt
	}
	return t
}()

// count counts in one pass, one addition a byte.
func count(text []byte) (n counts) {
	const most = 255 // before a counter overflows
	for len(text) > most {
		n.add(digitSum(text[:most]))
		text = text[most:]
	}
	n.add(digitSum(text))
	return n
}

func digitSum(text []byte) uint64 {
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
	n.signs += lane(signsAt)
	n.dots += lane(dotsAt)
	n.colons += lane(colonsAt)
	n.wide += lane(wideAt)
	n.joints += lane(jointsAt)
	n.capitals += lane(capitalsAt)
}

// nextDigit is where the next digit stands at or behind i; the text's length for
// none. Most stand at once or after one sign, all others are looked for in eight
// bytes at once.
func nextDigit(text []byte, i int) int {
	const each = 0x0101010101010101 // times a byte: a word of eight of it
	for range 2 {
		if i < len(text) && isDigit(text[i]) {
			return i
		}
		i++
	}
	for ; len(text)-i >= 8; i += 8 {
		x := binary.LittleEndian.Uint64(text[i:]) ^ each*'0' // digits are below ten now
		if digits := (x - each*10) &^ x & (each * 0x80); digits != 0 {
			return i + bits.TrailingZeros64(digits)/8
		}
	}
	for ; i < len(text); i++ {
		if isDigit(text[i]) {
			return i
		}
	}
	return len(text)
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
func isUpper(c byte) bool { return 'A' <= c && c <= 'Z' }
func isLower(c byte) bool { return 'a' <= c && c <= 'z' }
func isLetter(c byte) bool {
	c |= 0x20
	return 'a' <= c && c <= 'z'
}

// isWord tells the bytes that make up numbers and keys. Characters of other
// scripts are none: many of these put no blank before a number.
func isWord(c byte) bool { return isDigit(c) || isLetter(c) }

// starts reports whether a word may begin at i.
func starts(text []byte, i int) bool { return i == 0 || !isWord(text[i-1]) }

// ends reports whether a word may end before i.
func ends(text []byte, i int) bool { return i == len(text) || !isWord(text[i]) }

// alone reports whether what stands from at to end is no part of a longer word,
// number or dashed name.
func alone(text []byte, at, end int) bool {
	joint := func(c byte) bool { return c == '-' || c == '_' || c == '.' }
	if !starts(text, at) || !ends(text, end) {
		return false
	}
	if at > 1 && joint(text[at-1]) && isWord(text[at-2]) {
		return false
	}
	return end+1 >= len(text) || !joint(text[end]) || !isWord(text[end+1])
}

// numberOfBytes is what digits say.
func numberOfBytes(digits []byte) (n int) {
	for _, c := range digits {
		n = 10*n + int(c-'0')
	}
	return n
}
