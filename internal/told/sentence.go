package told

import (
	_ "embed"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// always are messages that are known of every server, those on which hints and
// the end of a server rest among them.
//
//go:embed always.txt
var always string

// Withheld stands for a sentence that no program of the server's holds: a
// function of the backup may have chosen its words, which may be those of a row.
const Withheld = "a message in a function's own words, which may hold values and is not shown"

// longest is how long a message may be in bytes to be told.
const longest = 2 << 10

// template is a sentence with gaps: what stands before, between and after them.
type template struct {
	literals []string
	weight   int // bytes of the literals
}

// conversion is a gap, as printf has it.
var conversion = regexp.MustCompile(`%(?:\d+\$)?[-+ #0]*(?:\d+|\*)?(?:\.(?:\d+|\*))?(?:hh|h|ll|l|z|j|t)?([a-zA-Z%])`)

// knownTemplates are the templates of always, by their first word; those that begin with
// a gap have none.
var knownTemplates = sync.OnceValue(func() map[string][]template {
	all := map[string][]template{}
	for line := range strings.Lines(always) {
		t := newTemplate(strings.TrimSuffix(line, "\n"))
		word := t.firstWord()
		all[word] = append(all[word], t)
	}
	return all
})

func newTemplate(text string) (t template) {
	from, literal := 0, ""
	for _, at := range conversion.FindAllStringSubmatchIndex(text, -1) {
		literal += text[from:at[0]]
		from = at[1]
		if text[at[2]] == '%' {
			literal += "%"
			continue
		}
		t.literals = append(t.literals, literal)
		literal = ""
	}
	t.literals = append(t.literals, literal+text[from:])
	for _, l := range t.literals {
		t.weight += len(l)
	}
	return t
}

// firstWord is empty where a gap is in it, or right after.
func (t template) firstWord() string {
	word, _, whole := strings.Cut(t.literals[0], " ")
	if !whole && len(t.literals) > 1 {
		return ""
	}
	return word
}

// gaps are what stands in a text where the template has gaps; ok is false where
// the text is another sentence.
func (t template) gaps(text string) (found []string, ok bool) {
	last := len(t.literals) - 1
	text, ok = strings.CutPrefix(text, t.literals[0])
	if !ok {
		return nil, false
	}
	if last == 0 {
		return nil, text == ""
	}
	for _, literal := range t.literals[1:last] {
		gap, rest, ok := cut(text, literal)
		if !ok {
			return nil, false
		}
		found = append(found, gap)
		text = rest
	}
	gap, ok := strings.CutSuffix(text, t.literals[last])
	return append(found, gap), ok
}

// cut is strings.Cut, where of two gaps with nothing between them the first is
// empty.
func cut(text, literal string) (before, after string, ok bool) {
	if literal == "" {
		return "", text, true
	}
	return strings.Cut(text, literal)
}

// fill puts words into the gaps.
func (t template) fill(words []string) string {
	var b strings.Builder
	for i, literal := range t.literals {
		b.WriteString(literal)
		if i < len(words) {
			b.WriteString(words[i])
		}
	}
	return b.String()
}

// IsSentence reports whether the server says this, whatever it says it of.
func (n *Names) IsSentence(text string) bool {
	if len(text) > longest {
		return false
	}
	_, _, ok := n.spoken().meant(strings.TrimSpace(text))
	return ok
}

// Sentence returns a message of the server's with what it says of this database:
// names that are known, kinds and types of the server's own. All else in it
// becomes …, and a sentence that the server does not say becomes Withheld.
func (n *Names) Sentence(text string) string {
	text = strings.TrimSpace(text)
	if len(text) > longest {
		return Withheld
	}
	t, gaps, ok := n.spoken().meant(text)
	if !ok {
		return Withheld
	}
	for i, gap := range gaps {
		if !slices.Contains(systemErrors, gap) && !n.fills(gap) {
			gaps[i] = "…"
		}
	}
	return partly.ReplaceAllString(t.fill(gaps), "…")
}

const (
	// mostInGap is how many words a gap may have whose order nobody vouches for,
	// such as of a function with its arguments, and mostNumbers how many of them
	// may be numbers: more of either could spell a value.
	mostInGap   = 24
	mostNumbers = 2
)

// fills reports whether what stands in a gap may be told.
func (n *Names) fills(gap string) bool {
	words, numbers := 0, 0
	for word := range wordsOf(gap) {
		words++
		if short(word) {
			numbers++
		}
	}
	return n.Knows(gap) || words <= mostInGap && numbers <= mostNumbers && n.Words(gap)
}

// partly is a quoted or qualified name of which not all is known.
var partly = regexp.MustCompile(`"[^"]*…[^"]*"|[^\s"]+\.…|…\.[^\s"]+`)

// systemErrors are those that the messages of files and processes end with.
var systemErrors = []string{
	"No such file or directory", "Permission denied", "No space left on device", "Cannot allocate memory",
	"Disk quota exceeded",
	"File exists", "Is a directory", "Not a directory", "Too many open files", "Input/output error", "Broken pipe",
	"Connection refused", "Resource temporarily unavailable", "Operation not permitted", "Read-only file system",
}

// meant is the template that a text was made of: of several that with the most
// words of its own.
func (s *Sentences) meant(text string) (best template, gaps []string, ok bool) {
	word, _, _ := strings.Cut(text, " ")
	for _, group := range [][]template{knownTemplates()[word], knownTemplates()[""], s.by(word), s.by("")} {
		for _, t := range group {
			if ok && t.weight <= best.weight {
				continue
			}
			if found, fits := t.gaps(text); fits {
				best, gaps, ok = t, found, true
			}
		}
	}
	if !ok {
		return s.tailOf(text)
	}
	return best, gaps, ok
}
