package detect

import (
	"bytes"
	"strings"
)

// awsLength is the length of the shortest secret: AKIA and 16 more.
const awsLength = 20

// shape is a secret that begins with a prefix.
type shape struct {
	prefix string
	rare   int               // the byte of the prefix to look for
	is     func(c byte) bool // what may follow
	least  int               // so many of it
}

var shapes = []shape{
	{"AKIA", 1, isUpperOrDigit, 16}, {"ASIA", 1, isUpperOrDigit, 16}, {"AIza", 2, isName, 35}, {"SG.", 1, isJWT, 60},
	{"ghp_", 3, isAlnum, 36}, {"gho_", 3, isAlnum, 36}, {"ghu_", 3, isAlnum, 36}, {"ghs_", 3, isAlnum, 36},
	{"ghr_", 3, isAlnum, 36},
	{"github_pat_", 6, isName, 22}, {"npm_", 3, isAlnum, 36}, {"sk_live_", 2, isAlnum, 16},
	{"sk_test_", 2, isAlnum, 16}, {"rk_live_", 2, isAlnum, 16}, {"whsec_", 5, isAlnum, 24},
	{"glpat-", 5, isName, 20}, {"GOCSPX-", 0, isName, 28}, {"sk-", 2, isName, 32},
	{"xoxb-", 4, isName, 20}, {"xoxp-", 4, isName, 20}, {"xoxa-", 4, isName, 20}, {"xoxr-", 4, isName, 20},
	{"xoxs-", 4, isName, 20},
	{"$2a$", 0, isHash, 56}, {"$2b$", 0, isHash, 56}, {"$2y$", 0, isHash, 56}, {"$argon2", 0, isHash, 30},
	{"$6$", 0, isHash, 80}, {"$5$", 0, isHash, 40}, {"$1$", 0, isHash, 20}, {"$y$", 0, isHash, 40},
	{"SCRAM-SHA-256$", 13, isHash, 60}, {"pbkdf2_sha256$", 13, isHash, 40},
}

// hooks are addresses whose path is all that it takes to write there.
var hooks = []string{"://hooks.slack.com/services/T", "://discord.com/api/webhooks/", "://discordapp.com/api/webhooks/"}

// leastHook is how much follows at least.
const leastHook = 30

// shapesBy holds the shapes by their rare byte.
var shapesBy = func() (t [256][]shape) {
	for _, s := range shapes {
		c := s.prefix[s.rare]
		t[c] = append(t[c], s)
	}
	return t
}()

// markers are the bytes without which there is no secret, those side by side
// that are counted as one.
const markers = "@-:_$=JKSGz"

// nextSecret finds keys, tokens and password hashes; the first of all markers'.
func (s *search) nextSecret(text []byte, from int) (at, end int) {
	at, end = -1, -1
	k := 0
	for _, counted := range [...]struct{ count, markers int }{{s.ats, 1}, {s.dashes, 1}, {s.colons, 1},
		{s.joints, len("_$=")}, {s.capitals, len("JKSGz")}} {
		last := k + counted.markers
		if counted.count == 0 {
			k = last
		}
		for ; k < last; k++ {
			s.secrets[k].seek(markers[k], text, from, marked)
			at, end = s.secrets[k].before(at, end)
		}
	}
	return at, end
}

// marked finds the first secret of one marker; last is 0 for none.
func marked(text []byte, from int, marker byte) (first, last int) {
	for i := from; ; i++ {
		next := bytes.IndexByte(text[i:], marker)
		if next < 0 {
			return 0, 0
		}
		i += next
		first, last = secretAt(text, from, i)
		if last > 0 {
			return first, last
		}
		i = max(i, first)
	}
}

// secretAt finds the secret, not before from, whose marker stands at i; last is
// 0 for none, and first then how far no other one begins.
func secretAt(text []byte, from, i int) (first, last int) {
	switch text[i] {
	case 'J':
		first = i - len("ey")
		if first >= from && starts(text, first) && text[first] == 'e' && text[first+1] == 'y' {
			length, header := jwt(text[first:])
			if length == 0 {
				return first + header - 1, 0
			}
			return first, first + length
		}
		return 0, 0
	case '@':
		return userinfo(text, from, i)
	case ':':
		return afterColon(text, from, i)
	case '=':
		return password(text, from, i)
	case '_', 'K':
		first, last = awsSecret(text, from, i)
		if last > 0 {
			return first, last
		}
	case '-':
		if n := pem(text[i:]); n > 0 {
			return i, i + n
		}
		if i < 2 || text[i-2] != 'a' && text[i-2] != 's' && text[i-2] != 'x' { // glpat-, sk-, xoxb-
			return 0, 0
		}
	}
	for j := range shapesBy[text[i]] {
		s := &shapesBy[text[i]][j]
		first = i - s.rare
		if first < from || text[first] != s.prefix[0] || !bytes.HasPrefix(text[first:], []byte(s.prefix)) ||
			isWord(s.prefix[0]) && !starts(text, first) {
			continue
		}
		n := first + len(s.prefix)
		for n < len(text) && s.is(text[n]) {
			n++
		}
		if n-first-len(s.prefix) >= s.least {
			return first, n
		}
	}
	return 0, 0
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
	if !bytes.HasPrefix(text, []byte(begin)) {
		return 0
	}
	line := text[:min(len(text), most)]
	if i := bytes.Index(line, []byte(key)); i > 0 && bytes.IndexByte(line[:i], '\n') < 0 {
		return i + len(key)
	}
	return 0
}

// userinfo finds user:password@ in a URL by its at sign; the user may be empty.
func userinfo(text []byte, from, at int) (first, last int) {
	near := max(from, at-longestAuthority)
	colon, user := authority(text[near:at])
	_, password, found := bytes.Cut(user, []byte(":"))
	if !found || len(password) == 0 || strings.IndexByte(variables, password[0]) >= 0 ||
		bytes.ContainsAny(user, notAuthority) {
		return 0, 0
	}
	return near + colon, at + 1
}

// variables are bytes that a password begins with that is yet to be put there.
const variables = "$<{%*["

// afterColon finds what a colon tells: a web hook's URL, a Telegram bot's
// token, the credentials of an Authorization header.
func afterColon(text []byte, from, i int) (first, last int) {
	rest := text[i:]
	switch {
	case bytes.HasPrefix(rest, []byte("://")):
		for _, h := range hooks {
			if n := len(h); bytes.HasPrefix(rest, []byte(h)) {
				n += run(rest[n:], func(c byte) bool { return isName(c) || c == '/' })
				if n-len(h) >= leastHook {
					return i, i + n
				}
			}
		}
	case bytes.HasPrefix(rest, []byte(":AA")):
		const token = 35
		n := run(rest[1:], isName)
		for first = i; first > from && isDigit(text[first-1]); first-- {
		}
		if digits := i - first; n == token && 8 <= digits && digits <= 10 && starts(text, first) {
			return first, i + 1 + n
		}
	case i > from && bytes.HasSuffix(bytes.TrimRight(text[from:i], `"`), []byte("uthorization")):
		value := bytes.TrimLeft(rest, `:" `)
		for _, scheme := range [...]string{"Basic ", "Bearer ", "Token "} {
			if !bytes.HasPrefix(value, []byte(scheme)) {
				continue
			}
			if n := run(value[len(scheme):], isHash); n >= leastCredentials {
				first = i + len(rest) - len(value)
				return first, first + len(scheme) + n
			}
		}
	}
	return 0, 0
}

// leastCredentials is the length of the shortest in an Authorization header.
const leastCredentials = 12

// password finds password=… among the other words of a connection string, by
// its equals sign. A value that begins as a variable does is none; of a long one
// the beginning is told, so that a text full of them is not read again for each.
func password(text []byte, from, i int) (first, last int) {
	const most = 300
	before := text[max(from, i-most):i]
	switch {
	case hasSuffixFold(before, "password"):
		first = i - len("password")
	case hasSuffixFold(before, "pwd"):
		first = i - len("pwd")
	default:
		return 0, 0
	}
	n := run(text[i+1:min(len(text), i+1+most)],
		func(c byte) bool { return c > ' ' && strings.IndexByte(`;&"',`, c) < 0 })
	if n < 4 || strings.IndexByte(variables, text[i+1]) >= 0 {
		return 0, 0
	}
	near := bytes.ToLower(text[max(from, i-most):min(len(text), i+1+n+most)])
	for _, word := range [...]string{"host=", "server=", "user=", "dbname=", "user id=", "uid=", "data source="} {
		if bytes.Contains(near, []byte(word)) {
			return first, i + 1 + n
		}
	}
	return 0, 0
}

// awsSecret finds the 40 characters that an AWS secret access key has, behind
// its name, of which a byte stands at i.
func awsSecret(text []byte, from, i int) (first, last int) {
	const length = 40
	name := "secret_access_key"
	first = i - len("secret")
	if text[i] == 'K' {
		name, first = "secretAccessKey", i-len("secretAccess")
	}
	if first < from || len(text)-first < len(name)+1+length ||
		!bytes.EqualFold(text[first:first+len(name)], []byte(name)) {
		return 0, 0
	}
	rest := bytes.TrimLeft(text[first+len(name):], `"' `)
	if len(rest) == 0 || rest[0] != '=' && rest[0] != ':' {
		return 0, 0
	}
	rest = bytes.TrimLeft(rest[1:], `"' `)
	if run(rest, func(c byte) bool { return isAlnum(c) || c == '/' || c == '+' }) != length {
		return 0, 0
	}
	last = len(text) - len(rest) + length
	return first, last
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
func isHash(c byte) bool {
	return isAlnum(c) || c == '$' || c == '.' || c == '/' || c == '+' || c == '=' || c == ',' || c == ':'
}
