package leakscan

import (
	"bytes"
	"hash/maphash"
)

// Writings are what the filters wrote into one column: exact as far as the
// limit, which is the lowest of all that were remembered.
type Writings struct {
	seed   maphash.Seed
	hashes map[uint64]struct{}
	limit  uint64
	exact  bool // whatever is not known was not written
	buf    []byte
}

// NoWritings are of a column for which every value that a filter wrote is new.
func NoWritings() *Writings { return &Writings{exact: true} }

// NewWritings joins what was remembered of a column; nil, which stands for anything,
// where nothing was.
func NewWritings(seed maphash.Seed, written []*Sampler) *Writings {
	if len(written) == 0 {
		return nil
	}
	w := &Writings{seed: seed, hashes: map[uint64]struct{}{}, limit: ^uint64(0)}
	for _, s := range written {
		s.shrink()
		w.limit = min(w.limit, s.limit)
		for hash := range s.known {
			w.hashes[hash] = struct{}{}
		}
	}
	return w
}

// MayHold reports whether a filter may have written a value.
func (w *Writings) MayHold(value []byte) bool {
	if w == nil {
		return true
	}
	if w.exact {
		return false
	}
	w.buf = AppendFolded(w.buf[:0], bytes.TrimSpace(value))
	h := maphash.Bytes(w.seed, w.buf)
	_, known := w.hashes[h]
	return known || h > w.limit
}
