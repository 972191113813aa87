package detect

import (
	"bytes"
	_ "embed"
	"strings"
	"unicode"
	"unicode/utf8"
)

// nextEmail finds local@domain, where the domain has a dot and ends in a top level. Addresses below .invalid reach
// nobody: this is what pseudonyms use.
func (s *search) nextEmail(text []byte, from int) span {
	var first span
	for k := range s.emails {
		first = first.or(s.emails[k].seek(ats[k], text, from, addressAround))
	}
	return first
}

// ats part an address: an at sign, and a per cent sign that begins how URLs write one.
const ats = "@%"

// addressAround finds the first address whose parts are parted by what begins with sign.
func addressAround(text []byte, from int, sign byte) span {
	parts := "@"
	if sign == '%' {
		parts = "%40"
	}
	for {
		i := bytes.Index(text[from:], []byte(parts))
		if i < 0 {
			return span{}
		}
		middle := from + i
		from = middle + len(parts)
		end, doubt := domainEnd(text, from)
		if end == 0 {
			continue
		}
		at := localStart(text, middle)
		if at < middle && string(text[at:middle]) != "git" && !isUser(text, middle) {
			return span{at, end, doubt}
		}
	}
}

// localStart is where the local part that ends at middle begins. What belongs to the text around it is no part of it:
// punctuation, bytes that are no UTF-8, and words of scripts that put no blank before it.
func localStart(text []byte, middle int) int {
	const most = 64
	at := middle
	for at > 0 && middle-at < most && isLocal(text[at-1]) {
		at--
	}
	for i := at; i < middle; {
		r, size := utf8.DecodeRune(text[i:middle])
		i += size
		if r >= utf8.RuneSelf && i < middle && (!unicode.IsLetter(r) || unicode.In(r, wordless...)) {
			at = i
		}
	}
	for at < middle && strings.IndexByte(".-'", text[at]) >= 0 {
		at++
	}
	return at
}

// wordless are scripts whose words no blanks part.
var wordless = []*unicode.RangeTable{unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Thai}

// domainEnd is where the domain that begins at from ends; 0 for none.
func domainEnd(text []byte, from int) (end int, doubt Confidence) {
	const most = 255
	end = from
	for end < len(text) && end-from < most && isDomain(text[end]) {
		end++
	}
	for i := from; i < end; {
		r, size := utf8.DecodeRune(text[i:end])
		if r >= utf8.RuneSelf && !unicode.IsLetter(r) && !unicode.IsMark(r) {
			end = i
			break
		}
		i += size
	}
	for {
		for end > from && (text[end-1] == '.' || text[end-1] == '-') {
			end--
		}
		name := text[from:end]
		dot := bytes.LastIndexByte(name, '.')
		if dot < 1 || bytes.Contains(name, []byte("..")) {
			return 0, Doubtful
		}
		switch kind, size := topLevel(name[dot+1:]); kind {
		case known:
			return from + dot + 1 + size, Certain
		case unknown:
			return end, Doubtful
		case nobody:
			return 0, Doubtful
		}
		end = from + dot // a word behind a full stop, or a file's ending
	}
}

// What a domain's last label is.
const (
	none = iota // no top level
	known
	unknown
	nobody // nobody is reached below it
)

// topLevel tells what a label is, of which the first size bytes count: a text without blanks may go on behind it.
func topLevel(label []byte) (kind, size int) {
	var lower [24]byte
	if len(label) == 0 || len(label) > len(lower) && label[0] < utf8.RuneSelf {
		return none, 0
	}
	for size < len(label) && size < len(lower) && label[size] < utf8.RuneSelf {
		lower[size] = label[size] | 0x20
		size++
	}
	if size == 0 {
		return foreignTopLevel(label)
	}
	name := string(lower[:size])
	switch {
	case name == "invalid":
		return nobody, size
	case topLevels[name] || bytes.HasPrefix(lower[:size], []byte("xn--")):
		return known, size
	case size != len(label) || files[name] || !isLabel(label):
		return none, 0
	}
	return unknown, size
}

// isLabel reports whether a label might be a network's own top level: letters, three to eight.
func isLabel(label []byte) bool {
	for _, c := range label {
		if !isLetter(c) {
			return false
		}
	}
	return 3 <= len(label) && len(label) <= 8
}

func foreignTopLevel(label []byte) (kind, size int) {
	for size = len(label); size > 0; size-- {
		if topLevels[string(label[:size])] {
			return known, size
		}
	}
	return none, 0
}

//go:embed toplevels.txt
var topLevelList string

// topLevels are IANA's, and the names that RFC 2606, RFC 6762 and ICANN keep for tests and inner networks.
var topLevels = contextOf(topLevelList + `
	example test local localhost lan internal intranet corp home private localdomain`)

// files are endings that make a name with an @ a file's or a unit's, as in logo@2x.png and getty@tty1.service.
var files = contextOf(`
	png jpg jpeg gif webp svg avif js css map json html htm pdf txt xml conf cfg ini log gz bz tar deb rpm dsc diff
	patch orig jar war class java cpp hpp php asp aspx jsp exe dll bin iso img dat sql csv tsv yaml yml toml lock
	bak tmp service socket target timer mount device path slice scope swap automount network link git svn bzr tex
	sty bib ttf otf woff woff mp wav ogg avi mkv doc docx xls xlsx ppt pptx odt ods`)

// isUser tells the user of a URL, as in ssh://deploy@host: a password of his is a secret, and found as such. Whoever
// stands in a URL of the web is taken for somebody's address.
func isUser(text []byte, middle int) bool {
	near := text[max(0, middle-longestAuthority):middle]
	colon, user := authority(near)
	if user == nil || bytes.ContainsAny(user, notAuthority) {
		return false
	}
	scheme := near[:colon]
	web := hasSuffixFold(scheme, "http") || hasSuffixFold(scheme, "https")
	return !web || bytes.IndexByte(user, ':') >= 0 || machines[string(user)]
}

// machines are users of URLs that nobody is.
var machines = contextOf("git oauth2 token x-access-token anonymous user username")

// Bounds of what stands before a URL's host.
const (
	longestAuthority = 300
	notAuthority     = " /\"'<\n\t"
)

// authority is what follows the slashes of a URL, the last one in the text, and where these and their colon stand; PHP
// escapes them. Nil for none.
func authority(text []byte) (colon int, user []byte) {
	for _, slashes := range [...]string{"://", `:\/\/`} {
		if i := bytes.LastIndex(text, []byte(slashes)); i >= 0 {
			return i, text[i+len(slashes):]
		}
	}
	return -1, nil
}

func isLocal(c byte) bool {
	return isWord(c) || c >= utf8.RuneSelf || strings.IndexByte("._%+-'&/=~!#*", c) >= 0
}

func isDomain(c byte) bool { return isWord(c) || c >= utf8.RuneSelf || c == '.' || c == '-' }
