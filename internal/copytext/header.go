package copytext

import (
	"errors"
	"strings"
)

// ErrHeader is returned for a statement that is no `COPY … FROM stdin;` as
// pg_dump writes it.
var ErrHeader = errors.New("not a COPY … FROM stdin statement")

// Header is what a COPY statement says about the rows after it.
type Header struct {
	Schema  string // empty where the statement names none
	Table   string
	Columns []string // in the order of the fields; nil where the table has none
}

// ParseHeader reads one whole statement such as
// `COPY public."Order" (id, "e-mail") FROM stdin;`, which ends with its
// semicolon and perhaps a newline. Quoted names may hold anything, newlines
// and other statements too.
func ParseHeader(stmt string) (Header, error) {
	p := headerParser{rest: strings.TrimSuffix(stmt, "\n")}
	if !p.word("copy") {
		return Header{}, ErrHeader
	}
	var h Header
	h.Table = p.name()
	if p.punct('.') {
		h.Schema, h.Table = h.Table, p.name()
	}
	if p.punct('(') {
		for h.Columns = []string{p.name()}; p.punct(','); {
			h.Columns = append(h.Columns, p.name())
		}
		p.must(p.punct(')'))
	}
	p.must(p.word("from") && p.word("stdin") && p.punct(';') && p.rest == "")
	if p.bad {
		return Header{}, ErrHeader
	}
	return h, nil
}

// headerParser takes tokens off the front of a statement; bad once one was
// not what it had to be.
type headerParser struct {
	rest string
	bad  bool
}

func (p *headerParser) must(ok bool) { p.bad = p.bad || !ok }

func (p *headerParser) blanks() { p.rest = strings.TrimLeft(p.rest, " \t\r\n") }

func (p *headerParser) punct(c byte) bool {
	p.blanks()
	if p.rest == "" || p.rest[0] != c {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

func (p *headerParser) word(w string) bool {
	p.blanks()
	n := bareName(p.rest)
	if !strings.EqualFold(p.rest[:n], w) {
		return false
	}
	p.rest = p.rest[n:]
	return true
}

// name takes an identifier: quoted as it is, or bare and folded as the server
// folds it.
func (p *headerParser) name() string {
	p.blanks()
	if p.rest != "" && p.rest[0] == '"' {
		return p.quoted()
	}
	n := bareName(p.rest)
	p.must(n > 0)
	name := lowerASCII(p.rest[:n])
	p.rest = p.rest[n:]
	return name
}

func (p *headerParser) quoted() string {
	var b strings.Builder
	for s := p.rest[1:]; ; {
		i := strings.IndexByte(s, '"')
		if i < 0 {
			p.bad = true
			return ""
		}
		b.WriteString(s[:i])
		if s = s[i+1:]; s == "" || s[0] != '"' {
			p.rest = s
			p.must(b.Len() > 0)
			return b.String()
		}
		b.WriteByte('"')
		s = s[1:]
	}
}

// bareName returns the length of the unquoted identifier at the front of s.
func bareName(s string) int {
	for i := range len(s) {
		c := s[i]
		letter := 'a' <= c|0x20 && c|0x20 <= 'z' || c == '_' || c >= 0x80
		if !letter && (i == 0 || c != '$' && (c < '0' || '9' < c)) {
			return i
		}
	}
	return len(s)
}

// lowerASCII folds as the server does in every encoding: bytes, not runes.
func lowerASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}
