package detect

import "bytes"

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
	{"ghp_", 3, isAlnum, 36}, {"gho_", 3, isAlnum, 36}, {"ghu_", 3, isAlnum, 36}, {"ghs_", 3, isAlnum, 36}, {"ghr_", 3, isAlnum, 36},
	{"github_pat_", 6, isName, 22}, {"npm_", 3, isAlnum, 36}, {"sk_live_", 2, isAlnum, 16}, {"sk_test_", 2, isAlnum, 16}, {"rk_live_", 2, isAlnum, 16}, {"whsec_", 5, isAlnum, 24},
	{"glpat-", 5, isName, 20}, {"sk-", 2, isName, 32},
	{"xoxb-", 4, isName, 20}, {"xoxp-", 4, isName, 20}, {"xoxa-", 4, isName, 20}, {"xoxr-", 4, isName, 20}, {"xoxs-", 4, isName, 20},
	{"$2a$", 0, isHash, 56}, {"$2b$", 0, isHash, 56}, {"$2y$", 0, isHash, 56}, {"$argon2", 0, isHash, 30},
	{"$6$", 0, isHash, 80}, {"$5$", 0, isHash, 40}, {"$1$", 0, isHash, 20}, {"$y$", 0, isHash, 40},
	{"SCRAM-SHA-256$", 13, isHash, 60}, {"pbkdf2_sha256$", 13, isHash, 40},
}

// markers are the bytes without which there is no secret, by what is counted.
func (n *counts) markers() string {
	const all = "@-_$JKSGz"
	from, to := 0, len(all)
	if n.capitals == 0 {
		to = 4
		if n.joints == 0 {
			to = 2
		}
	}
	if n.ats == 0 {
		from = 1
		if n.dashes == 0 {
			from = 2
		}
	}
	if from >= to {
		return ""
	}
	return all[from:to]
}

// shapesBy holds the shapes by their rare byte.
var shapesBy = func() (t [256][]shape) {
	for _, s := range shapes {
		c := s.prefix[s.rare]
		t[c] = append(t[c], s)
	}
	return t
}()

// nextSecret finds keys, tokens and password hashes; the first of all markers'.
func nextSecret(text []byte, from int, n counts) (at, end int) {
	at, end = -1, -1
	markers := n.markers()
	for k := range len(markers) {
		for i := from; ; i++ {
			next := bytes.IndexByte(text[i:], markers[k])
			if next < 0 {
				break
			}
			i += next
			if first, last := secretAt(text, from, i); last > 0 {
				if at < 0 || first < at {
					at, end = first, last
				}
				break
			}
		}
	}
	return at, end
}

// secretAt finds the secret, not before from, whose marker stands at i; last is
// 0 for none.
func secretAt(text []byte, from, i int) (first, last int) {
	switch text[i] {
	case 'J':
		first = i - len("ey")
		if first >= from && starts(text, first) && text[first] == 'e' && text[first+1] == 'y' {
			return first, ending(first, jwt(text[first:]))
		}
		return 0, 0
	case '@':
		first = bytes.LastIndex(text[from:i], []byte("://"))
		if first < 0 {
			return 0, 0
		}
		first += from
		return first, ending(first, userinfo(text[first:i+1]))
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
		if first < from || text[first] != s.prefix[0] || !bytes.HasPrefix(text[first:], []byte(s.prefix)) || isWord(s.prefix[0]) && !starts(text, first) {
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

func ending(at, length int) int {
	if length == 0 {
		return 0
	}
	return at + length
}

// jwt returns the length of three parts of base64url between dots, of which
// the second begins as an object does, too; 0 for none.
func jwt(text []byte) int {
	n, dots, part := 0, 0, 0
	for ; n < len(text) && isJWT(text[n]); n++ {
		if text[n] == '.' {
			if dots++; dots == 1 && !bytes.HasPrefix(text[n+1:], []byte("ey")) || part < 8 {
				return 0
			}
			part = 0
			continue
		}
		part++
	}
	if dots != 2 || part < 16 {
		return 0
	}
	return n
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

// userinfo returns the length of ://user:password@, which text begins with and
// whose at sign is its last byte; 0 where it is something else.
func userinfo(text []byte) int {
	const scheme = len("://")
	name, password, found := bytes.Cut(text[scheme:len(text)-1], []byte(":"))
	if !found || len(name) == 0 || len(password) == 0 || bytes.ContainsAny(text[scheme:], " /\"'<\n\t") {
		return 0
	}
	return len(text)
}

func isUpperOrDigit(c byte) bool { return isUpper(c) || isDigit(c) }
func isAlnum(c byte) bool        { return isLetter(c) || isDigit(c) }
func isName(c byte) bool         { return isAlnum(c) || c == '_' || c == '-' }
func isJWT(c byte) bool          { return isName(c) || c == '.' }
func isHash(c byte) bool {
	return isAlnum(c) || c == '$' || c == '.' || c == '/' || c == '+' || c == '=' || c == ',' || c == ':'
}
