package report

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/graphemes"
	"github.com/olekukonko/tablewriter/pkg/twwidth"
)

// clean makes text from a report safe to show on one line: whatever is not a
// visible character or a space (terminal escapes, newlines, marks that turn
// the direction of writing, bytes that are no UTF-8) is spelled out, like \x1b.
func clean(s string) string {
	return strings.Map(asSpace, spell(s, ""))
}

// cleanLines is clean for texts of our own that may have several lines.
func cleanLines(s string) string {
	return strings.Map(asSpace, spell(strings.TrimRight(s, "\n"), "\n"))
}

// asSpace makes one of the many spaces plain, so that lines wrap at it.
func asSpace(r rune) rune {
	if r != '\n' && unicode.IsSpace(r) {
		return ' '
	}
	return r
}

func spell(s, keep string) string {
	visible := func(r rune) bool { return unicode.IsGraphic(r) && r != unicode.ReplacementChar }
	if strings.IndexFunc(s, func(r rune) bool { return !visible(r) }) < 0 {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		switch {
		case visible(r), strings.ContainsRune(keep, r):
			b.WriteRune(r)
		case r == unicode.ReplacementChar && !strings.HasPrefix(s[i:], string(r)):
			b.WriteString(`\x` + strconv.FormatUint(uint64(s[i])|0x100, 16)[1:]) // a byte that is no UTF-8
		case r == unicode.ReplacementChar:
			b.WriteRune(r)
		default:
			quoted := strconv.QuoteRuneToASCII(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		}
	}
	return b.String()
}

// wrap breaks a text into lines of at most width columns, at spaces where it
// can, anywhere where it must. Nothing but spaces is lost.
func wrap(s string, width int) []string {
	var lines []string
	for line := range strings.SplitSeq(s, "\n") {
		lines = append(lines, wrapLine(line, max(width, 2))...)
	}
	return lines
}

func wrapLine(s string, width int) []string {
	var lines []string
	var line strings.Builder
	used := 0
	flush := func() {
		lines = append(lines, line.String())
		line.Reset()
		used = 0
	}
	for _, word := range strings.Fields(s) {
		w := twwidth.Width(word)
		switch {
		case line.Len() > 0 && used+1+w <= width:
			line.WriteByte(' ')
			used++
		case line.Len() > 0:
			flush()
		}
		for head := fitting(word, width); head != word; head = fitting(word, width) {
			lines = append(lines, head)
			word = word[len(head):]
		}
		line.WriteString(word)
		used += twwidth.Width(word)
	}
	if line.Len() > 0 || len(lines) == 0 {
		flush()
	}
	return lines
}

// fitting is the word if it fits into width, else the longest beginning that
// does, at least one letter. A break after a mark that joins a name's parts
// reads best. It looks no further than width.
func fitting(word string, width int) string {
	end, good, used := 0, 0, 0
	for g := graphemes.FromString(word); g.Next(); {
		used += twwidth.Width(g.Value())
		switch {
		case used <= width:
		case end == 0: // one letter under a heap of marks
			_, n := utf8.DecodeRuneInString(word)
			return word[:n]
		case twwidth.Width(word[:good])*2 >= width:
			return word[:good]
		default:
			return word[:end]
		}
		end = g.End()
		if strings.Contains(".:/,_-=", g.Value()) {
			good = end
		}
	}
	return word
}
