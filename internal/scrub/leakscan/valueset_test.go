package leakscan

import (
	"fmt"
	"hash/maphash"
	"testing"
)

func TestValueSet(t *testing.T) {
	t.Parallel()
	s := NewValueSet(maphash.MakeSeed())
	const stored = 100_000
	for i := range stored {
		s.Add(fmt.Append(nil, "stored ", i))
	}
	passed := 0
	for i := range stored {
		if !s.Has(fmt.Append(nil, "stored ", i)) {
			t.Fatalf("value %d is not known", i)
		}
		if s.Has(fmt.Append(nil, "another ", i)) {
			passed++
		}
	}
	if passed > 10 || !s.Proves() {
		t.Errorf("%d of %d others pass, of few values", passed, stored)
	}
	for i := range s.words {
		s.words[i] |= 0x55555555_55555555
	}
	full := &ValueSet{words: s.words}
	if full.Proves() {
		t.Error("a set of which half the bits are set proves something")
	}
	if loose := (&ValueSet{words: make([]uint64, 1), Loose: true}); loose.Proves() {
		t.Error("a set of values that are written otherwise proves something")
	}
}
