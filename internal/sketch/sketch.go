// Package sketch counts different values, and tells whether one column holds
// those of another, in bounded memory. It keeps keyed hashes, and must never see
// a value.
package sketch

import (
	"math"
	"slices"
)

// Size is how many different values are counted exactly. Beyond it the count is
// about right: within 3 percent, two times of three.
const Size = 1 << 10

// Sketch counts different values by keyed hashes of which only the lowest are
// kept. The zero value is ready; one serves one goroutine.
type Sketch struct {
	kept []uint64
	full bool // some were let go: above the last of kept
}

// Add counts a value by its hash.
func (s *Sketch) Add(hash uint64) {
	if s.full && hash > s.kept[Size-1] {
		return
	}
	s.kept = append(s.kept, hash)
	if len(s.kept) >= 2*Size {
		s.shrink()
	}
}

// shrink leaves each hash once, and the lowest.
func (s *Sketch) shrink() {
	if !slices.IsSorted(s.kept) {
		slices.Sort(s.kept)
	}
	s.kept = slices.Compact(s.kept)
	if len(s.kept) > Size {
		s.kept, s.full = s.kept[:Size], true
	}
}

// Join takes in what another has counted with the same key.
func (s *Sketch) Join(other *Sketch) {
	s.kept = append(s.kept, other.kept...)
	s.full = s.full || other.full
	s.shrink()
}

// Count is how many there are, and whether exactly.
func (s *Sketch) Count() (n int64, exact bool) {
	s.shrink()
	if !s.full {
		return int64(len(s.kept)), true
	}
	return int64(math.Round((Size - 1) / (float64(s.kept[Size-1]) / math.MaxUint64))), false
}

// Sample are the hashes that are kept: of all values, or of some by chance. They
// are not to be changed.
func (s *Sketch) Sample() []uint64 {
	s.shrink()
	return s.kept
}

// Holds says of a hash whether it was counted, and whether that is known: some were
// let go.
func (s *Sketch) Holds() func(hash uint64) (holds, known bool) {
	s.shrink()
	return func(hash uint64) (holds, known bool) {
		if s.full && hash > s.kept[Size-1] {
			return false, false
		}
		_, holds = slices.BinarySearch(s.kept, hash)
		return holds, true
	}
}
