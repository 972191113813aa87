package draft

import (
	"bytes"
	"encoding/base64"
	"strings"
	"unicode"
	"unicode/utf8"

	"daybefore/internal/jsontext"
	"daybefore/internal/scrub/propose"
	"daybefore/internal/scrub/schema"
	"daybefore/internal/scrub/transform"
)

// writing is how a text holds what columns hold elsewhere: so applications keep
// history, settings and what they sent.
type writing byte

const (
	noWriting writing = iota
	writtenJSON
	writtenYAML
	writtenPHP
	writtenXML
	writtenBase64
	writings
)

// writingWords are those for many of them.
var writingWords = [writings]string{
	writtenJSON:   "JSON documents",
	writtenYAML:   "YAML documents",
	writtenPHP:    "documents as PHP serializes them",
	writtenXML:    "XML documents",
	writtenBase64: "texts in base64",
}

// writingOf tells by the beginning and the end, and of JSON by all of it.
func writingOf(v []byte) writing {
	const shortest = 5 // {"":1 is none
	if len(v) <= shortest {
		return noWriting
	}
	first := v[0]
	switch {
	case first == '{', first == '[':
		if bytes.IndexByte(v, '"') > 0 && jsontext.ValueEnd(v, 0, 0) == len(v) {
			return writtenJSON
		}
		return noWriting
	case first == '<':
		if isXML(v) {
			return writtenXML
		}
		return noWriting
	case isPHP(v):
		return writtenPHP
	case isYAML(v):
		return writtenYAML
	case isBase64(v):
		return writtenBase64
	}
	return noWriting
}

// isXML leaves out whole pages, which are for readers, and what only stands in angle
// brackets, such as <urn:uuid:…> or <ada@example.com>.
func isXML(v []byte) bool {
	second := v[1] | 0x20
	if v[1] != '?' && !bytes.HasSuffix(v, []byte("/>")) && !bytes.Contains(v, []byte("</")) {
		return false
	}
	if v[1] != '?' && (second < 'a' || 'z' < second) || v[len(v)-1] != '>' {
		return false
	}
	return second != 'h' || !bytes.EqualFold(v[1:min(len(v), 5)], []byte("html"))
}

// isPHP is for arrays, objects and texts: a:1:{ …}, O:4:"User":…, s:3:"Ada";.
func isPHP(v []byte) bool {
	if v[0] != 'a' && v[0] != 'O' && v[0] != 's' || v[1] != ':' {
		return false
	}
	rest := bytes.TrimLeft(v[2:], "0123456789")
	last := v[len(v)-1]
	return len(rest) < len(v)-2 && len(rest) > 1 && rest[0] == ':' && (rest[1] == '{' || rest[1] == '"') &&
		(last == '}' || last == ';')
}

// isYAML is for what says so in its first line, and for lines that are all keys,
// items or what belongs to them.
func isYAML(v []byte) bool {
	const enough = 2
	if bytes.HasPrefix(v, []byte("---\n")) || bytes.HasPrefix(v, []byte("--- ")) ||
		bytes.HasPrefix(v, []byte("---\r\n")) {
		return true
	}
	keys, lines := 0, 0
	for line := range bytes.Lines(v) {
		line = bytes.TrimRight(line, "\r\n")
		lines++
		key, _, isKey := bytes.Cut(line, []byte(":"))
		switch {
		case isKey && isYAMLKey(bytes.TrimLeft(key, " -")) && (len(line) == len(key)+1 || line[len(key)+1] == ' '):
			keys++
		case lines == 1 || len(line) > 0 && line[0] != ' ' && line[0] != '-':
			return false
		}
	}
	return keys >= enough
}

func isYAMLKey(key []byte) bool {
	return len(key) > 0 && jsontext.PlainKey(key)
}

// isBase64 is for what holds a text of some words.
func isBase64(v []byte) bool {
	const shortest, group = 24, 4
	if len(v) < shortest || len(v)%group != 0 || bytes.ContainsAny(v[:shortest], " :.,_-") {
		return false
	}
	text, err := base64.StdEncoding.AppendDecode(nil, v)
	if err != nil || !utf8.Valid(text) || !bytes.ContainsAny(text, " {:@=") {
		return false
	}
	return !bytes.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) && !unicode.IsSpace(r) })
}

// writes looks at how a text is written, and into one that is JSON.
func (l *rowScanner) writes(v *view, text []byte) {
	if v.column.Family() != schema.Textual {
		return
	}
	text = bytes.TrimSpace(text)
	how := writingOf(text)
	v.written[how]++
	if how == writtenJSON {
		v.documents++
		l.members(v, text)
	}
}

// documented is how many of a text column's values are documents, and how most of
// them are written; 0 where they are few.
func (e *evidence) documented() (n int64, how writing) {
	const tenth = 10
	for w := noWriting + 1; w < writings; w++ {
		n += e.written[w]
		if how == noWriting || e.written[w] > e.written[how] {
			how = w
		}
	}
	if n*tenth < e.values {
		return 0, noWriting
	}
	return n, how
}

// asHistory: texts that hold documents hold what other columns do.
func (e *evidence) asHistory(byName judged, n int64, how writing) judged {
	j := judged{Suspicion: propose.Suspicion{What: writingWords[how], Transform: transform.Text, Within: true},
		confidence: medium, reason: byName.reason, history: true}
	if j.reason != "" {
		j.reason += "; "
	}
	j.reason += ofValues(n, e.values, "are") + " " + writingWords[how]
	if e.written[how] < n {
		j.reason += " or the like"
	}
	var names []string
	for _, k := range e.telling() {
		names = append(names, k.Name)
	}
	_, _, hits := e.leading()
	if len(names) > 0 {
		j.reason += ", with the keys " + strings.Join(names, ", ")
	}
	if len(names) > 0 || hits > 0 {
		j.confidence = high
	}
	return j
}

// draftedOverlap is how many real values of each column a draft has looked for.
const draftedOverlap = 10_000
