package program

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_.:/@%+=,-]+$`)

// ShellWord writes a text so that any shell takes it as one word, and nothing in
// it reaches a terminal as a command: control characters and what turns the
// direction of writing are written in octal. Of a text with such characters the
// line ends at its end are lost.
func ShellWord(text string) string {
	hidden := func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }
	switch {
	case plainWord.MatchString(text):
		return text
	case !strings.ContainsFunc(text, hidden):
		return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
	}
	var b strings.Builder
	for _, c := range []byte(text) {
		if c < ' ' || c > '~' || strings.IndexByte(`\%'`, c) >= 0 {
			fmt.Fprintf(&b, `\%03o`, c)
			continue
		}
		b.WriteByte(c)
	}
	return `"$(printf '` + b.String() + `')"`
}
