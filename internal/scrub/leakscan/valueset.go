package leakscan

import (
	"hash/maphash"
	"math"
	"math/bits"
	"sync"
	"sync/atomic"
)

const (
	storedBits   = 1 << 25 // four MiB a column
	storedHashes = 6
	// mostChance is how often a value may pass for a stored one by chance.
	mostChance = 0.01
)

// ValueSet are the values that the load stored in one column, with those below
// it, as a Bloom filter over keyed hashes. Several workers may add at once.
type ValueSet struct {
	seed  maphash.Seed
	words []uint64
	Loose bool // the server writes its values otherwise than the load may

	once sync.Once
	full bool
}

// NewValueSet makes an empty set.
func NewValueSet(seed maphash.Seed) *ValueSet {
	return &ValueSet{seed: seed, words: make([]uint64, storedBits/64)}
}

func (s *ValueSet) eachBit(value []byte, do func(word *uint64, bit uint64) bool) {
	h := maphash.Bytes(s.seed, value)
	at, step := h, h>>32|1
	for range storedHashes {
		bit := at % storedBits
		if !do(&s.words[bit/64], 1<<(bit%64)) {
			return
		}
		at += step
	}
}

// Add adds a value.
func (s *ValueSet) Add(value []byte) {
	s.eachBit(value, func(word *uint64, bit uint64) bool {
		if atomic.LoadUint64(word)&bit == 0 {
			atomic.OrUint64(word, bit)
		}
		return true
	})
}

// Has reports whether a value was added, or by chance passes for one.
func (s *ValueSet) Has(value []byte) bool {
	all := true
	s.eachBit(value, func(word *uint64, bit uint64) bool {
		all = atomic.LoadUint64(word)&bit != 0
		return all
	})
	return all
}

// Proves reports whether what Has says proves anything. Call it behind the load.
func (s *ValueSet) Proves() bool {
	s.once.Do(func() {
		set := 0
		for _, word := range s.words {
			set += bits.OnesCount64(word)
		}
		s.full = math.Pow(float64(set)/storedBits, storedHashes) > mostChance
	})
	return !s.full && !s.Loose
}
