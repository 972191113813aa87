package spec

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"daybefore/internal/spec/guess"
)

// Mistake is one thing that is wrong with a drill file.
type Mistake struct {
	File    string // as it was given to Load
	Line    int    // from 1; 0 where the file could not be read at all
	Column  int    // from 1, in characters
	Message string // what is wrong
	Hint    string // what to write instead
}

// Error is file:line:column: what is wrong; the hint.
func (m Mistake) Error() string {
	at := m.File
	if m.Line > 0 {
		at = fmt.Sprintf("%s:%d:%d", m.File, m.Line, m.Column)
	}
	if m.Hint == "" {
		return at + ": " + m.Message
	}
	return at + ": " + m.Message + "; " + m.Hint
}

// Mistakes are all that is wrong with a drill file, in its order. It is the
// error that Load returns.
type Mistakes []Mistake

// Error lists the mistakes, one a line.
func (m Mistakes) Error() string {
	lines := make([]string, len(m))
	for i := range m {
		lines[i] = m[i].Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap gives each Mistake to errors.Is and errors.As.
func (m Mistakes) Unwrap() []error {
	errs := make([]error, len(m))
	for i := range m {
		errs[i] = m[i]
	}
	return errs
}

// sorted are the mistakes in the order of their places, each once: what is
// wrong with the defaults is seen where they are checked, and in each file.
func (m Mistakes) sorted() Mistakes {
	slices.SortStableFunc(m, func(a, b Mistake) int {
		return cmp.Or(cmp.Compare(a.File, b.File), a.Line-b.Line, a.Column-b.Column)
	})
	return slices.Compact(m)
}

// unplaced is a mistake that does not know its place yet.
type unplaced struct{ message, hint string }

func unplacedf(hint, format string, args ...any) *unplaced {
	return &unplaced{message: fmt.Sprintf(format, args...), hint: hint}
}

// mistakeList collects the mistakes of one file.
type mistakeList struct {
	file     string
	mistakes Mistakes
	unread   map[Pos]bool // values, and sections with such, that could not be read
}

// couldNotRead keeps what follows from a mistake from being called another.
func (d *mistakeList) couldNotRead(at Pos) {
	if d.unread == nil {
		d.unread = map[Pos]bool{}
	}
	d.unread[at] = true
}

func (d *mistakeList) refuse(at Pos, hint, format string, args ...any) {
	if d.unread[at] {
		return
	}
	d.mistakes = append(d.mistakes, Mistake{
		File: cmp.Or(at.File, d.file), Line: at.Line, Column: at.Column,
		Message: fmt.Sprintf(format, args...), Hint: hint,
	})
}

func (d *mistakeList) refuseUnplaced(at Pos, key string, f *unplaced) {
	d.refuse(at, f.hint, "%s: %s", key, f.message)
}

// shown quotes what was written.
func shown(s string) string { return guess.Shown(s) }
