package setup

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// Question is something that a person should look at, with the line it is about.
type Question struct {
	Line int    `json:"line"`
	Text string `json:"text"`
}

// text is a drill file that is being written.
type text struct {
	lines     []string
	questions []Question
}

// add writes lines as they are.
func (t *text) add(format string, args ...any) {
	whole := fmt.Sprintf(format, args...)
	t.lines = append(t.lines, strings.Split(strings.TrimSuffix(whole, "\n"), "\n")...)
}

// why writes the reason for the next line.
func (t *text) why(indent, format string, args ...any) {
	t.lines = append(t.lines, indent+"# "+oneLine(fmt.Sprintf(format, args...)))
}

// ask keeps a question about the next line.
func (t *text) ask(format string, args ...any) { t.askAt(len(t.lines)+1, format, args...) }

func (t *text) askAt(line int, format string, args ...any) {
	t.questions = append(t.questions, Question{Line: line, Text: oneLine(fmt.Sprintf(format, args...))})
}

// oneLine keeps a comment one, whatever a name holds, and free of what a terminal
// would obey.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}

// finish writes the questions at the end, which moves no line.
func (t *text) finish() string {
	slices.SortStableFunc(t.questions, func(a, b Question) int { return cmp.Compare(a.Line, b.Line) })
	if len(t.questions) > 0 {
		t.add("\n# Questions, each about a line above:")
		for _, q := range t.questions {
			t.add("#   line %d: %s", q.Line, q.Text)
		}
	}
	return strings.Join(t.lines, "\n") + "\n"
}
