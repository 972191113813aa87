package leakscan

import (
	"strings"

	"daybefore/internal/jsontext"
)

// farthest is how far into a document a path is looked for: every find walks
// there from the beginning.
const farthest = 64 << 10

// whereIn says, behind a blank, at which path of a JSON document its byte at
// stands, with tells saying which keys may be told: any other is a *. Empty where
// the text is no document, or the place is far behind its beginning.
func whereIn(text []byte, at int, tells func(key string) bool) string {
	if at > farthest {
		return ""
	}
	var w walk
	if !w.to(text, at) {
		return ""
	}
	var path strings.Builder
	for _, s := range w.steps {
		switch {
		case s.array:
			path.WriteString("[*]")
		case s.key == nil:
		case jsontext.PlainKey(s.key) && tells(string(s.key)):
			path.WriteString("." + string(s.key))
		default:
			path.WriteString(".*")
		}
	}
	where := " at $" + path.String()
	if w.inKey {
		where = " in a key" + where
	}
	return where
}

// walk is the way to a place in a document.
type walk struct {
	steps []walkStep
	inKey bool // the place is in a member's key
}

type walkStep struct {
	array bool
	key   []byte // of the member that is under way; nil: none is
}

// to goes to a place; false where the text before it is no document.
func (w *walk) to(text []byte, at int) bool {
	i := jsontext.AfterBlanks(text, 0)
	if i >= len(text) || text[i] != '{' && text[i] != '[' {
		return false
	}
	for i < at {
		switch text[i] {
		case '{', '[':
			w.steps = append(w.steps, walkStep{array: text[i] == '['})
		case '}', ']':
			if len(w.steps) <= 1 {
				return false
			}
			w.steps = w.steps[:len(w.steps)-1]
		case ',':
			w.steps[len(w.steps)-1].key = nil
		case '"':
			end, ok := w.text(text, i)
			if !ok {
				return false
			}
			if at < end {
				return true
			}
			i, w.inKey = end, false
			continue
		}
		i++
	}
	return true
}

// text goes to the end of a string, which may be a key.
func (w *walk) text(text []byte, from int) (end int, ok bool) {
	end, _ = jsontext.TextEnd(text, from+1)
	if end < 0 {
		return 0, false
	}
	top := &w.steps[len(w.steps)-1]
	if top.array || top.key != nil {
		return end, true
	}
	if jsontext.ColonEnd(text, end) < 0 {
		return 0, false
	}
	top.key, w.inKey = text[from+1:end-1], true
	return end, true
}
