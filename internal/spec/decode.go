package spec

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"daybefore/internal/spec/guess"
)

// decode reads the file's bytes into the shapes of raw.go. What is wrong goes
// to the list; the result then holds what could be read.
func decode(d *mistakeList, data []byte) *rawDrill {
	raw := &rawDrill{}
	root, at := parse(d, data)
	if root == nil {
		return raw
	}
	if _, ok := root.(*ast.MappingNode); !ok {
		d.refuse(at, "begin with version: 1", "a drill file is a mapping of keys, not %s", nodeKind(root))
		return raw
	}
	w := walker{mistakeList: d}
	w.into(root, at, reflect.ValueOf(raw).Elem(), "", "")
	return raw
}

// parse returns the only document's root, or nil after saying what is wrong.
func parse(d *mistakeList, data []byte) (root ast.Node, at Pos) {
	start := Pos{Line: 1, Column: 1}
	file, err := parseYAML(data)
	if err != nil {
		at := start
		message := err.Error()
		if syntax, ok := errors.AsType[*yaml.SyntaxError](err); ok {
			at = place(syntax.Token)
			message = syntax.Message
		}
		d.refuse(at, "fix the YAML here; the rest was not looked at", "not valid YAML: %s", yamlFault(message))
		return nil, start
	}
	bodies := slices.DeleteFunc(slices.Clone(file.Docs), func(doc *ast.DocumentNode) bool { return doc.Body == nil })
	switch {
	case len(bodies) == 0:
		d.refuse(start, "begin with version: 1", "the drill file is empty")
		return nil, start
	case len(file.Docs) > 1:
		d.refuse(nodePos(file.Docs[1]), "one drill a file: move what follows --- into a file of its own",
			"the file holds more than one document")
		return nil, start
	}
	return bodies[0].Body, start
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

// walker goes down the syntax tree and the shapes together.
type walker struct{ *mistakeList }

// into reads node into v. path is the key's full name without list positions,
// rules the field's tags.
func (w walker) into(node ast.Node, at Pos, v reflect.Value, path string, rules reflect.StructTag) {
	switch node.(type) {
	case *ast.NullNode:
		w.null(at, path, rules)
		return
	case *ast.AliasNode:
		w.refuse(nodePos(node), `quote it if it is a pattern ("*.*.created_at"), else write the value out`,
			"%s: YAML reads a bare * as an alias, which drill files do not use", path)
		return
	case *ast.AnchorNode, *ast.TagNode:
		w.refuse(nodePos(node), "write the value out", "%s: YAML anchors and tags are not used in drill files", path)
		return
	}
	if s, ok := v.Addr().Interface().(scalar); ok {
		w.scalar(node, s, path, rules)
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		w.into(node, at, v.Elem(), path, rules)
	case reflect.Struct:
		w.mapping(node, at, v, path)
	case reflect.Slice:
		w.sequence(node, v, path, rules)
	case reflect.Map:
		w.dictionary(node, v, path)
	}
}

func (w walker) null(at Pos, path string, rules reflect.StructTag) {
	hint := "give it a value or remove the key"
	if allowed := enum(rules); len(allowed) > 0 {
		hint = "write " + guess.Alternatives(allowed)
	}
	if slices.Contains(enum(rules), "set_null") {
		hint = "to write nulls say " + path[strings.LastIndex(path, ".")+1:] + ": set_null, else " + hint
	}
	w.refuse(at, hint, "%s has no value", path)
}

func (w walker) scalar(node ast.Node, s scalar, path string, rules reflect.StructTag) {
	written, ok := scalarText(node)
	if !ok {
		w.refuse(nodePos(node), "write one value", "%s is one value, not %s", path, nodeKind(node))
		return
	}
	at := nodePos(node)
	s.place(at)
	if fault := s.read(written); fault != nil {
		w.refuseUnplaced(at, path, fault)
		w.couldNotRead(at)
		return
	}
	allowed := enum(rules)
	if len(allowed) == 0 || slices.Contains(allowed, written) {
		return
	}
	if slices.Contains(strings.Split(rules.Get("later"), ","), written) && written != "" {
		w.refuse(at, "write "+guess.Alternatives(allowed), "%s: %s is not supported by this version", path, written)
		return
	}
	hint := guess.DidYouMean(written, allowed, "write "+guess.Alternatives(allowed))
	w.refuse(at, hint, "%s: %s is not one of its values", path,
		shown(written))
}

func (w walker) mapping(node ast.Node, at Pos, v reflect.Value, path string) {
	v.Addr().Interface().(interface{ place(Pos) }).place(at)
	m, ok := node.(*ast.MappingNode)
	if s, is := v.Addr().Interface().(shortened); is && nodeKind(node) == aSingleValue {
		w.scalar(node, s.short(), path, "")
		return
	}
	if !ok {
		w.refuse(nodePos(node), "write keys and values below it", "%s is a mapping of keys, not %s", path, nodeKind(node))
		w.couldNotRead(at)
		return
	}
	before := len(w.mistakes)
	defer func() {
		if len(w.mistakes) > before {
			w.couldNotRead(at)
		}
	}()
	if len(m.Values) == 0 {
		w.refuse(at, "fill it or remove it", "%s is empty", path)
		return
	}
	fields := fieldsOf(v.Type())
	seen := w.eachKey(m, path, func(key string, keyAt Pos, value ast.Node) {
		i := slices.IndexFunc(fields, func(f keyField) bool { return f.key == key })
		if i < 0 {
			w.unknown(key, keyAt, path, fields)
			return
		}
		w.into(value, keyAt, v.FieldByIndex(fields[i].index), join(path, key), fields[i].tag)
	})
	for _, f := range fields {
		if f.required && !seen[f.key] {
			w.refuse(at, f.tag.Get("hint"), "%s is missing", join(path, f.key))
		}
	}
}

// eachKey visits a mapping's keys in their order, each but once, and returns
// their names.
func (w walker) eachKey(m *ast.MappingNode, path string,
	visit func(key string, at Pos, value ast.Node)) map[string]bool {
	seen := map[string]bool{}
	for _, entry := range m.Values {
		at := nodePos(entry.Key)
		key, ok := scalarText(entry.Key)
		switch {
		case !ok:
			w.refuse(at, "write a plain key", "%s has a key that is not text", cmp.Or(path, "the file"))
		case seen[key]:
			w.refuse(at, "keep one of them", "%s appears twice", join(path, key))
		default:
			seen[key] = true
			visit(key, at, entry.Value)
		}
	}
	return seen
}

func (w walker) unknown(key string, at Pos, path string, fields []keyField) {
	if slices.Contains(later[path], key) {
		w.refuse(at, "remove it; nothing would look at it", "%s is not supported by this version", join(path, key))
		return
	}
	known := make([]string, len(fields))
	for i, f := range fields {
		known[i] = f.key
	}
	w.refuse(at, guess.DidYouMean(key, known, "known here: "+strings.Join(known, ", ")), "%s is not a key of a drill file",
		shown(join(path, key)))
}

func (w walker) sequence(node ast.Node, v reflect.Value, path string, rules reflect.StructTag) {
	s, ok := node.(*ast.SequenceNode)
	if !ok {
		w.refuse(nodePos(node), "write [a, b], or one a line with - before each", "%s is a list, not %s", path,
			nodeKind(node))
		return
	}
	if len(s.Values) == 0 {
		w.refuse(nodePos(node), "fill it or remove it", "%s is empty", path)
	}
	v.Set(reflect.MakeSlice(v.Type(), len(s.Values), len(s.Values)))
	for i, item := range s.Values {
		w.into(item, nodePos(item), v.Index(i), path, rules)
	}
}

// dictionary reads a mapping whose keys are the user's own.
func (w walker) dictionary(node ast.Node, v reflect.Value, path string) {
	m, ok := node.(*ast.MappingNode)
	if !ok {
		w.refuse(nodePos(node), "write {column: value}", "%s is a mapping, not %s", path, nodeKind(node))
		return
	}
	if len(m.Values) == 0 {
		w.refuse(nodePos(node), "fill it or remove it", "%s is empty", path)
	}
	v.Set(reflect.MakeMap(v.Type()))
	w.eachKey(m, path, func(key string, at Pos, value ast.Node) {
		element := reflect.New(v.Type().Elem()).Elem()
		w.into(value, at, element, join(path, key), "")
		if _, null := value.(*ast.NullNode); !null { // else it has no place, to which more could be said
			v.SetMapIndex(reflect.ValueOf(key), element)
		}
	})
}

// keyField is a key that a section may hold.
type keyField struct {
	key      string
	index    []int
	required bool
	tag      reflect.StructTag
}

// fieldsOf are a shape's keys, those of shapes embedded in it too.
func fieldsOf(t reflect.Type) []keyField {
	var fields []keyField
	for _, f := range reflect.VisibleFields(t) {
		key, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if key != "" {
			fields = append(fields, keyField{key: key, index: f.Index, required: options != "omitempty", tag: f.Tag})
		}
	}
	return fields
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// scalarText is what was written, whatever YAML takes it for: 2006 and
// 20060102 are good time layouts, and good values of a constant.
func scalarText(node ast.Node) (string, bool) {
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

const aSingleValue = "a single value"

func nodeKind(node ast.Node) string {
	switch node.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a mapping"
	case *ast.SequenceNode:
		return "a list"
	}
	return aSingleValue
}

// nodePos is where a reader sees the node begin: a block mapping at its first
// key, not at that key's colon.
func nodePos(node ast.Node) Pos {
	switch n := node.(type) {
	case *ast.MappingNode:
		if !n.IsFlowStyle && len(n.Values) > 0 {
			return nodePos(n.Values[0].Key)
		}
	case *ast.MappingValueNode:
		return nodePos(n.Key)
	case *ast.DocumentNode:
		if n.Start != nil {
			return place(n.Start)
		}
	}
	return place(node.GetToken())
}

func place(t *token.Token) Pos {
	if t == nil || t.Position == nil {
		return Pos{Line: 1, Column: 1}
	}
	return Pos{Line: max(t.Position.Line, 1), Column: max(t.Position.Column, 1)}
}
