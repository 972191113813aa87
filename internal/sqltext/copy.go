package sqltext

import (
	"errors"
	"slices"
	"strings"

	"daybefore/internal/copytext"
)

// ErrCopy is returned for a statement that is no `COPY … FROM stdin;` as
// pg_dump writes it.
var ErrCopy = errors.New("not a COPY … FROM stdin statement")

// ParseCopy reads one whole statement such as
// `COPY public."Order" (id, "e-mail") FROM stdin;`, which ends with its
// semicolon and perhaps a newline. Quoted names may hold anything, newlines
// and other statements too.
func ParseCopy(stmt string) (copytext.Header, error) {
	sql := strings.TrimSuffix(stmt, "\n")
	c := Cursor{Tokens: Tokens(sql, true)}
	if !plain(sql, c.Tokens) || !c.Takes("copy") {
		return copytext.Header{}, ErrCopy
	}
	var h copytext.Header
	h.Schema, h.Table = c.Qualified()
	if c.Takes("(") {
		for h.Columns = []string{c.Name()}; c.Takes(","); {
			h.Columns = append(h.Columns, c.Name())
		}
		if !c.Takes(")") {
			return copytext.Header{}, ErrCopy
		}
	}
	if !c.Takes("from", "stdin", ";") || !c.Done() || h.Table == "" || slices.Contains(h.Columns, "") {
		return copytext.Header{}, ErrCopy
	}
	return h, nil
}

// plain reports whether nothing but blanks stands between the tokens, and nothing
// after them.
func plain(sql string, tokens []Token) bool {
	end := 0
	for _, t := range tokens {
		if strings.Trim(sql[end:t.Start], " \t\r\n") != "" {
			return false
		}
		end = t.End
	}
	return end == len(sql)
}
