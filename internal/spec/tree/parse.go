package tree

import (
	"errors"
	"fmt"
	"slices"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Fault is what keeps a file from being read at all.
type Fault struct {
	At      Pos
	Message string
	Hint    string
}

// Error is the message with the hint.
func (f *Fault) Error() string { return f.Message + "; " + f.Hint }

// Parse reads the file's only document; nil where it holds none. The name is
// that of Pos.File. The error is a *Fault.
func Parse(name string, data []byte) (*Node, error) {
	r := reader{name}
	file, err := parseYAML(data)
	if err != nil {
		at := Pos{1, 1, name}
		message := err.Error()
		if syntax, ok := errors.AsType[*yaml.SyntaxError](err); ok {
			at = r.place(syntax.Token)
			message = syntax.Message
		}
		return nil, &Fault{at, "not valid YAML: " + yamlFault(message), "fix the YAML here; the rest was not looked at"}
	}
	full := slices.DeleteFunc(slices.Clone(file.Docs), func(doc *ast.DocumentNode) bool { return doc.Body == nil })
	switch {
	case len(full) == 0:
		return nil, nil
	case len(file.Docs) > 1:
		return nil, &Fault{r.pos(file.Docs[1]), "the file holds more than one document",
			"one drill a file: move what follows --- into a file of its own"}
	}
	root := r.node(full[0].Body)
	root.At = Pos{1, 1, name}
	return root, nil
}

// parseYAML turns a panic of the library, which foreign bytes may cause, into
// an error.
func parseYAML(data []byte) (file *ast.File, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the YAML reader gave up: %v", r)
		}
	}()
	return parser.ParseBytes(data, 0, parser.AllowDuplicateMapKey())
}

// reader makes the library's nodes ours.
type reader struct{ file string }

func (r reader) node(of ast.Node) *Node {
	n := &Node{At: r.pos(of)}
	switch of := of.(type) {
	case *ast.MappingNode:
		n.Kind = Mapping
		for _, v := range of.Values {
			n.Keys = append(n.Keys, r.entry(v))
		}
	case *ast.MappingValueNode:
		n.Kind = Mapping
		n.Keys = []Entry{r.entry(of)}
	case *ast.SequenceNode:
		n.Kind = List
		for _, v := range of.Values {
			n.Items = append(n.Items, r.node(v))
		}
	case *ast.NullNode:
		n.Kind = Null
	case *ast.AliasNode:
		n.Kind = Alias
	default:
		text, ok := written(of)
		n.Text = text
		if !ok {
			n.Kind = Decorated
		}
	}
	return n
}

// entry has the value where its key is seen, as a reader looks for it there.
func (r reader) entry(v *ast.MappingValueNode) Entry {
	key := Node{Kind: Decorated, At: r.pos(v.Key)}
	if text, ok := written(v.Key); ok {
		key.Kind = Text
		key.Text = text
	}
	return Entry{key, r.node(v.Value)}
}

// written is a single value as it was written, whatever YAML takes it for: 2006
// and 20060102 are good time layouts, and good values of a constant.
func written(node ast.Node) (string, bool) {
	switch n := node.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, true
	}
	return "", false
}

// pos is where a reader sees the node begin: a block mapping at its first
// key, not at that key's colon.
func (r reader) pos(node ast.Node) Pos {
	switch n := node.(type) {
	case *ast.MappingNode:
		if !n.IsFlowStyle && len(n.Values) > 0 {
			return r.pos(n.Values[0].Key)
		}
	case *ast.MappingValueNode:
		return r.pos(n.Key)
	case *ast.DocumentNode:
		if n.Start != nil {
			return r.place(n.Start)
		}
	}
	return r.place(node.GetToken())
}

func (r reader) place(t *token.Token) Pos {
	if t == nil || t.Position == nil {
		return Pos{1, 1, r.file}
	}
	return Pos{max(t.Position.Line, 1), max(t.Position.Column, 1), r.file}
}
