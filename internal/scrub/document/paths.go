package document

import (
	"bytes"
	"math/bits"

	"daybefore/internal/spec/jsonpath"
)

// paths are several JSON paths made one machine: bit n of a word stands for
// having gone n steps of its paths, one behind the other, and going a step
// further shifts it. A path is wholly within one word.
type paths []pathWord

// pathWord holds the bits of some paths. All but the last bit of a path stand
// for a step that is next, the last one for its end.
type pathWord struct {
	begin      uint64 // no step of any path
	ends       uint64
	deep       uint64 // the next step is at any depth
	anyMember  uint64
	anyElement uint64
	member     uint64 // the next step is a member of one key
	element    uint64 // or an element of one index
	at         []pathBit
}

// pathBit is what a bit stands for.
type pathBit struct {
	path int // which one
	step *jsonpath.Step
	key  []byte // of the step, in the encoding of the rows
}

func newPaths(all []Path) (made paths) {
	const word = 64
	for i := range all {
		p := &all[i]
		if n := len(made); n == 0 || len(made[n-1].at)+len(p.Steps)+1 > word {
			made = append(made, pathWord{})
		}
		made[len(made)-1].add(i, p)
	}
	return made
}

func (w *pathWord) add(path int, p *Path) {
	w.begin |= 1 << len(w.at)
	for n := range p.Steps {
		step, bit := &p.Steps[n], uint64(1)<<len(w.at)
		if step.Deep {
			w.deep |= bit
		}
		switch {
		case step.Element && step.Any:
			w.anyElement |= bit
		case step.Element:
			w.element |= bit
		case step.Any:
			w.anyMember |= bit
		default:
			w.member |= bit
		}
		w.at = append(w.at, pathBit{path: path, step: step, key: p.keys[n]})
	}
	w.ends |= 1 << len(w.at)
	w.at = append(w.at, pathBit{path: path})
}

// toElement is where an array's element of this index leads from a state.
func (w *pathWord) toElement(state uint64, index int) uint64 {
	hit := state & w.anyElement
	for left := state & w.element; left != 0; left &= left - 1 {
		if n := bits.TrailingZeros64(left); w.at[n].step.Index == index {
			hit |= 1 << n
		}
	}
	return state&w.deep | hit<<1
}

// toMember is where a member leads from a state; literal reports whether a path
// names it by its key. Of an escaped key plain is what it stands for, else nil.
func (w *pathWord) toMember(state uint64, key, plain []byte) (next uint64, literal bool) {
	hit := state & w.anyMember
	for left := state & w.member; left != 0; left &= left - 1 {
		n := bits.TrailingZeros64(left)
		at := &w.at[n]
		if plain == nil && bytes.Equal(key, at.key) || plain != nil && string(plain) == at.step.Key {
			hit |= 1 << n
			literal = true
		}
	}
	return state&w.deep | hit<<1, literal
}

// lengths is a set of lengths of keys: bit n for n, 63 for all from there on.
type lengths uint64

func ofLength(n int) lengths { return 1 << min(uint(n), 63) }

func (l lengths) has(n int) bool { return l&ofLength(n) != 0 }

// wanted are the lengths of the keys that lead further from a state.
func (w *pathWord) wanted(state uint64) (all lengths) {
	if state&(w.deep|w.anyMember) != 0 {
		return ^lengths(0)
	}
	for left := state & w.member; left != 0; left &= left - 1 {
		all |= ofLength(len(w.at[bits.TrailingZeros64(left)].key))
	}
	return all
}
