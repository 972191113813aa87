package jsontext

import "daybefore/internal/octets"

// Memo remembers keys as they are written, so that who looks at each key of a value
// looks at most of them once: documents of a column have much the same keys, one
// after the other. One serves one goroutine.
type Memo struct {
	show  func(from, end, value int) bool
	slots [memoSlots]memoSlot
	met   *memoSlot // the last key that was remembered when it was met
}

// NewMemo remembers no key yet. Those that it does not remember, show is shown, from
// after their first quote up to the second, with the place where their value begins.
// It reports whether the key is to be remembered.
func NewMemo(show func(from, end, value int) bool) *Memo {
	return &Memo{show: show, met: &memoSlot{}}
}

const (
	memoSlots   = 512
	longestMemo = 64 // of the keys that are remembered
)

// memoSlot is a key with the quote that ends it. The first and last eight bytes are
// words, of a shorter one both are the same under a mask.
type memoSlot struct {
	first, last, mask uint64
	length            int       // 0: no key
	end               int       // where last begins
	middle            string    // what is between the words
	then, later       *memoSlot // what was met after it, first and last; nil: nothing yet
}

// newMemoSlot is for what stands from from up to end; a text's last eight bytes hold
// no key.
func newMemoSlot(s []byte, from, end int) (made memoSlot, fits bool) {
	if from+8 > len(s) || end-from > longestMemo {
		return memoSlot{}, false
	}
	made = memoSlot{length: end - from, end: max(0, end-from-8), mask: ^uint64(0)}
	if made.length < 8 {
		made.mask = 1<<(8*made.length) - 1
	}
	made.first = octets.Load(s[from:]) & made.mask
	made.last = octets.Load(s[from+made.end:]) & made.mask
	return made, true
}

// isAt reports whether the key stands at from. It may be nil, which is no key.
func (k *memoSlot) isAt(s []byte, from int) bool {
	if k == nil || from+k.end+8 > len(s) {
		return false
	}
	s = s[from:]
	first := octets.Load(s) ^ k.first
	last := octets.Load(s[k.end:]) ^ k.last
	return (first|last)&k.mask == 0 && (k.middle == "" || k.middle == string(s[8:k.end]))
}

// home is one of the two slots for a key; the other is beside it.
func (k *memoSlot) home() int {
	const spread = 0x9e3779b97f4a7c15 // of the golden ratio
	return int((k.first ^ (k.last << 1) ^ uint64(k.length)) * spread >> 55)
}

// Has reports whether a key of s is remembered, which stands from from up to the quote
// at end.
func (m *Memo) Has(s []byte, from, end int) bool {
	if m.next(s, from) > 0 {
		return true
	}
	key, fits := newMemoSlot(s, from, end+1)
	if !fits {
		return false
	}
	home := key.home()
	for _, at := range [2]int{home, home ^ 1} {
		if slot := &m.slots[at]; slot.length == key.length && slot.isAt(s, from) {
			m.follow(slot)
			return true
		}
	}
	return false
}

// next is where the key ends, with its quote, that begins at from, if it is one that
// came after the one before it already; 0 for another.
func (m *Memo) next(s []byte, from int) int {
	k := m.met.then
	if !k.isAt(s, from) {
		k = m.met.later
		if !k.isAt(s, from) {
			return 0
		}
	}
	m.met = k
	return from + k.length
}

// follow notes that a key came after the one before it.
func (m *Memo) follow(slot *memoSlot) {
	if m.met.then == nil {
		m.met.then = slot
	} else {
		m.met.later = slot
	}
	m.met = slot
}

// Add remembers a key, in the place of the older of two if need be.
func (m *Memo) Add(s []byte, from, end int) {
	key, fits := newMemoSlot(s, from, end+1)
	if !fits {
		return
	}
	if key.length > 16 {
		key.middle = string(s[from+8 : from+key.end])
	}
	home := key.home()
	slot := &m.slots[home]
	if slot.length > 0 {
		m.slots[home^1] = *slot
	}
	*slot = key
	m.follow(slot)
}
