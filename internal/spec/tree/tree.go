// Package tree holds a YAML file as keys, lists and texts that know where they
// stand: read, laid over one another, changed and written again. It knows no
// key's meaning, and it never reads a file itself.
package tree

import (
	"fmt"
	"path/filepath"
)

// Pos is a place in a file, counted from 1.
type Pos struct {
	Line, Column int
	File         string // the path of the defaults; empty: the drill file itself
}

// String is the place in a sentence: drill file, line 7.
func (p Pos) String() string {
	file := "drill file"
	if p.File != "" {
		file = filepath.Base(p.File)
	}
	return fmt.Sprintf("%s, line %d", file, p.Line)
}

// Kind is what a node is.
type Kind int

// The kinds of nodes. Those that a drill file does not use are kept, so that
// they can be refused at their place.
const (
	Text Kind = iota // a single value, whatever YAML takes it for
	Null
	Mapping
	List
	Alias
	Decorated // with an anchor or a tag
)

// String is the kind in a sentence.
func (k Kind) String() string {
	switch k {
	case Mapping:
		return "a mapping"
	case List:
		return "a list"
	}
	return "a single value"
}

// Node is a value.
type Node struct {
	Kind  Kind
	At    Pos     // where a reader sees it begin
	Text  string  // of a Text
	Keys  []Entry // of a Mapping, in their order; a key may stand there twice
	Items []*Node // of a List
}

// Entry is a key with its value.
type Entry struct {
	Key   Node
	Value *Node
}

// Find gives the value of a key; nil where the node has no such key. The node
// may be nil.
func (n *Node) Find(key string) *Node {
	if n == nil || n.Kind != Mapping {
		return nil
	}
	for _, e := range n.Keys {
		if e.Key.Kind == Text && e.Key.Text == key {
			return e.Value
		}
	}
	return nil
}

// Without is the node without a key.
func (n *Node) Without(key string) *Node {
	rest := *n
	rest.Keys = nil
	for _, e := range n.Keys {
		if e.Key.Kind != Text || e.Key.Text != key {
			rest.Keys = append(rest.Keys, e)
		}
	}
	return &rest
}

// Over lays a node over another: keys of mappings come together, and whatever
// else stands in both is the upper's. Either may be nil.
func Over(lower, upper *Node) *Node {
	switch {
	case lower == nil:
		return upper
	case upper == nil:
		return lower
	case lower.Kind != Mapping || upper.Kind != Mapping:
		return upper
	}
	merged := *upper
	merged.Keys = nil
	for _, e := range upper.Keys {
		if e.Key.Kind == Text {
			e.Value = Over(lower.Find(e.Key.Text), e.Value)
		}
		merged.Keys = append(merged.Keys, e)
	}
	for _, e := range lower.Keys {
		if upper.Find(e.Key.Text) == nil {
			merged.Keys = append(merged.Keys, e)
		}
	}
	return &merged
}

// Change is a copy in which each text is what change makes of it. The path is
// that of its key, without places in lists: inventory.copies.url.
func (n *Node) Change(change func(path string, text *Node) string) *Node {
	return n.changed("", change)
}

func (n *Node) changed(path string, change func(path string, text *Node) string) *Node {
	c := *n
	if n.Kind == Text {
		c.Text = change(path, n)
		return &c
	}
	c.Keys = nil
	for _, e := range n.Keys {
		e.Value = e.Value.changed(Join(path, e.Key.Text), change)
		c.Keys = append(c.Keys, e)
	}
	c.Items = nil
	for _, item := range n.Items {
		c.Items = append(c.Items, item.changed(path, change))
	}
	return &c
}

// Visit goes over all keys, the outer ones first.
func (n *Node) Visit(visit func(path string, e Entry)) { n.visited("", visit) }

func (n *Node) visited(path string, visit func(path string, e Entry)) {
	for _, e := range n.Keys {
		key := Join(path, e.Key.Text)
		visit(key, e)
		e.Value.visited(key, visit)
	}
	for _, item := range n.Items {
		item.visited(path, visit)
	}
}

// Values goes over the keys that hold a text or a list, in their order.
func (n *Node) Values(visit func(path string, e Entry)) { n.values("", visit) }

func (n *Node) values(path string, visit func(path string, e Entry)) {
	for _, e := range n.Keys {
		key := Join(path, e.Key.Text)
		if e.Value.Kind == Mapping {
			e.Value.values(key, visit)
			continue
		}
		visit(key, e)
	}
}

// Plain is the node as texts, lists of them and maps.
func (n *Node) Plain() any {
	switch n.Kind {
	case List:
		all := []any{}
		for _, item := range n.Items {
			all = append(all, item.Plain())
		}
		return all
	case Mapping:
		all := map[string]any{}
		for _, e := range n.Keys {
			all[e.Key.Text] = e.Value.Plain()
		}
		return all
	}
	return n.Text
}

// Join is the path of a key in a section.
func Join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
