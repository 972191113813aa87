package spec

import (
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// Declared knows where in a drill file things are declared. It reads files with
// mistakes too, as far as they are YAML; of the zero value every line is 1.
type Declared struct{ root ast.Node }

// ReadDeclared reads the bytes of a drill file.
func ReadDeclared(data []byte) Declared {
	file, err := parseYAML(data)
	if err != nil || len(file.Docs) == 0 {
		return Declared{}
	}
	return Declared{file.Docs[0].Body}
}

// Line is the line, from 1, that declares the check of that id, such as
// row_count:public.users. Of a check that nothing declares it is that of the
// first of the sections that is there; else 1.
func (d Declared) Line(id string, sections ...string) int {
	if d.root == nil {
		return 1
	}
	f := finder{line: 1}
	f.key, f.subject, _ = strings.Cut(id, ":")
	f.look(d.root, nil)
	if f.how > notAtAll {
		return f.line
	}
	for _, section := range sections {
		for _, entry := range entries(d.root) {
			if textOf(entry.Key) == section {
				return nodePos(entry.Key).Line
			}
		}
	}
	return 1
}

// How surely a line is the one that is looked for.
const (
	notAtAll  = iota
	sameKey   // the key, of whatever
	sameOwner // the subject stands there, such as a table with its checks
	ownedKey  // the key, beside the subject
	belowKey  // the subject, below the key
)

// finder looks for the line of a check.
type finder struct {
	key, subject string
	how, line    int
}

func (f *finder) take(how int, n ast.Node) {
	if how > f.how {
		f.how, f.line = how, nodePos(n).Line
	}
}

// look goes through a node; owner is the item of a list that it stands in, and
// may be nil.
func (f *finder) look(n, owner ast.Node) {
	for _, item := range items(n) {
		f.look(item, item)
	}
	for _, entry := range entries(n) {
		if f.subject != "" && textOf(entry.Value) == f.subject {
			f.take(sameOwner, entry.Value)
		}
		if textOf(entry.Key) == f.key {
			f.matched(entry, owner)
		}
		f.look(entry.Value, owner)
	}
}

// matched looks at an entry with the key.
func (f *finder) matched(entry *ast.MappingValueNode, owner ast.Node) {
	f.take(sameKey, entry.Key)
	if f.subject == "" {
		return
	}
	below := f.within(entry.Value)
	if below != nil {
		f.take(belowKey, below)
	}
	for _, beside := range entries(owner) {
		if textOf(beside.Value) == f.subject {
			f.take(ownedKey, entry.Key)
		}
	}
}

// within finds the subject in a node, as a key or a value; nil if it is not there.
func (f *finder) within(n ast.Node) ast.Node {
	if textOf(n) == f.subject {
		return n
	}
	inner := items(n)
	for _, entry := range entries(n) {
		inner = append(inner, entry.Key, entry.Value)
	}
	for _, each := range inner {
		found := f.within(each)
		if found != nil {
			return found
		}
	}
	return nil
}

// items are those of a list; none of anything else.
func items(n ast.Node) []ast.Node {
	list, ok := n.(*ast.SequenceNode)
	if !ok {
		return nil
	}
	return slices.Clone(list.Values)
}

// entries are those of a mapping; none of anything else.
func entries(n ast.Node) []*ast.MappingValueNode {
	switch m := n.(type) {
	case *ast.MappingNode:
		return m.Values
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{m}
	}
	return nil
}

// textOf is what a scalar says; empty for anything else.
func textOf(n ast.Node) string {
	if n == nil {
		return ""
	}
	text, _ := scalarText(n)
	return text
}
