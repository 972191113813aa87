package distinct

import (
	"fmt"
	"hash/maphash"
	"testing"
)

// However many values there are, so many are remembered, and whatever became
// equal is remembered together.
func TestPairs(t *testing.T) {
	const values, most, pseudonyms = 300_000, 1000, 200_000
	p := &pairs{seed: maphash.MakeSeed(), most: most}
	for i := range values {
		p.add(p.hash(fmt.Append(nil, i)), p.hash(fmt.Append(nil, i%pseudonyms)))
		if len(p.of) > most {
			t.Fatalf("%d remembered", len(p.of))
		}
	}
	if part := pseudonyms >> p.halved; p.halved == 0 || len(p.of) < part*2/3 || len(p.of) > part*3/2 || len(p.further) < len(p.of)/3 ||
		len(p.further) > len(p.of)*2/3 {
		t.Errorf("of one in %d: %d pseudonyms, %d values more", 1<<p.halved, len(p.of), len(p.further))
	}
	if n := testing.AllocsPerRun(100, func() { p.add(p.hash([]byte("4711")), p.hash([]byte("4711"))) }); n > 0 {
		t.Errorf("%v allocations a value", n)
	}
}
