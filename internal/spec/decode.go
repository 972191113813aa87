package spec

import (
	"cmp"
	"reflect"
	"slices"
	"strings"

	"daybefore/internal/spec/guess"
	"daybefore/internal/spec/tree"
)

// Pos is a place in the drill file, or in the defaults below it, counted from 1.
type Pos = tree.Pos

// decode reads a drill file into the shapes of raw.go. What is wrong goes to
// the list; the result then holds what could be read. Defaults alone are
// partial: a key that they lack stands in the drill files.
func decode(d *mistakeList, root *tree.Node, partial bool) *rawDrill {
	raw := &rawDrill{}
	start := Pos{Line: 1, Column: 1}
	switch {
	case root == nil:
		d.refuse(start, "begin with version: 1", "the drill file is empty")
	case root.Kind != tree.Mapping:
		d.refuse(root.At, "begin with version: 1", "a drill file is a mapping of keys, not %s", root.Kind)
	default:
		w := walker{mistakeList: d, partial: partial}
		w.into(root, root.At, reflect.ValueOf(raw).Elem(), "", "")
	}
	return raw
}

// walker goes down the syntax tree and the shapes together.
type walker struct {
	*mistakeList
	partial bool // of a section that stands in no list keys may be missing
	inList  bool
}

// into reads node into v. path is the key's full name without list positions,
// rules the field's tags.
func (w walker) into(node *tree.Node, at Pos, v reflect.Value, path string, rules reflect.StructTag) {
	switch node.Kind {
	case tree.Null:
		w.null(at, path, rules)
		return
	case tree.Alias:
		w.refuse(node.At, `quote it if it is a pattern ("*.*.created_at"), else write the value out`,
			"%s: YAML reads a bare * as an alias, which drill files do not use", path)
		return
	case tree.Decorated:
		w.refuse(node.At, "write the value out", "%s: YAML anchors and tags are not used in drill files", path)
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

func (w walker) scalar(node *tree.Node, s scalar, path string, rules reflect.StructTag) {
	if node.Kind != tree.Text {
		w.refuse(node.At, "write one value", "%s is one value, not %s", path, node.Kind)
		return
	}
	at := node.At
	written := node.Text
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

func (w walker) mapping(node *tree.Node, at Pos, v reflect.Value, path string) {
	v.Addr().Interface().(interface{ place(Pos) }).place(at)
	if s, is := v.Addr().Interface().(shortened); is && node.Kind == tree.Text {
		w.scalar(node, s.short(), path, "")
		return
	}
	if s, is := v.Addr().Interface().(listed); is && node.Kind == tree.List {
		w.sequence(node, reflect.ValueOf(s.list()).Elem(), path, "")
		return
	}
	if node.Kind != tree.Mapping {
		w.refuse(node.At, "write keys and values below it", "%s is a mapping of keys, not %s", path, node.Kind)
		w.couldNotRead(at)
		return
	}
	before := len(w.mistakes)
	defer func() {
		if len(w.mistakes) > before {
			w.couldNotRead(at)
		}
	}()
	if len(node.Keys) == 0 {
		w.refuse(at, "fill it or remove it", "%s is empty", path)
		return
	}
	fields := fieldsOf(v.Type())
	seen := w.eachKey(node, path, func(key string, keyAt Pos, value *tree.Node) {
		i := slices.IndexFunc(fields, func(f keyField) bool { return f.key == key })
		if i < 0 {
			w.unknown(key, keyAt, path, fields)
			return
		}
		w.into(value, keyAt, v.FieldByIndex(fields[i].index), tree.Join(path, key), fields[i].tag)
	})
	for _, f := range fields {
		if f.required && !seen[f.key] && (w.inList || !w.partial) {
			w.refuse(w.missingAt(at), f.tag.Get("hint"), "%s is missing", tree.Join(path, f.key))
		}
	}
}

// missingAt is where a key is missed from a section: in the drill file, where
// the section stands in the defaults alone, which need not have all keys.
func (w walker) missingAt(section Pos) Pos {
	if section.File == "" || w.inList {
		return section
	}
	return Pos{Line: 1, Column: 1}
}

// eachKey visits a mapping's keys in their order, each but once, and returns
// their names.
func (w walker) eachKey(m *tree.Node, path string,
	visit func(key string, at Pos, value *tree.Node)) map[string]bool {
	seen := map[string]bool{}
	for _, entry := range m.Keys {
		at := entry.Key.At
		key := entry.Key.Text
		switch {
		case entry.Key.Kind != tree.Text:
			w.refuse(at, "write a plain key", "%s has a key that is not text", cmp.Or(path, "the file"))
		case seen[key]:
			w.refuse(at, "keep one of them", "%s appears twice", tree.Join(path, key))
		default:
			seen[key] = true
			visit(key, at, entry.Value)
		}
	}
	return seen
}

func (w walker) unknown(key string, at Pos, path string, fields []keyField) {
	known := make([]string, len(fields))
	for i, f := range fields {
		known[i] = f.key
	}
	w.refuse(at, guess.DidYouMean(key, known, "known here: "+strings.Join(known, ", ")), "%s is not a key of a drill file",
		shown(tree.Join(path, key)))
}

func (w walker) sequence(node *tree.Node, v reflect.Value, path string, rules reflect.StructTag) {
	if node.Kind != tree.List {
		w.refuse(node.At, "write [a, b], or one a line with - before each", "%s is a list, not %s", path,
			node.Kind)
		return
	}
	if len(node.Items) == 0 {
		w.refuse(node.At, "fill it or remove it", "%s is empty", path)
	}
	w.inList = true
	v.Set(reflect.MakeSlice(v.Type(), len(node.Items), len(node.Items)))
	for i, item := range node.Items {
		w.into(item, item.At, v.Index(i), path, rules)
	}
}

// dictionary reads a mapping whose keys are the user's own.
func (w walker) dictionary(node *tree.Node, v reflect.Value, path string) {
	if node.Kind != tree.Mapping {
		w.refuse(node.At, "write {column: value}", "%s is a mapping, not %s", path, node.Kind)
		return
	}
	if len(node.Keys) == 0 {
		w.refuse(node.At, "fill it or remove it", "%s is empty", path)
	}
	v.Set(reflect.MakeMap(v.Type()))
	w.eachKey(node, path, func(key string, at Pos, value *tree.Node) {
		element := reflect.New(v.Type().Elem()).Elem()
		w.into(value, at, element, tree.Join(path, key), "")
		if value.Kind != tree.Null { // else it has no place, to which more could be said
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
