package tree

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"unicode/utf8"
)

// noteAt is the column from which notes stand below one another.
const noteAt = 56

// YAML writes the node, so that it is read again as it is. What note says of a
// key stands behind it, as a comment; note may be nil.
func (n *Node) YAML(note func(Entry) string) []byte {
	w := writer{note: note}
	if n.Kind == Mapping {
		w.mapping(n, "")
	}
	return w.Bytes()
}

type writer struct {
	bytes.Buffer
	note func(Entry) string
}

func (w *writer) mapping(n *Node, indent string) {
	for _, e := range n.Keys {
		w.WriteString(indent + plain(e.Key.Text) + ":")
		w.value(e, indent+"  ")
	}
}

// value writes what belongs to a key, whose sections have keys of their own to
// tell of.
func (w *writer) value(e Entry, indent string) {
	n := e.Value
	switch {
	case n.Kind == Mapping && len(n.Keys) > 0:
		w.WriteByte('\n')
		w.mapping(n, indent)
	case n.Kind == List && !n.isShort():
		w.comment(e)
		w.items(n, indent)
	default:
		w.WriteString(" " + n.inLine())
		w.comment(e)
	}
}

// items writes a list, which stands in one file as a whole.
func (w *writer) items(n *Node, indent string) {
	for _, item := range n.Items {
		line := item.inLine() + "\n"
		if item.Kind == Mapping && len(item.Keys) > 0 {
			inner := writer{}
			inner.mapping(item, indent+"  ")
			line = strings.TrimPrefix(inner.String(), indent+"  ")
		}
		w.WriteString(indent + "- " + line)
	}
}

// comment ends a line.
func (w *writer) comment(e Entry) {
	if w.note != nil {
		line := w.Bytes()[bytes.LastIndexByte(w.Bytes(), '\n')+1:]
		w.WriteString(strings.Repeat(" ", max(noteAt-utf8.RuneCount(line), 2)) + "# " + w.note(e))
	}
	w.WriteByte('\n')
}

// isShort reports whether a list is of few texts, which fit into a line.
func (n *Node) isShort() bool {
	for _, item := range n.Items {
		if item.Kind != Text {
			return false
		}
	}
	return len(n.inLine()) < noteAt
}

// inLine is the node between brackets or braces.
func (n *Node) inLine() string {
	var parts []string
	switch n.Kind {
	case List:
		for _, item := range n.Items {
			parts = append(parts, item.inLine())
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case Mapping:
		for _, e := range n.Keys {
			parts = append(parts, plain(e.Key.Text)+": "+e.Value.inLine())
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return plain(n.Text)
}

var (
	// plainText means itself in any place of a YAML file.
	plainText = regexp.MustCompile(`^[A-Za-z0-9_/.][A-Za-z0-9_/.@=-]*(:[A-Za-z0-9_/.@=-]+)*$`)
	// special is what YAML takes for nothing at all.
	special = regexp.MustCompile(`(?i)^(null|\.+|-+)$`)
)

// plain is a text as YAML reads it again, in quotes where they are needed.
func plain(s string) string {
	if plainText.MatchString(s) && !special.MatchString(s) {
		return s
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // of a string, into memory
	return strings.TrimSuffix(b.String(), "\n")
}
