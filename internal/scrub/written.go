package scrub

import (
	"bytes"
	"hash/maphash"
)

// writings are what the filters wrote into one column: exact as far as the
// limit, which is the lowest of all that were remembered.
type writings struct {
	seed   maphash.Seed
	hashes map[uint64]struct{}
	limit  uint64
	exact  bool // whatever is not known was not written
	buf    []byte
}

// noWritings are of a column for which every value that a filter wrote is new.
func noWritings() *writings { return &writings{exact: true} }

// newWritings joins what was remembered of a column; nil, which stands for anything,
// where nothing was.
func newWritings(seed maphash.Seed, written []*sampler) *writings {
	if len(written) == 0 {
		return nil
	}
	w := &writings{seed: seed, hashes: map[uint64]struct{}{}, limit: ^uint64(0)}
	for _, s := range written {
		s.shrink()
		w.limit = min(w.limit, s.limit)
		for _, kept := range s.kept {
			w.hashes[kept.hash] = struct{}{}
		}
	}
	return w
}

// mayHold reports whether a filter may have written a value.
func (w *writings) mayHold(value []byte) bool {
	if w == nil {
		return true
	}
	if w.exact {
		return false
	}
	w.buf = appendFolded(w.buf[:0], bytes.TrimSpace(value))
	h := maphash.Bytes(w.seed, w.buf)
	_, known := w.hashes[h]
	return known || h > w.limit
}
