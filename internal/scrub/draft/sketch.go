package draft

import (
	"math"
	"slices"
)

// sketchSize is how many different values are counted exactly. Beyond it the
// count is about right: within 3 percent, two times of three.
const sketchSize = 1 << 10

// sketch counts different values by keyed hashes of which only the lowest are
// kept, so that its memory is bounded. The zero value is ready; one serves one
// goroutine.
type sketch struct {
	kept []uint64
	full bool // some were let go: above the last of kept
}

func (s *sketch) add(hash uint64) {
	if s.full && hash > s.kept[sketchSize-1] {
		return
	}
	s.kept = append(s.kept, hash)
	if len(s.kept) >= 2*sketchSize {
		s.shrink()
	}
}

// shrink leaves each hash once, and the lowest.
func (s *sketch) shrink() {
	if !slices.IsSorted(s.kept) {
		slices.Sort(s.kept)
	}
	s.kept = slices.Compact(s.kept)
	if len(s.kept) > sketchSize {
		s.kept, s.full = s.kept[:sketchSize], true
	}
}

// join takes in what another has counted with the same key.
func (s *sketch) join(other *sketch) {
	s.kept = append(s.kept, other.kept...)
	s.full = s.full || other.full
	s.shrink()
}

// count is how many there are, and whether exactly.
func (s *sketch) count() (n int64, exact bool) {
	s.shrink()
	if !s.full {
		return int64(len(s.kept)), true
	}
	return int64(math.Round((sketchSize - 1) / (float64(s.kept[sketchSize-1]) / math.MaxUint64))), false
}
