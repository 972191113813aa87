package tree

import "strings"

// Declared is where a drill file, with the defaults below it, declares the check
// of that id, such as row_count:public.users. Of a check that nothing declares
// it is the first of the sections that is there; else the file's first line. The
// root may be nil.
func Declared(root *Node, id string, sections ...string) Pos {
	start := Pos{Line: 1, Column: 1}
	if root == nil {
		return start
	}
	f := finder{}
	f.key, f.subject, _ = strings.Cut(id, ":")
	f.look(root, nil)
	if f.how > notAtAll {
		return f.at
	}
	for _, section := range sections {
		for _, entry := range root.Keys {
			if entry.Key.Text == section {
				return entry.Key.At
			}
		}
	}
	return start
}

// How surely a line is the one that is looked for.
const (
	notAtAll  = iota
	sameKey   // the key, of whatever
	sameOwner // the subject stands there, such as a table with its checks
	ownedKey  // the key, beside the subject
	belowKey  // the subject, below the key
)

// finder looks for the place of a check.
type finder struct {
	key, subject string
	how          int
	at           Pos
}

func (f *finder) take(how int, n *Node) {
	if how > f.how {
		f.how = how
		f.at = n.At
	}
}

// look goes through a node; owner is the item of a list that it stands in, and
// may be nil.
func (f *finder) look(n, owner *Node) {
	for _, item := range n.Items {
		f.look(item, item)
	}
	for _, entry := range n.Keys {
		if f.subject != "" && entry.Value.Text == f.subject {
			f.take(sameOwner, entry.Value)
		}
		if entry.Key.Text == f.key {
			f.matched(entry, owner)
		}
		f.look(entry.Value, owner)
	}
}

// matched looks at an entry with the key.
func (f *finder) matched(entry Entry, owner *Node) {
	f.take(sameKey, &entry.Key)
	if f.subject == "" {
		return
	}
	below := f.within(entry.Value)
	if below != nil {
		f.take(belowKey, below)
	}
	if owner == nil {
		return
	}
	for _, beside := range owner.Keys {
		if beside.Value.Text == f.subject {
			f.take(ownedKey, &entry.Key)
		}
	}
}

// within finds the subject in a node, as a key or a value; nil if it is not there.
func (f *finder) within(n *Node) *Node {
	if n.Text == f.subject {
		return n
	}
	for _, item := range n.Items {
		found := f.within(item)
		if found != nil {
			return found
		}
	}
	for i := range n.Keys { // each of thousands of rules is asked of each of their checks
		entry := &n.Keys[i]
		if entry.Key.Text == f.subject {
			return &entry.Key
		}
		found := f.within(entry.Value)
		if found != nil {
			return found
		}
	}
	return nil
}
