package told

import (
	"io"
	"iter"
	"slices"
	"strings"
	"sync"
)

// Sentences are what one server and its programs say, as their own files hold
// it. Nil holds those alone that are always known. Several goroutines may use
// one.
type Sentences struct {
	read func(to io.Writer) error
	once sync.Once
	said map[string][]template
}

// NewSentences returns the sentences of the programs and libraries that read
// writes. It is called once, with the first message that is to be told; where
// it fails, what it has written until then counts.
func NewSentences(read func(to io.Writer) error) *Sentences { return &Sentences{read: read} }

// by are the templates that begin with a word.
func (s *Sentences) by(word string) []template {
	if s == nil {
		return nil
	}
	s.once.Do(func() {
		e := extractor{to: map[string][]template{}, seen: map[string]struct{}{}}
		_ = s.read(&e) // what cannot be read is not told
		s.said = e.to
	})
	return s.said[word]
}

// Templates of more bytes are no message.
const longestTemplate = 600

// extractor finds the texts of a program that may be messages: printable, and
// ended by a zero as C ends them.
type extractor struct {
	to   map[string][]template
	seen map[string]struct{}
	text []byte
	long bool // the text that is being read is none
}

// Write takes a piece of a file. It never fails.
func (e *extractor) Write(piece []byte) (int, error) {
	for _, b := range piece {
		switch {
		case b < ' ' || b > '~':
			if b == 0 && !e.long {
				e.add()
			}
			e.text, e.long = e.text[:0], false
		case len(e.text) == longestTemplate:
			e.long = true
		default:
			e.text = append(e.text, b)
		}
	}
	return len(piece), nil
}

func (e *extractor) add() {
	if _, known := e.seen[string(e.text)]; known {
		return
	}
	if !saysSomething(e.text) {
		return
	}
	text := string(e.text)
	e.seen[text] = struct{}{}
	t := newTemplate(strings.TrimSpace(text))
	if !saysSomething([]byte(strings.Join(t.literals, " "))) {
		return
	}
	word := t.firstWord()
	e.to[word] = append(e.to[word], t)
}

// saysSomething reports whether two words or more are in a text, and not just
// gaps.
func saysSomething(text []byte) bool {
	words, letters := 0, 0
	for _, b := range text {
		switch {
		case 'a' <= b|0x20 && b|0x20 <= 'z':
			letters++
			if letters == 2 {
				words++
			}
		case b == ' ':
			letters = 0
		}
	}
	return words >= 2
}

// tailOf is the longest template that some other ends with, and a text was made
// of: linkers keep one copy of two such texts.
func (s *Sentences) tailOf(text string) (best template, gaps []string, ok bool) {
	if s == nil || text == "" {
		return best, nil, false
	}
	for _, group := range s.said {
		for _, t := range group {
			for tail := range t.tails(text) {
				if ok && tail.weight <= best.weight {
					break // the next are shorter
				}
				if found, fits := tail.gaps(text); fits && saysSomething([]byte(strings.Join(tail.literals, " "))) {
					best, gaps, ok = tail, found, true
				}
			}
		}
	}
	return best, gaps, ok
}

// tails are a template without its first words, from each word of its own on
// that a text begins with.
func (t template) tails(text string) iter.Seq[template] {
	return func(yield func(template) bool) {
		weight := t.weight
		for i, literal := range t.literals {
			rest := literal
			for {
				word, after, more := strings.Cut(rest, " ")
				if !more {
					break
				}
				rest, weight = after, weight-len(word)-1
				if rest == "" || rest[0] != text[0] || !strings.HasPrefix(text, rest) {
					continue
				}
				if !yield(template{literals: slices.Concat([]string{rest}, t.literals[i+1:]), weight: weight}) {
					return
				}
			}
			weight -= len(rest)
		}
	}
}
