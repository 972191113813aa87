package detect

import (
	"bytes"
	"strings"
)

// shortestSecret is the length of the shortest one: ://a:b@.
const shortestSecret = 12

// hooks are addresses whose path is all that it takes to write there.
var hooks = []string{"://hooks.slack.com/services/T", "://discord.com/api/webhooks/", "://discordapp.com/api/webhooks/"}

// leastHook is how much follows at least.
const leastHook = 30

// markers are the bytes without which there is no secret, those side by side
// that are counted as one.
const markers = "@-:.T_$=JKSGz"

// leastTokenDigits are so few that no token that a dot or a T tells has fewer,
// but by a rare chance.
const leastTokenDigits = 2

// nextSecret finds keys, tokens and password hashes; the first of all markers'.
func (s *search) nextSecret(text []byte, from int) span {
	var first span
	k := 0
	rest := 0
	if s.digits >= leastTokenDigits {
		rest = 1
	}
	for _, counted := range [...]struct{ count, markers int }{{s.ats, 1}, {s.signs, 1}, {s.colons, 1},
		{rest * s.dots, 1}, {rest, 1},
		{s.joints, len("_$=")}, {s.capitals, len("JKSGz")}} {
		last := k + counted.markers
		if counted.count == 0 {
			k = last
		}
		for ; k < last; k++ {
			first = first.or(s.secrets[k].seek(markers[k], text, from, marked))
		}
	}
	return first
}

// marked finds the first secret of one marker.
func marked(text []byte, from int, marker byte) span {
	by := shapesBy[marker]
	for i := from; ; i++ {
		next := bytes.IndexByte(text[i:], marker)
		if next < 0 {
			return span{}
		}
		i += next
		if by != nil && by[prefixByte(text, from, i)] == 0 && !toldElsewhere(text, i) {
			continue
		}
		found := secretAt(text, from, i)
		if found.to > 0 {
			return found
		}
		i = max(i, found.at)
	}
}

// toldElsewhere reports whether a secret that is no shape may have its marker
// at i.
func toldElsewhere(text []byte, i int) bool {
	if i+1 == len(text) || i == 0 {
		return i == 0
	}
	switch text[i] {
	case '-':
		return text[i+1] == '-' || text[i+1] == 'u'
	case '_':
		return text[i-1]|0x20 == 't'
	case 'K':
		return text[i-1] == 's'
	case '.':
		return isName(text[i+1])
	case ':':
		named := text[i-1]|0x20 == 'n' || i > 1 && text[i-1] == '"' && text[i-2]|0x20 == 'n' // Authorization
		return named || text[i+1] == '/' || text[i+1] == 'A'
	}
	return text[i] == '='
}

// secretAt finds the secret, not before from, whose marker stands at i; where
// there is none, at is how far no other one begins.
func secretAt(text []byte, from, i int) span {
	var found span
	switch text[i] {
	case 'J':
		return jwtAt(text, from, i-len("ey"))
	case '@':
		return userinfo(text, from, i)
	case ':':
		return afterColon(text, from, i)
	case '=':
		return password(text, from, i)
	case '_', 'K':
		found = awsSecret(text, from, i)
	case '-':
		if i+1 < len(text) && text[i+1] == '-' {
			if n := pem(text[i:]); n > 0 {
				return span{i, i + n, Certain}
			}
			return span{}
		}
		found = beforeDash(text, from, i)
	case '.':
		found = discordToken(text, from, i).or(airtableToken(text, from, i))
	}
	if found.to > 0 {
		return found
	}
	return tokenAt(text, from, i)
}

// jwtAt finds the token that begins at first; at is where its header ends if
// there is none.
func jwtAt(text []byte, from, first int) span {
	if first < from || !starts(text, first) || text[first] != 'e' || text[first+1] != 'y' {
		return span{}
	}
	length, header := jwt(text[first:])
	if length == 0 {
		return span{at: first + header - 1}
	}
	return span{first, first + length, Certain}
}

// jwt returns the length of three parts of base64url between dots, of which
// the second begins as an object does, too; 0 for none. header is the length of
// the first part: where there is none, none begins within it either.
func jwt(text []byte) (length, header int) {
	header = run(text, isName)
	if header < 8 || !bytes.HasPrefix(text[header:], []byte(".ey")) {
		return 0, header
	}
	payload := run(text[header+1:], isName)
	dot := header + 1 + payload
	if payload < 8 || dot == len(text) || text[dot] != '.' {
		return 0, header
	}
	signature := run(text[dot+1:], isName)
	length = dot + 1 + signature
	if signature < 16 || length+1 < len(text) && text[length] == '.' && isName(text[length+1]) {
		return 0, header
	}
	return length, header
}

// pem returns the length of a private key's first line; 0 for none.
func pem(text []byte) int {
	const begin, key, most = "-----BEGIN ", "PRIVATE KEY", 64
	if len(text) < len(begin) || text[len("-----")] != 'B' || !bytes.HasPrefix(text, []byte(begin)) {
		return 0
	}
	line := text[:min(len(text), most)]
	if i := bytes.Index(line, []byte(key)); i > 0 && bytes.IndexByte(line[:i], '\n') < 0 {
		return i + len(key)
	}
	return 0
}

// userinfo finds user:password@ in a URL by its at sign; the user may be empty.
// One that stands for all passwords is doubtful.
func userinfo(text []byte, from, at int) span {
	near := max(from, at-longestAuthority)
	colon, user := authority(text[near:at])
	_, secret, found := bytes.Cut(user, []byte(":"))
	if !found || len(secret) == 0 || strings.IndexByte(variables, secret[0]) >= 0 ||
		bytes.ContainsAny(user, notAuthority) || bytes.IndexByte(user, '[') >= 0 {
		return span{}
	}
	doubt := Certain
	if len(secret) < 3 || placeholders[string(bytes.ToLower(secret))] {
		doubt = Doubtful
	}
	return span{near + colon, at + 1, doubt}
}

// variables are bytes that a password begins with that is yet to be put there.
const variables = "$<{%*["

// placeholders are what documents write for a password.
var placeholders = contextOf(`
	none null nil string pass password passwd pwd pw xxx xxxx xxxxx xxxxxx secret token mypassword yourpassword
	your_password passw0rd`)

// afterColon finds what a colon tells: a web hook's URL, a Telegram bot's
// token, the credentials of an Authorization header.
func afterColon(text []byte, from, i int) span {
	rest := text[i:]
	switch {
	case bytes.HasPrefix(rest, []byte("://")):
		return hook(text, i)
	case bytes.HasPrefix(rest, []byte(":AA")):
		const token = 35
		n := run(rest[1:], isName)
		first := i
		for first > from && isDigit(text[first-1]) {
			first--
		}
		if digits := i - first; n == token && 8 <= digits && digits <= 10 && starts(text, first) {
			return span{first, i + 1 + n, Certain}
		}
	case i > from+1 && (text[i-1]|0x20 == 'n' || text[i-2]|0x20 == 'n') &&
		hasSuffixFold(bytes.TrimRight(text[max(from, i-20):i], `"`), "authorization"):
		return credentials(text, i)
	}
	return tokenAt(text, from, i)
}

// hook finds the URL of a web hook whose colon stands at i.
func hook(text []byte, i int) span {
	rest := text[i:]
	if len(rest) < len("://h") || rest[len("://")] != 'h' && rest[len("://")] != 'd' {
		return span{}
	}
	for _, h := range hooks {
		if n := len(h); bytes.HasPrefix(rest, []byte(h)) {
			n += run(rest[n:], func(c byte) bool { return isName(c) || c == '/' })
			if n-len(h) >= leastHook {
				return span{i, i + n, Certain}
			}
		}
	}
	return span{}
}

// credentials finds those of an Authorization header, whose colon stands at i.
func credentials(text []byte, i int) span {
	value := bytes.TrimLeft(text[i:], `:" `)
	first := len(text) - len(value)
	for _, scheme := range [...]string{"basic ", "bearer ", "token "} {
		if len(value) < len(scheme) || !bytes.EqualFold(value[:len(scheme)], []byte(scheme)) {
			continue
		}
		if n := run(value[len(scheme):], isHash); n >= leastCredentials {
			return span{first, first + len(scheme) + n, Certain}
		}
	}
	return span{}
}

// leastCredentials is the length of the shortest in an Authorization header.
const leastCredentials = 12

// password finds password=… among the other words of a connection string, by
// its equals sign, PGPASSWORD=… and an Azure account's key. A value that begins
// as a variable does is none; of a long one the beginning is told, so that a
// text full of them is not read again for each.
func password(text []byte, from, i int) span {
	const most = 300
	before := text[max(from, i-most):i]
	first := i
	switch {
	case hasSuffixFold(before, "password"):
		first -= len("password")
	case hasSuffixFold(before, "pwd"):
		first -= len("pwd")
	case bytes.HasSuffix(before, []byte("AccountKey")):
		first -= len("AccountKey")
	default:
		return tokenAt(text, from, i)
	}
	value := text[i+1 : min(len(text), i+1+most)]
	n := run(value, func(c byte) bool { return c > ' ' && strings.IndexByte(`;&"',`, c) < 0 })
	if first == i-len("pwd") && bytes.HasPrefix(value, []byte("/")) { // a shell's directory
		return span{}
	}
	if n < 4 || strings.IndexByte(variables, value[0]) >= 0 || bytes.IndexByte(value[:n], '(') >= 0 {
		return span{}
	}
	found := span{first, i + 1 + n, Certain}
	if before[len(before)-1] == 'y' { // AccountKey
		const key = 86
		if n < key {
			return span{}
		}
		return found
	}
	if lower := bytes.ToLower(value[:n]); placeholders[string(lower)] || bytes.HasSuffix(lower, []byte(".password")) {
		found.doubt = Doubtful
	}
	if bytes.HasSuffix(text[max(from, first-2):first], []byte("PG")) {
		return found
	}
	near := bytes.ToLower(text[max(from, i-most):min(len(text), i+1+n+most)])
	for _, word := range [...]string{"host=", "server=", "user=", "dbname=", "user id=", "uid=", "data source="} {
		if bytes.Contains(near, []byte(word)) {
			return found
		}
	}
	return span{}
}

// awsSecret finds the 40 characters that an AWS secret access key has, behind
// its name, of which a byte stands at i.
func awsSecret(text []byte, from, i int) span {
	const length = 40
	name := "secret_access_key"
	first := i - len("secret")
	if text[i] == 'K' {
		name, first = "secretAccessKey", i-len("secretAccess")
	}
	if first < from || len(text)-first < len(name)+1+length ||
		!bytes.EqualFold(text[first:first+len(name)], []byte(name)) {
		return span{}
	}
	rest := bytes.TrimLeft(text[first+len(name):], `"' `)
	if len(rest) == 0 || rest[0] != '=' && rest[0] != ':' {
		return span{}
	}
	rest = bytes.TrimLeft(rest[1:], `"' `)
	if run(rest, func(c byte) bool { return isAlnum(c) || c == '/' || c == '+' }) != length {
		return span{}
	}
	return span{first, len(text) - len(rest) + length, Certain}
}

// beforeDash finds a Mailchimp key, whose 32 hexadecimal digits end at i and
// behind which a data center stands.
func beforeDash(text []byte, from, i int) span {
	const digits = 32
	first := i - digits
	if first < from || len(text)-i < len("-us1") || text[i+1] != 'u' || text[i+2] != 's' || !isDigit(text[i+3]) ||
		!starts(text, first) || run(text[first:i], isLowerHex) < digits {
		return span{}
	}
	end := i + 3 + run(text[i+3:], isDigit)
	if end > i+5 || !ends(text, end) {
		return span{}
	}
	return span{first, end, Certain}
}

// discordToken finds a bot's token by its first dot: an id in base64 before
// it, six characters behind it, and a dot and a signature.
func discordToken(text []byte, from, i int) span {
	const stamp, id, signature = 6, 23, 27
	second := i + 1 + stamp
	if second >= len(text) || text[second] != '.' || i-id < from || run(text[i+1:second], isName) < stamp {
		return span{}
	}
	first := i
	for first > from && i-first < id+5 && isName(text[first-1]) {
		first--
	}
	n := run(text[second+1:], isName)
	if i-first < id || n < signature || n > 38 || strings.IndexByte("MNO", text[first]) < 0 || !starts(text, first) ||
		!mixed(text[first:i]) {
		return span{}
	}
	return span{first, second + 1 + n, Certain}
}

// airtableToken finds a personal access token by its dot.
func airtableToken(text []byte, from, i int) span {
	const name, digits = len("pat") + 14, 64
	first := i - name
	if first < from || len(text)-i <= digits || !bytes.HasPrefix(text[first:], []byte("pat")) || !starts(text, first) ||
		run(text[first:i], isAlnum) < name || run(text[i+1:], isLowerHex) < digits {
		return span{}
	}
	return span{first, i + 1 + digits, Certain}
}

func hasSuffixFold(s []byte, suffix string) bool {
	return len(s) >= len(suffix) && bytes.EqualFold(s[len(s)-len(suffix):], []byte(suffix))
}

// run is how many bytes at the beginning are such.
func run(text []byte, is func(c byte) bool) int {
	n := 0
	for n < len(text) && is(text[n]) {
		n++
	}
	return n
}

func isUpperOrDigit(c byte) bool { return isUpper(c) || isDigit(c) }
func isAlnum(c byte) bool        { return isLetter(c) || isDigit(c) }
func isName(c byte) bool         { return isAlnum(c) || c == '_' || c == '-' }
func isJWT(c byte) bool          { return isName(c) || c == '.' }
func isLowerHex(c byte) bool     { return isDigit(c) || 'a' <= c && c <= 'f' }
func isHash(c byte) bool {
	return isAlnum(c) || c == '$' || c == '.' || c == '/' || c == '+' || c == '=' || c == ',' || c == ':'
}
