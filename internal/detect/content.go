package detect

import (
	"bytes"
	"net/netip"
	"slices"
	"strings"
)

// nextEmail finds local@domain, where the domain has a dot and ends in
// letters. Addresses below .invalid reach nobody: this is what pseudonyms use.
func (s *search) nextEmail(text []byte, from int) (at, end int) {
	at, end = -1, -1
	for k := range s.emails {
		s.emails[k].seek(ats[k], text, from, addressAround)
		at, end = s.emails[k].before(at, end)
	}
	return at, end
}

// ats part an address: an at sign, and a per cent sign that begins how URLs
// write one.
const ats = "@%"

// addressAround finds the first address whose parts are parted by what begins
// with sign; last is 0 for none.
func addressAround(text []byte, from int, sign byte) (first, last int) {
	parts := "@"
	if sign == '%' {
		parts = "%40"
	}
	for {
		i := bytes.Index(text[from:], []byte(parts))
		if i < 0 {
			return 0, 0
		}
		middle := from + i
		domain := middle + len(parts)
		at, end := middle, domain
		for at > 0 && middle-at < 64 && isLocal(text[at-1]) {
			at--
		}
		for end < len(text) && isDomain(text[end]) {
			end++
		}
		for at < middle && (text[at] == '.' || text[at] == '-' || text[at] == '\'') { // of the text around it
			at++
		}
		for end > domain && (text[end-1] == '.' || text[end-1] == '-') {
			end--
		}
		if at < middle && end > domain && isHost(text[domain:end]) && string(text[at:middle]) != "git" &&
			!isUser(text, middle) {
			return at, end
		}
		from = domain
	}
}

// isUser tells the user of a URL, as in ssh://deploy@host. A password of his is
// a secret, and found as such.
func isUser(text []byte, middle int) bool {
	_, user := authority(text[max(0, middle-longestAuthority):middle])
	return user != nil && !bytes.ContainsAny(user, notAuthority)
}

// Bounds of what stands before a URL's host.
const (
	longestAuthority = 300
	notAuthority     = " /\"'<\n\t"
)

// authority is what follows the slashes of a URL, the last one in the text, and
// where these and their colon stand; PHP escapes them. Nil for none.
func authority(text []byte) (colon int, user []byte) {
	for _, slashes := range [...]string{"://", `:\/\/`} {
		if i := bytes.LastIndex(text, []byte(slashes)); i >= 0 {
			return i, text[i+len(slashes):]
		}
	}
	return -1, nil
}

func isLocal(c byte) bool {
	return isWord(c) || strings.IndexByte("._%+-'&/=~!#*", c) >= 0
}

func isDomain(c byte) bool { return isWord(c) || c == '.' || c == '-' }

// files are endings that make a name with an @ a file's, as in logo@2x.png.
var files = []string{"png", "jpg", "jpeg", "gif", "webp", "svg", "avif", "js", "css", "map", "json", "html", "pdf",
	"txt", "invalid"}

// isHost tells a domain name with a top level that is no number and no file's.
func isHost(name []byte) bool {
	dot := bytes.LastIndexByte(name, '.')
	if dot < 1 || len(name)-dot-1 < 2 || bytes.Contains(name, []byte("..")) {
		return false
	}
	for _, c := range name[dot+1:] {
		if !isLetter(c) && c < 0x80 && !(c == '-' || isDigit(c)) {
			return false
		}
	}
	top := name[dot+1:]
	return (isLetter(top[0]) || top[0] >= 0x80) &&
		!slices.ContainsFunc(files, func(f string) bool { return bytes.EqualFold(top, []byte(f)) })
}

const (
	minPhone      = 9
	maxPhone      = 15
	bracketDigits = 10
)

// nextPhone finds a plus sign and 9 to 15 digits, in groups or not, and
// (212) 555-0123.
func (s *search) nextPhone(text []byte, from int) (at, end int) {
	at, end = -1, -1
	for k := range s.phones {
		if openings[k] == '+' && s.pluses == 0 || openings[k] == '(' && (s.dashes == 0 || s.digits < bracketDigits) {
			continue
		}
		s.phones[k].seek(openings[k], text, from, nextOpening)
		at, end = s.phones[k].before(at, end)
	}
	return at, end
}

// openings begin a phone number.
const openings = "+("

// nextOpening finds the first number that begins with sign; last is 0 for none.
func nextOpening(text []byte, from int, sign byte) (first, last int) {
	for at := from; ; at++ {
		i := bytes.IndexByte(text[at:], sign)
		if i < 0 {
			return 0, 0
		}
		at += i
		if sign == '(' {
			last = bracketAt(text, at)
		} else {
			last = phoneAt(text, at)
		}
		if last > 0 {
			return at, last
		}
	}
}

// bracketAt returns where the number of North America ends that begins at a
// bracket, and whose area and exchange begin with 2 to 9; 0 for none.
func bracketAt(text []byte, at int) int {
	form := "(N99) N99-9999"
	if at+5 < len(text) && text[at+5] != ' ' {
		form = "(N99)N99-9999"
	}
	end := at + len(form)
	if end > len(text) || !isForm(text[at:end], form) || !alone(text, at, end) {
		return 0
	}
	return end
}

// phoneAt returns where the number that begins at a plus sign ends; 0 for none.
func phoneAt(text []byte, at int) int {
	if !starts(text, at) || at+1 == len(text) || text[at+1] < '1' || text[at+1] > '9' {
		return 0
	}
	digits, end, gap := 0, 0, 0
	for i := at + 1; i < len(text); i++ {
		c := text[i]
		switch {
		case isDigit(c):
			digits, end, gap = digits+1, i+1, 0
		case gap < 2 && strings.IndexByte(" -.()/", c) >= 0:
			gap++
		default:
			i = len(text)
		}
	}
	if digits < minPhone || digits > maxPhone || !ends(text, end) {
		return 0
	}
	return end
}

const (
	minCard = 14
	maxCard = 19
)

// nextCard finds 14 to 19 digits, in one run or in groups as cards show them,
// of an issuer's prefix and length, that pass Luhn's test.
func nextCard(text []byte, from int) (at, end int) {
	for at = from; at < len(text); at++ {
		if !isDigit(text[at]) {
			continue
		}
		end = cardAt(text, at)
		if end > 0 {
			return at, end
		}
		for at < len(text) && isDigit(text[at]) {
			at++
		}
	}
	return -1, -1
}

// cardAt returns where the card number that begins at at ends; 0 for none.
// Groups are of 4 to 6 digits, and parted by one and the same blank or dash;
// what follows them may be no part of the number.
func cardAt(text []byte, at int) int {
	var digits [maxCard]byte
	var gap byte
	n := 0
	for i := at; ; i++ {
		start := i
		for ; i < len(text) && isDigit(text[i]); i++ {
			if n == maxCard {
				return 0
			}
			digits[n] = text[i]
			n++
		}
		if n >= minCard && isCard(digits[:n]) && alone(text, at, i) {
			return i
		}
		group := i - start
		if i+1 >= len(text) || text[i] != ' ' && text[i] != '-' || gap != 0 && text[i] != gap || group < 4 ||
			group > 6 {
			return 0
		}
		gap = text[i]
	}
}

// alone tells whether what stands from at to end is no part of a longer word,
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

// isCard tells digits of an issuer's prefix and length that pass Luhn's test.
func isCard(digits []byte) bool {
	prefix := func(n int) int {
		v := 0
		for _, d := range digits[:n] {
			v = 10*v + int(d-'0')
		}
		return v
	}
	one := prefix(1)
	two := prefix(2)
	three := prefix(3)
	four := prefix(4)
	n := len(digits)
	known := one == 4 && (n == 16 || n == 19) ||
		(51 <= two && two <= 55 || 2221 <= four && four <= 2720) && n == 16 ||
		(two == 34 || two == 37) && n == 15 ||
		(four == 6011 || 644 <= three && three <= 649 || two == 65) && n == 16 ||
		3528 <= four && four <= 3589 && n == 16 ||
		(two == 36 || two == 38 || two == 39 || 300 <= three && three <= 305) && n == 14 ||
		two == 62 && 16 <= n
	return known && Luhn(digits) == 0
}

const minIBANDigits = 10

// ibanLengths are the lengths of the countries of the registry.
var ibanLengths = func() map[[2]byte]int {
	lengths := map[[2]byte]int{}
	for _, c := range strings.Fields(`
		AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 EE20
		EG29 ES24 FI18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30
		KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MR27 MT31 MU30 NL18 NO15 PK24
		PL28 PS29 PT25 QA29 RO24 RS22 SA24 SC31 SE24 SI19 SK24 SM27 ST25 SV28 TL23 TN24 TR26 UA29 VA22
		VG24 XK20`) {
		lengths[[2]byte{c[0], c[1]}] = int(c[2]-'0')*10 + int(c[3]-'0')
	}
	return lengths
}()

// nextIBAN finds a country's letters, two digits and what its length asks for,
// in one run or in groups of four, whose remainder by 97 is 1.
func nextIBAN(text []byte, from int) (at, end int) {
	for i := from + 2; i+1 < len(text); i++ { // the check digits
		if !isDigit(text[i]) {
			continue
		}
		at = i - 2
		if isDigit(text[i+1]) && isLetter(text[at]) && isLetter(text[at+1]) && starts(text, at) {
			end = ibanAt(text, at)
			if end > 0 {
				return at, end
			}
		}
	}
	return -1, -1
}

// ibanAt returns where the IBAN that begins at at ends; 0 for none.
func ibanAt(text []byte, at int) int {
	want := ibanLengths[[2]byte{text[at] &^ 0x20, text[at+1] &^ 0x20}]
	if want == 0 || len(text)-at < want {
		return 0
	}
	var chars [34]byte
	n, digits, i := 0, 0, at
	for ; i < len(text) && n < want; i++ {
		c := text[i]
		switch {
		case isDigit(c):
			chars[n] = c
			digits++
		case isLetter(c):
			chars[n] = c &^ 0x20
		case c == ' ' && n%4 == 0 && n > 0 && text[i-1] != ' ':
			continue
		default:
			return 0
		}
		n++
	}
	if n < want || digits < minIBANDigits || !ends(text, i) {
		return 0
	}
	if IBANRest(chars[:want]) != 1 {
		return 0
	}
	return i
}

// nextAddress finds IPv4, IPv6 and MAC addresses, but for those that stand for
// this machine or no machine, and version numbers behind a name and a slash.
func nextAddress(text []byte, from int) (at, end int) {
	for at = from; at < len(text); at = end + 1 {
		for at < len(text) && !isAddress(text[at]) {
			at++
		}
		dots, colons := 0, 0
		for end = at; end < len(text) && isAddress(text[end]); end++ {
			switch text[end] {
			case '.':
				dots++
			case ':':
				colons++
			}
		}
		if dots < 3 && colons < 3 {
			continue
		}
		if first, last := trimmed(text, at, end); isAddressAt(text, first, last, dots, colons) {
			return first, last
		}
	}
	return -1, -1
}

func isAddress(c byte) bool {
	lower := c | 0x20
	return isDigit(c) || 'a' <= lower && lower <= 'f' || c == '.' || c == ':'
}

// trimmed takes the punctuation of a sentence off, and a port.
func trimmed(text []byte, at, end int) (first, last int) {
	for end > at && (text[end-1] == '.' || text[end-1] == ':' && (end < 2 || text[end-2] != ':')) {
		end--
	}
	word := text[at:end]
	if colon := bytes.LastIndexByte(word, ':'); colon > 0 && bytes.Count(word[:colon], []byte(".")) == 3 &&
		bytes.IndexByte(word[:colon], ':') < 0 {
		end = at + colon
	}
	return at, end
}

func isAddressAt(text []byte, at, end, dots, colons int) bool {
	if !starts(text, at) || end < len(text) && isWord(text[end]) {
		return false
	}
	word := text[at:end]
	if dots < 3 {
		return isMAC(word) || isIPv6(word, colons)
	}
	if at > 0 && text[at-1] == '/' && (at < 2 || text[at-2] != '/') { // Browser/1.2.3.4
		return false
	}
	if len(word) > len("255.255.255.255") {
		return false
	}
	a, err := netip.ParseAddr(string(word))
	return err == nil && a.Is4() && !a.IsLoopback() && !a.IsUnspecified() && a.As4()[0] != 255 && a.As4()[0] != 0
}

func isMAC(word []byte) bool {
	if len(word) != 17 {
		return false
	}
	for i, c := range word {
		if i%3 == 2 && c != ':' || i%3 != 2 && (c == ':' || c == '.') {
			return false
		}
	}
	return true
}

// isIPv6 wants three groups: a::b is a cast in SQL and a name in C++.
func isIPv6(word []byte, colons int) bool {
	if len(word) > 39 || colons != 7 && !bytes.Contains(word, []byte("::")) {
		return false
	}
	groups := 0
	for g := range bytes.SplitSeq(word, []byte(":")) {
		if len(g) > 0 {
			groups++
		}
	}
	if groups < 3 {
		return false
	}
	a, err := netip.ParseAddr(string(word))
	return err == nil && a.Is6()
}
