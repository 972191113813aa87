package detect

import (
	"bytes"
	"net/netip"
)

// addressSigns part the numbers of an address; a dash does so in MAC addresses.
const addressSigns = ".:-"

// nextAddress finds IPv4, IPv6 and MAC addresses, but for those that stand for this machine or no machine, and version
// numbers.
func (s *search) nextAddress(text []byte, from int) span {
	var first span
	for k := range s.addresses {
		switch addressSigns[k] {
		case '.':
			if s.dots < 2 {
				continue
			}
		case ':':
			if s.colons < 2 {
				continue
			}
		case '-':
			if s.signs < 5 {
				continue
			}
		}
		first = first.or(s.addresses[k].seek(addressSigns[k], text, from, addressBy))
	}
	return first
}

// addressBy finds the first address with a sign.
func addressBy(text []byte, from int, sign byte) span {
	for i := from; ; i++ {
		next := bytes.IndexByte(text[i:], sign)
		if next < 0 {
			return span{}
		}
		i += next
		if sign == '-' {
			if found := dashedMAC(text, from, i); found.to > 0 {
				return found
			}
			continue
		}
		if !between(text, from, i) {
			continue
		}
		at, end := i, i
		for at > from && isAddress(text[at-1]) {
			at--
		}
		for end < len(text) && isAddress(text[end]) {
			end++
		}
		if found := addressIn(text, at, end); found.to > 0 {
			return found
		}
		i = end - 1
	}
}

// between reports whether a dot or colon stands between what an address is made of.
func between(text []byte, from, i int) bool {
	if i+1 == len(text) {
		return false
	}
	next := text[i+1]
	if text[i] == '.' {
		return i > from && isHex(text[i-1]) && isHex(next)
	}
	return (isHex(next) || next == ':') && (next == ':' || i > from && isHex(text[i-1]))
}

func isHex(c byte) bool {
	lower := c | 0x20
	return isDigit(c) || 'a' <= lower && lower <= 'f'
}

func isAddress(c byte) bool { return isHex(c) || c == '.' || c == ':' }

// addressIn judges a run of hexadecimal digits, dots and colons.
func addressIn(text []byte, at, end int) span {
	const longest = len("0000:0000:0000:0000:0000:ffff:255.255.255.255:65535.")
	if end-at > longest {
		return span{}
	}
	// of the sentence
	for end > at && (text[end-1] == '.' || text[end-1] == ':' && (end-at < 2 || text[end-2] != ':')) {
		end--
	}
	if !isDigit(text[at]) {
		at = afterScheme(text, at, end)
	}
	if !starts(text, at) || !ends(text, end) {
		return span{}
	}
	word := text[at:end]
	dots, colons := bytes.Count(word, []byte(".")), bytes.Count(word, []byte(":"))
	switch {
	case dots == 3 && colons < 2:
		return ipv4In(text, at, end)
	case dots == 2 && colons == 0:
		return ciscoMAC(text, at, end)
	case colons == 5 && dots == 0 && len(word) == len("00:00:00:00:00:00"):
		return macIn(text, at, end)
	case colons >= 2 && (dots == 0 || dots == 3):
		return ipv6In(text, at, end)
	}
	return span{}
}

// afterScheme is where four numbers begin after a word and a colon, as in sip:203.0.113.7:5060, of which the run of
// address bytes holds the colon and maybe letters before it.
func afterScheme(text []byte, at, end int) int {
	word := text[at:end]
	colon := bytes.IndexByte(word, ':')
	dot := bytes.IndexByte(word, '.')
	if colon < 0 || dot < colon || colon+1 < len(word) && word[colon+1] == ':' || bytes.Count(word, []byte(":")) > 2 {
		return at
	}
	return at + colon + 1
}

// ipv4In judges four numbers and maybe a port. Without a word or a sign that says so they may be a version.
func ipv4In(text []byte, at, end int) span {
	port := bytes.IndexByte(text[at:end], ':')
	if port >= 0 {
		end = at + port
	}
	parsed, err := netip.ParseAddr(string(text[at:end]))
	if err != nil || !parsed.Is4() || parsed.IsLoopback() || ofName(text, at, end, port >= 0) {
		return span{}
	}
	a := parsed.As4()
	if a[0] == 0 || a[0] == 255 {
		return span{}
	}
	whole := at == 0 && end == len(text)
	wide := wideAddress(a)
	small := below(a, 32) || heads(text, end) && below(a, 100) || !whole && built(a)
	named := addressWords.beside(text, at, end) || (!small || a[0] == 10) && serviceWords.beside(text, at, end) ||
		!small && bytes.HasSuffix(text[:at], []byte("from "))
	versioned := versionContext.beside(text, at, end)
	signed := port >= 0 || addressed(text, at) || ofNetwork(text, end) && (named || !small || a[3] == 0 || a[0] == 10)
	chapter := !signed && begins(text, at, end) && below(a, 100)
	switch {
	case chapter && a[0] < 10:
		return span{}
	case chapter:
		return span{at, end, Doubtful}
	case signed && !(small && versioned), named && !versioned, wide && !versioned:
		return span{at, end, Certain}
	case versioned && !named && !wide, !named && small && !(whole && a[0] == 10):
		return span{}
	}
	return span{at, end, Doubtful}
}

// ofName reports whether four numbers belong to a name: Browser/1.2.3.4, lib-1.2.3.4, 1.2.3.4-rc1. A range of
// addresses
// does not.
func ofName(text []byte, at, end int, port bool) bool {
	if at > 1 && isWord(text[at-2]) {
		switch text[at-1] {
		case '/':
			return !port
		case '-':
			return !isDigit(text[at-2])
		case '_', '~', '^', '+', '.':
			return true
		}
	}
	if bytes.HasPrefix(text[end:], []byte("-.")) { // a drawing's: 3.188.219.119-.194
		return true
	}
	if end+1 >= len(text) || !isWord(text[end+1]) {
		return false
	}
	switch text[end] {
	case '-':
		n := run(text[end+1:], isAddress)
		return bytes.Count(text[end+1:end+1+n], []byte(".")) != 3
	case '_', '~', '^', '+', '.':
		return true
	}
	return false
}

// addressed reports whether a sign before four numbers says that they are an address: that of a URL or of a user.
func addressed(text []byte, at int) bool {
	return at > 1 && text[at-1] == '/' && text[at-2] == '/' || at > 0 && text[at-1] == '@'
}

// ofNetwork reports whether the bits of a network stand behind four numbers.
func ofNetwork(text []byte, end int) bool {
	if end == len(text) || text[end] != '/' {
		return false
	}
	n := run(text[end+1:], isDigit)
	behind := end + 1 + n
	if n == 0 || n > 2 || behind < len(text) && (isWord(text[behind]) || text[behind] == '.') {
		return false
	}
	bits := numberOfBytes(text[end+1 : behind])
	return 8 <= bits && bits <= 32
}

// wideAddress tells four numbers that hardly any version has: two of them above 99, or a private network's beginning.
func wideAddress(a [4]byte) bool {
	large := 0
	for _, x := range a {
		if x >= 100 {
			large++
		}
	}
	return large >= 2 || a[0] == 192 && a[1] == 168 || a[0] == 172 && 16 <= a[1] && a[1] < 32
}

// below reports whether four numbers are small, as those of versions and chapters are.
func below(a [4]byte, most byte) bool { return max(a[0], a[1], a[2], a[3]) < most }

// built reports whether four numbers are those of a version whose last number counts builds: 1.5.3.45. Two
// of a thousand addresses of the internet begin with three such numbers; those of a private network are left out.
func built(a [4]byte) bool { return a[0] != 10 && max(a[0], a[1], a[2]) < 32 }

// heads reports whether a full stop, a blank and a capital stand behind a number, as behind a chapter's.
func heads(text []byte, end int) bool {
	rest, ok := bytes.CutPrefix(text[end:], []byte("."))
	trimmed := bytes.TrimPrefix(bytes.TrimPrefix(rest, []byte(" ")), []byte("\u00a0"))
	return ok && len(trimmed) < len(rest) && len(trimmed) > 0 && isUpper(trimmed[0])
}

// begins reports whether a number begins a line as a chapter's does: with a blank and a word behind it.
func begins(text []byte, at, end int) bool {
	return (at == 0 || text[at-1] == '\n') && end+1 < len(text) && text[end] == ' ' && isLetter(text[end+1])
}

// addressWords say that four numbers are an address.
var addressWords = contextOf(`
	ip ips ipv host hosts hostname addr addrs address addresses adresse adresses dirección indirizzo endereço adres
	client clients peer peers remote server servers login logins logged gateway gateways subnet subnets netmask
	network networks ping nameserver nameservers forwarded listen listening bind src dst localhost
	router routers route connect connected connection banned ban blocked whitelist blacklist
	deny cidr range`)

// serviceWords say so too, but are names of programs and of chapters as well, whose versions and numbers are small:
// Ssh 4.11.1.6.
var serviceWords = contextOf(`ssh sshd dns dhcp proxy interface inet firewall`)

// versionContext say that they are a version, a chapter or a part.
var versionContext = contextOf(`
	version versions ver vers release releases released rel upgrade upgraded upgrades update updated updates
	standards standard policy changelog section sections chapter figure table example upstream tarball package
	packages debian bump bumped build builds revision rev driver firmware kernel patch patches patchlevel since
	before until later earlier prior than testcase test case tests requires require required depends dependency
	breaks replaces conflicts import imported merge merged snapshot stable unstable experimental tag tagged branch
	fixed versión versão versione wersja versie versionen ausgabe oid asn spec rfc iso iec chromium chrome`)

// ipv6In judges an IPv6 address, which may end in an IPv4 one. Two groups with a gap between them may be a cast
// in SQL, a
// name in C++ or a slice: the first must be one that is handed out.
func ipv6In(text []byte, at, end int) span {
	word := text[at:end]
	a, err := netip.ParseAddr(string(word))
	if err != nil || !a.Is6() || a.IsLoopback() || a.IsUnspecified() {
		return span{}
	}
	groups, pairs := 0, true
	for g := range bytes.SplitSeq(word, []byte(":")) {
		if len(g) > 0 {
			groups++
			pairs = pairs && len(g) == 2
		}
	}
	switch {
	case a.Is4In6(), assigned(word):
		return span{at, end, Certain}
	case groups < 3:
		return span{}
	case pairs || groups < 8 && bytes.IndexFunc(word, func(r rune) bool { return '0' <= r && r <= '9' }) < 0:
		return span{at, end, Doubtful}
	case groups == 8 || addressWords.beside(text, at, end):
		return span{at, end, Certain}
	}
	return span{at, end, Doubtful}
}

// assigned reports whether an address is of a range that is in use: 2000::/3, fc00::/7, fe80::/10 or 64:ff9b::/96, and
// written in full where it begins.
func assigned(word []byte) bool {
	first, _, _ := bytes.Cut(word, []byte(":"))
	if len(first) != 4 {
		return bytes.HasPrefix(bytes.ToLower(word), []byte("64:ff9b:"))
	}
	switch second := first[1] | 0x20; first[0] | 0x20 {
	case '2', '3':
		return true
	case 'f':
		local := second == 'e' && first[2] == '8'
		unique := (second == 'c' || second == 'd') && (isDigit(first[2]) || isDigit(first[3]))
		return local || unique
	}
	return false
}

// macIn judges six pairs. Times of day look so, if no letter is in them.
func macIn(text []byte, at, end int) span {
	word := text[at:end]
	letters, zeros := 0, 0
	for i, c := range word {
		switch {
		case (c == ':') != (i%3 == 2):
			return span{}
		case isLetter(c):
			letters++
		case c == '0':
			zeros++
		}
	}
	if zeros == 12 || letters == 12 && bytes.Count(bytes.ToLower(word), []byte("f")) == 12 {
		return span{}
	}
	return span{at, end, Certain}
}

// dashedMAC returns the six pairs whose first dash stands at i.
func dashedMAC(text []byte, from, i int) span {
	const size = len("00-00-00-00-00-00")
	at := i - 2
	end := at + size
	if at < from || end > len(text) || text[i+3] != '-' || !alone(text, at, end) {
		return span{}
	}
	letters := 0
	for k, c := range text[at:end] {
		if (c == '-') != (k%3 == 2) || c != '-' && !isHex(c) {
			return span{}
		}
		if isLetter(c) {
			letters++
		}
	}
	if letters == 0 {
		return span{at, end, Doubtful}
	}
	return span{at, end, Certain}
}

// ciscoMAC judges three groups of four, as switches write a MAC address.
func ciscoMAC(text []byte, at, end int) span {
	word := text[at:end]
	if len(word) != len("0000.0000.0000") || word[4] != '.' || word[9] != '.' || !alone(text, at, end) {
		return span{}
	}
	letters, digits := 0, 0
	for _, c := range word {
		if isLetter(c) {
			letters++
		} else if isDigit(c) {
			digits++
		}
	}
	if letters == 0 || digits < 2 { // a date, a word
		return span{}
	}
	switch {
	case macWords.beside(text, at, end):
		return span{at, end, Certain}
	case at == 0 && end == len(text):
		return span{at, end, Doubtful}
	}
	return span{}
}

// macWords say that groups of four are a device's address: tables of characters have such, too.
var macWords = contextOf(`
	mac macs macaddr macaddress hwaddr arp vlan vlans interface switch port ethernet wlan wifi bssid device`)
